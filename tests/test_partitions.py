"""Measures of partitions against scikit-learn, brute force and cases worked by hand."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.evaluation.labels import codes
from dieindex.evaluation.partitions import (
    Contingency,
    adjusted_mutual_information,
    adjusted_rand_index,
    pair_counts,
    pair_scores,
)

LABELS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=40)


@given(LABELS)
@settings(max_examples=150, deadline=None)
def test_partitions_agree_with_scikit_learn_and_brute_force(rows):
    found, true = (list(column) for column in zip(*rows, strict=True))
    assert adjusted_rand_index(found, true) == pytest.approx(
        sk.adjusted_rand_score(true, found), abs=1e-9
    )
    assert adjusted_mutual_information(found, true) == pytest.approx(
        sk.adjusted_mutual_info_score(true, found), abs=1e-9
    )
    both = only_found = only_true = 0
    for i in range(len(rows)):
        for j in range(i):
            f, t = found[i] == found[j], true[i] == true[j]
            both += f and t
            only_found += f and not t
            only_true += t and not f
    precision, recall, f1 = pair_scores(found, true)
    expected = both / (both + only_found) if both + only_found else math.nan
    assert precision == pytest.approx(expected, nan_ok=True)
    expected = both / (both + only_true) if both + only_true else math.nan
    assert recall == pytest.approx(expected, nan_ok=True)
    whole = 2 * both + only_found + only_true
    assert f1 == pytest.approx(2 * both / whole if whole else math.nan, nan_ok=True)


@given(LABELS, st.data())
@settings(max_examples=60, deadline=None)
def test_weighted_pair_counts_are_sums_over_pairs(rows, data):
    found, true = (list(column) for column in zip(*rows, strict=True))
    die = codes(true)
    count = int(die.max()) + 1
    w = data.draw(st.lists(st.integers(0, 3), min_size=count, max_size=count))
    sums = {(f, t): 0 for f in (True, False) for t in (True, False)}
    for i in range(len(rows)):
        for j in range(i):
            same = bool(die[i] == die[j])
            sums[found[i] == found[j], same] += w[die[i]] * (1 if same else w[die[j]])
    counts = Contingency(found, true).pair_counts(w)
    assert counts.same_found == sums[True, True]
    assert counts.false_links == sums[True, False]
    assert counts.missed == sums[False, True]
    assert counts.different_found == sums[False, False]


def test_degenerate_partitions():
    for labels in (["A"], ["A", "B", "C"], ["A", "A", "A"]):
        assert adjusted_rand_index(labels, labels) == 1.0
        assert adjusted_mutual_information(labels, labels) == 1.0
    assert math.isnan(adjusted_rand_index([], []))
    assert math.isnan(adjusted_mutual_information([], []))
    singletons, truth = [1, 2, 3, 4], ["A", "A", "B", "C"]
    precision, recall, f1 = pair_scores(singletons, truth)
    assert math.isnan(precision)
    assert (recall, f1) == (0.0, 0.0)
    assert adjusted_mutual_information(singletons, truth) == 0.0
    with pytest.raises(ValueError, match="unknown"):
        pair_counts(["A", None], ["A", "B"])
    with pytest.raises(ValueError, match="one label a coin"):
        pair_counts(["A"], ["A", "B"])


def test_mutual_information_of_many_singletons_is_quick():
    rng = np.random.default_rng(0)
    true = rng.integers(0, 7000, 20_000).tolist()
    found = [t if rng.random() < 0.8 else 10_000 + i for i, t in enumerate(true)]
    start = time.perf_counter()
    value = adjusted_mutual_information(found, true)
    assert time.perf_counter() - start < 5.0
    assert 0.5 < value < 1.0
