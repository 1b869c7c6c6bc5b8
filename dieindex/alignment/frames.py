"""Frames: what is kept of a type, so that coins added later are laid on the same place."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from dieindex.alignment.refine import FRAME_FIELD, FRAME_RADIUS, Matrix, frame_to_unit
from dieindex.alignment.templates import Template
from dieindex.errors import DieIndexError
from dieindex.records import Mask, Picture

FRAME_SIZE = 192
"""Edge of the common frame in which aligned faces are given, pixels."""


class AlignmentError(DieIndexError):
    """Stored frames that cannot be read, or a transform that cannot be drawn."""


@dataclass(frozen=True, eq=False)
class Frame:
    """The common frame of one type.

    ``values`` ``(FRAME_FIELD, FRAME_FIELD)`` complex64 is the sum of the faces' orientation fields
    in it, ``cover`` likewise float32 the sum of their weights, ``faces`` the sum of their trusts.
    The flan of a usual coin stands in the middle at ``FRAME_RADIUS`` of the frame's edge.
    """

    values: npt.NDArray[np.complex64]
    cover: npt.NDArray[np.float32]
    faces: float

    def to_bytes(self) -> bytes:
        """The frame in half precision, 75 kB; the same frame gives the same bytes."""
        scale = max(self.faces, 1e-6)
        planes = np.stack([self.values.real, self.values.imag, self.cover]) / scale
        head = np.array([FRAME_FIELD, self.faces], "<f4")
        return head.tobytes() + planes.astype("<f2").tobytes()

    @staticmethod
    def from_bytes(stored: bytes) -> Frame:
        """The frame that ``to_bytes`` wrote. Raises AlignmentError where it cannot be one."""
        length = 8 + 3 * FRAME_FIELD**2 * 2
        if len(stored) != length:
            raise AlignmentError(
                f"a stored frame has {len(stored)} bytes instead of {length}: align anew"
            )
        edge, faces = np.frombuffer(stored[:8], "<f4")
        planes = np.frombuffer(stored[8:], "<f2").astype(np.float32)
        if edge != FRAME_FIELD or not np.isfinite(planes).all() or not 0 < faces < 1e9:
            raise AlignmentError("a stored frame is damaged: align anew")
        real, imaginary, cover = planes.reshape(3, FRAME_FIELD, FRAME_FIELD) * faces
        values = (real + 1j * imaginary).astype(np.complex64)
        return Frame(values, np.ascontiguousarray(cover), float(faces))

    def template(self) -> Template:
        """What faces are aligned to."""
        return Template(self.values, self.cover, self.faces)

    @staticmethod
    def of(template: Template) -> Frame:
        """A template to be kept."""
        return Frame(template.total, template.cover, template.faces)


def unit_to_frame(size: int = FRAME_SIZE) -> Matrix:
    """``(3, 3)``: units of a frame to pixels of a picture of it, edge ``size``."""
    return np.linalg.inv(frame_to_unit(size))


def warp_to_frame(
    picture: Picture, mask: Mask, transform: Matrix, size: int = FRAME_SIZE
) -> tuple[Picture, Mask]:
    """A face drawn in the common frame.

    ``picture`` ``(s, s, 3)`` uint8 and ``mask`` ``(s, s)`` bool are those of the face,
    ``transform`` ``(3, 3)`` takes its pixels to pixels of a frame of ``FRAME_SIZE``. Returns
    picture ``(size, size, 3)`` and mask ``(size, size)``, which is False where the face ends.

    Raises AlignmentError for a transform that is singular or not finite.
    """
    transform = np.asarray(transform, np.float64)
    if (
        transform.shape != (3, 3)
        or not np.isfinite(transform).all()
        or abs(np.linalg.det(transform)) < 1e-9
    ):
        raise AlignmentError("a face's transform is not an invertible 3 x 3 matrix: align anew")
    matrix = resized(size) @ transform
    shrink = 1 / np.sqrt(abs(np.linalg.det(matrix[:2, :2])))
    if shrink > 1.3:  # as much blur as the pixels of the frame are wide, against aliasing
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.4 * shrink), np.uint8)
    drawn = cv2.warpPerspective(
        picture, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    inside = cv2.warpPerspective(
        mask.astype(np.uint8), matrix, (size, size), flags=cv2.INTER_NEAREST
    )
    return np.asarray(drawn, np.uint8), np.asarray(inside > 0)


def resized(size: int) -> Matrix:
    """``(3, 3)``: pixels of a frame of ``FRAME_SIZE`` to those of one of ``size``."""
    return unit_to_frame(size) @ frame_to_unit(FRAME_SIZE)


__all__ = [
    "FRAME_FIELD",
    "FRAME_RADIUS",
    "FRAME_SIZE",
    "AlignmentError",
    "Frame",
    "resized",
    "unit_to_frame",
    "warp_to_frame",
]
