"""What questions to an index yield: comparisons, pairs, dies."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dieindex.errors import SheetError
from dieindex.records import OBVERSE, SIDES, Face, PairTable, Side, Verdict

if TYPE_CHECKING:
    from dieindex.verification.agreement import Agreement

PathLike = str | os.PathLike[str]


@dataclass(frozen=True, eq=False)
class Comparison:
    """The verdict on each side two coins have in common; None where one of them lacks the side."""

    a: str
    b: str
    obverse: Verdict | None
    reverse: Verdict | None
    faces: Callable[[Side], tuple[Face, Face]] = field(repr=False)
    """The two faces that were compared, drawn on their common frame where they lie on one."""
    note: str | None = None
    """What limits the whole comparison."""
    agreement: Callable[[Side], Agreement | None] = field(repr=False, default=lambda _: None)
    """Where the faces of a side agree; None where they were not looked at in detail."""

    def side(self, side: Side) -> Verdict | None:
        return self.obverse if side == OBVERSE else self.reverse

    def draw(self, path: PathLike) -> None:
        """Write a picture of the faces that were compared, with the verdicts."""
        from dieindex.verification.evidence import Shown, draw_comparison

        shown = [
            Shown(self.side(side), *self.faces(side), self.agreement(side))
            for side in SIDES
            if self.side(side)
        ]
        draw_comparison(self.a, self.b, shown, Path(path))


@dataclass(frozen=True, eq=False)
class Pairs:
    """The shortlisted pairs of one side, by coins, with their probabilities at ``prior``.

    ``table`` holds the evidence of each pair by itself; ``probability`` ``(m,)`` also what the
    other coins say, where pairs were verified (``verified`` ``(m,)``). ``judged`` ``(m,)`` is False
    where nothing can be told (a face lies on no frame, or both show too little in common): the
    probability is then the prior.
    """

    side: Side
    coins: Sequence[str]
    table: PairTable
    probability: np.ndarray
    prior: float
    judged: np.ndarray
    verified: np.ndarray

    def __len__(self) -> int:
        return len(self.table)

    def to_csv(self, path: PathLike) -> None:
        """One row an unordered pair: ``coin_a,coin_b,distance,probability,verdict``."""
        from dieindex.collection.writing import write_text
        from dieindex.verification.verdicts import verdict_of

        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["coin_a", "coin_b", "distance", "probability", "verdict"])
        columns = zip(
            self.table.first.tolist(),
            self.table.second.tolist(),
            self.table.distance.tolist(),
            self.probability.tolist(),
            self.judged.tolist(),
            strict=True,
        )
        for first, second, distance, probability, judged in columns:
            writer.writerow(
                [
                    self.coins[first],
                    self.coins[second],
                    # All digits, so that rounding makes no ties.
                    f"{distance:.17g}",
                    f"{probability:.17g}",
                    verdict_of(probability) if judged else "cannot tell",
                ]
            )
        write_text(Path(path), text.getvalue())


@dataclass(frozen=True, eq=False)
class Dies:
    """Putative dies of one side: ``names[i]`` is the die of ``coins[i]``."""

    side: Side
    coins: Sequence[str]
    names: Sequence[str]
    certainty: np.ndarray
    prior: float
    labels: Mapping[str, str] = field(default_factory=dict)
    """The sheet's dies by coin; they only score."""
    files: Mapping[str, str] = field(default_factory=dict)
    """The coin of every photograph, by which another sheet's rows are matched."""

    @property
    def clusters(self) -> dict[str, list[str]]:
        """Coins by die, dies in the order of their numbers."""
        from dieindex.collection.names import natural_key

        found: dict[str, list[str]] = {}
        for coin, name in zip(self.coins, self.names, strict=True):
            found.setdefault(name, []).append(coin)
        return {name: found[name] for name in sorted(found, key=natural_key)}

    def score(self, labels: PathLike | Mapping[str, str] | None = None) -> dict[str, Any] | None:
        """Scores against a sheet, a mapping coin → die, or the index's own sheet.

        None where no coin has a label.
        """
        from dieindex.evaluation.scores import score_dies

        if labels is None:
            true: Mapping[str, str] = self.labels
        elif isinstance(labels, Mapping):
            true = labels
        else:
            true = read_labels(Path(labels), self.files)[self.side]
        return score_dies(dict(zip(self.coins, self.names, strict=True)), true)


def read_labels(path: Path, coin_of_file: Mapping[str, str]) -> dict[Side, dict[str, str]]:
    """A sheet's dies by side and coin, for the coins of an index (``1`` in it meets ``001``).

    Raises SheetError where the sheet cannot be understood or knows none of the coins.
    """
    from dieindex.collection.layout import match_sheet

    coins = list(dict.fromkeys(coin_of_file.values()))
    rows = match_sheet(path, coins, files=dict(coin_of_file))
    found: dict[Side, dict[str, str]] = {
        side: {coin: row.dies[side] for coin, row in rows.items() if side in row.dies}
        for side in SIDES
    }
    if not any(found.values()):
        raise SheetError(f"{path}: names a die for none of the index's coins; is it their sheet?")
    return found


def write_dies(dies: Sequence[Dies], path: PathLike) -> None:
    """Write ``coin,side,die,certainty`` as .csv or .xlsx, marked as dieindex's own output."""
    from dieindex.study.tables import write_die_table

    rows = [
        (coin, each.side, name, float(certainty))
        for each in dies
        for coin, name, certainty in zip(each.coins, each.names, each.certainty, strict=True)
    ]
    write_die_table(rows, Path(path))
