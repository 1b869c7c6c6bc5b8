"""What a person says by arranging coins into dies, in verdicts on pairs.

A die is told by its first coin: coins of it are of one die with that coin, and two dies are
different where their first coins are. So a few verdicts hold an arrangement, and what is asked for
is only what the dies do not show already.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from dieindex.records import Review, Side
from dieindex.review.verdicts import Word, latest


@dataclass(frozen=True)
class Statement:
    """That two coins are of one die, or of two."""

    coin_a: str
    coin_b: str
    verdict: Word


@dataclass(frozen=True)
class Arrangement:
    """Coins as a person sorts them: each of ``dies`` names the coins of one, that first which
    stands for them. Coins not named may be of any."""

    side: Side
    dies: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, side: Side, dies: Iterable[Iterable[str]]) -> Arrangement:
        """Without dies that have no coin. Raises ValueError where a coin is in two."""
        kept = tuple(tuple(dict.fromkeys(coins)) for coins in dies)
        kept = tuple(coins for coins in kept if coins)
        named = [coin for coins in kept for coin in coins]
        if len(named) != len(set(named)):
            raise ValueError("a coin is in one die only")
        return cls(side, kept)


def missing(wanted: Arrangement, die_of: Mapping[str, Hashable]) -> list[Statement]:
    """What has to be said so that dies become as ``wanted``; nothing where they are. ``die_of`` is
    the die of each coin now."""
    found = []
    for coins in wanted.dies:
        first = coins[0]
        found += [
            Statement(first, coin, "same") for coin in coins[1:] if die_of[coin] != die_of[first]
        ]
    shown = [{die_of[coin] for coin in coins} for coins in wanted.dies]
    for place, coins in enumerate(wanted.dies):
        found += [
            Statement(coins[0], wanted.dies[other][0], "different")
            for other in range(place)
            if shown[place] & shown[other]
        ]
    return found


def unheld(coins: Sequence[str], side: Side, reviews: Iterable[Review]) -> list[Statement]:
    """What has to be said so that persons' verdicts alone hold all coins of a die together: of its
    first coin with each that none yet joins to it."""
    root = {coin: coin for coin in coins}

    def find(coin: str) -> str:
        while root[coin] != coin:
            coin = root[coin]
        return coin

    for each in latest(reviews):
        if each.side == side and each.verdict == "same" and each.pair <= root.keys():
            root[find(each.coin_a)] = find(each.coin_b)
    found = []
    for coin in coins[1:]:
        if find(coin) != find(coins[0]):
            found.append(Statement(coins[0], coin, "same"))
            root[find(coin)] = find(coins[0])
    return found
