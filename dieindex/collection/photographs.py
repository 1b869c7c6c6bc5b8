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
    asked = photograph.side_from == "option"
    return cut_file(
        path,
        side=None if asked else photograph.side,
        overrides=photograph.overrides,
        default_side=(photograph.side if asked else None) or OBVERSE,
    )


def cut_file(
    path: Path,
    *,
    side: Side | None = None,
    overrides: tuple[Override, ...] = (),
    default_side: Side = OBVERSE,
) -> list[Face]:
    """Read a picture file and cut its faces (see ``faces.cut_faces``)."""
    decoded = read_picture(path)
    scaled = [_scaled(override, decoded) for override in overrides]
    try:
        faces = cut_faces(decoded.picture, side, scaled, default_side)
    except PictureError as error:
        raise PictureError(f"{path.name}: {error}") from error
    return [_unscaled(face, decoded) for face in faces]


def _scaled(override: Override, decoded: Decoded) -> Override:
    if override.circle is None:
        return override
    return replace(override, circle=decoded.from_full(override.circle))


def _unscaled(face: Face, decoded: Decoded) -> Face:
    return replace(face, flan=replace(face.flan, circle=decoded.to_full(face.flan.circle)))
