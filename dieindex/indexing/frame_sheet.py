"""Contact sheets of aligned faces: whether a type's faces lie on each other, for the eye."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np

from dieindex.marks import FORMATS, marked
from dieindex.outputs import PAGE_SUFFIXES, Sources, check_output, page_name, written_output
from dieindex.records import SIDES, Flags, Floats, Picture, Side
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.faces import PlacedFace

EDGE = 112
"""Edge of a face on the sheet, pixels."""
COLUMNS, ROWS = 12, 9
_GAP, _CAPTION, _HEAD = 6, 16, 34
_PAPER, _INK, _DOUBT = (246, 246, 244), (30, 30, 30), (200, 100, 0)


@dataclass
class FrameSheets:
    """The pages made, and how many faces on them lie on frames and on none, a side each."""

    pages: list[Path] = field(default_factory=list)
    aligned: dict[Side, int] = field(default_factory=dict)
    unaligned: dict[Side, int] = field(default_factory=dict)


def render_frames(
    catalogue: Catalogue, path: Path, *, force: bool = False, sources: Sources
) -> FrameSheets:
    """Render every frame's faces as they lie on it, behind the mean of those on the page.

    Faces on no frame come last, as they were cut. Further pages are called ``sheet-2.png`` and so
    on. Raises as ``outputs.check_output`` where a page cannot be written.
    """
    from PIL import Image

    check_output(path, PAGE_SUFFIXES, force=force, sources=sources)
    sheets = FrameSheets()
    for side in SIDES:
        sheets.aligned[side] = sheets.unaligned[side] = 0
        for head, faces in _groups(catalogue, side):
            aligned = faces[0].frame is not None
            counts = sheets.aligned if aligned else sheets.unaligned
            counts[side] += len(faces)
            room = COLUMNS * ROWS - (1 if aligned else 0)
            for start in range(0, len(faces), room):
                page = _page(catalogue, head, faces[start : start + room])
                name = page_name(path, len(sheets.pages) + 1)
                with written_output(name, PAGE_SUFFIXES, force=force, sources=sources) as temporary:
                    kind = FORMATS[path.suffix.lower()]
                    temporary.write_bytes(marked(Image.fromarray(page), kind))
                sheets.pages.append(name)
    return sheets


def _groups(catalogue: Catalogue, side: Side) -> Iterator[tuple[str, list[PlacedFace]]]:
    """Each frame's faces, the best first, then those on none, with their heading."""

    def order(face: PlacedFace) -> tuple[bool, int, float, int]:
        return face.frame is None, face.frame or 0, -face.confidence, face.id

    for frame, group in groupby(sorted(catalogue.placed_faces(side), key=order), _frame):
        faces = list(group)
        name = f"on frame {frame + 1}" if frame is not None else "on no frame"
        yield f"{side}: {len(faces)} {name}", faces


def _frame(face: PlacedFace) -> int | None:
    return face.frame


def _page(catalogue: Catalogue, head: str, faces: Sequence[PlacedFace]) -> Picture:
    """A page of faces that lie on one frame, or on none."""
    from PIL import Image, ImageDraw, ImageFont

    from dieindex.alignment.warping import centred_place, warp_to_frame

    aligned = faces[0].frame is not None
    cells: list[tuple[Picture, str, tuple[int, int, int]]] = []
    total, cover = np.zeros((EDGE, EDGE, 3)), np.full((EDGE, EDGE, 1), 1e-3)
    for shown in faces:
        picture, mask = catalogue.picture_of(shown.id)
        place = shown.to_frame if aligned and shown.to_frame is not None else centred_place()
        picture, mask = warp_to_frame(picture, mask, place, EDGE)
        total += picture * mask[..., None]
        cover += mask[..., None]
        note = f"{shown.coin}  {shown.confidence:.2f}" if aligned else shown.coin
        pale = (0.25 * picture + 0.75 * np.array(_PAPER)).astype(np.uint8)
        cell = np.where(mask[..., None], picture, pale)
        cells.append((cell, note, _INK if aligned else _DOUBT))
    if aligned:
        cells.insert(0, (_stretched(total / cover, cover > 0.5), "mean of these", _INK))
    columns = min(COLUMNS, len(cells))
    width, height = EDGE + _GAP, EDGE + _GAP + _CAPTION
    size = (max(columns * width, 360) + _GAP, _HEAD + -(-len(cells) // columns) * height)
    sheet = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_GAP, 6), head, _INK, font=ImageFont.load_default(18))
    small = ImageFont.load_default(11)
    for number, (picture, note, colour) in enumerate(cells):
        left, top = _GAP + (number % columns) * width, _HEAD + (number // columns) * height
        sheet.paste(Image.fromarray(picture), (left, top))
        # Names may hold what no font can draw.
        text = "".join(c if c.isprintable() else "?" for c in note)
        while len(text) > 4 and draw.textlength(text, font=small) > EDGE:
            text = text[:-2] + "…"
        draw.text((left, top + EDGE + 1), text, colour, font=small)
    return np.asarray(sheet)


def _stretched(mean: Floats, seen: Flags) -> Picture:
    """A mean picture in grey with the contrast that averaging took from it."""
    grey = mean.mean(2, keepdims=True)
    low, high = np.percentile(grey[seen], [2, 98]) if seen.any() else (0.0, 1.0)
    full = np.clip((grey - low) / max(float(high - low), 1.0), 0, 1) * 255
    return np.where(seen, full, _PAPER).astype(np.uint8)
