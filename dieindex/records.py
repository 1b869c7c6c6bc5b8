"""The plain values that pass between the stages.

Conventions: pictures are NumPy arrays ``(height, width, 3)`` of ``uint8`` in RGB, already turned
upright (EXIF); positions are pixels ``(x, y)`` with the origin at the centre of the top-left pixel;
sides are the strings ``"obverse"`` and ``"reverse"``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

Side = Literal["obverse", "reverse"]
OBVERSE: Side = "obverse"
REVERSE: Side = "reverse"
SIDES: tuple[Side, Side] = (OBVERSE, REVERSE)
DIE_PREFIX: Mapping[Side, str] = {OBVERSE: "O", REVERSE: "R"}

PathLike = str | os.PathLike[str]
Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Picture = npt.NDArray[np.uint8]
Mask = Flags
Vectors = Floats32
"""(n, dimension): embeddings, unit vectors unless said otherwise."""
Matrix = npt.NDArray[np.floating]
"""(3, 3): a transform of homogeneous pixel coordinates."""


def other_side(side: Side) -> Side:
    return REVERSE if side == OBVERSE else OBVERSE


class Progress(Protocol):
    """Called as work goes on: the step, how much of it is done, and how much there is."""

    def __call__(self, step: str, done: int, total: int, /) -> None: ...


FACE_SIZE = 256
"""Edge of a face's square picture, pixels."""
FLAN_RADIUS = 0.45
"""Radius of the found flan in a face's picture, as a share of its edge; the rest is margin."""


@dataclass(frozen=True)
class Circle:
    """The flan in its photograph, pixels. It may reach beyond the picture's edge (a cut coin)."""

    x: float
    y: float
    radius: float


@dataclass(frozen=True)
class Flan:
    """What the flan finder says of one face.

    ``confidence`` lies in 0…1; ``sure`` is the finder's own decision. Where it is not sure,
    ``reason`` says why, and the circle is that of the whole half (or whole picture); only where a
    coin was found that the picture cuts, and what is seen of it leaves its circle in doubt, it is
    the likeliest circle.
    """

    circle: Circle
    confidence: float
    sure: bool
    reason: str | None = None


@dataclass(frozen=True, eq=False)
class Face:
    """One side of one coin as seen in one photograph, cut out and normalised.

    ``picture`` is ``(FACE_SIZE, FACE_SIZE, 3)`` uint8 RGB with the flan centred at radius
    ``FLAN_RADIUS * FACE_SIZE``; ``mask`` is True on the flan.
    """

    side: Side
    picture: Picture
    mask: Mask
    flan: Flan
    rotation: float = 0.0
    """Degrees, counter-clockwise, by which the photograph was turned (from ``overrides.csv``)."""


@dataclass(frozen=True)
class Override:
    """A person's correction of one picture, a row of ``overrides.csv``; None leaves as found.

    ``side`` None means the whole file (``swap``, ``skip``, or a picture of a single side).
    """

    file: str
    side: Side | None = None
    circle: Circle | None = None
    rotate: float | None = None
    swap: bool = False
    skip: bool = False


@dataclass(frozen=True)
class Doubt:
    """Something about the collection a person should look at; it never stops the work."""

    kind: str
    message: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Photograph:
    """One picture file of a collection and what names and sheet say about it.

    ``file`` is the path below the collection's folder with forward slashes. ``side`` is None where
    nothing says which side it shows: the picture then shows both, or one (decided by looking).
    """

    file: str
    coin: str
    side: Side | None = None
    side_from: Literal["sheet", "name", "option"] | None = None
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True)
class SheetCoin:
    """What a sheet knows of one coin: its die names a side, and every other column as text."""

    coin: str
    dies: Mapping[Side, str] = field(default_factory=dict)
    """Only known dies: ``?``, empty and ``-`` are left out."""
    columns: Mapping[str, str] = field(default_factory=dict)
    row: int = 0
    """Row in the sheet, from 1, for messages."""


@dataclass(frozen=True)
class SheetReading:
    """How a sheet was read: the names of the columns by what they were taken for (``coin``,
    ``obverse die``, …), the number of rows that count, and those passed over by the reason why.

    ``sheet`` is a workbook's sheet, empty for a file of text.
    """

    file: str
    sheet: str
    columns: Mapping[str, str]
    header: bool
    rows: int
    passed_over: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def __str__(self) -> str:
        """One line: ``dies.csv: coin = column “Nr.”, …; 90 rows read, 1 passed over (…)``."""
        place = f"{self.file}, sheet “{self.sheet[:40]}”" if self.sheet else self.file
        header = "" if self.header else "no header; "
        columns = ", ".join(
            f"{role} = {'' if number else 'column '}“{name[:40]}”"
            for number, (role, name) in enumerate(self.columns.items())
        )
        passed = sum(map(len, self.passed_over.values()))
        told = f"{self.rows} row{'' if self.rows == 1 else 's'} read"
        if passed:
            told += f", {passed} passed over ({self._passed_over()})"
        return f"{place}: {header}{columns}; {told}"

    def _passed_over(self) -> str:
        parts = []
        for reason, numbers in self.passed_over.items():
            shown = ", ".join(map(str, numbers[:6])) + (" …" if len(numbers) > 6 else "")
            parts.append(f"{shown}: {reason}")
        passed = sum(map(len, self.passed_over.values()))
        return ("row " if passed == 1 else "rows ") + "; ".join(parts)


@dataclass(frozen=True)
class Collection:
    """A folder of photographs with its sheet, read but not yet looked at."""

    folder: Path
    photographs: tuple[Photograph, ...]
    sheet: Path | None = None
    coins: Mapping[str, SheetCoin] = field(default_factory=dict)
    """The sheet's coins that have a photograph, by coin id."""
    doubts: tuple[Doubt, ...] = ()
    reading: SheetReading | None = None
    """How the sheet was read, where there is one."""

    def __iter__(self) -> Iterator[Photograph]:
        return iter(self.photographs)


@dataclass(frozen=True)
class Verdict:
    """Whether two faces share a die. ``distance`` and ``threshold`` lie in 0…2."""

    verdict: Literal["same", "different", "cannot tell"]
    probability: float
    prior: float
    distance: float
    threshold: float
    basis: Literal["embedding", "verified", "review"]
    reason: str | None = None


SAME_FROM = 0.9
DIFFERENT_UP_TO = 0.1


@dataclass(frozen=True, eq=False)
class PairTable:
    """Compared pairs of faces of one side, each unordered pair once.

    ``first`` and ``second`` are ``(m,)`` positions into the list of faces, ``first < second``;
    ``distance`` ``(m,)`` lies in 0…2; ``log_likelihood_ratio`` ``(m,)`` is the natural logarithm of
    p(evidence | same die) / p(evidence | different dies).
    """

    first: Ints
    second: Ints
    distance: Floats
    log_likelihood_ratio: Floats

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True)
class Review:
    """What a person said of two coins of one side: the verdict of a review.

    ``one-coin`` says more than ``same``: both are photographs of one and the same coin. ``time`` is
    ISO 8601 in UTC. ``number`` counts reviews in the order they were given.
    """

    coin_a: str
    coin_b: str
    side: Side
    verdict: Literal["same", "different", "unsure", "one-coin"]
    by: str
    note: str
    time: str
    number: int = 0

    @property
    def pair(self) -> frozenset[str]:
        return frozenset((self.coin_a, self.coin_b))

    @property
    def joins(self) -> bool:
        """Whether both are of one die by it."""
        return self.verdict in ("same", "one-coin")


@dataclass(frozen=True)
class Constraint:
    """What is known of two faces (positions in a list of faces) beyond their pictures: of one die,
    or of different dies. ``source`` says from where, for messages."""

    first: int
    second: int
    same: bool
    source: str = ""
