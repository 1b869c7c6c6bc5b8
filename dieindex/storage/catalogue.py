"""The catalogue: one SQLite file that holds everything derived that an index knows.

Its tables are in ``schema``; what is asked of them is in the modules named after them. The FAISS
files beside it are derived from it (see ``nearest``). What persons said and the numbers that dies
were given are apart from it (see ``reviews``).
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from dieindex.errors import IndexFolderError
from dieindex.records import OBVERSE, REVERSE
from dieindex.storage.database import UNREADABLE
from dieindex.storage.face_steps import FaceStepTable
from dieindex.storage.faces import FaceRows, FaceTable
from dieindex.storage.folder import build_at_work
from dieindex.storage.frames import FrameTable
from dieindex.storage.photographs import PhotographRow, PhotographTable
from dieindex.storage.reviews import keep_apart
from dieindex.storage.schema import (
    CATALOGUE,
    CATALOGUE_NAME,
    CATALOGUE_TABLES,
    CHECKSUMS,
    MADE_ANEW,
    REVIEWS_NAME,
)
from dieindex.storage.sheet_coins import SheetCoinTable
from dieindex.text import BuildCall

__all__ = ["Catalogue", "FaceRows", "PhotographRow"]


class Catalogue(PhotographTable, FaceTable, FaceStepTable, FrameTable, SheetCoinTable):
    """An open catalogue. Use as a context manager; write inside ``transaction``."""

    schema = CATALOGUE

    @classmethod
    def open(cls, folder: Path, *, create: bool = False, renew: bool = False) -> Catalogue:
        """Open an index folder's catalogue, making an empty one where ``create`` and none is there;
        the caller then holds the index's lock.

        ``renew`` empties one of a schema too old to be brought up to date. Rows are checked before
        they are told, but for who may ``create`` and mends them first. Raises IndexFolderError for
        a missing, damaged or newer catalogue, and for one that is too old otherwise.
        """
        path = folder / CATALOGUE_NAME
        if not create and not path.is_file():
            raise IndexFolderError(
                f"{folder}: no index here; build it with ", BuildCall(index=folder), "."
            )
        try:
            connection = sqlite3.connect(path, timeout=30, isolation_level=None)
            connection.execute("PRAGMA foreign_keys = ON")
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
            if "reviews" in tables or "numbers" in tables:
                keep_apart(folder)
            catalogue = cls(connection, path)
            if not tables and create:
                catalogue._make()
            version = catalogue.schema_version()
            if version is None and CHECKSUMS in tables:
                raise IndexFolderError(
                    f"{path}: the version of its schema has changed on the disk; {cls.remedy(path)}"
                )
            if version is None:
                at_work = None if tables else build_at_work(folder)
                if at_work is not None:
                    raise IndexFolderError(at_work)
                raise IndexFolderError(
                    f"{path}: not a catalogue of dieindex; choose another index."
                )
            if version < CATALOGUE.version and CATALOGUE.can_migrate(version):
                catalogue.renew(holds_lock=create)
                version = CATALOGUE.version
        except UNREADABLE as error:
            raise cls.failed(path, error) from error
        if version > CATALOGUE.version:
            raise IndexFolderError(
                f"{path}: written by a newer dieindex (schema {version}); update dieindex, or "
                f"{cls.remedy(path)}"
            )
        if version < CATALOGUE.version and not renew:
            raise IndexFolderError(
                f"{folder}: was built by an older dieindex (schema {version}); run ",
                BuildCall(index=folder, reencode=True),
                " to make it anew. Verdicts and die numbers are kept.",
            )
        if version < CATALOGUE.version:
            catalogue._make()
        if not create:
            catalogue.check_settings()
            catalogue.unchecked = True
        return catalogue

    def _make(self) -> None:
        """Make empty tables; what is of an older schema goes, but for whose index this is."""
        data = self.meta("data") if self.has_tables() else None
        with self.transaction():
            self.write("DROP VIEW IF EXISTS present_faces")
            for table in CATALOGUE_TABLES:
                self.write(f"DROP TABLE IF EXISTS {table}")
            CATALOGUE.make(self._connection)
            self.set_meta("data", data)

    @classmethod
    def remedy(cls, path: Path) -> str:
        if (path.parent / REVIEWS_NAME).is_file():
            return MADE_ANEW
        return (
            f"move {path.name} out of the folder and build again. Keep it: verdicts that an "
            "earlier dieindex kept in it are nowhere else."
        )

    def counts(self) -> dict[str, int]:
        """How many coins, faces a side, and photographs in each state."""
        states, faces = self.photograph_counts(), self.face_counts()
        return {
            "coins": self.coin_count(),
            OBVERSE: faces.get(OBVERSE, 0),
            REVERSE: faces.get(REVERSE, 0),
            "unsure": self.unsure_count(),
            "done": states.get("done", 0),
            "skipped": states.get("skipped", 0),
            "absent": states.get("absent", 0),
        }
