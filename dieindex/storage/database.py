"""An open SQLite file of an index: transactions, queries, and what to do when it fails."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from dieindex.errors import IndexFolderError
from dieindex.storage.folder import locked
from dieindex.storage.schema import Schema

Own = TypeVar("Own", bound="Database")
Row = tuple[Any, ...]
UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
"""What a file raises that cannot be read. (SQLite tells of damage with what was text once.)"""
_log = logging.getLogger(__name__)


class Database:
    """Use as a context manager; write inside ``transaction``.

    ``rows``, ``write`` and ``write_many`` are for the modules beside this one: nobody else speaks
    SQL.
    """

    schema: Schema
    """Today's tables of such a file."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self.path = path
        self._shadowed = False
        """Whether an older file is read through views as one of today (see ``renew``)."""

    def close(self) -> None:
        self._connection.close()

    def __enter__(self: Own) -> Own:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block's changes or none. (Who writes holds the index's lock, and may bring an
        older file up to date that could not be when it was opened.)"""
        shadowed = self._shadowed
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                if shadowed:
                    self._end_shadow()
                    self._migrate()
                self.begun()
                yield
                self.ending()
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                self._shadowed = shadowed
                raise
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def begun(self) -> None:
        """What is done first in a transaction."""

    def ending(self) -> None:
        """What is done last in a transaction."""

    def rows(self, query: str, values: Iterable[object] = ()) -> list[Row]:
        """What a query finds."""
        given = tuple(values)
        try:
            try:
                return self._connection.execute(query, given).fetchall()
            except sqlite3.OperationalError:
                if not self._was_renewed():
                    raise
            return self._connection.execute(query, given).fetchall()
        except UNREADABLE as error:
            raise self._failed(error) from error

    def changes_of_others(self) -> int:
        """A number that is another whenever another process or connection has changed the file."""
        return int(self.value("PRAGMA data_version"))

    def value(self, query: str, values: Iterable[object] = ()) -> Any:
        """The first column of the first row; None where there is none."""
        rows = self.rows(query, values)
        return rows[0][0] if rows else None

    def write(self, query: str, values: Iterable[object] = ()) -> int:
        """Change a row; gives its id where it is new."""
        try:
            return self._connection.execute(query, tuple(values)).lastrowid or 0
        except UNREADABLE as error:
            raise self._failed(error) from error

    def write_many(self, query: str, rows: Iterable[Sequence[object]]) -> None:
        """Change a row for each of ``rows``."""
        try:
            self._connection.executemany(query, rows)
        except UNREADABLE as error:
            raise self._failed(error) from error

    def has_tables(self) -> bool:
        """Whether anything was ever kept in it."""
        return bool(self.rows("SELECT 1 FROM sqlite_master LIMIT 1"))

    def schema_version(self) -> int | None:
        """The version of its schema; None where it names none."""
        try:
            row = self._connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return None
            raise
        return int(row[0]) if row is not None and row[0].isdecimal() else None

    def renew(self, *, holds_lock: bool) -> None:
        """Bring an older file up to date, under the index's lock. Where the folder is in use or
        cannot be written, it is left as it is and read as if it were."""
        try:
            with ExitStack() as stack:
                if not holds_lock:
                    stack.enter_context(locked(self.path.parent, wait=0))
                with self.transaction():
                    self._migrate()
        except IndexFolderError as error:
            _log.debug("%s: read, not brought up to date: %s", self.path, error)
            version = self.schema_version()
            if version is not None and version < self.schema.version:
                self.schema.shadow(self._connection, version)
                self._shadowed = True

    def _migrate(self) -> None:
        """(Another process may have done it in the meantime.)"""
        version = self.schema_version()
        if version is not None and version < self.schema.version:
            self.schema.migrate(self._connection, version)

    def _was_renewed(self) -> bool:
        """Whether another process brought the file up to date that this one reads as an older one;
        then it is read as it is from here on."""
        if not self._shadowed or self.schema_version() != self.schema.version:
            return False
        _log.debug("%s: brought up to date by another process", self.path)
        self._end_shadow()
        return True

    def _end_shadow(self) -> None:
        self._shadowed = False
        kinds = "SELECT type, name FROM sqlite_temp_master WHERE type IN ('view', 'table')"
        for kind, name in self._connection.execute(kinds).fetchall():
            self._connection.execute(f"DROP {kind} temp.{name}")

    def _failed(self, error: Exception) -> IndexFolderError:
        """(A file that another process changed while it was open here is not damaged.)"""
        if str(error).startswith("no such"):
            with suppress(sqlite3.Error):
                version = self.schema_version()
                if version is not None and version > self.schema.version:
                    return IndexFolderError(
                        f"{self.path}: a newer dieindex brought it up to date just now; "
                        "update dieindex."
                    )
        return self.failed(self.path, error)

    @classmethod
    def failed(cls, path: Path, error: Exception) -> IndexFolderError:
        """What went wrong, and what to do about it."""
        text = "what was text is none" if isinstance(error, UnicodeDecodeError) else str(error)
        if "full" in text:
            return IndexFolderError(
                f"{path}: the disk is full; free some space and run the same command again. "
                "What was saved before is safe."
            )
        if "readonly" in text or "unable to open" in text:
            return IndexFolderError(
                f"{path}: cannot be written; correct its permissions or choose another index."
            )
        if "locked" in text:
            return IndexFolderError(
                f"{path}: in use by another program; try again when it is done."
            )
        return IndexFolderError(f"{path}: damaged ({text}); {cls.remedy(path)}")

    @classmethod
    def remedy(cls, path: Path) -> str:
        """What to do about a damaged file."""
        raise NotImplementedError
