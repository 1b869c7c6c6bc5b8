"""A study's material from a table of coins and dies alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dieindex.collection.matching import merge_rows
from dieindex.collection.names import read_names
from dieindex.collection.sheets.die_cells import is_nameless
from dieindex.collection.sheets.doubts import NUMBERS_START_AGAIN
from dieindex.collection.sheets.files import is_own_output
from dieindex.collection.sheets.options import SheetOptions
from dieindex.collection.sheets.reading import read_sheet
from dieindex.collection.sheets.rows import Sheet, SheetRow
from dieindex.errors import SheetError
from dieindex.records import SIDES, Doubt, SheetCoin, Side, other_side
from dieindex.study.attributes import all_columns, certainty_of, recognise
from dieindex.study.material import Attribution, Coin, Material
from dieindex.text import Message, as_typed, some_of

STUDY_RECKONED = frozenset(
    {"catalogue_number", "linked_group", "obverse_basis", "reverse_basis", "photographs"}
)
"""Columns of a study's own table of coins that tell nothing of a coin."""
MAX_COUNTED = 200_000
"""Most coins that a table may count."""


def read_material(
    path: Path, title: str | None = None, author: str = "", options: SheetOptions | None = None
) -> Material:
    """The coins and dies of a sheet as ``collection.sheets`` understands it.

    Rows of one coin are one coin; where they name different dies of one side, none counts, and a
    note says so. A row with a number of coins is as many coins. dieindex's own table of dies
    (``coin,side,die,certainty``) is a table as any other. Raises SheetError where the file cannot
    be read, has no columns for coins and dies, or knows no die.
    """
    try:
        sheet = read_sheet(path, options)
    except SheetError as error:
        # A sheet of a collection is named by another parameter.
        raise SheetError(Message(error).renamed("labels", "table")) from error
    if not sheet.sides:
        raise SheetError(
            f"{path}: has no column for the dies, or names none; expected are a column for the "
            "coin (coin, no, id) and at least one of obverse and reverse"
        )
    again = [doubt for doubt in sheet.doubts if doubt.kind == NUMBERS_START_AGAIN]
    if again:
        raise SheetError(f"{path.parent}/" if path.parent.name else "", again[0].message)
    own = is_own_output(path)
    if own and path.suffix.lower() == ".csv":
        sheet = replace(sheet, rows=tuple(_as_typed(row) for row in sheet.rows))
    rows: dict[str, list[SheetRow]] = {}
    for row in counted_out(path, _named(sheet)):
        if not is_nameless(row.coin):
            rows.setdefault(row.coin, []).append(row)
    if not rows:
        raise SheetError(f"{path}: holds no coin; give a table with one row a coin")
    doubts: list[Doubt] = list(sheet.doubts)
    none = [str(row.number) for row in sheet.rows if row.count == 0]
    if none:
        rows_of_none = some_of(none)
        doubts.append(
            Doubt("counted", f"{path.name}: rows with a number of 0 are no coins: {rows_of_none}")
        )
    if any((row.count or 1) > 1 for row in sheet.rows):
        counted = f"{path.name}: a row with a number of coins counts as so many coins of its dies; "
        doubts.append(Doubt("counted", counted + "what else it says is no single coin's"))
    known = merge_rows(sheet, rows, doubts)
    if own:
        # A study's coins.csv, corrected by hand: what the study reckoned itself it reckons anew.
        known = {name: _as_told(coin) for name, coin in known.items()}
    material = Material(
        coins=coins_of_sheet(known, rows, author),
        title=title or path.stem.replace("_", " "),
        source=source_of(path, author),
        author=author,
        notes=tuple(doubt.message for doubt in doubts),
        reading=sheet.reading,
    )
    if not material.sides:
        raise SheetError(f"{path}: names a die for none of its {len(rows)} coins")
    return material


def counted_out(path: Path, rows: Sequence[SheetRow]) -> list[SheetRow]:
    """The rows with those that stand for several coins once for each; these are called after the
    row's coin, or its dies where it names none. Raises SheetError where there are too many."""
    if all(row.count is None for row in rows):
        return list(rows)
    total = sum(row.count or 0 for row in rows)
    if total > MAX_COUNTED:
        raise SheetError(f"{path}: counts {total} coins, more than the {MAX_COUNTED} that are read")
    found: list[SheetRow] = []
    seen: set[str] = set()
    for row in rows:
        name = row.coin or "-".join(row.dies.get(side, "?") for side in SIDES if row.dies)
        if not row.coin and (not name or name in seen):
            name = f"{name or 'row'} ({row.number})"
        seen.add(name)
        if row.count == 1:
            found.append(replace(row, coin=name))
        else:  # (A weight beside several coins is none of theirs.)
            found += [
                replace(row, coin=f"{name} [{number}]", columns={})
                for number in range(1, (row.count or 0) + 1)
            ]
    return found


def _as_typed(row: SheetRow) -> SheetRow:
    """A row of a study's own table, its text as it was before it was made harmless."""
    return replace(
        row,
        coin=as_typed(row.coin),
        dies={side: as_typed(die) for side, die in row.dies.items()},
        columns={as_typed(name): as_typed(text) for name, text in row.columns.items()},
    )


def _as_told(coin: SheetCoin) -> SheetCoin:
    told = {name: text for name, text in coin.columns.items() if name not in STUDY_RECKONED}
    return replace(coin, columns=told)


def source_of(path: Path, author: str) -> str:
    """Where a table's attributions come from, in words."""
    return f"the table {path.name}" + (f", by {author}" if author else "")


def coins_of_sheet(
    known: Mapping[str, SheetCoin], rows: Mapping[str, Sequence[SheetRow]], author: str
) -> tuple[Coin, ...]:
    """Coins with their attributions; certainty and author as the sheet's columns state them."""
    columns = recognise(all_columns([Coin(c.coin, columns=c.columns) for c in known.values()]))
    stated = [name for name, (what, _) in columns.meaning.items() if what == "certainty"]
    authors = [(name, of) for name, (what, of) in columns.meaning.items() if what == "author"]
    coins = []
    for name, coin in known.items():
        dies = {}
        for side in SIDES:
            if side not in coin.dies:
                continue
            stating = [column for column, of in authors if of in (None, side)]
            by = next((text for column in stating if (text := coin.columns.get(column))), author)
            certainty = None
            for column in stated:
                of = columns.meaning[column][1]
                if of in (None, side):
                    certainty = _lowest(
                        certainty, [row for row in rows.get(name, ()) if _speaks(row, side)], column
                    )
            dies[side] = Attribution(coin.dies[side], certainty, author=by)
        files = [file for row in rows.get(name, ()) for file, _ in row.files]
        coins.append(Coin(name, dies, coin.columns, tuple(dict.fromkeys(files))))
    return tuple(coins)


def _speaks(row: SheetRow, side: Side) -> bool:
    return row.side in (None, side) or side in row.dies


def _lowest(known: float | None, rows: Sequence[SheetRow], column: str) -> float | None:
    """The least certain of what several rows of one coin say."""
    for row in rows:
        value = certainty_of(row.columns.get(column, ""))
        if value is not None and (known is None or value < known):
            known = value
    return known


def _named(sheet: Sheet) -> list[SheetRow]:
    """The rows by their coins, which are the stems of their files where no column says."""
    files = [row.files[0][0] if row.files else row.coin for row in sheet.rows]
    return [
        replace(row, coin=row.coin or name.stem)
        for row, name in zip(sheet.rows, read_names(files).files, strict=True)
    ]


def one_side_note(material: Material) -> str | None:
    """What a study of one side cannot tell."""
    if len(material.sides) != 1:
        return None
    absent = other_side(material.sides[0])
    return (
        f"No {absent} die is identified: there are no die links, and nothing is said of the "
        f"{absent}s."
    )
