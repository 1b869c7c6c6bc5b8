"""Contact sheets: what was found on each photograph, for a person to look through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from dieindex.marks import FORMATS, marked
from dieindex.outputs import (
    NOTHING_READ,
    PAGE_SUFFIXES,
    Sources,
    check_output,
    page_name,
    written_output,
)
from dieindex.records import OBVERSE, Face, Picture

COLUMNS = 4
ROWS = 15
THUMB = 180
"""Longest edge of a photograph's thumbnail, pixels."""
FACE_EDGE = 120
"""Edge of a cut face on the sheet, pixels."""
MARGIN = 8
CAPTION = 30
CELL = (THUMB + 2 * FACE_EDGE + 4 * MARGIN, THUMB + CAPTION + 2 * MARGIN)

PAPER = (246, 246, 244)
INK = (30, 30, 30)
SURE = (0, 150, 60)
UNSURE = (235, 130, 0)
FAILED = (190, 30, 30)


@dataclass(frozen=True, eq=False)
class SheetItem:
    """One photograph on the sheet: its name, the picture, its faces, or why there are none.

    ``picture`` may be None where the file could not be read. ``scale`` is the number of pixels in
    which the faces' circles are given per pixel of ``picture`` (above 1 for a reduced picture).
    """

    name: str
    picture: Picture | None
    faces: Sequence[Face] = ()
    problem: str | None = None
    scale: float = 1.0


def check_pages(count: int, path: Path, *, force: bool = False, sources: Sources) -> None:
    """Raise as ``outputs.check_output`` where one of the pages of so many items could not be
    written."""
    for number in range(1, -(-count // (COLUMNS * ROWS)) + 1):
        check_output(page_name(path, number), PAGE_SUFFIXES, force=force, sources=sources)


def write_contact_sheet(
    items: Iterable[SheetItem],
    path: Path,
    *,
    force: bool = False,
    sources: Sources = NOTHING_READ,
) -> list[Path]:
    """Write the items on as many pages as they need (60 photographs a page).

    Each photograph is shown with its circles, green where the finding is sure and orange where not,
    with the letter of the side; beside it stand the cut faces, under it the file's name and, in
    colour, what was amiss. The first page is ``path``, the others ``sheet-2.png`` and so on beside
    it. Items are rendered as they come, so that memory holds one page. Returns the pages written.

    Raises as ``outputs.check_output`` where a page cannot be written.
    """
    path = Path(path)
    pages: list[Path] = []
    for number, cells in enumerate(_batches(map(_cell, items), COLUMNS * ROWS), start=1):
        name = page_name(path, number)
        with written_output(name, PAGE_SUFFIXES, force=force, sources=sources) as temporary:
            page = Image.fromarray(_page(cells))
            temporary.write_bytes(marked(page, FORMATS[path.suffix.lower()]))
        pages.append(name)
    return pages


def _batches(
    cells: Iterator[npt.NDArray[np.uint8]], size: int
) -> Iterator[list[npt.NDArray[np.uint8]]]:
    while batch := list(islice(cells, size)):
        yield batch


def _page(cells: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint8]:
    width, height = CELL
    columns = min(COLUMNS, len(cells))
    rows = -(-len(cells) // columns)
    page = np.full((rows * height, columns * width, 3), PAPER, np.uint8)
    for i, cell in enumerate(cells):
        top, left = (i // columns) * height, (i % columns) * width
        page[top : top + height, left : left + width] = cell
    return page


def _cell(item: SheetItem) -> npt.NDArray[np.uint8]:
    width, height = CELL
    sheet = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    _paste_photograph(sheet, item)
    for i, face in enumerate(item.faces[:2]):
        small = cv2.resize(face.picture, (FACE_EDGE, FACE_EDGE), interpolation=cv2.INTER_AREA)
        mask = cv2.resize(
            face.mask.astype(np.uint8), (FACE_EDGE, FACE_EDGE), interpolation=cv2.INTER_NEAREST
        )
        # Off the flan the face is shown pale: the mask can be judged at a glance.
        pale = (small.astype(np.float32) * 0.25 + 0.75 * np.array(PAPER)).astype(np.uint8)
        left = THUMB + 2 * MARGIN + i * (FACE_EDGE + MARGIN)
        top = MARGIN + (THUMB - FACE_EDGE) // 2
        sheet.paste(Image.fromarray(np.where(mask[:, :, None] > 0, small, pale)), (left, top))
        _write_text(draw, (left, top - 16), _letter(face), _colour(face), FACE_EDGE)
    doubts = [face.flan.reason for face in item.faces if not face.flan.sure and face.flan.reason]
    note = item.problem or "; ".join(dict.fromkeys(doubts))
    room = width - 2 * MARGIN
    _write_text(draw, (MARGIN, THUMB + MARGIN + 2), item.name, INK, room)
    if note:
        colour = FAILED if item.problem else UNSURE
        _write_text(draw, (MARGIN, THUMB + MARGIN + 16), note, colour, room)
    return np.asarray(sheet, np.uint8)


def _paste_photograph(sheet: Image.Image, item: SheetItem) -> None:
    picture = item.picture
    if picture is None:
        return
    height, width = picture.shape[:2]
    scale = THUMB / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(
        picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    )
    left = MARGIN + (THUMB - size[0]) // 2
    top = MARGIN + (THUMB - size[1]) // 2
    canvas = Image.fromarray(np.asarray(small, np.uint8))
    on_picture = ImageDraw.Draw(canvas)
    to_small = scale / item.scale
    for face in item.faces:
        circle = face.flan.circle
        x, y = (circle.x + 0.5) * to_small - 0.5, (circle.y + 0.5) * to_small - 0.5
        radius = circle.radius * to_small
        box = (x - radius, y - radius, x + radius, y + radius)
        on_picture.ellipse(box, outline=_colour(face), width=2)
        # At the rim, inwards of the upper left, and on the picture also where the coin is cut.
        rim = (x - 0.7 * radius, y - 0.7 * radius)
        at = (min(max(rim[0], 9), size[0] - 10), min(max(rim[1], 9), size[1] - 10))
        _badge(on_picture, at, _letter(face), _colour(face))
    sheet.paste(canvas, (left, top))


def _letter(face: Face) -> str:
    return "O" if face.side == OBVERSE else "R"


def _colour(face: Face) -> tuple[int, int, int]:
    return SURE if face.flan.sure else UNSURE


def _badge(
    draw: ImageDraw.ImageDraw,
    centre: tuple[float, float],
    letter: str,
    colour: tuple[int, int, int],
) -> None:
    x, y = centre
    draw.ellipse((x - 8, y - 8, x + 8, y + 8), fill=colour)
    draw.text((x, y), letter, fill=(255, 255, 255), font=_font(), anchor="mm")


def _font() -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size=12)


def _write_text(
    draw: ImageDraw.ImageDraw,
    place: tuple[int, int],
    text: str,
    colour: tuple[int, int, int],
    room: int,
) -> None:
    """One line of text, shortened in its middle so that it fits ``room`` pixels."""
    font = _font()
    # Names may hold line breaks or surrogates; they are shown as something visible.
    text = "".join(c if c.isprintable() else "?" for c in text)
    shown = text
    keep = len(text)
    while keep > 4 and draw.textlength(shown, font=font) > room:
        keep -= 1
        shown = text[: (keep + 1) // 2] + "…" + text[len(text) - keep // 2 :]
    draw.text(place, shown, fill=colour, font=font)
