"""What a person should look at in a sheet: names that look alike, numbers that start again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from dieindex.collection.names import number_form
from dieindex.collection.sheets.column_content import starts_again
from dieindex.collection.sheets.columns import Column
from dieindex.collection.sheets.die_cells import alike, are_pairs
from dieindex.collection.sheets.filled_down import filled_down
from dieindex.collection.sheets.raw_rows import Row
from dieindex.collection.sheets.roles import Roles, cells_of
from dieindex.collection.sheets.rows import SheetRow
from dieindex.records import SIDES, Doubt
from dieindex.text import Message, Parameter

NUMBERS_START_AGAIN = "numbers start again"
"""Kind of the doubt that several coins have one number."""
_SHOWN = 40


def die_doubts(path: Path, rows: Sequence[SheetRow], roles: Roles) -> Iterator[Doubt]:
    for side in SIDES:
        column = roles.dies.get(side)
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
        for group, difference in alike(names):
            shown = " and ".join(f"“{name[:_SHOWN]}”" for name in group[:6])
            yield Doubt(
                "die names alike",
                f"{path.name}: {side} dies {shown} {difference} and are kept apart; write them the "
                "same way if they are one die",
                (path.name,),
            )


def coin_doubts(
    path: Path,
    rows: Sequence[SheetRow],
    roles: Roles,
    columns: Sequence[Column],
    body: Sequence[Row],
) -> Iterator[Doubt]:
    """Numbers that begin anew in each hoard, so that one of them means several coins."""
    if len(roles.coin) != 1 or roles.files:
        return
    numbers = [int(row.coin) for row in rows if row.coin.isdecimal() and len(row.coin) < 9]
    if len(numbers) < 0.8 * len(rows) or len(numbers) < 2 or not starts_again(numbers):
        return
    first: dict[str, SheetRow] = {}
    clashing = [
        (before, row)
        for row in rows
        if (before := first.setdefault(number_form(row.coin), row)) is not row
        and any(before.dies.get(side, die) != die for side, die in row.dies.items())
    ]
    if not clashing:
        return
    before, row = clashing[0]
    coin = roles.coin[0]
    told: dict[str, int] = {}
    cells = cells_of(body, coin.place)
    for column in columns:
        if column.name and column.place not in roles.used:
            beside = filled_down(cells_of(body, column.place))
            told[column.name] = len(set(zip(beside, cells, strict=True)))
    apart = next((name for name, distinct in told.items() if distinct == len(body)), None)
    remedy: tuple[object, ...] = ("; number them otherwise",)
    if apart is not None:
        remedy = ("; say what does with ", Parameter("columns", f"coin={apart}+{coin.name}"))
    yield Doubt(
        NUMBERS_START_AGAIN,
        Message(
            f"{path.name}: the numbers of coins start again (rows {before.number} and {row.number} "
            f"are both coin {row.coin}), so they do not tell the coins apart",
            *remedy,
        ),
        (path.name,),
    )
