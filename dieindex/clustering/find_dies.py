"""From judged pairs to dies: the second half of the method, after ``judge_pairs``.

``find_dies`` is a pure function of judged pairs and constraints. The command line, the benchmarks
and the tests all call it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dieindex.calibration.judge_pairs import JudgedPairs
from dieindex.clustering.certainty import certainties
from dieindex.clustering.graph import SignedGraph, signed_graph
from dieindex.clustering.linkage import Memory, cluster_graph
from dieindex.clustering.other_side import told_by_other_side
from dieindex.clustering.threshold import Threshold, collection_threshold, weighed_pairs
from dieindex.records import Constraint, Floats, Ints


@dataclass(frozen=True, eq=False)
class FoundDies:
    """The dies of ``n`` faces: ``labels`` ``(n,)`` from 0 in the order of each die's first face,
    ``certainty`` ``(n,)`` 0…1 of each face's place, and the ``graph`` they were found in.

    Where some constraints were ``trusted``, ``own_graph`` and ``own_labels`` are of a run that did
    not know them: of these scores are made. Else they are ``graph`` and ``labels``.
    """

    labels: Ints
    certainty: Floats
    graph: SignedGraph
    own_graph: SignedGraph
    own_labels: Ints


def find_dies(
    pairs: JudgedPairs,
    constraints: Sequence[Constraint] = (),
    *,
    trusted: Sequence[Constraint] | None = None,
    other_die: Ints | None = None,
    threshold: Threshold | None = None,
    memory: Memory | None = None,
) -> FoundDies:
    """The putative dies of the faces whose pairs were judged; every face is in exactly one.

    ``constraints`` are must-links and cannot-links that persons gave, in their order: where they
    contradict each other the later hold. ``trusted`` are those of a sheet that is believed: persons
    go before it, and a run without it is made besides. ``other_die`` ``(n,)`` is each coin's
    putative die on the other side, negative where unknown: what it says has a say. ``threshold`` is
    what joins two dies, by default what the collection itself gives (pairs that were not weighed in
    context: what the prior gives). ``memory`` spares parts of the work that were done before.
    """
    table = pairs.table
    if pairs.in_context is not None:
        if threshold is None:
            own = table.log_likelihood_ratio[pairs.judged]
            threshold = collection_threshold(own, pairs.prior, pairs.n)
        table = weighed_pairs(table, pairs.in_context)
    if other_die is not None:
        table = told_by_other_side(table, pairs.prior, other_die)

    def graph_with(holding: Sequence[Constraint]) -> SignedGraph:
        return signed_graph(
            pairs.n,
            table,
            pairs.prior,
            threshold=threshold,
            judged=pairs.judged,
            constraints=holding,
        )

    graph = graph_with([*(trusted or ()), *constraints])
    labels = cluster_graph(graph, memory=memory)
    own_graph, own_labels = graph, labels
    if trusted is not None:
        own_graph = graph_with(constraints)
        own_labels = cluster_graph(own_graph)
    return FoundDies(labels, certainties(labels, graph), graph, own_graph, own_labels)
