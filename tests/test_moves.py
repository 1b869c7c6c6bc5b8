"""What a person says by sorting coins, in verdicts; who disagrees; what was taken back."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.records import OBVERSE, REVERSE, Review
from dieindex.review.disagreements import disagreements
from dieindex.review.moves import Arrangement, Statement, missing, unheld
from dieindex.review.verdicts import TAKEN_BACK, latest

COINS = "abcdefgh"
_DIES = st.lists(st.integers(0, 3), min_size=8, max_size=8)
"""The die of each coin."""


def arrangement(dies: list[int], named: set[str]) -> Arrangement:
    coins = [(die, coin) for coin, die in zip(COINS, dies, strict=True) if coin in named]
    return Arrangement.of(OBVERSE, [[c for d, c in coins if d == die] for die in range(4)])


def holds(wanted: Arrangement, die_of: dict[str, int]) -> bool:
    shown = [{die_of[coin] for coin in coins} for coins in wanted.dies]
    return all(len(each) == 1 for each in shown) and len(set().union(*shown)) == len(shown)


def sorted_by(said: set[Statement], spite: random.Random) -> dict[str, int]:
    """Dies that keep to all that was said, and else are as they like."""
    die_of = {coin: place for place, coin in enumerate(COINS)}
    links = [(each.coin_a, each.coin_b) for each in said if each.verdict == "same"]
    apart = [(each.coin_a, each.coin_b) for each in said if each.verdict == "different"]
    others = [(spite.choice(COINS), spite.choice(COINS)) for _ in range(12)]
    for a, b in [*links, *others]:
        joined = {c: die_of[a] if die == die_of[b] else die for c, die in die_of.items()}
        if (a, b) in links or all(joined[one] != joined[other] for one, other in apart):
            die_of = joined
    return die_of


@settings(deadline=None)
@given(_DIES, st.sets(st.sampled_from(COINS)), _DIES, st.randoms(use_true_random=False))
def test_what_is_missing_brings_an_arrangement_about(
    dies: list[int], named: set[str], now: list[int], spite: random.Random
) -> None:
    """However the dies are found again as long as they keep to what was said; and nothing is
    missing exactly where the dies are as wanted."""
    wanted, die_of = arrangement(dies, named), dict(zip(COINS, now, strict=True))
    said: set[Statement] = set()
    for _ in range(40):
        due = missing(wanted, die_of)
        assert (not due) == holds(wanted, die_of)
        assert len(due) == len({frozenset((each.coin_a, each.coin_b)) for each in due})
        if not due:
            break
        said |= set(due)
        die_of = sorted_by(said, spite)
    assert holds(wanted, die_of)


def test_few_verdicts_are_asked_for() -> None:
    die_of = dict(zip(COINS, [0, 0, 0, 1, 1, 2, 3, 3], strict=True))
    merged = Arrangement.of(OBVERSE, ["abcde"])
    assert missing(merged, die_of) == [Statement("a", "d", "same"), Statement("a", "e", "same")]
    split = Arrangement.of(OBVERSE, ["ab", "c"])
    assert missing(split, die_of) == [Statement("c", "a", "different")]
    assert missing(Arrangement.of(OBVERSE, ["gh", "f"]), die_of) == []


def test_an_arrangement_names_each_coin_once() -> None:
    assert Arrangement.of(OBVERSE, [[], "aab", []]).dies == (("a", "b"),)
    with pytest.raises(ValueError, match="one die only"):
        Arrangement.of(OBVERSE, ["ab", "bc"])


def review(a: str, b: str, verdict: str, number: int = 0, by: str = "me", note: str = "") -> Review:
    return Review(a, b, OBVERSE, verdict, by, note, f"2026-01-01T00:00:{number:02}Z", number)


_SAID = st.lists(
    st.tuples(
        st.sampled_from([(a, b) for a in "abcde" for b in "abcde" if a != b]),
        st.sampled_from(["same", "same", "different", "unsure"]),
    ),
    max_size=8,
)


@settings(deadline=None)
@given(_SAID)
def test_what_is_not_held_yet_holds_a_die(said: list[tuple[tuple[str, str], str]]) -> None:
    """By "same" alone all its coins hang together then, and with none fewer."""
    given_ = [review(*pair, verdict, n) for n, (pair, verdict) in enumerate(said, 1)]
    more = unheld("abcde", OBVERSE, given_)
    assert all(each.coin_a == "a" and each.verdict == "same" for each in more)
    after = [
        *given_,
        *(review(each.coin_a, each.coin_b, "same", 20 + n) for n, each in enumerate(more)),
    ]
    assert unheld("abcde", OBVERSE, after) == []
    for n in range(len(more)):
        fewer = [each for each in after if each.number != 20 + n]
        assert len(unheld("abcde", OBVERSE, fewer)) == 1
    assert len(unheld("abcde", REVERSE, after)) == 4


def test_nothing_is_to_be_said_of_a_die_of_one_coin() -> None:
    assert unheld("a", OBVERSE, []) == []


def taken(a: str, b: str, number: int, by: str = "me") -> Review:
    return review(a, b, "unsure", number, by, TAKEN_BACK)


def test_what_is_taken_back_was_never_said() -> None:
    first, second = review("a", "b", "same", 1), review("b", "a", "different", 2)
    assert latest([first, taken("a", "b", 2)]) == []
    assert latest([first, second, taken("a", "b", 3)]) == [first]
    assert latest([first, second, taken("a", "b", 3), taken("b", "a", 4)]) == []
    again = review("a", "b", "same", 5)
    assert latest([first, taken("a", "b", 2), again]) == [again]
    assert latest([taken("a", "b", 1)]) == []


def test_nobody_takes_back_what_another_said() -> None:
    mine, yours = review("a", "b", "same", 1), review("a", "b", "different", 2, "you")
    assert latest([mine, yours, taken("a", "b", 3)]) == [yours]
    assert latest([mine, yours, taken("a", "b", 3, "you")]) == [mine]
    assert latest([mine, taken("a", "b", 2, "you")]) == [mine]


def test_unsure_without_that_note_is_an_answer() -> None:
    said = [review("a", "b", "same", 1), review("a", "b", "unsure", 2)]
    assert latest(said) == [said[1]]


def test_persons_disagree_where_their_last_words_differ() -> None:
    said = [
        review("a", "b", "same", 1),
        review("b", "a", "different", 2, "you"),
        review("c", "d", "same", 3),
        review("c", "d", "unsure", 4, "you"),
        review("e", "f", "same", 5),
        review("e", "f", "different", 6),
        review("g", "h", "different", 7),
        review("g", "h", "same", 8, "you"),
        review("g", "h", "same", 9),
    ]
    (found,) = disagreements(said)
    assert [each.number for each in found.reviews] == [1, 2]
    assert disagreements([*said, taken("b", "a", 10, "you")]) == []
    others = [*said, review("g", "h", "different", 10, "she")]
    assert [[r.number for r in each.reviews] for each in disagreements(others)] == [
        [8, 9, 10],
        [1, 2],
    ]


@settings(deadline=None)
@given(_SAID, st.permutations(range(8)))
def test_order_of_reading_does_not_matter(
    said: list[tuple[tuple[str, str], str]], order: list[int]
) -> None:
    given_ = [review(*pair, verdict, n, "AB"[n % 2]) for n, (pair, verdict) in enumerate(said)]
    mixed = [given_[at] for at in order if at < len(given_)]
    assert latest(mixed) == latest(given_)
    assert disagreements(mixed) == disagreements(given_)
