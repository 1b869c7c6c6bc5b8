"""A sheet's dies, read for the coins of an index."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from dieindex.collection.known_coins import matched_sheet
from dieindex.collection.sheets.options import SheetOptions
from dieindex.errors import SheetError
from dieindex.records import SIDES, Doubt, SheetReading, Side

_log = logging.getLogger(__name__)


def tell_reading(reading: SheetReading, doubts: Sequence[Doubt]) -> None:
    """Log what each column of a sheet was taken for, and what was not read as it stands."""
    _log.warning("%s.", reading)
    for doubt in doubts:
        _log.warning("%s", doubt.message)


def read_labels(
    path: Path, coin_of_file: Mapping[str, str], options: SheetOptions | None = None
) -> dict[Side, dict[str, str]]:
    """A sheet's dies by side and coin, for the coins of an index (``1`` in it meets ``001``).

    How the sheet was read is logged. Raises SheetError where it cannot be understood or knows none
    of the coins.
    """
    coins = list(dict.fromkeys(coin_of_file.values()))
    matched = matched_sheet(path, coins, dict(coin_of_file), options)
    tell_reading(matched.reading, matched.doubts)
    rows = matched.coins
    found: dict[Side, dict[str, str]] = {
        side: {coin: row.dies[side] for coin, row in rows.items() if side in row.dies}
        for side in SIDES
    }
    if not any(found.values()):
        raise SheetError(f"{path}: names a die for none of the index's coins; is it their sheet?")
    return found
