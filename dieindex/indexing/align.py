"""Laying the faces of an index on frames: types are found once, later faces are laid on them.

What is still to be done is read from the catalogue alone, and every step is recorded as a whole:
so a build broken off anywhere goes on as if it had not been. Frames that exist never change, nor do
the faces on them; a face that no frame holds is tried again when later faces bring a new type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from dieindex.encoder.encode import Encoder
from dieindex.errors import IndexFolderError
from dieindex.records import SIDES, Circle, Flan, Floats, Side
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.face_codec import StoredFace, restored
from dieindex.workers import in_order

if TYPE_CHECKING:
    from dieindex.alignment.frames import Frame
    from dieindex.alignment.result import Alignment

SAMPLE = 240
"""Faces among which types are looked for at one time; the others are laid on what was found."""
CHUNK = 64
"""Faces laid by one worker at a time."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class _Job:
    """Work on some faces of a side: laying them on the frames from ``first``, or, with ``search``,
    looking for types among them."""

    side: Side
    ids: tuple[int, ...]
    first: int
    search: bool


@dataclass(frozen=True, eq=False)
class _Done:
    job: _Job
    alignments: Sequence[Alignment]
    frames: Sequence[Frame] = ()


def lay_faces(
    catalogue: Catalogue,
    encoder: Encoder,
    pool: Executor,
    jobs: int,
    progress: Progress | None = None,
) -> None:
    """Lay every face that is due on a frame, or find out that it cannot be laid on any.

    The encoder says of doubtful faces whether they are like the others where they would lie.

    ``progress`` is called with the faces done and those due at the start.
    """
    turning = catalogue.meta("any_rotation") == "1"
    due = sum(_unsettled(catalogue, side) for side in SIDES)
    settled = 0
    while work := [job for side in SIDES for job in _next_jobs(catalogue, side)]:
        frames = {side: stored_frames(catalogue, side) for side in SIDES}
        for done in in_order(
            pool, jobs, _calls(catalogue, encoder, work, frames, turning), waiting=jobs
        ):
            with catalogue.transaction():
                _record(catalogue, done)
            settled += sum(done.job.search or each.aligned for each in done.alignments)
            if progress is not None:
                progress(min(settled, due), due)
    if due and progress is not None:
        progress(due, due)


def _calls(
    catalogue: Catalogue,
    encoder: Encoder,
    work: Sequence[_Job],
    frames: Mapping[Side, list[Frame]],
    turning: bool,
) -> Iterator[tuple]:
    for job in work:
        kept = stored_faces(catalogue, job.ids)
        yield _run, encoder, job, kept, frames[job.side][job.first :], turning


def _next_jobs(catalogue: Catalogue, side: Side) -> list[_Job]:
    """What comes next of a side: laying where frames wait for faces, else one search."""
    count = catalogue.frame_count(side)
    waiting = catalogue.rows(
        f"SELECT f.id, f.laid_on {PRESENT} AND NOT f.aligned AND f.laid_on < ? ORDER BY f.id",
        (side, count),
    )
    if waiting:
        jobs = []
        for first in sorted({laid_on for _, laid_on in waiting}):
            ids = [number for number, laid_on in waiting if laid_on == first]
            for start in range(0, len(ids), CHUNK):
                jobs.append(_Job(side, tuple(ids[start : start + CHUNK]), first, False))
        return jobs
    alone = catalogue.rows(
        f"SELECT f.id, f.searched {PRESENT} AND NOT f.aligned ORDER BY f.id", (side,)
    )
    new = [number for number, searched in alone if not searched]
    if not new:
        return []
    old = [number for number, searched in alone if searched]
    sample = _sample(new, SAMPLE) + _sample(old, SAMPLE - len(new))
    return [_Job(side, tuple(sorted(sample)), count, True)]


PRESENT = (
    "FROM faces f JOIN photographs p ON p.id = f.photograph WHERE f.side = ? AND p.state = 'done'"
)
_NOTHING_ALIKE = "no other face of the collection is like it"


def _unsettled(catalogue: Catalogue, side: Side) -> int:
    """How many faces have neither a place nor been looked at in vain."""
    query = f"SELECT count(*) {PRESENT} AND NOT f.aligned AND NOT f.searched"
    return int(catalogue.rows(query, (side,))[0][0])


def _sample(ids: list[int], size: int) -> list[int]:
    """Some of the faces, the same ones of the same faces."""
    if len(ids) <= size:
        return ids
    chosen = np.random.default_rng(len(ids)).choice(len(ids), max(size, 0), replace=False)
    return [ids[i] for i in chosen]


def _run(
    encoder: Encoder,
    job: _Job,
    kept: Sequence[StoredFace],
    frames: Sequence[Frame],
    turning: bool,
) -> _Done:
    from dieindex.alignment.align import align_faces, align_to

    faces = [restored(each) for each in kept]
    # Full batches: a face's place must not depend on which others are encoded beside it.
    vectorise = partial(encoder.encode, fill=True)
    if job.search:
        found = align_faces(faces, any_rotation=turning, vectorise=vectorise)
        return _Done(job, found.faces, found.frames)
    return _Done(job, align_to(frames, faces, any_rotation=turning, vectorise=vectorise))


def _record(catalogue: Catalogue, done: _Done) -> None:
    """Write down where the faces of a job lie, and the frames that were found."""
    job = done.job
    for number, frame in enumerate(done.frames, job.first):
        catalogue.write(
            "INSERT INTO frames (side, number, frame) VALUES (?, ?, ?)",
            (job.side, number, frame.to_bytes()),
        )
    count = catalogue.frame_count(job.side)
    for face, each in zip(job.ids, done.alignments, strict=True):
        catalogue.write(
            "UPDATE faces SET laid_on = ?, searched = max(searched, ?), aligned = ?, frame = ?,"
            " to_frame = ?, laid_at = ?, support = ?, unaligned_reason = ? WHERE id = ?",
            (
                count,
                int(job.search),
                int(each.aligned),
                job.first + each.type if each.aligned else None,
                np.asarray(each.to_frame, "<f8").tobytes(),
                np.asarray(each.to_frame, "<f8").tobytes(),
                float(each.confidence),
                None if each.aligned else each.reason,
                face,
            ),
        )
        # Its vector, if it has one, was that of a face that lies on no frame.
        if each.aligned:
            catalogue.write("UPDATE faces SET raw = NULL, vector = NULL WHERE id = ?", (face,))
    if job.search and not done.frames:
        # Where a sample holds no type, the rest holds none worth the time.
        catalogue.write(
            "UPDATE faces SET searched = 1, unaligned_reason = coalesce(unaligned_reason, ?)"
            " WHERE side = ? AND NOT aligned",
            (_NOTHING_ALIKE, job.side),
        )


def stored_frames(catalogue: Catalogue, side: Side) -> list[Frame]:
    """The frames of a side, by number."""
    rows = catalogue.rows("SELECT frame FROM frames WHERE side = ? ORDER BY number", (side,))
    if not rows:
        return []
    from dieindex.alignment.frames import Frame

    return [Frame.from_bytes(row[0]) for row in rows]


def stored_faces(catalogue: Catalogue, ids: Sequence[int]) -> list[StoredFace]:
    """Faces as they are kept, in the order of ``ids``."""
    found = []
    for face in ids:
        rows = catalogue.rows(
            "SELECT f.side, f.x, f.y, f.radius, f.confidence, f.sure, f.flan_reason, f.rotation,"
            " p.jpeg, p.mask FROM faces f JOIN pictures p ON p.face = f.id WHERE f.id = ?",
            (int(face),),
        )
        if not rows:
            raise IndexFolderError(
                f"{catalogue.path}: the picture of face {face} is missing; "
                f"{catalogue.remedy(catalogue.path)}"
            )
        side, x, y, radius, confidence, sure, reason, rotation, jpeg, mask = rows[0]
        flan = Flan(Circle(x, y, radius), confidence, bool(sure), reason)
        found.append(StoredFace(side, flan, rotation, jpeg, mask))
    return found


def stored_place(catalogue: Catalogue, face: int) -> Floats | None:
    """``(3, 3)``: pixels of a face to pixels of its frame; None where it lies on none."""
    rows = catalogue.rows("SELECT to_frame FROM faces WHERE id = ? AND aligned", (int(face),))
    return matrix_of(rows[0][0]) if rows else None


def matrix_of(stored: bytes) -> Floats:
    """``(3, 3)`` from a catalogue's nine numbers."""
    return np.frombuffer(stored, "<f8").reshape(3, 3)
