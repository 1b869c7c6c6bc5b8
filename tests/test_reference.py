"""A reference: few coins of each die, to look coins up in, and for nothing else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dieindex as di
from dieindex.encoder.dense import STEPS, DenseDescriptors, coarsened, packed, quantised, unpacked
from dieindex.errors import IndexFolderError, UsageError
from dieindex.records import SIDES
from tests.collections_for_tests import DIES, draw_pair, write_collection, write_picture
from tests.commands_for_tests import Command

ABOUT = {"title": "Ten dies", "citation": "A. Keeper 2026", "licence": "CC-BY-4.0"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    coins = write_collection(folder / "coins", DIES)
    (coins / "images" / "02.jpg").unlink()
    index = di.build(coins, folder / "index", jobs=1)
    for side in SIDES:
        index.cluster(side, keep=True)
    return folder / "index"


@pytest.fixture(scope="module")
def reference(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("given") / "reference"
    given_away = di.open_index(whole).export_reference(out, coins_per_die=2, **ABOUT)
    assert given_away.folder == out
    return out


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photographs") / "lot 7.jpg"
    write_picture(path, draw_pair(1, 2, strike=2))
    return path


def test_it_names_the_dies_that_the_whole_index_names(
    whole: Path, reference: Path, second: Path
) -> None:
    by_whole, by_few = (di.open_index(each).find(second) for each in (whole, reference))
    for one, other in zip(by_whole, by_few, strict=True):
        assert other.dies[0].die == one.dies[0].die
        assert other.dies[0].probability > 0.9


def test_it_holds_few_coins_of_each_die_their_names_and_what_it_says_of_itself(
    whole: Path, reference: Path
) -> None:
    few = di.open_index(reference)
    told = few.info()
    assert {key: told["reference"][key] for key in ABOUT} == ABOUT
    assert told["data"] is None
    dies = {side: di.open_index(whole).cluster(side) for side in SIDES}
    for side in SIDES:
        name = dict(zip(dies[side].coins, dies[side].names, strict=True))
        assert {name[coin] for coin in few.faces(side).coins} == set(dies[side].names)
    assert len(few.coins) <= 2 * sum(len(set(each.names)) for each in dies.values())


def test_without_pictures_nothing_of_them_is_in_it(
    whole: Path, reference: Path, second: Path
) -> None:
    with closing(sqlite3.connect(reference / "catalogue.sqlite")) as raw:
        assert raw.execute("SELECT count(*) FROM pictures").fetchone() == (0,)
        assert raw.execute("SELECT count(*) FROM faces WHERE raw IS NOT NULL").fetchone() == (0,)
    index = di.open_index(reference)
    with pytest.raises(UsageError, match="without pictures"):
        index.draw_found(index.find(second), reference.parent / "drawn.png")
    out = reference.parent / "with"
    di.open_index(whole).export_reference(out, pictures=True)
    pictured = di.open_index(out)
    pictured.draw_found(pictured.find(second), reference.parent / "drawn.png")
    assert (reference.parent / "drawn.png").is_file()


def test_it_is_for_nothing_else_and_nothing_is_built_into_it(
    whole: Path, reference: Path, command: Command
) -> None:
    code, _, err = command("cluster", "--side", "obverse", "--index", reference)
    assert code == 1
    assert "is a reference" in err
    code, _, err = command("build", whole.parent / "coins", "--index", reference)
    assert code == 1
    assert "is a reference" in err
    assert di.open_index(reference).reference is not None


def test_what_is_there_is_not_written_over(whole: Path, tmp_path: Path, command: Command) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="there already"):
        di.open_index(whole).export_reference(tmp_path)
    code, _, err = command("export", "--reference", tmp_path, "--index", whole)
    assert code == 2
    assert "--reference" in err
    assert [each.name for each in tmp_path.iterdir()] == ["mine.txt"]


def test_one_made_with_another_encoder_says_so(
    reference: Path, second: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dieindex.api.verification import Verification

    monkeypatch.setattr(Verification, "of_index", classmethod(lambda *_: None))
    with pytest.raises(IndexFolderError, match="made with encoder") as raised:
        di.open_index(reference).find(second)
    assert "build" not in str(raised.value)


def test_what_it_says_of_itself_may_be_damaged(reference: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(reference, copy)
    with closing(sqlite3.connect(copy / "catalogue.sqlite")) as raw, raw:
        raw.execute("UPDATE meta SET value = '[' WHERE key = 'reference'")
        raw.execute("DELETE FROM checksums WHERE key = 'reference'")
    told = di.open_index(copy).reference
    assert told is not None
    assert told.title == ""


def faces(seed: int, grid: int = 8, channels: int = 32) -> DenseDescriptors:
    rng = np.random.default_rng(seed)
    cells = rng.normal(size=(1, channels, grid, grid))
    cells /= np.linalg.norm(cells, axis=1, keepdims=True)
    return quantised(cells, rng.random((1, 1, grid, grid)) * (rng.random((1, 1, grid, grid)) > 0.3))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_coarse_descriptors_take_a_third_and_point_the_same_way(seed: int) -> None:
    face = faces(seed)
    (kept,) = packed(face)
    small = coarsened(kept, 32, 8)
    assert len(small) < len(kept) / 3 + 120
    found = unpacked([small], 32, 8)
    np.testing.assert_array_equal(found.reliability > 0, face.reliability >= 16)
    used = found.reliability[0, 0] > 0
    one, other = (each.descriptors[0][:, used] / STEPS for each in (face, found))
    cosine = (one * other).sum(0) / np.linalg.norm(one, axis=0) / np.linalg.norm(other, axis=0)
    assert cosine.mean() > 0.94
    np.testing.assert_allclose(np.linalg.norm(other, axis=0), 1.0, atol=0.03)


@pytest.mark.parametrize("cut", [25, 40, -8, -1])
def test_coarse_descriptors_that_are_damaged_are_refused(cut: int) -> None:
    small = coarsened(packed(faces(1))[0], 32, 8)
    with pytest.raises(IndexFolderError, match="damaged descriptors"):
        unpacked([small[:cut]], 32, 8)
