"""Building an index from photographs."""

from __future__ import annotations

from pathlib import Path

from dieindex.api.index import Index
from dieindex.indexing.run import BuildReport, build_index
from dieindex.records import PathLike, Progress, Side

__all__ = ["BuildReport", "build"]


def build(
    data: PathLike,
    index: PathLike | None = None,
    *,
    labels: PathLike | None = None,
    side: Side | None = None,
    jobs: int | None = None,
    device: str = "auto",
    prune: bool = False,
    reencode: bool = False,
    any_rotation: bool = False,
    progress: Progress | None = None,
) -> Index:
    """Build or update the index of a collection and open it; see ``indexing.run.build_index``."""
    report = build_index(
        Path(data),
        None if index is None else Path(index),
        labels=None if labels is None else Path(labels),
        side=side,
        jobs=jobs,
        device=device,
        prune=prune,
        reencode=reencode,
        any_rotation=any_rotation,
        progress=progress,
    )
    opened = Index(report.folder)
    opened.report = report
    return opened
