"""What verification needs of each face, and what it found of pairs: ``details.sqlite``.

It stands beside the catalogue, is derived from it, and can be taken away at any time: the next
build computes the faces' details anew, the next question the pairs (of a large collection those
that it lists then, not those that were looked at when it was smaller). Schema version 1:

- ``described``: one row a face that lies on a frame: its dense descriptors, packed, and a ``key``,
  the digest of its raw vector. The vector comes of the face's picture, its place and the encoder:
  where one of them changes, the key no longer fits, and the face and all its pairs are forgotten.
- ``judged``: one row a pair that was looked at, each unordered pair once (``first < second``, ids
  of the catalogue): the comparator's ``logit`` and the ``shared`` part of the frame that both show.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dieindex.errors import IndexFolderError
from dieindex.records import Floats, Ints
from dieindex.storage.database import Database
from dieindex.storage.schema import DETAILS_NAME

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE described (
    face INTEGER PRIMARY KEY,
    key BLOB NOT NULL,
    cells BLOB NOT NULL
);
CREATE TABLE judged (
    first INTEGER NOT NULL,
    second INTEGER NOT NULL,
    logit REAL NOT NULL,
    shared REAL NOT NULL,
    PRIMARY KEY (first, second)
) WITHOUT ROWID;
CREATE INDEX judged_second ON judged (second);
"""


def key_of(raw: bytes) -> bytes:
    """By which a face's details are known, from its raw vector as the catalogue keeps it."""
    return hashlib.sha256(raw).digest()[:16]


@dataclass(frozen=True, eq=False)
class JudgedRows:
    """Pairs that were looked at, by ``first`` and then ``second``; all arrays ``(m,)``.

    ``first < second`` are ids of faces, ``logit`` the comparator's log-odds of "same die" (not
    calibrated), ``shared`` 0…1 the part of the frame that both faces show.
    """

    first: Ints
    second: Ints
    logit: Floats
    shared: Floats

    def __len__(self) -> int:
        return len(self.first)


class DetailStore(Database):
    """An open ``details.sqlite``. Use as a context manager; write inside ``transaction``."""

    @classmethod
    def open(cls, folder: Path, *, create: bool = False) -> DetailStore:
        """Open an index folder's details. Where there are none, an empty store: on disk with
        ``create``, else in memory. Raises IndexFolderError for a damaged or newer file."""
        path = folder / DETAILS_NAME
        try:
            there = path.is_file()
            target = str(path) if create or there else ":memory:"
            connection = sqlite3.connect(target, timeout=30, isolation_level=None)
            store = cls(connection, path)
            if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                with store.transaction():
                    for statement in _SCHEMA.split(";"):
                        connection.execute(statement)
                    connection.execute(
                        "INSERT INTO meta VALUES ('schema', ?)", (str(SCHEMA_VERSION),)
                    )
            schema = store.rows("SELECT value FROM meta WHERE key = 'schema'")
        except sqlite3.Error as error:
            raise cls.failed(path, error) from error
        if not schema or schema[0][0] != str(SCHEMA_VERSION):
            raise IndexFolderError(
                f"{path}: written by another dieindex; delete it and build again (nothing else is "
                "lost), or update dieindex."
            )
        return store

    @classmethod
    def remedy(cls, path: Path) -> str:
        return "delete it and build again. Nothing else is lost."

    # faces

    def keys(self) -> dict[int, bytes]:
        """The key of every face that is described."""
        return dict(self.rows("SELECT face, key FROM described"))

    def describe(self, faces: Iterable[tuple[int, bytes, bytes]]) -> None:
        """Keep faces (id, key, packed details); pairs of an older form of theirs are forgotten."""
        given = list(faces)
        self.forget([face for face, _, _ in given])
        self.write_many("INSERT INTO described VALUES (?, ?, ?)", given)

    def forget(self, faces: Iterable[int]) -> None:
        """Take faces out, and every pair of theirs."""
        rows = [(int(face),) for face in faces]
        self.write_many("DELETE FROM described WHERE face = ?", rows)
        self.write_many("DELETE FROM judged WHERE first = ?", rows)
        self.write_many("DELETE FROM judged WHERE second = ?", rows)

    def forget_others(self, keys: Mapping[int, bytes]) -> None:
        """Take out every face that is not there with this key, and its pairs."""
        self.forget([face for face, key in self.keys().items() if keys.get(face) != key])

    def cells_of(self, face: int) -> bytes | None:
        """A face's packed details; None where there are none."""
        rows = self.rows("SELECT cells FROM described WHERE face = ?", (int(face),))
        return rows[0][0] if rows else None

    # pairs

    def judged(self, faces: Ints) -> JudgedRows:
        """What is known of the pairs among these faces (ids in rising order)."""
        rows = self.rows(
            "SELECT first, second, logit, shared FROM judged WHERE first BETWEEN ? AND ?"
            " ORDER BY first, second",
            (int(faces[0]), int(faces[-1])) if len(faces) else (1, 0),
        )
        first, second = (np.array([row[at] for row in rows], np.int64) for at in (0, 1))
        logit, shared = (np.array([row[at] for row in rows], np.float64) for at in (2, 3))
        kept = np.isin(first, faces) & np.isin(second, faces)
        return JudgedRows(first[kept], second[kept], logit[kept], shared[kept])

    def judged_pairs(self, faces: Ints) -> Ints:
        """Which pairs among these faces (ids in rising order) were looked at: ids ``(2, m)``."""
        rows = self.rows(
            "SELECT first, second FROM judged WHERE first BETWEEN ? AND ?",
            (int(faces[0]), int(faces[-1])) if len(faces) else (1, 0),
        )
        pairs = np.array(rows, np.int64).reshape(-1, 2).T
        return pairs[:, np.isin(pairs, faces).all(0)]

    def put_judged(self, rows: JudgedRows) -> None:
        """Keep what was found of pairs."""
        columns = (each.tolist() for each in (rows.first, rows.second, rows.logit, rows.shared))
        self.write_many(
            "INSERT OR REPLACE INTO judged VALUES (?, ?, ?, ?)", zip(*columns, strict=True)
        )
