"""Ratios of verified pairs, fitted to their collection without its labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.api import Index
from dieindex.calibration.adaptation import (
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
from dieindex.calibration.context import context
from dieindex.calibration.fusion import VERIFIED, Fusion
from dieindex.calibration.prior import estimate_prior, probability
from dieindex.encoder.weights import read_card
from dieindex.evaluation.probabilities import log_loss
from dieindex.numeric import log_odds
from dieindex.storage.details import DetailStore
from dieindex.verification.candidates import sampled_pairs
from dieindex.verification.score_pairs import vectors_of


def collection(
    seed: int, different: tuple[float, float], same: tuple[float, float], pairs: int = 40_000
) -> tuple[np.ndarray, np.ndarray]:
    """Ratios, and which are of one die: one in a hundred."""
    rng = np.random.default_rng(seed)
    few = pairs // 100
    ratio = np.concatenate([rng.normal(*different, pairs), rng.normal(*same, few)])
    return ratio, np.arange(len(ratio)) >= pairs


def fitted(ratio: np.ndarray, **options: np.ndarray) -> Fitted:
    one = np.zeros(len(ratio), np.int64)
    return fitted_ratios(ratio, len(ratio), np.ones(len(ratio), bool), one, **options)


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
    """200 sure pairs of one die at 11 nats; the others at -12 and -8, half and half."""
    ratio = np.r_[np.full(200, 11.0), np.full(2000, -12.0), np.full(2000, -8.0)]
    says = (200 * 11 + TYPICAL_PAIRS * TYPICAL) / (200 + TYPICAL_PAIRS)
    spread = np.sqrt((4000 * 2.0**2 + SPREAD_PAIRS * SPREAD**2) / (4000 + SPREAD_PAIRS))
    of_typical, of_spread = OF_TYPICAL * (says - TYPICAL), OF_SPREAD * (spread - SPREAD)
    assert abs(of_typical) > 0.3
    assert of_spread > 0.5
    assert shift_of(ratio) == pytest.approx(SHIFT + of_typical + of_spread, abs=SHIFT_STEP / 2)


def test_shift_and_prior_come_in_steps_and_the_shift_has_bounds() -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        ratio, _ = collection(seed, (-5.0, rng.uniform(2.0, 2.8)), (rng.uniform(4, 8), 2.0), 9000)
        for value, step in (
            (shift_of(ratio), SHIFT_STEP),
            (log_odds(fitted(ratio).prior), PRIOR_STEP),
        ):
            assert value / step == pytest.approx(round(value / step), abs=1e-6)
    wide, _ = collection(0, (-5.0, 6.0), (6.5, 2.0))
    assert shift_of(wide) == pytest.approx(-MOST_SHIFT)


def test_it_is_read_again_with_what_was_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worn pairs of one die count only once the first round has raised them."""
    ratio, same = collection(0, (-4.0, 1.9), (3.0, 2.2))
    twice = fitted(ratio).prior
    monkeypatch.setattr("dieindex.calibration.adaptation.ROUNDS", 1)
    once = fitted(ratio).prior
    assert abs(np.log(twice / same.mean())) < abs(np.log(once / same.mean())) - 0.03


def test_types_that_differ_are_no_spread() -> None:
    """Two types on frames of their own, the dies of one farther apart than those of the other."""
    rng = np.random.default_rng(0)
    near, far = rng.normal(-4.0, 2.35, 9000), rng.normal(-8.0, 2.35, 9000)
    ratio, frame = np.r_[near, far, rng.normal(7, 2, 180)], np.arange(18_180) % 18_000 // 9000
    every = np.ones(len(ratio), bool)
    found = fitted_ratios(ratio, len(ratio), every, frame).log_likelihood_ratio
    by_type = float(np.median(found - SLOPE * ratio))
    assert by_type == pytest.approx(shift_of(np.r_[near, rng.normal(7, 2, 90)]), abs=0.15)
    assert shift_of(ratio) < by_type - 0.5


def test_of_nothing_it_expects_what_is_usual() -> None:
    none = fitted(np.zeros(0))
    assert len(none.log_likelihood_ratio) == 0
    assert log_odds(none.prior) == pytest.approx(log_odds(0.05), abs=PRIOR_STEP)
    assert typical(np.zeros(0), np.zeros(0)) == TYPICAL


def test_pairs_that_were_not_scored_stay_and_teach_hardly_anything() -> None:
    ratio, _ = collection(0, (-5.0, 2.3), (6.5, 2.0))
    scored, one = np.arange(len(ratio)) % 3 > 0, np.zeros(len(ratio), np.int64)
    found = fitted_ratios(ratio, len(ratio), scored, one)
    np.testing.assert_array_equal(found.log_likelihood_ratio[~scored], ratio[~scored])
    wild = np.where(scored, ratio, -7.0)
    again = fitted_ratios(wild, len(wild), scored, one)
    gained = again.log_likelihood_ratio[scored] - found.log_likelihood_ratio[scored]
    assert np.abs(gained).max() <= 2 * SHIFT_STEP + 1e-9
    alone = fitted_ratios(ratio, len(ratio), np.zeros(len(ratio), bool), one)
    np.testing.assert_array_equal(alone.log_likelihood_ratio, ratio)


def test_of_a_shortlist_the_spread_is_read_from_the_sampled_pairs() -> None:
    """The nearest of different dies crowd together; they must not pass for the collection's."""
    ratio, same = collection(0, (-5.0, 2.3), (6.5, 2.0))
    sampled = np.arange(len(ratio)) % 20 == 0
    listed = sampled | same | (ratio > -4.0)
    ratio, sampled, in_all = ratio[listed], sampled[listed], len(ratio)
    every, one = np.ones(len(ratio), bool), np.zeros(len(ratio), np.int64)
    by_sampled = fitted_ratios(ratio, in_all, every, one, sampled=sampled)
    shift = float(np.median(by_sampled.log_likelihood_ratio - SLOPE * ratio))
    whole, _ = collection(0, (-5.0, 2.3), (6.5, 2.0))
    assert shift == pytest.approx(shift_of(whole), abs=0.4)
    misled = fitted_ratios(ratio, in_all, every, one)
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


@pytest.mark.parametrize("large", [False, True])
def test_an_index_fits_its_verified_pairs(
    data: Path, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is learned of pairs, their frames, and which were sampled goes in; what comes out is
    what context, prior and table go by."""
    given: list[dict[str, Any]] = []
    outcome: list[Fitted] = []

    def spy(ratio, total, verified, frame, *, sampled):  # type: ignore[no-untyped-def]
        given.append({"ratio": ratio, "verified": verified, "frame": frame, "sampled": sampled})
        outcome.append(Fitted(ratio + np.linspace(0.5, 1.5, len(ratio)), 0.123))
        return outcome[-1]

    monkeypatch.setattr("dieindex.calibration.judge_pairs.fitted_ratios", spy)
    if large:
        for name, value in (("ALL_PAIRS_UP_TO", 3), ("NEAREST", 7), ("SAMPLED", 8)):
            monkeypatch.setattr(f"dieindex.verification.candidates.{name}", value)
    index = Index(data.parent / "indexes" / "data")
    found, rows = index.pairs("obverse"), index.faces("obverse")
    table, judged = found.table, found.judged
    fusion = Fusion.from_json(read_card().calibration_for(VERIFIED))
    with DetailStore.open(index.folder) as store:
        scored = store.pair_scores(rows.ids)
    logit = dict(zip(zip(scored.first, scored.second, strict=True), scored.logit, strict=True))
    of = [logit[rows.ids[a], rows.ids[b]] for a, b in zip(table.first, table.second, strict=True)]
    learned = fusion.log_likelihood_ratio(table.distance, np.array(of))
    assert 2 < found.verified.sum() < len(table)
    np.testing.assert_array_equal(given[0]["ratio"], learned[judged])
    np.testing.assert_array_equal(given[0]["verified"], found.verified[judged])
    np.testing.assert_array_equal(given[0]["frame"], rows.frame[table.first][judged])
    sampled = set(zip(*sampled_pairs(vectors_of(rows)), strict=True))
    listed = zip(table.first[judged].tolist(), table.second[judged].tolist(), strict=True)
    expected = [not large or pair in sampled for pair in listed]
    assert given[0]["sampled"].tolist() == expected
    assert set(expected) == ({True, False} if large else {True})

    np.testing.assert_array_equal(
        table.log_likelihood_ratio[judged], outcome[0].log_likelihood_ratio
    )
    assert found.prior == outcome[0].prior
    assert found.in_context is not None
    ratio = table.log_likelihood_ratio
    beside = context(len(rows), table.first, table.second, ratio, found.prior, judged)
    in_context = np.where(found.verified, fusion.in_context(ratio, beside), ratio)
    np.testing.assert_allclose(found.in_context, in_context)
    # Of what rests on the vectors alone nothing is fitted.
    index.pairs("obverse", verify=False)
    assert len(given) == 1


def test_pairs_across_frames_count_in_all_pairs(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if each face lay on a frame of its own: nothing says that half of the pairs are one
    die."""
    rows = Index(data.parent / "indexes" / "data").faces("obverse")
    apart = replace(rows, frame=np.arange(len(rows)))
    monkeypatch.setattr(Index, "faces", lambda *_: apart)
    for most in (600, 3):
        monkeypatch.setattr("dieindex.verification.candidates.ALL_PAIRS_UP_TO", most)
        found = Index(data.parent / "indexes" / "data").pairs("obverse")
        assert not found.verified.any()
        assert found.prior < 0.3


def test_what_is_no_ratio_is_refused() -> None:
    with pytest.raises(ValueError, match="not a number"):
        fitted(np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match="only 1 exist"):
        fitted_ratios(np.zeros(2), 1, np.ones(2, bool), np.zeros(2, np.int64))
