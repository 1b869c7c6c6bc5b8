"""Dies cut with punches: a hand's set of tools, and their setting on a die one by one.

A punch is cut once and serves for every die of its hand: its shape never changes, but for a corner
that breaks off some day. What tells one die from another is where, how straight and how deep each
punch was driven in.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from dieindex.mint.engraving.engraver import Engraver
from dieindex.mint.engraving.sheet import OVERSAMPLING, PIXELS_PER_UNIT, SHEET_SIZE, Sheet, spline
from dieindex.records import Floats, Floats32

Points = Sequence[tuple[float, float]]

_PLACE, _TURN, _DEPTH, _LEAN = 0.0085, 0.050, 0.07, 0.10
"""Spread of one setting at distance 1: flan radii, radians, share of the depth, share of its fall
from one edge of the punch to the other."""
_LEFT_OUT, _TWICE = 0.004, 0.015
_BREAKS = 0.25
"""Chance that a punch loses a corner while its hand is at work."""


@dataclass(frozen=True)
class Shape:
    """The face of a punch about its middle, in shares of its size: ridges and flat forms.

    Each of ``ridges`` is a line with the half width at its first, middle and last point; ``forms``
    are filled contours.
    """

    ridges: tuple[tuple[Points, tuple[float, float, float]], ...] = ()
    forms: tuple[Points, ...] = ()
    curved: bool = True


@dataclass(frozen=True, eq=False)
class Punch:
    """A cut punch: heights of 0…1 on a square of pixels, whole and with a corner off."""

    whole: Floats32
    broken: Floats32
    breaks_at: float
    """When in its hand's working life the corner goes, 0…1; above 1 never."""


class PunchSet:
    """The punches of one hand, each cut the first time it is needed."""

    def __init__(self, engraver: Engraver) -> None:
        self._engraver = engraver
        rng = engraver.hand_rng("tools")
        self._unsteady = float(rng.uniform(0.006, 0.030))
        self._section = float(rng.uniform(0.45, 0.95))
        self._kept: dict[str, Punch] = {}

    def cut(self, name: str, shape: Shape, size: float) -> Punch:
        """The punch of this name; ``size`` (flan radii) and ``shape`` are of its first cutting."""
        if name not in self._kept:
            self._kept[name] = self._new(name, shape, size)
        return self._kept[name]

    def _new(self, name: str, shape: Shape, size: float) -> Punch:
        rng = self._engraver.hand_rng("punch", name)
        size *= float(np.exp(rng.normal(0, 0.03)))
        sheet, reach = Sheet(), 0.0
        unsteady = self._unsteady * min(size, 0.3)
        for points, widths in shape.ridges:
            p = np.array(points, np.float64)
            p = p * size + _wavering(rng, p, unsteady)
            line = spline(p, 5) if shape.curved and len(p) > 2 else _dense(p)
            radius = size * np.interp(np.linspace(0, 1, len(line)), (0, 0.5, 1), widths)
            radius *= np.exp(rng.normal(0, 0.05))
            sheet.stroke(line, radius, 1.0, self._section)
            reach = max(reach, float(np.abs(line).max() + radius.max()))
        for points in shape.forms:
            p = np.array(points, np.float64)
            p = p * size + rng.normal(0, 0.5 * unsteady, p.shape)
            sheet.form(p, 1.0, max(0.10 * size, 0.012), dome=0.35, soften=0.3)
            reach = max(reach, float(np.abs(p).max()) + 0.01)
        half = min(int(np.ceil(reach * PIXELS_PER_UNIT)) + 2, SHEET_SIZE // 2)
        middle = slice(SHEET_SIZE // 2 - half, SHEET_SIZE // 2 + half)
        whole = np.ascontiguousarray(np.clip(sheet.height[middle, middle], 0, 1))
        breaks = float(rng.uniform(0.2, 1.0)) if rng.random() < _BREAKS else 2.0
        return Punch(whole, _chipped(whole, rng), breaks)


def _wavering(rng: np.random.Generator, points: Floats, spread: float) -> Floats:
    """How a hand strays from a line: few turns, however many points describe it."""
    knots = rng.normal(0, spread, (min(len(points), 5), 2))
    if len(points) > 2 and np.array_equal(points[0], points[-1]):
        knots[-1] = knots[0]
    at, turns = np.linspace(0, 1, len(points)), np.linspace(0, 1, len(knots))
    return np.stack([np.interp(at, turns, knots[:, k]) for k in (0, 1)], 1)


def _dense(points: Floats) -> Floats:
    """A line with a point every few pixels, so that widths can vary along it."""
    pieces = [a + (b - a) * np.linspace(0, 1, 5)[:, None] for a, b in itertools.pairwise(points)]
    return np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])])


def _chipped(whole: Floats32, rng: np.random.Generator) -> Floats32:
    """The punch without one of its corners."""
    rows, columns = np.nonzero(whole > 0.3)
    angle, share = rng.uniform(0, 2 * np.pi), rng.uniform(0.04, 0.14)
    along = columns * np.cos(angle) + rows * np.sin(angle)
    limit = np.quantile(along, 1 - share) if len(along) else np.inf
    y, x = np.mgrid[: whole.shape[0], : whole.shape[1]]
    kept = np.clip((limit - (x * np.cos(angle) + y * np.sin(angle))) / (2.0 * OVERSAMPLING), 0, 1)
    return np.asarray(whole * kept, np.float32)


class PunchedDie:
    """A die under the punches of one hand.

    ``slip`` scales how carelessly they are set; ``when`` is the time of this die in the working
    life of its hand.
    """

    def __init__(self, engraver: Engraver, punches: PunchSet, relief: float) -> None:
        self.engraver, self.punches, self.relief = engraver, punches, relief
        self.sheet = Sheet()
        care = float(np.exp(engraver.type_rng("care").uniform(np.log(0.6), np.log(1.7))))
        # Punches alone never make near-copies as alike as a distance near 0 would say.
        self.slip = care * float(np.sqrt(engraver.distance))
        self.when = float(engraver.die_rng("when").random())
        self._rng = engraver.die_rng("settings")

    def part(self, name: str) -> None:
        """What follows has a randomness of its own, so that parts do not disturb each other."""
        self._rng = self.engraver.die_rng("settings", name)

    def stray(self, spread: float) -> float:
        """A number that this die has by hand: normal, ``spread`` at distance 1."""
        return float(self._rng.normal(0, spread * self.slip))

    def set(
        self,
        punch: Punch,
        x: float,
        y: float,
        turn: float = 0.0,
        depth: float = 1.0,
        slip: float = 1.0,
    ) -> None:
        """Drive a punch in at about (x, y), turned by about ``turn``; ``depth`` is against the
        relief of the die."""  # fmt: skip
        rng = self._rng
        dx, dy, spin, deep, fall, way, luck = rng.standard_normal(7)
        again = rng.normal(0, 1, 3)
        chance = float(rng.random())
        if chance < _LEFT_OUT * min(slip, 1.0):
            return
        amount = self.slip * slip
        x, y = x + _PLACE * amount * dx, y + _PLACE * amount * dy
        # What is long is held straighter: its ends would go far astray.
        half = punch.whole.shape[0] / (2 * PIXELS_PER_UNIT)
        turn = turn + _TURN * amount * spin * min(1.0, 0.12 / half)
        height = self.relief * depth * float(np.exp(_DEPTH * deep))
        lean = _LEAN * fall * np.array([np.cos(3 * way), np.sin(3 * way)])
        self._stamp(punch, x, y, turn, height, lean)
        if chance > 1 - _TWICE * min(slip, 1.0):
            shift = 0.022 * again[:2]
            share = float(np.clip(0.75 + 0.1 * luck, 0.4, 1.0))
            self._stamp(
                punch, x + shift[0], y + shift[1], turn + 0.08 * again[2], share * height, lean
            )

    def _stamp(
        self, punch: Punch, x: float, y: float, turn: float, height: float, lean: Floats
    ) -> None:
        shape = punch.broken if self.when > punch.breaks_at else punch.whole
        half = shape.shape[0] // 2
        (px, py) = Sheet.pixels(np.array([[x, y]]))[0]
        reach = int(np.ceil(half * (abs(np.cos(turn)) + abs(np.sin(turn))))) + 1
        x0, y0 = max(int(px) - reach, 0), max(int(py) - reach, 0)
        x1, y1 = min(int(px) + reach + 2, SHEET_SIZE), min(int(py) + reach + 2, SHEET_SIZE)
        if x1 <= x0 or y1 <= y0:
            return
        c, s = float(np.cos(turn)), float(np.sin(turn))
        m = half - 0.5
        place = np.array([[c, -s, px - x0 - c * m + s * m], [s, c, py - y0 - s * m - c * m]])
        seen = cv2.warpAffine(shape, place, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
        gx = (np.arange(x0, x1, dtype=np.float32) - np.float32(px)) / np.float32(half)
        gy = (np.arange(y0, y1, dtype=np.float32) - np.float32(py)) / np.float32(half)
        tilt = 1 + np.float32(lean[0]) * gx[None, :] + np.float32(lean[1]) * gy[:, None]
        view = self.sheet.height[y0:y1, x0:x1]
        np.maximum(view, seen * (np.float32(height) * tilt), out=view)

    def ring(self, kind: str, radius: float, step: float, depth: float = 0.8) -> None:
        """A circle drawn with compasses and gone over: a line, beads, a cable, or both."""
        rng = self._rng
        radius += self.stray(0.007)
        cx, cy = self.stray(0.006), self.stray(0.006)
        squeeze, at = self.stray(0.006), float(rng.uniform(0, np.pi))

        def place(angle: Floats) -> Floats:
            r = radius * (1 + squeeze * np.cos(2 * (angle - at)))
            return np.stack([cx + r * np.cos(angle), cy + r * np.sin(angle)], 1)

        if kind in ("line", "beaded line"):
            angle = np.linspace(0, 2 * np.pi, 181) + rng.uniform(0, 6.28)
            uneven = np.convolve(rng.normal(0, 1, 201), np.ones(21) / 21, "valid")
            thin = 0.16 if kind == "line" else 0.10
            self.sheet.stroke(
                place(angle), thin * step * (1 + 0.6 * uneven), self.relief * depth * 0.8, 0.8
            )
        if kind == "line":
            return
        bead = self.punches.cut(f"bead {kind}", bead_shape(kind), step)
        count = max(12, round(2 * np.pi * radius / (step * (1 + self.stray(0.03)))))
        # An engraver goes round by eye: his spacing drifts, and closes where he began.
        gaps = np.exp(rng.normal(0, 0.05, count) + 0.06 * np.cos(np.arange(count) * (6.28 / count)))
        angles = rng.uniform(0, 6.28) + np.cumsum(gaps) * (2 * np.pi / gaps.sum())
        for angle, (x, y) in zip(angles, place(angles), strict=True):
            self.set(bead, float(x), float(y), float(angle) + np.pi / 2, depth, slip=0.25)


def bead_shape(kind: str) -> Shape:
    """One bead of a ring, or one strand of a cable, along the ring."""
    if kind == "cable":
        return Shape(ridges=((((-0.42, -0.42), (0.42, 0.42)), (0.20, 0.26, 0.20)),))
    if kind == "long beads":
        return Shape(ridges=((((0.0, -0.5), (0.0, 0.5)), (0.26, 0.32, 0.26)),))
    return Shape(ridges=((((0.0, 0.0), (0.02, 0.0)), (0.42, 0.42, 0.42)),))


# ---------------------------------------------------------------------------- common tools


def bar(width: float, flare: float = 0.0) -> Shape:
    """A straight bar along x, one long; ``flare`` swells its ends."""
    ends = width * (1 + flare)
    return Shape(
        ridges=((((-0.5, 0.0), (0.0, 0.0), (0.5, 0.0)), (ends, width, ends)),), curved=False
    )


def wedge(narrow: float, wide: float) -> Shape:
    """From a narrow end at −x to a flat wide one at +x, its sides hollow."""
    along = np.linspace(-0.5, 0.5, 7)
    half = narrow + (wide - narrow) * np.linspace(0, 1, 7) ** 1.8
    upper = [(float(x), float(-h)) for x, h in zip(along, half, strict=True)]
    lower = [(float(x), float(h)) for x, h in zip(along[::-1], half[::-1], strict=True)]
    return Shape(forms=((*upper, *lower),))


def annulet(width: float) -> Shape:
    """A ring, its radius one half less its width."""
    a, r = np.linspace(0, 2 * np.pi, 17), 0.5 - width
    ring = tuple((float(r * np.cos(t)), float(r * np.sin(t))) for t in a)
    return Shape(ridges=((ring, (width, width, width)),))


def crescent(width: float, opening: float = 0.9) -> Shape:
    """Horns toward −y."""
    a = np.linspace(-np.pi / 2 + opening, 1.5 * np.pi - opening, 13)
    arc = tuple((float(0.4 * np.cos(t)), float(0.4 * np.sin(t))) for t in a)
    return Shape(ridges=((arc, (0.25 * width, width, 0.25 * width)),))


def pellet() -> Shape:
    return Shape(ridges=((((0.0, 0.0), (0.01, 0.0)), (0.5, 0.5, 0.5)),))


def star(rays: int, width: float = 0.10) -> Shape:
    a = [2 * np.pi * k / rays - np.pi / 2 for k in range(rays)]
    lines = tuple(
        (
            ((0.0, 0.0), (float(0.5 * np.cos(t)), float(0.5 * np.sin(t)))),
            (width, 0.7 * width, 0.4 * width),
        )
        for t in a
    )
    return Shape(ridges=lines, curved=False)


def lily() -> Shape:
    """A fleur-de-lis standing on its foot."""
    return Shape(
        ridges=(
            (((0.0, 0.45), (0.0, 0.0), (0.0, -0.5)), (0.06, 0.13, 0.03)),
            (((0.0, 0.2), (0.22, -0.15), (0.42, -0.18), (0.40, 0.05)), (0.05, 0.10, 0.05)),
            (((0.0, 0.2), (-0.22, -0.15), (-0.42, -0.18), (-0.40, 0.05)), (0.05, 0.10, 0.05)),
            (((-0.2, 0.2), (0.0, 0.2), (0.2, 0.2)), (0.05, 0.06, 0.05)),
        )
    )


def curve(points: Points, *widths: float) -> Shape:
    """One curved ridge."""
    first, middle, last = widths
    return Shape(ridges=((tuple(points), (first, middle, last)),))
