"""Three-valued verdicts on one pair, with what they rest on and why nothing could be told."""

from __future__ import annotations

from typing import Literal

import numpy as np

from dieindex.calibration.fusion import OF_USUAL, Fusion
from dieindex.calibration.prior import probability
from dieindex.calibration.two_kinds import TwoKinds
from dieindex.records import DIFFERENT_UP_TO, SAME_FROM, Verdict


def verdict_of(p: float) -> Literal["same", "different", "cannot tell"]:
    """``same`` from 0.9 on, ``different`` up to 0.1, else ``cannot tell``."""
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"a probability lies in 0…1, not {p!r}")
    if p >= SAME_FROM:
        return "same"
    if p <= DIFFERENT_UP_TO:
        return "different"
    return "cannot tell"


def embedding_verdict(
    distance: float, threshold: float, log_likelihood_ratio: float, prior: float
) -> Verdict:
    """Verdict from the distance of two unit vectors alone.

    ``distance`` and ``threshold`` (the encoder's decision distance) lie in 0…2. Where the answer is
    "cannot tell", ``reason`` says what is missing.
    """
    p = probability(log_likelihood_ratio, prior)
    verdict = verdict_of(p)
    reason = None
    if verdict == "cannot tell":
        reason = _why_undecided(distance, threshold, prior)
    return Verdict(verdict, p, prior, distance, threshold, "embedding", reason)


def unaligned_verdict(distance: float, threshold: float, prior: float, why: str) -> Verdict:
    """Verdict on a pair of which a face lies on no frame: nothing was learned from it.

    The probability is the prior. ``why`` says why the face lies on none.
    """
    return Verdict(
        "cannot tell", prior, prior, distance, threshold, "embedding", f"not aligned: {why}"
    )


def apart_verdict(distance: float, threshold: float, prior: float) -> Verdict:
    """Verdict on two faces that lie on two frames and were not aligned to each other: nothing is
    known of them."""
    return Verdict(
        "cannot tell", prior, prior, distance, threshold, "embedding", f"not compared: {APART}"
    )


APART = "they lie on two frames and were not laid on one another"


def _why_undecided(distance: float, threshold: float, prior: float) -> str:
    where = f"the distance {distance:.3f}"
    if distance <= threshold and prior < 0.5:
        return (
            f"{where} is below the threshold {threshold:.3f}, but the faces are not alike enough "
            f"where only {prior:.2%} of pairs are expected to share a die"
        )
    side = "below" if distance <= threshold else "above"
    return (
        f"{where} is too little {side} the threshold {threshold:.3f} to decide: "
        "same-die and different-die pairs both occur there"
    )


def verified_verdict(
    fusion: Fusion,
    kinds: TwoKinds,
    logit: float,
    shared: float,
    distance: float,
    threshold: float,
    prior: float,
) -> Verdict:
    """Verdict on a pair that the comparator scored (basis "verified").

    ``kinds`` says how scores lie where the pair is from: in its collection, or in any.
    Where the answer is "cannot tell", ``reason`` says why: the faces show too little in common, or
    what they show speaks neither for nor against.
    """
    if shared < fusion.least_shared:
        reason = (
            "too little to compare: what both faces show of the die is "
            f"{OF_USUAL * shared / fusion.least_shared:.0%} of what two faces usually show, "
            f"{OF_USUAL:.0%} are needed"
        )
        return Verdict("cannot tell", prior, prior, distance, threshold, "verified", reason)
    score = fusion.score(np.float64(distance), np.float64(logit))  # type: ignore[arg-type]
    p = probability(float(kinds.log_likelihood_ratio(score)), prior)
    verdict = verdict_of(p)
    undecided = None
    if verdict == "cannot tell":
        details = "for one die" if logit > 0 else "against one die"
        undecided = (
            f"the details speak {details}, but not clearly (log-odds {logit:+.1f}), and the "
            f"distance {distance:.3f} does not decide it (threshold {threshold:.3f})"
        )
    return Verdict(verdict, p, prior, distance, threshold, "verified", undecided)
