"""The parts of human figures, and whole standing ones.

Figures are drawn in figure heights, the ground at y = 0, the crown of the head near y = -1, looking
to the right.
"""

from __future__ import annotations

import numpy as np

from dieindex.mint.engraving import attributes
from dieindex.mint.engraving.engraver import Engraver, Frame, Pen
from dieindex.mint.engraving.profiles import Physiognomy, profile
from dieindex.mint.engraving.sheet import Sheet
from dieindex.mint.engraving.wings import wing
from dieindex.mint.parameters import DesignType
from dieindex.records import Floats

Joint = tuple[float, float]


def stage(engraver: Engraver, design: DesignType, room: float, name: str, fill: float) -> Pen:
    """A pen for a motif standing in the circle of radius ``room``: one unit is its height."""
    rng = engraver.straying_rng(name)
    slip = engraver.distance
    scale = fill * room * float(np.exp(rng.normal(0, 0.016 * slip)))
    frame = Frame(
        float(rng.normal(0, 0.012 * slip)),
        float(design.middle + 0.47 * scale + rng.normal(0, 0.012 * slip)),
        scale,
        float(rng.normal(0, 0.02 * slip)),
        design.facing < 0,
    )
    return Pen(engraver, Sheet(), frame, rng, shake=0.006, lift=engraver.depth)


def small_head(
    pen: Pen,
    x: float,
    y: float,
    size: float,
    t: np.random.Generator,
    female: bool,
    way: float = 1.0,
) -> None:
    """A head a few millimetres high: profile, eye, hair, and perhaps a headdress."""
    person = Physiognomy(female=female)
    s = size * way
    outline = profile(person) * [s, size] + [x, y]
    pen.form(outline, 0.50 * size, 0.22 * size, 0.4, 0.2, shake=0.002)
    pen.stroke(
        [(x + 0.14 * s, y - 0.02 * size), (x + 0.30 * s, y - 0.04 * size)], 0.05 * size, 0.62 * size
    )
    hair = [
        (0.22, -0.34),
        (0.05, -0.14),
        (-0.02, 0.10),
        (-0.20, 0.28),
        (-0.42, 0.22),
        (-0.55, -0.05),
        (-0.42, -0.42),
        (-0.10, -0.54),
    ]
    pen.form(np.array(hair) * [s, size] + [x, y], 0.62 * size, 0.2 * size, 0.3, shake=0.003)
    for i in range(5):
        u = (i + 0.5 + pen.rng.normal(0, 0.15)) / 5
        pen.stroke(
            [
                (x + (0.2 - 0.3 * u) * s, y + (-0.46 + 0.55 * u) * size),
                (x + (-0.2 - 0.15 * u) * s, y + (-0.40 + 0.5 * u) * size),
            ],
            0.055 * size,
            0.74 * size,
        )
    dress = t.random()
    if female and dress < 0.5:
        pen.dot(x - 0.55 * s, y + 0.05 * size, 0.18 * size, 0.55 * size)
    elif dress < 0.30:
        pen.stroke(
            [
                (x + 0.28 * s, y - 0.36 * size),
                (x - 0.1 * s, y - 0.62 * size),
                (x - 0.55 * s, y - 0.3 * size),
                (x - 0.6 * s, y + 0.3 * size),
            ],
            0.10 * size,
            0.6 * size,
        )
    elif dress < 0.42:
        for i in range(5):
            a = -np.pi / 2 + 0.5 * (i - 2.5)
            pen.stroke(
                [
                    (x + 0.4 * s * np.cos(a), y - 0.1 * size + 0.45 * size * np.sin(a)),
                    (x + 0.8 * s * np.cos(a), y - 0.1 * size + 0.85 * size * np.sin(a)),
                ],
                [0.07 * size, 0.03 * size],
                0.5 * size,
            )
    elif dress < 0.52:
        pen.form(
            np.array([(0.15, -0.5), (0.2, -0.8), (-0.3, -0.8), (-0.25, -0.5)]) * [s, size] + [x, y],
            0.55 * size,
            0.1 * size,
        )


def limb(pen: Pen, a: Joint, b: Joint, c: Joint, thick: float, height: float) -> None:
    """A bent limb from a over the joint b to c, with calf or forearm swelling."""
    pa, pb, pc = (np.array(p) for p in (a, b, c))
    path = [pa, 0.5 * (pa + pb), pb, pb + 0.35 * (pc - pb), pc]
    pen.stroke(path, thick * np.array([1.15, 1.0, 0.80, 0.86, 0.55]),
               height * np.array([1, 1, 0.95, 0.95, 0.8]), 0.65)  # fmt: skip


def foot(pen: Pen, x: float, y: float, way: float) -> None:
    pen.stroke(
        [(x - 0.015 * way, y - 0.015), (x + 0.03 * way, y - 0.014), (x + 0.065 * way, y - 0.004)],
        [0.022, 0.020, 0.012],
        [0.04, 0.038, 0.028],
        0.7,
    )


def folds(pen: Pen, lines: list[Floats], width: float, height: float) -> None:
    """Folds of cloth along lines, each of another depth and swelling."""
    rng = pen.rng
    for line in lines:
        line = np.array(line) + rng.normal(0, 0.004, np.shape(line))
        w = width * float(np.exp(rng.normal(0, 0.2)))
        pen.stroke(
            line,
            w * np.array([0.5, 1.0, 1.1, 0.6]),
            height * float(np.exp(rng.normal(0, 0.15))) * np.array([0.8, 1, 1, 0.9]),
            0.9,
        )


def torso(pen: Pen, neck: Joint, hip: Joint, wide: float, bare: bool, female: bool) -> None:
    """Chest and belly from the pit of the neck to the hips."""
    n, h = np.array(neck), np.array(hip)
    d = h - n
    side = np.array([-d[1], d[0]])
    side = side / np.linalg.norm(side)
    outline = [
        n + 0.0 * d + 0.40 * wide * side,
        n + 0.10 * d + 0.95 * wide * side,
        n + 0.35 * d + 0.86 * wide * side,
        n + 0.68 * d + 0.62 * wide * side,
        n + 1.05 * d + 0.78 * wide * side,
        n + 1.1 * d - 0.78 * wide * side,
        n + 0.68 * d - 0.62 * wide * side,
        n + 0.35 * d - 0.86 * wide * side,
        n + 0.10 * d - 0.95 * wide * side,
        n - 0.40 * wide * side,
    ]
    pen.form(outline, 0.062, 0.06, 0.5, 0.3)
    if bare or female:
        for s in (-0.42, 0.42):
            p = n + 0.33 * d + s * wide * side
            pen.dot(
                p[0], p[1], 0.38 * wide if female else 0.42 * wide, 0.082 if female else 0.074, 0.8
            )
    if bare:
        for u in (0.55, 0.70, 0.85):
            for s in (-0.2, 0.2):
                p = n + u * d + s * wide * side
                pen.dot(p[0], p[1], 0.22 * wide, 0.071, 1.0)


def _standing(
    pen: Pen, t: np.random.Generator, female: bool, dress: str, step: float = 0.0
) -> tuple[Joint, Joint]:
    """Body, legs and dress of a standing or walking figure; returns the shoulders (front, back)."""
    sway = float(t.uniform(-0.02, 0.03))
    bend = float(t.uniform(0.02, 0.07))
    hip_x, neck_x = sway, float(t.uniform(-0.01, 0.02)) + 0.05 * step
    wide = 0.098 if female else 0.112
    front_foot, back_foot = 0.07 + 0.14 * step + bend, -0.06 - 0.14 * step
    hips = [(hip_x + 0.045, -0.50), (hip_x - 0.045, -0.50)]
    knees = [(hip_x + 0.065 + bend + 0.06 * step, -0.275), (hip_x - 0.055 - 0.02 * step, -0.27)]
    if dress in ("nude", "tunic", "himation"):
        for hip, knee, end in zip(hips, knees, (front_foot, back_foot), strict=True):
            limb(pen, hip, knee, (end, -0.025), 0.044, 0.052)
            foot(pen, end, 0.0, 1.0)
    else:
        for end in (front_foot, back_foot):
            foot(pen, end, 0.0, 1.0 if end > 0 else -0.4)
    torso(pen, (neck_x, -0.815), (hip_x, -0.50), wide, dress in ("nude", "himation"), female)
    shift = 0.10 * step
    if dress in ("chiton", "stola"):
        hem = -0.03
        outline = [
            (hip_x - 0.085, -0.56),
            (hip_x - 0.12 - shift, -0.30),
            (-0.135 - 1.4 * shift, hem),
            (0.02, hem + 0.012),
            (0.155 + shift, hem),
            (hip_x + 0.125 + 0.5 * shift, -0.30),
            (hip_x + 0.085, -0.56),
        ]
        pen.form(outline, 0.050, 0.05, 0.4)
        count = int(t.integers(6, 10))
        lines = []
        for i in range(count):
            u = (i + 0.5 + pen.rng.normal(0, 0.14)) / count
            top = hip_x - 0.08 + 0.16 * u
            low = -0.13 - 1.3 * shift + (0.28 + 2.2 * shift) * u
            lines.append(np.array([(top, -0.56), (top + 0.2 * (low - top) + bend * u, -0.38),
                                   (top + 0.65 * (low - top), -0.20), (low, hem)]))  # fmt: skip
        folds(pen, lines, 0.017, 0.068)
        # The thigh that shows through the cloth.
        pen.stroke(
            [(hip_x + 0.05, -0.50), knees[0], (knees[0][0] + 0.01, -0.20)],
            [0.045, 0.04, 0.02],
            [0.066, 0.070, 0.05],
            0.9,
        )
        pen.stroke([(hip_x - 0.10, -0.585), (hip_x, -0.565), (hip_x + 0.10, -0.585)], 0.016, 0.072)
        over = [
            np.array(
                [
                    (neck_x - 0.07 + 0.045 * k, -0.78),
                    (neck_x - 0.065 + 0.043 * k, -0.70),
                    (hip_x - 0.065 + 0.043 * k, -0.62),
                    (hip_x - 0.08 + 0.05 * k, -0.53),
                ]
            )
            for k in range(4)
        ]
        folds(pen, over, 0.013, 0.074)
    skirt: list[Floats] = []
    if dress == "himation":
        hang = np.linspace(-0.10, 0.12, int(t.integers(5, 8)))
        skirt = [
            np.array([(0.8 * x, -0.42), (x, -0.30), (1.08 * x + 0.01, -0.18), (1.15 * x, -0.06)])
            for x in hang + pen.rng.normal(0, 0.006, len(hang))
        ]
    if dress in ("stola", "himation"):
        roll = [
            (hip_x + 0.12, -0.52),
            (hip_x, -0.56),
            (neck_x - 0.08, -0.72),
            (neck_x - 0.10, -0.80),
        ]
        if dress == "himation":
            outline = [
                (hip_x - 0.10, -0.60),
                (hip_x - 0.12, -0.30),
                (-0.13, -0.06),
                (0.03, -0.04),
                (0.14, -0.09),
                (hip_x + 0.12, -0.32),
                (hip_x + 0.11, -0.50),
                (hip_x, -0.55),
            ]
            pen.form(outline, 0.058, 0.05, 0.4)
        fan = []
        for i in range(int(t.integers(5, 8))):
            u = i / 6
            fan.append(
                np.array(
                    [
                        (hip_x - 0.10, -0.66 + 0.06 * u),
                        (hip_x - 0.04 + 0.05 * u, -0.50 + 0.10 * u),
                        (hip_x + 0.06 + 0.02 * u, -0.42 + 0.24 * u),
                        (0.12 - 0.02 * u, -0.44 + 0.36 * u),
                    ]
                )
            )
        folds(pen, skirt, 0.013, 0.070)
        folds(pen, fan, 0.015, 0.078)
        pen.stroke(roll, [0.022, 0.030, 0.028, 0.020], 0.084, 0.7)
        folds(
            pen,
            [
                np.array(
                    [(-0.10, -0.62), (-0.125, -0.5), (-0.13, -0.35), (-0.12 - 0.02 * k, -0.18)]
                )
                for k in range(2)
            ],
            0.016,
            0.05,
        )
    if dress == "tunic":
        outline = [
            (hip_x - 0.085, -0.56),
            (hip_x - 0.13 - 0.5 * shift, -0.36),
            (hip_x, -0.345),
            (hip_x + 0.13 + 0.5 * shift, -0.36),
            (hip_x + 0.085, -0.56),
        ]
        pen.form(outline, 0.062, 0.04, 0.4)
        for i in range(7):
            x = hip_x - 0.10 + 0.033 * i + pen.rng.normal(0, 0.004)
            pen.stroke([(hip_x + 0.8 * (x - hip_x), -0.54), (x, -0.37)], [0.014, 0.018], 0.078, 0.8)
        pen.stroke([(hip_x - 0.095, -0.555), (hip_x + 0.095, -0.555)], 0.014, 0.084)
        if t.random() < 0.6:
            cloak = [
                np.array(
                    [
                        (neck_x - 0.10, -0.79),
                        (-0.15 - 0.02 * k, -0.6),
                        (-0.17 - 0.03 * k - shift, -0.42),
                        (-0.16 - 0.04 * k - shift, -0.26),
                    ]
                )
                for k in range(3)
            ]
            folds(pen, cloak, 0.022, 0.042)
    if dress == "nude" and t.random() < 0.6:
        folds(
            pen,
            [
                np.array(
                    [
                        (-0.14, -0.62),
                        (-0.16 - 0.015 * k, -0.5),
                        (-0.17 - 0.02 * k, -0.38),
                        (-0.16 - 0.03 * k, -0.26),
                    ]
                )
                for k in range(3)
            ],
            0.018,
            0.042,
        )
    return (neck_x + 0.095, -0.785), (neck_x - 0.095, -0.785)


def arm(pen: Pen, shoulder: Joint, elbow: Joint, hand: Joint) -> None:
    limb(pen, shoulder, elbow, hand, 0.030, 0.074)
    pen.dot(hand[0], hand[1], 0.021, 0.052)


def figure(pen: Pen, t: np.random.Generator, winged: bool = False, step: float = 0.0) -> None:
    """A standing figure with something in each hand, sampled from the type's randomness."""
    female = bool(winged or t.random() < 0.55)
    dress = str(
        t.choice(
            ["chiton", "stola", "himation"] if female else ["nude", "tunic", "himation", "stola"]
        )
    )
    if winged:
        dress = str(t.choice(["chiton", "stola"]))
    forward = attributes.HAND_FORWARD[int(t.integers(len(attributes.HAND_FORWARD)))]
    behind = attributes.HAND_BACK[int(t.integers(len(attributes.HAND_BACK)))]
    reach, lift = float(t.uniform(0.20, 0.30)), float(t.uniform(-0.78, -0.50))
    if winged:
        forward = ("wreath", attributes.wreath) if t.random() < 0.7 else forward
        behind = ("palm", attributes.palm) if t.random() < 0.7 else behind
        wing(pen, -0.05, -0.76, -1, t, float(t.uniform(0.38, 0.55)))
        if t.random() < 0.25:
            wing(pen, 0.05, -0.76, 1, t, float(t.uniform(0.38, 0.5)))
    shoulders = _standing(pen, t, female, dress, step)
    up = behind[0] in ("sceptre", "spear")
    back_hand = (
        (-0.24, float(t.uniform(-0.84, -0.66))) if up else (-0.20, float(t.uniform(-0.60, -0.48)))
    )
    if behind[0] in ("shield", "sword"):
        back_hand = (-0.20, -0.46)
    behind[1](pen, back_hand[0], back_hand[1], -1.0)
    arm(pen, shoulders[1], (-0.185, -0.64), back_hand)
    hand = (0.10 + reach, lift)
    forward[1](pen, hand[0], hand[1], 1.0)
    arm(pen, shoulders[0], (0.13 + 0.35 * reach, -0.64 + 0.25 * (lift + 0.6)), hand)
    neck = 0.5 * (shoulders[0][0] + shoulders[1][0])
    pen.stroke([(neck, -0.80), (neck + 0.005, -0.86)], 0.031, 0.046)
    way = 1.0 if t.random() < 0.8 else -1.0
    small_head(pen, neck + 0.01 * way, -0.915, 0.165, t, female, way)


def ground(pen: Pen, half: float, y: float = 0.012) -> None:
    """The line a scene stands on, where the type has no exergue."""
    if pen.engraver.exergue:
        return
    pen.stroke([(-half, y), (0, y + 0.003), (half, y)], [0.007, 0.010, 0.007], 0.022)
