"""A bit that flips in a catalogue is found, said and mended: no answer comes of it in silence."""

from __future__ import annotations

import json
import random
import sqlite3
import struct
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dieindex as di
from dieindex.errors import IndexFolderError
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.catalogue_rows import CatalogueRows
from dieindex.storage.details import DetailStore
from dieindex.storage.row_checksums import row_checksum
from dieindex.storage.schema import CATALOGUE_NAME, DETAILS_NAME
from tests.commands_for_tests import Command

CELL = st.one_of(
    st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.binary(max_size=40)
)


def run_sql(folder: Path, statement: str, *values: object) -> None:
    """Change the file as a disk does: behind dieindex's back."""
    with closing(sqlite3.connect(folder / CATALOGUE_NAME)) as raw, raw:
        raw.execute(statement, values)


def turn_one(folder: Path, table: str, column: str) -> None:
    """Flip a bit of a row in the middle of a table."""
    with closing(sqlite3.connect(folder / CATALOGUE_NAME)) as raw, raw:
        query = f"SELECT rowid, {column} FROM {table} WHERE {column} IS NOT NULL"
        if table in ("frames", "coins"):
            query = query.replace("rowid", "number" if table == "frames" else "coin")
        rows = raw.execute(query).fetchall()
        row, value = rows[len(rows) // 2]
        key = query.split()[1].rstrip(",")
        if isinstance(value, str):
            other: object = value[:-1] + chr(ord(value[-1]) ^ 1)
        else:
            other = turned(value, random.Random(3))
        raw.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (other, row))


def dies_of(command: Command, folder: Path) -> list[set[tuple[str, ...]]]:
    """The coins of each die, a side each."""
    code, shown, err = command("cluster", "--side", "both", "--json", "--index", folder)
    assert code == 0, err
    return json.loads(shown)


@pytest.fixture
def folder(data: Path) -> Path:
    return data.parent / "indexes" / "data"


@given(st.lists(CELL, min_size=1, max_size=6), st.data())
def test_a_row_with_another_bit_has_another_checksum(
    cells: list[object], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(cells) - 1))
    value = cells[at]
    if isinstance(value, bytes) and value:
        bit = data.draw(st.integers(0, 8 * len(value) - 1))
        changed = bytearray(value)
        changed[bit // 8] ^= 1 << bit % 8
        other: object = bytes(changed)
    elif isinstance(value, int):
        other = value ^ (1 << data.draw(st.integers(0, 62)))
    else:
        other = data.draw(CELL.filter(lambda cell: repr(cell) != repr(value)))
    assert row_checksum([*cells[:at], other, *cells[at + 1 :]]) != row_checksum(cells)


def turned(value: object, rng: random.Random) -> object:
    """The value with one bit another."""
    if isinstance(value, str | bytes):
        content = bytearray(value.encode() if isinstance(value, str) else value)
        bit = rng.randrange(8 * len(content))
        content[bit // 8] ^= 1 << bit % 8
        return bytes(content)
    if isinstance(value, float):
        return struct.unpack("<d", bytes(turned(struct.pack("<d", value), rng)))[0]  # type: ignore[call-overload]
    assert isinstance(value, int)
    return value ^ (1 << rng.randrange(40))


def test_any_bit_of_any_column_is_found(folder: Path) -> None:
    """In every table, of every column, some bit of some row."""
    rng, path = random.Random(11), folder / CATALOGUE_NAME
    whole, tried = path.read_bytes(), 0
    for part in CatalogueRows.parts.values():
        if part.table == "sqlite_master":
            continue
        with closing(sqlite3.connect(path)) as raw:
            named = [row[1] for row in raw.execute(f"PRAGMA table_info({part.table})")]
        for column in part.columns or (name for name in named if name not in part.without):
            path.write_bytes(whole)
            with closing(sqlite3.connect(path)) as raw, raw:
                raw.execute("PRAGMA ignore_check_constraints = ON")
                query = f"SELECT {part.found}, {column} FROM {part.table}"
                rows = [row for row in raw.execute(query) if not {*row} & {None, "", b"", "schema"}]
                if not rows:
                    continue
                row, value = rng.choice(rows)
                kept = "CAST(? AS TEXT)" if isinstance(value, str) else "?"
                changed = raw.execute(
                    f"UPDATE OR IGNORE {part.table} SET {column} = {kept} WHERE {part.found} = ?",
                    (turned(value, rng), row),
                ).rowcount
            if not changed:
                continue
            with pytest.raises(IndexFolderError, match="changed on the disk"):
                look_at(folder, row)
            tried += changed
    assert tried > 35


def look_at(folder: Path, face: object) -> None:
    """Ask for rows, and for a picture."""
    with Catalogue.open(folder) as catalogue:
        catalogue.counts()
        catalogue.check_picture(int(str(face)))


def test_what_a_query_goes_by_is_checked(folder: Path) -> None:
    """A row that SQLite's own index passes over is missed, and found again by a build."""
    path = folder / CATALOGUE_NAME
    with closing(sqlite3.connect(path)) as raw, raw:
        page = raw.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'faces_side'"
        ).fetchone()
        (size,) = raw.execute("PRAGMA page_size").fetchone()
        (before,) = raw.execute("SELECT count(*) FROM faces").fetchone()
    content = bytearray(path.read_bytes())
    at = content.rindex(b"obverse", (page[0] - 1) * size, page[0] * size)
    content[at] ^= 1
    path.write_bytes(content)
    with (
        pytest.raises(IndexFolderError, match="changed on the disk"),
        Catalogue.open(folder) as one,
    ):
        one.counts()
    with Catalogue.open(folder, create=True) as one:
        assert list(one.whole_damage()) == ["order"]
        with one.transaction():
            one.mend_order()
        assert one.whole_damage() == {}
        assert sum(one.face_counts().values()) == before


FACES = [
    ("faces", "to_frame", "places of faces"),
    ("faces", "photograph", "places of faces"),
    ("photographs", "coin", "entries of photographs"),
    ("frames", "frame", "frames"),
    ("coins", "obverse_die", "entries of the sheet"),
]


@pytest.mark.parametrize(("table", "column", "kind"), FACES)
def test_what_is_damaged_is_said_and_made_anew(
    data: Path, folder: Path, command: Command, table: str, column: str, kind: str
) -> None:
    expected = dies_of(command, folder)
    assert expected
    turn_one(folder, table, column)
    for verb in (("cluster", "--side", "both"), ("info",), ("compare", "1", "2"), ("evaluate",)):
        code, shown, err = command(*verb, "--index", folder)
        assert (code, shown) == (1, ""), (verb, shown, err)
        assert f"{kind} have changed on the disk" in err
        assert "`dieindex build DATA`" in err
    code, _, err = command("build", data, "--index", folder)
    assert code == 0, err
    assert f"The index's {kind} had changed on the disk" in err
    assert dies_of(command, folder) == expected
    code, _, err = command("build", data, "--index", folder)
    assert (code, "changed" in err) == (0, False), err


def test_a_picture_is_cut_anew_and_its_face_stays(
    data: Path, folder: Path, command: Command
) -> None:
    expected = command("cluster", "--side", "both", "--json", "--index", folder)
    turn_one(folder, "pictures", "jpeg")
    with Catalogue.open(folder, create=True) as catalogue:
        (face,) = catalogue.whole_damage()["pictures"]
        coin = catalogue.photographs_of_faces([int(face)])[int(face)].coin
    code, _, err = command("compare", coin, "2", "--picture", "seen.png", "--index", folder)
    assert code == 1
    assert f"pictures of faces have changed on the disk (face {face} (" in err
    code, _, err = command("build", data, "--index", folder)
    assert code == 0, err
    assert f"pictures of faces had changed on the disk (face {face} (" in err
    assert command("cluster", "--side", "both", "--json", "--index", folder) == expected
    with Catalogue.open(folder, create=True) as catalogue:
        assert catalogue.whole_damage() == {}


@pytest.mark.parametrize("key", ["calibration", "encoder", "any_rotation", "data", "generation"])
def test_a_setting_is_told_anew(data: Path, folder: Path, command: Command, key: str) -> None:
    expected = command("cluster", "--side", "both", "--json", "--index", folder)
    with Catalogue.open(folder) as catalogue:
        before = catalogue.meta(key)
    assert before is not None
    middle = len(before) // 2
    other = before[:middle] + chr(ord(before[middle]) ^ 1) + before[middle + 1 :]
    run_sql(folder, "UPDATE meta SET value = ? WHERE key = ?", other, key)
    code, shown, err = command("cluster", "--side", "both", "--json", "--index", folder)
    assert (code, shown) == (1, "")
    assert f"settings have changed on the disk (“{key}”)" in err
    code, _, err = command("build", data, "--index", folder)
    assert code == 0, err
    assert f"settings had changed on the disk (“{key}”)" in err
    with Catalogue.open(folder) as catalogue:
        assert catalogue.meta(key) == before
    assert command("cluster", "--side", "both", "--json", "--index", folder) == expected


def test_an_index_of_before_is_taken_as_it_is_and_has_checksums_after_a_build(
    data: Path, folder: Path, command: Command
) -> None:
    run_sql(folder, "DROP TABLE checksums")
    run_sql(folder, "UPDATE meta SET value = '5' WHERE key = 'schema'")
    assert command("info", "--index", folder)[0] == 0
    with closing(sqlite3.connect(folder / CATALOGUE_NAME)) as raw:
        (summed,) = raw.execute("SELECT count(*) FROM checksums WHERE part = 'faces'").fetchone()
    assert summed == 0
    assert command("build", data, "--index", folder)[0] == 0
    turn_one(folder, "faces", "x")
    code, _, err = command("info", "--index", folder)
    assert (code, "places of faces" in err) == (1, True)


def test_a_changed_score_is_said_where_one_pair_is_compared(folder: Path, command: Command) -> None:
    command("cluster", "--side", "both", "--index", folder)
    words = ("compare", "1", "2", "--json", "--index", folder)
    with DetailStore.open(folder) as store, store.transaction():
        first, second = store.rows("SELECT first, second FROM pair_scores ORDER BY 1, 2")[0]
        store.write("DELETE FROM aligned_pairs")
        store.write("DELETE FROM checksums WHERE kind = 'aligned'")
    with Catalogue.open(folder) as catalogue:
        shown = catalogue.photographs_of_faces([first, second])
        coins = {face: each.coin for face, each in shown.items()}
    words = ("compare", coins[first], coins[second], "--json", "--index", folder)
    expected = command(*words)
    with closing(sqlite3.connect(folder / DETAILS_NAME)) as raw, raw:
        change = "UPDATE pair_scores SET logit = -logit WHERE first = ? AND second = ?"
        raw.execute(change, (first, second))
    code, shown, err = command(*words)
    assert (code, shown) == (0, expected[1])
    assert "scores of pairs have changed on the disk" in err
    # (Once: they are taken out.)
    assert "changed" not in command(*words)[2]


def test_scores_are_never_left_out_in_silence(folder: Path, command: Command) -> None:
    command("cluster", "--side", "both", "--index", folder)
    with closing(sqlite3.connect(folder / DETAILS_NAME)) as raw, raw:
        raw.execute("UPDATE pair_scores SET shared = 0 WHERE first = 1")
    with DetailStore.open(folder) as store, pytest.raises(IndexFolderError, match="changed"):
        store.pair_scores(np.arange(1, 17))


def test_opening_reads_the_settings_alone(folder: Path) -> None:
    """However large an index is, it opens at once: faces are checked when they are asked for."""
    turn_one(folder, "faces", "radius")
    index = di.open_index(folder)
    with pytest.raises(IndexFolderError, match="places of faces"):
        index.faces("obverse")


def test_what_dieindex_writes_itself_has_not_all_rows_checked_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what changes on the disk afterwards is found all the same."""
    checked: list[Path] = []
    whole = CatalogueRows.row_damage
    monkeypatch.setattr(
        CatalogueRows, "row_damage", lambda self: checked.append(self.path) or whole(self)
    )
    with Catalogue.open(folder) as catalogue:
        catalogue.coins()
        checked.clear()
        with catalogue.transaction():
            catalogue.set_kinds("obverse", "[1]")
        with suppress(RuntimeError), catalogue.transaction():
            catalogue.set_kinds("obverse", "[2]")
            raise RuntimeError
    with Catalogue.open(folder) as catalogue:
        assert catalogue.kinds("obverse") == "[1]"
        catalogue.coins()
    assert checked == []
    turn_one(folder, "coins", "obverse_die")
    with Catalogue.open(folder) as catalogue, pytest.raises(IndexFolderError):
        catalogue.coins()
    assert len(checked) == 1
