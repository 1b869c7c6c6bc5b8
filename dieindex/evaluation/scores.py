"""Scores of one side against the dies of a sheet, ready for JSON: numbers and None, never NaN.

None means undefined: precision where no two coins were put together, recall where no two belong
together, intervals under 10 dies.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dieindex.evaluation import baselines
from dieindex.evaluation.intervals import die_replicates, percentile_interval
from dieindex.evaluation.labels import codes
from dieindex.evaluation.partitions import Contingency, PairCounts, adjusted_mutual_information
from dieindex.evaluation.ranking import RankedPairs
from dieindex.records import Floats, Ints

DECISION = 0.5
"""Probability from which accuracy counts a pair as claimed to be of one die."""


def plain(value: float) -> float | None:
    """A float that JSON knows, None for NaN and infinities."""
    return float(value) if math.isfinite(value) else None


def score_dies(
    found: Mapping[str, Hashable], true: Mapping[str, Hashable]
) -> dict[str, float | int | None] | None:
    """Scores of found dies over the coins that have a die in both; None if there is none.

    Both map coin → die; a true die of None is unknown. Keys: coins, ari, ami, pair_precision,
    pair_recall, pair_f1, dies_true, dies_found.
    """
    coins = [coin for coin in found if true.get(coin) is not None]
    if not coins:
        return None
    found_dies, true_dies = [found[c] for c in coins], [true[c] for c in coins]
    table = Contingency(found_dies, true_dies)
    return {
        "coins": len(coins),
        **_partition_scores(table.pair_counts()),
        "ami": plain(adjusted_mutual_information(found_dies, true_dies)),
        "dies_true": table.dies_true,
        "dies_found": table.dies_found,
    }


def _partition_scores(counts: PairCounts) -> dict[str, float | None]:
    return {
        "ari": plain(counts.adjusted_rand_index),
        "pair_precision": plain(counts.precision),
        "pair_recall": plain(counts.recall),
        "pair_f1": plain(counts.f1),
    }


class _LabelledPairs:
    """The compared pairs among labelled coins, and what is known of all the other pairs."""

    def __init__(
        self, die: Ints, first: npt.ArrayLike, second: npt.ArrayLike, probability: npt.ArrayLike
    ) -> None:
        a, b = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
        p = np.asarray(probability, dtype=np.float64)
        if not a.shape == b.shape == p.shape or a.ndim != 1:
            raise ValueError("first, second and probability need one entry a pair")
        if len(a) and (min(a.min(), b.min()) < 0 or max(a.max(), b.max()) >= len(die)):
            raise ValueError("a pair names a coin that does not exist")
        if (a == b).any():
            raise ValueError("a coin is paired with itself")
        if not ((p >= 0) & (p <= 1)).all():
            raise ValueError("a probability lies in 0…1")
        a, b = np.minimum(a, b), np.maximum(a, b)
        if len(np.unique(a * len(die) + b)) != len(a):
            raise ValueError("a pair is listed twice")
        known = (die[a] >= 0) & (die[b] >= 0)
        # (Ranked and counted once, for a thousand resamples.)
        ranked = np.flatnonzero(known)[np.argsort(-p[known], kind="stable")]
        p, self._a, self._b, self._count = _counted(p[ranked], die[a[ranked]], die[b[ranked]])
        same = self._a == self._b
        self._ranked = RankedPairs(p, same, rest_score=0.0)
        self._same = np.flatnonzero(same)
        self._claimed_same = np.flatnonzero((p >= DECISION) & same)
        self._claimed_different = np.flatnonzero((p >= DECISION) & ~same)
        self.sizes = np.bincount(die[die >= 0], minlength=1).astype(np.float64)

    def measure(self, die_weights: Floats) -> tuple[PairCounts, float, float]:
        """Decisions at 0.5 against the truth (not compared: different), AP and AUC.

        A pair of one die weighs ``w``, one of two dies ``w_a * w_b``, compared or not.
        """
        w = np.asarray(die_weights, dtype=np.float64)
        pair = w[self._a] * w[self._b] * self._count
        pair[self._same] = w[self._a[self._same]] * self._count[self._same]
        all_same = float(np.sum(w * self.sizes * (self.sizes - 1) / 2))
        mass = w * self.sizes
        all_different = float((mass.sum() ** 2 - np.sum(mass**2)) / 2)
        listed_same = float(pair[self._same].sum())
        rest_same = all_same - listed_same
        rest_different = all_different - (float(pair.sum()) - listed_same)
        same_found = float(pair[self._claimed_same].sum())
        false_links = float(pair[self._claimed_different].sum())
        counts = PairCounts(
            same_found, false_links, all_same - same_found, all_different - false_links
        )
        return counts, *self._ranked.measure(pair, rest_same, rest_different)


def _counted(p: Floats, first: Ints, second: Ints) -> tuple[Floats, Ints, Ints, Floats]:
    """Pairs of the dies ``first`` and ``second``, sorted by falling ``p``, with those of one two
    dies counted together wherever their order among themselves cannot matter: no pair of one die
    lies between, no decision, and none or all have been given a probability."""
    if not len(p):
        return p, first, second, p
    starts = np.flatnonzero(np.append(True, p[1:] != p[:-1]))
    group = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(p))))
    holding = np.unique(group[first == second])
    decided = np.searchsorted(-p[starts], -DECISION, side="right")
    given = np.searchsorted(-p[starts], 0.0, side="left")
    ends = np.unique(np.concatenate([holding, holding + 1, [decided, given]]))
    part = np.searchsorted(ends, group, side="right")
    low, high = np.minimum(first, second), np.maximum(first, second)
    dies = int(high.max()) + 1
    _, at, count = np.unique(
        (part * dies + low) * dies + high, return_index=True, return_counts=True
    )
    highest = p[np.searchsorted(part, part[at], side="left")]
    return highest, first[at], second[at], count.astype(np.float64)


def _die_of(coins: Sequence[str], labels: Mapping[str, Hashable]) -> Ints:
    if len(set(coins)) != len(coins):
        raise ValueError("a coin is listed twice")
    return codes(labels.get(coin) for coin in coins)


def _pair_scores(pairs: _LabelledPairs) -> dict[str, float | None]:
    counts, ap, auc = pairs.measure(np.ones(len(pairs.sizes)))
    different = counts.false_links + counts.different_found
    return {
        "accuracy": plain(counts.accuracy),
        "always_different": plain(different / counts.total if counts.total else math.nan),
        "ap": plain(ap),
        "auc": plain(auc),
    }


def evaluate_side(
    coins: Sequence[str],
    found: Mapping[str, Hashable],
    labels: Mapping[str, Hashable],
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    probability: npt.ArrayLike,
    *,
    replicates: int = 1000,
    seed: int = 0,
) -> dict[str, Any] | None:
    """Everything ``evaluate`` prints of one side; None if no coin is labelled.

    ``coins`` are all coins of the side; ``found`` maps each of them to its found die; ``labels``
    maps coins to true dies (missing or None: unknown). ``first`` and ``second`` ``(m,)`` are
    positions in ``coins``, each unordered pair at most once, ``probability`` ``(m,)`` lies in 0…1;
    a pair that is not listed counts as probability 0. Keys: n, labelled, accuracy (share of pairs
    judged rightly at 0.5), always_different (the share of a machine that always says so), ap, auc,
    ari, ami, pair_precision, pair_recall, pair_f1, dies_true, dies_found, baselines (all_singletons
    and one_die, each with accuracy, ari, ami, pair_*, dies_found), and ``<key>_interval``: ``[low,
    high]`` at 95 % or None, for accuracy, ap, auc, ari, pair_precision, pair_recall, pair_f1.
    Raises ValueError if a labelled coin has no found die, a pair is listed twice or names no coin.
    """
    die = _die_of(coins, labels)
    labelled = [coin for coin, number in zip(coins, die, strict=True) if number >= 0]
    pairs = _LabelledPairs(die, first, second, probability)
    if not labelled:
        return None
    homeless = [coin for coin in labelled if found.get(coin) is None]
    if homeless:
        raise ValueError(f"coin {homeless[0]} is in no cluster")
    true_dies = [labels[coin] for coin in labelled]
    scores = score_dies({coin: found[coin] for coin in labelled}, labels)
    assert scores is not None
    del scores["coins"]
    result: dict[str, Any] = {
        "n": len(coins),
        "labelled": len(labelled),
        **_pair_scores(pairs),
        **scores,
        "baselines": {
            "all_singletons": _baseline(baselines.all_singletons(labelled), labels),
            "one_die": _baseline(baselines.one_die(labelled), labels),
        },
    }
    table = Contingency([found[coin] for coin in labelled], true_dies)
    keys = ("accuracy", "ap", "auc", "ari", "pair_precision", "pair_recall", "pair_f1")

    def measure(w: Floats) -> tuple[float, ...]:
        judged, ap, auc = pairs.measure(w)
        dies = table.pair_counts(w)
        return (
            *(judged.accuracy, ap, auc, dies.adjusted_rand_index),
            *(dies.precision, dies.recall, dies.f1),
        )

    values = die_replicates(true_dies, measure, replicates, seed)
    for column, key in enumerate(keys):
        interval = None
        if values is not None and result[key] is not None:
            interval = percentile_interval(result[key], values[:, column])
        result[f"{key}_interval"] = [interval.low, interval.high] if interval else None
    return result


def _baseline(found: Mapping[str, Hashable], labels: Mapping[str, Hashable]) -> dict[str, Any]:
    """Scores of a trivial partition; its accuracy is that of judging every pair by it."""
    coins = list(found)
    counts = Contingency([found[c] for c in coins], [labels[c] for c in coins]).pair_counts()
    scores = score_dies(found, labels)
    assert scores is not None
    del scores["coins"]
    return {"accuracy": plain(counts.accuracy), **scores}
