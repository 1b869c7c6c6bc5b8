"""A face fitted to a target at full resolution, near the place that it has: rendered there as a
field, and moved until it fits best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dieindex.alignment.affine import FRAME_RADIUS, Hill, climb_all, frame_to_unit
from dieindex.alignment.fields import (
    FaceField,
    Field,
    Weight,
    face_to_unit,
    planes_of,
    rendered_field,
    warped,
)
from dieindex.alignment.search import Bank, Peak, Spectrum, search
from dieindex.alignment.warping import FRAME_SIZE, warp_to_frame
from dieindex.records import Face, Floats32, Matrix

FINE_SIZE = 192
"""Edge of the field of the last pass, pixels."""


@dataclass(frozen=True)
class Pass:
    """One pass over all faces: edge of the field, how many times larger the face is rendered for
    it, the derivative's scale in rendered pixels, most steps."""

    size: int
    shrink: int
    scale: float
    steps: int

    @property
    def edge(self) -> int:
        """Of the picture that a face is rendered as, pixels."""
        return self.size * self.shrink


COARSER, FINEST = Pass(112, 2, 1.0, 5), Pass(FINE_SIZE, 1, 0.8, 6)
LEAST_GAIN = 5e-5
"""Of correlation: below it a fit is done."""
UNIT_TO_PIXELS = np.linalg.inv(frame_to_unit(FRAME_SIZE))


class Aligner(Protocol):
    """Does what aligning many faces takes most time for: ``ONE_BY_ONE``, or all of them at once on
    a device (``together.Together``)."""

    at_once: int
    """Faces best given together."""

    def search(self, asked: Sequence[tuple[Spectrum, Bank, int]]) -> list[list[Peak]]:
        """``search.search`` of each face, bank and number of peaks."""
        ...

    def climb(
        self, hills: Sequence[Hill], starts: Sequence[Matrix], steps: int, least_gain: float
    ) -> Sequence[tuple[Matrix, float]]:
        """``affine.climb_all``."""
        ...

    def render(self, one: Pass, faces: Sequence[Face], places: Sequence[Matrix]) -> list[FaceField]:
        """``rendered`` of each face at its place."""
        ...


class _OneByOne:
    at_once = 1

    def search(self, asked: Sequence[tuple[Spectrum, Bank, int]]) -> list[list[Peak]]:
        return [search(*each) for each in asked]

    def climb(
        self, hills: Sequence[Hill], starts: Sequence[Matrix], steps: int, least_gain: float
    ) -> Sequence[tuple[Matrix, float]]:
        return climb_all(hills, starts, steps, least_gain)

    def render(self, one: Pass, faces: Sequence[Face], places: Sequence[Matrix]) -> list[FaceField]:
        return [rendered(one, *each) for each in zip(faces, places, strict=True)]


ONE_BY_ONE: Aligner = _OneByOne()
"""On one core. (Faster there than torch is.)"""


def rendered(one: Pass, face: Face, to_frame: Matrix) -> FaceField:
    """The field of a face as it lies on its frame by ``to_frame`` (pixels to pixels)."""
    picture, mask = warp_to_frame(face.picture, face.mask, to_frame, one.edge)
    radius = FRAME_RADIUS * one.edge
    return rendered_field(picture, mask, radius, scale=one.scale, shrink=one.shrink)


def realigned(
    one: Pass, to_frame: Matrix, field: FaceField, target: FaceField
) -> tuple[Matrix, float, Matrix]:
    """A face, rendered as ``field`` by ``to_frame``, fitted to a target.

    Returns its new ``to_frame``, the correlation reached, and the change as ``after`` takes it:
    units of the frame after it to those before.
    """
    return realigned_all(one, [to_frame], [field], [target])[0]


def realigned_all(
    one: Pass,
    places: Sequence[Matrix],
    fields: Sequence[FaceField],
    targets: Sequence[FaceField],
    aligner: Aligner = ONE_BY_ONE,
) -> list[tuple[Matrix, float, Matrix]]:
    """``realigned`` of many faces."""
    unit = frame_to_unit(one.size)
    from_unit = np.linalg.inv(unit)
    hills = []
    for place, field, target in zip(places, fields, targets, strict=True):
        to_unit = np.linalg.inv(UNIT_TO_PIXELS) @ place @ np.linalg.inv(face_to_unit())
        planes = planes_of(field.values, field.weight)
        before = np.linalg.inv(to_unit)
        hills.append(Hill(target.values, target.weight, planes, from_unit, unit, before, np.eye(3)))
    found = aligner.climb(hills, [np.eye(3)] * len(hills), one.steps, LEAST_GAIN)
    out = []
    for place, (change, score) in zip(places, found, strict=True):
        moved = UNIT_TO_PIXELS @ np.linalg.inv(change) @ np.linalg.inv(UNIT_TO_PIXELS) @ place
        out.append((moved / moved[2, 2], score, change))
    return out


def after(planes: Floats32, change: Matrix) -> tuple[Field, Weight]:
    """A rendered field (``planes_of``) as it lies after ``change`` (units of the frame after to
    those before)."""
    size = len(planes)
    unit = frame_to_unit(size)
    return warped(planes, np.linalg.inv(unit) @ change @ unit, size)
