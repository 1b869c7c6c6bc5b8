"""The photographs of an index, and what came of reading each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dieindex.errors import IndexFolderError
from dieindex.records import Side
from dieindex.storage.catalogue_rows import CatalogueRows
from dieindex.storage.database import Row
from dieindex.storage.face_codec import PackedFace
from dieindex.storage.row_checksums import row_checksum


@dataclass(frozen=True)
class PhotographRow:
    """A photograph as the catalogue knows it; ``state`` is done, skipped or absent."""

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


@dataclass(frozen=True)
class PhotographFile:
    """A photograph's file as it was read: its place below the collection, bytes, time."""

    file: str
    size: int
    mtime_ns: int

    def is_unchanged(self, data: Path) -> bool:
        """Whether it lies below the folder ``data`` as it was read."""
        try:
            status = (data / self.file).stat()
        except OSError:
            return False
        return (status.st_size, status.st_mtime_ns) == (self.size, self.mtime_ns)


_COLUMNS = "id, file, coin, size, mtime_ns, sha256, hints, state, reason, notes"


class PhotographTable(CatalogueRows):
    """The photographs in an open catalogue."""

    def photographs(self) -> dict[str, PhotographRow]:
        """Every photograph by file, in the order they were first indexed."""
        rows = self.rows(f"SELECT {_COLUMNS} FROM photographs ORDER BY id")
        return {row[1]: _photograph(row) for row in rows}

    def photograph_of_content(self, sha256: str) -> PhotographRow | None:
        """The present photograph of this digest, the first where there are several."""
        rows = self.rows(
            f"SELECT {_COLUMNS} FROM photographs WHERE sha256 = ? AND state = 'done'"
            " ORDER BY id LIMIT 1",
            (sha256,),
        )
        return _photograph(rows[0]) if rows else None

    def source_of(self, face: int) -> PhotographFile:
        """The file that a face was cut from. Raises IndexFolderError where there is no such
        face."""
        rows = self.rows(
            "SELECT p.file, p.size, p.mtime_ns FROM faces f JOIN photographs p"
            " ON p.id = f.photograph WHERE f.id = ?",
            (int(face),),
        )
        if not rows:
            raise IndexFolderError(f"{self.path}: there is no face {face}.")
        return PhotographFile(*rows[0])

    def photograph_counts(self) -> dict[str, int]:
        """How many photographs are in each state that occurs."""
        return dict(self.rows("SELECT state, count(*) FROM photographs GROUP BY state"))

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
        faces: Iterable[PackedFace],
    ) -> bool:
        """Record the outcome of working on one photograph: its faces, or why it was skipped.

        Ids depend only on the order of these calls, not on how many runs they were spread over.
        Returns whether a face that lay on a frame of one side is now of the other.
        """
        known = self.value("SELECT id FROM photographs WHERE file = ?", (file,))
        state = "done" if reason is None else "skipped"
        values = (coin, size, mtime_ns, sha256, hints, state, reason, json.dumps(list(notes)))
        if known is not None:
            identity = int(known)
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
        return self._put_faces(identity, faces, {} if known is None else self._faces_of(identity))

    def _put_faces(
        self,
        photograph: int,
        faces: Iterable[PackedFace],
        old: dict[tuple[Side, int | None], int],
    ) -> bool:
        """Keep a photograph's faces in place of its ``old`` ones; returns what ``put_photograph``
        does."""
        seen: set[int | None] = set()
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
            look = row_checksum((face.jpeg, face.mask))
            kept = old.pop((face.side, look), None)
            seen.add(look)
            if kept is not None:
                # It looks as it did: where it lies and its vector stay.
                self.write(
                    "UPDATE faces SET x=?, y=?, radius=?, confidence=?, sure=?, flan_reason=?,"
                    " rotation=? WHERE id = ?",
                    (*found, kept),
                )
                # (Which may have changed on the disk.)
                self.write(
                    "UPDATE pictures SET jpeg = ?1, mask = ?2"
                    " WHERE face = ?3 AND (jpeg <> ?1 OR mask <> ?2)",
                    (face.jpeg, face.mask, kept),
                )
                continue
            number = self.write(
                "INSERT INTO faces (x, y, radius, confidence, sure, flan_reason, rotation,"
                " photograph, side) VALUES (?,?,?,?,?,?,?,?,?)",
                (*found, photograph, face.side),
            )
            self.write("INSERT INTO pictures VALUES (?,?,?)", (number, face.jpeg, face.mask))
        changed_side = False
        for (_, looked), number in old.items():
            if looked in seen:
                aligned = self.value("SELECT aligned FROM faces WHERE id = ?", (number,))
                changed_side = changed_side or bool(aligned)
            self.write("DELETE FROM faces WHERE id = ?", (number,))
        return changed_side

    def _faces_of(self, photograph: int) -> dict[tuple[Side, int | None], int]:
        """Ids of a photograph's faces by what they look like, or did when they were written."""
        faces = self.rows(
            "SELECT f.id, f.side FROM faces f JOIN pictures p ON p.face = f.id"
            " WHERE f.photograph = ?",
            (photograph,),
        )
        return {(side, self.picture_sum(face)): face for face, side in faces}

    def update_photograph(
        self, file: str, *, coin: str, size: int, mtime_ns: int, hints: str, state: str
    ) -> None:
        """Take over what changed about a photograph whose content did not."""
        self.write(
            "UPDATE photographs SET coin=?, size=?, mtime_ns=?, hints=?, state=? WHERE file=?",
            (coin, size, mtime_ns, hints, state, file),
        )

    def move_photographs(self, moved: Mapping[str, str]) -> None:
        """Give photographs (old name by new name) their new names. One whose name another takes,
        and that has none itself now, is taken out: its picture is gone."""
        had = set(moved.values())
        gone = [(file,) for file in moved if file not in had]
        self.write_many("DELETE FROM photographs WHERE file = ?", gone)
        # (Two may have changed places.)
        between = [(f"/{number}", old) for number, old in enumerate(moved.values())]
        self.write_many("UPDATE photographs SET file = ? WHERE file = ?", between)
        after = [(new, f"/{number}") for number, new in enumerate(moved)]
        self.write_many("UPDATE photographs SET file = ? WHERE file = ?", after)

    def pictures_of_coins(self) -> dict[str, set[str]]:
        """Digests (16 digits) of the photographs that are there, by coin."""
        found: dict[str, set[str]] = {}
        for coin, sha256 in self.rows(
            "SELECT coin, substr(sha256, 1, 16) FROM photographs WHERE state = 'done'"
        ):
            found.setdefault(coin, set()).add(sha256)
        return found

    def mark_absent(self, files: Iterable[str]) -> None:
        """Vanished pictures: kept with their faces, left out of every result."""
        for file in files:
            self.write("UPDATE photographs SET state = 'absent' WHERE file = ?", (file,))


def _photograph(row: Row) -> PhotographRow:
    identity, file, coin, size, mtime_ns, sha256, hints, state, reason, notes = row
    listed = json.loads(notes)
    return PhotographRow(identity, file, coin, size, mtime_ns, sha256, hints, state, reason, listed)
