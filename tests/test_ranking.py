"""Measures of ranked pairs against scikit-learn, brute force and cases worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.evaluation.ranking import RankedPairs, average_precision, recall_at_k, roc_auc

PAIRS = st.lists(
    st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 3)), min_size=1, max_size=60
)


def columns(rows):
    return [np.array(column) for column in zip(*rows, strict=True)]


@given(PAIRS)
@settings(max_examples=150, deadline=None)
def test_ranking_agrees_with_scikit_learn_under_ties_and_weights(rows):
    scores, same, weights = columns(rows)
    ap = average_precision(scores, same, weights)
    auc = roc_auc(scores, same, weights)
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
    for metric in (average_precision, roc_auc):
        value = metric(scores, same, weights)
        assert metric(scores[shuffled], same[shuffled], weights[shuffled]) == pytest.approx(
            value, nan_ok=True
        )
        assert metric(scores[copies], same[copies]) == pytest.approx(value, nan_ok=True)


@given(PAIRS, st.integers(0, 9), st.integers(0, 9))
@settings(max_examples=100, deadline=None)
def test_pairs_never_compared_are_one_group_at_the_bottom(rows, rest_same, rest_different):
    scores, same, _ = columns(rows)
    ranked = RankedPairs(scores, same, rest_score=0.0)
    all_scores = np.concatenate([scores, np.zeros(rest_same + rest_different)])
    all_same = np.concatenate([same, np.arange(rest_same + rest_different) < rest_same])
    assert ranked.average_precision(None, rest_same, rest_different) == pytest.approx(
        average_precision(all_scores, all_same), nan_ok=True
    )
    assert ranked.roc_auc(None, rest_same, rest_different) == pytest.approx(
        roc_auc(all_scores, all_same), nan_ok=True
    )


def test_a_ranking_without_information_scores_the_share_of_same_pairs():
    same = np.arange(100) < 7
    assert average_precision(np.ones(100), same) == pytest.approx(0.07)
    assert roc_auc(np.ones(100), same) == 0.5


def test_ranking_by_hand():
    # Ranks: same, different, same, different -> AP = (1/1 + 2/3) / 2; AUC: 3 of 4 comparisons won.
    assert average_precision([4, 3, 2, 1], [1, 0, 1, 0]) == pytest.approx(5 / 6)
    assert roc_auc([4, 3, 2, 1], [1, 0, 1, 0]) == 0.75


def test_ranking_refuses_nonsense():
    with pytest.raises(ValueError, match="not a number"):
        average_precision([0.5, math.nan], [True, False])
    with pytest.raises(ValueError, match="one entry a pair"):
        roc_auc([0.5], [True, False])
    with pytest.raises(ValueError, match="weights"):
        average_precision([0.5, 0.2], [True, False], [1])
    assert math.isnan(average_precision([], []))
    assert math.isnan(roc_auc([], []))


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
    assert recall_at_k(lists, labels, 2) == pytest.approx((1 / 2 + 1 + 0) / 3)
    # At k = 1 one partner found is all that can be found.
    assert recall_at_k(lists, labels, 1) == pytest.approx((1 + 1 + 0) / 3)
    assert recall_at_k(lists, labels, 2, weights=[2, 1, 1, 9, 9]) == pytest.approx(2 / 4)


def test_recall_at_k_from_similarities_equals_sorted_lists():
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 8, 40).tolist()
    similarity = rng.normal(size=(40, 40))
    lists = np.argsort(-similarity, axis=1)
    for k in (1, 3, 10, 39, 100):
        assert recall_at_k(similarity, labels, k) == pytest.approx(recall_at_k(lists, labels, k))


def test_recall_at_k_gives_a_collapsed_embedding_what_chance_gives():
    # Coins sorted by die: an order among equal similarities would look like success.
    labels = np.repeat(np.arange(10), 4).tolist()
    assert recall_at_k(np.ones((40, 40)), labels, 3) == pytest.approx(3 / 39)


def test_recall_at_k_without_partners_or_with_nonsense():
    assert math.isnan(recall_at_k(np.zeros((3, 3)), ["A", "B", None], 2))
    with pytest.raises(ValueError, match="square"):
        recall_at_k(np.zeros((3, 2)), ["A", "A", "B"], 2)
    with pytest.raises(ValueError, match="does not exist"):
        recall_at_k(np.array([[1], [7]]), ["A", "A"], 1)
    with pytest.raises(ValueError, match="at least 1"):
        recall_at_k(np.zeros((2, 2)), ["A", "A"], 0)
