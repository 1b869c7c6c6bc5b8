"""Rows of a table as text, whatever file they come from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dieindex.errors import SheetError

MAX_ROWS = 1_500_000
MAX_COLUMNS = 200


@dataclass(frozen=True)
class Row:
    """One row that is not blank: its number in the file, from 1, and its trimmed cells."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """The rows of one file, with what a person should know about how they were read."""

    path: Path
    rows: tuple[Row, ...]
    warnings: tuple[str, ...] = ()


def rows_of(path: Path, numbered: Iterable[tuple[int, Sequence[str]]]) -> Iterator[Row]:
    for count, (number, cells) in enumerate(numbered, start=1):
        if count > MAX_ROWS:
            raise SheetError(f"{path}: has more than the {MAX_ROWS} rows that are read")
        trimmed = [cell.strip() for cell in cells[:MAX_COLUMNS]]
        while trimmed and not trimmed[-1]:
            trimmed.pop()
        if trimmed:
            yield Row(number, tuple(trimmed))
