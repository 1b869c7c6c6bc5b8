"""Contact sheets of aligned faces: whether a type's faces lie on each other, for the eye."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dieindex.errors import UsageError
from dieindex.files import written_beside
from dieindex.indexing.align import matrix_of, stored_faces
from dieindex.records import SIDES, Picture, Side
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.face_codec import restored

SUFFIXES = (".png", ".jpg", ".jpeg")
EDGE = 112
"""Edge of a face on the sheet, pixels."""
COLUMNS, ROWS = 12, 9
_GAP, _CAPTION, _HEAD = 6, 16, 34
_PAPER, _INK, _DOUBT = (246, 246, 244), (30, 30, 30), (200, 100, 0)


@dataclass(frozen=True)
class _Shown:
    id: int
    coin: str
    place: bytes | None
    support: float


@dataclass
class FrameSheets:
    """The pages drawn, and how many faces on them lie on frames and on none, a side each."""

    pages: list[Path] = field(default_factory=list)
    aligned: dict[Side, int] = field(default_factory=dict)
    unaligned: dict[Side, int] = field(default_factory=dict)


def draw_frames(catalogue: Catalogue, path: Path) -> FrameSheets:
    """Draw every frame's faces as they lie on it, behind the mean of those on the page.

    Faces on no frame come last, as they were cut. Further pages are called ``sheet-2.png`` and so
    on. Raises UsageError for a suffix that is no picture's, DieIndexError where a page cannot be
    written.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"out={path}: end it in {', '.join(SUFFIXES)}.")
    sheets = FrameSheets()
    for side in SIDES:
        sheets.aligned[side] = sheets.unaligned[side] = 0
        for head, faces, lying in _groups(catalogue, side):
            counts = sheets.aligned if lying else sheets.unaligned
            counts[side] += len(faces)
            room = COLUMNS * ROWS - (1 if lying else 0)
            for start in range(0, len(faces), room):
                page = _page(catalogue, head, faces[start : start + room], lying)
                number = len(sheets.pages) + 1
                name = path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")
                with written_beside(name) as temporary:
                    _save(page, temporary)
                sheets.pages.append(name)
    return sheets


def _groups(catalogue: Catalogue, side: Side) -> Iterator[tuple[str, list[_Shown], bool]]:
    """Each frame's faces, the best first, then those on none: heading, faces, whether they lie."""
    rows = catalogue.rows(
        "SELECT f.frame, f.id, p.coin, f.to_frame, f.support FROM faces f"
        " JOIN photographs p ON p.id = f.photograph WHERE f.side = ? AND p.state = 'done'"
        " ORDER BY f.frame IS NULL, f.frame, f.support DESC, f.id",
        (side,),
    )
    groups: dict[int | None, list[_Shown]] = {}
    for frame, *values in rows:
        groups.setdefault(frame, []).append(_Shown(*values))
    for frame, faces in groups.items():
        lying = frame is not None
        name = f"on frame {frame + 1}" if frame is not None else "on no frame"
        yield f"{side}: {len(faces)} {name}", faces, lying


def _page(catalogue: Catalogue, head: str, faces: Sequence[_Shown], lying: bool) -> Picture:
    from PIL import Image, ImageDraw, ImageFont

    from dieindex.alignment.warping import warp_to_frame

    cells: list[tuple[Picture, str, tuple[int, int, int]]] = []
    total, cover = np.zeros((EDGE, EDGE, 3)), np.full((EDGE, EDGE, 1), 1e-3)
    for shown in faces:
        face = restored(stored_faces(catalogue, [shown.id])[0])
        place = matrix_of(shown.place) if lying and shown.place is not None else _as_cut()
        picture, mask = warp_to_frame(face.picture, face.mask, place, EDGE)
        total += picture * mask[..., None]
        cover += mask[..., None]
        note = f"{shown.coin}  {shown.support:.2f}" if lying else shown.coin
        pale = (0.25 * picture + 0.75 * np.array(_PAPER)).astype(np.uint8)
        drawn = np.where(mask[..., None], picture, pale)
        cells.append((drawn, note, _INK if lying else _DOUBT))
    if lying:
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


def _stretched(mean: np.ndarray, seen: np.ndarray) -> Picture:
    """A mean picture in grey with the contrast that averaging took from it."""
    grey = mean.mean(2, keepdims=True)
    low, high = np.percentile(grey[seen], [2, 98]) if seen.any() else (0.0, 1.0)
    full = np.clip((grey - low) / max(float(high - low), 1.0), 0, 1) * 255
    return np.where(seen, full, _PAPER).astype(np.uint8)


def _as_cut() -> np.ndarray:
    from dieindex.alignment.warping import centred_place

    return centred_place()


def _save(page: Picture, path: Path) -> None:
    from PIL import Image

    Image.fromarray(page).save(path)
