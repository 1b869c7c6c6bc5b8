"""Graphs of judged pairs sampled from the score distributions that were measured on the mint.

Ratios of pairs are far from independent, and a clusterer must be tried on what it will meet: two
dies that look alike do so on all their coins; a worn coin is unlike all its partners. The numbers
below are means over 15 validation collections of 91 coins (easy, medium, hard; five each), judged
by vector and comparator, each weighed by what the other types taught: place and variance of the
ratios, and how the variance divides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dieindex.records import Floats, Ints, PairTable


@dataclass(frozen=True)
class Scores:
    """Log-likelihood ratios, nats. Variances of different-die pairs: of the two dies together,
    of each coin, and of the pair itself; of same-die pairs: of the die, of each coin, of the pair.
    """

    same: float
    same_die: float
    same_coin: float
    same_pair: float
    different: float
    different_dies: float
    different_coin: float
    different_pair: float


MEASURED = {
    "easy": Scores(6.6, 0.8, 2.2, 1.2, -4.8, 3.6, 1.0, 0.7),
    "medium": Scores(5.4, 1.0, 2.2, 1.4, -4.9, 3.4, 1.0, 0.7),
    "hard": Scores(4.5, 1.2, 2.6, 1.6, -5.0, 2.6, 1.1, 0.9),
}
DIES_A_COIN = 0.3
SPREAD_OF_OUTPUT = 0.9
"""Standard deviation of the logarithm of a die's output."""
TYPE_SIZE = 600
NEAREST = 20
"""Pairs that a coin of a large collection brings into the table: with these 100,000 faces have two
million pairs. Candidates are sampled three times as many, and the likeliest are kept."""


@dataclass(frozen=True, eq=False)
class Graph:
    """``die`` and ``type`` ``(n,)``, and the pairs, each judged by itself."""

    die: Ints
    type: Ints
    pairs: PairTable

    @property
    def n(self) -> int:
        return len(self.die)

    @property
    def pairs_in_all(self) -> int:
        """How many pairs of one type there are."""
        sizes = np.bincount(self.type)
        return int((sizes * (sizes - 1) // 2).sum())


def sample_graph(n: int, level: str, seed: int, *, all_pairs_up_to: int = 600) -> Graph:
    """A collection of ``n`` faces: of one type with all its pairs, or beyond ``all_pairs_up_to``
    coins of types of up to ``TYPE_SIZE`` coins, with the pairs of shortlists."""
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
    else:
        first, second = _candidates(die, of_type, rng)
    ratio = _ratios(die, first, second, MEASURED[level], rng)
    if n > all_pairs_up_to:
        kept = _shortlisted(n, first, second, ratio)
        first, second, ratio = first[kept], second[kept], ratio[kept]
    # Distances only break ties: any falling function of the ratio does.
    distance = np.clip(1.0 - ratio / 20.0, 0.0, 2.0)
    return Graph(die, of_type, PairTable(first, second, distance, ratio))


def _type_sizes(n: int, rng: np.random.Generator) -> Ints:
    found: list[int] = []
    while sum(found) < n:
        found.append(int(rng.integers(20, TYPE_SIZE + 1)))
    found[-1] -= sum(found) - n
    return np.array(found)


def _candidates(die: Ints, of_type: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Pairs that shortlists may hold: those of one die (at most 40 a coin), and others of the
    type at random, of which the likeliest will be kept."""
    n = len(die)
    by_die = np.argsort(die, kind="stable")
    found = []
    for step in range(1, 21):
        a, b = by_die[:-step], by_die[step:]
        same = die[a] == die[b]
        found.append(np.stack([a[same], b[same]]))
    a = np.repeat(np.arange(n), 3 * NEAREST)
    start, size = np.searchsorted(of_type, of_type), np.bincount(of_type)[of_type]
    found.append(np.stack([a, start[a] + rng.integers(0, size[a])]))
    pairs = np.concatenate(found, axis=1)
    low, high = pairs.min(0), pairs.max(0)
    key = np.unique(low[low != high] * n + high[low != high])
    return key // n, key % n


def _shortlisted(n: int, first: Ints, second: Ints, ratio: Floats) -> Ints:
    """Pairs among the ``NEAREST`` likeliest of either face, the likeliest first, n · NEAREST at
    most."""
    rank = np.zeros(len(first), np.int64) + NEAREST
    for face in (first, second):
        order = np.lexsort((-ratio, face))
        start = np.searchsorted(face[order], np.arange(n))
        place = np.arange(len(order)) - start[face[order]]
        rank[order] = np.minimum(rank[order], place)
    kept = np.flatnonzero(rank < NEAREST)
    most = n * NEAREST
    if len(kept) > most:
        kept = np.sort(kept[np.argsort(-ratio[kept], kind="stable")[:most]])
    return kept


def _ratios(die: Ints, first: Ints, second: Ints, s: Scores, rng: np.random.Generator) -> Floats:
    n, dies = len(die), int(die.max()) + 1
    a, b = die[first], die[second]
    same = a == b
    quality = rng.normal(0.0, 1.0, n)
    # One draw for each pair of dies, the same for all their coins.
    key, where = np.unique(np.minimum(a, b) * dies + np.maximum(a, b), return_inverse=True)
    alike = rng.normal(0.0, 1.0, len(key))[where]
    noise = rng.normal(0.0, 1.0, len(first))
    # Half of a coin's variance each, as two coins make a pair; a worn one is worn on all pairs.
    together = (quality[first] + quality[second]) / np.sqrt(2)
    own = rng.normal(0.0, 1.0, n)
    apart = (own[first] + own[second]) / np.sqrt(2)
    ratio: Floats = np.where(
        same,
        s.same + np.sqrt(s.same_die) * alike + np.sqrt(s.same_coin) * together
        + np.sqrt(s.same_pair) * noise,
        s.different + np.sqrt(s.different_dies) * alike + np.sqrt(s.different_coin) * apart
        + np.sqrt(s.different_pair) * noise,
    )  # fmt: skip
    return ratio
