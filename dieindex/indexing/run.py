"""Build an index: crop, align, encode, refine and describe what is new, and keep the rest."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from dieindex.collection.layout import read_collection
from dieindex.collection.sheets.options import SheetOptions
from dieindex.encoder.encode import Encoder, choose_device
from dieindex.encoder.weights import EncoderCard, read_card
from dieindex.errors import CollectionError, EncoderError
from dieindex.indexing.asked import note_asked
from dieindex.indexing.describe import describe_faces
from dieindex.indexing.encode import encode_faces, take_off_shared
from dieindex.indexing.mend import mend
from dieindex.indexing.plan import (
    BUILT,
    Task,
    ask_for_sides,
    check_vanished,
    claim,
    claim_encoder,
    claim_rotation,
    claim_sides,
    due_photographs,
    lacks_descriptors,
    record_sheet,
)
from dieindex.indexing.renamed import (
    CoinsBefore,
    coins_before,
    follow_moved,
    follow_renamed,
    moved_photographs,
    with_contents,
)
from dieindex.indexing.repeated import note_repeated
from dieindex.indexing.report import BuildReport, report_of
from dieindex.records import Collection, Progress, Side
from dieindex.storage.catalogue import Catalogue, PhotographRow
from dieindex.storage.details import DetailStore
from dieindex.storage.folder import (
    create_index_folder,
    damaged_weights,
    default_index_folder,
    encoder_card,
    locked,
)
from dieindex.storage.nearest import generation_of, write_vectors
from dieindex.storage.reviews import ReviewStore
from dieindex.workers import give_back_freed_memory, workers

CheckWeights = Callable[[EncoderCard, str], None]
"""Raises EncoderError where weights cannot be used on a device."""


def build_index(
    data: Path,
    folder: Path | None = None,
    *,
    labels: Path | Literal[False] | None = None,
    options: SheetOptions | None = None,
    side: Side | None = None,
    jobs: int | None = None,
    engine: str | None = None,
    device: str = "auto",
    prune: bool = False,
    reencode: bool = False,
    any_rotation: bool = False,
    weights: Path | None = None,
    check_weights: CheckWeights | None = None,
    progress: Progress | None = None,
) -> BuildReport:
    """Bring the index of a collection up to date, working only on what is new or changed.

    Interrupted at any moment, the next run goes on where it stopped and ends with the same index.

    Args:
        data: the collection's folder.
        folder: the index folder; ``indexes/<name of data>`` by default.
        labels: the sheet, where it is not the one found in the collection; False for none.
        options: what the sheet's columns hold, and which sheet of a workbook it is.
        side: the side of single pictures of which neither sheet nor name says it.
        jobs: pictures worked on at once; the number of processors by default.
        engine: a cluster whose workers do it (``engine.py``); threads of this machine by default.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        prune: go on although more than ``VANISHED_LIMIT`` of the photographs have vanished.
        reencode: make an index of another encoder, or of an older dieindex, anew with this one.
        any_rotation: look for every face under all turns, not only where some lie turned; an
            index remembers it.
        weights: another encoder's weights; those the index keeps for itself, or the shipped
            ones, by default.
        check_weights: looks at an encoder that is new to the index, before anything that another
            made is forgotten; raises EncoderError. By default it is tried on a face.

    Raises:
        CollectionError, SheetError: the collection cannot be read, or every picture shows one side
            and nothing says which.
        IndexFolderError: the folder cannot be written, is in use, belongs to another collection or
            to another encoder, or most photographs have vanished.
    """
    started = time.perf_counter()
    collection = read_collection(data, labels, side, options)
    folder = default_index_folder(data) if folder is None else folder
    card = encoder_card(folder) if weights is None else read_card(weights)
    create_index_folder(folder)
    with locked(folder, builds=True):
        # Persons' work first: whatever becomes of the rest, it is safe.
        ReviewStore.open(folder, write=True).close()
        with Catalogue.open(folder, create=True, renew=reencode) as catalogue:
            mended = mend(catalogue, card)
            before = coins_before(catalogue)
            warnings = [*mended, *claim(catalogue, collection)]
            record_sheet(catalogue, collection)
            if catalogue.meta("encoder") != card.version:
                _check_weights(card, device, check_weights)
            warnings += claim_encoder(catalogue, card, reencode)
            warnings += claim_rotation(catalogue, any_rotation)
            tasks, vanished = due_photographs(catalogue, collection)
            tasks = with_contents(collection.folder, tasks, vanished)
            moved = moved_photographs(tasks, vanished)
            found_again = set(moved.values())
            check_vanished(catalogue, [v for v in vanished if v.file not in found_again], prune)
            warnings += note_asked(catalogue, labels, options, side)
            tasks, vanished = follow_moved(catalogue, tasks, vanished, moved)
            with DetailStore.open(folder) as details:
                missing = lacks_descriptors(catalogue, details)
            worked_on = encoded = 0
            if tasks or vanished or missing or catalogue.meta("generation") is None:
                due = (collection, tasks, vanished, before)
                worked_on, encoded, told = _work(
                    catalogue, *due, card, jobs, engine, device, progress
                )
                warnings += told
            if catalogue.coins() != dict(collection.coins):
                with catalogue.transaction():
                    catalogue.put_coins(collection.coins)
            write_vectors(folder, catalogue)
            report = report_of(
                catalogue,
                collection,
                warnings,
                worked_on=worked_on,
                encoded=encoded,
                seconds=time.perf_counter() - started,
            )
    if not sum(report.faces.values()):
        reasons = "; ".join(f"{s.file}: {s.reason}" for s in report.skipped[:3])
        raise CollectionError(f"{data}: not one face could be indexed ({reasons}).")
    return report


def _check_weights(card: EncoderCard, device: str, check: CheckWeights | None) -> None:
    """Raise EncoderError, with what to do, for weights that cannot be used."""
    choose_device(device)
    try:
        if check is None:
            Encoder(card, device).check()
        else:
            check(card, device)
    except EncoderError as error:
        raise damaged_weights(card.path, error) from error


def _work(
    catalogue: Catalogue,
    collection: Collection,
    tasks: Sequence[Task],
    vanished: Sequence[PhotographRow],
    before: CoinsBefore,
    card: EncoderCard,
    jobs: int | None,
    engine: str | None,
    device: str,
    progress: Progress | None,
) -> tuple[int, int, list[str]]:
    """Bring the catalogue up to date; gives the photographs cropped, the faces encoded, and what is
    to be said of it."""
    # A build that finds nothing new to do loads no OpenCV (nor torch, which these load in time).
    from dieindex.indexing.align import align_due_faces
    from dieindex.indexing.crop import crop_photographs
    from dieindex.indexing.refine import refine_faces
    from dieindex.indexing.swapped import swapped_coins

    with catalogue.transaction():
        catalogue.set_meta("generation", None)
    with workers(jobs, engine) as (pool, jobs):
        cropped = crop_photographs(catalogue, collection.folder, tasks, pool, jobs, progress)
        with catalogue.transaction():
            catalogue.mark_absent(row.file for row in vanished)
        ask_for_sides(catalogue, collection)
        told = follow_renamed(catalogue, before)
        told += claim_sides(catalogue)
        encoder = Encoder(card, device)
        align_due_faces(catalogue, encoder, pool, jobs, progress)
        give_back_freed_memory()
        encoded = encode_faces(catalogue, encoder, pool, jobs, progress)
        give_back_freed_memory()
        with DetailStore.open(catalogue.path.parent, create=True) as details:
            refine_faces(catalogue, encoder, pool, jobs, progress, details)
            take_off_shared(catalogue)
            describe_faces(catalogue, details, encoder, pool, jobs, progress)
        swapped = swapped_coins(catalogue, pool, jobs)
        note_repeated(catalogue, pool, jobs)
    with catalogue.transaction():
        catalogue.set_meta("swapped", json.dumps(swapped, ensure_ascii=False))
        catalogue.set_meta(BUILT, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
        catalogue.set_meta("generation", generation_of(catalogue))
    return cropped, encoded, told
