"""Which file is a collection's sheet, and which tables dieindex wrote itself."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from dieindex.collection.sheets.archives import part_of
from dieindex.collection.sheets.options import SheetOptions
from dieindex.collection.sheets.reading import read_sheet
from dieindex.collection.sheets.tables import UNREAD_TABLES, decode_text, read_tables
from dieindex.collection.sheets.workbooks import WORKBOOK_SUFFIXES
from dieindex.errors import SheetError
from dieindex.records import Doubt
from dieindex.text import Message, Parameter, natural_key, some_of

OUTPUT_MARK = "dieindex output"
"""What marks a file as written by dieindex: a workbook carries it in its keywords, a text table
with other columns than the known ones as its first line, after ``# ``."""
CLUSTER_HEADER = ("coin", "side", "die", "certainty")
PAIRS_HEADER = ("coin_a", "coin_b", "distance", "probability", "verdict")
VERDICT_HEADER = ("coin_a", "coin_b", "side", "verdict")
"""How a table of persons' verdicts begins, whoever wrote it: it names no coin's die."""
STUDY_HEADERS = (("side", "die", "coins"), ("coin", "catalogue_number"))
"""How the first lines of a study's tables of dies and of coins begin."""
NEVER_SHEETS = frozenset({"overrides.csv", "truth.csv"})
SHEET_SUFFIXES = frozenset({".xlsx", ".xlsm", ".xls", ".ods", ".csv", ".tsv", ".tab"})
PLAIN_TEXT = ".txt"
"""Mostly remarks: a sheet only where its columns say so and there is no other."""


def find_sheet(
    folder: Path,
    labels: Path | None = None,
    options: SheetOptions | None = None,
    doubts: list[Doubt] | None = None,
) -> Path | None:
    """The sheet of the collection in ``folder``, or None.

    ``labels`` where given; else the one table at the top of the folder, or, where the folder is
    itself called ``images``, beside it. dieindex's own output, hidden files, lock files,
    ``overrides.csv`` and ``truth.csv`` are passed over. Of several tables the only one with columns
    for coins and dies is taken; where there are more, none. ``doubts`` takes up what is to be told
    of tables that are not used.

    Raises SheetError: ``labels`` missing or dieindex's own output.
    """
    told = [] if doubts is None else doubts
    if labels is not None:
        labels = Path(labels)
        if not labels.is_file():
            tables = [path.name for path in _tables_in(labels.parent, SHEET_SUFFIXES)]
            near = difflib.get_close_matches(labels.name, tables, n=3, cutoff=0.5)
            hint = f"; there is {', '.join(near)}" if near else ""
            raise SheetError(
                f"{labels}: there is no such sheet (", Parameter("labels", "FILE"), f"){hint}"
            )
        if is_own_output(labels):
            raise SheetError(
                f"{labels}: was written by dieindex itself and cannot serve as labels; give the "
                "sheet of what is known with ",
                Parameter("labels", "FILE"),
            )
        return labels
    places = [folder]
    if folder.resolve().name.casefold() == "images":
        places.append(folder.resolve().parent)
    for place in places:
        found = _tables_in(place, SHEET_SUFFIXES)
        if len(found) > 1:
            return _only_fitting(found, options, told)
        if found:
            return found[0]
        texts = _tables_in(place, frozenset({PLAIN_TEXT}))
        fitting = [path for path in texts if _names_dies(path, options)]
        if fitting:
            return fitting[0] if len(fitting) == 1 else _only_fitting(fitting, options, told)
        unread = _tables_in(place, frozenset(UNREAD_TABLES))
        if unread:
            for path in unread:
                message = f"{path.name} {UNREAD_TABLES[path.suffix.lower()]}"
                told.append(Doubt("sheet not read", message, (path.name,)))
            return None
    return None


def _only_fitting(
    found: list[Path], options: SheetOptions | None, told: list[Doubt]
) -> Path | None:
    """The only table with columns for coins and dies; None where there is none, or several."""
    fitting = [path for path in found if _names_dies(path, options)]
    names = tuple(path.name for path in found)
    which = Message("say which with ", Parameter("labels", "FILE"))
    if len(fitting) == 1:
        others = some_of([name for name in names if name != fitting[0].name])
        message = Message(f"{fitting[0].name} is taken for the sheet, not {others}; ", which)
        told.append(Doubt("several sheets", message, names))
        return fitting[0]
    message = Message(
        "several files could be the sheet of coins and dies, so none is used: "
        f"{some_of([*names])}; ",
        which,
    )
    told.append(Doubt("several sheets", message, names))
    return None


def _names_dies(path: Path, options: SheetOptions | None) -> bool:
    try:
        return bool(read_sheet(path, options).sides)
    except SheetError:
        return False


def tables_of_folder(folder: Path) -> list[Path]:
    """Files at the top of a collection that could be its sheet, dieindex's own output left out."""
    return _tables_in(folder, SHEET_SUFFIXES | {PLAIN_TEXT})


def _names_in(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:
        return []


def _tables_in(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    found = [
        folder / name
        for name in _names_in(folder)
        if Path(name).suffix.lower() in suffixes
        and not name.startswith((".", "~$"))
        and name.casefold() not in NEVER_SHEETS
    ]
    found.sort(key=lambda path: natural_key(path.name))
    return [
        path
        for path in found
        # (What Numbers saves may be a folder.)
        if (path.is_file() or path.suffix.lower() in UNREAD_TABLES) and not is_own_output(path)
    ]


def is_own_output(path: Path) -> bool:
    """Whether dieindex itself wrote the table at ``path``: its mark, or the header of a result or
    of verdicts."""
    try:
        if path.suffix.lower() in WORKBOOK_SUFFIXES:
            known = (CLUSTER_HEADER, VERDICT_HEADER)
            return _workbook_is_marked(path) or _first_row(path)[:4] in known
        with path.open("rb") as stream:
            first = decode_text(stream.read(512), path).split("\n", 1)[0].strip()
    except (OSError, SheetError):
        return False
    if first.startswith("#") and first.lstrip("# ").startswith(OUTPUT_MARK):
        return True
    cells = tuple(cell.strip().strip('"') for cell in re.split(r"[,;\t|]", first))
    if any(cells[: len(header)] == header for header in (*STUDY_HEADERS, VERDICT_HEADER)):
        return True
    return cells in (CLUSTER_HEADER, PAIRS_HEADER)


def _first_row(path: Path) -> tuple[str, ...]:
    tables = read_tables(path, most_rows=1)
    return tables[0].rows[0].cells if tables and tables[0].rows else ()


def _workbook_is_marked(path: Path) -> bool:
    return OUTPUT_MARK.encode() in part_of(path, "docProps/core.xml", 65_536)
