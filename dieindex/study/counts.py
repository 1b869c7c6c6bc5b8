"""The counts that a published die study states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dieindex.records import OBVERSE, REVERSE, Side
from dieindex.study.estimators import Sample
from dieindex.study.material import Material
from dieindex.text import natural_key


@dataclass(frozen=True)
class FrequencyRow:
    """All dies known from this many coins."""

    coins_per_die: int
    dies: tuple[str, ...]

    @property
    def coins(self) -> int:
        return self.coins_per_die * len(self.dies)


@dataclass(frozen=True)
class SideCounts:
    """The numbers of one side. ``unidentified`` coins have no identified die on it."""

    side: Side
    sample: Sample
    unidentified: int
    coins_of: Mapping[str, int]
    """Coins by die, dies in natural order."""

    @property
    def coins_per_die(self) -> float | None:
        return self.sample.n / self.sample.d if self.sample.d else None

    @property
    def singleton_share(self) -> float | None:
        """The share of the dies that are known from one coin."""
        return self.sample.d1 / self.sample.d if self.sample.d else None

    @property
    def frequencies(self) -> list[FrequencyRow]:
        """The die-frequency table, the rarest dies first."""
        rows: dict[int, list[str]] = {}
        for die, count in self.coins_of.items():
            rows.setdefault(count, []).append(die)
        return [FrequencyRow(count, tuple(rows[count])) for count in sorted(rows)]


@dataclass(frozen=True)
class LinkCounts:
    """How the two sides are linked, among the coins whose dies are identified on both."""

    coins: int
    combinations: int
    """Pairs of an obverse and a reverse die."""
    combinations_of_several: int
    """Those known from at least two coins: die duplicates."""
    duplicate_coins: int
    """Coins in such combinations."""
    duplicate_pairs: int
    """Pairs of coins that share both dies."""
    linking_obverses: int
    """Obverse dies coupled with several reverse dies."""
    linking_reverses: int
    groups: int
    """Linked groups (components), a single coupling counted too."""
    largest_group: int
    """Dies in the largest of them."""


@dataclass(frozen=True)
class Counts:
    """``coins`` in the study; the sides that are known; the links where both are."""

    coins: int
    several_photographs: int
    sides: Mapping[Side, SideCounts]
    links: LinkCounts | None

    @property
    def reverses_per_obverse(self) -> float | None:
        """r/o, where both are known."""
        if OBVERSE in self.sides and REVERSE in self.sides:
            return self.sides[REVERSE].sample.d / self.sides[OBVERSE].sample.d
        return None


def combinations(material: Material) -> Counter[tuple[str, str]]:
    """Coins of every pair of an obverse and a reverse die."""
    found: Counter[tuple[str, str]] = Counter()
    for coin in material.coins:
        obverse, reverse = coin.die(OBVERSE), coin.die(REVERSE)
        if obverse is not None and reverse is not None:
            found[obverse, reverse] += 1
    return found


def count(material: Material) -> Counts:
    """Every coin once, however many photographs or rows there are of it."""
    sides = {}
    for side in material.sides:
        members = material.members(side)
        of = {die: len(members[die]) for die in sorted(members, key=natural_key)}
        sample = Sample.of(of.values())
        sides[side] = SideCounts(side, sample, len(material.coins) - sample.n, of)
    several = sum(len(coin.photographs) > 1 for coin in material.coins)
    links = _links(combinations(material)) if len(sides) == 2 else None
    return Counts(len(material.coins), several, sides, links)


def _links(coupled: Counter[tuple[str, str]]) -> LinkCounts | None:
    if not coupled:
        return None
    groups = components(list(coupled))
    obverses = Counter(obverse for obverse, _ in coupled)
    reverses = Counter(reverse for _, reverse in coupled)
    several = [coins for coins in coupled.values() if coins > 1]
    return LinkCounts(
        coins=coupled.total(),
        combinations=len(coupled),
        combinations_of_several=len(several),
        duplicate_coins=sum(several),
        duplicate_pairs=sum(coins * (coins - 1) // 2 for coins in several),
        linking_obverses=sum(partners > 1 for partners in obverses.values()),
        linking_reverses=sum(partners > 1 for partners in reverses.values()),
        groups=len(groups),
        largest_group=max(groups),
    )


def components(edges: Sequence[tuple[str, str]]) -> list[int]:
    """Dies in every linked group that combinations make, the smallest group first."""
    parent: dict[tuple[int, str], tuple[int, str]] = {}

    def root(node: tuple[int, str]) -> tuple[int, str]:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for obverse, reverse in edges:
        parent[root((0, obverse))] = root((1, reverse))
    return sorted(Counter(root(node) for node in list(parent)).values())
