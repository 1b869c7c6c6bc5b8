"""Linked groups of dies, laid out so that few links cross.

A linked group is a component of the graph of obverse and reverse dies. Its dies stand in two ranks;
their order is found from the ends of the group inwards: breadth-first from the die farthest out,
then both ranks in turn by the mean and the median place of each die's partners (Sugiyama, Tagawa
and Toda 1981; Eades and Wormald 1994), then neighbours are swapped while that takes crossings away.
A chain of dies comes out as a chain. Nothing is random: equal input gives equal order.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dieindex.records import OBVERSE, REVERSE, SIDES, Side
from dieindex.text import natural_key

Edges = Mapping[tuple[str, str], int]
SWEEPS = 24
_DENSE_UP_TO = 400
_SWAPS_UP_TO = 40_000
"""Work (links times rounds) spent on swapping neighbours in one group."""


@dataclass(frozen=True)
class Group:
    """A linked group: its dies in the order of the chart, and its links with their coins.

    A die without a partner (its coins' other dies are not identified) is a group of its own.
    """

    number: int
    obverses: tuple[str, ...]
    reverses: tuple[str, ...]
    links: Mapping[tuple[str, str], int]
    coins: int

    def rank(self, side: Side) -> tuple[str, ...]:
        return self.obverses if side == OBVERSE else self.reverses


def linked_groups(
    coins_of: Mapping[Side, Mapping[str, int]],
    links: Edges,
    earlier: Mapping[tuple[Side, str], float] | None = None,
) -> list[Group]:
    """All groups, those of most coins first.

    ``coins_of`` gives the coins of every die, ``links`` those of every pair of an obverse and a
    reverse die. ``earlier`` may give dies a time (of the state of the partner they were used
    with): each group then reads from early to late.
    """
    nodes = [(side, die) for side in SIDES for die in coins_of.get(side, {})]
    nodes.sort(key=lambda node: (SIDES.index(node[0]), natural_key(node[1])))
    partners: dict[tuple[Side, str], list[tuple[Side, str]]] = {node: [] for node in nodes}
    for obverse, reverse in sorted(links, key=lambda e: (natural_key(e[0]), natural_key(e[1]))):
        partners[OBVERSE, obverse].append((REVERSE, reverse))
        partners[REVERSE, reverse].append((OBVERSE, obverse))
    component: dict[tuple[Side, str], int] = {}
    parts: list[list[tuple[Side, str]]] = []
    for node in nodes:
        if node in component:
            continue
        found = _reached(node, partners)
        for each in found:
            component[each] = len(parts)
        parts.append(found)
    links_of: list[dict[tuple[str, str], int]] = [{} for _ in parts]
    for (obverse, reverse), coins in links.items():
        links_of[component[OBVERSE, obverse]][obverse, reverse] = coins
    groups = []
    for part, inside in zip(parts, links_of, strict=True):
        obverses, reverses = _ordered(part, partners)
        if _reads_backwards(obverses, reverses, inside, earlier or {}):
            obverses, reverses = obverses[::-1], reverses[::-1]
        # A coin with one identified die belongs to that die's group too; one with both counts once.
        coins = sum(coins_of[OBVERSE][die] for die in obverses) - sum(inside.values())
        coins += sum(coins_of[REVERSE][die] for die in reverses)
        groups.append((obverses, reverses, inside, coins))
    groups.sort(
        key=lambda g: (-g[3], -len(g[0]) - len(g[1]), [natural_key(d) for d in g[0] + g[1]])
    )
    return [Group(number, *group) for number, group in enumerate(groups, 1)]


def _reached(
    start: tuple[Side, str], partners: Mapping[tuple[Side, str], Sequence[tuple[Side, str]]]
) -> list[tuple[Side, str]]:
    """The component of a die, breadth first; the last is among those farthest from the start."""
    seen = {start}
    queue = deque([start])
    order = []
    while queue:
        node = queue.popleft()
        order.append(node)
        for other in partners[node]:
            if other not in seen:
                seen.add(other)
                queue.append(other)
    return order


def _ordered(
    part: Sequence[tuple[Side, str]],
    partners: Mapping[tuple[Side, str], Sequence[tuple[Side, str]]],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The two ranks of one component in an order with few crossings."""
    if len(part) <= 2:
        return (
            tuple(die for side, die in part if side == OBVERSE),
            tuple(die for side, die in part if side == REVERSE),
        )
    end = _reached(_reached(part[0], partners)[-1], partners)
    starts = [end]
    if len(part) <= _DENSE_UP_TO:
        starts.append(_along_the_group(end, partners))
    best: tuple[int, list[list[int]]] | None = None
    for start in starts:
        names = [[die for side, die in start if side == each] for each in SIDES]
        place = {
            (s, die): i for s, rank in zip(SIDES, names, strict=True) for i, die in enumerate(rank)
        }
        neighbours = [
            [[place[other] for other in partners[side, die]] for die in rank]
            for side, rank in zip(SIDES, names, strict=True)
        ]
        crossings, order = _untangle(neighbours)
        if best is None or crossings < best[0]:
            best = crossings, order
            named = tuple(
                tuple(rank[i] for i in places) for rank, places in zip(names, order, strict=True)
            )
    return named[0], named[1]


def _along_the_group(
    part: Sequence[tuple[Side, str]],
    partners: Mapping[tuple[Side, str], Sequence[tuple[Side, str]]],
) -> list[tuple[Side, str]]:
    """Dies by the second eigenvector of the group's Laplacian: a chain unrolled."""
    place = {node: i for i, node in enumerate(part)}
    laplacian = np.zeros((len(part), len(part)))
    for node, i in place.items():
        for other in partners[node]:
            laplacian[i, place[other]] -= 1.0
            laplacian[i, i] += 1.0
    vector = np.round(np.linalg.eigh(laplacian)[1][:, 1], 9)
    # An eigenvector has no sign of its own.
    sign = np.sign(vector[np.flatnonzero(vector)[0]]) if vector.any() else 1.0
    return [part[i] for i in np.argsort(-sign * vector, kind="stable")]


def _untangle(neighbours: list[list[list[int]]]) -> tuple[int, list[list[int]]]:
    """Orders of both ranks with few crossings, and how many are left.

    ``neighbours[rank][i]`` lists the places in the other rank (of the start order) of die i.
    """
    order = [list(range(len(rank))) for rank in neighbours]
    best = (count_crossings(neighbours, order), [list(rank) for rank in order])
    for use_median in (False, True):
        order = [list(rank) for rank in best[1]]
        for sweep in range(SWEEPS):
            if best[0] == 0:
                return best
            before = [list(rank) for rank in order]
            rank = 1 - sweep % 2
            _sort_by_partners(neighbours, order, rank, use_median)
            found = count_crossings(neighbours, order)
            if found < best[0]:
                best = (found, [list(each) for each in order])
            if order == before and sweep % 2:
                break
    order = best[1]
    _swap_neighbours(neighbours, order)
    return count_crossings(neighbours, order), order


def _sort_by_partners(
    neighbours: list[list[list[int]]], order: list[list[int]], rank: int, use_median: bool
) -> None:
    place = _places(order[1 - rank])
    key = {}
    for now, die in enumerate(order[rank]):
        places = sorted(place[other] for other in neighbours[rank][die])
        if not places:
            key[die] = (float(now), now)
        elif use_median:
            half = len(places) // 2
            middle = places[half] if len(places) % 2 else (places[half - 1] + places[half]) / 2
            key[die] = (float(middle), now)
        else:
            key[die] = (sum(places) / len(places), now)
    order[rank].sort(key=key.__getitem__)


def _places(order: Sequence[int]) -> list[int]:
    places = [0] * len(order)
    for place, die in enumerate(order):
        places[die] = place
    return places


def count_crossings(neighbours: list[list[list[int]]], order: list[list[int]]) -> int:
    """How many pairs of links cross, in O(links · log dies)."""
    place = _places(order[1])
    size = len(place) + 1
    tree = [0] * (size + 1)
    crossings = seen = 0
    for die in order[0]:
        ends = sorted(place[other] for other in neighbours[0][die])
        for end in ends:  # links of earlier dies that end farther right cross this one
            i, up_to = end + 1, 0
            while i > 0:
                up_to += tree[i]
                i -= i & -i
            crossings += seen - up_to
        for end in ends:
            i = end + 1
            while i <= size:
                tree[i] += 1
                i += i & -i
            seen += 1
    return crossings


def _swap_neighbours(neighbours: list[list[list[int]]], order: list[list[int]]) -> None:
    links = sum(map(len, neighbours[0]))
    for _ in range(max(1, min(20, _SWAPS_UP_TO // max(links, 1)))):
        better = False
        for rank in (0, 1):
            place = _places(order[1 - rank])
            ends = [sorted(place[other] for other in each) for each in neighbours[rank]]
            row = order[rank]
            for i in range(len(row) - 1):
                left, right = ends[row[i]], ends[row[i + 1]]
                if _crossings_between(right, left) < _crossings_between(left, right):
                    row[i], row[i + 1] = row[i + 1], row[i]
                    better = True
        if not better:
            return


def _crossings_between(left: Sequence[int], right: Sequence[int]) -> int:
    """Crossings of the links of two neighbours whose partners' places are sorted."""
    crossings = passed = 0
    for end in left:
        while passed < len(right) and right[passed] < end:
            passed += 1
        crossings += passed
    return crossings


def _reads_backwards(
    obverses: Sequence[str],
    reverses: Sequence[str],
    links: Edges,
    earlier: Mapping[tuple[Side, str], float],
) -> bool:
    """Whether a group should be mirrored: later dies would stand left.

    Where no times tell, the half with the die that comes first by name stands left.
    """
    trend = 0.0
    for side, rank in ((OBVERSE, obverses), (REVERSE, reverses)):
        timed = [(i, earlier[side, die]) for i, die in enumerate(rank) if (side, die) in earlier]
        if len(timed) > 1:
            places, times = np.array(timed, dtype=np.float64).T
            trend += float(np.sum((places - places.mean()) * (times - times.mean())))
    if trend:
        return trend < 0
    rank = obverses if len(obverses) > 1 else reverses
    return bool(rank) and natural_key(rank[-1]) < natural_key(rank[0])


def times_of_partners(
    states: Sequence[tuple[str, str, Mapping[Side, float]]],
) -> dict[tuple[Side, str], float]:
    """Times of dies from the states of the partners they were used with.

    ``states`` lists coins as obverse die, reverse die and the state of either die where known. A
    die used with an early state of its partner was used before one coupled with a late state: its
    time is the mean, over its coins, of the partner's state less that partner's mean state.
    """
    seen: dict[tuple[Side, str], list[float]] = {}
    for obverse, reverse, state in states:
        for side, die in ((OBVERSE, obverse), (REVERSE, reverse)):
            if side in state:
                seen.setdefault((side, die), []).append(state[side])
    usual = {key: sum(values) / len(values) for key, values in seen.items() if len(set(values)) > 1}
    total: defaultdict[tuple[Side, str], float] = defaultdict(float)
    count: Counter[tuple[Side, str]] = Counter()
    for obverse, reverse, state in states:
        pairs = ((OBVERSE, obverse, (REVERSE, reverse)), (REVERSE, reverse, (OBVERSE, obverse)))
        for side, die, partner in pairs:
            if (side, die) in usual and side in state:
                total[partner] += state[side] - usual[side, die]
                count[partner] += 1
    return {key: total[key] / count[key] for key in count}
