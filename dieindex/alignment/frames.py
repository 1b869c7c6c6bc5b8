"""Frames: what is kept of a type, so that coins added later are aligned to the same place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from dieindex.alignment.affine import FRAME_FIELD
from dieindex.alignment.exemplars import TypeMean
from dieindex.alignment.realigning import FINE_SIZE
from dieindex.alignment.templates import Template
from dieindex.errors import AlignmentError
from dieindex.records import Floats32

_STEPS = 127
"""Steps of a fine value between nothing and a full vote, in its one byte."""


@dataclass(frozen=True, eq=False)
class Frame:
    """The common frame of one type.

    ``values`` ``(FRAME_FIELD, FRAME_FIELD)`` complex64 is the sum of the faces' orientation fields
    in it, ``cover`` likewise float32 the sum of their weights, ``faces`` the sum of their trusts.
    ``fine`` ``(FINE_SIZE, FINE_SIZE)`` complex64 is the mean of their fields at full resolution.
    The flan of a usual coin stands in the middle at ``FRAME_RADIUS`` of the frame's edge.
    """

    values: npt.NDArray[np.complex64]
    cover: Floats32
    faces: float
    fine: npt.NDArray[np.complex64]

    def to_bytes(self) -> bytes:
        """The frame in few bits, 149 kB; the same frame gives the same bytes."""
        scale = max(self.faces, 1e-6)
        planes = np.stack([self.values.real, self.values.imag, self.cover]) / scale
        fine = np.rint(np.clip(np.stack([self.fine.real, self.fine.imag]), -1, 1) * _STEPS)
        head = np.array([FRAME_FIELD, self.faces], "<f4")
        return head.tobytes() + planes.astype("<f2").tobytes() + fine.astype("i1").tobytes()

    @staticmethod
    def from_bytes(stored: bytes) -> Frame:
        """The frame that ``to_bytes`` wrote. Raises AlignmentError where it cannot be one."""
        coarse = 8 + 3 * FRAME_FIELD**2 * 2
        length = coarse + 2 * FINE_SIZE**2
        if len(stored) != length:
            raise AlignmentError(
                f"a stored frame has {len(stored)} bytes instead of {length}: align anew"
            )
        edge, faces = np.frombuffer(stored[:8], "<f4")
        planes = np.frombuffer(stored[8:coarse], "<f2").astype(np.float32)
        if edge != FRAME_FIELD or not np.isfinite(planes).all() or not 0 < faces < 1e9:
            raise AlignmentError("a stored frame is damaged: align anew")
        real, imaginary, cover = planes.reshape(3, FRAME_FIELD, FRAME_FIELD) * faces
        values = (real + 1j * imaginary).astype(np.complex64)
        fine = np.frombuffer(stored[coarse:], "i1").astype(np.float32) / _STEPS
        fine_real, fine_imaginary = fine.reshape(2, FINE_SIZE, FINE_SIZE)
        return Frame(
            values,
            np.ascontiguousarray(cover),
            float(faces),
            (fine_real + 1j * fine_imaginary).astype(np.complex64),
        )

    @cached_property
    def template(self) -> Template:
        """What faces are aligned to."""
        return Template(self.values, self.cover, self.faces)

    def mean(self) -> TypeMean:
        """What faces are fitted to at full resolution."""
        share = np.clip(self.cover / max(self.faces, 1e-6), 0, 1)
        return TypeMean(self.fine, cv2.resize(share, self.fine.shape), self.faces)

    @staticmethod
    def of(template: Template, mean: TypeMean) -> Frame:
        """A type to be kept; ``mean`` of ``FINE_SIZE``."""
        return Frame(template.total, template.cover, template.faces, mean.values)
