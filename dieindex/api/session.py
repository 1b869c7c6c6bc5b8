"""An index under review: persons look at pairs of coins, say what they see, and the dies follow.

One thread of its own judges the pairs of both sides once and finds the dies anew after every
answer, so that whoever asks is never kept waiting for it: what is asked is answered from the dies
as they were found last. What was answered is safe in the index when ``say`` returns.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from dieindex.api.arguments import checked_side
from dieindex.api.clustering import cluster_pairs
from dieindex.api.desk import Desk
from dieindex.api.dies import Dies
from dieindex.api.index import Index
from dieindex.api.pairs import Pairs
from dieindex.api.review_queue import Item, queue_of
from dieindex.api.reviews import Said, add_reviews
from dieindex.errors import DieIndexError
from dieindex.indexing.repeated import repeated_coins
from dieindex.records import SIDES, Review, Side, other_side
from dieindex.review.moves import Arrangement, Statement, missing, unheld
from dieindex.review.verdicts import TAKEN_BACK
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.die_numbers import DieNumbers, die_numbers
from dieindex.storage.reviews import ReviewStore
from dieindex.storage.schema import REVIEWS_NAME

_log = logging.getLogger(__name__)

Tell = Callable[[str, Mapping[str, Any]], None]
"""Called with what happened: ``progress`` (side, step, done, total), ``verdicts`` (reviews),
``dies`` (side, found), ``failed`` (side, error). From any thread; it must not wait."""

GLANCE = 2.0
"""Seconds between two glances at whether somebody else wrote verdicts."""
MOST_ROUNDS = 4
"""How often verdicts are added until the dies are as a person sorted them."""


@dataclass(frozen=True, eq=False)
class Sorted:
    """One side as it was found last: its dies, the queue of what is worth a look, and what changed
    against the dies before. ``revision`` counts up."""

    revision: int
    dies: Dies
    desk: Desk
    queue: tuple[Item, ...]
    changes: tuple[str, ...]

    @cached_property
    def die_of(self) -> Mapping[str, str]:
        """The die of every coin."""
        return dict(zip(self.dies.coins, self.dies.names, strict=True))


@dataclass(eq=False)
class _Act:
    """What one person did at once: the verdicts given, and the arrangement that was ``wanted`` by
    them; whether it is ``over``: taken back."""

    by: str
    note: str
    wanted: Arrangement | None = None
    given: list[Review] = field(default_factory=list)
    over: bool = False


@dataclass(frozen=True)
class _Wanted:
    """An act whose arrangement the dies are to follow, after so many rounds."""

    act: _Act
    rounds: int = 0


class ReviewSession:
    """An index open for review; see the top of this module. Close it when it is done with."""

    def __init__(self, index: Index, tell: Tell | None = None) -> None:
        self.index = index
        self._listener = tell
        self._pairs: dict[Side, Pairs] = {}
        self._found: dict[Side, Sorted] = {}
        self._failed: dict[Side, DieIndexError] = {}
        self._due: list[Side] = []
        self._wanted: dict[Side, list[_Wanted]] = {side: [] for side in SIDES}
        self._busy: Side | None = None
        self._acts: dict[str, list[_Act]] = {}
        self._undone: dict[str, list[_Act]] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._known = self._written()
        self._adding = threading.Lock()
        self._own: set[int] = set()
        self._heard = 0
        self._seen: dict[Side, tuple[int, DieNumbers]] = {}
        self._thread = threading.Thread(target=self._work, name="review", daemon=True)
        self._thread.start()

    def close(self, wait: float = 0.0) -> None:
        """Begin nothing more, and break off what is at work (after ``wait`` seconds at most it is
        waited for no longer). Every answer is in the index already."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(wait)

    # what is asked

    def sorted(self, side: Side, wait: float | None = None) -> Sorted | None:
        """A side as it was found last; None where it was not found yet (after ``wait`` seconds).
        Raises what made it impossible."""
        checked_side(side)
        with self._changed:
            self._changed.wait_for(lambda: side in self._found or side in self._failed, wait or 0)
            if side in self._failed and side not in self._found:
                raise self._failed[side]
            return self._found.get(side)

    def settled(self, side: Side, wait: float | None = None) -> bool:
        """Whether all that was said of a side is in its dies (after ``wait`` seconds)."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not (side in self._due or self._wanted[side] or self._busy == side),
                wait or 0,
            )

    def reviews(self, side: Side | None = None) -> list[Review]:
        """Every verdict ever given, the earliest first."""
        return self.index.reviews(side)

    # what is said

    def say(self, a: str, b: str, verdict: str, *, side: Side, by: str, note: str = "") -> Review:
        """Keep a verdict. Raises as ``Index.review``."""
        act = _Act(by, note)
        (given,) = self._keep([Statement(a, b, verdict)], side, act)  # type: ignore[arg-type]
        self._done(act)
        return given

    def arrange(self, wanted: Arrangement, *, by: str, note: str = "") -> None:
        """Have coins sorted as a person wants them: by as few verdicts as bring it about, those
        that the dies need when they are found again included."""
        act = _Act(by, note, wanted)
        self._done(act)
        self._want(act)

    def hold(self, die: Sequence[str], *, side: Side, by: str, note: str = "") -> list[Review]:
        """Keep that all coins of a die, that first which stands for it, are of one die."""
        said, act = unheld(die, side, self.reviews(side)), _Act(by, note)
        given = self._keep(said, side, act)
        if given:
            self._done(act)
        return given

    def take_back(self, by: str) -> list[Review]:
        """Take back what this person did last in this session; nothing where there is nothing. The
        verdicts that counted before count again, and what others said meanwhile stays. Gives what
        was kept to that end."""
        return self._turn(by, self._acts, self._undone, back=True)

    def do_again(self, by: str) -> list[Review]:
        """What ``take_back`` took back last."""
        return self._turn(by, self._undone, self._acts, back=False)

    def can_turn(self, by: str) -> tuple[bool, bool]:
        """Whether there is anything to take back, and to do again."""
        with self._changed:
            return bool(self._acts.get(by)), bool(self._undone.get(by))

    def heard(self) -> None:
        """Have the dies found anew: something else has written into the index."""
        with self._changed:
            for side in SIDES:
                self._due_now(side)

    # behind it

    def _done(self, act: _Act) -> None:
        """That a person did something, which can be taken back."""
        with self._changed:
            self._acts.setdefault(act.by, []).append(act)
            self._undone.pop(act.by, None)

    def _want(self, act: _Act) -> None:
        if act.wanted is not None:
            with self._changed:
                self._wanted[act.wanted.side].append(_Wanted(act))
                self._due_now(act.wanted.side)

    def _turn(
        self, by: str, here: dict[str, list[_Act]], there: dict[str, list[_Act]], *, back: bool
    ) -> list[Review]:
        with self._changed:
            acts = here.get(by)
            if not acts:
                return []
            act = acts.pop()
            # (What is still to be said of it is not said any more.)
            act.over = back
            for side, wanted in self._wanted.items():
                self._wanted[side] = [each for each in wanted if each.act is not act]
        said = [
            Said(given.coin_a, given.coin_b, "unsure", TAKEN_BACK)
            if back
            else Said(given.coin_a, given.coin_b, given.verdict, given.note)
            for given in act.given
        ]
        try:
            kept = self._add(said[::-1] if back else said, act)
        except DieIndexError:
            with self._changed:
                act.over = not back
                acts.append(act)
            raise
        with self._changed:
            there.setdefault(by, []).append(act)
        if not back:
            self._want(act)
        return kept

    def _keep(self, said: Iterable[Statement], side: Side, act: _Act) -> list[Review]:
        texts = [Said(each.coin_a, each.coin_b, each.verdict, act.note) for each in said]
        given = self._add(texts, act, side)
        act.given += given
        return given

    def _add(self, said: Sequence[Said], act: _Act, side: Side | None = None) -> list[Review]:
        """Keep all at once, or nothing."""
        if not said:
            return []
        place = side if side is not None else act.given[0].side
        index = self.index
        with self._adding:
            given = add_reviews(index.folder, index.find_coin, said, side=place, by=act.by)
            self._own.update(each.number for each in given)
            with self._changed:
                self._due_now(place)
        self._tell("verdicts", {"reviews": given})
        return given

    def _tell(self, what: str, details: Mapping[str, Any]) -> None:
        """(A session that was closed has nothing to say of the next.)"""
        if self._listener is not None and not self._closed:
            self._listener(what, details)

    def _due_now(self, side: Side) -> None:
        """(Under the lock.)"""
        if side not in self._due:
            self._due.append(side)
        self._changed.notify_all()

    def _written(self) -> int:
        with suppress(OSError):
            return (self.index.folder / REVIEWS_NAME).stat().st_mtime_ns
        return 0

    def _work(self) -> None:
        with suppress(DieIndexError):
            self._heard = max(self._kept(side)[0] for side in SIDES)
        for side in SIDES:
            if self._closed:
                return
            self._guarded(side, self._find)
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._due or self._closed, GLANCE)
                if self._closed:
                    return
                due = self._due[0] if self._due else None
            if due is not None:
                self._guarded(due, self._find)
            else:
                self._glance()

    def _glance(self) -> None:
        """Whether somebody else wrote verdicts, or numbers and names of dies."""
        written = self._written()
        if written == self._known:
            return
        try:
            with self._adding:
                if self._due:
                    return
                there = {side: self._kept(side) for side in SIDES}
                own, self._own = self._own, set()
            given = self.reviews()
        except DieIndexError as error:
            _log.debug("%s: cannot be read: %s", self.index.folder, error)
            self._known = written
            return
        self._known = written
        last = max(number for number, _ in there.values())
        fresh = [r for r in given if self._heard < r.number <= last and r.number not in own]
        self._heard = last
        if fresh:
            self._tell("verdicts", {"reviews": fresh})
        with self._changed:
            for side in SIDES:
                if there[side] != self._seen.get(side):
                    self._due_now(side)

    def _kept(self, side: Side) -> tuple[int, DieNumbers]:
        """The number of the last verdict of a side, and the numbers of its dies."""
        with ReviewStore.open(self.index.folder) as kept:
            given = kept.reviews(side)
            return max((each.number for each in given), default=0), die_numbers(kept, side)

    def _guarded(self, side: Side, work: Callable[[Side], None]) -> None:
        try:
            work(side)
        except Exception as error:
            _log.debug("the %ss cannot be sorted", side, exc_info=True)
            told = error
            if not isinstance(error, DieIndexError):
                told = DieIndexError(f"Unexpected {type(error).__name__}: {error}.")
            with self._changed:
                self._failed[side] = told  # type: ignore[assignment]
                self._due = [each for each in self._due if each != side]
                self._wanted[side].clear()
                self._busy = None
                self._changed.notify_all()
            self._tell("failed", {"side": side, "error": told})

    def _open(self, side: Side) -> None:
        """Judge the pairs of a side."""

        def progress(step: str, done: int, total: int, /) -> None:
            if self._closed:
                raise DieIndexError("The review was closed.")
            self._tell("progress", {"side": side, "step": step, "done": done, "total": total})

        self._pairs[side] = self.index.pairs(side, progress=progress)

    def _find(self, side: Side) -> None:
        """Find the dies of a side, with all that was said until now."""
        with self._changed:
            self._due = [each for each in self._due if each != side]
            wanted, self._wanted[side] = self._wanted[side], []
            self._busy = side
        if side not in self._pairs:
            self._open(side)
        dies = self._dies(side)
        for each in wanted:
            self._ask_for(each, dies)
        before = self._found.get(side)
        with Catalogue.open(self.index.folder) as catalogue:
            specimens = repeated_coins(catalogue)
        found = Sorted(
            1 if before is None else before.revision + 1,
            dies,
            Desk(self.index, self._pairs[side], dies, lambda: self._die_of(other_side(side))),
            tuple(queue_of(dies, specimens)),
            tuple(dies.changes),
        )
        # What is shown of them takes a while at first.
        _ = dies.count, dies.cohesion, dies.expected_wrong, dies.worth_looking, dies.clusters
        with self._changed:
            self._found[side], self._busy = found, None
            self._failed.pop(side, None)
            self._changed.notify_all()
        self._tell("dies", {"side": side, "found": found})

    def _die_of(self, side: Side) -> Mapping[str, str]:
        found = self._found.get(side)
        return {} if found is None else found.die_of

    def _ask_for(self, wanted: _Wanted, dies: Dies) -> None:
        """Say what is missing to an arrangement; where something was, look again."""
        side, die_of = dies.side, dict(zip(dies.coins, dies.names, strict=True))
        act = wanted.act
        if act.wanted is None or act.over:
            return
        there = all(coin in die_of for die in act.wanted.dies for coin in die)
        said = missing(act.wanted, die_of) if there else []
        if not said and not act.given:
            # (Nothing was to be done, so there is nothing to take back.)
            with self._changed:
                acts = self._acts.get(act.by, [])
                self._acts[act.by] = [each for each in acts if each is not act]
        if said and wanted.rounds < MOST_ROUNDS:
            self._keep(said, side, act)
            with self._changed:
                self._wanted[side].append(replace(wanted, rounds=wanted.rounds + 1))

    def _dies(self, side: Side) -> Dies:
        kept = self.index.tells_all(side)
        found = cluster_pairs(self.index, self._pairs[side], keep=kept)
        last = max((each.number for each in found.reviews), default=0)
        self._seen[side] = last, self._kept(side)[1]
        return found
