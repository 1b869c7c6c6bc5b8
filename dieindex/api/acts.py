"""What persons did, one thing after the other, so that it can be taken back and done again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dieindex.api.review_records import Said
from dieindex.records import Review, Side
from dieindex.review.moves import Arrangement
from dieindex.review.verdicts import TAKEN_BACK, is_taken_back, taken_by


@dataclass(eq=False)
class Act:
    """What one person did at once: the verdicts ``given``, and the arrangement that was ``wanted``
    by them; whether it is ``over``: taken back."""

    by: str
    side: Side
    note: str = ""
    wanted: Arrangement | None = None
    given: list[Review] = field(default_factory=list)
    over: bool = False

    def said_again(self) -> list[Said]:
        """What is to be said to do it again."""
        return [Said(each.coin_a, each.coin_b, each.verdict, each.note) for each in self.given]

    def taken_back(self, reviews: Sequence[Review]) -> list[Said]:
        """What is to be said to take it back; ``reviews`` are all that were ever given."""
        said = []
        for each in self.given[::-1]:
            back = Said(each.coin_a, each.coin_b, "unsure", TAKEN_BACK)
            if is_taken_back(each):
                # (It was itself a taking back: what that took is said again.)
                was = taken_by(each, reviews)
                if was is None:
                    continue
                back = Said(was.coin_a, was.coin_b, was.verdict, was.note)
            said.append(back)
        return said


class Acts:
    """The acts of every person. Whoever changes them holds the lock of what they are done to."""

    def __init__(self) -> None:
        self._done: dict[str, list[Act]] = {}
        self._undone: dict[str, list[Act]] = {}

    def add(self, act: Act) -> None:
        """That a person did something: what was taken back before is not done again."""
        self._done.setdefault(act.by, []).append(act)
        self._undone.pop(act.by, None)

    def last(self, by: str, *, undone: bool = False) -> Act | None:
        """What a person did last, or took back last; None where there is nothing."""
        # (Also asked without the lock.)
        acts = (self._undone if undone else self._done).get(by, [])[-1:]
        return acts[0] if acts else None

    def turn(self, act: Act) -> None:
        """That the last act was taken back, or the last one taken back done again."""
        here, there = (self._undone, self._done) if act.over else (self._done, self._undone)
        here[act.by].remove(act)
        there.setdefault(act.by, []).append(act)
        act.over = not act.over
