"""Wreaths and symbols: reverses without a living thing in the middle."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dieindex.mint.engraving.bee import bee
from dieindex.mint.engraving.borders import leaf
from dieindex.mint.engraving.engraver import Engraver, Pen
from dieindex.mint.engraving.figures import stage
from dieindex.mint.engraving.sheet import Sheet, spline
from dieindex.mint.parameters import DesignType
from dieindex.records import Floats


def centred(engraver: Engraver, design: DesignType, room: float, name: str) -> Pen:
    """A pen whose origin is the middle of the motif, one unit its room."""
    pen = stage(engraver, design, room, name, 1.0)
    return pen.at(0.0, -0.47, 1.0)


def draw_wreath(engraver: Engraver, design: DesignType, room: float) -> Sheet:
    """A large wreath; the legend inside it is the layout's affair."""
    t = engraver.type_rng("wreath")
    pen = centred(engraver, design, room, "wreath")
    sheet, rng = pen.sheet, pen.rng
    r = float(t.uniform(0.84, 0.93))
    opening = float(t.uniform(0.06, 0.30))
    kind = str(t.choice(["laurel", "oak", "olive", "ivy"]))
    count = int(t.integers(13, 21)) + int(rng.integers(-1, 2))
    size = float(t.uniform(0.17, 0.25)) * room
    s = pen.frame.scale
    stem: list[Floats] = []
    for side in (-1, 1):
        a = np.pi / 2 - side * np.linspace(0.10, np.pi - opening, 40)
        line = pen.place(np.stack([r * np.cos(a), r * np.sin(a)], 1)[::4], 0.004)
        stem.append(spline(line, 5))
        sheet.stroke(stem[-1], 0.013 * s, 0.026 * pen.lift, 0.7)
    for line in stem:
        at = (np.arange(count) + 0.3 + rng.normal(0, 0.12, count)).clip(0) / count
        for u in at:
            i = int(min(u, 0.985) * (len(line) - 1))
            way = line[min(i + 2, len(line) - 1)] - line[max(i - 2, 0)]
            ahead = float(np.arctan2(way[1], way[0]))
            tall = 0.042 * pen.lift * float(np.exp(rng.normal(0, 0.1)))
            spread, slim = {
                "laurel": (0.5, 0.17),
                "olive": (0.6, 0.13),
                "oak": (0.75, 0.27),
                "ivy": (0.8, 0.30),
            }[kind]
            for lean in (-spread, 0.0, spread) if kind in ("laurel", "oak") else (-spread, spread):
                long = size * (0.8 if kind == "ivy" else 1.0)
                leaf(sheet, rng, line[i][0], line[i][1], ahead + lean, long, slim * size, tall)
            if kind in ("olive", "oak", "ivy") and rng.random() < 0.5:
                off = 0.45 * size * np.array([np.cos(ahead + 1.5), np.sin(ahead + 1.5)])
                sheet.dot(line[i][0] + off[0], line[i][1] + off[1], 0.09 * size, tall)
    for side in (-1, 1):
        pen.stroke(
            [(0, r), (0.10 * side, r - 0.05), (0.16 * side, r + 0.01), (0.05 * side, r + 0.01)],
            0.014,
            0.045,
        )
        pen.stroke([(0, r), (0.09 * side, r + 0.06), (0.20 * side, r + 0.08)], 0.015, 0.040)
    pen.dot(0, r, 0.034, 0.055)
    if t.random() < 0.4:
        pen.dot(0, -r, 0.04, 0.05)
    return sheet


def star(pen: Pen, rays: int, size: float) -> None:
    turn = float(pen.rng.normal(0, 0.05))
    for k in range(rays):
        a = -np.pi / 2 + 2 * np.pi * k / rays + turn + pen.rng.normal(0, 0.03)
        r = size * float(np.exp(pen.rng.normal(0, 0.05)))
        pen.stroke(
            [(0, 0), (r * np.cos(a), r * np.sin(a))], [0.13 * size, 0.04 * size], 0.16 * size * 0.5
        )
    pen.dot(0, 0, 0.17 * size, 0.12 * size)


def _cross(pen: Pen, t: np.random.Generator) -> None:
    arm = float(t.uniform(0.34, 0.44))
    pen.stroke([(0, -0.80), (0, 0.42)], 0.040, 0.062, 0.6, curve=False)
    pen.stroke([(-arm, -0.30), (arm, -0.30)], 0.040, 0.062, 0.6, curve=False)
    for x, y, h in ((0, -0.80, False), (-arm, -0.30, True), (arm, -0.30, True), (0, 0.42, False)):
        d = np.array([0.0, 0.085]) if h else np.array([0.085, 0.0])
        pen.stroke([np.array([x, y]) - d, np.array([x, y]) + d], 0.034, 0.064, 0.6)
    for k in range(int(t.integers(2, 5))):
        half = 0.20 + 0.11 * k
        pen.stroke(
            [(-half, 0.50 + 0.10 * k), (half, 0.50 + 0.10 * k)], 0.038, 0.058, 0.6, curve=False
        )
    if t.random() < 0.4:
        for x, y in ((-0.3, -0.6), (0.3, -0.6), (-0.3, 0.05), (0.3, 0.05)):
            star(pen.at(x, y, 0.12), 6, 1.0)


def _thunderbolt(pen: Pen, t: np.random.Generator) -> None:
    for side in (-1, 1):
        for lean in (-0.22, 0.0, 0.22):
            u = np.linspace(0, 1, 7)
            path = np.stack([lean * u + 0.03 * np.sin(12 * u) * u, side * (0.10 + 0.66 * u)], 1)
            pen.stroke(path, [0.05, 0.045, 0.03, 0.008], 0.07)
        for lean in (-1, 1):
            pen.stroke(
                [
                    (0.03 * lean, side * 0.08),
                    (0.26 * lean, side * 0.30),
                    (0.22 * lean, side * 0.56),
                    (0.36 * lean, side * 0.62),
                ],
                [0.05, 0.034, 0.022, 0.008],
                0.064,
            )
    pen.stroke([(-0.14, 0), (0.14, 0)], 0.06, 0.085)
    if t.random() < 0.6:
        for side in (-1, 1):
            for k in range(6):
                pen.stroke(
                    [
                        (0.10 * side, -0.03 + 0.012 * k),
                        (side * (0.62 - 0.05 * k), -0.20 + 0.085 * k),
                    ],
                    [0.02, 0.03, 0.01],
                    0.045,
                )


def _cornucopias(pen: Pen, t: np.random.Generator) -> None:
    double = t.random() < 0.5
    for side in (-1, 1) if double else (1,):
        x = np.array([0.05, 0.20, 0.34, 0.40 if double else 0.2]) * side - (0 if double else 0.1)
        y = np.array([0.72, 0.45, 0.05, -0.28])
        pen.stroke(np.stack([x, y], 1), [0.03, 0.085, 0.14, 0.19], [0.05, 0.09, 0.11, 0.11], 0.6)
        for k in range(7):
            u = 0.1 + 0.13 * k
            px, py = np.interp(u, [0, 0.33, 0.66, 1], x), np.interp(u, [0, 0.33, 0.66, 1], y)
            w = 0.03 + 0.16 * u
            pen.stroke(
                [(px - w, py - 0.02), (px, py + 0.03), (px + w, py - 0.01)],
                0.012,
                0.016,
                0.9,
                "add",
            )
        for k in range(13):
            a = -np.pi * (k + 0.5) / 13
            rr = 0.18 if k % 2 else 0.10
            pen.dot(
                x[3] + rr * np.cos(a) + pen.rng.normal(0, 0.01),
                y[3] + 0.8 * rr * np.sin(a),
                0.055,
                0.12,
            )
        pen.stroke(
            [(x[3] + 0.05, y[3] - 0.1), (x[3] + 0.16 * side, y[3] - 0.32)], [0.05, 0.01], 0.09
        )
        pen.stroke(
            [(x[3] - 0.15 * side, y[3]), (x[3] - 0.24 * side, y[3] + 0.24)],
            [0.03, 0.035, 0.02],
            0.08,
        )
    pen.stroke([(0, 0.7), (0.12, 0.62), (0.2, 0.74)], 0.018, 0.06)


def _tripod(pen: Pen, t: np.random.Generator) -> None:
    for x0, x1 in ((-0.30, -0.36), (0.0, 0.0), (0.30, 0.36)):
        pen.stroke(
            [(x0, -0.30), (0.5 * (x0 + x1), 0.2), (x1, 0.72)], [0.034, 0.026, 0.034], 0.065, 0.6
        )
        pen.stroke([(x1 - 0.05, 0.735), (x1 + 0.07, 0.735)], 0.026, 0.06)
    for y, w in ((0.12, 0.32), (0.45, 0.33)):
        pen.stroke([(-w, y), (w, y)], 0.016, 0.05)
    pen.form(
        [(-0.38, -0.36), (0.38, -0.36), (0.28, -0.18), (0.0, -0.10), (-0.28, -0.18)],
        0.085,
        0.10,
        0.5,
    )
    pen.stroke([(-0.42, -0.37), (0.42, -0.37)], 0.030, 0.09, 0.6)
    for x in (-0.26, 0.0, 0.26):
        a = np.linspace(0, 2 * np.pi, 9)
        pen.stroke(np.stack([x + 0.095 * np.cos(a), -0.50 + 0.10 * np.sin(a)], 1), 0.020, 0.06)
    if t.random() < 0.5:
        a = np.linspace(0, 1, 25)
        pen.stroke(np.stack([0.13 * np.sin(18 * a), 0.7 - 1.35 * a], 1), [0.02, 0.03, 0.026], 0.085)


def _rosette(pen: Pen, t: np.random.Generator) -> None:
    star(pen, int(t.choice([6, 8, 12, 16])), float(t.uniform(0.6, 0.8)))
    if t.random() < 0.6:
        a = np.linspace(0.4, np.pi - 0.4, 11) + np.pi / 2 * int(t.integers(0, 2))
        r, off = 0.72, 0.12
        pen.stroke(
            np.stack([r * np.cos(a), r * np.sin(a) + off], 1),
            [0.01, 0.05, 0.075, 0.05, 0.01],
            0.055,
        )


def _shield_symbol(pen: Pen, t: np.random.Generator) -> None:
    a = np.linspace(0, 2 * np.pi, 25)[:-1]
    pen.form(np.stack([0.72 * np.cos(a), 0.72 * np.sin(a)], 1), 0.085, 0.4, 0.7)
    for r in (0.68, float(t.uniform(0.3, 0.45))):
        b = np.linspace(0, 2 * np.pi, 25)
        pen.stroke(np.stack([r * np.cos(b), r * np.sin(b)], 1), 0.022, 0.026, 0.7, "add")
    motif = str(t.choice(["boss", "star", "gorgon", "bolt"]))
    top = Sheet()
    d = pen.on(top)
    if motif == "star":
        star(d.at(0, 0, 0.28), 8, 1.0)
    elif motif == "bolt":
        _thunderbolt(d.at(0, 0, 0.3), t)
    elif motif == "gorgon":
        d.dot(0, 0, 0.2, 0.05)
        for side in (-1, 1):
            d.dot(0.07 * side, -0.03, 0.04, 0.075)
        for k in range(12):
            turn = k * np.pi / 6 + 0.2
            d.stroke(
                [
                    (0.2 * np.cos(turn), 0.2 * np.sin(turn)),
                    (0.28 * np.cos(turn + 0.3), 0.28 * np.sin(turn + 0.3)),
                ],
                [0.03, 0.02],
                0.05,
            )
    else:
        d.dot(0, 0, 0.15, 0.06)
    pen.sheet.add(top)
    for k in range(int(t.choice([6, 8, 12]))):
        at = k * np.pi / 6 + 0.1
        pen.bump(0.55 * float(np.cos(at)), 0.55 * float(np.sin(at)), 0.05, 0.05, 0.035)


def _anchor(pen: Pen, t: np.random.Generator) -> None:
    pen.stroke([(0, -0.55), (0, 0.62)], [0.045, 0.055], 0.065, 0.6)
    pen.stroke(
        [(-0.44, 0.30), (-0.34, 0.58), (0, 0.70), (0.34, 0.58), (0.44, 0.30)],
        [0.03, 0.055, 0.065, 0.055, 0.03],
        0.065,
    )
    for side in (-1, 1):
        pen.stroke([(0.44 * side, 0.26), (0.54 * side, 0.40)], [0.02, 0.04], 0.055)
        pen.stroke([(0.44 * side, 0.26), (0.30 * side, 0.36)], [0.02, 0.04], 0.055)
    pen.stroke([(-0.36, -0.42), (0.36, -0.42)], 0.036, 0.06)
    a = np.linspace(0, 2 * np.pi, 13)
    pen.stroke(np.stack([0.11 * np.cos(a), -0.68 + 0.11 * np.sin(a)], 1), 0.026, 0.055)
    if t.random() < 0.6:
        dolphin(pen.at(0.0, 0.05, 0.62), t)


def dolphin(pen: Pen, t: np.random.Generator) -> None:
    pen.stroke(
        [(-0.62, 0.30), (-0.30, -0.10), (0.15, -0.20), (0.52, 0.05), (0.70, 0.26)],
        [0.03, 0.12, 0.20, 0.15, 0.05],
        [0.05, 0.11, 0.13, 0.12, 0.07],
        0.6,
    )
    pen.stroke([(-0.60, 0.28), (-0.86, 0.22), (-0.94, 0.34)], [0.04, 0.05, 0.01], 0.06)
    pen.stroke([(-0.60, 0.28), (-0.66, 0.50), (-0.56, 0.60)], [0.04, 0.05, 0.01], 0.06)
    for k in range(6):
        pen.stroke(
            [(-0.12 + 0.08 * k, -0.34 + 0.01 * k), (-0.16 + 0.08 * k, -0.48 + 0.03 * k)],
            [0.025, 0.01],
            0.06,
        )
    pen.stroke([(0.28, 0.10), (0.16, 0.34)], [0.05, 0.02], 0.08)
    pen.dot(0.50, 0.0, 0.035, 0.15)


def _dolphin(pen: Pen, t: np.random.Generator) -> None:
    dolphin(pen.at(0, 0.0, 0.85), t)


def _amphora(pen: Pen, t: np.random.Generator) -> None:
    belly = float(t.uniform(0.30, 0.44))
    pen.form(
        [
            (-0.12, -0.62),
            (-0.11, -0.38),
            (-belly, -0.14),
            (-0.9 * belly, 0.22),
            (-0.12, 0.56),
            (-0.16, 0.66),
            (0.16, 0.66),
            (0.12, 0.56),
            (0.9 * belly, 0.22),
            (belly, -0.14),
            (0.11, -0.38),
            (0.12, -0.62),
        ],
        0.12,
        0.22,
        0.6,
    )
    pen.stroke([(-0.18, -0.64), (0.18, -0.64)], 0.036, 0.08)
    for side in (-1, 1):
        pen.stroke(
            [
                (0.12 * side, -0.58),
                (0.34 * side, -0.56),
                (0.40 * side, -0.32),
                (0.30 * side, -0.14),
            ],
            0.028,
            0.07,
        )
    for y in (-0.10, 0.05, 0.2):
        w = belly * 0.95
        pen.stroke([(-w, y - 0.03), (0, y + 0.04), (w, y - 0.03)], 0.014, 0.014, 0.9, "add")
    for k in range(int(t.integers(7, 13))):
        x = belly * 0.9 * (2 * (k + 0.5) / 12 - 1)
        pen.stroke([(x, 0.24), (0.4 * x, 0.52)], 0.018, 0.012, 0.9, "add")


def _lyre(pen: Pen, t: np.random.Generator) -> None:
    pen.form(
        [(-0.30, 0.30), (0.30, 0.30), (0.36, 0.52), (0.20, 0.70), (-0.20, 0.70), (-0.36, 0.52)],
        0.085,
        0.10,
        0.5,
    )
    for side in (-1, 1):
        pen.stroke(
            [(0.26 * side, 0.34), (0.40 * side, 0.0), (0.22 * side, -0.35), (0.34 * side, -0.70)],
            [0.07, 0.05, 0.04, 0.026],
            0.075,
        )
    pen.stroke([(-0.38, -0.52), (0.38, -0.52)], 0.03, 0.07)
    count = int(t.integers(4, 8))
    for x in np.linspace(-0.16, 0.16, count):
        pen.stroke([(x, -0.52), (x, 0.4)], 0.010, 0.05)


def _cornear(pen: Pen, t: np.random.Generator) -> None:
    pen.stroke([(0.04, 0.85), (0.0, 0.2), (0.0, -0.72)], 0.018, 0.045)
    rows = int(t.integers(8, 12))
    for k in range(rows):
        y = 0.12 - 0.84 * k / rows
        for x in (-0.13, 0.0, 0.13):
            pen.stroke(
                [(0.7 * x, y + 0.05), (x, y - 0.05)], [0.035, 0.058, 0.02], 0.075 + 0.01 * (x == 0)
            )
        for side in (-1, 1):
            pen.stroke([(0.14 * side, y - 0.04), (0.34 * side, y - 0.26)], [0.010, 0.005], 0.035)
    pen.stroke([(0.03, 0.55), (0.26, 0.30), (0.34, 0.10)], [0.02, 0.04, 0.008], 0.05)


_SYMBOLS: tuple[Callable[[Pen, np.random.Generator], None], ...] = (
    _cross,
    _thunderbolt,
    _cornucopias,
    _tripod,
    _rosette,
    _shield_symbol,
    _anchor,
    _dolphin,
    _amphora,
    _lyre,
    _cornear,
    bee,
)


def draw_symbol(engraver: Engraver, design: DesignType, room: float) -> Sheet:
    """One symbol alone in the field."""
    t = engraver.type_rng("symbol")
    pen = centred(engraver, design, room * float(t.uniform(0.88, 1.02)), "symbol")
    pen.shake = 0.008
    _SYMBOLS[int(t.integers(len(_SYMBOLS)))](pen, t)
    return pen.sheet
