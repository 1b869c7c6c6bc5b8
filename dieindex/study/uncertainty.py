"""What the doubts about attributions do to the estimates, and how far the models lie apart.

One coin wrongly set apart adds a die and a singleton, on which every estimate rests. So doubtful
attributions are resampled many times, each coin by itself: with its certainty it stays in its die,
else it goes to one of the dies it may belong to instead (where none is named: a coin of a die of
several to a die of its own, a singleton to another die, the likelier the more coins that has). The
central 95 % of the estimates so found are the interval. It knows nothing of the sampling error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dieindex.records import Floats, Ints, Side
from dieindex.study.estimators import METHODS, Estimate, Sample, estimate
from dieindex.study.material import Coin

SAMPLES = 400
SEED = 20


@dataclass(frozen=True)
class Interval:
    """The central 95 % of what the samples gave."""

    low: float
    high: float


@dataclass(frozen=True)
class Doubts:
    """What resampling the doubtful attributions of one side changes.

    ``stated`` and ``doubtful`` count attributions with a stated certainty and those below the bound
    of doubt; the intervals are None (``dies``) and missing (``estimates``, by method) where nothing
    was resampled, or a formula had no answer in more than half of the samples.
    """

    stated: int
    doubtful: int
    dies: Interval | None
    estimates: Mapping[str, Interval]


def resample(coins: Sequence[Coin], side: Side, count: int = SAMPLES, seed: int = SEED) -> Doubts:
    """Sample the doubtful attributions of one side anew ``count`` times."""
    held = [coin.dies[side] for coin in coins if side in coin.dies]
    stated = sum(each.certainty is not None for each in held)
    names = {die: number for number, die in enumerate(dict.fromkeys(each.die for each in held))}
    doubtful = [place for place, each in enumerate(held) if each.doubtful]
    if not doubtful:
        return Doubts(stated, 0, None, {})
    labels = np.array([names[each.die] for each in held], dtype=np.int64)
    sizes = np.bincount(labels, minlength=len(names))
    random = np.random.default_rng(seed)
    resampled = np.tile(labels[doubtful], (count, 1))
    for column, place in enumerate(doubtful):
        goals, weights = _instead(place, held[place].others, labels, sizes, names)
        if not len(goals):
            continue
        certainty = min(max(held[place].certainty or 0.0, 0.0), 1.0)
        leaves = random.random(count) >= certainty
        resampled[:, column] = np.where(
            leaves, random.choice(goals, size=count, p=weights), resampled[:, column]
        )
    samples = []
    for row in resampled:
        sampled = labels.copy()
        sampled[doubtful] = row
        samples.append(Sample.of(np.bincount(sampled).tolist()))
    found = {
        method.key: interval
        for method in METHODS
        if (interval := _interval([estimate(method, sample).value for sample in samples]))
    }
    return Doubts(stated, len(doubtful), _interval([float(sample.d) for sample in samples]), found)


def _instead(
    place: int,
    others: Sequence[tuple[str | None, float]],
    labels: Ints,
    sizes: Ints,
    names: Mapping[str, int],
) -> tuple[Ints, Floats]:
    """Where a coin may go that does not stay: labels, and the probability of each."""
    own = labels[place]
    single = sizes[own] == 1
    # A die of its own has a label no other coin has.
    lone = len(names) + place
    named = [
        (lone if die is None else names[die], weight)
        for die, weight in others
        if weight > 0 and (die is None or (die in names and names[die] != own))
    ]
    named = [(goal, weight) for goal, weight in named if not (single and goal == lone)]
    if not named and single:
        weights = sizes.astype(np.float64)
        weights[own] = 0.0
        if not weights.sum():
            return np.zeros(0, np.int64), np.zeros(0)
        return np.arange(len(sizes)), weights / weights.sum()
    if not named:
        return np.array([lone]), np.ones(1)
    goals = np.array([goal for goal, _ in named], dtype=np.int64)
    shares = np.array([weight for _, weight in named], dtype=np.float64)
    return goals, shares / shares.sum()


def _interval(values: Sequence[float | None]) -> Interval | None:
    known = [value for value in values if value is not None]
    if 2 * len(known) <= len(values):
        return None
    low, high = np.percentile(known, [2.5, 97.5])
    return Interval(float(low), float(high))


def spread(found: Sequence[Estimate]) -> Interval | None:
    """From the lowest to the highest estimate; None where fewer than two methods answer."""
    values = [each.value for each in found if each.value is not None]
    return Interval(min(values), max(values)) if len(values) > 1 else None
