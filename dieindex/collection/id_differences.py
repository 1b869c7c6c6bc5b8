"""The one difference by which the coins of a sheet and of the pictures are called otherwise.

A sheet says ``1`` and ``1841,B.121`` where the pictures say ``Nr_01`` and ``BM_1841_B_121``, or the
other way about. Names are compared as pieces (runs of letters or of digits), so that separators,
case and leading zeros say nothing.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from dieindex.collection.names import number_form
from dieindex.collection.side_words import folded

MOST = 0.8
"""Share of the names that must meet by the same difference."""
MOST_PIECES = 24
"""Pieces of a name; longer texts are descriptions."""
FEWEST = 2
"""Names that must meet: one alone may be chance."""

_RUNS = re.compile(r"[^\W\d_]+|\d+")
Pieces = tuple[str, ...]
Difference = tuple[Pieces, Pieces]
"""Pieces before and behind."""


def coins_by_difference(written: Sequence[str], coins: Sequence[str]) -> dict[str, str]:
    """The coin that each name of a sheet means, where all meet by one and the same difference.

    Empty where no difference is shared by most, where two do equally well, or where it would join
    two names in one coin.
    """
    sheet = {name: _pieces(name) for name in written}
    pictures = {coin: _pieces(coin) for coin in coins}
    enough = max(FEWEST, MOST * min(len(sheet), len(pictures)))
    for ours, theirs in (
        (pictures, sheet),
        (sheet, pictures),
        (pictures, _without_constant(sheet)),
    ):
        met = _met(ours, theirs, enough)
        if met:
            return {other: one for one, other in met} if ours is pictures else dict(met)
    return {}


def _pieces(name: str) -> Pieces:
    return tuple(number_form(folded(run)) for run in _RUNS.findall(name))


def _met(
    longer: dict[str, Pieces], shorter: dict[str, Pieces], enough: float
) -> list[tuple[str, str]]:
    """Pairs of names of which the first holds the second, all by the same difference."""
    by_pieces: dict[Pieces, list[str]] = defaultdict(list)
    for name, pieces in shorter.items():
        by_pieces[pieces].append(name)
    pairs: dict[Difference, list[tuple[str, str]]] = defaultdict(list)
    for name, pieces in longer.items():
        if len(pieces) > MOST_PIECES:
            continue
        for start in range(len(pieces)):
            for stop in range(start + 1, len(pieces) + 1):
                for other in by_pieces.get(pieces[start:stop], ()):
                    pairs[pieces[:start], pieces[stop:]].append((name, other))
    ranked = sorted(pairs.values(), key=len, reverse=True)
    if not ranked or len(ranked[0]) < enough:
        return []
    if len(ranked) > 1 and 2 * len(ranked[1]) > len(ranked[0]):
        return []
    counts = Counter(name for pair in ranked[0] for name in pair)
    return ranked[0] if max(counts.values()) == 1 else []


def _without_constant(names: dict[str, Pieces]) -> dict[str, Pieces]:
    """The names less the first and the last piece that most of them share."""
    if not names:
        return names
    first = Counter(pieces[:1] for pieces in names.values()).most_common(1)[0]
    last = Counter(pieces[-1:] for pieces in names.values()).most_common(1)[0]

    def less(pieces: Pieces) -> Pieces:
        if len(pieces) > 1 and first[1] >= MOST * len(names) and pieces[:1] == first[0]:
            pieces = pieces[1:]
        if len(pieces) > 1 and last[1] >= MOST * len(names) and pieces[-1:] == last[0]:
            pieces = pieces[:-1]
        return pieces

    return {name: less(pieces) for name, pieces in names.items()}
