"""A collection at a glance: every photograph with what was found on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dieindex.collection.contact_sheet import SheetItem, check_pages, write_contact_sheet
from dieindex.collection.layout import read_collection
from dieindex.collection.photographs import cut_decoded
from dieindex.collection.pictures import read_picture
from dieindex.errors import PictureError
from dieindex.outputs import Sources
from dieindex.records import Photograph, Progress, Side

STEP = "drawing"
"""The step that ``progress`` is told."""


@dataclass
class Overview:
    """What was written: pages, number of faces, how many of them unsure, and what was left out."""

    pages: list[Path] = field(default_factory=list)
    faces: int = 0
    unsure: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    """Files without faces, and why."""


def write_overview(
    data: Path,
    path: Path,
    side: Side | None = None,
    progress: Progress | None = None,
    *,
    force: bool = False,
) -> Overview:
    """Write the photographs below ``data`` with their faces to ``path`` (and further pages).

    Raises CollectionError where there is no photograph, and as ``outputs.check_output`` where a
    page cannot be written; with ``force`` a person's file outside ``data`` may be replaced.
    """
    sources = Sources(data)
    check_pages(1, path, force=force, sources=sources)
    collection = read_collection(data, side=side)
    sources = sources.with_files(collection.sheet)
    overview = Overview()
    total = len(collection.photographs)
    check_pages(total, path, force=force, sources=sources)

    def items() -> Iterator[SheetItem]:
        for number, photograph in enumerate(collection, 1):
            yield _item(collection.folder, photograph, overview)
            if progress:
                progress(STEP, number, total)

    overview.pages = write_contact_sheet(items(), path, force=force, sources=sources)
    return overview


def _item(folder: Path, photograph: Photograph, overview: Overview) -> SheetItem:
    picture = None
    try:
        decoded = read_picture(folder / photograph.file)
        picture = decoded.picture
        faces = cut_decoded(decoded, photograph, photograph.file)
    except PictureError as error:
        reason = str(error).removeprefix(f"{folder / photograph.file}: ")
        reason = reason.removeprefix(f"{photograph.file}: ")
        overview.skipped.append((photograph.file, reason))
        return SheetItem(photograph.file, picture, problem=reason)
    overview.faces += len(faces)
    overview.unsure += sum(not face.flan.sure for face in faces)
    reasons = [f"{face.side}: {face.flan.reason}" for face in faces if face.flan.reason]
    return SheetItem(photograph.file, picture, faces, "; ".join(reasons) or None, decoded.scale)
