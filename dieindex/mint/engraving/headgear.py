"""What heads wear: wreath, rays, diadem, stephane, veil, helmet, the lion's scalp."""

from __future__ import annotations

import numpy as np

from dieindex.mint.engraving.engraver import Engraver, Pen
from dieindex.mint.engraving.hair import Style, jittered_grid, locks, snails
from dieindex.mint.engraving.profiles import Physiognomy
from dieindex.mint.engraving.sheet import Sheet, spline
from dieindex.records import Floats


def _band(engraver: Engraver) -> Floats:
    """The line a wreath or diadem takes round the head, from the forehead to the knot behind."""
    t, d = engraver.type_rng("band"), engraver.die_rng("band")
    slip = engraver.distance
    dip = float(t.uniform(-0.03, 0.05) + d.normal(0, 0.008 * slip))
    line = np.array([(0.335, -0.262), (0.200, -0.285), (0.020, -0.265), (-0.180, -0.180 + dip),
                     (-0.360, -0.040 + dip), (-0.480, 0.075 + 0.5 * dip)])  # fmt: skip
    return spline(line + d.normal(0, 0.006 * slip, line.shape), 10)


def _ties(pen: Pen, engraver: Engraver, base: Sheet, x: float, y: float) -> None:
    """The knot at the nape and its two ribbons."""
    t, rng = engraver.type_rng("ties"), pen.rng
    layer = Sheet()
    d = pen.on(layer)
    d.shake = 0.010
    length = float(t.uniform(0.30, 0.55))
    sway = float(t.uniform(-0.06, 0.10))
    for k, lean in enumerate((-0.10 + sway, 0.08 + 0.5 * sway)):
        n = 5
        u = np.linspace(0, 1, n)
        wave = float(t.uniform(0.01, 0.035)) * np.sin(
            5.5 * u + t.uniform(0, 6.3) + rng.normal(0, 0.3)
        )
        path = np.stack([x + lean * u + wave * u, y + (length - 0.08 * k) * u], 1)
        d.stroke(
            path, [0.012, 0.018, 0.020, 0.021, 0.024], [0.024, 0.028, 0.026, 0.024, 0.022], 0.6
        )
    if t.random() < 0.6:
        for side in (-1, 1):
            loop = [(x, y), (x - 0.06, y + 0.045 * side - 0.02), (x - 0.09, y + 0.02 * side),
                    (x - 0.03, y + 0.01)]  # fmt: skip
            d.stroke(loop, 0.011, 0.026, 0.7)
    d.dot(x, y, 0.026, 0.035)
    base.lay(layer, 0.006 * pen.frame.scale)


def laurel(pen: Pen, engraver: Engraver, base: Sheet) -> None:
    """A wreath of laurel leaves in groups along the band, with ties."""
    t, rng = engraver.type_rng("laurel"), pen.rng
    line = _band(engraver)
    length = float(t.uniform(0.135, 0.195))
    width = float(t.uniform(0.024, 0.036))
    count = int(t.integers(7, 11)) + int(rng.integers(-1, 2) if engraver.distance > 0.5 else 0)
    triple = t.random() < 0.6
    relief = float(t.uniform(0.030, 0.040))
    layer = Sheet()
    d = pen.on(layer)
    d.stroke(line[::6], 0.013, 0.022, shake=0.002)
    at = (np.arange(count) + 0.6 + rng.normal(0, 0.10, count)) / count
    paths, wide, tall = [], [], []
    ribs = []
    for u in np.clip(at, 0.02, 1):
        i = u * (len(line) - 1)
        root = (
            line[int(i)]
            if i >= len(line) - 1
            else line[int(i)] + (i % 1) * (line[int(i) + 1] - line[int(i)])
        )
        way = line[max(int(i) - 3, 0)] - line[min(int(i) + 3, len(line) - 1)]
        ahead = float(np.arctan2(way[1], way[0]))
        for side in (-1, 0, 1) if triple else (-1, 1):
            angle = ahead + side * float(t.uniform(0.38, 0.6)) + rng.normal(0, 0.07)
            size = length * float(np.exp(rng.normal(0, 0.08))) * (0.8 + 0.25 * u)
            s = np.linspace(0, 1, 7)
            bend = rng.normal(-0.12 * side, 0.12)
            nx, ny = -np.sin(angle), np.cos(angle)
            c = bend * size * s * (1 - s)
            path = root + np.stack(
                [size * s * np.cos(angle) + c * nx, size * s * np.sin(angle) + c * ny], 1
            )
            paths.append(path)
            wide.append(width * float(np.exp(rng.normal(0, 0.08))))
            tall.append(relief * (1.1 if side == 0 else 1.0) * float(np.exp(rng.normal(0, 0.08))))
            ribs.append(path)
    d.strokes(np.array(paths), np.array(wide), np.array(tall), (0.3, 0.85, 1, 0.9, 0.6, 0.1), 0.55)
    groove = Sheet()
    pen.on(groove).strokes(np.array(ribs), np.full(len(ribs), 0.006), np.full(len(ribs), 0.012),
                           (0.8, 1, 0.4), 1.0)  # fmt: skip
    layer.height -= groove.height
    if t.random() < 0.4:
        for u in at[1:]:
            i = int(np.clip(u, 0, 1) * (len(line) - 1))
            d.dot(line[i][0] + 0.02, line[i][1] + 0.03, 0.013, 0.034)
    base.lay(layer, 0.006 * pen.frame.scale)
    _ties(pen, engraver, base, *(float(v) for v in line[-1]))


def diadem(pen: Pen, engraver: Engraver, base: Sheet) -> None:
    """A royal band pressing into the hair, sometimes pearled or of rosettes."""
    t = engraver.type_rng("diadem")
    line = _band(engraver)
    width = float(t.uniform(0.020, 0.034))
    press = Sheet()
    pen.on(press).stroke(line[::6], 2.2 * width, 0.020, 1.5, shake=0.002)
    base.height -= press.height * np.clip(base.height / 0.05, 0, 1)
    layer = Sheet()
    d = pen.on(layer)
    kind = str(t.choice(["plain", "edged", "pearls", "rosettes"]))
    d.stroke(line[::6], width, 0.030, 0.35, shake=0.002)
    if kind == "edged":
        pen.on(layer).stroke(line[::6], 0.4 * width, 0.040, 0.8, shake=0.003)
    elif kind in ("pearls", "rosettes"):
        count = int(t.integers(9, 16))
        for u in (np.arange(count) + pen.rng.normal(0, 0.12, count)) / count:
            i = int(np.clip(u, 0, 1) * (len(line) - 1))
            d.dot(line[i][0], line[i][1], (0.7 if kind == "pearls" else 1.1) * width, 0.046)
    base.lay(layer, 0.006 * pen.frame.scale)
    _ties(pen, engraver, base, *(float(v) for v in line[-1]))


def radiate(pen: Pen, engraver: Engraver, base: Sheet) -> None:
    """A crown of rays rising from a band."""
    t, rng = engraver.type_rng("rays"), pen.rng
    line = _band(engraver)
    count = int(t.integers(5, 9))
    long, wide = float(t.uniform(0.24, 0.34)), float(t.uniform(0.020, 0.030))
    layer = Sheet()
    d = pen.on(layer)
    d.stroke(line[::6], 0.024, 0.034, 0.5, shake=0.002)
    spread = float(t.uniform(0.5, 0.9))
    for k in range(count):
        u = (k + 0.4 + rng.normal(0, 0.07)) / count
        root = line[int(u * (len(line) - 1))]
        angle = -np.pi / 2 + spread * (0.55 - 1.5 * u) - 0.15 + rng.normal(0, 0.03)
        size = long * float(np.exp(rng.normal(0, 0.06)))
        tip = root + size * np.array([np.cos(angle), np.sin(angle)])
        d.stroke([root, (root + tip) / 2, tip], [1.05 * wide, 0.8 * wide, 0.3 * wide],
                 [0.040, 0.042, 0.030], 0.6)  # fmt: skip
    base.lay(layer, 0.006 * pen.frame.scale)
    _ties(pen, engraver, base, *(float(v) for v in line[-1]))


def stephane(pen: Pen, engraver: Engraver, base: Sheet) -> None:
    """A woman's crescent diadem over the forehead, or a wreath of corn ears."""
    t = engraver.type_rng("stephane")
    tall = float(t.uniform(0.06, 0.13))
    layer = Sheet()
    d = pen.on(layer)
    outline = [
        (0.30, -0.36),
        (0.16, -0.315),
        (0.02, -0.22),
        (-0.08, -0.13),
        (-0.08, -0.20),
        (0.02, -0.34 - 0.6 * tall),
        (0.16, -0.42 - tall),
        (0.27, -0.44 - 0.7 * tall),
    ]
    d.form(outline, 0.040, 0.02, 0.2)
    for u in np.linspace(0.1, 0.9, int(t.integers(5, 9))):
        x, y = 0.27 - 0.33 * u, -0.365 + 0.21 * u * u
        d.dot(x, y, 0.013, 0.055)
    base.lay(layer, 0.006 * pen.frame.scale)


def veil(pen: Pen, engraver: Engraver, base: Sheet) -> None:
    """A cloth over the back of the head, falling to the shoulder."""
    t, rng = engraver.type_rng("veil"), pen.rng
    back = float(t.uniform(0.25, 0.5))
    outline = np.array([
        (0.175, -0.500), (0.040, -0.585), (-0.180, -0.610), (-0.430, -0.520), (-0.600, -0.280),
        (-0.640, 0.000), (-0.590, 0.300), (-0.570, 0.550), (-0.640, 0.800), (-0.480, 0.880),
        (-0.330, 0.840), (-0.270, 0.620), (-0.250, 0.400), (-0.200, 0.200), (-0.150, 0.020),
        (-0.115, -0.130), (-0.020, -0.290), (0.090, -0.400),
    ])  # fmt: skip
    front = slice(11, 18)
    outline[front, 0] -= 0.10 * (back - 0.35)
    cloth = Sheet()
    p = pen.on(cloth)
    contour = p.contour(outline)
    s = pen.frame.scale
    cloth.form(contour, s * pen.lift * 0.118, s * 0.09, 0.6, 0.2)
    mask = cloth.mask(contour, 0.006)
    folds = Sheet()
    d = pen.on(folds)
    count = int(t.integers(4, 8))
    heavy = float(t.uniform(0.9, 1.5))
    for i in range(count):
        u = (i + 0.5 + rng.normal(0, 0.12)) / count
        start = np.array([0.10, -0.50]) * (1 - u) + np.array([-0.25, -0.56]) * u
        path = [start, (-0.10 - 0.36 * u, -0.30 - 0.05 * u), (-0.18 - 0.42 * u, 0.05),
                (-0.24 - 0.33 * u, 0.40), (-0.30 - 0.28 * u, 0.80)]  # fmt: skip
        d.stroke(path, 0.024 * heavy * np.array([0.5, 1, 1.2, 1, 0.7]),
                 0.026 * float(np.exp(rng.normal(0, 0.2))), 1.0)  # fmt: skip
    # The hem along the face.
    d.stroke(outline[[17, 16, 15, 14, 13, 12, 11]], 0.017, 0.028, 0.7)
    cloth.height += folds.height * mask
    base.raise_to(cloth, 0.004)
    if t.random() < 0.5:
        stephane(pen, engraver, base)


def lion_skin(pen: Pen, engraver: Engraver, base: Sheet, person: Physiognomy) -> None:
    """The scalp of a lion worn over the head, its paws knotted under the chin."""
    t, rng = engraver.type_rng("lion"), pen.rng
    outline = np.array([
        (0.400, -0.330), (0.425, -0.400), (0.360, -0.470), (0.220, -0.510), (0.080, -0.575),
        (-0.150, -0.600), (-0.390, -0.510), (-0.560, -0.300), (-0.620, -0.020), (-0.600, 0.260),
        (-0.520, 0.480), (-0.380, 0.640), (-0.160, 0.700), (0.060, 0.670), (0.130, 0.600),
        (0.020, 0.560), (-0.080, 0.480), (-0.090, 0.340), (-0.040, 0.220), (-0.075, 0.120),
        (-0.130, 0.080), (-0.150, -0.050), (-0.080, -0.140), (0.040, -0.170), (0.160, -0.250),
        (0.290, -0.310),
    ])  # fmt: skip
    outline = outline + t.normal(0, 0.008, outline.shape)
    curls = Sheet()
    row = spline(
        [(0.335, -0.280), (0.250, -0.235), (0.170, -0.170), (0.115, -0.090), (0.080, 0.000)], 6
    )
    count = int(t.integers(5, 8))
    at = ((np.arange(count) + 0.5 + rng.normal(0, 0.08, count)) / count * (len(row) - 1)).astype(
        int
    )
    snails(pen.on(curls), row[at], 0.042, 0.034)
    base.add(curls)
    skin = Sheet()
    p = pen.on(skin)
    contour = p.contour(outline)
    s = pen.frame.scale
    skin.form(contour, s * pen.lift * 0.122, s * 0.075, 0.5, 0.2)
    mask = skin.mask(contour, 0.005)
    detail = Sheet()
    d = pen.on(detail)
    # The lion's face: jaw line with teeth, nose, whiskers, eye under its brow, ear.
    d.bump(0.31, -0.40, 0.075, 0.05, 0.020, 0.2)
    d.bump(0.02, -0.38, 0.10, 0.09, 0.014)
    d.stroke([(0.40, -0.345), (0.29, -0.325), (0.17, -0.270), (0.05, -0.195)], 0.016, 0.028, 0.7)
    for k in range(5):
        u = (k + 0.5 + rng.normal(0, 0.1)) / 5
        d.stroke(
            [(0.36 - 0.27 * u, -0.325 + 0.10 * u * u), (0.355 - 0.27 * u, -0.29 + 0.11 * u * u)],
            [0.014, 0.005],
            0.030,
        )
    d.stroke([(0.405, -0.41), (0.395, -0.45), (0.355, -0.475)], [0.022, 0.026, 0.016], 0.030, 0.8)
    for k in range(3):
        y = -0.415 + 0.026 * k
        d.stroke(
            [(0.375, y), (0.32, y - 0.008 + 0.01 * k), (0.27, y + 0.012 * k)],
            0.007,
            0.011,
            0.9,
            "cut",
        )
    d.stroke(
        [(0.33, -0.475), (0.25, -0.495), (0.185, -0.475)], [0.018, 0.030, 0.02], 0.024, 1.0, "add"
    )
    ex, ey = 0.155, -0.415
    d.bump(ex, ey, 0.075, 0.055, -0.018)
    d.bump(ex, ey, 0.026, 0.020, 0.034)
    d.stroke(
        [(ex + 0.065, ey - 0.005), (ex, ey - 0.040), (ex - 0.065, ey + 0.012)], 0.013, 0.030, 0.7
    )
    d.stroke(
        [(ex + 0.05, ey + 0.012), (ex, ey + 0.030), (ex - 0.05, ey + 0.015)], 0.009, 0.022, 0.7
    )
    d.stroke(
        [(ex + 0.10, ey - 0.05), (ex + 0.01, ey - 0.085), (ex - 0.08, ey - 0.05)],
        [0.012, 0.022, 0.012],
        0.022,
        0.9,
    )
    fx, fy = -0.10, -0.43
    d.stroke(
        [
            (fx + 0.075, fy + 0.10),
            (fx + 0.06, fy - 0.06),
            (fx - 0.03, fy - 0.10),
            (fx - 0.075, fy - 0.02),
            (fx - 0.04, fy + 0.08),
            (fx + 0.03, fy + 0.11),
        ],
        [0.022, 0.026, 0.024, 0.022, 0.018, 0.014],
        0.040,
        0.6,
    )
    d.bump(fx + 0.005, fy + 0.005, 0.030, 0.045, -0.030)
    # The rolled edge about the face.
    d.stroke(outline[[23, 22, 21, 20, 19, 18, 17, 16]], 0.024, 0.026, 0.6)
    mane = Sheet()
    region = np.array(
        [
            (-0.02, -0.26),
            (-0.12, -0.31),
            (-0.20, -0.42),
            (-0.22, -0.585),
            (-0.42, -0.48),
            (-0.57, -0.28),
            (-0.61, 0.0),
            (-0.59, 0.26),
            (-0.51, 0.46),
            (-0.38, 0.60),
            (-0.20, 0.62),
            (-0.16, 0.40),
            (-0.16, 0.20),
            (-0.20, -0.05),
        ]
    )
    roots = jittered_grid(pen, region, float(t.uniform(0.085, 0.115)))
    lean = float(t.uniform(2.0, 2.7))
    locks(
        pen.on(mane),
        roots,
        lambda q: lean + 0.5 * q[:, 1] * 0 - 0.9 * q[:, 1] + 0.25 * np.sin(8 * q[:, 0]),
        Style("locks", 0.1, 0.17, 0.034, 0.034, float(t.uniform(-1.3, -0.4)), 0, 0.2),
        3,
    )
    skin.height += (detail.height + mane.height) * mask
    base.raise_to(skin, 0.004)
    knot = Sheet()
    d = pen.on(knot)
    kx, ky = 0.03, 0.62
    for way in (-0.5, 0.25, 0.9):
        for toe in (-0.04, 0.0, 0.04):
            d.stroke(
                [(kx, ky), (kx + 0.10 * np.cos(way) + toe * 0.4, ky + 0.10 * np.sin(way) + toe)],
                [0.024, 0.018],
                [0.05, 0.04],
                0.6,
            )
    d.dot(kx, ky, 0.045, 0.065)
    base.add(knot)
