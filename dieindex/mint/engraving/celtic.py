"""Celtic dies: horses that fall apart into strokes and balls, wheels, crescents, wreaths."""

from __future__ import annotations

import numpy as np

from dieindex.mint.engraving.hammered import draw_sign
from dieindex.mint.engraving.punches import PunchedDie, Shape, bar, crescent, curve, pellet, wedge
from dieindex.mint.parameters import DesignType

_FILLS = (
    "wheel",
    "pellet",
    "annulet",
    "ring and pellet",
    "star",
    "three pellets",
    "crescent",
    "lyre",
    "s",
)


def draw_wheel(die: PunchedDie, x: float, y: float, size: float, spokes: int) -> None:
    """A wheel of ``size`` across: a rim, spokes and a nave."""
    cut = die.punches.cut
    a = np.linspace(0, 2 * np.pi, 25)
    rim = [(float(0.44 * np.cos(v)), float(0.44 * np.sin(v))) for v in a]
    die.set(cut(f"rim {size:.3f}", curve(rim, 0.055, 0.055, 0.055), size), x, y)
    spoke = cut(f"spoke {size:.3f}", bar(0.09), 0.44 * size)
    turn = die.stray(0.2)
    for k in range(spokes):
        v = turn + 2 * np.pi * k / spokes
        die.set(
            spoke,
            x + 0.22 * size * float(np.cos(v)),
            y + 0.22 * size * float(np.sin(v)),
            float(v),
            slip=0.6,
        )
    die.set(cut(f"nave {size:.3f}", pellet(), 0.26 * size), x, y)


def _fill(die: PunchedDie, what: str, x: float, y: float, size: float) -> None:
    cut = die.punches.cut
    if what == "wheel":
        draw_wheel(die, x, y, 1.5 * size, 4)
    elif what == "lyre":
        for side in (-1, 1):
            die.set(
                cut(f"horn {size:.2f}", crescent(0.12, 1.0), size),
                x + 0.34 * side * size,
                y,
                side * np.pi / 2,
            )
    elif what == "s":
        shape = curve(
            [(0.3, -0.45), (-0.1, -0.4), (-0.15, -0.1), (0.15, 0.1), (0.1, 0.4), (-0.3, 0.45)],
            0.05,
            0.10,
            0.05,
        )
        die.set(cut(f"s {size:.2f}", shape, 1.3 * size), x, y)
    else:
        draw_sign(die, what, x, y, size)


def draw_celtic_horse(die: PunchedDie, design: DesignType) -> None:
    """A horse of separate strokes with balls at its joints, and signs wherever room is left."""
    t = die.engraver.type_rng("horse")
    cut = die.punches.cut
    f = design.facing
    s = design.room * float(t.uniform(0.95, 1.2))
    ball = float(t.uniform(0.16, 0.27)) * s
    thick = float(t.uniform(0.055, 0.105))
    apart = float(t.uniform(0.0, 0.05))
    die.part("horse")

    def put(name: str, shape: Shape, size: float, x: float, y: float, turn: float = 0.0) -> None:
        die.set(cut(name, shape, size * s), f * x * s, y * s, f * turn)

    def mirrored(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(f * x, y) for x, y in points]

    sag = float(t.uniform(0.05, 0.22))
    body = [
        (-0.5, 0.05),
        (-0.25, -0.02 + 0.5 * sag),
        (0.0, sag),
        (0.25, -0.02 + 0.5 * sag),
        (0.5, -0.05),
    ]
    put("body", curve(mirrored(body), 1.5 * thick, 1.1 * thick, 1.5 * thick), 0.78, 0.0, 0.0)
    die.set(cut("shoulder", pellet(), 1.5 * ball), f * 0.36 * s, 0.0)
    die.set(cut("haunch", pellet(), 1.6 * ball), -f * 0.38 * s, 0.06 * s)
    neck = [(-0.4, 0.45), (-0.05, 0.1), (0.1, -0.3), (0.3, -0.45)]
    put(
        "neck",
        curve(mirrored(neck), 2.2 * thick, 1.6 * thick, 1.0 * thick),
        0.56,
        0.50 + apart,
        -0.26 - apart,
    )
    put("head", wedge(0.14, 0.30), 0.30, 0.76 + apart, -0.46, 2.6)
    if t.random() < 0.6:
        put("ear", wedge(0.06, 0.22), 0.16, 0.62, -0.66 - apart, -1.4)
    die.set(cut("muzzle", pellet(), 0.6 * ball), f * (0.88 + apart) * s, -0.38 * s)
    for k in range(int(t.integers(3, 7))):  # a mane of strokes or balls
        u = k / 5
        x, y = 0.30 + 0.26 * u, -0.22 - 0.36 * u
        if t.random() < 0.75:
            put("hair", bar(0.12, 0.2), 0.16, x, y, 0.5)
    bend = float(t.uniform(0.1, 0.45))
    for number, (x, y, lean) in enumerate(
        ((0.42, 0.22, -0.5), (0.30, 0.26, 0.45), (-0.36, 0.28, -0.4), (-0.48, 0.24, 0.5))
    ):
        lean = lean * (1 + bend) * float(t.uniform(0.2, 1.3))
        upper, lower = 0.30, 0.28
        kx, ky = x + upper * np.sin(-lean), y + upper * np.cos(lean)
        put(
            "thigh",
            bar(0.9 * thick / upper, 0.3),
            upper,
            (x + kx) / 2,
            (y + ky) / 2,
            np.pi / 2 + lean,
        )
        die.set(cut("knee", pellet(), 0.62 * ball), f * kx * s, ky * s)
        back = -0.8 * lean
        hx, hy = kx + lower * np.sin(-back), ky + lower * np.cos(back)
        put(
            "shank",
            bar(0.8 * thick / lower, 0.0),
            lower,
            (kx + hx) / 2,
            (ky + hy) / 2 + apart,
            np.pi / 2 + back,
        )
        if number % 2 == 0 or t.random() < 0.5:
            die.set(cut("hoof", pellet(), 0.5 * ball), f * hx * s, (hy + apart) * s)
    for k in range(int(t.integers(1, 4))):
        tail = [(0.4, -0.1), (0.0, -0.3), (-0.3, 0.0), (-0.45, 0.4)]
        put(
            "tail", curve(mirrored(tail), 0.09, 0.10, 0.05), 0.42, -0.68, -0.02 + 0.12 * k, 0.12 * k
        )
    die.part("around")
    spots = [
        (0.05, 0.52, 0.24),
        (0.0, -0.42, 0.26),
        (-0.45, -0.45, 0.20),
        (0.92, 0.1, 0.15),
        (-0.9, -0.35, 0.15),
        (0.25, -0.82, 0.18),
        (-0.3, -0.85, 0.16),
    ]
    for x, y, size in spots:
        if t.random() < 0.72:
            _fill(
                die, str(t.choice(_FILLS)), f * x * s, y * s, size * s * float(t.uniform(0.8, 1.25))
            )


def draw_celtic_signs(die: PunchedDie, design: DesignType) -> None:
    """What became of a head: a wreath of wedges, hair of crescents, a wheel, rows of balls."""
    t = die.engraver.type_rng("signs")
    cut, room = die.punches.cut, design.room
    die.part("signs")
    kind = str(t.choice(["wheel", "wreath", "crescents", "cross"]))
    if kind == "wheel":
        spokes = int(t.choice([4, 4, 6, 8]))
        size = 1.5 * room
        draw_wheel(die, 0.0, 0.0, size, spokes)
        what, many = str(t.choice(_FILLS[1:6])), spokes
        for k in range(many):
            a = 2 * np.pi * (k + 0.5) / many
            _fill(
                die,
                what,
                0.40 * room * float(np.cos(a)),
                0.40 * room * float(np.sin(a)),
                0.8 * room / many + 0.05,
            )
        return
    if kind == "cross":
        for k in range(4):
            a = np.pi / 4 + k * np.pi / 2
            for j in range(5):
                r = (0.14 + 0.17 * j) * room
                die.set(
                    cut("leaf", wedge(0.10, 0.32), 0.17 * room),
                    r * float(np.cos(a)),
                    r * float(np.sin(a)),
                    float(a),
                )
            b = k * np.pi / 2
            what = str(t.choice(_FILLS))
            _fill(
                die,
                what,
                0.55 * room * float(np.cos(b)),
                0.55 * room * float(np.sin(b)),
                0.30 * room,
            )
        for side in (-1, 1):
            die.set(
                cut("moon", crescent(0.13), 0.30 * room),
                0.0,
                side * 0.16 * room,
                0.0 if side < 0 else np.pi,
            )
        return
    lean = float(t.uniform(-0.6, 0.6))
    c, s = float(np.cos(lean)), float(np.sin(lean))

    def at(x: float, y: float) -> tuple[float, float]:
        return room * (c * x - s * y), room * (s * x + c * y)

    for k in range(9):  # the wreath, leaf on leaf
        y = -0.92 + 0.23 * k
        for side in (-1, 1) if kind == "wreath" else (1,):
            die.set(
                cut("leaf", wedge(0.12, 0.34), 0.24 * room),
                *at(0.10 * side, y),
                lean + (np.pi / 2 - 0.7 * side),
            )
    rows = int(t.integers(2, 4))
    for side in (-1, 1):
        for row in range(rows):
            for k in range(4):
                x, y = side * (0.36 + 0.26 * row), -0.6 + 0.4 * k + 0.1 * row
                if np.hypot(x, y) < 1.0:
                    turn = lean + side * np.pi / 2 + float(t.uniform(-0.3, 0.3))
                    if (row + (side > 0)) % 2 or kind == "crescents":
                        die.set(cut("curl", crescent(0.15), 0.30 * room), *at(x, y), turn)
                    else:
                        die.set(cut("ball", pellet(), 0.17 * room), *at(x, y))
    for x, y in ((0.62, -0.05), (-0.62, 0.1)):
        _fill(die, str(t.choice(_FILLS)), *at(x, y), 0.26 * room)
