"""Open the zip archives that workbooks are, bounded before any part of them is unpacked."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dieindex.errors import SheetError

MAX_WORKBOOK_BYTES = 128 << 20
"""Largest sum of the unpacked parts of a workbook: a zip bomb is refused before unpacking."""
_MAX_PARTS = 10_000
_DROPPED = re.compile(
    r"docProps/|customXml/|xl/(theme|drawings|charts|chartsheets|media|externalLinks|pivot)",
    re.IGNORECASE,
)
"""Parts that hold no cells: damage in them does not matter, so that they are not looked at."""
_STRICT = b"http://purl.oclc.org/ooxml/"
_TRANSITIONAL = (
    (_STRICT + b"spreadsheetml/main", b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"),
    (_STRICT + b"drawingml/main", b"http://schemas.openxmlformats.org/drawingml/2006/main"),
    (
        _STRICT + b"officeDocument/",
        b"http://schemas.openxmlformats.org/officeDocument/2006/",
    ),
)
"""Names of a workbook saved as "Strict Open XML", and those that readers know."""


@contextmanager
def bounded_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive at ``path``. Raises SheetError: no archive, too large unpacked, a password."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError):
        raise SheetError(
            f"{path}: is not a workbook, or damaged; open it in a spreadsheet program and save it "
            "as .xlsx or .csv"
        ) from None
    with archive:
        parts = archive.infolist()
        unpacked = sum(part.file_size for part in parts)
        if unpacked > MAX_WORKBOOK_BYTES or len(parts) > _MAX_PARTS:
            raise SheetError(
                f"{path}: unpacks to {unpacked >> 20} MB in {len(parts)} parts, more than the "
                f"{MAX_WORKBOOK_BYTES >> 20} MB that are read; keep only the columns of coins and "
                "dies"
            )
        if any(part.flag_bits & 1 for part in parts):
            raise SheetError(f"{path}: has a password; save it without one")
        yield archive


def part_of(path: Path, name: str, most: int) -> bytes:
    """The first ``most`` bytes of one part; empty where it cannot be had."""
    try:
        with bounded_archive(path) as archive, archive.open(name) as part:
            return part.read(most)
    except Exception:  # a damaged archive makes its reader raise nearly anything
        return b""


def cells_alone(archive: zipfile.ZipFile) -> io.BytesIO:
    """The parts of an .xlsx workbook that hold cells, as an archive in memory, in the names that
    readers know ("Strict Open XML" has others)."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_STORED) as copy:
        for part in archive.infolist():
            name = part.filename
            if not name.lower().endswith((".xml", ".rels")) or _DROPPED.match(name):
                continue
            raw = archive.read(part)
            if _STRICT in raw:
                for strict, transitional in _TRANSITIONAL:
                    raw = raw.replace(strict, transitional)
            copy.writestr(name, raw)
    kept.seek(0)
    return kept
