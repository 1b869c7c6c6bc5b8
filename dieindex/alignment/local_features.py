"""Local features of a face, by which it is found on another face whatever frame either lies on.

Where portraits of many types share a frame, a face may lie there too small or displaced, and is
then compared with other dies in the wrong places. What two strikes of one die have in common,
corners and dots of one form in one arrangement, shows without any frame where one lies on the other
(``feature_votes``).

The features are SIFT's (Lowe 2004), compared as square roots of their shares (Arandjelović and
Zisserman 2012). Another lamp inverts some of them and spares others: enough stay, so that matching
a face's negative besides found no pair more.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from dieindex.collection.light import normalise_light
from dieindex.errors import IndexFolderError
from dieindex.records import Face, Floats32

MOST = 300
"""Features kept of a face, the strongest."""
_CONTRAST = 40.0
"""Grey levels of one standard deviation of the face, light normalised."""
_RIM = 9
"""Pixels from the flan's edge within which nothing is sought: its rim is the flan's."""
_SIZES = (3.0, 40.0)
"""Pixels across of features: smaller ones are noise, larger ones the whole design's."""
_WEAKEST = 0.01
_EDGES = 15.0
_BLUR = 1.4
"""SIFT's thresholds of contrast and of edges, and the blur of its first picture, pixels."""
_STEPS = np.array([64, 64, 64, 10_000], np.float32)
"""Parts of a pixel and of a radian in which features are kept: whole numbers of two bytes."""
_BYTES = 8 + 128


@dataclass(frozen=True, eq=False)
class LocalFeatures:
    """The ``m`` features of a face: ``points`` ``(m, 4)`` x, y and size, pixels, and direction,
    radians; ``histograms`` ``(m, 128)`` SIFT's own whole numbers."""

    points: Floats32
    histograms: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.points)

    def descriptors(self, most: int | None = None) -> Floats32:
        """Unit vectors ``(m, 128)``, of the ``most`` strongest or of all."""
        shares = self.histograms[:most].astype(np.float32)
        shares /= np.maximum(shares.sum(1, keepdims=True), 1.0)
        return np.sqrt(shares)

    def to_bytes(self) -> bytes:
        """As they are kept: 136 bytes a feature. (What is computed is computed of this form.)"""
        whole = np.round(self.points * _STEPS).astype("<u2")
        return bytes(whole.tobytes() + self.histograms.tobytes())

    @classmethod
    def from_bytes(cls, kept: bytes) -> LocalFeatures:
        """Raises IndexFolderError where they are damaged."""
        count, rest = divmod(len(kept), _BYTES)
        if rest:
            raise IndexFolderError(
                "the index holds damaged features of a face; delete its details.sqlite and build "
                "again"
            )
        whole = np.frombuffer(kept, "<u2", count * 4).reshape(-1, 4).astype(np.float32)
        points = whole / _STEPS
        return cls(points, np.frombuffer(kept, np.uint8, offset=8 * count).reshape(-1, 128))


def local_features(face: Face) -> LocalFeatures:
    """The strongest features of a face, strongest first; none where it shows nothing."""
    grey = _evened(face)
    eroded = cv2.erode(face.mask.astype(np.uint8), np.ones((_RIM, _RIM), np.uint8))
    inside = np.asarray(eroded, np.uint8)
    sift = cv2.SIFT.create(
        nfeatures=0, contrastThreshold=_WEAKEST, edgeThreshold=_EDGES, sigma=_BLUR
    )
    smallest, largest = _SIZES
    found = [p for p in _detected(sift, grey, inside) if smallest <= p.size <= largest]
    # (In an order of their own where two are equally strong.)
    found.sort(key=lambda p: (-p.response, p.pt, p.size, p.angle))
    if not found:
        return LocalFeatures(np.zeros((0, 4), np.float32), np.zeros((0, 128), np.uint8))
    kept, histograms = sift.compute(grey, found[:MOST])
    points = [(p.pt[0], p.pt[1], p.size, np.radians(p.angle)) for p in kept]
    return LocalFeatures.from_bytes(
        LocalFeatures(
            np.array(points, np.float32), np.clip(np.round(histograms), 0, 255).astype(np.uint8)
        ).to_bytes()
    )


def _detected(
    sift: cv2.SIFT, grey: npt.NDArray[np.uint8], inside: npt.NDArray[np.uint8]
) -> list[cv2.KeyPoint]:
    """Points of the face, found in its picture at half its size: OpenCV looks at twice the size of
    what it is given, and what it finds there of a whole picture is smaller than ``_SIZES``."""
    size = (grey.shape[1] // 2, grey.shape[0] // 2)
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(inside * 255, size, interpolation=cv2.INTER_NEAREST)
    return [
        cv2.KeyPoint(
            2 * p.pt[0] + 0.5,
            2 * p.pt[1] + 0.5,
            2 * p.size,
            p.angle,
            p.response,
            _octave_below(p.octave),
        )
        for p in sift.detect(small, mask)
    ]


def _octave_below(octave: int) -> int:
    """Where OpenCV finds the same point in a picture twice as large: its lowest byte counts the
    halvings of the picture, from −1."""
    return (octave & ~255) | ((octave + 1) & 255)


def _evened(face: Face) -> npt.NDArray[np.uint8]:
    """The face as grey levels, its light normalised, flat outside."""
    light = normalise_light(face.picture, face.mask)
    shown = light[face.mask]
    middle, spread = (float(shown.mean()), float(shown.std())) if shown.size else (0.0, 0.0)
    grey = (light - middle) / max(spread, 1e-6) * _CONTRAST + 128
    return np.where(face.mask, np.clip(grey, 0, 255), 128).astype(np.uint8)
