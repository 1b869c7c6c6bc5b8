"""Which sheet of a workbook is read, and where its columns begin."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from dieindex.collection.names import loose_form
from dieindex.collection.sheets.column_content import headerless_places
from dieindex.collection.sheets.columns import Column, header_columns
from dieindex.collection.sheets.die_cells import is_unknown
from dieindex.collection.sheets.filled_down import filled_down
from dieindex.collection.sheets.options import SheetOptions
from dieindex.collection.sheets.passed_over import (
    PassedOver,
    coins_alone,
    comments_and_hidden,
    is_total,
)
from dieindex.collection.sheets.raw_rows import Row, Table
from dieindex.collection.sheets.roles import EXPECTED, choose_roles, find_columns
from dieindex.collection.sheets.tables import read_tables
from dieindex.collection.sheets.vocabulary import DIE_WORDS, side_of_header_word, words_of
from dieindex.errors import SheetError
from dieindex.records import OBVERSE, REVERSE
from dieindex.text import Message, Parameter, some_of

_HEADER_ROWS = 30
_SHOWN = 40


def chosen_table(path: Path, options: SheetOptions, tell: Callable[[str], None]) -> Table:
    """The sheet that is named, else the first one shown that has columns for coins and dies."""
    heads = read_tables(path, most_rows=_HEADER_ROWS)
    titles = [head.sheet for head in heads]
    if options.sheet is not None:
        wanted = [t for t in titles if loose_form(t) == loose_form(options.sheet)]
        if not wanted:
            there = (
                f"its sheets are {some_of(titles, 8, 150)}" if any(titles) else "it has no sheets"
            )
            raise SheetError(f"{path}: has no sheet “{options.sheet[:_SHOWN]}”; {there}")
        return read_tables(path, only=wanted[0])[0]
    if not heads:
        return Table(path, ())
    if len(heads) == 1 and not heads[0].sheet:
        return heads[0]
    shown = [head for head in heads if not head.hidden]
    fitting = [head for head in shown if _may_be_sheet(head, options)]
    chosen = (fitting or shown or heads)[0]
    others = [head.sheet for head in shown if head is not chosen]
    hidden = [head.sheet for head in heads if head.hidden and head is not chosen]
    if others:
        like = [head.sheet for head in fitting if head is not chosen]
        also = f" ({some_of(like)} could be one too)" if like else ""
        tell(
            Message(
                f"{path.name}: its sheet “{chosen.sheet}” is read; not read: "
                f"{some_of(others, 8)}{also}; name another with ",
                Parameter("sheet", "NAME"),
            )
        )
    if hidden:
        tell(f"{path.name}: hidden sheets are not read: {some_of(hidden, 8)}")
    return read_tables(path, only=chosen.sheet)[0]


def _may_be_sheet(head: Table, options: SheetOptions) -> bool:
    rows = comments_and_hidden(head.rows, PassedOver())
    try:
        columns, body, _ = find_header(replace(head, rows=tuple(rows)), options, lambda _: None)
        body = coins_alone(head.path, body, columns, PassedOver())
        roles = choose_roles(head.path, columns, body, options, [])
    except SheetError as error:
        return "may number the coins" in str(error)
    return bool(roles.all_dies or roles.files)


def find_header(
    table: Table, options: SheetOptions, tell: Callable[[str], None]
) -> tuple[list[Column], Sequence[Row], bool]:
    """The columns, the rows below the header, and whether there is one."""
    first, best, best_known, columns = -1, -1, 0, None
    for place, row in enumerate(islice(table.rows, _HEADER_ROWS)):
        found = header_columns(row.cells)
        known = _known(found)
        below = table.rows[place + 1].cells if place + 1 < len(table.rows) else ()
        joined = _header_of_two_rows(row.cells, below)
        if (
            joined
            and _known(joined) > best_known
            and (
                _known(joined) > _known(header_columns(below))
                or (found and _known(joined) >= known)
            )
        ):
            first, best, best_known, columns = place, place + 1, _known(joined), joined
            continue
        if _is_said(row, options):
            found, known = [Column(at, cell, None) for at, cell in enumerate(row.cells)], 99
            found = header_columns(row.cells) or found
        if found is not None and known > best_known:  # a header of two rows: the finer one
            first, best, best_known, columns = place, place, known, found
    above = table.rows[: max(first, 0)]
    # Rows above a header are a title or a comment; rows of data are not.
    if columns is None or any(any(map(_is_number, title.cells[:1])) for title in above):
        return _without_header(table, options)
    if above:
        number = table.rows[first].number
        tell(f"{table.path.name}: the rows above the header (row {number}) are passed over")
    body = table.rows[best + 1 :]
    _check_widths(table, table.rows[best], body, tell)
    return columns, body, True


def _known(columns: Sequence[Column] | None) -> int:
    return sum(column.role is not None for column in columns or ())


def _header_of_two_rows(upper: Sequence[str], lower: Sequence[str]) -> list[Column] | None:
    """The columns where ``Obverse`` stands over ``Die`` and ``Description``, or ``Stempel`` over
    ``Vs.`` and ``Rs.``; None where the lower row is no part of a header."""
    if any(map(str.isdigit, "".join(lower))):
        return None
    words = {word for cell in lower for word in words_of(cell)}
    if not any(word in DIE_WORDS or side_of_header_word(word) for word in words):
        return None
    above = filled_down(upper)
    cells = []
    for place in range(max(len(upper), len(lower))):
        cell = lower[place] if place < len(lower) else ""
        own = upper[place] if place < len(upper) else ""
        over = above[min(place, len(above) - 1)] if cell else own
        cells.append(f"{over} {cell}".strip())
    return header_columns(cells)


def _check_widths(
    table: Table, header: Row, body: Sequence[Row], tell: Callable[[str], None]
) -> None:
    """Rows of text with more cells than the header: a comma in a cell moves those behind it."""
    wide = [row for row in body if header.width < len(row.cells) and header.width]
    if not wide or not body[0].width:
        return
    example = f"row {wide[0].number} has {len(wide[0].cells)}, the header {header.width}"
    if len(wide) > len(body) / 2:
        raise SheetError(
            f"{table.path}: most rows have more cells than the header ({example}), so which column "
            "is which cannot be told; put numbers and lists that hold the delimiter into quotation "
            "marks, or save it as .xlsx"
        )
    rows = some_of([str(row.number) for row in wide], 6)
    tell(
        f"{table.path.name}: rows with more cells than the header ({example}; rows {rows}): a "
        "delimiter inside a cell moves those behind it, so look at these rows"
    )


def _is_said(row: Row, options: SheetOptions) -> bool:
    """Whether the row holds all names of columns that a person gave."""
    names = [name for name in options.columns.values() if name not in ("", "-")]
    called = [name for name in names if not name.replace("+", "").isdecimal()]
    columns = [Column(at, cell, None) for at, cell in enumerate(row.cells)]
    return bool(called) and all(find_columns(columns, name) for name in called)


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"[\d.,]+", cell) is not None


def _without_header(
    table: Table, options: SheetOptions
) -> tuple[list[Column], Sequence[Row], bool]:
    """The columns of a sheet such as ``1 O1 R1``, told by what they hold or by a person."""
    rows = table.rows
    width = max(len(row.cells) for row in rows)
    columns = [Column(place, f"column {place + 1}", None) for place in range(width)]
    said = [name for name in options.columns.values() if name not in ("", "-")]
    if said and all(find_columns(columns, name) for name in said):
        return columns, rows, False
    missing = [name for name in options.columns.values() if name.isdecimal() and int(name) > width]
    if missing:
        raise SheetError(f"{table.path}: has {width} columns, and none numbered {missing[0][:9]}")
    numbered = [any(letter.isdigit() for letter in row.cells[0]) for row in rows]
    first_is_odd = len(rows) > 1 and not numbered[0] and sum(numbered) >= 0.8 * (len(rows) - 1)
    found = some_of([cell for cell in rows[0].cells if cell], 6, 50)
    if width < 2 or first_is_odd:
        raise SheetError(
            f"{table.path}: its columns are not understood (found: {found}); ", EXPECTED
        )
    places = headerless_places(
        [
            ["" if is_unknown(cell) else cell for cell in row.cells]
            for row in rows
            if not is_total(row, ())
        ]
    )
    if places is None:
        raise SheetError(
            f"{table.path}: has no header, and its cells do not tell which columns are the coin "
            f"and the dies (row {rows[0].number}: {found}); write a header, or say it with ",
            Parameter("columns", "coin=1,obverse=2,reverse=3"),
            " (numbers of columns)",
        )
    for role, place in places.items():
        side = OBVERSE if role == OBVERSE else REVERSE if role == REVERSE else None
        columns[place] = replace(columns[place], role="die" if side else "coin", side=side)
    return columns, rows, False
