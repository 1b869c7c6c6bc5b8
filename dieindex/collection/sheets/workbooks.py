"""Read the cells of an .xlsx workbook as text, bounded: nothing in it is run or trusted."""

from __future__ import annotations

import re
import warnings as python_warnings
from pathlib import Path
from typing import Any

from dieindex.collection.sheets.archives import bounded_archive, cells_alone
from dieindex.collection.sheets.cell_values import as_text, is_date
from dieindex.collection.sheets.raw_rows import (
    MAX_COLUMNS,
    MAX_ROWS,
    Areas,
    RawRow,
    Row,
    Table,
    fill_merged,
    raw_rows_of,
)
from dieindex.errors import SheetError

WORKBOOK_SUFFIXES = frozenset({".xlsx", ".xlsm"})
_BLOCK = 1 << 20


def read_workbook(path: Path, most_rows: int = MAX_ROWS, only: str | None = None) -> list[Table]:
    """Every sheet that holds anything, or the one called ``only``; of each ``most_rows`` at most.

    Formulas by their last computed value, merged cells repeated, numbers as their format shows
    them (``"O"0`` makes 1 an ``O1``). Raises SheetError for what is no workbook or too large.
    """
    with bounded_archive(path) as archive:
        try:
            return _read_sheets(path, cells_alone(archive), most_rows, only)
        except SheetError:
            raise
        # A damaged workbook makes the reader raise nearly anything: KeyError, ParseError,
        # ValueError, zlib.error...
        except Exception as error:
            raise SheetError(
                f"{path}: cannot be read as a workbook ({' '.join(str(error).split())[:80]}); open "
                "it in a spreadsheet program and save it anew, or as .csv"
            ) from error


def _read_sheets(path: Path, archive: Any, most_rows: int, only: str | None) -> list[Table]:
    import openpyxl

    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")  # extensions that do not matter here
        workbook = openpyxl.load_workbook(archive, read_only=True, data_only=True, keep_links=False)
        tables = []
        for sheet in workbook.worksheets:
            if only is None or sheet.title == only:
                sheet.reset_dimensions()  # what the file states of its size need not be true
                warnings: list[str] = []
                rows = _sheet_rows(path, sheet, most_rows, warnings)
                hidden = sheet.sheet_state != "visible"
                if rows:
                    tables.append(Table(path, rows, tuple(warnings), sheet.title, hidden))
        workbook.close()
    return tables


def _sheet_rows(path: Path, sheet: Any, most_rows: int, warnings: list[str]) -> tuple[Row, ...]:
    raw: dict[int, RawRow] = {}
    whole = most_rows >= MAX_ROWS
    areas, hidden, width, uncomputed = _layout(sheet)
    if uncomputed:
        warnings.append(
            f"{path.name}: formulas without a result are read as blank ({uncomputed} cells); open "
            "it in a spreadsheet program and save it once"
        )
    cells_by_row = sheet.iter_rows(max_col=width, max_row=None if whole else most_rows)
    for number, cells in enumerate(cells_by_row, start=1):
        if number > MAX_ROWS:
            raise SheetError(f"{path}: has more than the {MAX_ROWS} rows that are read")
        row = RawRow([])
        for place, cell in enumerate(cells):
            value = cell.value
            if value is None or isinstance(value, str):
                row.cells.append("" if value is None else value.strip())
                continue
            row.cells.append(as_text(value, cell.number_format))
            if is_date(value):
                row.dates.add(place)
        if any(row.cells):
            raw[number] = row
    if not raw:
        return ()
    fill_merged(path, raw, areas, warnings)
    return raw_rows_of(path, raw, hidden, warnings)


_MERGED = re.compile(
    rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"'
)
_ROW = re.compile(rb"<(?:\w+:)?row\s[^>]*>")
_CELL = re.compile(rb'\sr="([A-Z]{1,3})\d')
_HIDDEN = re.compile(rb'\shidden="(?:1|true)"')
_NUMBER = re.compile(rb'\sr="(\d{1,7})"')


_UNCOMPUTED = re.compile(
    rb"</(?:\w+:)?f>(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?</(?:\w+:)?c>"
)


def _layout(sheet: Any) -> tuple[Areas, frozenset[int], int, int]:
    """Merged areas, hidden rows, how many columns the cells reach, and how many formulas have no
    result.

    The reader that streams rows passes over them, so the raw part is searched: inside cells a
    ``<`` cannot stand unescaped.
    """
    areas, hidden, letters, uncomputed = [], set(), set(), 0
    tail = b""
    with sheet._get_source() as source:
        while block := source.read(_BLOCK):
            text = tail + block
            cut = text.rfind(b">") + 1
            for left, top, right, bottom in _MERGED.findall(text[:cut]):
                areas.append((int(top), _column(left), int(bottom), _column(right)))
            for row in _ROW.findall(text[:cut]):
                number = _NUMBER.search(row)
                if number and _HIDDEN.search(row):
                    hidden.add(int(number.group(1)))
            letters |= set(_CELL.findall(text[:cut]))
            uncomputed += len(_UNCOMPUTED.findall(text[:cut]))
            tail = text[cut:][-4096:]
    width = max((_column(each) + 1 for each in letters), default=MAX_COLUMNS)
    return areas, frozenset(hidden), min(width, MAX_COLUMNS), uncomputed


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1
