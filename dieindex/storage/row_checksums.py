"""Checksums of the rows of a file's tables, kept beside them in its table ``checksums``.

Every row that is written gets one when its transaction ends: a row is known by its table (of which
columns may be summed apart, see ``Part``) and a key. Rows that an earlier dieindex wrote have none
until they are written anew, and are taken as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from dieindex.storage.checksums import checksum
from dieindex.storage.database import UNREADABLE, Database, Row
from dieindex.storage.schema import CHANGED_ROWS, CHECKSUMS, changes_noted

Damage = Mapping[str, Sequence[str]]
"""Keys of rows that are not what was written, by the name of their part."""


@dataclass(frozen=True)
class Part:
    """Columns of ``table`` that are summed together: those named, else all but some; ``key`` is the
    SQL of what a row is known by, ``found`` the column by which it is looked up."""

    table: str
    key: str
    found: str
    columns: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    rows: str = "1"
    """Which rows have checksums, in SQL."""

    def key_of(self, row: str) -> str:
        """The key of a row of a trigger, ``old`` or ``new``."""
        return re.sub(r"\b[a-z]+\b", lambda name: f"{row}.{name[0]}", self.key)


class SummedTables(Database):
    """An open file of which rows have checksums."""

    parts: ClassVar[Mapping[str, Part]]
    unchecked = False
    """Whether a query waits for its rows to be checked (see ``rows``)."""

    def rows(self, query: str, values: Iterable[object] = ()) -> list[Row]:
        """What a query finds; the first one has all rows checked first."""
        self._check_first()
        return super().rows(query, values)

    def _check_first(self) -> None:
        if self.unchecked:
            self.unchecked = False
            self.check_rows()

    def check_rows(self) -> None:
        """Raise IndexFolderError where rows are not what was written."""
        raise NotImplementedError

    def all_rows(self, query: str, values: Iterable[object] = ()) -> list[Row]:
        """What a query finds, whole or not."""
        return super().rows(query, values)

    # writing

    def begun(self) -> None:
        """Note from here on which rows change. (In this connection alone: the file knows nothing of
        it, so that what is turned on a disk or by another program is not noted.)"""
        # (Afterwards what is changed here would pass for damage until it is summed.)
        self._check_first()
        there = self._tables()
        if not self.is_summed():
            return
        self.write(CHANGED_ROWS)
        for name, part in self.parts.items():
            if part.table != "sqlite_master" and part.table in there:
                keys = {row: part.key_of(row) for row in ("old", "new")}
                for statement in changes_noted(
                    name, part.table, self._columns(part), keys, part.found
                ):
                    self.write(statement)

    def ending(self) -> None:
        """Sum what has changed."""
        there = self.all_rows("SELECT name FROM sqlite_temp_master WHERE name = 'changed_rows'")
        if not there or not self.is_summed():
            return
        changed: dict[str, set[object]] = {}
        for name, key in self.all_rows("SELECT DISTINCT part, key FROM changed_rows"):
            changed.setdefault(name, set()).add(key)
        for name, strings in changed.items():
            keys = {str(key) for key in strings}
            self.forget_sums({name: sorted(keys)})
            query = f"{self._query(self.parts[name])} AND {self.parts[name].found} IN"
            query += " (SELECT found FROM changed_rows WHERE part = ?)"
            here = self._sums_of(query, (name,))
            self._put_sums(name, {key: here[key] for key in keys & here.keys()})
        self.write("DELETE FROM changed_rows")

    def forget_sums(self, damage: Damage) -> None:
        """Take the checksums of these rows away."""
        for name, keys in damage.items():
            self.write_many(
                f"DELETE FROM {CHECKSUMS} WHERE part = ? AND key = ?", [(name, k) for k in keys]
            )

    def sum_all(self) -> None:
        """Sum every row that has no checksum yet."""
        for name in self.parts:
            here, known = self._sums(name)
            self._put_sums(name, {key: here[key] for key in here.keys() - known.keys()})

    def _put_sums(self, name: str, sums: Mapping[str, int]) -> None:
        self.write_many(
            f"INSERT OR REPLACE INTO {CHECKSUMS} VALUES (?, ?, ?)",
            [(name, key, value) for key, value in sums.items()],
        )

    def is_summed(self) -> bool:
        """Whether rows have checksums at all."""
        return CHECKSUMS in self._tables() and not self._shadowed

    # checking

    def damage(self, names: Iterable[str]) -> dict[str, list[str]]:
        """Which rows of these parts are not what was written: others, or not there any more; and
        where such are missing, those that nobody wrote."""
        if not self.is_summed():
            return {}
        found = {}
        apart = not self._connection.in_transaction
        if apart:
            # (Rows and their checksums as of one moment.)
            self.write("BEGIN")
        try:
            for name in names:
                here, known = self._sums(name)
                lost = known.keys() - here.keys()
                bad = lost | {k for k, v in here.items() if known.get(k, v) != v}
                if lost:
                    bad |= here.keys() - known.keys()
                if bad:
                    found[name] = sorted(bad)
        finally:
            if apart:
                self.write("COMMIT")
        return found

    def check_row(self, name: str, key: object) -> bool:
        """Whether one row is what was written."""
        return self._sum_now(name, key) == self.sum_of(name, key)

    def sum_of(self, name: str, key: object) -> int | None:
        """The checksum of a row as it was written; as it is, where that is not known."""
        query = f"SELECT value FROM {CHECKSUMS} WHERE part = ? AND key = ?"
        known = self.all_rows(query, (name, str(key))) if self.is_summed() else []
        return known[0][0] if known else self._sum_now(name, key)

    def _sum_now(self, name: str, key: object) -> int | None:
        part = self.parts[name]
        here = self._sums_of(f"{self._query(part)} AND {part.key} = ?", (key,))
        return here.get(str(key))

    def _sums(self, name: str) -> tuple[dict[str, int], dict[str, int]]:
        """Checksums of the rows of a part as they are, and as they were written."""
        known = self.all_rows(f"SELECT key, value FROM {CHECKSUMS} WHERE part = ?", (name,))
        return self._sums_of(self._query(self.parts[name], "NOT INDEXED")), dict(known)

    def _sums_of(self, query: str, values: Iterable[object] = ()) -> dict[str, int]:
        try:
            # (What was text may be none any more.)
            self._connection.text_factory = bytes
            cursor = self._connection.execute(query, tuple(values))
            return {_text(key): row_checksum(cells) for key, *cells in cursor}
        except UNREADABLE as error:
            raise self._failed(error) from error
        finally:
            self._connection.text_factory = str

    def _query(self, part: Part, how: str = "") -> str:
        columns = ", ".join(self._columns(part))
        return f"SELECT {part.key}, {columns} FROM {part.table} {how} WHERE {part.rows}"

    def _columns(self, part: Part) -> Sequence[str]:
        if part.columns:
            return part.columns
        known = self.all_rows(f"PRAGMA main.table_info({part.table})")
        return [row[1] for row in known if row[1] not in part.without]

    def _tables(self) -> set[str]:
        return {row[0] for row in self.all_rows("SELECT name FROM main.sqlite_master")}


def row_checksum(cells: Sequence[object]) -> int:
    """Of a row, with its texts as bytes."""
    parts = [cell for cell in cells if isinstance(cell, bytes)]
    plain = [(len(cell),) if isinstance(cell, bytes) else cell for cell in cells]
    return checksum(repr(plain).encode(), *parts)


def _text(key: object) -> str:
    return key.decode(errors="replace") if isinstance(key, bytes) else str(key)
