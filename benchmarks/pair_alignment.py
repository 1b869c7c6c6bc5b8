"""What is gained by aligning pairs to each other where their frames cannot be trusted.

    python benchmarks/pair_alignment.py --heads 6
    python benchmarks/pair_alignment.py --types 2 --difficulty medium hard
    python benchmarks/pair_alignment.py --index indexes/a --index indexes/b

``--heads``: a collection of as many portrait types that face one way (validation types, 25 coins
each), which share frames; ``--types``: collections of one validation type (as in ``encoder.py``);
``--index``: built and labelled ones, of which every pair has been scored.

Every pair is ranked, by its score on the frame (``on frames``), by the better of this and the score
where the two lie on each other (``aligned``), and by the number of features that agree alone
(``features``). Columns: average precision, recall among the 20 nearest, with the 95 % interval from
resampled dies; ``apart``: the difference of the average precision from the first on the same
resamples. Then: how many pairs were aligned, of one die and of two; how many of them score higher
so; the highest scores of two dies before and after; what it costs.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import faiss
import numpy as np
import torch
from encoder import rows_of
from encoder_collections import Aligned, Alignment, Cache, align, collection_options, orders
from encoder_measures import Measured, measure
from encoder_methods import as_indexed, refined_by

import dieindex as di
from dieindex.alignment.feature_votes import FeatureIndex
from dieindex.alignment.local_features import local_features
from dieindex.calibration.fusion import VERIFIED, Fusion
from dieindex.encoder.competition import competitors_of
from dieindex.encoder.dense import DenseDescriptors, quantised, unpacked
from dieindex.encoder.encode import Encoder
from dieindex.evaluation.labels import codes
from dieindex.mint.order import VALIDATION_TYPES, CollectionOrder
from dieindex.mint.plan import make_plan
from dieindex.mint.store import DieStore
from dieindex.mint.types import OBVERSE_KINDS, sample_type
from dieindex.numeric import unit_distance
from dieindex.records import OBVERSE, SIDES, Face, Flags, Floats, Ints, Side, Vectors
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.details import DetailStore
from dieindex.storage.face_codec import unpack_face
from dieindex.training.rendered import Faces, render_faces
from dieindex.verification.candidates import ALL_PAIRS_UP_TO
from dieindex.verification.pair_alignment import (
    AlignedScore,
    PairStart,
    PlacedFace,
    aligned_scores,
    pair_starts,
    worth_aligning,
)
from dieindex.verification.scorer import PairScorer

WAYS = ("on frames", "aligned", "features")
COINS_A_HEAD, DIES_A_HEAD = 25, 10
_FIRST_HEAD, _BETWEEN_HEADS = VALIDATION_TYPES.start + 500, 500
_NOT_COMPARED = -50.0
"""Score of a pair on no common frame, less its distance."""
_BATCH = 16


@dataclass(frozen=True, eq=False)
class Judged:
    """One side of a collection as verification knows it, and its pairs as scored on frames:
    ``logit`` ``(n, n)``, NaN where they lie on none; ``die`` ``(n,)``, −1 where unknown."""

    name: str
    faces: Sequence[Face]
    placed: Sequence[PlacedFace]
    vectors: Vectors
    described: Callable[[int], DenseDescriptors]
    competitors: Mapping[int, Vectors]
    logit: Floats
    die: Ints


@dataclass(frozen=True, eq=False)
class Model:
    """All that is read from a weights file."""

    encoder: Encoder
    scorer: PairScorer
    fusion: Fusion

    @classmethod
    def of(cls, weights: Path) -> Model:
        encoder = Encoder.load(weights, "cpu")
        fusion = Fusion.from_json(encoder.card.calibration_for(VERIFIED))
        return cls(encoder, PairScorer(weights), fusion)


def of_mint(collection: Aligned, model: Model) -> Judged:
    """Aligned faces refined, described and scored as an index does it."""
    refined = refined_by(model.encoder, collection)
    faces, frame = refined.faces.records(refined.side), refined.alignment.type
    places = refined.alignment.places()
    found = model.encoder.describe(faces, places, fill=True)
    described = quantised(found.descriptors, found.reliability)
    radius = model.encoder.card.type_radius
    first, second = np.triu_indices(len(faces), 1)
    of = (frame[first] >= 0) & (frame[first] == frame[second])
    logit = np.full((len(faces), len(faces)), np.nan)
    logit[first[of], second[of]] = model.scorer.score_among(described, first[of], second[of])[0]
    return Judged(
        collection.name,
        faces,
        # (These alignments keep no confidence; the earlier face then keeps its place.)
        [PlacedFace(int(k), place, 1.0) for k, place in zip(frame, places, strict=True)],
        as_indexed(torch.from_numpy(found.vectors), frame, radius).numpy(),
        lambda face: described.take([face]),
        {int(k): competitors_of(found.vectors[frame == k]) for k in np.unique(frame[frame >= 0])},
        logit,
        refined.faces.die,
    )


def of_index(folder: Path, model: Model) -> Iterator[Judged]:
    """The labelled sides of an index, as it is kept."""
    index = di.open_index(folder)
    with Catalogue.open(folder) as catalogue, DetailStore.open(folder) as details:
        for side in SIDES:
            rows, labels = index.faces(side), index.labels(side)
            if not labels:
                continue
            if len(rows) > ALL_PAIRS_UP_TO:
                raise SystemExit(f"{folder}: more than {ALL_PAIRS_UP_TO} coins")
            index.pairs(side)  # (Scores what was not scored before.)
            ids = rows.ids.tolist()
            placed = {one.id: one for one in catalogue.placed_faces(side)}
            known = details.pair_scores(rows.ids)
            logit = np.full((len(ids), len(ids)), np.nan)
            at = np.searchsorted(rows.ids, [known.first, known.second])
            logit[at[0], at[1]] = known.logit
            cells = [details.cells_of(face) for face in ids]
            yield Judged(
                f"{folder.name} {side}",
                [unpack_face(each) for each in catalogue.packed_faces(ids)],
                [
                    PlacedFace(
                        int(k), placed[face].to_frame if k >= 0 else None, placed[face].confidence
                    )
                    for face, k in zip(ids, rows.frame, strict=True)
                ],
                rows.vectors,
                lambda face, cells=cells: unpacked(  # type: ignore[misc]
                    [cells[face] or b""], model.encoder.channels, model.encoder.grid
                ),
                catalogue.competitors(side),
                logit,
                codes(labels.get(coin) for coin in rows.coins),
            )


def heads(count: int, difficulty: str, store: DieStore) -> Faces:
    """Portraits of ``count`` kinds that face right, of a type each."""
    parts = []
    for number, kind in enumerate(OBVERSE_KINDS[:count]):
        order = CollectionOrder(
            coins=COINS_A_HEAD,
            obverse_dies=DIES_A_HEAD,
            reverse_dies=DIES_A_HEAD,
            difficulty=difficulty,
            seed=700 + number,
            obverse_kind=kind,
        )
        plan, first = make_plan(order), _FIRST_HEAD + _BETWEEN_HEADS * number
        seed = next(
            seed
            for seed in VALIDATION_TYPES[first - VALIDATION_TYPES.start :]
            if sample_type(seed, OBVERSE, kind).facing == 1
        )
        seeds: dict[Side, tuple[int, ...]] = {**plan.type_seeds, OBVERSE: (seed,)}
        faces = render_faces(replace(plan, type_seeds=seeds), OBVERSE, difficulty, store)
        parts.append(replace(faces, die=faces.die + DIES_A_HEAD * number))
    names = ("picture", "mask", "die", "homography")
    return Faces(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def collections(given: argparse.Namespace, model: Model) -> Iterator[tuple[str, Judged]]:
    """Every collection asked for, with the group over which it is averaged."""
    if given.heads:
        for difficulty in given.difficulty:
            faces = heads(given.heads, difficulty, DieStore(given.cache / "dies", 400))
            found = align(faces, OBVERSE, model.encoder)
            name = f"{given.heads} heads, {difficulty}"
            yield name, of_mint(_aligned(name, faces, found), model)
    if given.types:
        cache = Cache(given.cache, given.weights, keep_stale=given.keep_stale)
        for order in orders(given.types, given.coins, given.difficulty, given.sides, given.split):
            yield f"one type, {order.difficulty}", of_mint(cache.aligned(order), model)
    for folder in given.index:
        for judged in of_index(folder, model):
            yield judged.name, judged


def _aligned(name: str, faces: Faces, found: Alignment) -> Aligned:
    return Aligned(name, name, name, OBVERSE, faces, found)


def compared(judged: Judged, model: Model) -> tuple[dict[str, Floats], dict[str, Any]]:
    """Scores ``(n, n)`` by way; and what was done for them."""
    n = len(judged.faces)
    began = time.process_time()
    features = [local_features(face) for face in judged.faces]
    described = time.process_time()
    index = FeatureIndex(features)
    starts: dict[tuple[int, int], PairStart] = {}
    agreeing = np.zeros((n, n))
    for face in range(n):
        lies = index.faces_on(face)
        for there in lies:
            agreeing[face, there.other] = max(there.agreeing, agreeing[face, there.other])
        for start in pair_starts(face, lies, judged.placed, n):
            pair = min(start.fixed, start.moved), max(start.fixed, start.moved)
            starts.setdefault(pair, start)
    voted = time.process_time()
    worth = worth_aligning(
        list(starts.values()), judged.faces.__getitem__, judged.placed.__getitem__
    )
    asked = time.process_time()
    placed_elsewhere = len(starts)
    starts = {pair: one for (pair, one), kept in zip(starts.items(), worth, strict=True) if kept}
    found = _scored(list(starts.values()), judged, model)
    aligned = time.process_time()
    first, second = np.triu_indices(n, 1)
    vectors = judged.vectors
    distance = unit_distance(np.einsum("ij,ij->i", vectors[first], vectors[second]))
    logit = judged.logit[first, second]
    on_frame = np.where(
        np.isnan(logit),
        _NOT_COMPARED - distance,
        model.fusion.score(distance, np.nan_to_num(logit)),
    )
    before = _square(n, on_frame)
    better = np.full((n, n), -np.inf)
    for one in found:
        if one.shared >= model.fusion.least_shared:
            score = model.fusion.score(np.array(one.distance), np.array(one.logit))
            better[one.fixed, one.moved] = better[one.moved, one.fixed] = float(score)
    after = np.maximum(before, better)
    scores = {WAYS[0]: before, WAYS[1]: after, WAYS[2]: np.maximum(agreeing, agreeing.T)}
    done, same = np.zeros((n, n), bool), judged.die[:, None] == judged.die[None]
    for a, b in starts:
        done[a, b] = True
    return scores, {
        "coins": n,
        "pairs_placed_elsewhere": placed_elsewhere,
        "pairs_aligned": {"one die": int((done & same).sum()), "two": int((done & ~same).sum())},
        "raised": _raised(before, after, done, same),
        "highest_of_two_dies": [_highest(each, ~same) for each in (before, after)],
        "milliseconds": {
            "features a face": 1e3 * (described - began) / n,
            "votes a face": 1e3 * (voted - described) / n,
            "contours a pair placed elsewhere": 1e3 * (asked - voted) / max(placed_elsewhere, 1),
            "alignment a pair aligned": 1e3 * (aligned - asked) / max(len(starts), 1),
            "alignment a pair of all": 1e3 * (aligned - voted) / max(len(first), 1),
        },
    }


def _scored(starts: Sequence[PairStart], judged: Judged, model: Model) -> list[AlignedScore]:
    def place(face: int) -> Any:
        return judged.placed[face].place

    found: list[AlignedScore] = []
    for begin in range(0, len(starts), _BATCH):
        found += aligned_scores(
            starts[begin : begin + _BATCH],
            judged.faces.__getitem__,
            place,
            judged.described,
            judged.vectors.__getitem__,
            lambda face: judged.competitors.get(judged.placed[face].frame),
            model.encoder,
            model.scorer,
        )
    return found


def _square(n: int, values: Floats) -> Floats:
    out = np.full((n, n), -np.inf)
    out[np.triu_indices(n, 1)] = values
    return np.asarray(np.maximum(out, out.T))


def _raised(before: Floats, after: Floats, done: Flags, same: Flags) -> dict[str, Any]:
    """How many score higher aligned, and their median score before and so."""
    found = {}
    for name, kind in (("one die", same), ("two", ~same)):
        of = done & kind & (after > before)
        medians = [float(np.median(each[of])) for each in (before, after)] if of.any() else None
        found[name] = {"pairs": int(of.sum()), "median": medians}
    return found


def _highest(scores: Floats, different: Flags) -> list[float]:
    values = np.sort(scores[np.triu(different, 1)])[::-1]
    return [float(value) for value in values[:5]]


def text_of(title: str, rows: dict[str, Any], said: Sequence[dict[str, Any]]) -> str:
    lines = [title]
    for name, row in rows.items():
        low_high = row["difference"]["dies"]
        apart = "" if low_high is None else f" ({low_high[0]:+.3f} … {low_high[1]:+.3f})"
        lines.append(
            f"  {name:12} AP {row['ap']['mean']:.3f}, apart {row['difference']['mean']:+.3f}{apart}"
            f", recall@20 {row['recall@20']['mean']:.3f}"
        )
    for one in said:
        cost = ", ".join(f"{name} {value:.2f}" for name, value in one["milliseconds"].items())
        lines.append(
            f"  aligned {one['pairs_aligned']}, raised {one['raised']},\n"
            f"  highest of two dies {np.round(one['highest_of_two_dies'], 1).tolist()}; ms: {cost}"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    collection_options(parser, types=0, split="validation")
    parser.add_argument("--heads", type=int, default=0, help="portrait types on one frame")
    parser.add_argument("--index", type=Path, action="append", default=[], metavar="DIR")
    parser.add_argument("--replicates", type=int, default=400, help="resamples of the dies")
    given = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    faiss.omp_set_num_threads(1)
    model = Model.of(given.weights)
    groups: dict[str, list[tuple[dict[str, Measured], dict[str, Any]]]] = {}
    for group, judged in collections(given, model):
        scores, said = compared(judged, model)
        known = np.flatnonzero(judged.die >= 0)
        die = judged.die[known]
        values = {
            name: measure(score[np.ix_(known, known)], die, given.replicates, seed=len(die))
            for name, score in scores.items()
        }
        groups.setdefault(group, []).append((values, said))
    report: dict[str, Any] = {}
    for group, results in groups.items():
        rows = rows_of([values for values, _ in results])
        print("\n" + text_of(group, rows, [said for _, said in results]), flush=True)
        report[group] = {"means": rows, "each": [said for _, said in results]}
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
