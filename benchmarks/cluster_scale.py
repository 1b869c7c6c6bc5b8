"""Clustering on graphs drawn from measured score distributions: scores, time and memory, beside
connected components and (small graphs) the peer's label propagation with the best silhouette.

    python benchmarks/cluster_scale.py [--faces 91 600 1000 10000 100000] [--level easy medium hard]

With ``--index DIR`` an index with a sheet is clustered end to end, from its pairs.
"""

from __future__ import annotations

import argparse
import resource
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from cluster_graphs import MEASURED, Graph, sample_graph

from dieindex.calibration.adaptation import fitted_ratios
from dieindex.calibration.context import context
from dieindex.calibration.fusion import VERIFIED, Fusion
from dieindex.clustering.certainty import certainties, count_dies
from dieindex.clustering.graph import SignedGraph, signed_graph
from dieindex.clustering.linkage import Memory, cluster_graph
from dieindex.clustering.threshold import evidence, joining
from dieindex.encoder.weights import SHIPPED_WEIGHTS, read_card
from dieindex.evaluation.metrics import (
    adjusted_mutual_information,
    adjusted_rand_index,
    codes,
    pair_scores,
)
from dieindex.records import SIDES, PairTable

PEER_UP_TO = 600
AMI_UP_TO = 10_000


def row(way: str, found: np.ndarray, die: np.ndarray, seconds: float) -> str:
    known = die >= 0
    one, other = found[known].tolist(), die[known].tolist()
    precision, recall, f1 = pair_scores(one, other)
    ami = adjusted_mutual_information(one, other) if len(one) <= AMI_UP_TO else float("nan")
    dies = len(set(one)) / len(set(other)) - 1
    return (
        f"  {way:22}{adjusted_rand_index(one, other):8.3f}{ami:8.3f}{precision:8.3f}"
        f"{recall:8.3f}{f1:8.3f}{dies:+9.1%}{seconds:9.2f}"
    )


def linked(
    n: int, pairs: PairTable, in_all: int, memory: Memory
) -> tuple[SignedGraph, np.ndarray, float]:
    """The graph, its dies, and the seconds from judged pairs to dies."""
    fusion = Fusion.from_json(read_card(SHIPPED_WEIGHTS).calibration_for(VERIFIED))
    began = time.process_time()
    every = np.ones(len(pairs), bool)
    # (Where shortlists hold the pairs none is drawn at random: the spread stays as expected.)
    drawn = every if len(pairs) == in_all else ~every
    frame = np.zeros(len(pairs), np.int64)
    fitted = fitted_ratios(pairs.log_likelihood_ratio, in_all, every, frame, drawn=drawn)
    ratio, prior = fitted.log_likelihood_ratio, fitted.prior
    together = fusion.in_context(ratio, context(n, pairs.first, pairs.second, ratio, prior))
    how = joining(ratio, prior, n)
    weighed = evidence(replace(pairs, log_likelihood_ratio=ratio), together)
    signed = signed_graph(n, weighed, prior, how=how)
    labels = cluster_graph(signed, memory=memory)
    return signed, labels, time.process_time() - began


def grow(graph: Graph) -> float:
    """Seconds from judged pairs to dies where all but the last coin in a hundred were there."""
    n, t = graph.n, graph.pairs
    late = np.random.default_rng(1).random(n) < 0.01
    place, kept = np.cumsum(~late) - 1, ~(late[t.first] | late[t.second])
    columns = (t.distance[kept], t.log_likelihood_ratio[kept])
    before = PairTable(place[t.first[kept]], place[t.second[kept]], *columns)
    memory = Memory()
    linked(int((~late).sum()), before, graph.pairs_in_all, memory)
    return linked(n, t, graph.pairs_in_all, memory)[2]


def compare_ways(name: str, graph: Graph) -> None:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n, pairs = graph.n, graph.pairs
    print(f"{name}: {n} faces, {len(pairs)} pairs")
    print(f"  {'':22}{'ARI':>8}{'AMI':>8}{'prec.':>8}{'recall':>8}{'F1':>8}{'d':>9}{'s':>9}")
    memory = Memory()
    signed, labels, spent = linked(n, pairs, graph.pairs_in_all, memory)
    print(row("average linkage", labels, graph.die, spent))
    again = linked(n, pairs, graph.pairs_in_all, memory)[2]
    grown = grow(graph)
    began = time.process_time()
    certainties(labels, signed)
    count = count_dies(labels, signed)
    rest = time.process_time() - began
    positive = signed.weight > 0
    began = time.process_time()
    ones = np.ones(int(positive.sum()), np.int8)
    ends = (signed.first[positive], signed.second[positive])
    links = coo_array((ones, ends), shape=(n, n))
    parts = connected_components(links, directed=False)[1]
    print(row("connected components", parts, graph.die, time.process_time() - began))
    if n <= PEER_UP_TO and len(pairs) == n * (n - 1) // 2:
        from dieindex.evaluation.label_propagation import label_propagation

        began = time.process_time()
        score = np.zeros((n, n))
        shifted = pairs.log_likelihood_ratio - pairs.log_likelihood_ratio.min()
        score[pairs.first, pairs.second] = score[pairs.second, pairs.first] = shifted
        found = label_propagation(score)
        print(row("label propagation", found, graph.die, time.process_time() - began))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"  again {again:.2f} s; after 1 % more coins {grown:.2f} s; certainties and number of "
        f"dies {rest:.2f} s: {count.expected:.0f} ({count.low} to {count.high}), true "
        f"{len(set(graph.die[graph.die >= 0].tolist()))}; peak memory {peak:.2f} GB"
    )


def indexed(folder: Path) -> None:
    from dieindex.api import Index

    index = Index(folder)
    for side in SIDES:
        pairs, labels = index.pairs(side), index.labels(side)
        die = codes(labels.get(coin) for coin in pairs.coins)
        t, kept = pairs.table, pairs.judged
        table = PairTable(
            t.first[kept], t.second[kept], t.distance[kept], t.log_likelihood_ratio[kept]
        )
        n = len(die)
        compare_ways(f"{folder.name} {side}", Graph(die, die, table, n * (n - 1) // 2))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--faces", type=int, nargs="+", default=[91, 600, 1000, 10_000, 100_000])
    parser.add_argument("--level", nargs="+", default=["medium"], choices=tuple(MEASURED))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--index", type=Path, help="an index with a sheet, in their place")
    given = parser.parse_args()
    if given.index:
        indexed(given.index)
        return
    for level in given.level:
        for faces in given.faces:
            compare_ways(level, sample_graph(faces, level, given.seed))


if __name__ == "__main__":
    main()
