"""SIFT in the place of XFeat, matched likewise: needs no package beyond OpenCV."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from dieindex.evaluation.local_features import TOP_FEATURES, Features, inliers, scaled
from dieindex.records import Picture

RATIO = 0.9
"""Of the distances to the nearest and the second nearest feature, under which a match counts."""


class Matcher:
    """Inliers of matched SIFT features (Lowe 2004)."""

    def describe(self, faces: Sequence[Picture]) -> list[Features]:
        """Features of each face, strongest first."""
        return [_features(scaled(face)) for face in faces]

    def score(self, first: Features, second: Features) -> float:
        """Matches that one homography explains."""
        return inliers(first, second, RATIO)


def _features(face: Picture) -> Features:
    detector = cv2.SIFT_create(nfeatures=TOP_FEATURES)  # type: ignore[attr-defined]
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    keypoints, descriptors = detector.detectAndCompute(grey, None)
    if not keypoints:
        return Features(np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32))
    # Square roots of the L1-normalised histogram (RootSIFT, Arandjelovic and Zisserman 2012).
    rooted = np.sqrt(descriptors / np.maximum(descriptors.sum(1, keepdims=True), 1e-9))
    points = np.array([keypoint.pt for keypoint in keypoints], np.float32)
    return Features(points, rooted.astype(np.float32))
