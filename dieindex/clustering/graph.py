"""The signed graph of a side: what each compared pair says, and what persons said.

A pair weighs its log-likelihood ratio less a threshold: positive speaks for one die. The threshold
follows what pairs of one die say in the collection (``clustering/threshold.py``); where none is
given the pair weighs its ratio plus ``PRIOR_SHARE`` of the log prior odds.

Pairs that were never compared, and pairs of which nothing could be told, are not in it; the linkage
counts them as weak evidence against. Verdicts of persons are no weights but constraints: "same"
joins two faces before anything else is considered, "different" keeps them apart whatever the
pictures say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dieindex.clustering.constraints import resolved
from dieindex.clustering.threshold import Threshold
from dieindex.numeric import log_odds
from dieindex.records import Constraint, Flags, Floats, Ints, PairTable

PRIOR_SHARE = 0.7
"""How much of the log prior odds a pair carries in a mean where no threshold is given. All of it
would be right if the pairs between two groups of coins were independent. They are not: two dies
that look alike do so on every pair of their coins. On the mint's validation types more than half of
the variance of the ratios of different-die pairs belongs to the pair of dies and is the same for
all their coins, so a mean of many pairs is no surer of itself than the prior is of it, but neither
must the prior be counted anew in each. Shares of 0.6, 0.7 and 0.8 cluster alike there; 1 loses 0.03
of the adjusted Rand index, 0.4 loses 0.02."""
THRESHOLD_STEP = 0.1
"""Thresholds are rounded to steps of this many nats, so that a few more coins seldom change every
weight by it. (A pair's context moves its own weight all the same.)"""
WEIGHT_LIMIT = 10.0
"""No single comparison weighs more than this many nats in a mean, so that none outvotes a die. The
limit is approached smoothly (``limit * tanh(weight / limit)``): what was ordered stays ordered."""
TIE_BREAK = 1e-6
"""Nats a unit of distance. Calibrated ratios have plateaus; the nearer of two equal pairs goes
first, not the one that happens to be listed first."""


@dataclass(frozen=True, eq=False)
class SignedGraph:
    """``n`` faces; pairs ``first < second`` ``(m,)`` with ``weight`` and ``limited`` ``(m,)`` nats
    (``limited`` is what enters means). ``together`` ``(s, 2)`` and ``apart`` ``(d, 2)`` are the
    constraints that hold, ``refused`` those that contradict later ones. ``unjudged`` ``(n,)`` are
    the faces whose pairs were listed without anything to tell of any (such as faces on no frame),
    and that no person joined to another; a face without a listed pair is no such face: it is far
    from all. ``understated``: see ``threshold.Threshold``."""

    n: int
    first: Ints
    second: Ints
    weight: Floats
    limited: Floats
    together: Ints
    apart: Ints
    unjudged: Flags
    refused: tuple[Constraint, ...] = ()
    understated: float = 0.0


def signed_graph(
    n: int,
    pairs: PairTable,
    prior: float,
    *,
    threshold: Threshold | None = None,
    judged: Flags | None = None,
    constraints: Sequence[Constraint] = (),
) -> SignedGraph:
    """The graph of ``n`` faces.

    ``prior`` in (0, 1) is the share of same-die pairs among all pairs; ``threshold`` is what joins
    two dies (``collection_threshold``), by default what the prior alone gives; ``judged`` ``(m,)``
    is False where nothing could be told of a pair; ``constraints`` come in the order in which they
    were given. Raises ValueError for a pair listed twice, a position outside 0…n − 1, a ratio or
    distance that is not a number, a prior outside (0, 1).
    """
    if not 0.0 < prior < 1.0:
        raise ValueError(f"a prior lies strictly between 0 and 1, not {prior!r}")
    first, second = pairs.first, pairs.second
    llr, distance = pairs.log_likelihood_ratio, pairs.distance
    if threshold is None:
        threshold = Threshold(-PRIOR_SHARE * log_odds(prior))
    unjudged = np.zeros(n, bool)
    if judged is not None:
        unjudged[first], unjudged[second] = True, True
        first, second, llr, distance = first[judged], second[judged], llr[judged], distance[judged]
    order = _checked_order(n, first, second)
    unjudged[first], unjudged[second] = False, False
    first, second, llr, distance = first[order], second[order], llr[order], distance[order]
    if np.isnan(llr).any() or not np.isfinite(distance).all():
        raise ValueError("a log-likelihood ratio or a distance is not a number")
    weight = llr - round(threshold.nats / THRESHOLD_STEP) * THRESHOLD_STEP
    limited = WEIGHT_LIMIT * np.tanh(weight / WEIGHT_LIMIT) - TIE_BREAK * distance
    together, apart, refused = resolved(n, constraints)
    # (That it is not of one other die tells hardly more than before of which die it is.)
    unjudged[together] = False
    return SignedGraph(
        n, first, second, weight, limited, together, apart, unjudged, refused, threshold.understated
    )


def _checked_order(n: int, first: Ints, second: Ints) -> Ints:
    """Order of the pairs by their positions, so that sums do not depend on the table's order."""
    if len(first) and (first.min() < 0 or second.max() >= n or (first >= second).any()):
        raise ValueError(f"pairs need 0 <= first < second < {n}")
    key = first * n + second
    order = np.argsort(key, kind="stable")
    if (np.diff(key[order]) == 0).any():
        raise ValueError("a pair is listed twice")
    return order
