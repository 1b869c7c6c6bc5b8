"""The charts of a study: die frequency, accumulation, weights by die, axes, certainty.

Obverses are blue and filled, reverses orange and outlined, so that they differ in grey too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median

import numpy as np

from dieindex.records import OBVERSE, Side
from dieindex.study.counts import SideCounts
from dieindex.study.die_names import common_beginning
from dieindex.study.drawing import (
    COLOUR,
    INK,
    PALE,
    QUIET,
    RULE,
    Box,
    Curve,
    Disc,
    Drawing,
    Line,
    Text,
)
from dieindex.study.estimators import BY_KEY, Estimate, estimate
from dieindex.study.material import DOUBTFUL_BELOW
from dieindex.study.uncertainty import Interval, spread

WIDTH, HEIGHT = 560.0, 300.0
WIDE = 840.0
LEFT, RIGHT, TOP, BOTTOM = 60.0, 16.0, 34.0, 44.0
MOST_DIES = 36
"""Dies shown in the chart of weights: those with the most weighed coins."""


def _bar(side: Side, x: float, y: float, width: float, height: float) -> Box:
    colour = COLOUR[side]
    fill = colour if side == OBVERSE else PALE[side]
    return Box(x, y, max(width, 0.5), max(height, 0.5), fill, colour, 1.2)


class _Axes:
    """A plane of values on a drawing."""

    def __init__(
        self, title: str, xs: tuple[float, float], ys: tuple[float, float], width: float = WIDTH
    ) -> None:
        self.drawing = Drawing(width, HEIGHT, title)
        self.xs, self.ys = xs, ys
        self.drawing.add(Text(LEFT, 18, title, 14, bold=True))

    def x(self, value: float) -> float:
        low, high = self.xs
        return LEFT + (value - low) / (high - low) * (self.drawing.width - LEFT - RIGHT)

    def y(self, value: float) -> float:
        low, high = self.ys
        return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    def y_axis(self, label: str, least: float = 1.0) -> None:
        for value in ticks(*self.ys, least=least):
            at = self.y(value)
            self.drawing.add(Line(LEFT, at, self.drawing.width - RIGHT, at, RULE, 1))
            self.drawing.add(Text(LEFT - 7, at + 3.5, _short(value), 12, "end", QUIET))
        middle = (TOP + HEIGHT - BOTTOM) / 2
        self.drawing.add(Text(14, middle, label, 12, "middle", QUIET, turn=-90))

    def x_axis(self, label: str, numbers: bool = True) -> None:
        base = HEIGHT - BOTTOM
        self.drawing.add(Line(LEFT, base, self.drawing.width - RIGHT, base, INK, 1))
        if numbers:
            for value in ticks(*self.xs, least=1.0):
                self.drawing.add(Text(self.x(value), base + 15, _short(value), 12, "middle", QUIET))
        self.drawing.add(
            Text((LEFT + self.drawing.width - RIGHT) / 2, HEIGHT - 8, label, 12, "middle", QUIET)
        )


def ticks(low: float, high: float, about: int = 5, *, least: float = 0.0) -> list[float]:
    """Round numbers from low to high, about as many as asked for, ``least`` or more apart."""
    step = 10.0 ** math.floor(math.log10(max(high - low, 1e-9) / about))
    for factor in (1, 2, 5, 10):
        if (high - low) / (step * factor) <= about + 1:
            step *= factor
            break
    step = max(step, least)
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _short(value: float) -> str:
    return f"{value:,.0f}".replace(",", "\u2009") if value == int(value) else f"{value:g}"


def frequency_chart(counts: SideCounts) -> Drawing:
    """Dies by the number of coins known of them."""
    rows = counts.frequencies
    top = max(len(row.dies) for row in rows)
    axes = _Axes(f"Die frequency, {counts.side}s", (0.0, float(len(rows))), (0.0, _ceiling(top)))
    axes.y_axis("dies")
    axes.x_axis("coins known of a die", numbers=False)
    every = math.ceil(len(rows) / 22)
    for i, row in enumerate(rows):
        half = min(0.34 * (axes.x(1) - axes.x(0)), 26.0)
        left, right = axes.x(i + 0.5) - half, axes.x(i + 0.5) + half
        height = axes.y(0) - axes.y(len(row.dies))
        axes.drawing.add(_bar(counts.side, left, axes.y(0) - height, right - left, height))
        middle = (left + right) / 2
        if i % every == 0:
            axes.drawing.add(
                Text(middle, HEIGHT - BOTTOM + 15, str(row.coins_per_die), 12, "middle", QUIET)
            )
        if len(rows) <= 24:
            axes.drawing.add(
                Text(middle, axes.y(len(row.dies)) - 4, str(len(row.dies)), 11, "middle")
            )
    return axes.drawing


def _ceiling(value: float) -> float:
    return max(value * 1.12, 1.0)


def rarefaction(coins_of: Mapping[str, int], points: int = 60) -> list[tuple[float, float]]:
    """How many dies m of the coins would show on average, for m from 0 to n.

    Exact expectation over samples without replacement (Hurlbert 1971).
    """
    sizes, times = np.unique(np.array(list(coins_of.values()), dtype=np.int64), return_counts=True)
    n = int((sizes * times).sum())
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    found = []
    for m in sorted({round(n * i / points) for i in range(points + 1)}):
        rest = n - sizes
        possible = rest >= m
        missed = np.zeros(len(sizes))
        missed[possible] = np.exp(
            log_factorial[rest[possible]]
            - log_factorial[rest[possible] - m]
            - log_factorial[n]
            + log_factorial[n - m]
        )
        found.append((float(m), float((times * (1.0 - missed)).sum())))
    return found


def accumulation_chart(counts: SideCounts, found: Sequence[Estimate]) -> Drawing:
    """Dies against coins, with what the estimates say of the whole."""
    sample = counts.sample
    curve = rarefaction(counts.coins_of)
    models = spread(found)
    good = estimate(BY_KEY["good"], sample)
    further = _further(sample.n, sample.d, sample.d1, estimate(BY_KEY["chao1_corrected"], sample))
    limit = 3.0 * sample.d
    top = max(float(sample.d), min(models.high, limit) if models else 0.0)
    axes = _Axes(
        f"Accumulation, {counts.side}s", (0.0, max(2.0 * sample.n, 2.0)), (0.0, _ceiling(top))
    )
    axes.y_axis("dies")
    right = WIDTH - RIGHT
    if models:
        low, high = axes.y(models.low), axes.y(min(models.high, limit))
        axes.drawing.add(Box(LEFT, high, right - LEFT, low - high, "#eef0f2"))
        words = f"models: {models.low:.0f} to {models.high:.0f}"
        at = high + 13 if low - high > 18 else high - 5
        axes.drawing.add(Text(LEFT + 6, at, words, 12, colour=QUIET))
    axes.x_axis("coins")
    if good.value is not None and good.value <= _ceiling(top):
        at = axes.y(good.value)
        axes.drawing.add(Line(LEFT, at, right, at, INK, 1, dashed=True))
        # On the side of the line that the continued curve leaves free.
        below = further and further[-1][1] > good.value
        at += 13 if below else -5
        axes.drawing.add(Text(right - 4, at, f"Good: {good.value:.0f}", 12, "end", halo=True))
    colour = COLOUR[counts.side]
    axes.drawing.add(Curve(tuple((axes.x(m), axes.y(d)) for m, d in curve), colour, 2.4))
    for (m1, d1), (m2, d2) in pairwise(further):
        axes.drawing.add(Line(axes.x(m1), axes.y(d1), axes.x(m2), axes.y(d2), colour, 1.8, True))
    axes.drawing.add(Disc(axes.x(sample.n), axes.y(sample.d), 4.0, "#ffffff", colour, 2.0))
    axes.drawing.add(
        Text(axes.x(sample.n) + 7, axes.y(sample.d) + 14,
             f"{sample.n} coins, {sample.d} dies", 12, halo=True)
    )  # fmt: skip
    return axes.drawing


def _further(n: int, d: int, d1: int, whole: Estimate) -> list[tuple[float, float]]:
    """The curve beyond the sample to twice its size, if Chao1 is right (Colwell et al. 2012)."""
    if whole.value is None or whole.value <= d or d1 == 0:
        return []
    unseen = whole.value - d
    left = 1.0 - d1 / (n * unseen + d1)
    return [(n * (1 + i / 16), d + unseen * (1.0 - left ** (n * i / 16))) for i in range(17)]


def weights_chart(side: Side, weights: Mapping[str, Sequence[float]]) -> Drawing | None:
    """The weights of each die's coins, dies in the order given; None without two weighed dies."""
    weighed = {die: sorted(values) for die, values in weights.items() if values}
    if len(weighed) < 2:
        return None
    most = sorted(weighed, key=lambda die: -len(weighed[die]))[:MOST_DIES]
    shown = [die for die in weighed if die in set(most)]
    everything = [value for die in shown for value in weighed[die]]
    low, high = min(everything), max(everything)
    margin = max((high - low) * 0.06, 0.05)
    title = f"Weights by {side} die"
    if len(shown) < len(weighed):
        title += f" (the {len(shown)} dies with most weighed coins)"
    beginning = common_beginning(shown)
    names = [die[len(beginning) :][:20] for die in shown]
    slot = (WIDE - LEFT - RIGHT) / len(shown)
    long_names = 6.5 * max(map(len, names)) > slot - 2
    axes = _Axes(title, (0.0, float(len(shown))), (low - margin, high + margin), WIDE)
    drawing = axes.drawing
    axes.y_axis("weight, g", least=0.0)
    axes.x_axis("", numbers=False)
    if long_names:
        drawing.height = HEIGHT + 4.9 * max(map(len, names)) - 14
    overall = median(everything)
    drawing.add(Line(LEFT, axes.y(overall), drawing.width - RIGHT, axes.y(overall), INK, 1, True))
    drawing.add(
        Text(drawing.width - RIGHT, 18, f"dashed: median of all, {overall:.2f} g", 12, "end", QUIET)
    )
    if beginning:
        words = f"names without “{beginning}”"
        drawing.add(Text(drawing.width - RIGHT, 31, words, 11, "end", QUIET))
    for i, (die, name) in enumerate(zip(shown, names, strict=True)):
        at = axes.x(i + 0.5)
        for value in weighed[die]:
            drawing.add(Disc(at, axes.y(value), 2.8, COLOUR[side], opacity=0.55))
        if len(weighed[die]) > 1:
            middle = axes.y(median(weighed[die]))
            drawing.add(Line(at - 6, middle, at + 6, middle, INK, 2))
        if long_names:
            drawing.add(Text(at - 3, HEIGHT - BOTTOM + 12, name, 11, colour=QUIET, turn=55))
        else:
            drawing.add(Text(at, HEIGHT - BOTTOM + 15, name, 11, "middle", QUIET))
    return drawing


def axis_rose(axes: Sequence[int]) -> Drawing | None:
    """Die axes by the hour; the area of a sector is the number of coins. None without any."""
    if not axes:
        return None
    counts = [sum(hour % 12 == each for hour in axes) for each in range(12)]
    drawing = Drawing(340, HEIGHT + 20, f"Die axes of {len(axes)} coins, by the hour")
    drawing.add(Text(16, 18, f"Die axes ({len(axes)} coins)", 14, bold=True))
    cx, cy, reach = 170.0, 176.0, 104.0
    most = max(counts)
    for share in (0.25, 0.5, 0.75, 1.0):
        drawing.add(Disc(cx, cy, reach * math.sqrt(share), None, RULE, 1))
    for hour, count in enumerate(counts):
        middle = math.radians(hour * 30 - 90)
        radius = reach * math.sqrt(count / most)
        if count:
            points = [(cx, cy)]
            for i in range(9):
                angle = middle + math.radians(-13 + 26 * i / 8)
                points.append((cx + radius * math.cos(angle), cy + radius * math.sin(angle)))
            drawing.add(Curve(tuple(points), COLOUR[OBVERSE], 1.2, PALE[OBVERSE]))
        at = reach + 16
        x, y = cx + at * math.cos(middle), cy + at * math.sin(middle)
        drawing.add(Text(x, y + 1, f"{hour or 12} h", 12, "middle", INK, bold=count == most))
        drawing.add(Text(x, y + 12, str(count), 11, "middle", QUIET))
    return drawing


def certainty_chart(side: Side, certainties: Sequence[float]) -> Drawing | None:
    """How certain the attributions of one side are; None where none states it."""
    if not certainties:
        return None
    bins = [0] * 10
    for value in certainties:
        bins[min(int(value * 10 + 1e-9), 9)] += 1
    axes = _Axes(f"Certainty of the {side} attributions", (0.0, 1.0), (0.0, _ceiling(max(bins))))
    axes.y_axis("coins")
    axes.x_axis("certainty", numbers=False)
    bound = axes.x(DOUBTFUL_BELOW)
    axes.drawing.add(Box(LEFT, TOP, bound - LEFT, HEIGHT - TOP - BOTTOM, "#f3f4f5"))
    axes.drawing.add(Text(LEFT + 6, TOP + 13, "doubtful", 12, colour=QUIET))
    for i, count in enumerate(bins):
        left, right = axes.x(i / 10) + 3, axes.x((i + 1) / 10) - 3
        axes.drawing.add(Text(axes.x(i / 10), HEIGHT - BOTTOM + 15, f"{i / 10:g}", 12, "middle"))
        if count:
            top = axes.y(count)
            axes.drawing.add(_bar(side, left, top, right - left, axes.y(0) - top))
            axes.drawing.add(Text((left + right) / 2, top - 4, str(count), 11, "middle"))
    axes.drawing.add(Text(axes.x(1), HEIGHT - BOTTOM + 15, "1", 12, "middle"))
    return axes.drawing


def estimates_chart(
    side: Side,
    dies: int,
    found: Sequence[Estimate],
    resampled: Mapping[str, Interval],
) -> Drawing | None:
    """Every estimate with its limits and the interval of the attributions, on one scale.

    None where no method has an answer.
    """
    answered = [each for each in found if each.value is not None]
    if not answered:
        return None
    ends = [float(dies)]
    for each in answered:
        ends += [value for value in (each.value, each.low, each.high) if value is not None]
        interval = resampled.get(each.method.key)
        ends += [interval.low, interval.high] if interval else []
    # One wild limit must not press all the others together.
    top = min(max(ends), 6.0 * max(each.value or 0.0 for each in answered))
    low = min(ends) * 0.94
    height = 74.0 + 24.0 * len(answered)
    drawing = Drawing(WIDTH, height, f"Estimated number of {side} dies")
    left, right = 186.0, WIDTH - 20.0

    def x(value: float) -> float:
        return left + (min(value, top) - low) / max(top * 1.02 - low, 1e-9) * (right - left)

    drawing.add(Text(14, 18, drawing.title, 14, bold=True))
    base = height - 34
    for value in ticks(low, top, least=1.0):
        drawing.add(Line(x(value), 34, x(value), base, RULE, 1))
        drawing.add(Text(x(value), base + 15, _short(value), 12, "middle", QUIET))
    drawing.add(Line(x(dies), 34, x(dies), base, INK, 1, dashed=True))
    drawing.add(Text(x(dies) + 4, base + 29, f"dashed: {dies} known", 12, colour=QUIET))
    for i, each in enumerate(answered):
        y = 48 + 24 * i
        drawing.add(Text(left - 10, y + 4, each.method.name, 12, "end"))
        interval = resampled.get(each.method.key)
        if interval:
            from_x, to_x = x(interval.low), x(interval.high)
            drawing.add(Box(from_x, y - 6, max(to_x - from_x, 1), 12, "#d5dae0", radius=2))
        if each.low is not None and each.high is not None:
            drawing.add(Line(x(each.low), y, x(each.high), y, COLOUR[side], 2))
            for end in (each.low, min(each.high, top)):
                drawing.add(Line(x(end), y - 4, x(end), y + 4, COLOUR[side], 2))
        drawing.add(Disc(x(each.value or 0.0), y, 4.5, "#ffffff", COLOUR[side], 2.4))
    return drawing
