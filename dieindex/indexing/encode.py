"""Encoding the faces of an index where they lie, and what their types share taken off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor

import numpy as np

from dieindex.encoder.competition import competitors_of, less_shared
from dieindex.encoder.encode import Encoder
from dieindex.indexing.align import PRESENT, matrix_of, stored_faces
from dieindex.records import SIDES, Ints, Side, Vectors
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.face_codec import StoredFace, restored
from dieindex.workers import in_order

Progress = Callable[[int, int], None]


def encode_raw(
    catalogue: Catalogue,
    encoder: Encoder,
    pool: Executor,
    jobs: int,
    progress: Progress | None = None,
) -> int:
    """Encode every present face that has no vector of the network yet; gives their number."""
    from dieindex.encoder import encode

    batch = encode.BATCH
    due = catalogue.rows(
        "SELECT f.id, f.aligned, f.to_frame FROM faces f JOIN photographs p ON p.id = f.photograph"
        " WHERE p.state = 'done' AND f.raw IS NULL ORDER BY f.id"
    )

    def calls() -> Iterator[tuple]:
        for start in range(0, len(due), batch):
            part = due[start : start + batch]
            ids = [row[0] for row in part]
            places = [matrix_of(row[2]) if row[1] else None for row in part]
            yield _encode, encoder, ids, stored_faces(catalogue, ids), places

    done = 0
    for ids, vectors in in_order(pool, jobs, calls(), waiting=jobs):
        with catalogue.transaction():
            for face, vector in zip(ids, vectors, strict=True):
                catalogue.write(
                    "UPDATE faces SET raw = ? WHERE id = ?",
                    (np.asarray(vector, "<f4").tobytes(), face),
                )
        done += len(ids)
        if progress is not None:
            progress(done, len(due))
    return done


def compete(catalogue: Catalogue) -> None:
    """Let the faces of each frame compete: the vectors of those on it when it was made are kept,
    and what faces of its type share is taken off every new face's own."""
    with catalogue.transaction():
        for side in SIDES:
            _compete(catalogue, side)


def vectors_on_frame(catalogue: Catalogue, side: Side, frame: int) -> tuple[Ints, Vectors]:
    """Ids ``(n,)`` in their order and unit vectors ``(n, dimension)`` of the present faces on a
    frame, what they share taken off; for the time being, where they have not competed yet."""
    dimension = int(catalogue.meta("dimension") or 1)
    radius = float(catalogue.meta("type_radius") or 0)
    rows = catalogue.rows(
        f"SELECT f.id, f.raw, f.vector {PRESENT} AND f.frame = ? AND f.raw IS NOT NULL"
        " ORDER BY f.id",
        (side, frame),
    )
    ids = np.array([row[0] for row in rows], np.int64)
    raw = np.frombuffer(b"".join(row[1] for row in rows), "<f4").reshape(len(rows), dimension)
    competing = stored_competitors(catalogue, side).get(frame)
    if competing is None:
        competing = competitors_of(raw)
    vectors = [
        less_shared(own, competing, radius) if row[2] is None else np.frombuffer(row[2], "<f4")
        for row, own in zip(rows, raw, strict=True)
    ]
    return ids, np.stack(vectors) if vectors else raw


def _encode(
    encoder: Encoder,
    ids: Sequence[int],
    kept: Sequence[StoredFace],
    places: Sequence[np.ndarray | None],
) -> tuple[Sequence[int], Vectors]:
    return ids, encoder.encode([restored(each) for each in kept], places, fill=True)


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
