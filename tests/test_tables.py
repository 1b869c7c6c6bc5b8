"""Workbooks as tables of text: values, merged cells, damage and bombs."""

from __future__ import annotations

import datetime
import time
import zipfile
from pathlib import Path

import openpyxl
import pytest

from dieindex.collection.sheets.files import is_own_output
from dieindex.collection.sheets.options import sheet_options
from dieindex.collection.sheets.reading import read_sheet
from dieindex.errors import DieIndexError, SheetError
from dieindex.records import OBVERSE, REVERSE
from tests.test_sheets import DIES, dies_of, workbook, write


def open_document(path: Path, rows: list[list[str]]) -> None:
    names = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    cells = "".join(
        "<table:table-row>"
        + "".join(f"<table:table-cell><text:p>{c}</text:p></table:table-cell>" for c in row)
        + "</table:table-row>"
        for row in rows
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        table = f'<table:table table:name="D">{cells}</table:table>'
        archive.writestr("content.xml", f"<office:document{names}>{table}</office:document>")


class TestWorkbook:
    def test_numbers_and_dates(self, tmp_path: Path) -> None:
        rows = [
            ["No.", "Obverse die", "Reverse die", "Weight", "Found"],
            [1, "O1", "R1", 16.530000000000001, datetime.datetime(2024, 3, 1)],
            [2.0, "O1", 7.0, None, None],
        ]
        sheet = read_sheet(workbook(tmp_path / "a.xlsx", rows))
        assert [row.coin for row in sheet.rows] == ["1", "2"]
        assert sheet.rows[1].dies == {OBVERSE: "O1", REVERSE: "7"}
        assert sheet.rows[0].columns == {"Weight": "16.53", "Found": "2024-03-01"}

    def test_merged_dies_count_for_each_of_their_rows(self, tmp_path: Path) -> None:
        rows = [["coin", "obverse", "reverse"], [1, "O1", "R1"], [2, None, "R2"], [3, "O2", "R2"]]
        path = workbook(tmp_path / "a.xlsx", rows, merge="B2:B3")
        assert dies_of(path) == DIES
        doubts = read_sheet(path).doubts
        assert any("merged" in doubt.message and "2 to 3" in doubt.message for doubt in doubts)

    def test_merged_title_and_header_of_two_rows(self, tmp_path: Path) -> None:
        rows = [
            ["The coinage of Nowhere", None, None],
            ["Coin", "Dies", None],
            [None, "Obverse", "Reverse"],
            [1, "O1", "R1"],
        ]
        path = workbook(tmp_path / "a.xlsx", rows, merge="A2:A3")
        assert dies_of(path) == {"1": ("O1", "R1")}

    def test_first_sheet_with_rows(self, tmp_path: Path) -> None:
        book = openpyxl.Workbook()
        book.active.title = "empty"
        for title, die in (("dies", "O1"), ("notes", "X")):
            page = book.create_sheet(title)
            page.append(["coin", "obverse"])
            page.append([1, die])
        book.save(tmp_path / "a.xlsx")
        sheet = read_sheet(tmp_path / "a.xlsx")
        assert sheet.rows[0].dies == {OBVERSE: "O1"}
        assert any("not read: notes" in doubt.message for doubt in sheet.doubts)

    def test_formulas_without_value_are_unknown_and_told(self, tmp_path: Path) -> None:
        path = workbook(tmp_path / "a.xlsx", [["coin", "obverse"], [1, '="O"&1'], [2, "=1+1"]])
        sheet = read_sheet(path)
        assert [dict(row.dies) for row in sheet.rows] == [{}, {}]
        assert any("names no die" in doubt.message for doubt in sheet.doubts)

    def test_formulas_as_text_stay_text(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", "coin,obverse\n1,=cmd|' /C calc'!A0\n")
        assert read_sheet(path).rows[0].dies[OBVERSE] == "=cmd|' /C calc'!A0"

    def test_stated_dimensions_are_not_trusted(self, tmp_path: Path) -> None:
        path = workbook(tmp_path / "a.xlsx", [["coin", "obverse"], [1, "O1"], [2, "O2"]])
        patch(path, "xl/worksheets/sheet1.xml", b'ref="A1:B3"', b'ref="A1"')
        assert len(read_sheet(path).rows) == 2

    def test_damaged(self, tmp_path: Path) -> None:
        path = tmp_path / "a.xlsx"
        path.write_bytes(b"PK\x03\x04 this is no archive")
        with pytest.raises(SheetError, match=r"a\.xlsx.*save it"):
            read_sheet(path)
        workbook(path, [["coin", "obverse"], [1, "O1"]])
        path.write_bytes(path.read_bytes()[:-300])
        with pytest.raises(SheetError, match=r"a\.xlsx"):
            read_sheet(path)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("something.txt", "else")
        with pytest.raises(SheetError, match=r"a\.xlsx.*anew"):
            read_sheet(path)

    @pytest.mark.parametrize(("suffix", "tries"), [("xlsx", 60), ("ods", 600)])
    def test_bits_turned_anywhere_are_said_or_change_nothing(
        self, tmp_path: Path, suffix: str, tries: int
    ) -> None:
        path = tmp_path / f"a.{suffix}"
        rows = [["coin", "obverse"], ["1", "O1"], ["2", "O2"]]
        if suffix == "xlsx":
            workbook(path, rows)
        else:
            open_document(path, rows)
        whole, right = path.read_bytes(), dies_of(path)
        for at in range(0, len(whole), max(1, len(whole) // tries)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
            is_own_output(path)
            message, found = "", right
            try:
                found = dies_of(path)
            except SheetError as error:
                message = str(error).replace(str(path), "")
            assert found == right, at
            assert len(message) < 300, at

    def test_zip_bomb(self, tmp_path: Path) -> None:
        path = workbook(tmp_path / "a.xlsx", [["coin", "obverse"], [1, "O1"]])
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("xl/media/bomb.bin", bytes(140 << 20))
        assert path.stat().st_size < 1 << 20
        with pytest.raises(SheetError, match="unpacks to"):
            read_sheet(path)

    def test_expanding_entities(self, tmp_path: Path) -> None:
        path = workbook(tmp_path / "a.xlsx", [["coin", "obverse"], [1, "O1"]])
        names = "".join(
            f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "bomb" * 10}">' for n in range(9)
        )
        bomb = f'<?xml version="1.0"?><!DOCTYPE x [{names}]>'
        part = "xl/worksheets/sheet1.xml"
        patch(path, part, b"<worksheet", bomb.encode() + b"<worksheet")
        patch(path, part, b">O1<", b">&e8;<")
        start = time.process_time()
        with pytest.raises(SheetError, match=r"a\.xlsx"):
            read_sheet(path)
        assert time.process_time() - start < 5

    def test_many_merged_areas_are_bounded(self, tmp_path: Path) -> None:
        rows = [["coin", "obverse"], *[[number, "O1"] for number in range(30)]]
        path = workbook(tmp_path / "a.xlsx", rows, merge="B2:B3")
        areas = b'<mergeCell ref="B2:B1048576"/>' * 5_000
        patch(path, "xl/worksheets/sheet1.xml", b'<mergeCell ref="B2:B3" />', areas)
        with pytest.raises(SheetError, match="merge"):
            read_sheet(path)

    def test_a_cell_far_to_the_right(self, tmp_path: Path) -> None:
        path = workbook(tmp_path / "a.xlsx", [["coin", "obverse"], [1, "O1"]])
        book = openpyxl.load_workbook(path)
        book.active["XFD2"] = "far"
        book.save(path)
        assert dies_of(path) == {"1": ("O1", None)}


def patch(path: Path, part: str, old: bytes, new: bytes) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert old in parts[part]
    parts[part] = parts[part].replace(old, new, 1)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in parts.items():
            archive.writestr(name, raw)


def test_a_page_of_text_is_no_sheet(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("# Coins\n\n| coin | obverse die |\n|---|---|\n| 1 | O1 |\n")
    with pytest.raises(SheetError, match=r"README\.md: is no sheet"):
        read_sheet(page)


LONG = "x" * 30_000


@pytest.mark.parametrize(
    "rows",
    [
        [[f"coin{LONG}", f"obverse{LONG}", f"reverse{LONG}"], [f"1{LONG}", "O1", "R1"]],
        [[f"{n}{LONG}" for n in range(12)], [f"a{n}" for n in range(12)]],
        [["coin", *(f"{n} {LONG}" for n in range(9))], ["1", *"abcdefghi"]],
        [["weight", *(f"{n} {LONG}" for n in range(9))], ["1", *"abcdefghi"]],
        [["coin", f"obverse {LONG}"], ["1", "a head to the right, laureate, with a long neck"]],
        [["coin", "obverse"], ["1", f"a head to the right {LONG}"], ["2", f"a bull {LONG}"]],
        [[LONG], ["1"]],
    ],
)
@pytest.mark.parametrize("columns", [None, f"coin={'y' * 30_000}", "coin=1,obverse=2"])
def test_what_is_said_of_long_names_stays_short(
    tmp_path: Path, rows: list[list[str]], columns: str | None
) -> None:
    path = write(tmp_path / "a.csv", "\n".join(",".join(row) for row in rows))
    try:
        sheet = read_sheet(path, sheet_options(columns))
        said = [str(doubt.message) for doubt in sheet.doubts] + [str(sheet.reading)]
    except DieIndexError as error:
        said = [error.terminal]
    for message in said:
        assert len(message.replace(str(path), "a.csv")) <= 300, message[:600]
