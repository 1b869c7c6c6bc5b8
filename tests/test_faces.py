"""Splitting photographs into faces and cutting them, on composed photographs."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from dieindex.collection.faces import cut_faces, sides_look_alike
from dieindex.collection.light import (
    FLOOR,
    LEAST_SPREAD,
    LIMIT,
    NEIGHBOURHOOD,
    normalise_light,
)
from dieindex.errors import PictureError
from dieindex.records import (
    FACE_SIZE,
    FLAN_RADIUS,
    OBVERSE,
    REVERSE,
    Circle,
    Face,
    Override,
    Picture,
)
from tests.composed_photographs import finished, ground, pair, photograph, with_coin


def near(face: Face, truth: Circle, tolerance: float = 0.04) -> bool:
    found = face.flan.circle
    centre = math.hypot(found.x - truth.x, found.y - truth.y)
    return max(centre, abs(found.radius - truth.radius)) < tolerance * 2 * truth.radius


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from(["white", "grey", "black", "colour", "gradient"]),
    first=st.floats(70, 130),
    ratio=st.floats(0.75, 1.3),
    gap=st.floats(0, 120),
    before=st.floats(4, 90),
    after=st.floats(4, 90),
    vertical=st.booleans(),
)
def test_a_pair_is_split_where_the_coins_are(
    kind: str,
    first: float,
    ratio: float,
    gap: float,
    before: float,
    after: float,
    vertical: bool,
) -> None:
    picture, left, right = pair(kind, (first, first * ratio), gap, before, after, vertical)
    faces = cut_faces(picture)
    assert [face.side for face in faces] == [OBVERSE, REVERSE]
    assert near(faces[0], left)
    assert near(faces[1], right)
    assert all(face.flan.sure for face in faces)


def test_touching_coins_are_split() -> None:
    picture, left, right = pair("grey", (110, 104), gap=-3)
    faces = cut_faces(picture)
    assert len(faces) == 2
    assert near(faces[0], left)
    assert near(faces[1], right)


def test_a_caption_between_the_coins_is_not_in_the_way() -> None:
    picture, left, right = pair("white", (110, 110), gap=70)
    picture = picture.copy()
    cv2.putText(picture, "455", (232, 200), 0, 0.9, (0, 0, 0), 2)
    faces = cut_faces(picture)
    assert len(faces) == 2
    assert near(faces[0], left)
    assert near(faces[1], right)


@pytest.mark.parametrize("width", [300, 420, 700])
def test_one_coin_is_not_split_however_wide_the_picture(width: int) -> None:
    truth = Circle(width * 0.45, 150, 120)
    faces = cut_faces(photograph("grey", truth, width, 300))
    assert len(faces) == 1
    assert faces[0].side == OBVERSE
    assert near(faces[0], truth)


def test_default_side_names_a_single_face() -> None:
    picture = photograph("white", Circle(150, 150, 120), 300, 300)
    assert cut_faces(picture, default_side=REVERSE)[0].side == REVERSE


def test_a_given_side_makes_exactly_one_face_even_of_a_pair() -> None:
    picture, left, right = pair("white")
    faces = cut_faces(picture, side=REVERSE)
    assert [face.side for face in faces] == [REVERSE]
    assert near(faces[0], left) or near(faces[0], right)


@pytest.mark.parametrize("count", [3, 4])
@pytest.mark.parametrize("kind", ["white", "black"])
def test_more_than_two_coins_make_no_face_sure(count: int, kind: str) -> None:
    high = 260 if count == 3 else 500
    picture = ground(kind, high, 750 if count == 3 else 500)
    for place in range(count):
        row, column = (0, place) if count == 3 else divmod(place, 2)
        circle = Circle(125 + 250 * column, 125 + 240 * row, 100 - 12 * row)
        picture = with_coin(picture, circle, seed=place)
    for faces in (cut_faces(finished(picture)), cut_faces(finished(picture), OBVERSE)):
        assert faces
        assert not any(face.flan.sure for face in faces)
        assert {face.flan.reason for face in faces} == {
            f"the picture shows {count} coins; cut it apart"
        }


@pytest.mark.parametrize("drawn", ["disc", "ring", "target", "waves"])
def test_what_is_round_and_has_no_relief_is_not_sure(drawn: str) -> None:
    picture = np.full((400, 400, 3), 255, np.uint8)
    away = np.hypot(*(np.mgrid[:400, :400] - 199.5))
    if drawn == "waves":
        picture[:] = (127 + 127 * np.sin(away / 6))[..., None].astype(np.uint8)
    else:
        cv2.circle(picture, (200, 200), 150, (70, 70, 70), -1 if drawn == "disc" else 12)
    if drawn == "target":
        cv2.circle(picture, (200, 200), 100, (20, 20, 20), 30)
    (face,) = cut_faces(picture)
    assert not face.flan.sure
    circle = Override("x.png", circle=Circle(200, 200, 150))
    assert all(face.flan.sure for face in cut_faces(picture, OBVERSE, [circle])), "a person's word"


def test_a_pair_that_is_to_show_one_side_is_not_sure() -> None:
    picture, _, _ = pair("white", (110, 105), gap=40)
    (face,) = cut_faces(picture, REVERSE)
    assert (face.side, face.flan.sure) == (REVERSE, False)
    assert "2 coins" in (face.flan.reason or "")


def test_the_face_is_centred_at_its_radius_and_masked() -> None:
    truth = Circle(150, 140, 90)
    face = cut_faces(photograph("black", truth, 320, 300))[0]
    assert face.picture.shape == (FACE_SIZE, FACE_SIZE, 3)
    assert face.picture.dtype == np.uint8
    assert face.mask.shape == (FACE_SIZE, FACE_SIZE)
    assert face.mask.dtype == bool
    ys, xs = np.nonzero(face.mask)
    assert abs(xs.mean() - 127.5) < 2
    assert abs(ys.mean() - 127.5) < 2
    assert math.sqrt(face.mask.sum() / math.pi) == pytest.approx(FLAN_RADIUS * FACE_SIZE, rel=0.03)
    # On a black ground the coin is what is bright.
    bright = face.picture.mean(axis=2) > 45
    assert (bright & face.mask).sum() > 0.8 * face.mask.sum()
    assert (bright & ~face.mask).sum() < 0.05 * face.mask.sum()


def test_beyond_the_photograph_is_the_borders_median_and_never_flan() -> None:
    truth = Circle(70, 150, 130)
    picture = photograph("white", truth, 300, 300)
    face = cut_faces(picture)[0]
    assert near(face, truth, 0.05)
    rim = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    beyond = face.picture[100:150, 2:20].reshape(-1, 3)
    assert (beyond == np.median(rim, axis=0).astype(np.uint8)).all()
    assert not face.mask[100:150, 2:20].any()


@pytest.mark.parametrize(
    "picture",
    [
        np.full((10, 10, 3), 90, np.uint8),
        np.full((400, 31, 3), 90, np.uint8),
        np.full((300, 300, 3), 255, np.uint8),
        np.random.default_rng(0).integers(250, 256, (200, 300, 3)).astype(np.uint8),
    ],
    ids=["tiny", "thin", "white", "white with noise"],
)
def test_hopeless_pictures_are_refused(picture: Picture) -> None:
    with pytest.raises(PictureError):
        cut_faces(picture)


def test_where_nothing_is_sure_the_whole_halves_are_taken() -> None:
    noise = np.random.default_rng(3).uniform(0, 255, (200, 400, 3))
    faces = cut_faces(finished(noise))
    assert len(faces) == 2
    for face, middle in zip(faces, (99.5, 299.5), strict=True):
        assert not face.flan.sure
        assert face.flan.reason
        assert abs(face.flan.circle.x - middle) <= 1
        assert abs(face.flan.circle.radius - 100) <= 1


# ---------------------------------------------------------------------------- overrides


def test_swap_exchanges_the_sides() -> None:
    picture, left, right = pair("white", (120, 100))
    faces = cut_faces(picture, overrides=[Override("x.jpg", swap=True)])
    assert [face.side for face in faces] == [OBVERSE, REVERSE]
    assert near(faces[0], right)
    assert near(faces[1], left)


def test_swap_of_a_single_face_changes_its_side() -> None:
    picture = photograph("white", Circle(150, 150, 120), 300, 300)
    assert cut_faces(picture, overrides=[Override("x.jpg", swap=True)])[0].side == REVERSE


def test_skip_drops_a_face_or_the_whole_picture() -> None:
    picture, _, right = pair("white", (120, 100))
    kept = cut_faces(picture, overrides=[Override("x.jpg", OBVERSE, skip=True)])
    assert [face.side for face in kept] == [REVERSE]
    assert near(kept[0], right)
    assert cut_faces(picture, overrides=[Override("x.jpg", skip=True)]) == []


def test_a_given_circle_wins_for_its_side_alone() -> None:
    picture, left, _ = pair("white", (120, 100))
    given = Circle(300.0, 100.0, 60.0)
    faces = cut_faces(picture, overrides=[Override("x.jpg", REVERSE, circle=given)])
    assert faces[1].flan.circle == given
    assert faces[1].flan.sure
    assert near(faces[0], left)


def test_a_given_circle_names_the_side_of_a_single_coin() -> None:
    truth = Circle(150, 150, 120)
    picture = photograph("white", truth, 300, 300)
    faces = cut_faces(picture, overrides=[Override("x.jpg", REVERSE, circle=truth)])
    assert [face.side for face in faces] == [REVERSE]


def test_rotation_turns_the_face_counter_clockwise() -> None:
    truth = Circle(150, 150, 120)
    field = with_coin(ground("white", 300, 300), truth, 6)
    cv2.circle(field, (230, 150), 14, (255, 0, 0), -1)  # a red mark at three o'clock
    row = Override("x.jpg", circle=truth, rotate=90.0)
    face = cut_faces(finished(field), overrides=[row])[0]
    assert face.rotation == 90.0
    apart = face.picture.astype(int)
    ys, xs = np.nonzero((apart[:, :, 0] > 200) & (apart[:, :, 1] < 80))
    assert abs(xs.mean() - 127.5) < 3  # now at twelve o'clock
    assert ys.mean() < 80


# ---------------------------------------------------------------------------- light


def test_normalised_light_is_bounded_zero_off_the_flan_and_blind_to_the_lamp() -> None:
    face = cut_faces(photograph("grey", Circle(150, 150, 120), 300, 300))[0]
    light = normalise_light(face.picture, face.mask)
    assert light.dtype == np.float32
    assert np.abs(light).max() <= 1
    assert (light[~face.mask] == 0).all()
    assert 0.5 < 4 * light[face.mask].std() < 1.2
    dimmed = np.clip(face.picture * 0.6 + 20, 0, 255)
    dimmed *= np.linspace(0.8, 1.2, FACE_SIZE)[None, :, None]
    other = normalise_light(dimmed.astype(np.uint8), face.mask)
    assert np.corrcoef(light[face.mask], other[face.mask])[0, 1] > 0.95


@pytest.mark.parametrize("edge", [384, 224, 192, 101])
def test_light_is_taken_off_as_by_a_gaussian_of_every_pixel(edge: int) -> None:
    """Though its means are taken on a coarser grid, and by boxes."""
    face = cut_faces(photograph("grey", Circle(150, 150, 120), 300, 300))[0]
    picture = cv2.resize(face.picture, (edge, edge), interpolation=cv2.INTER_AREA)
    mask = cv2.resize(face.mask.astype(np.uint8), (edge, edge)) > 0
    inside, sigma = mask.astype(np.float64), NEIGHBOURHOOD * edge
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) * inside
    weight = np.maximum(gaussian_filter(inside, sigma), 1e-3)
    apart = (grey - gaussian_filter(grey, sigma) / weight) * inside
    variance = gaussian_filter(apart**2, sigma) / weight
    expected = apart / np.sqrt(variance + FLOOR * variance[mask].mean() + LEAST_SPREAD)
    expected = np.clip(expected, -LIMIT, LIMIT) / LIMIT
    found = normalise_light(picture, mask)
    assert np.corrcoef(found[mask], expected[mask])[0, 1] > 0.995
    assert abs(found - expected)[mask].mean() < 0.1 * abs(expected)[mask].mean()


def test_an_obverse_photographed_twice_is_noticed() -> None:
    truth = Circle(150, 150, 120)
    once = photograph("white", truth, 300, 300, seed=1)
    again = finished(with_coin(ground("grey", 320, 320), Circle(160, 158, 112), 1))
    other = photograph("white", truth, 300, 300, seed=9)
    first, second, third = (cut_faces(each)[0] for each in (once, again, other))
    assert sides_look_alike(first, second)
    assert not sides_look_alike(first, third)
