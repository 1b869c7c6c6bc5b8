"""The FAISS indexes: what they answer, and that they never outlive the catalogue they come from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.storage import nearest as vectors_module
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.nearest import VectorIndex, is_current, load_vectors, vector_file
from dieindex.verification.candidates import (
    CandidatePairs,
    FaceVectors,
    all_pairs,
    nearest_pairs,
    sampled_pairs,
    with_pairs,
)
from dieindex.verification.score_pairs import best_of_each_coin, vectors_of


def unit_vectors(n: int, dimension: int = 16, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(n, dimension)).astype(np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 60), k=st.integers(1, 10), seed=st.integers(0, 1000))
def test_search_finds_what_brute_force_finds(n: int, k: int, seed: int) -> None:
    vectors = unit_vectors(n, seed=seed)
    ids = np.arange(n) * 3 + 7
    found = VectorIndex.from_vectors(vectors, ids).search(vectors, k)
    exact = np.linalg.norm(vectors[:, None].astype(float) - vectors[None], axis=2)
    expected = np.sort(exact, axis=1)[:, : min(k, n)]
    # The square root magnifies rounding of the inner product near distance 0.
    np.testing.assert_allclose(found.distance, expected, atol=2e-3)
    positions = (found.ids - 7) // 3
    np.testing.assert_allclose(exact[np.arange(n)[:, None], positions], found.distance, atol=2e-3)


def test_an_id_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        VectorIndex.from_vectors(unit_vectors(2), np.array([4, 4]))


def test_no_faces_and_no_queries() -> None:
    index = VectorIndex.from_vectors(np.zeros((0, 16), np.float32), np.zeros(0, np.int64))
    assert index.search(unit_vectors(3), 5).ids.shape == (3, 0)


def test_inverted_lists_find_nearly_all_of_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors_module, "EXACT_UP_TO", 1000)
    dies = unit_vectors(600, 32, seed=3)
    near = np.repeat(dies, 5, axis=0) + 0.05 * np.random.default_rng(1).normal(size=(3000, 32))
    near = (near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32)
    index = VectorIndex.from_vectors(near, np.arange(3000))
    found = index.search(near, 5).ids
    same = found // 5 == np.arange(3000)[:, None] // 5
    assert same.mean() > 0.95


def test_a_damaged_file_is_derived_again(built: Path, tmp_path: Path) -> None:
    folder = copy_of(built, tmp_path)
    path = vector_file(folder, "obverse")
    content = path.read_bytes()
    path.write_bytes(b"x" * len(content))
    with Catalogue.open(folder) as catalogue:
        assert is_current(folder, catalogue, "obverse")
        index = load_vectors(folder, catalogue, "obverse")
    assert len(index) == 8
    assert path.read_bytes() == content


def test_a_file_of_another_generation_is_derived_again(built: Path, tmp_path: Path) -> None:
    folder = copy_of(built, tmp_path)
    with Catalogue.open(folder) as catalogue:
        with catalogue.transaction():
            catalogue.set_meta("generation", "another")
        assert not is_current(folder, catalogue, "reverse")
        load_vectors(folder, catalogue, "reverse")
        assert is_current(folder, catalogue, "reverse")


def test_nearest_pairs_of_all_coins_are_all_pairs(built: Path) -> None:
    with Catalogue.open(built) as catalogue:
        rows = vectors_of(best_of_each_coin(catalogue.face_rows("obverse")))
        index = load_vectors(built, catalogue, "obverse")
    every = all_pairs(rows.vectors)
    nearest = nearest_pairs(rows, index, k=7, radius=2.0)
    assert nearest.first.tolist() == every.first.tolist()
    assert nearest.second.tolist() == every.second.tolist()
    np.testing.assert_allclose(nearest.distance, every.distance, atol=2e-3)
    few = nearest_pairs(rows, index, k=1, radius=2.0)
    assert 4 <= len(few.first) <= 8
    assert len(nearest_pairs(rows, index, k=7, radius=0.0).first) == 0


def rows_on(frame: list[int], ids: list[int] | None = None) -> FaceVectors:
    """Faces on frames (-1: on none), with vectors of their own."""
    n = len(frame)
    vectors = np.random.default_rng(0).normal(size=(n, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    number = np.array(range(n) if ids is None else ids, np.int64)
    return FaceVectors(number, vectors, np.array(frame, np.int64))


@pytest.mark.parametrize("each", [1, 3])
def test_pairs_are_drawn_on_one_frame_as_many_of_each_whatever_their_distance(
    each: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dieindex.verification.candidates.SAMPLED", 301 * each)
    rng = np.random.default_rng(1)
    frame = [*rng.choice([0, 0, 0, 1, -1], 300).tolist(), 2]
    rows = rows_on(frame)
    first, second = sampled_pairs(rows)
    assert (first < second).all()
    assert (rows.frame[first] == rows.frame[second]).all()
    assert (rows.frame[first] >= 0).all()
    taken = np.bincount(np.concatenate([first, second]), minlength=301)
    assert set(taken[:-1][rows.aligned[:-1]].tolist()) == {2 * each}
    assert taken[-1] == 0  # alone on its frame
    # As if drawn at random: not the neighbours in the list, which often share a die.
    assert np.median(second - first) > 20
    nothing = CandidatePairs(first[:0], second[:0], np.zeros(0), np.zeros(0, bool))
    drawn, every = (
        with_pairs(nothing, first, second, rows.vectors, sampled=(first, second)),
        all_pairs(rows.vectors),
    )
    assert drawn.distance.mean() == pytest.approx(every.distance.mean(), rel=0.05)


def test_a_few_more_faces_part_few_of_the_drawn_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dieindex.verification.candidates.SAMPLED", 1500)
    before = set(zip(*sampled_pairs(rows_on([0] * 500)), strict=True))
    after = set(zip(*sampled_pairs(rows_on([0] * 505)), strict=True))
    assert len(before) == 1500
    assert len(before - after) <= 5 * 6


def test_of_few_faces_on_a_frame_all_pairs_are_drawn() -> None:
    first, _second = sampled_pairs(rows_on([0, 0, 0, 0, 1, 1]))
    assert len(first) == 6 + 1


@pytest.mark.parametrize("frame", [[], [-1, -1], [0], [0, -1, 1]])
def test_nothing_is_drawn_where_no_two_faces_lie_on_one_frame(frame: list[int]) -> None:
    first, second = sampled_pairs(rows_on(frame))
    assert len(first) == len(second) == 0


def test_a_shortlist_with_more_pairs_lists_each_once_in_order() -> None:
    rows = rows_on([0] * 12)
    every = all_pairs(rows.vectors)
    some = CandidatePairs(*(each[::3] for each in vars(every).values()))
    more, sampled = (every.first[::2], every.second[::2]), (every.first[::6], every.second[::6])
    found = with_pairs(some, *more, rows.vectors, sampled=sampled)
    wanted = sorted(set(range(0, 66, 3)) | set(range(0, 66, 2)))
    np.testing.assert_array_equal(found.first, every.first[wanted])
    np.testing.assert_array_equal(found.second, every.second[wanted])
    np.testing.assert_allclose(found.distance, every.distance[wanted], atol=1e-6)
    assert found.sampled.tolist() == [k % 6 == 0 for k in wanted]


def copy_of(folder: Path, tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(folder, tmp_path / "copy"))
