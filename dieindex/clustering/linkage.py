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
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dieindex.calibration.two_kinds import TwoKinds
from dieindex.clustering.graph import SignedGraph
from dieindex.numeric import components
from dieindex.records import Flags, Floats, Ints

NOT_LISTED = float(np.log(0.1))
"""Log-likelihood ratio of a pair that a shortlist left out: one in ten of one die is, and nearly
all others."""


@dataclass(frozen=True, eq=False)
class Links:
    """What lies between groups of faces; arrays ``(q,)``: sums of the scores of ``pairs`` pairs
    between a group of ``coins`` and one of ``others``, of which a shortlist could hold those
    ``listable``, being of one frame; ``room`` is how many pairs more with others of their dies the
    shortlists of the group that has less of it would hold."""

    total: Floats
    pairs: Floats
    coins: Floats
    others: Floats
    listable: Floats
    room: Floats

    def at(self, kept: Flags) -> Links:
        """Those that are ``kept`` ``(q,)``."""
        return Links(*(each[kept] for each in vars(self).values()))


def joining(graph: SignedGraph, links: Links) -> Floats:
    """Log-odds ``(q,)`` that two groups, each of one die, are of the same die.

    Where shortlists name only the nearest faces of a frame, as many pairs should be listed between
    two groups of one die as lie on one frame, or as there is ``room`` for: the lists of a die of
    more coins than they hold are full of its own, and that a pair is not among these says nothing.
    Each that should be listed and is not counts as ``NOT_LISTED``.
    """
    total, pairs = links.total, links.pairs
    if graph.nearest is not None:
        missing = np.maximum(np.minimum(links.listable, links.room) - pairs, 0.0)
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
    return from_zero(_Linkage(graph, group).joined()[group])


class _Linkage:
    """Groups of faces, first those that persons joined. A group that comes of two is a new one.

    What no pair connects, as faces of two frames, has nothing to do with each other: of each such
    island the surest two groups are joined at one time.
    """

    def __init__(self, graph: SignedGraph, group: Ints) -> None:
        self._graph = graph
        count = int(group.max(initial=-1)) + 1
        self._count = count
        self._size = np.zeros(2 * count)
        self._size[:count] = np.bincount(group, minlength=count)
        self._room = np.zeros(2 * count)
        self._room[:count] = np.bincount(group, graph.room, count)
        self._frame = np.full(2 * count, _SEVERAL)
        self._frame[:count], self._on = _frames_of(group, graph.frame, count)
        self._top = np.arange(2 * count)
        """The group that a group is part of now."""
        self._parts: dict[int, list[int]] = {}
        self._strangers: dict[int, set[int]] = {}
        for a, b in group[graph.apart].tolist():
            self._strangers.setdefault(a, set()).add(b)
            self._strangers.setdefault(b, set()).add(a)
        a, b, total, pairs = between_groups(group, graph)
        strangers = group[graph.apart].reshape(-1, 2)
        self._island = np.zeros(2 * count, np.int64)
        self._island[:count] = components(
            count, np.append(a, strangers[:, 0]), np.append(b, strangers[:, 1])
        )
        self._rows = _Rows(count, a, b, total, pairs)
        self._heaps: dict[int, list[tuple[float, int, int]]] = {}
        self._offer(a, b, total, pairs)

    def joined(self) -> Ints:
        """The group of each that there was at first, when no two gain by being joined."""
        new = self._count
        while pairs := [each for heap in self._heaps.values() if (each := self._surest(heap))]:
            one, other = np.array(pairs, np.int64).T
            self._join(one, other, np.arange(new, new + len(pairs)))
            new += len(pairs)
            self._heaps = {island: heap for island, heap in self._heaps.items() if heap}
        return self._top[: self._count]

    def _surest(self, heap: list[tuple[float, int, int]]) -> tuple[int, int] | None:
        """The two groups of an island that are joined next."""
        while heap:
            _, one, other = heapq.heappop(heap)
            if self._top[one] == one and self._top[other] == other:
                return one, other
        return None

    def _join(self, one: Ints, other: Ints, new: Ints) -> None:
        """Join the groups ``one`` and ``other``, each two of another island."""
        parts: list[int] = []
        of: list[int] = []
        for a, b, whole in zip(one.tolist(), other.tolist(), new.tolist(), strict=True):
            found = [*self._parts.pop(a, [a]), *self._parts.pop(b, [b]), whole]
            self._parts[whole] = found
            if self._frame[a] != self._frame[b] or self._frame[a] == _SEVERAL:
                self._on[whole] = self._faces_on(a) + self._faces_on(b)
            else:
                self._frame[whole] = self._frame[a]
            parts += found
            of += [whole] * len(found)
            if self._strangers:
                self._hold_apart(a, b, whole)
        self._top[parts] = of
        self._size[new] = self._size[one] + self._size[other]
        self._room[new] = self._room[one] + self._room[other]
        self._island[new] = self._island[one]
        self._offer(*self._rows.join(one, other, new, self._top))

    def _hold_apart(self, one: int, other: int, new: int) -> None:
        """What either part must not meet the whole must not."""
        strangers = self._strangers.pop(one, set()) | self._strangers.pop(other, set())
        for each in strangers:
            self._strangers[each] = (self._strangers[each] - {one, other}) | {new}
        if strangers:
            self._strangers[new] = strangers

    def _faces_on(self, group: int) -> Counter[int]:
        """How many faces of a group lie on which frame."""
        frame = int(self._frame[group])
        if frame == _SEVERAL:
            return self._on[group]
        return Counter({frame: int(self._size[group])} if frame >= 0 else {})

    def _listable(self, a: Ints, b: Ints) -> Floats:
        """The pairs of one frame between groups."""
        one, other = self._frame[a], self._frame[b]
        found = np.where((one == other) & (one >= 0), self._size[a] * self._size[b], 0.0)
        for k in np.flatnonzero((one == _SEVERAL) | (other == _SEVERAL)).tolist():
            here, there = self._faces_on(int(a[k])), self._faces_on(int(b[k]))
            found[k] = sum(count * there[frame] for frame, count in here.items())
        return found

    def _offer(self, a: Ints, b: Ints, total: Floats, pairs: Floats) -> None:
        room = np.minimum(self._room[a], self._room[b])
        size = self._size[a], self._size[b]
        gain = joining(self._graph, Links(total, pairs, *size, self._listable(a, b), room))
        up = gain > 0
        offered = (-gain[up]).tolist(), a[up].tolist(), b[up].tolist()
        for island, *found in zip(self._island[a[up]].tolist(), *offered, strict=True):
            lost, one, other = found
            if other not in self._strangers.get(one, ()):
                heapq.heappush(self._heaps.setdefault(island, []), (lost, one, other))


_SEVERAL = -2
"""In the place of a frame, of groups of which the faces lie on several frames."""


def _frames_of(group: Ints, frame: Ints, count: int) -> tuple[Ints, dict[int, Counter[int]]]:
    """The frame of each of ``count`` groups, and how many faces of those on several lie on
    which."""
    least, most = np.full(count, np.iinfo(np.int64).max), np.full(count, -1)
    np.minimum.at(least, group, frame)
    np.maximum.at(most, group, frame)
    several = least != most
    on: dict[int, Counter[int]] = {int(each): Counter() for each in np.flatnonzero(several)}
    for face in np.flatnonzero(several[group] & (frame >= 0)).tolist():
        on[int(group[face])][int(frame[face])] += 1
    return np.where(several, _SEVERAL, least), on


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
        self._start = np.searchsorted(ends[order], np.arange(count + 1)).tolist()
        self._made: dict[int, tuple[Ints, Floats, Floats]] = {}

    def join(
        self, one: Ints, other: Ints, new: Ints, top: Ints
    ) -> tuple[Ints, Ints, Floats, Floats]:
        """The rows of the ``new`` groups, each of two: its id, and beside it a group, sum and
        number of pairs; ``top`` is what each group is part of now."""
        taken = [
            self._take(each)
            for both in zip(one.tolist(), other.tolist(), strict=True)
            for each in both
        ]
        beside, total, pairs = (np.concatenate(column) for column in zip(*taken, strict=True))
        length = np.array([len(row) for row, _, _ in taken]).reshape(-1, 2).sum(1)
        of = np.repeat(np.arange(len(new)), length)
        key, place = np.unique(of * len(top) + top[beside], return_inverse=True)
        of, named = key // len(top), key % len(top)
        summed = (np.bincount(place, each, len(key)) for each in (total, pairs))
        kept = named != new[of]
        of, named = of[kept], named[kept]
        total, pairs = (each[kept].astype(np.float64) for each in summed)
        end = np.searchsorted(of, np.arange(len(new) + 1)).tolist()
        for group, start, stop in zip(new.tolist(), end, end[1:], strict=False):
            part = slice(start, stop)
            # (Copies: a part would keep the whole.)
            self._made[group] = named[part].copy(), total[part].copy(), pairs[part].copy()
        return new[of], named, total, pairs

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
    if (np.diff(key) > 0).all():  # each coin by itself
        return key // wide, key % wide, score, np.ones(len(key))
    order = np.lexsort((-score, key))
    key, score = key[order], score[order]
    start = np.flatnonzero(np.diff(key, prepend=-1))
    count = np.diff(np.append(start, len(key)))
    better = np.arange(len(key)) - np.repeat(start, count) < np.repeat((count + 1) // 2, count)
    of = np.repeat(np.arange(len(start)), count)[better]
    total = np.bincount(of, score[better], len(start)) / ((count + 1) // 2) * count
    return key[start] // wide, key[start] % wide, total, count.astype(np.float64)


def from_zero(representative: Ints) -> Ints:
    """Groups ``(n,)`` numbered from 0 in the order of their first faces."""
    _, start, labels = np.unique(representative, return_index=True, return_inverse=True)
    rank = np.empty(len(start), np.int64)
    rank[np.argsort(start)] = np.arange(len(start))
    return rank[labels]
