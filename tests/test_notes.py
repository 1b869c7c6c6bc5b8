"""What the commands say beside their results: the library's words in options, and its log."""

from __future__ import annotations

import doctest
import inspect
import logging
import threading

import click
import pytest

from dieindex import api
from dieindex.commands import notes
from dieindex.commands.main import cli
from dieindex.commands.notes import as_options, logged_notes
from dieindex.commands.verbs import VERBS


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("out=a.pdf: end it in .png", "--out a.pdf: end it in .png"),
        ("device=cuda: this machine has none; use device=cpu.",
         "--device cuda: this machine has none; use --device cpu."),
        ("leave calibrate=True out, or verify=False", "leave --calibrate out, or --no-verify"),
        ("name one with labels=FILE", "name one with --labels FILE"),
        ("run `dieindex.build(DATA, reencode=True)`.", "run `dieindex build DATA --reencode`."),
        ("die_distance=-1.0: give a number above 0", "--die-distance -1.0: give a number above 0"),
        ("photo_index=3.jpg and a/out=b are names", "photo_index=3.jpg and a/out=b are names"),
        ("nothing to change: x = y, a == b", "nothing to change: x = y, a == b"),
    ],
)  # fmt: skip
def test_parameters_become_options(said: str, shown: str) -> None:
    assert as_options(said) == shown


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(notes).failed == 0


def test_parameters_of_the_python_interface_are_known_as_options() -> None:
    given = {
        name
        for call in (api.build, api.compare, api.study_table, api.Index.cluster, api.Index.study)
        for name in inspect.signature(call).parameters
    }
    positional = {"self", "data", "a", "b", "progress", "keep"}
    assert given - positional <= set(notes._PARAMETERS)


def test_every_option_named_so_is_one_of_a_verb() -> None:
    context = click.Context(cli)
    options = {
        option
        for verb in VERBS
        for parameter in cli.get_command(context, verb).params  # type: ignore[union-attr]
        for option in parameter.opts
    }
    assert {f"--{name.replace('_', '-')}" for name in notes._PARAMETERS} <= options | {"--verify"}
    assert "--no-verify" in options


def test_the_library_is_silent_unless_the_commands_run(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("dieindex.api")
    logger.warning("nobody hears this")
    assert capsys.readouterr().err == ""
    with logged_notes():
        logger.info("not told")
        logger.warning("choose another index=DIR")
        # Also from the threads in which pictures are worked on.
        thread = threading.Thread(target=logger.warning, args=("from a thread",))
        thread.start()
        thread.join()
    assert capsys.readouterr().err == ("Note: choose another --index DIR\nNote: from a thread\n")
    with logged_notes():
        notes.keep_quiet()
        logger.warning("nor this")
    assert capsys.readouterr().err == ""
