"""Legends: letters punched one by one along a circle or a line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dieindex.mint.engraving.engraver import Engraver, Frame
from dieindex.mint.engraving.glyphs import Glyph, variants
from dieindex.mint.engraving.sheet import Sheet, spline
from dieindex.mint.parameters import Alphabet
from dieindex.records import Floats

_SPACE = 0.55


class Punches:
    """The letter punches of one hand: each letter's strokes with that hand's own proportions."""

    def __init__(self, engraver: Engraver, alphabet: Alphabet) -> None:
        self.engraver = engraver
        rng = engraver.hand_rng("alphabet")
        self.alphabet = replace(
            alphabet,
            weight=alphabet.weight * float(np.exp(rng.normal(0, 0.12))),
            serif=alphabet.serif * float(np.exp(rng.normal(0, 0.25))),
            spacing=alphabet.spacing * float(np.exp(rng.normal(0, 0.1))),
            width=alphabet.width * float(np.exp(rng.normal(0, 0.06))),
        )
        self._cut: dict[str, Glyph] = {}

    def glyph(self, letter: str) -> Glyph:
        """The punch of a letter, cut the first time it is needed."""
        if letter not in self._cut:
            self._cut[letter] = self._new(letter)
        return self._cut[letter]

    def _new(self, letter: str) -> Glyph:
        forms = variants(letter)
        rng = self.engraver.hand_rng("punch", letter)
        pick = self.alphabet.variant if rng.random() > 0.12 else int(rng.integers(len(forms)))
        width, strokes = forms[pick % len(forms)]
        stretch = self.alphabet.width * float(np.exp(rng.normal(0, 0.07)))
        slant = rng.normal(0, 0.05)
        cut = []
        for curved, points in strokes:
            p = np.array(points) * [stretch, 1.0]
            p = p + rng.normal(0, 0.022, p.shape)
            p[:, 0] += slant * (0.5 - p[:, 1])
            cut.append((curved, tuple((float(x), float(y)) for x, y in p)))
        return width * stretch, tuple(cut)

    def advance(self, letter: str) -> float:
        """Width of a letter with its space, letter heights."""
        if letter == " ":
            return _SPACE
        return self.glyph(letter)[0] + self.alphabet.spacing

    def strike(
        self, sheet: Sheet, letter: str, at: Frame, rng: np.random.Generator, height: float
    ) -> None:
        """Drive one letter into the die; ``at`` maps the letter's box (centre at 0) to the die."""
        width, strokes = self.glyph(letter)
        slip = self.engraver.distance
        alphabet = self.alphabet
        weight = alphabet.weight * float(np.exp(rng.normal(0, 0.10)))
        for curved, points in strokes:
            p = np.array(points) - [width / 2, 0.5]
            p += rng.normal(0, 0.012 * slip, p.shape)
            line = spline(p, 5) if curved else _straight(p)
            n = len(line)
            t = np.linspace(-1, 1, n)
            swell = alphabet.serif * np.abs(t) ** 4
            if curved and np.hypot(*(line[0] - line[-1])) < 0.1:
                swell = 0.25 * np.cos(2 * np.pi * t + rng.normal(0, 0.4)) + 0 * t
            radius = weight * (1 + swell) * (1 + rng.normal(0, 0.06))
            deep = height * (0.9 + 0.1 * np.abs(t)) * (1 + rng.normal(0, 0.07))
            path = at(line)
            sheet.stroke(path, at.scale * radius, deep, power=0.8)
            if alphabet.pellets:
                for end in (path[0], path[-1]):
                    sheet.dot(end[0], end[1], at.scale * weight * 1.75, height * 1.12, power=0.6)


def _straight(points: Floats) -> Floats:
    pieces = [
        points[i] + (points[i + 1] - points[i]) * np.linspace(0, 1, 5)[:, None]
        for i in range(len(points) - 1)
    ]
    return np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])])


def circular(
    sheet: Sheet,
    punches: Punches,
    text: str,
    radius: float,
    start: float,
    letter: float,
    height: float,
    name: str,
    inward: bool = False,
    span: float | None = None,
) -> None:
    """Punch ``text`` along a circle around the die's centre.

    ``start`` is the angle of the first letter in radians, clockwise from the right as y runs down.
    Letters stand outward and run clockwise; with ``inward`` their tops face the centre and the
    text runs counter-clockwise. ``letter`` is the letter height; where ``span`` (radians) is given
    the letters are spread over it, as an engraver fills the room he has.
    """
    engraver = punches.engraver
    rng = engraver.die_rng("legend", name)
    slip = engraver.distance
    steps = np.array([punches.advance(c) for c in text]) * letter / radius
    steps *= np.exp(rng.normal(0, 0.035 * slip, len(steps)))
    if span is not None and steps.sum() > 0:
        letter = letter * float(np.clip(span / steps.sum(), 0.7, 1.12))
        steps *= span / steps.sum()
    ends = np.cumsum(steps)
    sign = -1.0 if inward else 1.0
    begin = start + rng.normal(0, 0.018 * slip) * sign
    drift = rng.normal(0, 0.010 * slip)
    for c, end, step in zip(text, ends, steps, strict=True):
        if c == " ":
            continue
        angle = begin + sign * (end - step / 2)
        r = radius + drift * (end / max(ends[-1], 1e-6) - 0.5) + rng.normal(0, 0.006 * slip)
        size = letter * float(np.exp(rng.normal(0, 0.035 * slip)))
        turn = angle + sign * np.pi / 2 + rng.normal(0, 0.05 * slip)
        # Legends are set out along a drawn circle: the hand's error runs along it.
        out = np.array([np.cos(angle), np.sin(angle)])
        off = engraver.warp(r * out[None])[0] - r * out
        x, y = r * out + off - 0.8 * (off @ out) * out
        at = Frame(float(x), float(y), size, float(turn))
        deep = height * engraver.depth * float(np.exp(rng.normal(0, 0.08)))
        punches.strike(sheet, c, at, rng, deep)


def linear(
    sheet: Sheet,
    punches: Punches,
    text: str,
    x: float,
    y: float,
    letter: float,
    height: float,
    name: str,
    angle: float = 0.0,
    stacked: bool = False,
    span: float | None = None,
) -> None:
    """Punch ``text`` along a straight line centred on (x, y), or one letter below another."""
    engraver = punches.engraver
    rng = engraver.die_rng("line", name)
    slip = engraver.distance
    if stacked:
        steps = np.full(len(text), 1.25 * letter)
    else:
        steps = np.array([punches.advance(c) for c in text]) * letter
    if span is not None and steps.sum() > span:
        letter *= max(0.6, span / steps.sum())
        steps *= span / steps.sum()
    steps = steps * np.exp(rng.normal(0, 0.04 * slip, len(steps)))
    places = np.cumsum(steps) - steps / 2 - steps.sum() / 2
    c, s = np.cos(angle), np.sin(angle)
    x += rng.normal(0, 0.008 * slip)
    y += rng.normal(0, 0.008 * slip)
    tilt = rng.normal(0, 0.03 * slip)
    for char, place in zip(text, places, strict=True):
        if char == " ":
            continue
        along, across = (0.0, place) if stacked else (place, place * tilt)
        across += rng.normal(0, 0.004 * slip)
        ((px, py),) = engraver.warp(
            np.array([[x + c * along - s * across, y + s * along + c * across]])
        )
        at = Frame(
            float(px),
            float(py),
            letter * float(np.exp(rng.normal(0, 0.035 * slip))),
            float(angle + rng.normal(0, 0.05 * slip)),
        )
        deep = height * engraver.depth * float(np.exp(rng.normal(0, 0.08)))
        punches.strike(sheet, char, at, rng, deep)
