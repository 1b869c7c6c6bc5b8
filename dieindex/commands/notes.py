"""What the commands say beside their results, on standard error: notes, and what is logged."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from dieindex.text import for_screen, for_terminal


class _Quiet:
    """Whether this run of the command line keeps quiet; threads log too, so no click context."""

    on = False


def keep_quiet() -> None:
    """From now on nothing is said but results and errors."""
    _Quiet.on = True


def is_quiet() -> bool:
    return _Quiet.on


def tell(text: str = "", *, nl: bool = True, err: bool = False, **style: Any) -> None:
    """Print text; what a name could do to a terminal is shown as its code. ``style`` as in
    ``click.secho``."""
    click.secho(for_screen(for_terminal(text)), nl=nl, err=err, **style)


def say(message: str) -> None:
    """A remark for the person at the terminal (standard error)."""
    if not is_quiet():
        tell(message, err=True)


def warn(message: str) -> None:
    if not is_quiet():
        tell("Note: ", fg="yellow", nl=False, err=True)
        tell(message, err=True)


def _terminal(argument: object) -> object:
    """An argument of a logged message; numbers stay numbers, for ``%d``."""
    return for_terminal(argument) if hasattr(argument, "terminal") else argument


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        text = for_terminal(record.msg)
        if isinstance(record.args, tuple) and record.args:
            text %= tuple(_terminal(each) for each in record.args)
        if record.levelno >= logging.WARNING:
            warn(text)
        else:
            say(text)


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
