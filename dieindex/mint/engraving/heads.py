"""Heads and busts: the obverses."""

from __future__ import annotations

import numpy as np

from dieindex.mint.engraving import busts, headgear, helmets
from dieindex.mint.engraving.engraver import Engraver, Frame, Pen
from dieindex.mint.engraving.hair import (
    Flow,
    Style,
    comma_row,
    cover,
    locks,
    snails,
    whorl,
)
from dieindex.mint.engraving.profiles import Physiognomy, ear, model_face, model_neck
from dieindex.mint.engraving.sheet import Sheet, spline
from dieindex.mint.parameters import DesignType
from dieindex.records import Floats

_SKULL_HAIR = np.array([
    (0.325, -0.275), (0.255, -0.245), (0.175, -0.170), (0.125, -0.100), (0.085, -0.020),
    (0.060, 0.075), (0.020, 0.090), (0.010, -0.020), (-0.060, -0.080), (-0.110, -0.010),
    (-0.110, 0.110), (-0.150, 0.210), (-0.220, 0.320), (-0.330, 0.345), (-0.465, 0.185),
    (-0.550, -0.050), (-0.535, -0.270), (-0.395, -0.460), (-0.165, -0.545), (0.070, -0.530),
    (0.225, -0.455), (0.310, -0.360),
])  # fmt: skip
_HAIRLINE = np.array(
    [(0.315, -0.335), (0.250, -0.270), (0.175, -0.190), (0.125, -0.110), (0.085, -0.020)]
)
_NAPE = np.array([(-0.130, 0.170), (-0.215, 0.270), (-0.330, 0.290), (-0.440, 0.190)])
_BEARD = np.array(
    [
        (0.055, 0.020),
        (0.085, 0.110),
        (0.150, 0.200),
        (0.225, 0.225),
        (0.285, 0.215),
        (0.350, 0.205),
        (0.372, 0.225),
        (0.310, 0.250),
        (0.278, 0.285),
        (0.310, 0.322),
        (0.352, 0.332),
        (0.385, 0.390),
        (0.385, 0.455),
        (0.320, 0.515),
        (0.190, 0.525),
        (0.060, 0.465),
        (-0.050, 0.360),
        (-0.070, 0.210),
        (-0.010, 0.120),
    ]
)


def draw_head(engraver: Engraver, design: DesignType, room: float) -> Sheet:
    """A head or bust in profile, filling the circle of radius ``room``."""
    t, rng = engraver.type_rng("head"), engraver.straying_rng("head")
    slip = engraver.distance
    bust = str(t.choice(["neck", "neck", "draped", "cuirass"]))
    if design.kind in ("lion-skin", "veiled"):
        bust = "neck" if design.kind == "lion-skin" or t.random() < 0.5 else "draped"
    cut = str(t.choice(["straight", "pointed", "curved"]))
    top, bottom = -0.62, {"neck": 0.88, "draped": 1.03, "cuirass": 1.03}[bust]
    low = min(0.95, room + 0.22) if design.inscriptions else room * 0.98
    fill = float(t.uniform(0.96, 1.06))
    tall = {"helmeted": 0.13, "radiate": 0.12, "lion-skin": 0.03, "veiled": 0.03}.get(
        design.kind, 0.0
    )
    scale = fill * (room + low) / (bottom - top + tall)
    centre = -room * fill - scale * (top - tall) + float(t.uniform(-0.02, 0.02))
    scale *= float(np.exp(rng.normal(0, 0.014 * slip)))
    lean = float(t.normal(0, 0.035) + rng.normal(0, 0.018 * slip))
    shift = 0.08 * scale if bust == "neck" else 0.05 * scale
    frame = Frame(
        float(design.facing * shift + rng.normal(0, 0.010 * slip)),
        float(centre + rng.normal(0, 0.010 * slip)),
        scale, lean * design.facing, design.facing < 0,
    )  # fmt: skip
    base = Sheet()
    pen = Pen(engraver, base, frame, rng, shake=0.0035, lift=engraver.depth)
    compose(pen, engraver, design.kind, bust, cut)
    return base


def draw_two_heads(engraver: Engraver, design: DesignType, room: float) -> Sheet:
    """Two heads face to face, or one behind the other looking the same way."""
    t, rng = engraver.type_rng("two"), engraver.straying_rng("two")
    slip = engraver.distance
    jugate = bool(t.random() < 0.4)
    sheet = Sheet()
    scale = room * float(t.uniform(1.10, 1.18) if jugate else t.uniform(0.84, 0.94))
    for k in (1, 0):
        part = engraver.part(f"head {k}")
        kinds = ["bare", "laureate", "diademed", "female", "radiate", "bearded"]
        kind = str(part.type_rng("kind").choice(kinds))
        if jugate:
            x, mirror = (0.24 * scale if k else -0.04 * scale), design.facing < 0
            x = -x if mirror else x
        else:
            x, mirror = (-0.52 if k else 0.52) * scale, k == 0
        frame = Frame(
            float(x + rng.normal(0, 0.010 * slip)),
            float(design.middle - (0.12 if jugate else 0.14) * scale + rng.normal(0, 0.010 * slip)),
            scale * float(np.exp(rng.normal(0, 0.012 * slip))), 0.0, mirror,
        )  # fmt: skip
        base = Sheet()
        pen = Pen(
            part,
            base,
            frame,
            rng,
            shake=0.004,
            lift=engraver.depth * (0.8 if jugate and k else 1.0),
        )
        compose(
            pen,
            part,
            kind,
            "neck" if part.type_rng("bust").random() < 0.6 else "draped",
            "straight",
        )
        if jugate:
            # The nearer head hides the farther.
            near = np.clip(base.height / 0.012, 0, 1)
            sheet.height += near * (base.height - sheet.height)
        else:
            sheet.raise_to(base)
    return sheet


def compose(pen: Pen, engraver: Engraver, kind: str, bust: str, cut: str) -> None:
    """Draw neck, bust, face, hair and headgear of a kind of head on the pen's sheet."""
    t, base = engraver.type_rng("head parts"), pen.sheet
    female = kind in ("veiled", "female") or (kind in ("diademed", "helmeted") and t.random() < 0.4)
    person = Physiognomy.of(engraver, female)
    model_neck(pen, person, base, cut)
    if bust != "neck":
        busts.drape(pen, engraver, base, bust == "cuirass")
    model_face(pen, person, base)
    bearded = kind == "bearded" or (
        not female and kind in ("laureate", "radiate") and t.random() < 0.35
    )
    if bearded:
        _beard(pen, engraver, base)
    if kind == "helmeted":
        helmets.helmet(pen, engraver, base, female)
    elif kind == "lion-skin":
        headgear.lion_skin(pen, engraver, base, person)
    elif kind == "veiled":
        _coiffure(pen, engraver, base, bun=False)
        _lay_ear(pen, person, base)
        headgear.veil(pen, engraver, base)
    else:
        if female:
            _coiffure(pen, engraver, base, bun=True)
        else:
            _short_hair(pen, engraver, base)
        _lay_ear(pen, person, base)
        wear = str(t.choice(["laureate", "diademed", "bare"])) if kind == "bearded" else kind
        if wear == "laureate":
            headgear.laurel(pen, engraver, base)
        elif wear == "radiate":
            headgear.radiate(pen, engraver, base)
        elif wear == "diademed":
            headgear.diadem(pen, engraver, base)
        elif wear == "female" and t.random() < 0.6:
            headgear.stephane(pen, engraver, base)


def _lay_ear(pen: Pen, person: Physiognomy, base: Sheet) -> None:
    layer = Sheet()
    ear(pen.on(layer), person)
    base.lay(layer, 0.004 * pen.frame.scale, 0.02)


def _unevenness(engraver: Engraver, name: str, gain: float) -> Floats:
    """Waves of direction: mostly the type's, a little the die's own."""
    t, d = engraver.type_rng(name), engraver.die_rng(name)
    waves = [(*t.normal(0, 5, 2), t.uniform(0, 6.3), gain * t.normal()) for _ in range(3)]
    waves += [
        (*d.normal(0, 7, 2), d.uniform(0, 6.3), 0.5 * gain * d.normal() * engraver.distance)
        for _ in range(3)
    ]
    return np.array(waves)


def _crown(engraver: Engraver, style: Style) -> Flow:
    t, d = engraver.type_rng("crown"), engraver.die_rng("crown")
    cx = t.uniform(-0.30, -0.12) + d.normal(0, 0.012 * engraver.distance)
    cy = t.uniform(-0.36, -0.22) + d.normal(0, 0.012 * engraver.distance)
    swirl = style.swirl + d.normal(0, 0.06 * engraver.distance)
    return whorl(cx, cy, swirl, _unevenness(engraver, "flow", 0.22))


def _short_hair(pen: Pen, engraver: Engraver, base: Sheet) -> None:
    """A man's hair: a cap of locks, and fringes at forehead, temple and nape."""
    t = engraver.type_rng("hair")
    style = Style.sample(t, str(t.choice(["locks", "locks", "combed", "waves", "curls"])))
    recede = float(t.uniform(-0.01, 0.05))
    outline = _SKULL_HAIR.copy()
    outline[:5] -= [0.8 * recede, 0.8 * recede]
    flow = _crown(engraver, style)
    cover(pen, base, spline(outline, 6, closed=True), flow, style, float(t.uniform(0.012, 0.026)))
    layer = Sheet()
    d = pen.on(layer)
    line = spline(_HAIRLINE - [0.6 * recede, 0.6 * recede], 6)
    count = int(t.integers(6, 10)) + int(pen.rng.integers(-1, 2))
    if style.kind == "curls":
        path = line[np.linspace(0, len(line) - 1, count).astype(int)]
        snails(d, path - [0.012, 0.01], 0.032, 1.3 * style.height)
    else:
        turn = float(t.choice([-1.0, 1.0]) * t.uniform(0.5, 1.6))
        comma_row(d, line - [0.045, 0.02], -float(t.uniform(0.5, 1.1)), style, count,
                  float(t.uniform(0.075, 0.11)), turn)  # fmt: skip
    nape = spline(_NAPE, 6)
    comma_row(d, nape, -float(t.uniform(0.5, 1.3)), style, int(t.integers(5, 8)),
              float(t.uniform(0.06, 0.11)), float(t.uniform(-1.2, 1.2)))  # fmt: skip
    base.add(layer)


_LONG_HAIR = np.array([
    (0.330, -0.270), (0.235, -0.200), (0.130, -0.105), (0.050, -0.040), (-0.010, -0.080),
    (-0.075, -0.060), (-0.105, 0.030), (-0.110, 0.110), (-0.200, 0.215), (-0.340, 0.235),
    (-0.470, 0.120), (-0.550, -0.060), (-0.530, -0.270), (-0.390, -0.460), (-0.160, -0.540),
    (0.080, -0.525), (0.230, -0.450), (0.315, -0.355),
])  # fmt: skip


def _coiffure(pen: Pen, engraver: Engraver, base: Sheet, bun: bool) -> None:
    """A woman's hair: waves from the parting over the ear to a knot at the back."""
    t = engraver.type_rng("hair")
    style = Style.sample(t, "waves")
    bx, by = float(t.uniform(-0.60, -0.50)), float(t.uniform(-0.08, 0.20))
    noise = _unevenness(engraver, "flow", 0.12)
    lift = float(t.uniform(0.25, 0.6))

    def back(p: Floats) -> Floats:
        x, y = bx - p[:, 0], by - p[:, 1]
        angle = np.arctan2(y, x)
        # Hair near the face first follows the forehead down, then turns back.
        angle = angle - lift * np.clip((p[:, 0] + 0.1) / 0.4, 0, 1)
        for kx, ky, phase, gain in noise:
            angle = angle + gain * np.cos(kx * p[:, 0] + ky * p[:, 1] + phase)
        return np.asarray(angle)

    cover(pen, base, spline(_LONG_HAIR, 6, closed=True), back, style, float(t.uniform(0.018, 0.03)))
    if not bun:
        return
    size = float(t.uniform(0.09, 0.14))
    knot = Sheet()
    d = pen.on(knot)
    u = np.linspace(0, 2 * np.pi, 9)[:-1]
    d.form(np.stack([bx + size * np.cos(u), by + 0.85 * size * np.sin(u)], 1), 0.05, 0.06, 0.6)
    turns = Sheet()
    m = 34
    a = pen.rng.uniform(0, 2 * np.pi, m)
    r = size * np.sqrt(pen.rng.uniform(0.05, 1.0, m)) * 0.95
    sweep = np.linspace(0, 1.3, 6)
    angles = a[:, None] + sweep
    paths = np.stack([bx + r[:, None] * np.cos(angles), by + 0.85 * r[:, None] * np.sin(angles)], 2)
    pen.on(turns).strokes(paths, np.full(m, 0.011), np.full(m, 0.018))
    knot.height += turns.height * (knot.height > 0.002)
    base.raise_to(knot, 0.004)
    if t.random() < 0.5:
        hang = Sheet()
        roots = np.array([(-0.33, 0.22), (-0.28, 0.24), (-0.22, 0.22)])
        locks(
            pen.on(hang),
            roots,
            lambda p: np.full(len(p), 1.75),
            Style("waves", 0.09, 0.34, 0.022, 0.02, 0.3, 0.0, 0.9),
            3,
        )
        base.add(hang)


def _beard(pen: Pen, engraver: Engraver, base: Sheet) -> None:
    t = engraver.type_rng("beard")
    long = float(t.choice([0.0, 0.0, 0.5, 1.0, 1.6]))
    outline = _BEARD.copy()
    lower = (outline[:, 1] > 0.38) & (outline[:, 0] > 0.0)
    outline[lower] += np.array([0.0, 0.10]) * long
    style = Style.sample(t, str(t.choice(["curls", "curls", "locks", "waves"])))
    style = Style(style.kind, 0.85 * style.spacing, 0.85 * style.length, 0.85 * style.width,
                  style.height, style.curl, style.swirl, style.wave)  # fmt: skip

    def down(p: Floats) -> Floats:
        return np.asarray(1.5 - 1.1 * (p[:, 0] - 0.15) + 0.4 * np.sin(9 * p[:, 1] + 5 * p[:, 0]))

    cover(pen, base, spline(outline, 5, closed=True), down, style, 0.010 + 0.008 * long)
    moustache = Sheet()
    roots = np.array([(0.372, 0.212), (0.345, 0.215), (0.318, 0.220)])
    locks(pen.on(moustache), roots, lambda p: np.full(len(p), 2.5), Style("locks", 0.05, 0.085,
          0.015, 0.016, -0.8, 0.0, 0.0), 2)  # fmt: skip
    base.add(moustache)
