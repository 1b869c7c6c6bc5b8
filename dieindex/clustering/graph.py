"""The signed graph of a side: what each compared pair says, and what persons said.

A pair weighs the log-odds that its two coins, if nothing else were known of either, are of one die:
positive speaks for one die. Means of scores, and not of weights, join groups of coins
(``two_kinds``).

Pairs that were never compared or were passed over, and pairs of which nothing could be told, are
not in it. Verdicts of persons are no weights but constraints: "same" joins two faces before
anything else is considered, "different" keeps them apart whatever the pictures say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from dieindex.calibration.judge_pairs import JudgedPairs
from dieindex.calibration.two_kinds import TwoKinds
from dieindex.clustering.constraints import resolved
from dieindex.records import Constraint, Flags, Floats, Ints


@dataclass(frozen=True, eq=False)
class SignedGraph:
    """``n`` faces; pairs ``first < second`` ``(m,)`` with ``score`` and ``weight`` ``(m,)`` nats;
    ``kinds`` says how scores lie, ``nearest`` how many neighbours of a face are compared, its
    shortlist (None: all are). ``together`` ``(s, 2)`` and ``apart`` ``(d, 2)`` are the constraints
    that hold, ``refused`` those that contradict later ones. ``unjudged`` ``(n,)`` are the faces
    whose pairs were listed without anything to tell of any (such as faces on no frame), and that no
    person joined to another; a face without a listed pair is no such face: it is far from all.
    ``room`` ``(n,)`` is how many pairs more with coins of its die a shortlist would hold: half of
    its compared pairs that speak for different dies. ``passed`` ``(p, 2)`` are the pairs that were
    passed over, being on no shortlist. ``frame`` ``(n,)`` is each face's, −1 where on none:
    shortlists hold pairs of one frame.
    """

    n: int
    first: Ints
    second: Ints
    score: Floats
    weight: Floats
    kinds: TwoKinds
    nearest: int | None
    together: Ints
    apart: Ints
    unjudged: Flags
    room: Floats
    frame: Ints
    refused: tuple[Constraint, ...] = ()
    passed: Ints = field(default_factory=lambda: np.zeros((0, 2), np.int64))


def signed_graph(
    pairs: JudgedPairs,
    constraints: Sequence[Constraint] = (),
    *,
    kinds: TwoKinds | None = None,
) -> SignedGraph:
    """The graph of the faces whose pairs were judged.

    ``constraints`` come in the order in which they were given; ``kinds`` says how scores lie, by
    default as the pairs do. Raises ValueError for a pair listed twice, a position outside 0…n − 1,
    a score that is not a number.
    """
    n, judged = pairs.n, pairs.judged
    kinds = pairs.kinds if kinds is None else kinds
    order = _checked_order(n, pairs.table.first, pairs.table.second)
    unjudged = np.zeros(n, bool)
    unjudged[pairs.table.first], unjudged[pairs.table.second] = True, True
    passed = np.zeros(len(judged), bool) if pairs.passed is None else pairs.passed
    over = np.stack([each[passed] for each in (pairs.table.first, pairs.table.second)], axis=1)
    order = order[judged[order] & ~passed[order]]
    first, second = pairs.table.first[order], pairs.table.second[order]
    score = pairs.score[order]
    unjudged[first], unjudged[second] = False, False
    if not np.isfinite(score).all():
        raise ValueError("a score is not a number")
    together, apart, refused = resolved(n, constraints)
    # (That it is not of one other die tells hardly more than before of which die it is.)
    unjudged[together] = False
    weight = kinds.joining(score)
    return SignedGraph(
        n,
        first,
        second,
        score,
        weight,
        kinds,
        pairs.nearest,
        together,
        apart,
        unjudged,
        _room(n, first, second, weight),
        np.zeros(n, np.int64) if pairs.frame is None else pairs.frame,
        refused,
        over,
    )


def _checked_order(n: int, first: Ints, second: Ints) -> Ints:
    """Order of the pairs by their positions, so that sums do not depend on the table's order."""
    if len(first) and (first.min() < 0 or second.max() >= n or (first >= second).any()):
        raise ValueError(f"pairs need 0 <= first < second < {n}")
    key = first * n + second
    order = np.argsort(key, kind="stable")
    if (np.diff(key[order]) == 0).any():
        raise ValueError("a pair is listed twice")
    return order


def _room(n: int, first: Ints, second: Ints, weight: Floats) -> Floats:
    apart = weight < 0
    ends = np.concatenate([first[apart], second[apart]])
    return np.asarray(np.bincount(ends, minlength=n) / 2.0)
