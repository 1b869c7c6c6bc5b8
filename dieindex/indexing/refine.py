"""Settling the faces of an index: laid once more, on those that seem to be of their die.

Alignment knows contours alone. When every face has a vector, it is laid on the faces that the
encoder takes for strikes of its die (``alignment/refinement.py``), in steps: all faces of a step
move at once, each seen from where the others lay before it. What a step has found is put aside
until all of it is there, so that a build broken off anywhere goes on as if it had not been. Faces
that have settled never move again; later ones are laid on them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dieindex.encoder.encode import Encoder
from dieindex.indexing.align import PRESENT, matrix_of, stored_faces, stored_frames
from dieindex.indexing.encode import encode_raw, vectors_on_frame
from dieindex.records import SIDES, Floats, Matrix, Side
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.face_codec import StoredFace, restored
from dieindex.workers import in_order

if TYPE_CHECKING:
    from dieindex.alignment.exemplars import TypeMean
    from dieindex.alignment.frames import Frame

CHUNK = 256
"""Faces of a frame moved by one worker at a time; what they are laid on is drawn for each chunk."""

Progress = Callable[[int, int], None]
Near = dict[int, list[tuple[int, float]]]


@dataclass(frozen=True, eq=False)
class _Unsettled:
    """Faces of a frame that are to move by ``step``."""

    side: Side
    frame: int
    step: int
    moving: tuple[int, ...]


def refine_faces(
    catalogue: Catalogue,
    encoder: Encoder,
    pool: Executor,
    jobs: int,
    progress: Progress | None = None,
) -> None:
    """Settle every face on a frame that has not settled yet, and encode it where it then lies.

    ``progress`` is called with the steps done and those due, counted face by face.
    """
    from dieindex.alignment.refinement import STEPS, ends_round

    due = sum(steps * count for steps, count in _due(catalogue, STEPS))
    while work := _next_step(catalogue, STEPS):
        step = work[0].step
        near = {(one.side, one.frame): _near(catalogue, one) for one in work}
        frames = {side: stored_frames(catalogue, side) for side in {one.side for one in work}}
        calls = _calls(catalogue, work, near, frames)
        for moved in in_order(pool, jobs, calls, waiting=jobs):
            with catalogue.transaction():
                for face, place in moved.items():
                    catalogue.write(
                        "UPDATE faces SET next_to_frame = ? WHERE id = ?",
                        (np.asarray(place, "<f8").tobytes(), face),
                    )
            if progress is not None:
                left = sum(steps * count for steps, count in _due(catalogue, STEPS))
                progress(max(0, due - left), due)
        _end_step(catalogue, work, ends_round(step))
        if ends_round(step):
            encode_raw(catalogue, encoder, pool, jobs)
    if due and progress is not None:
        progress(due, due)


def _due(catalogue: Catalogue, steps: int) -> list[tuple[int, int]]:
    """Pairs (steps still to go, how many faces)."""
    found = []
    for side in SIDES:
        for settled, staged, count in catalogue.rows(
            f"SELECT f.settled, f.next_to_frame IS NOT NULL, count(*) {PRESENT} AND f.aligned"
            " AND f.settled < ? GROUP BY 1, 2",
            (side, steps),
        ):
            found.append((steps - settled - staged, count))
    return found


def _next_step(catalogue: Catalogue, steps: int) -> list[_Unsettled]:
    """The faces furthest behind, by frame."""
    behind: dict[tuple[Side, int, int], list[int]] = {}
    for side in SIDES:
        for face, frame, settled in catalogue.rows(
            f"SELECT f.id, f.frame, f.settled {PRESENT} AND f.aligned AND f.settled < ?"
            " ORDER BY f.id",
            (side, steps),
        ):
            behind.setdefault((side, frame, settled), []).append(face)
    if not behind:
        return []
    first = min(settled for _, _, settled in behind)
    return [
        _Unsettled(side, frame, settled, tuple(faces))
        for (side, frame, settled), faces in behind.items()
        if settled == first
    ]


def _near(catalogue: Catalogue, one: _Unsettled) -> Near:
    """Which faces each moving face is laid on, by their ids; the same throughout a round."""
    from dieindex.encoder.neighbours import neighbours_of

    ids, vectors = vectors_on_frame(catalogue, one.side, one.frame)
    moving = np.searchsorted(ids, np.asarray(one.moving))
    found = neighbours_of(vectors, moving)
    return {
        int(ids[face]): [(int(ids[other]), weight) for other, weight in near]
        for face, near in found.items()
    }


def _calls(
    catalogue: Catalogue,
    work: Sequence[_Unsettled],
    near: Mapping[tuple[Side, int], Near],
    frames: Mapping[Side, Sequence[Frame]],
) -> Iterator[tuple]:
    for one in work:
        on_frame = near[one.side, one.frame]
        mean = frames[one.side][one.frame].mean()
        waiting = _still_to_move(catalogue, one)
        for chunk in _chunks([face for face in _neighbourly(on_frame) if face in waiting]):
            wanted = {face: on_frame[face] for face in chunk}
            shown = sorted({*wanted, *(other for near in wanted.values() for other, _ in near)})
            places = _places(catalogue, shown)
            yield _moved, one.step, shown, stored_faces(catalogue, shown), places, wanted, mean


def _moved(
    step: int,
    ids: Sequence[int],
    kept: Sequence[StoredFace],
    places: Mapping[int, Floats],
    near: Near,
    mean: TypeMean,
) -> dict[int, Matrix]:
    from dieindex.alignment.refinement import refine_step

    faces = {face: restored(one) for face, one in zip(ids, kept, strict=True)}
    return refine_step(step, faces, places, near, mean)


def _neighbourly(near: Near) -> list[int]:
    """The moving faces in an order in which those laid on each other stand together."""
    order: list[int] = []
    seen: set[int] = set()
    for start in near:
        waiting = [start]
        while waiting:
            face = waiting.pop()
            if face in seen:
                continue
            seen.add(face)
            order.append(face)
            nearest = sorted(near[face], key=lambda each: (each[1], -each[0]))[-3:]
            waiting += [other for other, _ in nearest if other in near and other not in seen]
    return order


def _chunks(faces: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(faces), CHUNK):
        yield faces[start : start + CHUNK]


def _still_to_move(catalogue: Catalogue, one: _Unsettled) -> set[int]:
    rows = catalogue.rows(
        f"SELECT f.id {PRESENT} AND f.frame = ? AND f.settled = ? AND f.next_to_frame IS NULL",
        (one.side, one.frame, one.step),
    )
    return {row[0] for row in rows}


def _places(catalogue: Catalogue, faces: Sequence[int]) -> dict[int, Floats]:
    found = {}
    for face in faces:
        rows = catalogue.rows("SELECT to_frame FROM faces WHERE id = ?", (face,))
        found[face] = matrix_of(rows[0][0])
    return found


def _end_step(catalogue: Catalogue, work: Sequence[_Unsettled], encode: bool) -> None:
    """Let all faces of a step move at once; those that nothing is like stay where they are."""
    changed = ", raw = NULL, vector = NULL" if encode else ""
    with catalogue.transaction():
        for one in work:
            for face in one.moving:
                catalogue.write(
                    "UPDATE faces SET to_frame = coalesce(next_to_frame, to_frame),"
                    f" next_to_frame = NULL, settled = settled + 1{changed} WHERE id = ?",
                    (face,),
                )
