"""From a ratio to probability and verdict."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dieindex.calibration.distance import Calibration
from dieindex.calibration.fusion import Fusion
from dieindex.calibration.prior import probability
from dieindex.calibration.two_kinds import TwoKinds
from dieindex.calibration.verdict import embedding_verdict, verdict_of, verified_verdict
from dieindex.numeric import log_odds


def test_probability_is_bayes_rule():
    # Ratio 9 to 1 at even odds, then where one pair in ten shares a die.
    assert probability(math.log(9), 0.5) == pytest.approx(0.9)
    assert probability(math.log(9), 0.1) == pytest.approx(0.5)
    assert probability(0.0, 0.03) == pytest.approx(0.03)
    assert log_odds(0.5) == 0.0


@given(st.floats(allow_nan=False), st.floats(1e-12, 1 - 1e-12))
def test_probability_is_safe_everywhere(ratio, prior):
    with np.errstate(all="raise", under="ignore"):
        p = probability(ratio, prior)
    assert 0.0 <= p <= 1.0
    assert probability(np.array([[ratio, ratio]]), prior).tolist() == [[p, p]]


@given(st.floats(-600, 600), st.floats(-600, 600), st.floats(0.001, 0.999))
def test_probability_rises_with_the_ratio_and_swaps_sides(one, other, prior):
    low, high = sorted([one, other])
    assert probability(low, prior) <= probability(high, prior)
    assert probability(-one, 1 - prior) == pytest.approx(1 - probability(one, prior), abs=1e-12)


def test_small_probabilities_keep_their_digits():
    assert probability(-300.0, 0.5) == pytest.approx(math.exp(-300), rel=1e-12)


@pytest.mark.parametrize("prior", [0.0, 1.0, -0.1, math.nan])
def test_a_prior_is_never_certain(prior):
    with pytest.raises(ValueError, match="strictly between"):
        probability(0.0, prior)


def test_a_ratio_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="not a number"):
        probability(math.nan, 0.5)
    with pytest.raises(ValueError, match="not a number"):
        Calibration((1.0,), (0.0,), 1.0).log_likelihood_ratio(math.nan)


def test_verdicts_change_where_the_contract_says():
    assert [verdict_of(p) for p in (1.0, 0.9, 0.899, 0.5, 0.101, 0.1, 0.0)] == [
        *("same", "same", "cannot tell", "cannot tell", "cannot tell", "different", "different")
    ]
    for p in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="0…1"):
            verdict_of(p)


def test_embedding_verdict_gives_a_reason_only_where_it_cannot_tell():
    sure = embedding_verdict(0.3, 0.7, 6.0, 0.5)
    assert (sure.verdict, sure.basis, sure.reason) == ("same", "embedding", None)
    assert (sure.distance, sure.threshold, sure.prior) == (0.3, 0.7, 0.5)
    assert embedding_verdict(1.2, 0.7, -6.0, 0.5).verdict == "different"
    near = embedding_verdict(0.72, 0.7, -0.2, 0.5)
    assert near.verdict == "cannot tell"
    assert "0.720" in near.reason
    assert "above the threshold 0.700" in near.reason
    rare = embedding_verdict(0.5, 0.7, 3.0, 0.02)
    assert rare.verdict == "cannot tell"
    assert "2.00%" in rare.reason


FUSION = Fusion(1.5, -10.0, 12.0, 0.1)
KINDS = TwoKinds(centre=-5.0, left=2.5, right=2.5, place=5.0, width=2.5)


def test_too_little_in_common_tells_nothing_whatever_the_details_say():
    found = verified_verdict(FUSION, KINDS, 5.0, 0.05, 0.2, 1.3, 0.5)
    assert (found.verdict, found.basis, found.probability) == ("cannot tell", "verified", 0.5)
    assert "too little" in found.reason
    # Half of what is usual is the least; 0.05 of 0.1 is a quarter.
    assert "25%" in found.reason


def test_verified_verdict_gives_a_reason_only_where_it_cannot_tell():
    clear = verified_verdict(FUSION, KINDS, 5.0, 0.3, 0.6, 1.3, 0.5)
    assert (clear.verdict, clear.basis, clear.reason) == ("same", "verified", None)
    assert (clear.distance, clear.threshold, clear.prior) == (0.6, 1.3, 0.5)
    assert verified_verdict(FUSION, KINDS, -4.0, 0.3, 1.2, 1.3, 0.5).verdict == "different"
    undecided = verified_verdict(FUSION, KINDS, 0.0, 0.3, 1.2, 1.3, 0.5)
    assert undecided.verdict == "cannot tell"
    assert undecided.probability == pytest.approx(0.5, abs=0.05)
    assert "against one die, but not clearly" in undecided.reason
    assert "for one die" in verified_verdict(FUSION, KINDS, 0.1, 0.3, 1.2, 1.3, 0.5).reason


def test_the_same_score_says_what_the_kinds_of_its_collection_make_of_it():
    """Scores move as a whole from one collection to another: 0 may be high or low."""
    seen = (0.0, 0.3, 1.2, 1.3, 0.5)
    low = TwoKinds(centre=-9.0, left=2.5, right=2.5, place=1.0, width=2.5)
    high = TwoKinds(centre=-1.0, left=2.5, right=2.5, place=9.0, width=2.5)
    assert verified_verdict(FUSION, low, *seen).verdict == "same"
    assert verified_verdict(FUSION, high, *seen).verdict == "different"
    # And of two coins at random, which seldom share a die, less is sure.
    assert verified_verdict(FUSION, low, *seen[:-1], 0.01).verdict != "same"
