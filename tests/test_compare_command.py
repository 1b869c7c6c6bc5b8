"""``dieindex compare``: of coins, of files, and what it says of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import dieindex as di
from dieindex.calibration.two_kinds import ANY_COLLECTION, TwoKinds, to_json
from dieindex.records import SIDES
from dieindex.storage.catalogue import Catalogue
from tests.collections_for_tests import draw_coin, draw_pair, write_picture
from tests.commands_for_tests import Command


def keep(folder: Path, kinds: str) -> None:
    with Catalogue.open(folder) as catalogue, catalogue.transaction():
        catalogue.set_kinds("obverse", kinds)


def test_compare_coins_of_an_index(built: Path, command: Command) -> None:
    document = command.document("compare", "01", "02", "--index", built)
    assert set(document) == {"a", "b", "obverse", "reverse"}
    for side in ("obverse", "reverse"):
        verdict = document[side]
        assert set(verdict) == {
            "verdict", "probability", "prior", "distance", "threshold", "basis", "reason",
        }  # fmt: skip
        assert verdict["verdict"] in ("same", "different", "cannot tell")
        assert 0 <= verdict["probability"] <= 1
        assert 0 <= verdict["distance"] <= 2
        assert (verdict["reason"] is not None) == (verdict["verdict"] == "cannot tell")
    # 01 and 02 share the obverse die and not the reverse die.
    assert document["obverse"]["distance"] < document["reverse"]["distance"]


def test_compare_meets_a_coin_by_its_number(built: Path, command: Command) -> None:
    by_number = command.document("compare", "1", "2", "--index", built)
    by_name = command.document("compare", "01", "02", "--index", built)
    assert by_number["obverse"] == by_name["obverse"]


def test_compare_two_files_without_an_index(coins: Path, command: Command, tmp_path: Path) -> None:
    a, b = (coins / "images" / name for name in ("01.jpg", "02.jpg"))
    document = command.document("compare", a, b, "--picture", tmp_path / "evidence.png")
    assert document["obverse"]["distance"] < document["reverse"]["distance"]
    assert (tmp_path / "evidence.png").stat().st_size > 10_000
    single = tmp_path / "single.png"
    write_picture(single, draw_coin(1))
    document = command.document("compare", single, a, "--side", "obverse")
    assert document["reverse"] is None
    assert document["obverse"] is not None


def test_a_file_meets_a_coin_of_the_index(coins: Path, built: Path, command: Command) -> None:
    document = command.document("compare", coins / "images" / "02.jpg", "02", "--index", built)
    assert document["obverse"]["distance"] < 1e-2


def test_the_same_photograph_twice_is_said_to_be_so(coins: Path, command: Command) -> None:
    path = coins / "images" / "01.jpg"
    document = command.document("compare", path, path)
    assert document["obverse"]["verdict"] == "same"
    assert "same" in document["obverse"]["reason"]


def test_two_files_alone_are_said_to_know_less(coins: Path, command: Command) -> None:
    a, b = (coins / "images" / name for name in ("01.jpg", "04.jpg"))
    code, _, err = command("compare", a, b)
    assert code == 0
    assert "two pictures alone" in " ".join(err.split())
    there, back = command.document("compare", a, b), command.document("compare", b, a)
    for side in ("obverse", "reverse"):
        assert there[side]["distance"] == pytest.approx(back[side]["distance"], abs=1e-6)


def test_of_a_face_that_shows_nothing_the_distance_is_measured_all_the_same() -> None:
    from dieindex.api.comparing import NOT_ALIGNED, _aligned_to_each_other
    from dieindex.encoder.encode import Encoder
    from tests.coins_for_alignment import coin, design, place

    encoder = Encoder.load(device="cpu")
    face = coin(design(3), place(), 40)
    blank = replace(face, picture=np.full_like(face.picture, 120))
    seen = _aligned_to_each_other(encoder, face, blank)
    assert [each.unaligned for each in seen] == [NOT_ALIGNED] * 2
    # A distance is stated of them too: that of the two faces as they were cut, and no made-up one.
    as_cut = encoder.encode([face, blank], [None, None])
    np.testing.assert_array_equal([each.vector for each in seen], as_cut)


def test_a_new_photograph_meets_the_coins_of_its_die(
    built: Path, command: Command, tmp_path: Path
) -> None:
    write_picture(tmp_path / "new.png", draw_pair(2, 3, strike=70))
    of_coin = {
        coin: command.document("compare", tmp_path / "new.png", coin, "--index", built)
        for coin in ("01", "04", "06")
    }
    for side in ("obverse", "reverse"):
        nearest = min(of_coin, key=lambda coin: of_coin[coin][side]["distance"])
        assert nearest == "04"
    assert of_coin["04"]["obverse"]["verdict"] == "same"


def test_a_comparison_is_drawn_on_the_common_frame(built: Path, tmp_path: Path) -> None:
    comparison = di.open_index(built).compare("01", "02")
    first, second = comparison.faces("obverse")
    assert first.picture.shape == second.picture.shape == (512, 512, 3)
    apart = np.abs(first.picture.astype(float) - second.picture).mean()
    other = comparison.faces("reverse")
    assert apart < 0.5 * np.abs(other[0].picture.astype(float) - other[1].picture).mean()


def test_an_unknown_coin_is_told_with_near_ones(built: Path, command: Command) -> None:
    code, _, err = command("compare", "01", "O3", "--index", built)
    assert code == 1
    assert "O3: neither a coin" in err


def test_a_missing_picture_is_named_where_there_is_no_index(
    coins: Path, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DIEINDEX_INDEX", raising=False)
    code, _, err = command("compare", "gone.jpg", coins / "images" / "01.jpg")
    assert code == 1
    assert "gone.jpg: no such picture" in " ".join(err.split())


def test_what_scores_mean_is_read_from_the_last_clustering(data: Path, command: Command) -> None:
    folder = data.parent / "indexes" / "data"
    index = di.open_index(folder)
    assert {side: index.kinds_of(side) for side in SIDES} == dict.fromkeys(SIDES, ANY_COLLECTION)
    before = index.compare("01", "06").obverse
    # A look at the dies keeps nothing; the command does, of the side that was asked for.
    found = index.cluster("obverse")
    assert index.kinds_of("obverse") == ANY_COLLECTION
    assert command("cluster", "--side", "obverse", "--index", folder)[0] == 0
    assert index.kinds_of("obverse") == found.graph.kinds != ANY_COLLECTION
    assert index.kinds_of("reverse") == ANY_COLLECTION
    after = index.compare("01", "06").obverse
    assert before is not None
    assert after is not None
    assert after.distance == before.distance
    assert after.probability != before.probability
    # Vectors alone show no kinds: what is known stays.
    index.cluster("obverse", verify=False, keep=True)
    assert index.kinds_of("obverse") == found.graph.kinds


def test_two_coins_are_judged_by_the_kinds_of_their_side(data: Path) -> None:
    """One score, two readings; kinds that are damaged are as good as none."""
    folder = data.parent / "indexes" / "data"
    index = di.open_index(folder)
    usual = index.compare("01", "02")
    for nats, verdict in ((-40.0, "same"), (40.0, "different")):
        # Where nearly all scores lie that far below, or above.
        keep(folder, to_json(TwoKinds(centre=nats - 10.0, place=nats + 10.0)))
        found = index.compare("01", "02")
        assert found.obverse is not None
        assert (found.obverse.verdict, found.obverse.basis) == (verdict, "verified")
        assert found.reverse == usual.reverse
    keep(folder, "[1, 2")
    assert index.compare("01", "02").obverse == usual.obverse


def test_encoded_anew_it_knows_no_kinds_any_more(data: Path) -> None:
    folder = data.parent / "indexes" / "data"
    keep(folder, to_json(TwoKinds(centre=-1.0)))
    di.build(data, folder)
    assert di.open_index(folder).kinds_of("obverse").centre == -1.0
    with Catalogue.open(folder) as catalogue, catalogue.transaction():
        catalogue.set_meta("encoder", "of long ago")
    index = di.build(data, folder, reencode=True)
    assert index.kinds_of("obverse") == ANY_COLLECTION
