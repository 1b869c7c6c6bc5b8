"""Metrics against scikit-learn, brute force and cases worked by hand."""

from __future__ import annotations

import math
import subprocess
import sys
import time

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.evaluation import metrics

LABELS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=40)
PAIRS = st.lists(
    st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 3)), min_size=1, max_size=60
)


def columns(rows):
    return [np.array(column) for column in zip(*rows, strict=True)]


@given(PAIRS)
@settings(max_examples=150, deadline=None)
def test_ranking_agrees_with_scikit_learn_under_ties_and_weights(rows):
    scores, same, weights = columns(rows)
    ap = metrics.average_precision(scores, same, weights)
    auc = metrics.roc_auc(scores, same, weights)
    if not weights[same].sum():
        assert math.isnan(ap)
        assert math.isnan(auc)
        return
    assert ap == pytest.approx(
        sk.average_precision_score(same, scores, sample_weight=weights), abs=1e-12
    )
    if weights[~same].sum():
        assert auc == pytest.approx(sk.roc_auc_score(same, scores, sample_weight=weights))
    else:
        assert math.isnan(auc)


@given(PAIRS, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_ranking_ignores_order_and_reads_weights_as_copies(rows, random):
    scores, same, weights = columns(rows)
    copies = np.repeat(np.arange(len(scores)), weights)
    shuffled = list(range(len(scores)))
    random.shuffle(shuffled)
    for metric in (metrics.average_precision, metrics.roc_auc):
        value = metric(scores, same, weights)
        assert metric(scores[shuffled], same[shuffled], weights[shuffled]) == pytest.approx(
            value, nan_ok=True
        )
        assert metric(scores[copies], same[copies]) == pytest.approx(value, nan_ok=True)


@given(PAIRS, st.integers(0, 9), st.integers(0, 9))
@settings(max_examples=100, deadline=None)
def test_pairs_never_compared_are_one_group_at_the_bottom(rows, rest_same, rest_different):
    scores, same, _ = columns(rows)
    ranked = metrics.RankedPairs(scores, same, rest_score=0.0)
    all_scores = np.concatenate([scores, np.zeros(rest_same + rest_different)])
    all_same = np.concatenate([same, np.arange(rest_same + rest_different) < rest_same])
    assert ranked.average_precision(None, rest_same, rest_different) == pytest.approx(
        metrics.average_precision(all_scores, all_same), nan_ok=True
    )
    assert ranked.roc_auc(None, rest_same, rest_different) == pytest.approx(
        metrics.roc_auc(all_scores, all_same), nan_ok=True
    )


def test_a_ranking_without_information_scores_the_share_of_same_pairs():
    same = np.arange(100) < 7
    assert metrics.average_precision(np.ones(100), same) == pytest.approx(0.07)
    assert metrics.roc_auc(np.ones(100), same) == 0.5


def test_ranking_by_hand():
    # Ranks: same, different, same, different -> AP = (1/1 + 2/3) / 2; AUC: 3 of 4 comparisons won.
    assert metrics.average_precision([4, 3, 2, 1], [1, 0, 1, 0]) == pytest.approx(5 / 6)
    assert metrics.roc_auc([4, 3, 2, 1], [1, 0, 1, 0]) == 0.75


def test_ranking_refuses_nonsense():
    with pytest.raises(ValueError, match="not a number"):
        metrics.average_precision([0.5, math.nan], [True, False])
    with pytest.raises(ValueError, match="one entry a pair"):
        metrics.roc_auc([0.5], [True, False])
    with pytest.raises(ValueError, match="weights"):
        metrics.average_precision([0.5, 0.2], [True, False], [1])
    assert math.isnan(metrics.average_precision([], []))
    assert math.isnan(metrics.roc_auc([], []))


def test_recall_at_k_by_hand():
    labels = ["A", "A", "A", "B", None]
    lists = np.array(
        [
            [0, 1, 3, 2],  # itself is skipped: 1 is a partner -> at k=2 finds 1 of min(2, 2)
            [2, 0, 3, 4],  # both partners -> 2 of 2
            [4, 3, -1, 0],  # the unknown coin and B take both places -> 0 of 2
            [0, 1, 2, 4],  # a singleton: not averaged
            [0, 1, 2, 3],  # unknown: not averaged
        ]
    )
    assert metrics.recall_at_k(lists, labels, 2) == pytest.approx((1 / 2 + 1 + 0) / 3)
    # At k = 1 one partner found is all that can be found.
    assert metrics.recall_at_k(lists, labels, 1) == pytest.approx((1 + 1 + 0) / 3)
    assert metrics.recall_at_k(lists, labels, 2, weights=[2, 1, 1, 9, 9]) == pytest.approx(2 / 4)


def test_recall_at_k_from_similarities_equals_sorted_lists():
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 8, 40).tolist()
    similarity = rng.normal(size=(40, 40))
    lists = np.argsort(-similarity, axis=1)
    for k in (1, 3, 10, 39, 100):
        assert metrics.recall_at_k(similarity, labels, k) == pytest.approx(
            metrics.recall_at_k(lists, labels, k)
        )


def test_recall_at_k_gives_a_collapsed_embedding_what_chance_gives():
    # Coins sorted by die: an order among equal similarities would look like success.
    labels = np.repeat(np.arange(10), 4).tolist()
    assert metrics.recall_at_k(np.ones((40, 40)), labels, 3) == pytest.approx(3 / 39)


def test_recall_at_k_without_partners_or_with_nonsense():
    assert math.isnan(metrics.recall_at_k(np.zeros((3, 3)), ["A", "B", None], 2))
    with pytest.raises(ValueError, match="square"):
        metrics.recall_at_k(np.zeros((3, 2)), ["A", "A", "B"], 2)
    with pytest.raises(ValueError, match="does not exist"):
        metrics.recall_at_k(np.array([[1], [7]]), ["A", "A"], 1)
    with pytest.raises(ValueError, match="at least 1"):
        metrics.recall_at_k(np.zeros((2, 2)), ["A", "A"], 0)


@given(LABELS)
@settings(max_examples=150, deadline=None)
def test_partitions_agree_with_scikit_learn_and_brute_force(rows):
    found, true = (list(column) for column in zip(*rows, strict=True))
    assert metrics.adjusted_rand_index(found, true) == pytest.approx(
        sk.adjusted_rand_score(true, found), abs=1e-9
    )
    assert metrics.adjusted_mutual_information(found, true) == pytest.approx(
        sk.adjusted_mutual_info_score(true, found), abs=1e-9
    )
    both = only_found = only_true = 0
    for i in range(len(rows)):
        for j in range(i):
            f, t = found[i] == found[j], true[i] == true[j]
            both += f and t
            only_found += f and not t
            only_true += t and not f
    precision, recall, f1 = metrics.pair_scores(found, true)
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
    die = metrics.codes(true)
    count = int(die.max()) + 1
    w = data.draw(st.lists(st.integers(0, 3), min_size=count, max_size=count))
    sums = {(f, t): 0 for f in (True, False) for t in (True, False)}
    for i in range(len(rows)):
        for j in range(i):
            same = bool(die[i] == die[j])
            sums[found[i] == found[j], same] += w[die[i]] * (1 if same else w[die[j]])
    counts = metrics.Contingency(found, true).pair_counts(w)
    assert counts.same_found == sums[True, True]
    assert counts.false_links == sums[True, False]
    assert counts.missed == sums[False, True]
    assert counts.different_found == sums[False, False]


def test_degenerate_partitions():
    for labels in (["A"], ["A", "B", "C"], ["A", "A", "A"]):
        assert metrics.adjusted_rand_index(labels, labels) == 1.0
        assert metrics.adjusted_mutual_information(labels, labels) == 1.0
    assert math.isnan(metrics.adjusted_rand_index([], []))
    assert math.isnan(metrics.adjusted_mutual_information([], []))
    singletons, truth = [1, 2, 3, 4], ["A", "A", "B", "C"]
    precision, recall, f1 = metrics.pair_scores(singletons, truth)
    assert math.isnan(precision)
    assert (recall, f1) == (0.0, 0.0)
    assert metrics.adjusted_mutual_information(singletons, truth) == 0.0
    with pytest.raises(ValueError, match="unknown"):
        metrics.pair_counts(["A", None], ["A", "B"])
    with pytest.raises(ValueError, match="one label a coin"):
        metrics.pair_counts(["A"], ["A", "B"])


def test_mutual_information_of_many_singletons_is_quick():
    rng = np.random.default_rng(0)
    true = rng.integers(0, 7000, 20_000).tolist()
    found = [t if rng.random() < 0.8 else 10_000 + i for i, t in enumerate(true)]
    start = time.perf_counter()
    value = metrics.adjusted_mutual_information(found, true)
    assert time.perf_counter() - start < 5.0
    assert 0.5 < value < 1.0


def test_calibration_error_sees_overconfidence_and_forgives_honesty():
    rng = np.random.default_rng(3)
    p = rng.random(20_000)
    same = rng.random(20_000) < p
    assert metrics.calibration_error(p, same) < 0.015
    bold = np.clip(1.5 * (p - 0.5) + 0.5, 0, 1)
    assert metrics.calibration_error(bold, same) > 0.08
    curve = metrics.reliability_curve(p, same, bins=10)
    assert curve.pairs.tolist() == [2000.0] * 10
    assert np.abs(curve.claimed - curve.observed).max() < 0.05


def test_calibration_error_by_hand_and_in_any_order():
    # One bin a half: claims 0.2 against 1/2, and 0.9 against 1.
    p, same = [0.2, 0.2, 0.9, 0.9], [True, False, True, True]
    assert metrics.calibration_error(p, same, bins=2) == pytest.approx((0.3 + 0.1) / 2)
    # Equal claims spread over several bins: which pair comes first must not matter.
    rng = np.random.default_rng(0)
    p, same = rng.choice([0.0, 0.1, 0.9], 200), rng.random(200) < 0.3
    shuffled = rng.permutation(200)
    assert metrics.calibration_error(p, same) == pytest.approx(
        metrics.calibration_error(p[shuffled], same[shuffled])
    )


def test_probability_scores_agree_with_scikit_learn():
    rng = np.random.default_rng(4)
    p, same = rng.random(300), rng.random(300) < 0.4
    assert metrics.brier_score(p, same) == pytest.approx(sk.brier_score_loss(same, p))
    assert metrics.log_loss(p, same) == pytest.approx(sk.log_loss(same, p))
    assert metrics.log_loss([0.0], [True]) == pytest.approx(12 * math.log(10))
    for metric in (metrics.brier_score, metrics.log_loss, metrics.calibration_error):
        assert math.isnan(metric([], []))
        with pytest.raises(ValueError, match="0…1"):
            metric([1.2], [True])
        with pytest.raises(ValueError, match="0…1"):
            metric([math.nan], [True])


def test_evaluation_loads_no_heavy_package():
    code = (
        "import sys, dieindex.evaluation.scores, dieindex.evaluation.intervals;"
        "print([m for m in ('sklearn', 'scipy', 'torch', 'pandas', 'faiss') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
