"""Evidence weighed together: laws of the ratio, of company, and what fitting finds."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.errors import EncoderError
from dieindex.verification.fusion import (
    LIMIT,
    FusedPairs,
    Fusion,
    company,
    fit_fusion,
    logistic_fit,
    verified_verdict,
)
from dieindex.verification.verdicts import probability

FUSION = Fusion(1.5, -10.0, 12.0, 0.1, pair=0.7, company=7.0, company_bias=-1.4)


def pairs_of(n: int, dies: int, seed: int) -> FusedPairs:
    """Faces of dies; logit and distance each tell something of their own."""
    rng = np.random.default_rng(seed)
    die = rng.integers(0, dies, n)
    first, second = np.triu_indices(n, 1)
    same = die[first] == die[second]
    logit = np.where(same, 1.0, -2.0) + rng.normal(0, 1.5, len(first))
    distance = np.where(same, 0.9, 1.3) + rng.normal(0, 0.15, len(first))
    return FusedPairs(n, first, second, distance.clip(0, 2), logit, np.full(len(first), 0.3), same)


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
        json.dumps({name: value for name, value in record.items() if name != "company"}),
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
    beside = company(other.n, other.first, other.second, p)
    together = np.asarray(probability(fusion.in_company(alone, beside), prior))
    assert ((together - other.same) ** 2).mean() < ((p - other.same) ** 2).mean()
    with pytest.raises(ValueError, match="pairs of the same die"):
        fit_fusion([replace(other, same=np.zeros(len(other.same), bool))])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_company_is_a_share_whatever_the_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 12))
    first, second = np.triu_indices(n, 1)
    p = rng.uniform(0, 1, len(first)) ** 3
    found = company(n, first, second, p)
    assert (found >= 0).all()
    assert (found <= 1).all()
    order = rng.permutation(len(first))
    np.testing.assert_allclose(company(n, first[order], second[order], p[order]), found[order])


def test_company_is_that_of_shared_partners() -> None:
    # 0, 1 and 2 are of one die for sure but for the pair (0, 1); 3 stands alone.
    first, second = np.triu_indices(4, 1)
    p = np.zeros(6)
    p[[1, 3]] = 1.0  # (0, 2) and (1, 2)
    found = dict(
        zip(
            zip(first.tolist(), second.tolist(), strict=True),
            company(4, first, second, p),
            strict=True,
        )
    )
    assert found[0, 1] == pytest.approx(1 / 1.5)
    assert found[0, 3] == found[2, 3] == 0


def test_too_little_in_common_is_said() -> None:
    found = verified_verdict(FUSION, 5.0, 0.05, 0.2, 1.3, 0.5)
    assert (found.verdict, found.basis, found.probability) == ("cannot tell", "verified", 0.5)
    assert "too little" in str(found.reason)
    clear = verified_verdict(FUSION, 5.0, 0.3, 0.6, 1.3, 0.5)
    assert (clear.verdict, clear.reason) == ("same", None)
    undecided = verified_verdict(FUSION, 0.0, 0.3, 1.2, 1.3, 0.5)
    assert undecided.verdict == "cannot tell"
    assert "not clearly" in str(undecided.reason)
