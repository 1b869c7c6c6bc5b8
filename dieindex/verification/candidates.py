"""Which pairs of coins are listed, and which of these are compared in detail.

Listed are all of a small collection; of a larger the nearest on each frame, some sampled whatever
their distance, and those that were scored before. Comparing a pair costs a thousand times what the
distance of its vectors does, and nearly all pairs are of different dies: each coin is compared with
its nearest, and those sampled are. What is not among the nearest speaks against one die
(``clustering.linkage``).

Pure functions of the faces' vectors and frames: an index and a benchmark choose the same pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from dieindex.numeric import unit_distance
from dieindex.records import Flags, Floats, Ints, Vectors

ALL_PAIRS_UP_TO = 600
"""Coins up to which every pair is listed: that is cheap, and loses nothing."""
LISTED = 50
"""Neighbours listed for each coin of a larger collection."""
ALL_COMPARED = 6000
"""Pairs of a collection up to which all are compared in detail."""
SAMPLED = 2000
"""Pairs of a larger one that are compared whatever their distance, one a coin at least: enough to
tell how different dies lie."""
NEAREST = 12
"""Neighbours on its frame with which a coin of a larger one is compared."""
_BLOCK = 50_000
WIDER = 1.5
"""The shortlist's radius over the encoder's decision distance."""


@dataclass(frozen=True, eq=False)
class FaceVectors:
    """The ``n`` faces of one side, one a coin, as verification knows them.

    ``ids`` ``(n,)`` rise and stay the same for a face whatever is added; ``vectors``
    ``(n, dimension)`` are unit vectors less what their types share; ``frame`` ``(n,)`` is the frame
    that a face lies on, −1 where on none.
    """

    ids: Ints
    vectors: Vectors
    frame: Ints

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def aligned(self) -> Flags:
        """``(n,)``: whether a face lies on a frame."""
        return self.frame >= 0


@dataclass(frozen=True, eq=False)
class CandidatePairs:
    """Pairs worth comparing, each unordered pair once, by ``first`` and then ``second``.

    ``first < second`` ``(m,)`` are positions in the list of faces; ``distance`` ``(m,)`` 0…2;
    ``sampled`` ``(m,)`` is True where a pair was drawn whatever its distance, and is not compared
    for being near: such pairs stand for all that are not compared.
    """

    first: Ints
    second: Ints
    distance: Floats
    sampled: Flags

    def __len__(self) -> int:
        return len(self.first)


class Neighbours(Protocol):
    """What a search found: ``ids`` and ``distance`` ``(queries, k)``, id −1 where fewer."""

    @property
    def ids(self) -> Ints: ...

    @property
    def distance(self) -> Floats: ...


class NearestFaces(Protocol):
    """Finds the nearest faces of a side (``storage.nearest.VectorIndex`` does)."""

    def __len__(self) -> int: ...

    def search(
        self,
        queries: Vectors,
        k: int,
        frame: Ints,
        vectors_of: Callable[[Ints], Vectors] | None = None,
    ) -> Neighbours: ...


def candidate_pairs(
    faces: FaceVectors,
    radius: float,
    nearest: Callable[[], NearestFaces],
    *,
    verify: bool = True,
    scored_before: Callable[[], tuple[Ints, Ints]] | None = None,
) -> CandidatePairs:
    """The pairs of ``faces`` that are judged.

    Of a small collection all. Of a larger the ``LISTED`` nearest within ``radius`` (0…2), which
    ``nearest`` finds, and where they are to be verified (``verify``) some at random, from which it
    is read how different dies lie, and those that were ``scored_before``: positions ``first <
    second``. Both are called where they are needed.
    """
    if len(faces) <= ALL_PAIRS_UP_TO:
        every = all_pairs(faces.vectors)
        if len(every) <= ALL_COMPARED:
            return every
        first, second = sampled_pairs(faces)
        key = every.first * len(faces) + every.second
        drawn = np.isin(key, first * len(faces) + second)
        return replace(every, sampled=drawn & ~_nearest_of_each(every, faces, radius))
    listed = nearest_pairs(faces, nearest(), LISTED, radius)
    if not verify:
        return listed
    sampled = sampled_pairs(faces)
    further = [sampled] if scored_before is None else [scored_before(), sampled]
    first, second = np.concatenate(further, axis=1)
    found = with_pairs(listed, first, second, faces.vectors, sampled=sampled)
    return replace(found, sampled=found.sampled & ~_nearest_of_each(found, faces, radius))


def shortlist_radius(threshold: float) -> float:
    """Distance 0…2 beyond which a pair is not listed, whatever its rank."""
    return min(2.0, WIDER * threshold)


def all_pairs(vectors: Vectors) -> CandidatePairs:
    """Every pair of ``vectors`` ``(n, dimension)``."""
    first, second = np.triu_indices(len(vectors), 1)
    distance = unit_distance(vectors @ vectors.T)[first, second]
    every = np.ones(len(first), bool)
    return CandidatePairs(first.astype(np.int64), second.astype(np.int64), distance, every)


def nearest_pairs(
    faces: FaceVectors, nearest: NearestFaces, k: int, radius: float
) -> CandidatePairs:
    """Pairs of one frame in which one face is among the ``k`` nearest of the other, within
    ``radius``, and likewise of faces on none.

    ``nearest`` may know further faces (other photographs of a coin); they are passed over. A face
    that is alone on its frame, or alone on none, is listed with one of another: nothing can be told
    of it, and it is not far from all.
    """
    n = len(faces)
    position = np.full(int(faces.ids.max(initial=0)) + 1, -1, dtype=np.int64)
    position[faces.ids] = np.arange(n)
    extra = len(nearest) - n

    def vectors_of(ids: Ints) -> Vectors:
        known = ids < len(position)
        at = np.where(known, position[np.where(known, ids, 0)], -1)
        return np.where(at[:, None] >= 0, faces.vectors[at], np.float32(np.nan))

    found = nearest.search(faces.vectors, min(k + 1 + extra, 2 * k + 1), faces.frame, vectors_of)
    ids = found.ids
    # (Faces on no frame are listed for it to be known that nothing can be told of them.)
    near = (found.distance <= radius) | ~faces.aligned[:, None]
    known = (ids >= 0) & (ids < len(position)) & near
    other = np.where(known, position[np.where(known, ids, 0)], -1)
    query = np.repeat(np.arange(n), other.shape[1]).reshape(other.shape)
    kept = (other >= 0) & (other != query)
    kept &= np.cumsum(kept, axis=1) <= k
    first, second = np.minimum(query, other)[kept], np.maximum(query, other)[kept]
    key, where = np.unique(first * n + second, return_index=True)
    distance = found.distance[kept][where]
    listed = CandidatePairs(key // n, key % n, distance, np.zeros(len(key), bool))
    _, of, size = np.unique(faces.frame, return_inverse=True, return_counts=True)
    alone = np.flatnonzero(size[of] == 1)
    beside = np.where(alone > 0, alone - 1, np.minimum(1, n - 1))
    first, second = np.minimum(alone, beside), np.maximum(alone, beside)
    more = first[first < second], second[first < second]
    return with_pairs(listed, *more, faces.vectors, sampled=(key[:0], key[:0]))


def worth_comparing(
    candidates: CandidatePairs, faces: FaceVectors, radius: float, also: Ints | None = None
) -> Flags:
    """``(m,)``: the candidates on one frame that are compared in detail: each face with the
    ``NEAREST`` on its frame within ``radius``, those sampled, and the rows ``also``."""
    together = faces.frame[candidates.first] == faces.frame[candidates.second]
    together &= faces.aligned[candidates.first]
    chosen = _nearest_of_each(candidates, faces, radius) | candidates.sampled
    if also is not None:
        chosen[also] = True
    return np.asarray(chosen & together)


def _nearest_of_each(candidates: CandidatePairs, faces: FaceVectors, radius: float) -> Flags:
    """``(m,)``: pairs on one frame in which one is among the ``NEAREST`` of the other within
    ``radius``: so those that are listed for another reason take no place."""
    first, second = candidates.first, candidates.second
    together = (faces.frame[first] == faces.frame[second]) & faces.aligned[first]
    pair = np.flatnonzero(together & (candidates.distance <= radius))
    pair, face = np.tile(pair, 2), np.concatenate([first[pair], second[pair]])
    order = np.lexsort((candidates.distance[pair], face))
    pair, face = pair[order], face[order]
    start = np.searchsorted(face, face)
    near = np.zeros(len(candidates), bool)
    near[pair[np.arange(len(face)) - start < NEAREST]] = True
    return near


def sampled_pairs(faces: FaceVectors) -> tuple[Ints, Ints]:
    """Pairs of faces on one frame sampled whatever their distance: positions ``first < second``.

    They show how different dies lie, which the nearest pairs cannot. The faces of a frame stand on
    a ring in the order of a hash of their ids, and each is paired with the next ones, so many that
    together there are about ``SAMPLED``: a few faces more part a few pairs only.
    """
    place = np.flatnonzero(faces.aligned)
    turn = _mixed(faces.ids[place])
    place = place[np.lexsort((turn, faces.frame[place]))]
    _, start, size = np.unique(faces.frame[place], return_index=True, return_counts=True)
    start, size = np.repeat(start, size), np.repeat(size, size)
    along = np.arange(len(place)) - start
    n, keys = max(len(faces), 1), []
    for step in range(1, -(-SAMPLED // n) + 1):
        following = place[start + (along + step) % size]
        first, second = np.minimum(place, following), np.maximum(place, following)
        keys.append((first * n + second)[first != second])
    key = np.unique(np.concatenate(keys))
    return key // n, key % n


def _mixed(ids: Ints) -> npt.NDArray[np.uint64]:
    """Numbers that look random, the same for the same ids (splitmix64, Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        z = ids.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(z ^ (z >> np.uint64(31)))


def with_pairs(
    listed: CandidatePairs,
    first: Ints,
    second: Ints,
    vectors: Vectors,
    *,
    sampled: tuple[Ints, Ints],
) -> CandidatePairs:
    """Candidate pairs of ``vectors`` ``(n, dimension)`` with the pairs of these positions ``first <
    second`` besides; ``sampled`` are the positions of those drawn whatever their distance."""
    n = len(vectors)
    known, key = listed.first * n + listed.second, np.unique(first * n + second)
    key = key[~np.isin(key, known)]
    a, b = key // max(n, 1), key % max(n, 1)
    distance = np.empty(len(key))
    for start in range(0, len(key), _BLOCK):
        part = slice(start, start + _BLOCK)
        distance[part] = unit_distance(np.einsum("ij,ij->i", vectors[a[part]], vectors[b[part]]))
    order = np.argsort(np.concatenate([known, key]), kind="stable")
    return CandidatePairs(
        np.concatenate([listed.first, a])[order],
        np.concatenate([listed.second, b])[order],
        np.concatenate([listed.distance, distance])[order],
        np.isin(np.concatenate([known, key])[order], sampled[0] * n + sampled[1]),
    )
