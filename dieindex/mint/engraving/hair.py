"""Hair, beards and manes, drawn lock by lock along a field of directions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dieindex.mint.engraving.engraver import Pen
from dieindex.mint.engraving.sheet import Sheet
from dieindex.records import Flags, Floats

Flow = Callable[[Floats], Floats]
"""Directions (radians, ``(m,)``) in which hair runs at places ``(m, 2)``."""


@dataclass(frozen=True)
class Style:
    """How hair is cut: all lengths in head heights."""

    kind: str
    """"locks", "waves", "combed" or "curls"."""
    spacing: float
    length: float
    width: float
    height: float
    curl: float
    swirl: float
    wave: float

    @classmethod
    def sample(cls, rng: np.random.Generator, kind: str) -> Style:
        spacing = float(rng.uniform(0.066, 0.110))
        long = {"locks": 2.1, "waves": 3.6, "combed": 2.6, "curls": 1.0}[kind]
        return cls(
            kind=kind,
            spacing=spacing,
            length=spacing * long * float(rng.uniform(0.85, 1.2)),
            width=spacing * float(rng.uniform(0.24, 0.34)),
            height=float(rng.uniform(0.020, 0.032)),
            curl=float(rng.uniform(0.5, 1.5) * rng.choice([-1, 1])),
            swirl=float(rng.uniform(0.4, 1.1) * rng.choice([-1, 1])),
            wave=float(rng.uniform(0.2, 0.7)),
        )


def jittered_grid(pen: Pen, outline: Floats, spacing: float) -> Floats:
    """Places about ``spacing`` apart inside a closed outline, in staggered uneven rows.

    They lie around the type's own places, but another die's rows begin elsewhere and are a little
    closer or wider.
    """
    engraver = pen.engraver
    slip = min(engraver.distance, 1.5)
    rng = engraver.die_rng("rows", len(outline), f"{spacing:.4f}")
    step = spacing * float(np.exp(rng.normal(0, 0.05 * slip)))
    low, high = outline.min(0), outline.max(0)
    begin = low + rng.normal(0, 0.3 * slip, 2) * spacing - spacing
    rows = np.arange(begin[1], high[1] + spacing, 0.87 * step)
    places = []
    for i, y in enumerate(rows):
        xs = np.arange(begin[0] + (0.5 * step if i % 2 else 0), high[0] + spacing, step)
        places.append(np.stack([xs, np.full(len(xs), y)], 1))
    grid = np.concatenate(places)
    away = [engraver.field(f"jitter {k} {spacing:.4f}", 1.6 * spacing)(grid) for k in range(2)]
    grid = grid + 0.19 * spacing * np.stack(away, 1)
    return grid[contains(outline, grid)]


def contains(outline: Floats, points: Floats) -> Flags:
    """Which points lie inside a closed polygon (even-odd rule)."""
    x, y = points[:, :1], points[:, 1:]
    a, b = outline, np.roll(outline, -1, axis=0)
    crosses = (a[:, 1] > y) != (b[:, 1] > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = (b[:, 0] - a[:, 0]) * (y - a[:, 1]) / (b[:, 1] - a[:, 1]) + a[:, 0]
    return np.asarray((crosses & (x < at)).sum(1) % 2 == 1)


def streamlines(
    roots: Floats, flow: Flow, length: Floats, curl: Floats, wave: Floats, phase: Floats,
    steps: int = 6,
) -> Floats:  # fmt: skip
    """Paths ``(m, steps + 1, 2)`` from the roots along the flow, turning by curl and wave."""
    path = [np.array(roots, np.float64)]
    step = (length / steps)[:, None]
    for i in range(steps):
        angle = flow(path[-1]) + curl * (i / steps) ** 1.6
        angle = angle + wave * np.cos(2 * np.pi * 1.3 * i / steps + phase)
        path.append(path[-1] + step * np.stack([np.cos(angle), np.sin(angle)], 1))
    return np.stack(path, axis=1)


def locks(
    pen: Pen, roots: Floats, flow: Flow, style: Style, strands: int = 3, curl_sign: float = 0.0
) -> None:
    """A lock of strands at every root: side by side at the root, gathered at the tip."""
    rng, m = pen.rng, len(roots)
    if m == 0:
        return
    angle = flow(roots)
    normal = np.stack([-np.sin(angle), np.cos(angle)], 1)
    sides = np.arange(strands) - (strands - 1) / 2
    sides = sides / max(strands - 1, 1)
    at = (roots[:, None] + normal[:, None] * (sides[None, :, None] * 1.9 * style.width)).reshape(
        -1, 2
    )
    n = m * strands
    side = np.tile(sides, m)
    near = [pen.engraver.field(f"lock {k}", 2.2 * style.spacing)(roots) for k in range(4)]
    own = np.repeat(np.stack(near, 1), strands, axis=0)
    at = at + rng.normal(0, 0.12 * style.width, at.shape)
    length = (
        style.length * np.exp(0.14 * own[:, 0] + rng.normal(0, 0.06, n)) * (1 - 0.2 * np.abs(side))
    )
    bend = style.curl * (1 + 0.3 * own[:, 1]) * (curl_sign or 1.0)
    curl = bend - 0.7 * side + rng.normal(0, 0.08, n)
    wave = style.wave * (0.5 if style.kind == "waves" else 0.12) * (1 + 0.2 * own[:, 2])
    paths = streamlines(at, flow, length, curl, wave, 2.0 * own[:, 3])
    tall = style.height * np.exp(rng.normal(0, 0.14, n) + 0.22 * own[:, 2])
    wide = style.width * 0.62 * np.exp(rng.normal(0, 0.08, n))
    pen.strokes(paths, wide, tall)


def snails(pen: Pen, places: Floats, size: float, height: float) -> None:
    """Drilled curls: a spiral strand around a pellet at every place."""
    rng, m = pen.rng, len(places)
    if m == 0:
        return
    s = size * np.exp(rng.normal(0, 0.12, m))
    turn = rng.uniform(0, 2 * np.pi, m) * 0.35 + 1.8
    way = np.where(rng.random(m) < 0.8, 1.0, -1.0)
    u = np.linspace(0, 1, 9)
    angle = turn[:, None] + way[:, None] * 4.9 * u
    r = s[:, None] * (1.0 - 0.62 * u)
    paths = places[:, None] + np.stack([r * np.cos(angle), r * np.sin(angle)], 2)
    tall = height * np.exp(rng.normal(0, 0.12, m))
    pen.strokes(paths, 0.40 * s, tall, (0.5, 0.9, 1.0, 0.8, 0.6), 0.8)
    centre = np.stack([places, places + 1e-4], axis=1)
    pen.strokes(centre, 0.34 * s, 0.95 * tall, (1.0, 1.0), 0.6)


def comma_row(
    pen: Pen, line: Floats, flow: float, style: Style, count: int, length: float, curl: float
) -> None:
    """A fringe: locks side by side along a line, their tips turning by ``curl``.

    ``flow`` is the angle of the locks against the line's direction.
    """
    rng = pen.rng
    at = np.clip((np.arange(count) + 0.5 + rng.normal(0, 0.13, count)) / count, 0, 1)
    t = np.linspace(0, 1, len(line))
    roots = np.stack([np.interp(at, t, line[:, k]) for k in (0, 1)], 1)
    way = np.gradient(line, axis=0)
    turn = np.interp(at, t, np.unwrap(np.arctan2(way[:, 1], way[:, 0])))

    def direction(points: Floats) -> Floats:
        # Strands of a lock come in a row, so the roots' directions repeat.
        return np.repeat(turn + flow, len(points) // count)

    shorter = Style(style.kind, style.spacing, length, style.width * 1.15, style.height * 1.2, curl,
                    0.0, 0.1)  # fmt: skip
    locks(pen, roots, direction, shorter, 3)


def whorl(cx: float, cy: float, swirl: float, noise: Floats) -> Flow:
    """Hair combed from a crown at (cx, cy), unevenly: ``noise`` ``(k, 4)`` are waves of angle."""

    def flow(points: Floats) -> Floats:
        dx, dy = points[:, 0] - cx, points[:, 1] - cy
        angle = np.arctan2(dy, dx) + swirl * np.exp(-np.hypot(dx, dy) / 0.22)
        for kx, ky, phase, gain in noise:
            angle = angle + gain * np.cos(kx * points[:, 0] + ky * points[:, 1] + phase)
        return np.asarray(angle)

    return flow


def cover(pen: Pen, base: Sheet, outline: Floats, flow: Flow, style: Style, cap: float) -> None:
    """Cover a region of the head (its outline in the pen's units) with hair.

    ``cap`` is the thickness of the hair; strands rise from it, and stay within the outline but
    for their tips.
    """
    under = Sheet()
    p = pen.on(under)
    contour = p.place(outline, 0.004)
    s = pen.frame.scale * pen.lift
    under.form(contour, s * cap, pen.frame.scale * max(1.6 * cap, 0.03), 0.3, 0.3)
    layer = Sheet()
    d = pen.on(layer)
    roots = jittered_grid(pen, outline, style.spacing)
    if style.kind == "curls":
        snails(d, roots, 0.46 * style.spacing, 1.2 * style.height)
    else:
        # Locks nearer the ends of the flow lie below those nearer the crown.
        locks(d, roots, flow, style, 4 if style.kind == "waves" else 3)
    edge = pen.frame.scale * 0.012
    layer.height *= layer.mask(contour, edge)
    base.add(under)
    base.add(layer)
