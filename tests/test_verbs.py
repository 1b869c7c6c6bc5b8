"""What holds of every verb: a document with ``--json``, nothing said with ``--quiet``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import click
import pytest

from dieindex.commands.main import cli
from dieindex.commands.verbs import VERBS
from tests.commands_for_tests import Command

SERVING = ("review",)
"""What goes on until it is interrupted, and has no document."""


def calls(data: Path, folder: Path) -> dict[str, tuple[object, ...]]:
    """A call of every verb that works; ``data`` has its index in ``./indexes``."""
    return {
        "build": (data,),
        "compare": ("01", "02"),
        "show": ("01", "02", "--out", folder / "show.png"),
        "find": (data / "images" / "01.jpg",),
        "specimens": (),
        "cluster": ("--side", "obverse", "--look"),
        "verdict": ("01", "02", "unsure", "--side", "obverse"),
        "pairs": ("--side", "obverse", "--out", folder / "pairs.csv"),
        "evaluate": (),
        "study": ("--table", data / "dies.csv", "--out", folder / "study"),
        "export": ("--reference", folder / "reference"),
        "info": (),
        "faces": (data, "--out", folder / "sheet.png"),
        "train": ("--out", folder / "run"),
        "mint": (folder / "minted", "--coins", 1, "--obverse-dies", 1, "--reverse-dies", 1),
    }


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Training takes minutes; here it only talks."""
    from dieindex.training import run
    from dieindex.training.run import Trained

    def trained(*_: object, **__: object) -> Trained:
        return Trained(tmp_path / "best.safetensors", {"step": 1.0}, None, "No curves.")

    monkeypatch.setattr(run, "train_on_rendered", trained)


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in SERVING])
def test_quiet_says_nothing_and_json_is_one_document(
    data: Path, command: Command, tmp_path: Path, verb: str, no_training: None
) -> None:
    call = calls(data, tmp_path / "out")[verb]
    (tmp_path / "out").mkdir()
    code, out, err = command("--quiet", verb, *call, "--json")
    assert code == 0, err
    assert err == ""
    json.loads(out)
    shutil.rmtree(tmp_path / "out")
    (tmp_path / "out").mkdir()
    code, _, err = command(verb, *call, "-q")
    assert (code, err) == (0, "")


def test_every_verb_is_called_here(data: Path, tmp_path: Path) -> None:
    assert [*calls(data, tmp_path), *SERVING] == sorted(VERBS, key=lambda verb: verb in SERVING)


def test_what_help_says_of_a_verb_is_its_own_short_help() -> None:
    context = click.Context(cli)
    for verb, says in VERBS.items():
        found: Any = cli.get_command(context, verb)
        assert found.short_help == says


def test_quiet_holds_for_one_call_alone(data: Path, command: Command) -> None:
    assert command("info", "-q")[2] == ""
    assert "index" in command("info")[2]
