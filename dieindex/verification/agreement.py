"""Where two faces on one frame agree and where they contradict each other, cell by cell.

What one die cut lies in one place on every coin. So each cell tells how far its like on the other
face lies from its place, once the smooth part of all displacements (a remaining misalignment) is
taken off. The encoder's displacements are shorter than the true ones, but tell dies apart: with
the shipped weights half of the places on pairs of one die lie within 0.14 to 0.18 cells (mint,
validation types, easy to hard), on pairs of two dies of one type within 0.25.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dieindex.encoder.dense import DenseDescriptors
from dieindex.records import Floats32
from dieindex.verification.scorer import PairScorer

Map = Floats32

BETWEEN = 0.21
"""Displacement, cells, that speaks for neither: the mean of a neighbourhood. It belongs to the
weights: other encoders displace by other amounts."""
FULL = 0.08
"""Cells away from it at which a neighbourhood speaks fully for or against."""
SPREAD = 1.6
"""Standard deviation of a neighbourhood, cells."""


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


def agreement_of(
    scorer: PairScorer, first: DenseDescriptors, second: DenseDescriptors
) -> Agreement:
    """How the details of one pair lie (one face in each of ``first`` and ``second``)."""
    import cv2

    residual, trust = scorer.displacement(first, second)
    spread = (0, 0), SPREAD
    mass = cv2.GaussianBlur(trust, *spread)
    size = np.hypot(residual[..., 0], residual[..., 1])
    apart = cv2.GaussianBlur(size * trust, *spread) / np.maximum(mass, 1e-6)
    moved = cv2.GaussianBlur(residual * trust[..., None], *spread)
    moved = moved / np.maximum(mass, 1e-6)[..., None]
    # The surest tenth of what is shown counts fully: reliabilities know no absolute scale.
    most = float(np.quantile(mass, 0.9)) or 1.0
    return Agreement(
        np.clip((BETWEEN - apart) / FULL, -1, 1).astype(np.float32),
        np.clip(mass / max(most, 1e-6), 0, 1).astype(np.float32),
        moved.astype(np.float32),
    )
