"""Judge the pairs of a shortlist: each gets a log-likelihood ratio of "same die"."""

from __future__ import annotations

from dieindex.index.shortlist import Shortlist
from dieindex.records import PairTable
from dieindex.verification.verdicts import Calibration


def judge_by_distance(shortlist: Shortlist, calibration: Calibration) -> PairTable:
    """Judge by the distance of the vectors alone (basis "embedding")."""
    return PairTable(
        first=shortlist.first,
        second=shortlist.second,
        distance=shortlist.distance,
        log_likelihood_ratio=calibration.log_likelihood_ratio(shortlist.distance),
    )
