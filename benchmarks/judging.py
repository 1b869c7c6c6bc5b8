"""Collections judged and clustered as an index does it, for the benchmarks that measure that.

What the network makes of a collection is kept; from scores to dies every step is a function that
the commands call too.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from encoder_collections import Aligned, read_arrays, source_hash, write_arrays
from encoder_methods import as_indexed, refined_by

import dieindex.alignment
import dieindex.encoder
import dieindex.verification
from dieindex.api import Index
from dieindex.api.judging import ScoredPairs, scored_pairs
from dieindex.calibration.distance import Calibration
from dieindex.calibration.fusion import VERIFIED, Fusion
from dieindex.calibration.judge_pairs import (
    JudgedPairs,
    Judgement,
    judge_alone,
    judge_pairs,
)
from dieindex.clustering.find_dies import FoundDies, find_dies
from dieindex.encoder.dense import DenseDescriptors, quantised
from dieindex.encoder.encode import Encoder
from dieindex.encoder.weights import INDEX, read_card
from dieindex.evaluation.partitions import adjusted_rand_index
from dieindex.records import Flags, Floats, Ints, Side, Vectors
from dieindex.storage.nearest import VectorIndex
from dieindex.verification.candidates import (
    CandidatePairs,
    FaceVectors,
    all_pairs,
    candidate_pairs,
    shortlist_radius,
    worth_comparing,
)
from dieindex.verification.score_pairs import score_pairs
from dieindex.verification.scorer import PairScorer, PairScores

LAST = -1e9
WAYS = ("by dies", "fused", "comparator alone", "vector alone")


@dataclass(frozen=True, eq=False)
class Found:
    """One collection judged: ``scores`` (n, n) by way; what is said of the pairs scored."""

    scores: dict[str, Floats]
    same: Flags
    """Of the verified pairs, whether they are of one die."""
    steps: dict[str, float]
    rand: dict[str, float]
    milliseconds: float
    scored: int
    """Pairs that the comparator scored."""
    pairs: JudgedPairs
    dies: FoundDies
    """What ``dieindex cluster`` gives."""
    by_vector: JudgedPairs
    dies_by_vector: FoundDies
    """Both without verification."""
    alone: Judgement
    """The pairs each by itself, as learned on collections of all kinds."""
    faces: FaceVectors

    @property
    def probability(self) -> Floats:
        """Of the verified pairs, as ``dieindex pairs`` gives it; as ``same``."""
        return self.dies.probability[self.pairs.verified]


@dataclass(frozen=True, eq=False)
class Seen:
    """What the network makes of a collection: ``vectors`` (n, d) as indexed, ``logit`` and
    ``shared`` (m,) of the candidate pairs, NaN where they lie on no common frame."""

    vectors: Vectors
    logit: Floats
    shared: Floats
    milliseconds: Floats
    """() processor time a pair."""


class Verifier:
    """Judges collections as an index does, from faces and their places.

    What the network makes of them is kept in ``cache`` under a hash of all that it depends on.
    """

    def __init__(self, weights: Path, cache: Path) -> None:
        self._encoder = Encoder.load(weights, "cpu")
        card = read_card(weights)
        made_by = source_hash(dieindex.alignment, dieindex.encoder, dieindex.verification)
        self._cache, self._key = cache, f"{card.version}.{made_by}"
        self._scorer = PairScorer(weights)
        self.fusion = Fusion.from_json(card.calibration_for(VERIFIED))
        self.calibration = Calibration.from_json(card.calibration_for(INDEX))
        self._type_radius = card.type_radius

    def judge(self, collection: Aligned) -> Found:
        """Refined, described and scored, or read where that was done before; and judged."""
        path = self._cache / f"{collection.key}.{self._key}.npz"
        group, die = collection.alignment.type, collection.faces.die
        if path.exists():
            seen = Seen(**read_arrays(path))
        else:
            refined = refined_by(self._encoder, collection)
            described = self._encoder.describe(
                refined.faces.records(refined.side), refined.alignment.places()
            )
            descriptors = quantised(described.descriptors, described.reliability)
            raw = torch.from_numpy(described.vectors)
            vectors = as_indexed(raw, group, self._type_radius).numpy()
            seen = self.see(as_faces(vectors, group), descriptors)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_arrays(path, vars(seen))
        return self.judge_seen(as_faces(seen.vectors, group), seen, die)

    def see(self, faces: FaceVectors, descriptors: DenseDescriptors) -> Seen:
        """Score the candidate pairs of faces; ``descriptors`` are one a face."""
        candidates = self.candidates(faces)
        first, second = candidates.first, candidates.second
        on_one = faces.aligned[first] & (faces.frame[first] == faces.frame[second])
        rows = np.flatnonzero(on_one)
        began = time.process_time()
        logit, shared = (np.full(len(candidates), np.nan) for _ in range(2))
        logit[rows], shared[rows] = self._scorer.score_among(descriptors, first[rows], second[rows])
        spent = 1e3 * (time.process_time() - began) / max(len(rows), 1)
        return Seen(faces.vectors, logit, shared, np.array(spent))

    def candidates(self, faces: FaceVectors, *, verify: bool = True) -> CandidatePairs:
        """The pairs that an index of these faces judges."""
        return candidates_of(faces, self.calibration, verify=verify)

    def judge_seen(self, faces: FaceVectors, seen: Seen, die: Ints) -> Found:
        """The way of an index from scores to dies, beside the vectors alone; ``die`` (n,), −1
        where unknown, only scores."""
        candidates, n = self.candidates(faces), len(faces)
        every_score = PairScores(seen.logit, seen.shared)
        judge = partial(
            judge_pairs,
            candidates,
            faces=faces,
            calibration=self.calibration,
            fusion=self.fusion,
        )
        scores = every_score.only(
            worth_comparing(candidates, faces, shortlist_radius(self.calibration.threshold))
        )
        pairs = judge(scores)
        alone = judge_alone(
            candidates, scores, faces, calibration=self.calibration, fusion=self.fusion
        )
        by_vector = judge_pairs(
            self.candidates(faces, verify=False), None, faces, calibration=self.calibration
        )
        dies, dies_by_vector = find_dies(pairs), find_dies(by_vector)
        table, judged, probability = pairs.table, pairs.judged, dies.probability
        every = all_pairs(faces.vectors)
        first, second = every.first, every.second
        known = faces.aligned[first] & faces.aligned[second]
        done = scores.done
        ranked = {
            WAYS[0]: _square(n, table.first, table.second, judged, probability),
            WAYS[1]: _square(n, table.first, table.second, judged, table.log_likelihood_ratio),
            WAYS[2]: _square(n, table.first, table.second, done, seen.logit),
            WAYS[3]: _square(n, first, second, known, -every.distance),
        }
        same, one_frame = die[first] == die[second], faces.frame[first] == faces.frame[second]
        listed, p = np.zeros(len(first), bool), np.zeros(len(first))
        row = _row_of(n, table.first, table.second)
        listed[row], p[row] = True, np.where(judged, probability, 0.0)
        rand = {
            name: adjusted_rand_index(each.labels.tolist(), die.tolist())
            for name, each in (("fused", dies), ("vector alone", dies_by_vector))
        }
        return Found(
            ranked,
            same[row][pairs.verified],
            _steps(same, known, one_frame, listed, p),
            rand,
            float(seen.milliseconds),
            int(done.sum()),
            pairs,
            dies,
            by_vector,
            dies_by_vector,
            alone,
            faces,
        )


def all_compared(index: Index, side: Side) -> ScoredPairs:
    """All candidate pairs of one side of an index, as ``scored_pairs`` gives those that matter."""
    found, verification = scored_pairs(index, side), index.verification
    if found.scores is None or verification is None:
        raise SystemExit(f"{index.folder}: these weights compare nothing in detail.")
    every = score_pairs(
        index.folder,
        side,
        found.faces,
        found.candidates,
        lambda: verification.scorer,
        compared=np.ones(len(found.candidates), bool),
        shape=verification.shape,
    )
    # (Pairs that were aligned to each other have other scores than on their frames.)
    scores = replace(found.scores.filled(every), passed=None)
    candidates, n = found.candidates, len(found.faces)
    if len(candidates) == n * (n - 1) // 2:
        candidates = replace(candidates, sampled=np.ones(len(candidates), bool))
    return replace(found, candidates=candidates, scores=scores)


def alone_in(index: Index, side: Side) -> tuple[ScoredPairs, Judgement]:
    """All pairs of one side of an index, each judged by itself."""
    found = all_compared(index, side)
    return found, judge_alone(
        found.candidates,
        found.scores,
        found.faces,
        calibration=index.calibration,
        fusion=found.fusion,
    )


def candidates_of(faces: FaceVectors, calibration: Calibration, *, verify: bool) -> CandidatePairs:
    """The pairs that an index of these faces judges; ``calibration`` is its encoder's."""
    return candidate_pairs(
        faces,
        shortlist_radius(calibration.threshold),
        lambda: VectorIndex.from_vectors(faces.vectors, faces.ids, faces.frame),
        verify=verify,
    )


def as_faces(vectors: Vectors, frame: Ints) -> FaceVectors:
    """Faces of a collection that is no index: their positions are their ids."""
    return FaceVectors(np.arange(len(vectors)), vectors, frame)


def _row_of(n: int, first: Ints, second: Ints) -> Ints:
    """Where pairs stand among all pairs of ``n`` faces, listed row by row."""
    return first * n - first * (first + 1) // 2 + second - first - 1


def _square(n: int, first: Ints, second: Ints, chosen: Flags, values: Floats) -> Floats:
    """(n, n) scores; pairs that are not among the ``chosen`` (m,) rank last."""
    out = np.full((n, n), LAST)
    out[first[chosen], second[chosen]] = out[second[chosen], first[chosen]] = values[chosen]
    return out


def _steps(
    same: np.ndarray, known: np.ndarray, one_frame: np.ndarray, listed: np.ndarray, p: np.ndarray
) -> dict[str, float]:
    """Which step loses same-die pairs: shares of all of them; ``p`` is 0 where none is told."""
    total = max(int(same.sum()), 1)
    left = same & known & one_frame & listed
    called = p >= 0.5
    return {
        "alignment: a face on no frame": float((same & ~known).sum() / total),
        "alignment: different frames": float((same & known & ~one_frame).sum() / total),
        "shortlist": float((same & known & one_frame & ~listed).sum() / total),
        "judging: probability below 0.5": float((left & ~called).sum() / total),
        "found": float((left & called).sum() / total),
        "wrong among those called same": float((~same & called).sum() / max(called.sum(), 1)),
    }
