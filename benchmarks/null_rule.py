"""Dies by a false-discovery rate: pairs that the scores of different dies do not explain.

Efron, "Large-scale simultaneous hypothesis testing: the choice of a null hypothesis", JASA 99
(2004): most pairs are of different dies, so the middle of the scores itself tells how those lie;
Benjamini and Hochberg (1995) then choose how good a score must be. No label is needed. Of three
ways to fit the null, a parabola through the crowded middle (Efron's central matching), the lower
half about the mode, and the lower half about the median, the last did best on labelled collections
and stands here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.stats import norm

from dieindex.records import Flags, Floats, Ints

FALSE_DISCOVERIES = 0.05
LOWER = 0.16
"""The quantile that tells the spread: one deviation below the centre."""


@dataclass(frozen=True)
class Null:
    """Scores of pairs of different dies: normal about ``centre``, nats."""

    centre: float
    spread: float

    @classmethod
    def of(cls, score: Floats) -> Null:
        """By the median of the scores ``(m,)`` and their lower half mirrored about it: pairs of one
        die lie in the upper half."""
        centre = float(np.median(score))
        spread = (centre - float(np.quantile(score, LOWER))) / -float(norm.ppf(LOWER))
        return cls(centre, max(spread, 1e-9))


def discovery_threshold(score: Floats, null: Null) -> float:
    """Least score ``(m,)`` that is discovered, ∞ where none is."""
    ordered = np.sort(score)[::-1]
    chance = norm.sf((ordered - null.centre) / null.spread)
    allowed = FALSE_DISCOVERIES * np.arange(1, len(ordered) + 1) / len(ordered)
    found = np.flatnonzero(chance <= allowed)
    return float(ordered[found[-1]]) if len(found) else np.inf


def empirical_null(ratio: Floats, known: Flags) -> Ints:
    """Labels ``(n,)`` from scores ``ratio`` (n, n), symmetric, in nats; pairs that are not
    ``known`` (n, n) count as at the centre of the null.

    Average linkage, cut where the mean score of two groups is no longer a discovery. Connected
    components of the discovered pairs would join two dies by one false discovery, and one in twenty
    discoveries may be false.
    """
    n = len(ratio)
    score = ratio[np.triu(known, 1)]
    if not len(score):
        return np.arange(n)
    null = Null.of(score)
    threshold = discovery_threshold(score, null)
    top = float(score.max())
    if threshold > top:
        return np.arange(n)
    distance = top - np.where(known, ratio, min(null.centre, top))
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(distance, checks=False), "average")
    groups = fcluster(tree, top - threshold, "distance")
    return np.asarray(np.unique(groups, return_inverse=True)[1]).astype(np.int64)
