"""Laws of names: tokens of sides, natural order, equal numbers."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.collection.names import number_form, read_names
from dieindex.collection.side_words import TOKEN_PAIRS
from dieindex.records import OBVERSE, REVERSE
from dieindex.text import natural_key

WORDS = st.text("bcdefghijklmnpqstuwxyz0123456789", min_size=1, max_size=6)


@settings(max_examples=200)
@given(
    stem=WORDS,
    pair=st.sampled_from(TOKEN_PAIRS),
    separator=st.sampled_from("_- ."),
    before=st.booleans(),
    change=st.sampled_from([str, str.upper, str.title]),
)
def test_token_law(
    stem: str, pair: tuple[str, str], separator: str, before: bool, change: type[str]
) -> None:
    """Whatever the stem and token, both sides get the stem as their coin; one alone gets none."""

    def name(token: str) -> str:
        token = change(token)
        return f"{token}{separator}{stem}.jpg" if before else f"{stem}{separator}{token}.jpg"

    obverse, reverse = read_names([name(pair[0]), name(pair[1])]).files
    assert (obverse.stem, reverse.stem) == (stem, stem)
    assert (obverse.side, reverse.side) == (OBVERSE, REVERSE)
    (alone,) = read_names([name(pair[0])]).files
    assert alone.side is None
    assert f"{alone.stem}.jpg" == alone.file


@given(st.lists(st.text(max_size=8), max_size=8, unique=True), st.randoms())
def test_natural_order_is_total(names: list[str], random: Random) -> None:
    ordered = sorted(names, key=natural_key)
    random.shuffle(names)
    assert sorted(names, key=natural_key) == ordered
    assert sorted(["2" * 5000, "x", "10", "９"], key=natural_key) == ["９", "10", "2" * 5000, "x"]
    assert [str(n) for n in range(30)] == sorted(map(str, range(30)), key=natural_key)


@given(st.integers(0, 10**12), st.integers(0, 5), st.integers(0, 2))
def test_numbers_are_equal_however_written(number: int, zeros: int, decimals: int) -> None:
    written = "0" * zeros + str(number) + ("." + "0" * decimals if decimals else "")
    assert number_form(written) == str(number)


def test_thousands_are_not_taken_for_decimals() -> None:
    assert number_form("1.000") == "1.000"
    assert number_form("1.5") == "1.5"


@given(st.text(max_size=12))
def test_number_form_changes_nothing_twice(text: str) -> None:
    assert number_form(number_form(text)) == number_form(text)
    if not any(letter.isdigit() for letter in text):
        assert number_form(text) == text
