"""Photographs that a person says show one coin: it counts once, and both names are understood."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import dieindex as di
from dieindex.api.session import ReviewSession
from dieindex.commands.main import run
from dieindex.records import SIDES, Review
from dieindex.review.one_coin import leading_coins, under_leading
from dieindex.review.verdicts import constraints_of
from dieindex.storage.reviews import ReviewStore, reviews_of
from dieindex.storage.schema import REVIEWS, REVIEWS_NAME

TIMES = [f"2026-01-{day:02d}T00:00:00Z" for day in range(1, 29)]


def said(*words: tuple[str, str, str, str]) -> list[Review]:
    return [
        Review(a, b, side, verdict, "me", "", TIMES[number], number + 1)  # type: ignore[arg-type]
        for number, (a, b, side, verdict) in enumerate(words)
    ]


def both(a: str, b: str) -> list[tuple[str, str, str, str]]:
    return [(a, b, side, "one-coin") for side in ("obverse", "reverse")]


SIZE = {"1": 100.0, "2": 300.0, "3": 200.0, "4": 50.0}


def sizes(coins: object) -> dict[str, float]:
    return SIZE


def test_the_best_photograph_leads_and_what_is_one_is_one_all_round() -> None:
    given = said(*both("1", "2"), *both("1", "3"))
    assert leading_coins(given, sizes) == {"1": "2", "3": "2"}
    # A name that is not there does not lead.
    assert leading_coins(said(*both("1", "9")), sizes) == {"9": "1"}
    assert leading_coins(said(*both("8", "9")), sizes) == {}


@pytest.mark.parametrize("word", ["different", "unsure", "same"])
def test_what_is_said_later_of_either_side_takes_it_back(word: str) -> None:
    assert leading_coins(said(*both("1", "2"), ("2", "1", "reverse", word)), sizes) == {}
    assert leading_coins(said(("1", "2", "reverse", word), *both("1", "2")), sizes) == {"1": "2"}
    assert leading_coins(said(both("1", "2")[0]), sizes) == {}


def test_verdicts_on_either_name_are_of_the_coin_and_what_is_one_binds_its_dies() -> None:
    given = said(*both("1", "2"), ("1", "4", "obverse", "same"), ("2", "3", "obverse", "different"))
    named = under_leading(given, {"1": "2"})
    assert [(each.coin_a, each.coin_b, each.verdict) for each in named] == [
        ("2", "4", "same"),
        ("2", "3", "different"),
    ]
    # (Where one side was said to be different since, the other is still of one die.)
    later = said(*both("1", "2"), ("1", "2", "obverse", "different"))
    (only,) = constraints_of([r for r in later if r.side == "reverse"], ["1", "2"])
    assert only.same


def test_a_coin_counts_once_under_both_names_and_twice_again_when_it_is_taken_back(
    data: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = data.parent / "indexes" / "data"
    index = di.open_index(folder)
    before = index.info()["coins"]
    assert {"01", "08"} <= set(index.coins)
    assert run(["verdict", "1", "8", "one-coin", "--index", str(folder)]) == 0
    assert run(["verdict", "1", "8", "one-coin", "--side", "obverse", "--index", str(folder)]) == 2
    index = di.open_index(folder)
    assert index.info()["coins"] == before - 1
    lead, other = (index.find_coin(coin) for coin in ("01", "08"))
    assert lead == other
    left_out = ({"01", "08"} - {lead}).pop()
    assert left_out not in index.coins
    for side in ("obverse", "reverse"):
        dies = index.cluster(side)  # type: ignore[arg-type]
        assert lead in dies.coins
        assert left_out not in dies.coins
    assert index.compare("01", "08").obverse.reason == "it is the same coin"
    for photo in ("01.jpg", "08.jpg"):
        for found in index.find(data / "images" / photo):
            assert found.known_as == lead
    files = [file for file, coin in index.coin_of_file().items() if coin == lead]
    assert len(files) >= 2
    study = index.study(tmp_path / "study")
    assert len(study.coins) == before - 1
    assert (tmp_path / "study" / "report.html").is_file()
    # Nothing is lost: it comes back with its dies.
    index.review("01", "08", "unsure", side="reverse")
    assert index.info()["coins"] == before
    assert {"01", "08"} <= set(index.cluster("obverse").coins)
    assert [each.verdict for each in index.reviews()] == ["one-coin", "one-coin", "unsure"]


def test_in_a_session_a_coin_is_one_and_two_again(data: Path) -> None:
    folder = data.parent / "indexes" / "data"
    session = ReviewSession(di.open_index(folder))
    try:
        assert session.sorted("obverse", 60) is not None
        session.say("01", "08", "one-coin", side="obverse", by="me")
        assert all(session.settled(side, 60) for side in SIDES)
        for side in SIDES:
            found = session.sorted(side)
            assert found is not None
            assert len({"01", "08"} & set(found.dies.coins)) == 1
        # (Both sides are told with one act, which is taken back as one.)
        session.take_back("me")
        assert all(session.settled(side, 60) for side in SIDES)
        for side in SIDES:
            found = session.sorted(side)
            assert found is not None
            assert {"01", "08"} <= set(found.dies.coins)
        session.do_again("me")
        assert all(session.settled(side, 60) for side in SIDES)
        found = session.sorted("reverse")
        assert found is not None
        assert len({"01", "08"} & set(found.dies.coins)) == 1
    finally:
        session.close(10)


def test_a_table_of_verdicts_says_it_of_both_sides_and_brings_it_back(
    data: Path, tmp_path: Path
) -> None:
    index = di.open_index(data.parent / "indexes" / "data")
    table = tmp_path / "said.csv"
    table.write_text("coin_a,coin_b,side,verdict\n01,08,obverse,one-coin\n", encoding="utf-8")
    assert len(index.import_reviews(table)) == 2
    assert index.leading
    out = tmp_path / "out.csv"
    index.export_reviews(out)
    assert index.import_reviews(out) == []


def test_a_file_of_verdicts_of_the_schema_before_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / REVIEWS_NAME
    with closing(sqlite3.connect(path)) as raw, raw:
        REVIEWS.make(raw)
        raw.executescript(
            "DROP TRIGGER reviews_stay; DROP TRIGGER reviews_stay_as_given; DROP TABLE reviews;"
            "CREATE TABLE reviews (id INTEGER PRIMARY KEY AUTOINCREMENT, coin_a TEXT NOT NULL,"
            " coin_b TEXT NOT NULL, side TEXT NOT NULL CHECK (side IN ('obverse', 'reverse')),"
            " verdict TEXT NOT NULL CHECK (verdict IN ('same', 'different', 'unsure')),"
            " by TEXT NOT NULL, note TEXT NOT NULL, time TEXT NOT NULL);"
            "CREATE TRIGGER reviews_stay BEFORE DELETE ON reviews"
            " BEGIN SELECT RAISE(ABORT, 'x'); END;"
            "CREATE TRIGGER reviews_stay_as_given BEFORE UPDATE ON reviews"
            " BEGIN SELECT RAISE(ABORT, 'x'); END;"
            "INSERT INTO reviews VALUES (7, '1', '2', 'obverse', 'same', 'me', '', '2026-01-01');"
            "UPDATE meta SET value = '3' WHERE key = 'schema';"
        )
    (kept,) = reviews_of(tmp_path)
    assert (kept.number, kept.verdict) == (7, "same")
    with ReviewStore.open(tmp_path, write=True) as store:
        store.add(said(*both("1", "2")))
        with pytest.raises(sqlite3.IntegrityError, match="never deleted"):
            store._connection.execute("DELETE FROM reviews")
    assert [each.number for each in reviews_of(tmp_path)] == [7, 8, 9]
