"""Read the cells of an .xlsx workbook as text, bounded: nothing in it is run or trusted."""

from __future__ import annotations

import datetime
import re
import warnings as python_warnings
import zipfile
from itertools import islice
from pathlib import Path
from typing import Any

from dieindex.collection.rows import MAX_COLUMNS, MAX_ROWS, Row, Table, rows_of
from dieindex.errors import SheetError

WORKBOOK_SUFFIXES = frozenset({".xlsx", ".xlsm"})
MAX_WORKBOOK_BYTES = 128 << 20
"""Largest sum of the unpacked parts of a workbook: a zip bomb is refused before unpacking."""
_MAX_FILLED = 2_000_000


def read_workbook(path: Path) -> Table:
    """The first sheet with rows; formulas by their last computed value, merged cells repeated."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
    except zipfile.BadZipFile:
        raise SheetError(
            f"{path}: is not a workbook, or damaged; open it in a spreadsheet program and save it "
            "as .xlsx or .csv"
        ) from None
    if unpacked > MAX_WORKBOOK_BYTES:
        raise SheetError(
            f"{path}: unpacks to {unpacked >> 20} MB, more than the "
            f"{MAX_WORKBOOK_BYTES >> 20} MB that are read; keep only the columns of coins and dies"
        )
    try:
        return _read_sheets(path)
    except (SheetError, OSError):
        raise
    # A damaged workbook makes the reader raise nearly anything: KeyError, ParseError, ValueError...
    except Exception as error:
        raise SheetError(
            f"{path}: cannot be read as a workbook ({' '.join(str(error).split())[:120]}); open it "
            "in a spreadsheet program and save it anew, or as .csv"
        ) from error


def first_row(path: Path) -> tuple[str, ...]:
    """The first row of a workbook's first sheet; empty where it cannot be read."""
    import openpyxl

    try:
        with path.open("rb") as stream:
            sheet = openpyxl.load_workbook(stream, read_only=True, data_only=True).worksheets[0]
            row = next(sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS, max_row=1), ())
            return tuple("" if value is None else _as_text(value) for value in row)
    except Exception:  # read_rows tells what is wrong with it
        return ()


def _read_sheets(path: Path) -> Table:
    import openpyxl

    warnings: list[str] = []
    with path.open("rb") as stream:
        with python_warnings.catch_warnings():
            python_warnings.simplefilter("ignore")  # extensions that do not matter here
            workbook = openpyxl.load_workbook(stream, read_only=True, data_only=True)
        chosen, rows, others = None, [], []
        for sheet in workbook.worksheets:
            sheet.reset_dimensions()  # what the file states of its size need not be true
            if chosen is None:
                rows = _sheet_rows(path, sheet, warnings)
                chosen = sheet if rows else None
            elif sheet.sheet_state == "visible" and _has_cells(sheet):
                others.append(sheet.title)
        if others:
            warnings.append(
                f"{path.name}: only its first sheet is read; not read: {', '.join(others)}"
            )
        workbook.close()
    return Table(path, tuple(rows), tuple(warnings))


def _has_cells(sheet: Any) -> bool:
    rows = islice(sheet.iter_rows(values_only=True), 50)
    return any(cell not in (None, "") for row in rows for cell in row)


def _sheet_rows(path: Path, sheet: Any, warnings: list[str]) -> list[Row]:
    rows: dict[int, list[str]] = {}
    values_by_row = sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS)
    for number, values in enumerate(values_by_row, start=1):
        if number > MAX_ROWS:
            raise SheetError(f"{path}: has more than the {MAX_ROWS} rows that are read")
        cells = ["" if value is None else _as_text(value) for value in values]
        if any(cells):
            rows[number] = cells
    _fill_merged(path, rows, _merged_areas(sheet), warnings)
    return list(rows_of(path, sorted(rows.items())))


def _as_text(value: Any) -> str:
    """A cell as a person would write it: whole numbers without ``.0``, dates as 2024-03-01."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        # 15 digits are what spreadsheet programs show of a number, of whatever they stored.
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return str(value)


_MERGED = re.compile(
    rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"'
)


def _merged_areas(sheet: Any) -> list[tuple[int, int, int, int]]:
    """Merged areas (first row, first column, last row, last column), rows from 1, columns from 0.

    The reader that streams rows passes over them, so the raw part is searched: inside cells a
    ``<`` cannot stand unescaped.
    """
    areas = []
    tail = b""
    with sheet._get_source() as source:
        while block := source.read(1 << 20):
            text = tail + block
            cut = text.rfind(b">") + 1
            for left, top, right, bottom in _MERGED.findall(text[:cut]):
                areas.append((int(top), _column(left), int(bottom), _column(right)))
            tail = text[cut:][-4096:]
    return areas


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _fill_merged(
    path: Path,
    rows: dict[int, list[str]],
    areas: list[tuple[int, int, int, int]],
    warnings: list[str],
) -> None:
    """Repeat the value of cells merged downwards: one die beside three coins is each coin's die.

    Only in rows that hold something else; cells merged sideways keep their value in the first.
    """
    filled = []
    left_to_fill = _MAX_FILLED
    for top, left, bottom, _ in areas:
        value = rows[top][left] if top in rows and left < MAX_COLUMNS else ""
        if not value or bottom <= top:
            continue
        left_to_fill -= bottom - top
        if left_to_fill < 0:
            raise SheetError(f"{path}: merges too many cells to be read; unmerge them")
        for number in range(top + 1, bottom + 1):
            if number in rows:
                rows[number][left] = value
        filled.append(f"rows {top} to {bottom} ({value})")
    if filled:
        more = f" and {len(filled) - 5} more" if len(filled) > 5 else ""
        warnings.append(
            f"{path.name}: merged cells were read as the same value in each of their rows: "
            f"{', '.join(filled[:5])}{more}; unmerge them if that is not meant"
        )
