"""Must-links and cannot-links: which of them hold where they contradict each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dieindex.records import Constraint, Ints


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


def _pairs(listed: list[tuple[int, int]]) -> Ints:
    return np.array(sorted(listed), np.int64).reshape(-1, 2)
