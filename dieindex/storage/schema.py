"""Every table of an index's files, the versions of their schemas, and how older ones are renewed.

Three SQLite files lie in an index folder. ``reviews.sqlite`` is persons' work and is never thrown
away; what else there is comes from the photographs and may be deleted at any time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field

CATALOGUE_NAME = "catalogue.sqlite"
DETAILS_NAME = "details.sqlite"
REVIEWS_NAME = "reviews.sqlite"
VERDICTS_NAME = "verdicts.csv"
MADE_ANEW = (
    f"delete {CATALOGUE_NAME} and build again; verdicts and die numbers are kept in {REVIEWS_NAME}."
)
"""What to do about a damaged catalogue, once persons' work is apart from it."""


@dataclass(frozen=True)
class Schema:
    """The tables of one file.

    ``statements`` make them; ``migrations`` gives, by version, the statements that turn a file of
    that version into one of the next.
    """

    version: int
    statements: tuple[str, ...]
    migrations: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    def make(self, connection: sqlite3.Connection) -> None:
        """Make the tables in an empty file; inside a transaction."""
        for statement in self.statements:
            connection.execute(statement)
        connection.execute("INSERT INTO meta VALUES ('schema', ?)", (str(self.version),))

    def migrate(self, connection: sqlite3.Connection, version: int) -> None:
        """Bring a file of an older version up to date; inside a transaction. Raises KeyError where
        there is no way."""
        for step in range(version, self.version):
            for statement in self.migrations[step]:
                connection.execute(statement)
        connection.execute("UPDATE meta SET value = ? WHERE key = 'schema'", (str(self.version),))


_META = "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"

REVIEWS = Schema(
    version=1,
    statements=(
        _META,
        # Verdicts as they were given, for ever: rows are added, never changed or removed.
        """CREATE TABLE reviews (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            coin_a TEXT NOT NULL,
            coin_b TEXT NOT NULL,
            side TEXT NOT NULL CHECK (side IN ('obverse', 'reverse')),
            verdict TEXT NOT NULL CHECK (verdict IN ('same', 'different', 'unsure')),
            by TEXT NOT NULL,
            note TEXT NOT NULL,
            time TEXT NOT NULL
        )""",
        "CREATE TRIGGER reviews_stay BEFORE DELETE ON reviews"
        " BEGIN SELECT RAISE(ABORT, 'verdicts are never deleted'); END",
        "CREATE TRIGGER reviews_stay_as_given BEFORE UPDATE ON reviews"
        " BEGIN SELECT RAISE(ABORT, 'verdicts are never changed'); END",
        # The number of each coin's die on a side, also of coins that have vanished.
        """CREATE TABLE numbers (
            side TEXT NOT NULL, coin TEXT NOT NULL, number INTEGER NOT NULL,
            PRIMARY KEY (side, coin)
        ) WITHOUT ROWID""",
        # The highest number ever given on a side: one that is retired is never given again.
        "CREATE TABLE last_numbers (side TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID",
        # The name of a sheet that a number goes by.
        """CREATE TABLE adopted (
            side TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL,
            PRIMARY KEY (side, number)
        ) WITHOUT ROWID""",
        # What became of numbers, as it happened.
        """CREATE TABLE number_changes (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            time TEXT NOT NULL, side TEXT NOT NULL, change TEXT NOT NULL
        )""",
    ),
)
