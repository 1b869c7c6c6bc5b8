"""From a distance to a log-likelihood ratio."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dieindex.calibration.distance import Calibration, fit_calibration
from dieindex.calibration.prior import probability
from dieindex.errors import EncoderError


def gaussian_distances(rng, same=400, different=20_000):
    return (
        np.clip(rng.normal(0.5, 0.15, same), 0, 2),
        np.clip(rng.normal(1.0, 0.15, different), 0, 2),
    )


def test_calibration_recovers_the_true_ratio_between_gaussians():
    rng = np.random.default_rng(0)
    calibration = fit_calibration(*gaussian_distances(rng, 4000, 40_000))
    d = np.linspace(0.55, 0.95, 9)
    # Equal spreads s: the log ratio is a line, (1.0 − 0.5)(0.75 − d) / s².
    truth = 0.5 * (0.75 - d) / 0.15**2
    assert np.abs(calibration.log_likelihood_ratio(d) - truth).max() < 0.6
    assert calibration.threshold == pytest.approx(0.75, abs=0.03)
    assert (calibration.same_pairs, calibration.different_pairs) == (4000, 40_000)


def test_probabilities_are_calibrated_on_fresh_pairs_at_another_prior():
    from dieindex.evaluation.probabilities import calibration_error

    rng = np.random.default_rng(1)
    calibration = fit_calibration(*gaussian_distances(rng, 500, 20_000))
    same, different = gaussian_distances(rng, 3000, 27_000)
    p = probability(calibration.log_likelihood_ratio(np.concatenate([same, different])), 0.1)
    assert calibration_error(p, np.arange(30_000) < 3000) < 0.01


DISTANCES = st.lists(st.floats(0, 2), min_size=1, max_size=60)


@given(DISTANCES, DISTANCES)
def test_every_fit_is_monotone_finite_and_survives_json(same, different):
    calibration = fit_calibration(same, different)
    ratios = calibration.log_likelihood_ratio(np.linspace(0, 2, 101))
    assert np.isfinite(ratios).all()
    assert (np.diff(ratios) <= 1e-12).all()
    assert Calibration.from_json(calibration.to_json()) == calibration


def test_probabilities_rank_pairs_as_their_distances_do():
    """Plateaus would tie pairs and cost average precision."""
    rng = np.random.default_rng(2)
    same, different = gaussian_distances(rng, 300, 5000)
    calibration = fit_calibration(same, different)
    distance = np.sort(np.unique(np.concatenate([same, different])))
    p = probability(calibration.log_likelihood_ratio(distance), 0.02)
    assert (np.diff(p) < 0).all()


def test_few_pairs_never_claim_certainty():
    calibration = fit_calibration([0.1] * 3, [1.5] * 3)
    assert 0 < calibration.log_likelihood_ratio(0.1) < 3
    assert -3 < calibration.log_likelihood_ratio(1.5) < 0
    # Rounding may carry a distance a little beyond 2.
    opposite = fit_calibration([0.1] * 30, [2.0 + 5e-7] * 90)
    assert opposite == fit_calibration([0.1] * 30, [2.0] * 90)
    assert opposite.log_likelihood_ratio(0.1) > 3
    # An encoder that says nothing says so.
    level = fit_calibration([1.0] * 50, [1.0] * 5000)
    assert level.log_likelihood_ratio(0.2) == pytest.approx(0.0, abs=0.01)


def test_no_claim_beyond_the_data():
    calibration = Calibration((0.4, 0.8), (3.0, -2.0), 0.64)
    assert calibration.log_likelihood_ratio(0.0) == pytest.approx(3.0, abs=0.02)
    assert calibration.log_likelihood_ratio(2.0) == pytest.approx(-2.0, abs=0.02)
    assert calibration.log_likelihood_ratio(0.6) == pytest.approx(0.5)


def test_a_stated_decision_distance_is_kept():
    assert fit_calibration([0.3, 0.4], [0.9, 1.0], threshold=0.5).threshold == 0.5


def test_fitting_refuses_what_it_cannot_use():
    for same, different in [([], [1.0]), ([1.0], []), ([math.nan], [1.0]), ([0.5], [2.5])]:
        with pytest.raises(ValueError, match="calibration needs"):
            fit_calibration(same, different)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 99}, "format 99"),
        ({"distances": [0.8, 0.4]}, "must rise"),
        ({"log_likelihood_ratios": [-2.0, 3.0]}, "must not"),
        ({"distances": [0.4, 3.0]}, "0…2"),
        ({"distances": [0.4]}, "as many"),
        ({"distances": []}, "as many"),
        ({"threshold": math.nan}, "finite"),
        ({"threshold": None}, "damaged"),
        ({"same_pairs": "many"}, "damaged"),
    ],
)
def test_a_damaged_record_is_named(change, message):
    record = json.loads(Calibration((0.4, 0.8), (3.0, -2.0), 0.64).to_json())
    with pytest.raises(EncoderError, match=message):
        Calibration.from_json(json.dumps(record | change))


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"format": 1}', "[" * 100_000])
def test_a_text_that_is_no_record_is_named(text):
    with pytest.raises(EncoderError, match="calibration is damaged"):
        Calibration.from_json(text)
