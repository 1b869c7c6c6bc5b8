"""What ``cluster --out dies.xlsx`` holds: a workbook a numismatist can work in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dieindex.text import natural_key

if TYPE_CHECKING:
    from dieindex.api.results import Dies
    from dieindex.study.die_tables import Cell, Page

DOUBTFUL_BELOW = 0.8
"""Certainty below which a coin is listed among the doubtful cases."""
MOST_CASES = 300
UNTOLD = "nothing could be told of it: it lies on no frame, or shows too little"
SCORE_NAMES = {
    "coins": "coins with a die in the sheet",
    "ari": "adjusted Rand index",
    "ami": "adjusted mutual information",
    "pair_precision": "pair precision",
    "pair_recall": "pair recall",
    "pair_f1": "pair F1",
    "dies_true": "dies in the sheet",
    "dies_found": "dies found",
}


def die_sheets(dies: Sequence[Dies]) -> list[Page]:
    """Sheets: coins, dies, to look at, sheet errors, reviews, changes, scores; those of which
    there is nothing to tell are left out, but for the first two."""
    from dieindex.study.die_tables import Page

    certainty = frozenset({"certainty", "cohesion", "probability"})
    pages = [
        Page(
            "coins",
            [("coin", 16), ("side", 10), ("die", 10), ("certainty", 11)],
            [row for each in dies for row in _coins(each)],
            certainty,
        ),
        Page(
            "dies",
            [
                ("die", 10),
                ("side", 10),
                ("coins", 8),
                ("cohesion", 11),
                ("which", 90),
                ("in the sheet", 40),
            ],
            [row for each in dies for row in _dies(each)],
            certainty,
        ),
        Page(
            "to look at",
            [
                ("what", 14),
                ("side", 10),
                ("die", 10),
                ("other die", 10),
                ("coin", 16),
                ("other coin", 16),
                ("probability", 12),
                ("change", 10),
                ("why", 90),
            ],
            [row for each in dies for row in doubtful_cases(each)],
            certainty,
        ),
        Page(
            "sheet errors",
            [
                ("coin", 16),
                ("side", 10),
                ("in the sheet", 14),
                ("rather", 14),
                ("compare", 30),
                ("evidence", 11),
                ("change", 10),
                ("why", 70),
            ],
            [row for each in dies for row in _suspects(each)],
        ),
        Page(
            "reviews",
            [
                ("coin", 16),
                ("other coin", 16),
                ("side", 10),
                ("verdict", 11),
                ("by", 16),
                ("note", 60),
                ("time", 22),
            ],
            [
                (r.coin_a, r.coin_b, r.side, r.verdict, r.by, r.note, r.time)
                for each in dies
                for r in each.reviews
            ],
        ),
        Page(
            "changes",
            [("side", 10), ("since the numbers were last kept", 100)],
            [(each.side, change) for each in dies for change in each.changes],
        ),
        Page(
            "scores",
            [("side", 10), ("measure", 36), ("value", 12)],
            [row for each in dies for row in _scores(each)],
        ),
    ]
    return [page for place, page in enumerate(pages) if place < 2 or page.rows]


def _coins(dies: Dies) -> Iterator[Sequence[Cell]]:
    rows = zip(dies.coins, dies.names, dies.certainty.tolist(), strict=True)
    for coin, name, certainty in sorted(rows, key=lambda row: natural_key(row[0])):
        yield coin, dies.side, name, certainty


def _dies(dies: Dies) -> Iterator[Sequence[Cell]]:
    for name, coins in dies.clusters.items():
        listed = ", ".join(sorted(coins, key=natural_key))
        told = Counter(dies.labels[coin] for coin in coins if coin in dies.labels)
        sheet = ", ".join(f"{die} ({count})" for die, count in told.most_common()) or None
        yield name, dies.side, len(coins), dies.cohesion.get(name), listed, sheet


def doubtful_cases(dies: Dies) -> list[Sequence[Cell]]:
    """What is worth a look, that first which would change most: near misses, contradictions, and
    coins of little certainty that are in neither."""
    cases: list[tuple[float, Sequence[Cell]]] = []
    side, coins, names = dies.side, dies.coins, dies.names
    shown: set[int] = set()
    row: tuple[Cell, ...]
    for miss in dies.near_misses[:MOST_CASES]:
        a, b = miss.pair
        shown |= {a, b}
        why = f"{names[a]} and {names[b]} may be one die: these two coins are the likeliest pair"
        row = ("near miss", side, names[a], names[b], coins[a], coins[b])
        cases.append((miss.change, (*row, miss.probability, miss.change, why)))
    for found in dies.contradictions[:MOST_CASES]:
        a, b = found.pair
        shown |= {a, b}
        again = "; ".join(f"{coins[i]} and {coins[k]}" for i, k in found.cut)
        part = ", ".join(coins[i] for i in found.part[:8])
        why = f"in one die, but the pictures say different. Likeliest to part from it: {part}." + (
            f" Look again at {again}." if again else ""
        )
        row = ("contradiction", side, names[a], names[b], coins[a], coins[b])
        cases.append((found.change, (*row, found.probability, found.change, why)))
    told = [True] * len(coins) if dies.graph is None else (~dies.graph.untold).tolist()
    size = {name: len(cluster) for name, cluster in dies.clusters.items()}
    for place, certainty in enumerate(dies.certainty.tolist()):
        if certainty < DOUBTFUL_BELOW and place not in shown:
            change = (1.0 - certainty) * max(size[names[place]] - 1, 1)
            why = "its die is little sure" if told[place] else UNTOLD
            row = ("coin", side, names[place], None, coins[place], None)
            cases.append((change, (*row, certainty, change, why)))
    cases.sort(key=lambda case: -case[0])
    return [row for _, row in cases[:MOST_CASES]]


def _suspects(dies: Dies) -> Iterator[Sequence[Cell]]:
    for found in dies.suspects:
        a, b = (dies.coins[place] for place in found.pair)
        why = f"mean log-odds {found.own:+.1f} to the coins of {found.die}"
        if found.better is not None:
            why += f", {found.other:+.1f} to those of {found.better}"
        row = (dies.coins[found.face], dies.side, found.die, found.better)
        yield (*row, f"{a} and {b}", found.evidence, found.change, why)


def _scores(dies: Dies) -> Iterator[Sequence[Cell]]:
    size = [len(coins) for coins in dies.clusters.values()]
    yield dies.side, "coins", len(dies.coins)
    yield dies.side, "dies", len(size)
    yield dies.side, "dies known from one coin", size.count(1)
    if dies.count is not None:
        yield dies.side, "dies expected", round(dies.count.expected, 1)
        yield dies.side, "dies at least (95 %)", dies.count.low
        yield dies.side, "dies at most (95 %)", dies.count.high
    scores = dies.score()
    for key, label in SCORE_NAMES.items():
        if scores is not None:
            yield dies.side, label, scores[key]
    if scores and dies.scored_names is not None:
        yield dies.side, "scored: a run that did not know the sheet", None
