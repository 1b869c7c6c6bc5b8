"""Small functions of numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dieindex.numeric import components

_EDGES = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=30)


@given(_EDGES)
def test_components_are_what_edges_connect(edges: list[tuple[int, int]]) -> None:
    first, second = np.array(edges, np.int64).reshape(-1, 2).T
    found = components(20, first, second)
    reach = np.eye(20, dtype=bool)
    reach[first, second] = reach[second, first] = True
    for _ in range(5):
        reach = reach @ reach
    np.testing.assert_array_equal(found[:, None] == found, reach)
    firsts = [int(np.flatnonzero(found == label)[0]) for label in range(found.max() + 1)]
    assert firsts == sorted(firsts)


def test_a_long_chain_is_one_component() -> None:
    order = np.random.default_rng(0).permutation(100_000)
    assert (components(100_000, order[:-1], order[1:]) == 0).all()


def test_no_nodes_have_no_components() -> None:
    none = np.zeros(0, np.int64)
    assert len(components(0, none, none)) == 0
