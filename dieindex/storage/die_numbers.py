"""What a clustering leaves behind in the catalogue: die numbers, their changes, and outcomes.

- ``numbers``: the number of each coin's die on a side, also of coins that have vanished.
- ``adopted``: the name of a sheet that a number goes by.
- ``number_changes``: what became of numbers, as it happened.
- ``outcomes``: what the parts of the graph became, by their digests, so that only what changed is
  computed anew. Only a cache: emptying it loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from dieindex.records import Side
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.reviews import has_table

_TABLES = """
CREATE TABLE IF NOT EXISTS numbers (
    side TEXT NOT NULL, coin TEXT NOT NULL, number INTEGER NOT NULL,
    PRIMARY KEY (side, coin)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS adopted (
    side TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL,
    PRIMARY KEY (side, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS number_changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time TEXT NOT NULL, side TEXT NOT NULL, change TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS outcomes (
    side TEXT NOT NULL, digest BLOB NOT NULL, labels BLOB NOT NULL,
    PRIMARY KEY (side, digest)
) WITHOUT ROWID
"""
_MOST_KEPT = 8 << 20
"""Bytes of outcomes read at most: what is stored may have been tampered with."""


def make_tables(catalogue: Catalogue) -> None:
    """Make what is not there yet; inside a transaction."""
    for statement in _TABLES.split(";"):
        catalogue.write(statement)


def stored_numbers(catalogue: Catalogue, side: Side) -> tuple[dict[str, int], int, dict[int, str]]:
    """Die numbers by coin, the last number ever given, and adopted names by number."""
    if not has_table(catalogue, "numbers"):
        return {}, 0, {}
    numbers = dict(catalogue.rows("SELECT coin, number FROM numbers WHERE side = ?", (side,)))
    adopted = dict(catalogue.rows("SELECT number, name FROM adopted WHERE side = ?", (side,)))
    last = catalogue.meta(f"last_number_{side}")
    highest = max(numbers.values(), default=0)
    return numbers, max(highest, int(last) if last and last.isdecimal() else 0), adopted


def keep_numbers(
    catalogue: Catalogue,
    side: Side,
    numbers: Mapping[str, int],
    last: int,
    adopted: Mapping[int, str],
    changes: Iterable[str],
    time: str,
) -> None:
    """Replace a side's numbers and append what changed; inside a transaction."""
    make_tables(catalogue)
    catalogue.write("DELETE FROM numbers WHERE side = ?", (side,))
    for coin, number in numbers.items():
        catalogue.write("INSERT INTO numbers VALUES (?, ?, ?)", (side, coin, number))
    catalogue.write("DELETE FROM adopted WHERE side = ?", (side,))
    for number, name in adopted.items():
        catalogue.write("INSERT INTO adopted VALUES (?, ?, ?)", (side, number, name))
    for change in changes:
        catalogue.write(
            "INSERT INTO number_changes (time, side, change) VALUES (?, ?, ?)", (time, side, change)
        )
    catalogue.set_meta(f"last_number_{side}", str(last))


def change_log(catalogue: Catalogue, side: Side) -> list[tuple[str, str]]:
    """When and how die numbers of a side changed, the earliest first."""
    if not has_table(catalogue, "number_changes"):
        return []
    return list(
        catalogue.rows(
            "SELECT time, change FROM number_changes WHERE side = ? ORDER BY id", (side,)
        )
    )


def stored_outcomes(catalogue: Catalogue, side: Side) -> dict[bytes, np.ndarray]:
    """Labels of parts of the graph by digest."""
    if not has_table(catalogue, "outcomes"):
        return {}
    rows = catalogue.rows("SELECT digest, labels FROM outcomes WHERE side = ?", (side,))
    if sum(len(labels) for _, labels in rows) > _MOST_KEPT:
        return {}
    return {
        bytes(digest): np.frombuffer(labels, np.int32)
        for digest, labels in rows
        if len(labels) % 4 == 0
    }


def keep_outcomes(catalogue: Catalogue, side: Side, outcomes: Mapping[bytes, np.ndarray]) -> None:
    """Replace what is kept; inside a transaction."""
    make_tables(catalogue)
    catalogue.write("DELETE FROM outcomes WHERE side = ?", (side,))
    for digest, labels in outcomes.items():
        kept = labels.astype(np.int32).tobytes()
        catalogue.write("INSERT INTO outcomes VALUES (?, ?, ?)", (side, digest, kept))
