"""Building an index from photographs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from dieindex.api.arguments import (
    checked_count,
    checked_path,
    engine_or_none,
    path_or_none,
    side_or_none,
)
from dieindex.api.clustering import waiting_verdicts
from dieindex.api.index import Index
from dieindex.api.verification import check_weights
from dieindex.collection.sheets.options import Columns, sheet_options
from dieindex.encoder.encode import check_device
from dieindex.indexing.asked import asked_before
from dieindex.indexing.report import BuildReport
from dieindex.indexing.run import build_index
from dieindex.records import PathLike, Progress, Side
from dieindex.storage.catalogue import Catalogue

__all__ = ["BuildReport", "build", "build_options"]


def build(
    data: PathLike,
    index: PathLike | None = None,
    *,
    labels: PathLike | Literal[False] | None = None,
    columns: Columns = None,
    sheet: str | None = None,
    side: Side | None = None,
    jobs: int | None = None,
    engine: str | None = None,
    device: str = "auto",
    prune: bool = False,
    reencode: bool = False,
    any_rotation: bool = False,
    progress: Progress | None = None,
) -> Index:
    """Build or update the index of a collection of photographs, and open it.

    Only new and changed pictures are worked on; a build that was broken off goes on.

    Args:
        data: the folder of photographs.
        index: the index's folder; by default ``indexes/<name of data>``.
        labels: the sheet of coins and dies; by default the one of the collection; False: none.
        columns: which of its columns hold what, where that cannot be told from their names:
            ``"coin=Nr.,obverse=Vs,reverse=Rs"``, or a mapping; a column's name, or its number.
        sheet: which sheet of a workbook is read.
        side: of single pictures whose side neither sheet nor name tells.
        jobs: pictures worked on at once; by default as many as there are cores.
        engine: a Dask cluster whose workers do it, ``dask://host:port``; by default this machine.
        device: where the network runs: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        prune: go on although many pictures have vanished.
        reencode: make an index of another encoder anew.
        any_rotation: look for every coin under all turns, not only where some lie turned; slower.
        progress: called with the step, what is done of it, and how much there is.

    ``report`` of the index tells what was found and what was skipped. Raises CollectionError,
    SheetError, IndexFolderError or EncoderError where the build cannot be made, UsageError for a
    wrong argument.
    """
    if jobs is not None:
        checked_count(jobs, "jobs")
    check_device(device)
    report = build_index(
        checked_path(data, "data"),
        path_or_none(index, "index"),
        labels=False if labels is False else path_or_none(labels, "labels"),
        options=sheet_options(columns, sheet),
        side=side_or_none(side),
        jobs=jobs,
        engine=engine_or_none(engine),
        device=device,
        prune=prune,
        reencode=reencode,
        any_rotation=any_rotation,
        check_weights=check_weights,
        progress=progress,
    )
    opened = Index(report.folder, engine)
    waiting = waiting_verdicts(opened)
    if waiting is not None:
        report = replace(report, warnings=(*report.warnings, waiting))
    opened.report = report
    return opened


def build_options(folder: PathLike) -> dict[str, Any]:
    """The arguments ``labels``, ``columns``, ``sheet`` and ``side`` that the last build of an index
    was given, to build it again as it is. (What else an index needs, it remembers by itself.)"""
    with Catalogue.open(checked_path(folder, "folder")) as catalogue:
        return asked_before(catalogue)
