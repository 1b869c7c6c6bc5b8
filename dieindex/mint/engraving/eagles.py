"""Eagles, facing or in profile."""

from __future__ import annotations

import numpy as np

from dieindex.mint.engraving.engraver import Engraver, Frame, Pen
from dieindex.mint.engraving.hair import jittered_grid
from dieindex.mint.engraving.sheet import Sheet, spline, xy
from dieindex.mint.parameters import DesignType
from dieindex.records import Floats


def draw_eagle(engraver: Engraver, design: DesignType, room: float) -> Sheet:
    """An eagle: facing with spread wings, or in profile with closed or raised wings."""
    t, rng = engraver.type_rng("eagle"), engraver.straying_rng("eagle")
    slip = engraver.distance
    sheet = Sheet()
    frame = Frame(
        float(rng.normal(0, 0.012 * slip)),
        float(design.middle + 0.03 + rng.normal(0, 0.012 * slip)),
        room * float(t.uniform(1.10, 1.24)),
        float(rng.normal(0, 0.02 * slip)),
        design.facing < 0,
    )
    pen = Pen(engraver, sheet, frame, rng, shake=0.007, lift=engraver.depth)
    if t.random() < 0.62:
        _facing_eagle(pen, t)
    else:
        _profile_eagle(pen, t)
    perch = str(t.choice(["none", "line", "bolt", "globe", "branch"]))
    if perch == "line":
        pen.stroke([(-0.45, 0.715), (0, 0.71), (0.45, 0.715)], [0.014, 0.02, 0.014], 0.034)
    elif perch == "bolt":
        pen.stroke(
            [(-0.42, 0.73), (-0.15, 0.71), (0.15, 0.71), (0.42, 0.73)],
            [0.012, 0.045, 0.045, 0.012],
            0.05,
        )
        for side in (-1, 1):
            for lean in (-0.06, 0.06):
                pen.stroke([(0.2 * side, 0.715), (0.48 * side, 0.72 + lean)], [0.02, 0.008], 0.04)
    elif perch == "branch":
        pen.stroke([(-0.40, 0.74), (0.0, 0.71), (0.42, 0.72)], 0.016, 0.04)
        for x in (-0.3, -0.12, 0.15, 0.34):
            pen.stroke([(x, 0.72), (x + 0.08, 0.78)], [0.026, 0.006], 0.04)
    elif perch == "globe":
        pen.dot(0.05, 0.80, 0.12, 0.07)
    return sheet


def _feathers(
    pen: Pen, places: Floats, angles: Floats, long: float, wide: float, height: float
) -> None:
    """Short body feathers at places, pointing along angles, those further on overlapping."""
    rng, m = pen.rng, len(places)
    if m == 0:
        return
    size = long * np.exp(rng.normal(0, 0.10, m))
    turn = angles + rng.normal(0, 0.10, m)
    u = np.linspace(0, 1, 4)
    paths = (
        places[:, None]
        + size[:, None, None]
        * u[None, :, None]
        * np.stack([np.cos(turn), np.sin(turn)], 1)[:, None]
    )
    pen.strokes(
        paths,
        wide * np.exp(rng.normal(0, 0.10, m)),
        height * np.exp(rng.normal(0, 0.12, m)),
        (0.45, 0.8, 1.0, 0.75),
        0.8,
    )


def _breast(pen: Pen, outline: Floats, spacing: float, angle: float) -> None:
    layer = Sheet()
    places = jittered_grid(pen, spline(outline * [0.94, 0.94], 6, closed=True), spacing)
    _feathers(
        pen.on(layer), places, angle + 0.5 * places[:, 0], 1.15 * spacing, 0.34 * spacing, 0.026
    )
    pen.sheet.add(layer.height * np.clip(pen.sheet.height / 0.04, 0, 1))


def _eagle_head(
    pen: Pen, t: np.random.Generator, x: float, y: float, size: float, way: float
) -> None:
    """Head and hooked beak, looking along ``way``; perhaps with a wreath in the beak."""
    w = size * way
    pen.form(
        np.array(
            [
                (-0.55, 0.75),
                (-0.50, 0.10),
                (-0.38, -0.38),
                (0.0, -0.52),
                (0.36, -0.36),
                (0.52, -0.10),
                (0.40, 0.14),
                (0.14, 0.30),
                (0.16, 0.75),
            ]
        )
        * [w, size]
        + [x, y],
        0.13,
        0.06,
        0.4,
    )
    pen.stroke(
        np.array([(0.40, -0.14), (0.66, -0.16), (0.86, 0.0), (0.84, 0.22)]) * [w, size] + [x, y],
        size * np.array([0.20, 0.17, 0.11, 0.03]),
        [0.11, 0.10, 0.08, 0.05],
        0.6,
    )
    pen.stroke(
        np.array([(0.40, 0.08), (0.66, 0.06)]) * [w, size] + [x, y],
        size * np.array([0.10, 0.05]),
        0.08,
    )
    pen.dot(x + 0.20 * w, y - 0.12 * size, 0.10 * size, 0.160)
    pen.stroke(
        np.array([(0.02, -0.18), (0.22, -0.28), (0.42, -0.18)]) * [w, size] + [x, y],
        0.05 * size,
        0.155,
    )
    layer = Sheet()
    places = np.array(
        [
            (-0.35, -0.1),
            (-0.2, -0.35),
            (-0.38, 0.2),
            (-0.12, 0.1),
            (-0.3, 0.45),
            (-0.05, 0.4),
            (-0.2, 0.7),
            (0.05, 0.65),
        ]
    )
    _feathers(
        pen.on(layer),
        places * [w, size] + [x, y],
        np.full(8, np.pi / 2 + 0.3 * way),
        0.34 * size,
        0.10 * size,
        0.022,
    )
    pen.sheet.add(layer)
    if t.random() < 0.4:
        cx, cy, r = x + 1.0 * w, y + 0.42 * size, 0.34 * size
        for a in np.linspace(0, 2 * np.pi, 12)[:-1] + pen.rng.uniform(0, 0.5):
            p = np.array([cx + r * np.cos(a), cy + r * np.sin(a)])
            q = 0.13 * size * np.array([-np.sin(a + 0.3), np.cos(a + 0.3)])
            pen.stroke([p - q, p + q], [0.09 * size, 0.05 * size], 0.04)


def _facing_eagle(pen: Pen, t: np.random.Generator) -> None:
    rng = pen.rng
    spread, rise = float(t.uniform(0.35, 0.75)), float(t.uniform(-0.05, 0.30))
    count = int(t.integers(9, 13))
    for k in range(-3, 4):
        pen.stroke(
            [(0.03 * k, 0.30), (0.045 * k, 0.48), (0.062 * k, 0.66 - 0.01 * abs(k))],
            [0.02, 0.036, 0.026],
            0.050 + 0.004 * (k % 2),
            0.8,
        )
    for side in (-1.0, 1.0):
        _spread_wing(pen, side, spread, rise, count, t)
    outline = np.array(
        [
            (-0.02, -0.50),
            (0.10, -0.42),
            (0.185, -0.22),
            (0.195, 0.02),
            (0.125, 0.26),
            (0.0, 0.38),
            (-0.125, 0.26),
            (-0.195, 0.02),
            (-0.185, -0.22),
            (-0.10, -0.42),
        ]
    )
    pen.form(outline, 0.105, 0.13, 0.6)
    _breast(pen, outline, float(t.uniform(0.055, 0.075)), np.pi / 2)
    apart = float(t.uniform(0.09, 0.15))
    for side in (-1, 1):
        pen.stroke(
            [(0.08 * side, 0.18), (apart * side, 0.36), (1.1 * apart * side, 0.50)],
            [0.085, 0.075, 0.035],
            [0.10, 0.10, 0.07],
            0.6,
        )
        tufts = np.array(
            [(0.08 * side + dx, y) for y in (0.26, 0.34, 0.42) for dx in (-0.03, 0.03)]
        )
        _feathers(pen, tufts, np.full(6, np.pi / 2), 0.08, 0.024, 0.125)
        pen.stroke([(1.1 * apart * side, 0.48), (1.2 * apart * side, 0.66)], [0.03, 0.022], 0.055)
        for toe in (-0.08, 0.0, 0.08):
            pen.stroke(
                [
                    (1.2 * apart * side, 0.64),
                    (1.2 * apart * side + toe, 0.685),
                    (1.2 * apart * side + 1.25 * toe, 0.715),
                ],
                [0.022, 0.018, 0.006],
                0.05,
            )
    way = 1.0
    pen.stroke(
        [(0, -0.40), (0.015 * way, -0.52), (0.03 * way, -0.60)],
        [0.11, 0.085, 0.08],
        [0.10, 0.10, 0.10],
        0.6,
    )
    _eagle_head(pen, t, 0.035 * way + rng.normal(0, 0.005), -0.66, 0.155, way)


def _spread_wing(
    pen: Pen, side: float, spread: float, rise: float, count: int, t: np.random.Generator
) -> None:
    """A wing seen from within: long quills fanned from the wrist, coverts in rows above them."""
    rng = pen.rng
    edge = spline(
        [
            (0.12 * side, -0.34),
            (side * (0.20 + 0.10 * spread), -0.42 - 0.35 * rise),
            (side * (0.26 + 0.34 * spread), -0.44 - 0.5 * rise),
            (side * (0.34 + 0.42 * spread), -0.30 - 0.4 * rise),
        ],
        8,
    )
    fan = 0.30 + 0.75 * spread
    for row, (reach, wide, high) in enumerate(
        ((1.0, 0.040, 0.046), (0.60, 0.034, 0.062), (0.36, 0.030, 0.076), (0.18, 0.028, 0.088))
    ):
        n = count + row
        for i in range(n):
            u = float(np.clip((i + 0.35 + rng.normal(0, 0.12)) / n, 0, 1))
            start = edge[int(u * (len(edge) - 1))]
            angle = np.pi / 2 - side * (fan * u**1.3 - 0.12) + rng.normal(0, 0.02)
            long = (
                reach * (0.50 + 0.42 * np.sin(0.25 + 1.5 * u)) * float(np.exp(rng.normal(0, 0.035)))
            )
            end = start + long * np.array([np.cos(angle), np.sin(angle)])
            bow = 0.05 * long * side
            mid = 0.5 * (start + end) + [bow, 0.0]
            w = wide * float(np.exp(rng.normal(0, 0.08)))
            base = start + 0.35 * reach * (row == 0) * (end - start)
            pen.stroke(
                [base, mid if row else 0.5 * (base + end) + [bow, 0], end],
                [0.7 * w, w, 0.45 * w],
                high * float(np.exp(rng.normal(0, 0.08))),
                0.8,
            )
            if row == 0:
                pen.stroke(
                    [base, 0.5 * (base + end) + [bow, 0], end],
                    0.006,
                    0.010,
                    1.0,
                    "add",
                    shake=0.001,
                )
    pen.stroke(edge[::4], [0.05, 0.046, 0.042, 0.03], [0.098, 0.092, 0.084, 0.06], 0.7)


def _profile_eagle(pen: Pen, t: np.random.Generator) -> None:
    """Standing to one side as on the coins of Egypt: slanting body, closed or half open wings."""
    lift = float(t.uniform(0.0, 0.9)) if t.random() < 0.45 else 0.0
    for k in range(5):
        pen.stroke(
            [
                (-0.28, 0.22),
                (-0.42 - 0.03 * k, 0.42 + 0.02 * k),
                (-0.50 - 0.055 * k, 0.64 - 0.035 * k),
            ],
            [0.03, 0.04, 0.03],
            0.05 + 0.003 * k,
            0.8,
        )
    if lift:
        _raised_wing(pen, t, lift, 0.8)
    outline = np.array(
        [
            (0.14, -0.44),
            (0.25, -0.30),
            (0.27, -0.08),
            (0.18, 0.18),
            (0.02, 0.36),
            (-0.20, 0.42),
            (-0.36, 0.36),
            (-0.26, 0.10),
            (-0.14, -0.18),
            (0.0, -0.40),
        ]
    )
    pen.form(outline, 0.11, 0.14, 0.6)
    _breast(pen, outline, float(t.uniform(0.055, 0.07)), 2.1)
    for dx, high in ((0.10, 0.08), (-0.02, 0.105)):
        pen.stroke(
            [(0.06 + dx, 0.16), (0.07 + dx, 0.36), (0.05 + dx, 0.48)],
            [0.10, 0.08, 0.034],
            [high, high, 0.07],
            0.6,
        )
        tufts = np.array([(0.06 + dx + ex, y) for y in (0.22, 0.31, 0.40) for ex in (-0.035, 0.03)])
        _feathers(pen, tufts, np.full(6, 1.7), 0.09, 0.026, high + 0.02)
        pen.stroke([(0.05 + dx, 0.46), (0.06 + dx, 0.66)], [0.03, 0.022], 0.055)
        for toe in (-0.07, 0.05, 0.11):
            pen.stroke([(0.06 + dx, 0.64), (0.06 + dx + toe, 0.70)], [0.022, 0.010], 0.05)
    if lift:
        _raised_wing(pen, t, lift, 1.0)
    else:
        _closed_wing(pen, t)
    pen.stroke([(0.10, -0.34), (0.16, -0.48), (0.18, -0.56)], [0.12, 0.092, 0.085], 0.105, 0.6)
    way = 1.0 if t.random() < 0.85 else -1.0
    _eagle_head(pen, t, 0.18, -0.62, 0.16, way)


def _closed_wing(pen: Pen, t: np.random.Generator) -> None:
    rng = pen.rng
    wing = Sheet()
    d = pen.on(wing)
    d.form(
        [
            (0.12, -0.30),
            (0.16, -0.10),
            (0.04, 0.14),
            (-0.20, 0.36),
            (-0.46, 0.54),
            (-0.36, 0.26),
            (-0.20, -0.04),
            (-0.04, -0.28),
        ],
        0.045,
        0.06,
        0.4,
    )
    count = int(t.integers(5, 8))
    for k in range(count):
        u = (k + rng.normal(0, 0.10)) / (count - 1)
        d.stroke(
            [
                (0.02 - 0.10 * u, 0.06 - 0.10 * u),
                (-0.16 - 0.08 * u, 0.28 - 0.10 * u),
                (-0.36 - 0.12 * u, 0.50 + 0.03 * u),
            ],
            [0.022, 0.030, 0.014],
            0.062 + 0.004 * (k % 2),
            0.8,
        )
    for row in range(3):
        places = np.array(
            [(0.10 - 0.055 * i - 0.02 * row, -0.20 + 0.085 * row + 0.03 * i) for i in range(5)]
        )
        _feathers(d, places, np.full(5, 2.2), 0.10, 0.030, 0.070 + 0.008 * (2 - row))
    pen.sheet.lay(wing, 0.008 * pen.frame.scale)


def _raised_wing(pen: Pen, t: np.random.Generator, lift: float, near: float) -> None:
    rng = pen.rng
    count = int(t.integers(7, 11))
    root = np.array([0.10, -0.26]) if near == 1.0 else np.array([0.20, -0.30])
    for reach, wide, high in ((1.0, 0.034, 0.055), (0.6, 0.03, 0.075), (0.32, 0.028, 0.09)):
        for i in range(count):
            u = (i + 0.4 + rng.normal(0, 0.12)) / count
            angle = np.pi * 1.02 - 0.2 + 0.75 * lift * u + 0.25
            start = root + xy(-0.16 * u, -0.06 * u)
            long = reach * (0.62 + 0.12 * u)
            end = start + long * np.array([np.cos(angle), np.sin(angle)])
            pen.stroke(
                [start, 0.5 * (start + end) + [0, -0.04], end],
                [0.6 * wide, wide, 0.4 * wide],
                near * high,
                0.8,
            )
