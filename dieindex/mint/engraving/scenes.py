"""Scenes of standing and seated figures, of Victory, of pairs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dieindex.mint.engraving import attributes
from dieindex.mint.engraving.engraver import Engraver, Pen
from dieindex.mint.engraving.figures import (
    arm,
    figure,
    folds,
    foot,
    ground,
    limb,
    small_head,
    stage,
    torso,
)
from dieindex.mint.engraving.sheet import Sheet
from dieindex.mint.parameters import DesignType


def draw_standing(engraver: Engraver, design: DesignType, room: float) -> Sheet:
    """One standing figure, often with something on the ground beside it."""
    t = engraver.type_rng("figure")
    pen = stage(engraver, design, room, "figure", float(t.uniform(1.70, 1.90)))
    if t.random() < 0.55:
        ground(pen, float(t.uniform(0.22, 0.38)))
    if t.random() < 0.5:
        thing = attributes.BESIDE[int(t.integers(len(attributes.BESIDE)))]
        thing[1](pen, float(t.choice([-1, 1]) * t.uniform(0.24, 0.32)))
    figure(pen, t, step=float(t.choice([0, 0, 0.4])))
    return pen.sheet


def draw_victory(engraver: Engraver, design: DesignType, room: float) -> Sheet:
    """Victory, winged, walking or standing on a globe or prow."""
    t = engraver.type_rng("victory")
    pen = stage(engraver, design, room, "victory", float(t.uniform(1.60, 1.78)))
    base = t.random()
    if base < 0.3:
        pen.dot(0.0, -0.03, 0.10, 0.055)
        pen = pen.at(0.0, -0.12, 0.88)
    elif base < 0.7:
        ground(pen, 0.3)
    figure(pen, t, winged=True, step=float(t.choice([0.3, 0.7, 1.0])))
    return pen.sheet


def draw_pair(engraver: Engraver, design: DesignType, room: float) -> Sheet:
    """Two or three figures side by side on one ground."""
    t = engraver.type_rng("pair")
    pen = stage(engraver, design, room, "pair", float(t.uniform(1.45, 1.58)))
    ground(pen, 0.5)
    apart = float(t.uniform(0.24, 0.30))
    three = t.random() < 0.2
    for k, x in enumerate((-0.36, 0.0, 0.36) if three else (-apart, apart)):
        part = pen.at(x, 0.0, 0.88 if three else 1.0)
        if k == (2 if three else 1):
            mirrored = replace(part.frame, mirror=not part.frame.mirror,
                               angle=part.frame.angle)  # fmt: skip
            part = replace(part, frame=mirrored)
        figure(part, engraver.type_rng("pair", k))
    if t.random() < 0.4 and not three:
        attributes.beside_altar(pen, 0.0)
    return pen.sheet


def _seat(pen: Pen, t: np.random.Generator) -> None:
    kind = str(t.choice(["throne", "throne", "stool", "rock", "arms"]))
    if kind in ("throne", "stool"):
        for x in (-0.24, 0.05):
            pen.stroke([(x, -0.40), (x + 0.004, -0.2), (x, 0.0)], [0.018, 0.012, 0.018], 0.036, 0.7)
            pen.dot(x, -0.20, 0.02, 0.042)
        pen.stroke([(-0.26, -0.385), (0.08, -0.385)], 0.020, 0.042, 0.6)
        pen.stroke([(-0.24, -0.13), (0.05, -0.13)], 0.009, 0.03)
        if kind == "throne":
            pen.stroke([(-0.24, -0.40), (-0.27, -0.62), (-0.26, -0.78)], 0.014, 0.036)
            pen.dot(-0.26, -0.80, 0.022, 0.042)
            for y in (-0.50, -0.60, -0.70):
                pen.stroke([(-0.26, y), (-0.12, y + 0.01)], 0.009, 0.028)
        else:
            pen.stroke([(-0.22, -0.37), (0.04, 0.0)], 0.011, 0.034)
            pen.stroke([(0.03, -0.37), (-0.23, 0.0)], 0.011, 0.034)
    elif kind == "rock":
        pen.form(
            [
                (-0.30, 0.0),
                (-0.27, -0.20),
                (-0.20, -0.36),
                (-0.02, -0.40),
                (0.10, -0.34),
                (0.08, -0.15),
                (0.12, 0.0),
            ],
            0.045,
            0.05,
            0.5,
        )
        for _ in range(14):
            x, y = pen.rng.uniform(-0.24, 0.06), pen.rng.uniform(-0.32, -0.03)
            pen.bump(x, y, 0.03, 0.02, 0.012)
    else:
        attributes.shield(pen, -0.22, -0.26, 1.0)
        pen.form(
            [
                (-0.20, 0.0),
                (-0.20, -0.22),
                (-0.14, -0.38),
                (0.02, -0.38),
                (0.07, -0.2),
                (0.06, 0.0),
            ],
            0.05,
            0.05,
            0.5,
        )
        for i in range(4):
            pen.stroke([(-0.18 + 0.06 * i, -0.14), (-0.18 + 0.06 * i, 0.0)], 0.016, 0.058)


def draw_seated(engraver: Engraver, design: DesignType, room: float) -> Sheet:
    """A seated god, goddess or personification."""
    t = engraver.type_rng("seated")
    pen = stage(engraver, design, room, "seated", float(t.uniform(1.66, 1.85)))
    rng = pen.rng
    female = bool(t.random() < 0.55)
    if t.random() < 0.7:
        ground(pen, 0.36)
    _seat(pen, t)
    forward = attributes.HAND_FORWARD[int(t.integers(len(attributes.HAND_FORWARD)))]
    behind = attributes.HAND_BACK[int(t.choice([0, 0, 1, 2, 4]))]
    lean = float(t.uniform(-0.04, 0.04))
    bare = not female and t.random() < 0.7
    neck, hip = (-0.06 + lean, -0.735), (-0.10, -0.42)
    torso(pen, neck, hip, 0.105, bare, female)
    front, back = (neck[0] + 0.085, neck[1] + 0.03), (neck[0] - 0.085, neck[1] + 0.03)
    knee = (0.155 + float(t.uniform(-0.02, 0.03)), -0.43)
    tuck = float(t.uniform(-0.10, 0.05))
    feet = ((0.20, -0.02), (0.08 + tuck, -0.02))
    for end in feet:
        foot(pen, end[0], 0.0, 1.0)
    limb(pen, (-0.08, -0.42), (knee[0] - 0.04, -0.41), feet[1], 0.05, 0.05)
    limb(pen, (-0.08, -0.43), knee, feet[0], 0.056, 0.066)
    # The garment over the lap and shins.
    pen.form(
        [
            (-0.17, -0.49),
            (0.02, -0.50),
            (0.17, -0.48),
            (0.20, -0.40),
            (0.21, -0.22),
            (0.235, -0.06),
            (0.10, -0.05),
            (0.04 + 0.5 * tuck, -0.08),
            (0.05, -0.30),
            (-0.14, -0.34),
        ],
        0.058,
        0.045,
        0.4,
    )
    lines = []
    for i in range(int(t.integers(4, 7))):
        u = (i + rng.normal(0, 0.12)) / 5
        lines.append(
            np.array(
                [
                    (-0.13 + 0.03 * u, -0.50 + 0.13 * u),
                    (0.02, -0.50 + 0.14 * u),
                    (0.12 - 0.02 * u, -0.44 + 0.12 * u),
                    (0.17 - 0.10 * u, -0.36 + 0.06 * u),
                ]
            )
        )
    for i in range(int(t.integers(4, 7))):
        u = (i + rng.normal(0, 0.12)) / 5
        lines.append(
            np.array(
                [
                    (0.17 - 0.09 * u, -0.40),
                    (0.18 - 0.09 * u, -0.28),
                    (0.19 - 0.10 * u, -0.17),
                    (0.225 - 0.16 * u, -0.055),
                ]
            )
        )
    folds(pen, lines, 0.015, 0.078)
    if not bare:
        over = [
            np.array(
                [
                    (neck[0] - 0.06 + 0.04 * k, neck[1] + 0.02),
                    (neck[0] - 0.06 + 0.038 * k, -0.65),
                    (hip[0] - 0.05 + 0.036 * k, -0.56),
                    (hip[0] - 0.06 + 0.045 * k, -0.46),
                ]
            )
            for k in range(4)
        ]
        folds(pen, over, 0.013, 0.074)
        pen.stroke(
            [(hip[0] - 0.085, -0.535), (hip[0], -0.525), (hip[0] + 0.085, -0.54)], 0.014, 0.078
        )
    else:
        pen.stroke([(-0.20, -0.44), (-0.10, -0.50), (0.04, -0.50)], [0.02, 0.03, 0.02], 0.08)
        pen.stroke(
            [(neck[0] - 0.09, neck[1]), (-0.19, -0.6), (-0.20, -0.45)], [0.02, 0.026, 0.02], 0.06
        )
    back_hand = (
        (-0.26, float(t.uniform(-0.80, -0.66)))
        if behind[0] in ("sceptre", "spear")
        else (-0.17, -0.50)
    )
    behind[1](pen, back_hand[0], back_hand[1], -1.0)
    arm(pen, back, (neck[0] - 0.16, -0.60), back_hand)
    hand = (0.15 + float(t.uniform(0.0, 0.08)), float(t.uniform(-0.68, -0.56)))
    forward[1](pen, hand[0], hand[1], 1.0)
    arm(pen, front, (0.07, -0.585), hand)
    pen.stroke([(neck[0], neck[1]), (neck[0] + 0.01, neck[1] - 0.06)], 0.031, 0.046)
    small_head(pen, neck[0] + 0.015, neck[1] - 0.105, 0.165, t, female)
    return pen.sheet
