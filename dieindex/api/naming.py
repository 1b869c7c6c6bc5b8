"""A die's name, as a person gives it."""

from __future__ import annotations

from dataclasses import replace

from dieindex.api.index import Index
from dieindex.clustering.numbering import die_name, numbers_named
from dieindex.errors import UsageError
from dieindex.records import DIE_PREFIX, Side
from dieindex.review.verdicts import now
from dieindex.storage.die_numbers import die_numbers, keep_die_numbers
from dieindex.storage.folder import locked
from dieindex.storage.reviews import ReviewStore

LONGEST_NAME = 60
"""Letters."""


def name_die(index: Index, side: Side, die: str, name: str) -> None:
    """Have a die go by another name; its own (``O7``) takes the other away. No coin moves.

    Raises UsageError for a die that was not found, a name that is none, and one that another die
    has.
    """
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise UsageError(f"A die's name has 1 to {LONGEST_NAME} letters.")
    with locked(index.folder), ReviewStore.open(index.folder, write=True) as kept:
        known = die_numbers(kept, side)
        numbers = sorted(set(known.numbers.values()))
        names = {number: die_name(number, side, known.adopted) for number in numbers}
        named = [number for number, each in names.items() if each == die]
        if not named:
            raise UsageError(f"{die}: no {side} die of this name is kept; look at the dies again.")
        number = named[0]
        taken = {each.casefold() for other, each in names.items() if other != number}
        own = numbers_named([name], side)
        if name.casefold() in taken or (own and own != {number}):
            raise UsageError(f"{name}: is another die's name; choose one that is free.")
        # (A die that may come back does not find its name taken, but its own number.)
        adopted = {
            key: value
            for key, value in known.adopted.items()
            if key != number and value.casefold() != name.casefold()
        }
        if not own:
            adopted[number] = name
        told = f"{DIE_PREFIX[side]}{number} goes by {adopted.get(number, 'its own name')}"
        keep_die_numbers(kept, side, replace(known, adopted=adopted), [told], now())
