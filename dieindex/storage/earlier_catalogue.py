"""Persons' work as earlier versions of dieindex kept it.

Catalogues up to schema 3 held it beside what is derived: it is read whatever the schema of the
catalogue, and taken out when it is safe in ``reviews.sqlite``. The first schema of that file held
die numbers as they were last, without their history.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from dieindex.records import SIDES, Review, Side
from dieindex.storage.schema import CATALOGUE_NAME, NUMBER_TABLES

_TABLES = ("reviews", "numbers", "adopted", "number_changes")


@dataclass(frozen=True)
class EarlierWork:
    """What a catalogue holds of persons' work; die numbers and adopted names a side each."""

    reviews: list[Review] = field(default_factory=list)
    numbers: dict[Side, dict[str, int]] = field(default_factory=dict)
    adopted: dict[Side, dict[int, str]] = field(default_factory=dict)
    last: dict[Side, int] = field(default_factory=dict)
    changes: list[tuple[str, Side, str]] = field(default_factory=list)
    """(time, side, change), the earliest first."""


def read_earlier_work(folder: Path) -> EarlierWork | None:
    """What the folder's catalogue holds of persons' work; None where it holds none.

    Raises sqlite3.Error for a catalogue that cannot be read.
    """
    path = folder / CATALOGUE_NAME
    if not path.is_file():
        return None
    with closing(_connect(path)) as connection:
        there = _tables(connection)
        if not there:
            return None
        work = EarlierWork()
        if "reviews" in there:
            work.reviews.extend(
                Review(*row)
                for row in connection.execute(
                    "SELECT coin_a, coin_b, side, verdict, by, note, time, id FROM reviews"
                    " ORDER BY id"
                )
            )
        for side in SIDES:
            if "numbers" in there:
                work.numbers[side] = dict(
                    connection.execute("SELECT coin, number FROM numbers WHERE side = ?", (side,))
                )
            if "adopted" in there:
                work.adopted[side] = dict(
                    connection.execute("SELECT number, name FROM adopted WHERE side = ?", (side,))
                )
            last = connection.execute(
                "SELECT value FROM meta WHERE key = ?", (f"last_number_{side}",)
            ).fetchone()
            if last is not None and last[0].isdecimal():
                work.last[side] = int(last[0])
        if "number_changes" in there:
            work.changes.extend(
                connection.execute("SELECT time, side, change FROM number_changes ORDER BY id")
            )
        return work


def read_first_numbers(connection: sqlite3.Connection) -> EarlierWork | None:
    """What ``reviews.sqlite`` held of die numbers in its first schema, just migrated; None where it
    was not."""
    if not _first_numbers(connection):
        return None
    work = EarlierWork()
    for side in SIDES:
        numbers = "SELECT coin, number FROM earlier_numbers WHERE side = ?"
        work.numbers[side] = dict(connection.execute(numbers, (side,)))
        names = "SELECT number, name FROM earlier_adopted WHERE side = ?"
        work.adopted[side] = dict(connection.execute(names, (side,)))
    work.last.update(connection.execute("SELECT side, number FROM earlier_last_numbers"))
    query = "SELECT time, side, change FROM earlier_number_changes ORDER BY id"
    work.changes.extend(connection.execute(query))
    return work


def remove_first_numbers(connection: sqlite3.Connection) -> None:
    """Take out what was taken over of them; inside a transaction."""
    for name in _first_numbers(connection):
        connection.execute(f"DROP TABLE {name}")


def _first_numbers(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    there = {row[0] for row in rows}
    return [f"earlier_{name}" for name in NUMBER_TABLES if f"earlier_{name}" in there]


def remove_earlier_work(folder: Path) -> None:
    """Take persons' work out of the catalogue. Raises sqlite3.Error."""
    with closing(_connect(folder / CATALOGUE_NAME)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for table in _tables(connection):
            connection.execute(f"DROP TABLE {table}")
        connection.executemany(
            "DELETE FROM meta WHERE key = ?", [(f"last_number_{side}",) for side in SIDES]
        )
        connection.execute("COMMIT")


def holds_earlier_work(folder: Path) -> bool:
    """Whether a catalogue holds persons' work still. Raises sqlite3.Error where it cannot be
    read."""
    path = folder / CATALOGUE_NAME
    if not path.is_file():
        return False
    with closing(_connect(path)) as connection:
        return bool(_tables(connection))


def _connect(path: Path) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, timeout=30, isolation_level=None)


def _tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    names = {row[0] for row in rows}
    return [name for name in _TABLES if name in names]
