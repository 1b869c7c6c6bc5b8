"""The calibration adapted to a collection, on faces made about made-up dies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dieindex.api import Index
from dieindex.calibration import distance_adaptation as adapting
from dieindex.calibration.distance import Calibration, fit_calibration
from dieindex.calibration.distance_adaptation import (
    adapted,
    adapted_to,
    fit_mixture,
    frame_distances,
)
from dieindex.calibration.prior import estimate_prior, probability
from dieindex.calibration.two_kinds import TwoKinds
from dieindex.evaluation.partitions import adjusted_rand_index
from dieindex.evaluation.probabilities import log_loss
from dieindex.records import OBVERSE, SIDES
from dieindex.verification.candidates import all_pairs
from tests.clusters_for_tests import judged_pairs, labels_of
from tests.test_calibrate_option import rows_of

DIMENSION = 250


def pooled_calibration() -> Calibration:
    """As of encoders: good, middling and bad collections thrown together."""
    rng = np.random.default_rng(99)
    same = np.concatenate([rng.normal(m, 0.12, 300) for m in (1.1, 1.22, 1.35)])
    different = np.concatenate([1.43 - s * rng.standard_t(5, 8000) for s in (0.05, 0.06, 0.09)])
    return fit_calibration(np.clip(same, 0, 2), np.clip(different, 0, 2))


POOLED = pooled_calibration()


def distances(
    rng: np.random.Generator, same: int, different: int, nearer: float = 5.0, spread: float = 0.05
) -> np.ndarray:
    """Those of one die first."""
    near = np.abs(rng.standard_t(5, different))
    z = np.where(rng.random(different) < 0.5, near, -0.94 * np.abs(rng.normal(size=different)))
    return np.clip(1.44 - spread * np.concatenate([rng.normal(nearer, 2.4, same), z]), 0, 2)


def faces_of(die: np.ndarray, seed: int, noise: float = 1.0, dimension: int = DIMENSION):
    """Unit vectors about their dies', the mean taken off as an index takes it."""
    rng = np.random.default_rng(seed)
    die = np.asarray(die)
    raw = rng.normal(size=(die.max(initial=-1) + 1, dimension))[die]
    raw = raw + noise * rng.normal(size=raw.shape)
    raw = raw - raw.sum(0) / (len(raw) + 2)
    return (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)


def clustered(vectors, calibration):
    shortlist = all_pairs(vectors)
    ratio = calibration.log_likelihood_ratio(shortlist.distance)
    kinds = TwoKinds(share=estimate_prior(ratio, len(ratio)))
    score = kinds.score_of(ratio)
    return labels_of(
        judged_pairs(len(vectors), shortlist.first, shortlist.second, score, kinds=kinds)
    )


@pytest.mark.parametrize(("spread", "nearer", "share"), [(0.04, 7, 0.05), (0.06, 5, 0.08)])
def test_the_two_kinds_of_pairs_are_found(spread, nearer, share):
    rng = np.random.default_rng(1)
    found = fit_mixture(distances(rng, int(4000 * share), 4000, nearer, spread))
    assert found.centre == pytest.approx(1.44, abs=0.01)
    assert found.spread == pytest.approx(spread, rel=0.1)
    assert found.place == pytest.approx(nearer, abs=0.8)
    assert found.share == pytest.approx(share / (1 + share), rel=0.3)


@pytest.mark.parametrize(("nearer", "spread"), [(5.0, 0.035), (3.5, 0.045), (6.0, 0.06)])
def test_it_judges_better_than_the_pooled_calibration(nearer, spread):
    rng = np.random.default_rng(2)
    d = distances(rng, 250, 3750, nearer, spread)
    same = np.arange(4000) < 250

    def loss(calibration: Calibration) -> float:
        ratio = calibration.log_likelihood_ratio(d)
        return log_loss(probability(ratio, estimate_prior(ratio, len(d))), same)

    assert loss(adapted_to(POOLED, d)) < 0.97 * loss(POOLED)


def test_close_to_the_truth_where_the_collection_is_large():
    d = distances(np.random.default_rng(3), 3000, 57_000)
    found = adapted_to(POOLED, d)
    for z in (1.5, 2.5, 4.0, 5.5):
        exact = stats.norm(5, 2.4).logpdf(z) - stats.t(5).logpdf(z)
        assert found.log_likelihood_ratio(1.44 - 0.05 * z) == pytest.approx(exact, abs=0.45)


@pytest.mark.parametrize("coins", [40, 90])
def test_singletons_alone_stay_apart(coins):
    vectors = faces_of(np.arange(coins), 4)
    labels = clustered(vectors, adapted(POOLED, vectors, np.zeros(coins)))
    assert len(np.unique(labels)) >= coins - 1
    # Heavier near tails than a made-up space has: those of real designs.
    d = distances(np.random.default_rng(5), 0, coins * (coins - 1) // 2)
    ratio = adapted_to(POOLED, d).log_likelihood_ratio(d)
    assert estimate_prior(ratio, len(d)) < 0.03
    assert (probability(ratio, estimate_prior(ratio, len(d))) > 0.5).mean() < 0.01


def test_dies_of_a_made_up_collection_are_found():
    die = np.concatenate([np.repeat(np.arange(20), 3), np.repeat(np.arange(20, 26), 5)])
    vectors = faces_of(die, 6, noise=1.6)
    labels = clustered(vectors, adapted(POOLED, vectors, np.zeros(len(die))))
    pooled = clustered(vectors, POOLED)
    assert adjusted_rand_index(labels.tolist(), die.tolist()) > 0.9
    assert adjusted_rand_index(labels.tolist(), die.tolist()) >= adjusted_rand_index(
        pooled.tolist(), die.tolist()
    )


@pytest.mark.parametrize("dies", [1, 3])
def test_few_dies_of_many_coins(dies):
    """Most pairs, or a third, are of one die: what stands out is not taken for the ordinary."""
    die = np.repeat(np.arange(dies), 30 // dies)
    vectors = faces_of(die, 7, noise=1.4)
    found = adapted(POOLED, vectors, np.zeros(30))
    labels = clustered(vectors, found)
    if dies == 3:
        assert adjusted_rand_index(labels.tolist(), die.tolist()) > 0.7
    else:
        # The mean taken off leaves nothing that a die could be known by.
        ratio = found.log_likelihood_ratio(all_pairs(vectors).distance)
        assert abs(np.median(ratio) - np.median(POOLED.log_likelihood_ratio(1.414))) < 2


@pytest.mark.parametrize("coins", range(11))
def test_a_few_coins_are_believed_little(coins):
    vectors = faces_of(np.arange(coins) // 2, 8) if coins else np.zeros((0, 9), np.float32)
    found = adapted(POOLED, vectors, np.zeros(coins))
    d = np.linspace(0, 2, 201)
    moved = np.abs(found.log_likelihood_ratio(d) - POOLED.log_likelihood_ratio(d))
    assert moved.max() <= 1.5
    assert (found is POOLED) == (coins < 2)


def test_pairs_of_other_types_and_of_no_frame_have_no_say():
    die = np.repeat(np.arange(30), 3)
    vectors = faces_of(die, 9)
    alone = adapted(POOLED, vectors, np.zeros(90))
    strangers = faces_of(np.zeros(40, np.int64), 10, noise=0.2)
    both = np.concatenate([vectors, strangers])
    with_lost = adapted(POOLED, both, np.repeat([0, -1], [90, 40]))
    assert with_lost == alone
    # A frame of its own adds its own pairs, but none with the others.
    frames = np.repeat([0, 1], [90, 40])
    assert len(frame_distances(both, frames)) == 90 * 89 // 2 + 40 * 39 // 2
    assert adapted(POOLED, both, np.full(130, -1)) is POOLED


def test_several_types_on_one_frame_do_not_spoil_it():
    """Faces of other types lie as far as different dies: they add different pairs, no more."""
    die = np.repeat(np.arange(25), 3)
    types = [faces_of(die, seed, noise=1.2) for seed in (11, 12, 13)]
    vectors = np.concatenate(types)
    one = fit_mixture(frame_distances(types[0], np.zeros(75)))
    all_three = fit_mixture(frame_distances(vectors, np.zeros(225)))
    assert all_three.centre == pytest.approx(one.centre, abs=0.02)
    assert all_three.spread == pytest.approx(one.spread, rel=0.15)
    assert all_three.share < one.share
    true = np.concatenate([die, die + 25, die + 50])
    labels, pooled = (
        clustered(vectors, each) for each in (adapted(POOLED, vectors, np.zeros(225)), POOLED)
    )
    reached = adjusted_rand_index(labels.tolist(), true.tolist())
    assert reached > 0.9
    assert reached >= adjusted_rand_index(pooled.tolist(), true.tolist())


def test_pictures_that_are_all_the_same_keep_the_pooled_calibration():
    assert adapted_to(POOLED, np.zeros(4000)) is POOLED
    assert adapted_to(POOLED, np.full(4000, 0.7)) is POOLED


def test_the_same_faces_give_the_same_in_any_order():
    die = np.repeat(np.arange(20), 3)
    vectors = faces_of(die, 14)
    frame = np.arange(60) % 2
    order = np.random.default_rng(0).permutation(60)
    one, other = (adapted(POOLED, vectors[i], frame[i]) for i in (np.arange(60), order))
    assert np.allclose(one.log_likelihood_ratios, other.log_likelihood_ratios, atol=1e-6)
    assert adapted(POOLED, vectors, frame) == one


def test_of_a_large_collection_a_sample_is_read(monkeypatch):
    monkeypatch.setattr(adapting, "MOST_PAIRS", 5000)
    die = np.repeat(np.arange(250), 3)
    vectors = faces_of(die, 15, dimension=100)
    found = frame_distances(vectors, np.zeros(750, np.int64))
    assert len(found) == 5000
    assert found.min() > 0  # no face is paired with itself
    assert np.array_equal(found, frame_distances(vectors, np.zeros(750, np.int64)))
    whole = all_pairs(vectors).distance
    assert np.median(found) == pytest.approx(np.median(whole), abs=0.01)
    sampled, exact = adapted_to(POOLED, found), adapted_to(POOLED, whole)
    d = np.linspace(0.9, 1.5, 61)
    one, other = (probability(c.log_likelihood_ratio(d), 0.01) for c in (sampled, exact))
    assert np.abs(one - other).max() < 0.15
    # Sampled from frames by how many pairs they have; none across frames, none of a lonely face.
    frame = np.repeat([0, 1, 2, -1], [300, 400, 1, 49])
    first, second = adapting._sampled_pairs([np.flatnonzero(frame == each) for each in range(3)])
    assert (frame[first] == frame[second]).all()
    assert set(frame[first].tolist()) == {0, 1}
    expected = 300 * 299 / (300 * 299 + 400 * 399)
    assert np.mean(frame[first] == 0) == pytest.approx(expected, abs=0.03)


def test_an_index_judges_alike_whatever_is_asked(built, monkeypatch):
    rows = {side: rows_of(seed, 1.1) for seed, side in enumerate(SIDES)}
    monkeypatch.setattr(Index, "faces", lambda _, side: rows[side])
    index = Index(built)
    own = index.calibration_of(OBVERSE)
    assert own != index.calibration
    assert own.threshold == index.calibration.threshold
    table = index.pairs(OBVERSE).table
    for row in (0, 2, 100, 1000):
        a, b = int(table.first[row]), int(table.second[row])
        verdict = index.compare(str(a), str(b)).obverse
        if 3 in (a, b):  # it lies on no frame
            assert (verdict.probability, table.log_likelihood_ratio[row]) == (0.5, 0.0)
            continue
        ratio = own.log_likelihood_ratio(float(table.distance[row]))
        assert table.log_likelihood_ratio[row] == pytest.approx(ratio)
        assert verdict.probability == pytest.approx(probability(ratio, 0.5), abs=1e-6)


@given(st.lists(st.floats(0, 2), max_size=300), st.integers(1, 20))
@settings(max_examples=60, deadline=None)
def test_whatever_comes_the_ratio_falls_and_is_bounded(some, times):
    found = adapted_to(POOLED, some * times)
    ratio = found.log_likelihood_ratio(np.linspace(0, 2, 401))
    assert np.isfinite(ratio).all()
    assert (np.diff(ratio) < 0).all()  # no ties: the ranking stays that by distance
    bound = max(adapting.LIMIT, *np.abs(POOLED.log_likelihood_ratios)) + 0.03
    assert np.abs(ratio).max() <= bound
    assert found.threshold == POOLED.threshold
    assert Calibration.from_json(found.to_json()) == found
