"""From a photograph's file to its faces, with positions in the file's own pixels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dieindex.collection.faces import cut_faces
from dieindex.collection.pictures import Decoded, read_picture
from dieindex.errors import PictureError
from dieindex.records import OBVERSE, Face, Override, Photograph, Side


def cut_photograph(path: Path, photograph: Photograph) -> list[Face]:
    """Read one photograph of a collection and cut its faces, obverse first.

    The flans' circles are in pixels of the upright file. Raises PictureError, naming the file.
    """
    return cut_decoded(read_picture(path), photograph, path.name)


def cut_decoded(decoded: Decoded, photograph: Photograph, name: str) -> list[Face]:
    """Cut the faces of a photograph that is already decoded; ``name`` is for messages."""
    asked = photograph.side_from == "option"
    side = None if asked else photograph.side
    default_side = (photograph.side if asked else None) or OBVERSE
    return _cut(decoded, name, side, photograph.overrides, default_side)


def cut_file(
    path: Path,
    *,
    side: Side | None = None,
    overrides: tuple[Override, ...] = (),
    default_side: Side = OBVERSE,
) -> list[Face]:
    """Read a picture file and cut its faces (see ``faces.cut_faces``)."""
    return _cut(read_picture(path), path.name, side, overrides, default_side)


def _cut(
    decoded: Decoded,
    name: str,
    side: Side | None,
    overrides: tuple[Override, ...],
    default_side: Side,
) -> list[Face]:
    scaled = [_scaled(override, decoded) for override in overrides]
    try:
        faces = cut_faces(decoded.picture, side, scaled, default_side)
    except PictureError as error:
        raise PictureError(f"{name}: {error}") from error
    looked_at = any(override.circle is not None for override in overrides)
    if decoded.damage is not None and not looked_at:
        faces = [_doubted(face, decoded.damage) for face in faces]
    return [_unscaled(face, decoded) for face in faces]


def _doubted(face: Face, damage: str) -> Face:
    reason = f"the file is damaged ({damage}); fetch it again"
    return replace(face, flan=replace(face.flan, sure=False, reason=reason))


def _scaled(override: Override, decoded: Decoded) -> Override:
    if override.circle is None:
        return override
    return replace(override, circle=decoded.from_full(override.circle))


def _unscaled(face: Face, decoded: Decoded) -> Face:
    return replace(face, flan=replace(face.flan, circle=decoded.to_full(face.flan.circle)))
