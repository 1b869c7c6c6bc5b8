"""Judging the pairs of a collection: a pure function of vectors, frames and scores."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dieindex.calibration.distance import Calibration
from dieindex.calibration.fusion import VERIFIED, Fusion
from dieindex.calibration.judge_pairs import (
    JudgedPairs,
    in_context,
    judge_alone,
    judge_pairs,
    judge_together,
    pairs_in_all,
)
from dieindex.calibration.prior import probability
from dieindex.encoder.weights import INDEX, read_card
from dieindex.errors import RefitError
from dieindex.verification.candidates import CandidatePairs, FaceVectors, all_pairs
from dieindex.verification.scorer import PairScores

CALIBRATION = Calibration.from_json(read_card().calibration_for(INDEX))
FUSION = Fusion.from_json(read_card().calibration_for(VERIFIED))
DIES = np.repeat(np.arange(15), 3)


def faces(frame: int | np.ndarray = 0) -> FaceVectors:
    """Faces of fifteen dies, three each, those of one near each other."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(15, 64))[DIES] + 0.5 * rng.normal(size=(45, 64))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    on = np.full(45, frame) if isinstance(frame, int) else frame
    return FaceVectors(np.arange(45), vectors.astype(np.float32), on)


def scores(candidates: CandidatePairs) -> PairScores:
    """What a good comparator says."""
    same = DIES[candidates.first] == DIES[candidates.second]
    return PairScores(np.where(same, 4.0, -6.0), np.full(len(same), 1.0))


def judged(of: FaceVectors, **options: object) -> JudgedPairs:
    candidates = all_pairs(of.vectors)
    return judge_pairs(
        candidates,
        scores(candidates),
        of,
        calibration=CALIBRATION,
        fusion=FUSION,
        **options,  # type: ignore[arg-type]
    )


def test_vectors_alone_and_scores_find_the_pairs_of_one_die() -> None:
    of = faces()
    alone = judge_pairs(all_pairs(of.vectors), None, of, calibration=CALIBRATION)
    assert alone.in_context is None
    assert not alone.verified.any()
    verified = judged(of)
    assert verified.in_context is not None
    assert verified.verified.all()
    same = DIES[verified.table.first] == DIES[verified.table.second]
    for found in (alone, verified):
        assert found.n == 45
        assert len(found) == 990
        assert found.judged.all()
        assert found.probability[same].min() > found.probability[~same].max()
    np.testing.assert_array_equal(
        verified.probability, probability(verified.in_context, verified.prior)
    )
    assert 0.03 < verified.prior < 0.07


def test_of_a_pair_that_was_not_scored_the_vectors_speak_and_of_one_that_shows_little_nothing() -> (
    None
):
    of = faces()
    candidates = all_pairs(of.vectors)
    said = scores(candidates)
    said.logit[0] = said.shared[0] = np.nan
    said.shared[1] = 0.5 * FUSION.least_shared
    found = judge_pairs(candidates, said, of, calibration=CALIBRATION, fusion=FUSION)
    alone = judge_pairs(candidates, None, of, calibration=CALIBRATION)
    own = found.table.log_likelihood_ratio
    assert (found.judged[0], found.verified[0]) == (True, False)
    assert own[0] == alone.table.log_likelihood_ratio[0]
    assert (found.judged[1], found.verified[1], own[1]) == (False, False, 0.0)
    assert found.probability[1] == pytest.approx(found.prior)
    assert found.judged[2:].all()


def test_a_face_on_no_frame_is_judged_by_nothing() -> None:
    frame = np.zeros(45, np.int64)
    frame[7] = -1
    found = judge_pairs(all_pairs(faces().vectors), None, faces(frame), calibration=CALIBRATION)
    lost = (found.table.first == 7) | (found.table.second == 7)
    np.testing.assert_array_equal(found.judged, ~lost)
    np.testing.assert_allclose(found.probability[lost], found.prior)


def test_in_all_are_pairs_of_one_frame_listed_or_not_and_others_that_were_judged() -> None:
    frame = np.repeat([0, 1, -1], 15)
    of = faces(frame)
    candidates = all_pairs(of.vectors)
    few = CandidatePairs(*(each[:60] for each in vars(candidates).values()))
    found = judge_pairs(few, None, of, calibration=CALIBRATION)
    across = (frame[few.first] == 0) & (frame[few.second] == 1)
    assert pairs_in_all(found, frame) == 105 + 105 + across.sum()  # type: ignore[arg-type]


def test_labels_calibrate_cross_fitted_and_context_has_no_say() -> None:
    found = judged(faces(), labels=DIES.tolist())
    assert found.in_context is None
    plain = judged(faces())
    assert not np.array_equal(found.table.log_likelihood_ratio, plain.table.log_likelihood_ratio)
    with pytest.raises(RefitError, match="label more coins"):
        judged(faces(), labels=[0, 0, 1, 1] + [None] * 41)


def test_the_same_in_gives_the_same_out() -> None:
    one, other = judged(faces()), judged(replace(faces()))
    np.testing.assert_array_equal(one.probability, other.probability)


def test_scores_need_a_fusion() -> None:
    of = faces()
    candidates = all_pairs(of.vectors)
    with pytest.raises(ValueError, match="a fusion"):
        judge_pairs(candidates, scores(candidates), of, calibration=CALIBRATION)


def test_what_is_not_adapted_is_judged_as_learned() -> None:
    of = faces()
    candidates = all_pairs(of.vectors)
    alone = judge_alone(candidates, None, of, calibration=CALIBRATION, adapt=False)
    learned = CALIBRATION.log_likelihood_ratio(candidates.distance)
    np.testing.assert_array_equal(alone.table.log_likelihood_ratio, learned)
    fitted = judge_alone(candidates, None, of, calibration=CALIBRATION)
    assert (fitted.table.log_likelihood_ratio != learned).any()


@pytest.mark.parametrize("verified", [False, True])
def test_a_prior_that_is_given_is_not_estimated_and_the_ratios_stay(verified: bool) -> None:
    of = faces()
    candidates = all_pairs(of.vectors)
    scored = scores(candidates) if verified else None
    alone = judge_alone(candidates, scored, of, calibration=CALIBRATION, fusion=FUSION)
    found = judge_together(alone, of.frame, candidates.sampled, fusion=FUSION, prior=0.2)
    ratio = in_context(45, alone, FUSION, 0.2) if verified else alone.table.log_likelihood_ratio
    assert found.prior == 0.2
    assert found.table is alone.table
    np.testing.assert_array_equal(found.probability, probability(ratio, 0.2))
