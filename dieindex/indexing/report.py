"""What a build found and did, and what a person should look at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dieindex.indexing.repeated import repeated_coins
from dieindex.records import OBVERSE, REVERSE, SIDES, Collection, SheetReading, Side
from dieindex.storage.catalogue import Catalogue, PhotographRow
from dieindex.text import Message, Parameter, counted, some_of


@dataclass(frozen=True)
class Skipped:
    """A picture that could not be used, and why."""

    file: str
    reason: str


@dataclass(frozen=True)
class BuildReport:
    """What a build found and did."""

    folder: Path
    coins: int
    faces: dict[Side, int]
    unsure: int
    """Faces whose flan was not found for sure."""
    worked_on: int
    """Photographs read in this run; the others were known already."""
    encoded: int
    """Faces encoded in this run."""
    frames: dict[Side, int]
    """Frames that the faces of each side lie on."""
    unaligned: dict[Side, dict[str, int]]
    """Faces of each side that lie on no frame, by the reason why. They are indexed all the same."""
    skipped: tuple[Skipped, ...]
    warnings: tuple[str, ...]
    seconds: float
    sheet: SheetReading | None = None
    """How the sheet was read, where there is one."""


def report_of(
    catalogue: Catalogue,
    collection: Collection,
    warnings: Sequence[str],
    *,
    worked_on: int,
    encoded: int,
    seconds: float,
) -> BuildReport:
    """What there is to tell of an index that was just built; ``warnings`` come first."""
    rows = [row for row in catalogue.photographs().values() if row.state != "absent"]
    counts = catalogue.counts()
    told = [*warnings, *(doubt.message for doubt in collection.doubts)]
    told += _warnings_of_faces(rows, json.loads(catalogue.meta("swapped") or "[]"))
    repeated = [f"{one} and {other}" for one, other in repeated_coins(catalogue)]
    if repeated:
        each = " each" if len(repeated) > 1 else ""
        told.append(
            f"{some_of(repeated)} may be one coin{each}: their photographs look like one and the "
            "same. Say which are (dieindex verdict A B one-coin), give both one coin in the sheet "
            "(columns “file” and “coin”), or leave one out in overrides.csv (file, skip); else it "
            "is counted twice."
        )
    if counts["absent"]:
        told.append(
            f"{counted(counts['absent'], 'photograph')} of this index "
            f"{'is' if counts['absent'] == 1 else 'are'} absent from the folder."
        )
    return BuildReport(
        folder=catalogue.path.parent,
        coins=counts["coins"],
        faces={OBVERSE: counts[OBVERSE], REVERSE: counts[REVERSE]},
        unsure=counts["unsure"],
        worked_on=worked_on,
        encoded=encoded,
        frames={side: catalogue.frame_count(side) for side in SIDES},
        unaligned={side: catalogue.unaligned_reasons(side) for side in SIDES},
        skipped=tuple(Skipped(row.file, row.reason) for row in rows if row.reason is not None),
        warnings=tuple(told),
        seconds=seconds,
        sheet=collection.reading,
    )


def _warnings_of_faces(rows: Sequence[PhotographRow], swapped: list[str]) -> list[str]:
    warnings: list[str] = []
    undecided = [row.file for row in rows if "side" in row.notes]
    if undecided:
        warnings.append(
            Message(
                f"{some_of(undecided)}: one side each, and nothing says which; taken as obverses "
                "(say it with ",
                Parameter("side", "SIDE"),
                ", a sheet, or names such as 12_obv.jpg and 12_rev.jpg).",
            )
        )
    several = [row.file for row in rows if "several" in row.notes]
    if several:
        warnings.append(
            f"{some_of(several)}: more coins or views than a picture may show (one side, or "
            "obverse and reverse), so that no face of it is sure; cut it apart, one picture a coin."
        )
    pages = [row.file for row in rows if "pages" in row.notes]
    if pages:
        warnings.append(
            f"{some_of(pages)}: several pages, of which only the first of the largest is read; "
            "save each page as a picture of its own if others show a coin's other side."
        )
    alike = [row.file for row in rows if "alike" in row.notes]
    if alike:
        warnings.append(f"{some_of(alike)}: both sides look the same; one side photographed twice?")
    if swapped:
        warnings.append(
            f"Coin {some_of(swapped)}: obverse and reverse look swapped; "
            "correct it in overrides.csv (file, swap) if so."
        )
    return warnings
