"""Buildings, ships, wreaths, symbols: reverses without a living thing in the middle."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from dieindex.mint.engraving import attributes
from dieindex.mint.engraving.borders import leaf
from dieindex.mint.engraving.engraver import Engraver, Pen
from dieindex.mint.engraving.figures import figure, ground, stage
from dieindex.mint.engraving.sheet import Points, Sheet, spline

if TYPE_CHECKING:
    from dieindex.mint.types import DesignType


def _centred(engraver: Engraver, design: DesignType, room: float, name: str) -> Pen:
    """A pen whose origin is the middle of the motif, one unit its room."""
    pen = stage(engraver, design, room, name, 1.0)
    return pen.at(0.0, -0.47, 1.0)


def draw_altar(engraver: Engraver, design: DesignType, room: float) -> Sheet:
    """A large altar with flames, its front panelled or garlanded."""
    t = engraver.type_rng("altar")
    pen = stage(engraver, design, room, "altar", 1.55)
    rng = pen.rng
    wide, tall = float(t.uniform(0.24, 0.38)), float(t.uniform(0.42, 0.60))
    top = -tall
    pen.form([(-wide, -0.06), (-wide, top), (wide, top), (wide, -0.06)], 0.055, 0.03, 0.15, curve=False)
    for y, over, r in ((-0.02, 0.06, 0.022), (-0.065, 0.03, 0.014), (top, 0.03, 0.014), (top - 0.04, 0.07, 0.024)):
        pen.stroke([(-wide - over, y), (wide + over, y)], r, 0.066, 0.6, curve=False)
    for side in (-1, 1):
        pen.form([(side * (wide + 0.05), top - 0.05), (side * (wide + 0.06), top - 0.14), (side * (wide - 0.02), top - 0.06)], 0.05, 0.02)
    front = str(t.choice(["door", "garland", "panel", "figure", "grid"]))
    if front == "door":
        for x in (-0.5, 0.0, 0.5):
            pen.stroke([(x * wide, top + 0.06), (x * wide, -0.10)], 0.010, 0.076)
        for y in (top + 0.06, 0.5 * top, -0.10):
            pen.stroke([(-0.6 * wide, y), (0.6 * wide, y)], 0.010, 0.076)
        for y in np.linspace(top + 0.1, -0.14, 4):
            for x in (-0.25, 0.25):
                pen.dot(x * wide, y, 0.013, 0.08)
    elif front == "garland":
        for k in range(2):
            x = np.linspace(-wide + 0.03, wide - 0.03, 9)
            y = top + 0.09 + 0.16 * k * 0.0 + (0.13 + 0.06 * k) * (1 - (x / wide) ** 2)
            pen.stroke(np.stack([x, y], 1), 0.020, 0.078)
        for side in (-1, 1):
            pen.dot(side * (wide - 0.04), top + 0.09, 0.03, 0.082)
    elif front == "figure":
        figure(pen.at(0.0, -0.09, 0.8 * tall), t)
    elif front == "grid":
        for i in range(6):
            x = -wide + 2 * wide * (i + 0.5 + rng.normal(0, 0.06)) / 6
            pen.stroke([(x, top + 0.04), (x, -0.09)], 0.009, 0.074)
    else:
        pen.stroke([(-0.75 * wide, top + 0.07), (0.75 * wide, top + 0.07), (0.75 * wide, -0.12), (-0.75 * wide, -0.12),
                    (-0.75 * wide, top + 0.07)], 0.010, 0.074, curve=False)  # fmt: skip
    count = int(t.integers(4, 9))
    for i in range(count):
        x = wide * 0.8 * (2 * (i + 0.5) / count - 1) + rng.normal(0, 0.012)
        h = float(t.uniform(0.16, 0.30)) * (1 - 0.5 * abs(x) / wide) * float(np.exp(rng.normal(0, 0.1)))
        lean = rng.normal(0, 0.02)
        pen.stroke([(0.8 * x, top - 0.06), (x + 0.02, top - 0.06 - 0.5 * h), (x + lean, top - 0.06 - h)], [0.020, 0.022, 0.005], 0.048)
    if t.random() < 0.6:
        ground(pen, wide + 0.2)
    return pen.sheet


def draw_temple(engraver: Engraver, design: DesignType, room: float) -> Sheet:
    """A temple front with columns, pediment, steps and perhaps a statue."""
    t = engraver.type_rng("temple")
    pen = stage(engraver, design, room, "temple", 1.42)
    rng = pen.rng
    columns = int(t.choice([2, 4, 4, 6, 6, 8]))
    wide, tall = float(t.uniform(0.42, 0.54)), float(t.uniform(0.40, 0.54))
    steps = int(t.integers(1, 4))
    for k in range(steps):
        half = wide + 0.03 + 0.025 * (steps - 1 - k)
        y = -0.015 - 0.035 * (steps - 1 - k) * 1.0
        pen.stroke([(-half, y), (half, y)], 0.015, 0.05, 0.6, curve=False)
    foot_y = -0.04 * steps - 0.005
    top = foot_y - tall
    gap = t.random() < 0.6
    places = np.linspace(-wide + 0.035, wide - 0.035, columns)
    if gap and columns > 2:
        places = places + 0.05 * np.sign(places) * (1 - np.abs(places) / wide)
    for x in places + rng.normal(0, 0.005, columns):
        r = min(0.032, 0.28 * wide / columns)
        pen.stroke([(x, foot_y), (x, 0.5 * (foot_y + top)), (x, top)], [1.1 * r, r, 0.9 * r], 0.052, 0.6)
        pen.stroke([(x - 1.6 * r, top + 0.012), (x + 1.6 * r, top + 0.012)], 0.017, 0.060, 0.6)
        pen.stroke([(x - 1.5 * r, foot_y - 0.01), (x + 1.5 * r, foot_y - 0.01)], 0.014, 0.058, 0.6)
        if t.random() < 0.4:
            pen.stroke([(x - 0.1 * r, foot_y - 0.03), (x - 0.1 * r, top + 0.04)], 0.005, 0.014, 1.0, "cut")
    pen.stroke([(-wide - 0.03, top - 0.02), (wide + 0.03, top - 0.02)], 0.022, 0.058, 0.5, curve=False)
    apex = top - float(t.uniform(0.17, 0.27))
    arch = t.random() < 0.2
    eaves = [(-wide - 0.05, top - 0.045), (0.0, apex), (wide + 0.05, top - 0.045)]
    if arch:
        eaves = [(-wide, top - 0.04), (-0.6 * wide, apex + 0.05), (0.0, apex), (0.6 * wide, apex + 0.05), (wide, top - 0.04)]
    pen.stroke(eaves, 0.019, 0.060, 0.6, curve=arch)
    pen.stroke([(-wide - 0.05, top - 0.048), (wide + 0.05, top - 0.048)], 0.011, 0.058, 0.6, curve=False)
    middle = str(t.choice(["dot", "wreath", "eagle", "star", "shield"]))
    cy = 0.62 * top + 0.38 * apex
    if middle == "dot":
        pen.dot(0, cy, 0.03, 0.05)
    elif middle == "wreath":
        attributes.wreath(pen.at(0, cy, 0.8), -0.06, 0.03, 1.0)
    elif middle == "eagle":
        attributes.little_eagle(pen.at(0, cy, 0.8), -0.04, 0.07, 1.0)
    elif middle == "star":
        star(pen.at(0, cy, 0.055), 6, 0.8)
    else:
        pen.dot(0, cy, 0.05, 0.05)
        pen.dot(0, cy, 0.02, 0.062)
    for x, y in (eaves[0], (0.0, apex), eaves[-1]):
        acro = [(x, y - 0.01), (x, y - 0.075)]
        pen.stroke(acro, [0.026, 0.006], 0.05)
        for lean in (-0.035, 0.035):
            pen.stroke([(x, y - 0.02), (x + lean, y - 0.06)], [0.012, 0.005], 0.044)
    if columns <= 6 and gap:
        figure(pen.at(0.0, foot_y, 0.80 * tall), t)
    elif t.random() < 0.5:
        pen.form([(-0.06, foot_y), (-0.06, top + 0.12), (0.0, top + 0.06), (0.06, top + 0.12), (0.06, foot_y)], 0.03, 0.02, 0.2)
    return pen.sheet


def draw_ship(engraver: Engraver, design: DesignType, room: float) -> Sheet:
    """A galley under oars, or a prow."""
    t = engraver.type_rng("ship")
    pen = _centred(engraver, design, room, "ship")
    rng = pen.rng
    prow = t.random() < 0.35
    left = -0.55 if prow else -0.80
    sheer = float(t.uniform(0.05, 0.16))
    hull = [(left, 0.05 - (0 if prow else sheer)), (-0.3, 0.06), (0.3, 0.04), (0.66, -0.06 - 0.4 * sheer), (0.74, 0.02), (0.86, 0.16),
            (0.72, 0.22), (0.55, 0.28), (0.1, 0.33), (left + 0.2, 0.31), (left, 0.18)]  # fmt: skip
    pen.form(hull, 0.085, 0.09, 0.5)
    for k, y in enumerate((0.09, 0.15, 0.21)):
        line = [(left + 0.02 + 0.03 * k, y - 0.02), (0.1, y + 0.015), (0.66 - 0.02 * k, y - 0.06)]
        pen.stroke(line, 0.016, 0.105 - 0.006 * k, 0.7)
    for k in range(2):
        pen.stroke([(0.70, 0.15 + 0.06 * k), (0.92 - 0.04 * k, 0.14 + 0.07 * k)], [0.02, 0.013], 0.085)
    pen.stroke([(0.66, -0.04), (0.74, -0.20), (0.68, -0.34), (0.60, -0.30)], [0.035, 0.026, 0.02, 0.016], 0.07)
    if not prow:
        pen.stroke([(left + 0.03, 0.05), (left - 0.07, -0.16), (left + 0.02, -0.36), (left + 0.17, -0.38)],
                   [0.045, 0.034, 0.026, 0.010], 0.07)  # fmt: skip
        for k in range(3):
            pen.stroke([(left + 0.0, -0.30), (left + 0.08 + 0.03 * k, -0.44 + 0.04 * k)], [0.014, 0.006], 0.06)
    oars = int(t.integers(6, 13))
    slant = float(t.uniform(0.05, 0.16))
    for i in range(oars):
        x = left + 0.16 + (0.42 - left) * (i + rng.normal(0, 0.08)) / oars
        pen.stroke([(x, 0.20), (x - slant, 0.50)], [0.011, 0.018], 0.06)
    load = str(t.choice(["rowers", "mast", "standards", "castle", "figure"]))
    if load == "rowers":
        for i in range(int(t.integers(4, 8))):
            x = left + 0.2 + 0.15 * i
            if x < 0.5:
                pen.stroke([(x, 0.05), (x + 0.01, -0.05)], [0.04, 0.03], 0.07)
                pen.dot(x + 0.02, -0.10, 0.036, 0.075)
    elif load == "mast":
        x = float(t.uniform(-0.2, 0.1))
        pen.stroke([(x, 0.06), (x + 0.02, -0.76)], [0.018, 0.012], 0.06)
        pen.form([(x - 0.32, -0.66), (x + 0.34, -0.70), (x + 0.42, -0.42), (x + 0.30, -0.16), (x, -0.10), (x - 0.26, -0.14), (x - 0.24, -0.4)],
                 0.055, 0.10, 0.6)  # fmt: skip
        for k in range(5):
            u = (k + 0.5) / 5 - 0.5
            pen.stroke([(x + 0.6 * u, -0.66), (x + 0.66 * u + 0.06, -0.4), (x + 0.5 * u + 0.02, -0.14)], 0.011, 0.07)
        pen.stroke([(x - 0.36, -0.66), (x + 0.38, -0.71)], 0.015, 0.075)
        pen.stroke([(x + 0.3, -0.64), (0.62, -0.1)], 0.006, 0.03)
    elif load == "standards":
        for x in (-0.35, -0.05, 0.25):
            pen.stroke([(x, 0.05), (x, -0.58)], 0.011, 0.05)
            for y in (-0.2, -0.32, -0.44):
                pen.dot(x, y, 0.038, 0.055)
            attributes.little_eagle(pen.at(x, -0.56, 1.2), -0.04, 0.0, 1.0)
    elif load == "castle":
        pen.form([(-0.5, 0.06), (-0.5, -0.22), (-0.2, -0.22), (-0.2, 0.06)], 0.06, 0.03, 0.2, curve=False)
        pen.stroke([(-0.55, -0.23), (-0.15, -0.23)], 0.016, 0.07)
        for x in (-0.44, -0.35, -0.26):
            pen.stroke([(x, -0.18), (x, 0.04)], 0.014, 0.075)
    else:
        figure(pen.at(-0.1, 0.06, 0.85), t, winged=t.random() < 0.4)
    waves = t.random() < 0.7
    if waves:
        for k in range(2):
            x = np.linspace(-0.75, 0.8, 17)
            y = 0.52 + 0.08 * k + 0.022 * np.sin(9 * x + t.uniform(0, 6) + rng.normal(0, 0.4))
            pen.stroke(np.stack([x, y], 1), 0.011, 0.03)
    return pen.sheet


def draw_wreath(engraver: Engraver, design: DesignType, room: float) -> Sheet:
    """A large wreath; the legend inside it is the layout's affair."""
    t = engraver.type_rng("wreath")
    pen = _centred(engraver, design, room, "wreath")
    sheet, rng = pen.sheet, pen.rng
    r = float(t.uniform(0.84, 0.93))
    opening = float(t.uniform(0.06, 0.30))
    kind = str(t.choice(["laurel", "oak", "olive", "ivy"]))
    count = int(t.integers(13, 21)) + int(rng.integers(-1, 2))
    size = float(t.uniform(0.17, 0.25)) * room
    s = pen.frame.scale
    stem: list[Points] = []
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
            spread, slim = {"laurel": (0.5, 0.17), "olive": (0.6, 0.13), "oak": (0.75, 0.27), "ivy": (0.8, 0.30)}[kind]
            for lean in (-spread, 0.0, spread) if kind in ("laurel", "oak") else (-spread, spread):
                long = size * (0.8 if kind == "ivy" else 1.0)
                leaf(sheet, rng, line[i][0], line[i][1], ahead + lean, long, slim * size, tall)
            if kind in ("olive", "oak", "ivy") and rng.random() < 0.5:
                off = 0.45 * size * np.array([np.cos(ahead + 1.5), np.sin(ahead + 1.5)])
                sheet.dot(line[i][0] + off[0], line[i][1] + off[1], 0.09 * size, tall)
    for side in (-1, 1):
        pen.stroke([(0, r), (0.10 * side, r - 0.05), (0.16 * side, r + 0.01), (0.05 * side, r + 0.01)], 0.014, 0.045)
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
        pen.stroke([(0, 0), (r * np.cos(a), r * np.sin(a))], [0.13 * size, 0.04 * size], 0.16 * size * 0.5)
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
        pen.stroke([(-half, 0.50 + 0.10 * k), (half, 0.50 + 0.10 * k)], 0.038, 0.058, 0.6, curve=False)
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
            pen.stroke([(0.03 * lean, side * 0.08), (0.26 * lean, side * 0.30), (0.22 * lean, side * 0.56), (0.36 * lean, side * 0.62)],
                       [0.05, 0.034, 0.022, 0.008], 0.064)  # fmt: skip
    pen.stroke([(-0.14, 0), (0.14, 0)], 0.06, 0.085)
    if t.random() < 0.6:
        for side in (-1, 1):
            for k in range(6):
                pen.stroke([(0.10 * side, -0.03 + 0.012 * k), (side * (0.62 - 0.05 * k), -0.20 + 0.085 * k)], [0.02, 0.03, 0.01], 0.045)


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
            pen.stroke([(px - w, py - 0.02), (px, py + 0.03), (px + w, py - 0.01)], 0.012, 0.016, 0.9, "add")
        for k in range(13):
            a = -np.pi * (k + 0.5) / 13
            rr = 0.18 if k % 2 else 0.10
            pen.dot(x[3] + rr * np.cos(a) + pen.rng.normal(0, 0.01), y[3] + 0.8 * rr * np.sin(a), 0.055, 0.12)
        pen.stroke([(x[3] + 0.05, y[3] - 0.1), (x[3] + 0.16 * side, y[3] - 0.32)], [0.05, 0.01], 0.09)
        pen.stroke([(x[3] - 0.15 * side, y[3]), (x[3] - 0.24 * side, y[3] + 0.24)], [0.03, 0.035, 0.02], 0.08)
    pen.stroke([(0, 0.7), (0.12, 0.62), (0.2, 0.74)], 0.018, 0.06)


def _tripod(pen: Pen, t: np.random.Generator) -> None:
    for x0, x1 in ((-0.30, -0.36), (0.0, 0.0), (0.30, 0.36)):
        pen.stroke([(x0, -0.30), (0.5 * (x0 + x1), 0.2), (x1, 0.72)], [0.034, 0.026, 0.034], 0.065, 0.6)
        pen.stroke([(x1 - 0.05, 0.735), (x1 + 0.07, 0.735)], 0.026, 0.06)
    for y, w in ((0.12, 0.32), (0.45, 0.33)):
        pen.stroke([(-w, y), (w, y)], 0.016, 0.05)
    pen.form([(-0.38, -0.36), (0.38, -0.36), (0.28, -0.18), (0.0, -0.10), (-0.28, -0.18)], 0.085, 0.10, 0.5)
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
        pen.stroke(np.stack([r * np.cos(a), r * np.sin(a) + off], 1), [0.01, 0.05, 0.075, 0.05, 0.01], 0.055)


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
            b = k * np.pi / 6 + 0.2
            d.stroke([(0.2 * np.cos(b), 0.2 * np.sin(b)), (0.28 * np.cos(b + 0.3), 0.28 * np.sin(b + 0.3))], [0.03, 0.02], 0.05)
    else:
        d.dot(0, 0, 0.15, 0.06)
    pen.sheet.add(top)
    for k in range(int(t.choice([6, 8, 12]))):
        b = k * 2 * np.pi / 12 * 1.0 + 0.1
        pen.bump(0.55 * np.cos(b), 0.55 * np.sin(b), 0.05, 0.05, 0.035)


def _anchor(pen: Pen, t: np.random.Generator) -> None:
    pen.stroke([(0, -0.55), (0, 0.62)], [0.045, 0.055], 0.065, 0.6)
    pen.stroke([(-0.44, 0.30), (-0.34, 0.58), (0, 0.70), (0.34, 0.58), (0.44, 0.30)], [0.03, 0.055, 0.065, 0.055, 0.03], 0.065)
    for side in (-1, 1):
        pen.stroke([(0.44 * side, 0.26), (0.54 * side, 0.40)], [0.02, 0.04], 0.055)
        pen.stroke([(0.44 * side, 0.26), (0.30 * side, 0.36)], [0.02, 0.04], 0.055)
    pen.stroke([(-0.36, -0.42), (0.36, -0.42)], 0.036, 0.06)
    a = np.linspace(0, 2 * np.pi, 13)
    pen.stroke(np.stack([0.11 * np.cos(a), -0.68 + 0.11 * np.sin(a)], 1), 0.026, 0.055)
    if t.random() < 0.6:
        dolphin(pen.at(0.0, 0.05, 0.62), t)


def dolphin(pen: Pen, t: np.random.Generator) -> None:
    pen.stroke([(-0.62, 0.30), (-0.30, -0.10), (0.15, -0.20), (0.52, 0.05), (0.70, 0.26)], [0.03, 0.12, 0.20, 0.15, 0.05],
               [0.05, 0.11, 0.13, 0.12, 0.07], 0.6)  # fmt: skip
    pen.stroke([(-0.60, 0.28), (-0.86, 0.22), (-0.94, 0.34)], [0.04, 0.05, 0.01], 0.06)
    pen.stroke([(-0.60, 0.28), (-0.66, 0.50), (-0.56, 0.60)], [0.04, 0.05, 0.01], 0.06)
    for k in range(6):
        pen.stroke([(-0.12 + 0.08 * k, -0.34 + 0.01 * k), (-0.16 + 0.08 * k, -0.48 + 0.03 * k)], [0.025, 0.01], 0.06)
    pen.stroke([(0.28, 0.10), (0.16, 0.34)], [0.05, 0.02], 0.08)
    pen.dot(0.50, 0.0, 0.035, 0.15)


def _dolphin(pen: Pen, t: np.random.Generator) -> None:
    dolphin(pen.at(0, 0.0, 0.85), t)


def _amphora(pen: Pen, t: np.random.Generator) -> None:
    belly = float(t.uniform(0.30, 0.44))
    pen.form([(-0.12, -0.62), (-0.11, -0.38), (-belly, -0.14), (-0.9 * belly, 0.22), (-0.12, 0.56), (-0.16, 0.66), (0.16, 0.66),
              (0.12, 0.56), (0.9 * belly, 0.22), (belly, -0.14), (0.11, -0.38), (0.12, -0.62)], 0.12, 0.22, 0.6)  # fmt: skip
    pen.stroke([(-0.18, -0.64), (0.18, -0.64)], 0.036, 0.08)
    for side in (-1, 1):
        pen.stroke([(0.12 * side, -0.58), (0.34 * side, -0.56), (0.40 * side, -0.32), (0.30 * side, -0.14)], 0.028, 0.07)
    for y in (-0.10, 0.05, 0.2):
        w = belly * 0.95
        pen.stroke([(-w, y - 0.03), (0, y + 0.04), (w, y - 0.03)], 0.014, 0.014, 0.9, "add")
    for k in range(int(t.integers(7, 13))):
        x = belly * 0.9 * (2 * (k + 0.5) / 12 - 1)
        pen.stroke([(x, 0.24), (0.4 * x, 0.52)], 0.018, 0.012, 0.9, "add")


def _lyre(pen: Pen, t: np.random.Generator) -> None:
    pen.form([(-0.30, 0.30), (0.30, 0.30), (0.36, 0.52), (0.20, 0.70), (-0.20, 0.70), (-0.36, 0.52)], 0.085, 0.10, 0.5)
    for side in (-1, 1):
        pen.stroke([(0.26 * side, 0.34), (0.40 * side, 0.0), (0.22 * side, -0.35), (0.34 * side, -0.70)], [0.07, 0.05, 0.04, 0.026], 0.075)
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
            pen.stroke([(0.7 * x, y + 0.05), (x, y - 0.05)], [0.035, 0.058, 0.02], 0.075 + 0.01 * (x == 0))
        for side in (-1, 1):
            pen.stroke([(0.14 * side, y - 0.04), (0.34 * side, y - 0.26)], [0.010, 0.005], 0.035)
    pen.stroke([(0.03, 0.55), (0.26, 0.30), (0.34, 0.10)], [0.02, 0.04, 0.008], 0.05)


def _bee(pen: Pen, t: np.random.Generator) -> None:
    for side in (-1, 1):
        for k, (a, long) in enumerate(((0.35, 0.62), (0.85, 0.52))):
            end = (side * (0.1 + long * np.cos(a)), -0.18 + long * np.sin(a))
            mid = (side * (0.1 + 0.55 * long * np.cos(a - 0.25)), -0.18 + 0.55 * long * np.sin(a - 0.25))
            pen.stroke([(0.08 * side, -0.2), mid, end], [0.03, 0.11, 0.06], 0.045 - 0.008 * k)
            for j in range(3):
                pen.stroke([(0.1 * side, -0.18), (mid[0], mid[1] + 0.04 * (j - 1)), (end[0], end[1] - 0.05 * (j - 1))], 0.010, 0.056)
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
            pen.stroke([(0.12 * side, y), (0.30 * side, y + 0.2), (0.28 * side, y + 0.36)], 0.014, 0.05)


_SYMBOLS: tuple[Callable[[Pen, np.random.Generator], None], ...] = (
    _cross, _thunderbolt, _cornucopias, _tripod, _rosette, _shield_symbol, _anchor, _dolphin, _amphora, _lyre, _cornear, _bee,
)  # fmt: skip


def draw_symbol(engraver: Engraver, design: DesignType, room: float) -> Sheet:
    """One symbol alone in the field."""
    t = engraver.type_rng("symbol")
    pen = _centred(engraver, design, room * float(t.uniform(0.88, 1.02)), "symbol")
    pen.shake = 0.008
    _SYMBOLS[int(t.integers(len(_SYMBOLS)))](pen, t)
    return pen.sheet
