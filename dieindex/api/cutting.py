"""Picture files that are named: the faces on them, and by what they are known."""

from __future__ import annotations

import hashlib
from pathlib import Path

from dieindex.api.arguments import checked_path, side_or_none
from dieindex.collection.pictures import PICTURE_SUFFIXES
from dieindex.errors import PictureError
from dieindex.records import OBVERSE, Face, PathLike, Side


def cut_faces_of(path: Path, side: Side | None) -> list[Face]:
    """The faces on a picture file. Raises PictureError where there are none to be had."""
    from dieindex.collection.photographs import cut_file

    if not path.is_file():
        raise PictureError(f"{path}: no such picture, and no coin of an index.")
    return cut_file(path, default_side=side or OBVERSE)


def cut_faces(picture: PathLike, *, side: Side | None = None) -> list[Face]:
    """The faces on a picture file, cut out and normalised: the obverse first where both are there.

    ``side`` is the side of a picture that shows a single one (an obverse where not said). Raises
    PictureError where there are none to be had.
    """
    return cut_faces_of(checked_path(picture, "picture"), side_or_none(side))


def content_of(path: Path) -> str:
    """The digest by which a photograph is known whatever it is called."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def is_picture_name(path: PathLike) -> bool:
    """Whether a file of this name would be taken for a picture."""
    return Path(path).suffix.lower() in PICTURE_SUFFIXES
