"""Verdicts of persons, checked before they are kept.

Every verdict that was ever given stays, with its time and author. Of several on one pair of coins
the latest counts; "unsure" binds nothing, and with the note ``TAKEN_BACK`` makes what its author
said last of the pair as if it had not been given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

from dieindex.collection.names import side_of_word
from dieindex.collection.sheets.raw_rows import Row
from dieindex.collection.sheets.tables import read_rows
from dieindex.errors import CollectionError, SheetError, UsageError
from dieindex.outputs import NOTHING_READ, Sources, write_text_output
from dieindex.records import SIDES, Constraint, Review, Side
from dieindex.storage.appended_table import is_comment
from dieindex.storage.verdict_file import COLUMNS
from dieindex.text import as_typed, csv_text

Word = Literal["same", "different", "unsure", "one-coin"]
ONE_COIN: Word = "one-coin"
VERDICTS: tuple[Word, ...] = ("same", "different", "unsure", ONE_COIN)
MOST_LETTERS = 2000
"""Letters of a note, or of an author's name, at most."""

TAKEN_BACK = "taken back"
"""The note of an "unsure" by which a person takes her last verdict back: as if not given."""

FindCoin = Callable[[str], str]
"""The coin that a person calls by this name; raises CollectionError where there is none."""


def now() -> str:
    """The time as reviews keep it: UTC, to the second."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def checked_review(
    coin_a: str,
    coin_b: str,
    side: Side,
    verdict: str,
    by: str,
    note: str,
    time: str,
    *,
    find_coin: FindCoin,
) -> Review:
    """A review of two coins that exist. Raises UsageError for a verdict that is none, for a coin
    with itself, and for text too long; CollectionError for an unknown coin."""
    if verdict not in VERDICTS:
        raise UsageError(f"{verdict!r} is no verdict; say {', '.join(VERDICTS)}.")
    a, b = find_coin(coin_a), find_coin(coin_b)
    if a == b:
        raise UsageError(f"{coin_a} and {coin_b} are the same coin; name two different coins.")
    by, note = _plain(by), _plain(note)
    if max(len(by), len(note)) > MOST_LETTERS:
        raise UsageError(f"A note or an author has more than {MOST_LETTERS} letters; shorten it.")
    return Review(a, b, side, verdict, by, note, time)


def _plain(text: str) -> str:
    """One line without control characters."""
    return re.sub(r"[\x00-\x1f\x7f]+", " ", text).strip()


def read_reviews(path: Path, by: str, *, find_coin: FindCoin) -> list[Review]:
    """The verdicts of a table (.csv or .xlsx) with the columns ``coin_a,coin_b,side,verdict`` and
    perhaps ``by,note,time``, in any order; other columns (``verdicts.csv`` has a number) are left.

    Rows without ``by`` are by the author given, rows without ``time`` of now. Raises SheetError
    naming the row, and then nothing of the table counts: a missing column, a verdict or side that
    is none, an unknown coin, a coin with itself, a time that is none.
    """
    rows = [row for row in read_rows(path).rows if not is_comment(row.cells)]
    if not rows:
        raise SheetError(f"{path}: is empty; its first row must be {','.join(COLUMNS)}.")
    places = {name.strip().casefold(): place for place, name in enumerate(rows[0].cells)}
    missing = [name for name in COLUMNS[:4] if name not in places]
    if missing:
        raise SheetError(
            f"{path}: has no column {', '.join(missing)}; its first row must be "
            f"{','.join(COLUMNS)} (the last three may be missing)."
        )
    moment = now()
    read = [_read_row(path, row, places, by, moment, find_coin) for row in rows[1:]]
    # (That two are one coin is said of both sides, whichever a row names.)
    found: list[Review] = []
    for each in read:
        both = SIDES if each.verdict == ONE_COIN else (each.side,)
        said = [replace(each, side=side) for side in both]
        found += [one for one in said if len(said) == 1 or one not in found]
    return found


def _read_row(
    path: Path,
    row: Row,
    places: Mapping[str, int],
    by: str,
    moment: str,
    find_coin: FindCoin,
) -> Review:
    def cell(name: str) -> str:
        place = places.get(name, len(row.cells))
        return as_typed(row.cells[place]) if place < len(row.cells) else ""

    side = side_of_word(cell("side"))
    if side is None:
        raise SheetError(
            f"{path}: row {row.number}: side must be obverse or reverse, not {cell('side')!r}."
        )
    try:
        return checked_review(
            cell("coin_a"),
            cell("coin_b"),
            side,
            cell("verdict").casefold(),
            cell("by") or by,
            cell("note"),
            _read_time(cell("time")) or moment,
            find_coin=find_coin,
        )
    except (UsageError, CollectionError, ValueError) as error:
        raise SheetError(f"{path}: row {row.number}: {error} Nothing was imported.") from error


def _read_time(text: str) -> str | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise ValueError(f"{text!r} is no time; write it as 2026-11-22T18:00:00Z.") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def not_yet_kept(fresh: Iterable[Review], kept: Iterable[Review]) -> list[Review]:
    """Those of ``fresh`` that are not among ``kept`` already (a table imported twice)."""
    known = {replace(each, number=0) for each in kept}
    return [each for each in fresh if each not in known]


def latest(reviews: Iterable[Review]) -> list[Review]:
    """The review that counts on each pair of coins and side, in the order of time given. What its
    author took back is as if it had never been given: what was said before it counts again."""
    said: dict[tuple[Side, frozenset[str]], list[Review]] = {}
    for each in sorted(reviews, key=_in_time):
        of_pair = said.setdefault((each.side, each.pair), [])
        if not is_taken_back(each):
            of_pair.append(each)
            continue
        own = [place for place, earlier in enumerate(of_pair) if earlier.by == each.by]
        if own:
            del of_pair[own[-1]]
    return sorted((of_pair[-1] for of_pair in said.values() if of_pair), key=_in_time)


def _in_time(review: Review) -> tuple[str, int]:
    return review.time, review.number


def is_taken_back(review: Review) -> bool:
    """Whether it takes back what its author said of the pair before, and says nothing itself."""
    return (review.verdict, review.note) == ("unsure", TAKEN_BACK)


def taken_by(review: Review, reviews: Iterable[Review]) -> Review | None:
    """What a verdict that takes back took: what its author had said last of the pair; None where
    that was nothing, or taken back already."""
    standing: list[Review] = []
    for each in sorted(reviews, key=_in_time):
        if (each.side, each.pair, each.by) != (review.side, review.pair, review.by):
            continue
        if each == review:
            return standing[-1] if standing else None
        if not is_taken_back(each):
            standing.append(each)
        elif standing:
            standing.pop()
    return None


def overruled(review: Review, before: Iterable[Review]) -> Review | None:
    """The verdict on the same pair that a new one contradicts and takes the place of."""
    same_pair = [r for r in before if r.side == review.side and r.pair == review.pair]
    last = next(iter(reversed(latest(same_pair))), None)
    return last if last is not None and last.verdict != review.verdict else None


def constraints_of(reviews: Iterable[Review], coins: Sequence[str]) -> list[Constraint]:
    """The reviews of one side that count, as constraints of positions in ``coins``, the earliest
    first; those of coins that are not there now, and "unsure", bind nothing."""
    place = {coin: position for position, coin in enumerate(coins)}
    return [
        Constraint(place[r.coin_a], place[r.coin_b], r.joins, _source(r))
        for r in latest(reviews)
        if r.verdict != "unsure" and r.coin_a in place and r.coin_b in place
    ]


def _source(review: Review) -> str:
    return (
        f"{review.coin_a} and {review.coin_b} {review.verdict} ({review.by or 'unknown'}, "
        f"{review.time})"
    )


@dataclass(frozen=True)
class ReviewTable:
    """Reviews as text: the table that ``read_reviews`` reads."""

    reviews: Sequence[Review]

    def to_csv(self) -> str:
        rows = [[r.coin_a, r.coin_b, r.side, r.verdict, r.by, r.note, r.time] for r in self.reviews]
        return csv_text([COLUMNS, *rows])

    def write(self, path: Path, *, force: bool = False, sources: Sources = NOTHING_READ) -> None:
        """Write the table. Raises as ``outputs.check_output``."""
        write_text_output(path, self.to_csv(), (".csv",), force=force, sources=sources)
