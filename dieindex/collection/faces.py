"""Cutting a photograph into faces: the flan centred, at one size, with its mask."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from dieindex.collection.flans import Finding
from dieindex.collection.light import has_relief, normalise_light
from dieindex.collection.splitting import find_one, split_faces
from dieindex.errors import PictureError
from dieindex.records import (
    FACE_SIZE,
    FLAN_RADIUS,
    OBVERSE,
    REVERSE,
    SIDES,
    Circle,
    Face,
    Flan,
    Floats,
    Mask,
    Override,
    Picture,
    Side,
    other_side,
)

SMALLEST_EDGE = 32
"""Pictures with an edge shorter than this, in pixels, hold too little of a coin."""

NO_RELIEF = "a disc or a ring without relief: perhaps no coin"
OVERHANG = 1.08
"""How far the outline of an irregular flan may reach beyond its circle, in radii."""


def cut_faces(
    picture: Picture,
    side: Side | None = None,
    overrides: Sequence[Override] = (),
    default_side: Side = OBVERSE,
) -> list[Face]:
    """The faces of one photograph, obverse first.

    ``picture`` is ``(h, w, 3)`` uint8 RGB, upright. With ``side`` given the picture stands for that
    one face, and its best coin is taken; with None it is decided whether the picture shows a pair
    (obverse left or above) or a single coin, which then is of ``default_side``.

    ``overrides`` are the rows of this picture, in pixels and degrees of the picture as given here;
    they win over what is found. ``swap`` exchanges the sides before the other rows are applied by
    side. ``skip`` without a side drops the whole picture, with a side that face; what is left may
    be an empty list. ``rotate`` turns the face counter-clockwise.

    Raises PictureError where there is nothing to cut: an edge under 32 pixels, or one plain colour.
    Its message does not name the file, since this function does not know it: the caller does.
    """
    refuse_hopeless(picture)
    if any(each.skip and each.side is None for each in overrides):
        return []
    findings = _find(picture, side, overrides, default_side)
    faces = []
    for each in SIDES:
        if each not in findings or any(row.skip and row.side == each for row in overrides):
            continue
        turns = [
            row.rotate for row in overrides if row.rotate is not None and row.side in (None, each)
        ]
        face = cut_face(picture, each, findings[each], turns[-1] if turns else 0.0)
        given = any(row.circle is not None and row.side in (None, each) for row in overrides)
        if face.flan.sure and not given and not has_relief(face.picture):
            flan = replace(face.flan, sure=False, reason=NO_RELIEF)
            face = replace(face, flan=flan)
        faces.append(face)
    return faces


def refuse_hopeless(picture: Picture) -> None:
    """Raises PictureError for pictures too small or of one plain colour."""
    height, width = picture.shape[:2]
    if min(height, width) < SMALLEST_EDGE:
        raise PictureError(
            f"the picture is only {width} x {height} pixels: "
            f"use one with edges of at least {SMALLEST_EDGE} pixels"
        )
    thinned = picture[:: 1 + height // 128, :: 1 + width // 128]
    small = cv2.resize(thinned, (16, 16), interpolation=cv2.INTER_AREA)
    if int(np.ptp(small.reshape(-1, 3), axis=0).max()) <= 6:
        raise PictureError("the picture is of one plain colour: no coin is to be seen on it")


def _find(
    picture: Picture, side: Side | None, overrides: Sequence[Override], default_side: Side
) -> dict[Side, Finding]:
    """What was found, by side, after the overrides."""
    swap = any(row.swap for row in overrides)
    given: dict[Side | None, Circle] = {
        row.side: row.circle for row in overrides if row.circle is not None
    }
    if side is not None:
        circle = given.get(side, given.get(None))
        return {side: _given(circle) if circle is not None else find_one(picture)}
    if all(each in given for each in SIDES):
        return {each: _given(given[each]) for each in SIDES}
    if None in given:
        return {other_side(default_side) if swap else default_side: _given(given[None])}
    split = split_faces(picture)
    findings: dict[Side, Finding]
    if len(split.findings) == 2:
        order = (REVERSE, OBVERSE) if swap else (OBVERSE, REVERSE)
        findings = dict(zip(order, split.findings, strict=True))
    else:
        findings = {other_side(default_side) if swap else default_side: split.findings[0]}
    for each in SIDES:
        if each in given:
            other = findings.get(other_side(each))
            if each not in findings and other is not None and _same_coin(other, given[each]):
                del findings[other_side(each)]
            findings[each] = _given(given[each])
    return findings


def _given(circle: Circle) -> Finding:
    return Finding(Flan(circle, 1.0, True))


def _same_coin(finding: Finding, circle: Circle) -> bool:
    found = finding.flan.circle
    return math.hypot(found.x - circle.x, found.y - circle.y) < 0.5 * max(
        found.radius, circle.radius
    )


def cut_face(picture: Picture, side: Side, finding: Finding, rotation: float = 0.0) -> Face:
    """One face, its flan centred at radius ``FLAN_RADIUS * FACE_SIZE``.

    What lies outside the photograph is filled with the median of the photograph's border and is
    False in the mask. ``rotation`` in degrees, counter-clockwise.
    """
    circle = finding.flan.circle
    shrink = circle.radius / (FLAN_RADIUS * FACE_SIZE)
    source, origin, reduced = _reduced(picture, circle, shrink)
    matrix = to_face(circle, rotation)
    # From pixels of the reduced source to pixels of the picture, then to the face.
    to_picture = np.array(
        [
            [reduced, 0, origin[0] + 0.5 * reduced - 0.5],
            [0, reduced, origin[1] + 0.5 * reduced - 0.5],
            [0, 0, 1],
        ]
    )
    size = (FACE_SIZE, FACE_SIZE)
    cut = np.asarray(
        cv2.warpAffine(
            source,
            (matrix @ to_picture)[:2],
            size,
            flags=cv2.INTER_LINEAR if shrink >= 1 else cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.uint8,
    )
    height, width = picture.shape[:2]
    corners = np.array([[-0.5, -0.5], [width - 0.5, -0.5], [width - 0.5, height - 0.5],
                        [-0.5, height - 0.5]])  # fmt: skip
    photographed = _polygon(corners @ matrix[:2, :2].T + matrix[:2, 2])
    cut[~photographed] = border_median(picture)
    mask = _disc(1.0)
    if finding.outline is not None and len(finding.outline) > 2:
        # What reaches far beyond the circle is ground that the outline ran out into.
        flan = _polygon(finding.outline @ matrix[:2, :2].T + matrix[:2, 2]) & _disc(OVERHANG)
        if flan.sum() > 0.5 * (mask & photographed).sum():
            mask = flan
    return Face(side, cut, mask & photographed, finding.flan, rotation)


def to_face(circle: Circle, rotation: float) -> Floats:
    """The similarity from pixels of the picture to pixels of the face, ``(3, 3)``."""
    scale = FLAN_RADIUS * FACE_SIZE / circle.radius
    turn = math.radians(rotation)
    cos, sin = scale * math.cos(turn), scale * math.sin(turn)
    middle = (FACE_SIZE - 1) / 2
    # y runs downwards, so a counter-clockwise turn has the sines the other way about.
    return np.array(
        [
            [cos, sin, middle - cos * circle.x - sin * circle.y],
            [-sin, cos, middle + sin * circle.x - cos * circle.y],
            [0, 0, 1],
        ]
    )


def _reduced(
    picture: Picture, circle: Circle, shrink: float
) -> tuple[Picture, tuple[int, int], int]:
    """The surroundings of the flan, averaged down so that the warp does not alias.

    Returns them, their origin in the picture, and picture pixels per pixel of them.
    """
    height, width = picture.shape[:2]
    reach = 1.6 * circle.radius  # the face's half diagonal is 0.71 / 0.45 radii
    left, right = (int(np.clip(circle.x + s * reach, 0, width)) for s in (-1, 1))
    top, bottom = (int(np.clip(circle.y + s * reach, 0, height)) for s in (-1, 1))
    block = max(1, int(shrink))
    if right - left < 2 * block or bottom - top < 2 * block:
        return picture, (0, 0), 1
    part = picture[top:bottom, left:right]
    if block > 1:
        rows, columns = part.shape[0] // block, part.shape[1] // block
        even = part[: rows * block, : columns * block]
        part = np.asarray(cv2.resize(even, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    if shrink / block > 1.2:
        part = np.asarray(cv2.GaussianBlur(part, (3, 3), 0.4 * shrink / block), np.uint8)
    return part, (left, top), block


def _disc(times: float) -> Mask:
    """The inside of ``times`` the flan's circle in the frame of a face."""
    away = np.arange(FACE_SIZE) - (FACE_SIZE - 1) / 2
    squared = away[:, None] ** 2 + away[None, :] ** 2
    return np.asarray(squared <= (times * FLAN_RADIUS * FACE_SIZE) ** 2, bool)


def _polygon(points: npt.NDArray[np.floating]) -> Mask:
    """The inside of a polygon ``(n, 2)`` in the frame of a face."""
    canvas = np.zeros((FACE_SIZE, FACE_SIZE), np.uint8)
    # Far corners are clipped: fixed-point coordinates overflow beyond some tens of thousands.
    shifted = np.asarray(np.round(np.clip(points, -8000, 8000) * 16), np.int32)
    cv2.fillPoly(canvas, [shifted[:, None, :]], 1, shift=4)
    return canvas > 0


def border_median(picture: Picture) -> npt.NDArray[np.uint8]:
    """The median colour of the photograph's outermost pixels, ``(3,)``."""
    rim = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    return np.asarray(np.median(rim, axis=0), np.uint8)


# ---------------------------------------------------------------------------- doubts

ALIKE_FROM = 0.85
"""Correlation from which two faces of one coin count as the same picture of the same side."""


def sides_look_alike(first: Face, second: Face) -> bool:
    """Whether two faces are, up to a small shift, the same side (an obverse photographed twice).

    Compares light-normalised thumbnails of 48 pixels; different sides correlate far lower.
    """
    return similarity(first, second) >= ALIKE_FROM


def similarity(first: Face, second: Face) -> float:
    """The highest normalised correlation of the thumbnails over shifts of up to 4 of 48 pixels."""
    a, b = (
        cv2.resize(normalise_light(each.picture, each.mask), (48, 48), interpolation=cv2.INTER_AREA)
        for each in (first, second)
    )
    core = a[8:40, 8:40]
    if float(core.std()) < 1e-3 or float(b.std()) < 1e-3:
        return 0.0
    return float(cv2.matchTemplate(b[4:44, 4:44], core, cv2.TM_CCOEFF_NORMED).max())
