"""Names of coins, files and sides: equal numbers, lists of names, side tokens."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dieindex.records import OBVERSE, REVERSE, Side
from dieindex.text import some_of

TOKEN_PAIRS: tuple[tuple[str, str], ...] = (
    ("o", "r"),
    ("a", "r"),
    ("av", "rv"),
    ("obv", "rev"),
    ("vs", "rs"),
    ("heads", "tails"),
    ("obverse", "reverse"),
    ("head", "tail"),
    ("avers", "revers"),
    ("vorderseite", "rückseite"),
    ("vorderseite", "rueckseite"),
    ("droit", "revers"),
    ("dritto", "rovescio"),
    ("anverso", "reverso"),
)
"""Words that tell the sides apart in names of files and folders, obverse first."""

_PARTNERS: dict[str, set[str]] = {}
_TOKEN_SIDE: dict[str, Side] = {}
for _obverse, _reverse in TOKEN_PAIRS:
    _PARTNERS.setdefault(_obverse, set()).add(_reverse)
    _PARTNERS.setdefault(_reverse, set()).add(_obverse)
    _TOKEN_SIDE[_obverse], _TOKEN_SIDE[_reverse] = OBVERSE, REVERSE

_SIDE_WORDS: dict[str, Side] = {
    **_TOKEN_SIDE,
    **dict.fromkeys(("recto", "face", "cara"), OBVERSE),
    **dict.fromkeys(("verso", "pile", "cruz"), REVERSE),
}
_ALPHABET_NEIGHBOURS = {"a": {"b"}, "o": {"n", "p"}}

# Three zeros after the point may be thousands, as in 1.000.
_NUMBER = re.compile(r"0*([0-9]+)(?:\.00?)?")
_SEPARATORS = re.compile(r"([\s_\-.,;+&()\[\]]+)")
_EDGES = " \t_-.,;+&()[]"


def tidy(text: str) -> str:
    """The text trimmed and in one Unicode form: folders of macOS and sheets differ in theirs."""
    return (text if text.isascii() else unicodedata.normalize("NFC", text)).strip()


def listed(items: Sequence[object]) -> str:
    """Six of the items at most: ``a, b, c and 12 more``."""
    return some_of([str(item) for item in items], 6)


def number_form(text: str) -> str:
    """The form in which ``1``, ``01``, ``001`` and ``1.0`` are equal; other text as it is."""
    match = _NUMBER.fullmatch(text)
    return match.group(1).lstrip("0") or "0" if match else text


def loose_form(text: str) -> str:
    """The form in which names that differ only in case or inner spacing are equal."""
    return "".join(text.split()).casefold()


def side_of_word(word: str) -> Side | None:
    """The side a cell such as ``obv``, ``Avers`` or ``R`` names, or None."""
    return _SIDE_WORDS.get(tidy(word).casefold())


@dataclass(frozen=True)
class NamedFile:
    """What the name of one file says: its side, and what is left of stem and folder."""

    file: str
    stem: str
    folder: str
    side: Side | None = None


@dataclass(frozen=True)
class _Token:
    word: str
    place: int
    """Position among the parts of the stem, or of the folders; later ones count first."""
    slot: str = ""
    """For letters: what stands around it, equal for ``12_a`` and ``12_b``."""


@dataclass(frozen=True)
class NameReading:
    """What the names of a collection say: ``files`` in the order given, and tokens in vain."""

    files: list[NamedFile]
    lone: dict[str, list[str]]
    """Tokens of more than one letter without a partner anywhere, with the files that hold them."""


def read_names(files: Sequence[str]) -> NameReading:
    """Sides and remaining names of the files of one collection (paths with forward slashes).

    A token counts only where it is set off by a separator and its partner occurs somewhere among
    ``files``. The stem outranks the folder, a later place an earlier one. A stem naming both sides
    next to one another (``12_obv_rev``) shows both: no side, nothing removed.
    """
    parts = [_parts(file) for file in files]
    in_folders = {parent: _folder_tokens(parent) for parent, _ in set(parts)}
    in_stems = [_stem_tokens(stem) for _, stem in parts]
    counted = _counted_tokens(in_stems, in_folders.values())
    named = [
        _named(file, stem, parent, tokens, in_folders[parent], counted)
        for file, (parent, stem), tokens in zip(files, parts, in_stems, strict=True)
    ]
    holding: dict[str, list[str]] = {}
    for file, (parent, _), tokens in zip(files, parts, in_stems, strict=True):
        for word in {token.word for token in (*tokens, *in_folders[parent])}:
            if len(word) > 1 and word not in counted:
                holding.setdefault(word, []).append(file)
    return NameReading(named, dict(sorted(holding.items())))


def _parts(file: str) -> tuple[str, str]:
    """Folder (empty at the top) and stem of a path."""
    folder, _, name = file.rpartition("/")
    stem, dot, suffix = name.rpartition(".")
    return folder, stem if dot and stem and suffix else name


def _stem_tokens(stem: str) -> list[_Token]:
    """Every word of the stem that may be a token or a letter beside one."""
    parts = _SEPARATORS.split(tidy(stem).casefold())
    return [
        _Token(word, place, "".join([*parts[:place], "*", *parts[place + 1 :]]))
        for place, word in enumerate(parts)
        if _may_matter(word)
    ]


def _folder_tokens(parent: str) -> list[_Token]:
    """Tokens among the folders: a whole name, or (but for single letters) a word of one."""
    tokens = []
    folders = parent.split("/") if parent else []
    for place, name in enumerate(folders):
        whole = tidy(name).casefold()
        words = [whole] if _may_matter(whole) else _SEPARATORS.split(whole)
        tokens += [
            _Token(word, place, "/".join(folders[:place]))
            for word in words
            if _may_matter(word) and (len(word) > 1 or word == whole)
        ]
    return tokens


def _may_matter(word: str) -> bool:
    return word in _TOKEN_SIDE or word in {"b", "n", "p"}


def _counted_tokens(
    stems: Iterable[list[_Token]], folders: Iterable[list[_Token]]
) -> frozenset[str]:
    """The tokens whose partner occurs too.

    Letters that go on through the alphabet (``12_a``, ``12_b``) number things and name no side.
    """
    seen: set[str] = set()
    for group in (stems, folders):
        tokens = {token for tokens in group for token in tokens}
        letters = {(token.word, token.slot) for token in tokens if len(token.word) == 1}
        numbering = {
            word
            for word, slot in letters
            if any((next_one, slot) in letters for next_one in _ALPHABET_NEIGHBOURS.get(word, ()))
        }
        seen |= ({token.word for token in tokens} & _TOKEN_SIDE.keys()) - numbering
    return frozenset(word for word in seen if _PARTNERS[word] & seen)


def _named(
    file: str,
    stem: str,
    parent: str,
    in_stem: list[_Token],
    in_folder: list[_Token],
    counted: frozenset[str],
) -> NamedFile:
    stem = tidy(stem)
    own = [token for token in in_stem if token.word in counted]
    around = [token for token in in_folder if token.word in counted]
    left = _without_folders(parent, around)
    folder = "/".join(left)
    if any(
        later.place - earlier.place == 2 and _TOKEN_SIDE[earlier.word] != _TOKEN_SIDE[later.word]
        for earlier, later in pairwise(own)
    ):
        return NamedFile(file, stem, folder)
    if own:
        rest = _without(stem, own[-1].place)
        if not rest and left:  # coin12/obv.jpg: the folder is the coin
            rest, folder = left[-1], "/".join(left[:-1])
        return NamedFile(file, rest, folder, _TOKEN_SIDE[own[-1].word])
    if around:
        return NamedFile(file, stem, folder, _TOKEN_SIDE[around[-1].word])
    return NamedFile(file, stem, folder)


def _without_folders(parent: str, tokens: list[_Token]) -> list[str]:
    """The folders less those that name a side."""
    if not parent:
        return []
    dropped = {token.place for token in tokens}
    return [tidy(name) for place, name in enumerate(parent.split("/")) if place not in dropped]


def _without(stem: str, place: int) -> str:
    """The stem less the part at ``place`` and the separators that set it off."""
    parts = _SEPARATORS.split(stem)
    before, after = "".join(parts[: max(place - 1, 0)]), "".join(parts[place + 2 :])
    if before and after:
        return f"{before}{parts[place - 1][:1]}{after}"
    return (before or after).strip(_EDGES)
