"""The verdict on two coins, and the evidence for it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from dieindex.api.arguments import checked_path, checked_side
from dieindex.api.notebook import Content, image, table
from dieindex.errors import DieIndexError, UsageError
from dieindex.outputs import NOTHING_READ, Sources
from dieindex.records import OBVERSE, SIDES, Face, PathLike, Side, Verdict
from dieindex.verification.agreement import Agreement
from dieindex.verification.evidence_picture import Shown, draw_comparison


class Evidence(Protocol):
    """What can be seen of a comparison; made when it is asked for."""

    def faces(self, side: Side) -> tuple[Face, Face]:
        """The two faces that were compared, as they lie on their common frame if on one."""
        ...

    def agreement(self, side: Side) -> Agreement | None:
        """Where they agree; None where their dense descriptors were not compared."""
        ...

    def apart(self, side: Side) -> str | None:
        """Why they do not lie on each other; None where they do."""
        ...


@dataclass(frozen=True, eq=False)
class Comparison:
    """The verdict on each side two coins have in common; None where one of them lacks the side.

    Pickled, it keeps its verdicts and leaves its pictures behind.
    """

    a: str
    b: str
    obverse: Verdict | None
    reverse: Verdict | None
    note: str | None = None
    """What limits the whole comparison."""
    evidence: Evidence | None = field(default=None, repr=False)
    """None in a comparison that was pickled."""
    sources: Sources = field(default=NOTHING_READ, repr=False)
    """What it was made of, which no picture is ever written over."""

    def side(self, side: Side) -> Verdict | None:
        """The verdict on one side."""
        return self.obverse if checked_side(side) == OBVERSE else self.reverse

    def faces(self, side: Side) -> tuple[Face, Face]:
        """The two faces that were compared, as they lie on their common frame if on one.

        Raises UsageError where the side was not compared, or the comparison was pickled.
        """
        return self._evidence_of(side).faces(side)

    def agreement(self, side: Side) -> Agreement | None:
        """Where the faces of a side agree, cell by cell; None where they were not compared in
        detail. Raises as ``faces``."""
        return self._evidence_of(side).agreement(side)

    def apart(self, side: Side) -> str | None:
        """Why the faces of a side do not lie on each other; None where they do."""
        return self._evidence_of(side).apart(side)

    def draw(self, path: PathLike, *, force: bool = False) -> None:
        """Write a picture of the faces that were compared, with the verdicts: each on its own, one
        on the other, what differs, where they agree.

        Raises UsageError where nothing was compared, for a suffix that is no picture's, and for a
        file that dieindex did not write, unless ``force`` says to replace it.
        """
        shown = [
            Shown(self.side(side), *self.faces(side), self.agreement(side), self.apart(side))
            for side in SIDES
            if self.side(side)
        ]
        place = checked_path(path, "path")
        draw_comparison(self.a, self.b, shown, place, force=force, sources=self.sources)

    def __repr__(self) -> str:
        told = ", ".join(
            f"{side} {verdict.verdict} ({verdict.probability:.2f})"
            for side in SIDES
            if (verdict := self.side(side)) is not None
        )
        return f"<Comparison of {self.a} and {self.b}: {told or 'no side in common'}>"

    def _repr_html_(self) -> str:
        rows: list[list[Content]] = []
        for side in SIDES:
            verdict = self.side(side)
            if verdict is None:
                continue
            pictures = self._pictures(side)
            why = verdict.reason or f"distance {verdict.distance:.3f} ({verdict.basis})"
            told = f"{verdict.verdict}, probability {verdict.probability:.2f} at {verdict.prior:g}"
            rows.append([side, *pictures, told, why])
        return table(["", self.a, self.b, "one die?", "why"], rows)

    def _pictures(self, side: Side) -> list[Content]:
        """None where there are none any more: it was pickled, or the index is gone."""
        if self.evidence is not None:
            with suppress(DieIndexError):
                return [image(face) for face in self.faces(side)]
        return [None, None]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "evidence": None}

    def __copy__(self) -> Comparison:
        return replace(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Comparison:
        # (Nothing in it can be changed.)
        return replace(self)

    def _evidence_of(self, side: Side) -> Evidence:
        if self.side(side) is None:
            raise UsageError(f"{self.a} and {self.b} were not compared by their {side}s.")
        if self.evidence is None:
            raise UsageError("The pictures of a comparison are not pickled; compare again.")
        return self.evidence
