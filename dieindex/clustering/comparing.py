"""Which pairs are compared in detail: where it can matter.

Comparing a pair costs a thousand times what the distance of its vectors does, and nearly all pairs
are of different dies. So each face is compared with its nearest first, and some pairs whatever
their distance, from which it is read how different dies lie. Of these dies are found; what lies
between two of them that surely are two is not looked at. All else is: pairs within a die, and
between those that might be one or exchange a coin. Then dies are found anew, until nothing is left
to look at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from dieindex.calibration.judge_pairs import JudgedPairs
from dieindex.calibration.two_kinds import TwoKinds
from dieindex.clustering.find_dies import shown_by_dies
from dieindex.clustering.graph import signed_graph
from dieindex.clustering.linkage import cluster_graph
from dieindex.clustering.membership import between_dies, memberships
from dieindex.records import Flags, Ints
from dieindex.verification.candidates import CandidatePairs, FaceVectors, compared_first
from dieindex.verification.scorer import PairScores

DECIDED = 3.0
"""Nats against one die from which the pairs between two are not looked at: one in twenty."""


def compare_pairs(
    candidates: CandidatePairs,
    faces: FaceVectors,
    score: Callable[[Flags], PairScores],
    judge: Callable[[PairScores], JudgedPairs],
    also: Flags | None = None,
) -> Flags:
    """Compare the pairs that can matter; gives which they were, ``(m,)``.

    ``score`` compares the pairs that are asked for, ``(m,)``, and may give the scores of more that
    it knows; ``judge`` judges the collection by scores; ``also`` ``(m,)`` are pairs to be compared
    whatever the others say. What is asked for follows from the faces alone, whatever was known
    before. Where only the nearest are listed, all of these are compared: what is not listed speaks
    against one die there.
    """
    first, second, n = candidates.first, candidates.second, len(faces)
    together = (faces.frame[first] == faces.frame[second]) & faces.aligned[first]
    if len(candidates) < n * (n - 1) // 2:
        score(together)
        return np.asarray(together)
    compared = compared_first(candidates, faces)
    if also is not None:
        compared |= also & together
    while True:
        scores = score(compared)
        more = together & ~compared
        if more.any():
            judged = judge(scores.only(compared))
            more[more] = undecided(judged, first[more], second[more])
        if not more.any():
            return compared
        compared |= more


def undecided(pairs: JudgedPairs, first: Ints, second: Ints) -> Flags:
    """``(m,)``: whether the coins ``first`` and ``second`` ``(m,)`` are of one die, or might be, by
    the pairs that were compared; or whether these tell nothing of one of them."""
    graph = signed_graph(pairs, kinds=_not_flattered(shown_by_dies(pairs)))
    labels = cluster_graph(graph)
    dies = int(labels.max(initial=-1)) + 1
    a, b = labels[first], labels[second]
    near, known = between_dies(labels, graph), memberships(labels, graph)
    two = (near.first * dies + near.second)[near.log_odds > -DECIDED]
    one = known.cell[known.log_odds > -DECIDED]
    found = (a == b) | np.isin(np.minimum(a, b) * dies + np.maximum(a, b), two)
    found |= np.isin(first * dies + b, one) | np.isin(second * dies + a, one)
    return np.asarray(found | graph.unjudged[first] | graph.unjudged[second])


def _not_flattered(kinds: TwoKinds) -> TwoKinds:
    """How pairs of one die lie, no narrower than in collections at large: those that were compared
    first are the nearest of each die."""
    return replace(kinds, width=max(kinds.width, kinds.expected.width))
