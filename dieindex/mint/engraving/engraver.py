"""One engraver at work on one die: his randomness, his frame, his way of moving every contour."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from dieindex.mint.engraving.randomness import Field, Straying, stable_rng
from dieindex.mint.engraving.sheet import Mode, Sheet, spline
from dieindex.records import Floats

PointsLike = npt.ArrayLike | Sequence[object]
"""Positions, also as a list that mixes pairs of numbers and arrays."""

_WAVES = 10
_WARP = 0.033
"""Spread of the smooth displacement of a die against its type, flan radii, at distance 1."""


@dataclass(frozen=True, eq=False)
class Warp:
    """A smooth displacement of the die frame: a few random waves in each coordinate."""

    wave: Floats
    phase: Floats
    gain: Floats

    @classmethod
    def sample(cls, rng: np.random.Generator, spread: float) -> Warp:
        wave = rng.normal(0.0, 2.6, (_WAVES, 2))
        phase = rng.uniform(0, 2 * np.pi, _WAVES)
        gain = rng.normal(0.0, spread * np.sqrt(2 / _WAVES), (_WAVES, 2))
        return cls(wave, phase, gain)

    def __call__(self, points: Floats) -> Floats:
        return np.asarray(points + np.cos(points @ self.wave.T + self.phase) @ self.gain)


@dataclass(frozen=True)
class Frame:
    """A similarity from a motif's own coordinates to the die frame, with optional mirroring."""

    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0
    angle: float = 0.0
    mirror: bool = False

    def __call__(self, points: npt.ArrayLike) -> Floats:
        p = np.array(points, np.float64).reshape(-1, 2)
        if self.mirror:
            p[:, 0] = -p[:, 0]
        c, s = np.cos(self.angle), np.sin(self.angle)
        turned = p @ np.array([[c, s], [-s, c]])
        return np.asarray(turned * self.scale + [self.x, self.y])


class Engraver:
    """Everything random in one execution of a type.

    ``type_rng`` samples what all dies of the type share, ``hand_rng`` what dies of one hand share,
    ``die_rng`` what this die alone has; each is keyed by the name of the element, so that elements
    do not disturb each other. ``distance`` scales how far the die strays from the type.
    """

    def __init__(
        self, type_key: str, die_key: str, hand_key: str, distance: float, state: int
    ) -> None:
        self.type_key, self.die_key, self.hand_key = type_key, die_key, hand_key
        self.distance, self.state = distance, state
        self.exergue = False
        """Whether the type has a line of its own under the scene."""
        own = Warp.sample(self.die_rng("warp"), _WARP * distance)
        if hand_key == die_key:
            self._warps: tuple[Warp, ...] = (own,)
        else:
            # A hand has its own idea of the type; its dies then differ by ``distance``.
            self._warps = (Warp.sample(self.hand_rng("warp"), _WARP), own)
        self.depth = float(np.exp(self.die_rng("depth").normal(0, 0.10 * min(distance, 2.0))))

    def part(self, name: str) -> Engraver:
        """The same engraver at the same die, on a part with a randomness of its own."""
        twin = copy.copy(self)
        twin.type_key, twin.die_key = f"{self.type_key}#{name}", f"{self.die_key}#{name}"
        return twin

    def type_rng(self, *name: object) -> np.random.Generator:
        return stable_rng("type", self.type_key, *name)

    def hand_rng(self, *name: object) -> np.random.Generator:
        return stable_rng("hand", self.hand_key, *name)

    def die_rng(self, *name: object) -> np.random.Generator:
        return stable_rng("die", self.die_key, *name)

    @property
    def own(self) -> float:
        """Share (0…1) of this die's details that follow no model: 0.7 at distance 1."""
        return float(1 - np.exp(-1.2 * self.distance))

    def straying_rng(self, *name: object) -> np.random.Generator:
        """Samples near those of the type, or of the hand where dies share one."""
        model = ("type", self.type_key, *name)
        if self.hand_key != self.die_key:
            model = ("hand", self.hand_key, self.type_key, *name)
        return Straying(model, ("die", self.die_key, *name), self.own)

    def field(self, name: str, length: float) -> Field:
        """A field of standard deviates over a motif, varying over about ``length``."""
        return Field(self.type_rng("field", name), self.die_rng("field", name), self.own, length)

    def warp(self, points: Floats) -> Floats:
        """Move positions of the die frame as this engraver misplaces them."""
        for warp in self._warps:
            points = warp(points)
        return points


@dataclass
class Pen:
    """Engraves a motif given in its own coordinates on a sheet.

    Lengths and heights are in the motif's units; every contour is moved by the engraver's warp and
    by a small jitter of its own (``shake``, in motif units at distance 1).
    """

    engraver: Engraver
    sheet: Sheet
    frame: Frame
    rng: np.random.Generator
    shake: float = 0.006
    lift: float = 1.0
    warp: bool = field(default=True)

    def on(self, sheet: Sheet) -> Pen:
        """The same pen over another sheet."""
        return replace(self, sheet=sheet)

    def at(self, x: float, y: float, scale: float = 1.0, angle: float = 0.0) -> Pen:
        """A pen for a part whose origin, size and turn are given in this pen's units."""
        (ox, oy), (ax, ay) = self.frame([[x, y], [x + np.cos(angle), y + np.sin(angle)]])
        turn = float(np.arctan2(ay - oy, ax - ox))
        if self.frame.mirror:
            turn -= np.pi
        part = Frame(float(ox), float(oy), self.frame.scale * scale, turn, self.frame.mirror)
        return replace(self, frame=part, shake=self.shake / max(scale, 0.2))

    def place(self, points: PointsLike, shake: float | None = None) -> Floats:
        """Control points in the die frame, each moved as by hand."""
        p = np.asarray(points, np.float64).reshape(-1, 2)
        amount = (self.shake if shake is None else shake) * self.engraver.distance
        if amount > 0:
            p = p + self.rng.normal(0, 0.8 * amount, 2) + self.rng.normal(0, amount, p.shape)
        moved = self.frame(p)
        return self.engraver.warp(moved) if self.warp else moved

    def stroke(
        self,
        points: PointsLike,
        radius: npt.ArrayLike,
        height: npt.ArrayLike,
        power: float = 1.0,
        mode: Mode = "max",
        curve: bool = True,
        shake: float | None = None,
    ) -> None:
        """A stroke through control points; radius and height are interpolated along it."""
        p = self.place(points, shake)
        line = spline(p, 6) if curve and len(p) > 2 else p
        n = len(line)
        at = np.linspace(0, 1, n)
        self.sheet.stroke(
            line,
            self.frame.scale * _along(radius, at),
            self.frame.scale * self.lift * _along(height, at),
            power,
            mode,
        )

    def strokes(
        self,
        paths: Floats,
        radius: Floats,
        height: Floats,
        taper: tuple[float, ...] = (0.5, 0.95, 1.0, 0.8, 0.25),
        power: float = 0.8,
    ) -> None:
        """Many strokes ``(m, n, 2)`` at once, of half widths and heights ``(m,)``, tapering alike.

        Heights fall less than widths towards the ends.
        """
        if len(paths) == 0:
            return
        m, n, _ = paths.shape
        moved = self.frame(paths.reshape(-1, 2))
        if self.warp:
            moved = self.engraver.warp(moved)
        shape = _along(taper, np.linspace(0, 1, n))
        s = self.frame.scale
        self.sheet.strokes(
            moved.reshape(m, n, 2),
            s * np.broadcast_to(radius, (m,))[:, None] * shape,
            s * self.lift * np.broadcast_to(height, (m,))[:, None] * (0.35 + 0.65 * shape),
            power,
        )

    def form(
        self,
        points: PointsLike,
        height: float,
        edge: float,
        dome: float = 0.5,
        soften: float = 0.25,
        mode: Mode = "max",
        curve: bool = True,
        shake: float | None = None,
        slope: tuple[float, float] | None = None,
    ) -> None:
        """A filled form through control points."""
        p = self.place(points, shake)
        line = spline(p, 8, closed=True) if curve else p
        s = self.frame.scale
        tilt = None
        if slope is not None:
            tilt = (self.frame(np.array([slope])) - self.frame([[0, 0]]))[0] / s**2
        self.sheet.form(line, s * self.lift * height, s * edge, dome, soften, mode, tilt)

    def contour(self, points: PointsLike, curve: bool = True) -> Floats:
        """A closed contour in the die frame, for masks."""
        p = self.place(points)
        return spline(p, 8, closed=True) if curve else p

    def bump(
        self, x: float, y: float, sx: float, sy: float, height: float, angle: float = 0.0
    ) -> None:
        """A swelling or hollow."""
        (px, py), (qx, qy) = self.place(
            [[x, y], [x + 0.05 * np.cos(angle), y + 0.05 * np.sin(angle)]], shake=0.0
        )
        turn = float(np.arctan2(qy - py, qx - px))
        s = self.frame.scale
        self.sheet.bump(float(px), float(py), s * sx, s * sy, s * self.lift * height, turn)

    def dot(self, x: float, y: float, radius: float, height: float, power: float = 0.5) -> None:
        """A round pellet."""
        ((px, py),) = self.place([[x, y]])
        s = self.frame.scale
        self.sheet.dot(float(px), float(py), s * radius, s * self.lift * height, power)


def _along(value: npt.ArrayLike, at: Floats) -> Floats:
    v = np.asarray(value, np.float64).reshape(-1)
    return np.interp(at, np.linspace(0, 1, len(v)), v)
