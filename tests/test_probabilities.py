"""Measures of probabilities against scikit-learn, brute force and cases worked by hand."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
import sklearn.metrics as sk

from dieindex.evaluation.probabilities import (
    brier_score,
    calibration_error,
    log_loss,
    reliability_curve,
)


def test_calibration_error_sees_overconfidence_and_forgives_honesty():
    rng = np.random.default_rng(3)
    p = rng.random(20_000)
    same = rng.random(20_000) < p
    assert calibration_error(p, same) < 0.015
    bold = np.clip(1.5 * (p - 0.5) + 0.5, 0, 1)
    assert calibration_error(bold, same) > 0.08
    curve = reliability_curve(p, same, bins=10)
    assert curve.pairs.tolist() == [2000.0] * 10
    assert np.abs(curve.claimed - curve.observed).max() < 0.05


def test_calibration_error_by_hand_and_in_any_order():
    # One bin a half: claims 0.2 against 1/2, and 0.9 against 1.
    p, same = [0.2, 0.2, 0.9, 0.9], [True, False, True, True]
    assert calibration_error(p, same, bins=2) == pytest.approx((0.3 + 0.1) / 2)
    # Equal claims spread over several bins: which pair comes first must not matter.
    rng = np.random.default_rng(0)
    p, same = rng.choice([0.0, 0.1, 0.9], 200), rng.random(200) < 0.3
    shuffled = rng.permutation(200)
    assert calibration_error(p, same) == pytest.approx(
        calibration_error(p[shuffled], same[shuffled])
    )


def test_probability_scores_agree_with_scikit_learn():
    rng = np.random.default_rng(4)
    p, same = rng.random(300), rng.random(300) < 0.4
    assert brier_score(p, same) == pytest.approx(sk.brier_score_loss(same, p))
    assert log_loss(p, same) == pytest.approx(sk.log_loss(same, p))
    assert log_loss([0.0], [True]) == pytest.approx(12 * math.log(10))
    for metric in (brier_score, log_loss, calibration_error):
        assert math.isnan(metric([], []))
        with pytest.raises(ValueError, match="0…1"):
            metric([1.2], [True])
        with pytest.raises(ValueError, match="0…1"):
            metric([math.nan], [True])


def test_evaluation_loads_no_heavy_package():
    code = (
        "import sys, dieindex.evaluation.scores, dieindex.evaluation.intervals;"
        "print([m for m in ('sklearn', 'scipy', 'torch', 'pandas', 'faiss') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
