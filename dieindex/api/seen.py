"""A coin as it enters a comparison: its faces as they lie, and what is known of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dieindex.encoder.dense import DenseDescriptors, quantised
from dieindex.encoder.encode import DescribedFaces
from dieindex.records import FACE_SIZE, Face, Side, Vectors

_SHOWN_SIZE = 2 * FACE_SIZE


@dataclass(frozen=True, eq=False)
class SeenFace:
    """A face as it enters a comparison."""

    vector: Vectors
    """(dimension,), of unit length; that of its own frame, wherever it was moved to."""
    unaligned: str | None
    """Why it lies on no frame; None where it lies on one."""
    rendered: Callable[[], Face]
    """The face as it lies on its frame."""
    frame: int = 0
    """The frame it lies on; two faces must lie on the same to be compared in detail."""
    descriptors: Callable[[], DenseDescriptors | None] = lambda: None
    """Its dense descriptors, where they are kept."""
    number: int | None = None
    """Its id, where it is one of an index."""


@dataclass(frozen=True, eq=False)
class View:
    """A coin as it enters a comparison: its faces, and how it is known."""

    faces: Mapping[Side, SeenFace]
    coin: str | None = None
    """Its name in the index, where it is known to one."""
    content: str | None = None
    """Digest of its picture file, where that was named."""


@dataclass(frozen=True)
class ScoredPair:
    """What is known of two faces where they lie on each other: the comparator's log-odds
    ``logit``, the part 0…1 of the frame that both show, and the distance 0…2 of their vectors."""

    logit: float
    shared: float
    distance: float


def on_frame(face: Face, place: npt.NDArray[np.floating] | None) -> Face:
    """A face as it lies on its frame; None: as it was cut."""
    if place is None:
        return face
    from dieindex.alignment.warping import warp_to_frame

    picture, mask = warp_to_frame(face.picture, face.mask, place, _SHOWN_SIZE)
    return replace(face, picture=picture, mask=mask)


def descriptors_of(described: DescribedFaces, row: int) -> DenseDescriptors:
    """What verification sees of one face, as an index would keep it."""

    part = slice(row, row + 1)
    return quantised(described.descriptors[part], described.reliability[part])
