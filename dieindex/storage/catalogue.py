"""The catalogue: one SQLite file that holds everything an index knows.

The FAISS files beside it are derived from it (see ``vectors``). Schema version 3:

- ``meta``: settings of the index as text, by key.
- ``photographs``: one row a picture file; ``state`` is ``done``, ``skipped`` (with ``reason``) or
  ``absent`` (vanished from the folder); ``hints`` is what the collection said of it when it was
  worked on, so that a changed override or side makes it due again.
- ``faces``: one row a face; the row's id is its id in the FAISS index. What becomes of a face step
  by step is told by its columns: ``laid_on`` frames of its side were tried on it, and it was among
  faces in which types were looked for (``searched``); it is ``aligned`` on ``frame`` by
  ``to_frame`` (nine float64) or not, for ``unaligned_reason``; ``laid_at`` is where alignment laid
  it, before the ``settled`` steps of settling (``next_to_frame``: what the step in work has found);
  ``raw`` is the network's vector, ``vector`` what is left of it when what its type shares is taken
  off.
- ``pictures``: the faces' cut pictures, so that no step but the first reads a photograph again.
- ``frames``: one row a type and side: the frame, and the raw vectors its faces compete with.
- ``coins``: what the sheet says of a coin.

What persons said and the numbers that dies were given are apart from it (see ``reviews``).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dieindex.errors import IndexFolderError
from dieindex.records import OBVERSE, REVERSE, SIDES, SheetCoin, Side, Vectors
from dieindex.storage.database import Database
from dieindex.storage.face_codec import StoredFace
from dieindex.storage.reviews import keep_apart
from dieindex.storage.schema import CATALOGUE_NAME, MADE_ANEW, REVIEWS_NAME

SCHEMA_VERSION = 3
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
CREATE TABLE frames (
    side TEXT NOT NULL CHECK (side IN ('obverse', 'reverse')),
    number INTEGER NOT NULL,
    frame BLOB NOT NULL,
    competitors BLOB,
    PRIMARY KEY (side, number)
) WITHOUT ROWID;
CREATE TABLE faces (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    photograph INTEGER NOT NULL REFERENCES photographs (id) ON DELETE CASCADE,
    side TEXT NOT NULL CHECK (side IN ('obverse', 'reverse')),
    x REAL NOT NULL, y REAL NOT NULL, radius REAL NOT NULL,
    confidence REAL NOT NULL, sure INTEGER NOT NULL, flan_reason TEXT,
    rotation REAL NOT NULL,
    laid_on INTEGER NOT NULL DEFAULT 0,
    searched INTEGER NOT NULL DEFAULT 0,
    aligned INTEGER NOT NULL DEFAULT 0,
    frame INTEGER,
    to_frame BLOB,
    laid_at BLOB,
    settled INTEGER NOT NULL DEFAULT 0,
    next_to_frame BLOB,
    support REAL NOT NULL DEFAULT 0,
    unaligned_reason TEXT,
    raw BLOB,
    vector BLOB
);
CREATE INDEX faces_photograph ON faces (photograph);
CREATE INDEX faces_side ON faces (side, aligned);
CREATE TABLE pictures (
    face INTEGER PRIMARY KEY REFERENCES faces (id) ON DELETE CASCADE,
    jpeg BLOB NOT NULL,
    mask BLOB NOT NULL
);
CREATE TABLE coins (
    coin TEXT PRIMARY KEY,
    row INTEGER NOT NULL,
    obverse_die TEXT, reverse_die TEXT,
    columns TEXT NOT NULL
) WITHOUT ROWID;
"""
_TABLES = ("pictures", "faces", "frames", "photographs", "coins", "meta")


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

    ``ids`` ``(n,)`` int64; ``radius`` ``(n,)`` pixels; ``sure`` and ``aligned`` ``(n,)`` bool;
    ``frame`` ``(n,)`` int64, −1 where not aligned; ``unaligned`` says why not, by position;
    ``vectors`` ``(n, dimension)`` float32 of unit length, less what their types share.
    """

    ids: np.ndarray
    coins: list[str]
    files: list[str]
    radius: np.ndarray
    sure: np.ndarray
    aligned: np.ndarray
    frame: np.ndarray
    unaligned: list[str | None]
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
            aligned=self.aligned[positions],
            frame=self.frame[positions],
            unaligned=[self.unaligned[i] for i in positions],
            vectors=self.vectors[positions],
        )


class Catalogue(Database):
    """An open catalogue. Use as a context manager; write inside ``transaction``."""

    @classmethod
    def open(cls, folder: Path, *, create: bool = False, renew: bool = False) -> Catalogue:
        """Open an index folder's catalogue, making an empty one where ``create`` and none is there.

        ``renew`` empties one of an older schema. Raises IndexFolderError for a missing, damaged or
        newer catalogue, and for an older one otherwise.
        """
        path = folder / CATALOGUE_NAME
        if not create and not path.is_file():
            raise IndexFolderError(
                f"{folder}: no index here; build it with `dieindex.build(DATA, index={folder})`."
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
            schema = catalogue.meta("schema")
        except sqlite3.Error as error:
            raise cls.failed(path, error) from error
        if schema is None or not schema.isdecimal():
            raise IndexFolderError(f"{path}: not a catalogue of dieindex; choose another index.")
        if int(schema) > SCHEMA_VERSION:
            raise IndexFolderError(
                f"{path}: written by a newer dieindex (schema {schema}); update dieindex, or "
                f"{cls.remedy(path)}"
            )
        if int(schema) < SCHEMA_VERSION and not renew:
            raise IndexFolderError(
                f"{folder}: was built by an older dieindex (schema {schema}); run "
                f"`dieindex.build(DATA, index={folder}, reencode=True)` to make it anew. Verdicts "
                "and die numbers are kept."
            )
        if int(schema) < SCHEMA_VERSION:
            catalogue._make()
        return catalogue

    def _make(self) -> None:
        """Make empty tables; what is of an older schema goes, but for whose index this is."""
        there = {row[0] for row in self.rows("SELECT name FROM sqlite_master")}
        data = self.meta("data") if "meta" in there else None
        with self.transaction():
            for table in _TABLES:
                self._connection.execute(f"DROP TABLE IF EXISTS {table}")
            for statement in _SCHEMA.split(";"):
                self._connection.execute(statement)
            self.set_meta("schema", str(SCHEMA_VERSION))
            self.set_meta("data", data)

    @classmethod
    def remedy(cls, path: Path) -> str:
        if (path.parent / REVIEWS_NAME).is_file():
            return MADE_ANEW
        return (
            f"move {path.name} out of the folder and build again. Keep it: verdicts that an "
            "earlier dieindex kept in it are nowhere else."
        )

    # meta

    def meta(self, key: str) -> str | None:
        rows = self.rows("SELECT value FROM meta WHERE key = ?", (key,))
        return rows[0][0] if rows else None

    def set_meta(self, key: str, value: str | None) -> None:
        if value is None:
            self.write("DELETE FROM meta WHERE key = ?", (key,))
        else:
            self.write("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    # photographs and faces

    def photographs(self) -> dict[str, PhotographRow]:
        """Every photograph by file, in the order they were first indexed."""
        rows = self.rows(
            "SELECT id, file, coin, size, mtime_ns, sha256, hints, state, reason, notes"
            " FROM photographs ORDER BY id"
        )
        found = {}
        for values in rows:
            row = PhotographRow(*[*values[:-1], json.loads(values[-1])])
            found[row.file] = row
        return found

    def photograph_of_content(self, sha256: str) -> PhotographRow | None:
        """The present photograph of this digest, the first where there are several."""
        rows = self.photographs().values()
        return next((r for r in rows if r.sha256 == sha256 and r.state == "done"), None)

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
        faces: Iterable[StoredFace],
    ) -> None:
        """Record the outcome of working on one photograph: its faces, or why it was skipped.

        Ids depend only on the order of these calls, not on how many runs they were spread over.
        """
        known = self.rows("SELECT id FROM photographs WHERE file = ?", (file,))
        state = "done" if reason is None else "skipped"
        values = (coin, size, mtime_ns, sha256, hints, state, reason, json.dumps(list(notes)))
        if known:
            identity = known[0][0]
            self.write(
                "UPDATE photographs SET coin=?, size=?, mtime_ns=?, sha256=?, hints=?, state=?,"
                " reason=?, notes=? WHERE id = ?",
                (*values, identity),
            )
        else:
            identity = self.write(
                "INSERT INTO photographs (coin, size, mtime_ns, sha256, hints, state, reason,"
                " notes, file) VALUES (?,?,?,?,?,?,?,?,?)",
                (*values, file),
            )
        old = {} if not known else self._faces_of(identity)
        for face in faces:
            circle = face.flan.circle
            found = (
                float(circle.x),
                float(circle.y),
                float(circle.radius),
                float(face.flan.confidence),
                int(face.flan.sure),
                face.flan.reason,
                float(face.rotation),
            )
            number = old.pop((face.side, face.jpeg, face.mask), None)
            if number is not None:
                # It looks as it did: where it lies and its vector stay.
                self.write(
                    "UPDATE faces SET x=?, y=?, radius=?, confidence=?, sure=?, flan_reason=?,"
                    " rotation=? WHERE id = ?",
                    (*found, number),
                )
                continue
            number = self.write(
                "INSERT INTO faces (x, y, radius, confidence, sure, flan_reason, rotation,"
                " photograph, side) VALUES (?,?,?,?,?,?,?,?,?)",
                (*found, identity, face.side),
            )
            self.write("INSERT INTO pictures VALUES (?,?,?)", (number, face.jpeg, face.mask))
        for number in old.values():
            self.write("DELETE FROM faces WHERE id = ?", (number,))

    def _faces_of(self, photograph: int) -> dict[tuple[Side, bytes, bytes], int]:
        """Ids of a photograph's faces by what they look like."""
        return {
            (side, jpeg, mask): number
            for number, side, jpeg, mask in self.rows(
                "SELECT f.id, f.side, p.jpeg, p.mask FROM faces f"
                " JOIN pictures p ON p.face = f.id WHERE f.photograph = ?",
                (photograph,),
            )
        }

    def update_photograph(
        self, file: str, *, coin: str, size: int, mtime_ns: int, hints: str, state: str
    ) -> None:
        """Take over what changed about a photograph whose content did not."""
        self.write(
            "UPDATE photographs SET coin=?, size=?, mtime_ns=?, hints=?, state=? WHERE file=?",
            (coin, size, mtime_ns, hints, state, file),
        )

    def rename_photograph(self, old: str, new: str) -> None:
        self.write("UPDATE photographs SET file = ? WHERE file = ?", (new, old))

    def mark_absent(self, files: Iterable[str]) -> None:
        """Vanished pictures: kept with their faces, left out of every result."""
        for file in files:
            self.write("UPDATE photographs SET state = 'absent' WHERE file = ?", (file,))

    def face_rows(self, side: Side) -> FaceRows:
        """The present faces of one side that have a vector."""
        rows = self.rows(
            "SELECT f.id, p.coin, p.file, f.radius, f.sure, f.aligned, f.frame, f.unaligned_reason,"
            " f.vector FROM faces f JOIN photographs p ON p.id = f.photograph"
            " WHERE f.side = ? AND p.state = 'done' AND f.vector IS NOT NULL ORDER BY f.id",
            (side,),
        )
        vectors = np.frombuffer(b"".join(row[8] for row in rows), dtype="<f4")
        return FaceRows(
            ids=np.array([row[0] for row in rows], dtype=np.int64),
            coins=[row[1] for row in rows],
            files=[row[2] for row in rows],
            radius=np.array([row[3] for row in rows], dtype=np.float64),
            sure=np.array([row[4] for row in rows], dtype=bool),
            aligned=np.array([row[5] for row in rows], dtype=bool),
            frame=np.array([-1 if row[6] is None else row[6] for row in rows], dtype=np.int64),
            unaligned=[row[7] for row in rows],
            vectors=vectors.reshape(len(rows), -1).astype(np.float32, copy=False)
            if rows
            else np.zeros((0, 0), dtype=np.float32),
        )

    def frame_count(self, side: Side) -> int:
        """How many frames a side has."""
        return int(self.rows("SELECT count(*) FROM frames WHERE side = ?", (side,))[0][0])

    def aligned_count(self, side: Side) -> int:
        """How many present faces of a side lie on a frame."""
        return int(
            self.rows(
                "SELECT count(*) FROM faces f JOIN photographs p ON p.id = f.photograph"
                " WHERE f.side = ? AND p.state = 'done' AND f.aligned",
                (side,),
            )[0][0]
        )

    def unaligned_reasons(self, side: Side) -> dict[str, int]:
        """How many present faces of a side lie on no frame, by the reason, the commonest first."""
        rows = self.rows(
            "SELECT f.unaligned_reason, count(*) AS n FROM faces f"
            " JOIN photographs p ON p.id = f.photograph WHERE f.side = ? AND p.state = 'done'"
            " AND NOT f.aligned AND f.raw IS NOT NULL GROUP BY f.unaligned_reason"
            " ORDER BY n DESC, f.unaligned_reason",
            (side,),
        )
        return dict(rows)

    def forget_alignment(self) -> None:
        """Make every face due to be laid and encoded anew."""
        self.write("DELETE FROM frames")
        self.write(
            "UPDATE faces SET laid_on = 0, searched = 0, aligned = 0, frame = NULL,"
            " to_frame = NULL, laid_at = NULL, settled = 0, next_to_frame = NULL, support = 0,"
            " unaligned_reason = NULL, raw = NULL, vector = NULL"
        )

    def forget_vectors(self) -> None:
        """Make every face due to be encoded anew where alignment laid it, and to be settled."""
        self.write(
            "UPDATE faces SET to_frame = coalesce(laid_at, to_frame), settled = 0,"
            " next_to_frame = NULL, raw = NULL, vector = NULL"
        )
        self.write("UPDATE frames SET competitors = NULL")

    def face_identities(self) -> Iterator[tuple]:
        """What makes each present face and its vector what they are, by id."""
        yield from self.rows(
            "SELECT f.id, f.side, p.sha256 || p.hints, f.frame, f.vector FROM faces f"
            " JOIN photographs p ON p.id = f.photograph"
            " WHERE p.state = 'done' ORDER BY f.id"
        )

    def counts(self) -> dict[str, int]:
        """How many coins, faces a side, and photographs in each state."""
        states = dict(self.rows("SELECT state, count(*) FROM photographs GROUP BY state"))
        faces = dict(
            self.rows(
                "SELECT f.side, count(*) FROM faces f JOIN photographs p ON p.id = f.photograph"
                " WHERE p.state = 'done' GROUP BY f.side"
            )
        )
        unsure = self.rows(
            "SELECT count(*) FROM faces f JOIN photographs p ON p.id = f.photograph"
            " WHERE p.state = 'done' AND NOT f.sure"
        )[0][0]
        coins = self.rows(
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
        self.write("DELETE FROM coins")
        for coin in coins.values():
            dies = (coin.dies.get(OBVERSE), coin.dies.get(REVERSE))
            self.write(
                "INSERT INTO coins VALUES (?, ?, ?, ?, ?)",
                (coin.coin, coin.row, *dies, json.dumps(dict(coin.columns), ensure_ascii=False)),
            )

    def coins(self) -> dict[str, SheetCoin]:
        """What the sheet of the last build says of each coin."""
        found = {}
        for coin, row, obverse, reverse, columns in self.rows(
            "SELECT coin, row, obverse_die, reverse_die, columns FROM coins ORDER BY row, coin"
        ):
            dies = {side: die for side, die in zip(SIDES, (obverse, reverse), strict=True) if die}
            found[coin] = SheetCoin(coin, dies=dies, columns=json.loads(columns), row=row)
        return found
