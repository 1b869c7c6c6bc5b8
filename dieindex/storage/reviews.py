"""Persons' work, apart from everything derived: ``reviews.sqlite`` with verdicts and die numbers.

Verdicts are added, never changed or removed. Each is also appended to ``verdicts.csv`` beside it
(see ``verdict_file``), after it is safe here: so the table never knows more than this file, unless
this file was lost, and then the verdicts come back from the table. What earlier versions of
dieindex kept in the catalogue is taken over the first time that persons' work is asked for.

Persons' work is written under the index's lock (``folder.locked``) and read without it.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from dieindex.errors import IndexFolderError
from dieindex.records import SIDES, Review, Side
from dieindex.storage.database import Database
from dieindex.storage.earlier_catalogue import (
    holds_earlier_work,
    read_earlier_work,
    remove_earlier_work,
)
from dieindex.storage.folder import locked
from dieindex.storage.schema import CATALOGUE_NAME, REVIEWS, REVIEWS_NAME, VERDICTS_NAME
from dieindex.storage.verdict_file import VerdictFile

_log = logging.getLogger(__name__)


def reviews_of(folder: Path, side: Side | None = None) -> list[Review]:
    """Every verdict that persons ever gave on coins of an index, the earliest first.

    Nothing of the index but ``reviews.sqlite`` is needed, or ``verdicts.csv`` in its place. Raises
    IndexFolderError where that file is damaged or of a newer dieindex.
    """
    with ReviewStore.open(folder) as kept:
        return kept.reviews(side)


def keep_apart(folder: Path) -> None:
    """Take over what the catalogue holds of persons' work, if it can be done now."""
    try:
        with ReviewStore.open(folder):
            pass
    except IndexFolderError as error:
        _log.debug("%s: persons' work stays where it is: %s", folder, error)


class ReviewStore(Database):
    """An open ``reviews.sqlite``. Use as a context manager."""

    schema = REVIEWS

    @classmethod
    def open(cls, folder: Path, *, write: bool = False) -> ReviewStore:
        """Open an index folder's persons' work; empty where there is none yet.

        ``write`` makes the file where it is missing; the caller then holds the index's lock. What
        is to be brought up to date (see above) is, also when reading, unless the folder is in use
        or cannot be written: then it is read all the same, and written another time. Raises
        IndexFolderError for a damaged or newer file.
        """
        path = folder / REVIEWS_NAME
        try:
            if write:
                store = cls(_connect(path, "rwc"), path)
                store._bring_up_to_date(folder)
                return store
            if not _is_behind(folder, path):
                return cls(_connect(path, "rw") if _there(path) else _memory(), path)
            try:
                with locked(folder), cls.open(folder, write=True):
                    pass
                return cls(_connect(path, "rw"), path)
            except IndexFolderError as error:
                _log.debug("%s: read, not brought up to date: %s", path, error)
            connection = _memory()
            if _there(path):
                with closing(_connect(path, "ro")) as source:
                    source.backup(connection)
            store = cls(connection, path)
            store._bring_up_to_date(folder, for_ever=False)
            return store
        except sqlite3.Error as error:
            raise cls.failed(path, error) from error

    @classmethod
    def remedy(cls, path: Path) -> str:
        if VerdictFile(path.parent).exists():
            return (
                f"move it out of the folder and keep it: the verdicts come back from "
                f"{VERDICTS_NAME} beside it, die numbers are given anew."
            )
        return (
            "it holds what persons said: put a copy of it in its place if there is one, else move "
            "it out of the folder and keep it."
        )

    # verdicts

    def reviews(self, side: Side | None = None) -> list[Review]:
        """Every verdict that was ever given, the earliest first."""
        if not self.has_tables():
            return []
        rows = self.rows(
            "SELECT coin_a, coin_b, side, verdict, by, note, time, id FROM reviews"
            " WHERE ? IS NULL OR side = ? ORDER BY id",
            (side, side),
        )
        return [Review(*row) for row in rows]

    def add(self, reviews: Iterable[Review]) -> None:
        """Keep verdicts, all or none, in this order; they are safe when this returns."""
        with self.transaction():
            self._insert(reviews)
        self._write_tables()

    def _insert(self, reviews: Iterable[Review], numbered: bool = False) -> None:
        self.write_many(
            "INSERT INTO reviews (id, coin_a, coin_b, side, verdict, by, note, time)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    each.number if numbered else None,
                    *(each.coin_a, each.coin_b, each.side, each.verdict),
                    *(each.by, each.note, each.time),
                )
                for each in reviews
            ],
        )

    def _write_tables(self) -> None:
        """Add to the plain table what is not in it yet."""
        file = VerdictFile(self.path.parent)
        if file.glance() != self._extent("reviews"):
            file.append_missing(self.reviews())

    def _extent(self, table: str) -> tuple[int, int]:
        """How many rows a table has, and the highest number."""
        count, highest = self.rows(f"SELECT count(*), coalesce(max(id), 0) FROM {table}")[0]
        return count, highest

    # what is brought up to date

    def _bring_up_to_date(self, folder: Path, *, for_ever: bool = True) -> None:
        """Make or renew the tables, bring back what the table of verdicts knows more, and take over
        what the catalogue holds; with ``for_ever`` the catalogue and the table follow."""
        new = not self.has_tables()
        try:
            earlier = read_earlier_work(folder)
        except sqlite3.Error as error:
            if new and not VerdictFile(folder).exists():
                # An empty file would look as if no verdict had ever been given.
                self.close()
                if for_ever and not _there(self.path):
                    self.path.unlink(missing_ok=True)
                raise IndexFolderError(
                    f"{folder / CATALOGUE_NAME}: damaged ({error}). Verdicts and die numbers that "
                    f"an earlier dieindex kept in it are not in {REVIEWS_NAME} yet: move the file "
                    "out of the folder, keep it, and build again."
                ) from error
            _log.debug("%s: cannot be read (%s)", folder / CATALOGUE_NAME, error)
            earlier = None
        with self.transaction():
            if new:
                REVIEWS.make(self._connection)
            else:
                self._renew()
            self._bring_back(VerdictFile(folder), new)
            if earlier is not None:
                self._take_over_reviews(earlier.reviews)
                for side in SIDES:
                    self._take_over_numbers(
                        side,
                        earlier.numbers.get(side, {}),
                        earlier.last.get(side, 0),
                        earlier.adopted.get(side, {}),
                    )
                self._take_over_changes(earlier.changes)
        if not for_ever:
            return
        self._write_tables()
        if earlier is not None:
            try:
                remove_earlier_work(folder)
            except sqlite3.Error as error:
                # It is safe here; next time it is found there again, and nothing is taken twice.
                _log.debug("%s: keeps its copy (%s)", folder / CATALOGUE_NAME, error)

    def _renew(self) -> None:
        row = self.rows("SELECT value FROM meta WHERE key = 'schema'")
        version = int(row[0][0]) if row and row[0][0].isdecimal() else 0
        if not 1 <= version <= REVIEWS.version:
            raise IndexFolderError(f"{self.path}: written by a newer dieindex; update dieindex.")
        if version < REVIEWS.version:
            REVIEWS.migrate(self._connection, version)

    def _bring_back(self, file: VerdictFile, new: bool) -> None:
        """Take in what the table of verdicts has beyond this file: this one was lost, or is an
        older copy. Rows without a number count where there is nothing here at all."""
        if not file.exists():
            return
        highest = self.rows("SELECT coalesce(max(id), 0) FROM reviews")[0][0]
        back: dict[int, Review] = {}
        others: list[Review] = []
        for each in file.records():
            if each.number > highest and each.number not in back:
                back[each.number] = each
            elif (new and not each.number) or (each.number in back and back[each.number] != each):
                others.append(each)
        said = {_as_said(each) for each in back.values()}
        self._insert((back[number] for number in sorted(back)), numbered=True)
        others = [each for each in map(_as_said, others) if each not in said]
        self._insert(dict.fromkeys(others))
        if back or others:
            lost = " (die numbers are given anew)" if new else ""
            _log.warning(
                "%s: %d verdicts came back from %s%s",
                self.path,
                len(back) + len(others),
                file.path.name,
                lost,
            )

    def _take_over_reviews(self, earlier: Iterable[Review]) -> None:
        """Those that are not here, each as often as it is there."""
        here = Counter(map(_as_said, self.reviews()))
        missing = []
        for each in map(_as_said, earlier):
            if here[each]:
                here[each] -= 1
            else:
                missing.append(each)
        self._insert(missing)

    def _take_over_numbers(
        self, side: Side, numbers: dict[str, int], last: int, adopted: dict[int, str]
    ) -> None:
        known = self.rows("SELECT count(*) FROM numbers WHERE side = ?", (side,))[0][0]
        if not known:
            self.write_many(
                "INSERT INTO numbers VALUES (?, ?, ?)",
                [(side, coin, number) for coin, number in numbers.items()],
            )
            self.write_many(
                "INSERT OR IGNORE INTO adopted VALUES (?, ?, ?)",
                [(side, number, name) for number, name in adopted.items()],
            )
        if numbers or last:
            self.write(
                "INSERT INTO last_numbers VALUES (?, ?)"
                " ON CONFLICT (side) DO UPDATE SET number = max(number, excluded.number)",
                (side, max(last, *numbers.values(), 0)),
            )

    def _take_over_changes(self, changes: Iterable[tuple[str, str, str]]) -> None:
        rows = self.rows("SELECT time, side, change FROM number_changes")
        here = set(rows)
        self.write_many(
            "INSERT INTO number_changes (time, side, change) VALUES (?, ?, ?)",
            [each for each in changes if each not in here],
        )


def _is_behind(folder: Path, path: Path) -> bool:
    """Whether something is to be brought up to date before persons' work can be read."""
    try:
        if holds_earlier_work(folder):
            return True
    except sqlite3.Error as error:
        if not _there(path):
            return True
        _log.debug("%s: cannot be read (%s)", folder / CATALOGUE_NAME, error)
    if not _there(path):
        return VerdictFile(folder).exists()
    with ReviewStore(_connect(path, "rw"), path) as kept:
        if kept.schema_version() != REVIEWS.version:
            return True
        return VerdictFile(folder).knows_more(*kept._extent("reviews"))


def _there(path: Path) -> bool:
    """(A file that was broken off before anything was in it is as none.)"""
    return path.is_file() and path.stat().st_size > 0


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=30, isolation_level=None)
    # Also after a power cut a verdict that was told to be kept is there.
    connection.execute("PRAGMA synchronous = EXTRA")
    return connection


def _memory() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None)


def _as_said(review: Review) -> Review:
    """A verdict without its number, to tell whether two say the same."""
    return replace(review, number=0)
