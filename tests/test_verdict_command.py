"""``dieindex verdict`` and what clustering makes of it, on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import load_workbook

import dieindex as di
from dieindex import api
from dieindex.commands.main import run


def test_a_verdict_joins_and_parts_and_is_kept(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = data.parent / "indexes" / "data"
    options = ["--index", str(folder), "--side", "obverse"]
    assert run(["verdict", "1", "8", "same", "--by", "=A1", *options]) == 0
    index = di.open_index(folder)
    dies = index.cluster("obverse", keep=True)
    die = dict(zip(dies.coins, dies.names, strict=True))
    assert die["01"] == die["08"]
    assert index.compare("01", "08").obverse.basis == "review"
    assert run(["verdict", "8", "1", "different", *options]) == 0
    capsys.readouterr()
    again = index.cluster("obverse", keep=True)
    then = dict(zip(again.coins, again.names, strict=True))
    assert then["01"] != then["08"]
    # Numbers stay with the larger part, and the change is listed.
    assert {then["01"], then["08"]} & {die["01"]}
    assert any("split" in change for change in again.changes)
    assert not index.cluster("obverse").changes
    # Both are on record, go out as a table, and come in only once.
    out = tmp_path / "v.csv"
    assert run(["verdict", "--export", str(out), "--index", str(folder)]) == 0
    assert run(["verdict", "--import", str(out), "--index", str(folder)]) == 0
    assert [each.verdict for each in api.reviews(index.folder)] == ["same", "different"]
    book = tmp_path / "dies.xlsx"
    assert run(["cluster", "--index", str(folder), "--side", "both", "--out", str(book)]) == 0
    sheets = load_workbook(book)
    assert sheets.sheetnames[:2] == ["coins", "dies"]
    cell = next(c for row in sheets["reviews"].iter_rows() for c in row if c.value == "=A1")
    assert cell.data_type == "s"
    # A build empties nothing of it.
    index = di.build(data, folder, reencode=True)
    assert len(api.reviews(index.folder)) == 2
    kept = index.cluster("obverse")
    assert dict(zip(kept.coins, kept.names, strict=True)) == then


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["1", "1", "same", "--side", "obverse"], 2, "same coin"),
        (["1", "99", "same", "--side", "obverse"], 1, "99"),
        (["1", "2", "maybe", "--side", "obverse"], 2, "no verdict"),
        (["1", "2", "same"], 2, "--side"),
        (["1", "2"], 2, "two coins"),
    ],
)
def test_wrong_verdicts_are_refused(
    data: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, said: str
) -> None:
    folder = str(data.parent / "indexes" / "data")
    assert run(["verdict", *words, "--index", folder]) == code
    assert said in capsys.readouterr().err
    assert api.reviews(folder) == []


def test_a_trusted_sheet_links_but_does_not_score(data: Path) -> None:
    index = di.open_index(data.parent / "indexes" / "data")
    free, bound = index.cluster("obverse"), index.cluster("obverse", trust_sheet=True)
    die = dict(zip(bound.coins, bound.names, strict=True))
    for a, one in bound.sheet.items():
        for b, other in bound.sheet.items():
            assert (die[a] == die[b]) == (one == other)
    assert bound.score() == free.score()
    named = index.cluster("obverse", trust_sheet=True, adopt_names=True)
    assert dict(zip(named.coins, named.names, strict=True)) == dict(named.sheet)
    # A person's word goes before the sheet's.
    index.review("01", "02", "different", side="obverse", by="me")
    die = dict(zip(bound.coins, index.cluster("obverse", trust_sheet=True).names, strict=True))
    assert die["01"] != die["02"]
