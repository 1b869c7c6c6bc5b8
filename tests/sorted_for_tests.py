"""Dies of made-up pairs with what persons said of them, as an index under review finds them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from dieindex.api.dies import Dies
from dieindex.calibration.judge_pairs import JudgedPairs
from dieindex.clustering.find_dies import find_dies
from dieindex.clustering.numbering import name_dies
from dieindex.records import OBVERSE, Review
from dieindex.review.moves import Arrangement, missing
from dieindex.review.verdicts import constraints_of


def names_of(n: int) -> list[str]:
    """The coins' names: a, b, c …"""
    return [chr(ord("a") + place) for place in range(n)]


def said(a: str, b: str, verdict: str, number: int = 1, by: str = "A") -> Review:
    return Review(a, b, OBVERSE, verdict, by, "", "2026-01-01T00:00:00Z", number)


def dies_of(
    pairs: JudgedPairs, reviews: Sequence[Review] = (), sheet: Mapping[str, str] | None = None
) -> Dies:
    """Their dies by all that was said; numbered afresh."""
    coins = names_of(pairs.n)
    found = find_dies(pairs, constraints_of(reviews, coins))
    return Dies(
        side=OBVERSE,
        coins=coins,
        names=name_dies(found.labels.tolist(), coins, OBVERSE),
        labels=found.labels,
        certainty=found.certainty,
        prior=found.prior,
        graph=found.graph,
        own_graph=found.own_graph,
        sheet=sheet or {},
        reviews=reviews,
    )


def arranged(
    pairs: JudgedPairs,
    sort: Callable[[Dies], Arrangement],
    reviews: Iterable[Review] = (),
    by: str = "A",
) -> tuple[Dies, list[Review]]:
    """The dies when all is said that an arrangement needs, and all that was ever said."""
    given = list(reviews)
    dies = dies_of(pairs, given)
    wanted = sort(dies)
    for _ in range(5):
        due = missing(wanted, dies.die_of)
        for each in due:
            given.append(said(each.coin_a, each.coin_b, each.verdict, len(given) + 1, by))
        dies = dies_of(pairs, given)
        if not due:
            break
    return dies, given


def sorted_coins(dies: Dies) -> set[str]:
    """The dies as the coins of each, in one word."""
    return {"".join(sorted(coins)) for coins in dies.clusters.values()}
