"""What clustering goes by where pairs were verified: a pair's evidence, and how much of it joins.

The right threshold of a mean is not the same in every collection, nor is it the prior alone. Two
dies that look alike do so on all their coins, whether these are worn or not; how strongly the coins
of one die speak for it depends on how worn they are and how well they lie. So the threshold follows
what pairs of one die typically say in the collection itself, which no label tells but the mixture
of its ratios does; and the fewer partners its coins have, the more it asks, since fewer of the
pairs that look alike are then of one die.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dieindex.records import PairTable

Floats = npt.NDArray[np.float64]

OWN_SHARE = 0.5
"""Share of a pair's own ratio in its evidence; the rest is its ratio in company. The word of the
other coins raises most what worn coins have to say of their dies; alone it joins too much."""
TYPICAL = 5.5
TYPICAL_PAIRS = 8.0
"""Nats that pairs of one die have in the mean over validation collections, and how many pairs that
expectation is worth."""
PARTNERS = 3.0
PARTNERS_COINS = 4.0
"""Coins that share a coin's die, as expected, and how many coins that expectation is worth."""
LEAST_PARTNERS = 0.08
BELOW_TYPICAL = 2.25
"""Nats by which the threshold lies below what is typical of one die, at one partner a coin."""
FEWER_PARTNERS = 2.0 / 3.0
"""Nats by which the threshold rises where partners are fewer by the factor e."""
CLEAR = 6.5
UNDERSTATED = 0.5
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
    the prior, the typical ratio of one die is their weighted mean, and the number of partners twice
    their sum, a coin. The threshold is 0 or more.
    """
    ratio = np.clip(log_likelihood_ratio, -50.0, 50.0)
    p = 1.0 / (1.0 + np.exp(-ratio - (np.log(prior) - np.log1p(-prior))))
    same = float(p.sum())
    typical = (float(p @ ratio) + TYPICAL_PAIRS * TYPICAL) / (same + TYPICAL_PAIRS)
    partners = (2.0 * same + PARTNERS_COINS * PARTNERS) / (n + PARTNERS_COINS)
    rarer = FEWER_PARTNERS * float(np.log(max(partners, LEAST_PARTNERS)))
    return Joining(
        max(typical - BELOW_TYPICAL - rarer, 0.0),
        UNDERSTATED * max(CLEAR - typical, 0.0),
    )
