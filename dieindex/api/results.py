"""What questions to an index yield: comparisons, pairs, dies."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dieindex.errors import SheetError, UsageError
from dieindex.files import check_writable
from dieindex.records import (
    OBVERSE,
    SIDES,
    Face,
    Flags,
    Floats,
    PairTable,
    PathLike,
    Review,
    Side,
    Verdict,
)

if TYPE_CHECKING:
    from dieindex.calibration.judge_pairs import JudgedPairs
    from dieindex.clustering.certainty import DieCount
    from dieindex.clustering.doubts import Contradiction, NearMiss, SuspectedError
    from dieindex.clustering.graph import SignedGraph
    from dieindex.verification.agreement import Agreement

TABLE_SUFFIXES = (".csv", ".xlsx")


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
    apart: Callable[[Side], str | None] = field(repr=False, default=lambda _: None)
    """Why the faces of a side do not lie on each other; None where they do."""

    def side(self, side: Side) -> Verdict | None:
        return self.obverse if side == OBVERSE else self.reverse

    def draw(self, path: PathLike) -> None:
        """Write a picture of the faces that were compared, with the verdicts."""
        from dieindex.verification.evidence_picture import Shown, draw_comparison

        shown = [
            Shown(self.side(side), *self.faces(side), self.agreement(side), self.apart(side))
            for side in SIDES
            if self.side(side)
        ]
        draw_comparison(self.a, self.b, shown, Path(path))


@dataclass(frozen=True, eq=False)
class Pairs:
    """The candidate pairs of one side, by coins, with their probabilities; see ``JudgedPairs``."""

    side: Side
    coins: Sequence[str]
    judgement: JudgedPairs = field(repr=False)

    def __len__(self) -> int:
        return len(self.judgement)

    @property
    def table(self) -> PairTable:
        """Positions, distances, and each pair's own log-likelihood ratio."""
        return self.judgement.table

    @property
    def probability(self) -> Floats:
        """``(m,)`` of one die, at ``prior``."""
        return self.judgement.probability

    @property
    def prior(self) -> float:
        """The share of same-die pairs among all."""
        return self.judgement.prior

    @property
    def judged(self) -> Flags:
        """``(m,)``: False where nothing can be told; the probability is then the prior."""
        return self.judgement.judged

    @property
    def verified(self) -> Flags:
        """``(m,)``: whether the dense descriptors were compared and not only the vectors."""
        return self.judgement.verified

    @property
    def in_context(self) -> Floats | None:
        """``(m,)``: the ratios with what the other coins say; None where they have no say."""
        return self.judgement.in_context

    def to_csv(self, path: PathLike) -> None:
        """One row an unordered pair: ``coin_a,coin_b,distance,probability,verdict``."""
        from dieindex.calibration.verdict import verdict_of
        from dieindex.files import write_text

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
    graph: SignedGraph | None = field(default=None, repr=False)
    """The signed graph that was clustered; positions are those of ``coins``."""
    own_graph: SignedGraph | None = field(default=None, repr=False)
    """The same without what a trusted sheet says."""
    found: np.ndarray | None = field(default=None, repr=False)
    """Numbers of the dies from 0, ``(n,)``, as ``graph`` was clustered."""
    scored_names: Sequence[str] | None = None
    """Dies of a run that did not know the sheet, where the sheet was trusted: these are scored."""
    changes: Sequence[str] = ()
    """What became of die numbers since they were last kept."""
    reviews: Sequence[Review] = ()
    """Persons' verdicts on this side, all that were ever given."""

    @cached_property
    def count(self) -> DieCount | None:
        """The number of dies with an interval that tells how far to trust it."""
        from dieindex.clustering.certainty import count_dies

        return None if self.graph is None else count_dies(self._found, self.graph)

    @cached_property
    def cohesion(self) -> dict[str, float | None]:
        """Of each die, how likely 0…1 two of its coins share it by the mean of its pairs; None for
        a die of one coin."""
        from dieindex.clustering.certainty import cohesions

        if self.graph is None:
            return {}
        each = cohesions(self._found, self.graph)
        values = {name: float(each[die]) for name, die in zip(self.names, self._found, strict=True)}
        return {name: value if value == value else None for name, value in values.items()}

    @cached_property
    def contradictions(self) -> list[Contradiction]:
        """Dies in which pairs say "different", those first where a look would change most."""
        from dieindex.clustering.doubts import contradictions

        return [] if self.graph is None else contradictions(self._found, self.graph)

    @cached_property
    def near_misses(self) -> list[NearMiss]:
        """Pairs of dies that may be one, those first where a look would change most."""
        from dieindex.clustering.doubts import near_misses

        return [] if self.graph is None else near_misses(self._found, self.graph)

    @cached_property
    def suspects(self) -> list[SuspectedError]:
        """The sheet's labels that the pictures contradict strongly, those first where a look would
        change most."""
        from dieindex.clustering.doubts import suspected_errors

        if self.own_graph is None:
            return []
        return suspected_errors([self.labels.get(coin) for coin in self.coins], self.own_graph)

    @property
    def _found(self) -> np.ndarray:
        assert self.found is not None
        return self.found

    @property
    def clusters(self) -> dict[str, list[str]]:
        """Coins by die, dies in the order of their numbers."""
        from dieindex.text import natural_key

        found: dict[str, list[str]] = {}
        for coin, name in zip(self.coins, self.names, strict=True):
            found.setdefault(name, []).append(coin)
        return {name: found[name] for name in sorted(found, key=natural_key)}

    def score(self, labels: PathLike | Mapping[str, str] | None = None) -> dict[str, Any] | None:
        """Scores against a sheet, a mapping coin → die, or the index's own sheet.

        None where no coin has a label. Where a sheet was trusted, the run without it is scored.
        """
        from dieindex.evaluation.scores import score_dies

        if labels is None:
            true: Mapping[str, str] = self.labels
        elif isinstance(labels, Mapping):
            true = labels
        else:
            true = read_labels(Path(labels), self.files)[self.side]
        names = self.scored_names or self.names
        return score_dies(dict(zip(self.coins, names, strict=True)), true)


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


def check_table(path: PathLike) -> None:
    """Raise UsageError or DieIndexError where dies could not be written to this file: before the
    work, not after it."""
    if Path(path).suffix.lower() not in TABLE_SUFFIXES:
        raise UsageError(f"{path}: write to a .csv or .xlsx file.")
    check_writable(Path(path))


def write_dies(dies: Sequence[Dies], path: PathLike) -> None:
    """Write the dies as a .csv (``coin,side,die,certainty``), or as a workbook (.xlsx) that has
    also the doubtful cases, the sheet's suspected errors, reviews and scores; both marked as
    dieindex's own output."""
    from dieindex.api.workbook import die_sheets
    from dieindex.study.die_tables import write_die_table, write_die_workbook

    path = Path(path)
    if path.suffix.lower() == ".xlsx":
        write_die_workbook(die_sheets(dies), path)
        return
    if path.suffix.lower() != ".csv":
        raise UsageError(f"{path}: write to a .csv or .xlsx file.")
    rows = [
        (coin, each.side, name, float(certainty))
        for each in dies
        for coin, name, certainty in zip(each.coins, each.names, each.certainty, strict=True)
    ]
    write_die_table(rows, path)
