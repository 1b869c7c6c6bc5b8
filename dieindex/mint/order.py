"""What collection to mint: plain values, checked, light to import."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from dieindex.errors import MintError, UsageError
from dieindex.mint.difficulty import NAMED_DIFFICULTIES
from dieindex.records import SIDES, Side
from dieindex.text import Parameter

Layout = Literal["pair", "separate"]
DIFFICULTY_NAMES = tuple(NAMED_DIFFICULTIES)
LAYOUTS: tuple[Layout, Layout] = ("pair", "separate")

TRAIN_TYPES = range(0, 1_000_000)
VALIDATION_TYPES = range(1_000_000, 1_100_000)
TEST_TYPES = range(1_100_000, 1_200_000)
"""Seeds of types. Training, validation and test never share a design; collections are of TEST."""
PUNCHED_VALIDATION_TYPES = range(1_200_000, 1_300_000)
PUNCHED_TEST_TYPES = range(1_300_000, 1_400_000)
PUNCHED_TYPES = range(PUNCHED_VALIDATION_TYPES.start, PUNCHED_TEST_TYPES.stop)
"""Seeds of types that are all cut with punches, to validate and to test on them by themselves."""


@dataclass(frozen=True)
class CollectionOrder:
    """A collection to mint; equal orders give equal bytes.

    ``duplicates`` and ``swapped`` are shares in 0…1 of the coins photographed twice and of the
    photographs whose sides are exchanged; ``years_later`` is the share of the second photographs
    for which the coin has meanwhile been toned or cleaned, and scratched. ``types`` counts reverse
    designs. ``die_distance`` sets how far the dies of a type lie apart (1 is usual). A kind of None
    leaves the design to the seed. ``sides`` says what is photographed: one side alone, as some
    collections have it, or both.
    """

    coins: int = 91
    obverse_dies: int = 24
    reverse_dies: int = 34
    difficulty: str = "medium"
    seed: int = 1
    types: int = 1
    layout: Layout = "pair"
    obverse_kind: str | None = None
    reverse_kind: str | None = None
    die_distance: float = 1.0
    duplicates: float = 0.0
    swapped: float = 0.0
    years_later: float = 0.0
    sides: tuple[Side, ...] = SIDES

    def kind(self, side: Side) -> str | None:
        """The design asked for on this side."""
        return self.obverse_kind if side == "obverse" else self.reverse_kind

    def check(self) -> None:
        """Raise UsageError for an unknown word, MintError for a number that cannot be."""
        if self.difficulty not in NAMED_DIFFICULTIES:
            raise UsageError(
                Parameter("difficulty", self.difficulty),
                f": unknown; choose {_list(DIFFICULTY_NAMES)}.",
            )
        if self.layout not in LAYOUTS:
            raise UsageError(
                Parameter("layout", self.layout), f": unknown; choose {_list(LAYOUTS)}."
            )
        if self.sides not in (SIDES, SIDES[:1], SIDES[1:]):
            raise UsageError(f"Sides {self.sides}: give obverse, reverse or both in this order.")
        if self.seed < 0:
            raise MintError(Parameter("seed", self.seed), ": give a number from 0.")
        shares = ("duplicates", "swapped", "years_later")
        for name, share in ((each, float(getattr(self, each))) for each in shares):
            if not 0 <= share <= 1:
                raise MintError(Parameter(name, share), ": give a share from 0 to 1.")
        if not (math.isfinite(self.die_distance) and self.die_distance > 0):
            raise MintError(
                Parameter("die_distance", self.die_distance), ": give a number above 0."
            )


def _list(words: tuple[str, ...]) -> str:
    return ", ".join(words[:-1]) + " or " + words[-1]
