"""What the commands say beside their results: the library's words in options, and its log."""

from __future__ import annotations

import ast
import logging
import pickle
import re
import shutil
import threading
from pathlib import Path

import click
import pytest

from dieindex import api
from dieindex.commands import notes
from dieindex.commands.main import cli
from dieindex.commands.notes import logged_notes
from dieindex.commands.verbs import VERBS
from dieindex.errors import SheetError, UsageError
from dieindex.text import BuildCall, Message, Parameter, for_terminal
from tests.commands_for_tests import Command
from tests.test_imports import PACKAGE, strings_of


@pytest.mark.parametrize(
    ("said", "python", "shown"),
    [
        ((Parameter("out", Path("a.pdf")), ": end it in .png"),
         "out='a.pdf': end it in .png", "--out a.pdf: end it in .png"),
        (("use ", Parameter("device", "cpu"), "."), "use device=cpu.", "use --device cpu."),
        (("leave ", Parameter("calibrate"), " out, or ", Parameter("verify", False)),
         "leave calibrate=True out, or verify=False", "leave --calibrate out, or --no-verify"),
        (("run ", BuildCall(reencode=True), "."),
         "run `dieindex.build(DATA, reencode=True)`.", "run `dieindex build DATA --reencode`."),
        (("run ", BuildCall(index=Path("h (2)"))),
         "run `dieindex.build(DATA, index='h (2)')`", "run `dieindex build DATA --index 'h (2)'`"),
        ((Parameter("die_distance", -1.0), ": give a number above 0"),
         "die_distance=-1.0: give a number above 0", "--die-distance -1.0: give a number above 0"),
        # A message, or an error, that becomes part of another keeps its parameters.
        (("a.jpg: ", UsageError("give ", Parameter("labels", "FILE"))),
         "a.jpg: give labels=FILE", "a.jpg: give --labels FILE"),
    ],
)  # fmt: skip
def test_parameters_become_options(said: tuple[object, ...], python: str, shown: str) -> None:
    for message in (Message(*said), UsageError(*said)):
        again = pickle.loads(pickle.dumps(message))
        assert str(message) == str(again) == python
        assert for_terminal(message) == for_terminal(again) == shown


def test_what_a_person_wrote_is_never_taken_for_a_parameter(command: Command, data: Path) -> None:
    note = "try side=left, use=True, `dieindex.build(DATA, index=DIR)`"
    index = data.parent / "indexes" / "data"
    for verdict in ("same", "different"):
        given = ("1", "2", verdict, "--side", "obverse", "--note", note, "--index", index)
        _, _, told = command("verdict", *given)
        assert "--use" not in told
    assert note in told
    for name in ("b.jpg", "note=1.jpg"):
        shutil.copyfile(next(data.rglob("01.jpg")), data / name)
    told = " ".join(command.document("build", data, "--index", index)["warnings"])
    assert "note=1" in told
    assert "--note" not in told
    _, _, told = command("info", "--index", "h (2)/index=1")
    assert "Error: h (2)/index=1: no such index" in told


def test_a_parameter_of_a_table_read_for_a_study_is_called_so(tmp_path: Path) -> None:
    table = tmp_path / "labels=1.csv"
    table.write_text("what,ever\n1,2\n")
    with pytest.raises(SheetError, match=r"labels=1\.csv: .* with table=FILE") as caught:
        api.study_table(table, tmp_path / "out")
    assert "--table FILE" in caught.value.terminal


def test_every_parameter_that_a_message_names_is_one_of_a_call_and_an_option() -> None:
    context = click.Context(cli)
    options = {
        option
        for verb in VERBS
        for parameter in cli.get_command(context, verb).params  # type: ignore[union-attr]
        for option in parameter.opts
    }
    named = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = getattr(getattr(node, "func", None), "id", "")
            if called == "Parameter" and isinstance(node.args[0], ast.Constant):  # type: ignore[attr-defined]
                named.add(node.args[0].value)  # type: ignore[attr-defined]
            elif called == "BuildCall":
                named |= {word.arg for word in node.keywords}  # type: ignore[attr-defined]
    assert {"labels", "index", "reencode"} <= named
    assert {f"--{name.replace('_', '-')}" for name in named} <= options


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=str)
def test_no_message_writes_a_parameter_as_text(path: Path) -> None:
    """It would reach the terminal as it is."""
    named = [
        text
        for text in strings_of(path)
        if re.search(r"(?<![\w.-])(labels|index|out|side|device|reencode|prune|calibrate)=", text)
        or re.search(r"\bdieindex\.build\(", text)
    ]
    assert not named or path.name == "text.py"


def test_the_library_is_silent_unless_the_commands_run(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("dieindex.api")
    logger.warning("nobody hears this")
    assert capsys.readouterr().err == ""
    with logged_notes():
        logger.info("not told")
        logger.warning(Message("choose another ", Parameter("index", "DIR")))
        logger.warning("%s: %d", UsageError("no ", Parameter("index", "DIR")), 3)
        # Also from the threads in which pictures are worked on.
        thread = threading.Thread(target=logger.warning, args=("from a thread",))
        thread.start()
        thread.join()
    assert capsys.readouterr().err == (
        "Note: choose another --index DIR\nNote: no --index DIR: 3\nNote: from a thread\n"
    )
    with logged_notes():
        notes.keep_quiet()
        logger.warning("nor this")
    assert capsys.readouterr().err == ""
