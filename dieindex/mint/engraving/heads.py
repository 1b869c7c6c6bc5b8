"""Heads and busts: the obverses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dieindex.mint.engraving.borders import leaf
from dieindex.mint.engraving.engraver import Engraver, Frame, Pen
from dieindex.mint.engraving.faces import Physiognomy, ear, model_face, model_neck
from dieindex.mint.engraving.hair import contains, jittered_grid, lock
from dieindex.mint.engraving.sheet import Sheet, spline

if TYPE_CHECKING:
    from dieindex.mint.types import DesignType


def draw_head(engraver: Engraver, design: DesignType, room: float) -> Sheet:
    """A head filling the circle of radius ``room``."""
    t = engraver.type_rng("head")
    rng = engraver.die_rng("head")
    slip = engraver.distance
    scale = room * float(t.uniform(1.18, 1.30)) * float(np.exp(rng.normal(0, 0.015 * slip)))
    lean = float(t.normal(0, 0.04) + rng.normal(0, 0.02 * slip))
    base = Sheet()
    frame = Frame(
        float(0.02 * design.facing + rng.normal(0, 0.012 * slip)),
        float(-0.15 * scale + rng.normal(0, 0.012 * slip)),
        scale, lean * design.facing, design.facing < 0,
    )  # fmt: skip
    pen = Pen(engraver, base, frame, rng, shake=0.004, lift=engraver.depth)
    female = design.kind == "veiled"
    person = Physiognomy.of(engraver, female)
    model_neck(pen, person, base, str(t.choice(["straight", "pointed", "curved"])))
    model_face(pen, person, base)
    _hair(pen, engraver, base)
    ear(pen, person)
    if design.kind in ("laureate", "bearded"):
        _laurel(pen, engraver, base)
    return base


_HAIR = np.array([
    (0.30, -0.30), (0.22, -0.26), (0.15, -0.17), (0.09, -0.10), (0.05, -0.02), (0.02, 0.06),
    (-0.02, 0.02), (-0.09, 0.08), (-0.16, 0.20), (-0.22, 0.32), (-0.34, 0.34), (-0.47, 0.16),
    (-0.55, -0.06), (-0.53, -0.28), (-0.39, -0.46), (-0.16, -0.545), (0.07, -0.53), (0.22, -0.45),
])  # fmt: skip


def _hair(pen: Pen, engraver: Engraver, base: Sheet) -> None:
    t = engraver.type_rng("hair")
    cx, cy = t.uniform(-0.28, -0.12), t.uniform(-0.34, -0.2)
    swirl = t.uniform(-0.5, 0.5)
    spacing = float(t.uniform(0.06, 0.085))

    def flow(x: float, y: float) -> float:
        return float(np.arctan2(y - cy, x - cx) + swirl)

    cap = Sheet()
    outline = pen.contour(_HAIR)
    cap.form(outline, pen.frame.scale * 0.018, pen.frame.scale * 0.05, 0.3)
    base.add(cap)
    layer = Sheet()
    d = pen.on(layer)
    contour = spline(_HAIR, 6, closed=True)
    roots = jittered_grid(pen.rng, contour * 0.97, spacing)
    order = np.argsort(-np.hypot(roots[:, 0] - cx, roots[:, 1] - cy))
    for x, y in roots[order]:
        d2 = float(np.hypot(x - cx, y - cy))
        lock(d, x, y, flow, spacing * (1.5 + 0.6 * min(d2, 0.5)), 0.35 * spacing, 0.026,
             float(t.choice([-1, 1]) if False else swirl * 2), 3)  # fmt: skip
    base.add(layer)


def _laurel(pen: Pen, engraver: Engraver, base: Sheet) -> None:
    line = spline(np.array([(0.33, -0.24), (0.15, -0.29), (-0.1, -0.27), (-0.34, -0.14), (-0.47, 0.02)]), 8)
    layer = Sheet()
    d = pen.on(layer)
    path = pen.place(line, 0.002)
    d.stroke(line, 0.014, 0.016)
    s = pen.frame.scale
    for i in range(2, len(path) - 1, 3):
        way = path[i - 1] - path[i + 1]
        angle = float(np.arctan2(way[1], way[0]))
        for side in (-1, 1):
            leaf(layer, pen.rng, path[i][0], path[i][1], angle + 0.5 * side, 0.13 * s, 0.026 * s,
                 0.034 * s)  # fmt: skip
    base.add(layer)
    _ = contains
