"""How sure a clustering is: of each coin's place, of each die, of the number of dies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dieindex.clustering.graph import SignedGraph
from dieindex.clustering.membership import (
    CONSTRAINT_WEIGHT,
    Memberships,
    between_dies,
    memberships,
)
from dieindex.numeric import components, sigmoid
from dieindex.records import Flags, Floats, Ints

COMMON_ERROR = 2.0
"""Standard deviation, in nats, of what all odds of a collection may be wrong by together: how its
pairs lie is read from them only so well. So chosen that over domains and their parts nine of ten
intervals hold the true number (``benchmarks/domains.py``)."""
FARTHEST = -6.0
"""Log-odds below which two dies are no near miss of each other."""
SAMPLES = 400
FEWER_SAMPLES = 60
_MANY = 5000


def certainties(labels: Ints, graph: SignedGraph) -> Floats:
    """How sure each face's place in its die is, ``(n,)`` in 0…1: the share of the story told among
    all of them (``memberships``); that of a single coin is that it belongs to none of the others.

    A coin of which nothing could be told stands alone with the chance that a new coin shows a new
    die, and the likelier the more dies a person ruled out.
    """
    told = shares_of_stories(labels, graph, memberships(labels, graph))
    return with_unjudged(told, labels, graph)


def shares_of_stories(labels: Ints, graph: SignedGraph, known: Memberships) -> Floats:
    """``certainties`` of the faces of which something is told; ``known`` are the memberships."""
    n = len(labels)
    odds = np.exp(known.log_odds)
    own = labels[known.face] == known.die
    to_own = np.bincount(known.face[own], odds[own], n)
    to_others = np.bincount(known.face[~own], odds[~own], n)
    # (Persons may have joined coins of which no pair was compared.)
    held = np.unique(graph.together)
    to_own[held] = np.maximum(to_own[held], np.exp(CONSTRAINT_WEIGHT))
    single = np.bincount(labels, minlength=1)[labels] == 1 if n else np.zeros(0, bool)
    return np.asarray(np.where(single, 1.0, to_own) / (to_own + to_others + 1.0))


def with_unjudged(certainty: Floats, labels: Ints, graph: SignedGraph) -> Floats:
    """The same with the ``certainties`` of the faces of which nothing is told."""
    found, new = certainty.copy(), new_die_chance(labels, graph.unjudged)
    found[graph.unjudged] = _alone(new, _left_to_unjudged(labels, graph))
    return found


def cohesions(labels: Ints, graph: SignedGraph) -> Floats:
    """Of each die, the probability 0…1 that a coin of it belongs there, in the mean over its coins;
    NaN for a die of one coin, or of which no pair was compared."""
    dies = int(labels.max(initial=-1)) + 1
    known = memberships(labels, graph)
    own = labels[known.face] == known.die
    coins = np.bincount(known.die[own], minlength=dies)
    total = np.bincount(known.die[own], sigmoid(known.log_odds[own]), dies)
    found: Floats = np.divide(total, coins, out=np.full(dies, np.nan), where=coins > 0)
    return found


@dataclass(frozen=True)
class ExpectedWrong:
    """What is expected to be wrong of dies: the number of ``coins`` of which the place is, and the
    number of ``pairs`` of coins that are said to share a die and do not."""

    coins: float
    pairs: float


def expected_wrong(labels: Ints, certainty: Floats) -> ExpectedWrong:
    """The sum of what each face's ``certainty`` ``(n,)`` lacks; and over the pairs in one die what
    the product of both certainties lacks (in a die of two the smaller: either being wrong is the
    same)."""
    size = np.bincount(labels, minlength=1)
    total = np.bincount(labels, certainty, len(size))
    right = (total**2 - np.bincount(labels, certainty**2, len(size))) / 2
    least = np.ones(len(size))
    np.minimum.at(least, labels, certainty)
    right = np.where(size == 2, least, right)
    pairs = (size * (size - 1) / 2 - right).sum()
    return ExpectedWrong(float((1.0 - certainty).sum()), float(max(pairs, 0.0)))


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

    In each sample every die may be one with a larger one (``between_dies`` tells the odds), and
    every coin of a larger die may be alone. All odds are off together by a normal error of
    ``COMMON_ERROR`` nats. A coin of which nothing could be told is found as a die of its own, but
    counts in ``expected`` and the interval only as likely as one more coin would show a new die.
    """
    n, dies = len(labels), int(labels.max(initial=-1)) + 1
    if not dies:
        return DieCount(0, 0.0, 0, 0, level)
    rng = np.random.default_rng(seed)
    size = np.bincount(labels, minlength=dies)
    joins = _Joins.between(labels, size, graph)
    unjudged, left = int(graph.unjudged.sum()), _left_to_unjudged(labels, graph)
    inside = size[labels] > 1
    against = _odds_against_alone(labels, graph)[inside]
    # (A pair of coins that are not one die is one die more, whichever of the two asks.)
    share = np.where(size[labels[inside]] == 2, 0.5, 1.0)
    single = size == 1
    singles = int((single[labels] & ~graph.unjudged).sum())
    samples = SAMPLES if dies <= _MANY else FEWER_SAMPLES
    counts = np.empty(samples)
    for number in range(samples):
        error = np.exp(rng.normal(0.0, COMMON_ERROR))
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
        close = near.log_odds > FARTHEST
        one, other, log_odds = near.first[close], near.second[close], near.log_odds[close]
        # The smaller of two dies asks; else every pair would be asked twice.
        turned = size[one] > size[other]
        one, other = np.where(turned, other, one), np.where(turned, one, other)
        order = np.argsort(one, kind="stable")
        odds = np.exp(log_odds)[order]
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
    among, place = np.unique(np.concatenate([one, other]), return_inverse=True)
    found = components(len(among), place[: len(one)], place[len(one) :])
    return len(among) - int(found.max(initial=-1)) - 1


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
    known = memberships(labels, graph)
    total: Floats = np.bincount(known.face, np.exp(known.log_odds), len(labels)).astype(np.float64)
    total[np.unique(graph.together)] = np.inf
    return total
