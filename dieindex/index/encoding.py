"""Encoding the faces of an index where they lie, and what their types share taken off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor

import numpy as np

from dieindex.encoder.competition import competitors_of, less_shared
from dieindex.encoder.details import kept_details, packed
from dieindex.encoder.encode import Encoder
from dieindex.index.catalogue import Catalogue
from dieindex.index.details import DetailStore, key_of
from dieindex.index.laying import PRESENT, matrix_of, stored_faces
from dieindex.index.stored import StoredFace, restored
from dieindex.index.workers import in_order
from dieindex.records import SIDES, Side, Vectors

Progress = Callable[[int, int], None]


def encode_faces(
    catalogue: Catalogue,
    details: DetailStore,
    encoder: Encoder,
    pool: Executor,
    jobs: int,
    progress: Progress | None = None,
) -> int:
    """Encode every present face that has no vector yet, or none of whose details (``details``) are
    kept though it lies on a frame; gives their number.

    Then the faces of each frame compete: the vectors of those on it when it was made are kept, and
    what faces of its type share is taken off every new face's own.
    """
    from dieindex.encoder import encode

    batch = encode.BATCH
    with details.transaction():
        details.forget_others(described_faces(catalogue))
    described = details.keys()
    due = [
        (face, aligned, place)
        for face, aligned, place, raw in catalogue.rows(
            "SELECT f.id, f.aligned, f.to_frame, f.raw IS NOT NULL FROM faces f"
            " JOIN photographs p ON p.id = f.photograph WHERE p.state = 'done' ORDER BY f.id"
        )
        if not raw or (aligned and face not in described)
    ]

    def calls() -> Iterator[tuple]:
        for start in range(0, len(due), batch):
            part = due[start : start + batch]
            ids = [row[0] for row in part]
            places = [matrix_of(row[2]) if row[1] else None for row in part]
            yield _encode, encoder, ids, stored_faces(catalogue, ids), places

    done = 0
    for ids, found in in_order(pool, jobs, calls(), waiting=jobs):
        # Details first: a face whose details are kept and whose vector is not is done anew, and
        # what was kept is then either the same or replaced.
        with details.transaction():
            details.describe((face, key_of(raw), cells) for face, raw, cells in found if cells)
        with catalogue.transaction():
            for face, raw, _ in found:
                catalogue.write("UPDATE faces SET raw = ? WHERE id = ?", (raw, face))
        done += len(ids)
        if progress is not None:
            progress(done, len(due))
    with catalogue.transaction():
        for side in SIDES:
            _compete(catalogue, side)
    return done


def _encode(
    encoder: Encoder,
    ids: Sequence[int],
    kept: Sequence[StoredFace],
    places: Sequence[np.ndarray | None],
) -> tuple[Sequence[int], list[tuple[int, bytes, bytes | None]]]:
    """Of each face its raw vector and, where it lies on a frame, its details, as they are kept."""
    described = encoder.describe([restored(each) for each in kept], places, fill=True)
    cells = packed(kept_details(described.descriptors, described.reliability))
    return ids, [
        (face, np.asarray(vector, "<f4").tobytes(), None if place is None else one)
        for face, vector, place, one in zip(ids, described.vectors, places, cells, strict=True)
    ]


def described_faces(catalogue: Catalogue, *, present: bool = False) -> dict[int, bytes]:
    """The keys that the details of all faces on frames must have, by id; with ``present`` of those
    alone whose photographs are still there."""
    absent = " AND p.state = 'done'" if present else ""
    rows = catalogue.rows(
        "SELECT f.id, f.raw FROM faces f JOIN photographs p ON p.id = f.photograph"
        f" WHERE f.aligned AND f.raw IS NOT NULL{absent}"
    )
    return {face: key_of(raw) for face, raw in rows}


def _compete(catalogue: Catalogue, side: Side) -> None:
    """Choose the competitors of new frames, for good, and bring every face's vector to its end."""
    dimension = int(catalogue.meta("dimension") or 1)
    radius = float(catalogue.meta("type_radius") or 0)
    frames = catalogue.rows("SELECT number FROM frames WHERE side = ? ORDER BY number", (side,))
    for (number,) in frames:
        if number not in stored_competitors(catalogue, side):
            rows = catalogue.rows(
                f"SELECT f.raw {PRESENT} AND f.frame = ? AND f.raw IS NOT NULL ORDER BY f.id",
                (side, number),
            )
            if rows:
                raw = np.frombuffer(b"".join(row[0] for row in rows), "<f4")
                chosen = competitors_of(raw.reshape(len(rows), dimension))
                catalogue.write(
                    "UPDATE frames SET competitors = ? WHERE side = ? AND number = ?",
                    (chosen.astype("<f4").tobytes(), side, number),
                )
    competitors = stored_competitors(catalogue, side)
    for face, frame, raw in catalogue.rows(
        f"SELECT f.id, f.frame, f.raw {PRESENT} AND f.raw IS NOT NULL AND f.vector IS NULL",
        (side,),
    ):
        vector = np.frombuffer(raw, "<f4")
        if frame in competitors:
            vector = less_shared(vector, competitors[frame], radius)
        catalogue.write(
            "UPDATE faces SET vector = ? WHERE id = ?", (vector.astype("<f4").tobytes(), face)
        )


def stored_competitors(catalogue: Catalogue, side: Side) -> dict[int, Vectors]:
    """Raw vectors ``(r, dimension)`` with which faces of each frame compete, by its number."""
    dimension = int(catalogue.meta("dimension") or 1)
    rows = catalogue.rows(
        "SELECT number, competitors FROM frames WHERE side = ? AND competitors IS NOT NULL", (side,)
    )
    return {number: np.frombuffer(kept, "<f4").reshape(-1, dimension) for number, kept in rows}
