"""What is given to the public calls, checked: sides, coins."""

from __future__ import annotations

import difflib
import operator
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dieindex.collection.names import number_form
from dieindex.errors import CollectionError, UsageError
from dieindex.records import SIDES, PathLike, Side
from dieindex.text import Parameter

Coin = str | int
"""A coin of an index: its id, or its number (``49`` for ``049``)."""


def checked_side(side: Any) -> Side:
    """The side; raises UsageError naming the choices for anything else."""
    if side not in SIDES:
        raise UsageError(
            Parameter("side", repr(side)), f": choose {' or '.join(map(repr, SIDES))}."
        )
    chosen: Side = side
    return chosen


def side_or_none(side: Any) -> Side | None:
    """The side, or None for "not said"; raises UsageError for anything else."""
    return None if side is None else checked_side(side)


def name_of(coin: Coin | PathLike) -> str:
    """A coin, or a picture file, as text; raises UsageError for what is neither."""
    if isinstance(coin, (str, os.PathLike)):
        return os.fspath(coin)
    if not isinstance(coin, bool) and hasattr(coin, "__index__"):
        return str(operator.index(coin))
    raise UsageError(f"{coin!r} is no coin: give its id as text, or its number.")


def coin_called(coin: Coin | PathLike, coins: Sequence[str]) -> str | None:
    """The one of ``coins`` with this id, or else this number (``1`` for ``001``); None where there
    is none. Raises CollectionError where several have the number."""
    name = name_of(coin)
    if name in coins:
        return name
    alike = [each for each in dict.fromkeys(coins) if number_form(each) == number_form(name)]
    if len(alike) > 1:
        raise CollectionError(
            f"{name}: may be {', '.join(alike[:-1])} or {alike[-1]}; give the coin's id as it is "
            "written there."
        )
    return alike[0] if alike else None


def unknown_coin(coin: Coin | PathLike, coins: Sequence[str], folder: Path | str) -> str:
    """What is said of a coin that is not there."""
    name = name_of(coin)
    near = difflib.get_close_matches(name, list(dict.fromkeys(coins)), n=3)
    hint = (
        f"; did you mean {', '.join(near)}?" if near else "; `dieindex info` tells what is in it."
    )
    return f"{name}: neither a coin of {folder} nor a picture file{hint}"
