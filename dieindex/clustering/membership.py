"""How likely coins, and dies, belong together once dies are found: one posterior for all answers.

Given the dies, each face has its stories: that it belongs to this die, to that one, or to none. How
likely each is follows from its mean score to the die's coins, as in the linkage. Two dies may also
be one. From both follows how likely two coins share a die, so that what is said of pairs is what
dies were made by.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dieindex.clustering.graph import SignedGraph
from dieindex.clustering.linkage import Links, joining
from dieindex.clustering.shortlists import FacesOnFrames
from dieindex.numeric import sigmoid
from dieindex.records import Flags, Floats, Ints

CERTAINTY_LIMIT = 10.0
"""Nats beyond which nothing counts: probabilities are so never nearer to 0 or 1 than 1 in
20,000."""
CONSTRAINT_WEIGHT = 7.0
"""Nats of a person's verdict: wrong once in a thousand."""
_DENSE = 4_000_000
"""Cells up to which a table is filled wholly."""
MOST_AGAINST_A_PERSON = 5.0
"""Nats that pictures weigh at most against what a person said of them."""


@dataclass(frozen=True, eq=False)
class Memberships:
    """The faces and dies between which pairs were compared, each once; arrays ``(q,)``.

    ``log_odds``, nats, that the ``face`` belongs to the ``die`` against that it belongs to none.
    Sorted by face and die; ``cell`` ``(q,)`` is ``face · dies + die``.
    """

    face: Ints
    die: Ints
    log_odds: Floats
    cell: Ints

    def at(self, face: Ints, die: Ints, dies: int) -> Floats:
        """The log-odds of faces ``(m,)`` for dies ``(m,)``, −``CERTAINTY_LIMIT`` where nothing was
        compared."""
        return _found(self.cell, self.log_odds, face * dies + die)


@dataclass(frozen=True, eq=False)
class Between:
    """Pairs of dies ``first < second`` ``(q,)`` of which pairs were compared: the ``mean`` score of
    those, their number ``pairs``, and the ``log_odds`` that both are one die."""

    first: Ints
    second: Ints
    mean: Floats
    pairs: Ints
    log_odds: Floats


def memberships(labels: Ints, graph: SignedGraph) -> Memberships:
    """How likely faces belong to dies; ``labels`` ``(n,)`` count from 0. A person's "same" makes
    the odds for the own die those of ``CONSTRAINT_WEIGHT`` at least, a person's "different" rules
    that other die out."""
    dies = int(labels.max(initial=-1)) + 1
    face = np.concatenate([graph.first, graph.second])
    die = np.concatenate([labels[graph.second], labels[graph.first]])
    face, die, total, pairs = _summed(face, die, np.tile(graph.score, 2), (graph.n, dies))
    own = labels[face] == die
    others = np.bincount(labels, minlength=dies)[die] - own
    room = np.bincount(labels, graph.room, dies)[die] - own * graph.room[face]
    room = np.minimum(room, graph.room[face])
    one, frame = np.ones(len(face)), graph.frame[face]
    listable = FacesOnFrames(labels, graph.frame).on(die, frame) - (own & (frame >= 0))
    found = joining(graph, Links(total, pairs, one, others.astype(np.float64), listable, room))
    found = np.clip(found, -CERTAINTY_LIMIT, CERTAINTY_LIMIT)
    held = own & np.isin(face, graph.together)
    found[held] = np.maximum(found[held], CONSTRAINT_WEIGHT)
    cell = face * dies + die
    if len(graph.apart):
        one, other = graph.apart.T
        ruled_out = np.concatenate([one * dies + labels[other], other * dies + labels[one]])
        found[np.isin(cell, ruled_out) & ~own] = -np.inf
    return Memberships(face, die, found, cell)


def not_compared(face: Ints, labels: Ints, graph: SignedGraph) -> Floats:
    """The log-odds ``(q,)`` that faces belong to the dies of ``labels`` ``(n,)`` that are theirs,
    though no shortlist holds a pair of the two."""
    die, frame = labels[face], graph.frame[face]
    others = np.bincount(labels)[die].astype(np.float64) - 1.0
    listable = FacesOnFrames(labels, graph.frame).on(die, frame) - (frame >= 0)
    room = np.minimum(np.bincount(labels, graph.room)[die] - graph.room[face], graph.room[face])
    nothing = np.zeros(len(face))
    told = np.minimum(listable, room) > 0
    found = nothing.copy()
    links = Links(nothing, nothing, nothing + 1.0, others, listable, room)
    found[told] = joining(graph, links.at(told))
    return np.asarray(np.clip(found, -CERTAINTY_LIMIT, CERTAINTY_LIMIT))


def between_dies(labels: Ints, graph: SignedGraph, *, doubting: bool = False) -> Between:
    """How likely every two dies that were compared, and that no person holds apart, are one.

    ``doubting``: also those that a person holds apart, as likely as each verdict is wrong; against
    verdicts the pictures weigh ``MOST_AGAINST_A_PERSON`` at most.
    """
    dies = int(labels.max(initial=-1)) + 1
    a, b = labels[graph.first], labels[graph.second]
    other = a != b
    a, b = np.minimum(a, b)[other], np.maximum(a, b)[other]
    one, two, total, pairs = _summed(a, b, graph.score[other], (dies, dies))
    held = labels[graph.apart]
    key, count = np.unique(held.min(1) * dies + held.max(1), return_counts=True)
    verdicts = np.zeros(len(one))
    place = np.searchsorted(one * dies + two, key).clip(max=max(len(one) - 1, 0))
    if len(one):
        met = (one * dies + two)[place] == key
        verdicts[place[met]] = count[met]
    if not doubting:
        kept = verdicts == 0
        one, two, total, pairs, verdicts = (x[kept] for x in (one, two, total, pairs, verdicts))
    size = np.bincount(labels, minlength=dies).astype(np.float64)
    of_die = np.asarray(np.bincount(labels, graph.room, dies), np.float64)
    room = np.minimum(of_die[one], of_die[two])
    listable = FacesOnFrames(labels, graph.frame).pairs(one, two)
    found = joining(graph, Links(total, pairs, size[one], size[two], listable, room))
    against = np.minimum(found, MOST_AGAINST_A_PERSON) - CONSTRAINT_WEIGHT * verdicts
    found = np.where(verdicts > 0, against, found)
    found = np.clip(found, -CERTAINTY_LIMIT, CERTAINTY_LIMIT)
    return Between(one, two, total / pairs, pairs.astype(np.int64), found)


def pair_probabilities(
    first: Ints,
    second: Ints,
    labels: Ints,
    graph: SignedGraph,
    known: Memberships | None = None,
) -> Floats:
    """The probability ``(m,)`` 0…1 that the faces ``first`` and ``second`` ``(m,)`` share a die.

    Of two in one die: that neither belongs elsewhere or to none. Of two in different dies: that one
    of them belongs to the other's die, or that both dies are one. A person's verdict decides its
    pair. ``known`` are the memberships, where they are at hand.
    """
    dies = int(labels.max(initial=-1)) + 1
    known = memberships(labels, graph) if known is None else known
    of_all = np.exp(known.log_odds)
    stories = 1.0 + np.bincount(known.face, of_all, graph.n)

    def share(face: Ints, die: Ints) -> Floats:
        return np.asarray(np.exp(known.at(face, die, dies)) / stories[face])

    a, b = labels[first], labels[second]
    size = np.bincount(labels, minlength=1)
    near = between_dies(labels, graph)
    one = sigmoid(
        _found(
            near.first * dies + near.second,
            near.log_odds,
            np.minimum(a, b) * dies + np.maximum(a, b),
        )
    )
    moves = np.minimum(share(first, b) + share(second, a), 1.0)
    apart = 1.0 - (1.0 - moves) * (1.0 - one)
    # (A move between two single coins is nothing else than that both are one die.)
    apart = np.where((size[a] == 1) & (size[b] == 1), one, apart)
    together = share(first, a) * share(second, b)
    together = np.where(size[a] == 2, sigmoid(known.at(first, a, dies)), together)
    found = np.where(a == b, together, apart)
    same, different = said_of(first, second, graph)
    found = np.where(same, np.maximum(found, sigmoid(CONSTRAINT_WEIGHT)), found)
    return np.asarray(np.where(different, sigmoid(-CONSTRAINT_WEIGHT), found))


def said_of(first: Ints, second: Ints, graph: SignedGraph) -> tuple[Flags, Flags]:
    """Of which of these pairs ``(m,)`` a person's "same", and "different", holds."""
    cell = np.minimum(first, second) * graph.n + np.maximum(first, second)
    # (Constraints name the smaller face first.)
    return (
        np.isin(cell, graph.together @ [graph.n, 1]),
        np.isin(cell, graph.apart @ [graph.n, 1]),
    )


def _found(cells: Ints, log_odds: Floats, asked: Ints) -> Floats:
    """The log-odds of the ``asked`` among sorted ``cells``, −``CERTAINTY_LIMIT`` of others."""
    if not len(cells):
        return np.full(len(asked), -CERTAINTY_LIMIT)
    place = np.searchsorted(cells, asked).clip(max=len(cells) - 1)
    return np.where(cells[place] == asked, log_odds[place], -CERTAINTY_LIMIT)


def _summed(
    row: Ints, column: Ints, value: Floats, shape: tuple[int, int]
) -> tuple[Ints, Ints, Floats, Floats]:
    """Sum of the values in each cell of a table, and their number: ``row``, ``column`` ``(q,)``
    of the cells that hold any, in order."""
    if shape[0] * shape[1] <= _DENSE:
        cell = row * shape[1] + column
        number = np.bincount(cell, minlength=shape[0] * shape[1])
        there = np.flatnonzero(number)
        total = np.asarray(np.bincount(cell, value, len(number))[there], np.float64)
        rows, columns = (each.astype(np.int64) for each in (there // shape[1], there % shape[1]))
        return rows, columns, total, number[there].astype(np.float64)
    from scipy.sparse import coo_array

    # Sum and number in one pass, as real and imaginary part: several times faster than to sort.
    table = coo_array((value + 1j, (row, column)), shape=shape).tocsr()
    table.sum_duplicates()
    rows = np.repeat(np.arange(shape[0], dtype=np.int64), np.diff(table.indptr))
    return rows, table.indices.astype(np.int64), table.data.real, table.data.imag
