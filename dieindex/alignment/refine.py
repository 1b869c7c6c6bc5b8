"""Fine alignment: an affine map of a face onto a template, by Gauss–Newton steps.

Minimises the squared difference of the two orientation fields from coarse to fine (Lucas and
Kanade 1981, in the forward-compositional form of Baker and Matthews 2004, with the gain of
Evangelidis and Psarakis 2008 left free). Directions turn with the face. Departures from a
similarity are held small: no camera and no metal stretches a coin by a quarter, while a border
circle alone would allow it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from dieindex.alignment.fields import (
    FaceField,
    Field,
    Weight,
    blurred,
    field_to_unit,
    warped,
    warped_weight,
)
from dieindex.records import Mask

Matrix = npt.NDArray[np.floating]

FRAME_FIELD = 112
"""Edge of a frame's field, pixels."""
FRAME_RADIUS = 0.42
"""The unit (the usual flan radius of the type) in a frame, as a share of its edge."""
_LEVELS = ((3.0, 6), (1.5, 6), (0.8, 4))
"""Blur in pixels of the frame, and most steps, from coarse to fine."""
_SPREAD = np.array([0.006, 0.006, 0.01, 0.01])
"""Standard deviations expected of the departures from a similarity: two stretches, two tilts."""
_PRIOR = np.arange(4) + np.array([2, 2, 4, 4])
"""Their places among the eight numbers of a step."""
_LARGEST_STRETCH = 0.15
_LARGEST_TURN = np.deg2rad(14)
_LARGEST_MOVE = 0.25
"""Beyond these from its start a refinement has run away."""


def frame_to_unit(size: int = FRAME_FIELD) -> Matrix:
    """``(3, 3)``: pixels of a frame of ``size`` to units from its centre."""
    middle = (size - 1) / 2
    return np.array([[1, 0, -middle], [0, 1, -middle], [0, 0, FRAME_RADIUS * size]]) / (
        FRAME_RADIUS * size
    )


@dataclass(frozen=True, eq=False)
class Target:
    """A template ready to be aligned to.

    ``levels`` are its field blurred for each level, ``weight`` the weight of its places, ``at``
    where that is more than next to nothing.
    """

    levels: tuple[Field, ...]
    weight: Weight
    at: Mask


def target_of(values: Field, weight: Weight) -> Target:
    """``values`` and ``weight`` ``(FRAME_FIELD, FRAME_FIELD)``."""
    levels = tuple(blurred(values, sigma) for sigma, _ in _LEVELS)
    return Target(levels, weight, weight > 0.05)


@dataclass(frozen=True, eq=False)
class Fit:
    """A face laid on a template: ``to_frame`` ``(3, 3)`` affine takes units of the face to units of
    the frame, ``score`` is the correlation where both show something, ``overlap`` the share of the
    template that the face shows, both up to 1."""

    to_frame: Matrix
    score: float
    overlap: float


def refine(face: FaceField, target: Target, start: Matrix, first_level: int = 0) -> Fit:
    """Improve ``start`` (units of the face to units of the frame)."""
    unit = frame_to_unit()
    from_unit = np.linalg.inv(field_to_unit())
    to_face = np.linalg.inv(start)  # frame units to face units: what a warp needs
    origin = to_face
    for level in range(first_level, len(_LEVELS)):
        sigma, steps = _LEVELS[level]
        values = blurred(face.values, sigma * _PIXELS)
        template = target.levels[level]

        def seen(to_face: Matrix, values: Field = values) -> tuple[Field, Weight]:
            back = from_unit @ to_face @ unit
            both = warped_weight(face.weight, back, FRAME_FIELD) * target.weight
            return warped(values, back, FRAME_FIELD), both

        moved, both = seen(to_face)
        score = correlation(template, moved, both)
        for _ in range(steps):
            tried = to_face @ _step(target, level, moved, both, _departure(to_face))
            tried /= tried[2, 2]
            if _ran_away(tried, origin):
                break
            now, cover = seen(tried)
            better = correlation(template, now, cover)
            gain, moved, both = better - score, now, cover
            if gain > 0:
                to_face, score = tried, better
            if gain < _LEAST_GAIN:
                break
    return fit_of(face, target, np.linalg.inv(to_face))


_PIXELS = 128 * 0.45 / (FRAME_FIELD * FRAME_RADIUS)
"""Pixels of a face's field per pixel of a frame."""


def fit_of(face: FaceField, target: Target, to_frame: Matrix) -> Fit:
    """How well a face lies on a template as it is."""
    back = np.linalg.inv(field_to_unit()) @ np.linalg.inv(to_frame) @ frame_to_unit()
    moved = warped(blurred(face.values, _LEVELS[-1][0] * _PIXELS), back, FRAME_FIELD)
    cover = warped_weight(face.weight, back, FRAME_FIELD)
    both = cover * target.weight
    signal = np.abs(target.levels[-1]) ** 2 * target.weight
    overlap = float((signal * cover).sum()) / max(float(signal.sum()), 1e-9)
    return Fit(to_frame, correlation(target.levels[-1], moved, both), overlap)


def correlation(first: Field, second: Field, weight: Weight) -> float:
    """Weighted correlation of two fields, −1…1; 0 where one of them is empty."""
    across = float(((first.real * second.real + first.imag * second.imag) * weight).sum())
    a = float(((first.real**2 + first.imag**2) * weight).sum())
    b = float(((second.real**2 + second.imag**2) * weight).sum())
    return across / np.sqrt(a * b) if a > 1e-6 and b > 1e-6 else 0.0


def _coordinates() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    steps = (np.arange(FRAME_FIELD) - (FRAME_FIELD - 1) / 2) / (FRAME_RADIUS * FRAME_FIELD)
    x, y = np.meshgrid(steps, steps)
    return x.astype(np.float32), y.astype(np.float32)


_X, _Y = _coordinates()


def _slopes(values: Field, at: Mask) -> npt.NDArray[np.float32]:
    """How a field changes with turn, growth, two stretches, the shift and two tilts."""
    pixel = np.float32(FRAME_RADIUS * FRAME_FIELD / 32)
    planes = values.view(np.float32).reshape(*values.shape, 2)
    dx = cv2.Scharr(planes, cv2.CV_32F, 1, 0)[at] * pixel
    dy = cv2.Scharr(planes, cv2.CV_32F, 0, 1)[at] * pixel
    x, y = _X[at][:, None], _Y[at][:, None]
    here = planes[at]
    # A turn by d of the place turns the directions back by 2d.
    turned = np.stack([2 * here[:, 1], -2 * here[:, 0]], 1)
    radial = x * dx + y * dy
    columns = [
        x * dy - y * dx + turned,
        radial,
        x * dx - y * dy,
        x * dy + y * dx,
        dx,
        dy,
        -x * radial,
        -y * radial,
    ]
    return np.stack(columns, -1)


def _step(
    target: Target,
    level: int,
    moved: Field,
    weight: Weight,
    departure: npt.NDArray[np.floating],
) -> Matrix:
    """One Gauss–Newton step, a map of the frame close to the identity.

    The slopes are those of the face and not of the template: they weigh the places by what this
    face shows (slopes of the template were measured to be less exact).
    """
    at = target.at
    share = weight[at]
    here = moved.view(np.float32).reshape(*moved.shape, 2)[at]
    wanted = target.levels[level].view(np.float32).reshape(*moved.shape, 2)[at]
    power = float((here**2 * share[:, None]).sum())
    gain = max(float((wanted * here * share[:, None]).sum()) / max(power, 1e-9), 1e-3)
    root = np.sqrt(share)[:, None]
    jacobian = (_slopes(moved, at) * (gain * root[..., None])).reshape(-1, 8)
    residual = ((wanted - gain * here) * root).reshape(-1)
    normal = (jacobian.T @ jacobian).astype(np.float64)
    right = (jacobian.T @ residual).astype(np.float64)
    # The prior on stretches, in the measure of the residual's own noise.
    noise = float(residual @ residual) / max(len(residual), 1) * _CORRELATED
    normal[_PRIOR, _PRIOR] += noise / _SPREAD**2
    right[_PRIOR] -= noise / _SPREAD**2 * departure
    diagonal = np.arange(8)
    normal[diagonal, diagonal] = normal[diagonal, diagonal] * (1 + _DAMPING) + 1e-9
    turn, growth, a, b, x0, y0, px, py = np.linalg.solve(normal, right)
    return np.array([[1 + growth + a, b - turn, x0], [b + turn, 1 + growth - a, y0], [px, py, 1]])


_DAMPING = 1e-3
_LEAST_GAIN = 2e-4
"""Of correlation: below it a level is done."""
_CORRELATED = 8.0
"""Neighbouring pixels tell the same: so many of them count as one observation."""


def _departure(matrix: Matrix) -> npt.NDArray[np.floating]:
    """How a map departs from a similarity in its own frame: two stretches, two tilts."""
    matrix = matrix / matrix[2, 2]
    affine = matrix[:2, :2] - np.outer(matrix[:2, 2], matrix[2, :2])
    turn = np.arctan2(affine[1, 0] - affine[0, 1], affine[0, 0] + affine[1, 1])
    c, s = np.cos(turn), np.sin(turn)
    upright = np.array([[c, s], [-s, c]]) @ affine
    size = (upright[0, 0] + upright[1, 1]) / 2
    stretch = (upright[0, 0] - upright[1, 1], upright[0, 1] + upright[1, 0])
    return np.array([*(np.array(stretch) / (2 * size)), *matrix[2, :2]])


def _ran_away(now: Matrix, start: Matrix) -> bool:
    change = np.linalg.inv(start) @ now
    change = change / change[2, 2]
    turn = np.arctan2(change[1, 0] - change[0, 1], change[0, 0] + change[1, 1])
    return bool(
        abs(turn) > _LARGEST_TURN
        or np.hypot(*change[:2, 2]) > _LARGEST_MOVE
        or np.abs(_departure(now)).max() > _LARGEST_STRETCH
        or not 0.55 < np.sqrt(abs(np.linalg.det(now[:2, :2]))) < 1.8
    )
