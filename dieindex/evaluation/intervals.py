"""Intervals of metrics: a bootstrap over dies, and means over collections.

Pairs are not independent: the pairs of one die rise and fall together. So dies are resampled, not
pairs. A die sampled w times is given the integer weight w; a pair of different dies then weighs
``w_a * w_b`` and a pair within one die ``w`` (the copies of a die are not paired with each other:
that would invent same-die pairs nobody saw).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from dieindex.evaluation.labels import codes
from dieindex.records import Floats

MIN_DIES = 10
"""Under so many dies a bootstrap says nothing worth printing."""


@dataclass(frozen=True)
class Interval:
    """A value with its limits at ``level`` (0.95 is 95 %)."""

    value: float
    low: float
    high: float
    level: float = 0.95


def die_replicates(
    labels: Iterable[Hashable],
    measure: Callable[[Floats], Sequence[float]],
    replicates: int = 1000,
    seed: int = 0,
) -> Floats | None:
    """Several statistics on the same resamples of dies, ``(replicates, statistics)``.

    ``measure`` gets a weight a die (dies in order of first appearance in ``labels``) and returns
    the same number of values each time, NaN where a resample leaves one undefined. None under 10
    dies or without replicates. To compare two methods measure their difference: what they share by
    chance (an easy die sampled often) cancels, so it can be sure where two intervals overlap
    widely.
    """
    dies = int(codes(labels).max(initial=-1)) + 1
    if dies < MIN_DIES or replicates < 1:
        return None
    rng = np.random.default_rng(seed)
    draws = (rng.integers(0, dies, dies) for _ in range(replicates))
    weights = (np.bincount(draw, minlength=dies).astype(np.float64) for draw in draws)
    return np.array([measure(w) for w in weights], dtype=np.float64)


def percentile_interval(value: float, replicates: Floats, level: float = 0.95) -> Interval | None:
    """Percentile interval of a value from its replicates ``(r,)``; undefined replicates are left
    out, and there is no interval if more than half of them or the value itself are undefined."""
    kept = replicates[np.isfinite(replicates)]
    if not np.isfinite(value) or len(kept) * 2 <= len(replicates):
        return None
    low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(value), float(low), float(high), level)


def mean_interval(values: Iterable[float], level: float = 0.95) -> Interval | None:
    """Mean over independent collections (types) with Student's t interval; None under 2 values.

    With the five to twenty types of a benchmark a bootstrap over types is too narrow (resampling
    five values underestimates their spread by a tenth and knows no heavier tails); Student's t
    allows for both. The values must be independent: average the two sides of a type first. To
    compare methods give the differences, type by type. Undefined values (NaN) raise ValueError:
    leaving them out silently would choose the types that suit.
    """
    x = np.asarray(list(values), dtype=np.float64)
    if not np.isfinite(x).all():
        raise ValueError("a mean over collections needs a defined value from each")
    if len(x) < 2:
        return None
    from scipy.stats import t

    mean = float(x.mean())
    half = float(t.ppf((1 + level) / 2, len(x) - 1) * x.std(ddof=1) / np.sqrt(len(x)))
    return Interval(mean, mean - half, mean + half, level)
