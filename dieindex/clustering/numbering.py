"""Names of dies: O1, O2 … on the obverse, R1, R2 … on the reverse, that last.

Numbers are given once. The first time, the die with most coins is number 1; among equals the one
with the first coin in natural order. When coins are added, reviewed or clustered anew, a number
stays with the larger part of the coins it had, and where several numbers come together in one die
the oldest (smallest) is its number. The others are never given again.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dieindex.records import DIE_PREFIX, Side
from dieindex.text import natural_key


def name_dies(labels: Iterable[Hashable], coins: Sequence[str], side: Side) -> list[str]:
    """Name of each coin's die, in the order of ``coins``, where none has a number yet.

    ``labels`` and ``coins`` have one entry a coin; raises ValueError where they differ in length or
    a coin occurs twice.
    """
    numbers = number_dies(labels, coins, Numbering({}, 0)).numbers
    return [f"{DIE_PREFIX[side]}{numbers[coin]}" for coin in coins]


Kind = Literal["new", "grown", "merged", "split", "moved"]


@dataclass(frozen=True)
class Numbering:
    """Die numbers by coin, of present and of vanished ones, and the ``last`` number ever given."""

    numbers: Mapping[str, int]
    last: int


@dataclass(frozen=True)
class Change:
    """What became of a die's number since the clustering before.

    ``new``: the die ``number`` of coins not seen before. ``grown``: new ``coins`` came to it.
    ``merged``: the numbers ``others`` are now this die. ``split``: it was part of ``others[0]``.
    ``moved``: ``coins`` came from the dies ``others``, which go on.
    """

    kind: Kind
    number: int
    coins: tuple[str, ...]
    others: tuple[int, ...] = ()


def number_dies(
    labels: Iterable[Hashable],
    coins: Sequence[str],
    before: Numbering,
    *,
    reserved: Iterable[int] = (),
) -> Numbering:
    """Numbers of the coins' dies that go on from those ``before``; see the top of this module.

    Coins that are no longer there keep the number they had. ``reserved`` numbers are not given
    anew. Raises ValueError as ``name_dies`` does.
    """
    members = _members(list(labels), coins)
    parts: dict[int, Counter[Hashable]] = defaultdict(Counter)
    for label, cluster in members.items():
        for coin in cluster:
            if coin in before.numbers:
                parts[before.numbers[coin]][label] += 1
    first = {label: min(map(natural_key, cluster)) for label, cluster in members.items()}
    heir: dict[Hashable, int] = {}
    for number in sorted(parts):
        share = parts[number]
        label = min(share, key=lambda each: (-share[each], first[each]))
        heir.setdefault(label, number)
    last, kept_free = before.last, set(reserved)
    fresh = [label for label in members if label not in heir]
    for label in sorted(fresh, key=lambda each: (-len(members[each]), first[each])):
        last += 1
        while last in kept_free:
            last += 1
        heir[label] = last
    numbers = dict(before.numbers)
    numbers |= {coin: heir[label] for label, cluster in members.items() for coin in cluster}
    return Numbering(numbers, last)


def _members(labels: list[Hashable], coins: Sequence[str]) -> dict[Hashable, list[str]]:
    if len(labels) != len(coins) or len(set(coins)) != len(coins):
        raise ValueError("naming dies needs one label a coin and every coin once")
    members: dict[Hashable, list[str]] = defaultdict(list)
    for label, coin in zip(labels, coins, strict=True):
        members[label].append(coin)
    return members


def changes(before: Numbering, after: Numbering, coins: Iterable[str]) -> list[Change]:
    """What changed for the present ``coins``, by number; nothing where all is as it was, nor where
    nothing was there before."""
    if not before.numbers:
        return []
    present = list(coins)
    was: dict[int, list[str]] = defaultdict(list)
    now: dict[int, list[str]] = defaultdict(list)
    for coin in present:
        now[after.numbers[coin]].append(coin)
        if coin in before.numbers:
            was[before.numbers[coin]].append(coin)
    found: list[Change] = []
    for number in sorted(now):
        cluster = sorted(now[number], key=natural_key)
        fresh = tuple(coin for coin in cluster if coin not in before.numbers)
        came: dict[int, list[str]] = defaultdict(list)
        for coin in cluster:
            old = before.numbers.get(coin)
            if old is not None and old != number:
                came[old].append(coin)
        ended = tuple(old for old in sorted(came) if old not in now)
        going_on = tuple(old for old in sorted(came) if old in now)
        if number not in was:
            if not came:
                found.append(Change("new", number, tuple(cluster)))
                continue
            largest = max(sorted(came), key=lambda old: len(came[old]))
            found.append(Change("split", number, tuple(came[largest]), (largest,)))
            ended = tuple(old for old in ended if old != largest)
            going_on = tuple(old for old in going_on if old != largest)
        if ended:
            merged = tuple(coin for old in ended for coin in came[old])
            found.append(Change("merged", number, merged, ended))
        if going_on:
            moved = tuple(coin for old in going_on for coin in came[old])
            found.append(Change("moved", number, moved, going_on))
        if fresh and number in was:
            found.append(Change("grown", number, fresh))
    return found


def adopt_names(
    after: Numbering, sheet: Mapping[str, str], side: Side
) -> tuple[Numbering, dict[int, str]]:
    """Names of a labelled sheet (coin → die) for the numbers of dies, and the numbers then.

    Each name goes to the die that holds most of its coins, each die gets at most one name, the
    largest overlaps first. No coin moves. A die without a sheet's name, whose number is the name of
    another die now, gets a new number.
    """
    numbers = after.numbers
    overlap = Counter((numbers[coin], name) for coin, name in sheet.items() if coin in numbers)
    adopted: dict[int, str] = {}
    taken: set[str] = set()
    for (number, name), _ in sorted(
        overlap.items(), key=lambda item: (-item[1], natural_key(item[0][1]), item[0][0])
    ):
        if number not in adopted and name not in taken:
            adopted[number] = name
            taken.add(name)
    reserved = numbers_named(taken, side)
    last, renumbered = after.last, {}
    for number in sorted(set(numbers.values())):
        if number in reserved and number not in adopted:
            last += 1
            while last in reserved:
                last += 1
            renumbered[number] = last
    moved = {coin: renumbered.get(number, number) for coin, number in numbers.items()}
    return Numbering(moved, last), adopted


def numbers_named(names: Iterable[str], side: Side) -> set[int]:
    """The numbers whose own names (``O7``) are among ``names``."""
    found = (re.fullmatch(DIE_PREFIX[side] + "([1-9][0-9]{0,8})", name) for name in names)
    return {int(match[1]) for match in found if match}


def die_name(number: int, side: Side, adopted: Mapping[int, str]) -> str:
    """``O7``, or the name that was adopted for it."""
    return adopted.get(number, f"{DIE_PREFIX[side]}{number}")
