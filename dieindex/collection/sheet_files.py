"""Which file is a collection's sheet, and which tables dieindex wrote itself."""

from __future__ import annotations

import difflib
import re
import zipfile
from pathlib import Path

from dieindex.collection.tables import decode_text
from dieindex.collection.workbooks import WORKBOOK_SUFFIXES, first_row
from dieindex.errors import SheetError
from dieindex.text import Parameter, natural_key

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
SHEET_SUFFIXES = frozenset({".xlsx", ".csv"})


def find_sheet(folder: Path, labels: Path | None = None) -> Path | None:
    """The sheet of the collection in ``folder``, or None.

    ``labels`` where given; else the one .xlsx or .csv at the top of the folder, or, where the
    folder is itself called ``images``, beside it. dieindex's own output, hidden files, lock files,
    ``overrides.csv`` and ``truth.csv`` are passed over.

    Raises SheetError: several candidates, ``labels`` missing or dieindex's own output.
    """
    if labels is not None:
        labels = Path(labels)
        if not labels.is_file():
            near = difflib.get_close_matches(labels.name, _names_in(labels.parent), n=3, cutoff=0.5)
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
    candidates = _candidates(folder)
    if not candidates and folder.resolve().name.casefold() == "images":
        candidates = _candidates(folder.resolve().parent)
    if len(candidates) > 1:
        raise SheetError(
            f"{folder}: several files could be the sheet of coins and dies: "
            f"{', '.join(path.name for path in candidates[:6])}; say which with ",
            Parameter("labels", "FILE"),
        )
    return candidates[0] if candidates else None


def _names_in(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:
        return []


def _candidates(folder: Path) -> list[Path]:
    found = [
        folder / name
        for name in _names_in(folder)
        if Path(name).suffix.lower() in SHEET_SUFFIXES
        and not name.startswith((".", "~$"))
        and name.casefold() not in NEVER_SHEETS
    ]
    found.sort(key=lambda path: natural_key(path.name))
    return [path for path in found if path.is_file() and not is_own_output(path)]


def is_own_output(path: Path) -> bool:
    """Whether dieindex itself wrote the table at ``path``: its mark, or the header of a result or
    of verdicts."""
    try:
        if path.suffix.lower() in WORKBOOK_SUFFIXES:
            known = (CLUSTER_HEADER, VERDICT_HEADER)
            return _workbook_is_marked(path) or first_row(path)[:4] in known
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


def _workbook_is_marked(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive, archive.open("docProps/core.xml") as part:
            return OUTPUT_MARK.encode() in part.read(65_536)
    except (zipfile.BadZipFile, KeyError, RuntimeError, NotImplementedError, ValueError):
        return False
