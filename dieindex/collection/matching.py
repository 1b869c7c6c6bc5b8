"""Bring the rows of a sheet and the files of a folder together."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from dieindex.collection.id_differences import coins_by_difference
from dieindex.collection.names import listed, number_form, tidy
from dieindex.collection.pictures import PICTURE_SUFFIXES
from dieindex.collection.sheets.rows import Sheet, SheetRow
from dieindex.errors import SheetError
from dieindex.records import Doubt, SheetCoin, Side

_MARKS = " *†‡§°."


class FileNames:
    """The files of a collection, found by what a person writes for one."""

    def __init__(self, files: Sequence[str]) -> None:
        self._files = files
        self._levels: list[dict[str, list[str]]] | None = None

    def find(self, text: str) -> list[str]:
        """Files meant by ``text``: by path, else name, else stem, else any of these less exactly.

        Less exactly: in another case, by the path's end, by number (``1`` for ``001.jpg``). More
        than one file is an ambiguity; an empty list is none.
        """
        if self._levels is None:
            self._levels = self._index()
        text = tidy(text).removeprefix("./")
        name = text.rpartition("/")[2]
        path, by_name, by_stem, folded_path, folded_name, folded_stem, number = self._levels
        stem, suffix = os.path.splitext(name)  # noqa: PTH122
        if suffix.lower() not in PICTURE_SUFFIXES:
            stem = name
        for level, key in (
            (path, text),
            (by_name, name),
            (by_stem, name),
            (folded_path, text.casefold()),
            (folded_name, name.casefold()),
            (by_stem, stem),  # 12.tif in the sheet, 12.jpg in the folder
            (folded_stem, stem.casefold()),
            (number, number_form(stem)),
        ):
            hits = level.get(key)
            if not hits:
                continue
            if len(hits) > 1 and "/" in text:
                ending = [file for file in hits if tidy(file).endswith("/" + text)]
                return ending or hits
            return hits
        return []

    def _index(self) -> list[dict[str, list[str]]]:
        levels: list[dict[str, list[str]]] = [defaultdict(list) for _ in range(7)]
        for file in self._files:
            path = tidy(file)
            name = path.rpartition("/")[2]
            stem = os.path.splitext(name)[0]  # noqa: PTH122
            keys = (path, name, stem, path.casefold(), name.casefold(), stem.casefold())
            for level, key in zip(levels, (*keys, number_form(stem)), strict=True):
                level[key].append(file)
        return [dict(level) for level in levels]


@dataclass
class Match:
    """Which rows belong to which coins of the collection."""

    coins: dict[str, str]
    """Coin of every file."""
    rows: dict[str, list[SheetRow]] = field(default_factory=dict)
    """Rows of every coin that has a photograph."""
    files: set[str] = field(default_factory=set)
    """Files that a row names itself."""
    sides: dict[str, Side] = field(default_factory=dict)
    """Sides that the sheet states for files."""
    rows_without_picture: list[SheetRow] = field(default_factory=list)
    files_missing: list[str] = field(default_factory=list)
    """Named by rows whose coin has other photographs."""
    files_named_twice: list[str] = field(default_factory=list)
    by_difference: dict[str, str] = field(default_factory=dict)
    """Coins that the sheet calls otherwise, by the sheet's name, where one difference explains
    all."""


def rows_to_coins(
    sheet: Sheet, names: FileNames, own: Mapping[str, str], fixed: bool = False
) -> Match:
    """Match rows to coins: by the files they name, else by the coin's id.

    Ids match exactly, else as numbers (``1`` and ``001``), else as a file's name; where none does,
    by the one difference that explains all. A row whose files
    are missing still speaks of its coin where another row has found it. Rows that name files
    regroup them into the sheet's coins, unless the coins in ``own`` are ``fixed``.
    Raises SheetError where a row fits several coins or several rows one coin.
    """
    match = Match(coins=dict(own))
    by_id: list[SheetRow] = []
    fileless: list[SheetRow] = []
    for row in sheet.rows:
        if not row.files:
            by_id.append(row)
        elif not _match_files(sheet, row, names, match, fixed):
            fileless.append(row)
    for row in fileless:
        if row.coin and (fixed or row.coin in match.rows):
            by_id.append(row)
            match.files_missing += [file for file, _ in row.files]
        else:
            match.rows_without_picture.append(row)
    _match_ids(sheet, by_id, names, match)
    _sides_of_coins(sheet, match)
    return match


def _match_files(sheet: Sheet, row: SheetRow, names: FileNames, match: Match, fixed: bool) -> bool:
    """Give the files that the row names its coin; False where there is none of them."""
    found = []
    for text, stated in row.files:
        hits = names.find(text)
        if len(hits) > 1:
            raise SheetError(
                f"{sheet.path}: row {row.number}: {text} fits several pictures "
                f"({listed(hits)}); give the path below the folder"
            )
        if hits:
            found.append((hits[0], stated or row.side))
        elif len(row.files) > 1:
            match.files_missing.append(text)
    if not found:
        return False
    coin = match.coins[found[0][0]] if fixed or not row.coin else row.coin
    for file, side in found:
        if file in match.files and match.coins[file] != coin:
            match.files_named_twice.append(file)
            continue
        match.files.add(file)
        match.coins[file] = coin
        if side is not None:
            match.sides[file] = side
    match.rows.setdefault(coin, []).append(row)
    return True


def _match_ids(sheet: Sheet, rows: Sequence[SheetRow], names: FileNames, match: Match) -> None:
    ids = dict.fromkeys(match.coins.values())
    by_number: dict[str, list[str]] = defaultdict(list)
    by_stem: dict[str, list[str]] = defaultdict(list)
    for coin in ids:
        by_number[number_form(coin)].append(coin)
        if "/" in coin:
            by_stem[number_form(coin.rpartition("/")[2])].append(coin)
    written_numbers = {number_form(row.coin) for row in rows}
    together: dict[str, dict[str, list[SheetRow]]] = defaultdict(dict)
    for row in rows:
        together[number_form(row.coin.lstrip("# "))].setdefault(row.coin, []).append(row)
    meant = {
        number: by_number.get(number)
        or by_stem.get(number)
        or _coins_of_file(written, names, match)
        or _coins_without_mark(number, written_numbers, by_number)
        for number, written in together.items()
    }
    if together and not any(meant.values()):
        written_ids = [row.coin for row in rows]
        match.by_difference = coins_by_difference(list(dict.fromkeys(written_ids)), list(ids))
        for text, coin in match.by_difference.items():
            meant[number_form(text.lstrip("# "))] = [coin]
    for number, written in together.items():
        coins = meant[number]
        if not coins:
            match.rows_without_picture += [row for group in written.values() for row in group]
        elif written.keys() == set(coins):
            for coin, group in written.items():
                match.rows.setdefault(coin, []).extend(group)
        elif len(written) == 1 == len(coins):
            match.rows.setdefault(coins[0], []).extend(*written.values())
        else:
            raise SheetError(_ambiguity(sheet, written, coins, match))
    match.rows_without_picture.sort(key=lambda row: row.number)


def _coins_of_file(
    written: Mapping[str, list[SheetRow]], names: FileNames, match: Match
) -> list[str]:
    """Coins for an id that is written as a file's name, such as ``12.jpg`` or ``12_obv``."""
    return list(dict.fromkeys(match.coins[file] for text in written for file in names.find(text)))


def _coins_without_mark(
    number: str, written: Set[str], by_number: Mapping[str, list[str]]
) -> list[str]:
    """Coins for an id with a sign behind it (``1*``: illustrated), where no other id is without."""
    bare = number_form(number.rstrip(_MARKS))
    return [] if bare in written else by_number.get(bare, [])


def _ambiguity(
    sheet: Sheet,
    written: Mapping[str, list[SheetRow]],
    coins: Iterable[str],
    match: Match,
) -> str:
    rows = [f"row {row.number} ({coin})" for coin, group in written.items() for row in group]
    chosen = set(coins)
    files = [file for file, coin in match.coins.items() if coin in chosen]
    return (
        f"{sheet.path}: {listed(rows)} and the pictures {listed(files)} do not fit one to one; "
        "write the coins exactly as the pictures are called, or add a column “file”"
    )


def _sides_of_coins(sheet: Sheet, match: Match) -> None:
    """A column ``side`` beside a coin speaks of that coin's only picture.

    Where it belongs to a column ``die`` it says which side's die a row names: the picture may show
    both sides all the same.
    """
    if sheet.side_of_die:
        return
    files: dict[str, list[str]] = defaultdict(list)
    for file, coin in match.coins.items():
        files[coin].append(file)
    for coin, rows in match.rows.items():
        stated = {row.side for row in rows if row.side and not row.files}
        if len(stated) == 1 and len(files[coin]) == 1:
            match.sides.setdefault(files[coin][0], stated.pop())


def merge_rows(
    sheet: Sheet, rows: Mapping[str, Sequence[SheetRow]], doubts: list[Doubt]
) -> dict[str, SheetCoin]:
    """One ``SheetCoin`` a coin. Rows that name different dies of one side cancel each other."""
    merged = {}
    for coin, group in rows.items():
        dies: dict[Side, str] = {}
        columns: dict[str, str] = {}
        clashing: set[Side] = set()
        for row in group:
            for side, die in row.dies.items():
                if dies.setdefault(side, die) != die:
                    clashing.add(side)
            for name, cell in row.columns.items():
                if not columns.get(name):
                    columns[name] = cell
        for side in sorted(clashing):
            names = dict.fromkeys(row.dies[side] for row in group if side in row.dies)
            numbers = [row.number for row in group if side in row.dies]
            message = (
                f"{sheet.path.name}: rows {listed(numbers)} give coin {coin} different {side} dies "
                f"({listed(list(names))}); none of them is used"
            )
            doubts.append(Doubt("coin twice", message))
            del dies[side]
        merged[coin] = SheetCoin(coin, dies, columns, group[0].number)
    return merged
