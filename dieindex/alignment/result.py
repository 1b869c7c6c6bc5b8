"""What aligning yields: where each face lies, and on which frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from dieindex.alignment.frames import Frame
from dieindex.alignment.warping import in_pixels
from dieindex.records import Face, Matrix, Vectors

Vectorise = Callable[[Sequence[Face], Sequence[Matrix]], Vectors]
"""Unit vectors ``(n, dimension)`` of ``n`` faces aligned by ``to_frame`` each, alike where dies are
(``Encoder.encode``). Alignment knows of no encoder: who has one may lend it."""

NO_TYPE = -1


@dataclass(frozen=True, eq=False)
class Alignment:
    """Where one face lies.

    ``type`` is the position of its frame, −1 for none. ``to_frame`` ``(3, 3)`` takes pixels of the
    face to pixels of the frame (edge ``FRAME_SIZE``); the best guess, or only the flan in the
    middle, where ``aligned`` is False. ``confidence`` 0…1 is how sure it is, ``reason`` why not.
    """

    type: int
    to_frame: Matrix
    confidence: float
    aligned: bool
    reason: str | None = None


@dataclass(frozen=True, eq=False)
class Alignments:
    """A collection aligned: its frames, and an alignment a face in the order of the faces."""

    frames: tuple[Frame, ...]
    faces: tuple[Alignment, ...]


def unaligned(reason: str) -> Alignment:
    """A face on no frame: its flan in the middle."""
    return Alignment(NO_TYPE, in_pixels(np.eye(3)), 0.0, False, reason)


def surest(results: Sequence[Alignment], number: int) -> list[int]:
    """Positions of the faces of a type, surest first."""
    of_type = [i for i, each in enumerate(results) if each.type == number]
    return sorted(of_type, key=lambda i: -results[i].confidence)
