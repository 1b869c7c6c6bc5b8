"""``verdicts.csv``: every verdict once more, as a plain table that any program reads.

It is only ever added to: neither what is in it is changed nor what a person may have added. A line
that was broken off is completed. A table that cannot be understood is left alone, and that is
said; the verdicts themselves are in ``reviews.sqlite``.
"""

from __future__ import annotations

import csv
import io
import logging
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal, cast

from dieindex.collection.names import side_of_word
from dieindex.records import Review
from dieindex.storage.schema import REVIEWS_NAME, VERDICTS_NAME

COLUMNS = ("coin_a", "coin_b", "side", "verdict", "by", "note", "time")
"""The columns of a table of verdicts; the last three may be missing where one is read."""
NUMBER = "number"
"""The column more that ``verdicts.csv`` has: by it a verdict is known to be in it."""
_VERDICTS = ("same", "different", "unsure")
_log = logging.getLogger(__name__)


class VerdictFile:
    """The table of verdicts in an index folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / VERDICTS_NAME

    def exists(self) -> bool:
        return self.path.is_file()

    def reviews(self) -> list[Review]:
        """The verdicts in it, in its order; ``number`` is 0 where it names none.

        Rows that are no verdicts are left out, and that is logged.
        """
        if not self.exists():
            return []
        try:
            return _Table.read(self.path.read_bytes()).reviews(self.path)
        except (OSError, ValueError) as error:
            _log.warning("%s: cannot be understood (%s)", self.path, error)
            return []

    def append_missing(self, reviews: Sequence[Review]) -> None:
        """Add those of the verdicts that are not in it.

        Nothing is raised: where it cannot be done, that is logged, and it is done the next time.
        """
        try:
            content = self.path.read_bytes() if self.path.exists() else b""
            addition = _addition(content, reviews)
            if not addition:
                return
            with self.path.open("ab") as stream:
                stream.write(addition)
                stream.flush()
                os.fsync(stream.fileno())
        except ValueError as error:
            _log.warning(
                "%s: cannot be understood (%s) and is left as it is; the verdicts are in %s. Move "
                "it away, and it is written anew.",
                self.path,
                error,
                REVIEWS_NAME,
            )
        except OSError as error:
            _log.warning(
                "%s: cannot be written (%s); the verdicts are in %s.",
                self.path,
                error.strerror or error,
                REVIEWS_NAME,
            )


def _addition(content: bytes, reviews: Sequence[Review]) -> bytes:
    """What is to be added to a table so that all these verdicts are in it. Raises ValueError."""
    fresh = _Table(",", (*COLUMNS, NUMBER), [], "\n")
    header = fresh.line(fresh.columns)
    if header.startswith(content):
        lines = [header, *map(fresh.line_of, reviews)]
        return b"".join(lines)[len(content) :] if reviews or content else b""
    whole, newline, tail = content.rpartition(b"\n")
    table = _Table.read(whole + newline)
    lines = [table.line_of(each) for each in table.without(reviews)]
    if not tail:
        return b"".join(lines)
    begun = next((line for line in lines if line.startswith(tail)), None)
    if begun is not None:
        lines.remove(begun)
        return begun[len(tail) :] + b"".join(lines)
    # A person's last row, without its newline.
    table = _Table.read(content)
    lines = [table.line_of(each) for each in table.without(reviews)]
    return table.newline.encode() + b"".join(lines) if lines else b""


@dataclass(frozen=True)
class _Table:
    """A table of verdicts as it is written: perhaps saved anew by a spreadsheet program."""

    delimiter: str
    columns: tuple[str, ...]
    rows: list[dict[str, str]]
    newline: str

    @classmethod
    def read(cls, content: bytes) -> _Table:
        """Raises ValueError where it is no table of verdicts."""
        text = content.decode("utf-8-sig")
        newline = "\r\n" if "\r\n" in text else "\n"
        for delimiter in (",", ";", "\t"):
            try:
                lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
            except csv.Error as error:
                raise ValueError(str(error)) from error
            lines = [line for line in lines if line and not line[0].startswith("#")]
            columns = tuple(cell.strip().casefold() for cell in lines[0]) if lines else ()
            if set(COLUMNS[:4]) <= set(columns):
                rows = [dict(zip(columns, line, strict=False)) for line in lines[1:]]
                return cls(delimiter, columns, rows, newline)
        raise ValueError(f"its first row must be {','.join((*COLUMNS, NUMBER))}")

    def without(self, reviews: Sequence[Review]) -> list[Review]:
        """Those of ``reviews`` that are not in it: by their numbers, else by what they say."""
        if NUMBER in self.columns:
            numbers = {row.get(NUMBER, "").strip() for row in self.rows}
            return [each for each in reviews if str(each.number) not in numbers]
        here = Counter(tuple(row.get(name, "") for name in COLUMNS) for row in self.rows)
        missing = []
        for each in reviews:
            said = tuple(str(getattr(each, name)) for name in COLUMNS)
            if here[said]:
                here[said] -= 1
            else:
                missing.append(each)
        return missing

    def reviews(self, path: Path) -> list[Review]:
        found = []
        for row in self.rows:
            side = side_of_word(row.get("side", ""))
            verdict = row.get("verdict", "").strip().casefold()
            a, b = (row.get(name, "").strip() for name in COLUMNS[:2])
            if side is None or verdict not in _VERDICTS or not a or not b or a == b:
                _log.warning("%s: no verdict: %s", path, ", ".join(map(str, row.values())))
                continue
            word = cast(Literal["same", "different", "unsure"], verdict)
            number = row.get(NUMBER, "").strip()
            found.append(
                Review(
                    a,
                    b,
                    side,
                    word,
                    row.get("by", ""),
                    row.get("note", ""),
                    row.get("time", "").strip() or _time_of(path),
                    int(number) if number.isdecimal() else 0,
                )
            )
        return found

    def line(self, cells: Sequence[object]) -> bytes:
        text = io.StringIO()
        csv.writer(text, delimiter=self.delimiter, lineterminator=self.newline).writerow(cells)
        return text.getvalue().encode()

    def line_of(self, review: Review) -> bytes:
        known = {name: getattr(review, name) for name in (*COLUMNS, NUMBER)}
        return self.line([known.get(name, "") for name in self.columns])


def _time_of(path: Path) -> str:
    moment = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
