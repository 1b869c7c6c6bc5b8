"""Pairs in blocks, as workers score them: side by side on this machine, or on others.

Threads of one machine share faces that are unpacked once. To another machine each block carries its
faces; so there pairs of the same faces stand together, and a face is sent as seldom as can be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from dieindex.encoder.dense import DenseDescriptors, unpacked
from dieindex.errors import IndexFolderError
from dieindex.records import Floats, Ints
from dieindex.storage.details import DetailStore
from dieindex.verification.scorer import PairScorer

BLOCK = 256
"""Pairs that a thread scores before they are recorded."""
MOST_PAIRS, MOST_FACES = 4096, 256
"""Of a block that travels: some seconds of work, 20 MB. (Of fewer, each would be sent oftener.)"""
_KEPT_FACES = 1500
"""Faces held unpacked: about 80 kB each."""

Scored = tuple[Ints, Floats, Floats]
"""Rows of pairs, their logits and shared parts."""


def blocks(
    store: DetailStore, pairs: Ints, scorer: PairScorer, shape: tuple[int, int]
) -> Iterator[tuple[Any, ...]]:
    """Calls that score ``pairs`` ``(m, 2)`` of ids, block by block; each gives ``Scored``."""

    @lru_cache(_KEPT_FACES)
    def descriptors_of(face: int) -> DenseDescriptors:
        return unpacked([_cells(store, face)], *shape)

    def gathered(faces: Ints) -> DenseDescriptors:
        each = [descriptors_of(face) for face in faces.tolist()]
        return DenseDescriptors(
            np.concatenate([one.descriptors for one in each]),
            np.concatenate([one.reliability for one in each]),
        )

    for start in range(0, len(pairs), BLOCK):
        part = np.arange(start, min(start + BLOCK, len(pairs)))
        yield _scored, scorer, part, gathered(pairs[part, 0]), gathered(pairs[part, 1])


def packed_blocks(
    store: DetailStore, pairs: Ints, frame: Ints, scorer: PairScorer, shape: tuple[int, int]
) -> Iterator[tuple[Any, ...]]:
    """The same for workers elsewhere; ``frame`` ``(m,)`` is the one each pair lies on."""
    for part in parts_of_few_faces(pairs, frame):
        faces, at = np.unique(pairs[part], return_inverse=True)
        first, second = at.reshape(-1, 2).T
        packed = [_cells(store, face) for face in faces.tolist()]
        yield _scored_packed, scorer, part, packed, shape, first, second


def parts_of_few_faces(pairs: Ints, frame: Ints) -> Iterator[Ints]:
    """Rows of all pairs ``(m, 2)``, part by part and in rising order in each: at most
    ``MOST_PAIRS`` of at most ``MOST_FACES`` faces.

    The pairs of a frame make a square, which is cut into smaller ones.
    """
    ids = np.unique(pairs)
    frame_of = np.zeros(len(ids), np.int64)
    at = np.searchsorted(ids, pairs)
    frame_of[at[:, 0]] = frame_of[at[:, 1]] = frame
    order = np.lexsort((ids, frame_of))
    place = np.empty(len(ids), np.int64)
    place[order] = np.arange(len(ids))
    first, second = place[at].T
    edge = MOST_FACES // 2
    rows = np.lexsort((second, first, second // edge, first // edge))
    part: list[int] = []
    faces: set[int] = set()
    for row, pair in zip(rows.tolist(), pairs[rows].tolist(), strict=True):
        more = sum(face not in faces for face in pair)
        if len(part) == MOST_PAIRS or len(faces) + more > MOST_FACES:
            yield np.sort(part)
            part, faces = [], set()
        part.append(row)
        faces.update(pair)
    if part:
        yield np.sort(part)


def _cells(store: DetailStore, face: int) -> bytes:
    kept = store.cells_of(face)
    if kept is None:
        raise IndexFolderError(
            f"{store.path.parent}: another dieindex has changed it meanwhile; ask again."
        )
    return kept


def _scored(
    scorer: PairScorer, part: Ints, first: DenseDescriptors, second: DenseDescriptors
) -> Scored:
    return part, *scorer.score(first, second)


def _scored_packed(
    scorer: PairScorer,
    part: Ints,
    packed: Sequence[bytes],
    shape: tuple[int, int],
    first: Ints,
    second: Ints,
) -> Scored:
    return part, *scorer.score_among(unpacked(packed, *shape), first, second)
