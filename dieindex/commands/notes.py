"""What the commands say beside their results, on standard error: notes, and what is logged."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

import click

_PARAMETERS = (
    *("adopt_names", "any_rotation", "author", "by", "calibrate", "coins", "coins_per_die"),
    *("config", "device", "die_distance", "difficulty", "duplicates", "index", "jobs", "labels"),
    *("layout", "minutes", "note", "obverse_dies", "obverse_kind", "other_side", "out", "picture"),
    *("pool", "prune", "reencode", "reverse_dies", "reverse_kind", "seed", "side", "start"),
    *("steps", "swapped", "table", "title", "trust_sheet", "types", "use", "validation", "verify"),
    "workers",
)
_CALL = re.compile(r"\bdieindex\.([a-z_]+)\(([^()]*)\)")
_PARAMETER = re.compile(rf"(?<![\w./-])({'|'.join(_PARAMETERS)})=(True\b|False\b|(?=\S))")


class _Quiet:
    """Whether this run of the command line keeps quiet; threads log too, so no click context."""

    on = False


def keep_quiet() -> None:
    """From now on nothing is said but results and errors."""
    _Quiet.on = True


def is_quiet() -> bool:
    return _Quiet.on


def as_options(text: str) -> str:
    """A message of the library in the words of the command line.

    >>> as_options("build it anew with reencode=True, or choose another index=DIR")
    'build it anew with --reencode, or choose another --index DIR'
    >>> as_options("run `dieindex.build(DATA, index=indexes/a, reencode=True)`")
    'run `dieindex build DATA --index indexes/a --reencode`'
    """
    text = _CALL.sub(lambda call: f"dieindex {call[1]} {call[2].replace(', ', ' ')}", text)
    return _PARAMETER.sub(_option, text)


def _option(found: re.Match[str]) -> str:
    name = found[1].replace("_", "-")
    return {"True": f"--{name}", "False": f"--no-{name}"}.get(found[2], f"--{name} ")


def say(message: str) -> None:
    """A remark for the person at the terminal (standard error)."""
    if not is_quiet():
        click.echo(as_options(message), err=True)


def warn(message: str) -> None:
    if not is_quiet():
        click.secho("Note: ", fg="yellow", nl=False, err=True)
        click.echo(as_options(message), err=True)


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            warn(record.getMessage())
        else:
            say(record.getMessage())


@contextmanager
def logged_notes() -> Iterator[None]:
    """While a command runs, warnings that the library logs are said as notes, and what training
    tells of its course as it is."""
    handler, library = _Notes(), logging.getLogger("dieindex")
    training = logging.getLogger("dieindex.training")
    before = training.level
    _Quiet.on = False
    library.addHandler(handler)
    training.setLevel(logging.INFO)
    try:
        yield
    finally:
        training.setLevel(before)
        library.removeHandler(handler)
