"""Whether two faces are cut of one photograph, reduced, cropped, brightened or compressed anew."""

from __future__ import annotations

import cv2
import numpy as np

from dieindex.collection.faces import similarity
from dieindex.collection.light import normalise_light
from dieindex.records import Face, Floats32

SAME_FROM = 0.9
"""Correlation from which two faces count as one photograph: above what pairs of one die reached in
the collections that it was chosen on (0.86), so that die duplicates are not accused."""
LIKE_FROM = 0.55
"""Correlation at a glance below which faces are not laid on one another."""
EDGE = 96
"""Edge of the thumbnails that are compared, pixels."""
CONTRADICTED_BELOW = 0.5
"""Correlation below which the other sides of two coins cannot be one photograph either."""
_ROUNDS = 40
_MOST_CHANGE = 0.15


def same_photograph(first: Face, second: Face) -> bool:
    """Whether two faces show the same light on the same metal: one photograph in two forms.

    Strikes of one die are another flan under another lamp, and correlate less.
    """
    return similarity(first, second) >= LIKE_FROM and _laid_on(first, second) >= SAME_FROM


def contradicted(first: Face, second: Face) -> bool:
    """Whether two faces are plainly not one photograph in two forms."""
    return _laid_on(first, second) < CONTRADICTED_BELOW


def _laid_on(first: Face, second: Face) -> float:
    """Correlation, over the flan, of one face with the other laid on it: the circles found in two
    forms of a photograph differ a little."""
    (one, mask), (other, other_mask) = _thumbnail(first), _thumbnail(second)
    matrix = np.eye(2, 3, dtype=np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _ROUNDS, 1e-5)
    try:
        _, found = cv2.findTransformECC(
            one, other, matrix, cv2.MOTION_AFFINE, criteria, mask.astype(np.uint8), 5
        )
    except cv2.error:  # it finds no way to lay them on one another
        return 0.0
    if float(np.abs(found[:, :2] - np.eye(2)).max()) > _MOST_CHANGE:
        return 0.0
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(other, found, (EDGE, EDGE), flags=flags)
    both = mask & (
        cv2.warpAffine(other_mask.astype(np.uint8), found, (EDGE, EDGE), flags=flags) > 0
    )
    if both.sum() < 0.5 * mask.sum():
        return 0.0
    return float(np.corrcoef(one[both], laid[both])[0, 1])


def _thumbnail(face: Face) -> tuple[Floats32, np.ndarray]:
    light = normalise_light(face.picture, face.mask)
    size = (EDGE, EDGE)
    mask = cv2.resize(face.mask.astype(np.uint8), size, interpolation=cv2.INTER_AREA)
    small = cv2.resize(light, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32), mask > 0
