"""Which coins are of one die: groups joined while one die is likelier than two.

Two groups are joined, the surest first, as long as the MEAN score over the pairs between them is
likelier of one die than of two (``TwoKinds.joining``). The mean decides, not the best pair: one
false link does not join two dies (single linkage would), and one lost pair does not split a die
(complete linkage would). How sure a mean is depends on how many coins and pairs it is of, so
single coins of a hoard and dies of many worn coins live under one rule. Nothing needs the number of
dies, or more than one coin in a die.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dieindex.calibration.two_kinds import TwoKinds
from dieindex.clustering.graph import SignedGraph
from dieindex.numeric import components
from dieindex.records import Floats, Ints

NOT_LISTED = float(np.log(0.1))
"""Log-likelihood ratio of a pair that a shortlist left out: one in ten of one die is, and nearly
all others."""


@dataclass(frozen=True, eq=False)
class Links:
    """What lies between groups of faces; arrays ``(q,)``: sums of the scores of ``pairs`` pairs
    between a group of ``coins`` and one of ``others``; ``room`` is how many pairs more with others
    of their dies the shortlists of the group that has less of it would hold."""

    total: Floats
    pairs: Floats
    coins: Floats
    others: Floats
    room: Floats


def joining(graph: SignedGraph, links: Links) -> Floats:
    """Log-odds ``(q,)`` that two groups, each of one die, are of the same die.

    Where shortlists name only the nearest faces, as many pairs should be listed between two groups
    of one die as there are, or as there is ``room`` for: the lists of a die of more coins than they
    hold are full of its own, and that a pair is not among these says nothing. Each that should be
    listed and is not counts as ``NOT_LISTED``.
    """
    total, pairs = links.total, links.pairs
    if graph.nearest is not None:
        missing = np.maximum(np.minimum(links.coins * links.others, links.room) - pairs, 0.0)
        total = total + missing * not_listed(graph.kinds)
        pairs = pairs + missing
    return graph.kinds.joining(total / pairs, links.coins, links.others, pairs)


@lru_cache(maxsize=8)
def not_listed(kinds: TwoKinds) -> float:
    """The score of a pair that a shortlist left out (asked once a join)."""
    return float(kinds.score_of(NOT_LISTED))


def cluster_graph(graph: SignedGraph) -> Ints:
    """Labels ``(n,)`` from 0, in the order of each die's first face."""
    group = components(graph.n, *graph.together.T)
    return _from_zero(_Linkage(graph, group).joined()[group])


class _Linkage:
    """Groups of faces, first those that persons joined. A group that comes of two is a new one."""

    def __init__(self, graph: SignedGraph, group: Ints) -> None:
        self._graph = graph
        count = int(group.max(initial=-1)) + 1
        self._count = count
        self._size = np.zeros(2 * count)
        self._size[:count] = np.bincount(group, minlength=count)
        self._room = np.zeros(2 * count)
        self._room[:count] = np.bincount(group, graph.room, count)
        self._top = np.arange(2 * count)
        """The group that a group is part of now."""
        self._parts: dict[int, list[int]] = {}
        self._strangers: dict[int, set[int]] = {}
        for a, b in group[graph.apart].tolist():
            self._strangers.setdefault(a, set()).add(b)
            self._strangers.setdefault(b, set()).add(a)
        a, b, total, pairs = between_groups(group, graph)
        self._rows = _Rows(count, a, b, total, pairs)
        self._heap: list[tuple[float, int, int]] = []
        self._offer(a, b, total, pairs)

    def joined(self) -> Ints:
        """The group of each that there was at first, when no two gain by being joined."""
        new = self._count
        while self._heap:
            _, one, other = heapq.heappop(self._heap)
            if self._top[one] == one and self._top[other] == other:
                self._join(one, other, new)
                new += 1
        return self._top[: self._count]

    def _join(self, one: int, other: int, new: int) -> None:
        parts = [*self._parts.pop(one, [one]), *self._parts.pop(other, [other]), new]
        self._parts[new] = parts
        self._top[parts] = new
        self._size[new] = self._size[one] + self._size[other]
        self._room[new] = self._room[one] + self._room[other]
        if self._strangers:
            self._hold_apart(one, other, new)
        beside, total, pairs = self._rows.join(one, other, new, self._top)
        self._offer(np.full(len(beside), new), beside, total, pairs)

    def _hold_apart(self, one: int, other: int, new: int) -> None:
        """What either part must not meet the whole must not."""
        strangers = self._strangers.pop(one, set()) | self._strangers.pop(other, set())
        for each in strangers:
            self._strangers[each] = (self._strangers[each] - {one, other}) | {new}
        if strangers:
            self._strangers[new] = strangers

    def _offer(self, a: Ints, b: Ints, total: Floats, pairs: Floats) -> None:
        room = np.minimum(self._room[a], self._room[b])
        gain = joining(self._graph, Links(total, pairs, self._size[a], self._size[b], room))
        up = gain > 0
        for found in zip((-gain[up]).tolist(), a[up].tolist(), b[up].tolist(), strict=True):
            if found[2] not in self._strangers.get(found[1], ()):
                heapq.heappush(self._heap, found)


class _Rows:
    """Of each group the others that pairs connect it with: ids, sums of scores, numbers of pairs.

    Rows name groups as they were when the row was made; they are brought up to date when the row's
    own group is joined.
    """

    def __init__(self, count: int, a: Ints, b: Ints, total: Floats, pairs: Floats) -> None:
        ends, beside = np.concatenate([a, b]), np.concatenate([b, a])
        order = np.argsort(ends, kind="stable")
        self._beside = beside[order]
        self._total, self._pairs = np.tile(total, 2)[order], np.tile(pairs, 2)[order]
        self._start = np.searchsorted(ends[order], np.arange(count + 1))
        self._made: dict[int, tuple[Ints, Floats, Floats]] = {}

    def join(self, one: int, other: int, new: int, top: Ints) -> tuple[Ints, Floats, Floats]:
        """The row of the ``new`` group of two; ``top`` is what each group is part of now."""
        rows = zip(self._take(one), self._take(other), strict=True)
        beside, total, pairs = (np.concatenate(both) for both in rows)
        named, place = np.unique(top[beside], return_inverse=True)
        summed = (np.bincount(place, each, len(named)) for each in (total, pairs))
        kept = named != new
        row = (named[kept], *(each[kept].astype(np.float64) for each in summed))
        self._made[new] = row
        return row

    def _take(self, group: int) -> tuple[Ints, Floats, Floats]:
        made = self._made.pop(group, None)
        if made is not None:
            return made
        part = slice(self._start[group], self._start[group + 1])
        return self._beside[part], self._total[part], self._pairs[part]


def between_groups(group: Ints, graph: SignedGraph) -> tuple[Ints, Ints, Floats, Floats]:
    """Two groups ``first < second`` (by number), the sum of the scores of the pairs between them,
    and how many these are.

    Where a person joined coins, the better half of their pairs with another group speaks for all:
    the machine held them for different, so it sees one of them badly, and what it makes of that one
    must not part the others from their die.
    """
    a, b = group[graph.first], group[graph.second]
    a, b = np.minimum(a, b), np.maximum(a, b)
    apart = a != b
    wide = int(group.max(initial=0)) + 1
    key, score = a[apart] * wide + b[apart], graph.score[apart]
    order = np.lexsort((-score, key))
    key, score = key[order], score[order]
    start = np.flatnonzero(np.diff(key, prepend=-1))
    count = np.diff(np.append(start, len(key)))
    better = np.arange(len(key)) - np.repeat(start, count) < np.repeat((count + 1) // 2, count)
    of = np.repeat(np.arange(len(start)), count)[better]
    total = np.bincount(of, score[better], len(start)) / ((count + 1) // 2) * count
    return key[start] // wide, key[start] % wide, total, count.astype(np.float64)


def _from_zero(representative: Ints) -> Ints:
    """Number the clusters from 0 in the order of their first faces."""
    _, start, labels = np.unique(representative, return_index=True, return_inverse=True)
    rank = np.empty(len(start), np.int64)
    rank[np.argsort(start)] = np.arange(len(start))
    return rank[labels]
