"""Made-up pairs of made-up dies, for tests of what is read from scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dieindex.calibration.judge_pairs import JudgedPairs
from dieindex.calibration.two_kinds import TwoKinds
from dieindex.clustering.graph import SignedGraph, signed_graph
from dieindex.clustering.linkage import cluster_graph
from dieindex.evaluation.partitions import adjusted_rand_index
from dieindex.records import Constraint, Flags, Floats, Ints, PairTable

USUAL = TwoKinds(centre=-5.0, left=2.6, right=3.3, place=9.5, width=3.3, share=0.05)
CLEAN = TwoKinds(centre=-9.0, left=1.5, right=1.5, place=11.0, width=2.0, share=0.05)
"""Kinds that hardly meet."""


def judged_pairs(
    n: int,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    score: npt.ArrayLike,
    *,
    kinds: TwoKinds = USUAL,
    judged: Flags | None = None,
    nearest: int | None = None,
    readable: bool = False,
) -> JudgedPairs:
    """Pairs of ``n`` faces with these scores, all of them verified."""
    told = np.asarray(score, np.float64)
    every = np.ones(len(told), bool)
    table = PairTable(
        np.asarray(first, np.int64),
        np.asarray(second, np.int64),
        np.clip(1.0 - told / 50.0, 0.0, 2.0),
        kinds.log_likelihood_ratio(told),
    )
    return JudgedPairs(
        n,
        table,
        told,
        kinds,
        every if judged is None else judged,
        every,
        every,
        n * (n - 1) // 2,
        nearest,
        readable,
    )


def pairs_of_dies(
    dies: npt.ArrayLike, same: float = 10.0, different: float = -9.0, **changed: float
) -> JudgedPairs:
    """All pairs of coins of these dies; ``changed`` gives scores of single pairs as p0_1."""
    die = np.asarray(dies, np.int64)
    first, second = np.triu_indices(len(die), 1)
    score = np.where(die[first] == die[second], same, different)
    for name, value in changed.items():
        a, b = map(int, name[1:].split("_"))
        score[(first == a) & (second == b)] = value
    return judged_pairs(len(die), first, second, score)


def graph_of_dies(
    dies: npt.ArrayLike, constraints: Sequence[Constraint] = (), **scores: float
) -> SignedGraph:
    """The graph of ``pairs_of_dies``."""
    return signed_graph(pairs_of_dies(dies, **scores), constraints)


def labels_of(pairs: JudgedPairs, constraints: Sequence[Constraint] = ()) -> Ints:
    """Labels ``(n,)`` of the dies that the linkage makes of these pairs, as they are."""
    return cluster_graph(signed_graph(pairs, constraints))


def some_dies(n: int, rng: np.random.Generator) -> Ints:
    """Dies of ``n`` coins: nearly all of one coin or two, in random order."""
    sizes = rng.choice([1, 1, 1, 2, 2, 3, 8], n)
    return rng.permutation(np.repeat(np.arange(n), sizes)[:n])


def drawn_scores(
    dies: Ints, first: Ints, second: Ints, kinds: TwoKinds, rng: np.random.Generator
) -> Floats:
    """Scores ``(m,)`` of pairs, drawn as ``two_kinds`` says that they come about: coins are worn,
    and two dies are alike on all their coins."""
    e, wide = kinds.expected, int(dies.max(initial=0)) + 1
    worn = rng.normal(0.0, np.sqrt(e.of_coin), len(dies))
    own = rng.normal(0.0, 1.0, len(first))
    same = kinds.place + kinds.width * (
        worn[first] + worn[second] + np.sqrt(1.0 - 2.0 * e.of_coin) * own
    )
    a, b = np.minimum(dies[first], dies[second]), np.maximum(dies[first], dies[second])
    two, of_two = np.unique(a * wide + b, return_inverse=True)
    away = rng.normal(0.0, np.sqrt(e.of_dies), len(two))[of_two] + np.sqrt(1.0 - e.of_dies) * own
    # (The narrower half is the likelier to be drawn from by as much.)
    right = rng.random(len(first)) < kinds.right / (kinds.left + kinds.right)
    different = kinds.centre + np.where(
        right, kinds.right * np.abs(away), -kinds.left * np.abs(away)
    )
    return np.asarray(np.where(dies[first] == dies[second], same, different))


def drawn_pairs(
    dies: Ints, kinds: TwoKinds, rng: np.random.Generator, *, readable: bool = False
) -> JudgedPairs:
    """All pairs of coins of these dies with drawn scores."""
    first, second = np.triu_indices(len(dies), 1)
    score = drawn_scores(dies, first, second, kinds, rng)
    return judged_pairs(len(dies), first, second, score, kinds=kinds, readable=readable)


def same_partition(one: npt.ArrayLike, other: npt.ArrayLike) -> bool:
    """Whether two labellings put the same faces together."""
    lists = (np.asarray(each).tolist() for each in (one, other))
    return adjusted_rand_index(*lists) == 1.0
