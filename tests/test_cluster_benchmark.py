"""The clustering benchmark scores what it says it scores."""

from __future__ import annotations

import json

import numpy as np
import pytest

from dieindex.clustering.certainty import count_dies
from dieindex.clustering.graph import signed_graph
from dieindex.evaluation.partitions import adjusted_rand_index, pair_scores
from dieindex.records import PairTable
from tests.test_encoder_benchmark import benchmark


def scored(found: list[int], die: list[int], replicates: int = 0) -> object:
    return benchmark("cluster").score(np.array(found), np.array(die), 0.5, replicates)


def test_scores_are_those_of_the_library() -> None:
    found, die = [0, 0, 1, 1, 2, 3, 3], [0, 0, 0, 1, 1, 2, 2]
    value = scored(found, die).value  # type: ignore[attr-defined]
    assert value["ari"] == adjusted_rand_index(found, die)
    assert (value["precision"], value["recall"], value["f1"]) == pair_scores(found, die)
    assert value["dies"] == pytest.approx(4 / 3 - 1) == value["dies_off"]
    assert value["seconds"] == 0.5


def test_means_have_intervals_of_dies_and_of_types() -> None:
    cluster = benchmark("cluster")
    die = [k // 2 for k in range(40)]
    off = [k // 2 if k < 30 else k for k in range(40)]
    results = [{"a": scored(die, die, 50), "b": scored(off, die, 50)} for _ in range(2)]
    results[1].pop("b")
    rows = cluster.rows_of(results)
    assert rows["a"]["ari"] == {"mean": 1.0, "dies": [1.0, 1.0], "types": [1.0, 1.0]}
    assert rows["b"]["collections"] == 1
    assert rows["b"]["ari"]["types"] is None
    low, high = rows["b"]["ari"]["dies"]
    assert low < rows["b"]["ari"]["mean"] < high


def test_of_every_way_the_whole_is_told_and_written() -> None:
    cluster = benchmark("cluster")
    die = np.repeat(np.arange(12), 2)
    first, second = np.triu_indices(24, 1)
    ratio = np.where(die[first] == die[second], 6.0, -6.0)
    graph = signed_graph(24, PairTable(first, second, 1 - ratio / 20, ratio), 0.05)
    each = cluster.Clustered({}, graph, count_dies(die, graph))
    results = [
        {
            cluster.OURS: scored(die.tolist(), die.tolist()),
            cluster.PEERS: scored([0] * 24, die.tolist()),
        }
    ]
    said = cluster.beside([each], [12], results)
    assert said["intervals_that_hold"] == 1
    assert said["missing_over_peers"] == 0.0
    text = cluster.lines("easy", cluster.rows_of(results), said, 1)
    assert "1 of 1 intervals" in text
    assert "the peer" in text
    json.dumps([cluster.rows_of(results), said, cluster._each(results[0])], allow_nan=False)
