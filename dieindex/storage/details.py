"""What verification needs of each face, and what it found of pairs: ``details.sqlite``.

It stands beside the catalogue, is derived from it, and can be taken away at any time: the next
build computes the faces' descriptors anew, the next question the pairs that it compares (but not
those that are listed for having been scored when there were fewer coins).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

from dieindex.errors import IndexFolderError
from dieindex.storage.aligned_pairs import AlignedPairTable
from dieindex.storage.database import UNREADABLE
from dieindex.storage.descriptors import DescriptorTable
from dieindex.storage.pair_scores import PairScoreTable
from dieindex.storage.schema import DETAILS, DETAILS_NAME, details_aside


class DetailStore(DescriptorTable, PairScoreTable, AlignedPairTable):
    """An open ``details.sqlite``. Use as a context manager; write inside ``transaction``."""

    schema = DETAILS

    @classmethod
    def open(cls, folder: Path, *, create: bool = False) -> DetailStore:
        """Open an index folder's details. Where there are none, an empty store: on disk with
        ``create`` (the caller then holds the index's lock), else in memory. Raises IndexFolderError
        for a damaged or newer file."""
        path = folder / DETAILS_NAME
        try:
            there = path.is_file()
            target = str(path) if create or there else ":memory:"
            connection = sqlite3.connect(target, timeout=30, isolation_level=None)
            store = cls(connection, path)
            if not store.has_tables():
                with store.transaction():
                    DETAILS.make(connection)
            version = store.schema_version()
            if version is not None and version < DETAILS.version and DETAILS.can_migrate(version):
                store.renew(holds_lock=create)
                version = DETAILS.version
        except UNREADABLE as error:
            raise cls.failed(path, error) from error
        if version != DETAILS.version:
            raise IndexFolderError(
                f"{path}: written by another dieindex; delete it and build again (nothing else is "
                "lost), or update dieindex."
            )
        return store

    @classmethod
    def remedy(cls, path: Path) -> str:
        return "delete it and build again. Nothing else is lost."

    def set_aside(self) -> None:
        """From now on keep local features and aligned pairs for this run alone, beside those on
        disk."""
        for statement in details_aside(shadowed=self._shadowed):
            self.write(statement)

    def describe(self, faces: Iterable[tuple[int, bytes, bytes]]) -> None:
        """Keep faces (id, key, packed descriptors); pairs of an older form of theirs are
        forgotten."""
        given = list(faces)
        self.forget([face for face, _, _ in given])
        self.put_descriptors(given)

    def forget(self, faces: Iterable[int]) -> None:
        """Take faces out, and every pair of theirs."""
        given = [int(face) for face in faces]
        self.remove_descriptors(given)
        self.remove_pair_scores(given)
        self.remove_features(given)

    def forget_others(self, keys: Mapping[int, bytes]) -> None:
        """Take out every face that is not there with this key, and its pairs."""
        self.forget([face for face, key in self.keys().items() if keys.get(face) != key])
