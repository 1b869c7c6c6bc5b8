"""How sure a clustering is: of each coin's place, of each die, of the number of dies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dieindex.clustering.graph import SignedGraph
from dieindex.records import Flags, Floats, Ints

CERTAINTY_LIMIT = 10.0
"""Nats beyond which no mean weight counts: certainties are so never nearer to 0 or 1 than 1 in
20,000."""
CONSTRAINT_WEIGHT = 7.0
"""Nats of a person's verdict: wrong once in a thousand."""
COMMON_ERROR = 1.3
"""Standard deviation, in nats, of what all weights of a collection may be wrong by together: a
calibration learned elsewhere fits a collection only so well."""
TAKEN_DECISION = 1.0
"""Nats by which weights overstate that a decision was wrong. The linkage had the choice and took
what fitted best; on the mint's validation types coins 0 to 4 nats in were alone between half and a
third as often as their weights say, and larger dies 0 to 4 nats apart were one still more seldom.
"""
FARTHEST = -6.0
"""Mean weight, nats, below which two clusters are no near miss of each other."""
SAMPLES = 400
FEWER_SAMPLES = 60
_MANY = 5000


def certainties(labels: Ints, graph: SignedGraph) -> Floats:
    """How sure each face's place in its die is, ``(n,)`` in 0…1.

    ``labels`` ``(n,)`` count from 0. Let o(C) be the odds that a face belongs to die C: the
    exponential of its mean weight to the compared other faces of C (the mean the linkage decides
    by), 0 where none was compared. Its stories, "belongs to C" for every die C and "belongs to none
    of them", then stand o(C) : 1. The certainty is the share of the story told: ``o(own) / (o(own)
    + sum of o(C) over the others + 1)``, and for a singleton, whose story is "to none of them", ``1
    / (sum of o(C) over the others + 1)``. A person's "same" makes the odds of the own die those of
    ``CONSTRAINT_WEIGHT`` at least; a person's "different" makes the odds of that other die 0. A
    coin of which nothing could be told stands alone with the chance that a new coin shows a new
    die, and the likelier the more dies a person ruled out.
    """
    n = len(labels)
    face, die, odds = face_odds(labels, graph)
    own = labels[face] == die
    to_own = np.bincount(face[own], weights=odds[own], minlength=n)
    to_others = np.bincount(face[~own], weights=odds[~own], minlength=n)
    held = np.unique(graph.together)
    to_own[held] = np.maximum(to_own[held], np.exp(CONSTRAINT_WEIGHT))
    single = np.bincount(labels, minlength=1)[labels] == 1 if n else np.zeros(0, bool)
    found: Floats = np.where(single, 1.0, to_own) / (to_own + to_others + 1.0)
    new = new_die_chance(labels, graph.unjudged)
    found[graph.unjudged] = _alone(new, _left_to_unjudged(labels, graph))
    return found


def face_odds(labels: Ints, graph: SignedGraph) -> tuple[Ints, Ints, Floats]:
    """Odds that a face belongs to a die: ``face``, ``die``, ``odds`` of every face and die of which
    a pair was compared; a die that a person ruled out is left out."""
    dies = int(labels.max(initial=-1)) + 1
    if not dies:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    w = np.clip(graph.weight, -CERTAINTY_LIMIT, CERTAINTY_LIMIT)
    face = np.concatenate([graph.first, graph.second])
    die = np.concatenate([labels[graph.second], labels[graph.first]])
    face, die, mean, _ = _cell_means(face, die, np.concatenate([w, w]), (graph.n, dies))
    odds = np.exp(mean)
    if len(graph.apart):
        one, other = graph.apart.T
        ruled_out = np.concatenate([one * dies + labels[other], other * dies + labels[one]])
        kept = ~np.isin(face * dies + die, ruled_out)
        face, die, odds = face[kept], die[kept], odds[kept]
    return face, die, odds


def _cell_means(
    row: Ints, column: Ints, value: Floats, shape: tuple[int, int]
) -> tuple[Ints, Ints, Floats, Ints]:
    """Mean of the values in each cell of a table, and their number: ``row``, ``column`` ``(q,)``
    of the cells that hold any, in order."""
    from scipy.sparse import coo_array

    # Sum and number in one pass, as real and imaginary part: several times faster than to sort.
    table = coo_array((value + 1j, (row, column)), shape=shape).tocsr()
    table.sum_duplicates()
    rows = np.repeat(np.arange(shape[0], dtype=np.int64), np.diff(table.indptr))
    count = table.data.imag
    return rows, table.indices.astype(np.int64), table.data.real / count, count.astype(np.int64)


@dataclass(frozen=True, eq=False)
class Between:
    """Pairs of clusters ``first < second`` ``(q,)`` of which pairs were compared: ``mean`` weight
    of those ``(q,)`` and their ``pairs`` ``(q,)``."""

    first: Ints
    second: Ints
    mean: Floats
    pairs: Ints


def between_dies(labels: Ints, graph: SignedGraph) -> Between:
    """The mean weight between every two dies that were compared and no person holds apart."""
    dies = int(labels.max(initial=-1)) + 1
    a, b = labels[graph.first], labels[graph.second]
    other = a != b
    a, b, w = a[other], b[other], np.clip(graph.weight[other], -CERTAINTY_LIMIT, CERTAINTY_LIMIT)
    one, two, mean, count = _cell_means(np.minimum(a, b), np.maximum(a, b), w, (dies, dies))
    if len(graph.apart):
        held = labels[graph.apart]
        kept = ~np.isin(one * dies + two, held.min(1) * dies + held.max(1))
        one, two, mean, count = one[kept], two[kept], mean[kept], count[kept]
    return Between(one, two, mean, count)


def cohesions(labels: Ints, graph: SignedGraph) -> Floats:
    """Of each die, the probability 0…1 that two of its coins share it by their mean weight; NaN for
    a die of one coin, or of which no pair was compared."""
    dies = int(labels.max(initial=-1)) + 1
    inside = labels[graph.first] == labels[graph.second]
    die = labels[graph.first[inside]]
    w = np.clip(graph.weight[inside], -CERTAINTY_LIMIT, CERTAINTY_LIMIT)
    count = np.bincount(die, minlength=dies)
    total = np.bincount(die, weights=w, minlength=dies)
    mean = np.divide(total, count, out=np.full(dies, np.nan), where=count > 0)
    # (Not ``numeric.sigmoid``: what is printed of a die would change in its last digit.)
    return np.asarray(1.0 / (1.0 + np.exp(-mean)))


@dataclass(frozen=True)
class DieCount:
    """The number of dies: as ``found``, as ``expected`` (the middle of what may be true), and the
    interval that holds it with probability ``level`` by what the collection itself tells."""

    found: int
    expected: float
    low: int
    high: int
    level: float = 0.95


def count_dies(labels: Ints, graph: SignedGraph, *, level: float = 0.95, seed: int = 0) -> DieCount:
    """How many dies there may be, by sampling what else could be true.

    In each sample every die may be one with a larger one (odds: the exponential of the mean weight
    between them, against 1 that it is with none), and every coin of a larger die may be alone. All
    weights are off together by a normal error of ``COMMON_ERROR`` nats round what the graph says
    they understate. A coin of which nothing could be told is found as a die of its own, but counts
    in ``expected`` and the interval only as likely as one more coin would show a new die.
    """
    n, dies = len(labels), int(labels.max(initial=-1)) + 1
    if not dies:
        return DieCount(0, 0.0, 0, 0, level)
    rng = np.random.default_rng(seed)
    size = np.bincount(labels, minlength=dies)
    joins = _Joins.between(labels, size, graph)
    unjudged, left = int(graph.unjudged.sum()), _left_to_unjudged(labels, graph)
    inside = size[labels] > 1
    against = _odds_against_alone(labels, graph)[inside] * np.exp(TAKEN_DECISION)
    # (A pair of coins that are not one die is one die more, whichever of the two asks.)
    share = np.where(size[labels[inside]] == 2, 0.5, 1.0)
    single = size == 1
    singles = int((single[labels] & ~graph.unjudged).sum())
    samples = SAMPLES if dies <= _MANY else FEWER_SAMPLES
    counts = np.empty(samples)
    for number in range(samples):
        error = np.exp(rng.normal(graph.understated, COMMON_ERROR))
        one, other = joins.sample(rng, error)
        alone = int((rng.random(len(against)) < share / (1.0 + against * error)).sum())
        of_judged = dies - unjudged - _joined(dies, one, other) + alone
        # (As ``new_die_chance``, of this sample.)
        found_mates = len(np.unique(np.concatenate([one[single[one]], other[single[other]]])))
        unseen = (singles - found_mates + alone + 1.0) / (n - unjudged + 2.0)
        of_unjudged = int((rng.random(unjudged) < _alone(min(unseen, 1.0), left)).sum())
        counts[number] = max(of_judged + of_unjudged, 1)
    tail = (1.0 - level) / 2
    low, middle, high = np.quantile(counts, [tail, 0.5, 1.0 - tail])
    return DieCount(dies, float(middle), int(np.floor(low)), int(np.ceil(high)), level)


@dataclass(frozen=True, eq=False)
class _Joins:
    """Which dies may be one: pairs ``one`` (the smaller), ``other``, sorted by ``one``; running
    ``total`` of the odds with a leading 0, and where each asking die's pairs start and end."""

    other: Ints
    total: Floats
    asking: Ints
    start: Ints
    end: Ints

    @classmethod
    def between(cls, labels: Ints, size: Ints, graph: SignedGraph) -> _Joins:
        near = between_dies(labels, graph)
        close = near.mean > FARTHEST
        one, other, mean = near.first[close], near.second[close], near.mean[close]
        # The smaller of two dies asks; else every pair would be asked twice.
        turned = size[one] > size[other]
        one, other = np.where(turned, other, one), np.where(turned, one, other)
        decided = np.where(size[other] > 1, TAKEN_DECISION, 0.0)
        order = np.argsort(one, kind="stable")
        odds = np.exp(mean - decided)[order]
        asking, start = np.unique(one[order], return_index=True)
        total = np.concatenate([[0.0], np.cumsum(odds)])
        return cls(other[order], total, asking, start, np.append(start[1:], len(order)))

    def sample(self, rng: np.random.Generator, error: float) -> tuple[Ints, Ints]:
        """Dies that join another, and which; all odds are off by the factor ``error``."""
        odds = self.total[self.end] - self.total[self.start]
        joins = rng.random(len(self.asking)) < 1.0 - 1.0 / (1.0 + odds * error)
        begin, whole = self.total[self.start[joins]], odds[joins]
        place = np.searchsorted(self.total, begin + rng.random(len(whole)) * whole, "right") - 1
        place = np.clip(place, self.start[joins], self.end[joins] - 1)
        return self.asking[joins], self.other[place]


def _joined(dies: int, one: Ints, other: Ints) -> int:
    """By how many the dies become fewer."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    among, place = np.unique(np.concatenate([one, other]), return_inverse=True)
    ones = np.ones(len(one), np.int8)
    links = coo_array((ones, (place[: len(one)], place[len(one) :])), shape=(len(among),) * 2)
    return len(among) - int(connected_components(links, directed=False)[0])


def new_die_chance(labels: Ints, unjudged: Flags) -> float:
    """The chance that one more coin shows a die that no other coin shows: the share of singletons
    among the coins of which something is told (Good 1953), with Laplace's two coins of doubt."""
    told = np.flatnonzero(~unjudged)
    singles = int((np.bincount(labels, minlength=1)[labels[told]] == 1).sum())
    return (singles + 1.0) / (len(told) + 2.0)


def _left_to_unjudged(labels: Ints, graph: SignedGraph) -> Floats:
    """Of each face of which nothing is told the share, 0…1, of the other coins whose dies no person
    ruled out for it."""
    dies = int(labels.max(initial=-1)) + 1
    face, other = np.concatenate([graph.apart, graph.apart[:, ::-1]]).T
    ruled_out = np.unique(face * dies + labels[other])
    size = np.bincount(labels, minlength=1)
    coins = np.bincount(ruled_out // max(dies, 1), size[ruled_out % max(dies, 1)], len(labels))
    return np.asarray(1.0 - coins[graph.unjudged] / max(len(labels) - 1, 1))


def _alone(new: float, left: Floats) -> Floats:
    """The chance of a die of its own, ``new`` where all coins are left that it may go with."""
    return np.asarray(new / (new + (1.0 - new) * left))


def _odds_against_alone(labels: Ints, graph: SignedGraph) -> Floats:
    """Odds ``(n,)`` that a face belongs to any die of others against to none; infinite where a
    person's verdict holds it."""
    face, _, odds = face_odds(labels, graph)
    total: Floats = np.bincount(face, weights=odds, minlength=len(labels)).astype(np.float64)
    total[np.unique(graph.together)] = np.inf
    return total
