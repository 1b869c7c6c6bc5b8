"""What a person should look at in a sheet: names that look alike, numbers that start again."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from dieindex.collection.names import listed, number_form
from dieindex.collection.sheets.column_content import starts_again
from dieindex.collection.sheets.columns import Column
from dieindex.collection.sheets.die_cells import (
    alike,
    are_pairs,
    are_words,
    otherwise_formed,
    remarked,
)
from dieindex.collection.sheets.filled_down import filled_down
from dieindex.collection.sheets.raw_rows import Row
from dieindex.collection.sheets.roles import Roles, cells_of
from dieindex.collection.sheets.rows import SheetRow
from dieindex.records import SIDES, Doubt
from dieindex.text import Message, Parameter, some_of

NUMBERS_START_AGAIN = "numbers start again"
"""Kind of the doubt that several coins have one number."""
_SHOWN = 40
_MOST_GROUPS = 50


def die_doubts(
    path: Path, rows: Sequence[SheetRow], roles: Roles, body: Sequence[Row]
) -> Iterator[Doubt]:
    for side in SIDES:
        column = roles.dies.get(side)
        blank = _named_once(body, column.place) if column is not None else []
        if column is not None and blank:
            yield Doubt(
                "sheet",
                f"{path.name}: column “{column.name}” names each die once and leaves cells blank "
                f"(rows {listed(blank)}), read as not identified; write the die into each row if "
                "it is that of the row above",
                (path.name,),
            )
        held = [row.dies[side] for row in rows if side in row.dies]
        names = list(dict.fromkeys(held))
        if column is not None and not names:
            yield Doubt(
                "sheet",
                f"{path.name}: its column {column.name} names no die (where it holds formulas, "
                "open it in a spreadsheet program and save it once)",
                (path.name,),
            )
        if len(names) == 1 and len(held) >= 5:
            yield Doubt(
                "one die",
                f"{path.name}: all {len(held)} coins have the {side} die “{names[0][:_SHOWN]}”; is "
                "that its column?",
                (path.name,),
            )
        if are_pairs(names, said=False):
            yield Doubt(
                "die names alike",
                f"{path.name}: the {side} dies hold two names each (“{names[0][:_SHOWN]}”); if "
                "these are both dies of a coin, call the column “dies”",
                (path.name,),
            )
        words = [name for name in names if are_words(name)]
        if len(words) > len(names) / 2:
            yield Doubt(
                "sheet",
                Message(
                    f"{path.name}: the {side} dies are words without a number "
                    f"({some_of([f'“{word[:_SHOWN]}”' for word in words], 3)}); if they are types "
                    "and no dies, say which column holds the dies with ",
                    Parameter("columns", f"{side}=NAME"),
                ),
                (path.name,),
            )
        odd = [f"“{name[:_SHOWN]}”" for name in otherwise_formed(held)]
        if odd:
            yield Doubt(
                "die names alike",
                f"{path.name}: {side} dies {some_of(list(dict.fromkeys(odd)), 4)} are called "
                "otherwise than most others and count as dies of their own; is that meant?",
                (path.name,),
            )
        groups = [*alike(names), *remarked(names)]
        if len(groups) > _MOST_GROUPS:
            yield Doubt(
                "die names alike",
                f"{path.name}: {len(groups) - _MOST_GROUPS} more groups of {side} dies are called "
                "alike and are kept apart",
                (path.name,),
            )
        for group, difference in groups[:_MOST_GROUPS]:
            shown = " and ".join(f"“{name[:_SHOWN]}”" for name in group[:6])
            yield Doubt(
                "die names alike",
                f"{path.name}: {side} dies {shown} {difference} and are kept apart; write them the "
                "same way if they are one die",
                (path.name,),
            )


def _named_once(body: Sequence[Row], place: int) -> list[int]:
    """The rows with a blank cell in a column that names each die once, above such cells."""
    cells = cells_of(body, place)
    named = [cell for cell in cells if cell]
    blank = [row.number for row, cell in zip(body, cells, strict=True) if not cell]
    if len(blank) < 2 or len(named) < 2 or len(set(named)) < len(named) or not cells[0]:
        return []
    return blank


def coin_doubts(
    path: Path,
    rows: Sequence[SheetRow],
    roles: Roles,
    columns: Sequence[Column],
    body: Sequence[Row],
) -> Iterator[Doubt]:
    """Numbers that begin anew in each hoard, and others that name several rows."""
    if len(roles.coin) != 1 or roles.files:
        return
    coin = roles.coin[0]
    short = [row for row in rows if re.fullmatch(r"\d([.,]\d+)?[eE]\+?\d+", row.coin)]
    if short:
        yield Doubt(
            "sheet",
            f"{path.name}: column “{coin.name}” holds numbers that a spreadsheet program shortened "
            f"(row {short[0].number}: {short[0].coin}); format it as text and write them again",
            (path.name,),
        )
    by_number: dict[str, list[SheetRow]] = defaultdict(list)
    for row in rows:
        if row.coin:
            by_number[number_form(row.coin)].append(row)
    several = [group for group in by_number.values() if len({row.number for row in group}) > 1]
    if not several or roles.side is not None:
        return
    apart = _telling_apart(roles, columns, body)
    remedy: tuple[object, ...] = ("; number them otherwise",)
    if apart is not None:
        remedy = ("; say what does with ", Parameter("columns", f"coin={apart}+{coin.name}"))
    numbers = [int(row.coin) for row in rows if row.coin.isdecimal() and len(row.coin) < 9]
    clashing = [
        (group[0], row)
        for group in several
        for row in group
        if any(group[0].dies.get(side, die) != die for side, die in row.dies.items())
    ]
    if clashing and len(numbers) >= 0.8 * len(rows) and starts_again(numbers):
        before, row = min(clashing, key=lambda two: two[1].number)
        yield Doubt(
            NUMBERS_START_AGAIN,
            Message(
                f"{path.name}: the numbers of coins start again (rows {before.number} and "
                f"{row.number} are both coin {row.coin}), so they do not tell the coins apart",
                *remedy,
            ),
            (path.name,),
        )
        return
    shown = [
        f"{group[0].coin[:_SHOWN]} in rows {listed([row.number for row in group])}"
        for group in several
    ]
    yield Doubt(
        "sheet",
        Message(
            f"{path.name}: rows of the same coin count as one coin ({some_of(shown, 3)}); if they "
            "are several, their numbers do not tell them apart",
            *remedy,
        ),
        (path.name,),
    )


def _telling_apart(roles: Roles, columns: Sequence[Column], body: Sequence[Row]) -> str | None:
    """The column that together with the coin's tells all rows apart, where there is one."""
    cells = cells_of(body, roles.coin[0].place)
    for column in columns:
        if column.name and column.place not in roles.used:
            beside = filled_down(cells_of(body, column.place))
            if len(set(zip(beside, cells, strict=True))) == len(body):
                return column.name
    return None
