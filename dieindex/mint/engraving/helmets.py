"""Crested helmets."""

from __future__ import annotations

import numpy as np

from dieindex.mint.engraving.engraver import Engraver, Pen
from dieindex.mint.engraving.hair import Style, locks
from dieindex.mint.engraving.sheet import Sheet, spline, xy


def helmet(pen: Pen, engraver: Engraver, base: Sheet, female: bool) -> None:
    """A crested helmet: Attic or Corinthian, the hair falling below it."""
    t, rng = engraver.type_rng("helmet"), pen.rng
    corinthian = t.random() < 0.5
    hang = Sheet()
    long = float(t.uniform(0.28, 0.42)) if female else 0.15
    roots = np.stack([np.linspace(-0.44, -0.16, 7), np.linspace(0.14, 0.20, 7)], 1)
    locks(pen.on(hang), roots + rng.normal(0, 0.008, roots.shape), lambda p: np.full(len(p), 1.85),
          Style("waves", 0.09, long, 0.024, 0.026, -0.3, 0, 0.9), 3)  # fmt: skip
    base.lay(hang, 0.006 * pen.frame.scale)
    brow = Sheet()
    roots = spline([(0.31, -0.24), (0.22, -0.19), (0.14, -0.10), (0.07, 0.0), (0.02, 0.06)], 3)
    locks(
        pen.on(brow),
        roots + xy(-0.01, -0.03),
        lambda p: 2.6 + 1.2 * (p[:, 0] - 0.2),
        Style("locks", 0.06, 0.10, 0.020, 0.020, -0.9, 0, 0.2),
        2,
    )
    base.add(brow)
    _crest(pen, engraver, base)
    if corinthian:
        bowl = [
            (0.440, -0.300),
            (0.350, -0.255),
            (0.240, -0.235),
            (0.140, -0.150),
            (0.020, -0.050),
            (-0.130, 0.110),
            (-0.300, 0.220),
            (-0.480, 0.240),
            (-0.560, 0.140),
            (-0.565, -0.080),
            (-0.520, -0.300),
            (-0.380, -0.480),
            (-0.150, -0.570),
            (0.100, -0.560),
            (0.290, -0.480),
            (0.400, -0.380),
        ]
    else:
        bowl = [
            (0.370, -0.290),
            (0.270, -0.275),
            (0.150, -0.240),
            (0.060, -0.130),
            (-0.020, -0.090),
            (-0.110, -0.040),
            (-0.160, 0.120),
            (-0.280, 0.230),
            (-0.480, 0.280),
            (-0.590, 0.240),
            (-0.550, 0.090),
            (-0.560, -0.100),
            (-0.520, -0.300),
            (-0.380, -0.475),
            (-0.150, -0.560),
            (0.090, -0.545),
            (0.250, -0.460),
            (0.345, -0.370),
        ]
    bowl = list(np.array(bowl) + t.normal(0, 0.008, (len(bowl), 2)))
    metal = Sheet()
    p = pen.on(metal)
    contour = p.contour(bowl)
    s = pen.frame.scale
    metal.form(contour, s * pen.lift * 0.118, s * 0.14, 0.6, 0.15)
    mask = metal.mask(contour, 0.005)
    trim = Sheet()
    d = pen.on(trim)
    low = bowl[0:9] if corinthian else bowl[0:10]
    d.stroke(low, 0.014, 0.024, 0.6)
    inner = np.array(low[2:]) + xy(0.0, -0.045)
    d.stroke(inner, 0.007, 0.014, 0.8)
    if corinthian:
        # The mask's eye hole and nose guard, pushed up over the brow.
        d.stroke(
            [(0.28, -0.315), (0.20, -0.35), (0.12, -0.30), (0.18, -0.26), (0.28, -0.285)],
            0.013,
            0.024,
            0.7,
        )
        d.bump(0.20, -0.305, 0.035, 0.016, -0.020)
        d.stroke(
            [(0.36, -0.37), (0.18, -0.42), (-0.02, -0.34), (-0.14, -0.12), (-0.24, 0.12)],
            0.013,
            0.022,
            0.8,
        )
    else:
        d.stroke([(0.34, -0.34), (0.20, -0.345), (0.07, -0.26), (-0.02, -0.15)], 0.020, 0.030, 0.7)
        d.stroke([(-0.16, 0.09), (-0.30, 0.18), (-0.50, 0.21)], 0.012, 0.022, 0.7)
    _bowl_ornament(d, t)
    metal.height += trim.height * mask
    base.raise_to(metal, 0.004)


def _bowl_ornament(d: Pen, t: np.random.Generator) -> None:
    """What is chased on the bowl of a helmet."""
    kind = str(t.choice(["scroll", "olive", "snake", "wing", "star", "ribs"]))
    if kind == "scroll":
        a = np.linspace(0, 10, 18)
        r = 0.13 * (1 - a / 12)
        d.stroke(np.stack([-0.24 + r * np.cos(a), -0.24 + r * np.sin(a)], 1), 0.012, 0.024, 0.8)
        d.stroke([(-0.11, -0.24), (0.0, -0.34), (0.08, -0.46)], 0.012, 0.024, 0.8)
        for k in range(3):
            d.stroke(
                [(-0.05 + 0.05 * k, -0.30 - 0.05 * k), (-0.10 + 0.05 * k, -0.38 - 0.05 * k)],
                [0.016, 0.006],
                0.024,
            )
    elif kind == "olive":
        for i in range(5):
            x, y = 0.24 - 0.10 * i, -0.39 + 0.012 * i * i
            d.stroke(
                [(x, y), (x + 0.03, y - 0.05), (x + 0.02, y - 0.13)],
                [0.010, 0.028, 0.005],
                0.034,
                0.6,
            )
    elif kind == "snake":
        a = np.linspace(0, 1, 11)
        d.stroke(
            np.stack([0.16 - 0.55 * a, -0.40 + 0.35 * a * a + 0.05 * np.sin(11 * a)], 1),
            [0.022, 0.018, 0.006],
            0.030,
            0.7,
        )
    elif kind == "wing":
        for k in range(7):
            u = k / 6
            d.stroke(
                [
                    (0.10 - 0.02 * k, -0.28 + 0.01 * k),
                    (-0.10 - 0.04 * k, -0.42 + 0.05 * k),
                    (-0.30 - 0.02 * k, -0.42 + 0.09 * k),
                ],
                [0.012, 0.022, 0.010],
                0.028 - 0.004 * u,
                0.8,
            )
    elif kind == "star":
        for k in range(8):
            ray = k * np.pi / 4 + 0.2
            d.stroke(
                [(-0.22, -0.24), (-0.22 + 0.13 * np.cos(ray), -0.24 + 0.13 * np.sin(ray))],
                [0.014, 0.006],
                0.026,
            )
    else:
        for k in range(5):
            x = 0.18 - 0.15 * k
            d.stroke(
                [
                    (0.05 - 0.05 * k, -0.52 + 0.01 * k * k),
                    (x - 0.02, -0.40 + 0.02 * k),
                    (x - 0.03, -0.26 + 0.06 * k),
                ],
                0.012,
                0.022,
            )


def _crest(pen: Pen, engraver: Engraver, base: Sheet) -> None:
    t, rng = engraver.type_rng("crest"), pen.rng
    line = [(0.240, -0.490), (0.080, -0.555), (-0.150, -0.575), (-0.385, -0.485), (-0.530, -0.300),
            (-0.575, -0.080), (-0.600, 0.170), (-0.660, 0.420), (-0.740, 0.560)]  # fmt: skip
    if t.random() < 0.35:
        line = line[:-2]
    inner = spline(line, 8)
    tall = float(t.uniform(0.09, 0.15))
    way = np.gradient(inner, axis=0)
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    normal = np.stack([way[:, 1], -way[:, 0]], 1)
    # Outward is away from the middle of the head.
    flip = np.sign((normal * (inner - [-0.05, 0.0])).sum(1))
    normal *= np.where(flip == 0, 1, flip)[:, None]
    layer = Sheet()
    d = pen.on(layer)
    count = int(t.integers(44, 64)) + int(rng.integers(-3, 4))
    at = (
        (np.arange(count) + rng.normal(0, 0.2, count)).clip(0, count - 1)
        / (count - 1)
        * (len(inner) - 1)
    )
    i = at.astype(int)
    root, out, along = inner[i], normal[i], way[i]
    height = (
        tall * (0.70 + 0.35 * np.sin(np.pi * at / len(inner))) * np.exp(rng.normal(0, 0.05, count))
    )
    u = np.linspace(0, 1, 5)
    lean = float(t.uniform(0.1, 0.7))
    paths = root[:, None] + height[:, None, None] * (
        u[None, :, None] * out[:, None] + lean * (u**2)[None, :, None] * along[:, None]
    )
    wide = 0.62 * np.linalg.norm(inner[-1] - inner[0]) * 1.6 / count
    d.strokes(
        paths,
        np.full(count, max(wide, 0.013)),
        0.050 * np.exp(rng.normal(0, 0.12, count)),
        (1, 1, 0.9, 0.6),
        0.7,
    )
    rail = inner + 0.38 * tall * normal
    d.stroke(rail[::4], 0.009, 0.058, 0.7)
    d.stroke(inner[::4], 0.016, 0.062, 0.6)
    base.raise_to(layer, 0.003)
