"""``dieindex train`` as a person meets it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dieindex.encoder.weights import SHIPPED_WEIGHTS, read_card
from dieindex.storage.catalogue import Catalogue
from dieindex.training import calibrate, finetune, train
from dieindex.training.finetune import Finetuned
from dieindex.training.shards import write_shard
from tests.commands_for_tests import Command
from tests.test_training import QUICK, made_shard

BETTER = Finetuned(
    SHIPPED_WEIGHTS, True, {"vector_less_mean": 0.5}, {"vector_less_mean": 0.6}, 0.97, 40, 30, 12
)


@pytest.fixture
def own(built: Path, tmp_path: Path) -> Path:
    """An index that may be written to."""
    return Path(shutil.copytree(built, tmp_path / "own"))


def test_a_run_is_started_and_goes_on(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pool").mkdir()
    for seed in range(3):
        write_shard(made_shard(seed), tmp_path / "pool" / f"1-0-{seed:06d}.npz")
    monkeypatch.setattr(train, "validation_shards", lambda order: {"easy": [made_shard(9)]})
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps(replace(QUICK, steps=9).to_json()))
    out = tmp_path / "run"
    call = ("train", "--out", out, "--config", settings, "--pool", tmp_path / "pool")
    call = (*call, "--device", "cpu", "--workers", 0)
    found = command.document(*call, "--steps", 2)
    assert found["weights"] == str(out / "best.safetensors")
    assert found["validation"]["step"] == 2  # the option goes before the file's 9
    assert 0 < found["validation"]["easy_vector_less_mean_ap"] <= 1
    code, text, err = command(*call, "--steps", 4)
    assert code == 0
    assert "goes on" in err
    assert "easy vector less mean" in text
    assert "step 4" not in text
    assert json.loads((out / "config.json").read_text())["steps"] == 4


def test_options_that_do_not_go_together_are_wrong_usage(command: Command, built: Path) -> None:
    assert command("train", "--out", "x", "--use")[0] == 2
    code, _, err = command("train", "--out", "x", "--index", built, "--steps", 5)
    assert code == 2
    assert "without --index" in err
    assert command("train")[0] == 2
    assert not Path("x").exists()


def test_settings_that_cannot_be_read_are_said(command: Command, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    for text, says in (("[]", "not a list"), ("{", "cannot be read"), ('{"bogus": 1}', "bogus")):
        wrong.write_text(text)
        code, _, err = command("train", "--out", tmp_path / "run", "--config", wrong)
        assert code == 1
        assert says in err


def test_few_labelled_coins_are_refused(command: Command, own: Path, tmp_path: Path) -> None:
    code, out, err = command("train", "--index", own, "--out", tmp_path / "run")
    assert code == 1
    assert out == ""
    assert "too few to fine-tune on" in err
    assert not (tmp_path / "run").exists()


def test_the_faces_of_an_index_reach_the_fine_tuning(
    command: Command, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {}

    def kept(faces, start, out, config):  # type: ignore[no-untyped-def]
        given.update(faces=faces, start=start, config=config)
        return replace(BETTER, better=False, sure=0.4)

    monkeypatch.setattr(finetune, "finetune", kept)
    with Catalogue.open(own) as catalogue:
        encoder = catalogue.meta("encoder")
        coins = catalogue.coins()
        rows = catalogue.face_rows("obverse")
    out = tmp_path / "run"
    out.mkdir()
    call = ("train", "--index", own, "--out", out, "--minutes", 3, "--seed", 0)
    code, text, _ = command(*call)
    assert code == 0
    assert "The shipped encoder stays" in text
    assert given["start"] == SHIPPED_WEIGHTS
    assert (given["config"].minutes, given["config"].seed) == (3, 0)
    obverses = [each for each in given["faces"] if each.face.side == "obverse"]
    aligned = [coin for coin, sure in zip(rows.coins, rows.aligned, strict=True) if sure]
    assert [each.die for each in obverses] == [coins[coin].dies["obverse"] for coin in aligned]
    # To ask for its use, and not to get it, is a failure.
    code, _, _ = command(*call, "--use")
    assert code == 1
    with Catalogue.open(own) as catalogue:
        assert catalogue.meta("encoder") == encoder


def test_a_better_encoder_is_calibrated_and_used(
    command: Command,
    coins: Path,
    own: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shipped = read_card().calibration
    other = json.loads(json.dumps(shipped))
    other["index"]["threshold"] = round(other["index"]["threshold"] * 0.9, 3)
    monkeypatch.setattr(finetune, "finetune", lambda *_: BETTER)
    monkeypatch.setattr(calibrate, "calibrate", lambda weights: other)
    out = tmp_path / "run"
    out.mkdir()
    found = command.document("train", "--index", own, "--out", out, "--use", "--device", "cpu")
    assert found["better"]
    assert found["used"]
    card = read_card(out / "encoder.safetensors")
    assert card.calibration["index"]["threshold"] == other["index"]["threshold"]
    assert read_card(own / "encoder.safetensors").version == card.version != read_card().version
    with Catalogue.open(own) as catalogue:
        assert catalogue.meta("encoder") == card.version
        rows = catalogue.face_rows("obverse")
        vectors = rows.vectors
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    # From now on it is the encoder of this index, whatever is done with it.
    picture = next((coins / "images").glob("*"))
    again = command.document("build", coins, "--index", own)
    assert again["coins"] == 8
    code, _, err = command("compare", picture, rows.coins[0], "--index", own)
    assert code == 0, err
    with Catalogue.open(own) as catalogue:
        assert catalogue.meta("encoder") == card.version
