"""A bit that flips on a disk never changes an answer in silence: it is said, and mended."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import dieindex as di
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.details import DetailStore
from dieindex.storage.nearest import load_vectors, vector_file
from dieindex.storage.schema import CATALOGUE_NAME, DETAILS_NAME
from tests.commands_for_tests import Command


def flipped(value: object) -> object:
    """The value with one bit another."""
    if isinstance(value, bytes):
        middle = len(value) // 2
        return value[:middle] + bytes([value[middle] ^ 4]) + value[middle + 1 :]
    return -value if isinstance(value, float) else value + 1  # type: ignore[operator]


def flip(file: Path, table: str, column: str) -> None:
    """Flip a bit of a row in the middle of a table."""
    with closing(sqlite3.connect(file)) as raw, raw:
        where = f"WHERE {column} IS NOT NULL"
        count = raw.execute(f"SELECT count(*) FROM {table} {where}").fetchone()[0]
        query = f"SELECT {column} FROM {table} {where} LIMIT 1 OFFSET {count // 2}"
        (value,) = raw.execute(query).fetchone()
        change = f"UPDATE {table} SET {column} = ? WHERE {column} = ?"
        raw.execute(change, (flipped(value), value))


@pytest.fixture
def asked(data: Path, command: Command) -> Callable[[], tuple[int, str, str]]:
    """What `cluster` answers."""
    folder = data.parent / "indexes" / "data"

    def ask() -> tuple[int, str, str]:
        return command("cluster", "--side", "both", "--json", "--index", folder)

    return ask


@pytest.mark.parametrize("column", ["raw", "vector"])
def test_vectors_are_made_anew_of_the_faces(
    data: Path, command: Command, asked: Callable[[], tuple[int, str, str]], column: str
) -> None:
    folder = data.parent / "indexes" / "data"
    expected = asked()
    with Catalogue.open(folder) as catalogue:
        generation = catalogue.meta("generation")
    flip(folder / CATALOGUE_NAME, "faces", column)
    if column == "vector":
        code, shown, err = asked()
        assert (code, shown) == (1, "")
        assert "vectors of faces have changed on the disk" in err
        assert "`dieindex build DATA`" in err
    code, _, err = command("build", data, "--index", folder)
    assert code == 0, err
    assert "they are made anew of the faces" in err
    with Catalogue.open(folder) as catalogue:
        assert catalogue.meta("generation") == generation
    assert asked() == expected


@pytest.mark.parametrize("column", ["logit", "shared", "second"])
def test_scores_are_computed_anew(
    data: Path, asked: Callable[[], tuple[int, str, str]], column: str
) -> None:
    folder = data.parent / "indexes" / "data"
    asked()
    expected = asked()
    if column == "second":
        with closing(sqlite3.connect(folder / DETAILS_NAME)) as raw, raw:
            query = "SELECT first, second FROM pair_scores WHERE first < 5 LIMIT 1"
            pair = raw.execute(query).fetchone()
            change = "UPDATE pair_scores SET second = 1000 WHERE first = ? AND second = ?"
            raw.execute(change, pair)
    else:
        flip(folder / DETAILS_NAME, "pair_scores", column)
    code, shown, err = asked()
    assert (code, shown) == (0, expected[1])
    assert "scores of pairs have changed on the disk; they are computed anew" in err
    assert asked() == expected


@pytest.mark.parametrize(
    ("table", "column"),
    [("descriptors", "cells"), ("local_features", "features"), ("aligned_pairs", "logit")],
)
def test_details_that_changed_are_said(
    data: Path, command: Command, asked: Callable[[], tuple[int, str, str]], table: str, column: str
) -> None:
    folder = data.parent / "indexes" / "data"
    asked()
    with DetailStore.open(folder) as store, store.transaction():
        # (So that all are needed again.)
        store.write("DELETE FROM pair_scores")
        store.write("UPDATE local_features SET sought = 0")
        if not store.rows("SELECT 1 FROM aligned_pairs WHERE logit IS NOT NULL"):
            store.write(
                "INSERT INTO aligned_pairs VALUES (1, 2, 1, zeroblob(72), zeroblob(72), -9, 0.5, 1)"
            )
            store._sum_aligned([1])
    flip(folder / DETAILS_NAME, table, column)
    code, shown, err = asked()
    assert (code, shown) == (1, "")
    assert "details.sqlite: a part of it has changed on the disk" in err
    assert "delete it and build again" in err
    (folder / DETAILS_NAME).unlink()
    assert command("build", data, "--index", folder)[0] == 0
    assert (found := asked())[0] == 0, found


def test_a_faiss_file_is_made_anew(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = data.parent / "indexes" / "data"
    path = vector_file(folder, "obverse")
    content = path.read_bytes()
    path.write_bytes(content[:-40] + bytes([content[-40] ^ 1]) + content[-39:])
    with Catalogue.open(folder) as catalogue:
        load_vectors(folder, catalogue, "obverse")
        assert "damaged; it is made anew" in caplog.text
        assert path.read_bytes() == content
        # One that an earlier dieindex wrote has other lists: it is made anew without a word.
        record = folder / "obverse.json"
        known = json.loads(record.read_text())
        record.write_text(json.dumps({k: known[k] for k in ("generation", "bytes")}))
        caplog.clear()
        load_vectors(folder, catalogue, "obverse")
        assert json.loads(record.read_text()) == known
    assert not caplog.text


def test_details_without_checksums_are_used_as_they_are(
    data: Path, asked: Callable[[], tuple[int, str, str]]
) -> None:
    folder = data.parent / "indexes" / "data"
    asked()
    expected = asked()
    with closing(sqlite3.connect(folder / DETAILS_NAME)) as raw, raw:
        raw.execute("DROP TABLE checksums")
        raw.execute("UPDATE meta SET value = '3' WHERE key = 'schema'")
    assert asked() == expected


def test_details_that_are_missing_are_said(data: Path, command: Command) -> None:
    folder = data.parent / "indexes" / "data"
    (folder / DETAILS_NAME).unlink()
    code, _, err = command("compare", "1", "2", "--index", folder)
    assert code == 0, err
    assert "details.sqlite is missing" in err
    assert di.open_index(folder).unverified is not None
