"""What adapting the calibration to a collection is worth: the pooled one and the adapted, beside
one fitted on the collection's own true dies, which no one has, as the most that could be had.

    python benchmarks/adapting.py [--split validation] [--types 3] [--index indexes/data]

Collections of the mint as in ``benchmarks/encoder.py`` (and kept where that keeps them), judged and
clustered as an index does it. With ``--index``, an index with a sheet in their place.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from encoder_collections import Cache, orders
from encoder_measures import Floats, Ints
from encoder_methods import similarities, trained

from dieindex.api import Index
from dieindex.clustering.linkage import cluster_pairs
from dieindex.clustering.prior import estimate_prior
from dieindex.encoder.weights import INDEX, SHIPPED_WEIGHTS, read_card
from dieindex.evaluation.metrics import (
    adjusted_rand_index,
    average_precision,
    calibration_error,
    codes,
    log_loss,
    pair_scores,
)
from dieindex.index.shortlist import all_pairs, euclidean
from dieindex.records import SIDES, PairTable
from dieindex.verification.adapting import adapted_to
from dieindex.verification.verdicts import Calibration, fit_calibration, probability

WAYS = ("pooled", "adapted", "own dies")


@dataclass(frozen=True, eq=False)
class Judged:
    """All pairs of a collection: positions, distance (m,); ``frame`` and ``die`` (n,), −1: none."""

    name: str
    first: Ints
    second: Ints
    distance: Floats
    frame: Ints
    die: Ints


@dataclass(frozen=True)
class Scores:
    """Of one way on one collection; probabilities over all pairs of aligned faces."""

    ari: float
    precision: float
    recall: float
    f1: float
    dies_found: float
    dies_true: float
    prior: float
    share: float
    ap: float
    log_loss: float
    calibration_error: float


def minted(given: argparse.Namespace) -> Iterator[Judged]:
    cache = Cache(given.cache, given.weights)
    method = trained("shipped", given.weights)
    for order in orders(given.types, [given.coins], given.difficulty, given.sides, given.split):
        collection = cache.aligned(order)
        found = similarities(method, collection, given.cache / "similarity")["shipped: vector"]
        first, second = np.triu_indices(len(found), 1)
        distance = euclidean(found[first, second])
        yield Judged(
            order.name, first, second, distance, collection.laid.type, collection.faces.die
        )


def indexed(folder: Path) -> Iterator[Judged]:
    index = Index(folder)
    for side in SIDES:
        rows, labels = index.faces(side), index.labels(side)
        pairs = all_pairs(rows.vectors)
        die = codes(labels.get(coin) for coin in rows.coins)
        frame = np.where(rows.aligned, rows.frame, -1)
        name = f"{folder.name} {side}"
        yield Judged(name, pairs.first, pairs.second, pairs.distance, frame, die)


def ways_of(given: Judged, pooled: Calibration) -> dict[str, Scores]:
    a, b = given.frame[given.first], given.frame[given.second]
    on_one = (a == b) & (a >= 0)
    labelled = (given.die[given.first] >= 0) & (given.die[given.second] >= 0)
    same = labelled & (given.die[given.first] == given.die[given.second])
    d = given.distance
    calibrations = (
        pooled,
        adapted_to(pooled, d[on_one]),
        fit_calibration(d[on_one & same], d[on_one & labelled & ~same]),
    )
    return {
        way: _scores(given, each, same, labelled)
        for way, each in zip(WAYS, calibrations, strict=True)
    }


def _scores(
    given: Judged, calibration: Calibration, same: np.ndarray, labelled: np.ndarray
) -> Scores:
    aligned = given.frame >= 0
    known = aligned[given.first] & aligned[given.second]
    ratio = np.where(known, calibration.log_likelihood_ratio(given.distance), 0.0)
    n = int(aligned.sum())
    prior = estimate_prior(ratio[known], n * (n - 1) // 2)
    table = PairTable(given.first, given.second, given.distance, ratio)
    found = cluster_pairs(len(aligned), table, prior).labels
    told = given.die >= 0
    precision, recall, f1 = pair_scores(found[told].tolist(), given.die[told].tolist())
    looked = known & labelled
    p, true = probability(ratio[looked], prior), same[looked]
    return Scores(
        ari=adjusted_rand_index(found[told].tolist(), given.die[told].tolist()),
        precision=precision,
        recall=recall,
        f1=f1,
        dies_found=float(len(np.unique(found[told]))),
        dies_true=float(len(np.unique(given.die[told]))),
        prior=prior,
        share=float(true.mean()),
        ap=average_precision(ratio[looked], true),
        log_loss=log_loss(p, true),
        calibration_error=calibration_error(p, true),
    )


def table(title: str, results: list[dict[str, Scores]]) -> str:
    names = list(Scores.__dataclass_fields__)
    lines = [title, f"  {'':10s}" + "".join(f"{name[:11]:>12s}" for name in names)]
    for way in WAYS:
        means = [np.mean([getattr(each[way], name) for each in results]) for name in names]
        lines.append(f"  {way:10s}" + "".join(f"{mean:12.3f}" for mean in means))
    gains = [each["adapted"].ari - each["pooled"].ari for each in results]
    lines.append(f"  ARI gained by adapting: {', '.join(f'{gain:+.3f}' for gain in gains)}")
    return "\n".join(lines)


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--types", type=int, default=3)
    parser.add_argument("--coins", type=int, default=91)
    parser.add_argument("--difficulty", nargs="+", default=["easy", "medium", "hard"])
    parser.add_argument("--sides", default="alternate", choices=("alternate", "both", *SIDES))
    parser.add_argument("--split", default="validation", choices=("test", "validation"))
    parser.add_argument("--index", type=Path, help="an index with a sheet, in the mint's place")
    parser.add_argument("--weights", type=Path, default=SHIPPED_WEIGHTS)
    parser.add_argument("--cache", type=Path, default=Path("runs/encoder"))
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    given = parser.parse_args()
    pooled = Calibration.from_json(read_card(given.weights).calibration_for(INDEX))
    collections = indexed(given.index) if given.index else minted(given)
    results = {each.name: ways_of(each, pooled) for each in collections}
    groups: dict[str, list[dict[str, Scores]]] = {}
    for name, found in results.items():
        groups.setdefault(name if given.index else name.split("-")[1], []).append(found)
    for group, members in groups.items():
        print(table(f"{group}: {len(members)} collection(s)", members))
    if len(groups) > 1:
        print(table(f"all: {len(results)} collections", list(results.values())))
    if given.out:
        plain = {n: {w: asdict(s) for w, s in found.items()} for n, found in results.items()}
        given.out.write_text(json.dumps(plain, indent=1) + "\n")


if __name__ == "__main__":
    main()
