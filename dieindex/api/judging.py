"""Pairs of an index: which are candidates, what the comparator says of them, and how likely one
die is."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from dieindex.api.pairs import Pairs
from dieindex.api.pictures import IndexPictures
from dieindex.api.reader import IndexReader
from dieindex.calibration.judge_pairs import judge_pairs
from dieindex.records import Progress, Side
from dieindex.verification.candidates import shortlist_radius
from dieindex.verification.score_pairs import score_pairs, stored_candidates, vectors_of


def pairs_of(
    index: IndexReader,
    side: Side,
    *,
    verify: bool = True,
    calibrate_on: Mapping[str, Hashable] | None = None,
    progress: Progress | None = None,
) -> Pairs:
    """The judged pairs of one side; see ``Index.pairs``."""
    rows = index.faces(side)
    faces = vectors_of(rows)
    verification = index.verification if verify else None
    radius = shortlist_radius(index.calibration.threshold)
    candidates = stored_candidates(
        index.folder, side, faces, radius, verify=verification is not None
    )
    scores = fusion = None
    if verification is not None:
        fusion = verification.fusion
        scores = score_pairs(
            index.folder,
            side,
            faces,
            candidates,
            lambda: verification.scorer,
            shape=verification.shape,
            progress=progress,
        )
    dies = None
    if calibrate_on is not None:
        dies = [calibrate_on.get(coin) for coin in rows.coins]
    judged = judge_pairs(
        candidates, scores, faces, calibration=index.calibration, fusion=fusion, labels=dies
    )
    return Pairs(side, rows.coins, judged, IndexPictures(index.folder.absolute()))
