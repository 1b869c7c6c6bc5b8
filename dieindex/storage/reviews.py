"""Verdicts of persons, kept for ever in the catalogue: rows are added, never changed or removed."""

from __future__ import annotations

from collections.abc import Iterable

from dieindex.records import Review, Side
from dieindex.storage.catalogue import Catalogue

_TABLE = """
CREATE TABLE IF NOT EXISTS reviews (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    coin_a TEXT NOT NULL,
    coin_b TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('obverse', 'reverse')),
    verdict TEXT NOT NULL CHECK (verdict IN ('same', 'different', 'unsure')),
    by TEXT NOT NULL,
    note TEXT NOT NULL,
    time TEXT NOT NULL
)
"""


def add_reviews(catalogue: Catalogue, reviews: Iterable[Review]) -> None:
    """Append reviews, in this order; inside a transaction."""
    catalogue.write(_TABLE)
    for each in reviews:
        catalogue.write(
            "INSERT INTO reviews (coin_a, coin_b, side, verdict, by, note, time)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (each.coin_a, each.coin_b, each.side, each.verdict, each.by, each.note, each.time),
        )


def all_reviews(catalogue: Catalogue, side: Side | None = None) -> list[Review]:
    """Every review that was ever given, the earliest first."""
    if not has_table(catalogue, "reviews"):
        return []
    rows = catalogue.rows(
        "SELECT coin_a, coin_b, side, verdict, by, note, time, id FROM reviews"
        " WHERE ? IS NULL OR side = ? ORDER BY id",
        (side, side),
    )
    return [Review(*row) for row in rows]


def has_table(catalogue: Catalogue, name: str) -> bool:
    """Whether a table is there: those of later versions are made when first needed."""
    query = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?"
    return bool(catalogue.rows(query, (name,))[0][0])
