"""Clustering on graphs sampled from measured score distributions: scores, time and memory, beside
connected components and (small graphs) the peer's label propagation with the best silhouette.

    python benchmarks/cluster_scale.py [--faces 91 600 1000 10000 50000] [--level easy medium hard]

Seconds are by the clock, from scores on; memory is the most that the process has had, which found
the dies, and at a time its workers (large collections are clustered in parts, side by side). A
graph is made by another process. With ``--index DIR`` an index with a sheet is clustered end to
end, from its pairs.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from cluster_graphs import MEASURED, Graph, sample_graph
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from dieindex.api import Index
from dieindex.calibration.judge_pairs import JudgedPairs, Judgement, judge_together
from dieindex.clustering.certainty import count_dies
from dieindex.clustering.find_dies import FoundDies, find_dies
from dieindex.evaluation.label_propagation import label_propagation
from dieindex.evaluation.labels import codes
from dieindex.evaluation.partitions import (
    adjusted_mutual_information,
    adjusted_rand_index,
    pair_scores,
)
from dieindex.records import SIDES, Ints, PairTable

OURS = "dieindex"
PEER_UP_TO = 600
AMI_UP_TO = 10_000
WAYS_UP_TO = 100_000

T = TypeVar("T")


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
    every = np.ones(len(graph.score), bool)
    alone = Judgement(graph.table, graph.score, every, every)
    return judge_together(alone, graph.type, graph.sampled)


def compare_ways(name: str, faces: int, seed: int) -> dict[str, float]:
    """Print every way on one graph; figures of the method's."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "graph.npz")
        # (What making a graph needs would pass for what clustering it needs.)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            pool.apply(make_graph, (file, faces, name, seed))
        with np.load(file) as made:
            graph = Graph(**made)
    print(heading(name, graph.n, len(graph.score)))
    with Memory() as memory:
        pairs, judging = timed(lambda: judged(graph))
        found, whole = timed(lambda: find_dies(pairs))
    print(row(OURS, found.labels, graph.die, judging + whole))
    figures = {
        "pairs": len(pairs),
        "ari": adjusted_rand_index(found.labels.tolist(), graph.die.tolist()),
        "judge_seconds": judging,
        "find_dies_seconds": whole,
        "peak_gb": memory.peak,
    }
    print(f"  judging {judging:.2f} s, find_dies {whole:.2f} s, {memory.peak:.2f} GB at most")
    if faces <= WAYS_UP_TO:
        figures["count_dies_seconds"] = others(found, pairs.table, graph.die)
    return figures


def make_graph(file: Path, faces: int, level: str, seed: int) -> None:
    """Write a sampled graph."""
    np.savez(file, **asdict(sample_graph(faces, level, seed)))


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What was made, and the seconds by the clock."""
    began = time.perf_counter()
    result = work()
    return result, time.perf_counter() - began


class Memory:
    """The most memory, GB, that this process and those it started have held at a time."""

    def __init__(self) -> None:
        self.peak = 0.0
        self._left = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Memory:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._watch.join()
        self.peak = max(self.peak, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)

    def _look(self) -> None:
        while not self._left.wait(0.5):
            self.peak = max(self.peak, sum(map(held, [os.getpid(), *children(os.getpid())])))


def children(process: int) -> list[int]:
    """The processes that one has started, and those that they have (Linux; none elsewhere)."""
    found: list[int] = []
    for file in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, file.read_text().split())
    return found + [each for child in found for each in children(child)]


def held(process: int) -> float:
    """The memory that a process holds, GB; 0 where it has ended."""
    with suppress(OSError):
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e9
    return 0.0


def heading(name: str, n: int, pairs: int) -> str:
    columns = ("ARI", "AMI", "prec.", "recall", "F1", "d", "s")
    head = "".join(f"{each:>{9 if each in 'ds' else 8}}" for each in columns)
    return f"{name}: {n} faces, {pairs} pairs\n  {'':22}{head}"


def others(found: FoundDies, pairs: PairTable, die: Ints) -> float:
    """Print the other ways on the graph in which dies were found, and their number; the seconds
    that counting took."""
    n, signed = len(die), found.graph
    count, counting = timed(lambda: count_dies(found.labels, signed))
    positive = signed.weight > 0
    ends = signed.first[positive], signed.second[positive]
    links = coo_array((np.ones(len(ends[0]), np.int8), ends), shape=(n, n))
    parts, spent = timed(lambda: connected_components(links, directed=False)[1])
    print(row("connected components", parts, die, spent))
    if n <= PEER_UP_TO and len(pairs) == n * (n - 1) // 2:
        score = np.zeros((n, n))
        shifted = pairs.log_likelihood_ratio - pairs.log_likelihood_ratio.min()
        score[pairs.first, pairs.second] = score[pairs.second, pairs.first] = shifted
        propagated, spent = timed(lambda: label_propagation(score))
        print(row("label propagation", propagated, die, spent))
    print(
        f"  number of dies {counting:.2f} s: {count.expected:.0f} ({count.low} to {count.high}), "
        f"true {len(set(die[die >= 0].tolist()))}"
    )
    return counting


def indexed(folder: Path) -> None:
    """Every way on the pairs of an index."""
    index = Index(folder)
    for side in SIDES:
        pairs, labels = index.pairs(side), index.labels(side)
        die = codes(labels.get(coin) for coin in pairs.coins)
        print(heading(f"{folder.name} {side}", len(die), len(pairs)))
        found, spent = timed(partial(find_dies, pairs.judgement))
        print(row(OURS, found.labels, die, spent))
        others(found, pairs.table, die)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--faces", type=int, nargs="+", default=[91, 600, 1000, 10_000, 50_000])
    parser.add_argument("--level", nargs="+", default=["medium"], choices=tuple(MEASURED))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--index", type=Path, help="an index with a sheet, in their place")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    given = parser.parse_args()
    if given.index:
        indexed(given.index)
        return
    results: dict[str, dict[str, float]] = {}
    for level in given.level:
        for faces in sorted(given.faces):
            figures = compare_ways(level, faces, given.seed)
            results[f"{level} {faces}"] = {name: round(v, 3) for name, v in figures.items()}
    if given.out:
        given.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
