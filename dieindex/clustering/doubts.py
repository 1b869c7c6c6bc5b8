"""What a person should look at: dies that may be one, or two, coins that may belong elsewhere, and
a sheet's suspected errors.

Every list is ordered by what a look would change: the probability that the machine is wrong there,
times the number of pairs of coins whose attribution would turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dieindex.clustering.certainty import certainties
from dieindex.clustering.graph import SignedGraph
from dieindex.clustering.membership import between_dies, memberships, not_compared
from dieindex.clustering.splits import splits
from dieindex.numeric import log_odds, sigmoid
from dieindex.records import Flags, Ints

LEAST_PROBABILITY = 0.001
"""Probability of an error from which it is listed. So low that looks are hardly ever used up while
dies are wrong: on hard collections most of the last errors are listed with less than 0.01."""
WORTH_LOOKING = 0.05
"""Probability of an error from which a look at it is worth it. Where none has more, one look in 26
turned something, on collections of two rendering programs (``benchmarks/looks.py``)."""
MOST_LISTED = 1000
"""Doubts of a kind."""
MOST_LOOKS = 300
"""Doubts of all kinds in one list."""
MOST_CUT = 5
"""Pairs that a contradiction names to see again."""
NOTHING_SEEN: Ints = np.zeros((0, 2), np.int64)


@dataclass(frozen=True)
class Contradiction:
    """A die, or a part of one, that may be two: ``part`` (the smaller) and the ``rest``.

    ``pair`` is the one to compare, of a coin in either, with its ``weight``; ``cut`` are pairs
    between both that say "same", the strongest first. ``probability`` 0…1 is that of two dies,
    ``change`` that times the pairs that would part.
    """

    die: int
    pair: tuple[int, int]
    weight: float
    part: tuple[int, ...]
    cut: tuple[tuple[int, int], ...]
    probability: float
    change: float


@dataclass(frozen=True)
class NearMiss:
    """Two dies that may be one: the ``pair`` to compare, the ``mean`` score of all between them,
    the ``probability`` 0…1 of one die, and ``change``, that times the pairs that would join."""

    dies: tuple[int, int]
    pair: tuple[int, int]
    mean: float
    probability: float
    change: float


@dataclass(frozen=True)
class Misplaced:
    """A coin that may belong to another die alone: ``face`` of ``dies[0]``, to ``dies[1]``.
    ``pair`` is the one to compare, ``probability`` 0…1 that it belongs there, ``change`` that times
    the pairs that would part or join. ``unjudged``: nothing could be told of the coin, ``dies[1]``
    is the largest that it may belong to."""

    face: int
    dies: tuple[int, int]
    pair: tuple[int, int]
    probability: float
    change: float
    unjudged: bool = False


Look = NearMiss | Contradiction | Misplaced


@dataclass(frozen=True)
class Doubts:
    """All that may be wrong of a side's dies, each kind those first where a look would change
    most."""

    near_misses: list[NearMiss]
    contradictions: list[Contradiction]
    misplaced: list[Misplaced]

    @classmethod
    def of(cls, labels: Ints, graph: SignedGraph, seen: Ints = NOTHING_SEEN) -> Doubts:
        """``seen`` ``(s, 2)`` are pairs that persons looked at without a verdict that binds. No
        pair that a person looked at is asked again."""
        given = (labels, graph, seen)
        return cls(near_misses(*given), contradictions(*given), misplaced(*given))

    def looks(self) -> list[Look]:
        """All in one list, that first which would change most, no pair of coins twice."""
        found: dict[tuple[int, int], Look] = {}
        whole: list[Look] = [*self.near_misses, *self.contradictions, *self.misplaced]
        for each in sorted(whole, key=lambda look: -look.change):
            found.setdefault(each.pair, each)
        return list(found.values())[:MOST_LOOKS]


def worth_looking(looks: Sequence[Look]) -> int:
    """How many looks change something with a probability of ``WORTH_LOOKING`` at least."""
    return sum(each.probability >= WORTH_LOOKING for each in looks)


class _Open:
    """The compared pairs that no person has judged yet, by face."""

    def __init__(self, graph: SignedGraph, seen: Ints) -> None:
        self._graph = graph
        judged = np.concatenate([graph.together, graph.apart, seen.reshape(-1, 2)])
        key = judged.min(1) * graph.n + judged.max(1)
        self.open: Flags = ~np.isin(graph.first * graph.n + graph.second, key)
        pairs = np.flatnonzero(self.open)
        ends = np.concatenate([graph.first[pairs], graph.second[pairs]])
        order = np.argsort(ends, kind="stable")
        self._pairs = np.tile(pairs, 2)[order]
        self._start = np.searchsorted(ends[order], np.arange(graph.n + 1))

    def between(self, part: Ints, others: Flags) -> Ints:
        """The pairs of faces of ``part`` with those of ``others`` ``(n,)``."""
        rows = [self._pairs[self._start[face] : self._start[face + 1]] for face in part.tolist()]
        found = np.concatenate(rows) if rows else np.zeros(0, np.int64)
        in_others = others[self._graph.first[found]] | others[self._graph.second[found]]
        return np.asarray(found[in_others])


def contradictions(
    labels: Ints, graph: SignedGraph, seen: Ints = NOTHING_SEEN
) -> list[Contradiction]:
    """Dies that may be two, and parts of them, those first where a look would change most. What
    persons joined stays together. ``seen``: as in ``Doubts.of``."""
    found = splits(labels, graph, most=-log_odds(LEAST_PROBABILITY))
    change = [sigmoid(-each.log_odds) * len(each.part) * len(each.rest) for each in found]
    compared = _Open(graph, seen)
    listed: list[Contradiction] = []
    for k in np.argsort(-np.array(change), kind="stable")[:MOST_LISTED].tolist():
        each, others = found[k], np.zeros(graph.n, bool)
        others[each.rest] = True
        across = compared.between(each.part, others)
        if not len(across):
            continue
        a, b, w = graph.first[across], graph.second[across], graph.weight[across]
        typical = np.zeros(graph.n)
        typical[np.concatenate([each.part, each.rest])] = each.typical
        # (Of coins that are typical of both, so that the answer holds for both.)
        best = int(np.argmin(w - (typical[a] + typical[b]) / 2))
        same = np.flatnonzero(w > 0)
        same = same[np.argsort(-w[same], kind="stable")][:MOST_CUT]
        listed.append(
            Contradiction(
                each.die,
                (int(a[best]), int(b[best])),
                float(w[best]),
                tuple(each.part.tolist()),
                tuple((int(a[k]), int(b[k])) for k in same),
                sigmoid(-each.log_odds),
                change[k],
            )
        )
    return listed


def near_misses(labels: Ints, graph: SignedGraph, seen: Ints = NOTHING_SEEN) -> list[NearMiss]:
    """Pairs of dies that are one with ``LEAST_PROBABILITY`` at least, those first where a look
    would change most; among them dies that a person's verdict holds apart, against which the
    pictures speak. ``seen``: as in ``Doubts.of``."""
    near = between_dies(labels, graph, doubting=True)
    close = near.log_odds >= log_odds(LEAST_PROBABILITY)
    first, second, mean = near.first[close], near.second[close], near.mean[close]
    probability = sigmoid(near.log_odds[close])
    size = np.bincount(labels, minlength=1)
    change = probability * size[first] * size[second]
    order = np.lexsort((second, first, -change))[:MOST_LISTED]
    best = _likeliest(labels, graph, _Open(graph, seen).open, first[order], second[order])
    return [
        NearMiss(
            (int(first[k]), int(second[k])),
            (int(graph.first[pair]), int(graph.second[pair])),
            float(mean[k]),
            float(probability[k]),
            float(change[k]),
        )
        for k, pair in zip(order.tolist(), best.tolist(), strict=True)
        if pair >= 0
    ]


def _likeliest(labels: Ints, graph: SignedGraph, among: Flags, first: Ints, second: Ints) -> Ints:
    """Of each pair of dies (first < second) its pair of faces with the largest weight, −1 where
    ``among`` ``(m,)`` is none."""
    if not len(first):
        return np.zeros(0, np.int64)
    wide = int(labels.max(initial=0)) + 1
    a, b = labels[graph.first], labels[graph.second]
    key = np.minimum(a, b) * wide + np.maximum(a, b)
    asked = first * wide + second
    pairs = np.flatnonzero(among & np.isin(key, asked))
    pairs = np.append(pairs[np.lexsort((-graph.weight[pairs], key[pairs]))], -1)
    keys = np.append(key[pairs[:-1]], -1)
    place = np.searchsorted(keys[:-1], asked)
    return np.where(keys[place] == asked, pairs[place], -1)


def misplaced(labels: Ints, graph: SignedGraph, seen: Ints = NOTHING_SEEN) -> list[Misplaced]:
    """Coins of dies of several that may belong to another with ``LEAST_PROBABILITY`` at least, and
    coins of which nothing could be told, those first where a look would change most. What persons
    joined to another coin stays. ``seen``: as in ``Doubts.of``."""
    known = memberships(labels, graph)
    odds = np.exp(known.log_odds)
    share = odds / (1.0 + np.bincount(known.face, odds, graph.n))[known.face]
    size = np.bincount(labels, minlength=1)
    own = labels[known.face]
    listed = (known.die != own) & (size[own] > 1) & (share >= LEAST_PROBABILITY)
    listed &= ~np.isin(known.face, graph.together)
    face, die, share = known.face[listed], known.die[listed], share[listed]
    change = share * (size[labels[face]] - 1 + size[die])
    compared = _Open(graph, seen)
    found = []
    for k in np.argsort(-change, kind="stable")[:MOST_LISTED].tolist():
        across = compared.between(face[k : k + 1], labels == die[k])
        if not len(across):
            continue
        pair = across[int(np.argmax(graph.weight[across]))]
        found.append(
            Misplaced(
                int(face[k]),
                (int(labels[face[k]]), int(die[k])),
                (int(graph.first[pair]), int(graph.second[pair])),
                float(share[k]),
                float(change[k]),
            )
        )
    found += _unjudged(labels, graph, seen)
    return sorted(found, key=lambda each: -each.change)[:MOST_LISTED]


def _unjudged(labels: Ints, graph: SignedGraph, seen: Ints) -> list[Misplaced]:
    """Each coin of which nothing could be told with the largest die that no person ruled out for
    it; how likely it belongs there is by that die's share of the coins that are left."""
    size = np.bincount(labels, minlength=1)
    looked_at = np.concatenate([graph.apart, seen.reshape(-1, 2)])
    not_alone = 1.0 - certainties(labels, graph)
    found = []
    for face in np.flatnonzero(graph.unjudged)[:MOST_LISTED].tolist():
        beside = looked_at[(looked_at == face).any(1)]
        left = size.copy()
        left[labels[np.append(beside, face)]] = 0
        die = int(np.argmax(left))
        if not left[die]:
            continue
        probability = float(not_alone[face] * left[die] / left.sum())
        other = int(np.flatnonzero(labels == die)[0])
        found.append(
            Misplaced(
                face,
                (int(labels[face]), die),
                (min(face, other), max(face, other)),
                probability,
                probability * int(left[die]),
                unjudged=True,
            )
        )
    return found


@dataclass(frozen=True)
class SuspectedError:
    """A label that the pictures contradict: of the coin at ``face``, whose sheet die is
    ``die``. ``better`` is the sheet die that its pictures point to, None where to none;
    ``own`` and the best ``other`` are the log-odds that the coin is of that die against that it is
    of none (nats; NaN where no pair was compared); ``pair`` is the pair that says so most;
    ``evidence`` nats by which it stands against the label.
    ``change`` is the probability of an error times the pairs of coins that would part or join."""

    face: int
    die: str
    better: str | None
    own: float
    other: float
    pair: tuple[int, int]
    evidence: float
    change: float


SUSPECTED_FROM = 4.0
"""Nats against a label from which it is listed: about 50 to 1."""


def suspected_errors(dies: Sequence[str | None], graph: SignedGraph) -> list[SuspectedError]:
    """Labels of a sheet (one a face, None where unknown) that the pictures contradict strongly.

    A coin is suspected where its log-odds for its sheet die (``memberships``) speak against that
    die, and are ``SUSPECTED_FROM`` nats less than those for another die, which speak for it; or,
    where no other die fits, where they are ``-SUSPECTED_FROM`` at most. Of each sheet die the most
    suspected goes first, and the others are looked at again without it: they may have fitted it
    badly only. The graph must know nothing of the sheet. Those come first where a look would change
    most.
    """
    names = sorted({die for die in dies if die is not None})
    number = {name: place for place, name in enumerate(names)}
    labels = np.array([len(names) if die is None else number[die] for die in dies], np.int64)
    found: list[SuspectedError] = []
    while suspects := _suspects(labels, names, graph):
        first = {suspect.die: suspect for suspect in reversed(suspects)}.values()
        labels[[suspect.face for suspect in first]] = len(names)
        found.extend(first)
    return sorted(found, key=lambda e: (-e.change, -e.evidence, e.face))


def _suspects(labels: Ints, names: Sequence[str], graph: SignedGraph) -> list[SuspectedError]:
    """Labels (numbers of ``names``, as many as these where unknown) that the pictures contradict,
    the most contradicted first."""
    known = labels < len(names)
    if not len(graph.first) or not known.any():
        return []
    told = memberships(labels, graph)
    kept = known[told.face] & (told.die < len(names)) & np.isfinite(told.log_odds)
    face, die, odds = told.face[kept], told.die[kept], told.log_odds[kept]
    own = np.full(len(labels), np.nan)
    is_own = labels[face] == die
    one, other = labels[graph.passed].T
    far = np.unique(graph.passed[(one == other) & (one < len(names))])
    own[far] = not_compared(far, labels, graph)
    own[face[is_own]] = odds[is_own]
    best, better = np.full(len(labels), np.nan), np.full(len(labels), -1, np.int64)
    order = np.lexsort((odds[~is_own], face[~is_own]))
    # (Ascending, so that the last one written for a face is its largest.)
    best[face[~is_own][order]] = odds[~is_own][order]
    better[face[~is_own][order]] = die[~is_own][order]
    size = np.bincount(labels)
    found = []
    for k in np.flatnonzero(own < 0).tolist():
        fits = best[k] > 0
        evidence = float(best[k] - own[k]) if fits else float(-own[k])
        if evidence < SUSPECTED_FROM:
            continue
        found.append(
            SuspectedError(
                k,
                names[labels[k]],
                names[better[k]] if fits else None,
                float(own[k]),
                float(best[k]),
                _telling_pair(k, labels, graph, int(better[k]) if fits else int(labels[k]), fits),
                evidence,
                float((size[labels[k]] - 1 + (size[better[k]] if fits else 0)) * sigmoid(evidence)),
            )
        )
    return sorted(found, key=lambda e: (-e.evidence, e.face))


def _telling_pair(
    face: int, labels: Ints, graph: SignedGraph, die: int, likeliest: bool
) -> tuple[int, int]:
    """The pair of a face with a die's coins that is likeliest, or least likely, of one die."""
    of_face = np.flatnonzero((graph.first == face) | (graph.second == face))
    other = np.where(graph.first[of_face] == face, graph.second[of_face], graph.first[of_face])
    of_face = of_face[labels[other] == die]
    if not len(of_face):
        over = graph.passed[(graph.passed == face).any(1)]
        of_die = over[(labels[over] == die).all(1)]
        return int(of_die[0, 0]), int(of_die[0, 1])
    w = graph.weight[of_face]
    k = of_face[int(np.argmax(w if likeliest else -w))]
    return int(graph.first[k]), int(graph.second[k])
