"""Die numbers that last: the number of each coin's die, and what became of numbers.

Persons write them into books, so they lie with persons' work in ``reviews.sqlite``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dieindex.records import Side
from dieindex.storage.reviews import ReviewStore


@dataclass(frozen=True)
class DieNumbers:
    """Die numbers of one side by coin (also of coins that have vanished), the last number that was
    ever given, and adopted names by number."""

    numbers: Mapping[str, int] = field(default_factory=dict)
    last: int = 0
    adopted: Mapping[int, str] = field(default_factory=dict)


def die_numbers(kept: ReviewStore, side: Side) -> DieNumbers:
    """A side's die numbers as they were last kept."""
    if not kept.has_tables():
        return DieNumbers()
    numbers: dict[str, int] = dict(
        kept.rows("SELECT coin, number FROM numbers WHERE side = ?", (side,))
    )
    adopted: dict[int, str] = dict(
        kept.rows("SELECT number, name FROM adopted WHERE side = ?", (side,))
    )
    last = kept.rows("SELECT number FROM last_numbers WHERE side = ?", (side,))
    highest = max([*numbers.values(), *(row[0] for row in last)], default=0)
    return DieNumbers(numbers, highest, adopted)


def keep_die_numbers(
    kept: ReviewStore, side: Side, found: DieNumbers, changes: Iterable[str], time: str
) -> None:
    """Keep a side's numbers in place of those before, and what changed, all or nothing."""
    with kept.transaction():
        kept.write("DELETE FROM numbers WHERE side = ?", (side,))
        kept.write_many(
            "INSERT INTO numbers VALUES (?, ?, ?)",
            [(side, coin, number) for coin, number in found.numbers.items()],
        )
        kept.write("DELETE FROM adopted WHERE side = ?", (side,))
        kept.write_many(
            "INSERT INTO adopted VALUES (?, ?, ?)",
            [(side, number, name) for number, name in found.adopted.items()],
        )
        kept.write_many(
            "INSERT INTO number_changes (time, side, change) VALUES (?, ?, ?)",
            [(time, side, change) for change in changes],
        )
        kept.write(
            "INSERT INTO last_numbers VALUES (?, ?)"
            " ON CONFLICT (side) DO UPDATE SET number = max(number, excluded.number)",
            (side, found.last),
        )
