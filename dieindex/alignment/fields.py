"""Orientation fields: what of a face lasts when the lamp moves.

A relief under another lamp inverts its shading, but the place of its edges and their unsigned
direction last. A gradient (gx, gy) as the complex number gx + i·gy has the same square whether
light falls from one side or from the other (doubled-angle representation, Granlund 1978; Bigün and
Granlund 1987). Divided by its size it says the direction and nothing of the strength of the light.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from dieindex.collection.light import normalise_light
from dieindex.records import FACE_SIZE, FLAN_RADIUS, Face, Floats32, Mask, Picture

Field = npt.NDArray[np.complex64]
Weight = Floats32

FIELD_SIZE = 128
"""Edge of a face's field, pixels."""
_SCALE = 1.0
"""Standard deviation of the derivative's Gaussian, pixels of the face: fine edges tell most."""
_SATURATION = 2.0
"""Gradients well above this many mean gradients count as one full vote each."""
_RIM = 0.08
_RIM_RAMP = 0.05
"""The outermost share of the flan's radius is left out: its rim is the flan's and not the die's."""


@dataclass(frozen=True, eq=False)
class FaceField:
    """A face as directions of edges.

    ``values`` ``(FIELD_SIZE, FIELD_SIZE)`` complex64: doubled-angle directions, absolute value
    0 (nothing) … 1; ``weight`` likewise float32 0…1: where the face shows the coin. Pixels where
    the weight is 0 hold 0.
    """

    values: Field
    weight: Weight

    @property
    def blank(self) -> bool:
        """Whether there is nothing to align by."""
        return float(np.abs(self.values).sum()) < _LEAST_SIGNAL


_LEAST_SIGNAL = 50.0
"""Sum of votes, pixels, below which a field holds nothing to align by."""


def field_of(face: Face) -> FaceField:
    """The orientation field of a face, light normalised."""
    light = normalise_light(face.picture, face.mask)
    inside = inner(face.mask, FLAN_RADIUS * face.mask.shape[0])
    size = (FIELD_SIZE, FIELD_SIZE)
    weight = np.asarray(cv2.resize(inside, size, interpolation=cv2.INTER_AREA), np.float32)
    votes = _votes(light, inside, _SCALE)
    if votes is None:
        return FaceField(np.zeros(size, np.complex64), weight)
    small = cv2.resize(votes, size, interpolation=cv2.INTER_AREA)
    return FaceField(_as_field(small), weight)


def rendered_field(
    picture: Picture, mask: Mask, radius: float, *, scale: float = 1.0, shrink: int = 1
) -> FaceField:
    """The orientation field of a face rendered in any frame, at the frame's own resolution.

    ``picture`` ``(s, s, 3)`` uint8 and ``mask`` ``(s, s)`` bool as ``warp_to_frame`` gives them,
    ``radius`` of the usual flan in them and ``scale`` of the derivative in pixels. The field's edge
    is ``s // shrink``: means of the votes of ``shrink`` x ``shrink`` pixels.
    """
    inside = inner(mask, radius)
    votes = _votes(normalise_light(picture, mask), inside, scale)
    size = picture.shape[0] // shrink
    if shrink > 1:
        inside = np.asarray(
            cv2.resize(inside, (size, size), interpolation=cv2.INTER_AREA), np.float32
        )
    if votes is None:
        return FaceField(np.zeros((size, size), np.complex64), inside)
    if shrink > 1:
        votes = np.asarray(cv2.resize(votes, (size, size), interpolation=cv2.INTER_AREA))
    return FaceField(_as_field(votes), inside)


def _votes(light: Floats32, inside: Weight, scale: float) -> Floats32 | None:
    """``(s, s, 2)``: doubled-angle directions of the gradient, 0…1 long; None of one plain
    colour."""
    smooth = cv2.GaussianBlur(light, (0, 0), scale)
    x = cv2.Scharr(smooth, cv2.CV_32F, 1, 0)
    y = cv2.Scharr(smooth, cv2.CV_32F, 0, 1)
    power = x * x + y * y
    usual = float((power * inside).sum()) / max(float(inside.sum()), 1e-6)
    if usual < 1e-8:
        return None
    vote = saturated(power, inside, usual)
    return np.dstack([(x * x - y * y) * vote, 2 * x * y * vote])


def saturated(power: Any, inside: Any, usual: Any) -> Any:
    """What a gradient's direction is multiplied with, given the square of its size, where the coin
    is, and the usual square: arrays of NumPy or of torch."""
    return inside / (power + _SATURATION * usual)


def _as_field(planes: npt.NDArray[Any]) -> Field:
    return np.ascontiguousarray(planes, np.float32).view(np.complex64)[..., 0]


def inner(mask: Mask, radius: float) -> Weight:
    """0…1: on the flan and away from its rim, ``(s, s)``."""
    padded = np.pad(mask, 1).astype(np.uint8)
    away = cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1]
    return np.asarray(np.clip((away / radius - _RIM) / _RIM_RAMP, 0, 1), np.float32)


def face_to_unit() -> npt.NDArray[np.floating]:
    """``(3, 3)``: pixels of a face to flan radii from the flan's centre."""
    return _to_unit(FACE_SIZE, FLAN_RADIUS * FACE_SIZE)


def field_to_unit() -> npt.NDArray[np.floating]:
    """``(3, 3)``: pixels of a field to flan radii from the flan's centre."""
    return _to_unit(FIELD_SIZE, FLAN_RADIUS * FIELD_SIZE)


def _to_unit(size: int, radius: float) -> npt.NDArray[np.floating]:
    middle = (size - 1) / 2
    return np.array([[1, 0, -middle], [0, 1, -middle], [0, 0, radius]]) / radius


def rotation_of(matrix: npt.NDArray[np.floating]) -> float:
    """The turn in radians that the linear part of an affine ``(2 or 3, 3)`` contains."""
    return float(np.arctan2(matrix[1, 0] - matrix[0, 1], matrix[0, 0] + matrix[1, 1]))


def blurred(values: Field, sigma: float) -> Field:
    """A field averaged over its surroundings, pixels."""
    out = np.empty_like(values)
    out.real = cv2.GaussianBlur(np.ascontiguousarray(values.real), (0, 0), sigma)
    out.imag = cv2.GaussianBlur(np.ascontiguousarray(values.imag), (0, 0), sigma)
    return out


def planes_of(values: Field, weight: Weight) -> Floats32:
    """A field and its weight, ready to be sampled: ``(s, s, 4)``. (The weight stands there twice:
    OpenCV samples four planes three times faster than two and then one.)"""
    planes = np.empty((*values.shape, 2), np.complex64)
    planes[..., 0] = values
    planes.real[..., 1] = planes.imag[..., 1] = weight
    return planes.view(np.float32)


def warped(planes: Floats32, back: npt.NDArray[np.floating], size: int) -> tuple[Field, Weight]:
    """A field and its weight, as ``planes_of`` gives them, sampled on another grid of ``size``
    pixels; nothing outside.

    ``back`` ``(3, 3)`` takes pixels of the new grid to pixels of the old one. Directions turn with
    the picture.
    """
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    if abs(back[2, 0]) + abs(back[2, 1]) < 1e-12:
        moved = cv2.warpAffine(planes, back[:2], (size, size), flags=flags)
    else:
        moved = cv2.warpPerspective(planes, back, (size, size), flags=flags)
    turned = np.complex64(np.exp(-2j * rotation_of(back)))
    return moved.view(np.complex64)[..., 0] * turned, np.ascontiguousarray(moved[..., 2])
