"""Clustering on graphs sampled from measured score distributions: scores, time and memory, beside
connected components and (small graphs) the peer's label propagation with the best silhouette.

    python benchmarks/cluster_scale.py [--faces 91 600 1000 10000 100000] [--level easy medium hard]

With ``--index DIR`` an index with a sheet is clustered end to end, from its pairs.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np
from cluster_graphs import MEASURED, Graph, sample_graph
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from dieindex.api import Index
from dieindex.calibration.fusion import VERIFIED, Fusion
from dieindex.calibration.judge_pairs import JudgedPairs, Judgement, judge_together
from dieindex.clustering.certainty import certainties, count_dies
from dieindex.clustering.find_dies import FoundDies, find_dies
from dieindex.clustering.linkage import Memory
from dieindex.encoder.weights import SHIPPED_WEIGHTS, read_card
from dieindex.evaluation.label_propagation import label_propagation
from dieindex.evaluation.labels import codes
from dieindex.evaluation.partitions import (
    adjusted_mutual_information,
    adjusted_rand_index,
    pair_scores,
)
from dieindex.records import SIDES, Ints, PairTable

PEER_UP_TO = 600
AMI_UP_TO = 10_000


def row(way: str, found: Ints, die: Ints, seconds: float) -> str:
    known = die >= 0
    one, other = found[known].tolist(), die[known].tolist()
    precision, recall, f1 = pair_scores(one, other)
    ami = adjusted_mutual_information(one, other) if len(one) <= AMI_UP_TO else float("nan")
    dies = len(set(one)) / len(set(other)) - 1
    return (
        f"  {way:22}{adjusted_rand_index(one, other):8.3f}{ami:8.3f}{precision:8.3f}"
        f"{recall:8.3f}{f1:8.3f}{dies:+9.1%}{seconds:9.2f}"
    )


def judged(graph: Graph) -> JudgedPairs:
    """A graph's pairs judged as a collection, as an index does it with its own."""
    fusion = Fusion.from_json(read_card(SHIPPED_WEIGHTS).calibration_for(VERIFIED))
    every = np.ones(len(graph.pairs), bool)
    # (Where shortlists hold the pairs none is sampled: the spread stays as expected.)
    sampled = every if len(graph.pairs) == graph.pairs_in_all else ~every
    return judge_together(Judgement(graph.pairs, every, every), graph.type, sampled, fusion=fusion)


def linked(graph: Graph, memory: Memory) -> tuple[FoundDies, float]:
    """The dies, and the seconds from the pairs' ratios to them."""
    began = time.process_time()
    found = find_dies(judged(graph), memory=memory)
    return found, time.process_time() - began


def grow(graph: Graph) -> float:
    """Seconds from ratios to dies where all but the last coin in a hundred were there."""
    n, t = graph.n, graph.pairs
    late = np.random.default_rng(1).random(n) < 0.01
    place, kept = np.cumsum(~late) - 1, ~(late[t.first] | late[t.second])
    columns = (t.distance[kept], t.log_likelihood_ratio[kept])
    pairs = PairTable(place[t.first[kept]], place[t.second[kept]], *columns)
    memory = Memory()
    linked(Graph(graph.die[~late], graph.type[~late], pairs), memory)
    return linked(graph, memory)[1]


def compare_ways(name: str, graph: Graph) -> None:
    """Print every way on one graph."""
    print(heading(name, graph.n, graph.pairs))
    memory = Memory()
    found, spent = linked(graph, memory)
    print(row("average linkage", found.labels, graph.die, spent))
    again, grown = linked(graph, memory)[1], grow(graph)
    others(found, graph.pairs, graph.die)
    print(f"  again {again:.2f} s; after 1 % more coins {grown:.2f} s")


def heading(name: str, n: int, pairs: PairTable) -> str:
    columns = ("ARI", "AMI", "prec.", "recall", "F1", "d", "s")
    head = "".join(f"{each:>{9 if each in 'ds' else 8}}" for each in columns)
    return f"{name}: {n} faces, {len(pairs)} pairs\n  {'':22}{head}"


def others(found: FoundDies, pairs: PairTable, die: Ints) -> None:
    """Print the other ways on the graph in which dies were found, and what that cost."""
    n, signed = len(die), found.graph
    began = time.process_time()
    certainties(found.labels, signed)
    count = count_dies(found.labels, signed)
    rest = time.process_time() - began
    positive = signed.weight > 0
    began = time.process_time()
    ones = np.ones(int(positive.sum()), np.int8)
    ends = (signed.first[positive], signed.second[positive])
    links = coo_array((ones, ends), shape=(n, n))
    parts = connected_components(links, directed=False)[1]
    print(row("connected components", parts, die, time.process_time() - began))
    if n <= PEER_UP_TO and len(pairs) == n * (n - 1) // 2:
        began = time.process_time()
        score = np.zeros((n, n))
        shifted = pairs.log_likelihood_ratio - pairs.log_likelihood_ratio.min()
        score[pairs.first, pairs.second] = score[pairs.second, pairs.first] = shifted
        propagated = label_propagation(score)
        print(row("label propagation", propagated, die, time.process_time() - began))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"  certainties and number of dies {rest:.2f} s: {count.expected:.0f} ({count.low} to "
        f"{count.high}), true {len(set(die[die >= 0].tolist()))}; peak memory {peak:.2f} GB"
    )


def indexed(folder: Path) -> None:
    """Every way on the pairs of an index."""
    index = Index(folder)
    for side in SIDES:
        pairs, labels = index.pairs(side), index.labels(side)
        die = codes(labels.get(coin) for coin in pairs.coins)
        print(heading(f"{folder.name} {side}", len(die), pairs.table))
        began = time.process_time()
        found = find_dies(pairs.judgement)
        print(row("average linkage", found.labels, die, time.process_time() - began))
        others(found, pairs.table, die)


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
