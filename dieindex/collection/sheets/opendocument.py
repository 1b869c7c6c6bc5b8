"""Read the cells of an .ods workbook (OpenDocument: LibreOffice and others) as text, bounded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from dieindex.collection.sheets.archives import bounded_archive
from dieindex.collection.sheets.cell_values import as_text
from dieindex.collection.sheets.raw_rows import (
    MAX_COLUMNS,
    MAX_ROWS,
    Areas,
    RawRow,
    Table,
    fill_merged,
    raw_rows_of,
)
from dieindex.errors import SheetError

_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_MAX_REPEATED = 10_000
"""Rows that may be repetitions of others, of those that hold anything: a bomb says a million."""
_HIDDEN = ("collapse", "filter")


def read_opendocument(
    path: Path, most_rows: int = MAX_ROWS, only: str | None = None
) -> list[Table]:
    """Every sheet that holds anything, or the one called ``only``; see ``read_workbook``."""
    with bounded_archive(path) as archive:
        try:
            with archive.open("content.xml") as content:
                return list(_tables(path, content, most_rows, only))
        except SheetError:
            raise
        # A damaged archive makes its reader raise nearly anything.
        except Exception as error:
            raise SheetError(
                f"{path}: cannot be read as a workbook ({' '.join(str(error).split())[:80]}); open "
                "it in a spreadsheet program and save it anew, or as .csv"
            ) from error


def _tables(path: Path, content: IO[bytes], most_rows: int, only: str | None) -> Iterator[Table]:
    hidden_styles: set[str] = set()
    name = ""
    number = 0
    table_hidden = False
    raw: dict[int, RawRow] = {}
    hidden: set[int] = set()
    areas: Areas = []
    inside = 0
    style, expanded = "", 0
    for event, element in ElementTree.iterparse(content, events=("start", "end")):
        tag = element.tag
        if event == "start":
            if tag == f"{_STYLE}style":
                style = element.get(f"{_STYLE}name", "")
            elif tag == f"{_STYLE}table-properties":
                if element.get(f"{_TABLE}display") == "false":
                    hidden_styles.add(style)
            elif tag == f"{_TABLE}table":
                inside += 1
                if inside == 1:
                    name, number, raw, hidden = element.get(f"{_TABLE}name", ""), 0, {}, set()
                    areas = []
                    table_hidden = element.get(f"{_TABLE}style-name") in hidden_styles
            continue
        if tag == f"{_TABLE}table-row" and inside == 1:
            repeated = _count(element, "number-rows-repeated")
            row = _row(element, number + 1, areas)
            # (Sheets end in a million blank rows, given as one row repeated.)
            times = repeated if any(row.cells) else 0
            expanded += times - 1 if times else 0
            if expanded > _MAX_REPEATED:
                raise SheetError(
                    f"{path}: repeats row {number + 1} {times} times; keep only the rows of coins"
                )
            if number < most_rows:
                for each in range(number + 1, number + 1 + min(times, most_rows - number)):
                    raw[each] = RawRow(list(row.cells), set(row.dates))
                    if element.get(f"{_TABLE}visibility") in _HIDDEN:
                        hidden.add(each)
            if len(raw) > MAX_ROWS:
                raise SheetError(f"{path}: has more than the {MAX_ROWS} rows that are read")
            number += repeated
            element.clear()
        elif tag == f"{_TABLE}table":
            inside -= 1
            warnings: list[str] = []
            if inside == 0 and raw and (only is None or only == name):
                fill_merged(path, raw, areas, warnings)
                rows = raw_rows_of(path, raw, frozenset(hidden), warnings)
                yield Table(path, rows, tuple(warnings), name, table_hidden)
            element.clear()


def _count(element: Element, attribute: str) -> int:
    return max(int(element.get(f"{_TABLE}{attribute}", "1")), 1)


def _row(element: Element, number: int, areas: Areas) -> RawRow:
    row = RawRow([])
    for cell in element:
        if cell.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            continue
        repeated = min(_count(cell, "number-columns-repeated"), MAX_COLUMNS - len(row.cells))
        text = _text(cell)
        spanned = _count(cell, "number-rows-spanned")
        if text and spanned > 1:
            areas.append((number, len(row.cells), number + spanned - 1, len(row.cells)))
        if text and cell.get(f"{_OFFICE}value-type") in ("date", "time"):
            row.dates |= set(range(len(row.cells), len(row.cells) + repeated))
        row.cells += [text] * repeated
    return row


def _text(cell: Element) -> str:
    kind = cell.get(f"{_OFFICE}value-type", "string")
    paragraphs = ["".join(part.itertext()) for part in cell if part.tag == f"{_TEXT}p"]
    shown = "\n".join(paragraphs).strip()
    if kind == "date":
        return cell.get(f"{_OFFICE}date-value", shown).removesuffix("T00:00:00")
    if kind == "float":
        # A number that its format makes a name (O1) is read as it is shown, any other by value.
        value = as_text(float(cell.get(f"{_OFFICE}value", "nan")))
        plain = shown.lstrip("0") or "0"
        named = shown[:1].isalpha() or (plain == value and shown != value)
        return shown if named and not value.startswith("-") and "." not in value else value
    return shown
