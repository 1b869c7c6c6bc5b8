"""An open SQLite file of an index: transactions, queries, and what to do when it fails."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from dieindex.errors import IndexFolderError
from dieindex.storage.folder import locked
from dieindex.storage.schema import Schema

Own = TypeVar("Own", bound="Database")
Row = tuple[Any, ...]
_log = logging.getLogger(__name__)


class Database:
    """Use as a context manager; write inside ``transaction``.

    ``rows``, ``write`` and ``write_many`` are for the modules beside this one: nobody else speaks
    SQL.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self.path = path

    def close(self) -> None:
        self._connection.close()

    def __enter__(self: Own) -> Own:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block's changes or none."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self.failed(self.path, error) from error

    def rows(self, query: str, values: Iterable[object] = ()) -> list[Row]:
        """What a query finds."""
        try:
            return self._connection.execute(query, tuple(values)).fetchall()
        except sqlite3.Error as error:
            raise self.failed(self.path, error) from error

    def value(self, query: str, values: Iterable[object] = ()) -> Any:
        """The first column of the first row; None where there is none."""
        rows = self.rows(query, values)
        return rows[0][0] if rows else None

    def write(self, query: str, values: Iterable[object] = ()) -> int:
        """Change a row; gives its id where it is new."""
        try:
            return self._connection.execute(query, tuple(values)).lastrowid or 0
        except sqlite3.Error as error:
            raise self.failed(self.path, error) from error

    def write_many(self, query: str, rows: Iterable[Sequence[object]]) -> None:
        """Change a row for each of ``rows``."""
        try:
            self._connection.executemany(query, rows)
        except sqlite3.Error as error:
            raise self.failed(self.path, error) from error

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

    def renew(self, schema: Schema, *, holds_lock: bool) -> None:
        """Bring an older file up to date, under the index's lock. Where the folder is in use or
        cannot be written, it is left as it is and read as if it were."""
        try:
            if holds_lock:
                self._migrate(schema)
            else:
                with locked(self.path.parent):
                    self._migrate(schema)
        except IndexFolderError as error:
            _log.debug("%s: read, not brought up to date: %s", self.path, error)
            version = self.schema_version()
            if version is not None and version < schema.version:
                schema.shadow(self._connection, version)

    def _migrate(self, schema: Schema) -> None:
        with self.transaction():
            # (Another process may have done it in the meantime.)
            version = self.schema_version()
            if version is not None and version < schema.version:
                schema.migrate(self._connection, version)

    @classmethod
    def failed(cls, path: Path, error: sqlite3.Error) -> IndexFolderError:
        """What went wrong, and what to do about it."""
        text = str(error)
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
