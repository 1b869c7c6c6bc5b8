"""Which score of a pair counts that was compared on its frame and where its faces lie on each
other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dieindex.calibration.fusion import Fusion
from dieindex.records import Flags, Ints
from dieindex.storage.aligned_pairs import AlignedRow, positions
from dieindex.verification.candidates import CandidatePairs, FaceVectors
from dieindex.verification.scorer import PairScores


def with_aligned(
    scores: PairScores,
    candidates: CandidatePairs,
    faces: FaceVectors,
    aligned: Sequence[AlignedRow],
    fusion: Fusion,
) -> PairScores:
    """The scores of candidate pairs, each where its two faces agree better: on their frames, or on
    each other."""
    if not aligned or not len(candidates):
        return scores
    at, kept = _rows(candidates, faces, aligned)
    logit, shared, distance = (
        np.array([getattr(one, name) for one in aligned])
        for name in ("logit", "shared", "distance")
    )
    kept &= shared >= fusion.least_shared
    on_frame = fusion.score(candidates.distance[at], scores.logit[at])
    told = scores.done[at] & (scores.shared[at] >= fusion.least_shared)
    kept &= ~told | (fusion.score(distance, logit) > on_frame)
    rows, apart = at[kept], candidates.distance.copy()
    passed = None if scores.passed is None else scores.passed.copy()
    if passed is not None:
        passed[rows] = False
    found = PairScores(scores.logit.copy(), scores.shared.copy(), apart, passed)
    found.logit[rows], found.shared[rows] = logit[kept], shared[kept]
    apart[rows] = distance[kept]
    return found


def listed_rows(
    candidates: CandidatePairs, faces: FaceVectors, aligned: Sequence[AlignedRow]
) -> Ints:
    """Which of the candidates were aligned to each other."""
    if not aligned or not len(candidates):
        return np.zeros(0, np.int64)
    at, there = _rows(candidates, faces, aligned)
    return np.asarray(at[there])


def _rows(
    candidates: CandidatePairs, faces: FaceVectors, aligned: Sequence[AlignedRow]
) -> tuple[Ints, Flags]:
    """The candidates that the aligned pairs are, and whether each is one."""
    n, (first, second) = len(faces), positions(aligned, faces.ids)
    codes = candidates.first * n + candidates.second
    at = np.searchsorted(codes, first * n + second).clip(max=len(codes) - 1)
    return at, np.asarray(codes[at] == first * n + second)
