"""An index under review: persons look at pairs of coins, say what they see, and the dies follow.

One thread of its own judges the pairs of both sides once and finds the dies anew after every
answer, so that whoever asks is never kept waiting for it: what is asked is answered from the dies
as they were found last. What was answered is safe in the index when ``say`` returns.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from dieindex.api.acts import Act, Acts
from dieindex.api.arguments import checked_side
from dieindex.api.arranging import surest_first
from dieindex.api.dies import Dies
from dieindex.api.finding import Found
from dieindex.api.index import Index
from dieindex.api.outside import Outside
from dieindex.api.pairs import Pairs
from dieindex.api.review_records import Said, add_reviews
from dieindex.api.sorting import Sorted, sorted_now
from dieindex.errors import DieIndexError, UsageError
from dieindex.records import SIDES, PathLike, Review, Side, other_side
from dieindex.review.moves import Arrangement, Statement, missing, unheld
from dieindex.review.verdicts import ONE_COIN

_log = logging.getLogger(__name__)

Tell = Callable[[str, Mapping[str, Any]], None]
"""Called with what happened: ``progress`` (side, step, done, total), ``verdicts`` (reviews),
``dies`` (side, found), ``failed`` (side, error). From any thread; it must not wait."""

GLANCE = 2.0
"""Seconds between two glances at whether somebody else wrote verdicts."""
MOST_ROUNDS = 4
"""How often verdicts are added until the dies are as a person sorted them."""
PATIENCE = 60.0
"""Seconds that whoever sorts coins waits at most for the dies to be as all said before."""


class ReviewSession:
    """An index open for review; see the top of this module. Close it when it is done with."""

    def __init__(self, index: Index, tell: Tell | None = None) -> None:
        self.index = index
        self._listener = tell
        self._pairs: dict[Side, Pairs] = {}
        self._found: dict[Side, Sorted] = {}
        self._failed: dict[Side, DieIndexError] = {}
        self._due: list[Side] = list(SIDES)
        # (Acts whose arrangements the dies are to follow, and after how many rounds.)
        self._wanted: dict[Side, dict[Act, int]] = {side: {} for side in SIDES}
        self._busy: Side | None = None
        self._closed = False
        self._changed = threading.Condition()
        # One act is done, taken back or done again at a time; taken before ``_changed``.
        self._doing = threading.RLock()
        self._acts = Acts()
        self._finding = threading.Lock()
        self._outside = Outside(index.folder)
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
            self._changed.wait_for(lambda: self._rests(side) or self._closed, wait or 0)
            return self._rests(side)

    def reviews(self, side: Side | None = None) -> list[Review]:
        """Every verdict ever given, the earliest first."""
        return self.index.reviews(side)

    # what is said

    def say(self, a: str, b: str, verdict: str, *, side: Side, by: str, note: str = "") -> Review:
        """Keep a verdict. Raises as ``Index.review``."""
        act = Act(by, side, note)
        with self._doing:
            (given,) = self._add([Said(a, b, verdict, note)], act)
            if given.verdict == ONE_COIN:
                # (It is said of both sides; taken back on one it falls.)
                self._add([Said(a, b, verdict, note)], Act(by, other_side(side), note))
            act.given.append(given)
            self._acts.add(act)
        return given

    def arrange(
        self, sort: Callable[[Dies], Arrangement], *, side: Side, by: str, note: str = ""
    ) -> list[Review]:
        """Have coins sorted as a person wants them, who is shown the dies with all that was said
        before: by as few verdicts as bring it about, those that the dies need when they are found
        again included. Gives what was kept at once; nothing where the dies are so already. Raises
        what ``sort`` raises, and UsageError where the dies are not found in time."""
        with self._at_rest(side) as dies:
            wanted = sort(dies)
            act = Act(by, side, note, wanted)
            self._keep(missing(wanted, dies.die_of), act)
            if act.given:
                self._acts.add(act)
                self._want(act)
            return list(act.given)

    def hold(self, die: str, *, side: Side, by: str, note: str = "") -> list[Review]:
        """Keep that all coins of a die are of one, by the surest of them. Raises CollectionError
        for an unknown one, and as ``arrange``."""
        with self._at_rest(side) as dies:
            act = Act(by, side, note)
            self._keep(unheld(surest_first(dies, die), side, self.reviews(side)), act)
            if act.given:
                self._acts.add(act)
            return list(act.given)

    def take_back(self, by: str) -> list[Review]:
        """Take back what this person did last in this session; nothing where there is nothing. The
        verdicts that counted before count again, and what others said meanwhile stays. Gives what
        was kept to that end."""
        with self._doing:
            act = self._acts.last(by)
            if act is None:
                return []
            kept = self._add(act.taken_back(self.reviews(act.side)), act)
            self._acts.turn(act)
            with self._changed:
                # (What is still to be said of it is not said any more.)
                self._wanted[act.side].pop(act, None)
            return kept

    def do_again(self, by: str) -> list[Review]:
        """What ``take_back`` took back last."""
        with self._doing:
            act = self._acts.last(by, undone=True)
            if act is None:
                return []
            kept = self._add(act.said_again(), act)
            self._acts.turn(act)
            self._want(act)
            return kept

    def can_turn(self, by: str) -> tuple[bool, bool]:
        """Whether there is anything to take back, and to do again."""
        return self._acts.last(by) is not None, self._acts.last(by, undone=True) is not None

    def find(self, photo: PathLike) -> list[Found]:
        """Which dies struck the coin of a photograph; see ``Index.find``. One at a time."""
        with self._finding:
            return self.index.find(photo)

    def heard(self) -> None:
        """Have the dies found anew: something else has written into the index."""
        self._due_now(*SIDES)

    # behind it

    @contextmanager
    def _at_rest(self, side: Side) -> Iterator[Dies]:
        """The dies with all that was said before, while nobody says anything else: what a person
        sorts must not take back what another, or she herself, sorted a moment ago."""
        end = time.monotonic() + PATIENCE
        while self.settled(side, end - time.monotonic()):
            with self._doing:
                found = self.sorted(side)
                if found is not None and self.settled(side):
                    yield found.dies
                    return
        raise UsageError(f"The {side} dies are being found anew; try again in a moment.")

    def _rests(self, side: Side) -> bool:
        """(Under the lock.)"""
        return not (side in self._due or self._wanted[side] or self._busy == side)

    def _want(self, act: Act) -> None:
        if act.wanted is not None:
            with self._changed:
                self._wanted[act.side][act] = 0
            self._due_now(act.side)

    def _keep(self, said: Iterable[Statement], act: Act) -> None:
        texts = [Said(each.coin_a, each.coin_b, each.verdict, act.note) for each in said]
        act.given += self._add(texts, act)

    def _add(self, said: Sequence[Said], act: Act) -> list[Review]:
        """Keep all at once, or nothing. (While nobody else does anything.)"""
        if not said:
            return []
        index = self.index
        given = add_reviews(index.folder, index.find_name, said, side=act.side, by=act.by)
        self._outside.wrote(given)
        self._due_now(act.side)
        self._tell("verdicts", {"reviews": given})
        return given

    def _tell(self, what: str, details: Mapping[str, Any]) -> None:
        """(A session that was closed has nothing to say of the next.)"""
        if self._listener is not None and not self._closed:
            self._listener(what, details)

    def _due_now(self, *sides: Side) -> None:
        with self._changed:
            self._due += [side for side in sides if side not in self._due]
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._due or self._closed, GLANCE)
                if self._closed:
                    return
                due = self._due[0] if self._due else None
            if due is not None:
                self._guarded(due)
            else:
                self._glance()

    def _glance(self) -> None:
        """Whether somebody else wrote verdicts, or numbers and names of dies."""
        try:
            with self._doing:
                if self._due:
                    return
                news = self._outside.glance()
        except DieIndexError as error:
            _log.debug("%s: cannot be read: %s", self.index.folder, error)
            return
        if news.reviews:
            self._tell("verdicts", {"reviews": list(news.reviews)})
        self._due_now(*news.sides)

    def _guarded(self, side: Side) -> None:
        try:
            self._find(side)
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

    def _find(self, side: Side) -> None:
        """Find the dies of a side, with all that was said until now."""
        with self._changed:
            self._due = [each for each in self._due if each != side]
            wanted, self._wanted[side] = self._wanted[side], {}
            self._busy = side
        if self.index.heed_reviews():
            # (Other coins are one than were: all is to be found anew.)
            self._pairs.clear()
            self._due_now(other_side(side))
        if side not in self._pairs:
            self._pairs[side] = self._judged(side)
        beyond = self._found.get(other_side(side))
        before = self._found.get(side)
        found = sorted_now(
            self.index,
            self._pairs[side],
            lambda: self._die_of(other_side(side)),
            None if beyond is None else beyond.dies,
            1 if before is None else before.revision + 1,
        )
        self._outside.found(side, found.dies.reviews)
        for act, rounds in wanted.items():
            self._follow(act, rounds, found.dies.die_of)
        with self._changed:
            self._found[side], self._busy = found, None
            self._failed.pop(side, None)
            self._changed.notify_all()
        self._tell("dies", {"side": side, "found": found})

    def _die_of(self, side: Side) -> Mapping[str, str]:
        found = self._found.get(side)
        return {} if found is None else found.dies.die_of

    def _judged(self, side: Side) -> Pairs:
        def progress(step: str, done: int, total: int, /) -> None:
            if self._closed:
                raise DieIndexError("The review was closed.")
            self._tell("progress", {"side": side, "step": step, "done": done, "total": total})

        return self.index.pairs(side, progress=progress)

    def _follow(self, act: Act, rounds: int, die_of: Mapping[str, str]) -> None:
        """Say what is missing to an arrangement; where something was, look again."""
        with self._doing:
            if act.over or act.wanted is None:
                return
            there = all(coin in die_of for die in act.wanted.dies for coin in die)
            said = missing(act.wanted, die_of) if there else []
            if said and rounds < MOST_ROUNDS:
                self._keep(said, act)
                with self._changed:
                    self._wanted[act.side][act] = rounds + 1
