"""Die numbers that last, and what became of them in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.clustering.numbering import Numbering, adopt_names, changes, die_name, number_dies
from dieindex.records import OBVERSE, SIDES
from dieindex.storage.die_numbers import DieNumbers, earlier_numbers, keep_die_numbers
from dieindex.storage.reviews import ReviewStore


def test_numbers_last() -> None:
    coins = ["1", "2", "3", "4", "5", "6"]
    first = number_dies([0, 0, 0, 1, 1, 2], coins, Numbering({}, 0))
    assert first.numbers == {"1": 1, "2": 1, "3": 1, "4": 2, "5": 2, "6": 3}
    # Split, merged, and new coins.
    more = [*coins, "7", "8"]
    then = number_dies([5, 5, 9, 1, 1, 1, 5, 4], more, first)
    assert [then.numbers[c] for c in more] == [1, 1, 4, 2, 2, 2, 1, 5]
    told = {(each.kind, each.number) for each in changes(first, then, more)}
    assert told == {("grown", 1), ("merged", 2), ("split", 4), ("new", 5)}
    # Back again: the retired number 3 stays retired, and a vanished coin keeps its own.
    back = number_dies([0, 0, 0, 1, 1], coins[:5], then)
    assert [back.numbers[c] for c in coins] == [1, 1, 1, 2, 2, 2]
    assert back.last == 5


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_numbers_are_the_partition_and_stay_where_nothing_changed(labels, seed) -> None:
    coins = [str(number) for number in range(len(labels))]
    rng = np.random.default_rng(seed)
    before = number_dies(rng.integers(0, 4, len(labels)).tolist(), coins, Numbering({}, 0))
    after = number_dies(labels, coins, before)
    for a, one in zip(coins, labels, strict=True):
        for b, other in zip(coins, labels, strict=True):
            assert (after.numbers[a] == after.numbers[b]) == (one == other)
    assert number_dies(labels, coins, after) == after
    assert changes(after, after, coins) == []


PARTITION = st.lists(st.integers(0, 4), min_size=7, max_size=7)


@given(st.lists(PARTITION, max_size=4), PARTITION, PARTITION)
def test_what_is_taken_back_leaves_no_trace(
    past: list[list[int]], one: list[int], other: list[int]
) -> None:
    """Whatever was before: dies that are as they were have the numbers they had, and so has what is
    done again."""
    kept: list[dict[str, int]] = []
    before, seen = Numbering({}, 0), []
    for labels in [*past, one, other, one, other]:
        after = number_dies(labels, list("abcdefg"), before, earlier=reversed(kept))
        assert len(set(after.numbers.values())) == len(set(labels))
        if after.numbers != before.numbers:
            kept.append(dict(before.numbers))
        seen.append(after.numbers)
        before = after
    assert seen[-2:] == seen[-4:-2]


def test_a_number_comes_back_to_the_coins_that_had_it() -> None:
    coins = list("abcdef")
    was = {"a": 1, "b": 1, "c": 3, "d": 3, "e": 3, "f": 4}
    merged = Numbering(dict(was) | dict.fromkeys("cde", 1), 4)
    back = number_dies([0, 0, 1, 1, 1, 2], coins, merged, earlier=[was])
    assert back == Numbering(was, 4)
    # Not to others, not where a die has it, and not where another goes by that name.
    other = number_dies([0, 0, 0, 1, 1, 2], coins, merged, earlier=[was])
    assert [other.numbers[c] for c in coins] == [1, 1, 1, 5, 5, 4]
    held = Numbering({**merged.numbers, "f": 3}, 4)
    taken = number_dies([0, 0, 1, 1, 1, 2], coins, held, earlier=[was])
    assert [taken.numbers[c] for c in coins] == [5, 5, 1, 1, 1, 3]
    named = number_dies([0, 0, 1, 1, 1, 2], coins, merged, earlier=[was], reserved=[3])
    assert [named.numbers[c] for c in coins] == [5, 5, 1, 1, 1, 4]
    # What has not changed is not looked up.
    number_dies([0, 0, 0, 0, 0, 2], coins, merged, earlier=iter(int, 1))  # type: ignore[arg-type]


def test_earlier_numbers_are_read_from_the_history(tmp_path: Path) -> None:
    moments: list[dict[str, int]] = [
        {"a": 1, "b": 1, "c": 2},
        {"a": 1, "b": 1, "c": 1, "d": 3},
        {"a": 1, "b": 4, "c": 1, "d": 3},
    ]
    (tmp_path / "lock").touch()
    with ReviewStore.open(tmp_path, write=True) as kept:
        for numbers in moments:
            for side in SIDES:
                keep_die_numbers(kept, side, DieNumbers(numbers, 4), [], "2026-01-01T00:00:00Z")
        found = [{c: n for c, n in each.items() if n} for each in earlier_numbers(kept, OBVERSE)]
    assert found == [moments[1], moments[0], {}]


def test_names_of_a_sheet_move_no_coin_and_never_clash() -> None:
    numbering = Numbering({"1": 1, "2": 1, "3": 2, "4": 3}, 3)
    sheet = {"1": "O3", "2": "O3", "3": "A"}
    after, adopted = adopt_names(numbering, sheet, "obverse")
    names = [die_name(after.numbers[c], "obverse", adopted) for c in "1234"]
    assert names == ["O3", "O3", "A", "O4"]


RUNS = st.lists(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 3), min_size=1),
    min_size=1,
    max_size=6,
)


@given(RUNS)
def test_a_retired_number_is_never_given_again(runs: list[dict[str, int]]) -> None:
    """Whatever comes, vanishes, joins and parts: a die has a new number, or one of its coins had
    it last."""
    before = Numbering({}, 0)
    for run in runs:
        after = number_dies(run.values(), list(run), before)
        for coin in run:
            number = after.numbers[coin]
            die = [other for other in run if run[other] == run[coin]]
            had = {before.numbers.get(other) for other in die}
            assert number > before.last or number in had
        assert after.last >= max(after.numbers.values())
        before = after
