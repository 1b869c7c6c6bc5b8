"""A collection at a glance: contact sheets of what was found, and of what was aligned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dieindex.api.arguments import checked_path, side_or_none
from dieindex.api.reader import sources_of
from dieindex.indexing.frame_sheet import FrameSheets, render_frames
from dieindex.records import SIDES, PathLike, Progress, Side
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.folder import default_index_folder
from dieindex.storage.schema import CATALOGUE_NAME

if TYPE_CHECKING:
    from dieindex.collection.overview import Overview


@dataclass(frozen=True)
class Aligned:
    """How many of an index's faces are aligned, a side each."""

    index: Path
    faces: Mapping[Side, int]
    aligned: Mapping[Side, int]


def draw_photographs(
    data: PathLike,
    out: PathLike,
    *,
    side: Side | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Overview:
    """Draw every photograph below ``data`` with the coins found on it into the picture ``out``
    (and ``out-2`` and so on); no index is needed.

    Raises CollectionError where there is nothing to draw, UsageError for a suffix that is no
    picture's, and for a file that dieindex did not write, unless ``force`` says to replace it.
    """
    from dieindex.collection.overview import write_overview

    folder, place = checked_path(data, "data"), checked_path(out, "out")
    return write_overview(folder, place, side_or_none(side), progress, force=force)


def draw_frames(
    data: PathLike, out: PathLike, *, index: PathLike | None = None, force: bool = False
) -> tuple[FrameSheets, dict[Side, int]]:
    """Draw the faces of the index of ``data`` as they lie on their frames; gives what was drawn,
    and the number of frames a side.

    Raises IndexFolderError where there is no index, UsageError for a suffix that is no picture's,
    and for a file that dieindex did not write, unless ``force`` says to replace it.
    """
    folder, place = _index_of(data, index), checked_path(out, "out")
    with Catalogue.open(folder) as catalogue:
        sources = sources_of(folder, catalogue)
        sheets = render_frames(catalogue, place, force=force, sources=sources)
        return sheets, {side: catalogue.frame_count(side) for side in SIDES}


def alignment_of(data: PathLike, index: PathLike | None = None) -> Aligned | None:
    """What the index of ``data`` knows of its faces; None where it has none."""
    folder = _index_of(data, index)
    if not (folder / CATALOGUE_NAME).is_file():
        return None
    with Catalogue.open(folder) as catalogue:
        if catalogue.meta("data") != str(Path(data).resolve()):
            return None
        counts = catalogue.counts()
        aligned = {side: catalogue.aligned_count(side) for side in SIDES}
    return Aligned(folder, {side: counts[side] for side in SIDES}, aligned)


def index_of(data: PathLike) -> Path | None:
    """The folder of the index that was built of ``data`` where it goes by default; None where there
    is none."""
    folder = default_index_folder(checked_path(data, "data"))
    if not (folder / CATALOGUE_NAME).is_file():
        return None
    with Catalogue.open(folder) as catalogue:
        return folder if catalogue.meta("data") == str(Path(data).resolve()) else None


def _index_of(data: PathLike, index: PathLike | None) -> Path:
    return default_index_folder(Path(data)) if index is None else Path(index)
