"""The traces of the graver: nothing cut by hand is quite smooth, even or sharp."""

from __future__ import annotations

import cv2
import numpy as np

from dieindex.mint.engraving.engraver import Engraver, Frame, Pen
from dieindex.mint.engraving.marks import MARKS
from dieindex.mint.engraving.sheet import OVERSAMPLING, SHEET_SIZE, Sheet
from dieindex.mint.relief import RELIEF_SIZE, RELIEF_SPAN
from dieindex.records import Floats32

_TREMOR = 0.0018
"""Spread of the small displacements of a contour, flan radii."""
_UNEVEN = 0.07
"""Relative unevenness of depth over about a tenth of the flan."""
_FULL, _HIGHEST, _LOWEST = np.float32(0.13), np.float32(0.20), np.float32(-0.02)
"""Relief is kept up to the first, bent towards the second, and never below the third."""
_FACETS = 0.0004
"""Height of the marks of the tool on a form, flan radii."""


def _noise(rng: np.random.Generator, cells: int) -> Floats32:
    coarse = rng.standard_normal((cells, cells), np.float32)
    return np.asarray(
        cv2.resize(coarse, (RELIEF_SIZE, RELIEF_SIZE), interpolation=cv2.INTER_CUBIC), np.float32
    )


def finish(engraver: Engraver, sheet: Sheet, tremor: float = 1.0) -> Floats32:
    """The relief of the die from the engraved sheet: trembling contours, uneven depth, facets.

    ``tremor`` 0 is for what was punched: a punch's outline is the same wherever it is set.
    """
    rng = engraver.die_rng("cutting")
    pixel = SHEET_SIZE / (2 * RELIEF_SPAN)
    soft = cv2.GaussianBlur(sheet.height, (0, 0), 0.45 * OVERSAMPLING)
    grid = (np.arange(RELIEF_SIZE, dtype=np.float32) + 0.5) * OVERSAMPLING - 0.5
    fx, fy = (
        np.float32(tremor * _TREMOR * pixel) * (0.7 * _noise(rng, 40) + 0.5 * _noise(rng, 110))
        for _ in range(2)
    )
    height = cv2.remap(
        soft, grid[None, :] + fx, grid[:, None] + fy, cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT, borderValue=0,
    )  # fmt: skip
    height = height * (1 + np.float32(_UNEVEN) * _noise(rng, 18))
    cut = np.clip(height * np.float32(1 / 0.03), 0, 1)
    height += np.float32(_FACETS) * cut * (_noise(rng, 90) + 0.6 * _noise(rng, 170))
    return np.asarray(height, np.float32)


def limit_depth(sheet: Sheet, scale: float) -> None:
    """Bring a motif to the depth of its kind, and the little that towers or gapes to what a
    struck flan can fill."""
    height = sheet.height * np.float32(scale)
    over = np.maximum(height - np.float32(_FULL), 0)
    room = np.float32(_HIGHEST - _FULL)
    sheet.height = np.maximum(np.minimum(height, _FULL) + room * np.tanh(over / room), _LOWEST)


def recut(engraver: Engraver, sheet: Sheet, state: int) -> None:
    """Go over a worn die again: lines deepened in places, lines added, a sign in the field.

    Where nothing is touched the geometry stays exactly as it was.
    """
    rng = engraver.die_rng("recut", state)
    few = 4
    coarse = cv2.resize(sheet.height, None, fx=1 / few, fy=1 / few, interpolation=cv2.INTER_AREA)
    broad = cv2.GaussianBlur(coarse, (0, 0), 3.0)
    broad = cv2.resize(broad, (SHEET_SIZE, SHEET_SIZE), interpolation=cv2.INTER_LINEAR)
    where = Sheet()
    places = np.argwhere(coarse > 0.015)
    pixel = few / (SHEET_SIZE / (2 * RELIEF_SPAN))
    for _ in range(int(rng.integers(3, 7))):
        if len(places):
            y, x = places[int(rng.integers(len(places)))] * pixel - RELIEF_SPAN
            wide, tall = (float(v) for v in rng.uniform(0.10, 0.24, 2))
            where.bump(float(x), float(y), wide, tall, 1.0, float(rng.uniform(0, np.pi)))
    touched = np.minimum(where.height, 1.0)
    fine = np.clip(sheet.height - broad, -0.02, 0.02)
    sheet.height += np.float32(rng.uniform(0.35, 0.8)) * touched * fine
    added = Sheet()
    for _ in range(int(rng.integers(4, 12))):
        if len(places):
            y, x = places[int(rng.integers(len(places)))] * pixel - RELIEF_SPAN
            angle, long = rng.uniform(0, np.pi), rng.uniform(0.04, 0.10)
            d = 0.5 * long * np.array([np.cos(angle), np.sin(angle)])
            added.stroke(np.array([(x - d[0], y - d[1]), (x + d[0], y + d[1])]), 0.007, 0.010, 1.0)
    sheet.height -= added.height * (sheet.height > 0.02) * touched
    if rng.random() < 0.55:
        _sign(engraver, sheet, rng)


def _sign(engraver: Engraver, sheet: Sheet, rng: np.random.Generator) -> None:
    """Add a star, pellet or crescent where the field is free."""
    for _ in range(24):
        r, angle = rng.uniform(0.30, 0.72), rng.uniform(0, 2 * np.pi)
        x, y, size = (
            float(r * np.cos(angle)),
            float(r * np.sin(angle)),
            float(rng.uniform(0.035, 0.06)),
        )
        (px, py), half = Sheet.pixels(np.array([[x, y]]))[0].astype(int), int(size * 430)
        if sheet.height[py - half : py + half, px - half : px + half].max() > 0.004:
            continue
        pen = Pen(engraver, sheet, Frame(x, y, size), rng, shake=0.02, warp=False)
        kind = str(rng.choice(["star", "pellet", "crescent"]))
        MARKS[kind](pen, rng)
        return
