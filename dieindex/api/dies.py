"""The dies that were found on one side of a collection."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dieindex.api import doubts
from dieindex.api.arguments import known_dies
from dieindex.api.labels import read_labels
from dieindex.api.notebook import MOST_ROWS, Content, image, table
from dieindex.api.pictures import Pictures
from dieindex.clustering.certainty import (
    DieCount,
    ExpectedWrong,
    cohesions,
    count_dies,
    expected_wrong,
)
from dieindex.clustering.doubts import Doubts, Look, worth_looking
from dieindex.clustering.graph import SignedGraph
from dieindex.clustering.spread import Spread
from dieindex.errors import DieIndexError
from dieindex.evaluation.scores import score_dies
from dieindex.outputs import NOTHING_READ, Sources
from dieindex.records import Face, Floats, Ints, PathLike, Review, Side
from dieindex.review.verdicts import latest
from dieindex.text import counted, natural_key

if TYPE_CHECKING:
    from pandas import DataFrame

_MOST_NAMED = 12
"""Coins of a die that a notebook names."""


@dataclass(frozen=True, eq=False, repr=False)
class Dies:
    """Putative dies of one side; every coin is in exactly one.

    ``names[i]`` is the die of ``coins[i]`` (``O1``, ``O2`` … or ``R1`` …), ``labels`` ``(n,)`` the
    same in numbers from 0, ``certainty`` ``(n,)`` 0…1 how sure its place is.
    """

    side: Side
    coins: Sequence[str]
    names: Sequence[str]
    labels: Ints
    certainty: Floats
    prior: float
    """The share of same-die pairs among all."""
    graph: SignedGraph = field(repr=False)
    """What was clustered: evidence between positions in ``coins``, with constraints."""
    own_graph: SignedGraph = field(repr=False)
    """The same without what a trusted sheet says."""
    sheet: Mapping[str, str] = field(default_factory=dict)
    """What the sheet says: its dies by coin. They only score."""
    files: Mapping[str, str] = field(default_factory=dict)
    """The coin of every photograph, by which another sheet's rows are matched."""
    scored_names: Sequence[str] | None = None
    """Dies of a run that did not know the sheet, where the sheet was trusted: these are scored."""
    changes: Sequence[str] = ()
    """What became of die numbers since they were last kept."""
    reviews: Sequence[Review] = ()
    """Persons' verdicts on this side, all that were ever given."""
    pictures: Pictures | None = field(default=None, repr=False)
    """Where pictures of the coins are had from."""
    sources: Sources = field(default=NOTHING_READ, repr=False)
    """What they were made of, which no table is ever written over."""
    spread: Spread | None = field(default=None, repr=False)
    """How the scores of pairs lie, and from where two coins are joined."""

    def __len__(self) -> int:
        return len(self.clusters)

    @cached_property
    def clusters(self) -> dict[str, list[str]]:
        """Coins by die, dies in the order of their numbers."""
        found: dict[str, list[str]] = {}
        for coin, name in zip(self.coins, self.names, strict=True):
            found.setdefault(name, []).append(coin)
        return {name: found[name] for name in sorted(found, key=natural_key)}

    @cached_property
    def die_of(self) -> dict[str, str]:
        """The die of every coin."""
        return dict(zip(self.coins, self.names, strict=True))

    @cached_property
    def count(self) -> DieCount | None:
        """The number of dies with an interval that tells how far to trust it; None without
        coins."""
        return count_dies(self.labels, self.graph) if len(self.coins) else None

    @cached_property
    def cohesion(self) -> dict[str, float | None]:
        """Of each die, how likely 0…1 a coin of it belongs there, in the mean over its coins; None
        for a die of one coin, or of which no pair was compared."""
        each = cohesions(self.labels, self.graph)
        values = {name: float(each[die]) for name, die in zip(self.names, self.labels, strict=True)}
        return {name: None if np.isnan(value) else value for name, value in values.items()}

    # what is worth a look

    @cached_property
    def contradictions(self) -> doubts.Listed[doubts.Contradiction]:
        """Dies that may be two, those first where a look would change most."""
        return doubts.contradictions(self._doubts.contradictions, self._known_as)

    @cached_property
    def near_misses(self) -> doubts.Listed[doubts.NearMiss]:
        """Pairs of dies that may be one, those first where a look would change most."""
        return doubts.near_misses(self._doubts.near_misses, self._known_as)

    @cached_property
    def suspects(self) -> doubts.Listed[doubts.SuspectedError]:
        """The sheet's labels that the pictures contradict strongly, those first where a look would
        change most."""
        return doubts.suspected_errors(self.sheet, self.own_graph, self.coins)

    @cached_property
    def to_look_at(self) -> doubts.Listed[doubts.Case]:
        """Near misses, contradictions and coins that may belong elsewhere in one list, each a pair
        of coins that no person has looked at, that first which would change most."""
        return doubts.cases(self._looks, self._known_as)

    @cached_property
    def worth_looking(self) -> int:
        """How many looks of ``to_look_at`` change something with a probability of 0.05 at least;
        where it is 0, looking has stopped being worth it."""
        return worth_looking(self._looks)

    @cached_property
    def expected_wrong(self) -> ExpectedWrong:
        """How many ``coins`` are expected to be in a wrong place, and how many ``pairs`` of coins
        to be of one die wrongly."""
        return expected_wrong(self.labels, self.certainty)

    @cached_property
    def _looks(self) -> list[Look]:
        return self._doubts.looks()

    @cached_property
    def _doubts(self) -> Doubts:
        place = {coin: position for position, coin in enumerate(self.coins)}
        looked = latest(self.reviews)
        pairs = [(place.get(r.coin_a, -1), place.get(r.coin_b, -1)) for r in looked]
        seen = np.array(pairs, np.int64).reshape(-1, 2)
        return Doubts.of(self.labels, self.graph, seen[(seen >= 0).all(1)])

    @property
    def _known_as(self) -> doubts.Names:
        return doubts.Names(self.labels, self.coins, self._name)

    @property
    def refused(self) -> list[str]:
        """Persons' verdicts that contradict later ones by way of other coins, and do not count."""
        return [each.source for each in self.graph.refused if each.source != "the sheet"]

    def score(self, labels: PathLike | Mapping[Any, Any] | None = None) -> dict[str, Any] | None:
        """Scores against a sheet, a mapping coin → die, or the index's own sheet.

        None where no coin has a label. Where a sheet was trusted, the run without it is scored.
        Raises CollectionError for an id in a mapping that none of the coins has.
        """
        true: Mapping[str, Hashable]
        if labels is None:
            true = self.sheet
        elif isinstance(labels, (str, os.PathLike)):
            true = read_labels(Path(labels), self.files)[self.side]
        else:
            true = known_dies(labels, [*self.coins, *self.files.values()], "labels")
        names = self.scored_names or self.names
        return score_dies(dict(zip(self.coins, names, strict=True)), true)

    # as a table

    def to_frame(self) -> DataFrame:
        """A row a coin: ``coin``, ``side``, ``die``, ``certainty``."""
        import pandas as pd

        return pd.DataFrame(
            {
                "coin": list(self.coins),
                "side": self.side,
                "die": list(self.names),
                "certainty": self.certainty,
            }
        )

    def __repr__(self) -> str:
        singles = sum(len(coins) == 1 for coins in self.clusters.values())
        return (
            f"<Dies of {counted(len(self.coins), self.side)}: {counted(len(self), 'die')}, "
            f"{singles} known from one coin>"
        )

    def _repr_html_(self) -> str:
        """A table of the dies, largest first, each with the picture of its surest coin."""
        sure = dict(zip(self.coins, self.certainty.tolist(), strict=True))
        largest = sorted(self.clusters.items(), key=lambda item: -len(item[1]))
        best = {name: max(coins, key=lambda coin: sure[coin]) for name, coins in largest}
        faces: Mapping[str, Face] = {}
        if self.pictures is not None:
            shown = [best[name] for name, _ in largest[:MOST_ROWS]]
            # (The index may be gone, or elsewhere by now.)
            with suppress(DieIndexError):
                faces = self.pictures.faces(self.side, shown)
        rows: list[list[Content]] = []
        for name, coins in largest:
            face = faces.get(best[name])
            more = "" if len(coins) <= _MOST_NAMED else f" and {len(coins) - _MOST_NAMED} more"
            listed = ", ".join(coins[:_MOST_NAMED]) + more
            rows.append(
                [None if face is None else image(face), name, len(coins), listed, sure[best[name]]]
            )
        header = ["", "die", "coins", "which", "certainty"]
        return table(header, rows, caption=repr(self).strip("<>"))

    @cached_property
    def _name_of(self) -> dict[int, str]:
        return dict(zip(self.labels.tolist(), self.names, strict=True))

    def _name(self, label: int) -> str:
        return self._name_of[label]
