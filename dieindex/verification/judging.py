"""Judge the pairs of a shortlist: each gets a log-likelihood ratio of "same die"."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dieindex.index.shortlist import Shortlist
from dieindex.records import PairTable
from dieindex.verification.verdicts import Calibration


def judge_by_distance(
    shortlist: Shortlist, calibration: Calibration, aligned: npt.NDArray[np.bool_]
) -> PairTable:
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
