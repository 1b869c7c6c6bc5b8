"""Baseline rules recover clean collections; collections with nothing to find break none of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dieindex.evaluation.partitions import adjusted_rand_index
from dieindex.records import Flags, Floats, Ints
from tests.test_encoder_benchmark import benchmark

distance_clustering, null_rule = benchmark("distance_clustering"), benchmark("null_rule")
RULES = [distance_clustering.cohesion_repulsion, null_rule.empirical_null]
Rule = Callable[[Floats, Flags], Ints]


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distance_clustering, "SWEEPS", 20)
    monkeypatch.setattr(distance_clustering, "BURN_IN", 10)


def scores(die: Ints, place: float = 11.0) -> tuple[Floats, Flags]:
    """Of all pairs of faces of these dies, and which of them are judged: all."""
    rng = np.random.default_rng(3)
    n = len(die)
    same = die[:, None] == die
    drawn = np.where(same, rng.normal(place, 2.0, (n, n)), rng.normal(-4.0, 2.0, (n, n)))
    ratio = np.triu(drawn, 1)
    return ratio + ratio.T, ~np.eye(n, dtype=bool)


@pytest.mark.parametrize("rule", RULES)
def test_a_clean_collection_is_recovered(rule: Rule) -> None:
    die = np.arange(40) % 8
    found = rule(*scores(die))
    assert adjusted_rand_index(found.tolist(), die.tolist()) == 1.0


@pytest.mark.parametrize("rule", RULES)
def test_pairs_that_were_not_judged_do_not_hide_the_dies(rule: Rule) -> None:
    die = np.arange(40) % 5
    ratio, known = scores(die)
    unseen = np.triu(np.random.default_rng(1).random(known.shape) < 0.2, 1)
    known = known & ~(unseen | unseen.T)
    found = rule(np.where(known, ratio, 0.0), known)
    assert adjusted_rand_index(found.tolist(), die.tolist()) > 0.95


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("n", [1, 2, 3, 30])
def test_a_hoard_of_singletons_gets_a_label_a_face(rule: Rule, n: int) -> None:
    found = rule(*scores(np.arange(n)))
    assert found.shape == (n,)
    assert found.min() == 0
    assert found.max() == len(np.unique(found)) - 1


@pytest.mark.parametrize("rule", RULES)
def test_without_a_judged_pair_every_face_is_a_die(rule: Rule) -> None:
    found = rule(np.zeros((4, 4)), np.zeros((4, 4), dtype=bool))
    assert found.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("rule", RULES)
def test_equal_scores_are_no_trouble(rule: Rule) -> None:
    assert rule(np.ones((6, 6)), ~np.eye(6, dtype=bool)).shape == (6,)


def test_the_null_stays_where_different_dies_lie() -> None:
    ratio, known = scores(np.arange(80) % 20)
    null = null_rule.Null.of(ratio[np.triu(known, 1)])
    assert null.centre == pytest.approx(-4.0, abs=0.3)
    assert null.spread == pytest.approx(2.0, abs=0.3)


def test_few_discoveries_are_false() -> None:
    die = np.arange(80) % 20
    ratio, known = scores(die, place=6.0)
    upper = np.triu(known, 1)
    threshold = null_rule.discovery_threshold(ratio[upper], null_rule.Null.of(ratio[upper]))
    discovered = ratio[upper] >= threshold
    same = (die[:, None] == die)[upper]
    assert (discovered & ~same).sum() < 0.1 * discovered.sum()
    assert (discovered & same).sum() > 0.8 * same.sum()


def test_a_move_gains_what_the_posterior_of_the_whole_partition_gains() -> None:
    """What the sampler keeps up to date equals the same reckoned anew from the labels."""
    die = np.arange(24) % 6
    ratio, known = scores(die)
    known[0, 5] = known[5, 0] = False
    distance = distance_clustering.distances(ratio, known)
    rng = np.random.default_rng(0)
    priors = distance_clustering.Priors.of(distance, known, die)
    chain = distance_clustering.Chain(distance, known, priors, rng.integers(0, 5, 24), rng)
    for _ in range(3):
        chain._split_or_merge()
    for face in (0, 7):
        left = chain.now.copy()
        chain._take(left, face)
        gain = chain._gain(left, face, np.arange(left.many), new=True)
        whole = []
        for group in range(left.many + 1):
            after = left.copy()
            chain._put(after, face, group)
            whole.append(chain.log_posterior(chain._partition(after.labels)))
            assert chain.log_posterior(after) == pytest.approx(whole[-1], abs=1e-6)
        np.testing.assert_allclose(gain - gain[0], np.array(whole) - whole[0], atol=1e-6)


def test_the_estimate_is_the_partition_nearest_to_all_that_were_sampled() -> None:
    often, once = [0, 0, 1, 1, 2], [0, 1, 2, 3, 4]
    sampled = np.array([[3, 3, 1, 1, 0], often, once, often])
    assert distance_clustering.least_expected_variation(sampled).tolist() == often
