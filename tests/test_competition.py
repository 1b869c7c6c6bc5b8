"""What faces of one type share is taken off, and of few faces hardly anything."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.encoder.competition import (
    FACES_OF_DOUBT,
    MOST_COMPETITORS,
    all_less_shared,
    competitors_of,
    frames_less_shared,
    less_shared,
)
from dieindex.records import Vectors


def unit(values: np.ndarray) -> np.ndarray:
    return (values / np.linalg.norm(values, axis=-1, keepdims=True)).astype(np.float32)


def competed(raw: Vectors, radius: float) -> Vectors:
    return np.stack([less_shared(each, raw, radius) for each in raw])


def dies_of_a_type(seed: int, dies: int, strikes: int = 4) -> Vectors:
    """Vectors that share most with their type, and the rest with their die."""
    rng = np.random.default_rng(seed)
    own = np.repeat(rng.normal(size=(dies, 32)), strikes, axis=0)
    return unit(2 * rng.normal(size=32) + own + 0.2 * rng.normal(size=(dies * strikes, 32)))


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 50), seed=st.integers(0, 1000))
def test_within_a_wide_radius_it_is_the_shrunk_mean(n: int, seed: int) -> None:
    raw = unit(np.random.default_rng(seed).normal(size=(n, 8)))
    expected = unit(raw - raw.sum(0) / (n + FACES_OF_DOUBT))
    np.testing.assert_allclose(competed(raw, 2.5), expected, atol=1e-5)


def test_a_face_counts_once_among_its_competitors_or_not() -> None:
    raw = dies_of_a_type(0, 5)
    within = less_shared(raw[3], raw, 2.5)
    without = less_shared(raw[3], np.delete(raw, 3, axis=0), 2.5)
    np.testing.assert_allclose(within, without, atol=1e-6)
    np.testing.assert_allclose(less_shared(raw[0], raw[:0], 1.0), raw[0], atol=1e-6)


def test_dies_of_one_type_come_apart() -> None:
    raw = dies_of_a_type(1, 20)
    die = np.repeat(np.arange(20), 4)
    same = die[:, None] == die
    vectors = competed(raw, 1.2)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (raw @ raw.T)[~same].mean() > 0.6
    assert (vectors @ vectors.T)[~same].mean() < 0.2
    assert (vectors @ vectors.T)[same].mean() > 0.8


def test_a_rare_type_among_others_on_its_frame_is_not_taken_for_one_die() -> None:
    common, rare = dies_of_a_type(2, 30, 2), dies_of_a_type(3, 4, 1)
    raw = np.concatenate([common, rare])
    alike = (rare @ rare.T)[np.triu_indices(4, 1)].mean()
    against_all = competed(raw, 2.5)[-4:]
    against_its_own = competed(raw, 1.0)[-4:]
    pairs = np.triu_indices(4, 1)
    # The mean of a frame of many types leaves what its rare one shares; competing does not.
    assert (against_all @ against_all.T)[pairs].mean() > alike - 0.1
    assert (against_its_own @ against_its_own.T)[pairs].mean() < alike - 0.3


def test_competitors_are_bounded_and_the_same_ones() -> None:
    raw = unit(np.random.default_rng(1).normal(size=(2 * MOST_COMPETITORS + 1, 4)))
    chosen = competitors_of(raw)
    assert 0.5 * MOST_COMPETITORS < len(chosen) <= MOST_COMPETITORS
    assert np.array_equal(chosen[:2], raw[[0, 3]])
    assert len(competitors_of(raw[:7])) == 7


def test_each_frame_is_by_itself_and_faces_on_none_stay() -> None:
    raw, frame = dies_of_a_type(2, 5), np.repeat([0, 1, -1, 1, 0], 4)
    found = frames_less_shared(raw, frame, 1.2)
    np.testing.assert_array_equal(found[frame < 0], raw[frame < 0])
    for number in (0, 1):
        own = all_less_shared(raw[frame == number], 1.2)
        np.testing.assert_array_equal(found[frame == number], own)
