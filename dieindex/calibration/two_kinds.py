"""How the pairs of a collection lie: two kinds, told apart without a label.

A score is what a pair says of itself in nats, as learned on collections of all kinds. Where its
two kinds of pairs lie differs from collection to collection by many nats, but their shapes do not:
scores of different dies are a normal in two halves about a centre (nearly all pairs, so they are
plain to see), scores of one die a normal whose width is nearly the same everywhere. Centre, both
deviations, place and share are found by expectation maximisation (Dempster, Laird and Rubin 1977;
that the many show how "nothing" looks is Efron's empirical null, 2004).

A mean of several scores between two groups of coins is surer than one score, but not without
bound: pairs of two dies have the likeness of these dies in common, pairs of one die the wear of
their coins (variance components).

Of the numbers in ``Expected`` those that say where kinds lie, how wide they are and whose part a
variance is were measured on pairs whose dies are known, of our own mint's validation collections
and of those of another rendering program (``benchmarks/known_kinds.py``). How many pairs each is
worth, the tail and the misfit were chosen on these same collections by the dies that are found.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import cache
from math import erfc, lgamma, log, pi, sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dieindex.calibration.distance import ORDER_SLOPE
from dieindex.numeric import log_odds, sigmoid
from dieindex.records import Flags, Floats


@dataclass(frozen=True)
class Expected:
    """What is true of collections at large.

    ``place`` and ``place_spread``: where the pairs of one die lie in a collection, nats, and how
    far collections differ in it. ``width``: their standard deviation, and how many pairs that is
    worth. ``share``: of same-die pairs, and how many pairs that is worth. ``misfit``: the part of
    all pairs by which the shape of different dies fits only nearly; as many pairs more is the
    expected place worth, else in a hoard of few dies and many types its types would pass for dies.

    ``centre``, ``left``, ``right``: of pairs of different dies; the first worth a pair (collections
    differ in it as much as their pairs do), the deviations ``different_pairs``. The farther the
    centre lies from one die, the wider the side towards it: the logarithm of ``right`` changes by
    ``right_slope`` a nat of the centre, and by ``right_spread`` between collections.

    ``of_coin``: the part of the variance of pairs of one die that belongs to each of the two coins
    (the rest is the pair's own; nothing belongs to the die). ``of_dies``: the part of the variance
    of pairs of different dies that two dies have in common on all their coins. ``tail``: degrees of
    freedom of Student's distribution towards one die, for one pair, worth ``tail_pairs`` of the
    pairs in ``TAIL_FROM`` … ``TAIL_TO``: hardly more than a normal's, but dies that look alike make
    it heavier, and where ten thousand pairs are of different dies the few that reach farthest are
    a matter of it.
    """

    place: float = 13.2
    place_spread: float = 4.7
    width: float = 4.3
    width_pairs: float = 100.0
    share: float = 0.02
    share_pairs: float = 10.0
    misfit: float = 0.0003
    centre: float = -6.35
    left: float = 2.33
    right: float = 3.25
    right_slope: float = -0.07
    right_spread: float = 0.18
    different_pairs: float = 20.0
    of_coin: float = 0.28
    of_dies: float = 0.59
    tail: float = 100.0
    tail_pairs: float = 30.0

    @property
    def most(self) -> float:
        """The highest centre there is, nats: beyond the middle of both kinds scores rather show
        that nearly all coins are of one die."""
        return (self.centre + self.place) / 2

    def widest(self, centre: float) -> float:
        """The largest ``right`` there is about a centre, nats. Where a quarter of all pairs are of
        one die and lie near the others, a side wide enough would take them all for different."""
        usual = np.log(self.right) + self.right_slope * (centre - self.centre)
        return float(np.exp(usual + SURELY * self.right_spread))


EXPECTED = Expected()
SHARES = (1e-6, 0.6)
"""Bounds of the share of same-die pairs."""
PLACE_STEP, SHARE_STEP = 0.05, 0.05
"""Nats to which what was found is rounded, and the log-odds of the share: so a few more coins
seldom change every pair of the others by a trifle."""
SURELY = 3.0
"""Deviations by which a count, or a logarithm that differs between collections, is off at most."""
TAIL_FROM, TAIL_TO = 2.5, 3.5
"""Deviations from the centre between which the tail of different dies is read."""
_ROUNDS = 300
_EXACT_UP_TO = 1_000_000
"""Scores that are read each by itself; more are read to ``_BIN`` nats, a hundredth of what the
kinds are wide."""
_BIN = 0.02
_CENTRE_STEPS = np.linspace(-0.3, 0.3, 7)
_LOG_2PI = float(np.log(2 * np.pi))
_BISECTIONS = 24
_FAR = 30.0
"""Nats beyond both kinds in which a score is sought."""


class _Normal(NamedTuple):
    """Deviations of a mean: ``left`` and ``right`` of different dies, ``width`` of one die."""

    left: Floats
    right: Floats
    width: Floats


@dataclass(frozen=True)
class TwoKinds:
    """Where the scores of a collection's pairs lie, nats.

    Of different dies: a normal in two halves about ``centre``, of deviations ``left`` and
    ``right``, towards one die with a tail as Student's of ``tail`` degrees of freedom. Of one die:
    a normal of ``place`` and ``width``, the ``share`` 0…1 of all pairs.
    """

    centre: float = EXPECTED.centre
    left: float = EXPECTED.left
    right: float = EXPECTED.right
    place: float = EXPECTED.place
    width: float = EXPECTED.width
    share: float = EXPECTED.share
    tail: float = EXPECTED.tail
    expected: Expected = field(default=EXPECTED, repr=False)

    @property
    def prior_odds(self) -> float:
        """Log-odds that two coins at random share a die."""
        return log_odds(self.share)

    def log_likelihood_ratio(
        self,
        score: npt.ArrayLike,
        coins: npt.ArrayLike = 1.0,
        others: npt.ArrayLike = 1.0,
        pairs: npt.ArrayLike = 1.0,
    ) -> Floats:
        """Natural logarithm of p(mean score | one die) / p(mean score | two dies), any shape.

        ``score`` is the mean over ``pairs`` between a group of ``coins`` and one of ``others``; by
        default one pair's. It rises with the score; beyond where the tails would have it turn, on
        either side, by ``ORDER_SLOPE`` alone.
        """
        mean = np.asarray(score, np.float64)
        m = np.asarray(pairs, np.float64)
        of, freedom = self._deviations(coins, others, m), self.tail * np.sqrt(m)
        with np.errstate(divide="ignore", invalid="ignore"):
            lowest = np.where(of.width > of.left, self._turn(of.width, of.left), -np.inf)
        at = np.maximum(mean, lowest)
        beyond = at > self.place
        if beyond.any():
            # (Few of many: it takes as many steps as a bisection has.)
            some = _Normal(*(np.broadcast_to(each, at.shape)[beyond] for each in of))
            free, far = np.broadcast_to(freedom, at.shape)[beyond], at[beyond]
            rises = self._rises(far - self.centre, some, free)
            at = np.array(at)
            at[beyond] = np.where(rises, far, np.minimum(far, self._highest(some, free)))
        different, one = self._log_densities(at, of, freedom)
        return np.asarray(one - different + ORDER_SLOPE * (mean - at))

    def joining(
        self,
        score: npt.ArrayLike,
        coins: npt.ArrayLike = 1.0,
        others: npt.ArrayLike = 1.0,
        pairs: npt.ArrayLike = 1.0,
    ) -> Floats:
        """Log-odds that two groups of coins, each of one die, are of the same die.

        To the likelihood ratio comes how likely that is beforehand: a coin is the likelier of a
        die the more coins are known of it (of ``k`` coins it has ``k`` chances to be a partner).
        """
        chances = np.log(np.maximum(np.asarray(coins, float), np.asarray(others, float)))
        found = self.log_likelihood_ratio(score, coins, others, pairs)
        return np.asarray(found + self.prior_odds + chances)

    def score_of(self, log_likelihood_ratio: npt.ArrayLike) -> Floats:
        """The score of one pair that says as much as a ratio known otherwise: the inverse of
        ``log_likelihood_ratio``."""
        grid = np.linspace(self.centre - _FAR, self.place + _FAR, 4001)
        ratio = np.asarray(log_likelihood_ratio, np.float64)
        return np.asarray(np.interp(ratio, self.log_likelihood_ratio(grid), grid))

    def densities(self, score: npt.ArrayLike) -> tuple[Floats, Floats]:
        """The densities, a nat each, of one pair's score (any shape) where both coins are of
        different dies, and where they are of one; each integrates to 1 within 1 in 100."""
        at, of = np.asarray(score, np.float64), self._deviations(1.0, 1.0, np.ones(()))
        different, one = self._log_densities(at, of, np.asarray(self.tail))
        return np.exp(different), np.exp(one)

    def _log_densities(self, at: Floats, of: _Normal, freedom: Floats) -> tuple[Floats, Floats]:
        """Of means at ``at`` of these deviations: of different dies, and of one."""
        one = -0.5 * ((at - self.place) / of.width) ** 2 - np.log(of.width) - 0.5 * _LOG_2PI
        different = np.log(2.0 / (of.left + of.right)) + np.where(
            at < self.centre,
            -0.5 * ((at - self.centre) / of.left) ** 2 - 0.5 * _LOG_2PI,
            _student((at - self.centre) / of.right, freedom),
        )
        return np.asarray(different), np.asarray(one)

    def _deviations(self, coins: npt.ArrayLike, others: npt.ArrayLike, pairs: Floats) -> _Normal:
        e = self.expected
        each = 1.0 / np.asarray(coins, np.float64) + 1.0 / np.asarray(others, np.float64)
        one = np.sqrt(e.of_coin * each + (1.0 - 2.0 * e.of_coin) / pairs)
        different = np.sqrt(e.of_dies + (1.0 - e.of_dies) / pairs)
        return _Normal(self.left * different, self.right * different, self.width * one)

    def _turn(self, width: Floats, deviation: Floats) -> Floats:
        """Where the ratio of two normals turns."""
        one, other = 1.0 / width**2, 1.0 / deviation**2
        return np.asarray((self.place * one - self.centre * other) / (one - other))

    def _rises(self, away: Floats, of: _Normal, freedom: Floats) -> Flags:
        """Whether the ratio still rises that far beyond the centre: whether Student's distribution
        falls faster there than the normal of one die."""
        apart = self.place - self.centre
        falls = (freedom + 1.0) * away / (of.right**2 * (freedom - 2.0) + away**2)
        return np.asarray(falls > (away - apart) / of.width**2)

    def _highest(self, of: _Normal, freedom: Floats) -> Floats:
        """Where beyond the place of one die the ratio turns. By bisection: Student's slope is
        bounded."""
        apart, square = self.place - self.centre, of.right**2 * (freedom - 2.0)
        low = np.full(np.broadcast(of.width, of.right, freedom).shape, apart)
        high = apart + of.width**2 * (freedom + 1.0) / (2.0 * np.sqrt(square))
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            rises = self._rises(middle, of, freedom)
            low, high = np.where(rises, middle, low), np.where(rises, high, middle)
        return self.centre + low


def _student(z: Floats, freedom: Floats) -> Floats:
    """Log-density of Student's distribution of variance 1, but as high in the middle as a normal's,
    so that both halves meet there (the whole is so less than 1 in 100 short of one)."""
    return np.asarray(-0.5 * _LOG_2PI - (freedom + 1.0) / 2.0 * np.log1p(z**2 / (freedom - 2.0)))


ANY_COLLECTION = TwoKinds(centre=-6.35, left=2.65, right=3.5, place=13.2, width=6.4)
"""How scores lie in a collection of which nothing is known: wider by how far collections differ."""
TWO_FILES = TwoKinds(centre=-2.1, left=3.0, right=2.5, place=8.7, width=4.3)
"""The same of two files alone, whose vectors know nothing of what their type shares. Both are means
over domains, widened by how far a further domain may lie from them (``benchmarks/compare.py``)."""


def stands_for(sampled: Flags, pairs_in_all: int, times: Floats | None = None) -> Floats:
    """How many pairs of the collection each compared one ``(m,)`` stands for when it is read how
    different dies lie: itself, where it was compared for a reason, and all that were not compared,
    together, where it was ``sampled`` whatever its distance. ``times`` ``(m,)`` as in
    ``updated``.

    (Of the sampled ones alone few tell the tail badly, and what lies in it passes for one die.)
    """
    count = np.ones(len(sampled)) if times is None else times
    others = pairs_in_all - float(count[~sampled].sum())
    return np.where(sampled, max(others / max(float(count[sampled].sum()), 1.0), 1.0), 1.0)


def fit_two_kinds(
    score: Floats,
    pairs_in_all: int,
    *,
    sampled: Flags | None = None,
    expected: Expected = EXPECTED,
) -> TwoKinds:
    """Both kinds from the scores ``(m,)`` of a collection's pairs, without labels.

    ``pairs_in_all`` counts also pairs that are not listed, which are of different dies unless
    ``sampled`` pairs show a larger share: those ``(m,)`` that were drawn whatever their distance,
    and would not have been compared otherwise, by default all (``stands_for``).
    """
    read = np.ones(len(score), bool) if sampled is None else sampled
    kinds = _start(score[read], expected)
    times = np.ones(len(score))
    if len(score) > _EXACT_UP_TO:
        score, read, times = _binned(score, read)
    for _ in range(_ROUNDS):
        odds = kinds.log_likelihood_ratio(score) + kinds.prior_odds
        same = np.where(score < kinds.centre, 0.0, sigmoid(odds))
        after = updated(kinds, score, same, pairs_in_all, sampled=read, times=times)
        if np.allclose(_values(after), _values(kinds), rtol=1e-5, atol=1e-6):
            return after
        kinds = after
    return kinds


def _binned(score: Floats, sampled: Flags) -> tuple[Floats, Flags, Floats]:
    """The scores ``(q,)`` that are found in steps of ``_BIN``, of sampled pairs and of others, and
    how many pairs each is of."""
    step = np.round(score / _BIN).astype(np.int64)
    low = int(step.min())
    count = np.bincount((step - low) * 2 + sampled)
    found = np.flatnonzero(count)
    middle = np.asarray((found // 2 + low) * _BIN, np.float64)
    return middle, np.asarray(found % 2 == 1), count[found].astype(np.float64)


def _start(score: Floats, expected: Expected) -> TwoKinds:
    """The middle of all pairs is that of different dies, unless it looks like one die's."""
    e = expected
    usual = TwoKinds(e.centre, e.left, e.right, e.place, e.width, e.share, e.tail, e)
    middle = float(np.median(score)) if len(score) else np.inf
    if middle > e.most:
        return usual
    spread = max(middle - float(np.quantile(score, 0.1587)), 0.5)
    return replace(usual, centre=middle, left=spread, right=spread)


def updated(
    kinds: TwoKinds,
    score: Floats,
    same: Floats,
    pairs_in_all: int,
    *,
    sampled: Flags | None = None,
    times: Floats | None = None,
) -> TwoKinds:
    """Both kinds from scores ``(m,)`` of which it is known how likely they are of one die,
    ``same`` ``(m,)`` 0…1 (maximum a posteriori given ``kinds.expected``). ``times`` ``(m,)`` is of
    how many pairs each score is, by default of one."""
    e = kinds.expected
    read = np.ones(len(score), bool) if sampled is None else sampled
    times = np.ones(len(score)) if times is None else times
    one_die, different = same * times, (1.0 - same) * times
    worth = stands_for(read, pairs_in_all, times)
    centre, left, right = _two_halves(score, different * worth, kinds.centre, e)
    count = float(one_die.sum())
    own = count / kinds.width**2
    usual = 1.0 / e.place_spread**2 + e.misfit * pairs_in_all / kinds.width**2
    place = (float(one_die @ score) / kinds.width**2 + e.place * usual) / (own + usual)
    square = float(one_die @ (score - place) ** 2) + e.width_pairs * e.width**2
    width = float(np.sqrt(square / (count + e.width_pairs)))
    listed = (count + e.share * e.share_pairs) / (pairs_in_all + e.share_pairs)
    least = _least_share(float(one_die[read].sum()), float(times[read].sum()))
    share = float(np.clip(max(listed, least), *SHARES))
    return TwoKinds(centre, left, right, place, width, share, kinds.tail, e)


def _least_share(of_one_die: float, sampled: float) -> float:
    """The share of same-die pairs that the sampled ones show for sure: where dies have more coins
    than a shortlist holds, most of their pairs are not listed."""
    return float((of_one_die - SURELY * np.sqrt(of_one_die)) / max(sampled, 1.0))


def rounded(kinds: TwoKinds) -> TwoKinds:
    """The same to ``PLACE_STEP`` and ``SHARE_STEP``."""
    odds = round(log_odds(kinds.share) / SHARE_STEP) * SHARE_STEP

    def near(nats: float) -> float:
        return round(nats / PLACE_STEP) * PLACE_STEP

    return TwoKinds(
        near(kinds.centre),
        near(kinds.left),
        near(kinds.right),
        near(kinds.place),
        near(kinds.width),
        float(np.clip(sigmoid(odds), *SHARES)),
        float(round(kinds.tail)),
        kinds.expected,
    )


def _values(kinds: TwoKinds) -> list[float]:
    return [
        kinds.centre,
        kinds.left,
        kinds.right,
        kinds.place,
        kinds.width,
        kinds.share,
        kinds.tail,
    ]


def with_tail_seen(kinds: TwoKinds, score: Floats, same: Floats, worth: Floats) -> TwoKinds:
    """The same with the tail that pairs of different dies show: of scores ``(m,)`` of which it is
    known how likely they are of one die, ``same`` ``(m,)`` 0…1, and how many pairs each stands for,
    ``worth`` ``(m,)``. (By the scores alone it is not to be told: a heavier tail would explain
    every pair of one die.)

    Those for which as many pairs lie in ``TAIL_FROM`` … ``TAIL_TO`` as do, but no more than are
    expected: farther out a collection of several types may hold what is not seen there. Nearer,
    where nearly all pairs are, a shape that is not quite a normal's tells nothing of the tail.
    """
    freedom, part = _tails()
    expected, normal = kinds.expected, _normal_part()
    usual = float(np.interp(expected.tail, freedom, part))
    z = (score - kinds.centre) / kinds.right
    weight = (1.0 - same) * worth
    within = (z > TAIL_FROM) & (z < TAIL_TO)
    seen = float(weight[within].sum()) + expected.tail_pairs * usual / normal
    half = 2.0 * kinds.right / (kinds.left + kinds.right)
    due = float(weight.sum()) * half + expected.tail_pairs / normal
    # (The part falls with the freedom; np.interp wants rising abscissae.)
    found = np.interp(seen / due, part[::-1], np.log(freedom[::-1]))
    return replace(kinds, tail=float(min(np.exp(found), expected.tail)))


@cache
def _tails() -> tuple[Floats, Floats]:
    """Degrees of freedom, and the part of Student's distribution of variance 1 in the band."""
    # (Integrated here: to import SciPy's distributions takes as long as the rest of an answer.)
    freedom = np.array([8.0, 10.0, 14.0, 20.0, 30.0, 50.0, 100.0, 1000.0])
    scale = np.sqrt((freedom - 2.0) / freedom)
    top = [lgamma((v + 1.0) / 2.0) - lgamma(v / 2.0) - 0.5 * log(v * pi) for v in freedom.tolist()]
    at = np.linspace(TAIL_FROM, TAIL_TO, 201)[:, None] / scale
    density = np.exp(np.array(top) - (freedom + 1.0) / 2.0 * np.log1p(at**2 / freedom))
    weight = np.ones((201, 1))
    weight[1:-1:2], weight[2:-1:2] = 4.0, 2.0  # (Simpson's rule)
    step = (TAIL_TO - TAIL_FROM) / 200 / scale
    return freedom, (density * weight).sum(0) * step / 3.0


@cache
def _normal_part() -> float:
    """The part of a normal distribution in the band."""
    return 0.5 * (erfc(TAIL_FROM / sqrt(2.0)) - erfc(TAIL_TO / sqrt(2.0)))


def _two_halves(
    score: Floats, weight: Floats, near: float, expected: Expected
) -> tuple[float, float, float]:
    """Centre, sought near the last, and deviations of a normal in two halves, of most likelihood
    (Gibbons and Mylroie 1973: each deviation goes with the cube root of its half's squares)."""
    half = expected.different_pairs / 2
    usual = half * expected.left**2, half * expected.right**2
    x, w = np.append(score, expected.centre), np.append(weight, 1.0)
    total = float(w.sum()) + 2 * half
    best: tuple[float, float, float, float] | None = None
    for centre in np.minimum(near + _CENTRE_STEPS, expected.most):
        away = w * (x - centre) ** 2
        below = x < centre
        low = float(away[below].sum()) + usual[0]
        high = float(away[~below].sum()) + usual[1]
        roots = low ** (1 / 3), high ** (1 / 3)
        if best is None or sum(roots) < best[0]:
            scale = np.sqrt(sum(roots) / total)
            best = (sum(roots), float(centre), float(scale * roots[0]), float(scale * roots[1]))
    assert best is not None
    return best[1], best[2], min(best[3], expected.widest(best[1]))


def to_json(kinds: TwoKinds) -> str:
    """As an index keeps them."""
    return json.dumps(_values(kinds))


def from_json(text: str) -> TwoKinds | None:
    """What ``to_json`` gave; None where it is damaged."""
    try:
        centre, left, right, place, width, share, tail = map(float, json.loads(text))
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    if not np.isfinite([centre, place]).all() or not 0.0 < share < 1.0:
        return None
    if not all(np.isfinite(each) and each > 0 for each in (left, right, width)):
        return None
    if not 2.0 < tail < np.inf:
        return None
    return TwoKinds(centre, left, right, place, width, share, tail)
