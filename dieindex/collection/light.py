"""Normalising the light: what remains is the relief's local contrast, not the lamp or the metal."""

from __future__ import annotations

import cv2
import numpy as np

from dieindex.records import FLAN_RADIUS, Floats32, Mask, Picture

LIMIT = 4.0
"""Normalised values beyond this many local standard deviations (highlights) are cut off."""
NEIGHBOURHOOD = 0.06
"""Standard deviation of the surroundings, as a share of the picture's edge."""
FLOOR, LEAST_SPREAD = 0.1, 1.0
"""Share of the usual variance, and variance, added to the local one: they keep noise on polished,
reliefless parts from being blown up to relief."""


def normalise_light(picture: Picture, mask: Mask, neighbourhood: float = NEIGHBOURHOOD) -> Floats32:
    """The grey picture less its local mean, over its local spread; 0 outside the mask.

    ``picture`` ``(s, s, 3)`` uint8 RGB, ``mask`` ``(s, s)`` bool. Local means and spreads are taken
    over pixels of the mask alone (normalised convolution), by a Gaussian of standard deviation
    ``neighbourhood`` · s pixels. Returns ``(s, s)`` float32 within -1…1: values of about unit
    variance inside the mask, cut off at ±4 and divided by 4.
    """
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32)
    inside = mask.astype(np.float32)
    surroundings = _Surroundings(inside, neighbourhood * picture.shape[0])
    apart = (grey - surroundings.mean(grey * inside)) * inside
    variance = surroundings.mean(apart * apart)
    overall = float(variance[mask].mean()) if mask.any() else 1.0
    normalised = apart / np.sqrt(variance + FLOOR * overall + LEAST_SPREAD)
    return np.asarray(np.clip(normalised, -LIMIT, LIMIT) / LIMIT, np.float32)


class _Surroundings:
    """Means over the surroundings of each pixel inside a mask ``(s, s)``, by a Gaussian of standard
    deviation ``sigma``: taken on a coarser grid, as they are smooth."""

    def __init__(self, inside: Floats32, sigma: float) -> None:
        self._edge = len(inside)
        self._step = grid_step(self._edge, sigma)
        self._widths = box_widths(sigma / self._step)
        self._weight = np.maximum(self._blurred(inside), 1e-3)

    def mean(self, values: Floats32) -> Floats32:
        """``values`` ``(s, s)`` are 0 outside the mask."""
        mean = self._blurred(values) / self._weight
        size = (self._edge, self._edge)
        return np.asarray(cv2.resize(mean, size, interpolation=cv2.INTER_LINEAR), np.float32)

    def _blurred(self, values: Floats32) -> Floats32:
        """``(s / step, s / step)``: a Gaussian as three box filters, of the same cost at any
        width."""
        edge = self._edge // self._step
        blurred = cv2.resize(values, (edge, edge), interpolation=cv2.INTER_AREA)
        for width in self._widths:
            blurred = cv2.blur(blurred, (width, width), borderType=cv2.BORDER_REFLECT_101)
        return np.asarray(blurred, np.float32)


def grid_step(edge: int, sigma: float) -> int:
    """Pixels of a picture of ``edge`` to a cell of the grid on which a Gaussian of ``sigma`` pixels
    is taken: a divisor of the edge, and at least three cells are a standard deviation."""
    most = max(1, int(sigma / 3))
    return next(step for step in range(most, 0, -1) if edge % step == 0)


def box_widths(sigma: float) -> tuple[int, int, int]:
    """Odd widths of three boxes, one after the other, that are nearest to a Gaussian of this
    standard deviation; they differ by two at most."""
    narrow = max(1, int(np.sqrt(4 * sigma * sigma + 1)) - 1 | 1)
    found = [(narrow + 2 * (k > 2), narrow + 2 * (k > 1), narrow + 2 * (k > 0)) for k in range(4)]
    wanted = 12 * sigma * sigma + 3
    return min(found, key=lambda widths: abs(sum(w * w for w in widths) - wanted))


LEAST_RELIEF = 4.0
"""Least spread of grey values round the middle of a struck face; of 600 faces none lay below 9."""
LEAST_SHARE = 0.2
"""Least share that this is of all spread; of 600 faces none lay below 0.5."""


def has_relief(picture: Picture) -> bool:
    """Whether a cut face shows more than rings: something that changes round its middle.

    A drawn circle, a disc or a target is as round as a coin and stands out as clearly.
    """
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (0, 0), 1.5)
    middle = (picture.shape[0] - 1) / 2
    reach = 0.9 * FLAN_RADIUS * picture.shape[0]
    flags = cv2.INTER_LINEAR
    polar = cv2.warpPolar(grey, (48, 128), (middle, middle), reach, flags).astype(np.float32)
    polar = polar[:, 4:]  # round the very middle all is one pixel
    apart = polar - polar.mean(axis=0)
    spread = float(apart.std())
    return spread >= LEAST_RELIEF and spread**2 >= LEAST_SHARE * float(polar.var())
