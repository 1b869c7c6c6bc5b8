"""What the columns of a sheet hold, from their names in several languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dieindex.collection.names import tidy
from dieindex.records import OBVERSE, REVERSE, Side

Role = Literal["coin", "die", "file", "side"]
BARE = 2
"""Rank of a side's column named by a letter alone."""


@dataclass(frozen=True)
class Column:
    """One column of a sheet: its place from 0, its name, and what it holds for which side."""

    place: int
    name: str
    role: Role | None
    side: Side | None = None
    rank: int = 0
    """The lower, the surer that the name means its role."""


def _vocabulary(text: str) -> frozenset[str]:
    return frozenset(text.split())


_OBVERSE_WORDS = _vocabulary(
    "obverse obverses obv ob av avers averse droit vs vorderseite dritto diritto anverso anvers "
    "voorzijde heads head a o"
)
_REVERSE_WORDS = _vocabulary(
    "reverse reverses rev rv revers rs ruckseite rueckseite rovescio reverso keerzijde tails tail r"
)
_COIN_WORDS = {
    word: rank
    for rank, words in enumerate(
        (
            "coin coins munze muenze monnaie moneta moneda munt specimen exemplar exemplaire",
            "id uid ident identifier",
            "no nr number num nummer numero n n° numer # inv inventory",
        )
    )
    for word in words.split()
}
"""Words for the coin's id, with how sure they are (0 the surest)."""
_FILE_WORDS = _vocabulary(
    "file files filename photo photos photograph photographs picture pictures image images img "
    "bild bilder foto fotos datei dateiname fichier immagine imagen path"
)
_SIDE_HEADS = _vocabulary("side seite face cote lato lado zijde")
_DIE_WORDS = _vocabulary("die dies stempel coin conio cuno matrice matriz stamp")
_FILLERS = _vocabulary("no nr number num nummer numero id n label name of the de des d der du di")


def _words(name: str) -> list[str]:
    """The words of a column's name, without accents and case: ``ObverseDie`` is two."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    plain = unicodedata.normalize("NFKD", spaced.replace("ß", "ss"))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()
    words = [word for word in re.split(r"[\s_\-./:()\[\],;'’]+", plain) if word]
    return [part for word in words for part in _unglued(word)]


def _unglued(word: str) -> list[str]:
    """``obversedie`` as ``obverse die``, ``coinid`` as ``coin id``."""
    for tail in ("die", "dies", "id", "no", "nr", "name"):
        front = word[: -len(tail)]
        if word.endswith(tail) and len(front) > 1:
            known = front in _OBVERSE_WORDS or front in _REVERSE_WORDS or front in _COIN_WORDS
            if known or (front in _FILE_WORDS and tail == "name"):
                return [front, tail]
    return [word]


def _column(place: int, name: str) -> Column:
    """What the column called ``name`` holds; a role of None for what is only carried through."""
    words = _words(name)
    text = tidy(name)
    if not words:
        return Column(place, text, "coin" if text == "#" else None, rank=9)
    sides = [side for side in map(_header_side, words) if side]
    rest = [word for word in words if not _header_side(word)]
    if len(sides) == 1:
        if all(word in _DIE_WORDS or word in _FILLERS for word in rest):
            named = any(word in _DIE_WORDS for word in rest)
            bare = len(words[0]) == 1 and not named
            return Column(place, text, "die", sides[0], 0 if named else BARE if bare else 1)
        if all(word in _FILE_WORDS or word in _FILLERS for word in rest):
            return Column(place, text, "file", sides[0])
        return Column(place, text, None)
    if sides:
        return Column(place, text, None)
    if any(word in _FILE_WORDS for word in words):
        known = all(w in _FILE_WORDS or w in _FILLERS or w in _COIN_WORDS for w in words)
        return Column(place, text, "file" if known else None)
    if words[0] in _SIDE_HEADS and len(words) == 1:
        return Column(place, text, "side")
    if words[0] in _DIE_WORDS - {"coin"} and all(word in _FILLERS for word in words[1:]):
        return Column(place, text, "die")
    if all(word in _COIN_WORDS or word in _FILLERS for word in words):
        ranks = [_COIN_WORDS[word] for word in words if word in _COIN_WORDS]
        if ranks:
            return Column(place, text, "coin", rank=min(ranks))
    return Column(place, text, None)


def _header_side(word: str) -> Side | None:
    if word in _OBVERSE_WORDS:
        return OBVERSE
    return REVERSE if word in _REVERSE_WORDS else None


def header_columns(cells: Sequence[str]) -> list[Column] | None:
    """The columns if the row is a header, else None (``1 O1 R1`` is none).

    A header names at least two things (or fills its whole row with one), one of them by a word of
    more than one letter, and holds no plain number.
    """
    columns = [_column(place, cell) for place, cell in enumerate(cells)]
    known = [column for column in columns if column.role]
    filled = [cell for cell in cells if cell]
    if not known or any(re.fullmatch(r"[\d.,]+", cell) for cell in filled):
        return None
    if not any(len(column.name) > 1 for column in known):
        return None
    roles = {column.role for column in known}
    if len(known) >= 2 or len(filled) == 1 or roles & {"coin", "file"}:
        return columns
    return None
