"""What the other coins of a collection say of a pair.

Faces that share a die share their partners. That is no evidence of the pair itself, so a fusion
weighs it apart. Where no third coin has anything to say, as of a die of two coins, the pair's own
ratio stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dieindex.calibration.prior import probability
from dieindex.records import Flags, Floats, Ints

LEAST_ODDS = 0.01
"""Probability below which two faces are no context of each other."""
_PARTNERS_TO_YIELD = 2.0
"""Partners of either face beside the other at which the pair's own ratio has given way by half of
what it can."""
_DENSE_UP_TO = 2000
"""Faces up to which tables of all pairs are dense, which is faster."""


@dataclass(frozen=True, eq=False)
class Context:
    """What the other coins say of pairs; arrays ``(m,)``, in partners, all 0 where none speaks.

    ``partners``: how many partners both faces have beside each other; ``shared``: how many they
    share; ``apart``: how many of either are clearly not of the other's die.
    """

    partners: Floats
    shared: Floats
    apart: Floats


def context(
    n: int,
    first: Ints,
    second: Ints,
    log_likelihood_ratio: Floats,
    prior: float,
    judged: Flags | None = None,
) -> Context:
    """What the other coins say of the pairs ``(m,)`` of ``n`` faces, by the ratios of all pairs.

    With p_ik the probability that faces i and k share a die, k is a partner of i to that part. It
    is shared with j to the part p_ik · p_jk, and apart from j to the part p_ik · (1 − e_jk), where
    e_jk is the probability at even prior: what is merely unlikely because dies are many does not
    contradict. Sums run over all k but i and j. A pair that was not ``judged`` (all were by
    default) says nothing; one that is not listed is far apart.
    """
    from scipy.sparse import coo_array

    def square(values: Floats) -> Any:
        """(n, n), symmetric, of the pairs that count."""
        counts = values >= LEAST_ODDS
        a, b, value = first[counts], second[counts], values[counts]
        ends = (np.concatenate([a, b]), np.concatenate([b, a]))
        table = coo_array((np.concatenate([value, value]), ends), shape=(n, n)).tocsr()
        return table.toarray() if n <= _DENSE_UP_TO else table

    told = np.ones(len(first), bool) if judged is None else judged
    p = np.where(told, probability(log_likelihood_ratio, prior), 0.0)
    likely, possible = square(p), square(np.where(told, probability(log_likelihood_ratio, 0.5), 1))
    beside = np.asarray(likely.sum(1)).ravel()
    # (Of the pair itself its own p is taken off; what is left of a rounding is no partner.)
    own = np.where(p >= LEAST_ODDS, p, 0.0)
    partners = np.maximum(beside[first] + beside[second] - 2 * own, 0.0)
    excused = likely @ possible
    apart = partners - _at(excused, first, second) - _at(excused, second, first)
    return Context(partners, _at(likely @ likely, first, second), np.maximum(apart, 0.0))


def _at(square: Any, row: Ints, column: Ints) -> Floats:
    return np.asarray(square[row, column], np.float64).ravel()


def context_evidence(ratio: Floats, context: Context) -> tuple[Floats, Floats, Floats]:
    """What a fusion's three weights of context weigh; 0 where no third coin speaks.

    Of a second and third partner little is new, since they are of one die with the first: logs.
    """
    heard = context.partners / (context.partners + _PARTNERS_TO_YIELD)
    return -ratio * heard, np.log1p(context.shared), -np.log1p(context.apart)
