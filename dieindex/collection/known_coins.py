"""What a sheet knows of a collection's coins: finding it, reading it, meeting it with the coins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dieindex.collection.id_differences import FEWEST, MOST, coins_by_difference
from dieindex.collection.matching import FileNames, merge_rows, rows_to_coins
from dieindex.collection.names import number_form, read_names
from dieindex.collection.sheets.files import find_sheet
from dieindex.collection.sheets.options import SheetOptions
from dieindex.collection.sheets.reading import read_sheet
from dieindex.collection.sheets.rows import Sheet, SheetRow
from dieindex.errors import SheetError
from dieindex.records import Doubt, SheetCoin, SheetReading
from dieindex.text import Parameter


def sheet_of_collection(
    folder: Path,
    labels: Path | str | None,
    options: SheetOptions | None,
    doubts: list[Doubt],
) -> Sheet | None:
    """The sheet of the collection in ``folder`` as it was read; None where there is none that can
    be used, which ``doubts`` then tell. Raises SheetError for one that is not understood."""
    path = find_sheet(folder, Path(labels) if labels is not None else None, options, doubts)
    if path is None:
        return None
    try:
        sheet = read_sheet(path, options, dies_needed=False)
    except SheetError as error:
        if labels is not None or options:
            raise
        raise SheetError(
            error, ", or leave it aside with ", Parameter("labels", value=False)
        ) from error
    if not sheet.names_coins:
        message = f"{path.name}: counts coins and names none, so it says nothing of pictures"
        doubts.append(Doubt("sheet names no coins", message, (path.name,)))
        return replace(sheet, rows=())
    if not sheet.sides:
        message = f"{path.name}: names no die; its columns are kept with the coins"
        doubts.append(Doubt("sheet names no dies", message, (path.name,)))
    return sheet


def by_the_column_that_meets(
    sheet: Sheet, options: SheetOptions | None, coins: Iterable[str], doubts: list[Doubt]
) -> Sheet:
    """The sheet read anew by another of its columns, where its coins meet no picture and those of
    that column do (``No.`` and ``Inv. no.``: pictures are called by either). ``doubts`` tell it."""
    options = options or SheetOptions()
    ids = {number_form(coin) for coin in coins}
    written = {row.coin for row in sheet.rows}
    if "coin" in options.columns or any(row.files or not row.coin for row in sheet.rows):
        return sheet
    if any(number_form(coin) in ids for coin in written):
        return sheet
    if coins_by_difference(list(written), list(ids)):
        return sheet
    enough = max(FEWEST, MOST * min(len(written), len(ids)))
    for name in {name: None for row in sheet.rows for name in row.columns}:
        cells = [row.columns.get(name, "") for row in sheet.rows]
        met = sum(number_form(cell) in ids for cell in set(cells))
        if met < enough or len(set(cells)) < len(cells):
            continue
        try:
            found = read_sheet(
                sheet.path, replace(options, columns={**options.columns, "coin": name}), False
            )
        except SheetError:
            continue
        message = f"{sheet.path.name}: the pictures are called as in its column “{name[:40]}”"
        doubts.append(Doubt("sheet", message, (sheet.path.name,)))
        return found
    return sheet


@dataclass(frozen=True)
class MatchedSheet:
    """What a sheet knows of given coins, by coin, and how it was read."""

    coins: Mapping[str, SheetCoin]
    reading: SheetReading
    doubts: tuple[Doubt, ...]


def match_sheet(
    path: Path | str,
    coins: Sequence[str],
    files: Mapping[str, str] | None = None,
    options: SheetOptions | None = None,
) -> dict[str, SheetCoin]:
    """What the sheet at ``path`` knows of ``coins``, by coin; coins it does not name are left out.

    ``files`` gives the coin of every photograph, for sheets that name files; ``options`` say what
    the columns hold. Raises SheetError as ``read_collection`` does, and where the sheet is
    dieindex's own output.
    """
    return dict(matched_sheet(path, coins, files, options).coins)


def matched_sheet(
    path: Path | str,
    coins: Sequence[str],
    files: Mapping[str, str] | None = None,
    options: SheetOptions | None = None,
) -> MatchedSheet:
    """See ``match_sheet``; with how the sheet was read."""
    sheet = read_sheet(find_sheet(Path(path).parent, Path(path)) or path, options)
    if not sheet.names_coins:
        raise SheetError(f"{path}: counts coins and names none, so that none can be met with it")
    told: list[Doubt] = []
    sheet = by_the_column_that_meets(sheet, options, coins, told)
    doubts = [*told, *sheet.doubts]
    if files is None:
        files = {coin: coin for coin in coins}
        sheet = replace(sheet, rows=tuple(_by_coin(sheet.rows)))
    match = rows_to_coins(sheet, FileNames(list(files)), files, fixed=True)
    known = merge_rows(sheet, match.rows, doubts)
    wanted = set(coins)
    assert sheet.reading is not None
    return MatchedSheet(
        {coin: row for coin, row in known.items() if coin in wanted}, sheet.reading, tuple(doubts)
    )


def _by_coin(rows: Sequence[SheetRow]) -> Iterator[SheetRow]:
    """The rows by their coins alone, which are the stems of their files where no column says."""
    files = [row.files[0][0] if row.files else row.coin for row in rows]
    for row, name in zip(rows, read_names(files).files, strict=True):
        yield replace(row, coin=row.coin or name.stem, files=())
