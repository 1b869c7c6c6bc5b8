"""Checksums of what the details hold, by face: a bit that flips on a disk must not change an answer
in silence. SQLite has none of its own."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Literal

from dieindex.errors import IndexFolderError
from dieindex.records import Ints
from dieindex.storage.database import Database, Row

Kind = Literal["descriptors", "features", "scores", "aligned"]
_FEW = 50
"""Faces of which each is asked for by itself: between two that are looked at, all may lie."""


def checksum(*parts: bytes) -> int:
    """Of bytes, one after the other."""
    found = 0
    for part in parts:
        found = zlib.crc32(part, found)
    return found


def checksum_of_rows(rows: Iterable[Row]) -> int:
    """Of the rows of a table, in their order."""
    return checksum(*(repr(row).encode() for row in rows))


class ChecksumTable(Database):
    """The checksums in an open ``details.sqlite``. What an earlier dieindex kept has none."""

    def checksums(self, kind: Kind) -> dict[int, int]:
        """All of one kind, by face."""
        return dict(self.rows("SELECT face, value FROM checksums WHERE kind = ?", (kind,)))

    def put_checksums(self, kind: Kind, values: Iterable[tuple[int, int]]) -> None:
        """Keep the checksums of faces."""
        self.write_many(
            "INSERT OR REPLACE INTO checksums VALUES (?, ?, ?)",
            [(kind, int(face), value) for face, value in values],
        )

    def check(self, kind: Kind, face: int, value: int) -> None:
        """Raise IndexFolderError where a face's checksum is another."""
        query = "SELECT value FROM checksums WHERE kind = ? AND face = ?"
        if self.value(query, (kind, int(face))) not in (None, value):
            raise self.damaged()

    def rows_of_faces(self, table: str, columns: str, faces: Ints) -> list[Row]:
        """Of a table of pairs, those of which these faces (ids in rising order) are first, and of
        many faces those of others between them, in order."""
        query = f"SELECT {columns} FROM {table} WHERE first"
        if len(faces) > _FEW:
            span = int(faces[0]), int(faces[-1])
            return self.rows(f"{query} BETWEEN ? AND ? ORDER BY first, second", span)
        each = f"{query} = ? ORDER BY second"
        return [row for face in faces.tolist() for row in self.rows(each, (face,))]

    def damaged(self) -> IndexFolderError:
        return IndexFolderError(
            f"{self.path}: a part of it has changed on the disk, and would change answers; "
            f"{self.remedy(self.path)}"
        )
