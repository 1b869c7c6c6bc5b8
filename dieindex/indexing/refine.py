"""Refining the places of an index's faces: each aligned once more, to those that seem of its die.

Alignment knows contours alone. When every face has a vector, it is aligned to the faces that the
encoder takes for strikes of its die (``alignment/refinement.py``), in steps: all faces of a step
move at once, each seen from where the others lay before it. What a step has found is put aside
until all of it is there, so that a build broken off anywhere goes on as if it had not been. Faces
that have gone all steps never move again; later ones are aligned to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np

from dieindex.alignment.devices import aligner_on
from dieindex.alignment.exemplars import TypeMean
from dieindex.alignment.frames import Frame
from dieindex.alignment.realigning import FINEST
from dieindex.alignment.refinement import PASSES, STEPS, refine_step, that_count
from dieindex.encoder.encode import Encoder
from dieindex.encoder.neighbours import neighbours_of
from dieindex.indexing.encode import encode_faces, vectors_on_frame
from dieindex.records import SIDES, Face, Floats, Matrix, Progress, Side
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.details import DetailStore
from dieindex.storage.face_codec import PackedFace, Unpacked
from dieindex.workers import in_order

STEP = "refining"
RENDERED, MOST = 400 * FINEST.size**2, 500
"""Pixels of faces of a frame, with their neighbours, that a worker renders at one time to move some
of them, and faces: so many are 180 MB, and 15 MB as they are kept. (The more, the fewer are
rendered twice. Of a large frame all would be many times that.)"""

Neighbours = dict[int, list[tuple[int, float]]]
"""For each face, by id, those it is fitted to and how much each counts, 0…1."""


@dataclass(frozen=True, eq=False)
class _Moving:
    """Faces of a frame that are to move by ``step``."""

    side: Side
    frame: int
    step: int
    faces: tuple[int, ...]


def refine_faces(
    catalogue: Catalogue,
    encoder: Encoder,
    pool: Executor,
    jobs: int,
    progress: Progress | None = None,
    details: DetailStore | None = None,
) -> None:
    """Refine every face on a frame that has not gone all steps, and encode it where it then lies;
    at the end of its last step ``details`` keeps what verification needs of it.

    ``progress`` is called with the steps done and those due, counted face by face.
    """
    due = _steps_left(catalogue)
    while work := _next_step(catalogue):
        step = work[0].step
        neighbours = {(one.side, one.frame): _neighbours(catalogue, one) for one in work}
        frames = {side: catalogue.frames(side) for side in {one.side for one in work}}
        share = sum(len(one.faces) for one in work)
        if encoder.device == "cpu":
            # (Elsewhere what faces are worked on together shows in the last bits of each.)
            share = -(-share // jobs)
        calls = _calls(catalogue, work, neighbours, frames, encoder.device, share)
        for moved in in_order(pool, jobs, calls, waiting=jobs):
            with catalogue.transaction():
                catalogue.put_next_places(moved)
            if progress is not None:
                progress(STEP, max(0, due - _steps_left(catalogue)), due)
        last = step + 1 == STEPS
        with catalogue.transaction():
            for one in work:
                catalogue.end_step(one.faces, encode=last)
        if last:
            encode_faces(catalogue, encoder, pool, jobs, progress, details)
    if due and progress is not None:
        progress(STEP, due, due)


def _steps_left(catalogue: Catalogue) -> int:
    return sum(catalogue.refinement_left(side, STEPS) for side in SIDES)


def _next_step(catalogue: Catalogue) -> list[_Moving]:
    """The faces furthest behind, by frame."""
    behind: dict[tuple[Side, int, int], list[int]] = {}
    for side in SIDES:
        for face, frame, gone in catalogue.faces_to_refine(side, STEPS):
            behind.setdefault((side, frame, gone), []).append(face)
    if not behind:
        return []
    first = min(gone for _, _, gone in behind)
    return [
        _Moving(side, frame, gone, tuple(faces))
        for (side, frame, gone), faces in behind.items()
        if gone == first
    ]


def _neighbours(catalogue: Catalogue, one: _Moving) -> Neighbours:
    """Which faces each moving face is aligned to, by their ids; the same at every step."""
    ids, vectors = vectors_on_frame(catalogue, one.side, one.frame)
    moving = np.searchsorted(ids, np.asarray(one.faces))
    found = neighbours_of(vectors, moving)
    return {
        int(ids[face]): [(int(ids[other]), weight) for other, weight in that_count(near)]
        for face, near in found.items()
    }


def _calls(
    catalogue: Catalogue,
    work: Sequence[_Moving],
    neighbours: Mapping[tuple[Side, int], Neighbours],
    frames: Mapping[Side, Sequence[Frame]],
    device: str,
    share: int,
) -> Iterator[tuple[Any, ...]]:
    """The pieces of work of a step, none of which moves more faces than a worker's ``share``."""
    for one in work:
        on_frame = neighbours[one.side, one.frame]
        mean = frames[one.side][one.frame].mean()
        waiting = catalogue.waiting_for_step(one.side, one.frame, one.step)
        order = [face for face in _side_by_side(on_frame) if face in waiting]
        rendered = min(MOST, RENDERED // PASSES[one.step].size ** 2)
        for part in _parts(order, on_frame, rendered, share):
            wanted = {face: on_frame[face] for face in part}
            shown = sorted({*wanted, *(other for near in wanted.values() for other, _ in near)})
            packed, places = catalogue.packed_faces(shown), catalogue.places(shown)
            yield _moved, one.step, shown, packed, places, wanted, mean, device


def _parts(
    order: Sequence[int], neighbours: Neighbours, rendered: int, share: int
) -> Iterator[list[int]]:
    """The faces in parts of at most ``share``, which with their neighbours are at most
    ``rendered``."""
    part: list[int] = []
    shown: set[int] = set()
    for face in order:
        more = {face, *(other for other, _ in neighbours[face])}
        if part and (len(part) >= share or len(shown | more) > rendered):
            yield part
            part, shown = [], set()
        part.append(face)
        shown |= more
    if part:
        yield part


def _moved(
    step: int,
    ids: Sequence[int],
    packed: Sequence[PackedFace],
    places: Mapping[int, Floats],
    neighbours: Neighbours,
    mean: TypeMean,
    device: str,
) -> dict[int, Matrix]:
    faces = _ById(ids, Unpacked(packed))
    return refine_step(step, faces, places, neighbours, mean, aligner_on(device))


class _ById(Mapping[int, Face]):
    def __init__(self, ids: Sequence[int], faces: Sequence[Face]) -> None:
        self._faces, self._at = faces, {face: at for at, face in enumerate(ids)}

    def __getitem__(self, face: int) -> Face:
        return self._faces[self._at[face]]

    def __iter__(self) -> Iterator[int]:
        return iter(self._at)

    def __len__(self) -> int:
        return len(self._at)


def _side_by_side(neighbours: Neighbours) -> list[int]:
    """The moving faces in an order in which those aligned to each other stand together."""
    order: list[int] = []
    seen: set[int] = set()
    for start in neighbours:
        waiting = [start]
        while waiting:
            face = waiting.pop()
            if face in seen:
                continue
            seen.add(face)
            order.append(face)
            nearest = sorted(neighbours[face], key=lambda each: (each[1], -each[0]))[-3:]
            waiting += [other for other, _ in nearest if other in neighbours and other not in seen]
    return order
