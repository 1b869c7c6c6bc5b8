"""Average linkage of few nodes, wholly: every branch of the tree, whatever the threshold.

The same tree as ``scipy.cluster.hierarchy.linkage(…, "average")``, to the order of its rows (a test
holds both together); to import that takes as long as the rest of an answer.
"""

from __future__ import annotations

import numpy as np

from dieindex.records import Floats, Ints


def average_branches(distance: Floats) -> Ints:
    """The joins that average linkage makes, nearest first: ``(k - 1, 2)``, smaller numbers first.

    ``distance`` ``(k, k)`` is symmetric. Nodes have the numbers 0 … k − 1, what the first join
    makes has k, the next k + 1, and so on. By chains of nearest neighbours (Murtagh 1983).
    """
    k = len(distance)
    apart = np.array(distance, np.float64)
    np.fill_diagonal(apart, np.inf)
    size = np.ones(k)
    joins: list[tuple[float, int, int]] = []
    chain: list[int] = []
    left = np.ones(k, bool)
    while len(joins) < k - 1:
        if not chain:
            chain = [int(np.argmax(left))]
        while True:
            one = chain[-1]
            other = int(np.argmin(apart[one]))
            if len(chain) > 1 and apart[one, chain[-2]] <= apart[one, other]:
                other = chain[-2]
                break
            chain.append(other)
        del chain[-2:]
        joins.append((float(apart[one, other]), min(one, other), max(one, other)))
        kept, gone = max(one, other), min(one, other)
        mean = (size[kept] * apart[kept] + size[gone] * apart[gone]) / (size[kept] + size[gone])
        apart[kept], apart[:, kept] = mean, mean
        apart[gone], apart[:, gone], apart[kept, kept] = np.inf, np.inf, np.inf
        size[kept] += size[gone]
        left[gone] = False
    return _numbered(sorted(joins, key=lambda join: join[0]), k)


def _numbered(joins: list[tuple[float, int, int]], k: int) -> Ints:
    """The joins in this order by the numbers of what they join."""
    above = list(range(2 * k - 1))

    def top(node: int) -> int:
        while above[node] != node:
            above[node] = above[above[node]]
            node = above[node]
        return node

    found = np.zeros((max(k - 1, 0), 2), np.int64)
    for row, (_, one, other) in enumerate(joins):
        found[row] = sorted((top(one), top(other)))
        above[found[row, 0]] = above[found[row, 1]] = k + row
    return found
