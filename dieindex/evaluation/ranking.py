"""Measures of ranked pairs and of neighbour lists.

Undefined values are NaN, never a flattering 0 or 1: AP and AUC without a true pair, anything
without data.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np
import numpy.typing as npt

from dieindex.evaluation.labels import NAN, codes, ratio_of
from dieindex.records import Floats, Ints


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
        return self.measure(weights, rest_same, rest_different)[0]

    def roc_auc(
        self,
        weights: npt.ArrayLike | None = None,
        rest_same: float = 0.0,
        rest_different: float = 0.0,
    ) -> float:
        """Probability that a same-die pair scores above a different-die pair, ties one half; NaN
        where either kind is missing."""
        return self.measure(weights, rest_same, rest_different)[1]

    def measure(
        self, weights: npt.ArrayLike | None, rest_same: float, rest_different: float
    ) -> tuple[float, float]:
        """``average_precision`` and ``roc_auc``."""
        gain, above, until, whole = self._groups(weights, rest_same, rest_different)
        found = np.cumsum(gain)
        if not len(gain) or found[-1] <= 0:
            return NAN, NAN
        precision = np.divide(found, until, out=np.zeros_like(found), where=until > 0)
        average = float(np.sum(gain * precision) / found[-1])
        different = whole - found[-1]
        if different <= 0:
            return average, NAN
        # Different-die pairs above each group, and down to its end.
        worse_above, worse_until = above - (found - gain), until - found
        beaten = different - (worse_above + worse_until) / 2
        return average, float(np.sum(gain * beaten) / (found[-1] * different))


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
    return ratio_of(float(np.sum(w * share)), float(w.sum()))


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
