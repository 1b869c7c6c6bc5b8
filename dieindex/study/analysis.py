"""Everything a study says, computed once from its material; what follows only writes it down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from statistics import mean

from dieindex.errors import CollectionError
from dieindex.records import OBVERSE, REVERSE, Side, other_side
from dieindex.study.attributes import Columns, Known, all_columns, known_of, recognise
from dieindex.study.counts import Counts, SideCounts, combinations, count
from dieindex.study.estimators import (
    Band,
    Coverage,
    Estimate,
    coverage,
    estimates,
    reliability,
)
from dieindex.study.material import Coin, Material
from dieindex.study.ordering import Group, linked_groups, times_of_partners
from dieindex.study.pictures import Gallery, make_gallery
from dieindex.study.reading import one_side_note
from dieindex.study.uncertainty import Doubts, Interval, resample, spread
from dieindex.text import counted, natural_key

COINS_PER_DIE = 20_000
"""Coins struck by a die where a reader states nothing else: an assumption, marked wherever used."""


@dataclass(frozen=True)
class SideStudy:
    """One side: counts, coverage, estimates, and what doubts about attributions change."""

    counts: SideCounts
    coverage: Coverage
    estimates: list[Estimate]
    band: Band | None
    doubts: Doubts
    models: Interval | None
    """From the lowest to the highest estimate."""


@dataclass(frozen=True)
class DieEntry:
    """A die in the catalogue: its coins in catalogue order, and the best preserved first."""

    side: Side
    die: str
    group: int
    coins: tuple[Coin, ...]
    best: tuple[str, ...]
    partners: Mapping[str, int]
    """Coins with each die of the other side, in the order of the chart."""

    @property
    def doubtful(self) -> int:
        return sum(coin.dies[self.side].doubtful for coin in self.coins)


@dataclass(frozen=True, repr=False)
class Study:
    """A whole study. ``dies`` lists the entries of a side in the order of the chart; ``number``
    gives every coin its place in the catalogue, from 1."""

    material: Material
    columns: Columns
    known: Mapping[str, Known]
    counts: Counts
    sides: Mapping[Side, SideStudy]
    groups: tuple[Group, ...]
    dies: Mapping[Side, tuple[DieEntry, ...]]
    number: Mapping[str, int]
    coins: tuple[Coin, ...]
    """In the order of the catalogue."""
    gallery: Gallery
    coins_per_die: int
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        dies = "".join(
            f", {counted(each.counts.sample.d, f'{side} die')}" for side, each in self.sides.items()
        )
        return f"<Study {self.material.title!r}: {counted(self.counts.coins, 'coin')}{dies}>"

    def _repr_html_(self) -> str:
        header = ("", "coins", "dies", "known from one coin", "estimated")
        lines = [f"<p><b>{escape(self.material.title)}</b></p><table>", _row("th", header)]
        for side, each in self.sides.items():
            sample, models = each.counts.sample, each.models
            estimated = "" if models is None else f"{models.low:.0f} to {models.high:.0f}"
            lines.append(_row("td", (f"{side}s", sample.n, sample.d, sample.d1, estimated)))
        return "\n".join([*lines, "</table>"])

    @property
    def leading(self) -> Side:
        """The side by which coins are listed."""
        return OBVERSE if OBVERSE in self.sides else REVERSE

    @property
    def doubtful_links(self) -> frozenset[tuple[str, str]]:
        """Combinations that no coin shows whose dies are both attributed without doubt."""
        shown: set[tuple[str, str]] = set()
        sure: set[tuple[str, str]] = set()
        for coin in self.coins:
            if OBVERSE in coin.dies and REVERSE in coin.dies:
                both = (coin.dies[OBVERSE], coin.dies[REVERSE])
                shown.add((both[0].die, both[1].die))
                if not (both[0].doubtful or both[1].doubtful):
                    sure.add((both[0].die, both[1].die))
        return frozenset(shown - sure)

    @cached_property
    def ids(self) -> Mapping[tuple[Side, str], str]:
        """An id of letters and digits for every die: o1, o2 …, r1, r2 …, in the chart's order."""
        return {
            (side, entry.die): f"{side[0]}{number}"
            for side in self.dies
            for number, entry in enumerate(self.dies[side], 1)
        }

    def weights_of(self, side: Side) -> dict[str, list[float]]:
        """The weights of every die's coins, grams, dies in the order of the chart."""
        return {
            entry.die: [w for c in entry.coins if (w := self.known[c.name].weight) is not None]
            for entry in self.dies[side]
        }

    def certainties_of(self, side: Side) -> list[float]:
        """Every certainty, 0…1, stated for an attribution of this side."""
        return [
            value
            for coin in self.coins
            if side in coin.dies and (value := coin.dies[side].certainty) is not None
        ]


def analyse(material: Material, coins_per_die: int = COINS_PER_DIE) -> Study:
    """Compute a study. Raises CollectionError where the material names no die at all."""
    if not material.coins:
        raise CollectionError("There is no coin to study.")
    if not material.sides:
        raise CollectionError("No coin has an identified die: there is nothing to study.")
    columns = recognise(all_columns(material.coins))
    known = {coin.name: known_of(coin, columns) for coin in material.coins}
    counts = count(material)
    coupled = combinations(material)
    states = [
        (obverse, reverse, known[coin.name].state)
        for coin in material.coins
        if (obverse := coin.die(OBVERSE)) is not None and (reverse := coin.die(REVERSE)) is not None
    ]
    groups = linked_groups(
        {side: each.coins_of for side, each in counts.sides.items()},
        coupled,
        times_of_partners(states),
    )
    place = {
        (side, die): (group.number, i)
        for group in groups
        for side in material.sides
        for i, die in enumerate(group.rank(side))
    }
    coins = _in_order(material, place)
    gallery = make_gallery(material)
    return Study(
        material,
        columns,
        known,
        counts,
        {side: _side(material, each) for side, each in counts.sides.items()},
        tuple(groups),
        {side: _entries(side, coins, place, gallery) for side in material.sides},
        {coin.name: number for number, coin in enumerate(coins, 1)},
        coins,
        gallery,
        coins_per_die,
        _notes(material, known),
    )


def _row(tag: str, cells: Sequence[object]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"


def _side(material: Material, counts: SideCounts) -> SideStudy:
    sample = counts.sample
    found = estimates(sample)
    return SideStudy(
        counts,
        coverage(sample),
        found,
        reliability(sample),
        resample(material.coins, counts.side),
        spread(found),
    )


def _in_order(
    material: Material, place: Mapping[tuple[Side, str], tuple[int, int]]
) -> tuple[Coin, ...]:
    """Coins by the chart: those of the leading side's dies, then those without one."""
    leading = OBVERSE if OBVERSE in material.sides else REVERSE
    last = (len(material.coins) + 1, 0)

    def key(coin: Coin) -> tuple[object, ...]:
        first, second = coin.die(leading), coin.die(other_side(leading))
        return (
            place[leading, first] if first is not None else last,
            place.get((other_side(leading), second), last) if second is not None else last,
            natural_key(coin.name),
        )

    return tuple(sorted(material.coins, key=key))


def _entries(
    side: Side,
    coins: tuple[Coin, ...],
    place: Mapping[tuple[Side, str], tuple[int, int]],
    gallery: Gallery,
) -> tuple[DieEntry, ...]:
    members: dict[str, list[Coin]] = {}
    for coin in coins:
        die = coin.die(side)
        if die is not None:
            members.setdefault(die, []).append(coin)
    entries = []
    for die in sorted(members, key=lambda each: place[side, each]):
        partners: dict[str, int] = {}
        for coin in members[die]:
            partner = coin.die(other_side(side))
            if partner is not None:
                partners[partner] = partners.get(partner, 0) + 1
        ordered = sorted(partners, key=lambda each: place[other_side(side), each])
        entries.append(
            DieEntry(
                side,
                die,
                place[side, die][0],
                tuple(members[die]),
                tuple(gallery.best_first(side, [coin.name for coin in members[die]])),
                {partner: partners[partner] for partner in ordered},
            )
        )
    return tuple(entries)


def _notes(material: Material, known: Mapping[str, Known]) -> tuple[str, ...]:
    notes = list(material.notes)
    alone = one_side_note(material)
    if alone:
        notes.insert(0, alone)
    if material.reading is not None:
        notes.insert(0, f"{material.reading}.")
    diameters = sum(each.diameter is not None for each in known.values())
    if material.pictures is not None and 0 < diameters < len(known):
        notes.append(
            f"The diameter of {diameters} of {len(known)} coins is known; on the plates the others "
            "are drawn as large as their median and marked."
        )
    return tuple(notes)


def mean_weight(entry: DieEntry, known: Mapping[str, Known]) -> float | None:
    """The mean weight of a die's coins, grams; None where none was weighed."""
    weights = [w for coin in entry.coins if (w := known[coin.name].weight) is not None]
    return mean(weights) if weights else None
