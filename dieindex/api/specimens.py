"""Photographs that show one and the same coin: proposed, never taken for one by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from dieindex.api.arguments import checked_path
from dieindex.api.reader import IndexReader
from dieindex.calibration.one_specimen import log_likelihood_ratio, probability
from dieindex.clustering.graph import SignedGraph
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


class WithGraph(Protocol):
    """Coins of a side, and the graph of what their pairs say: ``Dies`` are such."""

    @property
    def coins(self) -> Sequence[str]: ...

    @property
    def graph(self) -> SignedGraph: ...


def specimens_of(
    index: IndexReader, sides: Mapping[Side, WithGraph], least: float = 0.5
) -> list[OneSpecimen]:
    """The photographs of an index that may show one coin, the likeliest first; those of coins that
    a person held apart on a side are left out, and those that are one coin already.

    ``sides`` are those that were judged; ``least`` is the least probability, 0…1.
    """
    found = {frozenset((a, b)): each for (a, b), each in _alike(index).items()}
    for (a, b), each in _anew(index, sides).items():
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


def _anew(
    index: IndexReader, sides: Mapping[Side, WithGraph]
) -> dict[tuple[str, str], OneSpecimen]:
    told = told_of_pairs(index, sides)
    file = {
        coin: name
        for side in reversed(SIDES)
        for coin, name in zip(index.faces(side).coins, index.faces(side).files, strict=True)
    }
    found = {}
    for (a, b), outlines in told.items():
        ratio = log_likelihood_ratio(list(outlines.values()))
        sure = probability(ratio, len(index.coins), len(told))
        found[a, b] = OneSpecimen(file[a], file[b], a, b, sure, ANEW)
    return found


def told_of_pairs(
    index: IndexReader, sides: Mapping[Side, WithGraph]
) -> dict[tuple[str, str], dict[Side, Apart]]:
    """Of every two coins that look of one die on each side on which both can be judged: how their
    outlines lie on each of these sides."""
    names = index.coins
    place = {coin: at for at, coin in enumerate(names)}
    near = {
        side: _Near(
            each.graph, np.array([place[coin] for coin in each.coins], np.int64), len(names)
        )
        for side, each in sides.items()
        if len(each.coins)
    }
    keys = np.unique(np.concatenate([np.zeros(0, np.int64), *(e.keys for e in near.values())]))
    first, second = keys // max(len(names), 1), keys % max(len(names), 1)
    may = np.ones(len(keys), bool)
    for each in near.values():
        both = each.known[first] & each.known[second]
        may &= ~both | np.isin(keys, each.keys)
    keys, first, second = keys[may], first[may], second[may]
    found: dict[tuple[str, str], dict[Side, Apart]] = {}
    for side, each in near.items():
        here = np.isin(keys, each.keys)
        pairs = [
            (names[a], names[b])
            for a, b in zip(first[here].tolist(), second[here].tolist(), strict=True)
        ]
        outlines = _outlines(index, side, {coin for pair in pairs for coin in pair})
        for one, other in pairs:
            if (
                one in outlines
                and other in outlines
                and outlines[one].frame == outlines[other].frame
            ):
                how_far = apart(outlines[one].edge, outlines[other].edge)
                if how_far is not None:
                    found.setdefault((one, other), {})[side] = how_far
    return found


class _Near:
    """The pairs of a side that rather look of one die, whatever the collection's dies are:
    ``keys`` of two places among all coins, in order; ``known`` are the coins of which the side can
    be judged."""

    def __init__(self, graph: SignedGraph, place: Ints, n: int) -> None:
        near = graph.score > 0
        a, b = place[graph.first[near]], place[graph.second[near]]
        self.keys = np.sort(np.minimum(a, b) * n + np.maximum(a, b))
        self.known = np.zeros(n, bool)
        self.known[place] = ~graph.unjudged


@dataclass(frozen=True, eq=False)
class _Outline:
    """The ``edge`` of a flan about the design on a ``frame``."""

    frame: int
    edge: Floats


def _outlines(index: IndexReader, side: Side, coins: Set[str]) -> dict[str, _Outline]:
    """Of those of these coins whose face lies on a frame."""
    rows = index.faces(side)
    faces = zip(rows.coins, rows.ids.tolist(), rows.frame.tolist(), rows.aligned, strict=True)
    found = {}
    with Catalogue.open(index.folder) as catalogue:
        for coin, face, frame, lies in faces:
            to_frame = catalogue.place_of(face) if lies and coin in coins else None
            if to_frame is not None:
                found[coin] = _Outline(frame, outline(catalogue.mask_of(face), to_frame))
    return found


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
