"""What a study is made of: coins, the dies they are attributed to, and what is known of each coin.

Whoever makes the material (a table, an index, a review) fills these; all that follows reads nothing
else. An attribution is somebody's opinion: it carries whose it is and how sure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Literal, Protocol

from dieindex.clustering.spread import Spread
from dieindex.records import SIDES, Mask, Picture, Review, SheetReading, Side

DOUBTFUL_BELOW = 0.9
"""An attribution less certain than this is doubtful: the bound below which a pair is not called
the same die either."""

Basis = Literal["table", "machine", "review"]
"""Whose opinion an attribution is: a table's, the program's, or a person's who looked at coins."""
Standing = Literal["followed", "not followed", "superseded", "unsure", "not in the study"]
"""What became of a verdict: the dies of the study agree with it or not; a later verdict on the same
pair took its place; it decides nothing; one of its coins has no die here."""


@dataclass(frozen=True)
class Attribution:
    """That a coin was struck by a die, in somebody's opinion.

    ``certainty`` lies in 0…1, None where nobody stated one: it then counts as sure. ``others`` are
    the dies it may belong to instead, with weights above 0 that say how likely each is beside the
    others; the name None is "a die of its own".
    """

    die: str
    certainty: float | None = None
    others: tuple[tuple[str | None, float], ...] = ()
    basis: Basis = "table"
    author: str = ""

    @property
    def doubtful(self) -> bool:
        return self.certainty is not None and self.certainty < DOUBTFUL_BELOW


@dataclass(frozen=True)
class Reviewed:
    """A person's verdict on two coins, and what became of it in this study."""

    review: Review
    standing: Standing


@dataclass(frozen=True)
class Coin:
    """One specimen, however many photographs or rows there are of it."""

    name: str
    dies: Mapping[Side, Attribution] = field(default_factory=dict)
    """Sides whose die is not identified are left out."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Everything else the sheet says, as text, by the name of its column."""
    photographs: tuple[str, ...] = ()

    def die(self, side: Side) -> str | None:
        known = self.dies.get(side)
        return known.die if known else None


class PictureSource(Protocol):
    """Where the faces of the coins can be had."""

    @property
    def unsure(self) -> AbstractSet[int]:
        """Faces whose coin was not surely found on the photograph, or that lie on no frame."""
        ...

    def faces(self, side: Side) -> Mapping[str, int]:
        """An id of the best face of each coin that shows this side."""
        ...

    def load(self, face: int, half: bool = False) -> tuple[Picture, Mask]:
        """The face as records.Face has it, or of half its size: picture and mask. Several threads
        may ask at one time."""
        ...


@dataclass(frozen=True)
class Material:
    """All a study is written from.

    ``source`` says in words where the attributions come from; ``notes`` are remarks a reader of the
    study should know (rows that contradict each other, names that look alike).
    """

    coins: Sequence[Coin]
    title: str
    source: str
    author: str = ""
    notes: tuple[str, ...] = ()
    pictures: PictureSource | None = None
    reviews: tuple[Reviewed, ...] = ()
    """Every verdict that persons gave on these coins, the earliest first."""
    spreads: Mapping[Side, Spread] = field(default_factory=dict)
    """How the scores of pairs lie, of sides whose dies dieindex found."""
    reading: SheetReading | None = None
    """How the table was read, where the dies are a table's."""

    @property
    def sides(self) -> tuple[Side, ...]:
        """The sides on which at least one coin has an identified die."""
        return tuple(side for side in SIDES if any(side in coin.dies for coin in self.coins))

    def members(self, side: Side) -> dict[str, list[Coin]]:
        """The coins of every die of one side, in the order of the coins."""
        found: dict[str, list[Coin]] = {}
        for coin in self.coins:
            known = coin.dies.get(side)
            if known is not None:
                found.setdefault(known.die, []).append(coin)
        return found
