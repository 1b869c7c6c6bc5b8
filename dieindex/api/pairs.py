"""The candidate pairs of one side, judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from dieindex.api.arguments import Coin, CoinNames, checked_path, two_coins
from dieindex.api.dies import Dies
from dieindex.api.notebook import table
from dieindex.api.pictures import Pictures
from dieindex.calibration.judge_pairs import JudgedPairs
from dieindex.calibration.verdict import verdict_of
from dieindex.clustering.find_dies import FoundDies, find_dies
from dieindex.clustering.numbering import name_dies
from dieindex.clustering.spread import Spread, spread_of
from dieindex.errors import CollectionError, UsageError
from dieindex.outputs import NOTHING_READ, Sources, check_output, write_text_output
from dieindex.records import Constraint, Flags, Floats, PairTable, PathLike, Side
from dieindex.text import counted, csv_text

if TYPE_CHECKING:
    from pandas import DataFrame

COLUMNS = ("coin_a", "coin_b", "distance", "probability", "verdict")
PAIR_SUFFIXES = (".csv",)
_SHOWN = 12
"""Pairs that a notebook shows, the likeliest first."""


def check_pairs_table(
    path: PathLike, *, force: bool = False, sources: Sources = NOTHING_READ
) -> None:
    """Raise as ``Pairs.to_csv`` where pairs could not be written to this file: before the work, not
    after it."""
    check_output(checked_path(path, "path"), PAIR_SUFFIXES, force=force, sources=sources)


@dataclass(frozen=True, eq=False, repr=False)
class Pairs:
    """The candidate pairs of one side, by coins, with their probabilities; see ``JudgedPairs``."""

    side: Side
    coins: Sequence[str]
    judgement: JudgedPairs = field(repr=False)
    """The pairs by positions in ``coins``: what clustering takes."""
    constraints: Sequence[Constraint] = field(default=(), repr=False)
    """What persons said of pairs, by positions in ``coins``."""
    pictures: Pictures | None = field(default=None, repr=False)
    sources: Sources = field(default=NOTHING_READ, repr=False)
    """What they were made of, which no table is ever written over."""

    def __len__(self) -> int:
        return len(self.judgement)

    @property
    def table(self) -> PairTable:
        """Positions, distances, and each pair's own log-likelihood ratio."""
        return self.judgement.table

    @property
    def probability(self) -> Floats:
        """``(m,)`` of one die, by all that the collection tells: what dies are made by."""
        return self.found.probability

    @property
    def prior(self) -> float:
        """The share of same-die pairs among all."""
        return self.found.prior

    @cached_property
    def found(self) -> FoundDies:
        """The dies that these pairs make."""
        return find_dies(self.judgement, self.constraints)

    @property
    def spread(self) -> Spread:
        """How the scores of these pairs lie, and from where two coins are joined."""
        return spread_of(self.judgement, self.found.labels, self.found.graph.kinds)

    @property
    def judged(self) -> Flags:
        """``(m,)``: False where the pictures tell nothing; unless a person said something, the
        probability is then the prior."""
        return self.judgement.judged

    @property
    def verified(self) -> Flags:
        """``(m,)``: whether the dense descriptors were compared and not only the vectors."""
        return self.judgement.verified

    def cluster(
        self,
        *,
        must_link: Iterable[tuple[Coin, Coin]] = (),
        cannot_link: Iterable[tuple[Coin, Coin]] = (),
    ) -> Dies:
        """The putative dies by these pairs alone, numbered afresh.

        ``must_link`` are pairs of coins known to be of one die, ``cannot_link`` of different ones.
        (``Index.cluster`` knows persons' verdicts, the sheet and the numbers that dies have.)
        Raises CollectionError for a coin that is not there, UsageError for what is no pair of two
        coins.
        """
        constraints = [
            *self._constraints(must_link, "must_link", True),
            *self._constraints(cannot_link, "cannot_link", False),
        ]
        found = self.found
        if constraints:
            found = find_dies(self.judgement, [*self.constraints, *constraints])
        return Dies(
            side=self.side,
            coins=self.coins,
            names=name_dies(found.labels.tolist(), self.coins, self.side),
            labels=found.labels,
            certainty=found.certainty,
            prior=found.prior,
            graph=found.graph,
            own_graph=found.own_graph,
            pictures=self.pictures,
            sources=self.sources,
            spread=spread_of(self.judgement, found.labels, found.graph.kinds),
        )

    def to_csv(self, path: PathLike, *, force: bool = False) -> None:
        """One row an unordered pair: ``coin_a,coin_b,distance,probability,verdict``.

        Raises UsageError for another suffix, and for a file that dieindex did not write, unless
        ``force`` says to replace it.
        """
        # All digits, so that rounding makes no ties.
        rows = (
            (a, b, f"{distance:.17g}", f"{probability:.17g}", verdict)
            for a, b, distance, probability, verdict in self._rows()
        )
        text = csv_text(chain([COLUMNS], rows))
        place = checked_path(path, "path")
        write_text_output(place, text, PAIR_SUFFIXES, force=force, sources=self.sources)

    def to_frame(self) -> DataFrame:
        """One row an unordered pair: ``coin_a, coin_b, distance, probability, verdict``."""
        import pandas as pd

        return pd.DataFrame(list(self._rows()), columns=list(COLUMNS))

    def __repr__(self) -> str:
        return (
            f"<Pairs: {counted(len(self), 'pair')} of {counted(len(self.coins), self.side)}, "
            f"prior {self.prior:.4f}>"
        )

    def _repr_html_(self) -> str:
        likely = sorted(self._rows(), key=lambda row: -row[3])
        header = [name.replace("_", " ") for name in COLUMNS]
        caption = f"{repr(self).strip('<>')}; the likeliest:"
        return table(header, likely[:_SHOWN], caption=caption)

    def _rows(self) -> Iterator[tuple[str, str, float, float, str]]:
        columns = zip(
            self.table.first.tolist(),
            self.table.second.tolist(),
            self.table.distance.tolist(),
            self.probability.tolist(),
            self.found.told.tolist(),
            strict=True,
        )
        for first, second, distance, probability, told in columns:
            verdict = verdict_of(probability) if told else "cannot tell"
            yield self.coins[first], self.coins[second], distance, probability, verdict

    def _constraints(
        self, given: Iterable[tuple[Coin, Coin]], name: str, same: bool
    ) -> Iterator[Constraint]:
        if not isinstance(given, Iterable):
            raise UsageError(f"{name}: give a list of pairs of coins, not {given!r}.")
        coins = CoinNames(self.coins)
        position = {coin: place for place, coin in enumerate(self.coins)}
        for pair in given:
            found = []
            for coin in two_coins(pair, name):
                called = coins.find(coin)
                if called is None:
                    raise CollectionError(f"{name}: {coin} is none of these coins.")
                found.append(called)
            if found[0] == found[1]:
                raise UsageError(f"{name}: {pair!r} is one coin twice; name two different coins.")
            yield Constraint(position[found[0]], position[found[1]], same)
