"""What figures hold, wear beside them, or stand next to; in figure heights, y down."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dieindex.mint.engraving.engraver import Pen
from dieindex.records import Floats

Hold = Callable[[Pen, float, float, float], None]
"""Draws at the hand (x, y); the last argument is +1 where the thing points to the right."""


def spear(pen: Pen, x: float, y: float, way: float) -> None:
    lean = float(pen.rng.normal(0, 0.02)) + 0.03 * way
    pen.stroke([(x - lean, 0.0), (x, y), (x + lean, -1.05)], 0.010, 0.030, 0.7, curve=False)
    tip = (x + lean, -1.05)
    pen.stroke(
        [tip, (tip[0], tip[1] - 0.03), (tip[0] + 0.004, tip[1] - 0.09)],
        [0.010, 0.022, 0.004],
        0.034,
    )


def sceptre(pen: Pen, x: float, y: float, way: float) -> None:
    lean = float(pen.rng.normal(0, 0.02)) + 0.03 * way
    pen.stroke([(x - lean, -0.01), (x, y), (x + lean, -1.02)], 0.010, 0.030, 0.7, curve=False)
    pen.dot(x + lean, -1.03, 0.024, 0.036)
    for u in (0.2, 0.5, 0.8):
        pen.dot(x + lean * (2 * u - 1), -1.03 * u, 0.015, 0.032)


def patera(pen: Pen, x: float, y: float, way: float) -> None:
    pen.form(_ellipse(x + 0.03 * way, y, 0.045, 0.032, 0.3 * way), 0.036, 0.02, 0.2)
    pen.dot(x + 0.03 * way, y, 0.012, 0.046)


def branch(pen: Pen, x: float, y: float, way: float) -> None:
    tip = np.array([x + 0.11 * way, y - 0.17])
    root = np.array([x - 0.01 * way, y + 0.03])
    pen.stroke([root, (root + tip) / 2 + [0.02 * way, 0.0], tip], 0.008, 0.028)
    for u in (0.3, 0.5, 0.7, 0.9, 1.0):
        at = root + u * (tip - root)
        for side in (-0.8, 0.8):
            a = np.arctan2(tip[1] - root[1], tip[0] - root[0]) + side
            pen.stroke([at, at + 0.055 * np.array([np.cos(a), np.sin(a)])], [0.012, 0.004], 0.030)


def palm(pen: Pen, x: float, y: float, way: float) -> None:
    root, tip = np.array([x, y + 0.05]), np.array([x - 0.10 * way, y - 0.42])
    mid = (root + tip) / 2 + [0.05 * way, 0.0]
    pen.stroke([root, mid, tip], [0.010, 0.009, 0.005], 0.030)
    for u in np.linspace(0.3, 1.0, 9):
        at = (1 - u) ** 2 * root + 2 * u * (1 - u) * mid + u**2 * tip
        for side in (-0.6, 0.6):
            a = np.arctan2(tip[1] - mid[1], tip[0] - mid[0]) + side
            pen.stroke([at, at + 0.065 * np.array([np.cos(a), np.sin(a)])], [0.009, 0.004], 0.026)


def wreath(pen: Pen, x: float, y: float, way: float) -> None:
    cx, cy, r = x + 0.06 * way, y - 0.03, 0.062
    for a in np.linspace(0, 2 * np.pi, 11)[:-1] + pen.rng.uniform(0, 0.6):
        p = np.array([cx + r * np.cos(a), cy + r * np.sin(a)])
        d = 0.024 * np.array([-np.sin(a + 0.3), np.cos(a + 0.3)])
        pen.stroke([p - d, p + d], [0.016, 0.010], 0.034)
    for lean in (-0.02, 0.02):
        pen.stroke([(cx, cy + r), (cx + lean, cy + r + 0.09)], [0.008, 0.006], 0.026)


def scales(pen: Pen, x: float, y: float, way: float) -> None:
    pen.stroke([(x - 0.09, y - 0.02), (x + 0.09, y - 0.02)], 0.009, 0.030)
    for side in (-0.085, 0.085):
        pen.stroke([(x + side, y - 0.02), (x + side - 0.03, y + 0.09)], 0.005, 0.02)
        pen.stroke([(x + side, y - 0.02), (x + side + 0.03, y + 0.09)], 0.005, 0.02)
        pen.stroke(
            [(x + side - 0.04, y + 0.09), (x + side, y + 0.11), (x + side + 0.04, y + 0.09)],
            0.012,
            0.03,
        )


def cornucopia(pen: Pen, x: float, y: float, way: float) -> None:
    pen.stroke(
        [
            (x - 0.05 * way, y + 0.16),
            (x + 0.01 * way, y + 0.06),
            (x + 0.03 * way, y - 0.06),
            (x + 0.02 * way, y - 0.20),
        ],
        [0.008, 0.026, 0.038, 0.055],
        [0.03, 0.042, 0.05, 0.052],
        0.6,
    )
    for i in range(7):
        a = -np.pi * (i + 0.5) / 7
        pen.dot(
            x + (0.02 + 0.05 * np.cos(a) * way) * 1.0, y - 0.215 + 0.045 * np.sin(a), 0.021, 0.056
        )
    pen.stroke([(x - 0.02 * way, y - 0.10), (x + 0.07 * way, y - 0.12)], 0.007, 0.058)


def caduceus(pen: Pen, x: float, y: float, way: float) -> None:
    top = np.array([x + 0.05 * way, y - 0.24])
    pen.stroke([(x - 0.02 * way, y + 0.06), top], 0.008, 0.030)
    u = np.linspace(0, 1, 9)
    for side in (-1, 1):
        pen.stroke(
            np.stack(
                [top[0] + side * 0.032 * np.sin(2 * np.pi * u * 0.9), top[1] + 0.02 - 0.13 * u], 1
            ),
            0.008,
            0.030,
        )


def globe(pen: Pen, x: float, y: float, way: float) -> None:
    pen.dot(x + 0.04 * way, y - 0.045, 0.052, 0.055)
    pen.stroke([(x, y - 0.05), (x + 0.08 * way, y - 0.04)], 0.006, 0.064)


def torch(pen: Pen, x: float, y: float, way: float) -> None:
    pen.stroke([(x - 0.04 * way, y + 0.20), (x + 0.03 * way, y - 0.20)], [0.010, 0.020], 0.032)
    for lean in (-0.02, 0.0, 0.025):
        pen.stroke(
            [(x + 0.03 * way, y - 0.20), (x + 0.03 * way + lean, y - 0.28)], [0.014, 0.004], 0.034
        )


def shield(pen: Pen, x: float, y: float, way: float) -> None:
    cx, cy = x + 0.03 * way, y + 0.10
    pen.form(_ellipse(cx, cy, 0.125, 0.155, 0.1), 0.055, 0.11, 0.6)
    ring = _ellipse(cx, cy, 0.115, 0.143, 0.1)
    pen.stroke(np.vstack([ring, ring[:1]]), 0.009, 0.052)
    pen.dot(cx, cy, 0.026, 0.085)


def little_victory(pen: Pen, x: float, y: float, way: float) -> None:
    cx, cy = x + 0.05 * way, y - 0.02
    pen.stroke([(cx, cy), (cx + 0.005, cy - 0.08), (cx, cy - 0.13)], [0.034, 0.022, 0.024], 0.04)
    pen.dot(cx + 0.004 * way, cy - 0.165, 0.024, 0.046)
    for k in range(4):
        pen.stroke(
            [(cx - 0.01 * way, cy - 0.13), (cx - (0.07 + 0.012 * k) * way, cy - 0.13 + 0.03 * k)],
            [0.012, 0.007],
            0.03,
        )
    pen.stroke([(cx, cy - 0.12), (cx + 0.08 * way, cy - 0.15)], 0.009, 0.034)
    pen.dot(cx + 0.09 * way, cy - 0.165, 0.02, 0.03)


def little_eagle(pen: Pen, x: float, y: float, way: float) -> None:
    cx, cy = x + 0.04 * way, y - 0.06
    pen.stroke(
        [(cx, cy + 0.05), (cx, cy - 0.02), (cx + 0.01 * way, cy - 0.075)],
        [0.018, 0.034, 0.018],
        0.045,
    )
    pen.stroke(
        [(cx + 0.01 * way, cy - 0.08), (cx + 0.045 * way, cy - 0.075)], [0.014, 0.004], 0.045
    )
    for side in (-1, 1):
        pen.stroke(
            [
                (cx + 0.02 * side, cy - 0.05),
                (cx + 0.055 * side, cy - 0.03),
                (cx + 0.045 * side, cy + 0.04),
            ],
            [0.012, 0.016, 0.005],
            0.036,
        )


def ears_of_corn(pen: Pen, x: float, y: float, way: float) -> None:
    for k in (-0.25, 0.05, 0.35):
        tip = np.array([x + 0.16 * np.sin(k) + 0.02 * way, y - 0.15 * np.cos(k)])
        pen.stroke([(x, y + 0.04), tip], 0.006, 0.024)
        for u in (0.55, 0.75, 0.95):
            p = np.array([x, y + 0.04]) * (1 - u) + tip * u
            pen.dot(p[0] - 0.011, p[1], 0.012, 0.030)
            pen.dot(p[0] + 0.011, p[1], 0.012, 0.030)


def sword(pen: Pen, x: float, y: float, way: float) -> None:
    pen.stroke([(x, y - 0.01), (x + 0.10 * way, y + 0.22)], [0.014, 0.012], 0.034, 0.6)
    pen.stroke([(x - 0.035, y + 0.02), (x + 0.04, y)], 0.008, 0.034)


def purse(pen: Pen, x: float, y: float, way: float) -> None:
    pen.form(
        [
            (x, y),
            (x + 0.04, y + 0.05),
            (x + 0.02, y + 0.09),
            (x - 0.02, y + 0.09),
            (x - 0.04, y + 0.05),
        ],
        0.04,
        0.03,
    )


HAND_FORWARD: tuple[tuple[str, Hold], ...] = (
    ("patera", patera),
    ("branch", branch),
    ("wreath", wreath),
    ("scales", scales),
    ("caduceus", caduceus),
    ("globe", globe),
    ("victory", little_victory),
    ("eagle", little_eagle),
    ("corn", ears_of_corn),
    ("purse", purse),
    ("torch", torch),
)
HAND_BACK: tuple[tuple[str, Hold], ...] = (
    ("sceptre", sceptre),
    ("spear", spear),
    ("cornucopia", cornucopia),
    ("palm", palm),
    ("shield", shield),
    ("sword", sword),
    ("torch", torch),
)


def beside_altar(pen: Pen, x: float) -> None:
    """A small burning altar on the ground."""
    pen.form(
        [
            (x - 0.07, 0),
            (x + 0.07, 0),
            (x + 0.07, -0.03),
            (x + 0.05, -0.05),
            (x + 0.05, -0.20),
            (x + 0.07, -0.22),
            (x + 0.07, -0.25),
            (x - 0.07, -0.25),
            (x - 0.07, -0.22),
            (x - 0.05, -0.20),
            (x - 0.05, -0.05),
            (x - 0.07, -0.03),
        ],
        0.045,
        0.02,
        0.2,
        curve=False,
    )
    pen.stroke([(x - 0.08, -0.24), (x + 0.08, -0.24)], 0.016, 0.05)
    pen.stroke([(x - 0.08, -0.015), (x + 0.08, -0.015)], 0.016, 0.05)
    for lean in (-0.035, 0.0, 0.035):
        pen.stroke(
            [(x + lean, -0.26), (x + 1.3 * lean + 0.01, -0.30), (x + 0.7 * lean, -0.36)],
            [0.016, 0.014, 0.004],
            0.036,
        )


def beside_shield(pen: Pen, x: float) -> None:
    """A shield resting on the ground."""
    shield(pen, x, -0.27, 1.0)


def beside_wheel(pen: Pen, x: float) -> None:
    """A wheel."""
    r, cy = 0.13, -0.13
    a = np.linspace(0, 2 * np.pi, 17)
    pen.stroke(np.stack([x + r * np.cos(a), cy + r * np.sin(a)], 1), 0.014, 0.034)
    for k in range(4):
        b = k * np.pi / 4 + 0.2
        d = r * np.array([np.cos(b), np.sin(b)])
        pen.stroke([np.array([x, cy]) - d, np.array([x, cy]) + d], 0.008, 0.026)
    pen.dot(x, cy, 0.022, 0.042)


def beside_rudder(pen: Pen, x: float) -> None:
    """A rudder on a globe."""
    pen.dot(x, -0.05, 0.05, 0.05)
    pen.stroke([(x + 0.02, -0.45), (x, -0.20)], 0.010, 0.03)
    pen.form(
        [(x - 0.005, -0.28), (x + 0.05, -0.22), (x + 0.04, -0.08), (x - 0.03, -0.09)],
        0.036,
        0.02,
        0.2,
    )


def beside_captive(pen: Pen, x: float) -> None:
    """A bound captive crouching."""
    pen.stroke([(x, -0.02), (x + 0.09, -0.12), (x + 0.02, -0.14)], [0.03, 0.035, 0.03], 0.04)
    pen.stroke([(x - 0.03, -0.05), (x - 0.01, -0.20)], [0.05, 0.045], 0.05)
    pen.dot(x, -0.26, 0.038, 0.05)
    pen.stroke([(x - 0.02, -0.18), (x - 0.07, -0.10)], 0.02, 0.05)


BESIDE: tuple[tuple[str, Callable[[Pen, float], None]], ...] = (
    ("altar", beside_altar),
    ("shield", beside_shield),
    ("wheel", beside_wheel),
    ("rudder", beside_rudder),
    ("captive", beside_captive),
)


def _ellipse(x: float, y: float, rx: float, ry: float, turn: float) -> Floats:
    a = np.linspace(0, 2 * np.pi, 13)[:-1]
    c, s = np.cos(turn), np.sin(turn)
    u, v = rx * np.cos(a), ry * np.sin(a)
    return np.stack([x + u * c - v * s, y + u * s + v * c], 1)
