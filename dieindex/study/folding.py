"""Long linked groups, folded into parts that fit a page.

A chain of two hundred dies in one line cannot be printed. It is cut where few links pass; a link
that passes a cut is drawn once, in the part of the die with fewer partners, where the other die is
repeated at the edge.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from dieindex.records import OBVERSE, REVERSE, Floats, Side

Node = tuple[Side, str]


@dataclass
class Part:
    """A part of a group: places along it, from 0, of its own dies and of those repeated here.

    ``links`` are drawn in this part; ``elsewhere`` tells of own dies in which direction, ``«`` or
    ``»``, other parts repeat them.
    """

    places: dict[Node, float]
    repeated: dict[Node, float] = field(default_factory=dict)
    links: list[tuple[str, str]] = field(default_factory=list)
    elsewhere: dict[Node, str] = field(default_factory=dict)

    @property
    def width(self) -> float:
        return max([*self.places.values(), *self.repeated.values()], default=0.0)


def fold(
    places: Mapping[Node, float], links: Iterable[tuple[str, str]], room: float, step: float
) -> list[Part]:
    """A group's parts from left to right, each of own dies no wider than ``room``.

    ``places`` gives every die's place along the group; ``step`` is the distance between dies.
    """
    links = list(links)
    cuts = _cuts(places, links, room)
    part_of = {node: int(np.searchsorted(cuts, place)) for node, place in places.items()}
    parts = [Part({}) for _ in range(len(cuts) + 1)]
    for node, place in places.items():
        parts[part_of[node]].places[node] = place
    partners: Counter[Node] = Counter()
    for obverse, reverse in links:
        partners[OBVERSE, obverse] += 1
        partners[REVERSE, reverse] += 1
    for obverse, reverse in links:
        ends: tuple[Node, Node] = ((OBVERSE, obverse), (REVERSE, reverse))
        stays, comes = ends if partners[ends[0]] < partners[ends[1]] else ends[::-1]
        here, there = part_of[stays], part_of[comes]
        parts[here].links.append((obverse, reverse))
        if here != there:
            parts[here].repeated[comes] = places[comes]
            mark, known = "«" if here < there else "»", parts[there].elsewhere.get(comes, "")
            if mark not in known:
                parts[there].elsewhere[comes] = "".join(sorted(known + mark))
    for part in parts:
        _place_repeated(part, step)
    return parts


def _cuts(places: Mapping[Node, float], links: Iterable[tuple[str, str]], room: float) -> Floats:
    """Where to cut: each time as few links pass as possible, in the last third of the room."""
    along = np.unique(np.array(list(places.values())))
    ends = np.array(
        [sorted((places[OBVERSE, o], places[REVERSE, r])) for o, r in links], dtype=np.float64
    ).reshape(-1, 2)
    left, right = np.sort(ends[:, 0]), np.sort(ends[:, 1])
    middles = (along[1:] + along[:-1]) / 2
    passing = np.searchsorted(left, middles) - np.searchsorted(right, middles)
    cuts: list[float] = []
    start = float(along[0]) if len(along) else 0.0
    while len(along) and along[-1] - start > room:
        fits = np.flatnonzero((middles > start) & (middles <= start + room))
        if not len(fits):  # dies farther apart than the room
            fits = np.flatnonzero(middles > start)[:1]
        late = fits[middles[fits] > start + room * 2 / 3]
        fits = late if len(late) else fits[-1:]
        best = fits[::-1][int(np.argmin(passing[fits][::-1]))]
        cuts.append(float(middles[best]))
        start = float(along[along > middles[best]][0])
    return np.array(cuts)


def _place_repeated(part: Part, step: float) -> None:
    """Dies of earlier parts stand left of the own ones, of later parts right; all begin at 0."""
    low, high = min(part.places.values(), default=0.0), max(part.places.values(), default=0.0)
    for side in (OBVERSE, REVERSE):
        nodes = sorted((at, node) for node, at in part.repeated.items() if node[0] == side)
        before = [node for at, node in nodes if at < low]
        after = [node for at, node in nodes if at > high]
        for i, node in enumerate(reversed(before), 1):
            part.repeated[node] = low - i * step
        for i, node in enumerate(after, 1):
            part.repeated[node] = high + i * step
    least = min([*part.places.values(), *part.repeated.values()], default=0.0)
    part.places = {node: at - least for node, at in part.places.items()}
    part.repeated = {node: at - least for node, at in part.repeated.items()}
