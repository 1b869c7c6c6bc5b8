"""What comparing each coin with its nearest alone costs: pairs of one die, and dies.

    python benchmarks/comparing.py --collection ../other/a ../other/b --index indexes/large

A row a side of a collection (built into ``--work``) or of an index that is there. ``compared``: the
share of all pairs on one frame that ``dieindex`` compares in detail; ``lost``: the share of
same-die pairs that it passes over. Then average precision of all pairs and the adjusted Rand index
of the dies, beside those of ALL pairs compared in the same run, and how both dies agree.
``--nearest N`` compares each coin with so many instead of the number that ships, and ``--per-coin
N`` samples N pairs a coin, both as if the collection were one of six hundred coins (of a hundred
coins every pair is compared).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from judging import all_compared

import dieindex as di
from dieindex.api import Index
from dieindex.api.judging import aligned_pairs_of, scored_pairs
from dieindex.calibration.better_place import listed_rows
from dieindex.calibration.judge_pairs import JudgedPairs, judge_pairs
from dieindex.clustering.find_dies import find_dies
from dieindex.evaluation.partitions import adjusted_rand_index
from dieindex.evaluation.ranking import average_precision
from dieindex.records import SIDES, Flags, Ints, Side
from dieindex.verification import candidates
from dieindex.verification.scorer import PairScores


@dataclass(frozen=True)
class Row:
    name: str
    coins: int
    pairs: int
    compared: float
    lost: float
    ap: float
    ap_of_all: float
    ari: float
    ari_of_all: float
    agreement: float


def measured(index: Index, side: Side, name: str, nearest: int | None, per_coin: int | None) -> Row:
    """One side of an index, of which all pairs are compared first."""
    shipped, found = scored_pairs(index, side), all_compared(index, side)
    faces, fusion, known = found.faces, found.fusion, found.scores
    assert known is not None
    assert index.verification is not None
    every, listed = found.candidates, shipped.candidates
    radius = candidates.shortlist_radius(index.calibration.threshold)
    if per_coin is not None or nearest is not None:
        sampled = _sampled(faces, (3 if per_coin is None else per_coin) * len(faces))
        key = listed.first * len(faces) + listed.second
        near = _worth_comparing(replace(listed, sampled=key < 0), faces, nearest, radius)
        listed = replace(listed, sampled=np.isin(key, sampled) & ~near)
    # (Those aligned to each other are known before anything is compared.)
    on_frame = faces.frame[listed.first] == faces.frame[listed.second]
    given = known.done & ~on_frame

    def judge(scores: PairScores) -> JudgedPairs:
        told = known.only(scores.done | given)
        return judge_pairs(listed, told, faces, calibration=index.calibration, fusion=fusion)

    also = listed_rows(listed, faces, aligned_pairs_of(index, side, faces, index.verification))
    compared = _worth_comparing(listed, faces, nearest, radius, also) | given
    all_of_them = find_dies(
        judge_pairs(every, known, faces, calibration=index.calibration, fusion=fusion)
    )
    die = index.labels(side)
    labels = np.array([die.get(coin, f"?{coin}") for coin in index.faces(side).coins])
    same = labels[listed.first] == labels[listed.second]
    few = find_dies(judge(known.only(compared)))
    together = known.done & on_frame
    return Row(
        f"{name} {side}",
        len(faces),
        int(together.sum()),
        float((compared & together).sum() / max(together.sum(), 1)),
        float((same & together & ~compared).sum() / max((same & together).sum(), 1)),
        average_precision(few.probability, same),
        average_precision(all_of_them.probability, same),
        adjusted_rand_index(few.labels.tolist(), labels.tolist()),
        adjusted_rand_index(all_of_them.labels.tolist(), labels.tolist()),
        adjusted_rand_index(few.labels.tolist(), all_of_them.labels.tolist()),
    )


def _worth_comparing(
    listed: candidates.CandidatePairs,
    faces: candidates.FaceVectors,
    nearest: int | None,
    radius: float,
    also: Ints | None = None,
) -> Flags:
    shipped, candidates.NEAREST = candidates.NEAREST, nearest or candidates.NEAREST
    try:
        return candidates.worth_comparing(listed, faces, radius, also)
    finally:
        candidates.NEAREST = shipped


def _sampled(faces: candidates.FaceVectors, count: int) -> np.ndarray:
    shipped, candidates.SAMPLED = candidates.SAMPLED, count
    try:
        first, second = candidates.sampled_pairs(faces)
    finally:
        candidates.SAMPLED = shipped
    return first * len(faces) + second


def indexes(given: argparse.Namespace) -> Iterator[tuple[str, Index]]:
    for folder in given.collection:
        yield folder.name, di.build(folder, given.work / folder.name)
    for folder in given.index:
        yield folder.name, di.open_index(folder)


def shown(rows: Sequence[Row]) -> None:
    print(
        f"{'':24}{'coins':>6}{'compared':>10}{'lost':>8}"
        f"{'AP':>8}{'of all':>8}{'ARI':>8}{'of all':>8}{'agree':>8}"
    )
    for row in rows:
        print(
            f"{row.name:24}{row.coins:6}{row.compared:10.3f}{row.lost:8.4f}"
            f"{row.ap:8.3f}{row.ap_of_all:8.3f}{row.ari:8.3f}{row.ari_of_all:8.3f}"
            f"{row.agreement:8.3f}"
        )
    apart = [row.ari - row.ari_of_all for row in rows]
    print(f"ARI, mean difference {np.mean(apart):+.4f}, worst {min(apart):+.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--collection", type=Path, nargs="*", default=[])
    parser.add_argument("--index", type=Path, nargs="*", default=[])
    parser.add_argument("--work", type=Path, default=Path("runs/comparing"))
    parser.add_argument("--nearest", type=int)
    parser.add_argument("--per-coin", type=int)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    rows = [
        measured(index, side, name, given.nearest, given.per_coin)
        for name, index in indexes(given)
        for side in SIDES
    ]
    shown(rows)
    if given.out:
        given.out.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()
