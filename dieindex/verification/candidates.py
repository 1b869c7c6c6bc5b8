"""Which pairs of coins are worth looking at: all of a small collection; else the nearest, some
drawn whatever their distance, and those that were looked at before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dieindex.numeric import unit_distance
from dieindex.records import Floats, Ints, Vectors
from dieindex.storage.catalogue import FaceRows
from dieindex.storage.nearest import VectorIndex

ALL_PAIRS_UP_TO = 600
"""Coins up to which every pair is listed: that is cheap, and loses nothing."""
NEAREST = 50
"""Neighbours listed for each coin of a larger collection."""
SAMPLED = 6000
"""Pairs of a larger collection that are looked at whatever their distance, one a coin at least."""
_BLOCK = 50_000
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""2⁶⁴ over the golden ratio: multiples of it, modulo 2⁶⁴, spread evenly (Knuth 1973, 6.4)."""
WIDER = 1.5
"""The shortlist's radius over the encoder's decision distance."""


@dataclass(frozen=True, eq=False)
class Shortlist:
    """Candidate pairs, each unordered pair once, by ``first`` and then ``second``.

    ``first < second`` ``(m,)`` are positions in the list of faces; ``distance`` ``(m,)`` 0…2.
    """

    first: Ints
    second: Ints
    distance: Floats


def best_of_each_coin(rows: FaceRows) -> FaceRows:
    """One face a coin: found for sure before not, larger before smaller, earlier before later."""
    order = np.lexsort((rows.ids, -rows.radius, ~rows.sure))
    best: dict[str, int] = {}
    for position in order.tolist():
        best.setdefault(rows.coins[position], position)
    return rows.take(np.array(sorted(best.values()), dtype=np.int64))


def shortlist_radius(threshold: float) -> float:
    """Distance 0…2 beyond which a pair is not listed, whatever its rank."""
    return min(2.0, WIDER * threshold)


def all_pairs(vectors: Vectors) -> Shortlist:
    """Every pair of ``vectors`` ``(n, dimension)``."""
    first, second = np.triu_indices(len(vectors), 1)
    distance = unit_distance(vectors @ vectors.T)[first, second]
    return Shortlist(first.astype(np.int64), second.astype(np.int64), distance)


def nearest_pairs(rows: FaceRows, index: VectorIndex, k: int, radius: float) -> Shortlist:
    """Pairs in which one face is among the ``k`` nearest of the other, within ``radius``.

    ``index`` may hold further faces (other photographs of a coin); they are passed over.
    """
    n = len(rows)
    position = np.full(int(rows.ids.max(initial=0)) + 1, -1, dtype=np.int64)
    position[rows.ids] = np.arange(n)
    extra = len(index) - n
    found = index.search(rows.vectors, min(k + 1 + extra, 2 * k + 1))
    ids = found.ids
    known = (ids >= 0) & (ids < len(position)) & (found.distance <= radius)
    other = np.where(known, position[np.where(known, ids, 0)], -1)
    query = np.repeat(np.arange(n), other.shape[1]).reshape(other.shape)
    kept = (other >= 0) & (other != query)
    kept &= np.cumsum(kept, axis=1) <= k
    first, second = np.minimum(query, other)[kept], np.maximum(query, other)[kept]
    key, where = np.unique(first * n + second, return_index=True)
    return Shortlist(key // n, key % n, found.distance[kept][where])


def sampled_pairs(rows: FaceRows) -> tuple[Ints, Ints]:
    """Pairs of faces on one frame drawn whatever their distance: positions ``first < second``.

    They show how different dies lie, which the nearest pairs cannot. The faces of a frame stand on
    a ring in the order of a hash of their ids, and each is paired with the next ones, so many that
    together there are about ``SAMPLED``: a few faces more part a few pairs only.
    """
    place = np.flatnonzero(rows.aligned)
    turn = rows.ids.astype(np.uint64)[place] * _GOLDEN
    place = place[np.lexsort((turn, rows.frame[place]))]
    _, start, size = np.unique(rows.frame[place], return_index=True, return_counts=True)
    start, size = np.repeat(start, size), np.repeat(size, size)
    along = np.arange(len(place)) - start
    n, keys = max(len(rows), 1), []
    for step in range(1, -(-SAMPLED // n) + 1):
        following = place[start + (along + step) % size]
        first, second = np.minimum(place, following), np.maximum(place, following)
        keys.append((first * n + second)[first != second])
    key = np.unique(np.concatenate(keys))
    return key // n, key % n


def with_pairs(listed: Shortlist, first: Ints, second: Ints, vectors: Vectors) -> Shortlist:
    """A shortlist of ``vectors`` ``(n, dimension)`` with the pairs of these positions ``first <
    second`` besides."""
    n = len(vectors)
    known, key = listed.first * n + listed.second, np.unique(first * n + second)
    key = key[~np.isin(key, known)]
    a, b = key // max(n, 1), key % max(n, 1)
    distance = np.empty(len(key))
    for start in range(0, len(key), _BLOCK):
        part = slice(start, start + _BLOCK)
        distance[part] = unit_distance(np.einsum("ij,ij->i", vectors[a[part]], vectors[b[part]]))
    order = np.argsort(np.concatenate([known, key]), kind="stable")
    return Shortlist(
        np.concatenate([listed.first, a])[order],
        np.concatenate([listed.second, b])[order],
        np.concatenate([listed.distance, distance])[order],
    )
