"""Scores of an index's pairs and dies against a sheet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dieindex.api.arguments import path_or_none
from dieindex.api.clustering import cluster_pairs
from dieindex.api.judging import pairs_of
from dieindex.api.labels import read_labels
from dieindex.api.reader import IndexReader
from dieindex.collection.sheets.options import SheetOptions
from dieindex.errors import RefitError, SheetError, UsageError
from dieindex.evaluation.scores import evaluate_side
from dieindex.records import SIDES, PathLike, Progress, Side
from dieindex.text import Parameter

Scores = dict[str, Any]


def evaluate(
    index: IndexReader,
    labels: PathLike | None,
    *,
    verify: bool,
    calibrate: bool,
    progress: Progress | None,
    options: SheetOptions | None = None,
) -> dict[Side, Scores | None]:
    """See ``Index.evaluate``."""
    index.check_idle()
    sheet = path_or_none(labels, "labels")
    if options and sheet is None:
        raise UsageError(
            "Columns and sheets are named of a sheet: give it with ",
            Parameter("labels", "FILE"),
            ".",
        )
    given = None if sheet is None else read_labels(sheet, index.coin_of_file(), options)
    found: dict[Side, Scores | None] = {}
    for side in SIDES:
        true = index.labels(side) if given is None else given[side]
        known = {coin: true[coin] for coin in index.faces(side).coins if coin in true}
        found[side] = (
            _evaluate_side(index, side, known, calibrate, verify, progress) if known else None
        )
    if not any(found.values()):
        raise SheetError(
            "No coin of this index has a die in a sheet: put a sheet with rows such as "
            "`1 O1 R1` beside the pictures and build again, or name one with ",
            Parameter("labels", "FILE"),
            ".",
        )
    return found


def _evaluate_side(
    index: IndexReader,
    side: Side,
    true: Mapping[str, str],
    calibrate: bool,
    verify: bool,
    progress: Progress | None,
) -> Scores | None:
    try:
        known = true if calibrate else None
        pairs = pairs_of(index, side, verify=verify, calibrate_on=known, progress=progress)
    except RefitError:
        calibrate = False
        pairs = pairs_of(index, side, verify=verify, progress=progress)
    # (Persons' verdicts have no part in scores.)
    pairs = replace(pairs, constraints=())
    dies = cluster_pairs(index, pairs, reviews=False)
    scores = evaluate_side(
        coins=list(pairs.coins),
        found=dies.die_of,
        labels=true,
        first=pairs.table.first,
        second=pairs.table.second,
        probability=pairs.probability,
    )
    return None if scores is None else {**scores, "calibrated": calibrate}
