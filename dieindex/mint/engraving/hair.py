"""Hair and beards, drawn lock by lock along a field of directions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dieindex.mint.engraving.engraver import Pen
from dieindex.mint.engraving.sheet import Points

Flow = Callable[[float, float], float]
"""Direction (radians) in which hair runs at a place of the head."""


def jittered_grid(
    rng: np.random.Generator, outline: Points, spacing: float, inside: bool = True
) -> Points:
    """Places about ``spacing`` apart inside a closed outline, in rows shifted against each other."""
    low, high = outline.min(0), outline.max(0)
    rows = np.arange(low[1], high[1], 0.87 * spacing)
    places = []
    for i, y in enumerate(rows):
        xs = np.arange(low[0] + (0.5 * spacing if i % 2 else 0), high[0], spacing)
        places.append(np.stack([xs, np.full(len(xs), y)], 1))
    grid = np.concatenate(places) + rng.uniform(-0.3, 0.3, (sum(map(len, places)), 2)) * spacing
    return grid[contains(outline, grid)] if inside else grid


def contains(outline: Points, points: Points) -> np.ndarray:
    """Which points lie inside a closed polygon (even-odd rule)."""
    x, y = points[:, :1], points[:, 1:]
    a, b = outline, np.roll(outline, -1, axis=0)
    crosses = (a[:, 1] > y) != (b[:, 1] > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = (b[:, 0] - a[:, 0]) * (y - a[:, 1]) / (b[:, 1] - a[:, 1]) + a[:, 0]
    return np.asarray((crosses & (x < at)).sum(1) % 2 == 1)


def strand(
    pen: Pen, x: float, y: float, flow: Flow, length: float, width: float, height: float,
    curl: float = 0.0,
) -> None:  # fmt: skip
    """One tapered strand from (x, y) along the flow, curling towards its end."""
    steps = 6
    path = [(x, y)]
    for i in range(steps):
        angle = flow(*path[-1]) + curl * (i / steps) ** 1.5
        step = length / steps
        path.append((path[-1][0] + step * np.cos(angle), path[-1][1] + step * np.sin(angle)))
    pen.stroke(
        path, width * np.array([0.5, 0.95, 1.0, 0.8, 0.25]),
        height * np.array([0.6, 1.0, 1.0, 0.9, 0.5]), 0.8, shake=0.0,
    )  # fmt: skip


def lock(
    pen: Pen, x: float, y: float, flow: Flow, length: float, width: float, height: float,
    curl: float, strands: int,
) -> None:  # fmt: skip
    """A lock of several strands that start side by side and meet at its tip."""
    rng = pen.rng
    angle = flow(x, y)
    nx, ny = -np.sin(angle), np.cos(angle)
    for i in range(strands):
        side = (i - (strands - 1) / 2) / max(strands - 1, 1)
        off = 1.5 * width * side + rng.normal(0, 0.12 * width)
        strand(
            pen, x + nx * off, y + ny * off, flow,
            length * (1 - 0.25 * abs(side)) * float(np.exp(rng.normal(0, 0.08))),
            width * 0.62, height * float(np.exp(rng.normal(0, 0.12))),
            curl - 0.5 * side + float(rng.normal(0, 0.10)),
        )  # fmt: skip


def snail(pen: Pen, x: float, y: float, size: float, height: float, turn: float) -> None:
    """A drilled curl: a spiral strand around a pellet."""
    angle = turn + np.linspace(0, 4.6, 8)
    r = size * np.linspace(1.0, 0.45, 8)
    path = np.stack([x + r * np.cos(angle), y + r * np.sin(angle)], 1)
    pen.stroke(path, size * np.linspace(0.42, 0.25, 8), height, 0.7, shake=0.0)
    pen.dot(x, y, 0.35 * size, 0.9 * height)
