"""Build an index: read, cut, lay on frames and encode what is new, and keep the rest."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from dieindex.encoder.weights import INDEX, EncoderCard, read_card
from dieindex.errors import CollectionError, IndexFolderError
from dieindex.indexing.crop import Task, cut_photographs
from dieindex.indexing.describe import lacks_details
from dieindex.records import OBVERSE, REVERSE, SIDES, Collection, Override, Photograph, Side
from dieindex.storage.catalogue import Catalogue, PhotographRow
from dieindex.storage.descriptors import DetailStore
from dieindex.storage.folder import (
    create_index_folder,
    default_index_folder,
    locked,
    own_weights,
)
from dieindex.storage.nearest import generation_of, write_vectors
from dieindex.storage.reviews import ReviewStore

Progress = Callable[[str, int, int], None]
"""Called with what is being done (``STEPS``), how much of it is done and how much there is."""
STEPS = ("cutting", "aligning", "encoding", "settling", "describing")
CUTTING, ALIGNING, ENCODING, SETTLING, DESCRIBING = STEPS
"""Photographs are cut; then faces are aligned, encoded, and settled on those most like them."""

VANISHED_LIMIT = 0.2
"""Share of an index's photographs that may vanish before a build stops (an unmounted disk)."""


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


def build_index(
    data: Path,
    folder: Path | None = None,
    *,
    labels: Path | None = None,
    side: Side | None = None,
    jobs: int | None = None,
    device: str = "auto",
    prune: bool = False,
    reencode: bool = False,
    any_rotation: bool = False,
    weights: Path | None = None,
    progress: Progress | None = None,
) -> BuildReport:
    """Bring the index of a collection up to date, working only on what is new or changed.

    Interrupted at any moment, the next run goes on where it stopped and ends with the same index.

    Args:
        data: the collection's folder.
        folder: the index folder; ``indexes/<name of data>`` by default.
        labels: the sheet, where it is not the one found in the collection.
        side: the side of single pictures of which neither sheet nor name says it.
        jobs: pictures worked on at once; the number of processors by default.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        prune: go on although more than ``VANISHED_LIMIT`` of the photographs have vanished.
        reencode: make an index of another encoder, or of an older dieindex, anew with this one.
        any_rotation: look for faces turned by any angle, not only up to 36 degrees; an index
            remembers it.
        weights: another encoder's weights; those the index keeps for itself, or the shipped
            ones, by default.

    Raises:
        CollectionError, SheetError: the collection cannot be read.
        IndexFolderError: the folder cannot be written, is in use, belongs to another collection or
            to another encoder, or most photographs have vanished.
    """
    from dieindex.collection.layout import read_collection

    started = time.perf_counter()
    collection = read_collection(data, labels, side)
    folder = default_index_folder(data) if folder is None else folder
    card = read_card(weights or own_weights(folder))
    create_index_folder(folder)
    with ExitStack() as stack:
        stack.enter_context(locked(folder))
        # Persons' work first: whatever becomes of the rest, it is safe.
        stack.enter_context(ReviewStore.open(folder, write=True))
        catalogue = stack.enter_context(Catalogue.open(folder, create=True, renew=reencode))
        warnings = _claim(catalogue, folder, collection)
        warnings += _check_encoder(catalogue, card, reencode)
        warnings += _check_rotation(catalogue, any_rotation)
        tasks, vanished = _plan(catalogue, collection)
        _check_vanished(catalogue, folder, vanished, prune)
        worked_on = encoded = 0
        with DetailStore.open(folder) as details:
            missing = lacks_details(catalogue, details)
        if tasks or vanished or missing or catalogue.meta("generation") is None:
            worked_on, encoded = _work(
                catalogue, collection.folder, tasks, vanished, card, jobs, device, progress
            )
        if catalogue.coins() != dict(collection.coins):
            with catalogue.transaction():
                catalogue.put_coins(collection.coins)
        write_vectors(folder, catalogue)
        report = _report(catalogue, folder, collection, warnings, worked_on, encoded, started)
    if not sum(report.faces.values()):
        reasons = "; ".join(f"{s.file}: {s.reason}" for s in report.skipped[:3])
        raise CollectionError(f"{data}: not one face could be indexed ({reasons}).")
    return report


def _claim(catalogue: Catalogue, folder: Path, collection: Collection) -> list[str]:
    """Record whose index this is; refuse another collection's."""
    data = str(collection.folder.resolve())
    recorded = catalogue.meta("data")
    if recorded == data:
        return []
    if recorded is not None:
        known = set(catalogue.photographs())
        here = {photograph.file for photograph in collection}
        moved = not Path(recorded).exists() and len(known & here) >= 0.8 * len(known)
        if not moved:
            raise IndexFolderError(
                f"{folder}: is the index of {recorded}, not of {data}; choose another index."
            )
    with catalogue.transaction():
        catalogue.set_meta("data", data)
    return [] if recorded is None else [f"The collection has moved from {recorded} to {data}."]


def _check_encoder(catalogue: Catalogue, card: EncoderCard, reencode: bool) -> list[str]:
    recorded = catalogue.meta("encoder")
    if recorded == card.version:
        return []
    if recorded is not None and not reencode:
        raise IndexFolderError(
            f"{catalogue.path.parent}: was built with encoder {recorded}, this dieindex has "
            f"{card.version}; build again with reencode=True to make it anew. Verdicts and "
            "die numbers are kept."
        )
    calibration = card.calibration_for(INDEX)
    with catalogue.transaction():
        catalogue.forget_vectors()
        catalogue.set_meta("encoder", card.version)
        catalogue.set_meta("dimension", str(card.config["dimension"]))
        catalogue.set_meta("calibration", calibration)
        catalogue.set_meta("type_radius", repr(card.type_radius))
        catalogue.set_meta("generation", None)
    return [] if recorded is None else [f"All faces are encoded anew with {card.version}."]


def _check_rotation(catalogue: Catalogue, wanted: bool) -> list[str]:
    """Remember whether all turns are looked for; an index is never narrowed by leaving it out."""
    recorded = catalogue.meta("any_rotation")
    if recorded == "1" or (recorded is not None and not wanted):
        return []
    with catalogue.transaction():
        catalogue.set_meta("any_rotation", "1" if wanted else "0")
        if recorded is not None:
            catalogue.forget_alignment()
            catalogue.set_meta("generation", None)
    return [] if recorded is None else ["All faces are aligned anew, turned by any angle."]


def _hints(photograph: Photograph) -> str:
    """What the collection says of a photograph that changes its faces, as a comparable text."""

    def plain(override: Override) -> dict[str, object]:
        return {key: value for key, value in asdict(override).items() if key != "file"}

    return json.dumps(
        {
            "side": photograph.side,
            "from": photograph.side_from,
            "overrides": [plain(override) for override in photograph.overrides],
        },
        sort_keys=True,
    )


def _plan(catalogue: Catalogue, collection: Collection) -> tuple[list[Task], list[PhotographRow]]:
    """What is due, in the collection's order, and which known photographs have vanished."""
    rows = catalogue.photographs()
    tasks: list[Task] = []
    with catalogue.transaction():
        for photograph in collection:
            hints = _hints(photograph)
            known = rows.get(photograph.file)
            if known is None or known.hints != hints:
                tasks.append(Task(photograph, hints, known))
                continue
            status = (collection.folder / photograph.file).stat()
            if (status.st_size, status.st_mtime_ns) != (known.size, known.mtime_ns):
                tasks.append(Task(photograph, hints, known))
            elif known.state == "absent" or known.coin != photograph.coin:
                catalogue.update_photograph(
                    photograph.file,
                    coin=photograph.coin,
                    size=known.size,
                    mtime_ns=known.mtime_ns,
                    hints=hints,
                    state="done" if known.reason is None else "skipped",
                )
                catalogue.set_meta("generation", None)
    present = {photograph.file for photograph in collection}
    vanished = [row for row in rows.values() if row.file not in present and row.state != "absent"]
    return tasks, vanished


def _check_vanished(
    catalogue: Catalogue, folder: Path, vanished: list[PhotographRow], prune: bool
) -> None:
    present = catalogue.counts()["done"] + catalogue.counts()["skipped"]
    if len(vanished) > VANISHED_LIMIT * present and not prune:
        raise IndexFolderError(
            f"{folder}: {len(vanished)} of its {present} photographs have vanished "
            f"({vanished[0].file} …). Is the disk mounted? If they were taken away on purpose, "
            "build again with prune=True. Nothing was changed."
        )


def _work(
    catalogue: Catalogue,
    data: Path,
    tasks: list[Task],
    vanished: list[PhotographRow],
    card: EncoderCard,
    jobs: int | None,
    device: str,
    progress: Progress | None,
) -> tuple[int, int]:
    """Bring the catalogue up to date; gives the photographs cut and the faces encoded."""
    from dieindex.encoder.encode import Encoder
    from dieindex.indexing.align import lay_faces
    from dieindex.indexing.describe import describe_faces
    from dieindex.indexing.encode import compete, encode_raw
    from dieindex.indexing.refine import refine_faces
    from dieindex.indexing.swapped import swapped_coins
    from dieindex.workers import count_of, workers

    def telling(step: str) -> Callable[[int, int], None] | None:
        return None if progress is None else lambda done, total: progress(step, done, total)

    with catalogue.transaction():
        catalogue.set_meta("generation", None)
    jobs = count_of(jobs)
    with workers(jobs) as pool:
        cut = cut_photographs(catalogue, data, tasks, vanished, pool, jobs, telling(CUTTING))
        with catalogue.transaction():
            # A renamed one is no longer known by its old name, and is not touched.
            catalogue.mark_absent(row.file for row in vanished)
        encoder = Encoder(card, device)
        lay_faces(catalogue, encoder, pool, jobs, telling(ALIGNING))
        encoded = encode_raw(catalogue, encoder, pool, jobs, telling(ENCODING))
        refine_faces(catalogue, encoder, pool, jobs, telling(SETTLING))
        compete(catalogue)
        with DetailStore.open(catalogue.path.parent, create=True) as details:
            describe_faces(catalogue, details, encoder, pool, jobs, telling(DESCRIBING))
        swapped = swapped_coins(catalogue, pool, jobs)
    with catalogue.transaction():
        catalogue.set_meta("swapped", json.dumps(swapped, ensure_ascii=False))
        catalogue.set_meta("built", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
        catalogue.set_meta("generation", generation_of(catalogue))
    return cut, encoded


def _report(
    catalogue: Catalogue,
    folder: Path,
    collection: Collection,
    warnings: list[str],
    worked_on: int,
    encoded: int,
    started: float,
) -> BuildReport:
    rows = [row for row in catalogue.photographs().values() if row.state != "absent"]
    counts = catalogue.counts()
    warnings = [*warnings, *(doubt.message for doubt in collection.doubts)]
    warnings += _warnings_of_faces(rows, json.loads(catalogue.meta("swapped") or "[]"))
    if counts["absent"]:
        warnings.append(f"{counts['absent']} photographs of this index are absent from the folder.")
    return BuildReport(
        folder=folder,
        coins=counts["coins"],
        faces={OBVERSE: counts[OBVERSE], REVERSE: counts[REVERSE]},
        unsure=counts["unsure"],
        worked_on=worked_on,
        encoded=encoded,
        frames={side: catalogue.frame_count(side) for side in SIDES},
        unaligned={side: catalogue.unaligned_reasons(side) for side in SIDES},
        skipped=tuple(Skipped(row.file, row.reason) for row in rows if row.reason is not None),
        warnings=tuple(warnings),
        seconds=time.perf_counter() - started,
    )


def _warnings_of_faces(rows: list[PhotographRow], swapped: list[str]) -> list[str]:
    warnings = []
    undecided = [row.file for row in rows if "side" in row.notes]
    if undecided:
        warnings.append(
            f"{_some(undecided)}: one side each, and nothing says which; taken as obverses "
            "(say it with side=SIDE, a sheet, or names such as 12_obv.jpg and 12_rev.jpg)."
        )
    alike = [row.file for row in rows if "alike" in row.notes]
    if alike:
        warnings.append(f"{_some(alike)}: both sides look the same; one side photographed twice?")
    if swapped:
        warnings.append(
            f"Coin {_some(swapped)}: obverse and reverse look swapped; "
            "correct it in overrides.csv (file, swap) if so."
        )
    return warnings


def _some(names: Sequence[str], shown: int = 5) -> str:
    listed = ", ".join(names[:shown])
    return listed if len(names) <= shown else f"{listed} and {len(names) - shown} more"
