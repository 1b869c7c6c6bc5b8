"""How pairs lie whose dies are known: what ``two_kinds.Expected`` was measured by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dieindex.calibration.two_kinds import EXPECTED, Expected, TwoKinds, updated
from dieindex.records import Flags, Floats, Ints

_FEWEST_FOR_A_LINE = 6
"""Collections; of fewer, what ships is taken."""


@dataclass(frozen=True)
class KnownKinds:
    """One collection: where its pairs lie, and the parts of their variance as in ``Expected``; NaN
    where too few pairs tell."""

    centre: float
    left: float
    right: float
    place: float
    width: float
    of_coin: float
    of_dies: float


def kinds_of_known(score: Floats, same: Flags) -> TwoKinds:
    """How scores ``(m,)`` lie of which it is known whether they are of one die, ``same`` ``(m,)``;
    what is expected of collections at large has next to no part in it."""
    kinds = TwoKinds(centre=float(np.median(score[~same])))
    free = replace(
        EXPECTED,
        different_pairs=0.0,
        right_spread=np.inf,
        width_pairs=0.0,
        misfit=0.0,
        place_spread=1e6,
    )
    for _ in range(20):
        kinds = updated(replace(kinds, expected=free), score, same.astype(np.float64), len(score))
    return kinds


def known_kinds(score: Floats, first: Ints, second: Ints, die: Ints) -> KnownKinds:
    """Of scores ``(m,)`` of pairs ``first``, ``second`` ``(m,)`` of faces of dies ``(n,)``."""
    same = die[first] == die[second]
    kinds = kinds_of_known(score, same)
    a, b = die[first][~same], die[second][~same]
    pair_of_dies = np.minimum(a, b) * (int(die.max()) + 1) + np.maximum(a, b)
    return KnownKinds(
        kinds.centre,
        kinds.left,
        kinds.right,
        kinds.place,
        kinds.width,
        _part_of_coin(score[same], first[same], second[same], die, len(die)),
        _part_between(score[~same], pair_of_dies),
    )


def measured(collections: Sequence[Sequence[KnownKinds]]) -> Expected:
    """What is true of collections at large, each domain (several collections) counting alike."""

    def of(name: str) -> tuple[float, float]:
        return _over_domains(collections, name)

    place, spread = of("place")
    slope, about = _right_by_centre(collections)
    return replace(
        EXPECTED,
        place=place,
        place_spread=spread,
        width=of("width")[0],
        centre=of("centre")[0],
        left=of("left")[0],
        right=of("right")[0],
        right_slope=slope,
        right_spread=about,
        of_coin=of("of_coin")[0],
        of_dies=of("of_dies")[0],
    )


def of_any(collections: Sequence[Sequence[KnownKinds]]) -> TwoKinds:
    """How scores lie in a collection of which nothing is known (``two_kinds.ANY_COLLECTION``):
    wider by how far domains differ."""
    names = ("centre", "left", "right", "place", "width")
    mean = {name: _over_domains(collections, name)[0] for name in names}
    centre, place = (_over_domains(collections, name)[1] for name in ("centre", "place"))
    return TwoKinds(
        centre=mean["centre"],
        left=float(np.hypot(mean["left"], centre)),
        right=float(np.hypot(mean["right"], centre)),
        place=mean["place"],
        width=float(np.hypot(mean["width"], place)),
    )


def _right_by_centre(collections: Sequence[Sequence[KnownKinds]]) -> tuple[float, float]:
    """How the logarithm of ``right`` goes with the centre, and its deviation about that (least
    squares, each domain counting alike)."""
    found = [
        (one.centre, np.log(one.right), 1.0 / len(each)) for each in collections for one in each
    ]
    if len(found) < _FEWEST_FOR_A_LINE:
        return EXPECTED.right_slope, EXPECTED.right_spread
    centre, right, weight = np.array(found).T
    line = np.polyfit(centre, right, 1, w=np.sqrt(weight))
    about = np.average((right - np.polyval(line, centre)) ** 2, weights=weight)
    return float(line[0]), float(np.sqrt(about))


def _over_domains(collections: Sequence[Sequence[KnownKinds]], name: str) -> tuple[float, float]:
    """Mean and standard deviation of one figure over domains, each counting alike."""
    means = [float(np.nanmean([getattr(one, name) for one in each])) for each in collections]
    return float(np.mean(means)), float(np.std(means))


def _part_between(value: Floats, group: Ints) -> float:
    """Part of the variance that lies between groups (one-way analysis of variance)."""
    _, of, count = np.unique(group, return_inverse=True, return_counts=True)
    free = int((count - 1).sum())
    if not free or value.var() <= 0:
        return float("nan")
    mean = np.bincount(of, value) / count
    within = float(((value - mean[of]) ** 2).sum()) / free
    return 1.0 - within / float(value.var())


def _part_of_coin(score: Floats, first: Ints, second: Ints, die: Ints, n: int) -> float:
    """Part of the variance of pairs of one die that each of the two coins has: how alike two pairs
    are that share a coin, less how alike two pairs of the die are that share none."""
    if len(score) < 3:
        return float("nan")
    away = score - score.mean()
    ends = np.concatenate([first, second])
    total, squares = (np.bincount(ends, np.tile(x, 2), n) for x in (away, away**2))
    pairs = np.bincount(ends, minlength=n)
    sharing, number = float((total**2 - squares).sum()), float((pairs**2 - pairs).sum())
    dies = die[first]
    total, squares = (np.bincount(dies, x) for x in (away, away**2))
    pairs = np.bincount(dies)
    others = float((total**2 - squares).sum()) - sharing
    left = float((pairs**2 - pairs).sum()) - number
    if not number or not left:
        return float("nan")
    return (sharing / number - others / left) / float((away**2).mean())
