"""An open SQLite file of an index: transactions, queries, and what to do when it fails."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from dieindex.errors import IndexFolderError

Own = TypeVar("Own", bound="Database")


class Database:
    """Use as a context manager; write inside ``transaction``."""

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

    def rows(self, query: str, values: Iterable[object] = ()) -> list[tuple]:
        """What a query finds. For the modules beside this one."""
        try:
            return self._connection.execute(query, tuple(values)).fetchall()
        except sqlite3.Error as error:
            raise self.failed(self.path, error) from error

    def write(self, query: str, values: Iterable[object] = ()) -> int:
        """Change a row; gives its id where it is new. For the modules beside this one."""
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
