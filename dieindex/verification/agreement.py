"""Where two faces on one frame agree and where they contradict each other, cell by cell.

What one die cut lies in one place on every coin. So each cell tells how far its like on the other
face lies from its place, once the smooth part of all displacements (a remaining misalignment) is
taken off. An encoder's displacements are shorter than the true ones, but tell dies apart; by how
much belongs to the weights, and is measured with their calibration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dieindex.encoder.dense import DenseDescriptors
from dieindex.errors import EncoderError
from dieindex.records import Floats32
from dieindex.verification.scorer import PairScorer

Map = Floats32

SPREAD = 1.6
"""Standard deviation of a neighbourhood, cells."""


@dataclass(frozen=True)
class DisplacementScale:
    """What a displacement says, by an encoder's weights: ``between`` cells speak for neither side;
    ``full`` cells away from it a neighbourhood speaks fully for or against."""

    between: float
    full: float

    @classmethod
    def of(cls, calibration: Mapping[str, object]) -> DisplacementScale:
        """As weights carry it (``SCALE``); older ones do not, and have that of 48 × 48 cells.

        Raises EncoderError where it is damaged.
        """
        kept = calibration.get(SCALE, {"between": 0.21, "full": 0.08})
        try:
            between, full = float(kept["between"]), float(kept["full"])  # type: ignore[index]
        except (TypeError, KeyError, ValueError) as error:
            raise EncoderError(f"the weights' {SCALE!r} is damaged; calibrate them anew") from error
        if not (0 < between < np.inf and 0 < full < np.inf):
            raise EncoderError(f"the weights' {SCALE!r} is damaged; calibrate them anew")
        return cls(between, full)


SCALE = "displacement"
"""What it is called in a calibration."""


@dataclass(frozen=True, eq=False)
class Agreement:
    """Of one pair, over the cells of the frame.

    ``value`` (grid, grid) −1…1: how the details lie, 1 in the same place, −1 displaced;
    ``weight`` (grid, grid) 0…1: how much both faces show there; ``displacement`` (grid, grid, 2):
    where the second face's details lie, cells (x, y), against the first's.
    """

    value: Map
    weight: Map
    displacement: Map

    @property
    def share(self) -> float:
        """Share 0…1 of what both show that agrees rather than contradicts."""
        total = float(self.weight.sum())
        return float(self.weight[self.value > 0].sum()) / total if total else 0.0


@dataclass(frozen=True, eq=False)
class Displaced:
    """Of one pair, means of neighbourhoods about every cell: ``apart`` (grid, grid) how far details
    lie from their place, cells; ``moved`` (grid, grid, 2) where to (x, y); ``mass`` (grid, grid)
    how much both faces show."""

    apart: Map
    moved: Map
    mass: Map


def displaced(scorer: PairScorer, first: DenseDescriptors, second: DenseDescriptors) -> Displaced:
    """How the details of one pair lie (one face in each of ``first`` and ``second``)."""
    import cv2

    residual, trust = scorer.displacement(first, second)
    spread = (0, 0), SPREAD
    mass = cv2.GaussianBlur(trust, *spread)
    size = np.hypot(residual[..., 0], residual[..., 1])
    apart = cv2.GaussianBlur(size * trust, *spread) / np.maximum(mass, 1e-6)
    moved = cv2.GaussianBlur(residual * trust[..., None], *spread)
    moved = moved / np.maximum(mass, 1e-6)[..., None]
    return Displaced(
        apart.astype(np.float32), moved.astype(np.float32), np.asarray(mass, np.float32)
    )


def fit_scale(one_die: Sequence[Displaced], two_dies: Sequence[Displaced]) -> DisplacementScale:
    """From pairs of either kind: between their medians, and as far as these lie apart; where
    details of two dies lie no farther apart, hardly anything speaks for either side. Raises
    ValueError where a kind has no pair."""
    one, two = _median(one_die), _median(two_dies)
    between = (one + two) / 2
    return DisplacementScale(between, two - one if two > one else between)


def _median(pairs: Sequence[Displaced]) -> float:
    """Of the displacements of all places, each by how much it shows."""
    if not pairs:
        raise ValueError("there is no pair of one kind")
    apart = np.concatenate([each.apart.ravel() for each in pairs])
    mass = np.concatenate([each.mass.ravel() for each in pairs])
    order = np.argsort(apart)
    total = np.cumsum(mass[order])
    return float(apart[order][np.searchsorted(total, total[-1] / 2)])


def agreement_of(
    scorer: PairScorer,
    first: DenseDescriptors,
    second: DenseDescriptors,
    scale: DisplacementScale,
) -> Agreement:
    """How the details of one pair lie (one face in each of ``first`` and ``second``)."""
    seen = displaced(scorer, first, second)
    # The surest tenth of what is shown counts fully: reliabilities know no absolute scale.
    most = float(np.quantile(seen.mass, 0.9)) or 1.0
    return Agreement(
        np.clip((scale.between - seen.apart) / scale.full, -1, 1).astype(np.float32),
        np.clip(seen.mass / max(most, 1e-6), 0, 1).astype(np.float32),
        seen.moved,
    )
