"""The catalogue: one SQLite file that holds everything an index knows.

The FAISS files beside it are derived from it (see ``vectors``). Schema version 1:

- ``meta``: settings of the index as text, by key.
- ``photographs``: one row a picture file; ``state`` is ``done``, ``skipped`` (with ``reason``) or
  ``absent`` (vanished from the folder); ``hints`` is what the collection said of it when it was
  worked on, so that a changed override or side makes it due again.
- ``faces``: one row a face; the row's id is its id in the FAISS index.
- ``coins``: what the sheet says of a coin.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dieindex.errors import IndexFolderError
from dieindex.index.folder import CATALOGUE_NAME
from dieindex.records import OBVERSE, REVERSE, SIDES, Circle, Face, SheetCoin, Side, Vectors

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE photographs (
    id INTEGER PRIMARY KEY,
    file TEXT NOT NULL UNIQUE,
    coin TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    hints TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('done', 'skipped', 'absent')),
    reason TEXT,
    notes TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX photographs_coin ON photographs (coin);
CREATE TABLE faces (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    photograph INTEGER NOT NULL REFERENCES photographs (id) ON DELETE CASCADE,
    side TEXT NOT NULL CHECK (side IN ('obverse', 'reverse')),
    x REAL NOT NULL, y REAL NOT NULL, radius REAL NOT NULL,
    confidence REAL NOT NULL, sure INTEGER NOT NULL, flan_reason TEXT,
    rotation REAL NOT NULL,
    vector BLOB NOT NULL
);
CREATE INDEX faces_photograph ON faces (photograph);
CREATE INDEX faces_side ON faces (side);
CREATE TABLE coins (
    coin TEXT PRIMARY KEY,
    row INTEGER NOT NULL,
    obverse_die TEXT, reverse_die TEXT,
    columns TEXT NOT NULL
) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class PhotographRow:
    """A photograph as the catalogue knows it."""

    id: int
    file: str
    coin: str
    size: int
    mtime_ns: int
    sha256: str
    hints: str
    state: str
    reason: str | None
    notes: list[str]


@dataclass(frozen=True, eq=False)
class FaceRows:
    """Faces of one side as columns, in the order of their ids.

    ``ids`` ``(n,)`` int64; ``vectors`` ``(n, dimension)`` float32; the rest are lists of length n.
    """

    ids: np.ndarray
    coins: list[str]
    files: list[str]
    radius: np.ndarray
    sure: np.ndarray
    vectors: Vectors

    def __len__(self) -> int:
        return len(self.coins)

    def take(self, positions: np.ndarray) -> FaceRows:
        """The faces at these positions, in this order."""
        return FaceRows(
            ids=self.ids[positions],
            coins=[self.coins[i] for i in positions],
            files=[self.files[i] for i in positions],
            radius=self.radius[positions],
            sure=self.sure[positions],
            vectors=self.vectors[positions],
        )


class Catalogue:
    """An open catalogue. Use as a context manager; write inside ``transaction``."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self.path = path

    @classmethod
    def open(cls, folder: Path, *, create: bool = False) -> Catalogue:
        """Open an index folder's catalogue, making an empty one where ``create`` and none is there.

        Raises IndexFolderError for a missing, damaged or newer catalogue.
        """
        path = folder / CATALOGUE_NAME
        if not create and not path.is_file():
            raise IndexFolderError(f"{folder}: no index here; build it with `dieindex build DATA`.")
        try:
            connection = sqlite3.connect(path, timeout=30, isolation_level=None)
            connection.execute("PRAGMA foreign_keys = ON")
            tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            catalogue = cls(connection, path)
            if tables == 0 and create:
                with catalogue.transaction():
                    for statement in _SCHEMA.split(";"):
                        connection.execute(statement)
                    catalogue.set_meta("schema", str(SCHEMA_VERSION))
            schema = catalogue.meta("schema")
        except sqlite3.Error as error:
            raise _catalogue_error(path, error) from error
        if schema is None or int(schema) > SCHEMA_VERSION:
            raise IndexFolderError(
                f"{path}: written by a newer dieindex (schema {schema}); update dieindex."
                if schema
                else f"{path}: not a catalogue of dieindex; choose another --index."
            )
        return catalogue

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Catalogue:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block's changes or none."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise _catalogue_error(self.path, error) from error

    def _rows(self, query: str, values: Iterable[object] = ()) -> list[tuple]:
        try:
            return self._connection.execute(query, tuple(values)).fetchall()
        except sqlite3.Error as error:
            raise _catalogue_error(self.path, error) from error

    def _write(self, query: str, values: Iterable[object] = ()) -> int:
        try:
            return self._connection.execute(query, tuple(values)).lastrowid or 0
        except sqlite3.Error as error:
            raise _catalogue_error(self.path, error) from error

    # meta

    def meta(self, key: str) -> str | None:
        rows = self._rows("SELECT value FROM meta WHERE key = ?", (key,))
        return rows[0][0] if rows else None

    def set_meta(self, key: str, value: str | None) -> None:
        if value is None:
            self._write("DELETE FROM meta WHERE key = ?", (key,))
        else:
            self._write("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    # photographs and faces

    def photographs(self) -> dict[str, PhotographRow]:
        """Every photograph by file, in the order they were first indexed."""
        rows = self._rows(
            "SELECT id, file, coin, size, mtime_ns, sha256, hints, state, reason, notes"
            " FROM photographs ORDER BY id"
        )
        found = {}
        for values in rows:
            row = PhotographRow(*[*values[:-1], json.loads(values[-1])])
            found[row.file] = row
        return found

    def put_photograph(
        self,
        file: str,
        coin: str,
        size: int,
        mtime_ns: int,
        sha256: str,
        hints: str,
        reason: str | None,
        notes: Iterable[str],
        faces: Iterable[tuple[Face, np.ndarray]],
    ) -> None:
        """Record the outcome of working on one photograph: its faces, or why it was skipped.

        Ids depend only on the order of these calls, not on how many runs they were spread over.
        """
        known = self._rows("SELECT id FROM photographs WHERE file = ?", (file,))
        state = "done" if reason is None else "skipped"
        values = (coin, size, mtime_ns, sha256, hints, state, reason, json.dumps(list(notes)))
        if known:
            identity = known[0][0]
            self._write("DELETE FROM faces WHERE photograph = ?", (identity,))
            self._write(
                "UPDATE photographs SET coin=?, size=?, mtime_ns=?, sha256=?, hints=?, state=?,"
                " reason=?, notes=? WHERE id = ?",
                (*values, identity),
            )
        else:
            identity = self._write(
                "INSERT INTO photographs (coin, size, mtime_ns, sha256, hints, state, reason,"
                " notes, file) VALUES (?,?,?,?,?,?,?,?,?)",
                (*values, file),
            )
        for face, vector in faces:
            circle = face.flan.circle
            self._write(
                "INSERT INTO faces (photograph, side, x, y, radius, confidence, sure, flan_reason,"
                " rotation, vector) VALUES (?,?,?,?,?,?,?,?,?,?)",
                (
                    identity,
                    face.side,
                    float(circle.x),
                    float(circle.y),
                    float(circle.radius),
                    float(face.flan.confidence),
                    int(face.flan.sure),
                    face.flan.reason,
                    float(face.rotation),
                    np.asarray(vector, dtype="<f4").tobytes(),
                ),
            )

    def update_photograph(
        self, file: str, *, coin: str, size: int, mtime_ns: int, hints: str, state: str
    ) -> None:
        """Take over what changed about a photograph whose content did not."""
        self._write(
            "UPDATE photographs SET coin=?, size=?, mtime_ns=?, hints=?, state=? WHERE file=?",
            (coin, size, mtime_ns, hints, state, file),
        )

    def rename_photograph(self, old: str, new: str) -> None:
        self._write("UPDATE photographs SET file = ? WHERE file = ?", (new, old))

    def mark_absent(self, files: Iterable[str]) -> None:
        """Vanished pictures: kept with their faces, left out of every result."""
        for file in files:
            self._write("UPDATE photographs SET state = 'absent' WHERE file = ?", (file,))

    def forget_faces(self) -> None:
        """Drop all faces and make every photograph due again, for another encoder."""
        self._write("DELETE FROM faces")
        self._write("UPDATE photographs SET hints = '' WHERE state != 'absent'")

    def face_rows(self, side: Side) -> FaceRows:
        """The present faces of one side."""
        rows = self._rows(
            "SELECT f.id, p.coin, p.file, f.radius, f.sure, f.vector FROM faces f"
            " JOIN photographs p ON p.id = f.photograph"
            " WHERE f.side = ? AND p.state = 'done' ORDER BY f.id",
            (side,),
        )
        vectors = np.frombuffer(b"".join(row[5] for row in rows), dtype="<f4")
        return FaceRows(
            ids=np.array([row[0] for row in rows], dtype=np.int64),
            coins=[row[1] for row in rows],
            files=[row[2] for row in rows],
            radius=np.array([row[3] for row in rows], dtype=np.float64),
            sure=np.array([row[4] for row in rows], dtype=bool),
            vectors=vectors.reshape(len(rows), -1).astype(np.float32, copy=False)
            if rows
            else np.zeros((0, 0), dtype=np.float32),
        )

    def face_place(self, face: int) -> tuple[str, Side, Circle, float]:
        """Where a face is: its file, side, flan (pixels of the file) and rotation (degrees)."""
        rows = self._rows(
            "SELECT p.file, f.side, f.x, f.y, f.radius, f.rotation FROM faces f"
            " JOIN photographs p ON p.id = f.photograph WHERE f.id = ?",
            (int(face),),
        )
        if not rows:
            raise KeyError(face)
        file, side, x, y, radius, rotation = rows[0]
        return file, side, Circle(x, y, radius), rotation

    def face_identities(self) -> Iterator[tuple[int, str, str]]:
        """``(face id, side, hash of its photograph)`` of every present face, by id."""
        yield from self._rows(
            "SELECT f.id, f.side, p.sha256 || p.hints FROM faces f"
            " JOIN photographs p ON p.id = f.photograph WHERE p.state = 'done' ORDER BY f.id"
        )

    def counts(self) -> dict[str, int]:
        """How many coins, faces a side, and photographs in each state."""
        states = dict(self._rows("SELECT state, count(*) FROM photographs GROUP BY state"))
        faces = dict(
            self._rows(
                "SELECT f.side, count(*) FROM faces f JOIN photographs p ON p.id = f.photograph"
                " WHERE p.state = 'done' GROUP BY f.side"
            )
        )
        unsure = self._rows(
            "SELECT count(*) FROM faces f JOIN photographs p ON p.id = f.photograph"
            " WHERE p.state = 'done' AND NOT f.sure"
        )[0][0]
        coins = self._rows(
            "SELECT count(DISTINCT p.coin) FROM photographs p WHERE p.state = 'done'"
            " AND EXISTS (SELECT 1 FROM faces f WHERE f.photograph = p.id)"
        )[0][0]
        return {
            "coins": coins,
            OBVERSE: faces.get(OBVERSE, 0),
            REVERSE: faces.get(REVERSE, 0),
            "unsure": unsure,
            "done": states.get("done", 0),
            "skipped": states.get("skipped", 0),
            "absent": states.get("absent", 0),
        }

    # the sheet

    def put_coins(self, coins: Mapping[str, SheetCoin]) -> None:
        """Replace what the sheet says of the coins."""
        self._write("DELETE FROM coins")
        for coin in coins.values():
            dies = (coin.dies.get(OBVERSE), coin.dies.get(REVERSE))
            self._write(
                "INSERT INTO coins VALUES (?, ?, ?, ?, ?)",
                (coin.coin, coin.row, *dies, json.dumps(dict(coin.columns), ensure_ascii=False)),
            )

    def coins(self) -> dict[str, SheetCoin]:
        """What the sheet of the last build says of each coin."""
        found = {}
        for coin, row, obverse, reverse, columns in self._rows(
            "SELECT coin, row, obverse_die, reverse_die, columns FROM coins ORDER BY row, coin"
        ):
            dies = {side: die for side, die in zip(SIDES, (obverse, reverse), strict=True) if die}
            found[coin] = SheetCoin(coin, dies=dies, columns=json.loads(columns), row=row)
        return found


def _catalogue_error(path: Path, error: sqlite3.Error) -> IndexFolderError:
    text = str(error)
    if "full" in text:
        return IndexFolderError(
            f"{path}: the disk is full; free some space and run the same command again. "
            "What was saved before is safe."
        )
    if "readonly" in text or "unable to open" in text:
        return IndexFolderError(
            f"{path}: cannot be written; correct its permissions or choose another --index."
        )
    if "locked" in text:
        return IndexFolderError(f"{path}: in use by another program; try again when it is done.")
    return IndexFolderError(
        f"{path}: damaged ({text}); move the folder {path.parent} away and build again. "
        "The photographs are not affected."
    )
