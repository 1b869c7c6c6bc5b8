"""Which faces of a frame the encoder takes for strikes of one die: a face's neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dieindex.records import Ints, Vectors

FEWEST = 6
"""Among fewer faces of a frame similarity has no usual to stand out from: they stay in place."""
_MOST = 12
_SAMPLE = 512
"""Faces from which the usual similarity on a frame is taken."""
_SHARPNESS = 0.7
_CLEARLY_LIKE = 2.0
"""Standard deviations above the usual from which the most similar face counts in full; one a
standard deviation less similar counts exp(−0.7) of it."""
_BLOCK = 1024


def neighbours_of(
    vectors: Vectors, moving: Sequence[int] | Ints
) -> dict[int, list[tuple[int, float]]]:
    """For each of the faces ``moving`` of ONE frame those most like it, and how much each counts.

    ``vectors`` ``(n, dimension)``: unit vectors less what faces of the type share. No entry where
    the frame has fewer than ``FEWEST`` faces.
    """
    if len(vectors) < FEWEST:
        return {}
    middle, spread = _usual(vectors)
    rows = np.asarray(moving, np.int64)
    found: dict[int, list[tuple[int, float]]] = {}
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        alike = vectors[block] @ vectors.T
        alike[np.arange(len(block)), block] = -np.inf
        kept = min(_MOST, len(vectors) - 1)
        nearest = np.argpartition(-alike, kept - 1, axis=1)[:, :kept]
        for row, face in enumerate(block.tolist()):
            others = np.sort(nearest[row])
            beyond = (alike[row, others] - middle) / spread
            weight = np.exp(_SHARPNESS * (beyond - max(float(beyond.max()), _CLEARLY_LIKE)))
            found[face] = list(zip(others.tolist(), weight.tolist(), strict=True))
    return found


def _usual(vectors: Vectors) -> tuple[float, float]:
    """Median and robust standard deviation of the similarity of two faces of a frame."""
    some = vectors[np.unique(np.linspace(0, len(vectors) - 1, _SAMPLE).astype(int))]
    first, second = np.triu_indices(len(some), 1)
    alike = (some @ some.T)[first, second]
    middle = float(np.median(alike))
    return middle, 1.4826 * float(np.median(np.abs(alike - middle))) + 1e-6
