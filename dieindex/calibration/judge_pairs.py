"""Judge the pairs of a shortlist: each gets a log-likelihood ratio of "same die"."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dieindex.calibration.distance import Calibration
from dieindex.calibration.fusion import Fusion, context
from dieindex.records import Flags, Floats, PairTable
from dieindex.verification.candidates import Shortlist
from dieindex.verification.score_pairs import PairScores


@dataclass(frozen=True, eq=False)
class Judgement:
    """A shortlist's pairs judged, each by itself.

    ``judged`` ``(m,)`` is False where nothing could be told (the ratio is 0 then), ``verified``
    ``(m,)`` True where the details were looked at and not only the vectors.
    """

    table: PairTable
    judged: Flags
    verified: Flags


def judge_by_distance(shortlist: Shortlist, calibration: Calibration, aligned: Flags) -> PairTable:
    """Judge by the distance of the vectors alone (basis "embedding").

    ``aligned`` ``(n,)`` tells of the faces whether they lie on a frame. Where one of a pair does
    not, its distance says nothing: the ratio is 0.
    """
    known = aligned[shortlist.first] & aligned[shortlist.second]
    ratio = calibration.log_likelihood_ratio(shortlist.distance)
    return PairTable(
        first=shortlist.first,
        second=shortlist.second,
        distance=shortlist.distance,
        log_likelihood_ratio=np.where(known, ratio, 0.0),
    )


def judged_by_distance(shortlist: Shortlist, calibration: Calibration, aligned: Flags) -> Judgement:
    """``judge_by_distance`` as a judgement."""
    table = judge_by_distance(shortlist, calibration, aligned)
    known = aligned[shortlist.first] & aligned[shortlist.second]
    return Judgement(table, known, np.zeros(len(table), bool))


def judged_by_details(
    shortlist: Shortlist,
    looked: PairScores,
    fusion: Fusion,
    calibration: Calibration,
    aligned: Flags,
) -> Judgement:
    """Judge by vectors and details where the details were looked at, by the vectors elsewhere.

    Where both faces together show too little, nothing is told.
    """
    base = judged_by_distance(shortlist, calibration, aligned)
    done = looked.done
    enough = done & (looked.shared >= fusion.least_shared)
    ratio = base.table.log_likelihood_ratio.copy()
    ratio[done] = 0.0
    ratio[enough] = fusion.log_likelihood_ratio(shortlist.distance[enough], looked.logit[enough])
    table = PairTable(shortlist.first, shortlist.second, shortlist.distance, ratio)
    return Judgement(table, base.judged & ~(done & ~enough), enough)


def in_context(n: int, judgement: Judgement, fusion: Fusion, prior: float) -> Floats:
    """The ratios ``(m,)`` of verified pairs of ``n`` faces with the word of the other coins weighed
    in; those of other pairs stay. ``prior`` is the share of same-die pairs."""
    table = judgement.table
    ratio = table.log_likelihood_ratio
    beside = context(n, table.first, table.second, ratio, prior, judgement.judged)
    return np.where(judgement.verified, fusion.in_context(ratio, beside), ratio)
