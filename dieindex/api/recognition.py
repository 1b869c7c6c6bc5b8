"""What a folder would be read as, before anything is built of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dieindex.api.arguments import checked_path, path_or_none, side_or_none
from dieindex.collection.layout import read_collection
from dieindex.collection.sheets.files import find_sheet, tables_of_folder
from dieindex.collection.sheets.options import Columns, sheet_options
from dieindex.collection.sheets.tables import read_tables
from dieindex.errors import SheetError
from dieindex.records import PathLike, SheetReading, Side
from dieindex.storage.folder import default_index_folder
from dieindex.storage.schema import CATALOGUE_NAME

SHOWN_ROWS = 12
"""Rows of a sheet that are shown."""


@dataclass(frozen=True)
class SheetGlance:
    """The first rows of a table as they stand, of the sheets of a workbook by name ("" for a file
    of text)."""

    file: Path
    sheets: Mapping[str, tuple[tuple[str, ...], ...]]


@dataclass(frozen=True)
class Recognition:
    """What a folder would be read as.

    ``pictures`` counts them by what is known of what they show: a side, or "to be seen" (both
    sides, or one; that is decided by looking). ``glance`` is the sheet as it stands, ``reading``
    how it was read, ``problem`` why it was not; ``tables`` are files that could be a sheet.
    ``doubts`` is what a person should look at. ``index`` is where its index would be, and ``built``
    whether there is one already.
    """

    data: Path
    pictures: Mapping[str, int]
    coins: int
    examples: tuple[tuple[str, str], ...]
    """Files with the coins they show, a few."""
    glance: SheetGlance | None
    reading: SheetReading | None
    problem: str | None
    tables: tuple[Path, ...]
    doubts: tuple[str, ...]
    index: Path
    built: bool


def recognise(
    data: PathLike,
    *,
    labels: PathLike | Literal[False] | None = None,
    columns: Columns = None,
    sheet: str | None = None,
    side: Side | None = None,
) -> Recognition:
    """What ``build`` would read a folder as; its arguments are those of ``build``.

    Raises CollectionError where there is no folder, or no photograph in it. What is wrong with a
    sheet is told.
    """
    folder, side = checked_path(data, "data"), side_or_none(side)
    options = sheet_options(columns, sheet)
    named = path_or_none(labels or None, "labels")
    problem = None
    try:
        collection = read_collection(folder, False if labels is False else named, side, options)
    except SheetError as error:
        problem = str(error)
        collection = read_collection(folder, False, side)
    place = collection.sheet
    if problem is not None:
        place = _meant(folder, named)
    index = default_index_folder(folder)
    shows = Counter("to be seen" if each.side is None else each.side for each in collection)
    photographs = list(collection)
    return Recognition(
        folder.resolve(),
        dict(shows),
        len({each.coin for each in photographs}),
        tuple((each.file, each.coin) for each in photographs[:6]),
        None if place is None else _glance(place),
        collection.reading,
        problem,
        tuple(tables_of_folder(folder)),
        tuple(doubt.message for doubt in collection.doubts),
        index,
        (index / CATALOGUE_NAME).is_file(),
    )


def _meant(folder: Path, labels: Path | None) -> Path | None:
    """The sheet that could not be read."""
    try:
        return find_sheet(folder, labels)
    except SheetError:
        return None


def _glance(path: Path) -> SheetGlance | None:
    try:
        tables = read_tables(path, most_rows=SHOWN_ROWS)
    except SheetError:
        return None
    return SheetGlance(
        path, {table.sheet: tuple(row.cells for row in table.rows) for table in tables}
    )
