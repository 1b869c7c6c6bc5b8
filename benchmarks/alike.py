"""How alike different dies are: in the mint as training sees it, and in collections of other hands.

    python benchmarks/alike.py --types 12 --collection ../other/a … --work indexes

A row a kind of types or a side of a collection: quartiles and the upper twentieth of the scores
(nats, as learned, before a collection's own fit) of pairs of different dies, then quartiles of
those of one die. ``before``: types whose dies lie at distances of .6 to 1.3, as the weights of
November 2026 saw them; ``mint``: as training samples them now; ``punched``: those cut with punches
alone. A collection without labels shows all its pairs as if of different dies.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from judging import alone_in

import dieindex as di
from dieindex.calibration.fusion import VERIFIED, Fusion
from dieindex.encoder.competition import frames_less_shared
from dieindex.encoder.encode import Encoder
from dieindex.encoder.weights import SHIPPED_WEIGHTS, read_card
from dieindex.evaluation.labels import codes
from dieindex.mint.order import PUNCHED_VALIDATION_TYPES, TRAIN_TYPES
from dieindex.mint.stream import MintStream, StreamSettings
from dieindex.numeric import unit_distance
from dieindex.records import FACE_SIZE, FLAN_RADIUS, SIDES, Circle, Face, Flags, Flan, Floats
from dieindex.training.calibrate import align_type, describe_type, refine_type
from dieindex.verification.scorer import PairScorer

SEED = 31
"""Not that of a pool that anything was trained on."""
SETTINGS = StreamSettings(
    types_per_batch=1,
    dies_per_type=15,
    strikes_per_die=4,
    dies_in_type=15,
    working_types=1,
    batches_per_type=1,
)
KINDS = {
    "before": (TRAIN_TYPES, replace(SETTINGS, die_distance=(0.6, 1.3), wild_share=0.0)),
    "mint": (TRAIN_TYPES, SETTINGS),
    "punched": (PUNCHED_VALIDATION_TYPES, SETTINGS),
}


@dataclass(frozen=True, eq=False)
class Scored:
    """Scores ``(m,)`` of pairs, and which are of one die."""

    name: str
    score: Floats
    same: Flags


class Types:
    """Types of the mint, aligned, refined and judged as a build does it."""

    def __init__(self, weights: Path) -> None:
        self._encoder, self._scorer = Encoder.load(weights, "cpu"), PairScorer(weights)
        card = read_card(weights)
        self._fusion = Fusion.from_json(card.calibration_for(VERIFIED))
        self._radius = card.type_radius

    def scored(self, name: str, count: int) -> Scored:
        types, settings = KINDS[name]
        stream = MintStream(SEED, None, types, settings, capacity=32)
        each = [self._one(stream, number) for number in range(count)]
        return Scored(
            name, np.concatenate([s for s, _ in each]), np.concatenate([s for _, s in each])
        )

    def _one(self, stream: MintStream, number: int) -> tuple[Floats, Flags]:
        batch = stream.batch(number)
        middle, radius = (FACE_SIZE - 1) / 2, FLAN_RADIUS * FACE_SIZE
        flan = Flan(Circle(middle, middle, radius), 1.0, True)
        pictures = np.ascontiguousarray(batch.pictures.permute(0, 2, 3, 1).numpy())
        masks = batch.mask.numpy()
        faces = [Face(SIDES[0], p, m, flan) for p, m in zip(pictures, masks, strict=True)]
        lying = align_type(self._encoder, faces, batch.die.numpy())
        lying = describe_type(self._encoder, refine_type(self._encoder, lying, self._radius))
        vectors = frames_less_shared(lying.raw, lying.frame, self._radius).astype(np.float64)
        first, second = np.triu_indices(len(lying.die), 1)
        together = lying.frame[first] == lying.frame[second]
        first, second = first[together], second[together]
        assert lying.dense is not None
        logit, _ = self._scorer.score_among(lying.dense, first, second)
        distance = unit_distance((vectors[first] * vectors[second]).sum(1))
        return self._fusion.score(distance, logit), lying.die[first] == lying.die[second]


def indexed(data: Path, work: Path) -> Iterator[Scored]:
    """The sides of a collection, by an index of it."""
    index = di.build(data, work / data.resolve().name)
    for side in SIDES:
        if not index.faces(side).coins or index.verification is None:
            continue
        _, alone = alone_in(index, side)
        labels = index.labels(side)
        die = codes(labels.get(coin) for coin in index.faces(side).coins)
        a, b = alone.table.first, alone.table.second
        shown = alone.judged & alone.verified
        if labels:
            shown &= (die[a] >= 0) & (die[b] >= 0)
        same = (die[a] == die[b]) & (die[a] >= 0)
        yield Scored(f"{data.resolve().name} {side}", alone.score[shown], same[shown])


def figures(scored: Scored) -> dict[str, Any]:
    """Quantiles, by kind of pair."""

    def quantiles(values: Floats, at: Sequence[int]) -> list[float]:
        return [round(float(q), 2) for q in np.percentile(values, at)] if len(values) else []

    return {
        "name": scored.name,
        "different": quantiles(scored.score[~scored.same], (25, 50, 75, 95)),
        "one die": quantiles(scored.score[scored.same], (25, 50, 75)),
        "pairs": [int((~scored.same).sum()), int(scored.same.sum())],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--types", type=int, default=12, help="types of each kind")
    parser.add_argument("--collection", type=Path, action="append", default=[])
    parser.add_argument("--work", type=Path, default=Path("runs/domains"), help="their indexes")
    parser.add_argument("--weights", type=Path, default=SHIPPED_WEIGHTS, help="for the mint's")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    rows = []

    def show(scored: Scored) -> None:
        rows.append(figures(scored))
        row = rows[-1]
        print(
            f"{row['name']:26s} two dies {row['different']}  one die {row['one die']}", flush=True
        )

    if given.types:
        types = Types(given.weights)
        for name in KINDS:
            show(types.scored(name, given.types))
    for data in given.collection:
        for scored in indexed(data, given.work):
            show(scored)
    if given.out:
        given.out.write_text(json.dumps({"types": given.types, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
