"""Names of coins that changed: what persons said of a coin goes with its pictures.

A coin is called by its pictures' names, and known by their content. Where pictures are renamed or
moved, the history in ``reviews.sqlite`` notes the coin's name from then on; verdicts given before
are read under it, and stand as they were given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import groupby

from dieindex.records import SIDES, Review, Side
from dieindex.storage.database import Database
from dieindex.storage.number_file import NumberEntry
from dieindex.storage.schema import COIN, NUMBER, PICTURES
from dieindex.text import natural_key

Pictures = Mapping[str, Set[str]]
"""By coin, digests of its pictures."""


@dataclass(frozen=True)
class Renaming:
    """What coins were called before and from then on, all at one ``time``."""

    time: str
    names: Mapping[str, str]


def renamings(kept: Database) -> list[Renaming]:
    """Every renaming of coins, the earliest first."""
    rows = kept.rows("SELECT time, coin, text FROM number_log WHERE what = ? ORDER BY id", (COIN,))
    return [
        Renaming(time, {old: new for _, old, new in group})
        for time, group in groupby(rows, key=lambda row: row[0])
    ]


def name_today(coin: str, renamed: Iterable[Renaming], since: str = "") -> str:
    """What a coin is called now that was called so at the time ``since`` (ISO 8601; at first)."""
    for each in renamed:
        if each.time >= since:
            coin = each.names.get(coin, coin)
    return coin


def under_names_of_today(reviews: Iterable[Review], renamed: Sequence[Renaming]) -> list[Review]:
    """Verdicts with the coins' names of today, without those on coins that turned out to be one."""
    if not renamed:
        return list(reviews)
    named = (
        replace(
            each,
            coin_a=name_today(each.coin_a, renamed, each.time),
            coin_b=name_today(each.coin_b, renamed, each.time),
        )
        for each in reviews
    )
    return [each for each in named if each.coin_a != each.coin_b]


def known_pictures(kept: Database) -> dict[str, frozenset[str]]:
    """By which pictures coins were last known, those of which anything was said or numbered."""
    rows = kept.rows(
        "SELECT coin, text, max(id) FROM number_log WHERE what = ? GROUP BY coin", (PICTURES,)
    )
    return {coin: frozenset(text.split()) for coin, text, _ in rows if text}


def new_names(known: Pictures, before: Pictures, now: Pictures) -> dict[str, str]:
    """What coins are called now whose pictures bear other names, by what they were called.

    ``known`` are the pictures of coins before and ``now`` those of all coins. A coin that still
    shows one of its pictures stays what it is. Another goes with most of them; to a coin that
    showed the same picture ``before`` it does not go. Where several coins have one picture, the
    first in natural order goes to the first.
    """
    places: dict[str, set[str]] = {}
    for coin, pictures in now.items():
        for picture in pictures:
            places.setdefault(picture, set()).add(coin)
    found: dict[str, str] = {}
    taken: set[str] = set()
    for coin in sorted(known, key=natural_key):
        pictures = known[coin]
        if pictures & now.get(coin, frozenset()):
            continue
        shares: dict[str, int] = {}
        for picture in pictures:
            for other in places.get(picture, ()):
                if picture not in before.get(other, ()):
                    shares[other] = shares.get(other, 0) + 1
        if shares:
            found[coin] = min(
                shares, key=lambda other: (other in taken, -shares[other], natural_key(other))
            )
            taken.add(found[coin])
    return found


def entries_of(
    names: Mapping[str, str],
    numbers: Mapping[Side, Mapping[str, int]],
    known: Pictures,
    now: Pictures,
    time: str,
) -> list[NumberEntry]:
    """What is to be added to the history: coins have other ``names``, and with them the die numbers
    they had (``numbers`` by side); the pictures that coins with work are known by are those of
    ``now``."""
    entries = [NumberEntry("", COIN, old, text=new, time=time) for old, new in names.items()]
    for side in SIDES:
        had = numbers.get(side, {})
        given = {
            new: had[old]
            for old, new in reversed(list(names.items()))
            if old in had and (new not in had or new in names)
        }
        given |= {old: 0 for old in names if old in had and old not in given}
        entries += [
            NumberEntry(side, NUMBER, coin, number, time=time)
            for coin, number in given.items()
            if had.get(coin, 0) != number
        ]
    worked_on = {names.get(coin, coin) for coin in known} | set(names)
    for coin in sorted(worked_on, key=natural_key):
        pictures = now.get(coin, frozenset() if coin in names else known.get(coin, frozenset()))
        if pictures != known.get(coin, frozenset()):
            entries.append(pictures_entry(coin, pictures, time))
    return entries


def pictures_entry(coin: str, pictures: Set[str], time: str = "") -> NumberEntry:
    """By which pictures a coin is known from then on."""
    return NumberEntry("", PICTURES, coin, text=" ".join(sorted(pictures)), time=time)
