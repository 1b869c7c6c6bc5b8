"""What all faces of a frame share is taken off, and of few faces hardly anything."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.encoder.competition import FACES_OF_DOUBT, frame_mean, less_means


def unit(values: np.ndarray) -> np.ndarray:
    return (values / np.linalg.norm(values, axis=-1, keepdims=True)).astype(np.float32)


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 50), seed=st.integers(0, 1000))
def test_a_mean_is_shrunk_by_the_number_of_faces(n: int, seed: int) -> None:
    raw = unit(np.random.default_rng(seed).normal(size=(n, 8)))
    expected = raw.mean(0) * n / (n + FACES_OF_DOUBT)
    np.testing.assert_allclose(frame_mean(raw), expected, atol=1e-5)


def test_dies_of_one_type_come_apart() -> None:
    rng = np.random.default_rng(0)
    die = np.repeat(np.arange(20), 4)
    own = rng.normal(size=(20, 32))[die] + 0.3 * rng.normal(size=(80, 32))
    raw = unit(8 * np.ones(32) + own)
    frame = np.zeros(80, np.int64)
    vectors = less_means(raw, frame, {0: frame_mean(raw)})
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    same = die[:, None] == die
    assert (raw @ raw.T)[~same].min() > 0.9
    assert (vectors @ vectors.T)[~same].mean() < 0.6
    assert (vectors @ vectors.T)[same].mean() > 0.9


def test_faces_on_no_frame_or_another_keep_their_own() -> None:
    raw = unit(np.random.default_rng(1).normal(size=(3, 8)))
    frame = np.array([-1, 4, 0])
    vectors = less_means(raw, frame, {0: np.full(8, 0.1, np.float32)})
    np.testing.assert_allclose(vectors[:2], raw[:2], atol=1e-6)
    assert np.abs(vectors[2] - raw[2]).max() > 0.01
    assert less_means(np.zeros((0, 8), np.float32), frame[:0], {}).shape == (0, 8)
