"""Medieval deniers and pennies: crosses, temples, monograms, lines of letters, crude heads."""

from __future__ import annotations

import numpy as np

from dieindex.mint.engraving.punches import (
    PunchedDie,
    Shape,
    annulet,
    bar,
    crescent,
    curve,
    lily,
    pellet,
    star,
    wedge,
)
from dieindex.mint.engraving.scripts import Letters, line_of_letters
from dieindex.mint.parameters import DesignType

_SIGNS = (
    "pellet",
    "annulet",
    "crescent",
    "star",
    "three pellets",
    "lily",
    "letter",
    "ring and pellet",
)


def draw_sign(
    die: PunchedDie,
    what: str,
    x: float,
    y: float,
    size: float,
    turn: float = 0.0,
    letters: Letters | None = None,
    letter: str = "O",
) -> None:
    """Punch a small sign about ``size`` across."""  # fmt: skip
    cut = die.punches.cut
    if what == "letter" and letters is not None:
        letters.set(letter, x, y, turn)
    elif what == "three pellets":
        for k in range(3):
            a = turn - np.pi / 2 + 2 * np.pi * k / 3
            at = (x + 0.34 * size * np.cos(a), y + 0.34 * size * np.sin(a))
            die.set(cut(f"small pellet {size:.3f}", pellet(), 0.42 * size), *map(float, at))
    elif what == "ring and pellet":
        die.set(cut(f"annulet {size:.3f}", annulet(0.11), size), x, y)
        die.set(cut(f"small pellet {size:.3f}", pellet(), 0.42 * size), x, y)
    else:
        shape = {
            "pellet": pellet(), "annulet": annulet(0.12), "crescent": crescent(0.16),
            "star": star(6, 0.12), "lily": lily(), "wedge": wedge(0.10, 0.34),
        }[what]  # fmt: skip
        scale = 0.55 if what == "pellet" else 1.0
        die.set(cut(f"{what} {size:.3f}", shape, scale * size), x, y, turn)


def draw_cross(die: PunchedDie, design: DesignType, letters: Letters) -> None:
    """A cross in the inner circle, or one that parts the legend, with signs in its angles."""
    t = die.engraver.type_rng("cross")
    form = str(
        t.choice(
            ["pattée", "plain", "potent", "pommée", "voided", "fleury"],
            p=[0.42, 0.14, 0.12, 0.1, 0.12, 0.1],
        )
    )
    long = bool(t.random() < 0.22) and form not in ("pattée",)
    reach = design.border_radius - 0.02 if long else design.room * float(t.uniform(0.72, 0.98))
    turn = np.pi / 4 if t.random() < 0.07 else 0.0
    broad = float(t.uniform(0.030, 0.060))
    narrow, wide = broad * float(t.uniform(0.5, 1.0)) / reach, float(t.uniform(0.16, 0.40))
    cut = die.punches.cut
    die.part("cross")
    whole = die.stray(0.03)
    cx, cy = die.stray(0.012), die.stray(0.012)
    for k in range(4):
        a = turn + whole + k * np.pi / 2
        c, s = float(np.cos(a)), float(np.sin(a))

        def at(along: float, aside: float = 0.0, c: float = c, s: float = s) -> tuple[float, float]:
            return cx + along * c - aside * s, cy + along * s + aside * c

        if form == "pattée":
            die.set(cut("arm", wedge(narrow, wide), reach), *at(0.475 * reach), a)
            continue
        beam = cut("beam", bar(broad / reach, 0.3 if form == "plain" else 0.0), reach)
        if form == "voided":
            for side in (-1, 1):
                die.set(beam, *at(0.52 * reach, side * 0.055), a, 0.9)
            die.set(cut("end", bar(0.15, 0.2), 0.26), *at(0.98 * reach), a + np.pi / 2)
            continue
        die.set(beam, *at(0.5 * reach), a)
        if form == "potent":
            die.set(
                cut("end", bar(0.14, 0.3), 0.30 * min(reach, 0.6) + 0.05), *at(reach), a + np.pi / 2
            )
        elif form == "pommée":
            die.set(cut("knob", pellet(), 0.16), *at(0.95 * reach))
        elif form == "fleury":
            for side in (-1, 0, 1):
                way = 0.85 * side
                tip = cut("petal", wedge(0.06, 0.24), 0.17)
                die.set(tip, *at(0.93 * reach + 0.05 * np.cos(way), 0.07 * side), a + way)
    if t.random() < 0.25:
        what = "pellet" if t.random() < 0.5 else "ring and pellet"
        draw_sign(die, what, cx, cy, 0.15 if what == "pellet" else 0.18)
    _in_angles(die, design, letters, t, turn, min(reach, design.room))


def _in_angles(
    die: PunchedDie,
    design: DesignType,
    letters: Letters,
    t: np.random.Generator,
    turn: float,
    reach: float,
) -> None:
    """Signs in the angles of a cross: none, one, two opposite, or all."""
    die.part("angles")
    signs = [str(t.choice(_SIGNS)) for _ in range(2)]
    where = [(), (0,), (0, 2), (1, 3), (0, 1, 2, 3), (0, 1, 2, 3)][int(t.integers(6))]
    size = float(t.uniform(0.28, 0.42)) * design.room
    first = "".join(t.choice(list("AOPESMCVRHLD"), 4))
    for k in where:
        a = turn + np.pi / 4 + k * np.pi / 2
        r = 0.58 * reach
        what = signs[k % 2] if len(where) == 4 and t.random() < 0.7 else signs[0]
        small = Letters(die, letters.alphabet, 0.8 * size, letters.composed, 0.3)
        draw_sign(
            die,
            what,
            float(r * np.cos(a)),
            float(r * np.sin(a)),
            size,
            a + np.pi / 2,
            small,
            first[k],
        )


def draw_chatel(die: PunchedDie, design: DesignType, letters: Letters) -> None:
    """A temple or a castle of a few bars and wedges, as on the deniers of Tours."""
    t = die.engraver.type_rng("chatel")
    cut, room = die.punches.cut, design.room
    die.part("chatel")
    half = float(t.uniform(0.62, 0.78)) * room
    base = float(t.uniform(0.55, 0.68)) * room
    top = -float(t.uniform(0.05, 0.25)) * room
    dx, dy = die.stray(0.012), die.stray(0.012)
    thick = float(t.uniform(0.022, 0.036))
    for k in range(int(t.integers(1, 4))):
        long = 2 * half * (1 - 0.12 * k)
        step = cut(f"step {k}", bar(thick / long, 0.2), long)
        die.set(step, dx, dy + base - 0.085 * k, 0.0, 0.9)
    floor = base - 0.1
    columns = int(t.integers(2, 5))
    tall = floor - top
    column = cut("column", bar(thick / tall, 0.5), tall)
    for x in np.linspace(-0.8 * half, 0.8 * half, columns):
        die.set(column, dx + float(x), dy + (floor + top) / 2, np.pi / 2)
    if t.random() < 0.5:  # a roof of two beams
        rise = float(t.uniform(0.30, 0.5)) * room
        slope = float(np.arctan2(rise, half))
        beam = cut("rafter", bar(0.035, 0.2), float(np.hypot(rise, half)))
        for side in (-1, 1):
            die.set(beam, dx + side * 0.5 * half, dy + top - rise / 2, side * slope)
        peak = top - rise
        die.set(cut("lintel", bar(thick / (2 * half), 0.2), 2 * half), dx, dy + top, 0.0, 0.9)
    else:  # towers
        for x in (-0.8 * half, 0.0, 0.8 * half):
            up = (0.28 if x == 0 else 0.16) * room
            die.set(cut("tower", bar(0.18, 0.3), 0.26), dx + x, dy + top, 0.0)
            die.set(
                cut("battlement", wedge(0.12, 0.4), 0.17),
                dx + x,
                dy + top - 0.5 * up - 0.02,
                -np.pi / 2,
            )
        peak = top - 0.26 * room
    arm = cut("arm of the top cross", wedge(0.12, 0.40), 0.11)
    for k in range(4):
        a = k * np.pi / 2
        die.set(arm, dx + 0.055 * float(np.cos(a)), dy + peak - 0.10 + 0.055 * float(np.sin(a)), a)
    middle = str(t.choice(["none", "annulet", "pellet", "star", "cross"]))
    if middle == "cross":
        small = cut("arm within", wedge(0.12, 0.42), 0.12)
        for k in range(4):
            a = k * np.pi / 2
            die.set(
                small,
                dx + 0.06 * float(np.cos(a)),
                dy + (floor + top) / 2 + 0.06 * float(np.sin(a)),
                a,
            )
    elif middle != "none":
        draw_sign(die, middle, dx, dy + (floor + top) / 2, 0.17)


def draw_monogram(die: PunchedDie, design: DesignType, letters: Letters) -> None:
    """Letters at the ends of a cross of bars, or two or three large ones, with signs."""
    t = die.engraver.type_rng("monogram")
    cut, room = die.punches.cut, design.room
    word = "".join(t.choice(list("KRLSHTAMPEOBNVC"), 4))
    die.part("monogram")
    if t.random() < 0.6:
        size = float(t.uniform(0.40, 0.52)) * room
        big = Letters(die, letters.alphabet, size, letters.composed, 0.2)
        reach = 0.62 * room
        for k, letter in enumerate(word):
            a = k * np.pi / 2
            c, s = float(np.cos(a)), float(np.sin(a))
            die.set(cut("spoke", bar(0.09), 0.36 * room), 0.28 * room * c, 0.28 * room * s, a)
            big.set(letter, reach * c, reach * s, 0.0)
        if t.random() < 0.6:  # a lozenge in the middle, as in that of Charles
            side = cut("side of the lozenge", bar(0.10), 0.24 * room)
            for k in range(4):
                a = np.pi / 4 + k * np.pi / 2
                die.set(
                    side,
                    0.10 * room * float(np.cos(a)),
                    0.10 * room * float(np.sin(a)),
                    a + np.pi / 2,
                )
        return
    count = int(t.integers(1, 4))
    size = room * (1.1 if count == 1 else 0.75 if count == 2 else 0.6)
    big = Letters(die, letters.alphabet, size, letters.composed, 0.4)
    places = {
        1: [(0.0, 0.0)],
        2: [(-0.4, 0.0), (0.4, 0.0)],
        3: [(-0.42, 0.25), (0.42, 0.25), (0.0, -0.42)],
    }[count]
    for letter, (x, y) in zip(word, places, strict=False):
        big.set(letter, x * room, y * room, 0.0)
    what = str(t.choice(_SIGNS[:5]))
    for x, y in ((0.0, -0.78), (0.0, 0.78)):
        if t.random() < 0.6:
            draw_sign(die, what, x * room, y * room, 0.15)


def draw_lines(die: PunchedDie, design: DesignType, letters: Letters) -> None:
    """Two to four lines of letters across the field, with signs between them."""
    t = die.engraver.type_rng("lines")
    die.part("lines")
    room = design.room
    count = int(t.integers(2, 5))
    size = room * {2: 0.52, 3: 0.40, 4: 0.32}[count]
    big = Letters(die, letters.alphabet, size, letters.composed, 0.3)
    for k in range(count):
        y = (k - (count - 1) / 2) * 1.25 * size
        half = float(np.sqrt(max(room**2 - (abs(y) + 0.4 * size) ** 2, 0.02)))
        text = "".join(t.choice(list("AEIOVRSTNLMCDPBGHF+"), 12))
        taken = np.cumsum([big.advance(letter) * size for letter in text])
        text = text[: max(2, int(np.searchsorted(taken, 1.9 * half)))]
        line_of_letters(die, big, text, die.stray(0.01), y, 2 * half)
    if t.random() < 0.6 and count < 4:
        what = str(t.choice(["pellet", "three pellets", "annulet", "star"]))
        for x in (-0.45, 0.0, 0.45):
            for y in [(k + 0.5 - (count - 1) / 2) * 1.25 * size for k in range(count - 1)]:
                if t.random() < 0.8:
                    draw_sign(die, what, x * room, float(y), 0.11)


def draw_facing_head(die: PunchedDie, design: DesignType, letters: Letters) -> None:
    """A king's head from the front, put together from bars, pellets, crescents and annulets."""
    t = die.engraver.type_rng("head")
    cut, room = die.punches.cut, design.room
    die.part("head")
    tall, wide = float(t.uniform(0.50, 0.62)) * room, float(t.uniform(0.36, 0.46)) * room
    dy = 0.08 * room + die.stray(0.01)
    dx = die.stray(0.01)
    # The outline of the face, in two halves of one punch.
    cheek = [(0.0, -0.5), (0.20, -0.46), (0.34, -0.15), (0.30, 0.2), (0.12, 0.46), (0.0, 0.5)]
    side = cut("cheek", curve(cheek, 0.03, 0.045, 0.03), 2.0 * tall)
    back = cut("other cheek", curve([(-x, y) for x, y in cheek], 0.03, 0.045, 0.03), 2.0 * tall)
    aside = wide - 0.68 * tall
    die.set(side, dx + aside, dy, 0.0, 0.8)
    die.set(back, dx - aside, dy, 0.0, 0.8)
    eye = str(t.choice(["pellet", "annulet", "ring and pellet", "wedge"]))
    size = float(t.uniform(0.16, 0.24)) * room
    for s in (-1, 1):
        draw_sign(die, eye, dx + 0.42 * s * wide, dy - 0.22 * tall, size)
        brow = cut("brow", crescent(0.09, 1.2), 0.40 * wide * 2)
        if t.random() < 0.9:
            die.set(brow, dx + 0.42 * s * wide, dy - 0.30 * tall, np.pi, 0.8)
    die.set(cut("nose", wedge(0.06, 0.22), 0.50 * tall), dx, dy + 0.02 * tall, np.pi / 2)
    mouth = cut("mouth", bar(0.14, 0.2), 0.44 * wide)
    die.set(mouth, dx, dy + 0.48 * tall, 0.0, 0.8)
    if t.random() < 0.5:
        die.set(mouth, dx, dy + 0.62 * tall, 0.0, 0.7)
    if t.random() < 0.35:
        for x in np.linspace(-0.5, 0.5, 5):
            die.set(
                cut("beard", wedge(0.08, 0.25), 0.16),
                dx + float(x) * wide,
                dy + (1.05 - 0.3 * abs(float(x))) * tall,
                np.pi / 2,
            )
    _hair(die, t, room, dx, dy, tall, wide)
    _crown(die, t, room, dx, dy - 0.86 * tall, wide)
    if t.random() < 0.5:
        die.set(
            cut(
                "shoulders",
                curve(
                    [(-0.5, 0.12), (-0.25, -0.05), (0, 0.0), (0.25, -0.05), (0.5, 0.12)],
                    0.04,
                    0.05,
                    0.04,
                ),
                1.2 * room,
            ),
            dx,
            dy + 1.22 * tall,
            0.0,
            0.8,
        )


def _hair(
    die: PunchedDie,
    t: np.random.Generator,
    room: float,
    dx: float,
    dy: float,
    tall: float,
    wide: float,
) -> None:
    kind = str(t.choice(["pellets", "crescents", "annulets", "bars"]))
    count = int(t.integers(2, 5))
    shape: Shape = {
        "pellets": pellet(),
        "crescents": crescent(0.15),
        "annulets": annulet(0.13),
        "bars": bar(0.14, 0.2),
    }[kind]
    size = 0.20 * room * (1.3 if kind in ("crescents", "bars") else 0.9)
    lock = die.punches.cut("lock", shape, size)
    for s in (-1, 1):
        for k in range(count):
            y = dy + tall * (-0.45 + 1.1 * k / count)
            turn = s * (np.pi / 2 if kind == "crescents" else 0.35)
            die.set(lock, dx + s * (wide + 0.13 * room + 0.03 * room * k), float(y), turn)


def _crown(
    die: PunchedDie, t: np.random.Generator, room: float, dx: float, y: float, wide: float
) -> None:
    cut = die.punches.cut
    if t.random() < 0.2:  # a band of pellets
        for x in np.linspace(-0.9, 0.9, 7):
            die.set(cut("pearl", pellet(), 0.10), dx + float(x) * wide, y + 0.12 * float(x) ** 2)
        return
    die.set(cut("band", bar(0.055, 0.2), 1.9 * wide), dx, y)
    kind = str(t.choice(["lily", "pellet", "wedge"]))
    for x in (-0.8, 0.0, 0.8):
        up = 0.13 * room if x == 0 else 0.11 * room
        turn = 0.0 if kind == "lily" else -np.pi / 2
        draw_sign(die, kind, dx + x * wide, y - up, 0.26 * room, turn)
        if kind == "pellet":
            die.set(cut("stalk", bar(0.18), 0.12 * room), dx + x * wide, y - 0.5 * up, np.pi / 2)
