"""Competition: what all dies of a type show is no evidence, so it is taken off their vectors.

A frame may hold several types that lie alike, two portraits facing one way for instance. The mean
of them all would leave what the coins of one type share, and different dies of it would pass for
one. So each face competes with those faces of its frame alone that may be of its own type.
"""

from __future__ import annotations

import numpy as np

from dieindex.numeric import unit_distance
from dieindex.records import Floats32, Ints, Vectors

FACES_OF_DOUBT = 2.0
"""How many faces' worth of nothing is mixed into a mean: that of a few faces, which may well be of
one die, holds more of the die than of its type. (On validation types 8 calls many different dies
of frames of 6 to 12 faces the same; at 2 few, and the ranking within them is better.)"""
MOST_COMPETITORS = 1000
"""Faces of a frame that later ones compete with: enough for a mean, and few enough to be kept."""
_SOFTNESS = 0.02
"""Width of the step, in distance, over which a face ceases to compete."""


def competitors_of(raw: Vectors) -> Vectors:
    """Which of a frame's faces ``(n, dimension)`` others compete with: all, or evenly spaced."""
    step = -(-len(raw) // MOST_COMPETITORS)
    return raw[:: max(step, 1)]


def all_less_shared(raw: Vectors, radius: float, competitors: Vectors | None = None) -> Vectors:
    """Unit vectors ``(n, dimension)`` of faces of one frame, each less what its type shares.

    They compete with ``competitors``, by default with those chosen among themselves; ``radius`` as
    in ``less_shared``.
    """
    others = competitors_of(raw) if competitors is None else competitors
    return np.stack([less_shared(each, others, radius) for each in raw]) if len(raw) else raw


def frames_less_shared(raw: Vectors, frame: Ints, radius: float) -> Vectors:
    """``all_less_shared`` of the faces ``(n, dimension)`` of several frames, each frame by itself;
    ``frame`` ``(n,)`` is negative for faces on none, which stay as they are."""
    found = raw.copy()
    for number in np.unique(frame[frame >= 0]):
        rows = np.flatnonzero(frame == number)
        found[rows] = all_less_shared(raw[rows], radius)
    return found


def less_shared(raw: Floats32, competitors: Vectors, radius: float) -> Vectors:
    """A face's unit vector ``(dimension,)`` less what faces of its type share.

    ``competitors`` ``(r, dimension)`` are unit vectors of faces on the same frame, this one among
    them or not; those nearer than ``radius`` (0…2) count as of its type. (One face at a time, so
    that no sum depends on which others are in work.)
    """
    vector = raw.astype(np.float64)
    others = competitors.astype(np.float64)
    distance = unit_distance(others @ vector)
    # The face itself counts once, whether it is among them or not.
    away = np.clip((distance - radius) / _SOFTNESS, -50, 50)
    # (Not ``numeric.sigmoid``: its last bit differs, and every vector of an index would with it.)
    weight = np.where(distance < 1e-3, 0.0, 1 / (1 + np.exp(away)))
    total = weight @ others + vector
    apart = vector - total / (weight.sum() + 1 + FACES_OF_DOUBT)
    return np.asarray(apart / max(float(np.linalg.norm(apart)), 1e-9), np.float32)
