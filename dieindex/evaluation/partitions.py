"""Measures of partitions: what was found against what is true, over all pairs of coins.

Undefined values are NaN: precision without a claimed pair, recall without a true one. Partitions
that agree wholly score 1 even where they are trivial (one coin, all singletons, one die), as is the
convention for ARI and AMI.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from math import lgamma

import numpy as np
import numpy.typing as npt

from dieindex.evaluation.labels import NAN, codes, ratio_of
from dieindex.records import Floats, Ints


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
        return ratio_of(self.same_found + self.different_found, self.total)

    @property
    def precision(self) -> float:
        return ratio_of(self.same_found, self.same_found + self.false_links)

    @property
    def recall(self) -> float:
        return ratio_of(self.same_found, self.same_found + self.missed)

    @property
    def f1(self) -> float:
        return ratio_of(2 * self.same_found, 2 * self.same_found + self.false_links + self.missed)

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
    # (Not SciPy's, whose import takes as long as the rest of an answer.)
    log_factorial = np.array([lgamma(k + 1.0) for k in range(n + 1)])
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
