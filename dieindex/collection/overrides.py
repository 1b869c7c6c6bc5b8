"""A person's corrections of what the machine found, from ``overrides.csv`` in the folder."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from dieindex.collection.names import side_of_word, tidy
from dieindex.collection.sheets.raw_rows import Row
from dieindex.collection.sheets.tables import WrittenTable, read_lines, read_rows
from dieindex.errors import SheetError
from dieindex.files import write_text
from dieindex.records import Circle, Doubt, Override, Side
from dieindex.text import as_typed, csv_lines, harmless

OVERRIDES_FILE = "overrides.csv"
OVERRIDES_HEADER = ("file", "side", "x", "y", "radius", "rotate", "swap", "skip")

_YES = frozenset({"1", "1.0", "yes", "y", "true", "x", "ja", "j", "oui", "si", "sì", "sí"})
_NO = frozenset({"", "0", "0.0", "no", "n", "false", "nein", "non", "-"})


def read_overrides(folder: Path | str) -> tuple[list[Override], list[Doubt]]:
    """The corrections in ``overrides.csv`` of ``folder``; none where there is no such file.

    Columns ``file,side,x,y,radius,rotate,swap,skip`` in any order, of which all but ``file`` may be
    missing and every cell but the file's blank; pixels of the upright file, degrees counter-
    clockwise. Rows that change nothing, and columns of other names, become doubts.

    Raises SheetError naming file and row: no column ``file``, a number or side that is none,
    a circle of which only a part is given.
    """
    path = Path(folder) / OVERRIDES_FILE
    if not path.is_file():
        return [], []
    table = read_rows(path)
    rows = [row for row in table.rows if not row.cells[0].startswith("#")]
    doubts = [Doubt("overrides", message, (path.name,)) for message in table.warnings]
    if not rows:
        return [], doubts
    places = _places(rows[0].cells)
    if "file" not in places:
        raise SheetError(
            f"{path}: has no column “file” (found: {', '.join(places)}); its first row must be "
            f"{','.join(OVERRIDES_HEADER)}"
        )
    odd = sorted(places.keys() - set(OVERRIDES_HEADER))
    if odd:
        message = (
            f"{path.name}: columns not known are passed over: {', '.join(odd)} (known are "
            f"{', '.join(OVERRIDES_HEADER)})"
        )
        doubts.append(Doubt("overrides", message, (path.name,)))
    overrides = []
    for row in rows[1:]:
        override = _override(path, row, places)
        empty = override.circle is None and override.rotate is None
        if not override.file or (empty and not override.swap and not override.skip):
            what = "names no file" if not override.file else f"changes nothing of {override.file}"
            message = f"{path.name}: row {row.number} {what} and is passed over"
            doubts.append(Doubt("overrides", message, (path.name,)))
            continue
        overrides.append(override)
    return overrides, doubts


def _override(path: Path, row: Row, places: dict[str, int]) -> Override:
    def cell(name: str) -> str:
        place = places.get(name, len(row.cells))
        return row.cells[place] if place < len(row.cells) else ""

    def number(name: str) -> float | None:
        text = cell(name)
        if text in ("", "-"):
            return None
        try:
            value = float(text.replace(",", ".") if text.count(",") == 1 else text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise SheetError(f"{path}: row {row.number}: {name} is no number: {text!r}")
        return value

    def flag(name: str) -> bool:
        text = cell(name).casefold()
        if text not in _YES | _NO:
            raise SheetError(f"{path}: row {row.number}: {name} must be 1 or blank, not {text!r}")
        return text in _YES

    values = [number(name) for name in ("x", "y", "radius")]
    x, y, radius = values
    circle = None
    if x is not None and y is not None and radius is not None:
        if radius <= 0:
            raise SheetError(f"{path}: row {row.number}: radius must be above 0, not {radius:g}")
        circle = Circle(x, y, radius)
    elif values != [None, None, None]:
        raise SheetError(
            f"{path}: row {row.number}: a flan needs x, y and radius together; give all or none"
        )
    return Override(
        file=_file(cell("file")),
        side=_side(path, row, cell("side")),
        circle=circle,
        rotate=number("rotate"),
        swap=flag("swap"),
        skip=flag("skip"),
    )


def _side(path: Path, row: Row, text: str) -> Side | None:
    side = side_of_word(text)
    if side is None and text not in ("", "-", "?"):
        raise SheetError(
            f"{path}: row {row.number}: side must be obverse, reverse or blank, not {text!r}"
        )
    return side


def put_overrides(folder: Path, corrections: Iterable[Override]) -> None:
    """Write corrections into ``overrides.csv`` of ``folder``, each in the place of earlier ones of
    the same file and side. Every other line stays as it is, and columns keep their order.

    A correction that changes nothing takes the earlier ones away. Raises SheetError where the file
    there cannot be read, DieIndexError where it cannot be written.
    """
    path = Path(folder) / OVERRIDES_FILE
    given = list(corrections)
    replaced = {(_name(each.file), each.side) for each in given}
    read_overrides(folder)  # (Raises for what is no table of corrections.)
    table = read_lines(path) if path.is_file() else WrittenTable()
    header: list[str] = []
    places: dict[str, int] = {}
    kept: list[str] = []
    for line, cells in table.lines:
        if not any(cells) or cells[0].startswith("#"):
            kept.append(line)
        elif not header:
            header = list(cells)
            missing = [name for name in OVERRIDES_HEADER if name not in _places(header)]
            header += missing
            places = _places(header)
            more = "".join(table.delimiter + name for name in missing)
            kept.append(line.rstrip("\r\n") + more + table.newline)
        elif _named(cells, places) not in replaced:
            kept.append(line)
    if kept and not kept[-1].endswith(("\r", "\n")):
        kept[-1] += table.newline
    rows: list[list[str]] = []
    if not header:
        header = [*OVERRIDES_HEADER]
        rows.append(header)
    rows += [_cells(each, header) for each in given if _says_anything(each)]
    added = csv_lines(rows, table.delimiter, table.newline)
    write_text(path, table.mark + "".join([*kept, *added]))


def _places(header: Sequence[str]) -> dict[str, int]:
    return {tidy(name).casefold(): place for place, name in enumerate(header) if name}


def _named(cells: Sequence[str], places: dict[str, int]) -> tuple[str, Side | None]:
    def cell(name: str) -> str:
        place = places.get(name, len(cells))
        return cells[place] if place < len(cells) else ""

    return _file(cell("file")), side_of_word(cell("side"))


def _file(cell: str) -> str:
    return _name(as_typed(cell))


def _name(file: str) -> str:
    return tidy(file).replace("\\", "/").removeprefix("./")


def _says_anything(correction: Override) -> bool:
    turned = correction.rotate is not None
    return correction.circle is not None or turned or correction.swap or correction.skip


def _cells(correction: Override, header: list[str]) -> list[str]:
    circle = correction.circle
    values = {
        # (A line that begins with # is a remark.)
        "file": harmless("./" * correction.file.startswith("#") + correction.file),
        "side": correction.side or "",
        "x": "" if circle is None else f"{circle.x:.1f}",
        "y": "" if circle is None else f"{circle.y:.1f}",
        "radius": "" if circle is None else f"{circle.radius:.1f}",
        "rotate": "" if correction.rotate is None else f"{correction.rotate:g}",
        "swap": "1" if correction.swap else "",
        "skip": "1" if correction.skip else "",
    }
    return [values.get(tidy(name).casefold(), "") for name in header]
