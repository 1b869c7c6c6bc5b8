"""Why coins were joined: how the scores of a side's pairs lie, and from where two coins are joined.

Pairs of different dies are grey, those of one die in the colour of the side, which is darker: so
they differ in print and to every eye. Pairs of one die are few, so the lower panel is the upper
one enlarged.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from dieindex.clustering.spread import Spread
from dieindex.records import Floats, Side
from dieindex.study.charts import ticks
from dieindex.study.drawing import (
    COLOUR,
    INK,
    PALE,
    QUIET,
    RULE,
    Box,
    Curve,
    Drawing,
    Line,
    Text,
)
from dieindex.text import counted

WIDTH = 560.0
LEFT, RIGHT = 60.0, 16.0
HEAD, FOOT = 96.0, 66.0
TALL, GAP = 130.0, 34.0
"""Height of a panel, and between two."""
DIFFERENT, DIFFERENT_LINE = "#c3c9cf", "#454c53"
ENLARGED_FROM = 2.5
"""How many times larger pairs of one die are drawn, where the second panel is worth its place."""
FEW = 3
"""Pairs of one die below which where they lie is taken from other collections."""
_FINE, _COARSE, _MANY = 0.5, 1.0, 1500
"""Width of a bar, nats, where there are many pairs and where not, and how many are many."""


def pair_chart(spreads: Mapping[Side, Spread]) -> Drawing:
    """The sides, one below the other. A side whose kinds were not read from its scores has a note
    in place of its chart."""
    title = "Scores of pairs, " + " and ".join(f"{side}s" for side in spreads)
    drawing = Drawing(WIDTH, 0.0, title)
    for side, spread in spreads.items():
        _add_side(drawing, side, spread)
    return drawing


def why_unreadable(spread: Spread) -> str:
    """Why a side's scores show no two kinds."""
    if spread.coins < 2:
        return "There are no two coins to be compared."
    if spread.compared:
        return "What scores mean was learned from known dies here, and not read from the scores."
    if spread.by_vectors:
        return "No pair was compared in detail: the vectors alone told the dies."
    return "Of no pair could anything be told: the coins lie on no common frame."


@dataclass(frozen=True)
class _Bars:
    """The histogram: ``edges`` ``(b + 1,)`` nats, how many pairs ``(b,)`` of each kind, and the
    fitted kinds at ``points``, in pairs a bar."""

    edges: Floats
    different: Floats
    one: Floats
    points: Floats
    different_line: Floats
    one_line: Floats

    @property
    def highest(self) -> float:
        return max(float((self.different + self.one).max()), float(self.different_line.max()))

    @property
    def highest_of_one(self) -> float:
        return max(float(self.one.max()), float(self.one_line.max()))


def _bars_of(spread: Spread) -> _Bars:
    kinds, threshold = spread.kinds, spread.joined_from
    wide = _FINE if len(spread.score) >= _MANY else _COARSE
    ends = [kinds.centre - 3 * kinds.left, kinds.place + 2.5 * kinds.width, threshold + 1.5]
    low = min(float(spread.score.min()), *ends)
    high = max(float(spread.score.max()), *ends)
    edges = np.arange(math.floor(low / wide), math.ceil(high / wide) + 1.5) * wide
    of = {
        together: np.histogram(
            spread.score[spread.together == together],
            edges,
            weights=spread.stands_for[spread.together == together],
        )[0].astype(np.float64)
        for together in (False, True)
    }
    points = np.linspace(edges[0], edges[-1], 601)
    different, one = kinds.densities(points)
    pairs = float(spread.stands_for.sum()) * wide
    return _Bars(
        edges,
        of[False],
        of[True],
        points,
        (1 - kinds.share) * pairs * different,
        kinds.share * pairs * one,
    )


@dataclass(frozen=True)
class _Panel:
    """A plane of scores and numbers of pairs on a drawing; what is above ``most`` is cut off."""

    drawing: Drawing
    top: float
    low: float
    high: float
    most: float

    @property
    def base(self) -> float:
        return self.top + TALL

    def x(self, score: float) -> float:
        return LEFT + (score - self.low) / (self.high - self.low) * (WIDTH - LEFT - RIGHT)

    def y(self, pairs: float) -> float:
        return self.base - min(pairs / self.most, 1.0) * TALL

    def fill(self, side: Side, bars: _Bars, threshold: float) -> None:
        """Ground, rules, bars, lines and threshold."""
        add = self.drawing.add
        begin = self.x(threshold)
        add(Box(begin, self.top, WIDTH - RIGHT - begin, TALL, PALE[side]))
        for value in ticks(0.0, self.most, 4, least=1.0):
            at = self.y(value)
            add(Line(LEFT, at, WIDTH - RIGHT, at, RULE, 1))
            words = f"{value:,.0f}".replace(",", "\u2009")
            add(Text(LEFT - 7, at + 4, words, 12, "end", QUIET))
        add(Text(14, self.base - TALL / 2, "pairs", 12, "middle", QUIET, turn=-90))
        for left, right, one, different in zip(
            bars.edges[:-1].tolist(),
            bars.edges[1:].tolist(),
            bars.one.tolist(),
            bars.different.tolist(),
            strict=True,
        ):
            x1, x2 = self.x(left) + 0.4, self.x(right) - 0.4
            if different > 0:
                y1, y2 = self.y(one + different), self.y(one)
                add(Box(x1, y1, x2 - x1, max(y2 - y1, 0.5), DIFFERENT))
            if one > 0:
                add(Box(x1, self.y(one), x2 - x1, max(self.base - self.y(one), 0.5), COLOUR[side]))
        self._line(bars.points, bars.different_line, DIFFERENT_LINE)
        self._line(bars.points, bars.one_line, INK)
        add(Line(LEFT, self.base, WIDTH - RIGHT, self.base, INK, 1))
        add(Line(begin, self.top - 9, begin, self.base, INK, 1.4, dashed=True))

    def _line(self, points: Floats, values: Floats, colour: str) -> None:
        """A fitted kind, as far as it lies in the panel."""
        shown = (values <= self.most).tolist()
        number = 0
        for inside, run in groupby(shown):
            count = len(list(run))
            part = slice(number, number + count)
            number += count
            if inside and count > 1:
                ends = zip(points[part].tolist(), values[part].tolist(), strict=True)
                self.drawing.add(Curve(tuple((self.x(x), self.y(y)) for x, y in ends), colour, 1.8))


def _add_side(drawing: Drawing, side: Side, spread: Spread) -> None:
    top = drawing.height
    drawing.add(Text(14, top + 18, f"Scores of pairs, {side}s", 14, bold=True))
    if not spread.readable:
        drawing.add(Text(14, top + 38, why_unreadable(spread), 12, colour=QUIET))
        drawing.height = top + 56
        return
    bars = _bars_of(spread)
    drawing.add(Text(14, top + 36, _head(spread), 12, colour=QUIET))
    _add_legend(drawing, top + 57, side, spread)
    enlarged = max(1.3 * bars.highest_of_one, 3.0)
    whole = 1.08 * bars.highest
    two = whole / enlarged >= ENLARGED_FROM
    ends = float(bars.edges[0]), float(bars.edges[-1])
    upper = _Panel(drawing, top + HEAD, *ends, whole if two else max(whole, enlarged))
    upper.fill(side, bars, spread.joined_from)
    _say_joined(upper, spread)
    last = upper
    if two:
        last = _Panel(drawing, upper.base + GAP, *ends, enlarged)
        last.fill(side, bars, spread.joined_from)
        words = f"the same, drawn {_times(whole / enlarged)} times as tall; grey goes on above"
        drawing.add(Text(LEFT, last.top - 12, words, 12, colour=QUIET))
    for score in ticks(*ends, about=9, least=1.0):
        words = f"{score:.0f}"
        drawing.add(Text(last.x(score), last.base + 16, words, 12, "middle", QUIET))
    words = "score of a pair, nats: the higher, the likelier of one die"
    drawing.add(Text((LEFT + WIDTH - RIGHT) / 2, last.base + 34, words, 12, "middle", QUIET))
    words = "bars: the pairs, dark where both coins lie in one die as found; lines: the two kinds"
    drawing.add(Text((LEFT + WIDTH - RIGHT) / 2, last.base + 51, words, 11, "middle", QUIET))
    drawing.height = last.base + FOOT


def _head(spread: Spread) -> str:
    return (
        f"{counted(spread.coins, 'coin')}, {counted(spread.compared, 'pair')} compared in detail; "
        f"{counted(spread.dies, 'die')} found; {share_words(spread.kinds.share)} of all pairs are "
        "of one die"
    )


def share_words(share: float) -> str:
    """``7.1 %``, ``0.11 %``: two digits at least."""
    places = max(0, 1 - math.floor(math.log10(100 * share)))
    return f"{100 * share:.{min(places, 4)}f}\u00a0%"


def _times(factor: float) -> str:
    return f"{factor:.1f}" if factor < 10 else f"{factor:,.0f}".replace(",", "\u2009")


def _say_joined(panel: _Panel, spread: Spread) -> None:
    at = panel.x(spread.joined_from)
    words = f"two coins are joined from here on ({spread.joined_from:.1f})"
    room = WIDTH - RIGHT - at > 6.2 * len(words)
    # (Words end at the edge where there is no room to begin at the line.)
    place, anchor = (at, "start") if room else (WIDTH - RIGHT, "end")
    panel.drawing.add(Text(place, panel.top - 14, words, 12, anchor, bold=True))
    tip, end = at + 13, panel.top - 5
    panel.drawing.add(Line(at, end, tip - 5, end, INK, 1.4))
    points = ((tip - 6, end - 3.5), (tip, end), (tip - 6, end + 3.5))
    panel.drawing.add(Curve(points, INK, 0.5, INK))


def _add_legend(drawing: Drawing, base: float, side: Side, spread: Spread) -> None:
    """Both kinds with their numbers of pairs, in a row whose text stands on ``base``."""
    at = 14.0
    for count, words, colour in (
        (spread.of_different_dies, "pairs of different dies", DIFFERENT),
        (spread.of_one_die, "pairs of one die", COLOUR[side]),
    ):
        drawing.add(Box(at, base - 9, 18, 10, colour))
        number = f"{count:,}".replace(",", "\u2009")
        drawing.add(Text(at + 24, base, f"{words}: {number}", 12))
        at += 240.0
