"""Encoding the faces of an index where they lie, and the means of its frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor

import numpy as np

from dieindex.encoder.competition import frame_mean
from dieindex.encoder.encode import Encoder
from dieindex.index.catalogue import Catalogue
from dieindex.index.laying import matrix_of, stored_faces
from dieindex.index.stored import StoredFace, restored
from dieindex.index.workers import in_order
from dieindex.records import SIDES, Vectors

Progress = Callable[[int, int], None]


def encode_faces(
    catalogue: Catalogue,
    encoder: Encoder,
    pool: Executor,
    jobs: int,
    progress: Progress | None = None,
) -> int:
    """Encode every present face that has no vector yet; gives their number.

    Then frames without a mean get that of their faces' vectors, for good.
    """
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
    with catalogue.transaction():
        _fix_means(catalogue)
    return done


def _encode(
    encoder: Encoder,
    ids: Sequence[int],
    kept: Sequence[StoredFace],
    places: Sequence[np.ndarray | None],
) -> tuple[Sequence[int], Vectors]:
    return ids, encoder.encode([restored(each) for each in kept], places, fill=True)


def _fix_means(catalogue: Catalogue) -> None:
    for side in SIDES:
        for (number,) in catalogue.rows(
            "SELECT number FROM frames WHERE side = ? AND mean IS NULL", (side,)
        ):
            rows = catalogue.rows(
                "SELECT f.raw FROM faces f JOIN photographs p ON p.id = f.photograph"
                " WHERE f.side = ? AND f.frame = ? AND p.state = 'done' AND f.raw IS NOT NULL"
                " ORDER BY f.id",
                (side, number),
            )
            if not rows:
                continue
            raw = np.frombuffer(b"".join(row[0] for row in rows), "<f4").reshape(len(rows), -1)
            catalogue.write(
                "UPDATE frames SET mean = ? WHERE side = ? AND number = ?",
                (frame_mean(raw).astype("<f4").tobytes(), side, number),
            )
