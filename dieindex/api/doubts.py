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
from dieindex.records import Ints
from dieindex.text import some_of

if TYPE_CHECKING:
    from pandas import DataFrame

UNJUDGED = (
    "nothing could be told of it: it lies on no frame, or shows too little; this is the largest "
    "die that it may be of"
)


@dataclass(frozen=True)
class NearMiss:
    """Two dies that may be one.

    ``coin`` and ``other_coin`` are the likeliest pair between them that no person has looked at,
    ``mean`` the mean score of all pairs (nats), ``probability`` 0…1 that of one die, ``change``
    that times the pairs of coins that would join.
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
    """A die, or a part of one, that may be two.

    ``part`` are the coins that would part from the others. ``coin`` and ``other_coin`` are a pair
    between both that no person has looked at, of coins typical of both that says "different",
    ``weight`` (nats) what it says; ``cut`` pairs between both that say "same", the strongest first.
    ``probability`` 0…1 is that of two dies, ``change`` that times the pairs that would part.
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
    the sheet). ``compare`` is the pair that says so most. ``own`` and ``other`` are log-odds
    (nats) that the coin is of each, ``evidence`` nats against the label, ``change`` the probability
    of an error times the pairs of coins that would part or join.
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
    """Something worth a look: ``coin`` and ``other_coin`` are to be compared.

    ``what`` is "near miss": ``die`` and ``other_die`` may be one; "contradiction": ``part`` of the
    ``die`` may be another; "coin": ``coin`` may belong to ``other_die``. ``probability`` 0…1 is
    that of this, ``change`` that times the pairs of coins that would join or part.
    """

    what: str
    die: str
    other_die: str | None
    coin: str
    other_coin: str
    part: tuple[str, ...]
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


@dataclass(frozen=True)
class Names:
    """What positions go by: the ``coins`` of ``labels`` ``(n,)``, and the die of a label."""

    labels: Ints
    coins: Sequence[str]
    die: Callable[[int], str]

    def die_of(self, place: int) -> str:
        return self.die(int(self.labels[place]))

    def coins_at(self, places: Sequence[int]) -> tuple[str, ...]:
        return tuple(self.coins[place] for place in places)


def near_misses(found: Sequence[doubts.NearMiss], names: Names) -> Listed[NearMiss]:
    """Pairs of dies that may be one."""
    return Listed(
        NearMiss,
        [
            NearMiss(
                names.die_of(each.pair[0]),
                names.die_of(each.pair[1]),
                names.coins[each.pair[0]],
                names.coins[each.pair[1]],
                each.mean,
                each.probability,
                each.change,
            )
            for each in found
        ],
    )


def contradictions(found: Sequence[doubts.Contradiction], names: Names) -> Listed[Contradiction]:
    """Dies that may be two."""
    return Listed(
        Contradiction,
        [
            Contradiction(
                names.die(each.die),
                names.coins[each.pair[0]],
                names.coins[each.pair[1]],
                each.weight,
                names.coins_at(each.part),
                tuple((names.coins[a], names.coins[b]) for a, b in each.cut),
                each.probability,
                each.change,
            )
            for each in found
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


def cases(found: Sequence[doubts.Look], names: Names) -> Listed[Case]:
    """What is worth a look, in words."""
    return Listed(Case, [_case(each, names) for each in found])


def _case(look: doubts.Look, names: Names) -> Case:
    coin, other = look.pair
    other_die: str | None = names.die_of(other)
    part: tuple[str, ...] = ()
    match look:
        case doubts.NearMiss():
            what = "near miss"
            why = (
                f"{names.die_of(coin)} and {other_die} may be one die: these two coins are the "
                "likeliest pair"
            )
        case doubts.Contradiction():
            what, other_die = "contradiction", None
            part = names.coins_at(look.part)
            again = "; ".join(f"{names.coins[a]} and {names.coins[b]}" for a, b in look.cut)
            why = f"may be two dies. Would part: {some_of(list(part))}." + (
                f" Look again at {again}." if again else ""
            )
        case doubts.Misplaced():
            what = "coin"
            if coin != look.face:
                coin, other = other, coin
            other_die = names.die_of(other)
            why = UNJUDGED if look.unjudged else f"may belong to {other_die}"
    return Case(
        what,
        names.die_of(coin),
        other_die,
        names.coins[coin],
        names.coins[other],
        part,
        look.probability,
        look.change,
        why,
    )
