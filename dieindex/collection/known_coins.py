"""What a sheet knows of a collection's coins: finding it, reading it, meeting it with the coins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dieindex.collection.matching import FileNames, merge_rows, rows_to_coins
from dieindex.collection.names import read_names
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
    doubts = list(sheet.doubts)
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
