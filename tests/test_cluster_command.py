"""``dieindex cluster``: every coin in one die, tables, indexes named and moved."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dieindex.storage.die_numbers import die_numbers
from dieindex.storage.reviews import ReviewStore
from dieindex.storage.schema import NUMBERS_NAME, REVIEWS_NAME
from tests.commands_for_tests import Command


@pytest.mark.parametrize("side", ["obverse", "reverse", "both"])
def test_cluster_puts_every_coin_into_exactly_one_die(
    built: Path, command: Command, side: str
) -> None:
    document = command.document("cluster", "--side", side, "--index", built)
    assert set(document) == ({"obverse", "reverse"} if side == "both" else {side})
    for each, found in document.items():
        placed = [coin for coins in found["clusters"].values() for coin in coins]
        assert sorted(placed) == [f"{n:02}" for n in range(1, 9)]
        assert found["coins"] == 8
        assert found["dies"] == len(found["clusters"])
        assert all(name.startswith(each[0].upper()) for name in found["clusters"])
        assert {
            "ari", "ami", "pair_precision", "pair_recall", "pair_f1", "dies_true", "dies_found",
        } <= set(found["scores"])  # fmt: skip
        assert found["scores"]["dies_true"] == 5


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_cluster_writes_tables_that_are_never_read_as_labels(
    data: Path, built: Path, command: Command, tmp_path: Path, suffix: str
) -> None:
    from dieindex.collection.sheets.files import is_own_output
    from dieindex.collection.sheets.tables import read_rows

    out = tmp_path / f"dies{suffix}"
    code, *_ = command("cluster", "--side", "both", "--index", built, "--out", out, "--no-verify")
    assert code == 0
    assert is_own_output(out)
    header, *rows = (row.cells for row in read_rows(out).rows if row.cells[0][:1] != "#")
    assert header == ("coin", "side", "die", "certainty")
    assert len(rows) == 16
    assert all(0 <= float(row[3]) <= 1 for row in rows)
    # Lying beside the pictures it is not taken for the sheet.
    (data / "dies.csv").unlink()
    shutil.copy(out, data / f"found{suffix}")
    command.document("build", data)
    assert command.document("info")["labelled"] == {"obverse": 0, "reverse": 0}
    document = command.document("cluster", "--side", "obverse")
    assert document["obverse"]["scores"] is None


def test_a_table_that_cannot_be_written_is_said_before_anything_is_kept(
    built: Path, command: Command, tmp_path: Path
) -> None:
    # (The shared index has been sorted by now; the numbers are dropped from a copy.)
    index = Path(shutil.copytree(built, tmp_path / "index"))
    for name in ("reviews.sqlite", "verdicts.csv", "die_numbers.csv"):
        (index / name).unlink(missing_ok=True)
    asked = ("cluster", "--side", "obverse", "--index", index)
    code, _, err = command(*asked, "--out", tmp_path / "no" / "dies.xlsx")
    assert code == 1
    assert "dies.xlsx" in err
    with ReviewStore.open(index) as kept:
        assert not die_numbers(kept, "obverse").numbers
    command.document(*asked)
    with ReviewStore.open(index) as kept:
        assert len(die_numbers(kept, "obverse").numbers) == 8


def test_text_like_a_formula_stays_text(tmp_path: Path) -> None:
    from openpyxl import load_workbook

    from dieindex.study.die_tables import Page, write_die_workbook

    page = Page("dies", [("coin", 16), ("die", 10)], [("=1+1", "O1")])
    write_die_workbook([page], tmp_path / "dies.xlsx")
    cell = load_workbook(tmp_path / "dies.xlsx").active["A2"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")


def test_the_index_can_be_named_by_the_environment(
    built: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIEINDEX_INDEX", str(built))
    code, _, err = command("cluster", "--side", "obverse")
    assert code == 0
    assert str(built) in err
    assert command("--quiet", "cluster", "--side", "obverse")[2] == ""
    assert command("cluster", "--side", "obverse", "--quiet")[2] == ""


def test_an_index_can_be_moved(built: Path, command: Command, tmp_path: Path) -> None:
    moved = shutil.copytree(built, tmp_path / "moved")
    first = command.document("cluster", "--side", "both", "--index", built)
    assert command.document("cluster", "--side", "both", "--index", moved) == first


def test_trusting_the_sheet_is_a_look_unless_asked_to_keep(data: Path, command: Command) -> None:
    folder = data.parent / "indexes" / "data"
    for name in (REVIEWS_NAME, NUMBERS_NAME):
        (folder / name).unlink(missing_ok=True)
    ask = ("cluster", "--side", "obverse", "--trust-sheet", "--index", folder)
    for options, keeps in (((), False), (("--look",), False), (("--keep",), True)):
        assert command(*ask, *options)[0] == 0
        with ReviewStore.open(folder) as kept:
            assert bool(die_numbers(kept, "obverse").numbers) == keeps
