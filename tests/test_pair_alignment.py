"""Pairs aligned to each other: found by local features, only against their frames, and kept."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from dieindex.alignment.feature_votes import FeatureIndex, Lies
from dieindex.alignment.local_features import LocalFeatures, local_features
from dieindex.alignment.warping import centred_place
from dieindex.api import Index
from dieindex.calibration.better_place import with_aligned
from dieindex.calibration.fusion import Fusion
from dieindex.errors import IndexFolderError
from dieindex.records import Face
from dieindex.storage.aligned_pairs import AlignedRow, StartRow
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.details import DetailStore
from dieindex.verification import align_pairs as align_pairs_module
from dieindex.verification.candidates import FaceVectors, all_pairs
from dieindex.verification.pair_alignment import (
    PairStart,
    PlacedFace,
    apart,
    pair_starts,
    worth_aligning,
)
from dieindex.verification.scorer import PairScores
from tests.coins_for_alignment import coin, design, place

TURN, SCALE, X, Y = 25.0, 0.8, 0.1, -0.15


@pytest.fixture(scope="module")
def faces() -> list[Face]:
    """Of six designs one face each, and of the first another: turned, smaller, shifted, and under
    another lamp."""
    found = [coin(design(seed), place(), seed=seed) for seed in range(6)]
    return [*found, coin(design(0), place(TURN, SCALE, X, Y), light=100, seed=9)]


@pytest.fixture(scope="module")
def features(faces: list[Face]) -> list[LocalFeatures]:
    return [local_features(face) for face in faces]


def test_features_come_back_as_they_were_kept(features: list[LocalFeatures]) -> None:
    for one in features:
        assert len(one) > 20
        back = LocalFeatures.from_bytes(one.to_bytes())
        np.testing.assert_array_equal(back.points, one.points)
        np.testing.assert_array_equal(back.histograms, one.histograms)
        np.testing.assert_allclose(np.linalg.norm(back.descriptors(), axis=1), 1, atol=1e-5)
    with pytest.raises(IndexFolderError, match="damaged"):
        LocalFeatures.from_bytes(features[0].to_bytes()[:-1])


def test_a_face_that_shows_nothing_has_no_features(
    faces: list[Face], features: list[LocalFeatures]
) -> None:
    plain = np.full_like(faces[0].picture, 128)
    nothing = local_features(Face("obverse", plain, faces[0].mask, faces[0].flan))
    assert len(nothing) == 0
    index = FeatureIndex([*features, nothing])
    assert index.faces_on(len(features)) == []
    for few in (True, False):
        assert FeatureIndex([nothing], few=few).faces_on(0) == []
        assert FeatureIndex([nothing], few=few).lies_of(features[0]) == []


def test_a_face_is_found_where_it_lies_on_another(features: list[LocalFeatures]) -> None:
    index = FeatureIndex(features)
    first = index.faces_on(6)[0]
    assert first.other == 0
    assert first.agreeing >= 15
    truth = place() @ np.linalg.inv(place(TURN, SCALE, X, Y))
    assert apart(centred_place() @ first.matrix, centred_place() @ truth) < 0.01
    back = index.faces_on(0)[0]
    assert back.other == 6
    assert apart(centred_place() @ np.linalg.inv(back.matrix), centred_place() @ truth) < 0.01
    assert index.faces_on(6) == FeatureIndex(features).faces_on(6)
    few = FeatureIndex(features, few=True).faces_on(6)[0]
    assert few.other == 0
    assert apart(centred_place() @ few.matrix, centred_place() @ truth) < 0.01


def test_every_feature_is_in_the_cell_it_is_sought_in(features: list[LocalFeatures]) -> None:
    for few in (True, False):
        searched = FeatureIndex(features, few=few)._index
        assert searched.nlist > 8
        searched.nprobe = 1
        first = 0
        for face in features:
            _, rows = searched.search(face.descriptors(), 1)
            assert np.mean(rows.ravel() == first + np.arange(len(face))) > 0.95
            first += len(face)
        assert searched.ntotal == first


def on(frame: int, confidence: float = 0.9, x: float = 0.0) -> PlacedFace:
    """A face on a frame, ``x`` pixels from where it was cut; on none for frame −1."""
    shift = np.eye(3)
    shift[0, 2] = x
    return PlacedFace(frame, shift @ centred_place() if frame >= 0 else None, confidence)


def lies(other: int, agreeing: int = 30) -> Lies:
    return Lies(other, 1.0, 0.0, 0.0, 0.0, agreeing)


def test_only_pairs_that_features_place_elsewhere_are_aligned() -> None:
    assert pair_starts(0, [lies(1)], [on(0), on(0)], 100) == []
    (moved,) = pair_starts(0, [lies(1)], [on(0), on(0, 0.6, x=10)], 100)
    assert (moved.fixed, moved.moved) == (0, 1)
    np.testing.assert_allclose(moved.start, centred_place())
    # The surer face stays, whichever was sought; of equals the first.
    (moved,) = pair_starts(0, [lies(1)], [on(0, 0.6), on(0, x=10)], 100)
    assert (moved.fixed, moved.moved) == (1, 0)
    for face in (0, 1):
        (moved,) = pair_starts(face, [lies(1 - face)], [on(0), on(0, x=10)], 100)
        assert (moved.fixed, moved.moved) == (0, 1)


def test_a_pair_needs_one_frame_and_enough_features_that_agree() -> None:
    (moved,) = pair_starts(0, [lies(1)], [on(0), on(1)], 100)
    assert moved.fixed == 0
    (moved,) = pair_starts(0, [lies(1)], [on(-1, 0.0), on(1)], 100)
    assert (moved.fixed, moved.moved) == (1, 0)
    assert pair_starts(0, [lies(1)], [on(-1), on(-1)], 100) == []
    assert pair_starts(0, [lies(1, agreeing=5)], [on(0), on(1)], 100) == []


def test_a_few_pairs_a_face_are_aligned() -> None:
    placed = [on(0), *[on(1)] * 9]
    many = [lies(other) for other in range(1, 10)]
    assert len(pair_starts(0, many, placed, 10)) == 1
    assert len(pair_starts(0, many, placed, 91)) == 2
    assert len(pair_starts(0, many, placed, 1000)) == 4


def test_contours_say_whether_features_are_mistaken(faces: list[Face]) -> None:
    """Of two strikes of a die, one lies off on the frame: aligned where features lay it right; not
    where they would move it from its place; always from another frame."""
    right = centred_place() @ place() @ np.linalg.inv(place(TURN, SCALE, X, Y))
    wrong = centred_place() @ np.array([[1, 0, 14], [0, 1, -9], [0, 0, 1.0]])
    both = {0: faces[0], 1: faces[6]}

    def worth(start: np.ndarray, there: PlacedFace) -> list[bool]:
        placed = {0: on(0), 1: there}
        pair = PairStart(fixed=0, moved=1, start=start)
        return worth_aligning([pair], both.__getitem__, placed.__getitem__)

    assert worth(right, PlacedFace(0, wrong, 0.6)) == [True]
    assert worth(wrong, PlacedFace(0, right, 0.6)) == [False]
    assert worth(wrong, PlacedFace(1, right, 0.6)) == [True]
    assert worth(wrong, PlacedFace(-1, None, 0.0)) == [True]


FUSION = Fusion(logit=1.0, distance=-1.0, bias=0.0, least_shared=0.1)


def test_the_better_place_counts() -> None:
    vectors = np.eye(4, dtype=np.float32)
    faces = FaceVectors(np.array([3, 5, 8, 9]), vectors, np.array([0, 0, 0, 1]))
    candidates = all_pairs(vectors)
    logit = np.array([1.0, 1.0, np.nan, 1.0, np.nan, np.nan])
    scores = PairScores(logit, np.where(np.isnan(logit), np.nan, 0.5))
    aligned = [
        AlignedRow(5, 3, np.eye(3), 4.0, 0.4, 0.5),  # better than on the frame
        AlignedRow(3, 8, np.eye(3), 0.0, 0.4, 1.4),  # worse
        AlignedRow(3, 9, np.eye(3), 2.0, 0.4, 1.0),  # on no common frame
        AlignedRow(5, 8, np.eye(3), 9.0, 0.05, 0.1),  # shows too little
    ]
    found = with_aligned(scores, candidates, faces, aligned, FUSION)
    np.testing.assert_array_equal(found.logit, [4.0, 1.0, 2.0, 1.0, np.nan, np.nan])
    assert found.distance is not None
    np.testing.assert_allclose(found.distance[[0, 2]], [0.5, 1.0])
    np.testing.assert_allclose(found.distance[[1, 3]], candidates.distance[[1, 3]])
    np.testing.assert_array_equal(scores.logit, logit)
    assert with_aligned(scores, candidates, faces, [], FUSION) is scores


def test_what_was_found_is_kept_and_forgotten_with_its_face(tmp_path: Path) -> None:
    with DetailStore.open(tmp_path, create=True) as store:
        with store.transaction():
            store.put_features([(1, b"a", b"x"), (2, b"b", b"y"), (3, b"c", b"z")])
            store.put_starts([1, 2], [StartRow(2, 1, np.eye(3)), StartRow(3, 2, np.eye(3))])
            store.put_starts([3], [StartRow(1, 2, 2 * np.eye(3))])
        assert store.sought() == {1, 2, 3}
        due = store.starts_due()
        assert [(one.fixed, one.moved) for one in due] == [(2, 1), (3, 2)]
        np.testing.assert_array_equal(due[0].start, np.eye(3))
        with store.transaction():
            store.put_aligned([AlignedRow(2, 1, 3 * np.eye(3), 1.5, 0.5, 0.7)])
        assert [(one.fixed, one.moved) for one in store.starts_due()] == [(3, 2)]
        (row,) = store.aligned_pairs(np.array([1, 2]))
        assert (row.fixed, row.moved, row.logit, row.distance) == (2, 1, 1.5, 0.7)
        with store.transaction():
            store.remove_other_features({1: b"new", 2: b"b"}, [1, 2])
        assert set(store.feature_keys()) == {2, 3}
        assert len(store.aligned_pairs(np.array([1, 2, 3]))) == 0


@pytest.fixture
def index(built: Path, tmp_path: Path) -> Path:
    """A copy of the small index in which nothing was sought."""
    copy = Path(shutil.copytree(built, tmp_path / "index"))
    with DetailStore.open(copy) as store, store.transaction():
        store.remove_features(sorted(store.feature_keys()))
    return copy


def kept(folder: Path) -> list[tuple]:
    with DetailStore.open(folder) as store:
        return store.rows("SELECT * FROM local_features ORDER BY face") + store.rows(
            "SELECT * FROM aligned_pairs ORDER BY first, second"
        )


def test_broken_off_the_search_goes_on_and_ends_the_same(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # (Few of the plain drawings' features agree, and they are few.)
    monkeypatch.setattr("dieindex.verification.pair_alignment.LEAST_AGREEING", 2)
    monkeypatch.setattr("dieindex.verification.pair_alignment.AWAY", 0.0)
    monkeypatch.setattr(align_pairs_module, "BLOCK", 2)
    whole = Path(shutil.copytree(index, tmp_path / "whole"))
    expected = Index(whole).pairs("obverse").probability
    with DetailStore.open(whole) as store:
        assert not store.starts_due()
        assert store.aligned_pairs(Index(whole).faces("obverse").ids)

    for step in ("features", "seeking", "sifting", "aligning"):

        def stop(said: str, done: int, _: int, step: str = step) -> None:
            if step in said and done >= 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            Index(index).pairs("obverse", progress=stop)
    np.testing.assert_array_equal(Index(index).pairs("obverse").probability, expected)
    assert kept(index) == kept(whole)
    told: list[str] = []
    Index(index).pairs("obverse", progress=lambda said, *_: told.append(said))
    assert told == []


def test_comparing_two_coins_says_what_their_pair_says(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dieindex.verification.pair_alignment.LEAST_AGREEING", 2)
    monkeypatch.setattr("dieindex.verification.pair_alignment.AWAY", 0.0)
    opened = Index(index)
    before = opened.compare("01", "02").obverse
    pairs = opened.pairs("obverse")
    ids = opened.faces("obverse").ids
    with DetailStore.open(index) as store, store.transaction():
        store.remove_features(ids.tolist())
        store.put_features([(int(ids[0]), b"", b""), (int(ids[1]), b"", b"")])
        place = opened_place(index, int(ids[0]))
        store.put_starts([], [StartRow(int(ids[0]), int(ids[1]), place)])
        store.put_aligned([AlignedRow(int(ids[0]), int(ids[1]), place, 50.0, 0.9, 0.0)])
    after = opened.compare("01", "02").obverse
    assert before is not None
    assert after is not None
    assert after.basis in ("verified", "embedding")
    assert after.distance != before.distance
    assert len(pairs) == 28


def opened_place(folder: Path, face: int) -> np.ndarray:
    with Catalogue.open(folder) as catalogue:
        return catalogue.places([face])[face]
