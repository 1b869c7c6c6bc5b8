"""Names of coins, files and sides: equal numbers, lists of names, side tokens."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from dieindex.collection.side_marks import (
    Mark,
    Rule,
    find_folders_of_two,
    find_marks,
    find_order,
    third_views,
)
from dieindex.collection.side_words import (
    ALPHABET_NEIGHBOURS,
    PARTNERS,
    TOKEN_SIDE,
    folded,
)
from dieindex.records import OBVERSE, REVERSE, Side
from dieindex.text import some_of

_SIDE_WORDS: dict[str, Side] = {**TOKEN_SIDE, "d": OBVERSE}

# Three zeros after the point may be thousands, as in 1.000.
_NUMBER = re.compile(r"([0-9]+)(?:\.00?)?")
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
    return _SIDE_WORDS.get(folded(tidy(word)))


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
    rules: list[str] = field(default_factory=list)
    """What was taken for the sides and is no plain word for them, in words."""
    twos: list[tuple[str, str]] = field(default_factory=list)
    """Files taken for obverse and reverse of a coin by their order alone."""
    third: dict[str, str] = field(default_factory=dict)
    """Files named as the sides of a coin are, but for a word that is neither side; that word."""


def read_names(files: Sequence[str], by_order: bool = True) -> NameReading:
    """Sides and remaining names of the files of one collection (paths with forward slashes).

    First, what varies in the names of the whole collection (``marks``). Else a token counts where
    it is set off by a separator and its partner occurs somewhere among ``files``. The stem outranks
    the folder, a later place an earlier one. A stem naming both sides in words, or in letters
    side by side (``12_o_r``), shows both: no side, nothing removed. Last, with ``by_order``, names
    that come in twos by number, letter or folder alone.
    """
    parts = [_parts(file) for file in files]
    paths = {number: _components(*part) for number, part in enumerate(parts)}
    marks, rules = find_marks(paths)
    in_folders = {parent: _folder_tokens(parent) for parent, _ in set(parts)}
    in_stems = [_stem_tokens(stem) for _, stem in parts]
    counted = _counted_tokens(in_stems, in_folders.values())
    named = [
        _marked(file, paths[number], marks[number])
        if number in marks
        else _named(file, stem, parent, tokens, in_folders[parent], counted)
        for number, (file, (parent, stem), tokens) in enumerate(
            zip(files, parts, in_stems, strict=True)
        )
    ]
    told = [_rule_in_words(rule, files) for rule in rules if not rule.plain]
    twos: list[tuple[str, str]] = []
    if by_order:
        told += _read_order(files, paths, named, twos)
    sides = {number: name.side for number, name in enumerate(named) if name.side is not None}
    third = {files[number]: word for number, word in third_views(paths, sides).items()}
    holding: dict[str, list[str]] = {}
    for number, (file, (parent, _), tokens) in enumerate(zip(files, parts, in_stems, strict=True)):
        for word in {token.word for token in (*tokens, *in_folders[parent])}:
            if len(word) > 1 and word not in counted and number not in marks:
                holding.setdefault(word, []).append(file)
    return NameReading(named, dict(sorted(holding.items())), told, twos, third)


def _read_order(
    files: Sequence[str],
    paths: Mapping[int, Sequence[str]],
    named: list[NamedFile],
    twos: list[tuple[str, str]],
) -> list[str]:
    """Give names without a side the one that their order says, and say so in words."""
    silent = {number: path for number, path in paths.items() if named[number].side is None}
    in_folders = find_folders_of_two(silent)
    if in_folders:
        by_folder: dict[tuple[str, ...], dict[Side, str]] = {}
        for number, side in in_folders.items():
            folders = paths[number][:-1]
            named[number] = NamedFile(files[number], folders[-1], "/".join(folders[:-1]), side)
            by_folder.setdefault(tuple(folders), {})[side] = files[number]
        pairs = [(of_side[OBVERSE], of_side[REVERSE]) for of_side in by_folder.values()]
        twos += pairs
        one, two = pairs[0]
        return [
            f"every folder holds two pictures: the first is taken for the obverse of a coin called "
            f"as the folder, the second for its reverse ({one}, {two})"
        ]
    marks, rules = find_order(silent)
    by_name: dict[tuple[str, str], dict[Side, str]] = {}
    for number, mark in marks.items():
        name = named[number] = _marked(files[number], paths[number], mark)
        by_name.setdefault((name.folder, name.stem), {})[mark.side] = name.file
    twos += [(pair[OBVERSE], pair[REVERSE]) for pair in by_name.values() if len(pair) == 2]
    return [_rule_in_words(rule, files) for rule in rules]


def _rule_in_words(rule: Rule, files: Sequence[str]) -> str:
    one, two = (files[number] for number in rule.examples)
    return (
        f"names differ in “{rule.obverse}” and “{rule.reverse}” alone, which are taken for obverse "
        f"and reverse ({one}, {two})"
    )


def _components(parent: str, stem: str) -> list[str]:
    return [tidy(part) for part in (*parent.split("/"), stem)] if parent else [tidy(stem)]


def _marked(file: str, path: Sequence[str], mark: Mark) -> NamedFile:
    """The file with the piece that says its side taken out of stem or folders."""
    piece = mark.piece
    *folders, stem = path
    if piece.component:
        del folders[-piece.component]
        return NamedFile(file, stem, "/".join(folders), mark.side)
    before, after = stem[: piece.start], stem[piece.end :]
    core = before.rstrip(_EDGES)
    rest = (before + after).strip(_EDGES)
    if core and core != before and after.strip(_EDGES) and after[0] in _EDGES:
        rest = _joined(core, before[len(core) :], after)
    if not rest and folders:  # coin12/obv.jpg: the folder is the coin
        rest = folders.pop()
    return NamedFile(file, rest, "/".join(folders), mark.side)


def _parts(file: str) -> tuple[str, str]:
    """Folder (empty at the top) and stem of a path."""
    folder, _, name = file.rpartition("/")
    stem, dot, suffix = name.rpartition(".")
    return folder, stem if dot and stem and suffix else name


def _stem_tokens(stem: str) -> list[_Token]:
    """Every word of the stem that may be a token or a letter beside one."""
    parts = [folded(part) for part in _SEPARATORS.split(tidy(stem))]
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
        whole = folded(tidy(name))
        words = [whole] if _may_matter(whole) else _SEPARATORS.split(whole)
        tokens += [
            _Token(word, place, "/".join(folders[:place]))
            for word in words
            if _may_matter(word) and (len(word) > 1 or word == whole)
        ]
    return tokens


def _may_matter(word: str) -> bool:
    return word in TOKEN_SIDE or word in {"b", "n", "p"}


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
            if any((next_one, slot) in letters for next_one in ALPHABET_NEIGHBOURS.get(word, ()))
        }
        seen |= ({token.word for token in tokens} & TOKEN_SIDE.keys()) - numbering
    return frozenset(word for word in seen if PARTNERS[word] & seen)


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
        TOKEN_SIDE[earlier.word] != TOKEN_SIDE[later.word]
        and (later.place - earlier.place == 2 or min(len(earlier.word), len(later.word)) > 1)
        for earlier, later in pairwise(own)
    ):
        return NamedFile(file, stem, folder)
    if own:
        rest = _without(stem, own[-1].place)
        if not rest and left:  # coin12/obv.jpg: the folder is the coin
            rest, folder = left[-1], "/".join(left[:-1])
        return NamedFile(file, rest, folder, TOKEN_SIDE[own[-1].word])
    if around:
        return NamedFile(file, stem, folder, TOKEN_SIDE[around[-1].word])
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
        return _joined(before, parts[place - 1], parts[place + 1] + after)
    return (before or after).strip(_EDGES)


def _joined(before: str, gap: str, after: str) -> str:
    """What stands on both sides of a piece, with one of the separators that set it off; the
    brackets of a copy, ``12_obv (1)``, stay."""
    behind = after[: len(after) - len(after.lstrip(_EDGES))]
    if "(" in behind and ")" in after:
        return before + after
    return before + (gap.strip("()[]") or behind or " ")[0] + after.strip(_EDGES)
