"""Single faces that lie right show where a doubtful one lies, and that two frames are one."""

from __future__ import annotations

import numpy as np
import pytest

from dieindex.alignment.confidence import voted_confidence
from dieindex.alignment.fields import face_to_unit, field_of
from dieindex.alignment.search import Grid
from dieindex.alignment.templates import prepare_face
from dieindex.alignment.voting import Vote, Voters, agreed, frame_change
from tests.coins_for_alignment import coin, design, displacement, place

KIND = 3


def in_units(matrix: np.ndarray) -> np.ndarray:
    """A map of pixels of a face to pixels of a face, as one of units to units."""
    return face_to_unit() @ matrix @ np.linalg.inv(face_to_unit())


def shifted(x: float) -> np.ndarray:
    matrix = np.eye(3)
    matrix[0, 2] = x
    return matrix


@pytest.fixture(scope="module")
def voters() -> Voters:
    """Four faces of one type, lying where the design lies."""
    places = [place(-9, 0.97), place(4, 1.04, 0.03), place(12), place(0, 1.0, 0, -0.04)]
    faces = [coin(design(KIND), where, 80 * k, k) for k, where in enumerate(places)]
    maps = [in_units(place() @ np.linalg.inv(where)) for where in places]
    return Voters([prepare_face(field_of(face)) for face in faces], maps, Grid.within(36))


def test_the_places_that_most_agree_on_win_over_one_that_is_surer() -> None:
    votes = [
        Vote(shifted(0.5), 0.6, (0,)),
        Vote(shifted(0.02), 0.4, (1,)),
        Vote(shifted(0.0), 0.45, (2,)),
        Vote(shifted(-0.6), 0.1, (3,)),
    ]
    best = agreed(votes)
    assert best.agreement == pytest.approx(0.85)
    assert best.exemplars == (1, 2)
    np.testing.assert_array_equal(best.to_frame, shifted(0.0))
    assert agreed(votes[:1]).agreement == pytest.approx(0.6)


def test_a_face_is_put_where_the_others_of_its_type_say(voters: Voters) -> None:
    where = place(-17, 1.08, 0.1, 0.05)
    vote = voters.place(prepare_face(field_of(coin(design(KIND), where, 200, 9))))
    assert vote.agreement > 1.0
    true = in_units(place() @ np.linalg.inv(where))
    onto_true = np.linalg.inv(face_to_unit()) @ (np.linalg.inv(true) @ vote.to_frame)
    assert displacement(onto_true @ face_to_unit(), np.eye(3)) < 0.02
    stray = voters.place(prepare_face(field_of(coin(design(21), place(), 200, 9))))
    assert stray.agreement < 0.3 * vote.agreement


def test_two_frames_of_one_type_are_joined_and_those_of_two_types_are_not(voters: Voters) -> None:
    change = place(10, 1.0, 0.08) @ np.linalg.inv(place())
    for kind, expected in ((KIND, True), (22, False)):
        places = [place(7, 1.02), place(-5, 0.98, 0.02, 0.02)]
        faces = [coin(design(kind), where, 50 + 90 * k, 20 + k) for k, where in enumerate(places)]
        maps = [in_units(change @ place() @ np.linalg.inv(where)) for where in places]
        found = frame_change(voters, [prepare_face(field_of(face)) for face in faces], maps)
        assert (found is not None) == expected
        if found is not None:
            back = np.linalg.inv(face_to_unit()) @ found @ face_to_unit()
            assert displacement(back, np.linalg.inv(change)) < 0.03


def test_support_of_a_voted_place_grows_with_what_speaks_for_it() -> None:
    assert voted_confidence(1.2, 0.3, 3.0) > 0.9
    assert voted_confidence(0.4, 0.12, 1.5) < 0.1
    assert voted_confidence(0.8, 0.2, 2.2) < voted_confidence(1.6, 0.2, 2.2)
    assert voted_confidence(0.8, 0.2, 2.2) < voted_confidence(0.8, 0.25, 2.2)
