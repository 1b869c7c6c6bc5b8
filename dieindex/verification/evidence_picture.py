"""Pictures that let a person judge a verdict.

A row a side: the two faces as they lie on their common frame, one over the other, what differs,
and where their details agree. The lamp inverts shading, so what differs is told of edges alone.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dieindex.errors import UsageError
from dieindex.marks import FORMATS, marked
from dieindex.outputs import NOTHING_READ, Sources, check_output, written_output
from dieindex.records import Face, Flags, Floats32, Picture, Verdict
from dieindex.verification.agreement import Agreement

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

Panel = tuple[Picture, str, Sequence[tuple[str, tuple[int, int, int]]]]
"""A picture, its caption, and what its colours mean."""

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
PANEL = 384
"""Edge of a panel, pixels."""
_GAP = 14
_HEAD, _CAPTION, _FOOT = 44, 28, 30
_PAPER, _INK, _FAINT = (250, 248, 244), (40, 38, 36), (120, 116, 110)
_AGREES, _CONTRADICTS = (22, 130, 60), (205, 40, 40)
_ONLY_FIRST, _ONLY_SECOND = (30, 90, 200), (225, 110, 0)
_COLOURS = {"same": _AGREES, "different": _CONTRADICTS, "cannot tell": (150, 110, 0)}
_LEAST_SHOWN = 0.15
"""Weight, 0…1, below which a place shows too little to be coloured."""
_ENLARGED = 6.0
"""Length of an arrow over the displacement, which is mostly less than a cell."""
_LONGEST = 190
"""Characters of the line beside a verdict; the row is no wider."""
_ARROWS = 4
"""Cells between arrows."""


@dataclass(frozen=True, eq=False)
class Shown:
    """One side of a comparison: its verdict, the two faces as they lie on one frame, and where
    their details agree (None where they were not scored). ``apart`` says why the faces do not
    lie on one frame; None where they do."""

    verdict: Verdict | None
    first: Face
    second: Face
    agreement: Agreement | None = None
    apart: str | None = None


def draw_comparison(
    a: str,
    b: str,
    shown: Sequence[Shown],
    path: Path,
    *,
    force: bool = False,
    sources: Sources = NOTHING_READ,
) -> None:
    """Write one row a compared side: the faces, their overlay, what differs, where they agree.

    Raises UsageError where no side was compared, and as ``outputs.check_output`` where the picture
    cannot be written.
    """
    check_output(path, PICTURE_SUFFIXES, force=force, sources=sources)
    if not shown:
        raise UsageError(f"{path}: {a} and {b} have no side in common to be shown.")
    _write([evidence_row(a, b, each) for each in shown], path, force=force, sources=sources)


def draw_rows(
    rows: Sequence[tuple[str, str, Shown, str]],
    path: Path,
    *,
    force: bool = False,
    sources: Sources = NOTHING_READ,
) -> None:
    """Write rows of evidence, each with the names of both and what is said of it in a line. Raises
    as ``draw_comparison``."""
    check_output(path, PICTURE_SUFFIXES, force=force, sources=sources)
    if not rows:
        raise UsageError(f"{path}: there is nothing to be shown.")
    drawn = [evidence_row(a, b, shown, told) for a, b, shown, told in rows]
    _write(drawn, path, force=force, sources=sources)


def _write(rows: Sequence[Picture], path: Path, *, force: bool, sources: Sources) -> None:
    from PIL import Image

    width = max(row.shape[1] for row in rows)
    drawn = Image.fromarray(np.concatenate([_widened(row, width) for row in rows]))
    with written_output(path, PICTURE_SUFFIXES, force=force, sources=sources) as temporary:
        temporary.write_bytes(marked(drawn, FORMATS[path.suffix.lower()]))


def evidence_row(a: str, b: str, shown: Shown, told: str | None = None) -> Picture:
    """The panels of one side under its verdict, or under what is ``told`` of it, RGB.

    Faces that are not aligned with each other are shown beside each other alone, and why is said.
    """
    from PIL import Image, ImageDraw, ImageFont

    grey = [_levelled(face) for face in (shown.first, shown.second)]
    inside = [_resized(face.mask.astype(np.float32)) > 0.5 for face in (shown.first, shown.second)]
    panels: list[Panel] = [
        (_rgb(grey[0]), _name(a), ()),
        (_rgb(grey[1]), _name(b), ()),
    ]
    if shown.apart is not None:
        told = f"Not aligned with each other, and so not compared place by place: {shown.apart}."
        panels.append((_message(told), "", ()))
    else:
        panels += _aligned_panels(a, b, grey, inside, shown.agreement)
    width = sum(picture.shape[1] + _GAP for picture, _, _ in panels) + _GAP
    row = Image.new("RGB", (width, _HEAD + _CAPTION + PANEL + _FOOT), _PAPER)
    draw = ImageDraw.Draw(row)
    small = ImageFont.load_default(15)
    left = _GAP
    for picture, caption, legend in panels:
        draw.text((left, _HEAD + 4), caption, _INK, font=small)
        row.paste(Image.fromarray(picture), (left, _HEAD + _CAPTION))
        _legend(draw, left, _HEAD + _CAPTION + PANEL + 6, legend, small)
        left += picture.shape[1] + _GAP
    if told is not None:
        draw.text((_GAP, 12), _shortened(told), _INK, font=ImageFont.load_default(20))
    elif shown.verdict is not None:
        _headline(draw, shown.first.side, shown.verdict)
    return np.asarray(row)


def _aligned_panels(
    a: str,
    b: str,
    grey: Sequence[Floats32],
    inside: Sequence[Flags],
    agreement: Agreement | None,
) -> list[Panel]:
    """What can be shown of two faces that are aligned with each other."""
    panels: list[Panel] = [
        (_overlay(grey, inside), "one on the other, half and half", ()),
        (
            _difference(grey, inside),
            "edges: on both, or on one alone",
            (("both", _INK), (_name(a, 14), _ONLY_FIRST), (_name(b, 14), _ONLY_SECOND)),
        ),
    ]
    if agreement is not None:
        caption = f"details: {agreement.share:.0%} of what both show lies in one place"
        entries = (("same place", _AGREES), ("displaced, as the arrows show", _CONTRADICTS))
        panels.append((_agreement(grey, inside, agreement), caption, entries))
    return panels


def _headline(draw: ImageDraw, side: str, verdict: Verdict) -> None:
    from PIL import ImageFont

    large, small = ImageFont.load_default(22), ImageFont.load_default(15)
    at = float(_GAP)
    for text, colour in ((f"{side}: ", _INK), (verdict.verdict, _COLOURS[verdict.verdict])):
        draw.text((at, 10), text, colour, font=large)
        at += draw.textlength(text, font=large)
    told = (
        f"   probability {verdict.probability:.2f} at prior {verdict.prior:g}, distance "
        f"{verdict.distance:.2f} ({verdict.basis})"
    )
    if verdict.reason:
        told += f"; {verdict.reason}"
    draw.text((at, 16), _shortened(told), _FAINT, font=small)


def _legend(
    draw: ImageDraw,
    left: int,
    top: int,
    entries: Sequence[tuple[str, tuple[int, int, int]]],
    font: Any,
) -> None:
    at = float(left)
    for text, colour in entries:
        draw.rectangle((at, top + 3, at + 12, top + 15), fill=colour)
        draw.text((at + 18, top), text, _INK, font=font)
        at += 18 + draw.textlength(text, font=font) + 16


def _shortened(told: str) -> str:
    """At most ``_LONGEST`` characters, ended between two words."""
    if len(told) <= _LONGEST:
        return told
    return told[:_LONGEST].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"


def _name(name: str, most: int = 40) -> str:
    plain = Path(name).name
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"


# ------------------------------------------------------------------------------------------ panels


def _resized(values: Floats32) -> Floats32:
    import cv2

    way = cv2.INTER_AREA if values.shape[0] > PANEL else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(values, (PANEL, PANEL), interpolation=way), np.float32)


def _levelled(face: Face) -> Floats32:
    """(PANEL, PANEL) grey 0…1, stretched so that dark and bright photographs look alike."""
    import cv2

    grey = cv2.cvtColor(face.picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    inside = grey[face.mask]
    low, high = np.quantile(inside, [0.02, 0.98]) if inside.size else (0.0, 255.0)
    level = (grey - np.float32(low)) / np.float32(max(float(high - low), 24.0))
    return np.asarray(np.clip(_resized(level), 0, 1), np.float32)


def _message(text: str) -> Picture:
    """Words alone, in the place of two panels."""
    from PIL import Image, ImageDraw, ImageFont

    panel = Image.new("RGB", (2 * PANEL + _GAP, PANEL), _PAPER)
    font = ImageFont.load_default(18)
    ImageDraw.Draw(panel).multiline_text(
        (_GAP, PANEL // 3), textwrap.fill(text, 72), _INK, font=font, spacing=8
    )
    return np.asarray(panel)


def _rgb(grey: Floats32) -> Picture:
    return np.repeat((255 * np.clip(grey, 0, 1)).astype(np.uint8)[..., None], 3, 2)


def _overlay(grey: Sequence[Floats32], inside: Sequence[Flags]) -> Picture:
    """Both faces at half strength; where only one shows the flan, that one, faint."""
    both = inside[0] & inside[1]
    mixed = (grey[0] + grey[1]) / 2
    alone = np.where(inside[0], grey[0], np.where(inside[1], grey[1], 1.0))
    return _rgb(np.where(both, mixed, 0.25 * alone + 0.75))


def _edges(grey: Floats32, inside: Flags) -> Floats32:
    """How strong edges are, 0…1, whatever the light."""
    import cv2

    smooth = cv2.GaussianBlur(grey, (0, 0), 1.6)
    strength = np.hypot(cv2.Scharr(smooth, -1, 1, 0), cv2.Scharr(smooth, -1, 0, 1))
    # Against the neighbourhood's own: sharp and blurred photographs come to look alike.
    weight = inside.astype(np.float32)
    near = cv2.GaussianBlur(strength * weight, (0, 0), 18) / np.maximum(
        cv2.GaussianBlur(weight, (0, 0), 18), 1e-3
    )
    usual = float(near[inside].mean()) if inside.any() else 1.0
    relative = strength / np.maximum(near, 0.8 * usual)
    rim = cv2.erode(inside.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(np.float32)
    return np.asarray(np.clip((relative - 0.9) / 1.6, 0, 1) * rim, np.float32)


def _difference(grey: Sequence[Floats32], inside: Sequence[Flags]) -> Picture:
    """Edges of both in ink, of one alone in its colour. An edge within three pixels counts."""
    import cv2

    both = inside[0] & inside[1]
    edges = [_edges(each, both) for each in grey]
    wide = [cv2.dilate(each, np.ones((7, 7), np.uint8)) for each in edges]
    shared = np.maximum(np.minimum(edges[0], wide[1]), np.minimum(edges[1], wide[0]))
    alone = [np.clip(edges[0] - wide[1], 0, 1), np.clip(edges[1] - wide[0], 0, 1)]
    picture = np.full((PANEL, PANEL, 3), 255.0, np.float32)
    picture[~both] = 236.0
    for strength, colour in (
        (0.75 * shared, _INK),
        (alone[0], _ONLY_FIRST),
        (alone[1], _ONLY_SECOND),
    ):
        share = np.clip(1.25 * strength, 0, 1)[..., None]
        picture = picture * (1 - share) + np.array(colour, np.float32) * share
    return picture.astype(np.uint8)


def _relief(grey: Sequence[Floats32], inside: Sequence[Flags]) -> Floats32:
    """0…1: how much there is to compare at a place, on either face; little in an empty field."""
    import cv2

    edges = [_edges(each, where) for each, where in zip(grey, inside, strict=True)]
    near = cv2.GaussianBlur(np.maximum(*edges), (0, 0), PANEL / 40)
    usual = max(float(np.quantile(near[inside[0] | inside[1]], 0.6)), 1e-3) if near.any() else 1.0
    return np.asarray(np.clip(near / usual, 0, 1) ** 1.5, np.float32)


def _agreement(grey: Sequence[Floats32], inside: Sequence[Flags], agreement: Agreement) -> Picture:
    """The overlay, faint, coloured by how the details lie; arrows where they lie displaced."""
    import cv2

    ground = 0.55 * (grey[0] + grey[1]) / 2 + 0.45
    picture = np.repeat(255 * ground[..., None], 3, 2).astype(np.float32)
    value, weight = _resized(agreement.value), _resized(agreement.weight)
    weight = np.clip(weight, 0, 1) * _relief(grey, inside)
    shown = np.where(weight > _LEAST_SHOWN, weight, 0)
    for side, colour in ((value, _AGREES), (-value, _CONTRADICTS)):
        share = (0.6 * np.clip(side, 0, 1) * shown)[..., None]
        picture = picture * (1 - share) + np.array(colour, np.float32) * share
    coloured = np.ascontiguousarray(picture.astype(np.uint8))
    grid = agreement.value.shape[0]
    cell = PANEL / grid
    for y in range(_ARROWS // 2, grid, _ARROWS):
        for x in range(_ARROWS // 2, grid, _ARROWS):
            at = round((y + 0.5) * cell), round((x + 0.5) * cell)
            if agreement.value[y, x] < -0.4 and weight[at] > 0.3:
                start = np.array([(x + 0.5) * cell, (y + 0.5) * cell])
                end = start + _ENLARGED * cell * agreement.displacement[y, x]
                cv2.arrowedLine(
                    coloured,
                    [round(float(v)) for v in start],
                    [round(float(v)) for v in end],
                    (110, 0, 0),
                    1,
                    cv2.LINE_AA,
                    tipLength=0.35,
                )
    return coloured


def _widened(row: Picture, width: int) -> Picture:
    missing = width - row.shape[1]
    if not missing:
        return row
    paper = np.full((row.shape[0], missing, 3), _PAPER, np.uint8)
    return np.concatenate([row, paper], 1)
