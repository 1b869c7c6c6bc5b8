"""Rules that make dies of a collection's own pair scores, without labels: candidates to ship.

All take the ratios of pairs as learned on collections of all kinds (``judge_pairs.judge_alone``),
not fitted to the collection: what fits them to it is the question. Used by ``domains.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dieindex.calibration.distance import ORDER_SLOPE
from dieindex.calibration.fusion import LIMIT
from dieindex.calibration.judge_pairs import Judgement
from dieindex.evaluation.label_propagation import label_propagation
from dieindex.numeric import log_odds, sigmoid
from dieindex.records import Flags, Floats, Ints

Labels = Ints
_SHAPES = np.linspace(-60.0, 60.0, 4801)
"""Nats at which a ratio of densities is computed."""
LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, eq=False)
class Scores:
    """Ratios of all pairs of ``n`` faces as squares, symmetric: ``ratio`` (n, n) nats, ``known``
    (n, n) False where a pair was not judged and on the diagonal."""

    ratio: Floats
    known: Flags

    @classmethod
    def of(cls, n: int, alone: Judgement) -> Scores:
        table, judged = alone.table, alone.judged
        ratio, known = np.zeros((n, n)), np.zeros((n, n), bool)
        first, second = table.first[judged], table.second[judged]
        ratio[first, second] = ratio[second, first] = unlimited(table.log_likelihood_ratio[judged])
        known[first, second] = known[second, first] = True
        return cls(ratio, known)

    @property
    def listed(self) -> Floats:
        """(m,): the ratio of every judged pair, each once."""
        upper = np.triu_indices(len(self.ratio), 1)
        return self.ratio[upper][self.known[upper]]


def unlimited(ratio: Floats) -> Floats:
    """Ratios before the limit of a fusion was set to them (its inverse, by interpolation)."""
    limited = LIMIT * np.tanh(_SHAPES / LIMIT) + ORDER_SLOPE * _SHAPES
    found: Floats = np.interp(ratio, limited, _SHAPES)
    return found


# ------------------------------------------------------------------------- cutting average linkage


def average_linkage_levels(scores: Scores, levels: int = 200) -> list[Labels]:
    """Partitions by average linkage of the ratios, from single faces to one group."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    distance = _as_distance(scores)
    tree = linkage(squareform(distance, checks=False), "average")
    heights = np.quantile(tree[:, 2], np.linspace(0, 1, levels))
    return [np.asarray(fcluster(tree, each, "distance")) for each in np.unique(heights)]


def best_silhouette(scores: Scores) -> Labels:
    """Average linkage of the ratios cut at the best mean silhouette."""
    from sklearn.metrics import silhouette_score

    n, distance = len(scores.ratio), _as_distance(scores)
    best, best_value = np.arange(n), -np.inf
    for labels in average_linkage_levels(scores):
        if 2 <= len(np.unique(labels)) <= n - 1:
            value = float(silhouette_score(distance, labels, metric="precomputed"))
            if value > best_value:
                best, best_value = labels, value
    return best


def propagated(scores: Scores) -> Labels:
    """The published label propagation on our ratios, shifted to begin at 0."""
    shifted = np.where(scores.known, scores.ratio - scores.listed.min(initial=0.0), 0.0)
    return label_propagation(shifted)


def _as_distance(scores: Scores) -> Floats:
    listed = scores.listed
    distance = listed.max(initial=0.0) - np.where(scores.known, scores.ratio, np.median(listed))
    np.fill_diagonal(distance, 0.0)
    return np.asarray(distance)


# ----------------------------------------------------------------------------------- two components


@dataclass(frozen=True)
class TwoKinds:
    """Pairs of different dies: a normal in two halves about ``centre``, of deviations ``left`` and
    ``right``. Pairs of one die: normal, ``place`` and ``width``; ``share`` of all pairs."""

    centre: float
    left: float
    right: float
    place: float
    width: float
    share: float


EXPECTED_PLACE, PLACE_SPREAD = 11.0, 4.0
"""Nats of pairs of one die before anything is seen, and how far collections differ in it."""
EXPECTED_WIDTH, WIDTH_PAIRS = 3.0, 10.0
"""Their deviation, and how many pairs that expectation is worth."""
WIDTHS = (1.5, 4.5)
EXPECTED_SHARE, SHARE_PAIRS = 0.02, 10.0
SHARES = (1e-5, 0.6)
DIE, COIN, PAIR = 0.1, 0.3, 0.3
"""Parts of the variance of pairs of one die: of the die, of each of the two coins, of the pair.
(Measured on collections of other hands: 0 to 0.1, 0.26 to 0.32, 0.35 to 0.45.)"""
OF_DIES = 0.5
"""Part of the variance of pairs of different dies that two dies have in common on all their
coins."""


def log_ratio(kinds: TwoKinds, same: float = 1.0, different: float = 1.0) -> Floats:
    """Log-likelihood ratio of one die at ``_SHAPES``, of means whose variance is that part of a
    single pair's; made to rise, from the middle outward."""
    shrunk = np.sqrt(different)
    left, right = kinds.left * shrunk, kinds.right * shrunk
    side = np.where(kinds.centre < _SHAPES, right, left)
    apart = (
        np.log(2 / (left + right)) - 0.5 * LOG_2PI - 0.5 * ((_SHAPES - kinds.centre) / side) ** 2
    )
    width = kinds.width * np.sqrt(same)
    one = -0.5 * LOG_2PI - np.log(width) - 0.5 * ((_SHAPES - kinds.place) / width) ** 2
    found = one - apart
    middle = int(np.searchsorted(_SHAPES, (kinds.centre + kinds.place) / 2))
    found[middle:] = np.maximum.accumulate(found[middle:])
    found[: middle + 1] = np.minimum.accumulate(found[: middle + 1][::-1])[::-1]
    return np.asarray(found)


def fit_two_kinds(ratio: Floats, pairs_in_all: int, rounds: int = 300) -> TwoKinds:
    """Both kinds from ratios ``(m,)`` without labels, by expectation maximisation with the weak
    expectations above (maximum a posteriori)."""
    middle = float(np.median(ratio))
    spread = middle - float(np.quantile(ratio, 0.16))
    kinds = TwoKinds(middle, spread, spread, EXPECTED_PLACE, EXPECTED_WIDTH, EXPECTED_SHARE)
    for _ in range(rounds):
        odds = np.interp(ratio, _SHAPES, log_ratio(kinds)) + log_odds(kinds.share)
        same = sigmoid(np.where(ratio < kinds.centre, -50.0, odds))
        after = _updated(kinds, ratio, same, pairs_in_all)
        if np.allclose(_values(after), _values(kinds), rtol=1e-5, atol=1e-6):
            return after
        kinds = after
    return kinds


def _values(kinds: TwoKinds) -> list[float]:
    return [kinds.centre, kinds.left, kinds.right, kinds.place, kinds.width, kinds.share]


def _updated(kinds: TwoKinds, ratio: Floats, same: Floats, pairs_in_all: int) -> TwoKinds:
    centre, left, right = _two_halves(ratio, 1.0 - same, kinds.centre)
    count = float(same.sum())
    own, expected = count / kinds.width**2, 1.0 / PLACE_SPREAD**2
    weighed = float(same @ ratio) / kinds.width**2
    place = (weighed + EXPECTED_PLACE * expected) / (own + expected)
    square = float(same @ (ratio - place) ** 2) + WIDTH_PAIRS * EXPECTED_WIDTH**2
    width = float(np.clip(np.sqrt(square / (count + WIDTH_PAIRS)), *WIDTHS))
    share = (count + EXPECTED_SHARE * SHARE_PAIRS) / (pairs_in_all + SHARE_PAIRS)
    return TwoKinds(centre, left, right, place, width, float(np.clip(share, *SHARES)))


def _two_halves(ratio: Floats, weight: Floats, near: float) -> tuple[float, float, float]:
    """Centre (sought near the last) and deviations of a normal in two halves, of most likelihood
    (Gibbons and Mylroie 1973): each deviation goes with the cube root of its half's squares."""
    total = max(float(weight.sum()), 1e-9)
    best: tuple[float, float, float, float] | None = None
    for centre in near + np.linspace(-0.3, 0.3, 7):
        away = weight * (ratio - centre) ** 2
        low, high = (float(away[half].sum()) for half in (ratio < centre, ratio >= centre))
        roots = max(low, 1e-9) ** (1 / 3), max(high, 1e-9) ** (1 / 3)
        if best is None or sum(roots) < best[0]:
            scale = np.sqrt(sum(roots) / total)
            best = (sum(roots), float(centre), float(scale * roots[0]), float(scale * roots[1]))
    assert best is not None
    return best[1], best[2], best[3]


def two_kinds(scores: Scores) -> Labels:
    """Dies merged while the mean ratio between two is likelier of one die than of two, at the share
    of same-die pairs; the surest first.

    The mean of many pairs is surer than one pair, but not without bound: pairs of two dies have
    the likeness of these dies in common (``OF_DIES``), pairs of one die its coins' wear.
    """
    listed = scores.listed
    kinds = fit_two_kinds(listed, len(listed))
    prior = log_odds(kinds.share)
    n = len(scores.ratio)
    total, count = np.where(scores.known, scores.ratio, 0.0), scores.known.astype(np.float64)
    size, labels, alive = np.ones(n), np.arange(n), np.ones(n, bool)
    curves: dict[tuple[float, float], Floats] = {}

    def curve(a: float, b: float) -> Floats:
        key = (min(a, b), max(a, b))
        if key not in curves:
            same = DIE + COIN * (1 / a + 1 / b) + PAIR / (a * b)
            curves[key] = log_ratio(kinds, same, OF_DIES + (1 - OF_DIES) / (a * b))
        return curves[key]

    def gain(one: int, others: Ints) -> Floats:
        found = np.full(len(others), -np.inf)
        known = count[one, others] > 0
        mean = total[one, others[known]] / count[one, others[known]]
        sizes = size[others[known]]
        gained = np.empty(len(mean))
        for each in np.unique(sizes):
            at = sizes == each
            gained[at] = np.interp(mean[at], _SHAPES, curve(float(size[one]), float(each)))
        found[known] = gained + prior
        return found

    best = np.full((n, n), -np.inf)
    for one in range(1, n):
        before = np.arange(one)
        best[one, before] = best[before, one] = gain(one, before)
    while True:
        one, other = divmod(int(np.argmax(best)), n)
        if not best[one, other] > 0:
            return np.asarray(np.unique(labels, return_inverse=True)[1])
        for square in (total, count):
            square[one] += square[other]
            square[:, one] += square[:, other]
        size[one] += size[other]
        labels[labels == other] = one
        alive[other] = False
        best[other] = best[:, other] = -np.inf
        rest = np.flatnonzero(alive & (np.arange(n) != one))
        best[one, rest] = best[rest, one] = gain(one, rest)


RULES: dict[str, Callable[[Scores], Labels]] = {
    "silhouette": best_silhouette,
    "propagation": propagated,
    "two kinds": two_kinds,
}
