"""What the cells of a column of dies say: a name, that the die is not known, or neither for sure.

A name counts exactly as it is written, less invisible letters at its ends. What is no sure name (a
mark of doubt, two names, a date that a spreadsheet program made of ``1-2``) counts as not
identified; every such reading is told, with its rows.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dieindex.collection.names import loose_form, tidy
from dieindex.collection.sheets.column_content import label_of
from dieindex.collection.sheets.vocabulary import (
    DOUBT_WORDS,
    OR_WORDS,
    latin,
    plain,
    says_unknown,
    words_of,
)
from dieindex.text import some_of

_ERROR_CELLS = frozenset({"#ref!", "#name?", "#value!", "#div/0!", "#null!", "#num!", "#n/a"})
_SIGNS = "?-‐‑‒–—−._/\\*~· "
_CODES = frozenset({"0", "00", "000", "x", "xx", "xxx", "-1", "-9", "-99", "-999"})
"""Numbers and letters that stand for an unknown value where all other names are of another form."""
_ROMAN = re.compile(r"[IVXLCDM]{2,}|[ivxlcdm]{2,}")
_REMARKED = re.compile(r"([^\W\d_]{0,12}[\s._-]*\d{1,6}[a-zA-Z*′']?)[\s,;:(\[]+\S")
_HIGH_CODES = frozenset({"99", "999", "9999"})
_MONTHS = (
    "jan feb mar apr mai maj may mei jun jul aug sep set oct okt ott nov dec dez dic janv fevr avr "
    "juin juil aout mrz gen mag giu lug ago ene abr marz mrt marzo"
)
_MONTH = rf"(?:{'|'.join(_MONTHS.split())})[a-z]{{0,6}}\.?"
_DATE = re.compile(
    rf"\d{{1,2}}[-./ ]+{_MONTH}(?:[-./ ]+\d{{2,4}})?|{_MONTH}[-./ ]+\d{{1,4}}"
    r"|(?:1[89]|20)\d\d-\d\d?-\d\d?(?:[ T]00:00(?::00)?)?|\d{1,2}([./-])\d{1,2}\1(?:1[89]|20)\d\d",
)
_SEPARATORS = re.compile(r"\s*(?:=|/|,|;|\+|&|–|-|\|)\s*")


def is_unknown(cell: str) -> bool:
    """Whether a die's cell says that the die is not known: empty, ``?``, ``-``, ``NA``,
    ``unbestimmt`` and the like."""
    text = cell.strip()
    return not any(map(str.isalnum, text)) or text.casefold() in _ERROR_CELLS or says_unknown(text)


def is_nameless(cell: str) -> bool:
    """Whether a coin's cell names none: empty, ``-``, ``NA``; other words may be a coin's name."""
    text = cell.strip()
    return not text.strip(_SIGNS) or text.casefold() in _ERROR_CELLS | {"na", "n/a", "nan", "null"}


@dataclass
class DieColumn:
    """The cells of one column of dies as they were read: a name or "" for each; and the rows of
    what was not read as it stands, by what it was taken for."""

    names: list[str]
    taken: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def notes(self, file: str, column: str) -> Iterator[str]:
        """What is to be told of it, a sentence each."""
        for what, cells in self.taken.items():
            yield f"{file}: column “{column}”: {_SAID[what]}: {some_of(cells, 4)}"


_UNKNOWN, _DOUBTFUL, _SEVERAL, _DATED, _INVISIBLE, _CODED, _LONG, _WORDS = (
    "unknown", "doubtful", "several", "dated", "invisible", "coded", "long", "words",
)  # fmt: skip
_SAID = {
    _UNKNOWN: "words taken for “not identified”",
    _DOUBTFUL: "marked as doubtful and therefore taken as not identified (write the name alone "
    "where the die is sure)",
    _SEVERAL: "more than one die in a cell, taken as not identified",
    _DATED: "a date where a die is expected, taken as not identified (a spreadsheet program turns "
    "1-2 into one: format the column as text and write the names again)",
    _INVISIBLE: "invisible letters were taken off",
    _CODED: "taken for “not identified”, since no other die is called so (write it otherwise if it "
    "is a die)",
    _WORDS: "no names such as the others, taken as not identified (write them with a number if "
    "they are dies)",
    _LONG: "too long for the name of a die, taken as not identified",
}
MAX_NAME = 120


def read_die_column(cells: Sequence[str], rows: Sequence[int], dates: Sequence[bool]) -> DieColumn:
    """The names in one column; ``rows`` are the rows' numbers, ``dates`` says which cells the file
    holds as dates."""
    found = DieColumn([])
    for cell, row, is_date in zip(cells, rows, dates, strict=True):
        text = visible(cell)
        if text != tidy(cell):
            found.taken[_INVISIBLE].append(f"row {row}")
        if is_unknown(text):
            if text.strip(_SIGNS):
                found.taken[_UNKNOWN].append(f"row {row} ({text[:30]})")
            text = ""
        elif is_date or _DATE.fullmatch(plain(text[:40])):
            found.taken[_DATED].append(f"row {row} ({text[:30]})")
            text = ""
        elif len(text) > MAX_NAME:
            found.taken[_LONG].append(f"row {row} ({text[:30]}…)")
            text = ""
        found.names.append(text)
    _take_codes(found, rows)
    _take_doubtful(found, rows)
    _take_words(found, rows)
    return found


def visible(cell: str) -> str:
    """The cell without white space and invisible letters at its ends, in one Unicode form."""
    text = tidy(cell)
    if text.isascii():
        return text
    start, end = 0, len(text)
    while start < end and _is_invisible(text[start]):
        start += 1
    while end > start and _is_invisible(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_invisible(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter) in ("Cf", "Cc")


def _take_codes(found: DieColumn, rows: Sequence[int]) -> None:
    """``0`` or ``x`` among O1, O2, O3 is a code for "unknown"."""
    names = {name for name in found.names if name}
    codes = {name for name in names if name.casefold() in _CODES}
    if all(name.isdecimal() or name[:1].isalpha() for name in names):
        codes |= {name for name in names if name in _HIGH_CODES and len(names) > 1}
        if any(name.isdecimal() for name in names - codes):
            codes -= _HIGH_CODES
    others = names - codes
    if not codes:
        return
    for place, name in enumerate(found.names):
        if name in codes and name.casefold() not in {latin(other) for other in others}:
            single_letters = name.casefold().strip("x") == "" and any(
                (len(other) == 1 and other.isalpha()) or _ROMAN.fullmatch(other) for other in others
            )
            if not single_letters:
                found.taken[_CODED].append(f"row {rows[place]} ({name})")
                found.names[place] = ""


def _take_doubtful(found: DieColumn, rows: Sequence[int]) -> None:
    """Doubt and second names count where most of the column is plain; else they are its style."""
    forms = {name: _form_of(name) for name in set(found.names) if name}
    plain_names = {name for name, form in forms.items() if form is None}
    prefixes = {latin(m.group(1)) for name in plain_names if (m := label_of(name))}
    forms = {
        name: form if form != _SEVERAL or _holds_several(name, prefixes) else None
        for name, form in forms.items()
    }
    named = [name for name in found.names if name]
    odd = sum(forms[name] is not None for name in named)
    if odd >= 0.9 * len(named):  # a style of writing: nobody doubts every die
        return
    for place, name in enumerate(found.names):
        form = forms.get(name)
        if form is not None:
            found.taken[form].append(f"row {rows[place]} ({name[:30]})")
            found.names[place] = ""


def _take_words(found: DieColumn, rows: Sequence[int]) -> None:
    """Words (``scratched``, ``s/d``, ``same as 2``) among names such as ``O1`` name no die."""
    named = [name for name in found.names if name]
    if sum(label_of(name) is not None for name in named) <= len(named) / 2:
        return
    for place, name in enumerate(found.names):
        words = len(re.findall(r"[^\W\d_]{2,}", name))
        numbered = any(map(str.isdigit, name))
        if (
            (sum(map(str.isalpha, name)) > 1 and not numbered)
            or name.startswith("=")
            or (words > 1 and label_of(name) is None)
        ):
            found.taken[_WORDS].append(f"row {rows[place]} ({name[:30]})")
            found.names[place] = ""


def _form_of(name: str) -> str | None:
    if "?" in name or "¿" in name or re.fullmatch(r"\[.*\]|\(.*\)|<.*>|\{.*\}", name):
        return _DOUBTFUL
    words = words_of(name)
    numbered = [any(map(str.isdigit, word)) for word in words]
    for place, word in enumerate(words):
        if word in DOUBT_WORDS and len(words) > 1:
            return _DOUBTFUL
        if word in OR_WORDS and any(numbered[:place]) and any(numbered[place + 1 :]):
            return _SEVERAL
    return _SEVERAL if _SEPARATORS.search(name) else None


def _holds_several(name: str, prefixes: set[str]) -> bool:
    """Whether the parts of ``O1=O5``, ``R1/2`` and ``O1–O3`` are each a name such as the column's
    plain ones; ``13-1`` and ``A-2`` are names."""
    if any(word in OR_WORDS for word in words_of(name)) and not _SEPARATORS.search(name):
        return True
    parts = [part for part in _SEPARATORS.split(name) if part]
    matches = [label_of(part) for part in parts]
    if len(parts) < 2 or not all(matches):
        return False
    first, *others = [latin(match.group(1)) for match in matches if match]
    if first not in prefixes:
        return False
    if re.search(r"\d\s*[-–|]\s*\d", name):
        return False
    return all(other == first or not other or other in prefixes for other in others)


# --- both dies in one cell ---------------------------------------------------------------------


def halves(cell: str) -> tuple[str, str] | None:
    """Both names of ``O1-R3``, ``O4/R3``, ``1-13``; None where the cell does not hold two."""
    if len(cell) > 2 * MAX_NAME:
        return None
    for cut in (r"\s*[/|+;,:&×]\s*", r"\s*[-‐‑–—]\s*", r"\s+", "_", r"(?<=\d)(?=[^\W\d]\d)"):
        parts = [part for part in re.split(cut, cell.strip()) if part]
        if len(parts) == 2:
            first, second = parts
            return first, second.strip("()[]") if cut == r"\s+" else second  # O1 (R3)
    return None


def are_pairs(cells: Sequence[str], said: bool) -> bool:
    """Whether the cells hold two dies each. Of plain numbers (``1-13``) only where the header says
    so (``said``): they may be names."""
    named = [cell for cell in cells if not is_unknown(cell)]
    split = [halves(cell) for cell in named]
    if not named or sum(each is not None for each in split) < 0.7 * len(named):
        return False
    if said:
        return True
    whole = [each for each in split if each and not any(map(is_unknown, each))]
    prefixes = [
        (latin(a.group(1)), latin(b.group(1)))
        for each in whole
        if (a := label_of(each[0])) and (b := label_of(each[1]))
    ]
    lettered = [(a, b) for a, b in prefixes if a and b and a != b]
    odd = sum(each is None for each in split)
    return bool(lettered) and len(lettered) >= 0.7 * (len(whole) + odd)


# --- names that look alike ---------------------------------------------------------------------


def alike(names: Sequence[str]) -> Iterator[tuple[list[str], str]]:
    """Groups of names that may be one, and in what they differ."""
    by_look: dict[str, list[str]] = defaultdict(list)
    for name in names:
        by_look[_look(name)].append(name)
    for group in by_look.values():
        if len(group) < 2:
            continue
        loose = {loose_form(name) for name in group}
        yield group, "differ only in case or spacing" if len(loose) == 1 else _difference(group)


def remarked(names: Sequence[str]) -> Iterator[tuple[list[str], str]]:
    """Names that are another one with a remark behind: ``O1`` and ``O1 (state 2)``."""
    known = set(names)
    by_name: dict[str, list[str]] = defaultdict(list)
    for name in names:
        found = _REMARKED.match(name)
        if found and found.group(1) in known and label_of(name) is None:
            by_name[found.group(1)].append(name)
    for name, others in by_name.items():
        yield [name, *others], "differ only in a remark (a later state is the same die)"


def otherwise_formed(names: Sequence[str]) -> list[str]:
    """Names such as ``O1-3`` and ``c. 300`` where most are formed as ``O1`` is."""
    odd = [name for name in names if label_of(name) is None]
    return odd if len(odd) < 0.5 * len(names) else []


def are_words(name: str) -> bool:
    """Whether the name is made of words, with no number (a Roman one neither)."""
    letters = sum(map(str.isalpha, name))
    return letters > 2 and not any(map(str.isdigit, name)) and not _ROMAN.fullmatch(name)


def _look(name: str) -> str:
    """What is left of a name when letters that look alike, signs and leading zeros are one."""
    text = "".join(letter for letter in latin(name) if letter.isalnum() or letter in "-/")
    text = re.sub(r"^o(?=\d)", "0", text)
    text = re.sub(r"(?<=[^\W\d])[-/](?=\d)", "", text)
    return re.sub(r"(?<!\d)0+(?=\d)", "", text)


def _difference(group: Sequence[str]) -> str:
    if any(not name.isascii() for name in group):
        strange = [f"U+{ord(c):04X}" for name in group for c in name if ord(c) > 127]
        shown = some_of(list(dict.fromkeys(strange)), 3)
        return f"look alike but hold other letters or invisible ones ({shown})"
    return "look alike (a sign, a zero or the letter O makes the difference)"
