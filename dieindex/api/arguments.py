"""What is given to the public calls, checked: sides, coins."""

from __future__ import annotations

import difflib
import operator
import os
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cached_property
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


class CoinNames:
    """The coins of an index, to be found by id, or else by number (``1`` for ``001``)."""

    def __init__(self, coins: Iterable[str]) -> None:
        self._coins = dict.fromkeys(coins)

    @cached_property
    def _of_number(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for coin in self._coins:
            found.setdefault(number_form(coin), []).append(coin)
        return found

    def find(self, coin: Coin | PathLike) -> str | None:
        """None where there is none. Raises CollectionError where several have the number."""
        name = name_of(coin)
        if name in self._coins:
            return name
        alike = self._of_number.get(number_form(name), [])
        if len(alike) > 1:
            raise CollectionError(
                f"{name}: may be {', '.join(alike[:-1])} or {alike[-1]}; give the coin's id as it "
                "is written there."
            )
        return alike[0] if alike else None


def coin_called(coin: Coin | PathLike, coins: Iterable[str]) -> str | None:
    """The one of ``coins`` with this id, or number; see ``CoinNames``."""
    return CoinNames(coins).find(coin)


def known_dies(given: Any, coins: Iterable[str], name: str) -> dict[str, Hashable]:
    """A mapping coin → die, by the ids that the coins have; ``name`` is the argument's.

    Raises UsageError for what is no such mapping, and CollectionError for an id that none of the
    coins has.
    """
    if not isinstance(given, Mapping):
        raise UsageError(f"{name}: give a mapping of coins to dies, not {_kind(given)}.")
    names = CoinNames(coins)
    found: dict[str, Hashable] = {}
    for coin, die in given.items():
        called = names.find(coin)
        if called is None:
            raise CollectionError(f"{name}: {coin} is none of the coins.")
        if called in found:
            raise UsageError(f"{name}: names the coin {called} twice.")
        if not isinstance(die, Hashable):
            raise UsageError(f"{name}: {die!r} of {coin} is no name of a die.")
        found[called] = die
    return found


def checked_path(given: Any, name: str) -> Path:
    """A path; raises UsageError for what is none."""
    if not isinstance(given, (str, os.PathLike)):
        raise UsageError(f"{name}: give a path, not {_kind(given)}.")
    return Path(given)


def path_or_none(given: Any, name: str) -> Path | None:
    """A path, or None for "not said"; raises UsageError for anything else."""
    return None if given is None else checked_path(given, name)


def checked_count(given: Any, name: str) -> int:
    """A whole number from 1; raises UsageError for anything else."""
    if isinstance(given, bool) or not hasattr(given, "__index__"):
        raise UsageError(Parameter(name, repr(given)), ": give a whole number from 1.")
    number = operator.index(given)
    if number < 1:
        raise UsageError(Parameter(name, number), ": there must be at least one.")
    return number


def engine_or_none(given: Any) -> str | None:
    """The address of a cluster; raises UsageError for what cannot be one."""
    if given is not None:
        # (It is asked for seldom, and loads what nothing else does.)
        from dieindex.engine import address_of

        address_of(given)
    return given  # type: ignore[no-any-return]


def checked_share(given: Any, name: str) -> float:
    """A number from 0 to 1. Raises UsageError otherwise."""
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 <= given <= 1:
        raise UsageError(f"{name}: a number from 0 to 1, not {given!r}.")
    return float(given)


def checked_text(given: Any, name: str) -> str:
    """A text; raises UsageError for anything else."""
    if not isinstance(given, str):
        raise UsageError(Parameter(name, repr(given)), ": give it as text.")
    return given


def two_coins(given: Any, name: str) -> tuple[Coin, Coin]:
    """A pair of coins; raises UsageError for anything else."""
    if isinstance(given, (str, bytes)) or not isinstance(given, Sequence) or len(given) != 2:
        raise UsageError(f"{name}: {given!r} is no pair of coins such as ('12', '57').")
    return given[0], given[1]


def unknown_coin(coin: Coin | PathLike, coins: Sequence[str], folder: Path | str) -> str:
    """What is said of a coin that is not there."""
    name = name_of(coin)
    near = difflib.get_close_matches(name, list(dict.fromkeys(coins)), n=3)
    hint = (
        f"; did you mean {', '.join(near)}?" if near else "; `dieindex info` tells what is in it."
    )
    return f"{name}: neither a coin of {folder} nor a picture file{hint}"


def _kind(given: object) -> str:
    return f"{given!r}"[:60]
