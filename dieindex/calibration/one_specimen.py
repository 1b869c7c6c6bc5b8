"""Whether two photographs of coins that may be of the same dies show one and the same coin.

What speaks for it is that the outline of the flan lies about the design in the same place, and has
the same shape, on either side (``outlines``). Weights are fitted by logistic regression on rendered
coins that were photographed twice, among all pairs of their collections that look of one die
(``benchmarks/specimens.py --fit``); what the share of such pairs adds is taken off, so that a ratio
of likelihoods is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dieindex.numeric import log_odds, sigmoid
from dieindex.verification.outlines import Apart

IN_TWICE = 0.05
"""Share of a collection's coins that may be in twice, before anything is looked at: one in twenty,
as where pictures come from many sales."""
LEAST = 0.003
"""Flan radii: two readings of one outline differ by as much."""


@dataclass(frozen=True)
class Weights:
    """Nats for a side: ``base`` of every side, and for each unit of the logarithm of what outlines
    differ by in size and in place, and of their likeness."""

    base: float
    size: float
    place: float
    likeness: float


WEIGHTS = Weights(base=-10.75, size=-0.67, place=-2.146, likeness=1.992)


def features(told: Apart) -> tuple[float, float, float]:
    """What ``Weights`` weigh of a side, ``base`` apart."""
    size, place = (float(np.log(each + LEAST)) for each in (told.size, told.place))
    return size, place, told.likeness


def log_likelihood_ratio(told: Sequence[Apart], weights: Weights = WEIGHTS) -> float:
    """Nats for one coin against two of the same dies, by one or both sides."""
    w = (weights.size, weights.place, weights.likeness)
    return sum(weights.base + float(np.dot(w, features(each))) for each in told)


def probability(ratio: float, coins: int, pairs: int) -> float:
    """0…1, of one coin, in a collection of so many ``coins`` of which ``IN_TWICE`` are in twice,
    and so many ``pairs`` that look of the same dies."""
    prior = min(IN_TWICE * coins / max(pairs, 1), 0.5)
    return float(sigmoid(ratio + log_odds(prior)))
