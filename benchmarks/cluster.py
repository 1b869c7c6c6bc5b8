"""Dies end to end, beside what they must be compared with, on the same coins, in one run.

    python benchmarks/cluster.py --types 5 --sides both --coins 91 --peer-collections 10
    python benchmarks/cluster.py --types 5 --coins 600 --peer-collections 0
    python benchmarks/cluster.py --types 0 --real PATH            # a labelled set of photographs

Collections are those of ``benchmarks/encoder.py``; faces are refined, described, verified and
judged as in a build and ``dieindex cluster`` (``benchmarks/verify.py``), and clustered with the
defaults by the function that the command calls. Beside it: label propagation with the best
silhouette, as published, on the tuned peer's scores of all pairs (slow, kept in ``--cache``; on the
first ``--peer-collections`` of a group) and on the probabilities of ``dieindex pairs``; connected
components of the pairs that are rather one die than not. No way knows the number of dies, or
anything else that the sheet knows.

Columns: adjusted Rand index with a 95 % interval (dies resampled), adjusted mutual information,
precision, recall and F1 of pairs, dies found over true less one (mean, and mean of its size),
seconds of clustering on one core. Student's intervals over types are in the JSON. Last, of
dieindex's own numbers of dies: how many intervals hold the true number, and how much the expected
number is off.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from encoder import DOUBTFUL
from encoder_collections import (
    Aligned,
    Cache,
    collection_of,
    collection_options,
    content_hash,
    orders,
    read_real,
    real_options,
)
from encoder_methods import similarities, tuned_peer
from judging import Found, Verifier
from verify import PEER

from dieindex.clustering.certainty import DieCount, count_dies
from dieindex.clustering.doubts import suspected_errors
from dieindex.clustering.find_dies import find_dies
from dieindex.clustering.graph import SignedGraph
from dieindex.collection.names import number_form
from dieindex.encoder.weights import read_card
from dieindex.evaluation.intervals import die_replicates, mean_interval, percentile_interval
from dieindex.evaluation.label_propagation import label_propagation
from dieindex.evaluation.partitions import Contingency, adjusted_mutual_information
from dieindex.records import OBVERSE, SIDES

OURS, PARTS = "dieindex", "connected components"
OWN_PROPAGATION, PEERS = "label propagation, own scores", "the peer: its label propagation"
MEASURES = ("ari", "precision", "recall", "f1")
"""Those that have replicates on resampled dies."""
COLUMNS = (*MEASURES, "ami", "dies", "dies_off", "seconds")

Labels = np.ndarray


@dataclass(frozen=True, eq=False)
class Scored:
    """One way on one collection: ``value`` by ``COLUMNS``; ``replicates`` (r, 4) of ``MEASURES``
    on resampled dies, (0, 4) under 10 dies."""

    value: dict[str, float]
    replicates: np.ndarray


@dataclass(frozen=True, eq=False)
class Clustered:
    """One collection: labels ``(n,)`` and seconds by way, and what dieindex says of itself."""

    ways: dict[str, tuple[Labels, float]]
    graph: SignedGraph
    count: DieCount


def cluster_collection(
    found: Found, collection: Aligned, with_peer: bool, given: argparse.Namespace
) -> Clustered:
    """Every way on one collection."""
    n, pairs = len(collection.faces), found.pairs
    dies, seconds = _timed(lambda: find_dies(pairs))
    ways = {OURS: (dies.labels, seconds)}
    first, second, judged, p = (
        pairs.table.first,
        pairs.table.second,
        pairs.judged,
        dies.probability,
    )
    square = np.zeros((n, n))
    square[first, second] = np.where(judged, p, 0.0)
    square += square.T
    ways[OWN_PROPAGATION] = _timed(lambda: label_propagation(square))
    rather_one = judged & (p >= 0.5)
    ways[PARTS] = _timed(lambda: parts(n, first[rather_one], second[rather_one]))
    if with_peer:
        # (All pairs: its label propagation needs them.)
        inliers = similarities(tuned_peer(0, n), collection, given.cache / "similarity")[PEER]
        ways[PEERS] = _timed(lambda: label_propagation(inliers))
    return Clustered(ways, dies.graph, count_dies(dies.labels, dies.graph))


def parts(n: int, first: np.ndarray, second: np.ndarray) -> Labels:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(first), np.int8), (first, second)), shape=(n, n))
    return np.asarray(connected_components(links, directed=False)[1])


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.process_time()
    result = work()
    return result, time.process_time() - began


def score(labels: Labels, die: np.ndarray, seconds: float, replicates: int) -> Scored:
    """Labels against true dies, one each a face, all known."""
    table = Contingency(labels.tolist(), die.tolist())

    def measures(weights: np.ndarray | None = None) -> list[float]:
        counts = table.pair_counts(weights)
        return [counts.adjusted_rand_index, counts.precision, counts.recall, counts.f1]

    value = dict(zip(MEASURES, measures(), strict=True))
    dies = table.dies_found / table.dies_true - 1
    value |= {
        "ami": adjusted_mutual_information(labels.tolist(), die.tolist()),
        "dies": dies,
        "dies_off": abs(dies),
        "seconds": seconds,
    }
    sampled = die_replicates(die.tolist(), measures, replicates, seed=len(die))
    return Scored(value, np.zeros((0, len(MEASURES))) if sampled is None else sampled)


def rows_of(results: Sequence[dict[str, Scored]]) -> dict[str, Any]:
    """Means over the collections that a way was run on, with intervals."""
    rows: dict[str, Any] = {}
    for name in dict.fromkeys(name for result in results for name in result):
        scored = [result[name] for result in results if name in result]
        rows[name] = {"collections": len(scored)} | {
            column: _mean(scored, column) for column in COLUMNS
        }
    return rows


def _mean(scored: Sequence[Scored], column: str) -> dict[str, Any]:
    values = np.array([each.value[column] for each in scored])
    if not np.isfinite(values).all():
        return {"mean": None, "dies": None, "types": None}
    mean = float(values.mean())
    dies = None
    if column in MEASURES and all(len(each.replicates) for each in scored):
        sampled = [each.replicates[:, MEASURES.index(column)] for each in scored]
        dies = percentile_interval(mean, np.mean(sampled, axis=0))
    types = mean_interval(values)
    limits = [None if each is None else [each.low, each.high] for each in (dies, types)]
    return {"mean": mean, "dies": limits[0], "types": limits[1]}


def beside(clustered: Sequence[Clustered], dies: Sequence[int], results: Any) -> dict[str, Any]:
    """What is said beside the scores: of the numbers of dies, and of dieindex beside the peer."""
    counts = [each.count for each in clustered]
    with_peer = [each for each in results if PEERS in each]
    ratio = None
    if with_peer:
        wrong = [np.mean([1 - each[n].value["ari"] for each in with_peer]) for n in (OURS, PEERS)]
        ratio = float(wrong[0] / max(wrong[1], 1e-9))
    return {
        "intervals_that_hold": sum(
            count.low <= d <= count.high for count, d in zip(counts, dies, strict=True)
        ),
        "expected_dies": float(np.mean([c.expected / d - 1 for c, d in zip(counts, dies)])),  # noqa: B905
        "interval_width": float(np.mean([(c.high - c.low) / d for c, d in zip(counts, dies)])),  # noqa: B905
        "missing_over_peers": ratio,
    }


def lines(title: str, rows: dict[str, Any], said: dict[str, Any], collections: int) -> str:
    """One group of collections as text."""
    names = {"precision": "prec.", "f1": "F1", "dies_off": "|dies|", "seconds": "s"}
    heads = [names.get(column, column) for column in ("ami", *MEASURES[1:], *COLUMNS[5:])]
    out = [title, f"  {'':34}{'ARI':>7}{'':17}" + "".join(f"{head:>8}" for head in heads)]
    for name, row in rows.items():
        limits = row["ari"]["dies"]
        shown = "" if limits is None else f" ({limits[0]:.2f} … {limits[1]:.2f})"
        rest = [row[column]["mean"] for column in ("ami", *MEASURES[1:], *COLUMNS[5:])]
        text = "".join("       -" if v is None else f"{v:8.3f}" for v in rest[:4])
        text += f"{rest[4]:+8.1%}{rest[5]:8.1%}{rest[6]:8.2f}"
        out.append(f"  {name:34}{row['ari']['mean']:7.3f}{shown:17}{text}  ({row['collections']})")
    out.append(
        f"  number of dies: {said['intervals_that_hold']} of {collections} intervals hold it, "
        f"their width {said['interval_width']:.0%} of it; expected {said['expected_dies']:+.1%}"
    )
    if said["missing_over_peers"] is not None:
        out.append(f"  (1 - ARI) over the peer's: {said['missing_over_peers']:.2f}")
    return "\n".join(out)


def minted(given: argparse.Namespace, cache: Cache) -> list[dict[str, Any]]:
    verifier = Verifier(given.weights, given.cache / "seen")
    report = []
    for coins in given.coins:
        for difficulty in given.difficulty:
            clustered, results, dies, names = [], [], [], []
            for number, order in enumerate(
                orders(given.types, [coins], [difficulty], given.sides, given.split)
            ):
                collection = collection_of(cache, order, given)
                with_peer = number < given.peer_collections
                each = cluster_collection(verifier.judge(collection), collection, with_peer, given)
                die = collection.faces.die
                clustered.append(each)
                dies.append(len(np.unique(die)))
                names.append(collection.name)
                results.append(
                    {
                        name: score(labels, die, seconds, given.replicates)
                        for name, (labels, seconds) in each.ways.items()
                    }
                )
            rows, said = rows_of(results), beside(clustered, dies, results)
            title = f"{difficulty}, {coins} coins, {len(names)} collections of {given.split} types"
            if given.most is not None:
                title += f", at most {given.most} coins of a die"
            if given.pairs is not None:
                title += f", thinned to {given.pairs} pairs of one die"
            print("\n" + lines(title, rows, said, len(names)), flush=True)
            report.append(
                {"coins": coins, "difficulty": difficulty, "collections": names, **said}
                | {"means": rows, "each": [_each(result) for result in results]}
            )
            write(given, {"minted": report})
    return report


def _each(result: dict[str, Scored]) -> dict[str, dict[str, float | None]]:
    return {
        name: {key: v if np.isfinite(v) else None for key, v in each.value.items()}
        for name, each in result.items()
    }


def real(given: argparse.Namespace, cache: Cache) -> list[dict[str, Any]]:
    """A labelled set of photographs: all faces are clustered, and scored with and without the
    doubtful coins. What the sheet's labels contradict most is listed."""
    verifier = Verifier(given.weights, given.cache / "seen")
    report = []
    for side, (faces, coins) in read_real(given.real).items():
        if side not in given.real_sides:
            continue
        collection = cache.aligned_faces(f"real-{side}", content_hash(faces), side, faces)
        each = cluster_collection(
            verifier.judge(collection), collection, bool(given.peer_collections), given
        )
        known = faces.die >= 0
        doubtful = [number_form(coin) for coin in given.doubtful]
        sure = known & ~np.isin([number_form(coin) for coin in coins], doubtful)
        for name, mask in (("all", known), ("without the doubtful", sure)):
            die = faces.die[mask]
            results = [
                {
                    way: score(labels[mask], die, seconds, given.replicates)
                    for way, (labels, seconds) in each.ways.items()
                }
            ]
            rows = rows_of(results)
            said = beside([each], [len(np.unique(die))], results)
            title = f"{given.real.name}, {side}, {name}: {mask.sum()} faces"
            print("\n" + lines(title, rows, said, 1), flush=True)
            report.append(
                {"set": given.real.name, "side": side, "coins": name, **said} | {"means": rows}
            )
        sheet = [f"die {die + 1}" if die >= 0 else None for die in faces.die.tolist()]
        for error in suspected_errors(sheet, each.graph):
            others = [coins[place] for place in error.pair if place != error.face]
            print(
                f"  {coins[error.face]} ({error.die}) may be of {error.better or 'another die'}: "
                f"{error.evidence:.1f} nats, compare {others[0]}"
            )
    return report


def write(given: argparse.Namespace, report: dict[str, Any]) -> None:
    """What there is so far, so that a run broken off leaves its finished groups."""
    whole = {"weights": read_card(given.weights).version, "split": given.split, **report}
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    collection_options(parser)
    real_options(parser, DOUBTFUL)
    parser.add_argument("--peer-collections", type=int, default=5, help="of each group")
    parser.add_argument("--real-sides", nargs="+", default=[OBVERSE], choices=SIDES)
    parser.add_argument("--replicates", type=int, default=500, help="resamples of the dies")
    given = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    cache = Cache(given.cache, given.weights, keep_stale=given.keep_stale)
    report: dict[str, Any] = {}
    if given.types:
        report["minted"] = minted(given, cache)
    if given.real:
        report["real"] = real(given, cache)
    write(given, report)


if __name__ == "__main__":
    main()
