"""Build an index: read, cut and encode what is new, and keep the rest."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dieindex.encoder.weights import EncoderCard, read_card
from dieindex.errors import CollectionError, IndexFolderError, PictureError
from dieindex.index.catalogue import Catalogue, PhotographRow
from dieindex.index.folder import create_index_folder, default_index_folder, locked
from dieindex.index.swapped import swapped_coins
from dieindex.index.vectors import generation_of, write_vectors
from dieindex.records import OBVERSE, REVERSE, Collection, Face, Override, Photograph, Side

if TYPE_CHECKING:
    from dieindex.encoder.encode import Encoder

Progress = Callable[[int, int], None]
"""Called with photographs done and photographs to do."""

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
    skipped: tuple[Skipped, ...]
    warnings: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class _Task:
    photograph: Photograph
    hints: str
    known: PhotographRow | None


@dataclass(frozen=True, eq=False)
class _Outcome:
    task: _Task
    size: int
    mtime_ns: int
    sha256: str
    faces: tuple[Face, ...] = ()
    reason: str | None = None
    notes: tuple[str, ...] = ()
    same_content: bool = False
    renamed_from: str | None = None


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
        reencode: make an index of another encoder anew with this one.
        weights: another encoder's weights.

    Raises:
        CollectionError, SheetError: the collection cannot be read.
        IndexFolderError: the folder cannot be written, is in use, belongs to another collection or
            to another encoder, or most photographs have vanished.
    """
    from dieindex.collection.layout import read_collection

    started = time.perf_counter()
    collection = read_collection(data, labels, side)
    folder = default_index_folder(data) if folder is None else folder
    card = read_card(weights)
    create_index_folder(folder)
    with locked(folder), Catalogue.open(folder, create=True) as catalogue:
        warnings = _claim(catalogue, folder, collection)
        warnings += _check_encoder(catalogue, card, reencode)
        tasks, vanished = _plan(catalogue, collection)
        _check_vanished(catalogue, folder, vanished, prune)
        worked_on = 0
        if tasks or vanished or catalogue.meta("generation") is None:
            with catalogue.transaction():
                catalogue.set_meta("generation", None)
            if tasks:
                worked_on = _work(
                    catalogue, collection.folder, tasks, vanished, card, jobs, device, progress
                )
            with catalogue.transaction():
                # A renamed one is no longer known by its old name, and is not touched.
                catalogue.mark_absent(row.file for row in vanished)
            _finish(catalogue)
        if catalogue.coins() != dict(collection.coins):
            with catalogue.transaction():
                catalogue.put_coins(collection.coins)
        write_vectors(folder, catalogue)
        report = _report(catalogue, folder, collection, warnings, worked_on, started)
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
                f"{folder}: is the index of {recorded}, not of {data}; choose another --index."
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
            f"{card.version}; run the build again with --reencode to make it anew."
        )
    with catalogue.transaction():
        catalogue.forget_faces()
        catalogue.set_meta("encoder", card.version)
        catalogue.set_meta("dimension", str(card.config["dimension"]))
        catalogue.set_meta("threshold", repr(card.threshold))
        catalogue.set_meta("calibration", json.dumps(card.calibration))
        catalogue.set_meta("generation", None)
    return [] if recorded is None else [f"All faces were encoded anew with {card.version}."]


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


def _plan(catalogue: Catalogue, collection: Collection) -> tuple[list[_Task], list[PhotographRow]]:
    """What is due, in the collection's order, and which known photographs have vanished."""
    rows = catalogue.photographs()
    tasks: list[_Task] = []
    with catalogue.transaction():
        for photograph in collection:
            hints = _hints(photograph)
            known = rows.get(photograph.file)
            if known is None or known.hints != hints:
                tasks.append(_Task(photograph, hints, known))
                continue
            status = (collection.folder / photograph.file).stat()
            if (status.st_size, status.st_mtime_ns) != (known.size, known.mtime_ns):
                tasks.append(_Task(photograph, hints, known))
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
            "run the build again with --prune. Nothing was changed."
        )


def _work(
    catalogue: Catalogue,
    data: Path,
    tasks: list[_Task],
    vanished: list[PhotographRow],
    card: EncoderCard,
    jobs: int | None,
    device: str,
    progress: Progress | None,
) -> int:
    """Cut, encode and record; returns how many photographs were worked on."""
    from dieindex.encoder.encode import BATCH, Encoder

    jobs = max(1, jobs or os.cpu_count() or 1)
    encoder = Encoder(card, device)
    by_content = {(row.sha256, row.hints): row.file for row in vanished}
    done = 0
    with _one_thread_each(jobs), ThreadPoolExecutor(jobs, "dieindex") as pool:
        try:
            encoding: deque[Future[tuple[list[_Outcome], np.ndarray]]] = deque()

            def record_first() -> None:
                nonlocal done
                outcomes, vectors = encoding.popleft().result()
                _record(catalogue, outcomes, vectors, by_content)
                done += len(outcomes)
                if progress:
                    progress(done, len(tasks))

            group: list[_Outcome] = []
            for outcome in _in_order(pool, jobs, data, tasks, by_content):
                group.append(outcome)
                faces = sum(len(member.faces) for member in group)
                if faces >= BATCH or len(group) >= 4 * BATCH:
                    encoding.append(pool.submit(_encode, encoder, group))
                    group = []
                    if len(encoding) > jobs:
                        record_first()
            if group:
                encoding.append(pool.submit(_encode, encoder, group))
            while encoding:
                record_first()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return done


def _in_order(
    pool: ThreadPoolExecutor,
    jobs: int,
    data: Path,
    tasks: Sequence[_Task],
    by_content: dict[tuple[str, str], str],
) -> Iterator[_Outcome]:
    """Outcomes in the order of the tasks, only a few pictures in memory at a time."""
    waiting: deque[Future[_Outcome]] = deque()
    for task in tasks:
        waiting.append(pool.submit(_cut, data, task, by_content))
        if len(waiting) >= 4 * jobs:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _cut(data: Path, task: _Task, by_content: dict[tuple[str, str], str]) -> _Outcome:
    """Read one photograph and cut its faces; whatever is wrong with it is its outcome."""
    photograph = task.photograph
    path = data / photograph.file
    try:
        status = path.stat()
        outcome = _Outcome(task, status.st_size, status.st_mtime_ns, _hash_file(path))
    except OSError as error:
        reason = f"cannot be read ({error.strerror}); correct its permissions or remove it"
        return _Outcome(task, 0, 0, "", reason=reason)
    known = task.known
    if known is not None and (known.sha256, known.hints) == (outcome.sha256, task.hints):
        return replace(outcome, same_content=True)
    renamed_from = by_content.get((outcome.sha256, task.hints))
    if known is None and renamed_from is not None:
        return replace(outcome, renamed_from=renamed_from)
    try:
        faces, notes = _faces_and_notes(path, photograph)
        return replace(outcome, faces=faces, notes=notes)
    except PictureError as error:
        # The list of skipped pictures names the file already.
        reason = str(error)
        for name in (str(path), path.name):
            reason = reason.removeprefix(f"{name}: ")
        return replace(outcome, reason=reason)
    except MemoryError:
        return replace(outcome, reason="too large for this machine's memory; scale it down")


def _faces_and_notes(
    path: Path, photograph: Photograph
) -> tuple[tuple[Face, ...], tuple[str, ...]]:
    from dieindex.collection.faces import sides_look_alike
    from dieindex.collection.photographs import cut_photograph

    faces = tuple(cut_photograph(path, photograph))
    notes = []
    if len(faces) == 1 and photograph.side is None:
        notes.append("side")
    if len(faces) == 2 and sides_look_alike(*faces):
        notes.append("alike")
    return faces, tuple(notes)


def _encode(encoder: Encoder, group: list[_Outcome]) -> tuple[list[_Outcome], np.ndarray]:
    faces = [face for outcome in group for face in outcome.faces]
    return group, encoder.encode(faces, fill=True)


def _record(
    catalogue: Catalogue,
    outcomes: list[_Outcome],
    vectors: np.ndarray,
    by_content: dict[tuple[str, str], str],
) -> None:
    """Record a group of photographs, all or none of them."""
    position = 0
    with catalogue.transaction():
        for outcome in outcomes:
            task = outcome.task
            photograph = task.photograph
            if outcome.renamed_from is not None:
                old = by_content.pop((outcome.sha256, task.hints), None)
                if old is not None:
                    catalogue.rename_photograph(old, photograph.file)
                    outcome = replace(outcome, same_content=True)
                    state = "done"
            if outcome.same_content:
                known = task.known
                state = "done" if known is None or known.reason is None else "skipped"
                catalogue.update_photograph(
                    photograph.file,
                    coin=photograph.coin,
                    size=outcome.size,
                    mtime_ns=outcome.mtime_ns,
                    hints=task.hints,
                    state=state,
                )
                continue
            count = len(outcome.faces)
            catalogue.put_photograph(
                file=photograph.file,
                coin=photograph.coin,
                size=outcome.size,
                mtime_ns=outcome.mtime_ns,
                sha256=outcome.sha256,
                hints=task.hints,
                reason=outcome.reason,
                notes=outcome.notes,
                faces=zip(outcome.faces, vectors[position : position + count], strict=True),
            )
            position += count


def _finish(catalogue: Catalogue) -> None:
    swapped = swapped_coins(catalogue.face_rows(OBVERSE), catalogue.face_rows(REVERSE))
    with catalogue.transaction():
        catalogue.set_meta("swapped", json.dumps(swapped, ensure_ascii=False))
        catalogue.set_meta("built", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
        catalogue.set_meta("generation", generation_of(catalogue))


def _report(
    catalogue: Catalogue,
    folder: Path,
    collection: Collection,
    warnings: list[str],
    worked_on: int,
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
            "(say it with --side, a sheet, or names such as 12_obv.jpg and 12_rev.jpg)."
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


def _hash_file(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def _one_thread_each(jobs: int) -> Iterator[None]:
    """Keep torch and OpenCV from starting threads of their own beside the pool's."""
    import cv2
    import torch

    if jobs == 1:
        yield
        return
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])
