"""``dieindex find``: a coin that is not in the index, among the dies that are."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dieindex as di
from dieindex.alignment.align import NO_FIT
from dieindex.alignment.result import Alignment, unaligned
from dieindex.api import finding
from dieindex.api.finding import Finder
from dieindex.api.placed_photo import PlacedPhoto, Placer
from dieindex.calibration.two_kinds import ANY_COLLECTION
from dieindex.clustering.known_dies import odds_of_dies, shares
from dieindex.errors import IndexFolderError, PictureError, UsageError
from dieindex.records import SIDES, Face, Ints, Side
from dieindex.storage.catalogue import Catalogue, FaceRows
from dieindex.verification.pair_alignment import apart
from tests.collections_for_tests import DIES, draw_coin, draw_pair, write_collection, write_picture
from tests.commands_for_tests import Command


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the coins but the second, with their dies."""
    folder = tmp_path_factory.mktemp("known")
    coins = write_collection(folder / "coins", DIES)
    (coins / "images" / "02.jpg").unlink()
    index = di.build(coins, folder / "index", jobs=1)
    for side in SIDES:
        index.cluster(side, keep=True)
    return folder / "index"


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The photograph of the coin that it lacks, by another name."""
    path = tmp_path_factory.mktemp("photographs") / "lot 7.jpg"
    write_picture(path, draw_pair(1, 2, strike=2))
    return path


def files_of(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.name != "lock"
    }


def die_of(index: Path, side: str, coin: str) -> str:
    dies = di.open_index(index).cluster(side)  # type: ignore[arg-type]
    return dict(zip(dies.coins, dies.names, strict=True))[coin]


def test_the_die_of_a_coin_is_found_and_the_index_stays_as_it_is(known: Path, second: Path) -> None:
    before = files_of(known)
    obverse, reverse = di.open_index(known).find(second)
    assert (obverse.side, reverse.side) == ("obverse", "reverse")
    # 01 and 03 share its obverse die, 03 alone its reverse die.
    assert obverse.dies[0].die == die_of(known, "obverse", "01")
    assert obverse.dies[0].nearest in ("01", "03")
    assert reverse.dies[0].die == die_of(known, "reverse", "03")
    for found in (obverse, reverse):
        assert found.new_die is not None
        assert found.reason is None
        told = [each.probability for each in found.dies]
        assert told == sorted(told, reverse=True)
        assert sum(told) + found.new_die == pytest.approx(1, abs=1e-6)
        assert sum(each.coins for each in found.dies) <= 7
    assert files_of(known) == before


def test_a_new_die_is_new_and_another_type_is_told(
    known: Path, tmp_path: Path, second: Path
) -> None:
    index = di.open_index(known)
    new = tmp_path / "new.jpg"
    write_picture(new, draw_pair(7, 2, strike=3))
    obverse, reverse = index.find(new, top=1)
    assert obverse.new_die is not None
    assert obverse.new_die > obverse.dies[0].probability
    assert len(reverse.dies) == 1
    assert reverse.dies[0].die == die_of(known, "reverse", "03")
    other = tmp_path / "other.jpg"
    write_picture(other, draw_pair(1700, 2900, strike=3))
    for found in index.find(other):
        assert found.new_die is None
        assert found.dies == ()
        assert found.reason is not None
        assert "no such type here" in found.reason


def assert_found_there(found: finding.Found, before: finding.Found) -> None:
    """The die is known, and the face lies where it lay before."""
    assert found.dies[0].die == before.dies[0].die
    assert found.new_die is not None
    assert found.new_die < 0.5
    assert found.seen is not None
    assert before.seen is not None
    assert apart(found.seen.place, before.seen.place) < 0.02


def test_a_coin_that_no_frame_holds_is_known_by_the_coin_it_lies_on(
    known: Path, second: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a build aligns it to that coin; one of another type is of none as before."""
    usual = di.open_index(known).find(second)
    monkeypatch.setattr(Placer, "_aligned", lambda *_: unaligned(NO_FIT))
    index = di.open_index(known)
    for found, before in zip(index.find(second), usual, strict=True):
        assert_found_there(found, before)
    other = tmp_path / "other.jpg"
    write_picture(other, draw_pair(1700, 2900, strike=3))
    for found in index.find(other):
        assert found.new_die is None
        assert "no such type here" in str(found.reason)


def test_a_coin_that_lies_wrongly_on_its_frame_is_known_all_the_same(
    known: Path, second: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = di.open_index(known).find(second)
    laid = Placer._aligned

    def upside_down(placer: Placer, face: Face) -> Alignment:
        found = laid(placer, face)
        turned = found.to_frame @ np.diag([-1.0, -1.0, 1.0])
        middle = found.to_frame @ [127.5, 127.5, 1.0] - turned @ [127.5, 127.5, 1.0]
        turned[:, 2] += middle
        return replace(found, to_frame=turned, confidence=0.1)

    monkeypatch.setattr(Placer, "_aligned", upside_down)
    for found, before in zip(di.open_index(known).find(second), usual, strict=True):
        assert_found_there(found, before)


def test_it_lies_where_a_build_would_lay_it(
    known: Path, compared: Path, second: Path, tmp_path: Path
) -> None:
    """And what is said of it agrees with what clustering it says."""
    coins = write_collection(tmp_path / "coins", DIES)
    (coins / "images" / "02.jpg").rename(tmp_path / "02.jpg")
    index = di.build(coins, tmp_path / "index", jobs=1)
    found = {one.side: one for one in index.find(tmp_path / "02.jpg")}
    (tmp_path / "02.jpg").rename(coins / "images" / "02.jpg")
    index = di.build(coins, tmp_path / "index", jobs=1)
    for side in SIDES:
        rows = index.faces(side)
        seen = found[side].seen
        assert seen is not None
        stored = rows.vectors[rows.coins.index("02")]
        assert float(stored @ seen.vector) > 0.999
        dies = index.cluster(side)
        die = dict(zip(dies.coins, dies.labels.tolist(), strict=True))
        likely = found[side].dies[0]
        assert die["02"] == die[likely.nearest]
        assert likely.probability > 0.5


def test_a_picture_of_one_side_is_tried_on_both(known: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.png"
    write_picture(alone, draw_coin(4000 + 2, strike=2))
    index = di.open_index(known)
    (found,) = index.find(alone)
    assert found.side == "reverse"
    assert found.dies[0].die == die_of(known, "reverse", "03")
    (found,) = index.find(alone, "obverse")
    assert found.side == "obverse"
    assert found.new_die is None or found.new_die > 0.5


def test_a_file_that_the_index_has_is_left_out(known: Path) -> None:
    photo = known.parent / "coins" / "images" / "03.jpg"
    obverse, reverse = di.open_index(known).find(photo)
    assert obverse.known_as == reverse.known_as == "03"
    assert obverse.dies[0].nearest == "01"
    assert obverse.dies[0].coins == 1
    # (Its own reverse die has no other coin.)
    assert "03" not in [die.nearest for die in reverse.dies]
    assert all(die.coins > 0 for die in reverse.dies)


def test_dies_are_found_first_where_none_were_kept(
    compared: Path, tmp_path: Path, second: Path
) -> None:
    folder = Path(shutil.copytree(compared, tmp_path / "index"))
    (folder / "reviews.sqlite").unlink(missing_ok=True)
    before = files_of(folder)
    obverse, _ = di.open_index(folder).find(second)
    assert obverse.dies[0].nearest in ("01", "03")
    assert obverse.dies[0].die.startswith("O")
    assert {name: files_of(folder)[name] for name in before} == before


def test_of_a_picture_of_one_side_the_dies_of_that_side_alone_are_found(
    compared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(compared, tmp_path / "index"))
    (folder / "reviews.sqlite").unlink(missing_ok=True)
    with Catalogue.open(folder) as catalogue, catalogue.transaction():
        for side in SIDES:
            # (Another test may have clustered it.)
            catalogue.set_kinds(side, None)
    alone = tmp_path / "alone.png"
    write_picture(alone, draw_coin(4000 + 2, strike=2))
    clustered: list[str] = []
    cluster = di.Index.cluster

    def noted(index: di.Index, side: Side, **given: Any) -> Any:
        clustered.append(side)
        return cluster(index, side, **given)

    monkeypatch.setattr(di.Index, "cluster", noted)
    (found,) = di.open_index(folder).find(alone)
    assert found.side == "reverse"
    assert clustered == ["reverse"]


def test_dies_that_are_named_anew_go_by_their_new_names(
    known: Path, tmp_path: Path, second: Path
) -> None:
    """Without opening the index again."""
    folder = Path(shutil.copytree(known, tmp_path / "index"))
    index = di.open_index(folder)
    before = index.find(second)[0].dies[0].die
    index.cluster("obverse", keep=True, adopt_names=True)
    after = index.find(second)[0].dies[0].die
    assert after == die_of(folder, "obverse", "01") == "O1"
    assert before == die_of(known, "obverse", "01")
    index.review("01", "03", "different", side="obverse")
    index.cluster("obverse", keep=True)
    apart = index.find(second)[0].dies[:2]
    assert {each.nearest for each in apart} == {"01", "03"}


def test_what_cannot_be_used_is_said(known: Path, tmp_path: Path) -> None:
    index = di.open_index(known)
    with pytest.raises(PictureError, match="no such picture"):
        index.find(tmp_path / "missing.jpg")
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture at all")
    with pytest.raises(PictureError, match=r"broken\.jpg"):
        index.find(broken)
    with pytest.raises(UsageError, match="side"):
        index.find(broken, "front")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="top"):
        index.find(broken, top=0)


def test_an_index_that_cannot_compare_says_so(known: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = di.open_index(known)
    monkeypatch.setattr(type(index), "verification", None)
    with pytest.raises(IndexFolderError, match="build"):
        Finder(index, index.cluster)


def test_the_command(known: Path, second: Path, tmp_path: Path, command: Command) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture at all")
    document = command.document("find", second, broken, "--index", known, "--top", "2")
    assert [each["side"] for each in document] == ["obverse", "reverse", None]
    first = document[0]
    assert set(first) == {"photo", "side", "new_die", "dies", "reason", "known_as"}
    assert set(first["dies"][0]) == {"die", "probability", "nearest", "coins"}
    assert len(first["dies"]) == 2
    assert first["new_die"] + sum(die["probability"] for die in first["dies"]) <= 1 + 1e-9
    assert "broken.jpg" in document[2]["reason"]
    picture = tmp_path / "found.png"
    code, out, err = command("find", second, "--index", known, "--picture", picture)
    assert code == 0, err
    told = out + err
    assert "a new die" in told
    assert f"{first['dies'][0]['probability']:.2f}" in told
    assert picture.stat().st_size > 10_000
    code, _, err = command("find", second, second, "--index", known, "--picture", picture)
    assert code == 2
    assert "--picture" in err
    code, _, err = command("find", broken, "--index", known)
    assert code != 0
    assert err.count("\n") == 1


@given(st.lists(st.tuples(st.floats(-20, 25), st.integers(0, 5)), min_size=1, max_size=30))
def test_probabilities_are_shares_and_rise_with_the_score(pairs: list[tuple[float, int]]) -> None:
    score, die = np.array([s for s, _ in pairs]), np.array([d for _, d in pairs])
    size = np.bincount(die, minlength=6) + 1
    dies, log_odds = odds_of_dies(score, die, size, ANY_COLLECTION)
    assert dies.tolist() == sorted(set(die.tolist()))
    probability, new = shares(log_odds)
    assert probability.sum() + new == pytest.approx(1)
    assert (probability >= 0).all()
    assert new > 0
    higher = odds_of_dies(np.where(die == die[0], score + 2, score), die, size, ANY_COLLECTION)[1]
    at = dies.tolist().index(int(die[0]))
    assert higher[at] >= log_odds[at]
    assert shares(higher)[1] <= new + 1e-12


def test_where_the_nearest_coins_make_a_die_sure_no_others_are_compared(
    known: Path, second: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But those of this die; where they do not, the nearest; no coin is compared twice."""
    compared: list[list[int]] = []
    scores = Finder._scores

    def noted(self: Finder, placed: PlacedPhoto, rows: FaceRows, asked: Ints, *more: Any) -> Any:
        if placed.face.side == "obverse":
            compared[-1].extend(asked.tolist())
        return scores(self, placed, rows, asked, *more)

    monkeypatch.setattr(Finder, "_scores", noted)
    monkeypatch.setattr(finding, "_FIRST", 1)
    index = di.open_index(known)

    def found() -> list[str]:
        compared.append([])
        return [one.dies[0].die for one in index.find(second)]

    sure = found()
    monkeypatch.setattr(finding, "_SURE", 2.0)
    assert found() == sure
    few, many = compared
    assert len(few) < len(many)
    assert len(many) == len(set(many)) == min(finding.NEAREST, len(index.faces("obverse").coins))
    # A die that its own coins make doubtful is not the answer yet.
    from_ = finding._dies_from
    monkeypatch.setattr(finding, "_SURE", 0.99)
    monkeypatch.setattr(
        finding,
        "_dies_from",
        lambda least, die, *more: from_(least, die, *more) if len(die) == 1 else die[:0],
    )
    found()
    assert set(compared[-1]) == set(many)
