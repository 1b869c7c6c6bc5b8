"""Groups of faces from the scores of their pairs, as the published way to find dies makes them."""

from __future__ import annotations

import numpy as np

from dieindex.records import Floats, Ints


def label_propagation(scores: Ints | Floats, thresholds: int = 60) -> Ints:
    """Groups of faces from the scores of all pairs, needing no number of dies.

    ``scores`` is symmetric ``(n, n)``, larger for likelier pairs. For up to ``thresholds`` levels
    the graph of the pairs at or above the level is grouped by label propagation, and the grouping
    with the best mean silhouette (distance 1 − score / largest score) is returned as ``(n,)``
    labels from 0. Where no level groups anything, every face stands alone.
    """
    from sklearn.metrics import silhouette_score

    n = len(scores)
    best, best_silhouette = np.arange(n), -np.inf
    if n < 3:
        return best
    distance = 1.0 - np.asarray(scores, np.float64) / max(float(np.max(scores)), 1.0)
    np.fill_diagonal(distance, 0.0)
    upper = np.asarray(scores)[np.triu_indices(n, 1)]
    levels = np.unique(upper[upper > 0])
    if len(levels) > thresholds:
        # Dense at the top: the right level cuts off a small share of the pairs.
        shares = 1 - np.geomspace(1 / len(upper), 1, thresholds)
        levels = np.unique(np.quantile(upper[upper > 0], shares))
    for level in levels:
        labels = _propagate(np.where(scores >= level, scores, 0))
        count = labels.max() + 1
        if not 2 <= count <= n - 1:
            continue
        silhouette = float(silhouette_score(distance, labels, metric="precomputed"))
        if silhouette > best_silhouette:
            best, best_silhouette = labels, silhouette
    return best


def _propagate(weights: Floats, rounds: int = 100) -> Ints:
    """Labels by asynchronous weighted propagation, in a fixed order, so that runs repeat."""
    n = len(weights)
    labels = np.arange(n)
    linked = [np.flatnonzero(row) for row in weights]
    order = np.random.default_rng(0).permutation(n)
    for _ in range(rounds):
        changed = False
        for node in order:
            near = linked[node]
            if not len(near):
                continue
            votes = np.bincount(labels[near], weights=weights[node, near], minlength=n)
            top = votes.max()
            if votes[labels[node]] < top:
                labels[node] = int(np.flatnonzero(votes == top)[0])
                changed = True
        if not changed:
            break
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)
