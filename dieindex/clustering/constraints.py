"""Must-links and cannot-links: those of known dies, and which hold where they contradict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dieindex.records import Constraint, Ints, PairTable

MOST_BARRED_DIES = 1500
"""Known dies up to which every two are held apart; beyond, those that meet in a pair."""


def resolved(
    n: int, constraints: Sequence[Constraint]
) -> tuple[Ints, Ints, tuple[Constraint, ...]]:
    """Which constraints hold: ``together`` (s, 2), ``apart`` (d, 2), and those that do not.

    A later constraint on the same pair replaces an earlier one. Where constraints contradict each
    other by way of other coins (A and B same, B and C same, A and C different), the later ones
    hold; an earlier one that no longer fits them is refused.
    """
    latest: dict[tuple[int, int], Constraint] = {}
    for constraint in constraints:
        pair = (min(constraint.first, constraint.second), max(constraint.first, constraint.second))
        if not 0 <= pair[0] < pair[1] < n:
            raise ValueError(f"a constraint needs two different faces of 0…{n - 1}")
        latest.pop(pair, None)
        latest[pair] = constraint
    root = dict[int, int]()
    strangers: dict[int, set[int]] = {}

    def find(face: int) -> int:
        while root.get(face, face) != face:
            face = root[face]
        return face

    together, apart, refused = [], [], []
    for (a, b), constraint in reversed(latest.items()):
        one, other = find(a), find(b)
        if constraint.same:
            if other in strangers.get(one, ()):
                refused.append(constraint)
                continue
            together.append((a, b))
            if one != other:
                root[other] = one
                moved = strangers.pop(other, set())
                strangers.setdefault(one, set()).update(moved)
                for stranger in moved:
                    strangers[stranger].discard(other)
                    strangers[stranger].add(one)
        elif one == other:
            refused.append(constraint)
        else:
            apart.append((a, b))
            strangers.setdefault(one, set()).add(other)
            strangers.setdefault(other, set()).add(one)
    return _pairs(together), _pairs(apart), tuple(refused)


def constraints_of_dies(
    known: Mapping[str, str], coins: Sequence[str], pairs: PairTable
) -> list[Constraint]:
    """A sheet's dies, by coin, as constraints on positions in ``coins``: coins of one die together,
    dies apart. ``pairs`` are those that are compared."""
    members: dict[str, list[int]] = {}
    for place, coin in enumerate(coins):
        if coin in known:
            members.setdefault(known[coin], []).append(place)
    constraints = [
        Constraint(cluster[0], other, True, "the sheet")
        for cluster in members.values()
        for other in cluster[1:]
    ]
    heads = [cluster[0] for cluster in members.values()]
    if len(heads) <= MOST_BARRED_DIES:
        apart = {(a, b) for place, a in enumerate(heads) for b in heads[:place]}
    else:
        head = {place: cluster[0] for cluster in members.values() for place in cluster}
        listed = zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)
        met = ((head.get(a, -1), head.get(b, -1)) for a, b in listed)
        apart = {(max(a, b), min(a, b)) for a, b in met if min(a, b) >= 0 and a != b}
    return constraints + [Constraint(a, b, False, "the sheet") for a, b in sorted(apart)]


def _pairs(listed: list[tuple[int, int]]) -> Ints:
    return np.array(sorted(listed), np.int64).reshape(-1, 2)
