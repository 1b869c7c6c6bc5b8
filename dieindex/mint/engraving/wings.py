"""Wings of figures and animals."""

from __future__ import annotations

import numpy as np

from dieindex.mint.engraving.engraver import Pen
from dieindex.mint.engraving.sheet import xy


def wing(
    pen: Pen, x: float, y: float, side: float, t: np.random.Generator, long: float, up: float = 0.0
) -> None:
    """A wing of three rows of feathers, sweeping back and down from the shoulder."""
    rng = pen.rng
    rise = float(t.uniform(-0.12, 0.12))
    droop = float(t.uniform(0.5, 1.1))
    wrist = np.array([x + side * 0.42 * long, y - 0.10 * long - 0.5 * rise])
    root = np.array([x, y])
    count = int(t.integers(7, 11))
    for row, (reach, wide, height) in enumerate(
        [(1.0, 0.019, 0.034), (0.62, 0.017, 0.044), (0.34, 0.015, 0.054)]
    ):
        for i in range(count - row):
            u = (i + 0.5 + rng.normal(0, 0.10)) / (count - row)
            start = root * (1 - u) + wrist * u
            a = droop - up + 0.9 * (1 - u) - 0.075 * row
            size = reach * long * (0.55 + 0.5 * u) * float(np.exp(rng.normal(0, 0.05)))
            end = start + size * np.array([side * np.cos(a), np.sin(a)])
            mid = (start + end) / 2 + 0.06 * size * np.array([side * np.sin(a), -np.cos(a)])
            pen.stroke([start, mid, end], [0.6 * wide, wide, 0.5 * wide], height, 0.8)
    pen.stroke(
        [root, (root + wrist) / 2 + [0, -0.02], wrist, wrist + xy(side * 0.03, 0.05)],
        [0.028, 0.026, 0.024, 0.012],
        0.062,
        0.7,
    )
