"""dieindex in Python: build an index, ask it, cluster it, score it.

>>> import dieindex as di
>>> index = di.build("data/")
>>> index.compare("12", "57").obverse.verdict
>>> dies = index.cluster("obverse")
>>> dies.score("dies.xlsx")
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dieindex.api.comparison import COMPARE_PRIOR, compare
from dieindex.api.index import Index
from dieindex.api.results import Comparison, Dies, Pairs, PathLike, read_labels, write_dies
from dieindex.records import Side

if TYPE_CHECKING:
    from dieindex.study.analysis import Study

__all__ = [
    "COMPARE_PRIOR",
    "Comparison",
    "Dies",
    "Index",
    "Pairs",
    "build",
    "compare",
    "open_index",
    "read_labels",
    "study_table",
    "write_dies",
]

Progress = Callable[[str, int, int], None]


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
    """Build or update the index of a collection and open it; see ``index.build.build_index``."""
    from dieindex.indexing.run import build_index

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


def open_index(folder: PathLike | None = None) -> Index:
    """Open an index: the one named, ``$DIEINDEX_INDEX``, or the last built below ``./indexes``."""
    from dieindex.storage.folder import find_index_folder

    found, _ = find_index_folder(None if folder is None else Path(folder))
    return Index(found)


def study_table(
    table: PathLike,
    out: PathLike,
    *,
    title: str | None = None,
    author: str = "",
    coins_per_die: int | None = None,
    progress: Progress | None = None,
) -> Study:
    """Write the die study of a table of coins and dies into the folder ``out``.

    See ``Index.study`` for one of an index, and ``study.reading.read_material`` for what a table
    may look like. Raises SheetError where it cannot be understood.
    """
    from dieindex.study.analysis import COINS_PER_DIE, analyse
    from dieindex.study.folder import write_study
    from dieindex.study.reading import read_material

    found = analyse(read_material(Path(table), title, author), coins_per_die or COINS_PER_DIE)
    write_study(found, Path(out), progress)
    return found
