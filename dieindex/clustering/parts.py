"""Large collections in parts: what no pair connects has nothing to do with each other.

Coins of different types are not compared, so a large collection falls into islands that no pair and
no verdict connects. Dies are found in parts of whole islands, side by side and with as much memory
as a part needs. The dies are those that would be found in one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from dieindex.clustering.certainty import shares_of_stories, with_unjudged
from dieindex.clustering.graph import SignedGraph
from dieindex.clustering.linkage import cluster_graph, from_zero
from dieindex.clustering.membership import memberships, pair_probabilities
from dieindex.records import Floats, Ints
from dieindex.workers import count_of

PART = 20_000
"""Faces of a part, or more where an island has more."""


@dataclass(frozen=True, eq=False)
class Told:
    """The dies of ``n`` faces: ``labels`` ``(n,)`` from 0 in the order of each die's first face,
    ``certainty`` ``(n,)`` 0…1 of each face's place, and the ``probability`` ``(q,)`` 0…1 that both
    faces of each asked pair share a die."""

    labels: Ints
    certainty: Floats
    probability: Floats


def dies_of(graph: SignedGraph, first: Ints, second: Ints) -> Told:
    """The dies of a graph, and how likely the faces ``first`` and ``second`` ``(q,)`` share one."""
    part = np.zeros(graph.n, np.int64) if graph.n <= 2 * PART else _parts(graph, first, second)
    if not part.any():
        found = _dies_of(graph, first, second)
        return replace(found, certainty=with_unjudged(found.certainty, found.labels, graph))
    # (Where there is much to do: to import it takes as long as a small collection takes.)
    from joblib import Parallel, delayed

    faces, asked = _of_parts(part, part), _of_parts(part[first], part)
    told = Parallel(n_jobs=count_of(None))(
        delayed(_dies_of)(*piece) for piece in _pieces(graph, first, second, part, faces, asked)
    )
    labels, before = np.empty(graph.n, np.int64), 0
    certainty, probability = np.empty(graph.n), np.empty(len(first))
    for members, pairs, found in zip(faces, asked, told, strict=True):
        labels[members] = found.labels + before
        certainty[members], probability[pairs] = found.certainty, found.probability
        before += int(found.labels.max()) + 1
    labels = from_zero(labels)
    return Told(labels, with_unjudged(certainty, labels, graph), probability)


def _dies_of(graph: SignedGraph, first: Ints, second: Ints) -> Told:
    """As ``dies_of``, but the certainty of faces of which nothing is told is not what it should be:
    that is a matter of the whole collection."""
    labels = cluster_graph(graph)
    known = memberships(labels, graph)
    probability = pair_probabilities(first, second, labels, graph, known)
    return Told(labels, shares_of_stories(labels, graph, known), probability)


def _parts(graph: SignedGraph, first: Ints, second: Ints) -> Ints:
    """The part ``(n,)`` from 0 of each face: whole islands, in the order of their first faces."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    persons = np.concatenate([graph.together, graph.apart]).T
    one, other = (
        np.concatenate([each.astype(np.int32) for each in pairs])
        for pairs in ((graph.first, first, persons[0]), (graph.second, second, persons[1]))
    )
    table = coo_array((np.ones(len(one), np.int8), (one, other)), shape=(graph.n, graph.n))
    island = from_zero(connected_components(table, directed=False)[1].astype(np.int64))
    before = np.concatenate([[0], np.cumsum(np.bincount(island))[:-1]])
    return np.unique(before // PART, return_inverse=True)[1][island]


def _of_parts(of: Ints, part: Ints) -> list[Ints]:
    """Where each part ``0…part.max()`` stands in ``of``, in order."""
    order = np.argsort(of.astype(np.int16), kind="stable")
    count = np.bincount(of, minlength=int(part.max()) + 1)
    return np.split(order, np.cumsum(count)[:-1])


def _pieces(
    graph: SignedGraph,
    first: Ints,
    second: Ints,
    part: Ints,
    faces: list[Ints],
    asked: list[Ints],
) -> Iterator[tuple[SignedGraph, Ints, Ints]]:
    """Each part as a graph of its own, with the pairs that are asked of it."""
    place = np.empty(graph.n, np.int64)
    pairs = _of_parts(part[graph.first], part)
    for number, (members, listed, wanted) in enumerate(zip(faces, pairs, asked, strict=True)):
        place[members] = np.arange(len(members))
        together, apart = (
            place[each[part[each[:, 0]] == number]] for each in (graph.together, graph.apart)
        )
        yield (
            replace(
                graph,
                n=len(members),
                first=place[graph.first[listed]],
                second=place[graph.second[listed]],
                score=graph.score[listed],
                weight=graph.weight[listed],
                together=together,
                apart=apart,
                unjudged=graph.unjudged[members],
                room=graph.room[members],
                frame=graph.frame[members],
                refused=(),
                passed=graph.passed[:0],
            ),
            place[first[wanted]],
            place[second[wanted]],
        )
