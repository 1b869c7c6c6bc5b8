"""Rows of a table as text, whatever file they come from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dieindex.errors import SheetError

MAX_ROWS = 1_500_000
MAX_COLUMNS = 200
MAX_LETTERS = 32_767
"""Longest cell that is read, the spreadsheet programs' own limit; what is longer is cut."""
_AS_TEXT = re.compile(r'^="([^"]*)"$')
_MAX_FILLED = 2_000_000

Areas = list[tuple[int, int, int, int]]
"""Merged areas: first row, first column, last row, last column; rows from 1, columns from 0."""


@dataclass(frozen=True)
class Row:
    """One row that is not blank: its number in the file, from 1, and its trimmed cells.

    ``dates`` are the places of cells that the file holds as dates; ``hidden`` says that a
    spreadsheet program does not show the row.
    """

    number: int
    cells: tuple[str, ...]
    dates: frozenset[int] = frozenset()
    hidden: bool = False
    width: int = 0
    """Cells of a line of text, blank ones too."""


@dataclass(frozen=True)
class Table:
    """The rows of one file, or of one sheet of a workbook, with what a person should know about how
    they were read. ``sheet`` is the name of a workbook's sheet, empty for a file of text."""

    path: Path
    rows: tuple[Row, ...]
    warnings: tuple[str, ...] = ()
    sheet: str = ""
    hidden: bool = False


@dataclass
class RawRow:
    """A row as a reader of workbooks fills it in."""

    cells: list[str]
    dates: set[int] = field(default_factory=set)


def rows_of(
    path: Path, numbered: Iterable[tuple[int, Sequence[str]]], warnings: list[str]
) -> Iterator[Row]:
    """The rows that hold anything, trimmed. Raises SheetError where there are too many."""
    cut: list[int] = []
    beyond = 0
    for count, (number, cells) in enumerate(numbered, start=1):
        if count > MAX_ROWS:
            raise SheetError(f"{path}: has more than the {MAX_ROWS} rows that are read")
        trimmed = [cell.strip() for cell in cells[:MAX_COLUMNS]]
        if len(cells) > MAX_COLUMNS and any(cells[MAX_COLUMNS:]):
            beyond = max(beyond, len(cells))
        if any(cell.startswith('="') for cell in trimmed):  # how programs keep 1-2 from a date
            trimmed = [_AS_TEXT.sub(r"\1", cell) for cell in trimmed]
        while trimmed and not trimmed[-1]:
            trimmed.pop()
        if trimmed and max(map(len, trimmed)) > MAX_LETTERS:
            trimmed = [cell[:MAX_LETTERS] for cell in trimmed]
            cut.append(number)
        if trimmed:
            yield Row(number, tuple(trimmed), width=len(cells))
    if beyond:
        warnings.append(f"{path.name}: of its {beyond} columns the first {MAX_COLUMNS} are read")
    if cut:
        rows = ", ".join(map(str, cut[:6])) + (" …" if len(cut) > 6 else "")
        warnings.append(
            f"{path.name}: cells of more than {MAX_LETTERS} letters were cut (rows {rows})"
        )


def raw_rows_of(
    path: Path, raw: dict[int, RawRow], hidden: frozenset[int], warnings: list[str]
) -> tuple[Row, ...]:
    """The rows of a workbook's sheet, with their dates and whether they are hidden."""
    numbered = ((number, row.cells) for number, row in sorted(raw.items()))
    return tuple(
        Row(row.number, row.cells, frozenset(raw[row.number].dates), row.number in hidden)
        for row in rows_of(path, numbered, warnings)
    )


def fill_merged(path: Path, rows: dict[int, RawRow], areas: Areas, warnings: list[str]) -> None:
    """Repeat the value of cells merged downwards: one die beside three coins is each coin's die.

    Only in rows that hold something else; cells merged sideways keep their value in the first.
    """
    filled = []
    left_to_fill = _MAX_FILLED
    for top, left, bottom, _ in areas:
        known = rows[top].cells if top in rows else []
        value = known[left] if left < len(known) else ""
        if not value or bottom <= top:
            continue
        left_to_fill -= bottom - top
        if left_to_fill < 0:
            raise SheetError(f"{path}: merges too many cells to be read; unmerge them")
        for number in range(top + 1, bottom + 1):
            if number in rows:
                cells = rows[number].cells
                cells += [""] * (left + 1 - len(cells))
                cells[left] = value
        filled.append(f"rows {top} to {bottom} ({value[:20]})")
    if filled:
        more = f" and {len(filled) - 5} more" if len(filled) > 5 else ""
        warnings.append(
            f"{path.name}: merged cells were read as the same value in each of their rows: "
            f"{', '.join(filled[:5])}{more}; unmerge them if that is not meant"
        )
