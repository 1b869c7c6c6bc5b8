"""Fitting the calibration anew on a collection's own labels, cross-fitted over dies.

A calibration learned elsewhere says how likely two faces share a die where coins are as worn, and
photographs as different, as they were there. A collection with some known dies can say it of
itself. But a pair must not help to judge itself, nor may its dies: the pairs of a die rise and fall
together. So the dies are dealt into folds, and each pair is judged by what was fitted on pairs of
dies from the OTHER folds alone.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from dieindex.calibration.distance import fit_calibration
from dieindex.errors import RefitError
from dieindex.records import Flags, Floats, Ints, PairTable
from dieindex.text import Parameter

FOLDS = 5
LEAST_PAIRS = 20
"""Same-die pairs, and different-die pairs, from which every fit must be made."""
UNKNOWN = -1
STRETCH = 8.0
"""Nats by which ratios are stretched onto 0…2."""


class Ratio(Protocol):
    """What a fit gives: scores ``(m,)`` to natural log-likelihood ratios ``(m,)``."""

    def log_likelihood_ratio(self, score: Floats, /) -> Floats: ...


Fit = Callable[[Floats, Floats], Ratio]
"""From the scores of same-die pairs and of different-die pairs to a calibration."""


@dataclass(frozen=True, eq=False)
class Refit:
    """``log_likelihood_ratio`` ``(m,)`` of the pairs, each judged without its own dies; ``fold``
    ``(n,)`` of each coin, ``UNKNOWN`` where its die is not known; ``calibration`` is fitted on all
    labelled pairs, for coins that come later (scores made with it would flatter)."""

    log_likelihood_ratio: Floats
    fold: Ints
    calibration: Ratio
    same_pairs: int
    different_pairs: int


def cross_fitted(
    score: npt.ArrayLike,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    dies: Sequence[Hashable],
    *,
    fit: Fit = fit_calibration,
    folds: int = FOLDS,
    seed: int = 0,
) -> Refit:
    """Judge pairs by calibrations fitted on the labels of other dies.

    ``score`` ``(m,)`` is what ``fit`` takes (distances 0…2 by default), ``first`` and ``second``
    ``(m,)`` are positions in ``dies`` ``(n,)``, one die a coin, None where it is not known. A pair
    with coins of unknown die is judged without the dies it knows, one of two unknown by all labels.

    Raises RefitError where a fit would have fewer than ``LEAST_PAIRS`` pairs of either kind.
    """
    x = np.asarray(score, np.float64)
    a, b = np.asarray(first, np.int64), np.asarray(second, np.int64)
    if not x.shape == a.shape == b.shape or x.ndim != 1:
        raise ValueError("score, first and second need one entry a pair")
    if folds < 3:
        raise ValueError("cross-fitting needs at least 3 folds: a pair can take two of them away")
    die = _numbered(dies)
    known = (die[a] >= 0) & (die[b] >= 0)
    same = known & (die[a] == die[b])
    fold = deal_dies(die, _pairs_a_die(die[a[same]], die), folds, seed)
    fold_a, fold_b = fold[a], fold[b]
    ratio = np.empty(len(x))
    fits: dict[tuple[int, int], Ratio] = {}
    low, high = np.minimum(fold_a, fold_b), np.maximum(fold_a, fold_b)
    code = (low + 1) * (folds + 1) + high + 1
    for each in np.unique(code).tolist():
        without = (each // (folds + 1) - 1, each % (folds + 1) - 1)
        fits[without] = _fit_without(without, x, fold_a, fold_b, same, known, fit)
        here = code == each
        ratio[here] = fits[without].log_likelihood_ratio(x[here])
    whole = (UNKNOWN, UNKNOWN)
    everything = fits.get(whole) or _fit_without(whole, x, fold_a, fold_b, same, known, fit)
    return Refit(ratio, fold, everything, int(same.sum()), int((known & ~same).sum()))


def cross_fitted_pairs(
    table: PairTable,
    dies: Sequence[Hashable],
    judged: Flags | None = None,
    *,
    verified: bool = False,
    seed: int = 0,
) -> PairTable:
    """The same pairs with log-likelihood ratios from a cross-fit of their distances, or with
    ``verified`` of the ratios they have (which rise where distances would fall).

    ``judged`` ``(m,)`` says of which pairs something is known; the others have no part in it and
    keep the ratio they have.
    """
    first, second = table.first, table.second
    kept = np.ones(len(table), bool) if judged is None else judged
    score = table.distance
    if verified:
        # A fit takes distances 0…2; how ratios are stretched onto them does not matter to it.
        score = 1.0 - np.tanh(table.log_likelihood_ratio / STRETCH)
    found = cross_fitted(score[kept], first[kept], second[kept], dies, seed=seed)
    ratio = table.log_likelihood_ratio.copy()
    ratio[kept] = found.log_likelihood_ratio
    return PairTable(first, second, table.distance, ratio)


def deal_dies(die: Ints, pairs: Ints, folds: int, seed: int = 0) -> Ints:
    """Folds ``(n,)`` of coins: dies dealt so that same-die pairs, then coins, are spread evenly.

    ``die`` ``(n,)`` holds numbers from 0, ``UNKNOWN`` where not known; ``pairs`` ``(dies,)`` the
    same-die pairs of each die. All coins of a die are in one fold.
    """
    count = len(pairs)
    coins = np.bincount(die[die >= 0], minlength=count)
    lot = np.random.default_rng(seed).permutation(count)
    of_die = np.zeros(max(count, 1), np.int64)
    load = np.zeros((folds, 2), np.int64)
    for each in sorted(range(count), key=lambda d: (-pairs[d], -coins[d], lot[d])):
        lightest = min(range(folds), key=lambda f: (load[f, 0], load[f, 1], f))
        of_die[each] = lightest
        load[lightest] += pairs[each], coins[each]
    return np.where(die >= 0, of_die[die], UNKNOWN)


def _fit_without(
    without: tuple[int, int],
    score: Floats,
    fold_a: Ints,
    fold_b: Ints,
    same: Flags,
    known: Flags,
    fit: Fit,
) -> Ratio:
    """The calibration of the labelled pairs that have no die in these folds."""
    used = known.copy()
    for fold in without:
        if fold != UNKNOWN:
            used &= (fold_a != fold) & (fold_b != fold)
    alike, apart = score[used & same], score[used & ~same]
    if min(len(alike), len(apart)) < LEAST_PAIRS:
        raise RefitError(
            f"The labels do not suffice to calibrate on them: without the dies that are judged, "
            f"{len(alike)} compared pairs of one die and {len(apart)} of two dies remain, and "
            f"{LEAST_PAIRS} of each are needed; label more coins, or leave ",
            Parameter("calibrate"),
            " out.",
        )
    return fit(alike, apart)


def _pairs_a_die(of_pair: Ints, die: Ints) -> Ints:
    return np.bincount(of_pair, minlength=int(die.max(initial=-1)) + 1)


def _numbered(dies: Sequence[Hashable]) -> Ints:
    """Numbers from 0 in order of first appearance, ``UNKNOWN`` for None."""
    numbers: dict[Hashable, int] = {}
    return np.array(
        [UNKNOWN if d is None else numbers.setdefault(d, len(numbers)) for d in dies], np.int64
    )
