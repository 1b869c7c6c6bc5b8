"""Verdicts of persons: which count, what is written and read again, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dieindex.errors import CollectionError, SheetError, UsageError
from dieindex.records import Review
from dieindex.review.verdicts import (
    ReviewTable,
    checked_review,
    constraints_of,
    latest,
    not_yet_kept,
    overruled,
    read_reviews,
)


def known(name: str) -> str:
    if name not in ("1", "2", "3"):
        raise CollectionError(f"{name}: no such coin.")
    return name


def review(a="1", b="2", verdict="same", time="2026-01-01T00:00:00Z", number=0, by="me"):
    return Review(a, b, "obverse", verdict, by, "", time, number)


def test_the_latest_counts_and_unsure_takes_back() -> None:
    given = [review(number=1), review("2", "1", "different", number=2)]
    assert latest(given) == [given[1]]
    assert constraints_of(given, ["1", "2"])[0].same is False
    assert constraints_of([*given, review(verdict="unsure", number=3)], ["1", "2"]) == []
    assert constraints_of(given, ["1", "9"]) == []
    assert overruled(given[1], given[:1]) == given[0]
    # An older verdict that is imported later does not go before a newer one.
    old = review(verdict="different", time="2020-01-01T00:00:00Z", number=9)
    assert latest([given[0], old]) == [given[0]]


def test_what_is_written_is_read_again_and_kept_once(tmp_path: Path) -> None:
    given = [review(), review("2", "3", "different", by='=A1, "x"')]
    ReviewTable(given).write(tmp_path / "v.csv")
    read = read_reviews(tmp_path / "v.csv", "you", find_coin=known)
    assert read == given
    assert not_yet_kept(read, given) == []


_TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=20)
_NASTY = st.text(st.sampled_from("'=+-@\t\r\n\"#,;|\u2028\u202e\x1b 1a"), max_size=8)
_NAME = (_TEXT | _NASTY).map(str.strip).filter(bool)
_VERDICT = st.tuples(_NAME, _NAME, st.sampled_from(("same", "different")), _NASTY | _TEXT)


@given(st.lists(_VERDICT.filter(lambda v: v[0] != v[1]), min_size=1, max_size=5))
@example([("=1", "'=1", "same", "''tis =so"), ("#2", "a\rb\nc", "same", "'-x")])
def test_whatever_names_and_notes_hold_they_come_back(
    tmp_path_factory: pytest.TempPathFactory, given_: list[tuple[str, str, str, str]]
) -> None:
    moment = "2026-01-01T00:00:00Z"
    reviews = [
        checked_review(a, b, "obverse", word, note or "me", note, moment, find_coin=str)
        for a, b, word, note in given_
    ]
    reviews = [each for each in reviews if each.by]
    path = tmp_path_factory.getbasetemp() / "round.csv"
    path.write_text(ReviewTable(reviews).to_csv(), "utf-8", newline="")
    assert read_reviews(path, "me", find_coin=str) == reviews


def test_names_set_off_for_a_spreadsheet_are_read_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_text("coin_a,coin_b,side,verdict,note\n'=1,'-2,obverse,same,'tis one\n")
    (read,) = read_reviews(path, "me", find_coin=str)
    assert (read.coin_a, read.coin_b, read.note) == ("=1", "-2", "'tis one")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("coin_a,coin_b,verdict\n1,2,same\n", "no column side"),
        ("coin_a,coin_b,side,verdict\n1,2,obverse,perhaps\n", "row 2.*no verdict"),
        ("coin_a,coin_b,side,verdict\n1,2,obverse,same\n1,7,obverse,same\n", "row 3.*7"),
        ("coin_a,coin_b,side,verdict\n1,1,obverse,same\n", "row 2.*same coin"),
        ("coin_a,coin_b,side,verdict\n1,2,edge,same\n", "row 2.*obverse or reverse"),
        ("coin_a,coin_b,side,verdict,time\n1,2,rev,same,noon\n", "row 2.*no time"),
    ],
)
def test_a_bad_table_names_its_row(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "v.csv"
    path.write_text(text)
    with pytest.raises(SheetError, match=said):
        read_reviews(path, "me", find_coin=known)


def test_a_bad_verdict_is_refused() -> None:
    with pytest.raises(UsageError, match="same coin"):
        checked_review("1", "1", "obverse", "same", "", "", "", find_coin=known)
    with pytest.raises(CollectionError, match="no such coin"):
        checked_review("1", "8", "obverse", "same", "", "", "", find_coin=known)
