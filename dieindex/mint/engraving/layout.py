"""Where legends, border and motif of a type stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from dieindex.mint.engraving import words
from dieindex.mint.engraving.borders import BORDERS, Border
from dieindex.mint.engraving.engraver import Engraver
from dieindex.mint.engraving.lettering import Alphabet, Punches, circular, linear
from dieindex.mint.engraving.sheet import Sheet
from dieindex.records import OBVERSE, Side

Run = Literal["outward", "inward", "line", "stacked"]


@dataclass(frozen=True)
class Inscription:
    """One run of letters. ``outward`` and ``inward`` run along a circle, see lettering.circular."""

    text: str
    run: Run
    letter: float
    radius: float = 0.0
    start: float = 0.0
    span: float | None = None
    x: float = 0.0
    y: float = 0.0
    angle: float = 0.0


@dataclass(frozen=True)
class Plan:
    """What layout decides for a type."""

    script: words.Script
    alphabet: Alphabet
    inscriptions: tuple[Inscription, ...]
    border: Border
    border_radius: float
    room: float


def sample(rng: np.random.Generator, side: Side, kind: str) -> Plan:
    """Draw a layout."""
    greek = rng.random() < 0.45
    script: words.Script = "greek" if greek else "latin"
    weights = np.array([0.13, 0.36, 0.07, 0.14, 0.03, 0.07, 0.06, 0.09, 0.05])
    border = BORDERS[int(rng.choice(len(BORDERS), p=weights / weights.sum()))]
    border_radius = float(rng.uniform(0.86, 0.98))
    depth = {"none": 0.0, "wreath": 0.12, "double": 0.07, "linear-dots": 0.075}.get(border, 0.035)
    inner = border_radius - depth
    alphabet = Alphabet(
        weight=float(rng.uniform(0.055, 0.10)),
        serif=float(rng.uniform(0.15, 0.9)),
        pellets=bool(greek and rng.random() < 0.55),
        spacing=float(rng.uniform(0.18, 0.36)),
        width=float(rng.uniform(0.85, 1.15)),
        variant=int(rng.integers(0, 4)),
    )
    letter = float(rng.uniform(0.095, 0.16))
    if rng.random() < (0.22 if side == OBVERSE else 0.08):
        return Plan(script, alphabet, (), border, border_radius, inner - 0.01)
    text = (
        words.ruler(rng, script, kind == "veiled")
        if side == OBVERSE
        else words.reverse(rng, script)
    )
    radius = inner - 0.025 - letter / 2
    inscriptions = _around(rng, text, radius, letter)
    return Plan(script, alphabet, inscriptions, border, border_radius, radius - letter / 2 + 0.03)


def _around(
    rng: np.random.Generator, text: str, radius: float, letter: float
) -> tuple[Inscription, ...]:
    natural = 0.85 * letter * len(text) / radius
    span = float(np.clip(natural * rng.uniform(0.95, 1.35), 0.5, 4.9))
    way = rng.random()
    if way < 0.45 or " " not in text:
        middle = -np.pi / 2 + rng.normal(0, 0.25)
        return (Inscription(text, "outward", letter, radius, float(middle - span / 2), span),)
    cut = _halves(text)
    first, second = text[:cut], text[cut + 1 :]
    share = len(first) / len(text)
    gap = float(rng.uniform(0.15, 0.7))
    if way < 0.85:
        top = -np.pi / 2 + rng.normal(0, 0.15)
        left = Inscription(first, "outward", letter, radius, float(top - gap / 2 - span * share), span * share)
        right = Inscription(second, "outward", letter, radius, float(top + gap / 2), span * (1 - share))
        return left, right
    begin = np.pi + rng.normal(0, 0.2)
    return (Inscription(text, "inward", letter, radius, float(begin), span),)


def _halves(text: str) -> int:
    blanks = [i for i, c in enumerate(text) if c == " "]
    return min(blanks, key=lambda i: abs(i - len(text) / 2))


def inscribe(
    sheet: Sheet, engraver: Engraver, punches: Punches, inscriptions: tuple[Inscription, ...]
) -> None:
    """Punch all inscriptions of a type on a sheet."""
    for number, i in enumerate(inscriptions):
        height = 0.026 * (0.6 + 4 * i.letter * 0.8)
        if i.run in ("outward", "inward"):
            circular(sheet, punches, i.text, i.radius, i.start, i.letter, height, str(number),
                     i.run == "inward", i.span)  # fmt: skip
        else:
            linear(sheet, punches, i.text, i.x, i.y, i.letter, height, str(number), i.angle,
                   i.run == "stacked", i.span)  # fmt: skip
