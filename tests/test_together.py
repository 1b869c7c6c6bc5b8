"""Aligning many faces at once by torch: the same as one by one, as far as single precision goes.

(On the processor; what a GPU does with the same tensors is not tested here.)
"""

from __future__ import annotations

import numpy as np
import pytest

from dieindex.alignment.align import align_faces, align_to
from dieindex.alignment.devices import aligner_on
from dieindex.alignment.exemplars import align_to_exemplars
from dieindex.alignment.fields import field_of
from dieindex.alignment.realigning import (
    COARSER,
    FINEST,
    ONE_BY_ONE,
    Pass,
    realigned_all,
)
from dieindex.alignment.refinement import STEPS, refine_step
from dieindex.alignment.search import FULL_CIRCLE, USUAL_TURN, Grid
from dieindex.alignment.templates import prepare_face, prepare_template, template_of
from dieindex.alignment.together import Together
from dieindex.records import Face
from dieindex.verification.pair_alignment import apart
from tests.coins_for_alignment import coin, design, place
from tests.test_alignment import blank_face
from tests.test_refinement import MIDDLE, shifted

TOGETHER = Together("cpu")
TOLERANCE = 0.0006
"""Of the diameter: a tenth of a pixel of the frame."""


@pytest.fixture(scope="module")
def faces() -> list[Face]:
    """Nine coins of one type and four of another, one of them half off its flan, and a blank."""
    rng = np.random.default_rng(2)
    found = []
    for kind, count in ((3, 9), (4, 4)):
        for _ in range(count):
            there = place(
                rng.uniform(-25, 25), rng.uniform(0.92, 1.1), *rng.normal(0, 0.05, 2).tolist()
            )
            found.append(coin(design(kind), there, rng.uniform(0, 360), len(found)))
    found.append(coin(design(4), place(8, 1.0, 0.35, 0.1), 40, 20))
    return [*found, blank_face()]


@pytest.mark.parametrize("one", [COARSER, FINEST])
def test_faces_are_rendered_and_fitted_alike(faces: list[Face], one: Pass) -> None:
    places = [shifted(0.4 * k - 2, 1 - 0.2 * k) for k in range(len(faces))]
    alone, together = (each.render(one, faces, places) for each in (ONE_BY_ONE, TOGETHER))
    for expected, found in zip(alone, together, strict=True):
        assert found.values.shape == (one.size, one.size)
        assert np.abs(found.values - expected.values).mean() < 0.005
        np.testing.assert_allclose(found.weight, expected.weight, atol=1e-5)
    targets = [alone[0]] * 9
    expected_moves = realigned_all(one, places[:9], alone[:9], targets)
    moves = realigned_all(one, places[:9], alone[:9], targets, TOGETHER)
    for (there, score, _), (found_there, found_score, _) in zip(expected_moves, moves, strict=True):
        assert apart(there, found_there) < 1e-5
        assert found_score == pytest.approx(score, abs=1e-4)


@pytest.mark.parametrize("turn", [USUAL_TURN, FULL_CIRCLE])
def test_the_search_finds_the_same_peaks(faces: list[Face], turn: float) -> None:
    fields = [field_of(face) for face in faces]
    grid = Grid.within(turn)
    prepared = [prepare_template(template_of([f], [np.eye(3)], [1.0]), grid) for f in fields[::5]]
    asked = [
        (prepare_face(field).spectrum, bank, peaks)
        for field in fields
        for one in prepared
        for bank, peaks in ((one.bank, 2), (one.sketch, 1))
    ]
    alone, together = (each.search(asked) for each in (ONE_BY_ONE, TOGETHER))
    for expected, found in zip(alone, together, strict=True):
        assert [peak.score for peak in found] == pytest.approx(
            [peak.score for peak in expected], abs=1e-4
        )
        # (Where two places fit equally, either may come first.)
        if expected[0].score > 0.05:
            np.testing.assert_allclose(found[0].to_pattern, expected[0].to_pattern, atol=1e-3)


def test_a_collection_lies_the_same(faces: list[Face]) -> None:
    alone, together = align_faces(faces), align_faces(faces, aligner=TOGETHER)
    assert len(together.frames) == len(alone.frames)
    later = align_to(alone.frames, faces), align_to(alone.frames, faces, aligner=TOGETHER)
    for expected, found in [
        *zip(alone.faces, together.faces, strict=True),
        *zip(*later, strict=True),
    ]:
        assert (found.aligned, found.type) == (expected.aligned, expected.type)
        assert found.confidence == pytest.approx(expected.confidence, abs=0.02)
        if expected.aligned:
            assert apart(found.to_frame, expected.to_frame) < TOLERANCE
    assert sum(each.aligned for each in alone.faces) >= 13
    assert align_to([], faces[:2], aligner=TOGETHER)[0].aligned is False
    assert align_to(alone.frames, [], aligner=TOGETHER) == []


def test_exemplars_and_refinement_move_faces_alike(faces: list[Face]) -> None:
    of_one = {i: coin(design(3), place(), light=40 + 60 * i, seed=i) for i in range(6)}
    rng = np.random.default_rng(4)
    start = {i: shifted(*rng.normal(0, 1.2, 2)) for i in of_one}
    start[5] = MIDDLE @ place(16) @ np.linalg.inv(place())  # (Sought anew.)
    near = {i: [(j, 1.0) for j in range(5) if j != i] for i in of_one}
    now, there = dict(start), dict(start)
    for step in range(STEPS):
        now |= refine_step(step, of_one, now, near, None)
        there |= refine_step(step, of_one, there, near, None, TOGETHER)
    assert max(apart(now[i], there[i]) for i in of_one) < TOLERANCE
    assert max(apart(now[i], start[i]) for i in of_one) > 10 * TOLERANCE
    places = [start[i] for i in of_one]
    alone, mean = align_to_exemplars(list(of_one.values()), places, sure=5)
    together, its = align_to_exemplars(list(of_one.values()), places, sure=5, aligner=TOGETHER)
    for expected, found in zip(alone, together, strict=True):
        assert apart(expected.to_frame, found.to_frame) < TOLERANCE
        assert found.score == pytest.approx(expected.score, abs=1e-3)
    assert mean is not None
    assert its is not None
    np.testing.assert_allclose(its.cover, mean.cover, atol=0.02)


def test_which_device_aligns() -> None:
    assert aligner_on("cpu") is ONE_BY_ONE
    assert aligner_on("mps") is ONE_BY_ONE
    assert isinstance(aligner_on("cuda:1"), Together)
