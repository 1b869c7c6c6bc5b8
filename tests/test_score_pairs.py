"""Scoring the pairs of an index: each once, kept, gone on with, and only what is new."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import dieindex as di
from dieindex.api import Index
from dieindex.calibration.fusion import VERIFIED, Fusion
from dieindex.encoder.weights import read_card
from dieindex.errors import UsageError
from dieindex.indexing.run import build_index
from dieindex.storage.details import DetailStore
from dieindex.storage.folder import locked
from dieindex.storage.schema import DETAILS_NAME
from dieindex.verification import pair_blocks
from dieindex.verification.candidates import sampled_pairs
from dieindex.verification.score_pairs import vectors_of
from dieindex.verification.scorer import PairScorer
from tests.collections_for_tests import draw_coin, draw_pair, write_picture


@pytest.fixture
def index(built: Path, tmp_path: Path) -> Path:
    """A copy of the small index, no pair of it scored yet."""
    copy = Path(shutil.copytree(built, tmp_path / "index"))
    with DetailStore.open(copy) as store, store.transaction():
        store.rows("DELETE FROM pair_scores")
    return copy


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pairs were scored, call by call."""
    counts: list[int] = []
    look = PairScorer.score

    def counting(self: PairScorer, first, second):  # type: ignore[no-untyped-def]
        counts.append(len(first))
        return look(self, first, second)

    monkeypatch.setattr(PairScorer, "score", counting)
    return counts


def kept(folder: Path) -> list[tuple]:
    with DetailStore.open(folder) as store:
        return store.rows("SELECT * FROM pair_scores ORDER BY first, second")


def test_a_build_describes_every_face_on_a_frame(built: Path) -> None:
    with DetailStore.open(built) as store:
        described = store.keys()
    for side in ("obverse", "reverse"):
        rows = Index(built).faces(side)  # type: ignore[arg-type]
        assert set(rows.ids[rows.aligned].tolist()) <= set(described)
    assert len(described) == 16


def test_each_pair_is_scored_once_and_never_again(index: Path, scored: list[int]) -> None:
    told: list[tuple[int, int]] = []
    first = Index(index).pairs("obverse", progress=lambda _, done, due: told.append((done, due)))
    assert sum(scored) == len(first) == 28
    # All that show enough, and no others: most of these plain drawings show little.
    least = Fusion.from_json(read_card().calibration_for(VERIFIED)).least_shared
    with DetailStore.open(index) as store:
        stored = store.rows("SELECT first, second, shared FROM pair_scores")
    enough = {frozenset(pair) for *pair, shared in stored if shared >= least}
    ids = Index(index).faces("obverse").ids
    pairs = zip(ids[first.table.first].tolist(), ids[first.table.second].tolist(), strict=True)
    assert enough
    assert [frozenset(pair) in enough for pair in pairs] == first.verified.tolist()
    assert told[-1] == (28, 28)
    again = Index(index).pairs("obverse")
    assert sum(scored) == 28
    np.testing.assert_array_equal(again.probability, first.probability)
    assert not Index(index).pairs("obverse", verify=False).verified.any()


def test_a_large_collection_scores_the_nearest_some_sampled_and_what_it_knew(
    index: Path, scored: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if 3 coins were the most of which all pairs are scored."""
    monkeypatch.setattr("dieindex.verification.candidates.LISTED", 1)
    monkeypatch.setattr("dieindex.verification.candidates.SAMPLED", 8)
    monkeypatch.setattr("dieindex.verification.candidates.ALL_COMPARED", 8)
    monkeypatch.setattr("dieindex.verification.candidates.ALL_PAIRS_UP_TO", 3)
    large = Index(index).pairs("obverse")
    first, second = sampled_pairs(vectors_of(Index(index).faces("obverse")))
    listed = set(zip(large.table.first.tolist(), large.table.second.tolist(), strict=True))
    assert set(zip(first.tolist(), second.tolist(), strict=True)) <= listed
    assert sum(scored) == len(listed) < 20
    # Of vectors alone nothing is sampled: the nearest, and no more.
    assert len(Index(index).pairs("obverse", verify=False)) < len(listed)

    # All pairs were scored when it was small: they stay when it has grown large.
    monkeypatch.setattr("dieindex.verification.candidates.ALL_PAIRS_UP_TO", 600)
    small = Index(index).pairs("obverse")
    monkeypatch.setattr("dieindex.verification.candidates.ALL_PAIRS_UP_TO", 3)
    grown = Index(index).pairs("obverse")
    assert len(grown) == len(small) == sum(scored) == 28
    np.testing.assert_allclose(grown.table.distance, small.table.distance, atol=1e-4)


def test_broken_off_the_next_question_goes_on(
    index: Path, tmp_path: Path, scored: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Path(shutil.copytree(index, tmp_path / "whole"))
    expected = Index(whole).pairs("obverse").probability
    scored.clear()
    monkeypatch.setattr(pair_blocks, "BLOCK", 8)

    def stop(_: str, done: int, due: int) -> None:
        if done >= 16:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Index(index).pairs("obverse", progress=stop)
    assert len(kept(index)) == 16
    scored.clear()
    found = Index(index).pairs("obverse").probability
    assert sum(scored) == 28 - 16
    np.testing.assert_array_equal(found, expected)
    assert kept(index) == kept(whole)


def test_new_coins_bring_their_own_pairs_alone(data: Path, scored: list[int]) -> None:
    folder = data.parent / "indexes" / "data"
    Index(folder).pairs("obverse")
    before, _ = kept(folder), scored.clear()
    write_picture(data / "images" / "09.jpg", draw_pair(1, 3, strike=9))
    build_index(data, folder, jobs=1)
    Index(folder).pairs("obverse")
    assert sum(scored) == 8
    assert set(before) < set(kept(folder))


def test_a_changed_picture_is_scored_anew(data: Path, scored: list[int]) -> None:
    folder = data.parent / "indexes" / "data"
    Index(folder).pairs("obverse")
    scored.clear()
    write_picture(data / "images" / "03.jpg", draw_pair(1, 2, strike=77))
    build_index(data, folder, jobs=1)
    Index(folder).pairs("obverse")
    assert sum(scored) == 7


def test_descriptors_taken_away_are_made_anew(data: Path) -> None:
    folder = data.parent / "indexes" / "data"
    expected = Index(folder).pairs("reverse").probability
    with DetailStore.open(folder) as store:
        before = store.rows("SELECT * FROM descriptors ORDER BY face")
    (folder / DETAILS_NAME).unlink()
    # Without them the vectors speak alone, and nothing breaks.
    assert not Index(folder).pairs("reverse").verified.any()
    build_index(data, folder, jobs=1)
    with DetailStore.open(folder) as store:
        assert store.rows("SELECT * FROM descriptors ORDER BY face") == before
    np.testing.assert_array_equal(Index(folder).pairs("reverse").probability, expected)


def test_a_folder_in_use_is_read_and_not_written_and_that_is_said(
    index: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dieindex.storage.folder.WAIT", 0.1)
    with locked(index):
        found = Index(index).pairs("obverse")
    assert "The scores of 28 pairs are used, but not kept" in caplog.text
    assert "another dieindex is working" in caplog.text
    assert found.verified.any()
    assert kept(index) == []
    caplog.clear()
    Index(index).pairs("obverse")
    assert not caplog.text
    np.testing.assert_array_equal(found.verified, Index(index).pairs("obverse").verified)


def test_compare_looks_at_the_pair_and_draws_it(index: Path, tmp_path: Path) -> None:
    found = Index(index).compare("02", "03")
    assert found.obverse is not None
    assert found.obverse.basis == "verified"
    assert found.reverse is not None
    assert found.agreement("reverse") is not None
    found.draw(tmp_path / "evidence.png")
    from PIL import Image

    picture = np.asarray(Image.open(tmp_path / "evidence.png"))
    assert picture.shape[1] > 1900  # five panels
    with pytest.raises(UsageError, match="end the picture's name"):
        found.draw(tmp_path / "evidence.txt")


# --- bad input ---------------------------------------------------------------------------------


def flat(path: Path, level: int = 120) -> Path:
    """A coin without relief."""
    rng = np.random.default_rng(level)
    picture = np.full((160, 160, 3), 255, np.uint8)
    y, x = np.mgrid[:160, :160]
    coin = np.hypot(x - 80, y - 80) < 67
    picture[coin] = (level + rng.normal(0, 2, (int(coin.sum()), 1))).clip(0, 255).astype(np.uint8)
    write_picture(path, picture)
    return path


def single(path: Path, die: int, strike: int = 0) -> Path:
    write_picture(path, draw_coin(die, strike))
    return path


def test_faces_without_relief_are_never_called_one_die(tmp_path: Path) -> None:
    blank, other = flat(tmp_path / "a.png"), flat(tmp_path / "b.png", 150)
    coin = single(tmp_path / "c.png", 1)
    for first, second in ((blank, other), (blank, coin), (coin, blank)):
        found = di.compare(first, second).obverse
        assert found is not None
        assert found.verdict != "same"
        assert found.reason or found.verdict == "different"


def test_the_same_photograph_is_the_same_and_said_to_be(tmp_path: Path) -> None:
    coin = single(tmp_path / "a.png", 1)
    copy = Path(shutil.copy(coin, tmp_path / "b.png"))
    found = di.compare(coin, copy).obverse
    assert found is not None
    assert found.verdict == "same"
    assert found.reason == "it is the same photograph"


def test_an_obverse_is_no_reverse(coins: Path, tmp_path: Path) -> None:
    found = di.compare(single(tmp_path / "o.png", 1), single(tmp_path / "r.png", 4001)).obverse
    assert found is not None
    assert found.verdict != "same"
