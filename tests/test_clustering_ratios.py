"""Ratios of verified pairs, fitted to their collection without its labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.api import Index
from dieindex.clustering.prior import estimate_prior
from dieindex.clustering.ratios import (
    MOST_SHIFT,
    OF_SPREAD,
    OF_TYPICAL,
    PRIOR_STEP,
    SHIFT,
    SHIFT_STEP,
    SLOPE,
    SPREAD,
    SPREAD_PAIRS,
    TYPICAL,
    TYPICAL_PAIRS,
    Fitted,
    fitted_ratios,
    typical,
)
from dieindex.encoder.weights import read_card
from dieindex.evaluation.metrics import log_loss
from dieindex.index.details import DetailStore
from dieindex.verification.fusion import VERIFIED, Fusion
from dieindex.verification.verdicts import log_odds, probability


def collection(
    seed: int, different: tuple[float, float], same: tuple[float, float], pairs: int = 40_000
) -> tuple[np.ndarray, np.ndarray]:
    """Ratios, and which are of one die: one in a hundred."""
    rng = np.random.default_rng(seed)
    few = pairs // 100
    ratio = np.concatenate([rng.normal(*different, pairs), rng.normal(*same, few)])
    return ratio, np.arange(len(ratio)) >= pairs


def fitted(ratio: np.ndarray, **options: np.ndarray) -> Fitted:
    return fitted_ratios(ratio, len(ratio), np.ones(len(ratio), bool), **options)


def shift_of(ratio: np.ndarray, **options: np.ndarray) -> float:
    return float(np.median(fitted(ratio, **options).log_likelihood_ratio - SLOPE * ratio))


@pytest.mark.parametrize("seed", range(3))
def test_worn_coins_are_understated_and_fresh_ones_are_not(seed: int) -> None:
    """Of worn coins a calibration for all sees a third of the pairs of one die; fitted to them,
    nearly as many as there are, and its probabilities are better for it."""
    ratio, same = collection(seed, (-4.0, 1.9), (4.0, 2.2))
    before, found = estimate_prior(ratio, len(ratio)), fitted(ratio)
    assert before < 0.004
    assert found.prior == pytest.approx(same.mean(), rel=0.3)
    after = log_loss(probability(found.log_likelihood_ratio, found.prior), same)
    assert after < 0.6 * log_loss(probability(ratio, before), same)

    ratio, same = collection(seed, (-6.0, 2.7), (8.5, 2.0))
    assert fitted(ratio).prior == pytest.approx(same.mean(), rel=0.2)
    assert shift_of(ratio) < 0


def test_shift_by_hand() -> None:
    """Two sure pairs of one die at 12 nats; the others at -11 and -9, half and half."""
    ratio = np.r_[12.0, 12.0, np.full(600, -11.0), np.full(600, -9.0)]
    says = (2 * 12 + TYPICAL_PAIRS * TYPICAL) / (2 + TYPICAL_PAIRS)
    spread = np.sqrt((1200 * 1.0 + SPREAD_PAIRS * SPREAD**2) / (1200 + SPREAD_PAIRS))
    expected = SHIFT + OF_TYPICAL * (says - TYPICAL) + OF_SPREAD * (spread - SPREAD)
    expected = min(max(expected, -MOST_SHIFT), MOST_SHIFT)
    assert shift_of(ratio) == pytest.approx(expected, abs=SHIFT_STEP)


def test_of_nothing_it_expects_what_is_usual() -> None:
    none = fitted(np.zeros(0))
    assert len(none.log_likelihood_ratio) == 0
    assert log_odds(none.prior) == pytest.approx(log_odds(0.05), abs=PRIOR_STEP)
    assert typical(np.zeros(0), np.zeros(0)) == TYPICAL


def test_pairs_that_were_not_looked_at_stay_and_teach_hardly_anything() -> None:
    ratio, _ = collection(0, (-5.0, 2.3), (6.5, 2.0))
    looked = np.arange(len(ratio)) % 3 > 0
    found = fitted_ratios(ratio, len(ratio), looked)
    np.testing.assert_array_equal(found.log_likelihood_ratio[~looked], ratio[~looked])
    wild = np.where(looked, ratio, -7.0)
    again = fitted_ratios(wild, len(wild), looked)
    gained = again.log_likelihood_ratio[looked] - found.log_likelihood_ratio[looked]
    assert np.abs(gained).max() <= 2 * SHIFT_STEP + 1e-9
    alone = fitted_ratios(ratio, len(ratio), np.zeros(len(ratio), bool))
    np.testing.assert_array_equal(alone.log_likelihood_ratio, ratio)


def test_of_a_shortlist_the_spread_is_read_from_the_drawn_pairs() -> None:
    """The nearest of different dies crowd together; they must not pass for the collection's."""
    ratio, same = collection(0, (-5.0, 2.3), (6.5, 2.0))
    drawn = np.arange(len(ratio)) % 20 == 0
    listed = drawn | same | (ratio > -4.0)
    ratio, drawn, in_all = ratio[listed], drawn[listed], len(ratio)
    every = np.ones(len(ratio), bool)
    by_drawn = fitted_ratios(ratio, in_all, every, drawn=drawn)
    shift = float(np.median(by_drawn.log_likelihood_ratio - SLOPE * ratio))
    whole, _ = collection(0, (-5.0, 2.3), (6.5, 2.0))
    assert shift == pytest.approx(shift_of(whole), abs=0.4)
    misled = fitted_ratios(ratio, in_all, every)
    assert float(np.median(misled.log_likelihood_ratio - SLOPE * ratio)) > shift + 1.0


def test_a_few_more_coins_hardly_change_it() -> None:
    ratio, _ = collection(1, (-5.0, 2.3), (6.5, 2.0))
    kept = np.random.default_rng(0).random(len(ratio)) < 0.98
    less, more = fitted(ratio[kept]), fitted(ratio)
    assert abs(shift_of(ratio[kept]) - shift_of(ratio)) <= SHIFT_STEP + 1e-9
    assert log_odds(less.prior) == pytest.approx(log_odds(more.prior), abs=2 * PRIOR_STEP)


@given(st.integers(0, 10**6), st.integers(1, 300), st.floats(0.1, 40.0))
@settings(max_examples=60, deadline=None)
def test_order_stays_and_the_shift_is_bounded(seed: int, n: int, spread: float) -> None:
    ratio = np.random.default_rng(seed).normal(-3, spread, n)
    found = fitted(ratio)
    order = np.argsort(ratio)
    assert (np.diff(found.log_likelihood_ratio[order]) >= 0).all()
    assert np.abs(found.log_likelihood_ratio - SLOPE * ratio).max() <= MOST_SHIFT + 1e-9
    assert 0.0 < found.prior <= 0.51


def test_an_index_fits_its_verified_pairs(data: Path) -> None:
    index = Index(data.parent / "indexes" / "data")
    found, rows = index.pairs("obverse"), index.faces("obverse")
    fusion = Fusion.from_json(read_card().calibration_for(VERIFIED))
    with DetailStore.open(index.folder) as store:
        looked = store.judged(rows.ids)
    logit = dict(zip(zip(looked.first, looked.second, strict=True), looked.logit, strict=True))
    table, verified = found.table, found.verified
    of = [logit[rows.ids[a], rows.ids[b]] for a, b in zip(table.first, table.second, strict=True)]
    learned = fusion.log_likelihood_ratio(table.distance, np.array(of))
    assert 2 < verified.sum() < len(table)
    expected = fitted(learned[verified])
    shift = expected.log_likelihood_ratio - SLOPE * learned[verified]
    gained = table.log_likelihood_ratio[verified] - SLOPE * learned[verified]
    np.testing.assert_allclose(gained, shift, atol=2 * SHIFT_STEP)
    # (Of the others nothing was told.)
    assert not found.judged[~verified].any()
    # What labels taught is not fitted again, nor what rests on the vectors alone.
    by_vector = index.pairs("obverse", verify=False).table
    ratio = index.calibration_of("obverse").log_likelihood_ratio(by_vector.distance)
    np.testing.assert_array_equal(by_vector.log_likelihood_ratio, ratio)


def test_what_is_no_ratio_is_refused() -> None:
    with pytest.raises(ValueError, match="not a number"):
        fitted(np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match="only 1 exist"):
        fitted_ratios(np.zeros(2), 1, np.ones(2, bool))
