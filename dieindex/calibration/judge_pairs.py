"""From scores to judged pairs: the first half of the method, before ``clustering.find_dies``.

``judge_pairs`` is a pure function. The command line, the benchmarks and the tests all call it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dieindex.calibration.crossfit import cross_fitted_pairs
from dieindex.calibration.distance import Calibration
from dieindex.calibration.distance_adaptation import adapted
from dieindex.calibration.fusion import Fusion
from dieindex.calibration.prior import estimate_prior
from dieindex.calibration.two_kinds import (
    EXPECTED,
    Expected,
    TwoKinds,
    fit_two_kinds,
    rounded,
)
from dieindex.records import Flags, Floats, Ints, PairTable
from dieindex.verification.candidates import LISTED, NEAREST, CandidatePairs, FaceVectors
from dieindex.verification.scorer import PairScores


@dataclass(frozen=True, eq=False)
class JudgedPairs:
    """The judged pairs of ``n`` faces of one side; all arrays ``(m,)``.

    ``table`` holds positions, distance 0…2, and each pair's own log-likelihood ratio, fitted to
    the collection; ``score`` is what the pair says in the units of ``kinds``, how the collection's
    pairs lie. ``judged`` is False where nothing can be told, ``verified`` True where the dense
    descriptors were compared and not only the vectors. ``sampled`` are the pairs drawn whatever
    their distance, ``in_all`` how many pairs could share a die, listed or not, and ``nearest`` how
    many neighbours of a coin were compared, None where all pairs were. ``readable``: the scores
    show by themselves how the collection's pairs lie, and do so better once its dies are found.
    ``passed`` are the pairs that were passed over, being of no two near coins: they have no part in
    the means that make dies, but for being passed over; None: there are none. ``one_picture`` are
    those whose two pictures are one: they agree as no two strikes do, and say nothing of how
    strikes of one die lie; None: there are none. ``frame`` ``(n,)`` is each face's, −1 where on
    none: only pairs of one frame are near ones; None: all lie on one.
    """

    n: int
    table: PairTable
    score: Floats
    kinds: TwoKinds
    judged: Flags
    verified: Flags
    sampled: Flags
    in_all: int
    nearest: int | None = None
    readable: bool = False
    passed: Flags | None = None
    one_picture: Flags | None = None
    frame: Ints | None = None

    def __len__(self) -> int:
        return len(self.table)

    @property
    def read(self) -> Flags:
        """``(m,)``: the pairs from which it is read how the collection's pairs lie."""
        read = self.verified & self.judged
        return read if self.one_picture is None else read & ~self.one_picture

    @property
    def prior(self) -> float:
        """The share of same-die pairs among all, as the scores alone show it."""
        return self.kinds.share


@dataclass(frozen=True, eq=False)
class Judgement:
    """Pairs judged each by itself, as learned on collections of all kinds.

    ``score`` ``(m,)`` is what the details say without bound, nats, NaN where they were not
    compared. ``judged`` ``(m,)`` is False where nothing could be told (the ratio is 0 then),
    ``verified`` ``(m,)`` True where the dense descriptors were compared and not only the vectors;
    ``passed`` as in ``JudgedPairs``.
    """

    table: PairTable
    score: Floats
    judged: Flags
    verified: Flags
    passed: Flags | None = None


def judge_pairs(
    candidates: CandidatePairs,
    scores: PairScores | None,
    faces: FaceVectors,
    *,
    calibration: Calibration,
    fusion: Fusion | None = None,
    labels: Sequence[Hashable] | None = None,
    one_picture: Flags | None = None,
) -> JudgedPairs:
    """The pairs of a collection, and how they lie there.

    ``scores`` are the comparator's, weighed by ``fusion``; without them the vectors decide alone.
    ``calibration`` is the encoder's; here it is adapted to how the collection's faces lie
    (``distance_adaptation``). How the scores of verified pairs lie is read from these themselves
    (``two_kinds``).

    ``labels`` ``(n,)``, one die a face and None where unknown, calibrate in the place of that:
    ratios are fitted on them, cross-fitted over dies, so that no pair is judged by what its own
    dies taught. Raises RefitError where they are too few, and ValueError for scores without a
    fusion. ``one_picture`` ``(m,)`` are the pairs whose two pictures are one.
    """
    alone = judge_alone(candidates, scores, faces, calibration=calibration, fusion=fusion)
    return judge_together(
        alone, faces.frame, candidates.sampled, labels=labels, one_picture=one_picture
    )


def judge_together(
    alone: Judgement,
    frame: Ints,
    sampled: Flags,
    *,
    labels: Sequence[Hashable] | None = None,
    expected: Expected = EXPECTED,
    one_picture: Flags | None = None,
) -> JudgedPairs:
    """Pairs that were judged each by itself, judged as a collection; see ``judge_pairs``.

    ``frame`` ``(n,)`` is each face's, −1 where on none; ``sampled`` ``(m,)`` are the pairs that
    were drawn whatever their distance; ``expected`` is what is true of collections at large.
    """
    n, table, verified = len(frame), alone.table, alone.verified & alone.judged
    in_all = pairs_in_all(alone, frame)
    passed = alone.passed is not None and bool(alone.passed.any())
    every = len(table) == n * (n - 1) // 2 and not passed
    found = TwoKinds()
    # (What labels taught is a ratio as it is: how scores lie unlabelled has no say in it.)
    if labels is None and verified.any():
        of = verified if one_picture is None else verified & ~one_picture
        own, read = alone.score[of], sampled[of]
        found = rounded(fit_two_kinds(own, in_all, sampled=read, expected=expected))
    ratio = table.log_likelihood_ratio.copy()
    score = np.zeros(len(table))
    if labels is None and verified.any():
        score[verified] = alone.score[verified]
        ratio[verified] = found.log_likelihood_ratio(score[verified])
        by_ratio = ~verified
    else:
        if labels is not None:
            # (Of pairs that were not judged nothing can be learned.)
            fitted = cross_fitted_pairs(table, labels, alone.judged, verified=bool(verified.any()))
            ratio = fitted.log_likelihood_ratio
        found = replace(found, share=estimate_prior(ratio[alone.judged], in_all))
        by_ratio = np.ones(len(table), bool)
    score[by_ratio] = found.score_of(ratio[by_ratio])
    return JudgedPairs(
        n,
        replace(table, log_likelihood_ratio=ratio),
        score,
        found,
        alone.judged,
        alone.verified,
        sampled,
        in_all,
        None if every else NEAREST if passed else LISTED,
        readable=labels is None and bool(verified.any()),
        passed=alone.passed,
        one_picture=one_picture,
        frame=frame,
    )


def judge_alone(
    candidates: CandidatePairs,
    scores: PairScores | None,
    faces: FaceVectors,
    *,
    calibration: Calibration,
    fusion: Fusion | None = None,
    adapt: bool = True,
) -> Judgement:
    """Each pair by itself, by vectors and dense descriptors where these were scored, by the vectors
    elsewhere; see ``judge_pairs``.

    Where a face lies on no frame, or both together show too little, nothing is told. Nor is
    anything told of faces on two frames that were not aligned to each other: they are of two types,
    or one lies wrong, and their vectors were never meant to be compared. (What spoke for one die
    alone was believed once; of many types it joined hundreds of dies by the few pairs that chance
    to be near.) Without ``adapt`` the calibration is taken as it is, whatever the collection's
    faces show.
    """
    fitting = adapted(calibration, faces.vectors, faces.frame) if adapt else calibration
    judged = faces.aligned[candidates.first] & faces.aligned[candidates.second]
    ratio = np.where(judged, fitting.log_likelihood_ratio(candidates.distance), 0.0)
    judged &= faces.frame[candidates.first] == faces.frame[candidates.second]
    ratio[~judged] = 0.0
    verified = np.zeros(len(candidates), bool)
    score = np.full(len(candidates), np.nan)
    if scores is not None:
        if fusion is None:
            raise ValueError("scores need a fusion that weighs them")
        done = scores.done
        verified = done & (scores.shared >= fusion.least_shared)
        ratio[done] = 0.0
        distance = candidates.distance if scores.distance is None else scores.distance
        told = distance[verified], scores.logit[verified]
        score[verified] = fusion.score(*told)
        ratio[verified] = fusion.log_likelihood_ratio(*told)
        # (A pair that was aligned to each other is told whatever frames its faces lie on.)
        judged = (judged | verified) & ~(done & ~verified)
    table = PairTable(candidates.first, candidates.second, candidates.distance, ratio)
    passed = None if scores is None else scores.passed
    return Judgement(table, score, judged, verified, passed)


def pairs_in_all(judgement: Judgement, frame: Ints) -> int:
    """How many pairs of the collection could share a die.

    Of those on one frame (``frame`` ``(n,)``, −1: on none) all, listed or not; of others those that
    were judged.
    """
    table = judgement.table
    sizes = np.unique(frame[frame >= 0], return_counts=True)[1]
    across = frame[table.first] != frame[table.second]
    return int((sizes * (sizes - 1) // 2).sum() + (across & judgement.judged).sum())
