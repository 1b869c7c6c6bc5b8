"""Where a die may be two: the ways to part it, the likeliest first, and its parts again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dieindex.clustering.branches import average_branches
from dieindex.clustering.graph import SignedGraph
from dieindex.clustering.linkage import Links, joining, not_listed
from dieindex.clustering.membership import CERTAINTY_LIMIT
from dieindex.numeric import components
from dieindex.records import Flags, Floats, Ints

MOST_PARTED = 400
"""Coins of a die up to which all ways to part it are looked at; of a larger one single coins."""
MOST_DIES = 2000


@dataclass(frozen=True, eq=False)
class Split:
    """A die, or a part of one, that may be two: the faces of its ``part``, which is the smaller,
    and the ``rest``; the ``log_odds`` that both are one die all the same. ``typical`` is, of each
    face of the ``part`` and then of the ``rest``, its mean score with the others of its own, 0
    where there are none."""

    die: int
    part: Ints
    rest: Ints
    log_odds: float
    typical: Floats


def splits(labels: Ints, graph: SignedGraph, *, most: float) -> list[Split]:
    """The ways to part dies that are of one die by log-odds of ``most`` at most.

    Of each die that one of which the log-odds are least, then its parts likewise. What persons
    joined stays together. Only dies with a pair that says less than ``most`` are looked at, and no
    more than ``MOST_DIES``, those with the worst pairs.
    """
    inside = np.flatnonzero(labels[graph.first] == labels[graph.second])
    inside = inside[np.argsort(labels[graph.first[inside]], kind="stable")]
    die = labels[graph.first[inside]]
    starts = np.flatnonzero(np.diff(die, prepend=-1))
    ends = np.append(starts[1:], len(die))
    if not len(starts):
        return []
    worst = np.minimum.reduceat(graph.weight[inside], starts)
    doubtful = np.argsort(worst, kind="stable")[:MOST_DIES]
    doubtful = np.sort(doubtful[worst[doubtful] < most])
    held = components(graph.n, *graph.together.T)
    found: list[Split] = []
    for start, end in zip(starts[doubtful].tolist(), ends[doubtful].tolist(), strict=True):
        found.extend(_Die(int(die[start]), graph, inside[start:end], held).splits(most))
    return found


class _Die:
    """The faces of a die as nodes, those that persons joined as one."""

    def __init__(self, die: int, graph: SignedGraph, pairs: Ints, held: Ints) -> None:
        self._die, self._graph = die, graph
        one, other = graph.first[pairs], graph.second[pairs]
        self._faces = np.unique(np.concatenate([one, other]))
        self._node = np.unique(held[self._faces], return_inverse=True)[1]
        nodes = int(self._node.max()) + 1
        self._size = np.bincount(self._node, minlength=nodes).astype(np.float64)
        self._room = np.bincount(self._node, graph.room[self._faces], nodes)
        frames, on = np.unique(graph.frame[self._faces], return_inverse=True)
        faces = np.zeros((nodes, len(frames)))
        np.add.at(faces, (self._node, on), frames[on] >= 0)
        self._listable = faces @ faces.T
        a, b = (self._node[np.searchsorted(self._faces, end)] for end in (one, other))
        self._total, self._pairs = np.zeros((2, nodes, nodes))
        for x, y in ((a, b), (b, a)):
            np.add.at(self._total, (x, y), graph.score[pairs])
            np.add.at(self._pairs, (x, y), 1.0)

    def splits(self, most: float) -> Iterator[Split]:
        whole = np.ones(len(self._size), bool)
        waiting = [whole]
        while waiting:
            among = waiting.pop()
            if among.sum() < 2:
                continue
            part = self._least(among)
            rest = among & ~part
            # A part of a part may yet go with the rest of the die.
            log_odds = max(
                self._fit(part, rest), min(self._fit(p, whole & ~p) for p in (part, rest))
            )
            if log_odds > most:
                continue
            if self._size @ part > self._size @ rest:
                part, rest = rest, part
            yield Split(
                self._die,
                self._of(part),
                self._of(rest),
                max(log_odds, -CERTAINTY_LIMIT),
                np.concatenate([self._typical(part), self._typical(rest)]),
            )
            waiting += [part, rest]

    def _of(self, nodes: Flags) -> Ints:
        return np.asarray(self._faces[nodes[self._node]])

    def _typical(self, nodes: Flags) -> Floats:
        mean = (self._total @ nodes) / np.maximum(self._pairs @ nodes, 1.0)
        return np.asarray(mean[self._node[nodes[self._node]]])

    def _fit(self, part: Flags, rest: Flags) -> float:
        return float(self._log_odds(part[None, :].astype(float), rest)[0])

    def _log_odds(self, parts: Floats, among: Flags) -> Floats:
        """Log-odds ``(q,)`` that each of ``parts`` ``(q, k)`` is of one die with what of ``among``
        ``(k,)`` is not in it."""
        rest = among * (1.0 - parts)
        total = np.einsum("qk,qk->q", parts @ self._total, rest)
        pairs = np.einsum("qk,qk->q", parts @ self._pairs, rest)
        told = pairs > 0
        found = np.full(len(parts), np.inf)
        parts, rest = parts[told], rest[told]
        room = np.minimum(parts @ self._room, rest @ self._room)
        listable = np.einsum("qk,qk->q", parts @ self._listable, rest)
        size = parts @ self._size, rest @ self._size
        links = Links(total[told], pairs[told], *size, listable, room)
        found[told] = joining(self._graph, links)
        return found

    def _least(self, among: Flags) -> Flags:
        """The part that fits least with the rest."""
        parts = self._parts(np.flatnonzero(among))
        return np.asarray(parts[int(np.argmin(self._log_odds(parts, among)))] > 0)

    def _parts(self, nodes: Ints) -> Floats:
        """Every branch of the tree that average linkage makes of nodes, ``(q, k)`` of 0 and 1."""
        k = len(nodes)
        parts = np.zeros((2 * k - 2, len(self._size)))
        parts[np.arange(k), nodes] = 1.0
        if k == 2 or k > MOST_PARTED:
            return parts[:k]
        block = np.ix_(nodes, nodes)
        pairs = self._pairs[block]
        missing = not_listed(self._graph.kinds)
        mean = np.where(pairs > 0, self._total[block] / np.maximum(pairs, 1.0), missing)
        joins = average_branches(mean.max() - mean)
        for row, (a, b) in enumerate(joins[:-1].tolist()):
            parts[k + row] = parts[a] + parts[b]
        return parts
