"""Persons' work, apart from everything derived: ``reviews.sqlite`` with verdicts and die numbers.

Verdicts and die numbers are added, never changed or removed. Each is also appended to a plain table
beside it, ``verdicts.csv`` or ``die_numbers.csv`` (see ``appended_table``), after it is safe here:
so the tables never know more than this file, unless this file was lost or is an older copy, and
then everything comes back from the tables. What earlier versions of dieindex kept in the catalogue
is taken over the first time that persons' work is asked for.

Persons' work is written under the index's lock (``folder.locked``) and read without it.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from dieindex.errors import IndexFolderError
from dieindex.records import SIDES, Review, Side
from dieindex.storage.appended_table import AppendedTable
from dieindex.storage.coin_names import name_today, renamings, under_names_of_today
from dieindex.storage.database import UNREADABLE, Database
from dieindex.storage.earlier_catalogue import (
    EarlierWork,
    holds_earlier_work,
    read_earlier_work,
    read_first_numbers,
    remove_earlier_work,
    remove_first_numbers,
)
from dieindex.storage.folder import locked
from dieindex.storage.number_file import NumberEntry, NumberFile
from dieindex.storage.schema import (
    CATALOGUE_NAME,
    CHANGE,
    LAST,
    NAME,
    NUMBER,
    NUMBERS_NAME,
    REVIEWS,
    REVIEWS_NAME,
    VERDICTS_NAME,
)
from dieindex.storage.verdict_file import VerdictFile

T = TypeVar("T")
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
                with locked(folder, wait=0), cls.open(folder, write=True):
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
        except UNREADABLE as error:
            raise cls.failed(path, error) from error

    @classmethod
    def remedy(cls, path: Path) -> str:
        verdicts, numbers = VerdictFile(path.parent).exists(), NumberFile(path.parent).exists()
        if not verdicts and not numbers:
            return (
                "it holds what persons said: put a copy of it in its place if there is one, else "
                "move it out of the folder and keep it."
            )
        back = {
            (True, True): f"verdicts come back from {VERDICTS_NAME} and die numbers from "
            f"{NUMBERS_NAME} beside it.",
            (True, False): f"verdicts come back from {VERDICTS_NAME} beside it; die numbers only "
            "from a copy of it, else they are given anew.",
            (False, True): f"die numbers come back from {NUMBERS_NAME} beside it; verdicts only "
            "from a copy of it.",
        }[verdicts, numbers]
        return f"move it out of the folder and keep it: {back}"

    # verdicts

    def reviews(self, side: Side | None = None) -> list[Review]:
        """Every verdict that was ever given, the earliest first, with the coins' names of today."""
        if not self.has_tables():
            return []
        return under_names_of_today(self.reviews_as_given(side), renamings(self))

    def reviews_as_given(self, side: Side | None = None) -> list[Review]:
        """Every verdict, with the names that coins had when it was given."""
        rows = self.rows(
            "SELECT coin_a, coin_b, side, verdict, by, note, time, id FROM reviews"
            " WHERE ? IS NULL OR side = ? ORDER BY id",
            (side, side),
        )
        return [Review(*row) for row in rows]

    def name_today(self, coin: str) -> str:
        """What a coin is called now that was called so at first."""
        return name_today(coin, renamings(self)) if self.has_tables() else coin

    def add(self, reviews: Iterable[Review]) -> list[Review]:
        """Keep verdicts, all or none, in this order; they are safe when this returns. Gives them
        with their numbers."""
        with self.transaction():
            kept = self._insert(replace(each, number=0) for each in reviews)
        self._write_tables()
        return kept

    def _insert(self, reviews: Iterable[Review]) -> list[Review]:
        """(A number of 0 becomes the next.)"""
        statement = (
            "INSERT INTO reviews (id, coin_a, coin_b, side, verdict, by, note, time)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        )
        kept = []
        for each in reviews:
            said = (each.coin_a, each.coin_b, each.side, each.verdict)
            values = (each.number or None, *said, each.by, each.note, each.time)
            kept.append(replace(each, number=self.write(statement, values)))
        return kept

    # die numbers

    def number_entries(self, after: int = 0) -> list[NumberEntry]:
        """The history of die numbers, the earliest first, from behind the entry ``after``."""
        rows = self.rows(
            "SELECT side, what, coin, number, text, time, id FROM number_log WHERE id > ?"
            " ORDER BY id",
            (after,),
        )
        return [NumberEntry(*row) for row in rows]

    def add_numbers(self, entries: Sequence[NumberEntry]) -> None:
        """Add to the history, all or nothing."""
        if entries:
            with self.transaction():
                self._insert_numbers(replace(each, entry=0) for each in entries)
        self._write_tables()

    def _insert_numbers(self, entries: Iterable[NumberEntry]) -> None:
        """(An entry of 0 becomes the next; one without a time is of now.)"""
        self.write_many(
            "INSERT INTO number_log (id, time, side, what, coin, number, text) VALUES"
            " (?, coalesce(nullif(?, ''), strftime('%Y-%m-%dT%H:%M:%SZ', 'now')), ?, ?, ?, ?, ?)",
            ((e.entry or None, e.time, e.side, e.what, e.coin, e.number, e.text) for e in entries),
        )

    # the plain tables

    def _write_tables(self) -> None:
        """Add to the plain tables what is not in them yet."""
        folder = self.path.parent
        self._write_table(VerdictFile(folder), "reviews", self._reviews_after)
        self._write_table(NumberFile(folder), "number_log", self.number_entries)

    def _write_table(
        self, file: AppendedTable[T], table: str, records: Callable[[int], list[T]]
    ) -> None:
        seen = file.glance()
        if seen is None or seen != self._extent(table, seen[1]):
            file.append_missing(records(0))
        elif seen != self._extent(table):
            file.append(records(seen[1])) if seen[0] else file.append_missing(records(0))

    def _reviews_after(self, number: int) -> list[Review]:
        return [each for each in self.reviews_as_given() if each.number > number]

    def _extent(self, table: str, most: int | None = None) -> tuple[int, int]:
        """How many rows a table has, and the highest number; of those up to ``most``."""
        count, highest = self.rows(
            f"SELECT count(*), coalesce(max(id), 0) FROM {table} WHERE ? IS NULL OR id <= ?",
            (most, most),
        )[0]
        return count, highest

    # what is brought up to date

    def _bring_up_to_date(self, folder: Path, *, for_ever: bool = True) -> None:
        """Make or renew the tables, bring back what the plain tables know more, and take over what
        the first schema and the catalogue hold; with ``for_ever`` the catalogue and the plain
        tables follow."""
        new = not self.has_tables()
        try:
            earlier = read_earlier_work(folder)
        except UNREADABLE as error:
            if new and not _tables_there(folder):
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
            self._bring_back_numbers(NumberFile(folder))
            first = read_first_numbers(self._connection)
            if first is not None:
                self._take_over(first)
                remove_first_numbers(self._connection)
            if earlier is not None:
                self._take_over(earlier)
        if not for_ever:
            return
        self._write_tables()
        if earlier is not None:
            try:
                remove_earlier_work(folder)
            except UNREADABLE as error:
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
        count, highest = self._extent("reviews")
        if not new and not file.knows_more(count, highest):
            return
        back, others = _beyond(file, highest, new)
        said = {_as_said(each) for each in back}
        others = [each for each in map(_as_said, others) if each not in said]
        others = list(dict.fromkeys(others))
        self._insert([*back, *others])
        if back or others:
            anew = new and not NumberFile(file.path.parent).exists()
            lost = " (die numbers are given anew)" if anew else ""
            count = len(back) + len(others)
            _log.warning("%s: %d verdicts came back from %s%s", self.path, count, file.name, lost)

    def _bring_back_numbers(self, file: NumberFile) -> None:
        """Take in what the table of die numbers has beyond this file."""
        count, highest = self._extent("number_log")
        if highest and not file.knows_more(count, highest):
            return
        back, others = _beyond(file, highest, not highest)
        entries = [*back, *(replace(each, entry=0) for each in others)]
        self._insert_numbers(entries)
        coins = {(each.side, each.coin) for each in entries if each.what == NUMBER}
        if entries:
            _log.warning(
                "%s: die numbers of %d coins came back from %s", self.path, len(coins), file.name
            )

    def _take_over(self, earlier: EarlierWork) -> None:
        self._take_over_reviews(earlier.reviews)
        for side in SIDES:
            self._take_over_numbers(
                side,
                earlier.numbers.get(side, {}),
                earlier.last.get(side, 0),
                earlier.adopted.get(side, {}),
            )
        self._take_over_changes(earlier.changes)

    def _take_over_reviews(self, earlier: Iterable[Review]) -> None:
        """Those that are not here, each as often as it is there."""
        here = Counter(map(_as_said, self.reviews_as_given()))
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
        entries = []
        if not self.value("SELECT count(*) FROM numbers WHERE side = ?", (side,)):
            entries += [NumberEntry(side, NUMBER, coin, number) for coin, number in numbers.items()]
            entries += [NumberEntry(side, NAME, "", n, name) for n, name in adopted.items()]
        highest = max(last, *numbers.values(), 0)
        known = self.value("SELECT number FROM last_numbers WHERE side = ?", (side,)) or 0
        if highest > max([known, *(each.number for each in entries if each.what == NUMBER)]):
            entries.append(NumberEntry(side, LAST, "", highest))
        self._insert_numbers(entries)

    def _take_over_changes(self, changes: Iterable[tuple[str, Side, str]]) -> None:
        here = set(self.rows("SELECT time, side, change FROM number_changes"))
        self._insert_numbers(
            NumberEntry(side, CHANGE, text=change, time=time)
            for time, side, change in changes
            if (time, side, change) not in here
        )


def _beyond(file: AppendedTable[T], highest: int, new: bool) -> tuple[list[T], list[T]]:
    """What a plain table has beyond the number ``highest``, by number, and what else counts: of one
    number another record, and, where there is nothing yet (``new``), what has no number."""
    back: dict[int, T] = {}
    others = []
    for each in file.records():
        number = file.number_of(each)
        if number > highest and number not in back:
            back[number] = each
        elif (new and not number) or (number in back and back[number] != each):
            others.append(each)
    return [back[number] for number in sorted(back)], others


def _is_behind(folder: Path, path: Path) -> bool:
    """Whether something is to be brought up to date before persons' work can be read."""
    try:
        if holds_earlier_work(folder):
            return True
    except UNREADABLE as error:
        if not _there(path):
            return True
        _log.debug("%s: cannot be read (%s)", folder / CATALOGUE_NAME, error)
    if not _there(path):
        return _tables_there(folder)
    with ReviewStore(_connect(path, "rw"), path) as kept:
        if kept.schema_version() != REVIEWS.version:
            return True
        return VerdictFile(folder).knows_more(*kept._extent("reviews")) or NumberFile(
            folder
        ).knows_more(*kept._extent("number_log"))


def _tables_there(folder: Path) -> bool:
    return VerdictFile(folder).exists() or NumberFile(folder).exists()


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
