"""Refinement: faces fitted to those most like them come to lie on each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dieindex.alignment.fields import face_to_unit
from dieindex.alignment.refinement import STEPS, refine_step
from dieindex.alignment.warping import unit_to_frame
from dieindex.encoder.neighbours import FEWEST, neighbours_of
from dieindex.indexing.refine import _parts
from tests.coins_for_alignment import coin, design, place

MIDDLE = unit_to_frame() @ face_to_unit()


def shifted(x: float, y: float) -> np.ndarray:
    """Pixels of a face to pixels of the frame, wrong by some pixels."""
    return MIDDLE @ np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


def apart(places: dict[int, np.ndarray]) -> float:
    """How far the middle of the faces, all struck alike, lies from their mean, frame pixels."""
    middle = np.array([127.5, 127.5, 1])
    points = np.stack([(m @ middle)[:2] / (m @ middle)[2] for m in places.values()])
    return float(np.hypot(*(points - points.mean(0)).T).mean())


def test_faces_of_one_die_come_together_and_the_others_stay() -> None:
    rng = np.random.default_rng(4)
    relief = design(3)
    faces = {i: coin(relief, place(), light=40 + 60 * i, seed=i) for i in range(6)}
    places = {i: shifted(*rng.normal(0, 1.2, 2)) for i in faces}
    near = {i: [(j, 1.0) for j in faces if j != i] for i in range(5)}  # the sixth does not move
    now = dict(places)
    for step in range(STEPS):
        moved = refine_step(step, faces, now, near, None)
        assert set(moved) == set(near)
        now |= moved
    assert apart(now) < 0.4 * apart(places)
    np.testing.assert_array_equal(now[5], places[5])


@pytest.mark.parametrize("turned", [0, 150])
def test_a_face_too_far_away_to_be_fitted_step_by_step_is_sought_anew(turned: float) -> None:
    """In turned pictures, too. One of another die, as far away, finds nothing that it fits clearly
    better, and stays near where it was."""
    relief, lies = design(3), place(turned)
    faces = {i: coin(relief, lies, light=40 + 60 * i, seed=i) for i in range(6)}
    faces[6] = coin(design(8), lies, light=70, seed=6)
    upright = place() @ np.linalg.inv(lies)
    turn = np.deg2rad(14)
    away = np.array(
        [[np.cos(turn), -np.sin(turn), 22], [np.sin(turn), np.cos(turn), -9], [0, 0, 1]]
    )
    far = MIDDLE @ away
    now = {i: (far if i >= 5 else shifted(0.3 * i, 0)) @ upright for i in faces}
    near = {i: [(j, 1.0) for j in range(5) if j != i] for i in faces}
    for step in range(STEPS):
        now |= refine_step(step, faces, now, near, None)
    spot = np.linalg.inv(upright) @ [127.5, 60.0, 1]  # off the middle, so that a turn moves it
    assert np.hypot(*(now[5] @ spot / (now[5] @ spot)[2] - now[0] @ spot)[:2]) < 1.0
    stayed = now[6] @ spot / (now[6] @ spot)[2] - far @ upright @ spot
    assert np.hypot(*stayed[:2]) < 8.0


def test_a_face_that_nothing_is_like_stays() -> None:
    faces = {i: coin(design(3), place(), seed=i) for i in range(2)}
    places = {i: shifted(i, 0) for i in faces}
    after = refine_step(0, faces, places, {0: [(1, 0.001)], 1: []}, None)
    for face in faces:
        np.testing.assert_array_equal(after[face], places[face])


def test_the_neighbours_are_those_of_the_die() -> None:
    rng = np.random.default_rng(1)
    dies = np.repeat(np.arange(10), 3)
    centre = rng.normal(size=(10, 64))
    vectors = (centre[dies] + 0.4 * rng.normal(size=(30, 64))).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = neighbours_of(vectors, [0, 7, 29])
    assert set(found) == {0, 7, 29}
    for face, near in found.items():
        weights = dict(near)
        assert face not in weights
        own = [other for other in np.flatnonzero(dies == dies[face]) if other != face]
        assert min(weights[o] for o in own) > max(w for o, w in near if o not in own)
        assert max(weights.values()) == pytest.approx(1.0)


def test_few_faces_stay_in_place() -> None:
    vectors = np.eye(FEWEST - 1, 8, dtype=np.float32)
    assert neighbours_of(vectors, range(FEWEST - 1)) == {}


@given(st.integers(1, 120), st.integers(2, 30), st.integers(1, 50), st.integers(0, 5))
def test_parts_hold_every_face_once_and_few_pictures(
    count: int, most: int, share: int, seed: int
) -> None:
    """However many others the faces lie beside."""
    rng = np.random.default_rng(seed)
    near = {
        face: [(int(other), 1.0) for other in rng.choice(count, min(count, 6), replace=False)]
        for face in range(count)
    }
    parts = list(_parts(list(near), near, most, share))
    assert [face for part in parts for face in part] == list(near)
    for part in parts:
        shown = {*part, *(other for face in part for other, _ in near[face])}
        assert len(shown) <= most or len(part) == 1
        assert len(part) <= share
