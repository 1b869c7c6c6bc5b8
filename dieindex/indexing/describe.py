"""What verification needs of each face, computed once where it lies in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor

import numpy as np

from dieindex.encoder.dense import packed, quantised
from dieindex.encoder.encode import Encoder
from dieindex.indexing.align import matrix_of, stored_faces
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.descriptors import DetailStore, key_of
from dieindex.storage.face_codec import StoredFace, restored
from dieindex.workers import in_order

Progress = Callable[[int, int], None]


def describe_faces(
    catalogue: Catalogue,
    details: DetailStore,
    encoder: Encoder,
    pool: Executor,
    jobs: int,
    progress: Progress | None = None,
) -> int:
    """Describe every present face on a frame whose details are not kept yet; gives their number.

    DenseDescriptors of faces that are gone, moved or encoded anew are forgotten, with all their
    pairs. (The network sees a face once more than its vector needs: while faces settle they still
    move.)
    """
    from dieindex.encoder import encode

    keys = described_keys(catalogue)
    with details.transaction():
        details.forget_others(keys)
    known = details.keys()
    due = sorted(face for face in described_keys(catalogue, present=True) if face not in known)

    def calls() -> Iterator[tuple]:
        for start in range(0, len(due), encode.BATCH):
            ids = due[start : start + encode.BATCH]
            places = [
                matrix_of(catalogue.rows("SELECT to_frame FROM faces WHERE id = ?", (face,))[0][0])
                for face in ids
            ]
            yield _describe, encoder, ids, stored_faces(catalogue, ids), places

    done = 0
    for ids, cells in in_order(pool, jobs, calls(), waiting=jobs):
        with details.transaction():
            details.describe((face, keys[face], one) for face, one in zip(ids, cells, strict=True))
        done += len(ids)
        if progress is not None:
            progress(done, len(due))
    return len(due)


def _describe(
    encoder: Encoder,
    ids: Sequence[int],
    kept: Sequence[StoredFace],
    places: Sequence[np.ndarray],
) -> tuple[Sequence[int], list[bytes]]:
    described = encoder.describe([restored(each) for each in kept], places, fill=True)
    return ids, packed(quantised(described.descriptors, described.reliability))


def described_keys(catalogue: Catalogue, *, present: bool = False) -> dict[int, bytes]:
    """The keys that the details of all faces on frames must have, by id; with ``present`` of those
    alone whose photographs are still there."""
    absent = " AND p.state = 'done'" if present else ""
    rows = catalogue.rows(
        "SELECT f.id, f.raw FROM faces f JOIN photographs p ON p.id = f.photograph"
        f" WHERE f.aligned AND f.raw IS NOT NULL{absent}"
    )
    return {face: key_of(raw) for face, raw in rows}


def lacks_details(catalogue: Catalogue, details: DetailStore) -> bool:
    """Whether the details of a present face are missing, or those of another than today's."""
    known = details.keys()
    wanted = described_keys(catalogue, present=True)
    return any(known.get(face) != key for face, key in wanted.items())
