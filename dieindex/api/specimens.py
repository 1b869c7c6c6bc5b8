"""Photographs that show one and the same coin: proposed, never taken for one by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dieindex.api.arguments import checked_path
from dieindex.api.pairs import Pairs
from dieindex.api.reader import IndexReader
from dieindex.calibration.one_specimen import log_likelihood_ratio, probability
from dieindex.indexing.repeated import ALTERED, SAME_PICTURE, repeated_faces
from dieindex.outputs import NOTHING_READ, Sources, write_text_output
from dieindex.records import SIDES, Floats, Ints, PathLike, Side
from dieindex.review.verdicts import latest
from dieindex.storage.catalogue import Catalogue
from dieindex.text import csv_text, natural_key
from dieindex.verification.outlines import Apart, apart, outline

Basis = Literal["same picture", "same picture altered", "same specimen anew"]
ANEW: Basis = "same specimen anew"
COLUMNS = ("photo_a", "photo_b", "coin_a", "coin_b", "probability", "basis")
TABLE_SUFFIXES = (".csv",)
ALIKE_PICTURES = 0.99
"""Probability of one coin where two pictures are one but for their making."""


@dataclass(frozen=True)
class OneSpecimen:
    """Two photographs that may show one coin, the coins that they count as, how likely it is, and
    by what (``basis``)."""

    photo_a: str
    photo_b: str
    coin_a: str
    coin_b: str
    probability: float
    basis: Basis


def specimens_of(
    index: IndexReader, pairs: Mapping[Side, Pairs], least: float = 0.5
) -> list[OneSpecimen]:
    """The photographs of an index that may show one coin, the likeliest first; those of coins that
    a person held apart on a side are left out, and those that are one coin already.

    ``pairs`` are the judged pairs of both sides; ``least`` is the least probability, 0…1.
    """
    found = {frozenset((a, b)): each for (a, b), each in _alike(index).items()}
    for (a, b), each in _anew(index, pairs).items():
        if each.probability >= least:
            found.setdefault(frozenset((a, b)), each)
    apart_by_person = {each.pair for each in latest(index.said()) if each.verdict == "different"}
    return sorted(
        (each for pair, each in found.items() if pair not in apart_by_person),
        key=lambda each: (-each.probability, natural_key(each.coin_a), natural_key(each.coin_b)),
    )


def alike_pictures(index: IndexReader) -> list[OneSpecimen]:
    """Those of which the pictures are one, altered or not: what a build has seen already."""
    return list(_alike(index).values())


def _alike(index: IndexReader) -> dict[tuple[str, str], OneSpecimen]:
    with Catalogue.open(index.folder) as catalogue:
        alike = repeated_faces(catalogue)
    found: dict[tuple[str, str], OneSpecimen] = {}
    for each in alike:
        a, b = (index.leading.get(coin, coin) for coin in (each.coin_a, each.coin_b))
        if a == b:
            continue
        sure = 1.0 if each.basis == SAME_PICTURE else ALIKE_PICTURES
        told = OneSpecimen(each.file_a, each.file_b, a, b, sure, each.basis)
        if (a, b) not in found or found[a, b].basis == ALTERED:
            found[a, b] = told
    return found


def _anew(index: IndexReader, pairs: Mapping[Side, Pairs]) -> dict[tuple[str, str], OneSpecimen]:
    told = told_of_pairs(index, pairs)
    file = {
        coin: name
        for side in reversed(SIDES)
        for coin, name in zip(index.faces(side).coins, index.faces(side).files, strict=True)
    }
    found = {}
    for (a, b), sides in told.items():
        ratio = log_likelihood_ratio(list(sides.values()))
        sure = probability(ratio, len(index.coins), len(told))
        found[a, b] = OneSpecimen(file[a], file[b], a, b, sure, ANEW)
    return found


def told_of_pairs(
    index: IndexReader, pairs: Mapping[Side, Pairs]
) -> dict[tuple[str, str], dict[Side, Apart]]:
    """Of every two coins that look of one die on each side on which both can be judged: how their
    outlines lie on each of these sides."""
    names = index.coins
    place = {coin: at for at, coin in enumerate(names)}
    sides = {
        side: _Near(each, np.array([place[coin] for coin in each.coins], np.int64), len(names))
        for side, each in pairs.items()
        if len(each.coins)
    }
    keys = np.unique(np.concatenate([np.zeros(0, np.int64), *(e.keys for e in sides.values())]))
    first, second = keys // max(len(names), 1), keys % max(len(names), 1)
    may = np.ones(len(keys), bool)
    for each in sides.values():
        both = each.known[first] & each.known[second]
        may &= ~both | np.isin(keys, each.keys)
    outlines = {side: _Outlines(index, side) for side in sides}
    found: dict[tuple[str, str], dict[Side, Apart]] = {}
    for key, a, b in zip(*(each[may].tolist() for each in (keys, first, second)), strict=True):
        one, other = names[a], names[b]
        told = {}
        for side, each in sides.items():
            how_far = outlines[side].apart(one, other) if key in each else None
            if how_far is not None:
                told[side] = how_far
        if told:
            found[one, other] = told
    return found


class _Near:
    """The pairs of a side that rather look of one die, whatever the collection's dies are:
    ``keys`` of two places among all coins, in order; ``known`` are the coins of which the side can
    be judged."""

    def __init__(self, pairs: Pairs, place: Ints, n: int) -> None:
        near = pairs.judged & (pairs.judgement.score > 0)
        a, b = place[pairs.table.first[near]], place[pairs.table.second[near]]
        self.keys = np.sort(np.minimum(a, b) * n + np.maximum(a, b))
        self.known = np.zeros(n, bool)
        self.known[place] = ~pairs.found.graph.unjudged

    def __contains__(self, key: int) -> bool:
        at = int(np.searchsorted(self.keys, key))
        return at < len(self.keys) and bool(self.keys[at] == key)


class _Outlines:
    """The outlines of a side's flans about their design, each read when it is first asked for."""

    def __init__(self, index: IndexReader, side: Side) -> None:
        rows = index.faces(side)
        self._folder = index.folder
        self._face = {
            coin: face
            for coin, face, lies in zip(rows.coins, rows.ids.tolist(), rows.aligned, strict=True)
            if lies
        }
        self._known: dict[str, Floats] = {}

    def apart(self, one: str, other: str) -> Apart | None:
        """How far those of two coins lie apart; None where one is not known."""
        first, second = self._outline(one), self._outline(other)
        return None if first is None or second is None else apart(first, second)

    def _outline(self, coin: str) -> Floats | None:
        if coin not in self._known and coin in self._face:
            with Catalogue.open(self._folder) as catalogue:
                _, mask = catalogue.picture_of(self._face[coin])
                to_frame = catalogue.place_of(self._face[coin])
            if to_frame is not None:
                self._known[coin] = outline(mask, to_frame)
        return self._known.get(coin)


def write_specimens(
    found: Sequence[OneSpecimen],
    path: PathLike,
    *,
    force: bool = False,
    sources: Sources = NOTHING_READ,
) -> None:
    """Write the table of ``COLUMNS``. Raises UsageError for another suffix than .csv, and for a
    file that dieindex did not write, unless ``force`` says to replace it."""
    rows = [
        (e.photo_a, e.photo_b, e.coin_a, e.coin_b, f"{e.probability:.6g}", e.basis) for e in found
    ]
    text = csv_text([COLUMNS, *rows])
    write_text_output(
        checked_path(path, "path"), text, TABLE_SUFFIXES, force=force, sources=sources
    )
