"""Judging the pairs of a collection: a pure function of vectors, frames and scores."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dieindex.calibration.distance import Calibration
from dieindex.calibration.fusion import VERIFIED, Fusion
from dieindex.calibration.judge_pairs import (
    JudgedPairs,
    judge_alone,
    judge_pairs,
    judge_together,
)
from dieindex.calibration.two_kinds import EXPECTED, TwoKinds, fit_two_kinds, rounded
from dieindex.encoder.weights import INDEX, read_card
from dieindex.errors import RefitError
from dieindex.verification.candidates import (
    LISTED,
    NEAREST,
    CandidatePairs,
    FaceVectors,
    all_pairs,
)
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
    assert not alone.verified.any()
    assert not alone.readable
    verified = judged(of)
    assert verified.verified.all()
    assert verified.readable
    same = DIES[verified.table.first] == DIES[verified.table.second]
    for found in (alone, verified):
        assert found.n == 45
        assert len(found) == 990
        assert found.judged.all()
        assert found.score[same].min() > found.score[~same].max()
    assert 0.03 < verified.prior < 0.07


def test_how_verified_pairs_lie_is_read_from_their_scores() -> None:
    of = faces()
    candidates = all_pairs(of.vectors)
    found = judged(of)
    score = FUSION.score(candidates.distance, scores(candidates).logit)
    np.testing.assert_array_equal(found.score, score)
    assert found.kinds == rounded(fit_two_kinds(score, 990))
    np.testing.assert_array_equal(
        found.table.log_likelihood_ratio, found.kinds.log_likelihood_ratio(score)
    )
    assert found.in_all == 990
    assert found.nearest is None


def test_where_only_vectors_speak_a_score_says_as_much_as_their_ratio() -> None:
    of = faces()
    found = judge_pairs(all_pairs(of.vectors), None, of, calibration=CALIBRATION)
    ratio = found.table.log_likelihood_ratio
    np.testing.assert_allclose(found.kinds.log_likelihood_ratio(found.score), ratio, atol=0.02)
    assert found.kinds == replace(TwoKinds(), share=found.prior)
    assert 0.02 < found.prior < 0.1


def test_of_a_part_of_the_pairs_the_nearest_of_each_coin_are_listed_or_compared() -> None:
    of = faces()
    candidates = all_pairs(of.vectors)
    few = CandidatePairs(*(each[:60] for each in vars(candidates).values()))
    assert judge_pairs(few, None, of, calibration=CALIBRATION).nearest == LISTED
    compared = np.arange(len(candidates)) % 3 == 0
    scores = PairScores(np.full(len(compared), -3.0), np.ones(len(compared))).only(compared)
    found = judge_pairs(candidates, scores, of, calibration=CALIBRATION, fusion=FUSION)
    assert found.nearest == NEAREST
    np.testing.assert_array_equal(found.frame, of.frame)
    every = judge_pairs(
        candidates,
        PairScores(np.full(len(compared), -3.0), np.ones(len(compared))),
        of,
        calibration=CALIBRATION,
        fusion=FUSION,
    )
    assert every.nearest is None


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
    assert found.kinds.log_likelihood_ratio(found.score[0]) == pytest.approx(own[0], abs=0.02)
    assert found.judged[2:].all()


def test_a_face_on_no_frame_is_judged_by_nothing() -> None:
    frame = np.zeros(45, np.int64)
    frame[7] = -1
    found = judge_pairs(all_pairs(faces().vectors), None, faces(frame), calibration=CALIBRATION)
    lost = (found.table.first == 7) | (found.table.second == 7)
    np.testing.assert_array_equal(found.judged, ~lost)
    np.testing.assert_array_equal(found.table.log_likelihood_ratio[lost], 0.0)
    assert found.in_all == 44 * 43 // 2


def test_of_faces_on_two_frames_nothing_is_told_unless_they_were_aligned_to_each_other() -> None:
    """Not by their vectors, also where these say that they are of one die."""
    frame = np.repeat([0, 1, -1], 15)
    of = faces(frame)
    candidates = all_pairs(of.vectors)
    on = (frame[candidates.first] == frame[candidates.second]) & (frame[candidates.first] >= 0)
    found = judge_pairs(candidates, None, of, calibration=CALIBRATION)
    np.testing.assert_array_equal(found.judged, on)
    np.testing.assert_array_equal(found.table.log_likelihood_ratio[~on], 0.0)
    assert found.table.log_likelihood_ratio[on].min() < 0 < found.table.log_likelihood_ratio.max()
    few = CandidatePairs(*(each[:60] for each in vars(candidates).values()))
    assert judge_pairs(few, None, of, calibration=CALIBRATION).in_all == 2 * 105
    aligned = np.flatnonzero(frame[candidates.first] != frame[candidates.second])[:3]
    nothing = np.full(len(candidates), np.nan)
    logit, shared = nothing.copy(), nothing.copy()
    logit[aligned], shared[aligned] = 9.0, 1.0
    compared = PairScores(logit, shared)
    known = judge_pairs(candidates, compared, of, calibration=CALIBRATION, fusion=FUSION)
    assert known.judged[aligned].all()
    assert known.verified[aligned].all()
    assert known.in_all == 2 * 105 + 3


def test_labels_calibrate_cross_fitted_and_nothing_is_read_from_the_scores() -> None:
    found = judged(faces(), labels=DIES.tolist())
    assert not found.readable
    assert found.kinds == replace(TwoKinds(), share=found.prior)
    ratio = found.table.log_likelihood_ratio
    assert not np.array_equal(ratio, judged(faces()).table.log_likelihood_ratio)
    same = DIES[found.table.first] == DIES[found.table.second]
    assert ratio[same].min() > ratio[~same].max()
    np.testing.assert_allclose(found.kinds.log_likelihood_ratio(found.score), ratio, atol=0.02)
    with pytest.raises(RefitError, match="label more coins"):
        judged(faces(), labels=[0, 0, 1, 1] + [None] * 41)


def test_the_same_in_gives_the_same_out() -> None:
    one, other = judged(faces()), judged(replace(faces()))
    np.testing.assert_array_equal(one.score, other.score)
    assert one.kinds == other.kinds


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


def test_what_is_expected_of_collections_may_be_given() -> None:
    of = faces()
    candidates = all_pairs(of.vectors)
    alone = judge_alone(candidates, scores(candidates), of, calibration=CALIBRATION, fusion=FUSION)
    other = replace(EXPECTED, place_spread=0.01, place=8.0)
    found = judge_together(alone, of.frame, candidates.sampled, expected=other)
    assert found.kinds.expected is other
    assert found.kinds.place == pytest.approx(8.0, abs=0.1)


def test_the_pairs_that_were_drawn_stand_for_all_that_were_not_compared() -> None:
    of = faces()
    every = all_pairs(of.vectors)
    row = np.arange(len(every))
    drawn, near = row % 4 == 0, (row % 4 == 1) & (row < 240)
    kept = drawn | near
    candidates = CandidatePairs(*(each[kept] for each in vars(every).values()))
    alone = judge_alone(candidates, scores(candidates), of, calibration=CALIBRATION, fusion=FUSION)
    same, sampled = DIES[candidates.first] == DIES[candidates.second], drawn[kept]
    # The near ones are told apart badly: they are sixty of 990, and not of the 308 compared.
    moved = np.where(sampled | same, alone.score, alone.score + 6.0)
    found = judge_together(replace(alone, score=moved), of.frame, sampled)
    expected = float(np.median(alone.score[sampled & ~same]))
    assert found.in_all == 990
    assert found.kinds.centre == pytest.approx(expected, abs=0.6)
    alike = judge_together(replace(alone, score=moved), of.frame, sampled | True)
    assert alike.kinds.right > found.kinds.right + 0.5
