"""Dense descriptors of faces as the index keeps them, packed, each under a key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from dieindex.records import Vectors
from dieindex.storage.checksums import ChecksumTable, checksum


def kept_vector(raw: Vectors) -> bytes:
    """A face's raw vector ``(dimension,)`` as the catalogue keeps it."""
    return np.asarray(raw, "<f4").tobytes()


def key_of(raw: bytes) -> bytes:
    """By which a face's descriptors are known, from its raw vector as the catalogue keeps it."""
    return hashlib.sha256(raw).digest()[:16]


class DescriptorTable(ChecksumTable):
    """The descriptors of an open ``details.sqlite``."""

    def keys(self) -> dict[int, bytes]:
        """The key of every face that is described."""
        return dict(self.rows("SELECT face, key FROM descriptors"))

    def cells_of(self, face: int) -> bytes | None:
        """A face's packed descriptors; None where there are none. Raises IndexFolderError where
        they are not what was kept."""
        rows = self.rows("SELECT key, cells FROM descriptors WHERE face = ?", (int(face),))
        if not rows:
            return None
        key, cells = rows[0]
        self.check("descriptors", face, checksum(key, cells))
        kept: bytes = cells
        return kept

    def put_descriptors(self, faces: Iterable[tuple[int, bytes, bytes]]) -> None:
        """Keep the descriptors of faces that have none: id, key, packed descriptors."""
        given = list(faces)
        self.write_many("INSERT INTO descriptors VALUES (?, ?, ?)", given)
        self.put_checksums("descriptors", ((f, checksum(key, cells)) for f, key, cells in given))

    def remove_descriptors(self, faces: Iterable[int]) -> None:
        self.write_many("DELETE FROM descriptors WHERE face = ?", [(face,) for face in faces])
