"""Average linkage on a sparse signed graph of compared pairs.

Two clusters are merged, the best pair of clusters first, as long as the MEAN weight over all pairs
between them is positive; a pair that is not in the graph has the weak negative ``missing_weight``.
The mean decides, not the best pair: one false link does not join two dies (single linkage would),
and one lost pair does not split a die (complete linkage would). Nothing needs the number of dies,
or more than one coin in a die.

Only faces that positive pairs connect can come together, so each such component is worked on by
itself. What a component becomes depends on its weights and constraints alone; ``Memory`` keeps it
by a digest of these, so that a person's verdict elsewhere costs nothing here; nor do coins added
elsewhere, unless they change the context of pairs here.
"""

from __future__ import annotations

import hashlib
import heapq
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from dieindex.clustering.graph import SignedGraph
from dieindex.records import Floats, Ints

MISSING_WEIGHT = -0.25
"""Log-odds of a pair that is not in the graph. Weak: a die of more coins than a shortlist holds
must not fall apart; negative all the same: a pair left out of the shortlists is rather a different
die. On simulated collections of small dies −0.1 … −4 did alike; a die of 500 coins with shortlists
of 20 needs −0.1, with shortlists of 50 it is whole at −0.25 too."""
REMEMBERED_FROM = 4
"""Groups from which a component's outcome is worth keeping."""
_LINK = np.dtype([("first", np.int64), ("second", np.int64), ("excess", np.float64)])
"""A link within a component, by the places of its groups."""


@dataclass
class Memory:
    """Outcomes of components by their digests: labels from 0 of each component's groups.

    ``used`` are the digests met since it was made: those worth keeping for the next time.
    """

    known: dict[bytes, npt.NDArray[np.int32]] = field(default_factory=dict)
    used: dict[bytes, npt.NDArray[np.int32]] = field(default_factory=dict)

    def of(self, digest: bytes) -> npt.NDArray[np.int32] | None:
        found = self.known.get(digest)
        if found is not None:
            self.used[digest] = found
        return found

    def keep(self, digest: bytes, labels: Ints) -> None:
        self.known[digest] = self.used[digest] = labels.astype(np.int32)


def cluster_graph(
    graph: SignedGraph, *, missing_weight: float = MISSING_WEIGHT, memory: Memory | None = None
) -> Ints:
    """Labels ``(n,)`` from 0, in the order of each die's first face."""
    return average_linkage(
        graph.n,
        graph.first,
        graph.second,
        graph.limited,
        missing_weight,
        together=graph.together,
        apart=graph.apart,
        memory=memory,
    )


def average_linkage(
    n: int,
    first: Ints,
    second: Ints,
    weight: Floats,
    missing_weight: float = MISSING_WEIGHT,
    *,
    together: Ints | None = None,
    apart: Ints | None = None,
    memory: Memory | None = None,
) -> Ints:
    """Labels ``(n,)`` from 0: merge while the mean weight between two clusters is positive.

    ``first``, ``second``, ``weight`` ``(m,)`` are the listed pairs, each once, finite weights.
    ``together`` and ``apart`` ``(k, 2)`` are faces of one die, and of different dies, that no
    weight can part or join; they must not contradict each other.
    """
    if not missing_weight < 0:
        raise ValueError("the weight of a missing pair must be negative")
    none = np.zeros((0, 2), np.int64)
    group = _components(n, *(none if together is None else together).T)
    size = np.bincount(group, minlength=1).astype(np.float64)
    a, b, excess = _between(group, first, second, weight - missing_weight)
    cannot_link = group[none if apart is None else apart]
    if len(cannot_link):
        # A group may touch another that a person said is different: they count as not linked.
        key = np.minimum(a, b) * n + np.maximum(a, b)
        kept = ~np.isin(key, cannot_link.min(1) * n + cannot_link.max(1))
        a, b, excess = a[kept], b[kept], excess[kept]
    positive = excess / (size[a] * size[b]) > -missing_weight
    component = _components(len(size), a[positive], b[positive])
    found = _by_component(component, a, b, excess, size, cannot_link, -missing_weight, memory)
    return _from_zero(found[group])


def _components(n: int, first: Ints, second: Ints) -> Ints:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(len(first), dtype=np.int8)
    graph = coo_array((ones, (first, second)), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1]).astype(np.int64)


def _between(group: Ints, first: Ints, second: Ints, excess: Floats) -> tuple[Ints, Ints, Floats]:
    """Sums of the excess over the pairs between two groups, each pair of groups once.

    Where a person joined coins, the better half of their pairs with another group speaks for all:
    the machine held them for different, so it sees one of them badly, and what it makes of that one
    must not part the others from their die.
    """
    a, b = group[first], group[second]
    a, b = np.minimum(a, b), np.maximum(a, b)
    if len(group) == group.max(initial=-1) + 1:
        return a, b, excess
    apart = a != b
    wide = int(group.max()) + 1
    key, value = a[apart] * wide + b[apart], excess[apart]
    order = np.lexsort((-value, key))
    key, value = key[order], value[order]
    start = np.flatnonzero(np.diff(key, prepend=-1))
    count = np.diff(np.append(start, len(key)))
    rank = np.arange(len(key)) - np.repeat(start, count)
    better = rank < np.repeat((count + 1) // 2, count)
    of = np.repeat(np.arange(len(start)), count)[better]
    total = np.bincount(of, weights=value[better], minlength=len(start)).astype(np.float64)
    return key[start] // wide, key[start] % wide, total / ((count + 1) // 2) * count


def _by_component(
    component: Ints,
    first: Ints,
    second: Ints,
    excess: Floats,
    size: Floats,
    cannot_link: Ints,
    bar: float,
    memory: Memory | None,
) -> Ints:
    """Number of each group's cluster: that of its smallest group."""
    groups = np.argsort(component, kind="stable")
    starts = np.flatnonzero(np.diff(component[groups], prepend=-1))
    counts = np.diff(np.append(starts, len(groups)))
    local = np.empty(len(groups), np.int64)
    local[groups] = np.arange(len(groups)) - np.repeat(starts, counts)

    inside = component[first] == component[second]
    first, second, excess = first[inside], second[inside], excess[inside]
    order = np.argsort(component[first], kind="stable")
    first, second, excess = first[order], second[order], excess[order]
    edge = np.searchsorted(component[first], np.arange(len(counts) + 1))
    cannot_link = cannot_link[component[cannot_link[:, 0]] == component[cannot_link[:, 1]]]
    bars: dict[int, list[tuple[int, int]]] = {}
    for (a, _), pair in zip(cannot_link.tolist(), local[cannot_link].tolist(), strict=True):
        bars.setdefault(int(component[a]), []).append((pair[0], pair[1]))

    cluster = np.arange(len(size), dtype=np.int64)
    links = np.empty(len(first), _LINK)
    links["first"], links["second"], links["excess"] = local[first], local[second], excess
    for number in np.flatnonzero(counts > 1).tolist():
        members = groups[starts[number] : starts[number] + counts[number]]
        part = slice(int(edge[number]), int(edge[number + 1]))
        if len(members) == 2:
            cluster[members] = members[0]
            continue
        labels = _remembered(links[part], size[members], bars.get(number, []), bar, memory)
        cluster[members] = members[labels]
    return cluster


def _remembered(
    links: npt.NDArray[np.void],
    size: Floats,
    cannot_link: list[tuple[int, int]],
    bar: float,
    memory: Memory | None,
) -> Ints:
    if memory is None or len(size) < REMEMBERED_FROM:
        return _merge_component(links, size, cannot_link, bar)
    digest = hashlib.blake2b(links.tobytes(), digest_size=16)
    digest.update(size.tobytes() + np.array([bar, len(cannot_link)]).tobytes())
    for pair in sorted(cannot_link):
        digest.update(np.array(pair, np.int64).tobytes())
    key = digest.digest()
    known = memory.of(key)
    if known is not None and len(known) == len(size) and known.max() < len(size):
        return known.astype(np.int64)
    labels = _merge_component(links, size, cannot_link, bar)
    memory.keep(key, labels)
    return labels


def _merge_component(
    linked: npt.NDArray[np.void],
    size: Floats,
    cannot_link: list[tuple[int, int]],
    bar: float,
) -> Ints:
    """Greedy average linkage of one component; gives each group the smallest of its cluster.

    ``linked`` holds ``_LINK`` records; an excess is the sum, over the pairs between two groups, of
    the weight above that of a missing pair. Between clusters of a and b faces the mean weight is
    then ``missing + sum(excess) / (a * b)``: the sum over the listed pairs is all there is to keep.
    It is positive where ``sum(excess) / (a * b) > bar``.

    The heap may hold outdated entries. They are upper bounds: a sum that stays while a cluster
    grows only falls in the mean, and where a sum changes a new entry is pushed. So an entry is
    checked when it comes up, and pushed back with its true value if that has fallen. Groups that
    must stay apart have no link, and a cluster inherits whom its parts must not meet.
    """
    links: dict[int, dict[int, float]] = {}
    listed = linked.tolist()
    for a, b, value in listed:
        links.setdefault(a, {})[b] = value
        links.setdefault(b, {})[a] = value
    count: list[float] = size.tolist()
    members = {group: [group] for group in range(len(count))}
    strangers: dict[int, set[int]] = {}
    for a, b in cannot_link:
        strangers.setdefault(a, set()).add(b)
        strangers.setdefault(b, set()).add(a)

    def entry(a: int, b: int, value: float) -> tuple[float, int, int]:
        # Clusters are named by a group of theirs; among equal means the smallest names go first.
        mean = value / (count[a] * count[b])
        return (-mean, a, b) if a < b else (-mean, b, a)

    heap = [entry(a, b, value) for a, b, value in listed]
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
        count[keep] += count[gone]
        kept = links[keep]
        if strangers:
            _join_strangers(strangers, keep, gone)
            for other in strangers.get(keep, set()) & (kept.keys() | moved.keys()):
                links[other].pop(keep, None)
                links[other].pop(gone, None)
                kept.pop(other, None)
                moved.pop(other, None)
        for other, value in moved.items():
            total = kept.get(other, 0.0) + value
            kept[other] = links[other][keep] = total
            del links[other][gone]
            fresh = entry(keep, other, total)
            if -fresh[0] > bar:
                heapq.heappush(heap, fresh)
    smallest = np.arange(len(count), dtype=np.int64)
    for cluster in members.values():
        smallest[cluster] = min(cluster)
    return smallest


def _join_strangers(strangers: dict[int, set[int]], keep: int, gone: int) -> None:
    """A merged cluster must not meet whom either part must not meet."""
    for other in strangers.pop(gone, set()):
        strangers[other].discard(gone)
        strangers[other].add(keep)
        strangers.setdefault(keep, set()).add(other)


def _from_zero(representative: Ints) -> Ints:
    """Number the clusters from 0 in the order of their first faces."""
    _, start, labels = np.unique(representative, return_index=True, return_inverse=True)
    rank = np.empty(len(start), np.int64)
    rank[np.argsort(start)] = np.arange(len(start))
    return rank[labels]
