"""Metrics of pairs, rankings, partitions and probabilities.

Undefined values are NaN, never a flattering 0 or 1: precision without a claimed pair, recall, AP
and AUC without a true pair, anything without data. Partitions that agree wholly score 1 even where
they are trivial (one coin, all singletons, one die), as is the convention for ARI and AMI.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dieindex.records import Floats, Ints

NAN = float("nan")


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else NAN


def codes(labels: Iterable[Hashable]) -> Ints:
    """Labels as integers from 0 in the order of first appearance; None (unknown) becomes −1."""
    number: dict[Hashable, int] = {}
    return np.array(
        [-1 if x is None else number.setdefault(x, len(number)) for x in labels], dtype=np.int64
    )


# ---------------------------------------------------------------------------------- ranked pairs


class RankedPairs:
    """Pairs sorted by score once, to be measured many times under different weights.

    ``scores`` ``(m,)``, larger means rather the same die; ``same`` ``(m,)`` bool. Pairs of equal
    score are one group: no order among them is invented. Pairs that were never compared stand below
    all others: with their weights given as ``rest_same`` and ``rest_different`` they are one more
    group at the bottom, with the listed pairs whose score is not above ``rest_score``.

    Only groups that hold a same-die pair add to either measure, so all else is one running sum:
    a bootstrap costs about a millisecond per replicate and 100,000 pairs.
    """

    def __init__(
        self, scores: npt.ArrayLike, same: npt.ArrayLike, rest_score: float = -np.inf
    ) -> None:
        values = np.asarray(scores, dtype=np.float64)
        truth = np.asarray(same, dtype=bool)
        if values.shape != truth.shape or values.ndim != 1:
            raise ValueError("scores and same need one entry a pair")
        if np.isnan(values).any():
            raise ValueError("a score is not a number")
        values = np.maximum(values, rest_score)
        self.order = np.argsort(-values, kind="stable")
        values = values[self.order]
        truth = truth[self.order]
        changes = np.flatnonzero(values[1:] != values[:-1]) + 1
        starts = np.concatenate([[0], changes]).astype(np.int64)
        ends = np.concatenate([changes, [len(values)]]).astype(np.int64)
        self._same = np.flatnonzero(truth)
        group = np.searchsorted(starts, self._same, side="right") - 1
        holding, self._first_same = np.unique(group, return_index=True)
        self._start, self._end = starts[holding], ends[holding]
        # Where the listed pairs that are level with the rest begin.
        self._rest_start = int(np.searchsorted(-values, -rest_score, side="left"))

    def _groups(
        self, weights: npt.ArrayLike | None, rest_same: float, rest_different: float
    ) -> tuple[Floats, Floats, Floats, float]:
        """Of the groups that hold a same-die pair, best first: weight of their same-die pairs,
        weight of all pairs above the group, and with the group; lastly the weight of all pairs."""
        m = len(self.order)
        w = np.ones(m) if weights is None else np.asarray(weights, dtype=np.float64)
        if w.shape != (m,):
            raise ValueError("weights need one entry a pair")
        w = w[self.order]
        running = np.concatenate([[0.0], np.cumsum(w)])
        gain = np.zeros(0)
        if len(self._same):
            gain = np.add.reduceat(w[self._same], self._first_same)
        above, until = running[self._start], running[self._end]
        whole = float(running[-1]) + rest_same + rest_different
        if rest_same or rest_different:
            joins = self._end > self._rest_start
            rest_same += float(gain[joins].sum())
            gain = np.append(gain[~joins], rest_same)
            above = np.append(above[~joins], running[self._rest_start])
            until = np.append(until[~joins], whole)
        return gain, above, until, whole

    def average_precision(
        self,
        weights: npt.ArrayLike | None = None,
        rest_same: float = 0.0,
        rest_different: float = 0.0,
    ) -> float:
        """Sum over groups of (gain in recall) × (precision at the group's end); NaN without a
        same-die pair."""
        gain, _, until, _ = self._groups(weights, rest_same, rest_different)
        found = np.cumsum(gain)
        if not len(gain) or found[-1] <= 0:
            return NAN
        precision = np.divide(found, until, out=np.zeros_like(found), where=until > 0)
        return float(np.sum(gain * precision) / found[-1])

    def roc_auc(
        self,
        weights: npt.ArrayLike | None = None,
        rest_same: float = 0.0,
        rest_different: float = 0.0,
    ) -> float:
        """Probability that a same-die pair scores above a different-die pair, ties one half; NaN
        where either kind is missing."""
        gain, above, until, whole = self._groups(weights, rest_same, rest_different)
        found = np.cumsum(gain)
        if not len(gain) or found[-1] <= 0 or whole - found[-1] <= 0:
            return NAN
        different = whole - found[-1]
        # Different-die pairs above each group, and down to its end.
        worse_above, worse_until = above - (found - gain), until - found
        beaten = different - (worse_above + worse_until) / 2
        return float(np.sum(gain * beaten) / (found[-1] * different))


def average_precision(
    scores: npt.ArrayLike, same: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> float:
    """Average precision of pairs ``(m,)`` ranked by score, 0…1; ties count as one group.

    ``weights`` ``(m,)`` are non-negative pair weights (an integer weight w means w copies). NaN
    without a same-die pair. A ranking without information scores the share of same-die pairs.
    """
    return RankedPairs(scores, same).average_precision(weights)


def roc_auc(
    scores: npt.ArrayLike, same: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> float:
    """Area under the ROC curve, 0…1, ties count one half; NaN unless both kinds of pairs occur."""
    return RankedPairs(scores, same).roc_auc(weights)


def recall_at_k(
    ranking: npt.ArrayLike,
    labels: Iterable[Hashable],
    k: int,
    weights: npt.ArrayLike | None = None,
) -> float:
    """Share of a face's die partners among its k nearest, averaged over faces with a partner.

    For each face: partners found among its first ``k`` ÷ min(k, partners). ``ranking`` is either
    a similarity matrix ``(n, n)`` of floats, larger is nearer, its diagonal ignored; or neighbour
    lists ``(n, any)`` of integers, best first, where negative entries and the face itself are
    skipped. Equal similarities at the k-th place count as if chosen by lot. ``labels`` ``(n,)``:
    None is an unknown die: such a face is not averaged, but takes its place among the neighbours.
    ``weights`` ``(n,)`` weigh the faces in the average. NaN if no face has a partner.
    """
    if k < 1:
        raise ValueError("k must be at least 1")
    die = codes(labels)
    n = len(die)
    table = np.asarray(ranking)
    lists = np.issubdtype(table.dtype, np.integer)
    if table.ndim != 2 or len(table) != n or (not lists and table.shape != (n, n)):
        raise ValueError("recall_at_k needs one row a face (a similarity matrix must be square)")
    size = np.bincount(die[die >= 0], minlength=1)
    partners = np.where(die >= 0, size[die] - 1, 0)
    found = _found_in_lists(table, die, k) if lists else _found_by_similarity(table, die, k)
    w = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    w = np.where(partners > 0, w, 0.0)
    share = found / np.minimum(np.maximum(partners, 1), k)
    return _ratio(float(np.sum(w * share)), float(w.sum()))


def _found_in_lists(lists: npt.NDArray[np.integer], die: Ints, k: int) -> Floats:
    if (lists >= len(die)).any():
        raise ValueError("a neighbour list names a face that does not exist")
    counts = (lists >= 0) & (lists != np.arange(len(die))[:, None])
    among = counts & (np.cumsum(counts, axis=1) <= k)
    hit = among & (die[lists] == die[:, None])
    return np.asarray(hit.sum(axis=1), np.float64)


def _found_by_similarity(similarity: npt.NDArray[np.floating], die: Ints, k: int) -> Floats:
    if np.isnan(similarity).any():
        raise ValueError("a similarity is not a number")
    n = len(die)
    found = np.zeros(n)
    for face in range(n):
        others = np.delete(similarity[face], face)
        hit = np.delete(die == die[face], face)
        if k >= n - 1:
            found[face] = hit.sum()
            continue
        bar = np.partition(others, n - 1 - k)[n - 1 - k]
        above, level = others > bar, others == bar
        lot = (k - above.sum()) / level.sum()
        found[face] = (hit & above).sum() + lot * (hit & level).sum()
    return found


# ------------------------------------------------------------------------------------ partitions


@dataclass(frozen=True)
class PairCounts:
    """Pairs of coins by what was found and what is true; possibly weighted."""

    same_found: float
    """Found together and truly of one die."""
    false_links: float
    """Found together, but of different dies."""
    missed: float
    """Of one die, but found apart."""
    different_found: float

    @property
    def total(self) -> float:
        return self.same_found + self.false_links + self.missed + self.different_found

    @property
    def accuracy(self) -> float:
        return _ratio(self.same_found + self.different_found, self.total)

    @property
    def precision(self) -> float:
        return _ratio(self.same_found, self.same_found + self.false_links)

    @property
    def recall(self) -> float:
        return _ratio(self.same_found, self.same_found + self.missed)

    @property
    def f1(self) -> float:
        return _ratio(2 * self.same_found, 2 * self.same_found + self.false_links + self.missed)

    @property
    def adjusted_rand_index(self) -> float:
        """Hubert and Arabie 1985, written with the four pair counts; 1 for equal partitions."""
        a, b, c, d = self.same_found, self.false_links, self.missed, self.different_found
        if b == 0 and c == 0:
            return 1.0
        return float(2 * (a * d - c * b) / ((a + c) * (c + d) + (a + b) * (b + d)))


class Contingency:
    """Two partitions of the same coins as a sparse table of (found die, true die, coins).

    ``found`` and ``true`` have one label a coin, none of them None.
    """

    def __init__(self, found: Iterable[Hashable], true: Iterable[Hashable]) -> None:
        f, t = codes(found), codes(true)
        if len(f) != len(t):
            raise ValueError("both partitions need one label a coin")
        if (f < 0).any() or (t < 0).any():
            raise ValueError("a partition has no unknown dies: leave those coins out")
        self.n = len(f)
        self.dies_found = int(f.max(initial=-1)) + 1
        self.dies_true = int(t.max(initial=-1)) + 1
        key, coins = np.unique(f * max(self.dies_true, 1) + t, return_counts=True)
        self.cell_found, self.cell_true = (
            key // max(self.dies_true, 1),
            key % max(self.dies_true, 1),
        )
        self.coins = coins.astype(np.float64)
        self.found_sizes = np.bincount(f, minlength=self.dies_found)
        self.true_sizes = np.bincount(t, minlength=self.dies_true)

    def pair_counts(self, die_weights: npt.ArrayLike | None = None) -> PairCounts:
        """The four pair counts; with ``die_weights`` ``(dies_true,)`` a pair of one true die weighs
        w, a pair of different true dies ``w_a * w_b``. True dies count in order of appearance."""
        w = np.ones(self.dies_true) if die_weights is None else np.asarray(die_weights, np.float64)
        size = self.true_sizes.astype(np.float64)
        true_pairs = float(np.sum(w * size * (size - 1) / 2))
        cell_w = w[self.cell_true]
        same_found = float(np.sum(cell_w * self.coins * (self.coins - 1) / 2))
        # Pairs across dies: half of (sum of weights squared less the squares within a die).
        mass = cell_w * self.coins
        of_cluster = np.bincount(self.cell_found, weights=mass, minlength=self.dies_found)
        false_links = float((np.sum(of_cluster**2) - np.sum(mass**2)) / 2)
        across = float((np.sum(w * size) ** 2 - np.sum((w * size) ** 2)) / 2)
        return PairCounts(same_found, false_links, true_pairs - same_found, across - false_links)


def pair_counts(found: Iterable[Hashable], true: Iterable[Hashable]) -> PairCounts:
    """Pairs of coins found together or apart against the truth, one label a coin each."""
    return Contingency(found, true).pair_counts()


def adjusted_rand_index(found: Iterable[Hashable], true: Iterable[Hashable]) -> float:
    """Adjusted Rand index, at most 1; 0 is what chance gives. NaN without coins."""
    table = Contingency(found, true)
    return table.pair_counts().adjusted_rand_index if table.n else NAN


def pair_scores(found: Iterable[Hashable], true: Iterable[Hashable]) -> tuple[float, float, float]:
    """Precision, recall and F1 of "these two coins share a die" over all pairs of coins.

    Precision is NaN where no two coins were put together, recall where no two belong together,
    F1 where both is so.
    """
    counts = pair_counts(found, true)
    return counts.precision, counts.recall, counts.f1


def adjusted_mutual_information(found: Iterable[Hashable], true: Iterable[Hashable]) -> float:
    """Mutual information adjusted for chance (Vinh, Epps and Bailey 2010), arithmetic mean of the
    entropies; at most 1, 0 is what chance gives. NaN without coins.

    The expected information depends on the dies' sizes alone, so it is summed over distinct sizes:
    cheap even where 20,000 coins are all singletons.
    """
    table = Contingency(found, true)
    if not table.n:
        return NAN
    if table.dies_found == table.dies_true == len(table.coins):
        return 1.0
    if {table.dies_found, table.dies_true} & {1, table.n}:
        # Against one die or all singletons every partition of these sizes informs alike, so the
        # numerator vanishes; said here, because rounding would leave a tiny number of any sign.
        return 0.0
    n = float(table.n)
    rows, columns = table.found_sizes, table.true_sizes
    share = table.coins / n
    independent = rows[table.cell_found] * columns[table.cell_true] / n**2
    information = float(np.sum(share * np.log(share / independent)))
    expected = _expected_information(rows, columns, table.n)
    mean_entropy = (_entropy(rows / n) + _entropy(columns / n)) / 2
    return float((information - expected) / (mean_entropy - expected))


def _entropy(shares: Floats) -> float:
    return float(-np.sum(shares * np.log(shares)))


def _expected_information(rows: Ints, columns: Ints, n: int) -> float:
    """Expected mutual information of random partitions with these cluster sizes."""
    from scipy.special import gammaln

    log_factorial = gammaln(np.arange(n + 1) + 1.0)
    row_sizes, row_counts = np.unique(rows, return_counts=True)
    column_sizes, column_counts = np.unique(columns, return_counts=True)
    expected = 0.0
    for a, times_a in zip(row_sizes.tolist(), row_counts.tolist(), strict=True):
        for b, times_b in zip(column_sizes.tolist(), column_counts.tolist(), strict=True):
            both = np.arange(max(1, a + b - n), min(a, b) + 1)
            log_p = (
                log_factorial[a] + log_factorial[b] + log_factorial[n - a] + log_factorial[n - b]
                - log_factorial[n] - log_factorial[both] - log_factorial[a - both]
                - log_factorial[b - both] - log_factorial[n - a - b + both]
            )  # fmt: skip
            terms = both / n * np.log(n * both / (a * b)) * np.exp(log_p)
            expected += times_a * times_b * float(terms.sum())
    return expected


# --------------------------------------------------------------------------------- probabilities


@dataclass(frozen=True, eq=False)
class ReliabilityCurve:
    """Claimed against observed probability in bins of equal count, each array ``(bins,)``."""

    claimed: Floats
    observed: Floats
    pairs: Floats


def _checked(probability: npt.ArrayLike, same: npt.ArrayLike) -> tuple[Floats, Floats]:
    p = np.asarray(probability, dtype=np.float64)
    y = np.asarray(same, dtype=bool).astype(np.float64)
    if p.shape != y.shape or p.ndim != 1:
        raise ValueError("probability and same need one entry a pair")
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("a probability lies in 0…1")
    return p, y


def reliability_curve(
    probability: npt.ArrayLike, same: npt.ArrayLike, bins: int = 15
) -> ReliabilityCurve:
    """Reliability of probabilities ``(m,)`` in at most ``bins`` bins of equal count.

    Pairs of one probability that fall into two bins share their outcomes evenly between them, so
    the order of the input does not matter.
    """
    p, y = _checked(probability, same)
    order = np.argsort(p, kind="stable")
    p, y = p[order], y[order]
    _, where = np.unique(p, return_inverse=True)
    count = np.bincount(where, minlength=1)
    y = (np.bincount(where, weights=y, minlength=1) / np.maximum(count, 1))[where]
    parts = [i for i in np.array_split(np.arange(len(p)), max(bins, 1)) if len(i)]
    return ReliabilityCurve(
        np.array([p[i].mean() for i in parts]),
        np.array([y[i].mean() for i in parts]),
        np.array([float(len(i)) for i in parts]),
    )


def calibration_error(probability: npt.ArrayLike, same: npt.ArrayLike, bins: int = 15) -> float:
    """Expected calibration error, 0…1: mean gap between claimed and observed share over bins of
    equal count. NaN without pairs. It is biased upwards where bins are small."""
    curve = reliability_curve(probability, same, bins)
    gap = np.abs(curve.claimed - curve.observed)
    return _ratio(float(np.sum(gap * curve.pairs)), float(curve.pairs.sum()))


def brier_score(probability: npt.ArrayLike, same: npt.ArrayLike) -> float:
    """Mean squared error of the probabilities, 0…1, 0 is best (Brier 1950). NaN without pairs."""
    p, y = _checked(probability, same)
    return float(np.mean((p - y) ** 2)) if len(p) else NAN


def log_loss(probability: npt.ArrayLike, same: npt.ArrayLike, clip: float = 1e-12) -> float:
    """Mean negative log-likelihood in nats, 0 is best; probabilities are kept ``clip`` away from 0
    and 1, so that one certain error costs 27.6 and not infinity. NaN without pairs."""
    p, y = _checked(probability, same)
    p = np.clip(p, clip, 1 - clip)
    return float(-np.mean(y * np.log(p) + (1 - y) * np.log1p(-p))) if len(p) else NAN
