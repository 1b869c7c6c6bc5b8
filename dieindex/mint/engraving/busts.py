"""Shoulders under the neck: drapery, a cloak with its brooch, a cuirass."""

from __future__ import annotations

import numpy as np

from dieindex.mint.engraving.engraver import Engraver, Pen
from dieindex.mint.engraving.sheet import Sheet, spline


def drape(pen: Pen, engraver: Engraver, base: Sheet, cuirass: bool) -> None:
    """Draw the bust on ``base``, over the foot of the neck."""
    t = engraver.type_rng("bust")
    wide, deep = float(t.uniform(0.92, 1.12)), float(t.uniform(0.93, 1.05))
    outline = np.array([
        (0.145, 0.610), (0.230, 0.690), (0.360, 0.760), (0.455, 0.850), (0.440, 0.930),
        (0.300, 0.985), (0.050, 1.010), (-0.250, 0.995), (-0.500, 0.940), (-0.620, 0.850),
        (-0.570, 0.740), (-0.460, 0.640), (-0.360, 0.560), (-0.300, 0.620), (-0.200, 0.720),
        (-0.060, 0.770), (0.070, 0.730),
    ])  # fmt: skip
    outline[:, 0] *= wide
    outline[:, 1] = 0.56 + (outline[:, 1] - 0.56) * deep
    cloth = Sheet()
    p = pen.on(cloth)
    contour = p.contour(outline)
    s = pen.frame.scale
    cloth.form(contour, s * pen.lift * 0.082, s * 0.07, 0.5, 0.2)
    mask = cloth.mask(contour, 0.006)
    folds = Sheet()
    d = pen.on(folds)
    if cuirass:
        _cuirass(d, t, wide)
    else:
        _folds(d, t, wide)
    cloth.height += folds.height * mask
    base.raise_to(cloth, 0.004)
    if not cuirass or t.random() < 0.6:
        x, y = float(t.uniform(-0.30, -0.12)), float(t.uniform(0.74, 0.82))
        d = pen.on(base)
        d.dot(x, y, 0.05, 0.115)
        d.dot(x, y, 0.022, 0.13)


def _folds(d: Pen, t: np.random.Generator, wide: float) -> None:
    """Folds along the neckline, and falling from the shoulder."""
    rng = d.rng
    count = int(t.integers(3, 6))
    for i in range(count):
        u = (i + 0.5 + rng.normal(0, 0.12)) / count
        off = 0.19 * u
        line = [
            (-0.40 - 0.5 * off, 0.60 + 0.5 * off),
            (-0.24, 0.72 + 0.8 * off),
            (-0.05, 0.785 + off),
            (0.10 + 0.4 * off, 0.735 + off),
            (0.20 + off, 0.67 + 0.9 * off),
        ]
        d.stroke(np.array(line) * [wide, 1], 0.020 * np.array([0.5, 1, 1.2, 1, 0.6]),
                 0.030 * float(np.exp(rng.normal(0, 0.15))), 0.9)  # fmt: skip
    px, py = float(t.uniform(-0.32, -0.15)) * wide, float(t.uniform(0.76, 0.82))
    fan = int(t.integers(5, 9))
    for i in range(fan):
        u = (i + rng.normal(0, 0.15)) / (fan - 1)
        end = (-0.58 + 0.95 * u, 0.95 + 0.05 * np.sin(np.pi * u))
        mid = ((px + end[0]) / 2 + 0.02, (py + end[1]) / 2 - 0.02 + 0.03 * abs(u - 0.5))
        d.stroke([(px, py), mid, end], [0.012, 0.022, 0.016], [0.034, 0.030, 0.018], 0.9)


def _cuirass(d: Pen, t: np.random.Generator, wide: float) -> None:
    rng = d.rng
    rows = int(t.integers(3, 6))
    line = spline([(-0.38, 0.60), (-0.22, 0.73), (-0.05, 0.785), (0.10, 0.735), (0.20, 0.67)], 5)
    d.stroke(line * [wide, 1], 0.022, 0.034, 0.7)
    scales = t.random() < 0.5
    for r in range(rows):
        for i in range(13):
            x = -0.52 + 0.075 * i + (0.037 if r % 2 else 0) + rng.normal(0, 0.004)
            y = 0.80 + 0.052 * r + rng.normal(0, 0.004) - 0.1 * abs(x + 0.05)
            if scales and y > 0.72 + 0.3 * abs(x + 0.05):
                d.stroke([(x, y - 0.02), (x, y + 0.02)], [0.026, 0.030], [0.010, 0.026], 0.8)
    for i in range(int(t.integers(4, 7))):
        x = -0.60 + 0.045 * i
        d.stroke([(x, 0.70 + 0.01 * i), (x + 0.01, 0.84 + 0.02 * i)], 0.020, 0.034, 0.6)
    d.stroke([(-0.40, 0.63), (-0.33, 0.75), (-0.24, 0.86)], 0.03, 0.030, 0.6)
