"""Plates: one picture a die, its best-preserved coin, to scale where diameters are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import cv2
import numpy as np
from PIL import Image, ImageDraw

from dieindex.marks import marked
from dieindex.records import FACE_SIZE, FLAN_RADIUS, SIDES, Picture, Side
from dieindex.study.analysis import DieEntry, Study
from dieindex.study.drawing import font_of, printable
from dieindex.study.pictures import on_white
from dieindex.text import counted

DPI = 300
PAGE = (2480, 3508)
"""A4 at 300 dots an inch, pixels."""
MARGIN, HEAD, GAP, CAPTION = 150, 120, 34, 86
_MM = DPI / 25.4
_UNSCALED = 27.0
"""Diameter, millimetres on paper, where none is known."""
QUALITY = 88


@dataclass(frozen=True)
class Plate:
    """One page as JPEG, and the dies on it."""

    side: Side
    number: int
    dies: tuple[str, ...]
    jpeg: bytes


@dataclass(frozen=True)
class _Item:
    entry: DieEntry
    coin: str
    diameter: float
    measured: bool


def draw_plates(study: Study) -> Iterator[Plate]:
    """The plates of both sides, dies in the order of the chart; none where there is no picture."""
    known = [each.diameter for each in study.known.values() if each.diameter is not None]
    # One absurd cell must not blow up the plates.
    sensible = [value for value in known if 3.0 <= value <= 120.0]
    usual = median(sensible) if sensible else _UNSCALED
    number = 0
    for side in SIDES:
        items = []
        for entry in study.dies.get(side, ()):
            if entry.best and (side, entry.best[0]) in study.gallery.small:
                diameter = study.known[entry.best[0]].diameter
                measured = diameter is not None and 3.0 <= diameter <= 120.0
                size = diameter if measured and diameter is not None else usual
                items.append(_Item(entry, entry.best[0], size, measured))
        for page in _pages(items):
            number += 1
            yield Plate(
                side,
                number,
                tuple(item.entry.die for item in page),
                _draw(study, side, number, page, bool(sensible)),
            )


def _pages(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    if not items:
        return
    columns, rows = _grid(items)
    for start in range(0, len(items), columns * rows):
        yield items[start : start + columns * rows]


def _grid(items: Sequence[_Item]) -> tuple[int, int]:
    widest = max(item.diameter for item in items) * _MM
    columns = max(1, int((PAGE[0] - 2 * MARGIN + GAP) // (widest + GAP)))
    rows = max(1, int((PAGE[1] - 2 * MARGIN - HEAD + GAP) // (widest + CAPTION + GAP)))
    return min(columns, 8), min(rows, 10)


def _draw(study: Study, side: Side, number: int, page: Sequence[_Item], scaled: bool) -> bytes:
    canvas = Image.new("RGB", PAGE, "#ffffff")
    draw = ImageDraw.Draw(canvas)
    title = printable(study.material.title)
    draw.text((MARGIN, MARGIN - 40), f"Plate {number}", "#1c2126", font_of(56))
    scale = "Scale 1 : 1 at 300 dpi." if scaled else "Not to scale (no diameters known)."
    heading = f"{title[:60]}: {side} dies. {scale}"
    draw.text((MARGIN, MARGIN + 28), heading, "#6b737b", font_of(32))
    columns, _ = _grid(page)
    widest = max(item.diameter for item in page) * _MM
    # The dies spread over the whole width, as on a printed plate.
    cell = (PAGE[0] - 2 * MARGIN) / columns
    for i, item in enumerate(page):
        left = MARGIN + (i % columns) * cell
        top = MARGIN + HEAD + (i // columns) * (widest + CAPTION + GAP)
        face = study.gallery.large(side, item.coin)
        if face is None:
            continue
        picture = _sized(on_white(*face), item.diameter * _MM)
        x, y = left + (cell - picture.shape[1]) / 2, top + (widest - picture.shape[0]) / 2
        canvas.paste(Image.fromarray(picture), (round(x), round(y)))
        middle, below = left + cell / 2, top + widest + 12
        name = printable(item.entry.die)
        draw.text((middle, below), _fitting(draw, name, cell, 34), "#1c2126", font_of(34), "ma")
        note = printable(f"{item.coin}  ({counted(len(item.entry.coins), 'coin')})")
        if scaled and not item.measured:
            note += " *"
        draw.text(
            (middle, below + 40), _fitting(draw, note, cell, 26), "#6b737b", font_of(26), "ma"
        )
    if scaled and not all(item.measured for item in page):
        foot = "* diameter not known; drawn at the median of those known"
        draw.text((MARGIN, PAGE[1] - MARGIN + 20), foot, "#6b737b", font_of(26))
    return marked(canvas, "JPEG", quality=QUALITY, dpi=(DPI, DPI))


def _sized(picture: Picture, diameter: float) -> Picture:
    """The flan's square of a face, ``diameter`` pixels wide."""
    # A little more than the flan, so that its outline is not cut.
    half = round(FACE_SIZE * FLAN_RADIUS * 1.06)
    middle = FACE_SIZE // 2
    cut = picture[middle - half : middle + half, middle - half : middle + half]
    edge = max(8, round(diameter * 1.06))
    how = cv2.INTER_AREA if edge < len(cut) else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(np.ascontiguousarray(cut), (edge, edge), interpolation=how))


def _fitting(draw: ImageDraw.ImageDraw, text: str, width: float, size: int) -> str:
    text = text[:80]
    while len(text) > 4 and draw.textlength(text, font=font_of(size)) > width - 8:
        text = text[:-2] + "…"
    return text
