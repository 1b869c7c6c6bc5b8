"""What joins two dies follows the collection, without its labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.api import Index
from dieindex.api.pairs import Pairs
from dieindex.api.studying import material_of
from dieindex.calibration.adaptation import TYPICAL
from dieindex.calibration.prior import estimate_prior
from dieindex.clustering.certainty import count_dies
from dieindex.clustering.graph import PRIOR_SHARE, signed_graph
from dieindex.clustering.linkage import cluster_graph
from dieindex.clustering.threshold import (
    CLEAR,
    FEWER_PARTNERS,
    LEAST_THRESHOLD,
    THRESHOLD,
    THRESHOLD_OF_TYPICAL,
    UNDERSTATED,
    UNDERSTATED_WORN,
    Threshold,
    collection_threshold,
    weighed_pairs,
)
from dieindex.evaluation.labels import codes
from dieindex.evaluation.partitions import adjusted_rand_index
from dieindex.records import SIDES, PairTable
from tests.clusters_for_tests import cluster_pairs


def collection(
    rng: np.random.Generator, typical: float, *, alike: float = 1.5, dies: int = 24, coins: int = 91
) -> tuple[np.ndarray, PairTable]:
    """Ratios of a made-up collection: of one die about ``typical``; of every two dies about a level
    of their own, some of them alike (``alike``)."""
    die = rng.permutation(np.concatenate([np.arange(dies), rng.geometric(0.15, coins - dies) - 1]))
    die = np.minimum(die, dies - 1)
    level = rng.normal(-5.0, 1.5, (dies, dies))
    level = (level + level.T) / 2
    twins = np.arange(0, 8, 2)
    level[twins, twins + 1] = level[twins + 1, twins] = alike
    first, second = np.triu_indices(coins, 1)
    same = die[first] == die[second]
    ratio = np.where(same, typical, level[die[first], die[second]]) + rng.normal(0, 1.2, len(same))
    return die, PairTable(first, second, 1.0 - ratio / 40.0, ratio)


def found(pairs: PairTable, n: int, how: Threshold | None) -> list[int]:
    prior = estimate_prior(pairs.log_likelihood_ratio, len(pairs))
    return cluster_pairs(n, pairs, prior, threshold=how).labels.tolist()


def test_clear_collections_are_asked_for_more() -> None:
    """The same dies that look alike: joined by one threshold for all, apart where the pairs of one
    die are clear; and worn coins stay together that a high threshold for all would part."""
    score: dict[str, list[float]] = {"adapted": [], "low": [], "high": []}
    for seed in range(4):
        for typical in (8.5, 3.5):
            rng = np.random.default_rng(seed)
            die, pairs = collection(rng, typical, alike=2.0 if typical > 5 else 0.0)
            ratio = pairs.log_likelihood_ratio
            how = collection_threshold(ratio, estimate_prior(ratio, len(ratio)), len(die))
            ways = {"adapted": how, "low": Threshold(1.0), "high": Threshold(4.5)}
            for name, way in ways.items():
                score[name].append(adjusted_rand_index(found(pairs, len(die), way), die.tolist()))
    mean = {name: float(np.mean(each)) for name, each in score.items()}
    assert mean["adapted"] > max(mean["low"], mean["high"]) + 0.02, mean


def test_threshold_by_hand() -> None:
    # Nothing is told: what is usual.
    nothing = collection_threshold(np.zeros(0), 0.05, 0)
    assert nothing.nats == THRESHOLD
    assert nothing.understated == pytest.approx(UNDERSTATED + UNDERSTATED_WORN * (CLEAR - TYPICAL))
    # 1000 sure pairs of 9 nats among 91 coins: 22 partners a coin; 6.7 hardly counts beside them.
    sure = collection_threshold(np.r_[np.full(1000, 9.0), np.full(3095, -20.0)], 0.25, 91)
    expected = THRESHOLD + THRESHOLD_OF_TYPICAL * (9 - TYPICAL) - FEWER_PARTNERS * np.log(21.2 / 3)
    assert sure.nats == pytest.approx(expected, abs=0.05)
    assert sure.understated == UNDERSTATED
    # The same among 910 coins: 2.2 partners a coin.
    rarer = collection_threshold(np.r_[np.full(1000, 9.0), np.full(3095, -20.0)], 0.25, 910)
    assert rarer.nats - sure.nats == pytest.approx(FEWER_PARTNERS * np.log(9.6), abs=0.05)
    faint = collection_threshold(np.r_[np.full(1000, 2.0), np.full(3095, -20.0)], 0.25, 91)
    assert faint.nats == LEAST_THRESHOLD < sure.nats
    assert faint.understated > 1.0
    # Of very many coins no mean below a share of the prior joins.
    assert collection_threshold(np.full(3095, 2.0), 1e-6, 40).nats == pytest.approx(
        0.4 * 13.8, abs=0.01
    )


@given(st.integers(0, 10**6), st.integers(2, 40), st.floats(0.001, 0.5))
@settings(max_examples=60, deadline=None)
def test_threshold_is_a_finite_amount_that_weights_can_reach(seed, n, prior) -> None:
    ratio = np.random.default_rng(seed).normal(-3, 6, n * (n - 1) // 2)
    how = collection_threshold(ratio, prior, n)
    assert LEAST_THRESHOLD <= how.nats < 12.0
    assert 0.0 <= how.understated < 5.0


def test_a_few_more_coins_hardly_move_the_threshold() -> None:
    _, pairs = collection(np.random.default_rng(3), 6.0)
    ratio, few = pairs.log_likelihood_ratio, (pairs.first < 88) & (pairs.second < 88)
    whole = collection_threshold(ratio, estimate_prior(ratio, len(ratio)), 91)
    less = collection_threshold(ratio[few], estimate_prior(ratio[few], int(few.sum())), 88)
    assert whole.nats == pytest.approx(less.nats, abs=0.15)


def test_a_weight_is_half_of_the_pair_and_half_of_its_context() -> None:
    pairs = PairTable(np.array([0]), np.array([1]), np.array([0.7]), np.array([4.0]))
    assert weighed_pairs(pairs, np.array([-1.0])).log_likelihood_ratio.tolist() == [1.5]
    assert pairs.log_likelihood_ratio.tolist() == [4.0]


def test_a_rounding_error_in_context_makes_no_other_weight() -> None:
    rng = np.random.default_rng(0)
    ratio, beside = rng.normal(0, 4, 500), rng.normal(0, 4, 500)
    pairs = PairTable(np.zeros(500, int), np.arange(1, 501), np.ones(500), ratio)
    other = beside * (1 + 1e-15 * rng.choice([-1, 0, 1], 500))
    assert (other != beside).any()
    np.testing.assert_array_equal(
        weighed_pairs(pairs, beside).log_likelihood_ratio,
        weighed_pairs(pairs, other).log_likelihood_ratio,
    )


def test_understated_weights_makes_fewer_dies_expected() -> None:
    die, pairs = collection(np.random.default_rng(1), 3.0)
    counts = [
        count_dies(cluster_graph(graph), graph).expected
        for graph in (
            signed_graph(len(die), pairs, 0.1, threshold=Threshold(2.0, nats))
            for nats in (0.0, 1.5)
        )
    ]
    assert counts[1] < counts[0]


def test_where_all_coins_are_of_one_die_they_stay_together() -> None:
    """However sure the pairs, and at the highest prior there is."""
    first, second = np.triu_indices(20, 1)
    for ratio in (12.0, np.inf):
        ratios = np.full(len(first), ratio)
        pairs = PairTable(first, second, np.zeros(len(first)), ratios)
        prior = estimate_prior(ratios, len(ratios))
        how = collection_threshold(ratios, prior, 20)
        assert prior > 0.4
        assert np.isfinite(how.nats)
        assert len(set(cluster_pairs(20, pairs, prior, threshold=how).labels.tolist())) == 1
        apart = PairTable(first, second, np.zeros(len(first)), -ratios)
        how = collection_threshold(-ratios, estimate_prior(-ratios, len(ratios)), 20)
        assert len(set(cluster_pairs(20, apart, 0.01, threshold=how).labels.tolist())) == 20


@pytest.fixture
def index(data: Path) -> Index:
    return Index(data.parent / "indexes" / "data")


def weights_of(pairs: Pairs, table: PairTable, threshold: float) -> np.ndarray:
    ratio = table.log_likelihood_ratio[pairs.judged]
    order = np.argsort(table.first[pairs.judged] * len(pairs.coins) + table.second[pairs.judged])
    return np.asarray(ratio[order] - threshold)


def test_an_index_weighs_verified_pairs_against_the_threshold_and_others_against_the_prior(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dieindex.clustering.threshold.CLEAR", 20.0)
    pairs = index.pairs("obverse")
    assert pairs.in_context is not None
    how = collection_threshold(
        pairs.table.log_likelihood_ratio[pairs.judged], pairs.prior, len(pairs.coins)
    )
    graph = index.cluster("obverse").graph
    assert graph is not None
    expected = weights_of(pairs, weighed_pairs(pairs.table, pairs.in_context), round(how.nats, 1))
    np.testing.assert_allclose(graph.weight, expected)
    assert graph.understated == how.understated > 0

    pairs = index.pairs("obverse", verify=False)
    graph = index.cluster("obverse", verify=False).graph
    assert pairs.in_context is None
    assert graph is not None
    by_prior = -PRIOR_SHARE * np.log(pairs.prior / (1 - pairs.prior))
    np.testing.assert_allclose(graph.weight, weights_of(pairs, pairs.table, round(by_prior, 1)))
    assert graph.understated == 0


def test_verdicts_and_a_trusted_sheet_move_no_weight(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = index.cluster("reverse")
    a, b, c, *_ = before.coins
    index.review(a, b, "same", side="reverse")
    index.review(b, c, "different", side="reverse")
    after = index.cluster("reverse")
    # A sheet that says of all coins but the first what is not so.
    monkeypatch.setattr(Index, "labels", lambda *_: dict.fromkeys(before.coins[1:], "R1"))
    trusted = index.cluster("reverse", trust_sheet=True)
    for graph in (after.graph, trusted.graph, trusted.own_graph):
        np.testing.assert_array_equal(graph.weight, before.graph.weight)
        assert graph.understated == before.graph.understated
    assert len(trusted.graph.together) > len(after.graph.together) == 1
    assert trusted.scored_names is not None
    assert codes(trusted.scored_names).tolist() == codes(after.names).tolist()


def test_evaluation_and_study_go_by_the_threshold(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = index.evaluate()["obverse"]
    assert scores is not None
    assert scores["dies_found"] < 8
    name = "dieindex.clustering.find_dies.collection_threshold"
    monkeypatch.setattr(name, lambda *_: Threshold(30.0))
    scores, by_vector = index.evaluate()["obverse"], index.evaluate(verify=False)["obverse"]
    assert scores is not None
    assert scores["dies_found"] == 8
    assert by_vector is not None
    assert by_vector["dies_found"] < 8
    found = {side: index.cluster(side) for side in SIDES}
    coins = material_of(index, found).coins
    dies = [coin.dies["obverse"].die for coin in coins if coin.dies]
    assert len(dies) == len(set(dies)) > 2
