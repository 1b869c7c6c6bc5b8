"""Coins whose obverse looks like the other coins' reverses, and the other way round."""

from __future__ import annotations

import numpy as np

from dieindex.index.catalogue import FaceRows
from dieindex.records import Vectors

FEWEST_COINS = 5
NEIGHBOURS = 3
MARGIN = 0.05
"""By how much, in inner product, both sides must lie nearer to the other side's faces."""
MOST_COINS = 5_000
"""Above this the comparison is made with an evenly spaced sample of the other coins."""


def swapped_coins(obverses: FaceRows, reverses: FaceRows) -> list[str]:
    """Names of coins with both sides that look swapped, in catalogue order."""
    reverse_of = {file: i for i, file in enumerate(reverses.files)}
    both = [(i, reverse_of[f]) for i, f in enumerate(obverses.files) if f in reverse_of]
    if len(both) < FEWEST_COINS:
        return []
    first, second = np.array(both).T
    left, right = obverses.vectors[first], reverses.vectors[second]
    step = max(1, len(both) // MOST_COINS)
    own = np.stack([_nearness(left, left, step), _nearness(right, right, step)])
    cross = np.stack([_nearness(left, right, step), _nearness(right, left, step)])
    flagged = (cross - own > MARGIN).all(axis=0)
    return list(dict.fromkeys(obverses.coins[i] for i in first[flagged]))


def _nearness(queries: Vectors, others: Vectors, step: int) -> np.ndarray:
    """Mean inner product ``(n,)`` with the nearest other coins; position i is the same coin."""
    sample = np.arange(0, len(others), step)
    nearness = np.empty(len(queries))
    for start in range(0, len(queries), 1024):
        block = queries[start : start + 1024] @ others[sample].T
        rows = np.arange(start, start + len(block))
        block[sample[None, :] == rows[:, None]] = -np.inf
        nearest = -np.partition(-block, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS]
        nearness[start : start + len(block)] = nearest.mean(axis=1)
    return nearness
