"""What all verbs share: wrong calls, faults, entrances, and the Python interface."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dieindex.commands.verbs import VERBS
from tests.commands_for_tests import Command


def test_the_python_interface(coins: Path, tmp_path: Path) -> None:
    import dieindex as di

    index = di.build(coins, tmp_path / "index")
    assert index.report is not None
    assert index.compare("01", "02").obverse is not None
    dies = index.cluster("obverse")
    assert sum(map(len, dies.clusters.values())) == 8
    assert dies.score(coins / "dies.csv") == dies.score()
    assert dies.score({"01": "A", "02": "A", "04": "B"})["dies_true"] == 2
    assert di.compare(coins / "images" / "01.jpg", coins / "images" / "02.jpg").reverse is not None
    assert len(di.open_index(tmp_path / "index").pairs("reverse")) == 28


def empty(tmp_path: Path) -> Path:
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def without_pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "notes.txt").write_text("no pictures here")
    return folder


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["build", "no-such-folder"], 1, "no-such-folder"),
        (["build", empty], 1, "empty"),
        (["build", without_pictures], 1, "no photographs"),
        (["build"], 2, "DATA"),
        (["compare", "1"], 2, "B"),
        (["compare", "1", "2"], 1, "dieindex build"),
        (["cluster", "--side", "edge"], 2, "edge"),
        (["cluster"], 2, "--side"),
        (["cluster", "--side", "both", "--out", "dies.doc"], 2, "dies.doc"),
        (["cluster", "--side", "both", "--index", "nowhere"], 1, "nowhere"),
        (["info", "--index", empty], 1, "not an index"),
        (["biuld", "data"], 2, "build"),
        (["faces", "no-such-folder", "--out", "sheet.png"], 1, "no-such-folder"),
    ],
)
def test_wrong_calls(
    command: Command, tmp_path: Path, arguments: list[Any], code: int, said: str
) -> None:
    given = [argument(tmp_path) if callable(argument) else argument for argument in arguments]
    found, out, err = command(*given)
    assert found == code
    assert said in err
    assert out == ""
    assert any(line.startswith("Error: ") for line in err.splitlines())


def test_interrupting_is_one_line(
    coins: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dieindex.api.building.build_index", interrupted)
    code, _, err = command("build", coins)
    assert code == 1
    assert "run the same command again" in err


def test_a_fault_of_our_own_shows_no_traceback(
    coins: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("something")

    monkeypatch.setattr("dieindex.api.building.build_index", broken)
    code, _, err = command("build", coins)
    assert code == 1
    assert "DIEINDEX_DEBUG" in err


@pytest.mark.parametrize("entrance", [["cli.py"], ["-m", "dieindex"]])
def test_the_launchers(entrance: list[str]) -> None:
    root = Path(__file__).parents[1]
    result = subprocess.run(
        [sys.executable, *entrance, "--version"], capture_output=True, text=True, cwd=root
    )
    assert result.returncode == 0
    assert result.stdout.startswith("dieindex, version ")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(command: Command, verb: str) -> None:
    code, out, _ = command(verb, "--help")
    assert code == 0
    assert "Example" in out


def test_colours_only_on_a_terminal(built: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "dieindex", "compare", "01", "02"],
        capture_output=True,
        text=True,
        env={**os.environ, "DIEINDEX_INDEX": str(built)},
    )
    assert result.returncode == 0
    assert "\x1b[" not in result.stdout + result.stderr
