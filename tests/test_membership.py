"""One posterior: what is said of pairs, of coins and of dies is what dies were made by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.clustering.certainty import certainties
from dieindex.clustering.graph import SignedGraph, signed_graph
from dieindex.clustering.linkage import NOT_LISTED, cluster_graph
from dieindex.clustering.membership import (
    CERTAINTY_LIMIT,
    CONSTRAINT_WEIGHT,
    between_dies,
    memberships,
    not_compared,
    pair_probabilities,
)
from dieindex.evaluation.probabilities import calibration_error
from dieindex.numeric import sigmoid
from dieindex.records import Constraint
from tests.clusters_for_tests import (
    CLEAN,
    USUAL,
    drawn_pairs,
    graph_of_dies,
    judged_pairs,
    some_dies,
)


def probabilities(graph: SignedGraph, labels: np.ndarray | None = None) -> np.ndarray:
    found = cluster_graph(graph) if labels is None else labels
    return pair_probabilities(graph.first, graph.second, found, graph)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 20), st.integers(0, 5))
def test_of_any_pairs_they_are_probabilities_and_both_coins_count_alike(
    seed: int, n: int, many: int
) -> None:
    rng = np.random.default_rng(seed)
    said = [
        Constraint(*rng.choice(n, 2, replace=False).tolist(), bool(rng.random() < 0.5))
        for _ in range(many)
    ]
    graph = signed_graph(drawn_pairs(some_dies(n, rng), USUAL, rng), said)
    labels = cluster_graph(graph)
    p = probabilities(graph, labels)
    assert ((p >= 0) & (p <= 1)).all()
    turned = pair_probabilities(graph.second, graph.first, labels, graph)
    np.testing.assert_allclose(turned, p)


@settings(max_examples=80, deadline=None)
@given(st.floats(-20, 25), st.floats(0.001, 0.5))
def test_two_coins_are_joined_exactly_when_that_is_likelier_than_not(
    score: float, share: float
) -> None:
    kinds = replace(USUAL, share=share)
    graph = signed_graph(judged_pairs(2, [0], [1], [score], kinds=kinds))
    labels = cluster_graph(graph)
    p = probabilities(graph, labels)
    assert (labels[0] == labels[1]) == (p[0] > 0.5)
    expected = np.clip(graph.weight, -CERTAINTY_LIMIT, CERTAINTY_LIMIT)
    np.testing.assert_allclose(p, sigmoid(expected))


@pytest.mark.parametrize("seed", range(3))
def test_of_a_clean_collection_likely_pairs_are_those_inside_dies(seed: int) -> None:
    rng = np.random.default_rng(seed)
    true = some_dies(100, rng)
    graph = signed_graph(drawn_pairs(true, CLEAN, rng))
    np.testing.assert_array_equal(
        probabilities(graph) > 0.5, true[graph.first] == true[graph.second]
    )


def test_probabilities_mean_what_they_say() -> None:
    rng, told, truth = np.random.default_rng(0), [], []
    kinds = replace(USUAL, centre=-3.5, place=7.5, share=0.02)
    for _ in range(6):
        true = some_dies(120, rng)
        graph = signed_graph(drawn_pairs(true, kinds, rng))
        told.append(probabilities(graph))
        truth.append(true[graph.first] == true[graph.second])
    p, same = np.concatenate(told), np.concatenate(truth)
    assert calibration_error(p, same) < 0.01
    unsure = (p > 0.1) & (p < 0.9)
    assert p[unsure].mean() == pytest.approx(same[unsure].mean(), abs=0.15)


def test_a_lost_pair_of_a_sure_die_is_of_one_die_and_a_false_link_is_none() -> None:
    graph = graph_of_dies([0] * 5 + [1] * 5, p0_1=-6.0, p0_5=9.0)
    p = dict(zip(zip(graph.first, graph.second, strict=True), probabilities(graph), strict=True))
    assert p[0, 1] > 0.9
    assert p[0, 5] < 0.1


def test_that_no_shortlist_holds_a_coin_and_its_die_speaks_against_it_where_there_was_room() -> (
    None
):
    """Coin 0 is said to be of the die of 1, 2 and 3, but compared with 4 to 9 alone; coin 10 lies
    on another frame, coin 11 on none, and the list of coin 12 is full of its own die."""
    first = [0] * 6 + [1, 1, 2, 1, 2, 3]
    second = [4, 5, 6, 7, 8, 9, 2, 3, 3, 7, 8, 9]
    score = [-9.0] * 6 + [10.0] * 3 + [-9.0] * 3
    frame = np.array([0] * 10 + [1, -1, 0])
    pairs = judged_pairs(13, first, second, score, nearest=6)
    graph = signed_graph(replace(pairs, frame=frame))
    labels = np.array([0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 0, 0, 0])
    found = not_compared(np.array([0, 10, 11, 12]), labels, graph)
    # (Room for one and a half: half of the three pairs of the die that speak for others.)
    assert graph.room[[0, 1, 2, 3]].tolist() == [3.0, 0.5, 0.5, 0.5]
    unlisted = float(graph.kinds.score_of(NOT_LISTED))
    assert found[0] == pytest.approx(graph.kinds.joining(unlisted, 1, 6, 1.5))
    assert found[0] < 0
    assert found[1:].tolist() == [0.0, 0.0, 0.0]


class TestVerdicts:
    @pytest.mark.parametrize("dies", [[0, 1], [0, 0, 1], [0, 0, 0, 1, 1, 1], [0, 0, 0, 0]])
    @pytest.mark.parametrize("same", [True, False])
    def test_a_verdict_decides_its_pair(self, dies: list[int], same: bool) -> None:
        """Also where the pictures say something else, and of dies of any size."""
        last = len(dies) - 1
        graph = graph_of_dies(dies, [Constraint(0, last, same)])
        p = probabilities(graph)[(graph.first == 0) & (graph.second == last)].item()
        if same:
            assert p >= sigmoid(CONSTRAINT_WEIGHT) - 1e-9
        else:
            assert p <= sigmoid(-CONSTRAINT_WEIGHT) + 1e-9

    def test_a_die_that_a_person_ruled_out_is_none_of_the_stories(self) -> None:
        graph = graph_of_dies([0, 0, 0, 0], [Constraint(0, 3, False)])
        labels = np.array([0, 0, 0, 1])
        known = memberships(labels, graph)
        of = (known.face == 3) & (known.die == 0)
        assert known.log_odds[of].item() == -np.inf
        assert len(between_dies(labels, graph).first) == 0
        assert certainties(labels, graph)[3] == 1.0


class TestCertainty:
    @settings(max_examples=40, deadline=None)
    @given(st.integers(0, 10**6), st.integers(2, 16))
    def test_it_is_the_share_of_the_own_story(self, seed: int, n: int) -> None:
        rng = np.random.default_rng(seed)
        graph = signed_graph(drawn_pairs(some_dies(n, rng), USUAL, rng))
        labels = cluster_graph(graph)
        known, sure = memberships(labels, graph), certainties(labels, graph)
        size = np.bincount(labels)
        for face in range(n):
            odds = np.exp(known.log_odds[known.face == face])
            own = known.die[known.face == face] == labels[face]
            told = 1.0 if size[labels[face]] == 1 else odds[own].item()
            assert sure[face] == pytest.approx(told / (odds.sum() + 1.0))

    def test_of_two_coins_that_are_a_die_it_is_their_pairs_probability(self) -> None:
        graph = signed_graph(judged_pairs(2, [0], [1], [7.0]))
        sure = certainties(np.zeros(2, np.int64), graph)
        np.testing.assert_allclose(sure, probabilities(graph)[0])

    def test_a_coin_between_two_dies_is_of_neither_for_sure(self) -> None:
        between = {f"p{k}_6": 8.0 for k in range(6)}
        graph = graph_of_dies([0] * 3 + [1] * 3 + [2], **between)
        labels = cluster_graph(graph)
        sure = certainties(labels, graph)
        assert sure[:6].min() > 0.9
        assert 0.3 < sure[6] < 0.6


def test_nothing_is_compared() -> None:
    for n in (0, 3):
        graph = signed_graph(judged_pairs(n, [], [], []))
        labels = np.arange(n)
        assert len(memberships(labels, graph).face) == len(between_dies(labels, graph).first) == 0
        assert len(probabilities(graph, labels)) == 0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_dies_that_were_compared_are_each_once_and_their_mean_is_that_of_their_pairs(
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    pairs = drawn_pairs(some_dies(12, rng), USUAL, rng)
    graph = signed_graph(pairs)
    labels = rng.integers(0, 4, 12)
    labels = np.unique(labels, return_inverse=True)[1]
    near = between_dies(labels, graph)
    dies = int(labels.max()) + 1
    assert len(near.first) == dies * (dies - 1) // 2
    a, b = labels[graph.first], labels[graph.second]
    for one, two, mean, many in zip(near.first, near.second, near.mean, near.pairs, strict=True):
        between = (np.minimum(a, b) == one) & (np.maximum(a, b) == two)
        assert one < two
        assert many == between.sum()
        assert mean == pytest.approx(graph.score[between].mean())
