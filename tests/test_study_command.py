"""``dieindex study`` as a person meets it, and the same in Python."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import dieindex as di
from dieindex.api import studying
from dieindex.commands.main import run
from dieindex.errors import SheetError, UsageError
from dieindex.records import OBVERSE, REVERSE, Review
from dieindex.study.analysis import Study
from dieindex.study.material import Attribution

TEMNOS_OBVERSES = {
    1: 11, 2: 8, 3: 2, 4: 3, 5: 6, 6: 1, 7: 1, 8: 4, 9: 2, 10: 2, 11: 2, 12: 1, 14: 2, 15: 2,
    16: 3, 18: 3, 19: 1, 21: 1, 22: 1, 28: 1, 47: 1,
}  # fmt: skip
"""Dies by their number of coins in a real study, counted by hand."""


def write_table(path: Path, rows: list[tuple[object, ...]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows: list[tuple[object, ...]] = [("coin", "obverse", "reverse", "weight_g")]
    number = 0
    for coins, dies in TEMNOS_OBVERSES.items():
        for die in range(dies):
            for i in range(coins):
                number += 1
                rows.append((number, f"O{coins}-{die}", f"R{coins}-{die}-{i % 3}", 16.5))
    rows.append((number + 1, "", "R1-0-0", ""))
    return write_table(tmp_path / "coins.csv", rows)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    rows = [(i, f"O{i // 3}", f"R{i // 2}") for i in range(12)]
    return write_table(tmp_path / "small.csv", [("coin", "obverse", "reverse"), *rows])


def test_a_study_of_a_table(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["study", "--table", str(table), "--out", str(tmp_path / "out"), "--json"]) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert document["coins"] == 490
    obverse = document["obverse"]
    assert (obverse["n"], obverse["dies"], obverse["singletons"]) == (489, 58, 11)
    assert obverse["unidentified"] == 1
    assert obverse["coverage"] == pytest.approx(1 - 11 / 489)
    assert obverse["estimates"]["good"]["value"] == pytest.approx(58 / (1 - 11 / 489))
    assert obverse["estimates"]["carter"]["value"] == pytest.approx(
        489 * 58 / (1.069 * 489 - 0.843 * 58)
    )
    assert obverse["estimates"]["carter"]["low"] is None
    assert "report.html" in err
    assert (tmp_path / "out" / "report.html").is_file()


def test_the_summary_is_printed(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--title", "My coins", "--author", "A. Body", "--coins-per-die", "15000"]
    assert run(["study", "--table", str(small), "--out", str(tmp_path / "o"), *words]) == 0
    out, _ = capsys.readouterr()
    assert "My coins: 12 coins" in out
    assert "4 dies from 12 coins (0 known from one coin), n/d 3.00, coverage 100.0 %" in out
    report = (tmp_path / "o" / "report.html").read_text(encoding="utf-8")
    assert "ASSUMPTION" in report
    assert "15\u2009000" in report
    linked = json.loads((tmp_path / "o" / "study.jsonld").read_text(encoding="utf-8"))
    coin = next(item for item in linked["@graph"] if item.get("@type") == "nmo:NumismaticObject")
    assert coin["obverse"]["die"]["creator"] == "A. Body"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("coin", "weight"), (1, 16.5)], "no column for the dies"),
        ([("coin", "obverse"), (1, "?")], "die"),
        ([], "no rows"),
    ],
)
def test_a_bad_table_is_one_line_and_no_folder(
    rows: list[tuple[object, ...]],
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = write_table(tmp_path / "bad.csv", rows)
    assert run(["study", "--table", str(path), "--out", str(tmp_path / "out")]) == 1
    _, err = capsys.readouterr()
    assert "bad.csv" in err
    assert words in err
    assert "Traceback" not in err
    assert not (tmp_path / "out").exists()


def test_wrong_usage(tmp_path: Path, table: Path) -> None:
    assert run(["study", "--table", str(table)]) == 2
    (tmp_path / "file").write_text("x")
    assert run(["study", "--table", str(table), "--out", str(tmp_path / "file")]) == 2
    command = ["study", "--table", str(table), "--out", str(tmp_path / "o")]
    assert run([*command, "--coins-per-die", "0"]) == 2


def test_in_python_of_a_table(small: Path, tmp_path: Path) -> None:
    found = di.study_table(small, tmp_path / "out", title="t")
    assert isinstance(found, Study)
    assert found.sides[OBVERSE].counts.sample.d == 4
    assert found.counts.links is not None
    assert found.counts.links.coins == 12


def test_a_study_of_an_index_shows_its_coins_and_how_sure_they_are(
    built: Path, tmp_path: Path
) -> None:
    found = di.open_index(built).study(tmp_path / "out")
    assert found.counts.coins == 8
    dies = di.open_index(built).cluster(OBVERSE)
    assert {e.die: [c.name for c in e.coins] for e in found.dies[OBVERSE]}.keys() == (
        dies.clusters.keys()
    )
    for coin in found.coins:
        for side in (OBVERSE, REVERSE):
            assert coin.dies[side].basis == "machine"
            assert 0 <= (coin.dies[side].certainty or 0) <= 1
            if coin.dies[side].doubtful:  # what else it may be, a die of its own the last
                assert coin.dies[side].others[-1] == (None, 1.0)
                assert all(weight > 0 for _, weight in coin.dies[side].others)
            assert (side, coin.name) in found.gallery.small
    assert len(list((tmp_path / "out" / "plates").iterdir())) == 2
    assert "told apart by a program" in found.notes[0]


def test_the_dies_of_a_table_with_the_pictures_of_an_index(built: Path, tmp_path: Path) -> None:
    index = di.open_index(built)
    coins = index.faces(OBVERSE).coins
    rows = [
        ("coin", "obverse", "note"),
        *((coin, f"A{i // 3}", "x") for i, coin in enumerate(coins)),
    ]
    path = write_table(tmp_path / "t.csv", rows)
    found = index.study(tmp_path / "out", table=path)
    assert [entry.die for entry in found.dies[OBVERSE]] == ["A0", "A1", "A2"]
    assert found.coins[0].dies[OBVERSE].basis == "table"
    assert (OBVERSE, found.coins[0].name) in found.gallery.small
    assert found.known[found.coins[0].name].rest["note"] == "x"


def test_a_table_of_other_coins_is_refused(built: Path, tmp_path: Path) -> None:
    path = write_table(tmp_path / "t.csv", [("coin", "obverse"), ("zzz", "O1"), ("yyy", "O2")])
    with pytest.raises(SheetError, match=r"t\.csv"):
        di.open_index(built).study(tmp_path / "out", table=path)


def test_a_study_inside_the_collection_is_refused(built: Path) -> None:
    index = di.open_index(built)
    with pytest.raises(UsageError, match="lies in the collection"):
        index.study(Path(str(index.data)) / "study")


def test_a_studys_table_of_coins_corrected_by_hand_makes_the_next_study(
    table: Path, tmp_path: Path
) -> None:
    first = di.study_table(table, tmp_path / "first", author="A. Body")
    again = di.study_table(tmp_path / "first" / "coins.csv", tmp_path / "again")
    assert again.counts == first.counts
    assert {c.name: c.dies for c in again.coins} == {c.name: c.dies for c in first.coins}
    known = again.known["1"]
    assert known.weight == 16.5
    assert not known.texts
    assert not known.rest


# --- verdicts of persons ----------------------------------------------------------------------


def review(number: int, a: str, b: str, verdict: str, by: str = "A. Body") -> Review:
    return Review(a, b, OBVERSE, verdict, by, "", f"2026-01-0{number}T00:00:00Z", number)  # type: ignore[arg-type]


def test_what_becomes_of_a_verdict() -> None:
    names = {"1": "O1", "2": "O1", "3": "O2", "4": "O3", "5": "O3"}
    dies = {OBVERSE: {coin: Attribution(die) for coin, die in names.items()}, REVERSE: {}}
    given = [
        review(1, "1", "2", "different"),
        review(2, "2", "1", "same", "B. Keeper"),
        review(3, "3", "1", "different"),
        review(4, "1", "4", "same"),
        review(5, "4", "5", "unsure"),
        review(6, "1", "gone", "same"),
        review(7, "4", "2", "different"),
    ]
    found = studying.standings(given, dies)
    assert [each.standing for each in found] == [
        "superseded", "followed", "followed", "not followed", "unsure", "not in the study",
        "followed",
    ]  # fmt: skip
    marked = studying.reviewed(dies, found)[OBVERSE]
    # "Different" tells nothing of a coin's place in a die of several.
    assert {coin: (each.basis, each.author) for coin, each in marked.items()} == {
        "1": ("review", "B. Keeper"), "2": ("review", "B. Keeper"), "3": ("review", "A. Body"),
        "4": ("table", ""), "5": ("table", ""),
    }  # fmt: skip


def test_verdicts_on_an_index_reach_its_study(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "indexes" / "data"
    coins = di.open_index(folder).faces(OBVERSE).coins
    words = ["--side", "obverse", "--by", "A. Body", "--index", str(folder)]
    assert run(["verdict", coins[0], coins[-1], "same", *words]) == 0
    found = di.open_index(folder).study(tmp_path / "out")
    (known,) = found.material.reviews
    assert known.standing == "followed"
    for coin in found.coins:
        held = coin.dies[OBVERSE]
        assert (held.basis == "review") == (coin.name in (coins[0], coins[-1]))
        assert held.author == (
            "A. Body" if held.basis == "review" else f"dieindex {di.__version__}"
        )
    assert any("1 verdict of a person (A. Body)" in note for note in found.notes)
    # The table is one that verdicts are imported from.
    capsys.readouterr()
    table = str(tmp_path / "out" / "reviews.csv")
    assert run(["verdict", "--import", table, "--index", str(folder)]) == 0
    assert "0 verdicts imported" in capsys.readouterr().err
    # A table that says otherwise is followed, and the study says so.
    rows = [("coin", "obverse"), *((coin, f"X{i}") for i, coin in enumerate(coins))]
    other = write_table(tmp_path / "t.csv", rows)
    told = di.open_index(folder).study(tmp_path / "told", table=other)
    assert any("contradict 1 of the verdicts" in note for note in told.notes)


def test_a_face_that_lies_on_no_frame_has_no_identified_die(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = di.open_index(built)
    clusters = index.cluster(OBVERSE).clusters
    alone = {coins[0] for coins in clusters.values() if len(coins) == 1}
    others = {coins[0] for coins in clusters.values() if len(coins) > 1}
    monkeypatch.setattr(studying, "_not_aligned", lambda _, side: alone | others)
    found = index.study(tmp_path / "out")
    without = {coin.name for coin in found.coins if OBVERSE not in coin.dies}
    assert without == alone
    assert alone
    assert any("not identified" in note for note in found.notes)
