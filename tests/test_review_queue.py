"""What is worth a look, in one list: its order, its kinds, and what is left out of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dieindex.api.dies import Dies
from dieindex.api.review_queue import KINDS, Item, filtered, queue_of
from dieindex.api.specimens import OneSpecimen
from dieindex.records import REVERSE, Review
from tests.clusters_for_tests import pairs_of_dies
from tests.sorted_for_tests import dies_of, said

WEAK = {f"p6_{n}": 3.0 for n in range(7, 12)}
"""g speaks a little for several dies."""
ALIKE = {f"p{a}_{b}": 1.0 for a in range(3) for b in range(3, 6)} | {"p0_3": 4.0}
"""So do abc and def for each other."""
SHEET = {"a": "X", "b": "X", "c": "Y", "d": "Y", "e": "Y", "f": "Y"}
SPECIMENS = [
    OneSpecimen(f"{a}.jpg", f"{b}.jpg", a, b, 0.99, "same picture altered")
    for a, b in (("a", "d"), ("g", "h"), ("a", "not there"), ("i", "l"))
]


def found(*reviews: Review) -> Dies:
    """abc, def, g, h, ij, kl (which were compared and look like two dies), and m on no frame."""
    apart = {f"p{a}_{b}": -2.0 for a in (8, 9) for b in (10, 11)}
    dies = [0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 3, 4]
    pairs = pairs_of_dies(dies, **ALIKE, **WEAK, **apart)
    judged = (pairs.table.first != 12) & (pairs.table.second != 12)
    return dies_of(replace(pairs, judged=judged), reviews, SHEET)


def listed(*reviews: Review) -> list[Item]:
    return queue_of(found(*reviews), SPECIMENS)


def of_kind(kind: str, items: list[Item]) -> list[Item]:
    return [item for item in items if item.kind == kind]


def test_all_kinds_are_in_one_list_by_what_a_look_changes() -> None:
    items = listed()
    assert {item.kind for item in items} == {*KINDS} - {"coin"}
    changes = [item.change for item in items if item.change is not None]
    assert changes == sorted(changes, reverse=True)
    # Coins that may be one specimen change no die: they come last.
    assert [item.kind for item in items if item.change is None] == ["specimen"] * 2
    assert [item.pair for item in items[-2:]] == [{"a", "d"}, {"i", "l"}]
    assert len({item.pair for item in items}) == len(items)


def test_each_item_says_which_dies_and_why() -> None:
    items, dies = listed(), found()
    for item in items:
        assert (item.die, item.other_die) == (dies.die_of[item.coin], dies.die_of[item.other_coin])
        assert item.side == dies.side
        assert item.why
    (alone,) = of_kind("unaligned", items)
    assert alone.coin == "m"
    (doubted,) = of_kind("sheet", items)
    assert "The sheet says Y of c" in doubted.why
    assert "coins of X" in doubted.why
    for item in of_kind("near miss", items):
        assert item.die != item.other_die
        assert 0 < (item.probability or 0) < 1
    for item in of_kind("contradiction", items):
        assert item.die == item.other_die
        assert {*item.part} < {*dies.clusters[item.die]}


def test_a_coin_that_may_belong_elsewhere_is_listed() -> None:
    pairs = pairs_of_dies([0, 0, 1, 1, 2], p0_4=4.0, p1_4=-1.0, p2_4=4.0, p3_4=-1.0)
    dies = dies_of(pairs)
    items = queue_of(dies)
    assert {item.kind for item in items} <= {"coin", "near miss", "contradiction"}
    for item in of_kind("coin", items):
        assert item.other_die != item.die


def test_what_a_person_looked_at_is_not_asked_again() -> None:
    """Of whatever kind, whatever she said, also that she cannot tell; until she takes it back."""
    for item in listed():
        answer = said(item.coin, item.other_coin, "unsure")
        assert item.pair not in [each.pair for each in listed(answer)]
        back = replace(answer, note="taken back", number=2)
        assert item.pair in [each.pair for each in listed(answer, back)]


def test_what_is_listed_is_filtered_by_kind_die_and_coin() -> None:
    items = listed()
    assert filtered(items) == items
    for kind in KINDS:
        assert filtered(items, kinds=[kind]) == of_kind(kind, items)
    two = filtered(items, kinds=["sheet", "specimen"])
    assert [item.kind for item in two] == ["sheet", "specimen", "specimen"]
    die = found().die_of["g"]
    about = filtered(items, die=die)
    assert about
    assert all(die in (item.die, item.other_die) for item in about)
    assert [item for item in items if item not in about and "g" in item.pair] == []
    assert {item.kind for item in filtered(items, coin="a")} == {"sheet", "unaligned", "specimen"}
    assert filtered(items, coin="a", kinds=["sheet"], die="O1") == of_kind("sheet", items)
    assert filtered(items, coin="nobody's") == filtered(items, die="O99") == []


@pytest.mark.parametrize("n", [0, 1])
def test_of_no_coins_nothing_is_listed(n: int) -> None:
    assert queue_of(dies_of(pairs_of_dies([0] * n))) == []


def test_the_queue_is_that_of_its_side() -> None:
    dies = replace(found(), side=REVERSE)
    assert {item.side for item in queue_of(dies, SPECIMENS)} == {REVERSE}
