"""Average linkage on a sparse signed graph of compared pairs.

Every pair of faces has a weight, the log-odds of "same die"; a pair that was never listed has the
weak negative ``missing_weight``. Two clusters are merged, the best pair of clusters first, as long
as the MEAN weight over all pairs between them is positive. The mean decides, not the best pair: one
false link does not join two dies (single linkage would), and one lost pair does not split a die
(complete linkage would). Nothing needs the number of dies, or more than one coin in a die.
"""

from __future__ import annotations

import heapq

import numpy as np
import numpy.typing as npt

from dieindex.clustering.prior import estimate_prior
from dieindex.records import Clustering, PairTable

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MISSING_WEIGHT = -0.25
"""Log-odds of a pair that is not listed. Weak: a die of more coins than a shortlist holds must not
fall apart; negative all the same: a pair left out of the shortlists is rather a different die. On
simulated collections of small dies −0.1 … −4 did alike; a die of 500 coins with shortlists of 20
needs −0.1, with shortlists of 50 it is whole at −0.25 too."""
WEIGHT_LIMIT = 10.0
"""No single comparison weighs more than this many nats in a mean, so that none outvotes a die. The
limit is approached smoothly (``limit * tanh(weight / limit)``): what was ordered stays ordered."""
TIE_BREAK = 1e-6
"""Nats a unit of distance. Calibrated ratios have plateaus; the nearer of two equal pairs goes
first, not the one that happens to be listed first."""
CERTAINTY_LIMIT = 10.0
"""The same for certainties, which are so never nearer to 0 or 1 than 1 in 20,000."""


def cluster_pairs(
    n: int,
    pairs: PairTable,
    prior: float | None = None,
    *,
    missing_weight: float = MISSING_WEIGHT,
) -> Clustering:
    """Dies of ``n`` faces from their compared pairs.

    ``prior`` in (0, 1) is the share of same-die pairs among all pairs of the collection; None
    estimates it from the pairs themselves. Labels count from 0 in the order of each die's first
    face. Neither the order of the pairs nor faces far from all others changes the partition (at a
    given prior). Raises ValueError for a pair listed twice, a position outside 0…n − 1, a ratio
    or distance that is not a number, a prior outside (0, 1), a missing weight that is not negative.
    """
    order = _checked_order(n, pairs)
    first, second = pairs.first[order], pairs.second[order]
    llr = pairs.log_likelihood_ratio[order]
    distance = pairs.distance[order]
    if np.isnan(llr).any() or not np.isfinite(distance).all():
        raise ValueError("a log-likelihood ratio or a distance is not a number")
    if prior is None:
        prior = estimate_prior(llr, n * (n - 1) // 2)
    if not 0.0 < prior < 1.0:
        raise ValueError(f"a prior lies strictly between 0 and 1, not {prior!r}")
    weight = llr + np.log(prior / (1.0 - prior))
    limited = WEIGHT_LIMIT * np.tanh(weight / WEIGHT_LIMIT) - TIE_BREAK * distance
    labels = average_linkage(n, first, second, limited, missing_weight)
    return Clustering(labels, certainties(labels, first, second, weight))


def _checked_order(n: int, pairs: PairTable) -> Ints:
    """Order of the pairs by their positions, so that sums do not depend on the table's order."""
    first, second = pairs.first, pairs.second
    if len(first) and (first.min() < 0 or second.max() >= n or (first >= second).any()):
        raise ValueError(f"pairs need 0 <= first < second < {n}")
    order = np.lexsort((second, first))
    a, b = first[order], second[order]
    if ((a[1:] == a[:-1]) & (b[1:] == b[:-1])).any():
        raise ValueError("a pair is listed twice")
    return order


def average_linkage(
    n: int, first: Ints, second: Ints, weight: Floats, missing_weight: float = MISSING_WEIGHT
) -> Ints:
    """Labels ``(n,)`` from 0: merge while the mean weight between two clusters is positive.

    ``first``, ``second``, ``weight`` ``(m,)`` are the listed pairs, each once, finite weights.
    A merge needs at least one positive pair, so the components of the positive pairs are worked on
    one by one, which changes nothing in the result and keeps memory small.
    """
    if not missing_weight < 0:
        raise ValueError("the weight of a missing pair must be negative")
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    positive = weight > 0
    ones = np.ones(int(positive.sum()), dtype=np.int8)
    graph = coo_array((ones, (first[positive], second[positive])), shape=(n, n))
    _, component = connected_components(graph, directed=False)

    inside = component[first] == component[second]
    first, second, weight = first[inside], second[inside], weight[inside]
    of_pair = component[first]
    by_component = np.argsort(of_pair, kind="stable")
    first, second, weight = first[by_component], second[by_component], weight[by_component]
    starts = np.flatnonzero(np.diff(of_pair[by_component], prepend=-1))
    ends = np.flatnonzero(np.diff(of_pair[by_component], append=-1)) + 1

    representative = np.arange(n, dtype=np.int64)
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        part = slice(start, end)
        excess = weight[part] - missing_weight
        _merge_component(
            first[part].tolist(), second[part].tolist(), excess.tolist(), -missing_weight,
            representative,
        )  # fmt: skip
    return _from_zero(representative)


def _merge_component(
    first: list[int], second: list[int], excess: list[float], bar: float, representative: Ints
) -> None:
    """Greedy average linkage of one component; writes each face's representative.

    ``excess`` is a pair's weight above that of a missing pair. Between clusters of a and b faces
    the mean weight is then ``missing + sum(excess) / (a * b)``: the sum over the listed pairs is
    all there is to keep. It is positive where ``sum(excess) / (a * b) > bar``.

    The heap may hold outdated entries. They are upper bounds: a sum that stays while a cluster
    grows only falls in the mean, and where a sum changes a new entry is pushed. So an entry is
    checked when it comes up, and pushed back with its true value if that has fallen.
    """
    links: dict[int, dict[int, float]] = {}
    for a, b, value in zip(first, second, excess, strict=True):
        links.setdefault(a, {})[b] = value
        links.setdefault(b, {})[a] = value
    members = {face: [face] for face in links}

    def entry(a: int, b: int, value: float) -> tuple[float, int, int]:
        # Clusters are named by a face of theirs; among equal means the smallest names go first.
        mean = value / (len(members[a]) * len(members[b]))
        return (-mean, min(a, b), max(a, b))

    heap = [entry(a, b, value) for a, b, value in zip(first, second, excess, strict=True)]
    heap = [item for item in heap if -item[0] > bar]
    heapq.heapify(heap)
    while heap:
        item = heapq.heappop(heap)
        _, a, b = item
        if a not in links or b not in links[a]:
            continue
        now = entry(a, b, links[a][b])
        if now != item:
            # A fresher entry exists where the value rose, so only a fallen one is put back.
            if now > item and -now[0] > bar:
                heapq.heappush(heap, now)
            continue
        keep, gone = (a, b) if len(links[a]) >= len(links[b]) else (b, a)
        moved = links.pop(gone)
        del moved[keep], links[keep][gone]
        members[keep] += members.pop(gone)
        kept = links[keep]
        for other, value in moved.items():
            total = kept.get(other, 0.0) + value
            kept[other] = links[other][keep] = total
            del links[other][gone]
            fresh = entry(keep, other, total)
            if -fresh[0] > bar:
                heapq.heappush(heap, fresh)
    for cluster in members.values():
        representative[cluster] = min(cluster)


def _from_zero(representative: Ints) -> Ints:
    """Number the representatives (each the smallest face of its cluster) from 0 in order."""
    _, labels = np.unique(representative, return_inverse=True)
    return labels.astype(np.int64)


def certainties(labels: Ints, first: Ints, second: Ints, weight: Floats) -> Floats:
    """How sure each face's place in its die is, ``(n,)`` in 0…1.

    ``labels`` ``(n,)`` count from 0; ``first``, ``second``, ``weight`` ``(m,)`` are the listed
    pairs and their log-odds of "same die". Let o(C) be the odds that a face belongs to die C: the
    exponential of its mean weight to the listed other faces of C (the mean the linkage decides by),
    0 where none is listed. Its stories, "belongs to C" for every die C and "belongs to none of
    them", then stand o(C) : 1. The certainty is the share of the story told:
    ``o(own) / (o(own) + sum of o(C) over the others + 1)``, and for a singleton, whose story is "to
    none of them", ``1 / (sum of o(C) over the others + 1)``.
    """
    n = len(labels)
    dies = int(labels.max(initial=-1)) + 1
    w = np.clip(weight, -CERTAINTY_LIMIT, CERTAINTY_LIMIT)
    face = np.concatenate([first, second])
    die = np.concatenate([labels[second], labels[first]])
    key, where = np.unique(face * dies + die, return_inverse=True)
    total = np.bincount(where, weights=np.concatenate([w, w]), minlength=len(key))
    odds = np.exp(total / np.bincount(where, minlength=len(key)))
    face, die = (key // dies, key % dies) if dies else (key, key)
    own = labels[face] == die
    to_own = np.bincount(face[own], weights=odds[own], minlength=n)
    to_others = np.bincount(face[~own], weights=odds[~own], minlength=n)
    single = np.bincount(labels, minlength=dies)[labels] == 1
    return np.where(single, 1.0, to_own) / (to_own + to_others + 1.0)
