"""Riders and chariots."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dieindex.mint.engraving.animals import quadruped, rearing
from dieindex.mint.engraving.engraver import Engraver, Pen
from dieindex.mint.engraving.figures import ground, limb, small_head, stage, torso
from dieindex.mint.engraving.sheet import Sheet, xy
from dieindex.mint.parameters import DesignType


def _rider(pen: Pen, t: np.random.Generator, pitch: float) -> None:
    turn = rearing(pitch)
    seat = turn([(-0.06, -0.72)])[0]
    neck = seat + xy(0.03 + 0.25 * pitch, -0.34)
    limb(pen, seat + xy(0.02, 0.0), seat + xy(0.16, 0.17), seat + xy(0.08, 0.38), 0.058, 0.165)
    pen.stroke([seat + xy(0.07, 0.38), seat + xy(0.15, 0.40)], [0.026, 0.016], 0.15)
    torso(
        replace(pen, lift=1.9 * pen.lift), tuple(neck), tuple(seat), 0.10, t.random() < 0.4, False
    )
    if t.random() < 0.75:
        for k in range(4):
            end = seat + xy(-0.42 - 0.03 * k, -0.32 + 0.09 * k)
            pen.stroke(
                [neck + xy(-0.04, 0.02), 0.5 * (neck + end) + [0.0, -0.04 + 0.02 * k], end],
                [0.02, 0.024, 0.014],
                0.07,
            )
    pose = str(t.choice(["spear", "raised", "rein", "thrust"]))
    shoulder = neck + xy(0.0, 0.04)
    if pose in ("spear", "thrust"):
        hand = neck + xy(-0.16, -0.03) if pose == "thrust" else neck + xy(0.17, 0.12)
        tip = neck + xy(0.55, 0.42) if pose == "thrust" else neck + xy(0.62, -0.10)
        back = hand - 0.55 * (tip - hand)
        pen.stroke([back, hand, tip], 0.011, 0.10, 0.7, curve=False)
    else:
        hand = neck + ([0.17, -0.20] if pose == "raised" else [0.24, 0.16])
    limb(
        pen,
        tuple(shoulder),
        tuple(0.5 * (shoulder + hand) + [-0.02, 0.06]),
        tuple(hand),
        0.034,
        0.16,
    )
    pen.dot(hand[0], hand[1], 0.026, 0.12)
    pen.stroke([neck + xy(0.0, 0.0), neck + xy(0.01, -0.07)], 0.04, 0.12)
    small_head(
        replace(pen, lift=1.35 * pen.lift),
        float(neck[0] + 0.02),
        float(neck[1] - 0.13),
        0.19,
        t,
        False,
    )
    bit = turn([(0.55, -0.86)])[0]
    pen.stroke([bit, 0.5 * (bit + seat) + [0.05, -0.10], seat + xy(0.14, -0.12)], 0.007, 0.15)


def draw_horseman(engraver: Engraver, design: DesignType, room: float) -> Sheet:
    """A rider, at rest or charging, sometimes over a fallen enemy."""
    t = engraver.type_rng("horseman")
    gait = str(t.choice(["walk", "gallop", "gallop"]))
    pitch = float(t.uniform(0.08, 0.42)) if gait == "gallop" else 0.0
    pen = stage(engraver, design, room, "horseman", float(t.uniform(1.28, 1.42)))
    pen = pen.at(0.02, 0.16, 1.0)
    quadruped(pen, t, "horse", gait, pitch)
    _rider(pen, t, pitch)
    if t.random() < 0.35:
        pen.stroke([(0.02, -0.03), (0.25, -0.06), (0.42, -0.04)], [0.045, 0.055, 0.03], 0.06)
        pen.dot(0.47, -0.09, 0.045, 0.065)
        pen.stroke([(0.36, -0.08), (0.44, -0.24)], 0.02, 0.055)
    elif t.random() < 0.75:
        ground(pen, 0.6)
    return pen.sheet


def draw_chariot(engraver: Engraver, design: DesignType, room: float) -> Sheet:
    """A chariot of two or four horses with its driver."""
    t = engraver.type_rng("chariot")
    team = int(t.choice([2, 2, 3, 4, 4]))
    animal = str(t.choice(["horse", "horse", "horse", "horse", "lion", "elephant", "stag"]))
    if animal != "horse":
        team = 2
    pen = stage(engraver, design, room, "chariot", float(t.uniform(1.0, 1.10)))
    gait = "walk" if animal == "elephant" else str(t.choice(["gallop", "gallop", "walk"]))
    pitch = float(t.uniform(0.08, 0.3)) if gait == "gallop" else 0.0
    gap = float(t.uniform(0.075, 0.12))
    # The group reaches from the wheel to the muzzle of the farthest horse.
    low = pen.at(-0.10 - 0.5 * gap * (team - 1), 0.18, 1.0 - 0.03 * (team - 2))
    for k in reversed(range(team)):
        part = low.at(0.28 + gap * k, -0.025 * k, 0.98)
        layer = Sheet()
        near = replace(part.on(layer), lift=part.lift * (1.0 - 0.06 * k))
        quadruped(near, engraver.type_rng("chariot horse", k), animal, gait, pitch * (1 + 0.1 * k))
        # A near horse hides the far ones; where it is plain field they show.
        cover = np.clip(layer.height / 0.012, 0, 1)
        low.sheet.height *= 1 - cover
        low.sheet.height += layer.height * cover
    box = [
        (-0.66, -0.22),
        (-0.69, -0.46),
        (-0.50, -0.52),
        (-0.34, -0.58),
        (-0.30, -0.40),
        (-0.32, -0.20),
    ]
    low.form(box, 0.075, 0.05, 0.3)
    low.stroke([(-0.69, -0.46), (-0.50, -0.52), (-0.32, -0.59)], 0.018, 0.10, 0.7)
    low.stroke([(-0.66, -0.21), (-0.30, -0.20)], 0.016, 0.09, 0.7)
    a = np.linspace(0, 2 * np.pi, 19)
    wx, wy, r = -0.49, -0.155, 0.165
    low.stroke(np.stack([wx + r * np.cos(a), wy + r * np.sin(a)], 1), 0.018, 0.105, 0.7)
    spin = low.rng.uniform(0, 1.5)
    for k in range(int(t.choice([2, 3, 4]))):
        d = r * np.array([np.cos(spin + k * np.pi / 3), np.sin(spin + k * np.pi / 3)])
        low.stroke([np.array([wx, wy]) - d, np.array([wx, wy]) + d], 0.012, 0.10)
    low.dot(wx, wy, 0.032, 0.115)
    torso(
        replace(low, lift=1.5 * low.lift),
        (-0.44, -0.88),
        (-0.50, -0.54),
        0.09,
        False,
        t.random() < 0.4,
    )
    for k in range(4):
        low.stroke([(-0.50 + 0.035 * k, -0.86), (-0.54 + 0.035 * k, -0.56)], 0.013, 0.11)
    hand = (-0.14, -0.80)
    limb(low, (-0.40, -0.86), (-0.28, -0.72), hand, 0.03, 0.12)
    for k in range(2):
        low.stroke(
            [hand, (0.2, -0.78 + 0.03 * k), (0.58 + 0.1 * pitch, -0.80 - 0.9 * pitch + 0.03 * k)],
            0.006,
            0.15,
        )
    if t.random() < 0.6:
        limb(low, (-0.48, -0.86), (-0.60, -0.78), (-0.64, -0.92), 0.03, 0.11)
        low.stroke([(-0.64, -0.90), (-0.40, -1.16)], 0.008, 0.05)
    low.stroke([(-0.44, -0.87), (-0.43, -0.94)], 0.035, 0.10)
    small_head(low, -0.42, -1.0, 0.17, t, t.random() < 0.4)
    if t.random() < 0.7:
        ground(low, 0.85)
    return pen.sheet
