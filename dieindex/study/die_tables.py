"""Tables of dies as a CSV and as a workbook, marked as dieindex's own output."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dieindex.collection.sheets.files import OUTPUT_MARK
from dieindex.outputs import NOTHING_READ, Sources, write_text_output, written_output
from dieindex.text import csv_text

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

Cell = str | int | float | None

DIE_COLUMNS = ("coin", "side", "die", "certainty")
MOST_LETTERS = 32_000
"""Letters that a cell of a spreadsheet can hold, about."""
_WRAPPED_FROM = 40
"""Width in letters from which a column's text is wrapped."""
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def write_die_table(
    rows: Sequence[tuple[str, str, str, float]],
    path: Path,
    *,
    force: bool = False,
    sources: Sources = NOTHING_READ,
) -> None:
    """Write ``coin,side,die,certainty`` rows as a CSV.

    By its header it is recognised as dieindex's own output and never read as a sheet of labels.
    Raises as ``outputs.check_output``.
    """
    cells = ((coin, side, die, f"{value:.4f}") for coin, side, die, value in rows)
    text = csv_text([DIE_COLUMNS, *cells])
    write_text_output(path, text, (".csv",), force=force, sources=sources)


@dataclass(frozen=True)
class Page:
    """One sheet of a workbook: its title, column headings with widths in letters, and rows of text,
    numbers and None. ``percent`` names the columns whose numbers 0…1 are shown as per cent."""

    title: str
    columns: Sequence[tuple[str, int]]
    rows: Sequence[Sequence[Cell]]
    percent: frozenset[str] = frozenset()


def write_die_workbook(
    pages: Sequence[Page],
    path: Path,
    *,
    force: bool = False,
    sources: Sources = NOTHING_READ,
) -> None:
    """Write a workbook of dies, marked as dieindex's own output, with filters and frozen headings.

    Text stays text, whatever it looks like. Raises as ``outputs.check_output``.
    """
    from openpyxl import Workbook

    book = Workbook()
    book.properties.creator = "dieindex"
    book.properties.keywords = OUTPUT_MARK
    book.remove(book.active)
    for page in pages:
        _write_page(book.create_sheet(page.title), page)
    with written_output(path, (".xlsx",), force=force, sources=sources) as temporary:
        book.save(temporary)


def _write_page(sheet: Worksheet, page: Page) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    sheet.append([name for name, _ in page.columns])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", start_color="E8E4D8")
        cell.alignment = Alignment(vertical="top", wrap_text=True)
    for number, row in enumerate(page.rows, 2):
        for column, (value, (name, width)) in enumerate(zip(row, page.columns, strict=True), 1):
            if value is None:
                continue
            cell = sheet.cell(number, column)
            if isinstance(value, str):
                # A name such as "=1+1" is text, never a formula.
                cell.value = _NOT_IN_XML.sub(" ", value)[:MOST_LETTERS]
                cell.data_type = "s"
                if width >= _WRAPPED_FROM:
                    cell.alignment = Alignment(vertical="top", wrap_text=True)
            else:
                cell.value = round(value, 4) if isinstance(value, float) else value
                cell.number_format = "0 %" if name in page.percent else "General"
                cell.alignment = Alignment(vertical="top")
    sheet.freeze_panes = "A2"
    last = get_column_letter(len(page.columns))
    sheet.auto_filter.ref = f"A1:{last}{max(len(page.rows), 1) + 1}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = "1:1"
    for column, (_, width) in enumerate(page.columns, 1):
        sheet.column_dimensions[get_column_letter(column)].width = width
