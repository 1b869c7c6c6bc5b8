"""Letters of coins cut with punches: broad medieval capitals, and a connected Arabic hand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dieindex.mint.engraving.glyphs import Glyph, Stroke, variants
from dieindex.mint.engraving.punches import Punch, PunchedDie, Shape, bar, wedge
from dieindex.mint.engraving.sheet import spline
from dieindex.mint.parameters import Alphabet
from dieindex.records import Floats


def _l(*points: tuple[float, float]) -> Stroke:
    return False, points


def _c(*points: tuple[float, float]) -> Stroke:
    return True, points


_MOON = _c((0.62, 0.12), (0.36, 0.0), (0.1, 0.16), (0, 0.5), (0.1, 0.84), (0.36, 1), (0.62, 0.88))

_ROUND: Mapping[str, Glyph] = {
    "A": (
        0.8,
        (
            _l((0, 1), (0.34, 0)),
            _l((0.46, 0), (0.8, 1)),
            _l((0.12, 0), (0.68, 0)),
            _l((0.16, 0.6), (0.64, 0.6)),
        ),
    ),
    "C": (0.66, (_MOON, _l((0.64, 0.05), (0.64, 0.95)))),
    "D": (
        0.7,
        (
            _c(
                (0.1, 0.05),
                (0.5, 0.3),
                (0.7, 0.65),
                (0.35, 1.0),
                (0, 0.7),
                (0.3, 0.38),
                (0.6, 0.45),
            ),
        ),
    ),
    "E": (0.66, (_MOON, _l((0.1, 0.5), (0.6, 0.5)), _l((0.64, 0.05), (0.64, 0.95)))),
    "H": (0.66, (_l((0.08, 0), (0.08, 1)), _c((0.08, 0.5), (0.4, 0.36), (0.62, 0.6), (0.56, 1.0)))),
    "M": (
        1.0,
        (
            _l((0.5, 0.05), (0.5, 1)),
            _c((0.5, 0.08), (0.2, 0.12), (0.04, 0.5), (0.12, 0.9), (0.3, 1)),
            _c((0.5, 0.08), (0.8, 0.12), (0.96, 0.5), (0.88, 0.9), (0.7, 1)),
        ),
    ),
    "N": (0.7, (_l((0.08, 0), (0.08, 1)), _c((0.08, 0.16), (0.44, 0.02), (0.66, 0.3), (0.6, 1.0)))),
    "T": (
        0.68,
        (
            _l((0.0, 0.06), (0.68, 0.06)),
            _c((0.36, 0.1), (0.1, 0.4), (0.1, 0.75), (0.36, 1), (0.62, 0.86)),
        ),
    ),
    "V": (
        0.7,
        (
            _l((0.08, 0), (0.08, 0.7)),
            _c((0.06, 0.6), (0.12, 0.95), (0.36, 1.0), (0.58, 0.9)),
            _l((0.62, 0), (0.62, 1)),
        ),
    ),
}
"""Forms that broaden into curves, as they came into use in the twelfth century."""

SIGNS: Mapping[str, Glyph] = {
    "+": (
        0.8,
        (
            _l((0.4, 0.5), (0.4, 0.06)),
            _l((0.4, 0.5), (0.84, 0.5)),
            _l((0.4, 0.5), (0.4, 0.94)),
            _l((0.4, 0.5), (-0.04, 0.5)),
        ),
    ),
    ":": (0.2, (_l((0.1, 0.28), (0.1, 0.30)), _l((0.1, 0.74), (0.1, 0.76)))),
    "°": (0.3, (_c((0.15, 0.36), (0.01, 0.5), (0.15, 0.64), (0.29, 0.5), (0.15, 0.36)),)),
}


class Letters:
    """The letter punches of one hand at one height (flan radii).

    ``composed`` letters are put together from bars, wedges and curves, as most deniers have them;
    others are one punch each.
    """

    def __init__(
        self, die: PunchedDie, alphabet: Alphabet, height: float, composed: bool, rounded: float
    ) -> None:
        self.die, self.alphabet, self.height, self.composed = die, alphabet, height, composed
        t = die.engraver.type_rng("forms of letters")
        self._round = {letter for letter in sorted(_ROUND) if t.random() < rounded}

    def advance(self, letter: str) -> float:
        """Width of a letter with its space, letter heights."""
        return (
            0.5
            if letter == " "
            else self._glyph(letter)[0] * self.alphabet.width + self.alphabet.spacing
        )

    def set(self, letter: str, x: float, y: float, turn: float, depth: float = 1.0) -> None:
        """Punch a letter centred at (x, y), its head toward −y before it is turned."""
        if letter == " ":
            return
        if not self.composed and letter != "+":
            self.die.set(self._whole(letter), x, y, turn, depth)
            return
        width, strokes = self._glyph(letter)
        c, s = np.cos(turn), np.sin(turn)
        # The parts of a letter are set one by one about a place that is missed as a whole.
        x, y, turn = (
            x + self.die.stray(0.006),
            y + self.die.stray(0.006),
            turn + self.die.stray(0.04),
        )
        for number, (curved, points) in enumerate(strokes):
            p = (np.array(points) - [width / 2, 0.5]) * [self.alphabet.width, 1.0] * self.height
            middle = (p.max(0) + p.min(0)) / 2
            px, py = x + c * middle[0] - s * middle[1], y + s * middle[0] + c * middle[1]
            if curved:
                punch, way = self._curve(letter, number, p - middle), 0.0
            else:
                punch = self._straight(letter, float(np.hypot(*(p[-1] - p[0]))))
                way = float(np.arctan2(*(p[-1] - p[0])[::-1]))
            self.die.set(punch, float(px), float(py), turn + way, depth, slip=0.45)

    def _glyph(self, letter: str) -> Glyph:
        if letter in SIGNS:
            return SIGNS[letter]
        if letter in self._round:
            return _ROUND[letter]
        forms = variants(letter)
        return forms[self.alphabet.variant % len(forms)]

    def _widths(self) -> tuple[float, float, float]:
        weight, flare = self.alphabet.weight, 1 + self.alphabet.serif
        return weight * flare, weight, weight * flare

    def _whole(self, letter: str) -> Punch:
        width, strokes = self._glyph(letter)
        ridges = []
        for curved, points in strokes:
            p = (np.array(points) - [width / 2, 0.5]) * [self.alphabet.width, 1.0]
            if curved:
                p = np.asarray(_rounded(p))
            thin, thick, _ = self._widths()
            widths = (0.6 * thick, 1.35 * thick, 0.6 * thick) if curved else (thin, thick, thin)
            ridges.append((tuple((float(a), float(b)) for a, b in p), widths))
        shape = Shape(ridges=tuple(ridges), curved=False)
        return self.die.punches.cut(f"letter {letter} {self.height:.3f}", shape, self.height)

    def _curve(self, letter: str, number: int, points: Floats) -> Punch:
        p = _rounded(points / self.height)
        weight = self.alphabet.weight
        shape = Shape(
            ridges=(
                (
                    tuple((float(a), float(b)) for a, b in p),
                    (0.5 * weight, 1.4 * weight, 0.5 * weight),
                ),
            ),
            curved=False,
        )
        return self.die.punches.cut(f"curve {letter}{number} {self.height:.3f}", shape, self.height)

    def _straight(self, letter: str, length: float) -> Punch:
        """The few bars and wedges that a hand owns: a long one, a middling one, a short wedge."""
        cut, weight = self.die.punches.cut, self.alphabet.weight
        tall = length / self.height
        if letter == "+":
            return cut("arm of the small cross", wedge(0.16, 0.55), 0.46 * self.height)
        if tall < 0.1:
            return cut(
                f"stop {self.height:.3f}",
                Shape(ridges=((((0, 0), (0.01, 0)), (0.4, 0.4, 0.4)),)),
                0.3 * self.height,
            )
        if tall > 0.8:
            return cut(f"long bar {self.height:.3f}", bar(weight, self.alphabet.serif), self.height)
        if tall > 0.55:
            return cut(
                f"bar {self.height:.3f}", bar(1.5 * weight, self.alphabet.serif), 0.65 * self.height
            )
        return cut(
            f"wedge {self.height:.3f}",
            wedge(1.3 * weight, 2.2 * weight * (1 + self.alphabet.serif)),
            0.45 * self.height,
        )


def _rounded(points: Floats) -> Floats:
    return spline(points, 5)


def circle_of_letters(
    die: PunchedDie,
    letters: Letters,
    text: str,
    radius: float,
    start: float,
    span: float,
    inward: bool = False,
) -> None:
    """Punch ``text`` clockwise from ``start`` over ``span`` radians, heads outward (or inward,
    running counter-clockwise); every die spaces it anew."""  # fmt: skip
    advance = np.array([letters.advance(c) for c in text])
    advance = advance * np.exp([die.stray(0.055) for _ in text])
    steps = advance * span / advance.sum()
    middles = np.cumsum(steps) - steps / 2
    begin, sign = start + die.stray(0.035), -1.0 if inward else 1.0
    for letter, middle in zip(text, middles, strict=True):
        angle = begin + sign * middle
        r = radius + die.stray(0.008)
        turn = angle + (-np.pi / 2 if inward else np.pi / 2)
        letters.set(letter, float(r * np.cos(angle)), float(r * np.sin(angle)), float(turn))


def line_of_letters(
    die: PunchedDie, letters: Letters, text: str, x: float, y: float, span: float
) -> None:
    """Punch ``text`` along a level line centred on (x, y), ``span`` long at most."""
    advance = np.array([letters.advance(c) for c in text]) * letters.height
    advance = advance * min(1.0, span / max(float(advance.sum()), 1e-6))
    advance = advance * np.exp([die.stray(0.05) for _ in text])
    places = np.cumsum(advance) - advance / 2 - advance.sum() / 2
    tilt = die.stray(0.02)
    for letter, place in zip(text, places, strict=True):
        letters.set(letter, float(x + place), float(y + tilt * place + die.stray(0.006)), 0.0)


# ---------------------------------------------------------------------------- Arabic

_ARABIC: Mapping[
    str, tuple[float, bool, tuple[tuple[bool, tuple[tuple[float, float], ...]], ...]]
] = {
    "ا": (0.24, False, (_l((0.12, 0), (0.12, -1)),)),
    "ل": (0.34, True, (_l((0.27, 0.02), (0.27, -1)),)),
    "ب": (0.34, True, (_l((0.22, 0), (0.22, -0.42)),)),
    "س": (
        0.72,
        True,
        (_l((0.12, 0), (0.12, -0.36)), _l((0.36, 0), (0.36, -0.38)), _l((0.6, 0), (0.6, -0.42))),
    ),
    "د": (
        0.5,
        False,
        (
            _l((0.08, -0.42), (0.4, -0.40)),
            _c((0.38, -0.42), (0.48, -0.2), (0.42, 0.0)),
            _l((0.44, 0.0), (0.04, 0.0)),
        ),
    ),
    "ر": (0.36, False, (_c((0.3, -0.2), (0.32, 0.02), (0.2, 0.2), (0.0, 0.28)),)),
    "م": (
        0.46,
        True,
        (_c((0.24, -0.34), (0.08, -0.17), (0.24, 0.0), (0.40, -0.17), (0.24, -0.34)),),
    ),
    "و": (
        0.44,
        False,
        (
            _c((0.26, -0.36), (0.10, -0.2), (0.26, -0.05), (0.42, -0.2), (0.26, -0.36)),
            _c((0.4, -0.2), (0.36, 0.1), (0.04, 0.26)),
        ),
    ),
    "ه": (
        0.5,
        True,
        (
            _c((0.25, -0.46), (0.06, -0.2), (0.25, 0.0), (0.44, -0.2), (0.25, -0.46)),
            _l((0.08, -0.2), (0.42, -0.2)),
        ),
    ),
    "ح": (0.56, True, (_l((0.06, -0.46), (0.52, 0.02)),)),
    "ك": (
        0.62,
        True,
        (
            _l((0.56, -0.95), (0.14, -0.55)),
            _l((0.14, -0.45), (0.52, -0.42)),
            _l((0.54, -0.45), (0.54, 0.0)),
        ),
    ),
    "ن": (0.46, False, (_c((0.38, -0.34), (0.42, 0.0), (0.3, 0.24), (0.1, 0.22), (0.02, 0.02)),)),
    "ي": (
        0.66,
        False,
        (
            _c((0.5, -0.3), (0.3, -0.28), (0.36, -0.02), (0.5, 0.14), (0.3, 0.26), (0.0, 0.24)),
            _l((0.04, 0.25), (0.6, 0.30)),
        ),
    ),
    "ع": (
        0.44,
        True,
        (_c((0.38, -0.36), (0.22, -0.42), (0.1, -0.3), (0.22, -0.14), (0.36, -0.12)),),
    ),
    "ط": (
        0.6,
        True,
        (
            _c((0.54, -0.02), (0.5, -0.3), (0.3, -0.32), (0.08, -0.02)),
            _l((0.16, 0.0), (0.16, -0.9)),
        ),
    ),
}
"""Of each letter its width, whether it joins the next (to its left), and its strokes: x from the
left, y from the base line, a tall letter one high."""
ARABIC_LETTERS = frozenset(_ARABIC)
WORDS = (
    "لا", "اله", "الا", "الله", "وحده", "محمد", "رسول", "الملك", "العادل", "السلطان", "علي", "احمد",
    "بسم", "هدا", "الدرهم", "سنه", "عسر", "ومايه", "المومنين", "الامام", "الحاكم", "الطاهر", "له",
    "عدل", "ركن", "الدين", "والدنيا", "ملك", "امر", "طمع", "سلم", "كلمه",
)  # fmt: skip


class ArabicLetters:
    """The punches of a connected hand; letters stand on a common line and touch along it."""

    def __init__(self, die: PunchedDie, alphabet: Alphabet, height: float) -> None:
        self.die, self.alphabet, self.height = die, alphabet, height

    def advance(self, letter: str) -> float:
        return 0.28 if letter == " " else _ARABIC[letter][0] * self.alphabet.width

    def set(self, letter: str, x: float, y: float, turn: float) -> None:
        """Punch a letter whose piece of the base line is centred at (x, y)."""
        if letter != " ":
            self.die.set(self._punch(letter), x, y, turn, slip=0.8)

    def _punch(self, letter: str) -> Punch:
        width, joins, strokes = _ARABIC[letter]
        weight, flare = self.alphabet.weight, self.alphabet.serif
        ridges = []
        for curved, points in strokes:
            p = (np.array(points) - [width / 2, 0.0]) * [self.alphabet.width, 1.0]
            p = _rounded(p) if curved else p
            # Tall strokes broaden upward as a reed pen's do.
            widths = (
                (weight, 1.15 * weight, weight)
                if curved
                else (weight, weight, weight * (1 + flare))
            )
            ridges.append((tuple((float(a), float(b)) for a, b in p), widths))
        if joins:
            half = 0.5 * width * self.alphabet.width + 0.06
            ridges.append((((-half, 0.0), (half, 0.0)), (weight, weight, weight)))
        shape = Shape(ridges=tuple(ridges), curved=False)
        return self.die.punches.cut(f"arabic {letter} {self.height:.3f}", shape, self.height)


def arabic_line(
    die: PunchedDie, letters: ArabicLetters, text: str, x: float, y: float, span: float
) -> None:
    """Punch ``text`` from right to left, its base line at ``y``, fitted to ``span``."""
    advance = np.array([letters.advance(c) for c in text]) * letters.height
    advance = advance * float(np.clip(span / max(float(advance.sum()), 1e-6), 0.55, 1.15))
    advance = advance * np.exp([die.stray(0.03) for _ in text])
    places = advance.sum() / 2 - (np.cumsum(advance) - advance / 2)
    tilt = die.stray(0.015)
    for letter, place in zip(text, places, strict=True):
        letters.set(letter, float(x + place), float(y + tilt * place), 0.0)


def arabic_circle(
    die: PunchedDie, letters: ArabicLetters, text: str, radius: float, start: float, span: float
) -> None:
    """Punch ``text`` counter-clockwise along the circle of its base line, heads outward."""
    advance = np.array([letters.advance(c) for c in text])
    advance = advance * np.exp([die.stray(0.04) for _ in text])
    steps = advance * span / advance.sum()
    angles = start + die.stray(0.03) - (np.cumsum(steps) - steps / 2)
    for letter, angle in zip(text, angles, strict=True):
        r = radius + die.stray(0.004)
        letters.set(
            letter, float(r * np.cos(angle)), float(r * np.sin(angle)), float(angle + np.pi / 2)
        )
