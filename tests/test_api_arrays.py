"""From arrays to dies: without a file, and as an index would judge them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dieindex as di
from dieindex.api.pictures import IndexPictures
from dieindex.records import SIDES


def embeddings(dies: int = 6, each: int = 4, size: int = 32) -> tuple[np.ndarray, list[int]]:
    """Vectors of coins whose dies lie far apart."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(dies, size))
    label = np.repeat(np.arange(dies), each)
    return centres[label] + 0.15 * rng.normal(size=(len(label), size)), label.tolist()


def test_embeddings_become_dies() -> None:
    vectors, true = embeddings()
    pairs = di.pairs_of_embeddings(vectors, side="reverse")
    assert len(pairs) == 24 * 23 // 2
    dies = pairs.cluster()
    assert dies.coins == [str(row) for row in range(24)]
    assert dies.score(dict(zip(dies.coins, map(str, true), strict=True)))["ari"] == 1.0  # type: ignore[index]
    assert all(name.startswith("R") for name in dies.names)
    # The length of a row says nothing.
    longer = di.pairs_of_embeddings(7.0 * vectors, side="reverse")
    np.testing.assert_allclose(longer.probability, pairs.probability, atol=1e-5)


def test_what_is_known_constrains() -> None:
    vectors, _ = embeddings()
    coins = [f"c{row}" for row in range(24)]
    pairs = di.pairs_of_embeddings(vectors, coins=coins)
    dies = pairs.cluster(must_link=[("c0", "c23")], cannot_link=[("c4", "c5")])
    die = dict(zip(dies.coins, dies.names, strict=True))
    assert die["c0"] == die["c23"]
    assert die["c4"] != die["c5"]
    with pytest.raises(di.CollectionError, match="c99"):
        pairs.cluster(must_link=[("c0", "c99")])
    wrong: Any
    for wrong, said in (
        (("c1", "c1"), "one coin twice"),
        ("ab", "no pair of coins"),
        (7, "no pair of coins"),
        (("c1", "c2", "c3"), "no pair of coins"),
        ((1.5, "c2"), "1.5 is no coin"),
    ):
        with pytest.raises(di.UsageError, match=said):
            pairs.cluster(must_link=[wrong])
        with pytest.raises(di.UsageError, match=said):
            pairs.cluster(cannot_link=[wrong])
    with pytest.raises(di.UsageError, match="must_link: give a list"):
        pairs.cluster(must_link=5)  # type: ignore[arg-type]


def test_known_dies_calibrate_embeddings_of_another_network() -> None:
    vectors, true = embeddings(dies=20)
    known = [die if row % 4 else None for row, die in enumerate(true)]
    pairs = di.pairs_of_embeddings(vectors, labels=known)
    same = np.array(true)[pairs.table.first] == np.array(true)[pairs.table.second]
    assert pairs.probability[same].min() > pairs.probability[~same].max()
    with pytest.raises(di.RefitError):
        di.pairs_of_embeddings(vectors, labels=[None] * len(vectors))


def test_more_coins_than_all_pairs_are_compared_with_the_nearest() -> None:
    vectors, _ = embeddings(dies=220, each=3, size=64)
    pairs = di.pairs_of_embeddings(vectors)
    assert len(pairs) < 660 * 659 // 2
    assert len(pairs.cluster()) == pytest.approx(220, abs=15)


@pytest.mark.parametrize(
    ("vectors", "more", "said"),
    [
        (np.zeros(4), {}, "embeddings"),
        (np.zeros((3, 4)), {}, "zeros"),
        (np.eye(3) * (1 + 1j), {}, "real numbers"),
        (np.eye(3) > 0, {}, "real numbers"),
        ([[1, 2], [3]], {}, "rows of one length"),
        (np.full((3, 4), np.nan), {}, "no number"),
        (np.array([["a"], ["b"]]), {}, "embeddings"),
        (np.ones((1, 4)), {}, "two coins"),
        (np.eye(3), {"coins": ["a", "b"]}, "2 entries"),
        (np.eye(3), {"coins": ["a", "b", "a"]}, "twice"),
        (np.eye(3), {"types": [0.5, 0, 0]}, "types"),
        (np.eye(3), {"labels": ["a"]}, "labels"),
        (np.eye(3), {"labels": 5}, "labels"),
        (np.eye(3), {"labels": [[1], [1], [2]]}, "no name of a die"),
        (np.eye(3), {"coins": 5}, "coins"),
        (np.eye(3), {"types": [[1], [1, 2], [1]]}, "types"),
        (np.eye(3), {"side": "front"}, "'obverse' or 'reverse'"),
    ],
)
def test_wrong_embeddings_are_refused(
    vectors: np.ndarray, more: dict[str, object], said: str
) -> None:
    with pytest.raises(di.UsageError, match=said):
        di.pairs_of_embeddings(vectors, **more)  # type: ignore[arg-type]


def test_faces_are_judged_as_an_index_judges_them(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # (Drawn strikes of one die look like one picture, which a build knows and arrays do not.)
    monkeypatch.setattr("dieindex.api.judging.repeated_coins", lambda _: [])
    index = di.open_index(built)
    expected = index.pairs("obverse")
    kept = IndexPictures(built).faces("obverse", expected.coins)
    told: list[str] = []
    pairs = di.pairs_of_faces(
        [kept[coin] for coin in expected.coins],
        coins=list(expected.coins),
        device="cpu",
        progress=lambda step, done, total: told.append(step),
    )
    np.testing.assert_array_equal(pairs.verified, expected.verified)
    np.testing.assert_allclose(pairs.table.distance, expected.table.distance, atol=0.01)
    np.testing.assert_allclose(pairs.probability, expected.probability, atol=0.03)
    assert pairs.cluster().clusters == index.cluster("obverse").clusters
    assert {"aligning", "describing", "obverse"} <= set(told)
    assert pairs.cluster()._repr_html_().count("data:image") == len(pairs.cluster())


def test_pictures_and_masks_are_faces_too(built: Path) -> None:
    kept = IndexPictures(built).faces("obverse", ["01", "02", "04", "05"])
    pictures = np.stack([face.picture for face in kept.values()])
    masks = np.stack([face.mask for face in kept.values()])
    pairs = di.pairs_of_faces(pictures, masks, coins=list(kept), verify=False)
    assert len(pairs) == 6
    assert not pairs.verified.any()
    for wrong, said in ((pictures[:1], "two"), (pictures[:, ::2], "faces"), (masks, "faces")):
        with pytest.raises(di.UsageError, match=said):
            di.pairs_of_faces(wrong)
    with pytest.raises(di.UsageError, match="masks"):
        di.pairs_of_faces(pictures, masks[:2])
    with pytest.raises(di.UsageError, match="one side at a time"):
        di.pairs_of_faces(list(kept.values()), side=SIDES[1])
