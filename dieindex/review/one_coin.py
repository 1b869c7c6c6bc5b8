"""Coins that a person says are one: photographs of one specimen under several names.

``one-coin`` is said of both sides at once, and holds as long as it is the last word on both. The
coin then counts once, under the name of its best photograph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from dieindex.records import SIDES, Review, Side
from dieindex.review.verdicts import ONE_COIN, latest
from dieindex.text import natural_key


def leading_coins(
    reviews: Iterable[Review], size_of: Callable[[Sequence[str]], Mapping[str, float]]
) -> dict[str, str]:
    """By the name of a coin that is another one too, the name that leads.

    ``size_of`` gives how large a coin's best photograph shows it, of those coins that are there.
    """
    said: dict[frozenset[str], dict[Side, str]] = {}
    for each in latest(reviews):
        said.setdefault(each.pair, {})[each.side] = each.verdict
    root: dict[str, str] = {}

    def top(coin: str) -> str:
        while root.get(coin, coin) != coin:
            coin = root[coin]
        return coin

    for pair, words in said.items():
        if [*words.values()] == [ONE_COIN] * len(SIDES):
            one, other = sorted(pair, key=natural_key)
            for coin in (one, other):
                root.setdefault(coin, coin)
            root[top(other)] = top(one)
    if not root:
        return {}
    groups: dict[str, list[str]] = {}
    for coin in sorted(root, key=natural_key):
        groups.setdefault(top(coin), []).append(coin)
    size = size_of(list(root))
    found: dict[str, str] = {}
    for coins in groups.values():
        there = [coin for coin in coins if coin in size]
        if there:
            best = max(there, key=lambda coin: size[coin])
            found |= {coin: best for coin in coins if coin != best}
    return found


def under_leading(reviews: Iterable[Review], leading: Mapping[str, str]) -> list[Review]:
    """Verdicts by the names that lead, without those on what is one coin."""
    named = (
        replace(
            each,
            coin_a=leading.get(each.coin_a, each.coin_a),
            coin_b=leading.get(each.coin_b, each.coin_b),
        )
        for each in reviews
    )
    return [each for each in named if each.coin_a != each.coin_b]
