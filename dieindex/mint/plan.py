"""The plan of a collection: everything decided before the first die is engraved.

Each part samples from its own generator, keyed by the collection's seed, the kind of decision and a
number, so that no decision disturbs another and any face can be made by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dieindex.mint.links import Links, StruckCoin, sample_links
from dieindex.mint.metals import PATINAS
from dieindex.mint.order import TEST_TYPES, CollectionOrder
from dieindex.mint.store import DieOrder
from dieindex.records import DIE_PREFIX, REVERSE, SIDES, Side

_LINKS, _TYPES, _DIES, _SOURCES, _COINS, _PHOTOGRAPHS, _SECOND, _METALS, _AGEING = range(9)
_COINS_A_SOURCE = 9


@dataclass(frozen=True)
class PlannedPhotograph:
    """One photographing of one coin: ``take`` 0 is the first, 1 a later one by another source."""

    stem: str
    coin: int
    take: int
    source: int
    swapped: bool
    aged: bool
    """Taken years later, when the coin had changed a little."""


@dataclass(frozen=True)
class Plan:
    """A collection before it is struck. ``coin`` numbers count from 0 into ``links.coins``."""

    order: CollectionOrder
    links: Links
    type_seeds: Mapping[Side, tuple[int, ...]]
    photographs: tuple[PlannedPhotograph, ...]
    sources: int

    def coin(self, number: int) -> StruckCoin:
        """The struck coin of this number."""
        return self.links.coins[number]

    def die_name(self, side: Side, number: int) -> str:
        """The label of a die in the sheet: O1, O2, … and R1, R2, …"""
        return f"{DIE_PREFIX[side]}{number + 1}"

    def die_order(self, side: Side, number: int, state: int) -> DieOrder:
        """What the engraver has to make of this die in this state."""
        die = self.links.dies[side][number]
        return DieOrder(
            side=side,
            type_seed=self.type_seeds[side][die.design],
            die_seed=int(self.rng(_DIES, SIDES.index(side), number).integers(2**31)),
            kind=self.order.kind(side),
            die_distance=self.order.die_distance,
            hand=int(self.rng(_DIES, SIDES.index(side), 2**20 + die.hand).integers(2**31)),
            state=state,
        )

    def die_orders(self) -> list[DieOrder]:
        """Every die in every state that strikes a coin, each once."""
        wanted = {
            (side, coin.dies[side], coin.state[side])
            for coin in self.links.coins
            for side in self.order.sides
        }
        return [self.die_order(*key) for key in sorted(wanted)]

    def partners(self) -> dict[tuple[Side, int], DieOrder]:
        """Of each die the opposite one it could have clashed with: that of its earliest coin."""
        found: dict[tuple[Side, int], DieOrder] = {}
        for coin in sorted(self.links.coins, key=lambda coin: coin.time):
            for side, other in (SIDES, SIDES[::-1]):
                key = (side, coin.dies[side])
                if key not in found:
                    found[key] = self.die_order(other, coin.dies[other], coin.state[other])
        return found

    def metal(self, coin: int) -> str:
        """What a coin is made of: one metal a reverse design, as coins are issued."""
        design = self.links.dies[REVERSE][self.coin(coin).dies[REVERSE]].design
        weights: dict[str, float] = {}
        for look in PATINAS.values():
            weights[look.metal] = weights.get(look.metal, 0.0) + look.weight
        names = [name for name, weight in weights.items() if weight > 0]
        chance = np.array([weights[name] for name in names])
        return str(self.rng(_METALS, design).choice(names, p=chance / chance.sum()))

    def coin_rng(self, number: int) -> np.random.Generator:
        """The generator of a coin's blank and fate."""
        return self.rng(_COINS, number, 0)

    def strike_rng(self, number: int, side: Side) -> np.random.Generator:
        """The generator of one face of a coin."""
        return self.rng(_COINS, number, 1 + SIDES.index(side))

    def photograph_rng(self, photograph: PlannedPhotograph) -> np.random.Generator:
        """The generator of one photographing."""
        return self.rng(_PHOTOGRAPHS, photograph.coin, photograph.take)

    def ageing_rng(self, coin: int) -> np.random.Generator:
        """The generator of what becomes of a coin in the years before its second photograph."""
        return self.rng(_AGEING, coin, 1)

    def source_rng(self, number: int) -> np.random.Generator:
        """The generator of a source's habits."""
        return self.rng(_SOURCES, number)

    def rng(self, *key: int) -> np.random.Generator:
        """The generator of one decision."""
        return np.random.default_rng([self.order.seed, *key])


def make_plan(order: CollectionOrder) -> Plan:
    """Decide dies, links, types, and who photographed what.

    Raises UsageError or MintError for an order that cannot be met.
    """
    order.check()
    rng = np.random.default_rng([order.seed, _LINKS])
    links = sample_links(rng, order.coins, order.obverse_dies, order.reverse_dies, order.types)
    return Plan(
        order=order,
        links=links,
        type_seeds={side: _type_seeds(order, links, side) for side in SIDES},
        photographs=_photographs(order),
        sources=_count_sources(order),
    )


def _type_seeds(order: CollectionOrder, links: Links, side: Side) -> tuple[int, ...]:
    designs = 1 + max(die.design for die in links.dies[side])
    rng = np.random.default_rng([order.seed, _TYPES, SIDES.index(side)])
    chosen = rng.choice(len(TEST_TYPES), designs, replace=False)
    return tuple(TEST_TYPES[int(seed)] for seed in chosen)


def _count_sources(order: CollectionOrder) -> int:
    return max(2, round(order.coins / _COINS_A_SOURCE))


def _photographs(order: CollectionOrder) -> tuple[PlannedPhotograph, ...]:
    """One photograph a coin, then the second ones; a few sources hold most of the coins."""
    rng = np.random.default_rng([order.seed, _SECOND])
    sources = _count_sources(order)
    weights = rng.lognormal(0, 1, sources)
    chance = weights / weights.sum()
    seconds = rng.permutation(order.coins)[: round(order.duplicates * order.coins)]
    takes = [(coin, 0) for coin in range(order.coins)] + [(int(c), 1) for c in np.sort(seconds)]
    swaps = set(rng.permutation(len(takes))[: round(order.swapped * len(takes))].tolist())
    ageing = np.random.default_rng([order.seed, _AGEING])
    late = ageing.permutation(len(seconds))[: round(order.years_later * len(seconds))]
    aged = set(np.sort(seconds)[late].tolist())
    digits = max(3, len(str(len(takes))))
    first_source: dict[int, int] = {}
    photographs = []
    for number, (coin, take) in enumerate(takes):
        source = int(rng.choice(sources, p=chance))
        if take == 0:
            first_source[coin] = source
        elif source == first_source[coin]:
            source = (source + 1) % sources  # a resale is photographed by somebody else
        photographs.append(
            PlannedPhotograph(
                f"{number + 1:0{digits}d}",
                coin,
                take,
                source,
                swapped=number in swaps,
                aged=take > 0 and coin in aged,
            )
        )
    return tuple(photographs)
