"""Small functions of text that several stages need, each written once."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_DIGITS = re.compile(r"(\d+)")


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key under which ``2`` comes before ``10``; total, so that order is the same everywhere.

    The text itself comes last: ``1`` and ``01`` differ too.
    """
    parts = _DIGITS.split(text.casefold())
    numbered = tuple(
        (0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part
    )
    return (*numbered, (2, 0, text))


def counted(count: int, noun: str) -> str:
    """``1 frame``, ``2 frames``, ``12 000 frames`` (with thin spaces)."""
    return f"{count:,} {noun}".replace(",", "\u2009") + ("" if count == 1 else "s")


def some_of(names: list[str], shown: int = 5) -> str:
    """A few of the names: ``a, b, c and 4 more``."""
    listed = ", ".join(names[:shown])
    return listed if len(names) <= shown else f"{listed} and {len(names) - shown} more"


@dataclass(frozen=True)
class Parameter:
    """A parameter as a message names it: in Python ``labels=FILE``, to a command ``--labels FILE``.

    A path stands for itself, quoted where it must be; True and False are flags.
    """

    name: str
    value: str | Path | float | bool = True

    def __str__(self) -> str:
        value = repr(str(self.value)) if isinstance(self.value, Path) else self.value
        return f"{self.name}={value}"

    @property
    def terminal(self) -> str:
        option = self.name.replace("_", "-")
        if isinstance(self.value, bool):
            return f"--{option}" if self.value else f"--{'no-' + option}"
        value = shlex.quote(str(self.value)) if isinstance(self.value, Path) else self.value
        return f"--{option} {value}"


@dataclass(frozen=True, init=False)
class BuildCall:
    """The call that builds an index, as a message names it."""

    parameters: tuple[Parameter, ...]

    def __init__(self, **parameters: str | Path | bool) -> None:
        given = tuple(Parameter(name, value) for name, value in parameters.items())
        object.__setattr__(self, "parameters", given)

    def __str__(self) -> str:
        return f"`dieindex.build({', '.join(['DATA', *map(str, self.parameters)])})`"

    @property
    def terminal(self) -> str:
        return f"`dieindex build {' '.join(['DATA', *(p.terminal for p in self.parameters)])}`"


class Message(str):
    """Text in which parameters are named; ``terminal`` has them as the options of a command.

    Made of pieces: strings, ``Parameter``, ``BuildCall``, other messages, errors. What a person
    wrote (a file's name, a note) is a string, and never taken for a parameter.
    """

    pieces: tuple[object, ...]

    def __new__(cls, *pieces: object) -> Message:
        message = super().__new__(cls, "".join(map(str, pieces)))
        message.pieces = tuple(_flat(pieces))
        return message

    @property
    def terminal(self) -> str:
        return "".join(for_terminal(piece) for piece in self.pieces)

    def renamed(self, name: str, other: str) -> Message:
        """The same where the parameter has another name."""
        return Message(
            *(
                Parameter(other, piece.value)
                if isinstance(piece, Parameter) and piece.name == name
                else piece
                for piece in self.pieces
            )
        )


def for_terminal(text: object) -> str:
    """A message, or an error, with its parameters as options; any other text as it is."""
    return str(getattr(text, "terminal", text))


def _flat(pieces: tuple[object, ...]) -> Iterator[object]:
    for piece in pieces:
        yield from getattr(piece, "pieces", (piece,))
