"""A sheet's dies, read for the coins of an index."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dieindex.collection.layout import match_sheet
from dieindex.errors import SheetError
from dieindex.records import SIDES, Side


def read_labels(path: Path, coin_of_file: Mapping[str, str]) -> dict[Side, dict[str, str]]:
    """A sheet's dies by side and coin, for the coins of an index (``1`` in it meets ``001``).

    Raises SheetError where the sheet cannot be understood or knows none of the coins.
    """
    coins = list(dict.fromkeys(coin_of_file.values()))
    rows = match_sheet(path, coins, files=dict(coin_of_file))
    found: dict[Side, dict[str, str]] = {
        side: {coin: row.dies[side] for coin, row in rows.items() if side in row.dies}
        for side in SIDES
    }
    if not any(found.values()):
        raise SheetError(f"{path}: names a die for none of the index's coins; is it their sheet?")
    return found
