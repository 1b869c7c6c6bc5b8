"""What is shown of coins that a person looks at: where their faces are, what is known of them, and
what the machine says of a pair, when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from dieindex.api.aligned_views import known_pair
from dieindex.api.arranging import surest_first
from dieindex.api.dies import Dies
from dieindex.api.index import Index
from dieindex.api.pairs import Pairs
from dieindex.api.seen import SeenFace
from dieindex.api.verdicts import why_apart
from dieindex.calibration.verdict import verdict_of
from dieindex.clustering.membership import Memberships, memberships, pair_probabilities
from dieindex.errors import CollectionError
from dieindex.records import Face, Floats, Ints, Review, Side, other_side
from dieindex.verification.agreement import Agreement


@dataclass(frozen=True)
class Sheet:
    """What the sheet says of a coin: its die on a side, None where it says none, and every other
    column."""

    die: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ShownCoin:
    """A coin on one side: its die and how sure 0…1, its face, the photograph's file, why the face
    lies on no frame (None: it does), whether it was found for sure, its face and die on the other
    side (None: it shows none), and what the sheet says."""

    coin: str
    die: str
    certainty: float
    face: int
    file: str
    unaligned: str | None
    sure: bool
    other_face: int | None
    other_die: str | None
    sheet: Sheet


@dataclass(frozen=True)
class ShownPair:
    """Two coins side by side. ``apart`` says why their faces do not lie on each other (None: they
    do); where they were aligned to each other, ``moved`` is the face that moved, and ``place``
    ``(3, 3)`` where it lies on the other's frame. ``reviews`` is what persons said of this pair on
    this side, the earliest first."""

    side: Side
    a: ShownCoin
    b: ShownCoin
    apart: str | None
    moved: int | None
    place: Floats | None
    reviews: tuple[Review, ...]


@dataclass(frozen=True)
class Opinion:
    """What the machine says of a pair: the probability 0…1 of one die by all that the collection
    tells, the verdict that makes, and whether the pair was judged at all; where its details agree,
    where these can be compared."""

    probability: float
    verdict: str
    compared: bool
    agreement: Agreement | None


@dataclass(frozen=True)
class Candidate:
    """A die that a coin may belong to: how likely 0…1, the coin of it to compare with, and how many
    coins it has. ``die`` None is a die of its own, which has no coin."""

    die: str | None
    probability: float
    coin: str | None
    face: int | None
    coins: int


OtherSide = Callable[[], Mapping[str, str]]
"""The die of every coin on the other side, as it was found last."""


class Desk:
    """One side as a person looks at it: coins by name, dies as they are now."""

    def __init__(self, index: Index, pairs: Pairs, dies: Dies, other: OtherSide) -> None:
        self._index, self._pairs, self._dies, self._other = index, pairs, dies, other
        rows = index.faces(dies.side)
        self._place = {coin: position for position, coin in enumerate(dies.coins)}
        self._row = {coin: position for position, coin in enumerate(rows.coins)}
        self._rows = rows
        beyond = index.faces(other_side(dies.side))
        self._beyond = dict(zip(beyond.coins, beyond.ids.tolist(), strict=True))
        self._sheet = index.sheet_coins()

    def coin(self, coin: str) -> ShownCoin:
        """Raises CollectionError for a coin that does not show this side."""
        if coin not in self._place:
            raise CollectionError(f"{coin} shows no {self._dies.side} in this index.")
        at, row = self._place[coin], self._row[coin]
        known = self._sheet.get(coin)
        said = Sheet() if known is None else Sheet(known.dies.get(self._dies.side), known.columns)
        return ShownCoin(
            coin,
            self._dies.names[at],
            float(self._dies.certainty[at]),
            int(self._rows.ids[row]),
            self._rows.files[row],
            None if self._rows.aligned[row] else self._rows.unaligned[row] or "",
            bool(self._rows.sure[row]),
            self._beyond.get(coin),
            self._other().get(coin),
            said,
        )

    def pair(self, a: str, b: str) -> ShownPair:
        """Two coins side by side. Raises as ``coin``."""
        first, second = self.coin(a), self.coin(b)
        rows = [self._row[coin] for coin in (a, b)]
        place, _ = known_pair(self._index, *(self._seen(row) for row in rows))
        moved = None if place is None else place.moved
        apart = None if place is not None else why_apart(*(self._seen(row) for row in rows))
        # (As they are now; the dies may be found anew only in a moment.)
        reviews = self._index.reviews(self._dies.side)
        said = tuple(each for each in reviews if each.pair == frozenset((a, b)))
        return ShownPair(
            self._dies.side, first, second, apart, moved,
            None if place is None else place.place, said,
        )  # fmt: skip

    def opinion(self, a: str, b: str) -> Opinion:
        """What the machine says of two coins. Raises as ``coin``."""
        for coin in (a, b):
            self.coin(coin)
        table, places = self._pairs.table, sorted((self._place[a], self._place[b]))
        listed = np.flatnonzero((table.first == places[0]) & (table.second == places[1]))
        probability, told = self._dies.prior, False
        if len(listed):
            # (Of the dies as they are now, verdicts included.)
            ends = table.first[listed], table.second[listed]
            given = pair_probabilities(*ends, self._dies.labels, self._dies.graph)
            probability, told = float(given[0]), bool(self._pairs.judged[listed[0]])
        return Opinion(
            probability,
            verdict_of(probability) if told else "cannot tell",
            bool(len(listed)),
            self._agreement(a, b),
        )

    def candidates(self, coin: str, most: int = 9) -> list[Candidate]:
        """The dies that a coin may belong to, the likeliest first, one of its own last; its own die
        is told by its other coins."""
        shown = self.coin(coin)
        at, labels = self._place[coin], self._dies.labels
        known = self._memberships
        mine = known.face == at
        odds = np.exp(known.log_odds[mine])
        share = odds / (1.0 + odds.sum())
        found: list[Candidate] = []
        for k in np.argsort(-share, kind="stable").tolist():
            die = self._candidate(at, int(known.die[mine][k]), float(share[k]))
            if die is not None and len(found) < most:
                found.append(die)
        if not any(each.die == shown.die for each in found):
            own = self._candidate(at, int(labels[at]), 0.0)
            found += [] if own is None else [own]
        return [*found, Candidate(None, float(1.0 / (1.0 + odds.sum())), None, None, 0)]

    def _candidate(self, at: int, die: int, probability: float) -> Candidate | None:
        """A die beside a coin; None where it has no other coin."""
        members = np.flatnonzero(self._dies.labels == die)
        members = members[members != at]
        if not len(members):
            return None
        best = self._likest(at, members)
        coin = self._dies.coins[best]
        face = int(self._rows.ids[self._row[coin]])
        return Candidate(self._dies.names[best], probability, coin, face, len(members))

    def neighbours(self, die: str, most: int = 8) -> list[Candidate]:
        """Other dies that may be one with this one, the likeliest first, each by its surest
        coin."""
        found: dict[str, float] = {}
        for miss in self._dies.near_misses:
            if die in (miss.die, miss.other_die):
                other = miss.other_die if miss.die == die else miss.die
                found[other] = max(found.get(other, 0.0), miss.probability)
        beside = []
        for other, probability in sorted(found.items(), key=lambda item: -item[1])[:most]:
            best, size = surest_first(self._dies, other)[0], len(self._dies.clusters[other])
            beside.append(Candidate(other, probability, best, self.coin(best).face, size))
        return beside

    def _likest(self, at: int, members: Ints) -> int:
        """The one of ``members`` whose pair with the coin says "same" most; the surest where none
        was compared."""
        graph = self._dies.graph
        mine = (graph.first == at) | (graph.second == at)
        beside = np.where(graph.first[mine] == at, graph.second[mine], graph.first[mine])
        wanted = np.isin(beside, members)
        if wanted.any():
            return int(beside[wanted][np.argmax(graph.weight[mine][wanted])])
        return int(members[np.argmax(self._dies.certainty[members])])

    @cached_property
    def _memberships(self) -> Memberships:
        return memberships(self._dies.labels, self._dies.graph)

    def _seen(self, row: int) -> SeenFace:
        rows = self._rows
        return SeenFace(
            rows.vectors[row],
            None if rows.aligned[row] else rows.unaligned[row],
            _not_rendered,
            int(rows.frame[row]),
            number=int(rows.ids[row]),
        )

    def _agreement(self, a: str, b: str) -> Agreement | None:
        if self._index.verification is None:
            return None
        compared = self._index.compare(a, b, self._dies.side)
        return compared.agreement(self._dies.side) if compared.side(self._dies.side) else None


def _not_rendered() -> Face:
    raise AssertionError("a face that is only looked up")
