"""Where persons disagree: the latest verdicts of two of them on one pair differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dieindex.records import Review, Side
from dieindex.review.verdicts import latest


@dataclass(frozen=True)
class Disagreement:
    """What each person said last of a pair of coins, the latest last, which counts."""

    side: Side
    reviews: tuple[Review, ...]


def disagreements(reviews: Iterable[Review]) -> list[Disagreement]:
    """Pairs that one person calls the same and another different, the latest first. Who was unsure
    disagrees with nobody."""
    by_person: dict[str, list[Review]] = {}
    for each in reviews:
        by_person.setdefault(each.by, []).append(each)
    found: dict[tuple[Side, frozenset[str]], list[Review]] = {}
    for given in by_person.values():
        for each in latest(given):
            if each.verdict != "unsure":
                found.setdefault((each.side, each.pair), []).append(each)
    listed = [
        Disagreement(side, tuple(sorted(given, key=lambda r: (r.time, r.number))))
        for (side, _), given in found.items()
        if len({each.verdict for each in given}) > 1
    ]
    return sorted(listed, key=lambda d: (d.reviews[-1].time, d.reviews[-1].number), reverse=True)
