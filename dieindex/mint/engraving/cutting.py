"""The traces of the graver: nothing cut by hand is quite smooth, even or sharp."""

from __future__ import annotations

import cv2
import numpy as np

from dieindex.mint.engraving.engraver import Engraver
from dieindex.mint.engraving.sheet import OVERSAMPLING, SHEET_SIZE, Sheet
from dieindex.mint.relief import RELIEF_SIZE, RELIEF_SPAN, FloatMap

_TREMOR = 0.0018
"""Spread of the small displacements of a contour, flan radii."""
_UNEVEN = 0.07
"""Relative unevenness of depth over about a tenth of the flan."""
_FACETS = 0.0004
"""Height of the marks of the tool on a form, flan radii."""


def _noise(rng: np.random.Generator, cells: int) -> FloatMap:
    coarse = rng.standard_normal((cells, cells), np.float32)
    return np.asarray(
        cv2.resize(coarse, (RELIEF_SIZE, RELIEF_SIZE), interpolation=cv2.INTER_CUBIC), np.float32
    )


def finish(engraver: Engraver, sheet: Sheet) -> FloatMap:
    """The relief of the die from the drawn sheet: trembling contours, uneven depth, facets."""
    rng = engraver.die_rng("cutting")
    pixel = SHEET_SIZE / (2 * RELIEF_SPAN)
    soft = cv2.GaussianBlur(sheet.height, (0, 0), 0.45 * OVERSAMPLING)
    grid = (np.arange(RELIEF_SIZE, dtype=np.float32) + 0.5) * OVERSAMPLING - 0.5
    fx, fy = (
        np.float32(_TREMOR * pixel) * (0.7 * _noise(rng, 40) + 0.5 * _noise(rng, 110))
        for _ in range(2)
    )
    height = cv2.remap(
        soft, grid[None, :] + fx, grid[:, None] + fy, cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT, borderValue=0,
    )  # fmt: skip
    height *= 1 + np.float32(_UNEVEN) * _noise(rng, 18)
    cut = np.clip(height * np.float32(1 / 0.03), 0, 1)
    height += np.float32(_FACETS) * cut * (_noise(rng, 90) + 0.6 * _noise(rng, 170))
    return np.asarray(height, np.float32)
