"""``die_numbers.csv``: the history of die numbers once more, as a plain table.

A row is an entry of the history; ``what`` says which: the ``number`` of a coin's die, the ``name``
of a sheet that a number goes by (none: its own again), the ``last`` number ever given, or a
``change`` in words; or, of no side, the name that a ``coin`` has from then on (``text``), and by
which ``pictures`` a coin is known (digests). The latest entry on a coin, or on a number's name,
holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from dieindex.collection.sheets.files import OUTPUT_MARK
from dieindex.records import SIDES, Side
from dieindex.storage.appended_table import AppendedTable
from dieindex.storage.schema import COIN, NUMBER, NUMBERS_NAME, PICTURES, WHAT

_ESCAPED = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_MEANT = {written: meant for meant, written in _ESCAPED.items()}


@dataclass(frozen=True)
class NumberEntry:
    """An entry of the history; ``entry`` is its place in it, from 1, or 0 where it has none yet."""

    side: Side | Literal[""]
    what: str
    coin: str = ""
    number: int = 0
    text: str = ""
    time: str = ""
    entry: int = 0


class NumberFile(AppendedTable[NumberEntry]):
    """The table of die numbers in an index folder; a name's line breaks are written ``\\n``, so
    that each entry is one line."""

    name = NUMBERS_NAME
    columns = ("entry", "time", "side", "what", "coin", "number", "text")
    required = columns
    number = "entry"
    mark = OUTPUT_MARK
    what = "die numbers"

    def cells(self, record: NumberEntry) -> Mapping[str, object]:
        cells = {name: getattr(record, name) for name in self.columns}
        return {**cells, "coin": _escaped(record.coin), "text": _escaped(record.text)}

    def number_of(self, record: NumberEntry) -> int:
        return record.entry

    def record(self, row: Mapping[str, str]) -> NumberEntry | None:
        said = row.get("side", "").strip()
        side: Side | Literal[""] = next((side for side in SIDES if side == said), "")
        what, number = row.get("what", "").strip(), row.get("number", "").strip()
        coin, entry = _meant(row.get("coin", "")), row.get("entry", "").strip()
        if what not in WHAT or not number.isdecimal() or (said and not side):
            return None
        if bool(side) == (what in (COIN, PICTURES)) or (
            not coin and what in (NUMBER, COIN, PICTURES)
        ):
            return None
        return NumberEntry(
            *(side, what, coin, int(number), _meant(row.get("text", ""))),
            row.get("time", "").strip(),
            int(entry) if entry.isdecimal() else 0,
        )


def _escaped(text: str) -> str:
    return re.sub(r"[\\\n\r]", lambda found: _ESCAPED[found[0]], text)


def _meant(text: str) -> str:
    return re.sub(r"\\[\\nr]", lambda found: _MEANT[found[0]], text)
