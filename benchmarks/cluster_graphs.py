"""Graphs of judged pairs sampled from the score distributions that were measured on the mint.

Scores of pairs are far from independent, and a clusterer must be tried on what it will meet: two
dies that look alike do so on all their coins; a worn coin is unlike all its partners. Where both
kinds of pairs lie was measured on 30 validation collections of 91 coins (ten of a difficulty, five
types, both sides); how their variance divides is what the method itself expects.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dieindex.calibration.two_kinds import TwoKinds
from dieindex.records import Flags, Floats, Ints, PairTable
from dieindex.verification.candidates import (
    ALL_PAIRS_UP_TO,
    LISTED,
    FaceVectors,
    sampled_pairs,
)

MEASURED = {
    "easy": TwoKinds(centre=-8.0, left=2.4, right=3.6, place=9.6, width=3.4),
    "medium": TwoKinds(centre=-7.3, left=2.6, right=3.6, place=7.4, width=3.7),
    "hard": TwoKinds(centre=-6.6, left=2.5, right=3.4, place=5.8, width=3.5),
}
DIES_A_COIN = 0.3
SPREAD_OF_OUTPUT = 0.9
"""Standard deviation of the logarithm of a die's output."""
TYPE_SIZE = 600
WIDER = 3
"""Candidates that are sampled a coin, in shortlists: the likeliest of them are kept."""


@dataclass(frozen=True, eq=False)
class Graph:
    """``die`` and ``type`` ``(n,)``; of each pair ``first < second``, its ``score`` in nats, and
    whether it is listed whatever that is, ``sampled``, all ``(m,)``."""

    die: Ints
    type: Ints
    first: Ints
    second: Ints
    score: Floats
    sampled: Flags

    @property
    def n(self) -> int:
        return len(self.die)

    @property
    def table(self) -> PairTable:
        """Distances only break ties: any falling function of the score does. No ratio is known."""
        distance = np.clip(1.0 - self.score / 40.0, 0.0, 2.0)
        return PairTable(self.first, self.second, distance, np.zeros(len(self.score)))


def sample_graph(n: int, level: str, seed: int, *, all_pairs_up_to: int = ALL_PAIRS_UP_TO) -> Graph:
    """A collection of ``n`` faces: of one type with all its pairs, or beyond ``all_pairs_up_to``
    coins of types of up to ``TYPE_SIZE`` coins, with the pairs that an index would list."""
    rng = np.random.default_rng(seed)
    sizes = np.full(1, n) if n <= all_pairs_up_to else _type_sizes(n, rng)
    of_type = np.repeat(np.arange(len(sizes)), sizes)
    die, before = np.empty(n, np.int64), 0
    for number, size in enumerate(sizes.tolist()):
        dies = max(2, round(size * DIES_A_COIN))
        output = rng.lognormal(0.0, SPREAD_OF_OUTPUT, dies)
        die[of_type == number] = before + rng.choice(dies, size, p=output / output.sum())
        before += dies
    if n <= all_pairs_up_to:
        first, second = np.triu_indices(n, 1)
        score = _scores(die, first, second, MEASURED[level], rng)
        return Graph(die, of_type, first, second, score, np.ones(len(first), bool))
    a, b = sampled_pairs(FaceVectors(np.arange(n), np.zeros((n, 0), np.float32), of_type))
    whatever = a * n + b
    key = np.union1d(_candidates(die, of_type, rng), whatever)
    first, second = key // n, key % n
    score = _scores(die, first, second, MEASURED[level], rng)
    sampled = np.isin(key, whatever)
    kept = np.flatnonzero(_shortlisted(n, first, second, score) | sampled)
    return Graph(die, of_type, first[kept], second[kept], score[kept], sampled[kept])


def _type_sizes(n: int, rng: np.random.Generator) -> Ints:
    found: list[int] = []
    while sum(found) < n:
        found.append(int(rng.integers(20, TYPE_SIZE + 1)))
    found[-1] -= sum(found) - n
    return np.array(found)


def _candidates(die: Ints, of_type: Ints, rng: np.random.Generator) -> Ints:
    """Pairs that shortlists may hold, ``first · n + second``: those of one die (at most
    ``LISTED`` a coin), and others of the type at random."""
    n = len(die)
    by_die = np.argsort(die, kind="stable")
    found = []
    for step in range(1, LISTED // 2 + 1):
        a, b = by_die[:-step], by_die[step:]
        same = die[a] == die[b]
        found.append(np.stack([a[same], b[same]]))
    a = np.repeat(np.arange(n), WIDER * LISTED)
    start, size = np.searchsorted(of_type, of_type), np.bincount(of_type)[of_type]
    found.append(np.stack([a, start[a] + rng.integers(0, size[a])]))
    pairs = np.concatenate(found, axis=1)
    low, high = pairs.min(0), pairs.max(0)
    return np.unique(low[low != high] * n + high[low != high])


def _shortlisted(n: int, first: Ints, second: Ints, score: Floats) -> Flags:
    """Whether pairs are among the ``LISTED`` likeliest of either face."""
    face, of = np.concatenate([first, second]), np.tile(np.arange(len(first)), 2)
    order = np.lexsort((-score[of], face))
    place = np.arange(len(order)) - np.searchsorted(face[order], np.arange(n))[face[order]]
    kept = np.zeros(len(first), bool)
    kept[of[order[place < LISTED]]] = True
    return kept


def _scores(die: Ints, first: Ints, second: Ints, s: TwoKinds, rng: np.random.Generator) -> Floats:
    from scipy.special import ndtr, ndtri

    n, dies, e = len(die), int(die.max()) + 1, s.expected
    a, b = die[first], die[second]
    noise = rng.normal(0.0, 1.0, len(first))
    # A worn coin is worn on all its pairs.
    of_coin = rng.normal(0.0, 1.0, n)
    one = np.sqrt(e.of_coin) * (of_coin[first] + of_coin[second])
    one += np.sqrt(1 - 2 * e.of_coin) * noise
    # One draw for each pair of dies, the same for all their coins.
    key, where = np.unique(np.minimum(a, b) * dies + np.maximum(a, b), return_inverse=True)
    alike = rng.normal(0.0, 1.0, len(key))[where]
    share = ndtr(np.sqrt(e.of_dies) * alike + np.sqrt(1 - e.of_dies) * noise)
    # The quantiles of a normal in two halves.
    both = s.left + s.right
    low = s.left * ndtri(np.minimum(share * both / (2 * s.left), 0.5))
    high = -s.right * ndtri(np.minimum((1 - share) * both / (2 * s.right), 0.5))
    score: Floats = np.where(a == b, s.place + s.width * one, s.centre + low + high)
    return score
