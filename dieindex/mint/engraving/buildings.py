"""Altars, temples, ships."""

from __future__ import annotations

import numpy as np

from dieindex.mint.engraving import attributes
from dieindex.mint.engraving.engraver import Engraver
from dieindex.mint.engraving.figures import figure, ground, stage
from dieindex.mint.engraving.sheet import Sheet
from dieindex.mint.engraving.symbols import centred, star
from dieindex.mint.parameters import DesignType


def draw_altar(engraver: Engraver, design: DesignType, room: float) -> Sheet:
    """A large altar with flames, its front panelled or garlanded."""
    t = engraver.type_rng("altar")
    pen = stage(engraver, design, room, "altar", 1.80)
    rng = pen.rng
    wide, tall = float(t.uniform(0.24, 0.38)), float(t.uniform(0.42, 0.60))
    top = -tall
    pen.form(
        [(-wide, -0.06), (-wide, top), (wide, top), (wide, -0.06)], 0.055, 0.03, 0.15, curve=False
    )
    for y, over, r in (
        (-0.02, 0.06, 0.022),
        (-0.065, 0.03, 0.014),
        (top, 0.03, 0.014),
        (top - 0.04, 0.07, 0.024),
    ):
        pen.stroke([(-wide - over, y), (wide + over, y)], r, 0.066, 0.6, curve=False)
    for side in (-1, 1):
        pen.form(
            [
                (side * (wide + 0.05), top - 0.05),
                (side * (wide + 0.06), top - 0.14),
                (side * (wide - 0.02), top - 0.06),
            ],
            0.05,
            0.02,
        )
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
            along = np.linspace(-wide + 0.03, wide - 0.03, 9)
            hang = top + 0.09 + (0.13 + 0.06 * k) * (1 - (along / wide) ** 2)
            pen.stroke(np.stack([along, hang], 1), 0.020, 0.078)
        for side in (-1, 1):
            pen.dot(side * (wide - 0.04), top + 0.09, 0.03, 0.082)
    elif front == "figure":
        figure(pen.at(0.0, -0.09, 0.8 * tall), t)
    elif front == "grid":
        for i in range(6):
            x = -wide + 2 * wide * (i + 0.5 + rng.normal(0, 0.06)) / 6
            pen.stroke([(x, top + 0.04), (x, -0.09)], 0.009, 0.074)
    else:
        pen.stroke(
            [
                (-0.75 * wide, top + 0.07),
                (0.75 * wide, top + 0.07),
                (0.75 * wide, -0.12),
                (-0.75 * wide, -0.12),
                (-0.75 * wide, top + 0.07),
            ],
            0.010,
            0.074,
            curve=False,
        )
    count = int(t.integers(4, 9))
    for i in range(count):
        x = wide * 0.8 * (2 * (i + 0.5) / count - 1) + rng.normal(0, 0.012)
        h = (
            float(t.uniform(0.16, 0.30))
            * (1 - 0.5 * abs(x) / wide)
            * float(np.exp(rng.normal(0, 0.1)))
        )
        lean = rng.normal(0, 0.02)
        pen.stroke(
            [(0.8 * x, top - 0.06), (x + 0.02, top - 0.06 - 0.5 * h), (x + lean, top - 0.06 - h)],
            [0.020, 0.022, 0.005],
            0.048,
        )
    if t.random() < 0.6:
        ground(pen, wide + 0.2)
    return pen.sheet


def draw_temple(engraver: Engraver, design: DesignType, room: float) -> Sheet:
    """A temple front with columns, pediment, steps and perhaps a statue."""
    t = engraver.type_rng("temple")
    pen = stage(engraver, design, room, "temple", 1.58)
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
        pen.stroke(
            [(x, foot_y), (x, 0.5 * (foot_y + top)), (x, top)], [1.1 * r, r, 0.9 * r], 0.052, 0.6
        )
        pen.stroke([(x - 1.6 * r, top + 0.012), (x + 1.6 * r, top + 0.012)], 0.017, 0.060, 0.6)
        pen.stroke([(x - 1.5 * r, foot_y - 0.01), (x + 1.5 * r, foot_y - 0.01)], 0.014, 0.058, 0.6)
        if t.random() < 0.4:
            pen.stroke(
                [(x - 0.1 * r, foot_y - 0.03), (x - 0.1 * r, top + 0.04)], 0.005, 0.014, 1.0, "cut"
            )
    pen.stroke(
        [(-wide - 0.03, top - 0.02), (wide + 0.03, top - 0.02)], 0.022, 0.058, 0.5, curve=False
    )
    apex = top - float(t.uniform(0.17, 0.27))
    arch = t.random() < 0.2
    eaves = [(-wide - 0.05, top - 0.045), (0.0, apex), (wide + 0.05, top - 0.045)]
    if arch:
        eaves = [
            (-wide, top - 0.04),
            (-0.6 * wide, apex + 0.05),
            (0.0, apex),
            (0.6 * wide, apex + 0.05),
            (wide, top - 0.04),
        ]
    pen.stroke(eaves, 0.019, 0.060, 0.6, curve=arch)
    pen.stroke(
        [(-wide - 0.05, top - 0.048), (wide + 0.05, top - 0.048)], 0.011, 0.058, 0.6, curve=False
    )
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
        pen.form(
            [
                (-0.06, foot_y),
                (-0.06, top + 0.12),
                (0.0, top + 0.06),
                (0.06, top + 0.12),
                (0.06, foot_y),
            ],
            0.03,
            0.02,
            0.2,
        )
    return pen.sheet


def draw_ship(engraver: Engraver, design: DesignType, room: float) -> Sheet:
    """A galley under oars, or a prow."""
    t = engraver.type_rng("ship")
    pen = centred(engraver, design, room, "ship")
    rng = pen.rng
    prow = t.random() < 0.35
    left = -0.55 if prow else -0.80
    sheer = float(t.uniform(0.05, 0.16))
    hull = [
        (left, 0.05 - (0 if prow else sheer)),
        (-0.3, 0.06),
        (0.3, 0.04),
        (0.66, -0.06 - 0.4 * sheer),
        (0.74, 0.02),
        (0.86, 0.16),
        (0.72, 0.22),
        (0.55, 0.28),
        (0.1, 0.33),
        (left + 0.2, 0.31),
        (left, 0.18),
    ]
    pen.form(hull, 0.085, 0.09, 0.5)
    for k, y in enumerate((0.09, 0.15, 0.21)):
        line = [(left + 0.02 + 0.03 * k, y - 0.02), (0.1, y + 0.015), (0.66 - 0.02 * k, y - 0.06)]
        pen.stroke(line, 0.016, 0.105 - 0.006 * k, 0.7)
    for k in range(2):
        pen.stroke(
            [(0.70, 0.15 + 0.06 * k), (0.92 - 0.04 * k, 0.14 + 0.07 * k)], [0.02, 0.013], 0.085
        )
    pen.stroke(
        [(0.66, -0.04), (0.74, -0.20), (0.68, -0.34), (0.60, -0.30)],
        [0.035, 0.026, 0.02, 0.016],
        0.07,
    )
    if not prow:
        pen.stroke(
            [(left + 0.03, 0.05), (left - 0.07, -0.16), (left + 0.02, -0.36), (left + 0.17, -0.38)],
            [0.045, 0.034, 0.026, 0.010],
            0.07,
        )
        for k in range(3):
            pen.stroke(
                [(left + 0.0, -0.30), (left + 0.08 + 0.03 * k, -0.44 + 0.04 * k)],
                [0.014, 0.006],
                0.06,
            )
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
        pen.form(
            [
                (x - 0.32, -0.66),
                (x + 0.34, -0.70),
                (x + 0.42, -0.42),
                (x + 0.30, -0.16),
                (x, -0.10),
                (x - 0.26, -0.14),
                (x - 0.24, -0.4),
            ],
            0.055,
            0.10,
            0.6,
        )
        for k in range(5):
            u = (k + 0.5) / 5 - 0.5
            pen.stroke(
                [(x + 0.6 * u, -0.66), (x + 0.66 * u + 0.06, -0.4), (x + 0.5 * u + 0.02, -0.14)],
                0.011,
                0.07,
            )
        pen.stroke([(x - 0.36, -0.66), (x + 0.38, -0.71)], 0.015, 0.075)
        pen.stroke([(x + 0.3, -0.64), (0.62, -0.1)], 0.006, 0.03)
    elif load == "standards":
        for x in (-0.35, -0.05, 0.25):
            pen.stroke([(x, 0.05), (x, -0.58)], 0.011, 0.05)
            for y in (-0.2, -0.32, -0.44):
                pen.dot(x, y, 0.038, 0.055)
            attributes.little_eagle(pen.at(x, -0.56, 1.2), -0.04, 0.0, 1.0)
    elif load == "castle":
        pen.form(
            [(-0.5, 0.06), (-0.5, -0.22), (-0.2, -0.22), (-0.2, 0.06)], 0.06, 0.03, 0.2, curve=False
        )
        pen.stroke([(-0.55, -0.23), (-0.15, -0.23)], 0.016, 0.07)
        for x in (-0.44, -0.35, -0.26):
            pen.stroke([(x, -0.18), (x, 0.04)], 0.014, 0.075)
    else:
        figure(pen.at(-0.1, 0.06, 0.85), t, winged=t.random() < 0.4)
    waves = t.random() < 0.7
    if waves:
        for k in range(2):
            along = np.linspace(-0.75, 0.8, 17)
            phase = t.uniform(0, 6) + rng.normal(0, 0.4)
            crest = 0.52 + 0.08 * k + 0.022 * np.sin(9 * along + phase)
            pen.stroke(np.stack([along, crest], 1), 0.011, 0.03)
    return pen.sheet
