"""Matched local features of two faces, for the matchers that are made of them.

The method is that of Cornet et al. 2024 (arXiv 2407.20876): mutual nearest neighbours, a homography
by MAGSAC++, and the number of inliers as the score of a pair. Faces are scaled to 400 px and the
homography's tolerance is 3 px, with which it does far better than with the 8 px of the paper.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dieindex.records import Floats32, Ints, Picture

SIZE = 400
"""Edge to which faces are scaled, pixels."""
TOP_FEATURES = 3000
"""Features of a face, at most, the strongest."""
TOLERANCE = 3.0
"""Largest distance of an inlier from the homography, pixels of the scaled face."""
_CONFIDENCE = 0.999
_ITERATIONS = 2000
_FEWEST_MATCHES = 4
_ROWS_AT_ONCE = 128


@dataclass(frozen=True, eq=False)
class Features:
    """Local features of one face: ``points`` ``(m, 2)`` pixels, ``descriptors`` ``(m, d)`` unit."""

    points: Floats32
    descriptors: Floats32


def scaled(face: Picture) -> Picture:
    """The face at ``SIZE``."""
    interpolation = cv2.INTER_AREA if face.shape[0] > SIZE else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(face, (SIZE, SIZE), interpolation=interpolation))


def inliers(first: Features, second: Features, ratio: float | None = None) -> int:
    """Matches of two faces that one homography explains.

    With ``ratio`` only matches count whose features are nearer by it than the second nearest.
    """
    a, b = _matches(first, second, ratio)
    return explained(first.points[a], second.points[b])


def explained(first: Floats32, second: Floats32) -> int:
    """How many matched points ``(m, 2)`` of two scaled faces one homography explains."""
    if len(first) < _FEWEST_MATCHES:
        return 0
    try:
        _, mask = cv2.findHomography(
            first,
            second,
            cv2.USAC_MAGSAC,
            TOLERANCE,
            maxIters=_ITERATIONS,
            confidence=_CONFIDENCE,
        )
    except cv2.error:  # raised for degenerate configurations, such as all points on one line
        return 0
    return 0 if mask is None else int(mask.sum())


def _matches(first: Features, second: Features, ratio: float | None) -> tuple[Ints, Ints]:
    """Mutual nearest neighbours; with ``ratio`` also clearly nearer than the second nearest."""
    if len(first.points) < 2 or len(second.points) < 2:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    count = len(first.points)
    forward = np.empty(count, np.int64)
    nearest, second_nearest = np.empty(count, np.float32), np.empty(count, np.float32)
    column_best = np.full(len(second.points), -np.inf, np.float32)
    transposed = np.ascontiguousarray(second.descriptors.T)
    # In blocks of rows: the whole table of similarities would not fit the cache.
    for start in range(0, count, _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        similarity = first.descriptors[rows] @ transposed
        forward[rows] = similarity.argmax(1)
        nearest[rows] = similarity.max(1)
        np.maximum(column_best, similarity.max(0), out=column_best)
        if ratio is not None:
            second_nearest[rows] = np.partition(similarity, -2, axis=1)[:, -2]
    # Mutual: no other feature of the first face is nearer to the second's.
    kept = nearest == column_best[forward]
    if ratio is not None:
        # (``unit_distance`` is in double precision: twice the memory for a comparison.)
        near, far = (np.sqrt(np.clip(2 - 2 * s, 0, None)) for s in (nearest, second_nearest))
        kept &= near < ratio * far
    positions = np.arange(count)
    return positions[kept], forward[kept]
