"""Tables a person opens in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from dieindex.collection.writing import write_text, written_beside
from dieindex.errors import UsageError

DIE_COLUMNS = ("coin", "side", "die", "certainty")


def write_die_table(rows: Sequence[tuple[str, str, str, float]], path: Path) -> None:
    """Write ``coin,side,die,certainty`` rows to a .csv or .xlsx file.

    Both are recognised as dieindex's own output and never read as a sheet of labels: the CSV by
    its header, the workbook by its properties. Raises UsageError for another suffix.
    """
    suffix = path.suffix.lower()
    if suffix == ".csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(DIE_COLUMNS)
        writer.writerows((coin, side, die, f"{value:.4f}") for coin, side, die, value in rows)
        write_text(path, text.getvalue())
    elif suffix == ".xlsx":
        _write_workbook(rows, path)
    else:
        raise UsageError(f"{path}: write to a .csv or .xlsx file.")


def _write_workbook(rows: Sequence[tuple[str, str, str, float]], path: Path) -> None:
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    from dieindex.collection.sheets import OUTPUT_MARK

    book = Workbook()
    book.properties.creator = "dieindex"
    book.properties.keywords = OUTPUT_MARK
    sheet = book.active
    sheet.title = "dies"
    sheet.append(DIE_COLUMNS)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for number, row in enumerate(rows, 2):
        for column, text in enumerate(row[:3], 1):
            # A name such as "=1+1" is text, never a formula.
            sheet.cell(number, column, text).data_type = "s"
        sheet.cell(number, 4, round(row[3], 4))
    sheet.freeze_panes = "A2"
    for column, width in enumerate((16, 12, 10, 12), 1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    with written_beside(path) as temporary:
        book.save(temporary)
