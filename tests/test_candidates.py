"""Which pairs are worth comparing: the nearest, some sampled, and those that are named besides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dieindex.storage.catalogue import Catalogue
from dieindex.storage.nearest import VectorIndex, load_vectors
from dieindex.verification.candidates import (
    CandidatePairs,
    FaceVectors,
    all_pairs,
    candidate_pairs,
    nearest_pairs,
    sampled_pairs,
    with_pairs,
    worth_comparing,
)
from dieindex.verification.score_pairs import best_of_each_coin, vectors_of


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


def test_the_nearest_are_those_of_one_frame() -> None:
    """What lies nearer on another frame takes no place in the list; what is alone on its frame, or
    alone on none, is listed with another: nothing can be told of it."""
    frame = [0, 1, 0, 1, 0, 1, 2, -1]
    faces = rows_on(frame, ids=[3, 5, 6, 8, 11, 12, 20, 21])
    index = VectorIndex.from_vectors(faces.vectors, faces.ids, faces.frame)
    found = nearest_pairs(faces, index, k=2, radius=2.0)
    pairs = list(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert pairs == [(0, 2), (0, 4), (1, 3), (1, 5), (2, 4), (3, 5), (5, 6), (6, 7)]
    apart = np.linalg.norm(faces.vectors[found.first] - faces.vectors[found.second], axis=1)
    np.testing.assert_allclose(found.distance, apart, atol=2e-3)
    assert not found.sampled.any()
    assert len(nearest_pairs(faces, index, k=1, radius=2.0)) < len(pairs)
    one = rows_on([0])
    index = VectorIndex.from_vectors(one.vectors, one.ids, one.frame)
    assert len(nearest_pairs(one, index, k=2, radius=2.0)) == 0


@pytest.mark.parametrize("radius", [1.1, 2.0])
def test_what_is_compared_does_not_depend_on_what_was_compared_before(
    radius: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where few faces lie within the radius: those listed for another reason are not near."""
    monkeypatch.setattr("dieindex.verification.candidates.ALL_PAIRS_UP_TO", 100)
    monkeypatch.setattr("dieindex.verification.candidates.LISTED", 20)
    rows = rows_on([0] * 150)

    def nearest() -> VectorIndex:
        return VectorIndex.from_vectors(rows.vectors, rows.ids, rows.frame)

    rng = np.random.default_rng(0)
    before = np.sort(rng.permutation(150 * 150)[:3000])
    before = before[before // 150 < before % 150]
    found = []
    for known in (before[:0], before):
        pairs = candidate_pairs(
            rows, radius, nearest, scored_before=lambda known=known: (known // 150, known % 150)
        )
        compared = worth_comparing(pairs, rows, radius)
        found.append((set(key_of(pairs)[compared]), set(key_of(pairs)[pairs.sampled])))
        near = compared & ~pairs.sampled
        assert (pairs.distance[near] <= radius).all()
        assert np.bincount(pairs.first[near], minlength=150).max() > 0
    assert found[0] == found[1]
    assert len(found[0][1]) > 1000


def key_of(pairs: CandidatePairs) -> np.ndarray:
    return pairs.first * 1000 + pairs.second


@pytest.mark.parametrize("each", [1, 3])
def test_pairs_are_sampled_on_one_frame_as_many_of_each_whatever_their_distance(
    each: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dieindex.verification.candidates.SAMPLED", 301 * each)
    monkeypatch.setattr("dieindex.verification.candidates.ALL_COMPARED", 301 * each)
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
    # As if chosen at random: not the neighbours in the list, which often share a die.
    assert np.median(second - first) > 20
    nothing = CandidatePairs(first[:0], second[:0], np.zeros(0), np.zeros(0, bool))
    sampled, every = (
        with_pairs(nothing, first, second, rows.vectors, sampled=(first, second)),
        all_pairs(rows.vectors),
    )
    assert sampled.distance.mean() == pytest.approx(every.distance.mean(), rel=0.05)


def test_a_few_more_faces_part_few_of_the_sampled_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dieindex.verification.candidates.SAMPLED", 1500)
    monkeypatch.setattr("dieindex.verification.candidates.ALL_COMPARED", 1500)
    before = set(zip(*sampled_pairs(rows_on([0] * 500)), strict=True))
    after = set(zip(*sampled_pairs(rows_on([0] * 505)), strict=True))
    assert len(before) == 1500
    assert len(before - after) <= 5 * 6


def test_of_few_faces_on_a_frame_all_pairs_are_sampled() -> None:
    first, _second = sampled_pairs(rows_on([0, 0, 0, 0, 1, 1]))
    assert len(first) == 6 + 1


@pytest.mark.parametrize("frame", [[], [-1, -1], [0], [0, -1, 1]])
def test_nothing_is_sampled_where_no_two_faces_lie_on_one_frame(frame: list[int]) -> None:
    first, second = sampled_pairs(rows_on(frame))
    assert len(first) == len(second) == 0


def test_candidates_with_more_pairs_lists_each_once_in_order() -> None:
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
