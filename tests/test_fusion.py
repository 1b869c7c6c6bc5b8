"""Evidence weighed together: laws of the ratio, of context, and what fitting finds."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.calibration import context as context_module
from dieindex.calibration.context import Context, context
from dieindex.calibration.fusion import LIMIT, Fusion
from dieindex.calibration.fusion_fit import FusedPairs, _added_fit, fit_fusion, logistic_fit
from dieindex.calibration.prior import probability
from dieindex.calibration.verdict import verified_verdict
from dieindex.errors import EncoderError

FUSION = Fusion(1.5, -10.0, 12.0, 0.1, discount=0.6, partners_shared=2.8, partners_apart=1.2)


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
        json.dumps({**record, "partners_apart": -1.0}),
        json.dumps({**record, "yielding": 1.0}),
        json.dumps({name: value for name, value in record.items() if name != "yielding"}),
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
    beside = context(other.n, other.first, other.second, alone, prior)
    together = np.asarray(probability(fusion.in_context(alone, beside), prior))
    assert ((together - other.same) ** 2).mean() < ((p - other.same) ** 2).mean()
    with pytest.raises(ValueError, match="pairs of the same die"):
        fit_fusion([replace(other, same=np.zeros(len(other.same), bool))])


def pairs_among(n: int, together: set[tuple[int, int]], sure: float = 9.0) -> tuple:
    """All pairs of n faces; ratios ``sure`` for those named, as much against for the others."""
    first, second = np.triu_indices(n, 1)
    named = np.zeros(len(first), bool)
    for i, j in together:
        named |= (first == i) & (second == j)
    return first, second, np.where(named, sure, -sure)


def where(n: int, i: int, j: int) -> int:
    first, second = np.triu_indices(n, 1)
    return int(np.flatnonzero((first == i) & (second == j))[0])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_context_is_counted_alike_in_any_order_and_size(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 12))
    first, second = np.triu_indices(n, 1)
    ratio, judged = rng.normal(0, 5, len(first)), rng.random(len(first)) < 0.8
    found = context(n, first, second, ratio, 0.1, judged)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(context_module, "_DENSE_UP_TO", 2)
        sparse = context(n, first, second, ratio, 0.1, judged)
    order = rng.permutation(len(first))
    turned = context(n, first[order], second[order], ratio[order], 0.1, judged[order])
    for name in ("partners", "shared", "apart"):
        counted = getattr(found, name)
        assert (counted >= 0).all()
        np.testing.assert_allclose(getattr(sparse, name), counted, atol=1e-9)
        np.testing.assert_allclose(getattr(turned, name), counted[order], atol=1e-9)
    # A partner is shared by both, or apart from one of them, or it cannot be told.
    assert (2 * found.shared + found.apart <= found.partners + 1e-9).all()


def test_a_die_of_two_coins_is_judged_by_itself() -> None:
    # 0 and 1 are of one die, 2 and 3 of another, 4 stands alone; nobody else has a word to say.
    n = 5
    first, second, ratio = pairs_among(n, {(0, 1), (2, 3)})
    found = FUSION.in_context(ratio, context(n, first, second, ratio, 0.05))
    alone = FUSION.in_context(ratio, Context(*(np.zeros(len(ratio)) for _ in range(3))))
    at = where(n, 0, 1)
    assert found[at] == pytest.approx(alone[at], abs=0.01)
    # Where all are unsure, too, a rare prior makes no coin a partner.
    doubtful = np.full(len(ratio), -1.0)
    doubtful[at] = 3.0
    found = FUSION.in_context(doubtful, context(n, first, second, doubtful, 0.002))
    assert found[at] == pytest.approx(3.0, abs=0.1)


def test_shared_partners_speak_for_one_die_and_partners_apart_against() -> None:
    n = 6
    unsure = where(n, 0, 1)
    heard = []
    for together in ({(0, 2), (1, 2)}, set(), {(0, 2)}, {(0, 2), (1, 3)}):
        first, second, ratio = pairs_among(n, together)
        ratio[unsure] = 1.0
        beside = context(n, first, second, ratio, 0.05)
        heard.append(FUSION.in_context(ratio, beside)[unsure])
    assert heard == sorted(heard, reverse=True)
    assert heard[0] > 2.0 > 1.0 == pytest.approx(heard[1], abs=0.02)
    assert heard[2] < 0.5


def test_context_counts_partners() -> None:
    # 0 and 1 share 2; 3 is of the die of 0 and clearly not of 1; 4 as well, but not judged with 1.
    n = 5
    first, second, ratio = pairs_among(n, {(0, 2), (1, 2), (0, 3), (0, 4)}, sure=12.0)
    judged = np.ones(len(ratio), bool)
    judged[where(n, 1, 4)] = False
    found = context(n, first, second, ratio, 0.1, judged)
    at = where(n, 0, 1)
    assert found.partners[at] == pytest.approx(4, abs=0.01)
    assert found.shared[at] == pytest.approx(1, abs=0.01)
    assert found.apart[at] == pytest.approx(1, abs=0.01)


def test_a_pair_that_is_not_listed_is_apart() -> None:
    first, second = np.array([0, 0]), np.array([1, 2])
    found = context(3, first, second, np.array([1.0, 12.0]), 0.1)
    assert found.apart[0] == pytest.approx(1, abs=0.01)


def test_evidence_that_counts_the_wrong_way_gets_no_weight() -> None:
    rng = np.random.default_rng(8)
    same = np.arange(40_000) % 10 == 0
    known = np.full(len(same), np.log(1 / 9))
    # True ratios: 2 x₁ − 2, all of it in the bias and x₁; x₂ would count 1 the wrong way.
    first = rng.normal(same * 2.0, 1.0)
    evidence = np.stack([first, -rng.normal(same * 1.0, 1.0)], 1)
    weights = _added_fit(evidence, known - 2.0, same, np.ones(len(same)))
    assert weights[0] == pytest.approx(2.0, abs=0.1)
    assert weights[1] == 0


def test_too_little_in_common_is_said() -> None:
    found = verified_verdict(FUSION, 5.0, 0.05, 0.2, 1.3, 0.5)
    assert (found.verdict, found.basis, found.probability) == ("cannot tell", "verified", 0.5)
    assert "too little" in str(found.reason)
    clear = verified_verdict(FUSION, 5.0, 0.3, 0.6, 1.3, 0.5)
    assert (clear.verdict, clear.reason) == ("same", None)
    undecided = verified_verdict(FUSION, 0.0, 0.3, 1.2, 1.3, 0.5)
    assert undecided.verdict == "cannot tell"
    assert "not clearly" in str(undecided.reason)
