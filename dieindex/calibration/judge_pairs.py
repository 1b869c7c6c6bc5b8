"""From scores to probabilities: the first half of the method, the other is ``find_dies``.

``judge_pairs`` is a pure function of the faces' vectors and frames, the candidate pairs and what
the comparator said of them. The command line, the benchmarks and the tests all call it, so that
what is measured is what is used.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dieindex.calibration.adaptation import fitted_ratios
from dieindex.calibration.context import context
from dieindex.calibration.crossfit import cross_fitted_pairs
from dieindex.calibration.distance import Calibration
from dieindex.calibration.distance_adaptation import adapted
from dieindex.calibration.fusion import Fusion
from dieindex.calibration.prior import estimate_prior, probability
from dieindex.records import Flags, Floats, Ints, PairTable
from dieindex.verification.candidates import CandidatePairs, FaceVectors
from dieindex.verification.scorer import PairScores


@dataclass(frozen=True, eq=False)
class JudgedPairs:
    """The judged pairs of ``n`` faces of one side; all arrays ``(m,)``.

    ``table`` holds positions, distance 0…2, and each pair's own log-likelihood ratio, fitted to
    the collection; ``in_context`` are the ratios with what the other coins say, None where they
    have no say. ``probability`` 0…1 of one die is taken at ``prior``, the share of same-die pairs
    among all. ``judged`` is False where nothing can be told (the probability is the prior then),
    ``verified`` True where the dense descriptors were compared and not only the vectors.
    """

    n: int
    table: PairTable
    in_context: Floats | None
    probability: Floats
    prior: float
    judged: Flags
    verified: Flags

    def __len__(self) -> int:
        return len(self.table)


@dataclass(frozen=True, eq=False)
class Judgement:
    """Pairs judged each by itself, as learned on collections of all kinds or fitted to one.

    ``judged`` ``(m,)`` is False where nothing could be told (the ratio is 0 then), ``verified``
    ``(m,)`` True where the dense descriptors were compared and not only the vectors.
    """

    table: PairTable
    judged: Flags
    verified: Flags


def judge_pairs(
    candidates: CandidatePairs,
    scores: PairScores | None,
    faces: FaceVectors,
    *,
    calibration: Calibration,
    fusion: Fusion | None = None,
    labels: Sequence[Hashable] | None = None,
) -> JudgedPairs:
    """The pairs of a collection with their probabilities; the prior is estimated from them.

    ``scores`` are the comparator's, weighed by ``fusion``; without them the vectors decide alone.
    ``calibration`` is the encoder's; here it is adapted to how the collection's faces lie
    (``distance_adaptation``), and the ratios of verified pairs are fitted to the collection
    (``adaptation``) and weighed in its context (``context``).

    ``labels`` ``(n,)``, one die a face and None where unknown, calibrate in the place of all that:
    ratios are fitted on them, cross-fitted over dies, so that no pair is judged by what its own
    dies taught. Raises RefitError where they are too few, and ValueError for scores without a
    fusion.
    """
    alone = judge_alone(candidates, scores, faces, calibration=calibration, fusion=fusion)
    return judge_together(alone, faces.frame, candidates.sampled, fusion=fusion, labels=labels)


def judge_together(
    alone: Judgement,
    frame: Ints,
    sampled: Flags,
    *,
    fusion: Fusion | None = None,
    labels: Sequence[Hashable] | None = None,
    prior: float | None = None,
) -> JudgedPairs:
    """Pairs that were judged each by itself, judged as a collection; see ``judge_pairs``.

    ``frame`` ``(n,)`` is each face's, −1 where on none; ``sampled`` ``(m,)`` are the pairs that
    were listed whatever their distance. Where the share of same-die pairs is given as ``prior``,
    0…1, it is not estimated, and the ratios are taken as they are. Raises ValueError for verified
    pairs without a fusion.
    """
    verified = bool(alone.verified.any())
    if labels is not None:
        # (Of pairs that were not judged nothing can be learned.)
        table = cross_fitted_pairs(alone.table, labels, alone.judged, verified=verified)
        alone = replace(alone, table=table)
    in_all = pairs_in_all(alone, frame)
    together = None
    if verified and labels is None:
        # (Fitted on labels, a pair would be judged in context by what its own dies taught.)
        if fusion is None:
            raise ValueError("verified pairs need a fusion that weighs what other coins say")
        if prior is None:
            alone, prior = fit_to_collection(alone, in_all, frame, sampled)
        together = in_context(len(frame), alone, fusion, prior)
    elif prior is None:
        prior = estimate_prior(alone.table.log_likelihood_ratio[alone.judged], in_all)
    table = alone.table
    p = probability(table.log_likelihood_ratio if together is None else together, prior)
    return JudgedPairs(len(frame), table, together, p, prior, alone.judged, alone.verified)


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

    Where a face lies on no frame, or both together show too little, nothing is told. Without
    ``adapt`` the calibration is taken as it is, whatever the collection's faces show.
    """
    fitting = adapted(calibration, faces.vectors, faces.frame) if adapt else calibration
    judged = faces.aligned[candidates.first] & faces.aligned[candidates.second]
    ratio = np.where(judged, fitting.log_likelihood_ratio(candidates.distance), 0.0)
    verified = np.zeros(len(candidates), bool)
    if scores is not None:
        if fusion is None:
            raise ValueError("scores need a fusion that weighs them")
        done = scores.done
        verified = done & (scores.shared >= fusion.least_shared)
        ratio[done] = 0.0
        ratio[verified] = fusion.log_likelihood_ratio(
            candidates.distance[verified], scores.logit[verified]
        )
        judged = judged & ~(done & ~verified)
    table = PairTable(candidates.first, candidates.second, candidates.distance, ratio)
    return Judgement(table, judged, verified)


def pairs_in_all(judgement: Judgement, frame: Ints) -> int:
    """How many pairs of the collection could share a die.

    Of those on one frame (``frame`` ``(n,)``, −1: on none) all, listed or not; of others those that
    were judged.
    """
    table = judgement.table
    sizes = np.unique(frame[frame >= 0], return_counts=True)[1]
    across = frame[table.first] != frame[table.second]
    return int((sizes * (sizes - 1) // 2).sum() + (across & judgement.judged).sum())


def fit_to_collection(
    judgement: Judgement, n_pairs_total: int, frame: Ints, sampled: Flags
) -> tuple[Judgement, float]:
    """A judgement with its ratios fitted to their collection, and the share of same-die pairs.

    ``frame`` ``(n,)`` is each face's, ``sampled`` ``(m,)`` as in ``fitted_ratios``; pairs of which
    nothing could be told stay as they are.
    """
    table, judged = judgement.table, judgement.judged
    fitted = fitted_ratios(
        table.log_likelihood_ratio[judged],
        n_pairs_total,
        judgement.verified[judged],
        frame[table.first][judged],
        sampled=sampled[judged],
    )
    ratio = table.log_likelihood_ratio.copy()
    ratio[judged] = fitted.log_likelihood_ratio
    return replace(judgement, table=replace(table, log_likelihood_ratio=ratio)), fitted.prior


def in_context(n: int, judgement: Judgement, fusion: Fusion, prior: float) -> Floats:
    """The ratios ``(m,)`` of verified pairs of ``n`` faces with the word of the other coins weighed
    in; those of other pairs stay. ``prior`` is the share of same-die pairs."""
    table = judgement.table
    ratio = table.log_likelihood_ratio
    beside = context(n, table.first, table.second, ratio, prior, judgement.judged)
    return np.where(judgement.verified, fusion.in_context(ratio, beside), ratio)
