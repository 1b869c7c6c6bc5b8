"""Coins moved between dies by a person: as the arrangement that is wanted."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from dieindex.api.dies import Dies
from dieindex.errors import CollectionError, UsageError
from dieindex.review.moves import Arrangement


def merged(dies: Dies, die: str, other: str) -> Arrangement:
    """Two dies as one. Raises UsageError for a die with itself, CollectionError for an unknown
    one."""
    if die == other:
        raise UsageError(f"{die} is one die already; choose two.")
    return Arrangement.of(dies.side, [_surest_first(dies, [*_of(dies, die), *_of(dies, other)])])


def moved(dies: Dies, coins: Iterable[str], to: str | None) -> Arrangement:
    """Coins taken to another die, or to one of their own (None). What is left of their dies stays
    together, and no other die comes to any of these. Raises CollectionError for unknown coins and
    dies, UsageError where nothing would move."""
    wanted = list(dict.fromkeys(coins))
    die_of = dies.die_of
    for coin in wanted:
        if coin not in die_of:
            raise CollectionError(f"{coin} shows no {dies.side} in this index.")
    if not wanted:
        raise UsageError("Choose the coins that are to be moved.")
    sources = dict.fromkeys(die_of[coin] for coin in wanted)
    if to is None:
        rest = [[c for c in _of(dies, die) if c not in wanted] for die in sources]
        if not any(rest):
            raise UsageError("These coins are a die of their own already.")
        there: list[str] = []
    else:
        there = _of(dies, to)
        if all(coin in there for coin in wanted):
            raise UsageError(f"These coins are in {to} already.")
        rest = [[c for c in _of(dies, die) if c not in wanted] for die in sources if die != to]
    goal = _surest_first(dies, there) + [
        coin for coin in _surest_first(dies, wanted) if coin not in there
    ]
    changed = [goal, *(_surest_first(dies, each) for each in rest)]
    return Arrangement.of(dies.side, [*changed, *_beside(dies, changed)])


def surest_first(dies: Dies, die: str) -> list[str]:
    """The coins of a die, the surest first. Raises CollectionError for an unknown one."""
    return _surest_first(dies, _of(dies, die))


def held(dies: Dies) -> set[str]:
    """The dies of several coins that persons' verdicts alone hold together."""
    root = np.arange(len(dies.coins))

    def find(at: int) -> int:
        while root[at] != at:
            root[at] = root[root[at]]
            at = int(root[at])
        return at

    for one, other in dies.graph.together.tolist():
        root[find(one)] = find(other)
    seen: dict[str, set[int]] = {}
    for at, name in enumerate(dies.names):
        seen.setdefault(name, set()).add(find(at))
    return {
        name for name, roots in seen.items() if len(roots) == 1 and len(dies.clusters[name]) > 1
    }


def _beside(dies: Dies, changed: Iterable[Iterable[str]]) -> list[list[str]]:
    """Other dies that might come to these when coins move: such as pictures speak for, and such as
    persons held apart from coins that may be elsewhere now."""
    named = {coin for coins in changed for coin in coins}
    inside = np.array([coin in named for coin in dies.coins], bool)
    graph, likely = dies.graph, dies.graph.weight > 0
    pairs = np.column_stack([graph.first[likely], graph.second[likely]])
    pairs = np.concatenate([pairs, graph.apart])
    ends = pairs[inside[pairs[:, 0]] != inside[pairs[:, 1]]].ravel()
    found = sorted({dies.names[place] for place in ends[~inside[ends]].tolist()})
    return [_surest_first(dies, _of(dies, die)) for die in found]


def _of(dies: Dies, die: str) -> list[str]:
    if die not in dies.clusters:
        raise CollectionError(f"There is no {dies.side} die {die} now; look at the dies again.")
    return list(dies.clusters[die])


def _surest_first(dies: Dies, coins: list[str]) -> list[str]:
    sure = dict(zip(dies.coins, dies.certainty.tolist(), strict=True))
    return sorted(coins, key=lambda coin: -sure[coin])
