"""Evidence weighed together: laws of the ratio, and what fitting finds."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.calibration.fusion import LIMIT, Fusion
from dieindex.calibration.fusion_fit import FusedPairs, fit_fusion, logistic_fit
from dieindex.calibration.prior import probability
from dieindex.calibration.verdict import verified_verdict
from dieindex.errors import EncoderError
from dieindex.evaluation.ranking import roc_auc

FUSION = Fusion(1.5, -10.0, 12.0, 0.1)


def pairs_of(n: int, dies: int, seed: int) -> FusedPairs:
    """Faces of dies; logit and distance each tell something of their own."""
    rng = np.random.default_rng(seed)
    die = rng.integers(0, dies, n)
    first, second = np.triu_indices(n, 1)
    same = die[first] == die[second]
    logit = np.where(same, 1.0, -2.0) + rng.normal(0, 1.5, len(first))
    distance = np.where(same, 0.9, 1.3) + rng.normal(0, 0.15, len(first))
    return FusedPairs(distance.clip(0, 2), logit, np.full(len(first), 0.3), same)


@settings(max_examples=50, deadline=None)
@given(st.floats(0, 2), st.floats(0, 2), st.floats(-30, 30), st.floats(-30, 30))
def test_nearer_and_likelier_never_speak_against(
    near: float, far: float, low: float, high: float
) -> None:
    near, far, low, high = *sorted((near, far)), *sorted((low, high))
    ratio = FUSION.log_likelihood_ratio(np.array([near, far]), np.array([high, low]))
    assert ratio[0] >= ratio[1]
    assert np.abs(ratio).max() <= LIMIT * 1.1


def test_it_comes_back_from_its_text_and_damage_is_refused() -> None:
    assert Fusion.from_json(FUSION.to_json()) == FUSION
    record = json.loads(FUSION.to_json())
    for wrong in (
        "{",
        "[]",
        json.dumps({**record, "format": 9}),
        json.dumps({**record, "logit": "x"}),
        json.dumps({**record, "logit": -1.0}),
        json.dumps({**record, "bias": float("nan")}),
        json.dumps({**record, "distance": 1.0}),
        json.dumps({name: value for name, value in record.items() if name != "bias"}),
    ):
        with pytest.raises(EncoderError):
            Fusion.from_json(wrong)


def test_the_fit_finds_the_ratio_that_made_the_pairs() -> None:
    rng = np.random.default_rng(5)
    same = np.arange(60_000) % 20 == 0
    # Normal evidence of one spread: the true ratio is linear, 2 x₁ + 0 x₂ − 1.
    evidence = np.stack([rng.normal(same * 2.0, 1.0), rng.normal(0, 3, len(same))], 1)
    first, second, bias = logistic_fit(evidence, same, np.ones(len(same)))
    assert first == pytest.approx(2.0, abs=0.1)
    assert second == pytest.approx(0.0, abs=0.03)
    assert bias == pytest.approx(-2.0, abs=0.15)


def test_separable_pairs_stay_finite() -> None:
    same = np.array([False] * 10 + [True] * 3)
    weights = logistic_fit(np.where(same, 1.0, -1.0)[:, None], same, np.ones(13))
    assert np.isfinite(weights).all()
    assert weights[0] > 0


def test_what_was_fitted_judges_other_collections() -> None:
    fusion = fit_fusion([pairs_of(40, 12, seed) for seed in range(3)])
    other = pairs_of(60, 15, 9)
    alone = fusion.log_likelihood_ratio(other.distance, other.logit)
    prior = float(other.same.mean())
    p = np.asarray(probability(alone, prior))
    # Probabilities mean what they say: as many same-die pairs as they add up to.
    assert p.sum() == pytest.approx(other.same.sum(), rel=0.25)
    told = Fusion(fusion.logit, 0.0, 0.0, 0.0).score(other.distance, other.logit)
    assert roc_auc(alone, other.same) > roc_auc(told, other.same)
    with pytest.raises(ValueError, match="pairs of the same die"):
        fit_fusion([replace(other, same=np.zeros(len(other.same), bool))])


def test_the_score_is_what_the_evidence_says_without_bound() -> None:
    distance, logit = np.array([0.5, 2.0]), np.array([40.0, -40.0])
    score = FUSION.score(distance, logit)
    assert score.tolist() == [1.5 * 40 - 10 * 0.5 + 12, -1.5 * 40 - 10 * 2 + 12]
    ratio = FUSION.log_likelihood_ratio(distance, logit)
    assert np.abs(ratio).max() < LIMIT * 1.1 < np.abs(score).min()


def test_weights_that_earlier_versions_carried_besides_are_passed_over() -> None:
    record = json.loads(FUSION.to_json())
    assert Fusion.from_json(json.dumps({**record, "partners_shared": 2.8})) == FUSION


def test_evidence_that_counts_the_wrong_way_gets_no_weight() -> None:
    rng = np.random.default_rng(8)
    same = np.arange(20_000) % 10 == 0
    logit, distance = rng.normal(same * 2.0, 1.0), 1.0 + rng.normal(same * 0.3, 0.1)
    fusion = fit_fusion([FusedPairs(distance, logit, np.full(len(same), 0.3), same)])
    assert fusion.distance == 0
    assert fusion.logit > 0


def test_every_collection_counts_alike() -> None:
    small, large = pairs_of(20, 5, 0), pairs_of(80, 20, 1)
    twice = FusedPairs(*(np.tile(each, 2) for each in vars(large).values()))
    one, other = fit_fusion([small, large]), fit_fusion([small, twice])
    assert one.logit == pytest.approx(other.logit, rel=1e-3)
    assert one.bias == pytest.approx(other.bias, rel=1e-3)


def test_too_little_in_common_is_said() -> None:
    found = verified_verdict(FUSION, 5.0, 0.05, 0.2, 1.3, 0.5)
    assert (found.verdict, found.basis, found.probability) == ("cannot tell", "verified", 0.5)
    assert "too little" in str(found.reason)
    clear = verified_verdict(FUSION, 5.0, 0.3, 0.6, 1.3, 0.5)
    assert (clear.verdict, clear.reason) == ("same", None)
    undecided = verified_verdict(FUSION, 0.0, 0.3, 1.2, 1.3, 0.5)
    assert undecided.verdict == "cannot tell"
    assert "not clearly" in str(undecided.reason)
