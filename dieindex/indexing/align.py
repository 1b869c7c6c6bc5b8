"""Aligning the faces of an index: types are found once, later faces are aligned to their frames.

What is still to be done is read from the catalogue alone, and every step is recorded as a whole:
so a build broken off anywhere goes on as if it had not been. Frames that exist never change, nor do
the faces on them; a face that no frame holds is tried again when later faces bring a new type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from dieindex.alignment.align import align_faces, align_to
from dieindex.alignment.devices import aligner_on
from dieindex.alignment.frames import Frame
from dieindex.alignment.result import Alignment
from dieindex.elsewhere import Shared
from dieindex.encoder.encode import Encoder
from dieindex.indexing.grow import grow_frames
from dieindex.records import SIDES, Progress, Side
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.face_codec import PackedFace, unpack_face
from dieindex.storage.face_steps import AlignedFace
from dieindex.workers import give_back_freed_memory, in_order

STEP = "aligning"
SAMPLE = 240
"""Faces among which types are looked for at one time; the others are aligned to what was found."""
CHUNK = 64
"""Faces aligned by one worker at a time."""
_NOTHING_ALIKE = "no other face of the collection is like it"


@dataclass(frozen=True, eq=False)
class _Job:
    """Work on some faces of a side: aligning them to the frames from ``first``, or, with
    ``search``, looking for types among them."""

    side: Side
    ids: tuple[int, ...]
    first: int
    search: bool


@dataclass(frozen=True, eq=False)
class _Done:
    job: _Job
    alignments: Sequence[Alignment]
    frames: Sequence[Frame] = ()


def align_due_faces(
    catalogue: Catalogue,
    encoder: Encoder,
    pool: Executor,
    jobs: int,
    progress: Progress | None = None,
) -> None:
    """Align every face that is due to a frame, or find out that it fits none. Between the searches
    frames are made again of more faces (``grow``).

    The encoder says of doubtful faces whether they are like the others where they would lie.
    ``progress`` is called with the faces done and those due at the start.
    """
    any_rotation = catalogue.meta("any_rotation") == "1"
    due = sum(not searched for side in SIDES for _, searched in catalogue.unaligned_faces(side))
    finished = 0
    while True:
        for side in SIDES:
            if not catalogue.faces_to_try(side, catalogue.frame_count(side)):
                while grow_frames(catalogue, side, encoder.device, pool, jobs):
                    pass
        work = [job for side in SIDES for job in _next_jobs(catalogue, side)]
        if not work:
            break
        frames = {side: catalogue.frames(side) for side in SIDES}
        calls = _calls(catalogue, encoder, work, frames, any_rotation)
        for done in in_order(pool, jobs, calls, waiting=jobs):
            with catalogue.transaction():
                _record(catalogue, done)
            if done.job.search:
                give_back_freed_memory()
            finished += sum(done.job.search or each.aligned for each in done.alignments)
            if progress is not None:
                progress(STEP, min(finished, due), due)
    if due and progress is not None:
        progress(STEP, due, due)


def _calls(
    catalogue: Catalogue,
    encoder: Encoder,
    work: Sequence[_Job],
    frames: Mapping[Side, list[Frame]],
    any_rotation: bool,
) -> Iterator[tuple[Any, ...]]:
    shared: dict[tuple[Side, int], Shared[list[Frame]]] = {}
    for job in work:
        packed = catalogue.packed_faces(job.ids)
        tried = job.side, job.first
        if tried not in shared:
            shared[tried] = Shared(frames[job.side][job.first :])
        yield _run, encoder, job, packed, shared[tried], any_rotation


def _next_jobs(catalogue: Catalogue, side: Side) -> list[_Job]:
    """What comes next of a side: aligning where frames wait for faces, else one search."""
    count = catalogue.frame_count(side)
    waiting = catalogue.faces_to_try(side, count)
    if waiting:
        jobs = []
        for first in sorted({tried for _, tried in waiting}):
            ids = [face for face, tried in waiting if tried == first]
            for start in range(0, len(ids), CHUNK):
                jobs.append(_Job(side, tuple(ids[start : start + CHUNK]), first, False))
        return jobs
    alone = catalogue.unaligned_faces(side)
    new = [face for face, searched in alone if not searched]
    if not new:
        return []
    old = [face for face, searched in alone if searched]
    sample = _sample(new, SAMPLE) + _sample(old, SAMPLE - len(new))
    return [_Job(side, tuple(sorted(sample)), count, True)]


def _sample(ids: list[int], size: int) -> list[int]:
    """Some of the faces, the same ones of the same faces."""
    if len(ids) <= size:
        return ids
    chosen = np.random.default_rng(len(ids)).choice(len(ids), max(size, 0), replace=False)
    return [ids[i] for i in chosen]


def _run(
    encoder: Encoder,
    job: _Job,
    packed: Sequence[PackedFace],
    frames: Shared[list[Frame]],
    any_rotation: bool,
) -> _Done:
    faces = [unpack_face(each) for each in packed]
    # Full batches: a face's place must not depend on which others are encoded beside it.
    vectorise, aligner = partial(encoder.encode, fill=True), aligner_on(encoder.device)
    if job.search:
        found = align_faces(faces, any_rotation=any_rotation, vectorise=vectorise, aligner=aligner)
        return _Done(job, found.faces, found.frames)
    aligned = align_to(
        frames.value, faces, any_rotation=any_rotation, vectorise=vectorise, aligner=aligner
    )
    return _Done(job, aligned)


def _record(catalogue: Catalogue, done: _Done) -> None:
    """Write down where the faces of a job lie, and the frames that were found."""
    job = done.job
    catalogue.add_frames(job.side, done.frames, job.first)
    catalogue.put_alignments(
        [
            AlignedFace(
                face,
                job.first + each.type if each.aligned else None,
                np.asarray(each.to_frame, np.float64),
                float(each.confidence),
                each.reason,
            )
            for face, each in zip(job.ids, done.alignments, strict=True)
        ],
        frames_tried=catalogue.frame_count(job.side),
        searched=job.search,
    )
    if job.search and not done.frames:
        # Where a sample holds no type, the rest holds none worth the time.
        catalogue.mark_searched(job.side, _NOTHING_ALIKE)
