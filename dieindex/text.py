"""Small functions of text that several stages need, each written once."""

from __future__ import annotations

import re

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
