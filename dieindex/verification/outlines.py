"""The outline of a flan about the die that struck it: where on the blank the design fell.

A die strikes each blank at another place, and no two blanks have the same outline. On the frame of
their type the design of two coins of one die lies at the same place, and their outlines do not: two
photographs of one coin show the same outline about the same design, whatever the light.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from dieindex.records import FACE_SIZE, Floats, Mask, Matrix

ANGLES = 120
"""Rays on which an outline is read."""
_STEPS = np.arange(0.3, 1.6, 0.004)
"""Places on a ray, in usual flan radii of a frame."""
_LEAST_SEEN = 0.5
"""Share of the rays on which both edges are seen."""
_MOST_LIKE = 0.995
_SMOOTH = np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / 9.0


@dataclass(frozen=True, eq=False)
class Apart:
    """How two outlines lie about one design: by how much they differ in ``size`` and in ``place``,
    flan radii, and how far their shapes go together, whatever size and place are: ``likeness``, the
    correlation of what they have beside a circle (Fisher's z, at most 3)."""

    size: float
    place: float
    likeness: float


def outline(mask: Mask, to_frame: Matrix) -> Floats:
    """The distance ``(ANGLES,)`` of a flan's edge from the middle of its frame, in usual flan
    radii, by angle; NaN where the picture ends first.

    ``to_frame`` ``(3, 3)`` takes pixels of the face to those of its frame.
    """
    angle = np.arange(ANGLES) * (2 * np.pi / ANGLES)
    away = np.stack([np.cos(angle), np.sin(angle)])[:, :, None] * _STEPS
    points = np.concatenate([away.reshape(2, -1), np.ones((1, away[0].size))])
    seen = np.linalg.inv(_frame_to_radii() @ to_frame) @ points
    x, y = np.rint(seen[:2] / seen[2]).astype(np.int64).reshape(2, ANGLES, len(_STEPS))
    inside = (x >= 0) & (y >= 0) & (x < FACE_SIZE) & (y < FACE_SIZE)
    flan = np.zeros(inside.shape, bool)
    flan[inside] = mask[y[inside], x[inside]]
    last = len(_STEPS) - 1 - np.argmax(flan[:, ::-1], axis=1)
    found = np.where(flan.any(1), _STEPS[last], np.nan)
    cut_off = ~inside[np.arange(ANGLES), np.minimum(last + 2, len(_STEPS) - 1)]
    found[cut_off] = np.nan
    around = np.concatenate([found[-2:], found, found[:2]])
    return np.convolve(around, _SMOOTH, "valid")


@cache
def _frame_to_radii() -> Matrix:
    # (Alignment loads OpenCV.)
    from dieindex.alignment.affine import frame_to_unit
    from dieindex.alignment.warping import FRAME_SIZE

    return frame_to_unit(FRAME_SIZE)


def apart(one: Floats, other: Floats) -> Apart | None:
    """How two outlines ``(ANGLES,)`` lie; None where too little of both is seen."""
    seen = np.isfinite(one) & np.isfinite(other)
    if seen.mean() < _LEAST_SEEN:
        return None
    angle = np.flatnonzero(seen) * (2 * np.pi / ANGLES)
    waves = np.stack([np.ones(len(angle)), np.cos(angle), np.sin(angle)], axis=1)
    both = np.stack([one[seen], other[seen]], axis=1)
    circles, *_ = np.linalg.lstsq(waves, both, rcond=None)
    shapes = both - waves @ circles
    spread = np.sqrt((shapes**2).sum(0).prod())
    likeness = float((shapes[:, 0] @ shapes[:, 1]) / spread) if spread > 0 else 0.0
    size, *place = circles[:, 0] - circles[:, 1]
    return Apart(
        abs(float(size)),
        float(np.hypot(*place)),
        float(np.arctanh(np.clip(likeness, -_MOST_LIKE, _MOST_LIKE))),
    )
