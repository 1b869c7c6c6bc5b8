"""``verdicts.csv``: every verdict once more, as a table that ``verdict --import`` reads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Literal, cast

from dieindex.collection.names import side_of_word
from dieindex.records import Review
from dieindex.storage.appended_table import AppendedTable
from dieindex.storage.schema import VERDICTS_NAME

COLUMNS = ("coin_a", "coin_b", "side", "verdict", "by", "note", "time")
"""The columns of a table of verdicts; the last three may be missing where one is read."""
NUMBER = "number"
"""The column more that ``verdicts.csv`` has: by it a verdict is known to be in it."""
_VERDICTS = ("same", "different", "unsure", "one-coin")


class VerdictFile(AppendedTable[Review]):
    """The table of verdicts in an index folder. Any side's word is understood (``av``, ``rev``)."""

    name = VERDICTS_NAME
    columns = (*COLUMNS, NUMBER)
    required = COLUMNS[:4]
    number = NUMBER
    what = "verdicts"

    def cells(self, record: Review) -> Mapping[str, object]:
        return {name: getattr(record, name) for name in self.columns}

    def number_of(self, record: Review) -> int:
        return record.number

    def record(self, row: Mapping[str, str]) -> Review | None:
        side = side_of_word(row.get("side", ""))
        verdict = row.get("verdict", "").strip().casefold()
        a, b = (row.get(name, "").strip() for name in COLUMNS[:2])
        if side is None or verdict not in _VERDICTS or not a or not b or a == b:
            return None
        word = cast(Literal["same", "different", "unsure", "one-coin"], verdict)
        number = row.get(NUMBER, "").strip()
        return Review(
            *(a, b, side, word),
            row.get("by", ""),
            row.get("note", ""),
            row.get("time", "").strip() or self._written(),
            int(number) if number.isdecimal() else 0,
        )

    def _written(self) -> str:
        moment = datetime.fromtimestamp(self.path.stat().st_mtime, timezone.utc)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
