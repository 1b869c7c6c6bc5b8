"""The die-link chart: obverse dies above, reverse dies below, a line for every combination.

Linked groups stand apart and fill the page row by row, very long ones in parts; within a group the
order is that of ``ordering``. A die is drawn with the number of its coins, one known from a single
coin without filling; a line is the thicker the more coins show the combination, with their number
where it is above one and finds room, and dashed where every coin that shows it is doubtful.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Literal

from dieindex.records import OBVERSE, REVERSE, SIDES, Side
from dieindex.study.die_names import common_beginning
from dieindex.study.drawing import (
    COLOUR,
    INK,
    PALE,
    QUIET,
    RULE,
    Box,
    Disc,
    Drawing,
    Line,
    Text,
)
from dieindex.study.folding import Part, fold
from dieindex.study.link_places import in_rows, inner_places
from dieindex.study.ordering import Group

PAGE = 960.0
"""Width of the chart, units, unless one group is wider: on A4 the names are then still read."""
RANKS = 112.0
"""From the rank of the obverses to that of the reverses."""
RADIUS = 10.0
_GAP = 26.0
_NARROWEST = 640.0
_LEFT = 26.0
_LINE = 24.0
_MARK = {"obverse": 26.0, "reverse": 26.0, "single": 26.0, "link": 34.0, "doubtful": 34.0,
         "none": 0.0}  # fmt: skip
"""Room for the mark before the words of the legend."""
_SHORT = 5
_LONGEST = 26
_LETTER = 5.6


@dataclass(frozen=True)
class PlacedGroup:
    """A group, or a part of a long one: its frame on the page and where each die stands."""

    group: Group
    x: float
    y: float
    width: float
    height: float
    places: Mapping[tuple[Side, str], tuple[float, float]]
    repeated: Mapping[tuple[Side, str], tuple[float, float]] = field(default_factory=dict)
    """Dies of other parts of a long group that are shown here once more."""
    links: Sequence[tuple[str, str]] = ()
    elsewhere: Mapping[tuple[Side, str], str] = field(default_factory=dict)
    part: int = 1
    parts: int = 1


@dataclass(frozen=True)
class Row:
    """A row of groups: where it ends on the page, and its first shape in the drawing."""

    bottom: float
    first: int


@dataclass
class Chart:
    """The chart as a drawing, and its groups with their places (for the report's script)."""

    drawing: Drawing
    groups: list[PlacedGroup] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class _Sizes:
    """How far apart dies stand, and how much room their names take above and below."""

    shown: Mapping[Side, Mapping[str, str]]
    """What is written of every die's name."""
    left_out: Mapping[Side, str]
    """What all names of a side begin with and none shows."""
    step: float
    upright: Mapping[Side, bool]
    above: float
    below: float
    tail: float
    """How far a slanting name reaches to the right of its die."""


def draw_chart(
    groups: Sequence[Group],
    coins_of: Mapping[Side, Mapping[str, int]],
    doubtful: AbstractSet[tuple[str, str]] = frozenset(),
    title: str = "",
    ids: Mapping[tuple[Side, str], str] | None = None,
) -> Chart:
    """Draw all groups. ``doubtful`` names combinations that no coin shows for sure.

    ``ids`` gives dies the ids by which a script finds them (letters and digits only).
    """
    sizes = _sizes(groups)
    sides = [side for side in SIDES if coins_of.get(side)]
    ranks = RANKS if len(sides) == 2 else 0.0
    linked = len(sides) == 2
    gap = _GAP if linked else 8.0
    heading = 20.0 if linked else 0.0
    placed: list[PlacedGroup] = []
    room = PAGE - 2 * gap - 2 * RADIUS - 16 - sizes.tail
    pieces = [
        (group, number, parts)
        for group in groups
        for parts in [fold(inner_places(group, sizes.step), group.links, room, sizes.step)]
        for number in range(len(parts))
    ]
    widths = [2 * RADIUS + 16 + parts[number].width + sizes.tail for _, number, parts in pieces]
    page = max(PAGE, *(width + 2 * gap for width in widths)) if widths else PAGE
    height = heading + sizes.above + 2 * RADIUS + ranks + sizes.below + 10
    corners = in_rows(widths, height, gap, page)
    if corners and corners[-1][1] == 0.0:
        page = max(corners[-1][0] + widths[-1] + gap, _NARROWEST)
    legend = _legend_lines(_legend_items(groups, sides, bool(doubtful), pieces), page)
    start = 12.0 + _LINE * (len(legend) + any(sizes.left_out.values()))
    for (group, number, parts), width, (x, y) in zip(pieces, widths, corners, strict=True):
        top = start + y + heading + sizes.above + RADIUS
        level = {OBVERSE: top, REVERSE: top + ranks}
        part = parts[number]
        own, more = (
            {node: (x + 8 + RADIUS + at, level[node[0]]) for node, at in places.items()}
            for places in (part.places, part.repeated)
        )
        placed.append(
            PlacedGroup(
                group, x, start + y, width, height, own, more, part.links, part.elsewhere,
                number + 1, len(parts),
            )
        )  # fmt: skip
    bottom = placed[-1].y + height if placed else start
    drawing = Drawing(page, bottom + gap, title)
    chart = Chart(drawing, placed)
    _draw_legend(drawing, legend, sizes.left_out, sides)
    above = -1.0
    for each in placed:
        if each.y > above:
            chart.rows.append(Row(each.y + each.height, len(drawing.shapes)))
            above = each.y
        _draw_group(drawing, each, coins_of, doubtful, sizes, linked, ids or {})
    return chart


def _sizes(groups: Sequence[Group]) -> _Sizes:
    names = {side: [die for group in groups for die in group.rank(side)] for side in SIDES}
    left_out = {side: common_beginning(names[side]) for side in SIDES}
    shown = {side: {die: _cut(die[len(left_out[side]) :]) for die in names[side]} for side in SIDES}
    longest = {side: max(map(len, shown[side].values()), default=0) for side in SIDES}
    upright = {side: longest[side] <= _SHORT for side in SIDES}
    room = {side: 16.0 if upright[side] else 12 + 0.82 * _LETTER * longest[side] for side in SIDES}
    widest = max((longest[side] for side in SIDES if upright[side]), default=0)
    return _Sizes(
        shown,
        left_out,
        max(26.0, 10 + 6.2 * widest),
        upright,
        room[OBVERSE],
        room[REVERSE],
        0.57 * _LETTER * max((longest[side] for side in SIDES if not upright[side]), default=0),
    )


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"


_LegendItem = tuple[Literal["obverse", "reverse", "single", "link", "doubtful", "none"], str]


def _legend_items(
    groups: Sequence[Group],
    sides: Sequence[Side],
    any_doubt: bool,
    pieces: Sequence[tuple[Group, int, Sequence[Part]]],
) -> list[_LegendItem]:
    items: list[_LegendItem] = [(side, f"{side} die, number of coins") for side in sides]
    items.append(("single", "known from one coin"))
    if any(group.links for group in groups):
        items.append(("link", "combination, thicker with more coins"))
    if any_doubt:
        items.append(("doubtful", "doubtful: no coin shows it for sure"))
    if any(len(parts) > 1 for _, _, parts in pieces):
        items.append(("none", "« » dashed die: its own place is in another part of the group"))
    return items


def _item_width(item: _LegendItem) -> float:
    return _MARK[item[0]] + 5.6 * len(item[1]) + 26


def _legend_lines(items: Sequence[_LegendItem], page: float) -> list[list[_LegendItem]]:
    lines: list[list[_LegendItem]] = [[]]
    for item in items:
        if lines[-1] and sum(map(_item_width, [*lines[-1], item])) > page - 2 * _LEFT:
            lines.append([])
        lines[-1].append(item)
    return lines


def _draw_legend(
    drawing: Drawing,
    lines: Sequence[Sequence[_LegendItem]],
    left_out: Mapping[Side, str],
    sides: Sequence[Side],
) -> None:
    y = 24.0
    for line in lines:
        x = _LEFT
        for item in line:
            kind, words = item
            if kind in ("link", "doubtful"):
                width = 3.0 if kind == "link" else 1.5
                drawing.add(Line(x, y, x + 26, y, INK, width, dashed=kind == "doubtful"))
            elif kind == "single":
                _draw_die(drawing, sides[0], x + RADIUS, y, "1", single=True)
            elif kind in SIDES:
                _draw_die(drawing, kind, x + RADIUS, y, "", single=False)
            drawing.add(Text(x + _MARK[kind], y + 4, words, 11))
            x += _item_width(item)
        y += _LINE
    omitted = [f"{side} dies without “{left_out[side]}”" for side in SIDES if left_out[side]]
    if omitted:
        drawing.add(Text(_LEFT, y + 1, f"Names of {', '.join(omitted)}.", 10.5, colour=QUIET))


def _draw_group(
    drawing: Drawing,
    placed: PlacedGroup,
    coins_of: Mapping[Side, Mapping[str, int]],
    doubtful: AbstractSet[tuple[str, str]],
    sizes: _Sizes,
    linked: bool,
    ids: Mapping[tuple[Side, str], str],
) -> None:
    group = placed.group
    if linked:
        drawing.add(
            Box(placed.x, placed.y, placed.width, placed.height, None, RULE, 1.0, 6.0,
                tag=f'data-group="{group.number}"')
        )  # fmt: skip
        heading = f"Group {group.number}" if placed.width > 80 else f"{group.number}"
        if placed.width > 200:
            dies = len(group.obverses) + len(group.reverses)
            heading = f"Group {group.number}: {dies} dies, {group.coins} coins"
        if placed.parts > 1:
            heading += f" (part {placed.part} of {placed.parts})"
        drawing.add(Text(placed.x + 7, placed.y + 15, heading, 10.5, colour=QUIET, bold=True))
    numbers: list[Text] = []
    partners: Counter[tuple[Side, str]] = Counter()
    for obverse, reverse in group.links:
        partners[OBVERSE, obverse] += 1
        partners[REVERSE, reverse] += 1
    everywhere = {**placed.places, **placed.repeated}
    for obverse, reverse in placed.links:
        coins = group.links[obverse, reverse]
        (x1, y1), (x2, y2) = everywhere[OBVERSE, obverse], everywhere[REVERSE, reverse]
        tag = ""
        if ids:
            tag = f'data-o="{ids[OBVERSE, obverse]}" data-r="{ids[REVERSE, reverse]}"'
        width = min(1.1 + 0.9 * (coins - 1) ** 0.7, 8.0)
        drawing.add(
            Line(x1, y1 + RADIUS, x2, y2 - RADIUS, "#5b646d", width,
                 (obverse, reverse) in doubtful, tag)
        )  # fmt: skip
        # Where a die has no other partner, its own number says it already.
        if coins > 1 and partners[OBVERSE, obverse] > 1 and partners[REVERSE, reverse] > 1:
            ends = ((x1, y1 + RADIUS), (x2, y2 - RADIUS))
            number = _number_beside(coins, *ends, numbers, tag)
            if number:
                numbers.append(number)
    drawing.add(*numbers)
    for side, die in placed.places:
        x, y = placed.places[side, die]
        coins = coins_of[side][die]
        tag = f'data-die="{ids[side, die]}"' if ids else ""
        _draw_die(drawing, side, x, y, str(coins), coins == 1, tag)
        _draw_name(drawing, side, sizes.shown[side][die], x, y, sizes.upright[side], tag)
        if (side, die) in placed.elsewhere:
            mark = placed.elsewhere[side, die]
            drawing.add(Text(x + RADIUS + 2, y + 4, mark, 12, colour=COLOUR[side], bold=True))
    for (side, die), (x, y) in placed.repeated.items():
        tag = f'data-name="{ids[side, die]}"' if ids else ""
        _draw_die(drawing, side, x, y, "", True, tag, again=True)
        _draw_name(drawing, side, sizes.shown[side][die], x, y, sizes.upright[side], tag)


def _number_beside(
    coins: int,
    start: tuple[float, float],
    end: tuple[float, float],
    there: Sequence[Text],
    tag: str,
) -> Text | None:
    """The number of coins on a line, near the reverse, where no other number stands."""
    for share in (0.72, 0.62, 0.82, 0.5, 0.4, 0.3):
        x = start[0] + share * (end[0] - start[0])
        y = start[1] + share * (end[1] - start[1]) + 3.5
        if all(abs(x - other.x) > 11 or abs(y - other.y) > 11 for other in there):
            return Text(x, y, str(coins), 9.5, "middle", INK, bold=True, halo=True, tag=tag)
    return None


def _draw_die(
    drawing: Drawing,
    side: Side,
    x: float,
    y: float,
    text: str,
    single: bool,
    tag: str = "",
    *,
    again: bool = False,
) -> None:
    colour = COLOUR[side]
    fill = "#ffffff" if single else PALE[side]
    line = 1.2 if single else 2.0
    if side == OBVERSE:
        drawing.add(Disc(x, y, RADIUS, fill, colour, line, again, tag=tag))
    else:
        edge = 2 * RADIUS - 2
        drawing.add(
            Box(x - edge / 2, y - edge / 2, edge, edge, fill, colour, line, 3.0, again, tag)
        )
    if text:
        size = 10.0 if len(text) < 3 else 8.0
        drawing.add(
            Text(x, y + 3.5, text, size, "middle", INK, tag=tag.replace("data-die", "data-name"))
        )


def _draw_name(
    drawing: Drawing, side: Side, name: str, x: float, y: float, upright: bool, tag: str
) -> None:
    above = side == OBVERSE
    tag = tag.replace("data-die", "data-name")
    if upright:
        drawing.add(
            Text(x, y + (-RADIUS - 5 if above else RADIUS + 13), name, 10.5, "middle", tag=tag)
        )
    elif above:
        drawing.add(Text(x + 3, y - RADIUS - 4, name, 10, turn=-55, tag=tag))
    else:
        drawing.add(Text(x - 1, y + RADIUS + 10, name, 10, turn=55, tag=tag))
