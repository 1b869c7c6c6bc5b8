"""What clustering goes by where pairs were verified: a pair's evidence, and how much of it joins.

The right threshold of a mean is not the same in every collection, nor is it the prior alone. Two
dies that look alike do so on all their coins, whether these are worn or not; how strongly the coins
of one die speak for it depends on how worn they are and how well they lie. So the threshold follows
what pairs of one die typically say in the collection itself, which no label tells but the mixture
of its ratios does; and the fewer partners its coins have, the more it asks, since fewer of the
pairs that look alike are then of one die.

The constants were fitted on validation collections of the mint (27 of 91 coins and 5 of 300, and
the same with two coins of a die at the most); fitted on four fifths of the types, the threshold did
as well on the rest. ``benchmarks/adapting.py`` sets it beside one threshold for all collections.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dieindex.records import PairTable

Floats = npt.NDArray[np.float64]

OWN_SHARE = 0.5
"""Share of a pair's own ratio in its evidence; the rest is its ratio in company. The word of the
other coins raises most what worn coins have to say of their dies. Alone, at the threshold of
before, it joined too much."""
TYPICAL = 6.7
TYPICAL_PAIRS = 20.0
"""Nats of the middle pair of one die in the mean over validation collections, and how many pairs
that expectation is worth."""
PARTNERS = 3.0
PARTNERS_COINS = 4.0
"""Coins that share a coin's die, as expected, and how many coins that expectation is worth."""
LEAST_PARTNERS = 0.08
BELOW_TYPICAL = 3.0
"""Nats by which the threshold lies below what is typical of one die, at one partner a coin."""
FEWER_PARTNERS = 0.5
"""Nats by which the threshold rises where partners are fewer by the factor e."""
LEAST_THRESHOLD = 1.25
LEAST_PRIOR_SHARE = 0.4
"""However little is typical: nats, and the share of the log prior odds against one die, below which
no mean joins two dies. On validation collections they change hardly anything (0.001 of the adjusted
Rand index); they guard where the share of one die is taken too high, and large collections, in
which more dies look alike."""
CLEAR = 7.5
UNDERSTATED = 0.4
"""Where pairs of one die typically say less than ``CLEAR`` nats, many say nothing for it or speak
against it, more than a ratio learned on collections of all kinds allows: of coins found alone in
hard validation collections half have a die, where their weights claim a fifth. Per nat missing,
the odds that such a coin has one are taken higher by this many nats."""


def evidence(pairs: PairTable, in_company: Floats) -> PairTable:
    """The pairs with the evidence that clustering weighs: of each by itself, and in company.

    ``in_company`` ``(m,)`` are the pairs' log-likelihood ratios with the word of the other coins.
    """
    own = pairs.log_likelihood_ratio
    return replace(pairs, log_likelihood_ratio=OWN_SHARE * own + (1.0 - OWN_SHARE) * in_company)


@dataclass(frozen=True)
class Joining:
    """What joins two dies of a collection: a mean evidence above ``threshold`` nats. By
    ``understated`` nats the evidence of coins that stand apart is less than it should be."""

    threshold: float
    understated: float = 0.0


def joining(log_likelihood_ratio: Floats, prior: float, n: int) -> Joining:
    """What joins two dies of a collection of ``n`` coins.

    ``log_likelihood_ratio`` ``(m,)`` are the pairs' own ratios, of those of which anything could be
    told; ``prior`` in (0, 1) is the share of same-die pairs. With the probability of each pair at
    the prior, the typical ratio of one die is their weighted median (which a few dies that look
    alike hardly move), and the number of partners twice their sum, a coin. The threshold is
    ``LEAST_THRESHOLD`` and ``LEAST_PRIOR_SHARE`` of the log prior odds or more.
    """
    against = float(np.log1p(-prior) - np.log(prior))
    ratio = np.sort(np.clip(log_likelihood_ratio, -50.0, 50.0))
    until = np.cumsum(1.0 / (1.0 + np.exp(against - ratio)))
    same = float(until[-1]) if len(ratio) else 0.0
    middle = float(ratio[np.searchsorted(until, same / 2)]) if len(ratio) else 0.0
    typical = (same * middle + TYPICAL_PAIRS * TYPICAL) / (same + TYPICAL_PAIRS)
    partners = (2.0 * same + PARTNERS_COINS * PARTNERS) / (n + PARTNERS_COINS)
    least = max(LEAST_THRESHOLD, LEAST_PRIOR_SHARE * against)
    rarer = FEWER_PARTNERS * float(np.log(max(partners, LEAST_PARTNERS)))
    return Joining(
        max(typical - BELOW_TYPICAL - rarer, least),
        UNDERSTATED * max(CLEAR - typical, 0.0),
    )
