"""A head in profile: outline, neck and the modelling of the face.

The head looks to the right in its own coordinates: one unit from crown to chin, the ear near the
origin, y down. Mirroring is the frame's affair.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dieindex.mint.engraving.engraver import Engraver, Pen
from dieindex.mint.engraving.sheet import Sheet
from dieindex.records import Floats, Floats32

_TRAITS = (
    "nose", "hook", "brow", "chin", "fat", "forehead",
    "lips", "age", "eye", "neck", "skull", "long",
)  # fmt: skip


@dataclass(frozen=True)
class Physiognomy:
    """The features of a person, all about 0 for the mean and ±1 for the strongly marked."""

    nose: float = 0.0
    hook: float = 0.0
    brow: float = 0.0
    chin: float = 0.0
    fat: float = 0.0
    forehead: float = 0.0
    lips: float = 0.0
    age: float = 0.0
    eye: float = 0.0
    neck: float = 0.0
    skull: float = 0.0
    long: float = 0.0
    female: bool = False

    @classmethod
    def of(cls, engraver: Engraver, female: bool) -> Physiognomy:
        """The type's person as this engraver sees him."""
        shared = engraver.type_rng("person").normal(0, 0.7, 12)
        own = engraver.die_rng("person").normal(0, 0.20 * engraver.distance, 12)
        v = [float(x) for x in np.clip(shared + own, -1.7, 1.7)]
        if female:
            v[4], v[7], v[2] = 0.5 * v[4], min(v[7], 0.0) - 0.5, 0.4 * v[2]
        named = dict(zip(_TRAITS, v, strict=True))
        return cls(female=female, **named)


def profile(p: Physiognomy) -> Floats:
    """The outline of face and skull, from the hairline down over the chin and round the back."""
    n, h = 0.030 * p.nose, 0.018 * p.hook
    f = 0.02 * p.forehead
    c = 0.022 * p.chin
    lip = 0.010 * p.lips
    fat = 0.03 * p.fat
    s = 0.02 * p.skull
    brow = 0.010 * p.brow
    front = [
        (0.285 - 1.2 * f, -0.335),
        (0.345 - 0.6 * f, -0.235),
        (0.372, -0.135),
        (0.380 + brow, -0.085),
        (0.366 + 0.3 * h, -0.035),
        (0.400 + 0.4 * n + h, 0.035),
        (0.445 + 0.9 * n + 0.5 * h, 0.105),
        (0.464 + n, 0.150),
        (0.440 + 0.9 * n, 0.178),
        (0.392 + 0.2 * n, 0.188),
        (0.382, 0.215),
        (0.398 + lip, 0.243),
        (0.394 + lip, 0.262),
        (0.372, 0.273),
        (0.388 + lip, 0.288),
        (0.384 + lip, 0.308),
        (0.358, 0.330),
        (0.362 + 0.6 * c, 0.365),
        (0.366 + c, 0.400),
        (0.340 + c, 0.448),
        (0.280 + 0.6 * c, 0.474 + 0.4 * fat),
        (0.180, 0.462 + fat),
        (0.060, 0.400 + 0.8 * fat),
        (-0.030, 0.310 + 0.5 * fat),
    ]
    back = [
        (-0.170, 0.270),
        (-0.330, 0.240),
        (-0.450 - s, 0.120),
        (-0.525 - s, -0.060),
        (-0.500 - s, -0.260),
        (-0.370 - s, -0.430),
        (-0.160, -0.510 - 0.5 * s),
        (0.060, -0.495 - 0.5 * s),
        (0.200 - 0.5 * f, -0.425),
    ]
    outline = np.array(front + back)
    outline[:, 1] *= 1 + 0.03 * p.long
    return outline


def neck_outline(p: Physiognomy, cut: str) -> Floats:
    """The neck down to its truncation; it reaches well up under the head."""
    w = 0.025 * p.neck + 0.02 * max(p.fat, 0) + (-0.03 if p.female else 0.035)
    length = 0.82
    front = [(0.16, 0.30), (0.135 + 0.5 * w, 0.47), (0.125 + w, 0.58), (0.145 + w, 0.70)]
    back = [(-0.36 - w, 0.70), (-0.335 - w, 0.55), (-0.315 - 0.5 * w, 0.38), (-0.30, 0.18)]
    if cut == "straight":
        foot = [(0.17 + w, 0.76), (0.03, length), (-0.18, length + 0.01), (-0.37 - w, 0.80)]
    elif cut == "pointed":
        foot = [(0.25 + w, 0.775), (0.20 + w, 0.83), (-0.05, 0.875), (-0.27, 0.86), (-0.42, 0.77)]
    else:
        foot = [(0.27 + w, 0.80), (0.21 + w, 0.845), (0.02, 0.80), (-0.16, 0.83), (-0.36, 0.90),
                (-0.45, 0.84)]  # fmt: skip
    return np.array(front + foot + back)


def model_face(pen: Pen, p: Physiognomy, base: Sheet) -> Floats32:
    """Model skull, cheek, eye, nose, lips on ``base``; returns the mask of the head.

    ``pen`` draws on ``base``. The mask is a map of 0…1.
    """
    outline = pen.contour(profile(p))
    s = pen.frame.scale
    skin = Sheet()
    skin.form(outline, s * 0.100 * pen.lift, s * 0.10, dome=0.55, soften=0.15)
    mask = skin.mask(outline, 0.004)
    detail = Sheet()
    d = pen.on(detail)
    k = 1.0 + 0.25 * float(pen.rng.normal(0, 0.4))
    # The large forms: cheek, jaw, temple, hollow of the eye.
    d.bump(0.17, 0.13, 0.085, 0.07, 0.022 + 0.006 * p.fat, 0.3)
    d.bump(0.20, 0.26, 0.07, 0.08, 0.006 + 0.010 * p.fat)
    d.bump(0.30, 0.40, 0.06, 0.05, 0.014)
    d.bump(0.10, 0.33, 0.11, 0.06, 0.012, -0.5)
    d.bump(0.12, -0.08, 0.06, 0.08, -0.010)
    d.bump(0.295, -0.02, 0.065, 0.042, -0.034 * k, 0.15)
    d.bump(0.30, -0.21, 0.07, 0.08, 0.006)
    # Brow: a ridge that ends at the root of the nose.
    d.stroke([(0.13, -0.055), (0.20, -0.098), (0.29, -0.100), (0.362, -0.066)],
             [0.018, 0.028, 0.030, 0.022], [0.006, 0.022, 0.026, 0.018], 1.0, "add")  # fmt: skip
    # Nose: its ridge, the wing and the groove behind it.
    d.stroke([(0.352, -0.05), (0.375 + 0.01 * p.hook, 0.05), (0.425 + 0.02 * p.nose, 0.142)],
             [0.030, 0.038, 0.042], [0.018, 0.026, 0.034], 1.0, "add")  # fmt: skip
    d.bump(0.383 + 0.01 * p.nose, 0.148, 0.026, 0.022, 0.026)
    d.stroke([(0.352, 0.118), (0.338, 0.150), (0.356, 0.176)], [0.006, 0.012, 0.008],
             [0.006, 0.018, 0.010], 1.0, "cut")  # fmt: skip
    d.stroke([(0.392, 0.178), (0.414, 0.172)], 0.010, 0.014, 1.0, "cut")
    fold = 0.010 + 0.010 * max(p.age + 0.4, 0)
    d.stroke([(0.335, 0.155), (0.300, 0.205), (0.278, 0.262), (0.272, 0.31)],
             [0.010, 0.018, 0.018, 0.008], [0.5 * fold, fold, fold, 0], 1.0, "cut")  # fmt: skip
    # Lips and the line between them.
    full = 1 + 0.25 * p.lips
    d.stroke([(0.285, 0.268), (0.335, 0.252), (0.385, 0.246)],
             [0.006, 0.016 * full, 0.018 * full], [0.004, 0.020, 0.022], 1.0, "add")  # fmt: skip
    d.stroke([(0.290, 0.280), (0.335, 0.294), (0.378, 0.294)],
             [0.006, 0.016 * full, 0.019 * full], [0.004, 0.020, 0.022], 1.0, "add")  # fmt: skip
    d.stroke([(0.276, 0.276), (0.33, 0.272), (0.39, 0.270)], [0.008, 0.008, 0.010],
             [0.014, 0.020, 0.022], 1.0, "cut")  # fmt: skip
    d.bump(0.325, 0.335, 0.045, 0.014, -0.012)
    _eye(d, p)
    if p.age > 0.3:
        for i in range(int(1 + 2 * p.age)):
            y = -0.16 - 0.045 * i
            d.stroke([(0.22, y + 0.01), (0.28, y - 0.008), (0.345, y)], [0.004, 0.008, 0.004],
                     0.008, 1.0, "cut")  # fmt: skip
    skin.height += detail.height * mask
    base.raise_to(skin, 0.004)
    return mask


def _eye(d: Pen, p: Physiognomy) -> None:
    """Ball, lids and pupil of an eye seen from the side (or half in front, as often cut)."""
    big = 1 + 0.12 * p.eye
    x, y = 0.288, -0.012
    d.bump(x, y, 0.030 * big, 0.021 * big, 0.028)
    w, h = 0.058 * big, 0.030 * big
    d.stroke([(x - w, y + 0.006), (x - 0.35 * w, y - 0.85 * h), (x + 0.35 * w, y - h),
              (x + 0.72 * w, y - 0.35 * h)], [0.006, 0.011, 0.011, 0.007],
             [0.012, 0.026, 0.028, 0.016], 0.8, "add")  # fmt: skip
    d.stroke([(x - w, y + 0.008), (x - 0.1 * w, y + 0.85 * h), (x + 0.66 * w, y + 0.45 * h)],
             [0.005, 0.009, 0.006], [0.010, 0.020, 0.014], 0.8, "add")  # fmt: skip
    d.stroke([(x - w, y - 0.4 * h), (x, y - 1.75 * h), (x + 0.7 * w, y - 1.3 * h)],
             [0.004, 0.007, 0.004], 0.012, 1.0, "cut")  # fmt: skip
    d.dot(x + 0.26 * w, y - 0.02 * h, 0.012 * big, 0.020)


def ear(d: Pen, p: Physiognomy) -> None:
    """The ear: its rim, the bowl and the lobe; ``d`` adds onto the hair and skin."""
    x, y = -0.045, 0.015
    d.form(
        [
            (x - 0.05, y - 0.08),
            (x + 0.01, y - 0.10),
            (x + 0.045, y - 0.06),
            (x + 0.035, y + 0.02),
            (x + 0.015, y + 0.10),
            (x - 0.02, y + 0.115),
            (x - 0.04, y + 0.03),
        ],
        0.020,
        0.025,
        0.3,
        mode="add",
    )
    d.stroke([(x + 0.035, y - 0.02), (x + 0.035, y - 0.075), (x - 0.005, y - 0.098),
              (x - 0.048, y - 0.07), (x - 0.045, y), (x - 0.022, y + 0.07)],
             [0.008, 0.014, 0.015, 0.015, 0.013, 0.01], 0.022, 0.7, "add")  # fmt: skip
    d.bump(x - 0.008, y - 0.005, 0.017, 0.036, -0.030)
    d.bump(x - 0.004, y + 0.092, 0.018, 0.017, 0.012)


def model_neck(pen: Pen, p: Physiognomy, base: Sheet, cut: str) -> None:
    """The neck with its muscle, larynx and folds, lower than the head."""
    skin = Sheet()
    outline = pen.contour(neck_outline(p, cut))
    s = pen.frame.scale
    skin.form(outline, s * 0.072 * pen.lift, s * 0.09, dome=0.5, soften=0.12)
    mask = skin.mask(outline, 0.004)
    detail = Sheet()
    d = pen.on(detail)
    if not p.female:
        d.stroke([(-0.17, 0.28), (-0.06, 0.50), (0.07, 0.70), (0.12, 0.78)],
                 [0.06, 0.075, 0.07, 0.03], [0.003, 0.011, 0.012, 0.003], 2.0, "add")  # fmt: skip
        d.bump(0.105, 0.56, 0.03, 0.035, 0.010)
    for i in range(int(d.rng.integers(0, 3)) if p.fat + p.age > -0.6 else 0):
        y = 0.52 + 0.09 * i
        d.stroke([(-0.02, y - 0.05), (0.06, y), (0.12, y - 0.005)], [0.006, 0.014, 0.006],
                 0.005, 1.0, "cut")  # fmt: skip
    skin.height += detail.height * mask
    base.raise_to(skin, 0.006)
