"""What persons said of an index's coins: kept, listed, imported, written."""

from __future__ import annotations

import getpass
import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dieindex.api.arguments import Coin, checked_path, checked_text, name_of
from dieindex.outputs import NOTHING_READ, Sources
from dieindex.records import SIDES, PathLike, Review, Side, Verdict
from dieindex.review.verdicts import (
    ONE_COIN,
    FindCoin,
    ReviewTable,
    checked_review,
    is_taken_back,
    latest,
    not_yet_kept,
    now,
    overruled,
    read_reviews,
)
from dieindex.storage.folder import locked
from dieindex.storage.reviews import ReviewStore, reviews_of

if TYPE_CHECKING:
    from dieindex.api.comparison import Comparison

_log = logging.getLogger(__name__)

REVIEW_PROBABILITY = 0.999
"""Probability of "same die" that a person's "same" stands for; of "different" the rest to 1."""


def reviews(folder: PathLike, side: Side | None = None) -> list[Review]:
    """Every verdict that persons ever gave on coins of an index folder, the earliest first.

    Only persons' work is read: the rest of the index may be damaged, or gone.
    """
    return reviews_of(Path(folder), side)


class Said(NamedTuple):
    """What a person says of two coins, and why."""

    a: Coin
    b: Coin
    verdict: str
    note: str = ""


def add_review(
    folder: Path,
    find_coin: FindCoin,
    a: Coin,
    b: Coin,
    verdict: str,
    *,
    side: Side,
    by: str | None = None,
    note: str = "",
) -> Review:
    """Keep a person's verdict on two coins of an index folder; see ``Index.review``."""
    (given,) = add_reviews(folder, find_coin, [Said(a, b, verdict, note)], side=side, by=by)
    return given


def add_one_coin(
    folder: Path,
    find_coin: FindCoin,
    a: Coin,
    b: Coin,
    *,
    by: str | None = None,
    note: str = "",
) -> list[Review]:
    """Keep that two coins are one, which is said of both sides; see ``Index.one_coin``."""
    checked_text(note, "note")
    moment, who, names = now(), author(by), (name_of(a), name_of(b))
    fresh = [
        checked_review(*names, side, ONE_COIN, who, note, moment, find_coin=find_coin)
        for side in SIDES
    ]
    with locked(folder), ReviewStore.open(folder, write=True) as kept:
        return kept.add(fresh)


def add_reviews(
    folder: Path,
    find_coin: FindCoin,
    said: Iterable[Said],
    *,
    side: Side,
    by: str | None = None,
) -> list[Review]:
    """Keep what a person says at once, all or nothing; see ``Index.review``."""
    moment, fresh = now(), []
    for a, b, verdict, note in said:
        checked_text(note, "note")
        word = str(verdict).strip().casefold()
        names = name_of(a), name_of(b)
        who = author(by)
        fresh.append(checked_review(*names, side, word, who, note, moment, find_coin=find_coin))
    with locked(folder), ReviewStore.open(folder, write=True) as kept:
        before = kept.reviews(side)
        given = kept.add(fresh)
    for each in given:
        earlier = overruled(each, before)
        if earlier is not None and not is_taken_back(each):
            _log.warning("It takes the place of: %s. Both stay on record.", review_line(earlier))
    return given


def import_reviews(
    folder: Path, find_coin: FindCoin, table: PathLike, *, by: str | None = None
) -> list[Review]:
    """Keep a table's verdicts; see ``Index.import_reviews``."""
    read = read_reviews(checked_path(table, "table"), author(by), find_coin=find_coin)
    with locked(folder), ReviewStore.open(folder, write=True) as kept:
        return kept.add(not_yet_kept(read, kept.reviews()))


def review_line(review: Review) -> str:
    """A verdict in one line, for messages."""
    note = f": {review.note}" if review.note else ""
    return (
        f"{review.time}  {review.side}  {review.coin_a} and {review.coin_b} {review.verdict} "
        f"({review.by}){note}"
    )


def write_reviews(
    given: Sequence[Review],
    table: PathLike,
    *,
    force: bool = False,
    sources: Sources = NOTHING_READ,
) -> None:
    """Write verdicts as the table that ``import_reviews`` reads. Raises UsageError for another
    suffix than .csv, and for a file that dieindex did not write, unless ``force`` says to replace
    it; ``sources`` are never written over."""
    place = checked_path(table, "table")
    ReviewTable(given).write(place, force=force, sources=sources)


def reviews_csv(given: Sequence[Review]) -> str:
    """Verdicts as the table that ``import_reviews`` reads."""
    return ReviewTable(given).to_csv()


def author(given: str | None = None) -> str:
    """Who gives a verdict: the name given, ``$DIEINDEX_REVIEWER``, or the name at the login."""
    if given is not None:
        checked_text(given, "by")
    if given or os.environ.get("DIEINDEX_REVIEWER"):
        return given or os.environ["DIEINDEX_REVIEWER"]
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


def with_reviews(
    said: Iterable[Review], comparison: Comparison, coins: tuple[str | None, ...]
) -> Comparison:
    """A comparison of two coins of an index, with what persons ``said`` in the machine's place."""
    found = comparison
    for review in latest(said):
        machine = comparison.side(review.side)
        if machine is None or review.pair != frozenset(coins) or review.verdict == "unsure":
            continue
        p = REVIEW_PROBABILITY if review.joins else 1 - REVIEW_PROBABILITY
        note = f": {review.note}" if review.note else ""
        told = Verdict(
            "same" if review.joins else "different",
            p,
            machine.prior,
            machine.distance,
            machine.threshold,
            "review",
            f"{review.by}, {review.time[:10]}{note}",
        )
        if review.side == SIDES[0]:
            found = replace(found, obverse=told)
        else:
            found = replace(found, reverse=told)
    return found
