"""Photographs that show one coin: by their pictures, or by the outline about the design."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import dieindex as di
from dieindex.api.specimens import ANEW, specimens_of
from dieindex.calibration.one_specimen import log_likelihood_ratio, probability
from dieindex.indexing.repeated import ALTERED, SAME_PICTURE
from dieindex.mint.ageing import years_later
from dieindex.records import FACE_SIZE, Floats, Mask, Matrix
from dieindex.verification.outlines import ANGLES, Apart, apart, outline
from tests.collections_for_tests import DIES, write_collection
from tests.commands_for_tests import Command

MIDDLE = (FACE_SIZE - 1) / 2


def flan(seed: int, place: tuple[float, float] = (0.0, 0.0), size: float = 1.0) -> Mask:
    """A flan of a shape of its own about a place, in pixels of a face."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:FACE_SIZE, :FACE_SIZE] - MIDDLE
    angle = np.arctan2(y - place[1], x - place[0])
    edge = np.full(angle.shape, 90.0 * size)
    for wave in range(2, 7):
        edge += rng.normal(0, 2.5) * np.cos(wave * angle + rng.uniform(0, 2 * np.pi))
    return np.hypot(x - place[0], y - place[1]) < edge


def lying(turn: float = 0.0, scale: float = 1.0, shift: tuple[float, float] = (0, 0)) -> Matrix:
    """Pixels of a face to pixels of a frame."""
    c, s = scale * np.cos(turn), scale * np.sin(turn)
    about = np.array([[1, 0, -MIDDLE], [0, 1, -MIDDLE], [0, 0, 1]])
    moved = np.array([[c, -s, shift[0]], [s, c, shift[1]], [0, 0, 1]])
    return np.asarray(np.linalg.inv(about) @ moved @ about)


def told(one: Floats, other: Floats) -> Apart:
    found = apart(one, other)
    assert found is not None
    return found


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 10_000),
    st.floats(-0.3, 0.3),
    st.floats(0.9, 1.1),
)
def test_one_coin_has_one_outline_however_its_photograph_lies(
    seed: int, turn: float, scale: float
) -> None:
    """Another photograph: the flan is turned and larger on it, and its place on the frame undoes
    that."""
    from cv2 import INTER_NEAREST, warpAffine

    mask = flan(seed, place=(6.0, -4.0))
    way = lying(turn, scale, (3.0, 2.0))
    again = warpAffine(
        mask.astype(np.uint8), way[:2], (FACE_SIZE, FACE_SIZE), flags=INTER_NEAREST
    ).astype(bool)
    found = told(outline(mask, np.eye(3)), outline(again, np.linalg.inv(way)))
    assert found.size < 0.01
    assert found.place < 0.01
    assert found.likeness > 1.0


def test_two_coins_differ_in_what_they_differ_in() -> None:
    one = outline(flan(1), np.eye(3))
    assert told(one, outline(flan(1, size=1.1), np.eye(3))).size > 0.05
    assert told(one, outline(flan(1, place=(8.0, 0.0)), np.eye(3))).place > 0.05
    assert abs(told(one, outline(flan(2), np.eye(3))).likeness) < 1.5
    same = told(one, one)
    assert (same.size, same.place) == (0.0, 0.0)
    assert same.likeness == pytest.approx(np.arctanh(0.995))


def test_where_too_little_of_a_flan_is_seen_nothing_is_told() -> None:
    whole = outline(flan(1), np.eye(3))
    assert np.isfinite(whole).all()
    half = whole.copy()
    half[: ANGLES // 2 + 1] = np.nan
    assert apart(whole, half) is None
    nothing = outline(np.zeros((FACE_SIZE, FACE_SIZE), bool), np.eye(3))
    assert apart(whole, nothing) is None


def test_what_lies_alike_is_likelier_one_coin_and_both_sides_tell_more_than_one() -> None:
    near, far = Apart(0.005, 0.008, 2.0), Apart(0.04, 0.08, 0.2)
    assert log_likelihood_ratio([near]) > 0 > log_likelihood_ratio([far])
    both = log_likelihood_ratio([near, near])
    assert both == pytest.approx(2 * log_likelihood_ratio([near]))
    assert probability(both, 100, 300) > 0.9 > probability(both - 8, 100, 300)
    # Where more pairs look of one die, any of them is less likely one coin.
    assert probability(both, 100, 300) > probability(both, 100, 30_000)
    assert 0 < probability(0.0, 1, 0) < 1


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of coins of which two pictures are in twice: copied, and altered."""
    folder = tmp_path_factory.mktemp("twice")
    coins = write_collection(folder / "coins", DIES) / "images"
    shutil.copy(coins / "03.jpg", coins / "91.jpg")
    with Image.open(coins / "05.jpg") as picture:
        picture.save(coins / "92.jpg", quality=60)
    di.build(folder / "coins", folder / "index", labels=False, jobs=1)
    return folder / "index"


def test_pictures_that_are_in_twice_are_proposed_until_a_person_has_spoken(
    twice: Path, command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "specimens.csv"
    assert command("specimens", "--index", twice, "--out", out)[0] == 0
    assert "photo_a,photo_b,coin_a,coin_b,probability,basis" in out.read_text(encoding="utf-8")
    found = {frozenset((e.coin_a, e.coin_b)): e for e in di.open_index(twice).specimens()}
    copied, altered = found[frozenset(("03", "91"))], found[frozenset(("05", "92"))]
    assert (copied.basis, copied.probability) == (SAME_PICTURE, 1.0)
    assert altered.basis == ALTERED
    assert {copied.photo_a, copied.photo_b} == {"images/03.jpg", "images/91.jpg"}
    # What is one coin is not proposed, nor what a person held apart.
    index = di.open_index(twice)
    index.one_coin("03", "91")
    index.review("05", "92", "different", side="obverse")
    left = {frozenset((each.coin_a, each.coin_b)) for each in index.specimens()}
    assert not left & {frozenset(("03", "91")), frozenset(("05", "92"))}
    study = index.study(tmp_path / "study")
    assert any("is also" in note for note in study.material.notes)


def test_where_no_side_was_judged_nothing_is_taken_for_photographed_anew(twice: Path) -> None:
    index = di.open_index(twice)
    assert all(each.basis != ANEW for each in specimens_of(index, {}))


def test_years_change_what_grows_on_a_coin_and_nothing_of_its_metal() -> None:
    from dieindex.mint.difficulty import NAMED_DIFFICULTIES
    from dieindex.mint.striking import sample_strike

    level = NAMED_DIFFICULTIES["medium"]
    first = sample_strike(np.random.default_rng(3), level, 0.2)
    (later,) = years_later(np.random.default_rng(4), {"obverse": first}).values()
    assert later.coin.toning != first.coin.toning
    np.testing.assert_array_equal(later.coin.outline, first.coin.outline)
    np.testing.assert_array_equal(later.gouges[: len(first.gouges)], first.gouges)
    assert (later.offset, later.wear, later.seed) == (first.offset, first.wear, first.seed)
    assert later.scratches >= first.scratches
