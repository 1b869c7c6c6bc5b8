"""Rules that make dies of a collection's pair scores, without labels, to be compared with ours.

All take scores as learned on collections of all kinds (``judge_pairs.judge_alone``), not fitted to
the collection: what fits them to it is the question. Used by ``domains.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from distance_clustering import cohesion_repulsion
from null_rule import empirical_null

from dieindex.calibration.judge_pairs import Judgement
from dieindex.evaluation.label_propagation import label_propagation
from dieindex.records import Flags, Floats, Ints

Labels = Ints


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of all pairs of ``n`` faces as squares, symmetric: ``ratio`` (n, n) nats, ``known``
    (n, n) False where a pair was not compared in detail and on the diagonal."""

    ratio: Floats
    known: Flags

    @classmethod
    def of(cls, n: int, alone: Judgement) -> Scores:
        compared = alone.judged & alone.verified
        ratio, known = np.zeros((n, n)), np.zeros((n, n), bool)
        first, second = alone.table.first[compared], alone.table.second[compared]
        ratio[first, second] = ratio[second, first] = alone.score[compared]
        known[first, second] = known[second, first] = True
        return cls(ratio, known)

    @property
    def listed(self) -> Floats:
        """(m,): the score of every pair that was compared, each once."""
        upper = np.triu_indices(len(self.ratio), 1)
        return self.ratio[upper][self.known[upper]]


def average_linkage_levels(scores: Scores, levels: int = 200) -> list[Labels]:
    """Partitions by average linkage of the scores, from single faces to one group."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if not scores.known.any():
        return [np.arange(len(scores.ratio))]
    tree = linkage(squareform(_as_distance(scores), checks=False), "average")
    heights = np.quantile(tree[:, 2], np.linspace(0, 1, levels))
    return [
        np.arange(len(scores.ratio)),
        *(np.asarray(fcluster(tree, each, "distance")) for each in np.unique(heights)),
    ]


def best_silhouette(scores: Scores) -> Labels:
    """Average linkage of the scores cut at the best mean silhouette."""
    from sklearn.metrics import silhouette_score

    n, distance = len(scores.ratio), _as_distance(scores)
    best, best_value = np.arange(n), -np.inf
    for labels in average_linkage_levels(scores):
        if 2 <= len(np.unique(labels)) <= n - 1:
            value = float(silhouette_score(distance, labels, metric="precomputed"))
            if value > best_value:
                best, best_value = labels, value
    return best


def propagated(scores: Scores) -> Labels:
    """The published label propagation on our scores, shifted to begin at 0."""
    shifted = np.where(scores.known, scores.ratio - scores.listed.min(initial=0.0), 0.0)
    return label_propagation(shifted)


def distance_clustering(scores: Scores) -> Labels:
    """Bayesian distance clustering with cohesion and repulsion."""
    return cohesion_repulsion(scores.ratio, scores.known)


def null_rule(scores: Scores) -> Labels:
    """A false-discovery rate against an empirical null."""
    return empirical_null(scores.ratio, scores.known)


def _as_distance(scores: Scores) -> Floats:
    listed = scores.listed
    usual = float(np.median(listed)) if len(listed) else 0.0
    distance = listed.max(initial=0.0) - np.where(scores.known, scores.ratio, usual)
    np.fill_diagonal(distance, 0.0)
    return np.asarray(distance)


RULES: dict[str, Callable[[Scores], Labels]] = {
    "silhouette": best_silhouette,
    "propagation": propagated,
    "Bayesian": distance_clustering,
    "null": null_rule,
}
