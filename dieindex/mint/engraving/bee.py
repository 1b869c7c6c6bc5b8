"""The bee, wings spread, seen from above."""

from __future__ import annotations

import numpy as np

from dieindex.mint.engraving.engraver import Pen


def bee(pen: Pen, t: np.random.Generator) -> None:
    for side in (-1, 1):
        for k, (a, long) in enumerate(((0.35, 0.62), (0.85, 0.52))):
            end = (side * (0.1 + long * np.cos(a)), -0.18 + long * np.sin(a))
            mid = (
                side * (0.1 + 0.55 * long * np.cos(a - 0.25)),
                -0.18 + 0.55 * long * np.sin(a - 0.25),
            )
            pen.stroke([(0.08 * side, -0.2), mid, end], [0.03, 0.11, 0.06], 0.045 - 0.008 * k)
            for j in range(3):
                pen.stroke(
                    [
                        (0.1 * side, -0.18),
                        (mid[0], mid[1] + 0.04 * (j - 1)),
                        (end[0], end[1] - 0.05 * (j - 1)),
                    ],
                    0.010,
                    0.056,
                )
    pen.stroke([(0, 0.02), (0, 0.35), (0, 0.62)], [0.15, 0.15, 0.03], 0.10, 0.6)
    for k in range(5):
        y = 0.08 + 0.10 * k
        pen.stroke([(-0.15, y), (0, y + 0.03), (0.15, y)], 0.016, 0.02, 0.9, "cut")
    pen.dot(0, -0.16, 0.16, 0.11)
    pen.dot(0, -0.40, 0.11, 0.10)
    for side in (-1, 1):
        pen.dot(0.09 * side, -0.42, 0.05, 0.10)
        pen.stroke([(0.05 * side, -0.48), (0.12 * side, -0.62), (0.20 * side, -0.66)], 0.012, 0.05)
        for y in (-0.1, 0.05):
            pen.stroke(
                [(0.12 * side, y), (0.30 * side, y + 0.2), (0.28 * side, y + 0.36)], 0.014, 0.05
            )
