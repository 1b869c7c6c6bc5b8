"""Adapting the calibration to a collection, without labels.

How far apart faces of different dies of one type lie depends on the type, on how exactly its faces
could be aligned and on how worn they are; how near those of one die come depends on that still
more. A calibration pooled over many collections must allow for the worst of them, and then finds
little in a better one. But nearly all pairs of a collection are of different dies, so the
collection itself shows how these lie (Efron 2004, "Large-scale simultaneous hypothesis testing: the
choice of a null hypothesis": the empirical null), and what exceeds them on the near side shows the
pairs of one die.

Distances ``d`` become ``z = (centre − d) / spread``: the centre is the median of the different-die
pairs, the spread is read from their 16 % quantile, which pairs of one die hardly move (they are
few, and weighed out again). In these units different-die pairs follow a fixed shape, Student's on
the near side and a normal's half beyond the centre, and pairs of one die a normal distribution,
whose place and width are found by expectation maximisation with a prior on both (maximum a
posteriori). Pairs of a face are not independent, so nothing here claims more than ``LIMIT``, and
where a collection is small the pooled calibration is mostly believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import lgamma

import numpy as np
import numpy.typing as npt

from dieindex.calibration.distance import ORDER_SLOPE, Calibration
from dieindex.numeric import unit_distance
from dieindex.records import Floats, Ints, Vectors

NEAR_FREEDOM = 5.0
"""Degrees of freedom of Student's half on the near side. On nine validation collections of the
mint, easy to hard, 5, 1 and 0.2 % of the different-die pairs lie beyond z = 2.07 ± 0.07, 3.5 ± 0.2
and 5.0 ± 0.3; Student's distribution has 2.02, 3.36 and 5.03."""
FAR_SCALE = 0.94
"""Standard deviation of the normal half beyond the centre, in the same units (± 0.07)."""
SIDES_AGREE = 1.15
"""How far, as a factor, the spread read on the near side may be from that read beyond the centre
(on validation types 0.93…1.15)."""
_NEAR_QUANTILE, _NEAR_AT = 0.1587, 1.11
"""Share of the different-die pairs by which the spread is read, and their z."""
SPREAD = 0.05
"""Spread of different-die pairs in the mean over validation types (0.040…0.062)."""
SPREAD_PAIRS = 200.0
"""How many pairs that expectation is worth."""
SAME_PLACE, SAME_WIDTH = 5.2, 2.4
"""Place and width of the same-die pairs in z on validation types: 5.2 ± 1.1 and 2.4 ± 0.3."""
SAME_PAIRS = 30.0
"""How many same-die pairs the expected place is worth at least; the width three times as many."""
SAME_PAIRS_SHARE = 0.01
"""The same, as a share of all pairs: however many there are, the fixed shape of the different-die
pairs fits only nearly, and where same-die pairs are rare its misfit would pass for them."""
EXPECTED_SHARE = 0.05
SHARE_PAIRS = 20.0
"""Share of same-die pairs to begin with, and how many pairs it is worth."""
MOST_SHARE = 0.5
POOLED_PAIRS = 435.0
"""How many pairs the pooled calibration is worth: those of 30 faces."""
LIMIT = 7.0
"""Nats beyond which no ratio goes: about what the pooled calibration claims at most."""
MOST_PAIRS = 200_000
"""Pairs that are read; of larger collections as many sampled at random."""
MAX_ROUNDS = 200
_KNOTS = 161


@dataclass(frozen=True)
class Mixture:
    """What was found of a collection's distances.

    ``centre`` and ``spread`` are of the different-die pairs, in distance; ``place`` and ``width``
    of the same-die pairs in units of ``spread`` nearer than the centre; ``share`` is that of
    same-die pairs, 0…0.5.
    """

    centre: float
    spread: float
    place: float
    width: float
    share: float
    pairs: int

    def log_likelihood_ratio(self, distance: Floats) -> Floats:
        """Natural logarithm of same-die over different-die density at distances of any shape; not
        monotone, not bounded."""
        z = (self.centre - distance) / self.spread
        return _same(z, self.place, self.width) - _different(z)


def adapted(calibration: Calibration, vectors: Vectors, frame: npt.ArrayLike) -> Calibration:
    """The calibration that fits a collection's own faces; its threshold stays.

    ``vectors`` ``(n, dimension)`` are unit vectors less what their types share, ``frame`` ``(n,)``
    the frame each lies on, negative where on none: such faces, and pairs of different frames, have
    no say in it. With few pairs it is close to the pooled ``calibration``, with none that itself.
    """
    return adapted_to(calibration, frame_distances(vectors, frame))


def adapted_to(calibration: Calibration, distance: npt.ArrayLike) -> Calibration:
    """``adapted`` from distances ``(m,)`` 0…2 of pairs on one frame, all or a random sample."""
    d = np.asarray(distance, np.float64).ravel()
    if not len(d):
        return calibration
    mixture = fit_mixture(d)
    if mixture.centre <= calibration.threshold:
        # Most pairs would be of one die: no collection of many dies that could tell how they lie.
        return calibration
    own = len(d) / (len(d) + POOLED_PAIRS)
    knots = np.unique(np.concatenate([calibration.distances, np.linspace(0.4, 1.8, _KNOTS)]))
    ratio = np.clip(mixture.log_likelihood_ratio(knots), -LIMIT, LIMIT)
    # From the centre outward: beyond the nearest same-die pairs the normal's thinner tail would
    # have the ratio fall again, and far beyond the centre it would rise.
    middle = int(np.searchsorted(knots, mixture.centre - mixture.place * mixture.spread))
    ratio[: middle + 1] = np.maximum.accumulate(ratio[: middle + 1][::-1])[::-1]
    ratio[middle:] = np.minimum.accumulate(ratio[middle:])
    mixed = own * ratio + (1 - own) * np.asarray(calibration.log_likelihood_ratio(knots))
    # The slope keeps the order of distances where the ratio itself would stay level.
    falling = np.minimum.accumulate(mixed) - ORDER_SLOPE * (knots - calibration.threshold)
    return replace(
        calibration,
        distances=tuple(map(float, knots)),
        log_likelihood_ratios=tuple(map(float, falling)),
    )


def frame_distances(vectors: Vectors, frame: npt.ArrayLike) -> Floats:
    """Distances ``(m,)`` of pairs on one frame: all of them, or ``MOST_PAIRS`` sampled at random,
    the same ones every time."""
    frame = np.asarray(frame, np.int64)
    frames = [np.flatnonzero(frame == each) for each in np.unique(frame[frame >= 0])]
    if sum(len(faces) * (len(faces) - 1) // 2 for faces in frames) <= MOST_PAIRS:
        return np.concatenate([np.zeros(0), *(_distances(vectors[faces]) for faces in frames)])
    first, second = _sampled_pairs(frames)
    found = np.empty(len(first))
    for start in range(0, len(first), 8192):
        part = slice(start, start + 8192)
        a, b = vectors[first[part]].astype(np.float64), vectors[second[part]]
        found[part] = unit_distance((a * b).sum(1))
    return found


def _distances(vectors: Vectors) -> Floats:
    """Of all pairs."""
    exact = vectors.astype(np.float64)
    return unit_distance((exact @ exact.T)[np.triu_indices(len(vectors), 1)])


def _sampled_pairs(frames: Sequence[Ints]) -> tuple[Ints, Ints]:
    """Pairs of faces of one frame, ``frames`` holding the faces of each."""
    size = np.array([len(faces) for faces in frames])
    faces, start = np.concatenate(frames), np.cumsum(size) - size
    pairs = size * (size - 1) // 2
    rng = np.random.default_rng(0)
    sampled = rng.choice(len(size), MOST_PAIRS, p=pairs / pairs.sum())
    n = size[sampled]
    one = rng.integers(0, n)
    other = (one + 1 + rng.integers(0, n - 1)) % n
    return faces[start[sampled] + one], faces[start[sampled] + other]


def fit_mixture(distance: Floats) -> Mixture:
    """The two kinds of pairs in distances ``(m,)``, m at least 1, by expectation maximisation.

    The share, place and width are those of largest posterior density given the different-die
    pairs' centre and spread, which are read anew in each round from pairs weighed by their
    probability to be of different dies. (The place is kept to the near side: at z 1.5 at least.)
    """
    d = np.sort(distance)
    expected = max(SAME_PAIRS, SAME_PAIRS_SHARE * len(d))
    share, place, width = EXPECTED_SHARE, SAME_PLACE, SAME_WIDTH
    weight = np.ones(len(d))
    centre = spread = 0.0
    for _ in range(MAX_ROUNDS):
        centre, spread = _centre_and_spread(d, weight)
        z = (centre - d) / spread
        odds = _same(z, place, width) - _different(z) + np.log(share) - np.log1p(-share)
        # (Not ``numeric.sigmoid``: its last bit differs, and every ratio would with it.)
        same = 1.0 / (1.0 + np.exp(-np.clip(odds, -50, 50)))
        before = (share, place, width)
        total = float(same.sum())
        share = (total + EXPECTED_SHARE * SHARE_PAIRS) / (len(d) + SHARE_PAIRS)
        share = min(share, MOST_SHARE)
        place = (float(same @ z) + SAME_PLACE * expected) / (total + expected)
        place = max(place, 1.5)
        square = float(same @ (z - place) ** 2) + 3 * expected * SAME_WIDTH**2
        width = float(np.sqrt(square / (total + 3 * expected)))
        weight = 1.0 - same
        if np.allclose(before, (share, place, width), rtol=1e-5):
            break
    return Mixture(centre, spread, place, width, share, len(d))


def _centre_and_spread(sorted_distance: Floats, weight: Floats) -> tuple[float, float]:
    """Weighted median, and the spread from the weighted 16 % quantile, shrunk to ``SPREAD``.

    Where few dies have many coins that quantile lies among their pairs; so it may not say much
    else than the 84 % quantile on the other side, which they leave alone.
    """
    until = np.cumsum(weight)
    pairs = float(until[-1])
    quantiles = np.array([_NEAR_QUANTILE, 0.5, 1 - _NEAR_QUANTILE])
    at = np.searchsorted(until, quantiles * pairs).clip(max=len(weight) - 1)
    near, centre, far = sorted_distance[at].tolist()
    beyond = (far - centre) / FAR_SCALE
    read = min(max((centre - near) / _NEAR_AT, beyond / SIDES_AGREE), beyond * SIDES_AGREE)
    spread = (pairs * read + SPREAD_PAIRS * SPREAD) / (pairs + SPREAD_PAIRS)
    return centre, float(np.clip(spread, SPREAD / 4, SPREAD * 4))


def _different(z: Floats) -> Floats:
    """Log-density of different-die pairs: half normal beyond the centre, half Student nearer."""
    v = NEAR_FREEDOM
    top = lgamma((v + 1) / 2) - lgamma(v / 2) - 0.5 * np.log(v * np.pi)
    near = top - (v + 1) / 2 * np.log1p(z**2 / v)
    far = -0.5 * (z / FAR_SCALE) ** 2 - np.log(FAR_SCALE) - 0.5 * np.log(2 * np.pi)
    density: Floats = np.where(z < 0, far, near)
    return density


def _same(z: Floats, place: float, width: float) -> Floats:
    density: Floats = -0.5 * ((z - place) / width) ** 2 - np.log(width) - 0.5 * np.log(2 * np.pi)
    return density
