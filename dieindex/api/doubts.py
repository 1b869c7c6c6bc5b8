"""What a person should look at, by the names of coins and dies.

The stage ``clustering.doubts`` finds it by positions; here it becomes what a person reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from dieindex.api.notebook import Content, table
from dieindex.clustering import doubts
from dieindex.clustering.graph import SignedGraph
from dieindex.records import Flags, Floats, Ints
from dieindex.text import some_of

if TYPE_CHECKING:
    from pandas import DataFrame

DOUBTFUL_BELOW = 0.8
"""Certainty below which a coin is listed among the doubtful cases."""
MOST_CASES = 300
UNJUDGED = "nothing could be told of it: it lies on no frame, or shows too little"


@dataclass(frozen=True)
class NearMiss:
    """Two dies that may be one.

    ``coin`` and ``other_coin`` are the likeliest pair between them, ``mean`` the mean weight of all
    such pairs (nats), ``probability`` 0…1 that of one die, ``change`` that times the pairs of coins
    that would join.
    """

    die: str
    other_die: str
    coin: str
    other_coin: str
    mean: float
    probability: float
    change: float


@dataclass(frozen=True)
class Contradiction:
    """A die in which two coins, ``coin`` and ``other_coin``, seem to be of different dies.

    ``weight`` (nats, negative) is what their pair says. ``part`` are the coins that would likeliest
    part from the others; ``cut`` the pairs whose "same" would then have been wrong, the strongest
    first. ``probability`` 0…1 is that of two dies, ``change`` that times the pairs that would part.
    """

    die: str
    coin: str
    other_coin: str
    weight: float
    part: tuple[str, ...]
    cut: tuple[tuple[str, str], ...]
    probability: float
    change: float


@dataclass(frozen=True)
class SuspectedError:
    """A label of the sheet that the pictures contradict.

    The sheet says ``sheet`` of ``coin``; its pictures point to ``rather`` (None: to no other die of
    the sheet). ``compare`` is the pair that says so most. ``own`` and ``other`` are mean weights
    (nats) to the coins of each, ``evidence`` nats against the label, ``change`` the probability of
    an error times the pairs of coins that would part or join.
    """

    coin: str
    sheet: str
    rather: str | None
    compare: tuple[str, str]
    own: float
    other: float
    evidence: float
    change: float


@dataclass(frozen=True)
class Case:
    """Something worth a look: a near miss, a contradiction, or a coin of little certainty.

    ``probability`` is that of one die for a near miss, of two dies for a contradiction, and the
    certainty of its die for a coin; ``change`` tells how much would turn.
    """

    what: str
    die: str
    other_die: str | None
    coin: str
    other_coin: str | None
    probability: float
    change: float
    why: str


Found = TypeVar("Found")


class Listed(list[Found]):
    """Doubts of one kind, those first where a look would change most."""

    def __init__(self, kind: type[Found], found: Sequence[Found] = ()) -> None:
        super().__init__(found)
        self._kind = kind
        self._names = list(kind.__annotations__)

    def to_frame(self) -> DataFrame:
        """A row each; columns are the attributes of what is listed."""
        import pandas as pd

        names = self._names
        return pd.DataFrame([[getattr(one, n) for n in names] for one in self], columns=names)

    def __repr__(self) -> str:
        names = [" and ".join(_coins(one)) for one in self]
        return f"<{len(self)} x {self._kind.__name__}: {some_of(names)}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._kind, list(self))

    def _repr_html_(self) -> str:
        rows = [[_shown(getattr(one, name)) for name in self._names] for one in self]
        return table(self._names, rows)


def _coins(one: object) -> list[str]:
    """The coin, or the pair of coins, that a doubt is about."""
    pair = (getattr(one, "coin", None), getattr(one, "other_coin", None))
    return [coin for coin in pair if coin is not None]


def _shown(value: object) -> Content:
    if isinstance(value, tuple):
        return "; ".join(" and ".join(each) if isinstance(each, tuple) else each for each in value)
    return cast(Content, value)


def near_misses(
    labels: Ints, graph: SignedGraph, coins: Sequence[str], name_of: Callable[[int], str]
) -> Listed[NearMiss]:
    """Pairs of dies that may be one; ``name_of`` a number in ``labels`` is the die's name."""
    found = doubts.near_misses(labels, graph)
    return Listed(
        NearMiss,
        [
            NearMiss(
                name_of(int(labels[each.pair[0]])),
                name_of(int(labels[each.pair[1]])),
                coins[each.pair[0]],
                coins[each.pair[1]],
                each.mean,
                each.probability,
                each.change,
            )
            for each in found
        ],
    )


def contradictions(
    labels: Ints, graph: SignedGraph, coins: Sequence[str], name_of: Callable[[int], str]
) -> Listed[Contradiction]:
    """Dies in which pairs say "different"."""
    return Listed(
        Contradiction,
        [
            Contradiction(
                name_of(each.die),
                coins[each.pair[0]],
                coins[each.pair[1]],
                each.weight,
                tuple(coins[place] for place in each.part),
                tuple((coins[a], coins[b]) for a, b in each.cut),
                each.probability,
                each.change,
            )
            for each in doubts.contradictions(labels, graph)
        ],
    )


def suspected_errors(
    sheet: Mapping[str, str], graph: SignedGraph, coins: Sequence[str]
) -> Listed[SuspectedError]:
    """The sheet's labels that the pictures contradict strongly."""
    found = doubts.suspected_errors([sheet.get(coin) for coin in coins], graph)
    return Listed(
        SuspectedError,
        [
            SuspectedError(
                coins[each.face],
                each.die,
                each.better,
                (coins[each.pair[0]], coins[each.pair[1]]),
                each.own,
                each.other,
                each.evidence,
                each.change,
            )
            for each in found
        ],
    )


def cases(
    coins: Sequence[str],
    names: Sequence[str],
    certainty: Floats,
    unjudged: Flags | None,
    misses: Sequence[NearMiss],
    against: Sequence[Contradiction],
) -> Listed[Case]:
    """What is worth a look, that first which would change most: near misses, contradictions, and
    coins of little certainty that are in neither."""
    found: list[Case] = []
    shown: set[str] = set()
    for miss in misses[:MOST_CASES]:
        shown |= {miss.coin, miss.other_coin}
        why = (
            f"{miss.die} and {miss.other_die} may be one die: these two coins are the likeliest "
            "pair"
        )
        found.append(
            Case(
                "near miss",
                miss.die,
                miss.other_die,
                miss.coin,
                miss.other_coin,
                miss.probability,
                miss.change,
                why,
            )
        )
    for each in against[:MOST_CASES]:
        shown |= {each.coin, each.other_coin}
        again = "; ".join(f"{a} and {b}" for a, b in each.cut)
        why = (
            "in one die, but the pictures say different. Likeliest to part from it: "
            f"{', '.join(each.part[:8])}." + (f" Look again at {again}." if again else "")
        )
        found.append(
            Case(
                "contradiction",
                each.die,
                each.die,
                each.coin,
                each.other_coin,
                each.probability,
                each.change,
                why,
            )
        )
    size: dict[str, int] = {}
    for name in names:
        size[name] = size.get(name, 0) + 1
    for place, sure in enumerate(certainty.tolist()):
        if sure < DOUBTFUL_BELOW and coins[place] not in shown:
            change = (1.0 - sure) * max(size[names[place]] - 1, 1)
            why = UNJUDGED if unjudged is not None and unjudged[place] else "its die is little sure"
            found.append(Case("coin", names[place], None, coins[place], None, sure, change, why))
    found.sort(key=lambda case: -case.change)
    return Listed(Case, found[:MOST_CASES])
