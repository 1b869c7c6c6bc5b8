"""What clustering goes by where pairs were verified: a pair's weight, and the threshold that joins.

The right threshold of a mean is not the same in every collection, nor is it the prior alone. Two
dies that look alike do so on all their coins, whether these are worn or not; how strongly the coins
of one die speak for it depends on how worn they are and how well they lie. So the threshold follows
what pairs of one die typically say in the collection itself, which no label tells but the mixture
of its ratios does; and the fewer partners its coins have, the more it asks, since fewer of the
pairs that look alike are then of one die.

The constants were fitted, after those of ``calibration/adaptation.py``, on the same validation
collections of the mint. ``benchmarks/adapting.py`` sets the outcome beside one prior and one
threshold for all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dieindex.calibration.adaptation import TYPICAL, typical
from dieindex.calibration.prior import probability
from dieindex.numeric import log_odds
from dieindex.records import Floats, PairTable

OWN_SHARE = 0.5
"""Share of a pair's own ratio in its weight; the rest is its ratio in context. The word of the
other coins raises most what worn coins have to say of their dies. Alone, at the threshold of
before, it joined too much."""
THRESHOLD = 3.15
THRESHOLD_OF_TYPICAL = 0.5
"""Nats of the threshold where what is typical is as usual (``adaptation.TYPICAL``) and partners are
``PARTNERS``, and what part of the difference from the usual it follows."""
PARTNERS = 3.0
PARTNERS_COINS = 4.0
LEAST_PARTNERS = 0.08
FEWER_PARTNERS = 0.7
"""Coins that share a coin's die, as expected, and how many coins that expectation is worth; and the
nats by which the threshold rises where they are fewer by the factor e. Of hoards of single coins
(validation collections thinned to four pairs of one die) fewer than half as many pairs are joined
wrongly for it; collections of larger dies lose 0.002 of the adjusted Rand index."""
LEAST_THRESHOLD = 1.25
LEAST_PRIOR_SHARE = 0.4
"""However little is typical: nats, and the share of the log prior odds against one die, below which
no mean joins two dies. On validation collections they change hardly anything; they guard where the
share of one die is taken too high, and large collections, in which more dies look alike."""
UNDERSTATED = 0.15
CLEAR = 7.5
UNDERSTATED_WORN = 0.6
"""Nats by which weights understate, as a whole, that a coin found alone has a die: some pairs of
one die say nothing for it, or speak against it. And so much more per nat by which pairs of one die
typically say less than ``CLEAR``: worn coins say least. Chosen by the number of dies on the
validation collections."""
WEIGHT_STEP = 1e-9
"""Nats to which weights are rounded. Their sums run over other coins: without it a rounding error
would make a weight another where nothing that concerns it has changed."""


def weighed_pairs(pairs: PairTable, in_context: Floats) -> PairTable:
    """The pairs with the ratios that clustering weighs: of each by itself and in context, mixed.

    ``in_context`` ``(m,)`` are the pairs' log-likelihood ratios with the word of the other coins.
    """
    both = OWN_SHARE * pairs.log_likelihood_ratio + (1.0 - OWN_SHARE) * in_context
    rounded = np.round(both / WEIGHT_STEP) * WEIGHT_STEP
    return replace(pairs, log_likelihood_ratio=rounded)


@dataclass(frozen=True)
class Threshold:
    """What joins two dies of a collection: a mean weight of their pairs above ``nats``. By
    ``understated`` nats the weight of coins that stand apart is less than it should be."""

    nats: float
    understated: float = 0.0


def collection_threshold(log_likelihood_ratio: Floats, prior: float, n: int) -> Threshold:
    """What joins two dies of a collection of ``n`` coins.

    ``log_likelihood_ratio`` ``(m,)`` are the pairs' own ratios, fitted to the collection, of those
    of which anything could be told; ``prior`` in (0, 1) is the share of same-die pairs. With the
    probability of each pair at the prior, ``adaptation.typical`` is what a pair of one die says,
    and the number of partners twice the probabilities' sum, a coin. The threshold is
    ``LEAST_THRESHOLD`` and ``LEAST_PRIOR_SHARE`` of the log prior odds or more.
    """
    same = probability(log_likelihood_ratio, prior)
    says = typical(log_likelihood_ratio, same)
    partners = (2.0 * float(same.sum()) + PARTNERS_COINS * PARTNERS) / (n + PARTNERS_COINS)
    follows = THRESHOLD_OF_TYPICAL * (says - TYPICAL)
    rarer = FEWER_PARTNERS * float(np.log(max(partners, LEAST_PARTNERS) / PARTNERS))
    least = max(LEAST_THRESHOLD, -LEAST_PRIOR_SHARE * log_odds(prior))
    return Threshold(
        max(THRESHOLD + follows - rarer, least),
        UNDERSTATED + UNDERSTATED_WORN * max(CLEAR - says, 0.0),
    )
