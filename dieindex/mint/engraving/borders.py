"""The border of a die: dots, lines, a wreath, or none."""

from __future__ import annotations

from typing import get_args

import numpy as np

from dieindex.mint.engraving.engraver import Engraver
from dieindex.mint.engraving.sheet import Sheet, spline, xy
from dieindex.mint.parameters import Border
from dieindex.records import Floats

BORDERS: tuple[Border, ...] = get_args(Border)


def draw_border(
    sheet: Sheet, engraver: Engraver, kind: Border, radius: float, height: float
) -> None:
    """Engrave the border at ``radius`` (flan radii)."""
    type_rng, rng = engraver.type_rng("border"), engraver.die_rng("border")
    step = float(type_rng.uniform(0.048, 0.075))
    radius = radius * float(np.exp(rng.normal(0, 0.008 * engraver.distance)))
    height = height * float(np.exp(rng.normal(0, 0.12)))
    ring = _ring(engraver, rng, radius)
    if kind == "dots":
        _dots(sheet, rng, ring, step * float(np.exp(rng.normal(0, 0.06))), 0.36, height)
    elif kind == "pellets":
        _dots(sheet, rng, ring, 1.7 * step * float(np.exp(rng.normal(0, 0.06))), 0.30, height)
    elif kind in ("linear", "double"):
        _line(sheet, rng, ring, 0.012, height)
        if kind == "double":
            _line(sheet, rng, _ring(engraver, rng, radius - 0.05), 0.008, 0.8 * height)
    elif kind == "linear-dots":
        _line(sheet, rng, ring, 0.009, height)
        inner = _ring(engraver, rng, radius - 0.045)
        _dots(sheet, rng, inner, 0.8 * step, 0.36, 0.8 * height)
    elif kind == "wreath":
        _wreath(sheet, rng, ring, 0.105 * float(np.exp(rng.normal(0, 0.05))), height)
    elif kind == "reel":
        _reels(sheet, rng, ring, 1.4 * step, height)
    elif kind == "cable":
        _cable(sheet, rng, ring, 0.9 * step, height)


def draw_exergue(sheet: Sheet, engraver: Engraver, y: float, radius: float) -> None:
    """The line that cuts off the exergue, sometimes double or dotted."""
    t, rng = engraver.type_rng("exergue"), engraver.die_rng("exergue")
    slip = engraver.distance
    y = y + rng.normal(0, 0.008 * slip)
    half = float(np.sqrt(max(radius**2 - y**2, 0.01))) * float(t.uniform(0.86, 0.99))
    tilt = rng.normal(0, 0.012 * slip)
    x = np.linspace(-half, half, 9)
    line = np.stack([x, y + tilt * x + rng.normal(0, 0.0015, 9)], 1)
    kind = t.random()
    height = 0.022 * engraver.depth
    if kind < 0.12:
        _dots(sheet, rng, spline(engraver.warp(line), 6), 0.05, 0.36, height)
        return
    sheet.stroke(engraver.warp(line), float(t.uniform(0.007, 0.016)), height, 0.7)
    if kind > 0.8:
        sheet.stroke(engraver.warp(line + xy(0, 0.035)), 0.008, 0.8 * height, 0.7)


def _ring(engraver: Engraver, rng: np.random.Generator, radius: float) -> Floats:
    """A circle as an engraver draws it: a little eccentric, a little uneven, from any start."""
    slip = engraver.distance
    angle = np.linspace(0, 2 * np.pi, 241) + rng.uniform(0, 2 * np.pi)
    wobble = 0.004 * slip * np.cos(2 * angle + rng.uniform(0, 6.3))
    wobble = wobble + 0.003 * slip * np.cos(3 * angle + rng.uniform(0, 6.3))
    r = radius + wobble
    centre = rng.normal(0, 0.008 * slip, 2)
    return np.asarray(np.stack([r * np.cos(angle), r * np.sin(angle)], 1) + centre)


def _stations(
    rng: np.random.Generator, ring: Floats, step: float, uneven: float
) -> tuple[Floats, Floats]:
    """Positions along the ring about ``step`` apart, and the direction of the ring there."""
    steps = np.hypot(*np.diff(ring, axis=0).T)
    along = np.concatenate([[0], np.cumsum(steps)])
    count = max(8, round(along[-1] / step))
    at = (np.arange(count) + rng.normal(0, uneven, count)) * along[-1] / count
    at = at % along[-1]
    places = np.stack([np.interp(at, along, ring[:, k]) for k in (0, 1)], 1)
    ahead = (at + 0.25 * step) % along[-1]
    nexts = np.stack([np.interp(ahead, along, ring[:, k]) for k in (0, 1)], 1)
    return places, np.arctan2(nexts[:, 1] - places[:, 1], nexts[:, 0] - places[:, 0])


def _dots(
    sheet: Sheet, rng: np.random.Generator, ring: Floats, step: float, share: float, height: float
) -> None:
    places, _ = _stations(rng, ring, step, 0.07)
    for x, y in places + rng.normal(0, 0.0025, places.shape):
        size = share * step * float(np.exp(rng.normal(0, 0.08)))
        sheet.dot(x, y, size, height * float(np.exp(rng.normal(0, 0.12))))


def _line(
    sheet: Sheet, rng: np.random.Generator, ring: Floats, radius: float, height: float
) -> None:
    uneven = np.convolve(rng.normal(0, 1, len(ring) + 20), np.ones(21) / 21, "valid")
    sheet.stroke(ring, radius * (1 + 0.7 * uneven), height * (1 + 0.5 * uneven), 0.8)


def _wreath(
    sheet: Sheet, rng: np.random.Generator, ring: Floats, step: float, height: float
) -> None:
    places, turn = _stations(rng, ring, step, 0.08)
    _line(sheet, rng, ring, 0.007, 0.6 * height)
    middle = len(places) // 2
    for i, ((x, y), angle) in enumerate(zip(places, turn, strict=True)):
        way = angle if i < middle else angle + np.pi
        for side in (-1, 0, 1):
            leaf(sheet, rng, x, y, way + 0.55 * side, 0.9 * step, 0.2 * step, height)


def leaf(
    sheet: Sheet,
    rng: np.random.Generator,
    x: float,
    y: float,
    angle: float,
    length: float,
    width: float,
    height: float,
) -> None:
    """A laurel leaf from its stalk at (x, y), with a ridge along its middle."""
    angle = angle + rng.normal(0, 0.09)
    length = length * float(np.exp(rng.normal(0, 0.08)))
    bend = rng.normal(0, 0.12)
    along = np.linspace(0, 1, 6)
    dx, dy = np.cos(angle), np.sin(angle)
    off = bend * length * along * (1 - along)
    path = np.stack([x + length * along * dx - off * dy, y + length * along * dy + off * dx], 1)
    wide = width * np.array([0.35, 0.9, 1.0, 0.85, 0.5, 0.12])
    sheet.stroke(path, wide, height * np.array([0.7, 1, 1, 0.95, 0.8, 0.5]), 0.7)


def _reels(
    sheet: Sheet, rng: np.random.Generator, ring: Floats, step: float, height: float
) -> None:
    places, turn = _stations(rng, ring, step, 0.06)
    for i, ((x, y), angle) in enumerate(zip(places, turn, strict=True)):
        if i % 2:
            sheet.dot(x, y, 0.32 * step, height)
        else:
            d = 0.3 * step * np.array([np.cos(angle), np.sin(angle)])
            sheet.stroke(np.array([xy(x, y) - d, xy(x, y) + d]), 0.2 * step, height, 0.6)


def _cable(
    sheet: Sheet, rng: np.random.Generator, ring: Floats, step: float, height: float
) -> None:
    places, turn = _stations(rng, ring, step, 0.06)
    for (x, y), angle in zip(places, turn, strict=True):
        way = angle + 0.7
        d = 0.55 * step * np.array([np.cos(way), np.sin(way)])
        b = 0.18 * step * np.array([np.cos(angle), np.sin(angle)])
        path = spline(np.array([xy(x, y) - d - b, xy(x, y), xy(x, y) + d + b]), 3)
        sheet.stroke(path, 0.28 * step, height, 0.6)
