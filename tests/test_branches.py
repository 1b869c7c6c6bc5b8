"""Average linkage of few nodes gives SciPy's tree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform

from dieindex.clustering.branches import average_branches


@given(st.integers(2, 40), st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_the_tree_is_that_of_scipy(nodes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    distance = rng.random((nodes, nodes))
    distance += distance.T
    expected = linkage(squareform(distance, checks=False), "average")[:, :2]
    np.testing.assert_array_equal(average_branches(distance), np.sort(expected, axis=1))


@pytest.mark.parametrize("nodes", [2, 5, 30])
def test_equal_distances_end_too(nodes: int) -> None:
    found = average_branches(np.ones((nodes, nodes)))
    assert len(found) == nodes - 1
    assert sorted(found.ravel().tolist()) == list(range(2 * nodes - 2))


def test_one_node_has_no_join() -> None:
    assert average_branches(np.zeros((1, 1))).shape == (0, 2)
