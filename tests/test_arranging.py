"""Coins moved between dies by a person: what is wanted, and what comes of it."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.api.arranging import held, merged, moved, surest_first
from dieindex.errors import CollectionError, UsageError
from dieindex.records import Review
from dieindex.review.verdicts import latest
from tests.clusters_for_tests import pairs_of_dies
from tests.sorted_for_tests import arranged, dies_of, names_of, said, sorted_coins

PAIRS = pairs_of_dies([0, 0, 0, 0, 1, 1, 2], p0_3=6.0, p1_3=6.0, p2_3=6.0)
"""abcd, of which d is the least sure; ef; g."""


def die_of(coin: str, reviews: list[Review]) -> str:
    return dies_of(PAIRS, reviews).die_of[coin]


def test_the_surest_coin_stands_for_a_die() -> None:
    dies = dies_of(PAIRS)
    assert sorted_coins(dies) == {"abcd", "ef", "g"}
    assert surest_first(dies, "O1")[-1] == "d"
    assert merged(dies, "O3", "O1").dies[0][-1] in "dg"
    assert {*merged(dies, "O3", "O1").dies[0]} == {*"abcdg"}
    with pytest.raises(CollectionError, match="no obverse die O9"):
        surest_first(dies, "O9")


def test_a_coin_is_moved_to_a_die_and_the_rest_stays() -> None:
    wanted = moved(dies_of(PAIRS), ["a"], "O2")
    assert [{*each} for each in wanted.dies][:2] == [{*"efa"}, {*"bcd"}]
    assert wanted.dies[0][0] in "ef"
    dies, given = arranged(PAIRS, lambda dies: moved(dies, ["a"], "O2"))
    assert sorted_coins(dies) == {"bcd", "aef", "g"}
    assert {each.by for each in given} == {"A"}


def test_many_coins_of_several_dies_are_moved_at_once() -> None:
    wanted = moved(dies_of(PAIRS), ["d", "c", "f", "d"], "O3")
    assert [{*each} for each in wanted.dies][:3] == [{*"gcdf"}, {*"ab"}, {*"e"}]
    dies, _ = arranged(PAIRS, lambda dies: moved(dies, "dcf", "O3"))
    assert sorted_coins(dies) == {"ab", "e", "cdfg"}
    # Those that are there already stay, and so does a die of which all coins go.
    dies, _ = arranged(PAIRS, lambda dies: moved(dies, "aef", "O1"))
    assert sorted_coins(dies) == {"abcdef", "g"}


def test_a_die_is_split_and_merged() -> None:
    dies, given = arranged(PAIRS, lambda dies: moved(dies, ["c", "d"], None))
    assert sorted_coins(dies) == {"ab", "cd", "ef", "g"}
    back, _ = arranged(PAIRS, lambda dies: merged(dies, dies.die_of["a"], dies.die_of["c"]), given)
    assert sorted_coins(back) == {"abcd", "ef", "g"}
    dies, _ = arranged(PAIRS, lambda dies: moved(dies, "bf", None))
    assert sorted_coins(dies) == {"acd", "bf", "e", "g"}


def test_what_would_move_nothing_is_said() -> None:
    dies = dies_of(PAIRS)
    for wrong in (
        lambda: merged(dies, "O1", "O1"),
        lambda: moved(dies, [], None),
        lambda: moved(dies, ["g"], None),
        lambda: moved(dies, "abcd", None),
        lambda: moved(dies, ["e", "f"], "O2"),
    ):
        with pytest.raises(UsageError):
            wrong()
    for unknown in (
        lambda: merged(dies, "O1", "O9"),
        lambda: moved(dies, ["z"], None),
        lambda: moved(dies, ["a"], "O9"),
    ):
        with pytest.raises(CollectionError):
            unknown()


def test_who_moves_a_coin_goes_before_what_was_said_and_nothing_of_that_is_lost() -> None:
    """What no longer fits by way of other coins is said to be refused; all stays on record."""
    before = [said("a", "b", "same", 1, "B"), said("c", "b", "same", 2, "B")]
    dies, given = arranged(PAIRS, lambda dies: moved(dies, ["b"], None), before)
    assert sorted_coins(dies) == {"acd", "b", "ef", "g"}
    assert given[:2] == before
    counting = {(*sorted(each.pair), each.verdict) for each in latest(given)}
    for one, other in ("ab", "bc"):
        overruled = (one, other, "different") in counting
        refused = any(f"{one}" in text and f"{other}" in text for text in dies.refused)
        assert overruled or refused
    again, _ = arranged(
        PAIRS, lambda dies: merged(dies, dies.die_of["a"], dies.die_of["b"]), given, by="B"
    )
    assert sorted_coins(again) == {"abcd", "ef", "g"}


COINS = names_of(7)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.tuples(st.sets(st.sampled_from(COINS), min_size=1), st.integers(-1, 6)),
        min_size=1,
        max_size=4,
    )
)
def test_coins_lie_as_they_were_sorted_last(moves: list[tuple[set[str], int]]) -> None:
    """Whatever was sorted before: those moved are where they were put, what was left of their dies
    is together, and the dies of other coins are as they were."""
    given: list[Review] = []
    for coins, at in moves:
        before = dies_of(PAIRS, given)
        names = list(before.clusters)
        to = None if at < 0 else names[at % len(names)]
        sort = partial(moved, coins=sorted(coins), to=to)
        try:
            sort(before)
        except UsageError:
            continue
        dies, given = arranged(PAIRS, sort, given)
        there = set() if to is None else {*before.clusters[to]}
        expected = {frozenset(coins | there)}
        expected |= {frozenset(each) - coins - there for each in before.clusters.values()}
        assert {frozenset(each) for each in dies.clusters.values()} == expected - {frozenset()}


def test_what_is_left_of_a_die_stays_apart_from_what_was_parted_before() -> None:
    """Also where the coin by which that was said goes elsewhere."""
    one, given = arranged(PAIRS, lambda dies: moved(dies, ["a"], None))
    surest = next(each.coin_a for each in given if each.verdict == "different")
    assert surest in "bcd"
    dies, _ = arranged(PAIRS, lambda dies: moved(dies, [surest], dies.die_of["e"]), given)
    rest = "".join(sorted({*"bcd"} - {surest}))
    assert sorted_coins(one) == {"a", "bcd", "ef", "g"}
    assert sorted_coins(dies) == {"a", rest, "".join(sorted("ef" + surest)), "g"}


def test_a_die_is_held_where_persons_alone_hold_it() -> None:
    assert held(dies_of(PAIRS)) == set()
    given = [said("a", "b", "same", 1), said("b", "c", "same", 2)]
    assert held(dies_of(PAIRS, given)) == set()
    given.append(said("d", "a", "same", 3))
    assert held(dies_of(PAIRS, given)) == {die_of("a", given)}
    given.append(said("d", "a", "unsure", 4))
    assert held(dies_of(PAIRS, given)) == set()
    # A die of one coin has nothing to hold.
    assert die_of("g", given) not in held(dies_of(PAIRS, given))
