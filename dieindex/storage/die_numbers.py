"""Die numbers that last: the number of each coin's die, and what became of numbers.

Persons write them into books, so they lie with persons' work in ``reviews.sqlite``, as a history:
what is given is added, and nothing is ever changed or removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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


def earlier_numbers(kept: ReviewStore, side: Side) -> Iterator[Mapping[str, int]]:
    """A side's die numbers by coin (0: none) as they were before each time that they were kept, the
    latest first. Each is good until the next is asked for."""
    if not kept.has_tables():
        return
    numbers: dict[str, int] = {}
    replaced: list[dict[str, int]] = []
    last = 0
    for entry, coin, number in kept.rows(
        "SELECT id, coin, number FROM number_log WHERE what = ? AND side = ? ORDER BY id",
        (NUMBER, side),
    ):
        # (What is kept at once stands in one piece, each coin once.)
        if not replaced or entry != last + 1 or coin in replaced[-1]:
            replaced.append({})
        replaced[-1][coin] = numbers.get(coin, 0)
        numbers[coin], last = number, entry
    for each in reversed(replaced):
        numbers |= each
        yield numbers


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
