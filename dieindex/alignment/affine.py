"""Fine alignment: an affine map of a face onto a template, by Gauss–Newton steps.

Minimises the squared difference of the two orientation fields from coarse to fine (Lucas and
Kanade 1981, in the forward-compositional form of Baker and Matthews 2004, with the gain of
Evangelidis and Psarakis 2008 left free). Directions turn with the face. Departures from a
similarity are held small: no camera and no metal stretches a coin by a quarter, while a border
circle alone would allow it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from dieindex.alignment.fields import (
    FIELD_SIZE,
    FaceField,
    Field,
    Weight,
    blurred,
    field_to_unit,
    planes_of,
    warped,
)
from dieindex.records import FLAN_RADIUS, Floats32, Matrix

FRAME_FIELD = 112
"""Edge of a frame's field, pixels."""
FRAME_RADIUS = 0.42
"""The unit (the usual flan radius of the type) in a frame, as a share of its edge."""


@dataclass(frozen=True)
class Level:
    """One level of the fit: edge of the frame's field in pixels, blur in those, most steps."""

    size: int
    blur: float
    steps: int


LEVELS = (Level(56, 1.5, 6), Level(56, 0.75, 6), Level(112, 0.8, 4))
"""From coarse to fine."""
_SPREAD = np.array([0.006, 0.006, 0.01, 0.01])
"""Standard deviations expected of the departures from a similarity: two stretches, two tilts."""
_PRIOR = np.arange(4) + np.array([2, 2, 4, 4])
"""Their places among the eight numbers of a step."""
_LARGEST_STRETCH = 0.15
_LARGEST_TURN = np.deg2rad(14)
_LARGEST_MOVE = 0.25
"""Beyond these from its start a fit has run away."""


def frame_to_unit(size: int = FRAME_FIELD) -> Matrix:
    """``(3, 3)``: pixels of a frame of ``size`` to units from its centre."""
    middle = (size - 1) / 2
    return np.array([[1, 0, -middle], [0, 1, -middle], [0, 0, FRAME_RADIUS * size]]) / (
        FRAME_RADIUS * size
    )


@dataclass(frozen=True, eq=False)
class Target:
    """A template ready to be aligned to: of each level its field, blurred, and its weight."""

    values: tuple[Field, ...]
    weight: tuple[Weight, ...]


def target_of(values: Field, weight: Weight, levels: tuple[int, ...] = (0, 1, 2)) -> Target:
    """``values`` and ``weight`` ``(FRAME_FIELD, FRAME_FIELD)``; only ``levels`` can be used."""
    fields: list[Field] = []
    weights: list[Weight] = []
    for number, level in enumerate(LEVELS):
        shrink = FRAME_FIELD // level.size
        wanted = number in levels
        smooth = blurred(values, level.blur * shrink) if wanted else values[:0]
        # Every second pixel, between two: the middle of the frame stays in the middle.
        fields.append(halved(smooth) if shrink == 2 and wanted else smooth)
        weights.append(halved(weight) if shrink == 2 and wanted else weight)
    return Target(tuple(fields), tuple(weights))


def halved(plane: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Means of 2 x 2 pixels."""
    return np.ascontiguousarray(
        (plane[::2, ::2] + plane[1::2, ::2] + plane[::2, 1::2] + plane[1::2, 1::2]) * 0.25,
        plane.dtype,
    )


@dataclass(frozen=True, eq=False)
class Fit:
    """A face fitted to a template: ``to_frame`` ``(3, 3)`` affine takes units of the face to units
    of the frame, ``score`` is the correlation where both show something, −1…1."""

    to_frame: Matrix
    score: float


def fit_affine(
    face: FaceField, target: Target, start: Matrix, levels: tuple[int, ...] = (0, 1, 2)
) -> Fit:
    """Improve ``start`` (units of the face to units of the frame) through some of the levels."""
    return fit_affine_all([(face, target, start)], levels)[0]


def fit_affine_all(
    asked: Sequence[tuple[FaceField, Target, Matrix]],
    levels: tuple[int, ...] = (0, 1, 2),
    climbed: Climbed | None = None,
) -> list[Fit]:
    """``fit_affine`` of many faces; ``climbed`` climbs for all of them (``climb`` where None)."""
    from_unit = np.linalg.inv(field_to_unit())
    # (Frame units to face units: what a warp needs.)
    origins = [np.linalg.inv(start) for _, _, start in asked]
    now, scores = list(origins), [0.0] * len(asked)
    for number in levels:
        level = LEVELS[number]
        unit = frame_to_unit(level.size)
        hills = [
            Hill(
                target.values[number],
                target.weight[number],
                planes_of(blurred(face.values, level.blur * _pixels(level.size)), face.weight),
                from_unit,
                unit,
                np.eye(3),
                origin,
            )
            for (face, target, _), origin in zip(asked, origins, strict=True)
        ]
        found = (climbed or climb_all)(hills, now, level.steps, _LEAST_GAIN)
        now, scores = [map_ for map_, _ in found], [score for _, score in found]
    return [Fit(np.linalg.inv(to_face), score) for to_face, score in zip(now, scores, strict=True)]


@dataclass(frozen=True, eq=False)
class Hill:
    """What is sampled so that it fits a template best: the hill is their correlation.

    ``template`` ``(s, s)`` and its ``weight``; ``planes`` ``(p, p, 4)`` (``planes_of``) what is
    sampled. A place on the hill is a map ``m`` ``(3, 3)``: ``left @ m @ right`` takes pixels of
    the template to those of the planes, ``before @ m`` is what may depart from a similarity by
    little alone, and from ``origin`` no place is far."""

    template: Field
    weight: Weight
    planes: Floats32
    left: Matrix
    right: Matrix
    before: Matrix
    origin: Matrix

    def sampled(self, place: Matrix) -> tuple[Field, Weight]:
        """What lies on the template there, and where both show something."""
        values, shown = warped(self.planes, self.left @ place @ self.right, len(self.template))
        return values, shown * self.weight


Climbed = Callable[[Sequence[Hill], Sequence[Matrix], int, float], "Sequence[tuple[Matrix, float]]"]
"""Climbs many hills, each from its start: as ``climb_all``."""


def climb_all(
    hills: Sequence[Hill], starts: Sequence[Matrix], steps: int, least_gain: float
) -> list[tuple[Matrix, float]]:
    """The highest place found near each start in at most so many steps, and its correlation; done
    where a step gains less than ``least_gain``."""
    return [climb(*each, steps, least_gain) for each in zip(hills, starts, strict=True)]


def climb(hill: Hill, start: Matrix, steps: int, least_gain: float) -> tuple[Matrix, float]:
    """``climb_all`` of one."""
    place = start
    moved, both = hill.sampled(place)
    score = correlation(hill.template, moved, both)
    for _ in range(steps):
        tried = place @ step_towards(hill.template, moved, both, departure(hill.before @ place))
        tried /= tried[2, 2]
        if ran_away(tried, hill.origin):
            break
        moved, both = hill.sampled(tried)
        better = correlation(hill.template, moved, both)
        gain = better - score
        if gain > 0:
            place, score = tried, better
        if gain < least_gain:
            break
    return place, score


def _pixels(size: int) -> float:
    """Pixels of a face's field per pixel of a frame's."""
    return FIELD_SIZE * FLAN_RADIUS / (size * FRAME_RADIUS)


def correlation(first: Field, second: Field, weight: Weight) -> float:
    """Weighted correlation of two fields, −1…1; 0 where one of them is empty."""
    weighted = second * weight
    across, b = float(np.vdot(first, weighted).real), float(np.vdot(second, weighted).real)
    a = float(np.vdot(first, first * weight).real)
    return across / np.sqrt(a * b) if a > 1e-6 and b > 1e-6 else 0.0


@lru_cache(maxsize=4)
def _coordinates(size: int) -> tuple[Floats32, Floats32]:
    """Units of each pixel of a frame, row by row."""
    steps = (np.arange(size) - (size - 1) / 2) / (FRAME_RADIUS * size)
    x, y = np.meshgrid(steps, steps)
    return x.astype(np.float32).ravel(), y.astype(np.float32).ravel()


def step_towards(
    template: Field, moved: Field, weight: Weight, departed: npt.NDArray[np.floating]
) -> Matrix:
    """One Gauss–Newton step, a map of the frame close to the identity.

    Its eight numbers are turn, growth, two stretches, the shift and two tilts. The slopes are those
    of the face and not of the template: they weigh the places by what this face shows (slopes of
    the template were measured to be less exact).
    """
    size = len(template)
    weights = weight.ravel()
    at = np.flatnonzero(weights > LEAST_WEIGHT)
    if len(at) < 20:
        return np.eye(3)
    root = np.sqrt(weights[at])
    slope = root * np.float32(FRAME_RADIUS * size / 32)
    planes = moved.view(np.float32).reshape(size, size, 2)
    jacobian = np.empty((8, len(at)), np.complex64)
    turned, grown, stretched, tilted, dx, dy = jacobian[:6]
    np.multiply(_complex(cv2.Scharr(planes, cv2.CV_32F, 1, 0))[at], slope, out=dx)
    np.multiply(_complex(cv2.Scharr(planes, cv2.CV_32F, 0, 1))[at], slope, out=dy)
    here = moved.ravel()[at] * root
    wanted = (template.ravel()[at] * root).view(np.float32)
    x, y = (values[at] for values in _coordinates(size))
    along, across = x * dx, y * dy
    np.add(along, across, out=grown)
    np.subtract(along, across, out=stretched)
    along, across = x * dy, y * dx
    np.add(along, across, out=tilted)
    np.subtract(along, across, out=turned)
    # A turn by d of the place turns the directions back by 2d.
    turned -= np.complex64(2j) * here
    np.multiply(grown, -x, out=jacobian[6])
    np.multiply(grown, -y, out=jacobian[7])
    shown = here.view(np.float32)
    gain = max(float(wanted @ shown) / max(float(shown @ shown), 1e-9), 1e-3)
    # (Real and imaginary parts stand side by side: each counts as a number of its own.)
    slopes = jacobian.view(np.float32)
    residual = wanted - np.float32(gain) * shown
    normal = (slopes @ slopes.T).astype(np.float64) * gain**2
    right = (slopes @ residual).astype(np.float64) * gain
    noise = float(residual @ residual) / len(residual)
    return solved_step(normal, right, noise, size, departed)


def solved_step(
    normal: npt.NDArray[np.float64],
    right: npt.NDArray[np.float64],
    noise: float,
    size: int,
    departed: npt.NDArray[np.floating],
) -> Matrix:
    """The step that the normal equations ``normal`` ``(8, 8)`` and ``right`` ``(8,)`` give; they
    are changed. ``noise`` is the mean square of what a frame of ``size`` pixels leaves."""
    # The prior on stretches, in the measure of the residual's own noise.
    noise *= _correlated(size)
    normal[_PRIOR, _PRIOR] += noise / _SPREAD**2
    right[_PRIOR] -= noise / _SPREAD**2 * departed
    diagonal = np.arange(8)
    normal[diagonal, diagonal] = normal[diagonal, diagonal] * (1 + _DAMPING) + 1e-9
    turn, growth, a, b, x0, y0, px, py = np.linalg.solve(normal, right)
    return np.array([[1 + growth + a, b - turn, x0], [b + turn, 1 + growth - a, y0], [px, py, 1]])


LEAST_WEIGHT = 0.05
"""Below it a place has no say in a step."""
_DAMPING = 1e-3
_LEAST_GAIN = 2e-4
"""Of correlation: below it a level is done."""
_CORRELATED = 8.0
"""Neighbouring pixels tell the same: so many of FRAME_FIELD's count as one observation."""


def _correlated(size: int) -> float:
    return max(1.0, _CORRELATED * (size / FRAME_FIELD) ** 2)


def _complex(planes: npt.NDArray[Any]) -> Field:
    """``(pixels,)``: two planes side by side as one of complex numbers."""
    return planes.view(np.complex64).ravel()


def departure(matrix: Matrix) -> npt.NDArray[np.floating]:
    """How a map departs from a similarity in its own frame: two stretches, two tilts."""
    matrix = matrix / matrix[2, 2]
    affine = matrix[:2, :2] - np.outer(matrix[:2, 2], matrix[2, :2])
    turn = np.arctan2(affine[1, 0] - affine[0, 1], affine[0, 0] + affine[1, 1])
    c, s = np.cos(turn), np.sin(turn)
    upright = np.array([[c, s], [-s, c]]) @ affine
    size = (upright[0, 0] + upright[1, 1]) / 2
    stretch = (upright[0, 0] - upright[1, 1], upright[0, 1] + upright[1, 0])
    return np.array([*(np.array(stretch) / (2 * size)), *matrix[2, :2]])


def ran_away(now: Matrix, start: Matrix) -> bool:
    change = np.linalg.inv(start) @ now
    change = change / change[2, 2]
    turn = np.arctan2(change[1, 0] - change[0, 1], change[0, 0] + change[1, 1])
    return bool(
        abs(turn) > _LARGEST_TURN
        or np.hypot(*change[:2, 2]) > _LARGEST_MOVE
        or np.abs(departure(now)).max() > _LARGEST_STRETCH
        or not 0.55 < np.sqrt(abs(np.linalg.det(now[:2, :2]))) < 1.8
    )
