"""The ratios of verified pairs, fitted to their collection without labels.

A ratio learned on collections of all kinds errs in each of them by its own: where coins are worn,
pairs of one die say less, and those of different dies crowd together; where they are fresh, both
say more. How far apart the different-die pairs of a collection lie, and what its pairs of one die
typically say, shows where it stands (nearly all pairs are of different dies, so their spread is
known well without a label). A ratio becomes::

    SLOPE · ratio + SHIFT + OF_TYPICAL · (typical − TYPICAL) + OF_SPREAD · (spread − SPREAD)

The four weights were fitted on validation collections of the mint (75 of 91 coins and 11 of 300 and
400, of 25 types, and the same with two coins of a die at the most), by the log loss of the pairs,
by themselves and in context, at the prior that is then estimated.
``benchmarks/adapting.py`` sets the outcome beside one prior and one threshold for all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dieindex.calibration.prior import estimate_prior, probability
from dieindex.numeric import log_odds
from dieindex.records import Flags, Floats, Ints

SLOPE = 1.14
SHIFT = 0.1
OF_TYPICAL = -0.1
OF_SPREAD = -2.2
MOST_SHIFT = 1.5
"""Nats by which a collection's ratios are raised or lowered at the most."""
TYPICAL = 6.7
TYPICAL_PAIRS = 20.0
"""Nats of the middle pair of one die in the mean over validation collections, and how many pairs
that expectation is worth."""
SPREAD = 2.35
SPREAD_PAIRS = 400.0
"""Standard deviation, nats, of different-die pairs in the mean over validation collections, and how
many pairs that expectation is worth."""
_FARTHEST = 50.0
"""Nats beyond which nothing is surer."""
ROUNDS = 2
"""Rounds of reading both and fitting; a third changes nothing of note."""
SHIFT_STEP = 0.05
PRIOR_STEP = 0.05
"""Nats to which the shift, and the log-odds of the prior, are rounded: so a few more coins seldom
change every ratio of the others by a trifle."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """Log-likelihood ratios ``(m,)`` that fit their collection, and its share of same-die pairs."""

    log_likelihood_ratio: Floats
    prior: float


def fitted_ratios(
    log_likelihood_ratio: Floats,
    n_pairs_total: int,
    verified: Flags,
    frame: Ints,
    *,
    sampled: Flags | None = None,
) -> Fitted:
    """The ratios ``(m,)`` of a collection's pairs of which anything could be told, fitted to it.

    Those of pairs that were not ``verified`` ``(m,)`` stay. ``frame`` ``(m,)`` is the frame that
    verified pairs lie on: types differ in how far apart their dies are, and that is no spread.
    ``sampled`` ``(m,)`` are the pairs that were listed whatever their distance, from which alone
    the spread can be read; all by default. ``n_pairs_total`` as in ``prior.estimate_prior``, whose
    errors are raised.
    """
    ratio = np.asarray(log_likelihood_ratio, np.float64)
    own, fitted = ratio[verified], ratio
    prior = estimate_prior(ratio, n_pairs_total)
    read = np.ones(len(own), bool) if sampled is None else sampled[verified]
    on = frame[verified][read]
    for _ in range(ROUNDS if len(own) else 0):
        same = probability(fitted[verified], prior)
        shift = (
            SHIFT
            + OF_TYPICAL * (typical(own, same) - TYPICAL)
            + OF_SPREAD * (_spread(own[read], 1.0 - same[read], on) - SPREAD)
        )
        shift = round(min(max(shift, -MOST_SHIFT), MOST_SHIFT) / SHIFT_STEP) * SHIFT_STEP
        fitted = ratio.copy()
        fitted[verified] = SLOPE * own + shift
        prior = estimate_prior(fitted, n_pairs_total)
    return Fitted(fitted, _rounded(prior))


def typical(ratio: Floats, same: Floats) -> float:
    """What a pair of one die typically says, nats: the median of the ratios ``(m,)``, each weighed
    by its probability ``same`` ``(m,)``, shrunk to ``TYPICAL`` as by ``TYPICAL_PAIRS`` more. (A
    median, which a few dies that look alike hardly move.)"""
    ratio = np.clip(ratio, -_FARTHEST, _FARTHEST)
    order = np.argsort(ratio)
    until = np.cumsum(same[order])
    pairs = float(until[-1]) if len(ratio) else 0.0
    middle = float(ratio[order[np.searchsorted(until, pairs / 2)]]) if len(ratio) else 0.0
    return (pairs * middle + TYPICAL_PAIRS * TYPICAL) / (pairs + TYPICAL_PAIRS)


def _spread(ratio: Floats, weight: Floats, frame: Ints) -> float:
    """Weighed standard deviation about the mean of each frame, shrunk to ``SPREAD`` as by
    ``SPREAD_PAIRS`` more."""
    ratio = np.clip(ratio, -_FARTHEST, _FARTHEST)
    _, of = np.unique(frame, return_inverse=True)
    pairs, total = np.bincount(of, weight), np.bincount(of, weight * ratio)
    mean = np.divide(total, pairs, out=np.zeros(len(pairs)), where=pairs > 0)
    square = float(weight @ (ratio - mean[of]) ** 2) + SPREAD_PAIRS * SPREAD**2
    return float(np.sqrt(square / (float(weight.sum()) + SPREAD_PAIRS)))


def _rounded(prior: float) -> float:
    # (Not ``numeric.sigmoid``: its last bit differs, and every fitted ratio would with it.)
    return float(1.0 / (1.0 + np.exp(-round(log_odds(prior) / PRIOR_STEP) * PRIOR_STEP)))
