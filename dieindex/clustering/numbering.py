"""Names of dies: O1, O2 … on the obverse, R1, R2 … on the reverse, that last.

Numbers are given once. The first time, the die with most coins is number 1; among equals the one
with the first coin in natural order. When coins are added, reviewed or clustered anew, a number
stays with the larger part of the coins it had, and where several numbers come together in one die
the oldest (smallest) is its number. The others are given to no other coins; but where dies come
about again as they were once (what joined or parted them was taken back), they have the numbers
that they had then.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
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
    earlier: Iterable[Mapping[str, int]] = (),
) -> Numbering:
    """Numbers of the coins' dies that go on from those ``before``; see the top of this module.

    Coins that are no longer there keep the number they had. ``reserved`` numbers are not given
    anew. ``earlier`` are the numbers by coin (0: none) at moments before, the latest first; they
    are looked at one by one, and only where dies have changed. Raises ValueError as ``name_dies``
    does.
    """
    members = _members(list(labels), coins)
    kept_free = set(reserved)
    parts: dict[int, Counter[Hashable]] = defaultdict(Counter)
    for label, cluster in members.items():
        for coin in cluster:
            if coin in before.numbers:
                parts[before.numbers[coin]][label] += 1
    first = {label: min(map(natural_key, cluster)) for label, cluster in members.items()}
    heir = _returning(members, before.numbers, kept_free, earlier)
    for number in sorted(parts):
        share = parts[number]
        label = min(share, key=lambda each: (-share[each], first[each]))
        heir.setdefault(label, number)
    last = before.last
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


def _returning(
    members: Mapping[Hashable, Sequence[str]],
    before: Mapping[str, int],
    reserved: AbstractSet[int],
    earlier: Iterable[Mapping[str, int]],
) -> dict[Hashable, int]:
    """The numbers of changed dies that are as they were at an ``earlier`` moment: those of then."""
    found: dict[Hashable, int] = {}
    due, holder = _changed(members, before)
    moments = iter(earlier)
    while due and (moment := next(moments, None)) is not None:
        for place, group in list(due.items()):
            then = _as_then(group, members, moment)
            numbers = set(then.values())
            elsewhere = {n for n in numbers if holder.get(n, place) != place}
            if then and not (elsewhere or numbers & reserved or numbers & set(found.values())):
                found |= then
                del due[place]
    return found


def _as_then(
    group: Iterable[Hashable], members: Mapping[Hashable, Sequence[str]], moment: Mapping[str, int]
) -> dict[Hashable, int]:
    """The numbers that these dies had at a moment; nothing where they were others."""
    then: dict[Hashable, int] = {}
    for label in group:
        numbers = {moment.get(coin, 0) for coin in members[label]}
        if len(numbers) > 1 or 0 in numbers:
            return {}
        then[label] = numbers.pop()
    return then if len(set(then.values())) == len(then) else {}


def _changed(
    members: Mapping[Hashable, Sequence[str]], before: Mapping[str, int]
) -> tuple[dict[int, list[Hashable]], dict[int, int]]:
    """The dies that have changed, those in one group between which coins have moved; and the group
    of every number that coins had, also of those that have not changed."""
    had = {label: {before[c] for c in coins if c in before} for label, coins in members.items()}
    sharing: dict[int, list[Hashable]] = defaultdict(list)
    for label, numbers in had.items():
        for number in numbers:
            sharing[number].append(label)
    groups: dict[int, list[Hashable]] = {}
    holder: dict[int, int] = {}
    seen: set[Hashable] = set()
    for place, label in enumerate(members):
        if label in seen:
            continue
        seen.add(label)
        group = [label]
        for each in group:  # (It grows meanwhile.)
            for number in had[each] - holder.keys():
                holder[number] = place
                fresh = [other for other in sharing[number] if other not in seen]
                seen.update(fresh)
                group += fresh
        if len(group) > 1 or len(had[label]) > 1:
            groups[place] = group
    return groups, holder


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
