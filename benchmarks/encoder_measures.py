"""What the encoder's benchmark measures of one way of comparing, and how sure it is.

Every pair of a collection is ranked. Dies are resampled with integer weights, the same resamples
for every way, so that differences between ways are paired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dieindex.calibration.judge_pairs import JudgedPairs
from dieindex.clustering.find_dies import find_dies
from dieindex.evaluation.intervals import (
    Interval,
    die_replicates,
    mean_interval,
    percentile_interval,
)
from dieindex.evaluation.labels import codes
from dieindex.evaluation.ranking import RankedPairs
from dieindex.records import Floats, Ints

KS = (10, 20, 50)
MEASURES = ("ap", "auc", *(f"recall@{k}" for k in KS))
LAST = -2.0
"""Similarity of a pair with a face that was given up: below every cosine."""


@dataclass(frozen=True, eq=False)
class Measured:
    """``value`` (5,) by ``MEASURES``; ``replicates`` (r, 5) on resampled dies, (0, 5) under 10."""

    value: Floats
    replicates: Floats


def measure(similarity: Floats, die: Ints, replicates: int, seed: int = 0) -> Measured:
    """Measure a symmetric similarity ``(n, n)``, larger for likelier pairs.

    NaN entries are pairs not compared, a random part of the different-die pairs: those compared
    then stand for all, and recall is NaN.
    """
    first, second = np.triu_indices(len(die), 1)
    same = die[first] == die[second]
    compared = ~np.isnan(similarity[first, second])
    if not compared[same].all():
        raise ValueError("every same-die pair must be compared")
    stands_for = np.where(same, 1.0, (~same).sum() / max((~same & compared).sum(), 1))[compared]
    a, b, same = first[compared], second[compared], same[compared]
    ranked = RankedPairs(similarity[a, b], same)
    whole = bool(compared.all())
    shares = [_found_shares(similarity, die, k) for k in KS] if whole else []
    place = codes(die.tolist())  # dies in the order in which resamples count them
    has_partner = np.bincount(place)[place] > 1

    def measures(w: Floats) -> list[float]:
        weight = stands_for * np.where(same, w[place[a]], w[place[a]] * w[place[b]])
        of_face = w[place] * has_partner
        total = of_face.sum()
        recalls = [float((of_face * s).sum() / total) if total > 0 else np.nan for s in shares]
        missing = [] if whole else [float("nan")] * len(KS)
        return [ranked.average_precision(weight), ranked.roc_auc(weight), *recalls, *missing]

    value = np.array(measures(np.ones(int(place.max()) + 1)))
    found = die_replicates(die.tolist(), measures, replicates, seed)
    return Measured(value, np.zeros((0, len(MEASURES))) if found is None else found)


def _found_shares(similarity: Floats, die: Ints, k: int) -> Floats:
    """Of each face: partners among its ``k`` nearest ÷ min(k, partners), 0 without a partner."""
    n = len(die)
    shares = np.zeros(n)
    for face in range(n):
        others = np.delete(similarity[face], face)
        hit = np.delete(die == die[face], face)
        if not hit.any():
            continue
        if k >= n - 1:
            found = float(hit.sum())
        else:
            bar = np.partition(others, n - 1 - k)[n - 1 - k]
            above, level = others > bar, others == bar
            lot = (k - above.sum()) / level.sum()  # equal similarities count as if chosen by lot
            found = float((hit & above).sum() + lot * (hit & level).sum())
        shares[face] = found / min(k, int(hit.sum()))
    return shares


def accuracy(pairs: JudgedPairs, die: Ints) -> tuple[float, float]:
    """Share of all pairs of labelled faces judged rightly at 0.5, pairs that were not listed as
    "different", as an index does; then the share that "always different" judges rightly."""
    called = pairs.judged & (find_dies(pairs).probability >= 0.5)
    same = die[pairs.table.first] == die[pairs.table.second]
    sizes = np.unique(die, return_counts=True)[1]
    partners, total = int((sizes * (sizes - 1) // 2).sum()), len(die) * (len(die) - 1) // 2
    wrong = int((called & ~same).sum()) + partners - int((called & same).sum())
    return 1 - wrong / total, 1 - partners / total


def mean_of(measured: Sequence[Measured]) -> dict[str, dict[str, object]]:
    """Means over collections: with the interval of resampled dies, and Student's over types."""
    out: dict[str, dict[str, object]] = {}
    enough = all(len(m.replicates) for m in measured)
    for column, name in enumerate(MEASURES):
        values = np.array([m.value[column] for m in measured])
        if not np.isfinite(values).all():
            out[name] = {"mean": None, "dies": None, "types": None}
            continue
        mean = float(values.mean())
        dies = None
        if enough:
            dies = percentile_interval(
                mean, np.mean([m.replicates[:, column] for m in measured], axis=0)
            )
        types = mean_interval(values)
        out[name] = {"mean": mean, "dies": _limits(dies), "types": _limits(types)}
    return out


def difference_of(
    one: Sequence[Measured], other: Sequence[Measured]
) -> dict[str, dict[str, object]]:
    """``one − other`` on the same resamples, collection by collection, as ``mean_of``."""
    return mean_of(
        [
            Measured(a.value - b.value, a.replicates - b.replicates)
            for a, b in zip(one, other, strict=True)
        ]
    )


def _limits(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]
