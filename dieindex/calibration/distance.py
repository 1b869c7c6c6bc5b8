"""From a distance to a log-likelihood ratio of "same die", fitted on pairs whose dies are known."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from dieindex.errors import EncoderError
from dieindex.records import Floats

CALIBRATION_FORMAT = 1
MAX_BINS = 40
MIN_PAIRS_A_BIN = 5
MAX_KNOTS = 10_000
MAX_DISTANCE = 2.0
"""Largest Euclidean distance of two unit vectors."""
ORDER_SLOPE = 0.01
"""Nats a unit of distance beyond the outermost knots: no claim, but nearer still ranks first."""


@dataclass(frozen=True)
class Calibration:
    """How a distance translates into a log-likelihood ratio.

    ``distances`` rise strictly, ``log_likelihood_ratios`` never rise; between the knots lies a
    straight line, beyond them the value of the last knot but for a slope of 0.01 a unit (no claim
    further than the data reach, yet ranking by ratio stays ranking by distance). ``threshold`` is
    the decision distance, 0…2. ``same_pairs`` and ``different_pairs`` state how many pairs it was
    fitted on.
    """

    distances: tuple[float, ...]
    log_likelihood_ratios: tuple[float, ...]
    threshold: float
    same_pairs: int = 0
    different_pairs: int = 0

    def __post_init__(self) -> None:
        x = np.asarray(self.distances, dtype=np.float64)
        y = np.asarray(self.log_likelihood_ratios, dtype=np.float64)
        if not 1 <= len(x) == len(y) <= MAX_KNOTS:
            raise ValueError(f"a calibration needs as many distances as ratios, 1 to {MAX_KNOTS}")
        if not (np.isfinite(x).all() and np.isfinite(y).all() and np.isfinite(self.threshold)):
            raise ValueError("a calibration holds a number that is not finite")
        if (np.diff(x) <= 0).any() or (np.diff(y) > 0).any():
            raise ValueError("distances must rise and log-likelihood ratios must not")
        if x[0] < 0 or x[-1] > MAX_DISTANCE or not 0 <= self.threshold <= MAX_DISTANCE:
            raise ValueError("a calibration holds a distance outside 0…2")

    @overload
    def log_likelihood_ratio(self, distance: float) -> float: ...
    @overload
    def log_likelihood_ratio(self, distance: Floats) -> Floats: ...
    def log_likelihood_ratio(self, distance: float | Floats) -> float | Floats:
        """Natural log of p(distance | same die) / p(distance | different dies), any shape."""
        d = np.asarray(distance, dtype=np.float64)
        if np.isnan(d).any():
            raise ValueError("a distance is not a number")
        nearest = np.clip(d, self.distances[0], self.distances[-1])
        ratio = np.interp(d, self.distances, self.log_likelihood_ratios)
        ratio = ratio - ORDER_SLOPE * (d - nearest)
        return float(ratio) if d.ndim == 0 else np.asarray(ratio)

    def to_json(self) -> str:
        """One JSON object; ``from_json`` gives back an equal record."""
        return json.dumps(
            {
                "format": CALIBRATION_FORMAT,
                "distances": list(self.distances),
                "log_likelihood_ratios": list(self.log_likelihood_ratios),
                "threshold": self.threshold,
                "same_pairs": self.same_pairs,
                "different_pairs": self.different_pairs,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Calibration:
        """Read ``to_json``'s text; raises EncoderError where it is damaged or of another format."""
        remedy = "install dieindex again, or rebuild the index"
        try:
            record: Any = json.loads(text)
            if record["format"] != CALIBRATION_FORMAT:
                raise EncoderError(
                    f"the calibration has format {record['format']!r}, this version of dieindex "
                    f"reads format {CALIBRATION_FORMAT}: {remedy}"
                )
            return cls(
                distances=tuple(float(x) for x in record["distances"]),
                log_likelihood_ratios=tuple(float(x) for x in record["log_likelihood_ratios"]),
                threshold=float(record["threshold"]),
                same_pairs=int(record["same_pairs"]),
                different_pairs=int(record["different_pairs"]),
            )
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise EncoderError(f"the calibration is damaged ({error}): {remedy}") from error


def fit_calibration(
    distance_same: npt.ArrayLike,
    distance_different: npt.ArrayLike,
    threshold: float | None = None,
) -> Calibration:
    """Fit a monotone distance → log-likelihood ratio, free of any prior.

    ``distance_same`` ``(s,)`` and ``distance_different`` ``(d,)`` are distances 0…2 of pairs known
    to share a die and known not to. They are counted in bins that each hold an equal share of the
    two kinds weighed alike; half a pair is added to every count, so that an empty bin never claims
    certainty. Centred isotonic regression (Oron and Flournoy 2017) makes the ratios fall: adjacent
    bins that would rise are pooled into one knot at their mean distance, which leaves no plateaus
    on which different distances would tie. ``threshold`` None takes the distance where the ratio is
    1. Raises ValueError without pairs of both kinds or for distances outside 0…2.
    """
    # Rounded, so that the mean of equal distances cannot leave their place among the others.
    same = np.round(np.asarray(distance_same, dtype=np.float64).ravel(), 9)
    different = np.round(np.asarray(distance_different, dtype=np.float64).ravel(), 9)
    if not len(same) or not len(different):
        raise ValueError("a calibration needs pairs of the same die and pairs of different dies")
    both = np.concatenate([same, different])
    if not (np.isfinite(both).all() and both.min() >= 0 and both.max() <= MAX_DISTANCE + 1e-6):
        raise ValueError("a calibration needs distances in 0…2")
    both, same, different = (np.minimum(x, MAX_DISTANCE) for x in (both, same, different))

    weight: Floats = np.repeat([0.5 / len(same), 0.5 / len(different)], [len(same), len(different)])
    order = np.argsort(both, kind="stable")
    both, weight = both[order], weight[order]
    bins = int(np.clip(min(len(same), len(different)) // MIN_PAIRS_A_BIN, 2, MAX_BINS))
    share = np.cumsum(weight)
    inner = both[np.searchsorted(share, np.arange(1, bins) / bins).clip(max=len(both) - 1)]
    # A distance that equals an edge falls into the bin below it, for both kinds alike.
    edges = np.unique(inner)
    of_pair = np.searchsorted(edges, both)
    total = np.bincount(of_pair, weights=weight, minlength=len(edges) + 1)
    moment = np.bincount(of_pair, weights=weight * both, minlength=len(edges) + 1)
    count_same = np.bincount(np.searchsorted(edges, same), minlength=len(total))
    count_different = np.bincount(np.searchsorted(edges, different), minlength=len(total))
    filled = total > 0
    mass: Floats = total[filled].astype(np.float64)
    centre = moment[filled] / mass
    s, d = count_same[filled] + 0.5, count_different[filled] + 0.5
    ratio = np.log(s / s.sum()) - np.log(d / d.sum())
    centre, ratio = _falling(centre, ratio, mass)
    if threshold is None:
        threshold = _crossing(centre, ratio)
    return Calibration(
        distances=tuple(map(float, centre)),
        log_likelihood_ratios=tuple(map(float, ratio)),
        threshold=threshold,
        same_pairs=len(same),
        different_pairs=len(different),
    )


def _falling(x: Floats, y: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Pool adjacent points, by weighted means of ``x`` and ``y``, until ``y`` falls strictly."""
    blocks: list[tuple[float, float, float]] = []
    for block in zip(x.tolist(), y.tolist(), weights.tolist(), strict=True):
        while blocks and blocks[-1][1] <= block[1]:
            (x1, y1, w1), (x2, y2, w2) = blocks.pop(), block
            w = w1 + w2
            block = ((x1 * w1 + x2 * w2) / w, (y1 * w1 + y2 * w2) / w, w)
        blocks.append(block)
    return np.array([b[0] for b in blocks]), np.array([b[1] for b in blocks])


def _crossing(distances: Floats, ratios: Floats) -> float:
    """Distance at which the falling ratio passes 0; an end where it never does."""
    if ratios[0] <= 0:
        return float(distances[0])
    if ratios[-1] >= 0:
        return float(distances[-1])
    # np.interp wants rising abscissae.
    return float(np.interp(0.0, ratios[::-1], distances[::-1]))
