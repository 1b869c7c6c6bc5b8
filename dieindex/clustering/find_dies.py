"""From judged pairs to dies: the second half of the method, after ``judge_pairs``.

``find_dies`` is a pure function of judged pairs and constraints. The command line, the benchmarks
and the tests all call it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dieindex.calibration.judge_pairs import JudgedPairs
from dieindex.calibration.two_kinds import TwoKinds, rounded, stands_for, updated, with_tail_seen
from dieindex.clustering.graph import SignedGraph, signed_graph
from dieindex.clustering.membership import said_of
from dieindex.clustering.other_side import told_by_other_side
from dieindex.clustering.parts import dies_of
from dieindex.records import Constraint, Flags, Floats, Ints


@dataclass(frozen=True, eq=False)
class FoundDies:
    """The dies of ``n`` faces: ``labels`` ``(n,)`` from 0 in the order of each die's first face,
    ``certainty`` ``(n,)`` 0…1 of each face's place, and the ``graph`` they were found in.
    ``probability`` ``(m,)`` 0…1 is that the two faces of each judged pair share a die, in the order
    of the pairs; where nothing was ``told`` ``(m,)`` of a pair, by its pictures or by a person, it
    is the share of same-die pairs.

    Where some constraints were ``trusted``, ``own_graph`` and ``own_labels`` are of a run that did
    not know them: of these scores are made. Else they are ``graph`` and ``labels``.
    """

    labels: Ints
    certainty: Floats
    probability: Floats
    told: Flags
    graph: SignedGraph
    own_graph: SignedGraph
    own_labels: Ints

    @property
    def prior(self) -> float:
        """The share of same-die pairs among all."""
        return self.graph.kinds.share


def find_dies(
    pairs: JudgedPairs,
    constraints: Sequence[Constraint] = (),
    *,
    trusted: Sequence[Constraint] | None = None,
    other_die: Ints | None = None,
) -> FoundDies:
    """The putative dies of the faces whose pairs were judged; every face is in exactly one.

    ``constraints`` are must-links and cannot-links that persons gave, in their order: where they
    contradict each other the later hold. ``trusted`` are those of a sheet that is believed: persons
    go before it, and a run without it is made besides. ``other_die`` ``(n,)`` is each coin's
    putative die on the other side, negative where unknown: what it says has a say.
    """
    kinds = shown_by_dies(pairs, constraints)
    if other_die is not None:
        # (In the units of how the pairs lie now; a pair of which it says nothing stays exactly.)
        ratio = kinds.log_likelihood_ratio(pairs.score)
        own = replace(pairs.table, log_likelihood_ratio=ratio)
        both = told_by_other_side(own, kinds.share, other_die).log_likelihood_ratio
        pairs = replace(pairs, score=np.where(both == ratio, pairs.score, kinds.score_of(both)))

    graph = signed_graph(pairs, [*(trusted or ()), *constraints], kinds=kinds)
    first, second = pairs.table.first, pairs.table.second
    same, different = said_of(first, second, graph)
    told = pairs.judged | same | different
    found = dies_of(graph, first[told], second[told])
    probability = np.full(len(pairs), kinds.share)
    probability[told] = found.probability
    own_graph, own_labels = graph, found.labels
    if trusted is not None:
        own_graph = signed_graph(pairs, constraints, kinds=kinds)
        own_labels = dies_of(own_graph, first[:0], second[:0]).labels
    return FoundDies(found.labels, found.certainty, probability, told, graph, own_graph, own_labels)


def shown_by_dies(pairs: JudgedPairs, constraints: Sequence[Constraint] = ()) -> TwoKinds:
    """How the pairs lie, seen by the dies that they make: coins of a die are of one die also where
    a pair of them says little, which the scores alone cannot know. What persons said of pairs that
    the machine took wrongly shows most.

    One such round; a second changes hardly anything.
    """
    if not pairs.readable:
        return pairs.kinds
    graph = signed_graph(pairs, constraints)
    of = pairs.read
    same = dies_of(graph, pairs.table.first[of], pairs.table.second[of]).probability
    score, sampled = pairs.score[of], pairs.sampled[of]
    found = updated(pairs.kinds, score, same, pairs.in_all, sampled=sampled)
    return rounded(with_tail_seen(found, score, same, stands_for(sampled, pairs.in_all)))
