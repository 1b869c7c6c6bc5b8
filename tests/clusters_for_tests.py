"""Clustering ratios that were never judged, for tests of the linkage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dieindex.calibration.prior import estimate_prior
from dieindex.clustering.certainty import certainties
from dieindex.clustering.graph import signed_graph
from dieindex.clustering.linkage import MISSING_WEIGHT, Memory, cluster_graph
from dieindex.clustering.threshold import Threshold
from dieindex.records import Constraint, Flags, Floats, Ints, PairTable


@dataclass(frozen=True, eq=False)
class Clustering:
    """Dies: ``labels`` ``(n,)`` from 0, ``certainty`` ``(n,)`` in 0…1."""

    labels: Ints
    certainty: Floats


def cluster_pairs(
    n: int,
    pairs: PairTable,
    prior: float | None = None,
    *,
    threshold: Threshold | None = None,
    judged: Flags | None = None,
    constraints: Sequence[Constraint] = (),
    missing_weight: float = MISSING_WEIGHT,
    memory: Memory | None = None,
) -> Clustering:
    """Dies of ``n`` faces from their compared pairs.

    ``prior`` in (0, 1) is the share of same-die pairs among all pairs of the collection; None
    estimates it from the pairs themselves. ``threshold``, ``judged``, ``constraints``: see
    ``signed_graph``. Labels count from 0 in the order of each die's first face. Neither the order
    of the pairs nor faces far from all others changes the partition (at a given prior, or
    ``threshold``). Raises ValueError as ``signed_graph`` does, and for a missing weight that is not
    negative.
    """
    if prior is None:
        ratio = pairs.log_likelihood_ratio
        prior = estimate_prior(ratio if judged is None else ratio[judged], n * (n - 1) // 2)
    graph = signed_graph(
        n, pairs, prior, threshold=threshold, judged=judged, constraints=constraints
    )
    labels = cluster_graph(graph, missing_weight=missing_weight, memory=memory)
    return Clustering(labels, certainties(labels, graph))
