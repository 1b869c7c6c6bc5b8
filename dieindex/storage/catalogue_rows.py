"""The rows of a catalogue, checked: a bit that flips must not change an answer in silence.

The settings are checked when a catalogue is opened, all other rows but the faces' pictures when it
is first asked for any (once in a process, as long as the file stays as it is), and a picture when
it is looked at. A build checks everything first, and makes what is damaged due to be made anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import ClassVar

from dieindex.errors import IndexFolderError
from dieindex.storage.row_checksums import Damage, Part, SummedTables, row_checksum
from dieindex.storage.schema import MADE_ANEW
from dieindex.text import BuildCall, some_of

SETTINGS, PHOTOGRAPHS, FACES, VECTORS, FRAMES, COINS, PICTURES, TABLES, ORDER = (
    *("settings", "photographs", "faces", "vectors", "frames", "coins", "pictures", "tables"),
    "order",
)
"""What can be damaged: the parts below, and the order in which SQLite finds rows."""
_WORDS = {
    SETTINGS: "settings",
    PHOTOGRAPHS: "entries of photographs",
    FACES: "places of faces",
    VECTORS: "vectors of faces",
    FRAMES: "frames",
    COINS: "entries of the sheet",
    PICTURES: "pictures of faces",
    TABLES: "tables",
    ORDER: "orders of tables",
}
"""The same in words."""
_SMALL = (SETTINGS, PHOTOGRAPHS, FACES, VECTORS, FRAMES, COINS, TABLES)
_IN_ORDER = ("photographs", "faces")
"""The tables that have indexes of SQLite's."""
_checked: dict[Path, tuple[int, ...]] = {}
"""The files of which all rows were found whole in this process, as they were then."""
_checking = Lock()
"""(Threads that ask at once wait for one check.)"""


class CatalogueRows(SummedTables):
    """The rows of an open catalogue."""

    parts: ClassVar = {
        # (A schema of another version is refused or renewed anyway.)
        SETTINGS: Part("meta", "key", "key", rows="key <> 'schema'"),
        PHOTOGRAPHS: Part("photographs", "id", "id"),
        # (By its photograph, too: where that is another suddenly, it is known which it was.)
        FACES: Part("faces", "photograph || ' ' || id", "id", without=("raw", "vector")),
        VECTORS: Part("faces", "id", "id", ("id", "raw", "vector")),
        FRAMES: Part("frames", "side || ' ' || number", "number"),
        COINS: Part("coins", "coin", "coin"),
        # (Not by the face: its number may change, and its picture is not read for that.)
        PICTURES: Part("pictures", "face", "face", ("jpeg", "mask")),
        TABLES: Part("sqlite_master", "name", "name", ("type", "tbl_name", "sql")),
    }

    def check_settings(self) -> None:
        """Raise IndexFolderError where settings are not what was written."""
        self._refuse(self.damage([SETTINGS]))

    def check_rows(self) -> None:
        """Raise IndexFolderError where rows are not what was written; pictures are left out."""
        with _checking:
            state = self._state()
            if _checked.get(self.path.resolve()) != state:
                self._refuse(self.row_damage())
                _checked[self.path.resolve()] = state

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block's changes or none. A file that was found whole stays so by them."""
        with super().transaction():
            whole = _checked.get(self.path.resolve()) == self._state()
            yield
        if whole:
            _checked[self.path.resolve()] = self._state()

    def _state(self) -> tuple[int, ...]:
        status = self.path.stat()
        return status.st_ino, status.st_size, status.st_mtime_ns

    def check_picture(self, face: int) -> None:
        """Raise IndexFolderError where a face's picture is not what was written."""
        if not self.check_row(PICTURES, face):
            self._refuse({PICTURES: [str(face)]})

    def row_damage(self) -> dict[str, list[str]]:
        """Which rows are not what was written; pictures are left out."""
        found = self.damage(_SMALL)
        if sqlite3.sqlite_version_info >= (3, 33) and self.is_summed():
            told = [self.all_rows(f"PRAGMA main.integrity_check({name})") for name in _IN_ORDER]
            names = [n for n, t in zip(_IN_ORDER, told, strict=True) if t != [("ok",)]]
            if names and not found:
                found[ORDER] = names
        return found

    def whole_damage(self) -> dict[str, list[str]]:
        """The same, with pictures."""
        return {**self.row_damage(), **self.damage([PICTURES])}

    def damaged_kinds(self, damage: Damage) -> str:
        """What kinds of things are damaged."""
        return " and ".join(_WORDS[name] for name in damage)

    def damaged_things(self, damage: Damage) -> list[str]:
        """The names of what is damaged."""
        # (What was text may be none any more.)
        known = self.all_rows("SELECT id, CAST(file AS BLOB) FROM photographs")
        files = {str(key): bytes(file).decode(errors="replace") for key, file in known}
        owners = {str(f): str(p) for f, p in self.all_rows("SELECT id, photograph FROM faces")}

        def face(number: str) -> str:
            file = files.get(owners.get(number, ""))
            return f"face {number}" + ("" if file is None else f" ({file})")

        def place(key: str) -> str:
            photograph, _, number = key.partition(" ")
            return f"face {number} ({files.get(photograph, 'of no photograph')})"

        words: dict[str, Callable[[str], str]] = {
            PHOTOGRAPHS: lambda key: files.get(key, f"photograph {key}"),
            FACES: place,
            VECTORS: face,
            PICTURES: face,
            COINS: lambda key: f"coin {key}",
        }
        return [
            words[name](key) if name in words else f"“{key}”"
            for name, keys in damage.items()
            for key in keys
        ]

    def _refuse(self, damage: Damage) -> None:
        if not damage:
            return
        told = f"{self.path}: {self.damaged_kinds(damage)} have changed on the disk"
        things = some_of(self.damaged_things(damage), 3)
        if TABLES in damage:
            raise IndexFolderError(f"{told} ({things}); {MADE_ANEW}")
        raise IndexFolderError(
            f"{told} ({things}), and would change what is answered; run ",
            BuildCall(),
            ": it makes them anew of what else is kept, and of the photographs. Verdicts and die "
            "numbers are kept, too.",
        )

    def picture_sum(self, face: int) -> int | None:
        """The checksum of a face's picture as it was written."""
        return self.sum_of(PICTURES, face)

    def was_setting(self, key: str, text: str) -> bool:
        """Whether this is what was written of a setting."""
        return self.sum_of(SETTINGS, key) == row_checksum((key.encode(), text.encode()))

    # mending

    def mend_order(self) -> None:
        """Have SQLite find rows anew."""
        self.write("REINDEX")

    def mend_settings(self, keys: Sequence[str]) -> None:
        """Forget settings; a build tells them anew."""
        self.write_many("DELETE FROM meta WHERE key = ?", [(key,) for key in keys])

    def mend_photographs(self, ids: Sequence[str]) -> None:
        """Make photographs due to be cut anew, as if they were not there until then."""
        self.write_many(
            "UPDATE photographs SET state = 'absent', hints = '' WHERE id = ?",
            [(key,) for key in ids],
        )

    def mend_faces(self, keys: Sequence[str]) -> None:
        """Make faces due to be cut, aligned and encoded anew."""
        pairs = [key.partition(" ") for key in keys]
        self.write_many(
            "UPDATE faces SET frames_tried = 0, searched = 0, aligned = 0, frame = NULL,"
            " to_frame = NULL, aligned_to_frame = NULL, refined_steps = 0, next_to_frame = NULL,"
            " alignment_confidence = 0, unaligned_reason = NULL, raw = NULL, vector = NULL"
            " WHERE id = ?",
            [(face,) for _, _, face in pairs],
        )
        self._cut_anew([photograph for photograph, _, _ in pairs])

    def mend_pictures(self, faces: Sequence[str]) -> None:
        """Make the photographs of faces due to be cut anew; one that looks as its picture did stays
        the face that it is (see ``photographs``)."""
        owners = "SELECT photograph FROM faces WHERE id = ?"
        self._cut_anew([str(p) for face in faces for (p,) in self.all_rows(owners, (face,))])

    def renumber_pictures(self, pairs: Sequence[tuple[int, int]]) -> None:
        """Let the checksums of pictures follow their faces: the new number, and the old."""
        rows = [(str(new), PICTURES, str(old)) for new, old in pairs]
        self.write_many("UPDATE checksums SET key = ? WHERE part = ? AND key = ?", rows)

    def mend_coins(self) -> None:
        """Forget what the sheet says; a build reads it anew."""
        self.write("DELETE FROM coins")

    def remove_lost(self) -> None:
        """Take out faces that have no photograph or no picture any more: the photograph is cut
        anew, where there is one."""
        query = "SELECT photograph FROM faces WHERE id NOT IN (SELECT face FROM pictures)"
        self._cut_anew([str(photograph) for (photograph,) in self.all_rows(query)])
        self.write(
            "DELETE FROM faces WHERE id NOT IN (SELECT face FROM pictures)"
            " OR photograph NOT IN (SELECT id FROM photographs)"
        )
        self.write("DELETE FROM pictures WHERE face NOT IN (SELECT id FROM faces)")
        self.write(
            "DELETE FROM checksums WHERE part = ? AND key NOT IN (SELECT face || '' FROM pictures)",
            (PICTURES,),
        )

    def _cut_anew(self, photographs: Sequence[str]) -> None:
        rows = [(key,) for key in photographs]
        # (Of one that is not in the folder nothing can be made anew.)
        self.write_many("DELETE FROM photographs WHERE id = ? AND state = 'absent'", rows)
        self.write_many("UPDATE photographs SET hints = '' WHERE id = ?", rows)
