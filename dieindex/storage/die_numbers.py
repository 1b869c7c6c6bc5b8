"""Die numbers that last: the number of each coin's die, and what became of numbers.

Persons write them into books, so they lie with persons' work in ``reviews.sqlite``, as a history:
what is given is added, and nothing is ever changed or removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dieindex.records import Side
from dieindex.storage.number_file import NumberEntry
from dieindex.storage.reviews import ReviewStore
from dieindex.storage.schema import CHANGE, LAST, NAME, NUMBER


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
    """Add what is new of a side's numbers and adopted names to what was kept before, and what
    changed in words, all or nothing; nothing where all is as it was."""
    known = die_numbers(kept, side)
    entries = [
        NumberEntry(side, NUMBER, coin, number, time=time)
        for coin, number in found.numbers.items()
        if known.numbers.get(coin) != number
    ]
    entries += [
        NumberEntry(side, NAME, "", number, found.adopted.get(number, ""), time)
        for number in sorted({*known.adopted, *found.adopted})
        if known.adopted.get(number) != found.adopted.get(number)
    ]
    if found.last > max([known.last, *found.numbers.values()]):
        entries.append(NumberEntry(side, LAST, "", found.last, time=time))
    entries += [NumberEntry(side, CHANGE, text=change, time=time) for change in changes]
    kept.add_numbers(entries)
