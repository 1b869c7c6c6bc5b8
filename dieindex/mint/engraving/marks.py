"""Small signs in the field: stars, crescents, monograms, controls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from dieindex.mint.engraving.engraver import Engraver, Frame, Pen
from dieindex.mint.engraving.lettering import Punches
from dieindex.mint.engraving.sheet import Sheet

_GREEK = "ΑΒΓΔΕΗΘΚΛΜΝΠΡΣΤΥΦΧΩ"
_STEMS = "ΗΜΝΠΤΚ"


def draw_mark(
    sheet: Sheet, engraver: Engraver, punches: Punches, what: str, x: float, y: float, size: float,
    name: str,
) -> None:  # fmt: skip
    """Engrave one sign of half height ``size`` at (x, y); raises KeyError if it is unknown."""
    t, rng = engraver.type_rng("mark", name), engraver.die_rng("mark", name)
    slip = engraver.distance
    frame = Frame(
        float(x + rng.normal(0, 0.014 * slip)), float(y + rng.normal(0, 0.014 * slip)),
        size * float(np.exp(rng.normal(0, 0.07 * slip))), float(rng.normal(0, 0.10 * slip)),
    )  # fmt: skip
    if what in ("monogram", "letter"):
        ((px, py),) = engraver.warp(np.array([[frame.x, frame.y]]))
        frame = replace(frame, x=float(px), y=float(py))
        _letters(sheet, punches, t, rng, frame, 2 if what == "monogram" else 1)
        return
    pen = Pen(engraver, sheet, frame, rng, shake=0.03, lift=engraver.depth)
    MARKS[what](pen, t)


def _letters(
    sheet: Sheet,
    punches: Punches,
    t: np.random.Generator,
    rng: np.random.Generator,
    at: Frame,
    count: int,
) -> None:
    letters = [_STEMS[int(t.integers(len(_STEMS)))], _GREEK[int(t.integers(len(_GREEK)))]][-count:]
    for k, letter in enumerate(letters):
        scale = 2.0 * at.scale * (1.0 if k == 0 else 0.62)
        shift = 0.0 if k == 0 else float(t.uniform(-0.5, 0.5)) * at.scale
        frame = Frame(at.x + shift, at.y - (0 if k == 0 else 0.3 * at.scale), scale, at.angle)
        punches.strike(sheet, letter, frame, rng, 0.014 + 0.12 * at.scale)


def _star(pen: Pen, t: np.random.Generator) -> None:
    rays = int(t.choice([5, 6, 6, 8]))
    for k in range(rays):
        a = -np.pi / 2 + 2 * np.pi * k / rays + pen.rng.normal(0, 0.06)
        pen.stroke([(0, 0), (np.cos(a), np.sin(a))], [0.20, 0.10], 0.34)
    pen.dot(0, 0, 0.24, 0.40)


def _crescent(pen: Pen, t: np.random.Generator) -> None:
    a = np.linspace(-0.25, np.pi + 0.25, 9)
    pen.stroke(
        np.stack([0.85 * np.cos(a), 0.85 * np.sin(a) - 0.3], 1),
        [0.05, 0.24, 0.36, 0.24, 0.05],
        0.36,
    )
    if t.random() < 0.5:
        pen.dot(0, -0.35, 0.22, 0.34)


def _pellet(pen: Pen, t: np.random.Generator) -> None:
    for k in range(int(t.integers(1, 4))):
        pen.dot(0.0, 0.75 * k - 0.4, 0.34, 0.40)


def _branch(pen: Pen, t: np.random.Generator) -> None:
    pen.stroke([(0.05, 1.3), (0, 0), (-0.05, -1.3)], 0.10, 0.32)
    for y in np.linspace(-1.1, 0.8, 5):
        for side in (-1, 1):
            pen.stroke([(0, y + 0.2), (0.55 * side, y - 0.25)], [0.16, 0.05], 0.32)


def _bolt(pen: Pen, t: np.random.Generator) -> None:
    for side in (-1, 1):
        for lean in (-0.35, 0.0, 0.35):
            pen.stroke([(0, 0.1 * side), (lean, 1.1 * side)], [0.18, 0.06], 0.32)
    pen.dot(0, 0, 0.26, 0.38)


def _ring(pen: Pen, t: np.random.Generator) -> None:
    a = np.linspace(0, 2 * np.pi, 13)
    pen.stroke(np.stack([0.7 * np.cos(a), 0.7 * np.sin(a)], 1), 0.16, 0.30)
    if t.random() < 0.6:
        pen.dot(0, 0, 0.24, 0.34)


def _club(pen: Pen, t: np.random.Generator) -> None:
    pen.stroke([(0, 1.4), (0, -0.3), (0.05, -1.3)], [0.12, 0.22, 0.36], 0.40)
    for y in (-1.0, -0.5, 0.0):
        pen.dot(0.14 * (1 if y < -0.7 else -1), y, 0.12, 0.46)


def _grapes(pen: Pen, t: np.random.Generator) -> None:
    for row, count in enumerate((3, 4, 3, 2, 1)):
        for k in range(count):
            pen.dot(0.42 * (k - (count - 1) / 2), -0.6 + 0.38 * row, 0.24, 0.36)
    pen.stroke([(0, -0.8), (0.1, -1.3)], 0.10, 0.30)


MARKS: dict[str, Callable[[Pen, np.random.Generator], None]] = {
    "star": _star, "crescent": _crescent, "pellet": _pellet, "branch": _branch, "bolt": _bolt,
    "ring": _ring, "club": _club, "grapes": _grapes,
}  # fmt: skip
