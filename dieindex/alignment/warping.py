"""Faces warped to a common frame."""

from __future__ import annotations

import cv2
import numpy as np

from dieindex.alignment.affine import frame_to_unit
from dieindex.alignment.fields import face_to_unit
from dieindex.errors import AlignmentError
from dieindex.records import Mask, Matrix, Picture

FRAME_SIZE = 192
"""Edge of the common frame in which aligned faces are given, pixels."""


def unit_to_frame(size: int = FRAME_SIZE) -> Matrix:
    """``(3, 3)``: units of a frame to pixels of a picture of it, edge ``size``."""
    return np.linalg.inv(frame_to_unit(size))


def warp_to_frame(
    picture: Picture, mask: Mask, transform: Matrix, size: int = FRAME_SIZE
) -> tuple[Picture, Mask]:
    """A face warped to the common frame.

    ``picture`` ``(s, s, 3)`` uint8 and ``mask`` ``(s, s)`` bool are those of the face,
    ``transform`` ``(3, 3)`` takes its pixels to pixels of a frame of ``FRAME_SIZE``. Returns
    picture ``(size, size, 3)`` and mask ``(size, size)``, which is False where the face ends.

    Raises AlignmentError for a transform that is singular or not finite.
    """
    matrix = frame_matrix(transform, size)
    picture = softened(picture, matrix)
    warped = cv2.warpPerspective(
        picture, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    inside = cv2.warpPerspective(
        mask.astype(np.uint8), matrix, (size, size), flags=cv2.INTER_NEAREST
    )
    return np.asarray(warped, np.uint8), np.asarray(inside > 0)


def frame_matrix(transform: Matrix, size: int) -> Matrix:
    """``(3, 3)``: pixels of a face to pixels of a frame of ``size``, given those to one of
    ``FRAME_SIZE``. Raises as ``warp_to_frame``."""
    transform = np.asarray(transform, np.float64)
    if (
        transform.shape != (3, 3)
        or not np.isfinite(transform).all()
        or abs(np.linalg.det(transform)) < 1e-9
    ):
        raise AlignmentError("a face's transform is not an invertible 3 x 3 matrix: align anew")
    return resized(size) @ transform


def softened(picture: Picture, matrix: Matrix) -> Picture:
    """A picture that is to be warped by a matrix, blurred where it is made smaller: as much as the
    pixels of the frame are wide, against aliasing."""
    shrink = 1 / np.sqrt(abs(np.linalg.det(matrix[:2, :2])))
    if shrink <= 1.3:
        return picture
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.4 * shrink), np.uint8)


def resized(size: int) -> Matrix:
    """``(3, 3)``: pixels of a frame of ``FRAME_SIZE`` to those of one of ``size``."""
    return unit_to_frame(size) @ frame_to_unit(FRAME_SIZE)


def in_pixels(to_frame: Matrix) -> Matrix:
    """From units to units, as pixels of a face to pixels of the frame."""
    matrix = unit_to_frame() @ to_frame @ face_to_unit()
    return np.asarray(matrix / matrix[2, 2])


def in_units(to_frame: Matrix) -> Matrix:
    """The inverse of ``in_pixels``."""
    matrix = frame_to_unit(FRAME_SIZE) @ to_frame @ np.linalg.inv(face_to_unit())
    return np.asarray(matrix / matrix[2, 2])


def centred_place() -> Matrix:
    """``(3, 3)``: pixels of a face to pixels of a frame, the flan in the middle as it was cut."""
    return np.asarray(unit_to_frame() @ face_to_unit())
