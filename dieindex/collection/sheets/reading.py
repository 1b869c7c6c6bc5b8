"""Understand the columns of a sheet: coins, dies, files and sides."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from dieindex.collection.names import listed, read_names, side_of_word
from dieindex.collection.sheets.coin_cells import listed_coins, may_list
from dieindex.collection.sheets.column_content import label_of
from dieindex.collection.sheets.columns import Column
from dieindex.collection.sheets.die_cells import (
    halves,
    is_nameless,
    is_unknown,
    read_die_column,
    visible,
)
from dieindex.collection.sheets.doubts import coin_doubts, die_doubts
from dieindex.collection.sheets.filled_down import filled_down, with_specimens, without_dittos
from dieindex.collection.sheets.header import chosen_table, find_header
from dieindex.collection.sheets.options import SheetOptions
from dieindex.collection.sheets.passed_over import PassedOver, coins_alone, comments_and_hidden
from dieindex.collection.sheets.raw_rows import Row
from dieindex.collection.sheets.roles import EXPECTED, Roles, cells_of, choose_roles
from dieindex.collection.sheets.rows import Sheet, SheetRow
from dieindex.collection.sheets.vocabulary import LETTER_PAIRS, latin, side_of_words
from dieindex.errors import SheetError
from dieindex.records import OBVERSE, REVERSE, SIDES, Doubt, SheetReading, Side
from dieindex.text import some_of

_SHOWN = 40


# --- reading -----------------------------------------------------------------------------------


def read_sheet(
    path: Path | str, options: SheetOptions | None = None, dies_needed: bool = True
) -> Sheet:
    """Read the sheet at ``path``: a workbook, or text of any usual delimiter and encoding.

    With a header in one of several languages, or without (coin, obverse die, reverse die);
    ``options`` say which columns or which sheet of a workbook to take. ``reading`` tells what each
    column was taken for and which rows were passed over, ``doubts`` all that was not read as it
    stands. Raises SheetError naming the file: unreadable, no coins, columns missing (those of dies
    only where ``dies_needed``), or not to be told for sure.
    """
    path = Path(path)
    options = options or SheetOptions()
    doubts: list[Doubt] = []

    def tell(message: str) -> None:
        doubts.append(Doubt("sheet", message, (path.name,)))

    table = chosen_table(path, options, tell)
    for message in table.warnings:
        tell(message)
    passed = PassedOver()
    table = replace(table, rows=tuple(comments_and_hidden(table.rows, passed)))
    hidden = passed.rows.get("hidden")
    if hidden:
        rows_of = "row" if len(hidden) == 1 else "rows"
        tell(
            f"{path.name}: hidden rows are passed over ({rows_of} {listed(hidden)}); show them in "
            "the spreadsheet program if they count"
        )
    if not table.rows:
        raise SheetError(f"{path}: holds no rows; ", EXPECTED)
    columns, body, has_header = find_header(table, options, tell)
    width = max((len(row.cells) for row in body), default=0)
    columns += [Column(place, "", None) for place in range(len(columns), width)]
    body = coins_alone(path, body, columns, passed)
    roles = choose_roles(path, columns, body, options, doubts, dies_needed)
    dies = [column.place for column in roles.all_dies]
    coins = [column.place for column in roles.coin]
    body, dittos = without_dittos(body, [*dies, *coins])
    if dittos:
        tell(f"{path.name}: ditto marks were filled in from above: {some_of(dittos, 6)}")
    body, specimens = with_specimens(body, roles, passed)
    if specimens:
        tell(f"{path.name}: {specimens}")
    rows = tuple(_rows(path, roles, columns, body, passed, tell))
    named = roles.dies.keys() | {side for row in rows for side in row.dies}
    sides = tuple(side for side in SIDES if side in named)
    doubts += die_doubts(path, rows, roles, body)
    doubts += coin_doubts(path, rows, roles, columns, body)
    reading = SheetReading(
        path.name,
        table.sheet,
        roles.named(),
        has_header,
        len(body) - sum(len(passed.rows.get(reason, ())) for reason in ("no coin", "no die")),
        {reason: tuple(numbers) for reason, numbers in passed.rows.items()},
    )
    side_of_die = roles.side is not None and roles.die is not None
    return Sheet(path, rows, sides, side_of_die, tuple(doubts), reading)


# --- rows --------------------------------------------------------------------------------------


def _rows(
    path: Path,
    roles: Roles,
    columns: Sequence[Column],
    body: Sequence[Row],
    passed: PassedOver,
    tell: Callable[[str], None],
) -> Iterator[SheetRow]:
    used = roles.used
    names = {at: name for at, name in _unique_names(columns).items() if at not in used}
    odd_sides, uncounted = [], []
    dies_by_row = _dies_of_rows(path, roles, body, tell)
    coins_by_row = _coins_of_rows(path, roles, body, tell)
    name_sides = _sides_of_die_column(roles, body)
    for place, row in enumerate(body):
        coins = coins_by_row[place]
        files = tuple(
            (name.replace("\\", "/"), column.side)
            for column in roles.files
            if (name := visible(_cell(row, column)))
        )
        if not coins[0] and not files and (roles.coin or roles.count is None):
            passed.add("no coin", row.number)
            continue
        stated = _cell(row, roles.side)
        side = side_of_word(stated) or side_of_words(stated)
        if stated and side is None and not is_unknown(stated):
            odd_sides.append(f"row {row.number} ({stated[:_SHOWN]})")
        dies = dies_by_row[place]
        if roles.die is not None and not roles.die.both:
            dies = {side or name_sides[place] or OBVERSE: dies.get(OBVERSE, "")}
        if roles.count is not None and not coins[0] and not files and not any(dies.values()):
            passed.add("no die", row.number)
            continue
        count = None
        if roles.count is not None:
            count = _count(_cell(row, roles.count))
            if count is None or len(coins) > 1:
                if len(coins) == 1:
                    uncounted.append(f"row {row.number} ({_cell(row, roles.count)[:20]})")
                count = 1
        kept = {names[at]: cell for at, cell in enumerate(row.cells) if at in names}
        for coin in coins:
            known = {s: die for s, die in dies.items() if die}
            yield SheetRow(row.number, coin, known, files, side, kept, count)
    without = passed.rows.get("no coin", [])
    if without:
        tell(f"{path.name}: rows without a coin are passed over: {listed(without)}")
    if odd_sides:
        tell(f"{path.name}: not understood as a side: {listed(odd_sides)}")
    if uncounted:
        tell(f"{path.name}: not understood as a number of coins, taken as 1: {listed(uncounted)}")
    if roles.die is not None and roles.side is None and any(name_sides) and not roles.files:
        tell(
            f"{path.name}: in its column {roles.die.name} the letters of the dies tell their sides"
        )
    if roles.die is not None and roles.side is None and not any(name_sides) and not roles.die.both:
        tell(
            f"{path.name}: its column {roles.die.name} says no side and is taken for the obverse; "
            "call it obverse or reverse"
        )


def _count(cell: str) -> int | None:
    match = re.fullmatch(r"(\d{1,6})(?:[.,]0+)?\s*[^\W\d]*\.?", cell)  # 14, 14,0, 14 Ex.
    return int(match.group(1)) if match else None


def _coins_of_rows(
    path: Path, roles: Roles, body: Sequence[Row], tell: Callable[[str], None]
) -> list[list[str]]:
    """The coins that each row names; one of "" where it names none."""
    if not roles.coin:
        return [[""] for _ in body]
    numbers = [row.number for row in body]
    parts = [[visible(cell) for cell in cells_of(body, column.place)] for column in roles.coin]
    parts = [*map(filled_down, parts[:-1]), parts[-1]]
    cells = [
        "" if any(map(is_nameless, each)) else "/".join(each) for each in zip(*parts, strict=True)
    ]
    if len(roles.coin) == 1:
        column = roles.coin[0]
        dated = [
            f"row {row.number} ({cell})"
            for row, cell in zip(body, cells, strict=True)
            if cell and column.place in row.dates
        ]
        if dated:
            tell(
                f"{path.name}: column “{column.name}” holds dates where a coin is expected "
                f"({some_of(dated, 4)}); a spreadsheet program turns 1-2 into one"
            )
        filled = [cell for cell in cells if cell]
        rows = [number for number, cell in zip(numbers, cells, strict=True) if cell]
        try:
            found = listed_coins(filled, rows, column.countable)
        except SheetError as error:
            raise SheetError(f"{path}: {error}") from None
        if found is not None:
            tell(
                f"{path.name}: column “{column.name}” lists several coins in a cell (rows "
                f"{listed(found.rows)}); each counts as a coin"
            )
            each = iter(found.coins)
            return [next(each) if cell else [""] for cell in cells]
        odd = [
            f"row {number} ({cell[:_SHOWN]})"
            for number, cell in zip(numbers, cells, strict=True)
            if may_list(cell)
        ]
        if odd:
            tell(
                f"{path.name}: column “{column.name}” may list several coins in a cell, read as "
                f"one each: {some_of(odd, 4)}"
            )
    return [[cell] for cell in cells]


def _dies_of_rows(
    path: Path, roles: Roles, body: Sequence[Row], tell: Callable[[str], None]
) -> list[dict[Side, str]]:
    """The names of dies of every row, "" where not identified; a column without a side is given
    as the obverse."""
    numbers = [row.number for row in body]
    found: list[dict[Side, str]] = [{} for _ in body]

    def read(side: Side, column: Column, cells: Sequence[str]) -> None:
        dates = [column.place in row.dates for row in body]
        known = read_die_column(cells, numbers, dates)
        for note in known.notes(path.name, column.name):
            tell(note)
        for place, name in enumerate(known.names):
            found[place][side] = name

    for side, column in roles.dies.items():
        read(side, column, cells_of(body, column.place))
    if roles.die is not None and not roles.die.both:
        read(OBVERSE, roles.die, cells_of(body, roles.die.place))
    elif roles.die is not None:
        cells = cells_of(body, roles.die.place)
        split = [halves(cell) for cell in cells]
        odd = [
            f"row {number} ({cell[:_SHOWN]})"
            for number, cell, each in zip(numbers, cells, split, strict=True)
            if each is None and not is_unknown(cell)
        ]
        if odd:
            tell(
                f"{path.name}: column “{roles.die.name}” holds both dies, but these cells do not "
                f"hold two, taken as not identified: {some_of(odd, 4)}"
            )
        turned = _turned([each for each in split if each])
        read(OBVERSE, roles.die, [each[turned] if each else "" for each in split])
        read(REVERSE, roles.die, [each[1 - turned] if each else "" for each in split])
    return found


def _turned(split: Sequence[tuple[str, str]]) -> int:
    """1 where the reverse stands first: ``R1-O3``."""
    turned = sum((latin(b[:1]), latin(a[:1])) in LETTER_PAIRS[:-1] for a, b in split)
    return int(turned > len(split) / 2)


def _sides_of_die_column(roles: Roles, body: Sequence[Row]) -> list[Side | None]:
    """The side that each row's file name tells, for a sheet of columns ``file`` and ``die``; else
    the one that the letter of its die does, where there are dies of two (``O1``, ``R1``)."""
    if roles.die is None or roles.die.both:
        return [None] * len(body)
    if not roles.files:
        cells = [visible(cell) for cell in cells_of(body, roles.die.place)]
        found = [None if is_unknown(cell) else label_of(cell) for cell in cells]
        letters = [latin(match.group(1)) if match else "" for match in found]
        pair = next((two for two in LETTER_PAIRS[:-2] if set(two) == {*letters} - {""}), None)
        by_letter = {pair[0]: OBVERSE, pair[1]: REVERSE} if pair else {}
        return [by_letter.get(letter) for letter in letters]
    named = [_cell(row, roles.files[0]).replace("\\", "/") for row in body]
    return [name.side for name in read_names(named).files]


def _cell(row: Row, column: Column | None) -> str:
    return row.cells[column.place] if column and column.place < len(row.cells) else ""


def _unique_names(columns: Sequence[Column]) -> dict[int, str]:
    names: dict[int, str] = {}
    for column in columns:
        name = column.name or f"column {column.place + 1}"
        while name in names.values():
            name += "_"
        names[column.place] = name
    return names
