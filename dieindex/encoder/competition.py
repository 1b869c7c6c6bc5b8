"""Competition: what all dies of a type show is no evidence, so it is taken off their vectors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from dieindex.records import Vectors

FACES_OF_DOUBT = 8.0
"""How many faces' worth of nothing is mixed into a mean: that of a few faces, which may well be of
one die, holds more of the die than of its type."""


def frame_mean(raw: Vectors) -> Vectors:
    """What is taken off the vectors of a frame's faces, ``(dimension,)``.

    ``raw`` ``(n, dimension)`` are the unit vectors of the faces that lie on the frame, n ≥ 1.
    """
    total = raw.astype(np.float64).sum(0)
    return np.asarray(total / (len(raw) + FACES_OF_DOUBT), np.float32)


def less_means(
    raw: Vectors, frame: npt.NDArray[np.int64], means: Mapping[int, npt.NDArray[np.float32]]
) -> Vectors:
    """Unit vectors ``(n, dimension)`` less what their frames' faces share.

    ``frame`` ``(n,)`` are the numbers of the frames; faces on none keep their own vectors.
    """
    apart = raw.astype(np.float32, copy=True)
    for number, mean in means.items():
        apart[frame == number] -= mean
    length = np.linalg.norm(apart, axis=1, keepdims=True)
    return np.asarray(apart / np.maximum(length, 1e-9), np.float32)
