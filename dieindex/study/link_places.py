"""Where the dies of a linked group stand along it, and where the groups stand on the page."""

from __future__ import annotations

from collections.abc import Sequence

from dieindex.records import OBVERSE, REVERSE, Side, other_side
from dieindex.study.ordering import Group


def inner_places(group: Group, step: float) -> dict[tuple[Side, str], float]:
    """Places along the group, from 0: the fuller rank evenly, the other by its partners."""
    partners: dict[tuple[Side, str], list[tuple[Side, str]]] = {}
    for obverse, reverse in group.links:
        partners.setdefault((OBVERSE, obverse), []).append((REVERSE, reverse))
        partners.setdefault((REVERSE, reverse), []).append((OBVERSE, obverse))
    fuller: Side = OBVERSE if len(group.obverses) >= len(group.reverses) else REVERSE
    at = {(fuller, die): i * step for i, die in enumerate(group.rank(fuller))}
    other = other_side(fuller)
    dies = group.rank(other)
    wanted = []
    for die in dies:
        places = [at[node] for node in partners.get((other, die), ())]
        wanted.append(sum(places) / len(places) if places else 0.0)
    for die, place in zip(dies, _spaced(wanted, step), strict=True):
        at[other, die] = place
    least = min(at.values(), default=0.0)
    return {node: place - least for node, place in at.items()}


def _spaced(wanted: Sequence[float], step: float) -> list[float]:
    """The places nearest to ``wanted`` (least squares) that keep order and distance."""
    blocks: list[tuple[float, int]] = []
    for i, place in enumerate(wanted):
        mean, size = place - i * step, 1
        while blocks and blocks[-1][0] >= mean:
            before, count = blocks.pop()
            mean, size = (mean * size + before * count) / (size + count), size + count
        blocks.append((mean, size))
    flat = [mean for mean, size in blocks for _ in range(size)]
    return [mean + i * step for i, mean in enumerate(flat)]


def in_rows(
    widths: Sequence[float], height: float, gap: float, page: float
) -> list[tuple[float, float]]:
    """The left upper corners of frames that fill the page row by row, the first row at 0."""
    corners = []
    x, y = gap, 0.0
    for width in widths:
        if x > gap and x + width + gap > page:
            x, y = gap, y + height + gap
        corners.append((x, y))
        x += width + gap
    return corners
