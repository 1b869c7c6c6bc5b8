"""Intervals over dies and over collections."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dieindex.evaluation.intervals import (
    Interval,
    die_replicates,
    mean_interval,
    percentile_interval,
)
from dieindex.evaluation.labels import codes
from dieindex.evaluation.ranking import RankedPairs


def bootstrap(labels, statistic, replicates: int = 1000) -> Interval | None:
    """Interval of one statistic over resampled dies."""
    values = die_replicates(labels, lambda w: [statistic(w)], replicates)
    if values is None:
        return None
    return percentile_interval(statistic(np.ones(len(set(labels)))), values[:, 0])


def test_no_interval_under_ten_dies():
    assert bootstrap(list(range(9)), lambda w: float(w.mean()), 20) is None
    assert bootstrap(list(range(10)), lambda w: 0.5, 20) is not None
    assert bootstrap([], lambda w: 0.5) is None


def test_bootstrap_of_a_mean_has_the_width_theory_gives():
    rng = np.random.default_rng(8)
    values = rng.normal(size=200)
    interval = bootstrap(
        np.repeat(np.arange(200), 3).tolist(), lambda w: float(w @ values / w.sum()), 2000
    )
    assert interval is not None
    assert interval.value == pytest.approx(values.mean())
    half = 1.96 * values.std() / np.sqrt(200)
    assert (interval.high - interval.low) / 2 == pytest.approx(half, rel=0.1)
    assert interval.low < interval.value < interval.high


def test_replicates_are_weights_of_dies_sampled_with_replacement_and_repeatable():
    labels = np.repeat(np.arange(12), 2).tolist()
    weights = die_replicates(labels, list, replicates=50, seed=4)
    assert weights.shape == (50, 12)
    assert (weights.sum(axis=1) == 12).all()
    assert len(np.unique(weights, axis=0)) > 40
    assert (weights == die_replicates(labels, list, replicates=50, seed=4)).all()
    assert (weights != die_replicates(labels, list, replicates=50, seed=5)).any()


def _two_methods():
    """Two ways to score pairs of one collection, the first slightly better; shared hard dies."""
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 40, 120).tolist()
    first, second = np.triu_indices(120, 1)
    die = np.array(labels)
    number = codes(labels)
    a, b = number[first], number[second]
    same = die[first] == die[second]
    ease = rng.normal(1.5, 1.0, 40)[die]
    base = np.where(same, np.minimum(ease[first], ease[second]), 0) + rng.normal(size=len(same))
    better = base + 0.4 * same

    def ap(scores):
        ranked = RankedPairs(scores, same)
        return lambda w: ranked.average_precision(np.where(same, w[a], w[a] * w[b]))

    return labels, ap(better), ap(base)


def test_paired_difference_is_surer_than_two_intervals():
    labels, better, base = _two_methods()
    one, other = (bootstrap(labels, method, 300) for method in (better, base))
    difference = bootstrap(labels, lambda w: better(w) - base(w), 300)
    assert one.low < other.high
    assert difference.low > 0
    assert difference.value == pytest.approx(one.value - other.value)
    assert difference.high - difference.low < (one.high - one.low) / 2


def test_undefined_replicates_are_left_out_and_too_many_give_none():
    values = np.array([math.nan, 0.1, 0.2, 0.3])
    interval = percentile_interval(0.2, values)
    assert 0.1 <= interval.low < interval.high <= 0.3
    assert percentile_interval(0.2, np.array([math.nan, math.nan, 0.3])) is None
    assert percentile_interval(math.nan, values) is None


def test_mean_over_collections_is_students_t():
    interval = mean_interval([0.6, 0.7, 0.5, 0.8, 0.65])
    # mean 0.65, s = 0.1118, t(0.975, 4) = 2.776 -> half-width 0.1388
    assert interval.value == pytest.approx(0.65)
    assert (interval.high - interval.low) / 2 == pytest.approx(0.1388, abs=1e-4)
    assert mean_interval([0.5]) is None
    with pytest.raises(ValueError, match="defined"):
        mean_interval([0.5, math.nan, 0.7])
