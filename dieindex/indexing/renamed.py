"""Coins whose pictures were renamed or moved: what persons said of them goes along."""

from __future__ import annotations

import time
from dataclasses import dataclass

from dieindex.records import SIDES
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.coin_names import (
    Pictures,
    entries_of,
    known_pictures,
    new_names,
    pictures_entry,
)
from dieindex.storage.die_numbers import die_numbers
from dieindex.storage.reviews import ReviewStore
from dieindex.text import some_of


@dataclass(frozen=True)
class CoinsBefore:
    """The coins as a build found them: those that persons' work is about, with the ``known``
    pictures of each, and the pictures of ``all_`` that were in the catalogue."""

    known: Pictures
    all_: Pictures


def coins_before(catalogue: Catalogue) -> CoinsBefore:
    """Note by which pictures the coins of persons' work are known, as the last build left them."""
    here = catalogue.pictures_of_coins()
    with ReviewStore.open(catalogue.path.parent, write=True) as kept:
        known = known_pictures(kept)
        if catalogue.meta("generation") is None:
            # A build that was broken off gave pictures other names, perhaps, and told nobody yet.
            return CoinsBefore(known, {})
        named = {coin for review in kept.reviews() for coin in review.pair}
        for side in SIDES:
            named |= set(die_numbers(kept, side).numbers)
        new = {coin: frozenset(here[coin]) for coin in sorted(named & set(here))}
        new = {coin: pictures for coin, pictures in new.items() if pictures != known.get(coin)}
        kept.add_numbers([pictures_entry(coin, pictures) for coin, pictures in new.items()])
    return CoinsBefore({**known, **new}, here)


def follow_renamed(catalogue: Catalogue, before: CoinsBefore) -> list[str]:
    """Give persons' work the coins' names of today, and say which changed."""
    now = catalogue.pictures_of_coins()
    names = new_names(before.known, before.all_, now)
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    with ReviewStore.open(catalogue.path.parent, write=True) as kept:
        numbers = {side: die_numbers(kept, side).numbers for side in SIDES}
        kept.add_numbers(entries_of(names, numbers, before.known, now, moment))
    if not names:
        return []
    listed = some_of([f"{old} is {new}" for old, new in names.items()])
    return [f"Pictures have other names now: coin {listed}; verdicts and die numbers go with them."]
