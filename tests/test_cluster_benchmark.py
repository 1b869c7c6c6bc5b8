"""The clustering benchmark scores what it says it scores."""

from __future__ import annotations

import json

import numpy as np
import pytest

from dieindex.clustering.certainty import count_dies
from dieindex.clustering.find_dies import find_dies
from dieindex.evaluation.partitions import adjusted_rand_index, pair_scores
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
    score = np.where(die[first] == die[second], 10.0, -6.0) + np.sin(np.arange(len(first)))
    sampled = np.ones(len(first), bool)
    graph = benchmark("cluster_graphs").Graph(die, 0 * die, first, second, score, sampled)
    found = find_dies(benchmark("cluster_scale").judged(graph))
    each = cluster.Clustered({}, found.graph, count_dies(found.labels, found.graph))
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


@pytest.mark.parametrize("coins", [60, 900])
def test_a_sampled_graph_is_a_collection_that_dies_are_found_in(coins: int) -> None:
    """Its pairs lie where it says that they do, and the method reads that from them."""
    graphs, scale = benchmark("cluster_graphs"), benchmark("cluster_scale")
    graph = graphs.sample_graph(coins, "easy", 3)
    every = len(graph.score) == coins * (coins - 1) // 2
    assert every == (coins == 60)
    assert (graph.type[graph.first] == graph.type[graph.second]).all()
    same = graph.die[graph.first] == graph.die[graph.second]
    given = graphs.MEASURED["easy"]
    assert graph.score[same].mean() == pytest.approx(given.place, abs=1.0)
    assert graph.score[graph.sampled & ~same].mean() == pytest.approx(given.centre, abs=1.5)
    pairs = scale.judged(graph)
    assert pairs.nearest is None if every else pairs.nearest == graphs.LISTED
    assert pairs.kinds.place == pytest.approx(given.place, abs=1.0)
    labels = find_dies(pairs).labels.tolist()
    assert adjusted_rand_index(labels, graph.die.tolist()) > 0.9
