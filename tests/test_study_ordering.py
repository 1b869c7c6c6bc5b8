"""Linked groups and their order on the chart."""

from __future__ import annotations

import random
from itertools import combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.records import OBVERSE, REVERSE, SIDES
from dieindex.study.folding import fold
from dieindex.study.link_chart import PAGE, RADIUS, draw_chart
from dieindex.study.ordering import Group, count_crossings, linked_groups, times_of_partners

Links = dict[tuple[str, str], int]


def coins_of(links: Links) -> dict:
    found: dict = {side: {} for side in SIDES}
    for pair, coins in links.items():
        for side, die in zip(SIDES, pair, strict=True):
            found[side][die] = found[side].get(die, 0) + coins
    return found


def crossings(group: Group) -> int:
    ends = [(group.obverses.index(o), group.reverses.index(r)) for o, r in group.links]
    return sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for a, b in combinations(ends, 2))


def chain(length: int) -> Links:
    """O1–R1–O2–R2…, and a reverse of its own for every obverse."""
    links: Links = {}
    for i in range(length):
        links[f"O{i}", f"R{i}"] = 1
        links[f"O{i + 1}", f"R{i}"] = 2
        links[f"O{i}", f"X{i}"] = 1
    return links


@settings(max_examples=80, deadline=None)
@given(st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1))
def test_crossings_are_counted_as_by_hand(edges: set[tuple[int, int]]) -> None:
    neighbours = [[sorted(r for o, r in edges if o == i) for i in range(7)], [[]] * 7]
    by_hand = sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for a, b in combinations(edges, 2))
    assert count_crossings(neighbours, [list(range(7)), list(range(7))]) == by_hand


def test_a_chain_comes_out_without_crossings() -> None:
    links = chain(25)
    names = list(links)
    random.Random(3).shuffle(names)
    shuffled = {pair: links[pair] for pair in names}
    (group,) = linked_groups(coins_of(shuffled), shuffled)
    assert crossings(group) == 0
    # It reads from one end to the other.
    chained = [die for die in group.obverses if die.startswith("O")]
    assert chained == [f"O{i}" for i in range(26)]


def test_the_order_does_not_depend_on_that_of_the_input() -> None:
    draw = random.Random(1)
    links = {
        (f"O{draw.randrange(12)}", f"R{draw.randrange(25)}"): draw.randrange(1, 4)
        for _ in range(60)
    }
    first = linked_groups(coins_of(links), links)
    pairs = list(links)
    draw.shuffle(pairs)
    again = {pair: links[pair] for pair in pairs}
    assert linked_groups(coins_of(again), again) == first


def test_groups_are_the_components_the_fullest_first() -> None:
    links: Links = {("O1", "R1"): 1, ("O2", "R2"): 5, ("O2", "R3"): 1, ("O3", "R3"): 1}
    found = coins_of(links)
    found[OBVERSE]["O9"] = 2
    groups = linked_groups(found, links)
    assert [group.number for group in groups] == [1, 2, 3]
    assert [set(group.obverses) for group in groups] == [{"O2", "O3"}, {"O9"}, {"O1"}]
    assert groups[0].coins == 7
    assert groups[1].reverses == ()


@settings(max_examples=40, deadline=None)
@given(st.sets(st.tuples(st.integers(0, 9), st.integers(0, 14)), min_size=1, max_size=50))
def test_every_die_stands_once_and_few_links_cross(edges: set[tuple[int, int]]) -> None:
    links = {(f"O{o}", f"R{r}"): 1 for o, r in edges}
    groups = linked_groups(coins_of(links), links)
    for side, place in ((OBVERSE, 0), (REVERSE, 1)):
        dies = [die for group in groups for die in group.rank(side)]
        assert sorted(dies) == sorted({pair[place] for pair in links})
    for group in groups:
        plain = Group(
            1, tuple(sorted(group.obverses)), tuple(sorted(group.reverses)), group.links, 0
        )
        assert crossings(group) <= crossings(plain)


def test_states_tell_the_direction() -> None:
    links: Links = {("O1", "R1"): 1, ("O1", "R2"): 1, ("O1", "R3"): 1}
    # O1 was used with R3 when fresh, with R1 when cracked.
    coins = [("O1", f"R{i}", {OBVERSE: 4.0 - i}) for i in (1, 2, 3)]
    times = times_of_partners(coins)  # type: ignore[arg-type]
    assert times[REVERSE, "R3"] < times[REVERSE, "R1"]
    (group,) = linked_groups(coins_of(links), links, times)
    assert group.reverses.index("R3") < group.reverses.index("R1")


def test_dies_on_the_chart_do_not_touch() -> None:
    draw = random.Random(2)
    links = {(f"O{draw.randrange(15)}", f"R{draw.randrange(60)}"): 1 for _ in range(110)}
    found = coins_of(links)
    chart = draw_chart(linked_groups(found, links), found)
    places = [place for group in chart.groups for place in group.places.values()]
    assert len(places) == len(found[OBVERSE]) + len(found[REVERSE])
    for a, b in combinations(places, 2):
        assert abs(a[0] - b[0]) >= 2 * RADIUS or abs(a[1] - b[1]) >= 2 * RADIUS
    for each in chart.groups:
        for (side, _), (x, y) in each.places.items():
            assert each.x < x < each.x + each.width
            assert each.y < y < each.y + each.height
            assert (y == min(p[1] for p in each.places.values())) == (side == OBVERSE)
    assert all(0 < x < chart.drawing.width and 0 < y < chart.drawing.height for x, y in places)


@settings(max_examples=40, deadline=None)
@given(
    st.sets(st.tuples(st.integers(0, 20), st.integers(0, 60)), min_size=1, max_size=120),
    st.integers(3, 12),
)
def test_a_folded_group_shows_every_die_and_every_link_once(
    edges: set[tuple[int, int]], room: int
) -> None:
    links = [(f"O{o}", f"R{r}") for o, r in sorted(edges)]
    places = {(REVERSE, f"R{r}"): 10.0 * i for i, r in enumerate(sorted({r for _, r in edges}))}
    places |= {(OBVERSE, f"O{o}"): 25.0 * i for i, o in enumerate(sorted({o for o, _ in edges}))}
    parts = fold(places, links, 10.0 * room, 10.0)  # type: ignore[arg-type]
    assert sorted(node for part in parts for node in part.places) == sorted(places)
    assert sorted(link for part in parts for link in part.links) == sorted(links)
    for part in parts:
        own = [*part.places.values()]
        assert max(own) - min(own) <= 10.0 * room
        assert min([*own, *part.repeated.values()]) == 0.0
        needed = {(OBVERSE, o) for o, _ in part.links} | {(REVERSE, r) for _, r in part.links}
        assert needed <= part.places.keys() | part.repeated.keys()
        assert part.repeated.keys() == needed - part.places.keys()
        for node in part.repeated:
            assert any(node in other.elsewhere for other in parts if other is not part)
        for side in SIDES:  # nothing stands on anything else
            row = sorted(
                at for node, at in [*part.places.items(), *part.repeated.items()] if node[0] == side
            )
            assert all(b - a >= 10.0 - 1e-9 for a, b in pairwise(row))


def test_a_short_group_is_not_folded() -> None:
    links = chain(3)
    (group,) = linked_groups(coins_of(links), links)
    chart = draw_chart([group], coins_of(links))
    assert [(placed.part, placed.parts) for placed in chart.groups] == [(1, 1)]
    assert not chart.groups[0].repeated


def test_a_long_chain_is_folded_to_the_width_of_a_page() -> None:
    links = chain(80)
    found = coins_of(links)
    chart = draw_chart(linked_groups(found, links), found)
    assert len(chart.groups) > 2
    assert chart.drawing.width <= 1.1 * PAGE
