"""Small functions of text that several stages need, each written once."""

from __future__ import annotations

import csv
import io
import math
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_DIGITS = re.compile(r"(\d+)")
_FORMULA = "=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20"
"""What a cell begins with that a spreadsheet program takes for a formula, or cuts off to find one
(inside a character class); the last four are the wide signs of East Asian keyboards."""
_BEGINS_FORMULA = re.compile(f"[{_FORMULA}]")
_SET_OFF = re.compile(f"'+[{_FORMULA}]")
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Marks that turn the direction of writing up to another mark: if that is missing, of what follows
the text, too."""
_UNSHOWABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters, line breaks of every kind, marks that turn the direction of writing, and
halves of characters."""


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key under which ``2`` comes before ``10``; total, so that order is the same everywhere.

    The text itself comes last: ``1`` and ``01`` differ too.
    """
    parts = _DIGITS.split(text.casefold())
    numbered = (_key_of(part) for part in parts if part)
    return (*numbered, (2, 0, text))


def _key_of(part: str) -> tuple[int, int, str]:
    if not part.isdecimal():
        return 1, 0, part
    # Numbers by their length, then digit by digit: as by value, of any length.
    if not part.isascii():
        part = "".join(str(int(digit)) for digit in part)
    digits = part.lstrip("0")
    return 0, len(digits), digits


def counted(count: int, noun: str) -> str:
    """``1 frame``, ``2 frames``, ``12 000 frames`` (with thin spaces)."""
    return f"{count:,} {noun}".replace(",", "\u2009") + ("" if count == 1 else "s")


def some_of(names: list[str], shown: int = 5, room: int | None = None) -> str:
    """A few of the names: ``a, b, c and 4 more``; the long ones cut so that those told of have no
    more than ``room`` letters together."""
    told = names[:shown]
    if room is not None and sum(map(len, told)) > room:
        widths = range(2, room)
        width = max((w for w in widths if sum(min(len(n), w) for n in told) <= room), default=2)
        told = [name if len(name) <= width else f"{name[: width - 1]}…" for name in told]
    listed = ", ".join(told)
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


def harmless(text: str) -> str:
    """Text as it may stand in a CSV: ``=cmd`` becomes ``'=cmd``, ``-1.5`` stays.

    ``as_typed`` gives the same text back: one apostrophe more also goes before those that a person
    typed where a formula could begin.
    """
    text = _UNWRITABLE.sub("\ufffd", text)
    if _SET_OFF.match(text):
        return f"'{text}"
    if not _BEGINS_FORMULA.match(text) or text in ("-", "+") or _is_number(text):
        return text
    return f"'{text}"


def as_typed(cell: str) -> str:
    """The text that ``harmless`` made this cell of."""
    return cell[1:] if _SET_OFF.match(cell) else cell


def _is_number(text: str) -> bool:
    try:
        return text.isprintable() and math.isfinite(float(text))
    except ValueError:
        return False


def csv_lines(
    rows: Iterable[Sequence[object]], delimiter: str = ",", newline: str = "\n"
) -> Iterator[str]:
    """Each row as a line of a CSV; a cell that holds a line break of any kind is quoted."""
    buffer = io.StringIO()
    # (The writer quotes a bare carriage return only where it ends lines with one.)
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n")
    for row in rows:
        writer.writerow(row)
        yield buffer.getvalue()[:-2] + newline
        buffer.seek(0)
        buffer.truncate()


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Rows as a CSV that no spreadsheet program takes for formulas; None is an empty cell."""
    return "".join(
        csv_lines(
            [harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in rows
        )
    )


def for_screen(text: str) -> str:
    """Text that moves and colours nothing on a terminal, and turns no line round: what could is
    shown as its code, ``\\x1b`` or ``\\u202e``."""
    return _UNSHOWABLE.sub(_code, text)


def unturned(text: str) -> str:
    """Text that turns nothing round that stands behind it on a page; what could is shown as its
    code. Hebrew and Arabic need none of it."""
    return _TURNING.sub(_code, text)


def json_for_screen(document: str) -> str:
    """A JSON document with the same characters written as JSON's own escapes: it means the same."""
    # (Outside its strings JSON has none of these but line breaks.)
    return _UNSHOWABLE.sub(lambda c: c[0] if c[0] == "\n" else f"\\u{ord(c[0]):04x}", document)


def _code(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
