"""The tables that dies are written to; the workbook is one that a numismatist can work in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from dieindex.api.arguments import checked_path
from dieindex.api.dies import Dies
from dieindex.errors import UsageError
from dieindex.outputs import NOTHING_READ, Sources, check_output
from dieindex.records import PathLike
from dieindex.study.die_tables import Cell, Page, write_die_table, write_die_workbook
from dieindex.text import natural_key

TABLE_SUFFIXES = (".csv", ".xlsx")
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


def check_table(path: PathLike, *, force: bool = False, sources: Sources = NOTHING_READ) -> None:
    """Raise as ``write_dies`` where dies could not be written to this file: before the work, not
    after it."""
    check_output(checked_path(path, "path"), TABLE_SUFFIXES, force=force, sources=sources)


def write_dies(dies: Sequence[Dies], path: PathLike, *, force: bool = False) -> None:
    """Write the dies as a .csv (``coin,side,die,certainty``), or as a workbook (.xlsx) that has
    also the doubtful cases, the sheet's suspected errors, reviews and scores; both marked as
    dieindex's own output.

    Raises UsageError for another suffix, and for a file that dieindex did not write, unless
    ``force`` says to replace it.
    """
    if not isinstance(dies, Sequence) or not all(isinstance(each, Dies) for each in dies):
        raise UsageError(f"dies: give a list of what `cluster` found, not {dies!r}.")
    place, sources = checked_path(path, "path"), dies[0].sources if dies else NOTHING_READ
    check_table(place, force=force, sources=sources)
    if place.suffix.lower() == ".xlsx":
        write_die_workbook(die_sheets(dies), place, force=force, sources=sources)
        return
    rows = [
        (coin, each.side, name, float(certainty))
        for each in dies
        for coin, name, certainty in zip(each.coins, each.names, each.certainty, strict=True)
    ]
    write_die_table(rows, place, force=force, sources=sources)


def die_sheets(dies: Sequence[Dies]) -> list[Page]:
    """Sheets: coins, dies, to look at, sheet errors, reviews, changes, scores; those of which
    there is nothing to tell are left out, but for the first two."""
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
            [row for each in dies for row in _cases(each)],
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
        told = Counter(dies.sheet[coin] for coin in coins if coin in dies.sheet)
        sheet = ", ".join(f"{die} ({count})" for die, count in told.most_common()) or None
        yield name, dies.side, len(coins), dies.cohesion.get(name), listed, sheet


def _cases(dies: Dies) -> Iterator[Sequence[Cell]]:
    for case in dies.to_look_at:
        row = (case.what, dies.side, case.die, case.other_die, case.coin, case.other_coin)
        yield (*row, case.probability, case.change, case.why)


def _suspects(dies: Dies) -> Iterator[Sequence[Cell]]:
    for each in dies.suspects:
        why = f"mean log-odds {each.own:+.1f} to the coins of {each.sheet}"
        if each.rather is not None:
            why += f", {each.other:+.1f} to those of {each.rather}"
        row = (each.coin, dies.side, each.sheet, each.rather, " and ".join(each.compare))
        yield (*row, each.evidence, each.change, why)


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
