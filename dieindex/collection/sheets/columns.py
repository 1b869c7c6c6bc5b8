"""What the columns of a sheet hold, from their names in several languages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from dieindex.collection.names import tidy
from dieindex.collection.sheets import vocabulary as words_for
from dieindex.collection.sheets.vocabulary import latin, side_of_header_word, words_of
from dieindex.records import OBVERSE, REVERSE, Side

Role = Literal["coin", "die", "file", "side", "count"]
DIE_NAMED, SIDE_NAMED, BARE = 0, 1, 2
"""Ranks of a side's column: it names the die, the side alone, or a letter alone."""
LISTED = 3
"""Rank of a coin's column that names a list (``Ref.``, ``Lot``) and no number in it."""


@dataclass(frozen=True)
class Column:
    """One column of a sheet: its place from 0, its name, and what it holds for which side.

    A role "die" without a side is one die whose side other cells tell, or both dies in one cell
    (``both``). ``countable`` says that the name may also head numbers of coins, ``coin`` and
    ``count`` being told apart by what the column holds.
    """

    place: int
    name: str
    role: Role | None
    side: Side | None = None
    rank: int = 0
    """The lower, the surer that the name means its role."""
    both: bool = False
    countable: bool = False
    letter: str = ""
    """The letter that names the side, where only one does."""


def column_of(place: int, name: str) -> Column:
    """What the column called ``name`` holds; a role of None for what is only carried through."""
    found = _column_of(place, name)
    if found.role is None and "-" in name:  # Vorder-seiten-stempel, as narrow columns break words
        joined = _column_of(place, re.sub(r"-\s*", "", name))
        return replace(joined, name=found.name)
    return found


def _column_of(place: int, name: str) -> Column:
    text = tidy(name)
    carried = Column(place, text, None)
    words = words_of(name)
    if not words or len(words) > 8:
        return carried
    named = {side for word in words if (side := side_of_header_word(word))}
    rest = [word for word in words if side_of_header_word(word) is None]
    dies = [word for word in rest if word in words_for.DIE_WORDS]
    letters = [latin(word) for word in rest if len(word) == 1 and _is_side_letter(word)]
    bare = [word for word in rest if len(word) > 1]
    pairing = any(word in words_for.PAIR_WORDS for word in words)
    singles = [word for word in rest if len(word) == 1 and word not in words_for.NUMBER_WORDS]
    if not named and letters and len(letters) == len(singles):
        die_like = all(_is_die_noise(word) for word in bare)
        if len(letters) == 1 and die_like:
            rank = DIE_NAMED if dies else BARE
            return Column(place, text, "die", rank=rank, letter=letters[0])
        if len(letters) == 2 and die_like and tuple(letters) in words_for.LETTER_PAIRS:
            return Column(place, text, "die", both=True)
    if len(named) == 2 or (pairing and not named):
        both = all(_is_die_noise(word) or word in words_for.PAIR_WORDS for word in rest)
        return Column(place, text, "die", both=True) if both else carried
    if len(named) == 1:
        (side,) = named
        if words[0] in words_for.NUMBER_WORDS and any(w in words_for.DIES_WORDS for w in dies):
            return carried  # how many there are
        if all(_is_die_noise(word) for word in rest):
            return Column(place, text, "die", side, DIE_NAMED if dies else SIDE_NAMED)
        if all(word in words_for.FILE_WORDS or _is_noise(word) for word in rest):
            return Column(place, text, "file", side)
        return carried
    return _sideless(place, text, words) or carried


def _is_side_letter(word: str) -> bool:
    return any(latin(word) in pair for pair in words_for.LETTER_PAIRS)


def _is_noise(word: str) -> bool:
    return (
        word in words_for.NOISE_WORDS
        or word in words_for.NUMBER_WORDS
        or word in words_for.IDENT_WORDS
        or len(word) == 1
    )


def _is_die_noise(word: str) -> bool:
    return word in words_for.DIE_WORDS or _is_noise(word)


def _sideless(place: int, text: str, words: Sequence[str]) -> Column | None:
    if any(word in words_for.FILE_WORDS for word in words):
        known = all(
            word in words_for.FILE_WORDS or word in words_for.COIN_WORDS or _is_noise(word)
            for word in words
        )
        return Column(place, text, "file") if known else None
    if len(words) == 1 and words[0] in words_for.SIDE_HEADS:
        return Column(place, text, "side")
    if words[0] in words_for.DIE_WORDS - words_for.NOT_DIES_ALONE and all(
        _is_noise(word) for word in words[1:]
    ):
        return Column(place, text, "die")
    return _coin_or_count(place, text, words)


def _coin_or_count(place: int, text: str, words: Sequence[str]) -> Column | None:
    coin = any(word in words_for.COIN_WORDS for word in words)
    coins = any(word in words_for.COINS_WORDS for word in words)
    number = any(word in words_for.NUMBER_WORDS for word in words) or text == "#"
    ident = any(word in words_for.IDENT_WORDS for word in words)
    listed = any(word in words_for.CATALOGUE_WORDS for word in words)
    count = any(word in words_for.COUNT_WORDS for word in words)
    kinds = (
        words_for.COIN_WORDS | words_for.COINS_WORDS | words_for.NUMBER_WORDS
        | words_for.IDENT_WORDS | words_for.CATALOGUE_WORDS | words_for.COUNT_WORDS
    )  # fmt: skip
    if not all(word in kinds or word in words_for.NOISE_WORDS for word in words):
        doubled = len(words) == 2 and [latin(word) for word in words] == ["a", "a"]
        return Column(place, text, "coin", rank=2) if doubled else None
    if count and not ident and not listed:
        return Column(place, text, "count")
    if coin:
        return Column(place, text, "coin", rank=0)
    if coins:
        counted = number and words[0] in words_for.NUMBER_WORDS  # "Number of coins"
        if counted and len(words) > 1:
            return Column(place, text, "count")
        return Column(place, text, "coin", rank=0, countable=True)
    if ident:
        return Column(place, text, "coin", rank=1)
    if number:
        return Column(place, text, "coin", rank=2, countable=not listed)
    return Column(place, text, "coin", rank=LISTED) if listed else None


def header_columns(cells: Sequence[str]) -> list[Column] | None:
    """The columns if the row is a header, else None (``1 O1 R1`` is none).

    A header names at least two things (or fills its whole row with one), one of them by a word of
    more than one letter. Plain numbers in it are years, and less than half of it.
    """
    columns = sided([column_of(place, cell) for place, cell in enumerate(cells)])
    known = [column for column in columns if column.role]
    filled = [cell for cell in cells if cell]
    numbers = [cell for cell in filled if re.fullmatch(r"[\d.,]+", cell)]
    if not known or any(not re.fullmatch(r"1\d{3}|20\d{2}", number) for number in numbers):
        return None
    if numbers and (len(known) < 2 or cells[0] == numbers[0]):
        return None
    if not any(len(column.name) > 1 for column in known) and not _pairs(known):
        return None
    roles = {column.role for column in known}
    if len(known) >= 2 or len(filled) == 1 or roles & {"coin", "file"}:
        return columns
    return None


def sided(columns: Sequence[Column]) -> list[Column]:
    """The columns, those named by a letter with the side it stands for beside the other letters.

    A letter alone (A may be an axis) names a side only beside its counterpart; beside a word for
    die it may stand alone.
    """
    sides = _pairs(columns)
    found = []
    for column in columns:
        if not column.letter or column.both:
            found.append(column)
            continue
        side = sides.get(column.letter)
        if side is None and column.rank == DIE_NAMED and not sides:
            side = REVERSE if column.letter in "rpk" else OBVERSE
        found.append(replace(column, side=side, role="die" if side else None))
    return found


def _pairs(columns: Sequence[Column]) -> dict[str, Side]:
    """The sides of the letters that head columns: those of the pair that stands together, obverse
    first (in ``V, R, A`` the last may be the axis)."""
    places = {column.letter: column.place for column in columns if not column.both}
    steps = [
        (places[reverse] - places[obverse], obverse, reverse)
        for obverse, reverse in words_for.LETTER_PAIRS
        if obverse in places and reverse in places
    ]
    if not steps:
        return {}
    _, obverse, reverse = min(steps, key=lambda step: (step[0] < 0, abs(step[0])))
    return {obverse: OBVERSE, reverse: REVERSE}
