"""What the columns of a sheet hold, from their cells: names of dies, numbers of coins, weights."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dieindex.collection.pictures import PICTURE_SUFFIXES
from dieindex.collection.sheets.vocabulary import LETTER_PAIRS, latin

_LABEL = re.compile(r"\W*([^\W\d_]{0,12})[\s._-]*(\d{1,6})\s?[a-zA-Z*′']?\W*")
_DECIMAL = re.compile(r"[-+]?\d+[.,]\d+( ?g)?")
_LINK = re.compile(r"(https?:|www\.|file:)\S+", re.IGNORECASE)
_MOSTLY = 0.8
_BY_CHANCE = 4
"""Most rows in which numbers of coins may run 1, 2, 3, 4 by chance."""
LINKS, MEASURES = "links", "measures"


def label_of(cell: str) -> re.Match[str] | None:
    """The parts (letters, number) of a short name with a number: ``O1``, ``A 12``, ``kr_58``,
    ``[R3]``, ``12a``; None for other text."""
    return _LABEL.fullmatch(cell) if len(cell) <= 60 else None


@dataclass(frozen=True)
class Profile:
    """Shares (0…1) of a column's filled cells that are of a kind; ``filled`` is their number."""

    filled: int
    rows: int
    distinct: int
    labels: float
    decimals: float
    whole: float
    longest: int
    prefix: str
    """The letters before the number that most labels begin with, in Latin letters, lower case."""

    @property
    def is_unique(self) -> bool:
        return self.filled == self.rows and self.distinct == self.filled


def profile_of(cells: Sequence[str]) -> Profile:
    filled = [cell for cell in cells if cell]
    n = max(len(filled), 1)
    matches = [label_of(cell) for cell in filled]
    prefixes = Counter(latin(match.group(1)) for match in matches if match)
    prefix, times = prefixes.most_common(1)[0] if prefixes else ("", 0)
    labels = sum(match is not None and match.group(1) != "" for match in matches)
    return Profile(
        filled=len(filled),
        rows=len(cells),
        distinct=len(set(filled)),
        labels=labels / n,
        decimals=decimals_of(filled) / n,
        whole=sum(cell.isdecimal() for cell in filled) / n,
        longest=max(map(len, filled), default=0),
        prefix=prefix if times >= _MOSTLY * n else "",
    )


# --- what is no column of dies -----------------------------------------------------------------


def not_names_of_dies(cells: Sequence[str]) -> str | None:
    """What a column holds instead of names of dies, in words; None where it may hold these."""
    if not cells:
        return None
    links = sum(_LINK.match(cell) is not None for cell in cells)
    if links > len(cells) / 2:
        return LINKS
    if decimals_of(cells) > len(cells) / 2:
        return MEASURES
    if len(cells) >= 3 and len(set(cells)) == 1 and cells[0].isalpha() and len(cells[0]) > 2:
        return f"the word “{cells[0][:20]}” alone"
    described = sum(map(_is_description, cells))
    return "descriptions" if described > len(cells) / 2 else None


def decimals_of(cells: Sequence[str]) -> int:
    """How many of the cells are measures (``16.53``); none where all are whole (``1.0``)."""
    found = [cell for cell in cells if _DECIMAL.fullmatch(cell)]
    whole = all(re.fullmatch(r"\d+[.,]0", cell) for cell in found)
    return 0 if whole else len(found)


def _is_description(cell: str) -> bool:
    if len(cell) > 60:
        return True
    words = re.findall(r"[^\W\d_]{2,}", cell)
    numbered = any(map(str.isdigit, cell))
    if numbered:
        return len(words) > 3
    return len(words) > 1 or (len(words) == 1 and len(words[0]) > 12)


def are_pictures(cells: Sequence[str]) -> bool:
    """Whether a column holds the names of picture files."""
    named = sum(cell.lower().endswith(tuple(PICTURE_SUFFIXES)) for cell in cells)
    return bool(cells) and named > len(cells) / 2


# --- coins, or how many ------------------------------------------------------------------------


def counts_or_ids(
    cells: Sequence[str], *, behind_dies: bool, said_plural: bool, combinations: bool
) -> str:
    """Whether a column called ``n``, ``No.`` or ``Specimens`` numbers the coins ("coin") or counts
    them ("count"); "unclear" where its cells do not tell.

    ``behind_dies``: it stands right of the dies. ``said_plural``: its header names coins.
    ``combinations``: no two rows have the same dies.
    """
    filled = [cell for cell in cells if cell]
    if not filled or not all(cell.isdecimal() and len(cell) < 7 for cell in filled):
        return "coin"
    numbers = [int(cell) for cell in filled]
    steps = [b - a for a, b in pairwise(numbers)]
    counting = behind_dies and said_plural and combinations
    if all(step > 0 for step in steps):
        # Numbers of coins may grow too, but hardly for long in steps of one.
        running = len(numbers) > _BY_CHANCE and all(step == 1 for step in steps)
        return "unclear" if counting and not running else "coin"
    if starts_again(numbers):
        return "coin"
    if len(set(numbers)) < len(numbers):
        if not combinations:
            return "coin"
        return "count" if behind_dies or said_plural else "unclear"
    if behind_dies or said_plural:
        return "count" if counting else "unclear"
    return "coin"


def starts_again(numbers: Sequence[int]) -> bool:
    """Whether numbers run 1, 2, 3 and begin anew, as those of coins do in every hoard."""
    if len(set(numbers)) == len(numbers) or numbers[0] != min(numbers):
        return False
    low = numbers[0]
    steps = list(pairwise(numbers))
    again = sum(b == low and a > low for a, b in steps)
    return (
        again > 0
        and all(b == a + 1 or b == low or a == b for a, b in steps)
        and (sum(b == a + 1 for a, b in steps) >= again)
    )


# --- tables without a header -------------------------------------------------------------------


def headerless_places(rows: Sequence[Sequence[str]]) -> dict[str, int] | None:
    """Places of coin, obverse and reverse in a table without a header; None where the cells do not
    tell.

    Names of dies are short, begin with the same letters and come again; the coin is the first
    column in which nothing does. Three columns of which the others are plain numbers are coin,
    obverse and reverse.
    """
    width = max(map(len, rows), default=0)
    cells = [[row[at] if at < len(row) else "" for row in rows] for at in range(width)]
    profiles = [profile_of(column) for column in cells]
    dies = [
        at
        for at, found in enumerate(profiles)
        if found.labels >= _MOSTLY and found.prefix and found.filled >= found.rows / 4
    ]
    if (
        dies[:1] == [0]
        and profiles[0].is_unique
        and not _side_of_prefix(profiles[0].prefix, profiles, dies)
    ):
        del dies[0]  # L003: the coins
    paired = [at for at in dies if _side_of_prefix(profiles[at].prefix, profiles, dies)]
    if len(dies) > 2:
        dies = paired
    if not dies and width in (2, 3) and all(p.whole >= _MOSTLY for p in profiles[1:]):
        dies = list(range(1, width))
    if (
        not dies
        and width == 3
        and all(p.distinct < p.filled and not p.decimals for p in profiles[1:])
    ):
        dies = [1, 2]
    if not 1 <= len(dies) <= 2:
        return None
    coin = next(
        (at for at, found in enumerate(profiles)
         if at not in dies and found.decimals < 0.5 and found.filled == found.rows
         and found.distinct > 0.9 * found.filled), None,
    )  # fmt: skip
    if coin is None and 0 not in dies:
        coin = 0 if profiles[0].filled == len(rows) and not profiles[0].decimals else None
    if coin is None:
        return None
    if len(dies) == 1:
        prefix = profiles[dies[0]].prefix[:1]
        return {"coin": coin, "reverse" if prefix in ("r", "p", "k") else "obverse": dies[0]}
    first, second = dies
    if coin > max(dies) and profiles[coin].whole:
        return None  # O1, R1, 14: coins, or how many
    if (profiles[second].prefix[:1], profiles[first].prefix[:1]) in LETTER_PAIRS[:-1]:
        first, second = second, first
    return {"coin": coin, "obverse": first, "reverse": second}


def _side_of_prefix(prefix: str, profiles: Sequence[Profile], places: Sequence[int]) -> bool:
    """Whether the prefix is one of a pair of letters for the sides whose partner heads another
    column."""
    others = {profiles[at].prefix for at in places}
    return any(
        (prefix == a and b in others) or (prefix == b and a in others) for a, b in LETTER_PAIRS
    )
