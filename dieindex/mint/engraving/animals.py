"""Animals on four legs.

An animal is about one unit long, its hooves at y = 0, looking to the right.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from dieindex.mint.engraving.engraver import Engraver, Pen
from dieindex.mint.engraving.figures import ground, stage
from dieindex.mint.engraving.hair import Style, locks
from dieindex.mint.engraving.sheet import Sheet, spline, xy
from dieindex.mint.engraving.species import BUILDS, SPECIES, Build, Joint
from dieindex.mint.engraving.wings import wing
from dieindex.mint.parameters import DesignType
from dieindex.records import Floats

Turn = Callable[[npt.ArrayLike], Floats]


Legs = tuple[tuple[Joint, Joint], ...]
"""Knee and hoof of the far and near forelegs, the far and near hind legs."""

_GAITS: dict[str, Legs] = {
    "stand": (
        ((0.30, -0.26), (0.29, 0.0)),
        ((0.20, -0.26), (0.19, 0.0)),
        ((-0.32, -0.27), (-0.29, 0.0)),
        ((-0.43, -0.27), (-0.40, 0.0)),
    ),
    "walk": (
        ((0.40, -0.32), (0.40, -0.10)),
        ((0.18, -0.26), (0.14, 0.0)),
        ((-0.28, -0.27), (-0.22, 0.0)),
        ((-0.45, -0.27), (-0.46, 0.0)),
    ),
    "gallop": (
        ((0.46, -0.50), (0.54, -0.30)),
        ((0.40, -0.40), (0.44, -0.20)),
        ((-0.47, -0.31), (-0.63, -0.12)),
        ((-0.33, -0.25), (-0.38, 0.0)),
    ),
    "butt": (
        ((0.34, -0.24), (0.28, 0.0)),
        ((0.26, -0.20), (0.14, 0.0)),
        ((-0.30, -0.27), (-0.38, 0.0)),
        ((-0.44, -0.27), (-0.52, 0.0)),
    ),
}


def quadruped(
    pen: Pen, t: np.random.Generator, species: str, gait: str, pitch: float = 0.0
) -> None:
    """Draw an animal; ``pitch`` (radians) raises its forehand."""
    winged = species in ("pegasus", "griffin")
    kin = {"pegasus": "horse", "griffin": "lion"}.get(species, species)
    b = BUILDS[kin]
    turn = rearing(pitch)
    swell = 1 + 0.06 * t.normal()
    legs = _GAITS[gait]
    drop = b.height / 0.52
    hips: list[Joint] = [
        (0.24, -b.height),
        (0.16, -b.height),
        (-0.33, -b.height - 0.02),
        (-0.37, -b.height - 0.02),
    ]
    for k in (0, 2, 1, 3):
        knee, hoof = legs[k]
        hip = turn([hips[k]])[0]
        fore = k < 2
        ends = (
            turn([(knee[0], knee[1] * drop), (hoof[0], hoof[1] * drop)])
            if fore
            else np.array([(knee[0], knee[1] * drop), hoof])
        )
        near = k in (1, 3)
        high = 0.085 if near else 0.06
        thick = b.leg * (1.0 if fore else 1.2) * swell
        _leg(pen, hip, ends[0], ends[1], thick, high, fore, kin)
    _trunk(pen, b, turn, swell)
    haunch, breast = turn([b.spine[0], b.spine[-1]])
    pen.dot(haunch[0] - 0.01, haunch[1] + 0.02, 1.0 * b.girth[0], 0.118, 0.8)
    pen.dot(breast[0] + 0.02, breast[1] + 0.01, 0.92 * b.girth[-1], 0.122, 0.8)
    pen.stroke(turn(b.neck), swell * np.array(b.neck_girth), 0.104, 0.6)
    _head(pen, t, kin, species == "griffin", turn)
    _mane(pen, t, kin, turn)
    tail = (
        np.array(b.tail)
        + t.normal(0, 0.025, (len(b.tail), 2)) * np.linspace(0, 1, len(b.tail))[:, None]
    )
    if kin == "horse":
        for k in range(4):
            off = 0.018 * (k - 1.5)
            pen.stroke(
                tail + np.linspace(0.2, 1.3, len(tail))[:, None] * [off, 0.4 * off],
                [0.02, 0.024, 0.02, 0.008],
                0.05,
            )
    else:
        pen.stroke(tail, [0.022, 0.016, 0.014], 0.05)
        if kin in ("bull", "lion", "elephant"):
            pen.stroke(
                [
                    tail[-1],
                    tail[-1] + 0.08 * (tail[-1] - tail[-2]) / np.linalg.norm(tail[-1] - tail[-2]),
                ],
                [0.024, 0.03],
                0.052,
            )
    if winged:
        x, y = turn([(0.14, -0.66)])[0]
        wing(pen, x, y, -1, t, 0.62, up=float(t.uniform(0.7, 1.5)))


def _trunk(pen: Pen, b: Build, turn: Turn, swell: float) -> None:
    """Barrel, loins and belly, the muscles of shoulder and haunch parted by shallow furrows."""
    spine = spline(np.column_stack([np.array(b.spine), np.array(b.girth)]), 4)
    u = np.linspace(0, 1, len(spine))
    # The flank is drawn up before the haunch, the barrel hangs behind the shoulder.
    waist = (
        1 - 0.13 * np.exp(-(((u - 0.30) / 0.13) ** 2)) + 0.04 * np.exp(-(((u - 0.62) / 0.2) ** 2))
    )
    middle = spine[:, :2] - np.stack([0 * u, 0.10 * (1 - waist)], 1)
    pen.stroke(turn(middle), swell * spine[:, 2] * waist, 0.106, 0.5)
    furrows = Sheet()
    d = pen.on(furrows)
    (hx, hy), hr = b.spine[0], b.girth[0]
    (cx, cy), cr = b.spine[-1], b.girth[-1]
    d.stroke(
        turn(
            [
                (hx + 0.05 * hr, hy - 0.75 * hr),
                (hx + 0.95 * hr, hy - 0.1 * hr),
                (hx + 0.75 * hr, hy + 0.85 * hr),
            ]
        ),
        [0.008, 0.016, 0.012],
        0.022,
        1.0,
    )
    d.stroke(
        turn(
            [
                (cx - 0.35 * cr, cy - 0.7 * cr),
                (cx - 0.85 * cr, cy),
                (cx - 0.55 * cr, cy + 0.75 * cr),
            ]
        ),
        [0.008, 0.016, 0.010],
        0.022,
        1.0,
    )
    d.stroke(
        turn(
            [
                (cx + 0.55 * cr, cy - 0.55 * cr),
                (cx + 0.25 * cr, cy + 0.2 * cr),
                (cx + 0.35 * cr, cy + 0.8 * cr),
            ]
        ),
        [0.006, 0.013, 0.008],
        0.018,
        1.0,
    )
    ribs = int(3 + 3 * d.rng.random())
    for k in range(ribs):
        x = cx - 1.15 * cr - 0.055 * k
        d.stroke(
            turn(
                [
                    (x + 0.02, cy - 0.35 * cr),
                    (x - 0.012, cy + 0.15 * cr),
                    (x + 0.012, cy + 0.6 * cr),
                ]
            ),
            [0.005, 0.011, 0.005],
            0.010 - 0.0012 * k,
            1.0,
        )
    pen.sheet.height -= furrows.height


def rearing(pitch: float) -> Turn:
    """The turn of a rearing body about its hind hooves."""
    c, s = np.cos(-pitch), np.sin(-pitch)

    def turn(points: npt.ArrayLike) -> Floats:
        p = np.array(points, np.float64) - [-0.38, -0.2]
        return np.asarray(p @ np.array([[c, s], [-s, c]]) + [-0.38, -0.2])

    return turn


def _leg(
    pen: Pen,
    hip: Floats,
    knee: Floats,
    hoof: Floats,
    thick: float,
    high: float,
    fore: bool,
    kin: str,
) -> None:
    slim = 0.75 if kin == "elephant" else 0.42
    path = [hip, 0.5 * (hip + knee), knee, 0.5 * (knee + hoof), hoof]
    if not fore:
        # The hock bends backwards.
        path[3] = path[3] + [-0.02, 0.0]
    pen.stroke(path, thick * np.array([1.25, 0.95, slim + 0.08, slim - 0.06, slim + 0.06]),
               high * np.array([1, 1, 0.85, 0.75, 0.75]), 0.6)  # fmt: skip
    toe = 0.05 if kin in ("lion", "wolf", "griffin") else 0.03
    pen.stroke(
        [hoof + xy(-0.012, -0.012), hoof + xy(toe, -0.006)],
        [thick * slim, 0.7 * thick * slim],
        0.06,
        0.6,
    )


def _head(pen: Pen, t: np.random.Generator, kin: str, beaked: bool, turn: Turn) -> None:
    b = BUILDS[kin]
    head = turn(b.head)
    pen.stroke(head, np.array(b.head_girth), 0.118, 0.55)
    first, last = head[0], head[-1]
    way = (head[1] - first) / np.linalg.norm(head[1] - first)
    up = np.array([way[1], -way[0]])
    g = b.head_girth[0]
    eye = first + 0.55 * g * way + 0.25 * g * up
    pen.dot(eye[0], eye[1], 0.018, 0.142)
    pen.stroke(
        [eye - 0.03 * way + 0.012 * up, eye + 0.022 * up, eye + 0.03 * way + 0.012 * up],
        0.008,
        0.138,
    )
    cheek = first - 0.2 * g * up + 0.35 * g * way
    pen.dot(cheek[0], cheek[1], 0.72 * g, 0.126, 0.8)
    if kin in ("lion", "wolf", "boar", "bull") and not beaked:
        pen.dot(last[0], last[1], 1.15 * b.head_girth[-1], 0.125, 0.6)
        pen.stroke(
            [
                last + 0.9 * b.head_girth[-1] * way - 0.3 * b.head_girth[-1] * up,
                last - 0.05 * way - 0.5 * b.head_girth[-1] * up,
            ],
            0.008,
            0.02,
            1.0,
            "cut",
        )
    pen.dot(
        last[0] + 0.3 * b.head_girth[-1] * up[0],
        last[1] + 0.3 * b.head_girth[-1] * up[1],
        0.010,
        0.128,
    )
    ear = first + 0.8 * g * up - 0.3 * g * way
    size = {"elephant": 0.0, "boar": 0.08, "horse": 0.075}.get(kin, 0.07)
    if size:
        pen.stroke([ear, ear + size * (up - 0.35 * way)], [0.024, 0.006], 0.115, 0.7)
    if kin == "elephant":
        e = first + xy(-0.10, 0.03)
        pen.form(
            [
                e + xy(-0.07, -0.10),
                e + xy(0.05, -0.11),
                e + xy(0.07, 0.0),
                e + xy(0.0, 0.14),
                e + xy(-0.08, 0.06),
            ],
            0.150,
            0.06,
            0.4,
        )
        pen.stroke(
            [head[1] + [-0.02, 0.03], head[1] + [0.10, 0.13], head[1] + [0.17, 0.09]],
            [0.022, 0.016, 0.006],
            0.11,
        )
    if kin == "bull":
        h = first + 0.9 * g * up
        for side, k in ((0.8, 1.0), (0.2, 0.85)):
            pen.stroke(
                [
                    h - 0.02 * way,
                    h + 0.07 * up + 0.05 * side * way,
                    h + 0.10 * up + 0.15 * k * way + 0.02 * side * up,
                ],
                [0.022, 0.018, 0.006],
                0.12,
                0.6,
            )
    if kin in ("stag", "goat"):
        h = first + 0.7 * g * up
        if kin == "goat":
            pen.stroke(
                [h, h + xy(-0.05, -0.14), h + xy(-0.17, -0.17), h + xy(-0.22, -0.09)],
                [0.024, 0.02, 0.014, 0.005],
                0.08,
            )
            pen.stroke([last + xy(-0.02, 0.02), last + xy(-0.03, 0.11)], [0.016, 0.005], 0.06)
        else:
            for lean in (-0.16, 0.02):
                tip = h + xy(lean, -0.30)
                pen.stroke([h, h + xy(1.1 * lean, -0.14), tip], [0.014, 0.012, 0.006], 0.06)
                for u in (0.35, 0.6, 0.85):
                    at = h + u * (tip - h)
                    pen.stroke([at, at + xy(0.075, -0.055)], [0.010, 0.004], 0.055)
    if kin == "boar":
        pen.stroke(
            [last - 0.05 * way - 0.02 * up, last - 0.02 * way + 0.05 * up], [0.012, 0.004], 0.13
        )
    if beaked:
        pen.stroke(
            [last, last + 0.05 * way - 0.02 * up, last + 0.05 * way - 0.08 * up],
            [0.045, 0.03, 0.006],
            0.12,
        )


def _mane(pen: Pen, t: np.random.Generator, kin: str, turn: Turn) -> None:
    b = BUILDS[kin]
    neck = spline(turn(b.neck), 10) if len(b.neck) > 2 else turn(b.neck)
    rng = pen.rng
    if kin == "horse":
        count = int(t.integers(9, 14))
        for u in (np.arange(count) + 0.5 + rng.normal(0, 0.12, count)) / count:
            i = int(np.clip(u, 0, 1) * (len(neck) - 1))
            girth = np.interp(u, np.linspace(0, 1, len(b.neck_girth)), b.neck_girth)
            at = neck[i] + [-0.72 * girth, -0.45 * girth]
            pen.stroke([at, at + xy(0.0, 0.05), at + xy(0.05, 0.12)], [0.016, 0.017, 0.006], 0.135)
    elif kin == "lion":
        places = []
        for u in np.linspace(0, 1, 7):
            i = int(u * (len(neck) - 1))
            girth = float(np.interp(u, np.linspace(0, 1, len(b.neck_girth)), b.neck_girth))
            for a in np.linspace(-0.9, 0.95, 5):
                places.append(neck[i] + girth * np.array([0.35 * a, a]) + rng.normal(0, 0.01, 2))
        layer = Sheet()
        locks(
            pen.on(layer),
            np.array(places),
            lambda p: 2.3 - 1.3 * (p[:, 0] - 0.3) - 0.6 * (p[:, 1] + 0.6),
            Style("locks", 0.09, 0.10, 0.022, 0.034, -0.7, 0, 0.1),
            3,
        )
        pen.sheet.add(layer.height * np.clip(pen.sheet.height / 0.02, 0, 1))
    elif kin == "boar":
        spine = spline(turn(b.spine), 8)
        for u in np.linspace(0.15, 1.0, 15):
            at = spine[int(u * (len(spine) - 1))] + [0.06 * u, -0.14 - 0.03 * u]
            pen.stroke([at, at + xy(-0.02, -0.075)], [0.014, 0.005], 0.07)
    elif kin == "bull":
        for k in range(4):
            x = 0.32 + 0.05 * k
            pen.stroke(
                turn([(x, -0.74 + 0.02 * k), (x + 0.03, -0.62), (x + 0.0, -0.48)]),
                [0.010, 0.016, 0.008],
                0.142,
                0.9,
            )


def draw_animal(engraver: Engraver, design: DesignType, room: float) -> Sheet:
    """One animal, standing, walking, springing or lowering its horns."""
    t = engraver.type_rng("animal")
    species = SPECIES[int(t.integers(len(SPECIES)))]
    gait = str(t.choice(["stand", "walk", "walk", "gallop"]))
    if species == "elephant":
        gait = "walk"
    elif species == "bull" and t.random() < 0.6:
        gait = "butt"
    pitch = float(t.uniform(0.1, 0.45)) if gait == "gallop" else 0.0
    tall = {"horse": 1.05, "stag": 1.25, "goat": 1.05, "pegasus": 1.15}.get(species, 0.85)
    pen = stage(
        engraver, design, room, "animal", float(min(1.50, 1.72 / tall) * t.uniform(0.92, 1.02))
    )
    pen = pen.at(0.0, 0.5 * tall - 0.47, 1.0)
    quadruped(pen, t, species, gait, pitch)
    if t.random() < 0.7:
        ground(pen, 0.62)
    if species == "wolf":
        for x in (-0.08, 0.10):
            pen.stroke([(x, -0.02), (x + 0.01, -0.14)], [0.045, 0.035], 0.05)
            pen.dot(x + 0.015, -0.20, 0.034, 0.055)
            pen.stroke([(x, -0.13), (x + 0.06, -0.28)], 0.014, 0.045)
    return pen.sheet
