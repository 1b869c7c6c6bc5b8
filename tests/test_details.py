"""What verification keeps of faces and pairs: compact, faithful, forgotten when out of date."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.encoder.dense import packed, quantised, unpacked
from dieindex.errors import IndexFolderError
from dieindex.storage.descriptors import key_of
from dieindex.storage.details import DetailStore
from dieindex.storage.pair_scores import PairScoreRows
from dieindex.storage.schema import DETAILS_NAME

CHANNELS, GRID = 8, 6


def described(seed: int, faces: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    cells = rng.normal(size=(faces, CHANNELS, GRID, GRID))
    cells /= np.linalg.norm(cells, axis=1, keepdims=True)
    return cells, rng.uniform(0, 1, (faces, 1, GRID, GRID)) * rng.integers(
        0, 2, (faces, 1, GRID, GRID)
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_what_is_packed_comes_back_within_a_step(seed: int) -> None:
    cells, sure = described(seed)
    details = quantised(cells, sure)
    back = unpacked(packed(details), CHANNELS, GRID)
    np.testing.assert_array_equal(back.descriptors, details.descriptors)
    np.testing.assert_array_equal(back.reliability, details.reliability)
    np.testing.assert_allclose(back.reliability / 255, sure, atol=1 / 500)
    shown = np.broadcast_to(back.reliability > 0, cells.shape)
    np.testing.assert_allclose((back.descriptors / 127)[shown], cells[shown], atol=1 / 250)


def test_a_face_takes_less_than_a_hundred_kilobytes() -> None:
    rng = np.random.default_rng(0)
    details = quantised(rng.normal(size=(1, 32, 48, 48)), np.ones((1, 1, 48, 48)))
    assert len(packed(details)[0]) <= 77_000


def test_damaged_details_are_refused() -> None:
    whole = packed(quantised(*described(1)))[0]
    for damaged in (b"", whole[:-1], whole + b"x", bytes([255]) * 10):
        with pytest.raises(IndexFolderError, match="damaged"):
            unpacked([damaged], CHANNELS, GRID)


def scored(*pairs: tuple[int, int]) -> PairScoreRows:
    first, second = (np.array([pair[at] for pair in pairs], np.int64) for at in (0, 1))
    return PairScoreRows(first, second, first + 0.25, np.full(len(pairs), 0.5))


def test_pairs_are_kept_once_and_found_by_their_faces(tmp_path: Path) -> None:
    with DetailStore.open(tmp_path, create=True) as store:
        with store.transaction():
            store.describe((n, key_of(bytes([n])), b"x") for n in (1, 2, 3))
            store.put_pair_scores(scored((1, 3), (1, 2)))
            store.put_pair_scores(scored((1, 2)))
        found = store.pair_scores(np.array([1, 2, 3]))
        assert list(zip(found.first, found.second, strict=True)) == [(1, 2), (1, 3)]
        assert found.logit.tolist() == [1.25, 1.25]
        assert len(store.pair_scores(np.array([2, 3]))) == 0
        assert len(store.pair_scores(np.array([], np.int64))) == 0


def test_a_pair_that_is_looked_at_is_found_without_all_that_lie_between(tmp_path: Path) -> None:
    """Of few faces the same is found as of many, from their own rows alone: what is damaged between
    them does not matter, what is damaged of them does."""
    every = [(a, b) for a in range(1, 61) for b in range(a + 1, 61)]
    with DetailStore.open(tmp_path, create=True) as store:
        with store.transaction():
            store.put_pair_scores(scored(*every))
        both = store.pair_scores(np.array([4, 50]))
        assert list(zip(both.first, both.second, strict=True)) == [(4, 50)]
        assert len(store.pair_scores(np.arange(1, 61))) == len(every)
        store.write("UPDATE pair_scores SET logit = 9 WHERE first = 20 AND second = 30")
        assert store.pair_scores(np.array([4, 50])).logit.tolist() == both.logit.tolist()
        for faces in ([20, 50], [20, 30], list(range(1, 61))):
            with pytest.raises(IndexFolderError):
                store.pair_scores(np.array(faces))


def test_a_face_that_changed_takes_its_pairs_with_it(tmp_path: Path) -> None:
    with DetailStore.open(tmp_path, create=True) as store:
        with store.transaction():
            store.describe((n, b"old", b"x") for n in (1, 2, 3))
            store.put_pair_scores(scored((1, 2), (1, 3), (2, 3)))
            store.describe([(2, b"new", b"y")])
        assert store.cells_of(2) == b"y"
        found = store.pair_scores(np.array([1, 2, 3]))
        assert list(zip(found.first, found.second, strict=True)) == [(1, 3)]
        with store.transaction():
            store.forget_others({1: b"old", 2: b"new", 3: b"another"})
        assert store.keys() == {1: b"old", 2: b"new"}
        assert len(store.pair_scores(np.array([1, 2, 3]))) == 0


def test_without_a_file_nothing_is_known_and_nothing_written(tmp_path: Path) -> None:
    with DetailStore.open(tmp_path) as store:
        assert store.keys() == {}
        assert store.cells_of(1) is None
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_or_newer_file_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / DETAILS_NAME).write_bytes(b"no database " * 100)
    with pytest.raises(IndexFolderError, match="delete it"):
        DetailStore.open(tmp_path)
    (tmp_path / DETAILS_NAME).unlink()
    with DetailStore.open(tmp_path, create=True):
        pass
    with sqlite3.connect(tmp_path / DETAILS_NAME) as connection:
        connection.execute("UPDATE meta SET value = '99'")
    with pytest.raises(IndexFolderError, match="another dieindex"):
        DetailStore.open(tmp_path)
