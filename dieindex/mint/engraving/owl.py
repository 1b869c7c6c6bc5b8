"""The owl."""

from __future__ import annotations

import numpy as np

from dieindex.mint.engraving.engraver import Engraver, Frame, Pen
from dieindex.mint.engraving.sheet import Sheet
from dieindex.mint.parameters import DesignType


def draw_owl(engraver: Engraver, design: DesignType, room: float) -> Sheet:
    """An owl in profile, its face to the front, with a sprig or an amphora beside it."""
    t, rng = engraver.type_rng("owl"), engraver.straying_rng("owl")
    slip = engraver.distance
    sheet = Sheet()
    frame = Frame(
        float(rng.normal(0, 0.012 * slip)),
        float(design.middle + 0.02 + rng.normal(0, 0.012 * slip)),
        room,
        float(rng.normal(0, 0.02 * slip)),
        design.facing < 0,
    )
    pen = Pen(engraver, sheet, frame, rng, shake=0.008, lift=engraver.depth)
    plump = float(t.uniform(0.9, 1.1))
    for k in range(4):
        pen.stroke(
            [(-0.20 - 0.02 * k, 0.22), (-0.44 - 0.035 * k, 0.66 + 0.03 * k)],
            [0.03, 0.045, 0.03],
            0.05,
        )
    body = np.array(
        [
            (0.02, -0.36),
            (0.22, -0.24),
            (0.30, 0.04),
            (0.22, 0.32),
            (0.06, 0.48),
            (-0.14, 0.46),
            (-0.36, 0.40),
            (-0.34, 0.12),
            (-0.28, -0.14),
            (-0.18, -0.32),
        ]
    )
    pen.form(body * [plump, 1], 0.115, 0.16, 0.6)
    for x in (0.06, 0.16):
        pen.stroke(
            [(x - 0.02, 0.38), (x, 0.56), (x + 0.01, 0.72)], [0.065, 0.045, 0.028], 0.075, 0.7
        )
        for toe in (-0.05, 0.03, 0.10):
            pen.stroke([(x + 0.01, 0.72), (x + 0.01 + toe, 0.79)], [0.024, 0.014], 0.055)
    plumage = Sheet()
    d = pen.on(plumage)
    for row in range(9):
        for col in range(7):
            x, y = 0.24 - 0.07 * col + (0.035 if row % 2 else 0), -0.26 + 0.075 * row
            if (x / 0.27) ** 2 + ((y - 0.06) / 0.38) ** 2 < 1 and x > -0.10 + 0.1 * row / 9:
                d.dot(x + rng.normal(0, 0.008), y + rng.normal(0, 0.008), 0.022, 0.022, 1.0)
    for k in range(int(t.integers(6, 9))):
        u = (k + rng.normal(0, 0.1)) / 8
        d.stroke(
            [
                (-0.06 - 0.14 * u, -0.20 + 0.10 * u),
                (-0.12 - 0.13 * u, 0.12 + 0.05 * u),
                (-0.20 - 0.16 * u, 0.46 - 0.02 * u),
            ],
            [0.018, 0.028, 0.012],
            0.030,
            0.8,
        )
    for row in range(3):
        for k in range(5):
            x, y = -0.05 - 0.05 * k + 0.02 * row, -0.22 + 0.09 * row + 0.05 * k
            d.stroke([(x, y), (x - 0.02, y + 0.07)], [0.024, 0.030], 0.042, 0.8)
    sheet.add(plumage)
    hx, hy = float(t.uniform(0.02, 0.08)), -0.46
    pen.form(
        [
            (hx - 0.25, hy - 0.10),
            (hx - 0.16, hy - 0.21),
            (hx, hy - 0.20),
            (hx + 0.16, hy - 0.21),
            (hx + 0.25, hy - 0.10),
            (hx + 0.22, hy + 0.12),
            (hx, hy + 0.22),
            (hx - 0.22, hy + 0.12),
        ],
        0.135,
        0.12,
        0.5,
    )
    for side in (-1, 1):
        ex = hx + 0.115 * side
        a = np.linspace(0, 2 * np.pi, 13)
        ring = Sheet()
        pen.on(ring).stroke(
            np.stack([ex + 0.082 * np.cos(a), hy + 0.082 * np.sin(a)], 1), 0.019, 0.026, 0.8
        )
        pen.on(ring).dot(ex, hy, 0.040, 0.034)
        for b in np.linspace(0, 2 * np.pi, 15)[:-1] + rng.uniform(0, 0.4):
            pen.on(ring).stroke(
                [
                    (ex + 0.10 * np.cos(b), hy + 0.10 * np.sin(b)),
                    (ex + 0.14 * np.cos(b), hy + 0.14 * np.sin(b)),
                ],
                0.009,
                0.014,
            )
        sheet.add(ring)
    pen.stroke([(hx, hy - 0.04), (hx, hy + 0.12)], [0.035, 0.012], 0.175)
    pen.stroke(
        [
            (hx - 0.2, hy - 0.13),
            (hx - 0.02, hy - 0.05),
            (hx + 0.02, hy - 0.05),
            (hx + 0.2, hy - 0.13),
        ],
        0.018,
        0.155,
    )
    if t.random() < 0.7:
        root = np.array([-0.62, -0.70])
        pen.stroke([root, (-0.52, -0.52), (-0.40, -0.40)], 0.014, 0.04)
        for dx, dy, lean in ((0.02, 0.04, 2.6), (0.05, 0.10, 0.5), (0.10, 0.18, 2.3)):
            px, py = float(root[0] + dx), float(root[1] + dy)
            pen.stroke(
                [
                    (px, py),
                    (px + 0.09 * np.cos(lean), py + 0.09 * np.sin(lean) + 0.04),
                    (px + 0.18 * np.cos(lean), py + 0.18 * np.sin(lean) + 0.04),
                ],
                [0.012, 0.036, 0.008],
                0.05,
            )
        pen.dot(-0.50, -0.62, 0.026, 0.045)
    if t.random() < 0.45:
        pen.form(
            [(-0.46, 0.80), (-0.20, 0.76), (0.10, 0.78), (0.44, 0.80), (0.40, 0.92), (-0.40, 0.92)],
            0.05,
            0.06,
            0.5,
        )
        for k in range(6):
            pen.stroke([(-0.36 + 0.14 * k, 0.80), (-0.34 + 0.14 * k, 0.92)], 0.014, 0.06)
    return sheet
