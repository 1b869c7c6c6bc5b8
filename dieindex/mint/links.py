"""Which dies struck which coin: the die-link structure of a collection.

The model follows what die studies find. How many coins of a die survive is heavy-tailed: beside
one coin each, the rest of the collection is spread over the dies by log-normal weights, which
leaves about a third of the dies singletons at usual sizes. Dies wear out and are replaced one
after another, a few in use at the same time, so along the time of striking an obverse meets
several reverses and the pairings form chains. Designs follow one another on each side for
themselves, so one obverse die strikes with two reverse designs where they meet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dieindex.errors import MintError
from dieindex.records import OBVERSE, REVERSE, SIDES, Floats, Ints, Side
from dieindex.text import Parameter

_SPREAD: Mapping[Side, float] = {OBVERSE: 1.2, REVERSE: 1.1}
"""Standard deviation of the logarithm of a die's expected survivors."""
_BOX: Mapping[Side, float] = {OBVERSE: 1.3, REVERSE: 2.2}
"""About how many dies of a side are in use at the same time: few anvils, a box of reverses."""
_RECUT_SHARE = 0.06
_DIES_A_HAND = 7


@dataclass(frozen=True)
class DieHistory:
    """One die of the collection: position in ``Links.dies``, and its life.

    ``design`` counts the side's designs from 0, ``hand`` its engravers from 0. ``end`` in 0…1 is
    the state of life in which the die was given up (1: it broke). ``recut_at`` is the life at
    which it was recut, or None.
    """

    side: Side
    number: int
    design: int
    hand: int
    end: float
    recut_at: float | None


@dataclass(frozen=True)
class StruckCoin:
    """One coin: which dies met, when, and how far each die was in its life.

    ``dies`` are positions into ``Links.dies`` of the side, ``life`` lies in 0…1 (fresh to
    broken), ``state`` is 1 after a recutting, ``time`` runs in 0…1 over the whole coinage.
    """

    dies: Mapping[Side, int]
    life: Mapping[Side, float]
    state: Mapping[Side, int]
    time: float


@dataclass(frozen=True)
class Links:
    """The dies of both sides, in the order of their use, and the coins in random order."""

    dies: Mapping[Side, tuple[DieHistory, ...]]
    coins: tuple[StruckCoin, ...]


def sample_links(
    rng: np.random.Generator,
    coins: int,
    obverse_dies: int,
    reverse_dies: int,
    types: int = 1,
) -> Links:
    """Sample a die-link structure with exactly these numbers, every die known from a coin.

    ``types`` is the number of reverse designs; one obverse design serves about two of them.
    Raises MintError, naming the parameter, where the numbers cannot be met.
    """
    wanted: dict[Side, int] = {OBVERSE: obverse_dies, REVERSE: reverse_dies}
    _check(coins, wanted, types)
    designs: dict[Side, int] = {OBVERSE: min((types + 1) // 2, obverse_dies), REVERSE: types}
    dies = {side: _histories(rng, side, wanted[side], designs[side]) for side in SIDES}
    sequence = {side: _sequence(rng, side, coins, wanted[side]) for side in SIDES}
    life = {side: _lives(rng, sequence[side], dies[side]) for side in SIDES}
    time = np.sort(rng.random(coins))
    struck = [
        StruckCoin(
            dies={side: int(sequence[side][k]) for side in SIDES},
            life={side: float(life[side][k]) for side in SIDES},
            state={
                side: _state(dies[side][sequence[side][k]], float(life[side][k])) for side in SIDES
            },
            time=float(time[k]),
        )
        for k in range(coins)
    ]
    # Shuffled, so that the number of a coin says nothing of its dies.
    order = rng.permutation(coins)
    return Links(dies=dies, coins=tuple(struck[k] for k in order))


def _check(coins: int, dies: Mapping[Side, int], types: int) -> None:
    if coins < 1:
        raise MintError(Parameter("coins", coins), ": there must be at least one coin.")
    if types < 1:
        raise MintError(Parameter("types", types), ": there must be at least one type.")
    for side in SIDES:
        if dies[side] < 1:
            raise MintError(
                Parameter(f"{side}_dies", dies[side]), ": there must be at least one die."
            )
        if dies[side] > coins:
            raise MintError(
                Parameter(f"{side}_dies", dies[side]),
                " is more than ",
                Parameter("coins", coins),
                ": each die strikes at least one coin; ask for fewer dies or more coins.",
            )
    if types > dies[REVERSE]:
        raise MintError(
            Parameter("types", types),
            " is more than ",
            Parameter("reverse_dies", dies[REVERSE]),
            ": each type has at least one reverse die.",
        )


def _histories(
    rng: np.random.Generator, side: Side, count: int, designs: int
) -> tuple[DieHistory, ...]:
    # Designs follow one another in time but overlap by a die or two.
    order = np.argsort(np.arange(count) + rng.normal(0, 0.7, count), kind="stable")
    design = np.empty(count, np.int64)
    design[order] = np.arange(count) * designs // count
    hands = max(1, round(count / _DIES_A_HAND))
    hand = rng.integers(0, hands, count)
    histories = []
    for number in range(count):
        recut = rng.random() < _RECUT_SHARE
        histories.append(
            DieHistory(
                side=side,
                number=number,
                design=int(design[number]),
                hand=int(hand[number]),
                end=float(rng.beta(2.5, 1.2)),
                recut_at=float(rng.uniform(0.3, 0.7)) if recut else None,
            )
        )
    return tuple(histories)


def _survivors(rng: np.random.Generator, coins: int, dies: int, spread: float) -> Ints:
    """Coins a die, each at least one, summing to ``coins``."""
    weights = rng.lognormal(0.0, spread, dies)
    extra = rng.multinomial(coins - dies, weights / weights.sum())
    return np.asarray(1 + extra, np.int64)


def _sequence(rng: np.random.Generator, side: Side, coins: int, dies: int) -> Ints:
    """Die of each surviving coin in the order of striking; dies of one box alternate."""
    survivors = _survivors(rng, coins, dies, _SPREAD[side])
    one_by_one = np.repeat(np.arange(dies), survivors)
    # Blows of neighbouring dies mix: each coin is moved by about the coins of one box.
    reach = (_BOX[side] - 1) * coins / dies
    moved = np.arange(coins) + rng.normal(0, max(reach, 1e-9) / 2, coins)
    mixed = one_by_one[np.argsort(moved, kind="stable")]
    return _renumbered(mixed)


def _renumbered(sequence: Ints) -> Ints:
    """The same dies numbered by their first coin."""
    first = np.full(int(sequence.max()) + 1, len(sequence))
    np.minimum.at(first, sequence, np.arange(len(sequence)))
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return rank[sequence]


def _lives(
    rng: np.random.Generator,
    sequence: Ints,
    dies: tuple[DieHistory, ...],
) -> Floats:
    """State of life of the die at each coin, rising along the coins of one die."""
    life = np.empty(len(sequence), np.float64)
    for die in dies:
        at = np.flatnonzero(sequence == die.number)
        life[at] = np.sort(rng.random(len(at))) * die.end
    return life


def _state(die: DieHistory, life: float) -> int:
    return int(die.recut_at is not None and life >= die.recut_at)
