"""Verdicts, numbers and names of dies that something else writes into an index under review."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dieindex.errors import DieIndexError
from dieindex.records import SIDES, Review, Side
from dieindex.storage.die_numbers import DieNumbers, die_numbers
from dieindex.storage.reviews import ReviewStore
from dieindex.storage.schema import REVIEWS_NAME


@dataclass(frozen=True)
class News:
    """Verdicts that others gave, and the sides on which something is not in the dies yet."""

    reviews: tuple[Review, ...] = ()
    sides: tuple[Side, ...] = ()


class Outside:
    """Tells what others wrote from what was written here."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written = self._time()
        self._heard = 0
        self._own: set[int] = set()
        self._found: dict[Side, tuple[int, DieNumbers]] = {}
        # (What cannot be read is told when it is worked with.)
        with suppress(DieIndexError), ReviewStore.open(folder) as kept:
            self._heard = max((each.number for each in kept.reviews()), default=0)

    def wrote(self, given: Iterable[Review]) -> None:
        """That verdicts were given here."""
        self._own.update(each.number for each in given)

    def found(self, side: Side, reviews: Iterable[Review]) -> None:
        """That the dies of a side were found with these verdicts, and their numbers kept."""
        with ReviewStore.open(self._folder) as kept:
            self._found[side] = _last(reviews), die_numbers(kept, side)

    def glance(self) -> News:
        """What is new since the last glance. Nothing may be written here meanwhile. Raises
        IndexFolderError where it cannot be read; then it is new the next time."""
        written = self._time()
        if written == self._written:
            return News()
        with ReviewStore.open(self._folder) as kept:
            given = kept.reviews()
            numbers = {side: die_numbers(kept, side) for side in SIDES}
        last, own = max(self._heard, _last(given)), self._own
        fresh = (each for each in given if each.number > self._heard and each.number not in own)
        news = News(
            tuple(fresh),
            tuple(
                side
                for side in SIDES
                if (_last(r for r in given if r.side == side), numbers[side])
                != self._found.get(side)
            ),
        )
        self._written, self._heard, self._own = written, last, set()
        return news

    def _time(self) -> int:
        with suppress(OSError):
            return (self._folder / REVIEWS_NAME).stat().st_mtime_ns
        return 0


def _last(reviews: Iterable[Review]) -> int:
    return max((each.number for each in reviews), default=0)
