"""Pairs of an index: which are candidates, what the comparator says of them, and how likely one
die is."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np

from dieindex.api.pairs import Pairs
from dieindex.api.pictures import IndexPictures
from dieindex.api.reader import IndexReader
from dieindex.api.verification import Verification
from dieindex.calibration.better_place import listed_rows, with_aligned
from dieindex.calibration.fusion import Fusion
from dieindex.calibration.judge_pairs import judge_pairs
from dieindex.errors import IndexFolderError
from dieindex.indexing.repeated import repeated_coins
from dieindex.records import Flags, Progress, Side
from dieindex.review.verdicts import constraints_of
from dieindex.storage.aligned_pairs import AlignedRow
from dieindex.storage.catalogue import Catalogue
from dieindex.verification.candidates import (
    CandidatePairs,
    FaceVectors,
    shortlist_radius,
    worth_comparing,
)
from dieindex.verification.score_pairs import score_pairs, stored_candidates, vectors_of
from dieindex.verification.scorer import PairScores


@dataclass(frozen=True, eq=False)
class ScoredPairs:
    """What ``judge_pairs`` takes of one side; ``scores`` and ``fusion`` are None where the vectors
    decide alone."""

    faces: FaceVectors
    candidates: CandidatePairs
    scores: PairScores | None
    fusion: Fusion | None
    one_picture: Flags | None = None


def pairs_of(
    index: IndexReader,
    side: Side,
    *,
    verify: bool = True,
    calibrate_on: Mapping[str, Hashable] | None = None,
    engine: str | None = None,
    progress: Progress | None = None,
) -> Pairs:
    """The judged pairs of one side; see ``Index.pairs``."""
    found = scored_pairs(index, side, verify=verify, engine=engine, progress=progress)
    coins, dies = index.faces(side).coins, None
    if calibrate_on is not None:
        dies = [calibrate_on.get(coin) for coin in coins]
    judged = judge_pairs(
        found.candidates,
        found.scores,
        found.faces,
        calibration=index.calibration,
        fusion=found.fusion,
        labels=dies,
        one_picture=found.one_picture,
    )
    said = constraints_of(index.said(side), coins)
    pictures = IndexPictures(index.folder.absolute(), index.leading)
    return Pairs(side, coins, judged, said, pictures, index.sources)


def scored_pairs(
    index: IndexReader,
    side: Side,
    *,
    verify: bool = True,
    engine: str | None = None,
    progress: Progress | None = None,
) -> ScoredPairs:
    """The candidate pairs of one side and, with ``verify``, what the comparator says of them.

    Raises IndexFolderError for a reference: it holds some coins of each die, and not all pairs.
    """
    if index.reference is not None:
        raise IndexFolderError(
            f"{index.folder}: is a reference, with a few coins of each die: look coins up in it "
            "with `dieindex find`. For all else the whole index is needed."
        )
    faces, engine = vectors_of(index.faces(side)), engine or index.engine
    verification = index.verification if verify else None
    radius = shortlist_radius(index.calibration.threshold)
    aligned: list[AlignedRow] = []
    if verification is not None:
        aligned = aligned_pairs_of(index, side, faces, verification, engine, progress)
    candidates = stored_candidates(
        index.folder, side, faces, radius, verify=verification is not None
    )
    if verification is None:
        return ScoredPairs(faces, candidates, None, None)
    fusion = verification.fusion
    one_picture = _one_picture(index, side, candidates)
    compared = worth_comparing(candidates, faces, radius, listed_rows(candidates, faces, aligned))
    scores = score_pairs(
        index.folder,
        side,
        faces,
        candidates,
        lambda: verification.scorer,
        compared=compared,
        shape=verification.shape,
        engine=engine,
        progress=progress,
    )
    # (What was compared for another question before does not count: answers must not depend on it.)
    told = with_aligned(scores.only(compared), candidates, faces, aligned, fusion)
    return ScoredPairs(faces, candidates, told, fusion, one_picture)


def _one_picture(index: IndexReader, side: Side, candidates: CandidatePairs) -> Flags | None:
    """``(m,)``: the pairs of coins of which the pictures are one, on either side."""
    with Catalogue.open(index.folder) as catalogue:
        repeated = [
            {index.leading.get(coin, coin) for coin in pair} for pair in repeated_coins(catalogue)
        ]
    place = {coin: at for at, coin in enumerate(index.faces(side).coins)}
    n = len(place)
    known = [
        [place[coin] for coin in pair]
        for pair in repeated
        if len(pair) > 1 and place.keys() >= pair
    ]
    if not known:
        return None
    codes = [min(pair) * n + max(pair) for pair in known]
    return np.asarray(np.isin(candidates.first * n + candidates.second, codes))


def aligned_pairs_of(
    index: IndexReader,
    side: Side,
    faces: FaceVectors,
    verification: Verification,
    engine: str | None = None,
    progress: Progress | None = None,
) -> list[AlignedRow]:
    """The pairs of one side that were aligned to each other, those included that are due."""
    # (It loads OpenCV.)
    from dieindex.verification.align_pairs import align_pairs

    return align_pairs(
        index.folder,
        side,
        faces,
        lambda: (verification.encoder, verification.scorer),
        engine=engine,
        progress=progress,
    )
