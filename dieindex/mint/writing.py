"""Writing a minted collection: pictures, the sheet and the truth, the same bytes every time."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2

from dieindex.errors import MintError
from dieindex.files import written_beside
from dieindex.outputs import LISTS
from dieindex.records import Picture

SHEET_NAME = "dies.xlsx"
TRUTH_NAME = "truth.csv"
"""A file of this name holds the mint's truth; a collection never takes it for a sheet of labels."""
IMAGES_FOLDER = "images"
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_MODIFIED = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(<)")
_FIXED_DATE = rb"\g<1>1980-01-01T00:00:00Z\g<3>"

Cell = str | int | float


def check_out(out: Path) -> None:
    """Raise MintError unless ``out`` does not exist yet or is an empty folder."""
    if out.exists() and not out.is_dir():
        raise MintError(f"{out} is a file; give a folder that is new or empty.")
    try:
        occupied = out.is_dir() and any(path.name not in LISTS for path in out.iterdir())
    except OSError as error:
        raise MintError(f"{out} cannot be read: {error.strerror}.") from error
    if occupied:
        raise MintError(
            f"{out} is not empty; give a folder that is new or empty, nothing is overwritten."
        )


def make_folder(folder: Path) -> None:
    """Make the folder with its parents; MintError where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MintError(f"{folder} cannot be made: {error.strerror}.") from error


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all.

    Raises DieIndexError where the disk refuses (full, read-only).
    """
    with written_beside(path) as temporary:
        temporary.write_bytes(content)


def jpeg_bytes(picture: Picture, quality: int = 92) -> bytes:
    """The RGB picture as JPEG of this quality (1…100)."""
    done, encoded = cv2.imencode(
        ".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    if not done:
        raise MintError("A picture could not be encoded as JPEG.")
    return encoded.tobytes()


def sheet_bytes(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    """An .xlsx workbook of one sheet; its inner dates are fixed, so equal rows give equal bytes."""
    import openpyxl

    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "dies"
    for row in [header, *rows]:
        sheet.append(list(row))
    buffer = io.BytesIO()
    workbook.save(buffer)
    return _without_dates(buffer.getvalue())


def _without_dates(workbook: bytes) -> bytes:
    """The same workbook with the dates of the zip and of docProps set to one fixed day."""
    fixed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook)) as source,
        zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in sorted(source.namelist()):
            content = source.read(name)
            if name == "docProps/core.xml":
                content = _MODIFIED.sub(_FIXED_DATE, content)
            entry = zipfile.ZipInfo(name, date_time=_ZIP_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, content)
    return fixed.getvalue()


def truth_bytes(rows: Sequence[Mapping[str, object]]) -> bytes:
    """The rows as CSV (UTF-8); columns in the order of their first appearance, floats in full."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()
