"""A sheet as it was understood: its rows by coin, dies and files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dieindex.records import Doubt, SheetReading, Side


@dataclass(frozen=True)
class SheetRow:
    """One row of a sheet, or one of the coins that it lists. ``coin`` is empty where only a file
    names the photograph, or nothing does."""

    number: int
    coin: str
    dies: Mapping[Side, str] = field(default_factory=dict)
    files: tuple[tuple[str, Side | None], ...] = ()
    """Files the row names, with the side that its column (``obverse image``) states."""
    side: Side | None = None
    """From the sheet's column ``side``."""
    columns: Mapping[str, str] = field(default_factory=dict)
    count: int | None = None
    """How many coins the row stands for, where a column counts them."""


@dataclass(frozen=True)
class Sheet:
    """A sheet as it was understood.

    ``sides`` are those whose dies it can name (it has a column for them), ``side_of_die`` says that
    its column ``side`` belongs to a column ``die`` and not to a photograph.
    """

    path: Path
    rows: tuple[SheetRow, ...]
    sides: tuple[Side, ...] = ()
    side_of_die: bool = False
    doubts: tuple[Doubt, ...] = ()
    reading: SheetReading | None = None

    @property
    def names_coins(self) -> bool:
        """False where the rows only count coins."""
        return any(row.coin or row.files for row in self.rows)
