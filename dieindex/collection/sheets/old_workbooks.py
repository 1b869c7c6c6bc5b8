"""Read the cells of an .xls workbook (Excel until 2003) as text, bounded."""

from __future__ import annotations

import datetime
import io
from pathlib import Path
from typing import Any

from dieindex.collection.sheets.cell_values import as_text, is_date
from dieindex.collection.sheets.raw_rows import (
    MAX_COLUMNS,
    MAX_ROWS,
    RawRow,
    Table,
    fill_merged,
    raw_rows_of,
)
from dieindex.errors import SheetError

MAX_BYTES = 64 << 20
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def read_old_workbook(
    path: Path, most_rows: int = MAX_ROWS, only: str | None = None
) -> list[Table]:
    """Every sheet that holds anything, or the one called ``only``; see ``read_workbook``."""
    import xlrd

    size = path.stat().st_size
    if size > MAX_BYTES:
        raise SheetError(
            f"{path}: has {size >> 20} MB, more than the {MAX_BYTES >> 20} MB that are read; keep "
            "only the columns of coins and dies"
        )
    try:
        with xlrd.open_workbook(
            path, formatting_info=True, on_demand=True, ragged_rows=True, logfile=io.StringIO()
        ) as book:
            tables = []
            for place, name in enumerate(book.sheet_names()):
                if only is None or only == name:
                    sheet = book.sheet_by_index(place)
                    table = _table(path, book, sheet, most_rows)
                    if table.rows:
                        tables.append(table)
                    book.unload_sheet(place)
            return tables
    except (SheetError, OSError, MemoryError):
        raise
    # A damaged workbook makes the reader raise nearly anything.
    except Exception as error:
        told = str(error)
        # (A workbook of today's format with a password lies in such a file too.)
        password = "ncrypted" in told or "password" in told or _ENCRYPTED in path.read_bytes()
        told = "has a password" if password else "cannot be read as a workbook of the old format"
        raise SheetError(
            f"{path}: {told} ({' '.join(str(error).split())[:80]}); open it in a spreadsheet "
            "program and save it as .xlsx or .csv"
        ) from error


def _table(path: Path, book: Any, sheet: Any, most_rows: int) -> Table:
    raw: dict[int, RawRow] = {}
    for place in range(min(sheet.nrows, most_rows)):
        row = RawRow([])
        for column, cell in enumerate(sheet.row(place)[:MAX_COLUMNS]):
            value = _value(book, cell)
            shown_as = book.format_map[book.xf_list[cell.xf_index].format_key].format_str
            row.cells.append(as_text(value, shown_as))
            if is_date(value):
                row.dates.add(column)
        if any(row.cells):
            raw[place + 1] = row
    hidden = {place + 1 for place, info in sheet.rowinfo_map.items() if info.hidden}
    warnings: list[str] = []
    areas = [(top + 1, left, bottom, right - 1) for top, bottom, left, right in sheet.merged_cells]
    fill_merged(path, raw, areas, warnings)
    rows = raw_rows_of(path, raw, frozenset(hidden), warnings)
    return Table(path, rows, tuple(warnings), sheet.name, sheet.visibility != 0)


def _value(book: Any, cell: Any) -> Any:
    import xlrd

    if cell.ctype == xlrd.XL_CELL_DATE:
        try:
            return xlrd.xldate_as_datetime(cell.value, book.datemode)
        except (ValueError, OverflowError):
            return datetime.date.min
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return bool(cell.value)
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return xlrd.error_text_from_code.get(cell.value, "#N/A")
    return "" if cell.value is None else cell.value
