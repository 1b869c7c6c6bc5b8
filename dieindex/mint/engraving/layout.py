"""Where legends, border, marks and motif of a type stand."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dieindex.mint.engraving import legends
from dieindex.mint.engraving.borders import BORDERS
from dieindex.mint.engraving.engraver import Engraver
from dieindex.mint.engraving.lettering import Punches, circular, linear
from dieindex.mint.engraving.sheet import Sheet
from dieindex.mint.parameters import Alphabet, Border, Inscription, Mark, Script
from dieindex.records import OBVERSE, Side

_WIDE = ("horseman", "chariot", "animal", "temple", "ship", "pair", "altar", "seated")
_TALL = ("standing", "victory", "seated", "eagle", "owl", "symbol")
_WREATH_WORDS = (
    "SC",
    "VOT",
    "MVLT",
    "AVG",
    "COS",
    "XX",
    "V",
    "X",
    "CAES",
    "DIVI F",
    "SPQR",
    "OB CIV",
    "ROMA",
)


@dataclass(frozen=True)
class Arrangement:
    """What layout decides for a type; lengths in flan radii."""

    script: Script
    alphabet: Alphabet
    inscriptions: tuple[Inscription, ...]
    marks: tuple[Mark, ...]
    border: Border
    border_radius: float
    room: float
    """Radius of the circle left to the motif."""
    middle: float
    """Height (y) of that circle's centre."""
    exergue: float | None
    """Height (y) of the line above the exergue."""


def sample(rng: np.random.Generator, side: Side, kind: str) -> Arrangement:
    """Sample a layout for a kind of design."""
    greek = rng.random() < 0.45
    script: Script = "greek" if greek else "latin"
    weights = np.array([0.13, 0.38, 0.07, 0.14, 0.03, 0.07, 0.05, 0.08, 0.05])
    border = BORDERS[int(rng.choice(len(BORDERS), p=weights / weights.sum()))]
    border_radius = float(rng.uniform(0.87, 0.99))
    depth = {"none": 0.0, "wreath": 0.11, "double": 0.07, "linear-dots": 0.07, "cable": 0.05}
    inner = border_radius - depth.get(border, 0.035)
    alphabet = Alphabet(
        weight=float(rng.uniform(0.060, 0.105)),
        serif=float(rng.uniform(0.15, 0.9)),
        pellets=bool(greek and rng.random() < 0.5),
        spacing=float(rng.uniform(0.18, 0.40)),
        width=float(rng.uniform(0.85, 1.15)),
        variant=int(rng.integers(0, 4)),
    )
    letter = float(np.exp(rng.uniform(np.log(0.088), np.log(0.150))))
    arrangement = Arrangement(
        script, alphabet, (), (), border, border_radius, inner - 0.015, 0.0, None
    )
    if kind == "wreath":
        return _in_wreath(rng, arrangement, letter)
    arrangement = _legend(rng, arrangement, side, kind, letter, inner)
    if side != OBVERSE and kind in _WIDE and rng.random() < 0.6:
        arrangement = _exergue(rng, arrangement, letter, inner)
    return _field(rng, arrangement, side, kind, letter)


def _legend(
    rng: np.random.Generator,
    arrangement: Arrangement,
    side: Side,
    kind: str,
    letter: float,
    inner: float,
) -> Arrangement:
    """The main legend round the rim or down the field, and the room it leaves."""
    if rng.random() < (0.18 if side == OBVERSE else 0.08):
        return arrangement
    female = kind in ("veiled", "female")
    text = (
        legends.ruler(rng, arrangement.script, female)
        if side == OBVERSE
        else legends.reverse(rng, arrangement.script)
    )
    radius = inner - 0.022 - letter / 2
    limit = 4.6 if side == OBVERSE else 5.4
    natural = 0.84 * letter * len(text) / radius
    if natural > limit:
        letter *= limit / natural
        natural = limit
    span = float(np.clip(natural * rng.uniform(0.97, 1.5), 0.4, limit))
    ways = ["round", "begin", "split", "split", "sides", "inward", "lines"]
    chance = [0.26, 0.22, 0.16, 0.12, 0.12, 0.06, 0.06]
    way = str(rng.choice(ways, p=chance))
    if " " not in text and way in ("split", "sides"):
        text = text[: len(text) // 2] + " " + text[len(text) // 2 :]
    if way == "lines" and natural > 2.6:
        way = "round"
    first, second = _halves(text)
    share = (len(first) + 0.5) / (len(text) + 1e-9)
    room = radius - letter / 2 - 0.005
    up = -np.pi / 2
    runs: tuple[Inscription, ...]
    if way == "round":
        middle = up + rng.normal(0, 0.12)
        runs = (Inscription(text, "outward", letter, radius, float(middle - span / 2), span),)
    elif way == "begin":
        begin = float(rng.uniform(2.0, 2.7))
        span = min(span, 2 * np.pi + 0.75 - begin if side == OBVERSE else 5.4)
        runs = (Inscription(text, "outward", letter, radius, begin, span),)
    elif way == "split":
        gap = float(rng.uniform(0.25, 0.9))
        span = min(span, 4.9 - gap)
        top = up + rng.normal(0, 0.08)
        runs = (
            Inscription(
                first, "outward", letter, radius, float(top - gap / 2 - span * share), span * share
            ),
            Inscription(
                second, "outward", letter, radius, float(top + gap / 2), span * (1 - share)
            ),
        )
        if gap > 0.5:
            # A figure's head may stand in the gap.
            room += 0.45 * letter
    elif way == "sides":
        left, right = (min(2.3, span * s) for s in (share, 1 - share))
        runs = (
            Inscription(
                first, "outward", letter, radius, float(np.pi - left / 2 + rng.normal(0, 0.1)), left
            ),
            Inscription(
                second, "outward", letter, radius, float(-right / 2 + rng.normal(0, 0.1)), right
            ),
        )
        room += 0.5 * letter
    elif way == "inward":
        runs = (
            Inscription(
                first, "inward", letter, radius, float(np.pi + span * share * 0.4), span * share
            ),
            Inscription(second, "outward", letter, radius, float(up + 0.5), span * (1 - share)),
        )
    else:
        down = float(rng.choice([-1, 1]) * np.pi / 2)
        reach = 1.3 * radius
        x = radius * 0.9
        runs = (
            Inscription(
                first, "line", letter, x=x, y=float(rng.normal(0, 0.05)), angle=down, span=reach
            ),
            Inscription(
                second, "line", letter, x=-x, y=float(rng.normal(0, 0.05)), angle=down, span=reach
            ),
        )
        room += 0.3 * letter
    kept = tuple(run for run in runs if run.text.strip())
    return replace(arrangement, inscriptions=kept, room=float(min(room, inner - 0.02)))


def _exergue(
    rng: np.random.Generator, arrangement: Arrangement, letter: float, inner: float
) -> Arrangement:
    line = float(rng.uniform(0.48, 0.64)) * inner
    runs = arrangement.inscriptions
    if rng.random() < 0.75:
        text = legends.short(rng, arrangement.script)
        size = min(letter * float(rng.uniform(0.85, 1.15)), 0.6 * (inner - line))
        y = line + 0.03 + 0.55 * size
        half = np.sqrt(max(inner**2 - (y + 0.5 * size) ** 2, 0.04))
        runs = (*runs, Inscription(text, "line", size, x=0.0, y=y, span=float(1.6 * half)))
    room = (arrangement.room + line) / 2
    return replace(
        arrangement,
        inscriptions=_clear(runs, line),
        room=float(1.12 * room),
        middle=float(line - room),
        exergue=line,
    )


def _clear(runs: tuple[Inscription, ...], line: float) -> tuple[Inscription, ...]:
    """Keep round legends above the exergue."""
    kept = []
    for run in runs:
        if run.run != "outward" or run.span is None:
            kept.append(run)
            continue
        free = float(np.arcsin(min(line / max(run.radius, 0.1), 1.0)))
        low, high = np.pi - free - 0.05, 2 * np.pi + free + 0.05
        begin = run.start % (2 * np.pi)
        if begin < low - 1.5:
            begin += 2 * np.pi
        begin = max(begin, low)
        span = min(run.span, high - begin)
        if span < 0.55 * run.span:
            span = min(run.span, high - low)
            begin = (low + high - span) / 2
        kept.append(replace(run, start=float(begin), span=float(span)))
    return tuple(kept)


def _in_wreath(rng: np.random.Generator, arrangement: Arrangement, letter: float) -> Arrangement:
    """Lines of text inside a wreath."""
    room = arrangement.room
    size = letter * float(rng.uniform(1.15, 1.7))
    count = int(rng.integers(1, 5))
    lines = []
    for _ in range(count):
        if arrangement.script == "latin":
            lines.append(_WREATH_WORDS[int(rng.integers(len(_WREATH_WORDS)))])
        else:
            lines.append(
                legends.short(rng, "greek") if rng.random() < 0.5 else legends.people(rng)[:7]
            )
    if count == 1:
        size *= 1.7
    pitch = 1.35 * size
    runs = []
    for k, text in enumerate(lines):
        y = (k - (count - 1) / 2) * pitch
        half = np.sqrt(max((0.60 * room) ** 2 - y**2, 0.02))
        runs.append(
            Inscription(text, "line", size, x=0.0, y=float(y - 0.02), span=float(1.9 * half))
        )
    return replace(arrangement, inscriptions=tuple(runs))


def _field(
    rng: np.random.Generator, arrangement: Arrangement, side: Side, kind: str, letter: float
) -> Arrangement:
    """Letters and signs in the field beside the motif."""
    runs, marks = arrangement.inscriptions, arrangement.marks
    room, middle = arrangement.room, arrangement.middle
    beside = 0.66 if kind in ("standing", "victory", "owl") else 0.80
    if side != OBVERSE and kind in _TALL and rng.random() < 0.28:
        pair = (
            "SC"
            if arrangement.script == "latin" and rng.random() < 0.6
            else legends.short(rng, arrangement.script)[:2]
        )
        size = letter * float(rng.uniform(0.9, 1.5))
        y = middle + float(rng.uniform(-0.05, 0.3)) * room
        for char, way in zip(pair, (-1, 1), strict=False):
            if char.strip():
                runs = (*runs, Inscription(char, "line", size, x=way * beside * room, y=y))
    elif rng.random() < (0.22 if side == OBVERSE else 0.38):
        what = _MARKS[int(rng.integers(len(_MARKS)))]
        where = float(rng.choice([-1, 1]))
        spot = (where * beside * room, middle + float(rng.uniform(-0.35, 0.45)) * room)
        marks = (*marks, Mark(what, *spot, float(rng.uniform(0.045, 0.085))))
        if rng.random() < 0.3:
            other = _MARKS[int(rng.integers(len(_MARKS)))]
            spot = (-where * beside * room, middle + float(rng.uniform(-0.3, 0.4)) * room)
            marks = (*marks, Mark(other, *spot, float(rng.uniform(0.045, 0.085))))
    return replace(arrangement, inscriptions=runs, marks=marks)


_MARKS = (
    "star",
    "crescent",
    "pellet",
    "monogram",
    "letter",
    "branch",
    "bolt",
    "ring",
    "club",
    "grapes",
)


def _halves(text: str) -> tuple[str, str]:
    blanks = [i for i, c in enumerate(text) if c == " "]
    if not blanks:
        return text, ""
    cut = min(blanks, key=lambda i: abs(i - len(text) / 2))
    return text[:cut], text[cut + 1 :]


def inscribe(
    sheet: Sheet, engraver: Engraver, punches: Punches, inscriptions: tuple[Inscription, ...]
) -> None:
    """Punch all inscriptions of a type on a sheet."""
    for number, i in enumerate(inscriptions):
        height = 0.010 + 0.14 * i.letter
        if i.run in ("outward", "inward"):
            circular(sheet, punches, i.text, i.radius, i.start, i.letter, height, str(number),
                     i.run == "inward", i.span)  # fmt: skip
        else:
            linear(sheet, punches, i.text, i.x, i.y, i.letter, height, str(number), i.angle,
                   i.run == "stacked", i.span)  # fmt: skip
