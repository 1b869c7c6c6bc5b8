"""Marks of sides found by what varies in the names of a whole collection.

Where names come in twos that are equal but for one piece (``5701O`` and ``5701R``, ``1_D`` and
``1_R``), and the two pieces are known for the sides in some language, these are the sides. One such
pair may be chance; a collection full of them is a rule. A path is given as its components: the
folders, and last the stem.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dieindex.collection.side_words import (
    ALPHABET_NEIGHBOURS,
    LETTER_PAIRS,
    ORDER_PAIRS,
    THIRD_VIEWS,
    TOKEN_PAIRS,
    TOKEN_SIDE,
    folded,
)
from dieindex.records import OBVERSE, REVERSE, Side
from dieindex.text import natural_key

CHANCE = 2
"""Twos of names from which equal marks are a rule."""
RULE_OF_ORDER = 3
"""The same for marks that alone say nothing of sides (1 and 2, a and b, first and second)."""
MOST = 0.8
"""Share of the names that must be such twos for marks that say nothing of sides."""
HALF = 0.5
"""The same for single letters, among the names of the folders that hold such twos."""

_RUNS = re.compile(r"[^\W\d_]+|\d+")
_LONGEST = max(map(len, TOKEN_SIDE))
_SHORTEST_ENDING = 3


@dataclass(frozen=True)
class Piece:
    """A part of a path that may say the side."""

    component: int
    """Place of the component, from the stem (0) upwards."""
    start: int
    end: int
    word: str
    place: int
    """Runs of letters or digits behind it in its component."""


@dataclass(frozen=True)
class Mark:
    """Where in a path its side stands, and which."""

    piece: Piece
    side: Side


@dataclass(frozen=True)
class Rule:
    """Two words that were taken for the sides, with one example of each."""

    obverse: str
    reverse: str
    examples: tuple[int, int]
    plain: bool
    """Whether they are words for the sides, or initials that are set off."""


Paths = Mapping[int, Sequence[str]]
"""Components of the paths, by the number of the file."""


def find_marks(paths: Paths) -> tuple[dict[int, Mark], list[Rule]]:
    """Marks that are words or initials of the sides, by file; and the rules they follow."""
    marks: dict[int, Mark] = {}
    rules: list[Rule] = []
    slots = _slots(paths, _side_pieces)
    taken: set[tuple[str, str]] = set()
    for pair, found in _pairs(slots):
        if len(found) < CHANCE or pair in taken or not _known(pair):
            continue
        taken.add(pair)
        _apply(pair, found, paths, slots, HALF if _by_letter(pair) else 0.0, marks, rules)
    return marks, rules


def find_order(paths: Paths) -> tuple[dict[int, Mark], list[Rule]]:
    """Marks that say nothing of sides but order two names (1 and 2, a and b), by file.

    Only where nearly all names come in such twos.
    """
    marks: dict[int, Mark] = {}
    rules: list[Rule] = []
    slots = _slots(paths, _order_pieces)
    for pair, found in _pairs(slots):
        if (
            pair in ORDER_PAIRS
            and len(found) >= RULE_OF_ORDER
            and (_counted(found, paths) or len(found) > RULE_OF_ORDER)
            and 2 * len(found) >= MOST * len(paths)
        ):
            _apply(pair, found, paths, slots, MOST, marks, rules)
    return marks, rules


def find_folders_of_two(paths: Paths) -> dict[int, Side]:
    """Sides by the order of names where nearly every folder holds two pictures: one coin's."""
    by_folder: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for file, path in paths.items():
        by_folder[tuple(path[:-1])].append(file)
    twos = [files for folder, files in by_folder.items() if folder and len(files) == 2]
    if len(twos) < RULE_OF_ORDER or len(twos) < MOST * len(by_folder):
        return {}
    sides: dict[int, Side] = {}
    for files in twos:
        first, second = sorted(files, key=lambda file: natural_key(paths[file][-1]))
        sides[first], sides[second] = OBVERSE, REVERSE
    return sides


def third_views(paths: Paths, sides: Mapping[int, Side]) -> dict[int, str]:
    """Files named as two sides of a coin are but for another word (``1_e``), with that word."""
    if len(sides) in (0, len(paths)):
        return {}
    complete: dict[str, set[Side]] = defaultdict(set)
    for file, side in sides.items():
        for piece in (*_side_pieces(paths[file]), *_order_pieces(paths[file])):
            complete[_slot(paths[file], piece)].add(side)
    found: dict[int, str] = {}
    for file, path in paths.items():
        if file in sides:
            continue
        for piece in _all_pieces(path):
            if len(complete.get(_slot(path, piece), ())) == 2:
                found[file] = piece.word
    count = Counter(found.values())
    return {
        file: word
        for file, word in found.items()
        if word in THIRD_VIEWS or (count[word] >= CHANCE and not word.isdecimal()) or word == "3"
    }


# --- pieces ------------------------------------------------------------------------------------


def _all_pieces(path: Sequence[str]) -> Iterator[Piece]:
    """Every run of letters or digits of the stem, and every folder's whole name."""
    for component, text in enumerate(reversed(path)):
        runs = list(_RUNS.finditer(text))
        if component and len(runs) != 1:
            continue
        for place, run in enumerate(reversed(runs)):
            yield Piece(component, run.start(), run.end(), folded(run.group()), place)


def _side_pieces(path: Sequence[str]) -> Iterator[Piece]:
    """Pieces that are words of sides, set off or not, and letters."""
    for component, text in enumerate(reversed(path)):
        runs = list(_RUNS.finditer(text))
        for place, run in enumerate(reversed(runs)):
            for start, end in _parts(run.group()):
                word = folded(run.group()[start:end])
                alone = not component or len(runs) == 1
                # (A letter at the end of a word, as in typeA_1, is a part of it.)
                inside = end - start < len(run.group()) and place > 0
                if word in TOKEN_SIDE if len(word) > 1 else alone and word.isalpha() and not inside:
                    yield Piece(component, run.start() + start, run.start() + end, word, place)


def _order_pieces(path: Sequence[str]) -> Iterator[Piece]:
    """The last piece of the stem where it is a number or a letter that may count; and a number
    before the last, where that is a word (``_001_l``)."""
    runs = list(_RUNS.finditer(path[-1]))
    for place, run in enumerate(reversed(runs[1:])):
        word = folded(run.group())
        if place > 1 or (place and not (word.isdecimal() and runs[-1].group().isalpha())):
            return
        if run.group().isdecimal():
            word = word.lstrip("0") or "0"
            if re.search(r"[^\W_]$|\d[.,]$", path[-1][: run.start()]):
                return  # not set off, or a part of a number such as 1931.6.1
        elif len(word) > 1:
            continue
        yield Piece(0, run.start(), run.end(), word, place)


def _parts(run: str) -> Iterator[tuple[int, int]]:
    """A run whole, what capitals set off in it, and a longer word of a side at either end."""
    yield 0, len(run)
    if run.isdecimal():
        return
    cuts = [at for at in range(1, len(run)) if run[at - 1].islower() and run[at].isupper()]
    if cuts:
        yield from pairwise([0, *cuts, len(run)])
    low = folded(run)
    if len(low) != len(run):
        return
    for length in range(_SHORTEST_ENDING, min(_LONGEST + 1, len(run))):
        if low[-length:] in TOKEN_SIDE and len(run) - length not in cuts:
            yield len(run) - length, len(run)
        if low[:length] in TOKEN_SIDE and length not in cuts:
            yield 0, length


_LETTERS: frozenset[tuple[str, str]] = frozenset(LETTER_PAIRS)
_SIDES: dict[str, Side] = {
    **{one: OBVERSE for one, _ in LETTER_PAIRS},
    **{two: REVERSE for _, two in LETTER_PAIRS},
    **TOKEN_SIDE,
}


def _known(pair: tuple[str, str]) -> bool:
    """Whether the two are an obverse and a reverse: two words, two initials, or one of each."""
    one, two = pair
    if len(one) == 1 and len(two) == 1:
        return pair in _LETTERS
    return _SIDES.get(one) == OBVERSE and _SIDES.get(two) == REVERSE


def _by_letter(pair: tuple[str, str]) -> bool:
    return min(map(len, pair)) == 1


# --- twos --------------------------------------------------------------------------------------

Slots = Mapping[str, Mapping[str, list[tuple[int, Piece]]]]
"""What stands in the same place of equal names: word, and the files that hold it there."""


def _slot(path: Sequence[str], piece: Piece) -> str:
    """The path with the piece taken out, in the form in which paths are compared."""
    at = len(path) - 1 - piece.component
    text = path[at]
    around = f"{text[: piece.start]}\0{text[piece.end :]}"
    return "/".join([*path[:at], around, *path[at + 1 :]]).casefold()


def _slots(paths: Paths, pieces_of: Callable[[Sequence[str]], Iterator[Piece]]) -> Slots:
    slots: dict[str, dict[str, list[tuple[int, Piece]]]] = defaultdict(lambda: defaultdict(list))
    for file, path in paths.items():
        for piece in pieces_of(path):
            slots[_slot(path, piece)][piece.word].append((file, piece))
    return slots


def _pairs(slots: Slots) -> list[tuple[tuple[str, str], list[str]]]:
    """Every two words that stand for one another, with the slots where they do; likeliest first.

    A slot with more than three words, or with the letters beside one of the two in the alphabet,
    numbers things.
    """
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for slot, words in slots.items():
        if not 2 <= len(words) <= 3:
            continue
        for one in words:
            beside = ALPHABET_NEIGHBOURS.get(one, frozenset())
            for two in words:
                if one != two and not beside & words.keys() - {two}:
                    found[one, two].append(slot)
    # Of equally many the longer words: "obverse" holds "obv".
    return sorted(found.items(), key=lambda item: (-len(item[1]), -len("".join(item[0])), item[0]))


def _counted(found: Sequence[str], paths: Paths) -> bool:
    """Whether a number is left of the names: the coin's."""
    return all(any(letter.isdecimal() for letter in slot) for slot in found)


def _apply(
    pair: tuple[str, str],
    found: Sequence[str],
    paths: Paths,
    slots: Slots,
    share: float,
    marks: dict[int, Mark],
    rules: list[Rule],
) -> None:
    """Mark the files of the twos, and those that hold one of the words where the twos do."""
    twos = [
        (slots[slot][pair[0]][0], slots[slot][pair[1]][0])
        for slot in found
        if not any(file in marks for word in pair for file, _ in slots[slot][word])
    ]
    if len(twos) < CHANCE:
        return
    files = {file for two in twos for file, _ in two}
    near = {tuple(paths[file][: -1 - piece.component]) for two in twos for file, piece in two}
    beside = sum(
        file not in marks and any(tuple(path[:depth]) in near for depth in range(len(path)))
        for file, path in paths.items()
    )
    if len(files) < share * beside:
        return
    for two in twos:
        for (file, piece), side in zip(two, (OBVERSE, REVERSE), strict=True):
            marks[file] = Mark(piece, side)
    where = Counter((piece.component, piece.place) for two in twos for _, piece in two)
    usual = where.most_common(1)[0][0]
    for words in slots.values():
        for word, side in zip(pair, (OBVERSE, REVERSE), strict=True):
            for file, piece in words.get(word, ()):
                if (piece.component, piece.place) == usual:
                    marks.setdefault(file, Mark(piece, side))
    examples = twos[0][0][0], twos[0][1][0]
    plain = not _by_letter(pair) or (
        pair in TOKEN_PAIRS and all(_set_off(paths, *one) for one in twos[0])
    )
    rules.append(Rule(*_written(paths, twos[0]), examples, plain))


def _set_off(paths: Paths, file: int, piece: Piece) -> bool:
    text = paths[file][-1 - piece.component]
    before, after = text[: piece.start][-1:], text[piece.end :][:1]
    return not before.isalnum() and not after.isalnum()


def _written(paths: Paths, two: Iterable[tuple[int, Piece]]) -> tuple[str, str]:
    one, other = (paths[file][-1 - piece.component][piece.start : piece.end] for file, piece in two)
    return one, other
