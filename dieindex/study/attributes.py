"""What a sheet's other columns hold: weight, axis, diameter and where a coin is published.

Columns are recognised by their names in several languages; what is not recognised is carried
through as it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from dieindex.collection.sheets.vocabulary import plain, side_of_header_word
from dieindex.records import OBVERSE, REVERSE, Side
from dieindex.study.material import Coin

Meaning = Literal[
    "weight",
    "axis",
    "diameter",
    "source",
    "reference",
    "find_spot",
    "type",
    "state",
    "certainty",
    "author",
    "rights",
]

_NAMES: dict[Meaning, str] = {
    "weight": "weight weights wt wgt mass gewicht masse poids pds peso massa gram grams gramm g "
    "grammes grammi",
    "axis": "axis axes dieaxis stempelstellung stempelachse achse axe orientation asse eje "
    "orientamento orientacion stand ponson clock hour hours h",
    "diameter": "diameter diam diametre durchmesser dm diametro module modulo modul ø mm size",
    "source": "source collection museum sammlung aufbewahrungsort standort location owner museo "
    "musee coleccion collezione fonte quelle provenance provenienz provenienza procedencia sale "
    "auction auktion vente asta subasta house lot dealer",
    "reference": "reference references ref refs literature literatur lit zitat citation "
    "bibliography bibliographie bibliografia riferimento referencia published publication "
    "catalogue catalog katalog",
    "find_spot": "findspot fundort fund hoard hort tresor ripostiglio tesoro hallazgo find finds "
    "trouvaille luogo rinvenimento lugar",
    "type": "type typ tipo series serie issue emission emissione",
    "state": "state zustand etat stato estado diestate stempelzustand",
    "certainty": "certainty confidence sicherheit certitude certezza certeza sure",
    "author": "author by attributed autor auteur autore",
    "rights": "rights licence license copyright rechte droits diritti derechos credit",
}
_MEANING: dict[str, Meaning] = {
    word: meaning for meaning, words in _NAMES.items() for word in words.split()
}
_PHRASES: dict[str, Meaning] = {
    "die axis": "axis",
    "find spot": "find_spot",
    "find place": "find_spot",
    "lieu de trouvaille": "find_spot",
    "luogo di rinvenimento": "find_spot",
    "die state": "state",
    "ø": "diameter",
}


def _vocabulary(text: str) -> frozenset[str]:
    return frozenset(text.split())


_UNITS = _vocabulary("in gr g grams gram gramm grammes mm cm h hours hour clock o uhr no nr")
_WEAK = frozenset({"g", "h", "mm", "gram", "grams", "gramm", "size", "by", "clock", "hour", "lit"})
"""Words that name a column only where they stand alone."""


@dataclass(frozen=True)
class Known:
    """What is known of a coin beside its dies: grams, clock hours 1…12, millimetres, text.

    ``state`` is the state of the die on each side, a larger one being later.
    """

    weight: float | None = None
    axis: int | None = None
    diameter: float | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    """``source``, ``reference``, ``find_spot``, ``type``, ``author``, ``rights``, where stated."""
    state: Mapping[Side, float] = field(default_factory=dict)
    rest: Mapping[str, str] = field(default_factory=dict)
    """Columns that were not recognised, or whose text is no number, by name."""


@dataclass(frozen=True)
class Columns:
    """Which column holds what: ``meaning`` by column name, and the side of a state or certainty."""

    meaning: Mapping[str, tuple[Meaning, Side | None]]


def recognise(names: Iterable[str]) -> Columns:
    """The meaning of columns by their names; of several alike for a number the first counts."""
    found: dict[str, tuple[Meaning, Side | None]] = {}
    taken: set[tuple[Meaning, Side | None]] = set()
    for name in names:
        meaning = meaning_of(name)
        if meaning is None:
            continue
        numeric = meaning[0] in ("weight", "axis", "diameter", "state", "certainty")
        if numeric and meaning in taken:
            continue
        taken.add(meaning)
        found[name] = meaning
    return Columns(found)


def meaning_of(name: str) -> tuple[Meaning, Side | None] | None:
    """What a column of this name holds, and of which side; None where it is not known."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = [word for word in re.split(r"[\s_\-./:()\[\],;'’]+", plain(spaced)) if word]
    sides = [side for word in words if (side := side_of_header_word(word)) is not None]
    side = sides[-1] if sides else None
    words = [word for word in words if side_of_header_word(word) is None]
    phrase = " ".join(words)
    for text, meaning in _PHRASES.items():
        if text in phrase:
            return meaning, side
    strong = [word for word in words if word in _MEANING and word not in _WEAK]
    if strong and (len(words) <= 2 or words[0] == strong[0]):
        return _MEANING[strong[0]], side
    units = [word for word in words if word in _WEAK]
    if units and all(word in _UNITS or word in _WEAK for word in words):
        return _MEANING[units[0]], side
    return None


def known_of(coin: Coin, columns: Columns) -> Known:
    """Read a coin's columns. A number that cannot be read stays among ``rest`` as text."""
    numbers: dict[str, float | None] = {}
    texts: dict[str, str] = {}
    state: dict[Side, float] = {}
    rest: dict[str, str] = {}
    for name, text in coin.columns.items():
        meaning, side = columns.meaning.get(name, (None, None))
        if not text:
            continue
        if meaning in ("weight", "diameter", "axis"):
            value = axis_hour(text) if meaning == "axis" else number(text)
            sensible = value is not None and 0 < value < 100_000
            if sensible:
                numbers[meaning] = value
            else:
                rest[name] = text
        elif meaning == "state":
            level = state_level(text)
            rest[name] = text
            for each in (OBVERSE, REVERSE) if side is None else (side,):
                if level is not None:
                    state[each] = level
        elif meaning == "certainty" or (meaning == "author" and side is not None):
            continue  # carried by the attribution
        elif meaning is not None:
            texts[meaning] = f"{texts[meaning]}; {text}" if meaning in texts else text
        else:
            rest[name] = text
    axis = numbers.get("axis")
    return Known(
        weight=numbers.get("weight"),
        axis=None if axis is None else int(axis),
        diameter=numbers.get("diameter"),
        texts=texts,
        state=state,
        rest=rest,
    )


_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)?")


def number(text: str) -> float | None:
    """The number of a cell such as ``16,53 g``; None where there is not exactly one."""
    found = _NUMBER.findall(text)
    if len(found) != 1 or len(text) > 40:
        return None
    value = float(found[0].replace(",", "."))
    return value if math.isfinite(value) else None


_ARROWS = {"↑": 12, "↗": 2, "→": 3, "↘": 5, "↓": 6, "↙": 7, "←": 9, "↖": 10}


def axis_hour(text: str) -> int | None:
    """The clock hour 1…12 of a die axis: ``6``, ``6h``, ``12.00``, ``180°``, an arrow."""
    stripped = text.strip()
    if stripped in _ARROWS:
        return _ARROWS[stripped]
    value = number(stripped.split(":")[0] if re.fullmatch(r"\d+:\d\d", stripped) else stripped)
    if value is None or value < 0:
        return None
    hours = value / 30.0 if "°" in stripped or value > 12 else value
    if hours > 12:
        return None
    hour = math.floor(hours + 0.5) % 12
    return 12 if hour == 0 else hour


def state_level(text: str) -> float | None:
    """The rank of a die state: a number, a letter (a = 1) or a Roman numeral."""
    value = number(text)
    if value is not None:
        return value
    word = text.strip().casefold()
    romans = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")
    if word in romans:
        return float(romans.index(word) + 1)
    return float(ord(word) - 96) if len(word) == 1 and "a" <= word <= "z" else None


_SURE = _vocabulary("sure certain yes sicher sur certo seguro 1 true")
_DOUBTED = _vocabulary("? doubtful uncertain probable unsure unsicher incertain incerto no")
DOUBTED = 0.5
"""Certainty of an attribution that a sheet calls doubtful without a number."""


def certainty_of(text: str) -> float | None:
    """A certainty in 0…1 from ``0.8``, ``80 %``, ``sure`` or ``?``; None where not understood."""
    word = text.strip().casefold()
    if not word:
        return None
    if word in _SURE:
        return 1.0
    if word in _DOUBTED:
        return DOUBTED
    value = number(word)
    if value is None or value < 0:
        return None
    if "%" in word or value > 1:
        value /= 100.0
    return value if value <= 1 else None


def all_columns(coins: Sequence[Coin]) -> list[str]:
    """Names of the sheet's columns, in the order in which they first occur."""
    return list(dict.fromkeys(name for coin in coins for name in coin.columns))
