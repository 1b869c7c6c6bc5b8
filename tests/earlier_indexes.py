"""Index folders as earlier versions of dieindex left them: persons' work in the catalogue."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

TABLES = """
CREATE TABLE reviews (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    coin_a TEXT NOT NULL, coin_b TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('obverse', 'reverse')),
    verdict TEXT NOT NULL CHECK (verdict IN ('same', 'different', 'unsure')),
    by TEXT NOT NULL, note TEXT NOT NULL, time TEXT NOT NULL
);
CREATE TABLE numbers (
    side TEXT NOT NULL, coin TEXT NOT NULL, number INTEGER NOT NULL,
    PRIMARY KEY (side, coin)
) WITHOUT ROWID;
CREATE TABLE adopted (
    side TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL,
    PRIMARY KEY (side, number)
) WITHOUT ROWID;
CREATE TABLE number_changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time TEXT NOT NULL, side TEXT NOT NULL, change TEXT NOT NULL
);
"""
TIME = "2026-01-01T00:00:00Z"
VERDICTS = [
    ("01", "02", "obverse", "same", "me", "", TIME),
    ("01", "02", "obverse", "same", "me", "", TIME),  # given twice in one second
    ("01", "03", "reverse", "different", "you", 'a "gap"', TIME),
    ("01", "02", "obverse", "unsure", "me", "", "2026-01-02T00:00:00Z"),
]
NUMBERS = {"01": 4, "02": 4, "03": 2, "99": 7}
LAST = 12


def put_earlier_work(folder: Path) -> None:
    """Put verdicts, numbers, names and changes into the folder's catalogue, made where missing."""
    with closing(sqlite3.connect(folder / "catalogue.sqlite")) as raw, raw:
        raw.executescript(
            "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)"
            " WITHOUT ROWID;" + TABLES
        )
        raw.executemany(
            "INSERT INTO reviews (coin_a, coin_b, side, verdict, by, note, time)"
            " VALUES (?,?,?,?,?,?,?)",
            VERDICTS,
        )
        raw.executemany("INSERT INTO numbers VALUES ('obverse', ?, ?)", NUMBERS.items())
        raw.execute("INSERT INTO adopted VALUES ('obverse', 4, 'A')")
        raw.execute("INSERT INTO number_changes VALUES (1, ?, 'obverse', 'A is new: 01')", (TIME,))
        raw.execute("INSERT INTO meta VALUES ('last_number_obverse', ?)", (str(LAST),))


def earlier_tables(folder: Path) -> set[str]:
    """Which of those tables the catalogue still holds."""
    with closing(sqlite3.connect(folder / "catalogue.sqlite")) as raw:
        names = {row[0] for row in raw.execute("SELECT name FROM sqlite_master")}
        keys = {row[0] for row in raw.execute("SELECT key FROM meta WHERE key LIKE 'last_%'")}
    return names & {"reviews", "numbers", "adopted", "number_changes"} | keys
