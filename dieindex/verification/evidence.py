"""Pictures that let a person judge a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dieindex.collection.writing import written_beside
from dieindex.errors import UsageError
from dieindex.records import FACE_SIZE, Face, Picture, Verdict

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_SHOWN = 2 * FACE_SIZE
_GAP = 16
_CAPTION = 64
_PAPER, _INK = (250, 248, 244), (40, 38, 36)


def draw_comparison(
    a: str, b: str, shown: Sequence[tuple[Verdict | None, tuple[Face, Face]]], path: Path
) -> None:
    """Write one row a compared side: the two faces, and the verdict above them.

    Raises UsageError for a suffix that is no picture's, or where no side was compared.
    """
    from PIL import Image

    if path.suffix.lower() not in PICTURE_SUFFIXES:
        raise UsageError(f"--picture {path}: end it in {', '.join(PICTURE_SUFFIXES)}.")
    if not shown:
        raise UsageError(f"--picture {path}: {a} and {b} have no side in common to be shown.")
    rows = [_row(a, b, verdict, faces) for verdict, faces in shown]
    with written_beside(path) as temporary:
        Image.fromarray(np.concatenate(rows)).save(temporary)


def _row(a: str, b: str, verdict: Verdict | None, faces: tuple[Face, Face]) -> Picture:
    from PIL import Image, ImageDraw, ImageFont

    width = 2 * _SHOWN + 3 * _GAP
    row = Image.new("RGB", (width, _CAPTION + _SHOWN + _GAP), _PAPER)
    for position, face in enumerate(faces):
        picture = Image.fromarray(face.picture).resize((_SHOWN, _SHOWN), Image.Resampling.LANCZOS)
        row.paste(picture, (_GAP + position * (_SHOWN + _GAP), _CAPTION))
    draw = ImageDraw.Draw(row)
    if verdict is not None:
        headline = (
            f"{faces[0].side}: {verdict.verdict}, probability {verdict.probability:.2f} "
            f"at prior {verdict.prior:g}, distance {verdict.distance:.2f}"
        )
        draw.text((_GAP, 10), headline, _INK, font=ImageFont.load_default(20))
    small = ImageFont.load_default(15)
    for position, name in enumerate((a, b)):
        draw.text((_GAP + position * (_SHOWN + _GAP), 40), Path(name).name[:60], _INK, font=small)
    return np.asarray(row)
