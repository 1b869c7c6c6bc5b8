"""Understand the columns of a sheet: coins, dies, files and sides."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from dieindex.collection.columns import BARE, Column, Role, header_columns
from dieindex.collection.names import listed, loose_form, read_names, side_of_word, tidy
from dieindex.collection.rows import Row, Table
from dieindex.collection.tables import read_rows
from dieindex.errors import SheetError
from dieindex.records import OBVERSE, REVERSE, SIDES, Doubt, Side
from dieindex.text import Message, Parameter

EXPECTED = Message(
    "expected are a column for the coin (coin, no, id or file) and at least one of obverse and "
    "reverse; rename the columns, or give another sheet with ",
    Parameter("labels", "FILE"),
)


@dataclass(frozen=True)
class SheetRow:
    """One row of a sheet. ``coin`` is empty where only a file names the photograph."""

    number: int
    coin: str
    dies: Mapping[Side, str] = field(default_factory=dict)
    files: tuple[tuple[str, Side | None], ...] = ()
    """Files the row names, with the side that its column (``obverse image``) states."""
    side: Side | None = None
    """From the sheet's column ``side``."""
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sheet:
    """A sheet as it was understood.

    ``sides`` are those whose dies it can name (it has a column for them), ``side_of_die`` says that
    its column ``side`` belongs to a column ``die`` and not to a photograph.
    """

    path: Path
    rows: tuple[SheetRow, ...]
    sides: tuple[Side, ...] = ()
    side_of_die: bool = False
    doubts: tuple[Doubt, ...] = ()


# --- cells -------------------------------------------------------------------------------------

_UNKNOWN_WORDS = frozenset(
    {"n/a", "#n/a", "nan", "none", "null", "unknown", "unbekannt", "inconnu", "unidentified"}
)
_ERROR_CELLS = frozenset({"#ref!", "#name?", "#value!", "#div/0!", "#null!", "#num!"})


def is_unknown(cell: str) -> bool:
    """Whether a die's cell says that the die is not known: empty, ``?``, ``-`` and the like."""
    text = cell.strip().casefold()
    return not text.strip("?-‐‑‒–—−") or text in _UNKNOWN_WORDS or text in _ERROR_CELLS


# --- reading -----------------------------------------------------------------------------------


def read_sheet(path: Path | str) -> Sheet:
    """Read the sheet at ``path``: .xlsx, or .csv/.txt of any usual delimiter and encoding.

    With a header in one of several languages, or without (coin, obverse die, reverse die).
    Raises SheetError naming the file: unreadable, no coins, columns missing.
    """
    path = Path(path)
    table = read_rows(path)
    doubts = [Doubt("sheet", message, (path.name,)) for message in table.warnings]
    table = replace(table, rows=tuple(r for r in table.rows if not r.cells[0].startswith("# ")))
    if not table.rows:
        raise SheetError(f"{path}: holds no rows; ", EXPECTED)
    columns, body = _find_header(table, doubts)
    width = max((len(row.cells) for row in body), default=0)
    columns += [Column(place, "", None) for place in range(len(columns), width)]
    roles = _choose(path, columns, doubts)
    rows = tuple(_rows(path, roles, columns, body, doubts))
    named = roles.dies.keys() | {side for row in rows for side in row.dies}
    sides = tuple(side for side in SIDES if side in named)
    doubts += _die_doubts(path, rows, roles)
    return Sheet(path, rows, sides, roles.side is not None and roles.die is not None, tuple(doubts))


def _find_header(table: Table, doubts: list[Doubt]) -> tuple[list[Column], Sequence[Row]]:
    best, best_known, columns = -1, 0, None
    for place, row in enumerate(islice(table.rows, 10)):
        found = header_columns(row.cells)
        known = sum(column.role is not None for column in found or ())
        if found is not None and known > best_known:  # a header of two rows: the finer one
            best, best_known, columns = place, known, found
    above = table.rows[: max(best, 0)]
    # Rows above a header are a title or a comment; rows of data are not.
    if columns is None or any(any(map(_is_number, title.cells)) for title in above):
        return _without_header(table)
    if above:
        name, number = table.path.name, table.rows[best].number
        message = f"{name}: the rows above the header (row {number}) are passed over"
        doubts.append(Doubt("sheet", message, (name,)))
    return columns, table.rows[best + 1 :]


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"[\d.,]+", cell) is not None


def _without_header(table: Table) -> tuple[list[Column], Sequence[Row]]:
    """The columns of a sheet such as ``1 O1 R1``."""
    rows = table.rows
    width = max(len(row.cells) for row in rows)
    numbered = [any(letter.isdigit() for letter in row.cells[0]) for row in rows]
    first_is_odd = len(rows) > 1 and not numbered[0] and sum(numbered) >= 0.8 * (len(rows) - 1)
    if width < 2 or first_is_odd:
        found = ", ".join(cell for cell in rows[0].cells[:8] if cell)
        raise SheetError(
            f"{table.path}: its columns are not understood (found: {found}); ", EXPECTED
        )
    columns = [Column(0, "coin", "coin"), Column(1, "obverse", "die", OBVERSE)]
    if width > 2:
        columns.append(Column(2, "reverse", "die", REVERSE))
    elif all(row.cells[1][:1] in "Rr" for row in rows if len(row.cells) > 1 and row.cells[1]):
        columns[1] = Column(1, "reverse", "die", REVERSE)
    columns += [Column(place, f"column {place + 1}", None) for place in range(3, width)]
    return columns, rows


@dataclass(frozen=True)
class _Roles:
    """The column that serves each purpose, where there is one."""

    coin: Column | None
    dies: Mapping[Side, Column]
    die: Column | None
    files: tuple[Column, ...]
    side: Column | None


def _choose(path: Path, columns: Sequence[Column], doubts: list[Doubt]) -> _Roles:
    # A letter alone (A may be an axis) names a side only beside its counterpart.
    bare_sides = {c.side for c in columns if c.role == "die" and c.rank == BARE}
    bare_pair = len(bare_sides) == 2

    def best(role: Role, side: Side | None) -> Column | None:
        fitting = [c for c in columns if c.role == role and c.side == side]
        fitting.sort(key=lambda column: column.rank)
        if role == "die" and fitting and fitting[0].rank == BARE and not bare_pair:
            return None
        if len(fitting) > 1 and fitting[0].rank == fitting[1].rank:
            names = ", ".join(column.name for column in fitting)
            message = (
                f"{path.name}: several columns could be the {side or role} ({names}); "
                f"{fitting[0].name} is used"
            )
            doubts.append(Doubt("sheet", message, (path.name,)))
        return fitting[0] if fitting else None

    coin = best("coin", None)
    dies = {side: column for side in SIDES if (column := best("die", side))}
    files = tuple(column for column in columns if column.role == "file")
    side, die = best("side", None), None if dies else best("die", None)
    found = ", ".join(column.name for column in columns if column.name) or "nothing"
    if coin is None and not files:
        raise SheetError(f"{path}: has no column for the coin (found: {found}); ", EXPECTED)
    if not dies and die is None and not (files and (coin or side)) and side is None:
        raise SheetError(f"{path}: has no column for the dies (found: {found}); ", EXPECTED)
    return _Roles(coin, dies, die, files, side)


def _rows(
    path: Path,
    roles: _Roles,
    columns: Sequence[Column],
    body: Sequence[Row],
    doubts: list[Doubt],
) -> Iterator[SheetRow]:
    used = {c.place for c in (roles.coin, roles.die, roles.side, *roles.files) if c}
    used |= {column.place for column in roles.dies.values()}
    names = _unique_names(columns)
    nameless, odd_sides = [], []
    name_sides = _sides_of_die_column(roles, body)
    for place, row in enumerate(body):
        coin = tidy(_cell(row, roles.coin))
        files = tuple(
            (name.replace("\\", "/"), column.side)
            for column in roles.files
            if (name := tidy(_cell(row, column)))
        )
        if is_unknown(coin):
            coin = ""
        if not coin and not files:
            nameless.append(row.number)
            continue
        stated = _cell(row, roles.side)
        side = side_of_word(stated)
        if stated and side is None and not is_unknown(stated):
            odd_sides.append(f"row {row.number} ({stated})")
        dies = {s: tidy(_cell(row, column)) for s, column in roles.dies.items()}
        if roles.die is not None:
            dies[side or name_sides[place] or OBVERSE] = tidy(_cell(row, roles.die))
        yield SheetRow(
            number=row.number,
            coin=coin,
            dies={s: die for s, die in dies.items() if not is_unknown(die)},
            files=files,
            side=side,
            columns={
                names[at]: cell
                for at, cell in enumerate(row.cells)
                if at not in used and at in names
            },
        )
    if nameless:
        message = f"{path.name}: rows without a coin are passed over: {listed(nameless)}"
        doubts.append(Doubt("sheet", message, (path.name,)))
    if odd_sides:
        message = f"{path.name}: not understood as a side: {listed(odd_sides)}"
        doubts.append(Doubt("sheet", message, (path.name,)))
    if roles.die is not None and roles.side is None and not any(name_sides):
        message = (
            f"{path.name}: its column {roles.die.name} says no side and is taken for the obverse; "
            "call it obverse or reverse"
        )
        doubts.append(Doubt("sheet", message, (path.name,)))


def _sides_of_die_column(roles: _Roles, body: Sequence[Row]) -> list[Side | None]:
    """The side that each row's file name tells, for a sheet of columns ``file`` and ``die``."""
    if roles.die is None or not roles.files:
        return [None] * len(body)
    named = [_cell(row, roles.files[0]).replace("\\", "/") for row in body]
    return [name.side for name in read_names(named).files]


def _cell(row: Row, column: Column | None) -> str:
    return _cell_at(row, column.place) if column else ""


def _cell_at(row: Row, place: int) -> str:
    return row.cells[place] if place < len(row.cells) else ""


def _unique_names(columns: Sequence[Column]) -> dict[int, str]:
    names: dict[int, str] = {}
    for column in columns:
        name = column.name or f"column {column.place + 1}"
        while name in names.values():
            name += "_"
        names[column.place] = name
    return names


def _die_doubts(path: Path, rows: Sequence[SheetRow], roles: _Roles) -> Iterator[Doubt]:
    for side in SIDES:
        column = roles.dies.get(side)
        names = dict.fromkeys(row.dies[side] for row in rows if side in row.dies)
        if column is not None and not names:
            yield Doubt(
                "sheet",
                f"{path.name}: its column {column.name} names no die (where it holds formulas, "
                "open it in a spreadsheet program and save it once)",
                (path.name,),
            )
        alike: dict[str, list[str]] = defaultdict(list)
        for name in names:
            alike[loose_form(name)].append(name)
        for group in alike.values():
            if len(group) > 1:
                shown = " and ".join(f"“{name}”" for name in group)
                yield Doubt(
                    "die names alike",
                    f"{path.name}: {side} dies {shown} differ only in case or spacing and are kept "
                    "apart; write them the same way if they are one die",
                    (path.name,),
                )
        unsure = [name for name in names if name.endswith("?") and name.rstrip("? ") in names]
        if unsure:
            yield Doubt(
                "die names alike",
                f"{path.name}: {side} dies {listed(unsure)} are dies of their own beside those "
                "without the question mark; write “?” alone for an unknown die",
                (path.name,),
            )
