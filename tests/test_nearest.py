"""The FAISS indexes: what they answer, and that they never outlive the catalogue they come from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.storage import nearest as vectors_module
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.nearest import VectorIndex, is_current, load_vectors, vector_file


def unit_vectors(n: int, dimension: int = 16, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(n, dimension)).astype(np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 60), k=st.integers(1, 10), seed=st.integers(0, 1000))
def test_search_finds_what_brute_force_finds(n: int, k: int, seed: int) -> None:
    vectors = unit_vectors(n, seed=seed)
    ids = np.arange(n) * 3 + 7
    found = VectorIndex.from_vectors(vectors, ids, 0 * ids).search(vectors, k, 0 * ids)
    exact = np.linalg.norm(vectors[:, None].astype(float) - vectors[None], axis=2)
    expected = np.sort(exact, axis=1)[:, : min(k, n)]
    # The square root magnifies rounding of the inner product near distance 0.
    np.testing.assert_allclose(found.distance, expected, atol=2e-3)
    positions = (found.ids - 7) // 3
    np.testing.assert_allclose(exact[np.arange(n)[:, None], positions], found.distance, atol=2e-3)


def test_an_id_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        VectorIndex.from_vectors(unit_vectors(2), np.array([4, 4]), np.zeros(2, np.int64))


def test_no_faces_and_no_queries() -> None:
    none = np.zeros(0, np.int64)
    index = VectorIndex.from_vectors(np.zeros((0, 16), np.float32), none, none)
    assert index.search(unit_vectors(3), 5, np.zeros(3, np.int64)).ids.shape == (3, 0)


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors, ids and frames (one of them none) of more faces than are all looked at."""
    monkeypatch.setattr(vectors_module, "EXACT_UP_TO", 1000)
    dies = unit_vectors(600, 32, seed=3)
    near = np.repeat(dies, 5, axis=0) + 0.05 * np.random.default_rng(1).normal(size=(3000, 32))
    near = (near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32)
    return near, 7 + 2 * np.arange(3000), np.arange(3000) // 5 % 4 - 1


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("exact", [True, False])
def test_those_of_the_frame_are_ranked(
    many: tuple[np.ndarray, np.ndarray, np.ndarray],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    told: bool,
    exact: bool,
) -> None:
    """Exactly, where their vectors are kept or told; nearly, where not. A file gives the same."""
    if exact:
        monkeypatch.setattr(vectors_module, "EXACT_UP_TO", 3000)
    vectors, ids, frame = many
    index = VectorIndex.from_vectors(vectors, ids, frame)
    assert len(index) == 3000
    assert index.exact == exact
    index.write(tmp_path / "some.faiss")
    vectors_of = (lambda asked: vectors[(asked - 7) // 2]) if told else None
    found = index.search(vectors, 20, frame, vectors_of)
    again = VectorIndex.read(tmp_path / "some.faiss").search(vectors, 20, frame, vectors_of)
    np.testing.assert_array_equal(found.ids, again.ids)
    for query in range(0, 3000, 97):
        on_frame = np.flatnonzero(frame == frame[query])
        alike = vectors[on_frame] @ vectors[query]
        expected = ids[on_frame[np.argsort(-alike)[:20]]]
        distance = np.sqrt(2 - 2 * np.sort(alike)[::-1][:20].clip(max=1))
        if told or exact:
            np.testing.assert_array_equal(found.ids[query], expected)
            np.testing.assert_allclose(found.distance[query], distance, atol=1e-3)
        else:
            assert len(np.intersect1d(found.ids[query], expected)) >= 18
            np.testing.assert_allclose(found.distance[query], distance, atol=0.08)


@pytest.mark.parametrize("most", [1000, 3000])
def test_of_a_frame_with_few_faces_or_none_no_more_are_found(
    many: tuple[np.ndarray, np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(vectors_module, "EXACT_UP_TO", most)
    vectors, ids, frame = many
    frame = np.where(np.arange(3000) < 4, 3, np.maximum(frame, 0))
    frame[[40, 50]] = -1
    index = VectorIndex.from_vectors(vectors, ids, frame)
    found = index.search(vectors[:1], 20, np.array([3]))
    assert set(found.ids[0].tolist()) == {7, 9, 11, 13, -1}
    assert np.isinf(found.distance[0, 4:]).all()
    none = index.search(vectors[:1], 20, np.array([-1])).ids[0]
    assert set(none.tolist()) == {87, 107, -1}
    assert (index.search(vectors[:1], 20, np.array([9])).ids == -1).all()


def test_a_file_whose_lists_are_no_frames_is_made_anew_without_a_word(
    built: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Such a file an earlier dieindex wrote, which looked at the faces of all frames."""
    import faiss

    folder = copy_of(built, tmp_path)
    path = vector_file(folder, "obverse")
    with Catalogue.open(folder) as catalogue:
        rows = catalogue.face_rows("obverse")
        earlier = faiss.IndexIDMap2(faiss.IndexFlatIP(rows.vectors.shape[1]))
        earlier.add_with_ids(rows.vectors, rows.ids)
        faiss.write_index(earlier, str(path))
        record = json.loads(path.with_suffix(".json").read_text())
        del record["lists"]
        path.with_suffix(".json").write_text(json.dumps(record | {"bytes": path.stat().st_size}))
        assert not is_current(folder, catalogue, "obverse")
        found = load_vectors(folder, catalogue, "obverse")
        assert is_current(folder, catalogue, "obverse")
    elsewhere = found.search(rows.vectors, 1, np.full(len(rows), 99))
    assert (elsewhere.ids == -1).all()
    assert not caplog.messages


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


def copy_of(folder: Path, tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(folder, tmp_path / "copy"))
