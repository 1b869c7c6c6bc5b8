"""What a person should look at: contradictions, near misses, and a sheet's suspected errors.

Every list is ordered by what a look would change: the probability that the machine is wrong there,
times the number of pairs of coins whose attribution would turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dieindex.clustering.graph import SignedGraph
from dieindex.clustering.membership import between_dies, memberships
from dieindex.numeric import sigmoid
from dieindex.records import Flags, Floats, Ints

LEAST_PROBABILITY = 0.05
"""Probability of one die from which two dies are listed as a near miss. On validation collections
of the mint (91 coins) some 10 are listed, and 22 % of these are truly one."""
CONFIDENT = float(np.log(9.0))
"""Nats from which a pair's evidence is a confident "same", or "different": 9 to 1."""
MOST_CUT = 400
"""Coins of a die up to which its minimum cut is computed."""
MOST_LISTED = 1000


@dataclass(frozen=True)
class Contradiction:
    """A die in which pairs say "different".

    ``pair`` is the pair that says so most strongly, with its ``weight``. A minimum cut parts the
    die into ``part`` (the smaller) and the rest between these two; ``cut`` are the "same" verdicts
    that would have to be wrong for it, the strongest first. ``probability`` 0…1 is that of two dies
    by the mean weight between the parts, ``change`` that times the pairs that would part.
    """

    die: int
    pair: tuple[int, int]
    weight: float
    part: tuple[int, ...]
    cut: tuple[tuple[int, int], ...]
    probability: float
    change: float


@dataclass(frozen=True)
class NearMiss:
    """Two dies that may be one: the likeliest ``pair`` between them, the ``mean`` weight of all,
    the ``probability`` 0…1 of one die, and ``change``, that times the pairs that would join."""

    dies: tuple[int, int]
    pair: tuple[int, int]
    mean: float
    probability: float
    change: float


def contradictions(labels: Ints, graph: SignedGraph) -> list[Contradiction]:
    """Dies that hold a confident "different", those first where a look would change most.

    A pair that a person judged, and one of two coins that persons' "same" verdicts join, is none.
    """
    inside = np.flatnonzero(labels[graph.first] == labels[graph.second])
    inside = inside[np.argsort(labels[graph.first[inside]], kind="stable")]
    die = labels[graph.first[inside]]
    starts = np.flatnonzero(np.diff(die, prepend=-1))
    ends = np.append(starts[1:], len(die))
    worst = np.minimum.reduceat(graph.weight[inside], starts) if len(starts) else np.zeros(0)
    found = []
    for start, end in zip(
        starts[worst < -CONFIDENT].tolist(), ends[worst < -CONFIDENT].tolist(), strict=True
    ):
        part = inside[start:end]
        each = _contradiction(int(die[start]), graph, part)
        if each is not None:
            found.append(each)
    return sorted(found, key=lambda c: (-c.change, c.pair))[:MOST_LISTED]


def _contradiction(die: int, graph: SignedGraph, pairs: Ints) -> Contradiction | None:
    a, b, w = graph.first[pairs], graph.second[pairs], graph.weight[pairs]
    faces, local = np.unique(np.concatenate([a, b]), return_inverse=True)
    one, other = local[: len(a)], local[len(a) :]
    constrained = np.searchsorted(faces, graph.together[np.isin(graph.together[:, 0], faces)])
    source, sink, strength = _opposed(len(faces), one, other, w, constrained)
    if strength >= -CONFIDENT:
        return None
    side = np.zeros(len(faces), bool)
    if len(faces) <= MOST_CUT:
        side = _minimum_cut(len(faces), one, other, w, constrained, source, sink)
    else:
        side[source] = True
    if side.sum() * 2 > len(side):
        side = ~side
    across = side[one] != side[other]
    mean = float(w[across].mean()) if across.any() else 0.0
    probability = float(sigmoid(-mean))
    say_same = np.flatnonzero(across & (w > 0))
    say_same = say_same[np.argsort(-w[say_same], kind="stable")][:5]
    many = int(side.sum()) * int((~side).sum())
    return Contradiction(
        die,
        (int(faces[source]), int(faces[sink])),
        strength,
        tuple(faces[side].tolist()),
        tuple((int(a[k]), int(b[k])) for k in say_same),
        probability,
        probability * many,
    )


def _opposed(
    n: int, one: Ints, other: Ints, w: Floats, constrained: Ints
) -> tuple[int, int, float]:
    """The two faces that most strongly say "different", of those that no person joined."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(len(constrained), np.int8)
    joined = coo_array((ones, (constrained[:, 0], constrained[:, 1])), shape=(n, n))
    group = connected_components(joined, directed=False)[1]
    free = np.where(group[one] != group[other], w, np.inf)
    k = int(np.argmin(free))
    return int(one[k]), int(other[k]), float(free[k])


def _minimum_cut(
    n: int, one: Ints, other: Ints, w: Floats, constrained: Ints, source: int, sink: int
) -> Flags:
    """The source's side ``(n,)`` of the cut between two faces that costs least evidence (Ford and
    Fulkerson 1956: largest flow, smallest cut).

    "Same" verdicts across the cut cost their weight; so does a face on the side of that one of the
    two which it is different from. (Else the cheapest cut would nearly always be around one face.)
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    # Whole numbers, as the algorithm takes them; a person's constraint is not to be cut.
    capacity = np.round(np.clip(w, 0.0, 20.0) * 1000).astype(np.int64)
    against = np.round(np.clip(-w, 0.0, 20.0) * 1000).astype(np.int64)
    x, y, value = [one], [other], [capacity]
    for end, opposite in ((source, sink), (sink, source)):
        of_end = (one == end) | (other == end)
        face = np.where(one == end, other, one)[of_end]
        kept = face != opposite
        x.append(face[kept])
        y.append(np.full(int(kept.sum()), opposite))
        value.append(against[of_end][kept])
    x.append(constrained[:, 0])
    y.append(constrained[:, 1])
    value.append(np.full(len(constrained), 10**7))
    a, b = np.concatenate(x + y), np.concatenate(y + x)
    value = value + value
    whole = coo_array((np.concatenate(value), (a, b)), shape=(n, n)).tocsr()
    whole.data = np.minimum(whole.data, 10**7).astype(np.int32)
    flow = maximum_flow(whole, source, sink).flow
    left = (whole - flow).tocsr()
    left.data = np.where(left.data > 0, left.data, 0)
    left.eliminate_zeros()
    side = np.zeros(n, bool)
    side[breadth_first_order(left, source, return_predecessors=False)] = True
    return side


def near_misses(labels: Ints, graph: SignedGraph) -> list[NearMiss]:
    """Pairs of dies that are one with ``LEAST_PROBABILITY`` at least, those first where a look
    would change most."""
    near = between_dies(labels, graph)
    likely = sigmoid(near.log_odds)
    close = np.flatnonzero(likely >= LEAST_PROBABILITY)
    probability = likely[close]
    size = np.bincount(labels, minlength=1)
    change = probability * size[near.first[close]] * size[near.second[close]]
    order = np.lexsort((near.second[close], near.first[close], -change))[:MOST_LISTED]
    chosen = close[order]
    likeliest = _likeliest(labels, graph, near.first[chosen], near.second[chosen])
    return [
        NearMiss(
            (int(near.first[k]), int(near.second[k])),
            (int(graph.first[best]), int(graph.second[best])),
            float(near.mean[k]),
            float(probability[place]),
            float(change[place]),
        )
        for k, place, best in zip(chosen.tolist(), order.tolist(), likeliest.tolist(), strict=True)
    ]


def _likeliest(labels: Ints, graph: SignedGraph, first: Ints, second: Ints) -> Ints:
    """Of each pair of dies (first < second) its pair of faces with the largest weight."""
    wide = int(labels.max(initial=0)) + 1
    a, b = labels[graph.first], labels[graph.second]
    key = np.minimum(a, b) * wide + np.maximum(a, b)
    asked = first * wide + second
    among = np.flatnonzero(np.isin(key, asked))
    among = among[np.lexsort((-graph.weight[among], key[among]))]
    place = np.searchsorted(key[among], asked)
    return among[place] if len(asked) else np.zeros(0, np.int64)


@dataclass(frozen=True)
class SuspectedError:
    """A label that the pictures contradict: of the coin at ``face``, whose sheet die is
    ``die``. ``better`` is the sheet die that its pictures point to, None where to none;
    ``own`` and ``other`` are mean weights to the coins of each (NaN where none was compared);
    ``pair`` the pair that says so most; ``evidence`` nats by which it stands against the label.
    ``change`` is the probability of an error times the pairs of coins that would part or join."""

    face: int
    die: str
    better: str | None
    own: float
    other: float
    pair: tuple[int, int]
    evidence: float
    change: float


SUSPECTED_FROM = 4.0
"""Nats against a label from which it is listed: about 50 to 1."""


def suspected_errors(dies: Sequence[str | None], graph: SignedGraph) -> list[SuspectedError]:
    """Labels of a sheet (one a face, None where unknown) that the pictures contradict strongly.

    A coin is suspected where its mean score with the other coins of its sheet die speaks against
    that die, and it is ``SUSPECTED_FROM`` nats worse than that with another die's coins; or, where
    no other die fits, worse than ``-SUSPECTED_FROM`` with its own. Of each sheet die the most
    suspected goes first, and the others are looked at again without it: they may have fitted it
    badly only. The graph must know nothing of the sheet. Those come first where a look would change
    most.
    """
    names = sorted({die for die in dies if die is not None})
    number = {name: place for place, name in enumerate(names)}
    labels = np.array([len(names) if die is None else number[die] for die in dies], np.int64)
    found: list[SuspectedError] = []
    while suspects := _suspects(labels, names, graph):
        first = {suspect.die: suspect for suspect in reversed(suspects)}.values()
        labels[[suspect.face for suspect in first]] = len(names)
        found.extend(first)
    return sorted(found, key=lambda e: (-e.change, -e.evidence, e.face))


def _suspects(labels: Ints, names: Sequence[str], graph: SignedGraph) -> list[SuspectedError]:
    """Labels (numbers of ``names``, as many as these where unknown) that the pictures contradict,
    the most contradicted first."""
    known = labels < len(names)
    if not len(graph.first) or not known.any():
        return []
    told = memberships(labels, graph)
    kept = known[told.face] & (told.die < len(names)) & np.isfinite(told.log_odds)
    face, die, mean = told.face[kept], told.die[kept], told.log_odds[kept]
    own = np.full(len(labels), np.nan)
    is_own = labels[face] == die
    own[face[is_own]] = mean[is_own]
    best, better = np.full(len(labels), np.nan), np.full(len(labels), -1, np.int64)
    order = np.lexsort((mean[~is_own], face[~is_own]))
    # (Ascending, so that the last one written for a face is its largest.)
    best[face[~is_own][order]] = mean[~is_own][order]
    better[face[~is_own][order]] = die[~is_own][order]
    size = np.bincount(labels)
    found = []
    for k in np.flatnonzero(own < 0).tolist():
        fits = best[k] > 0
        evidence = float(best[k] - own[k]) if fits else float(-own[k])
        if evidence < SUSPECTED_FROM:
            continue
        found.append(
            SuspectedError(
                k,
                names[labels[k]],
                names[better[k]] if fits else None,
                float(own[k]),
                float(best[k]),
                _telling_pair(k, labels, graph, int(better[k]) if fits else int(labels[k]), fits),
                evidence,
                float((size[labels[k]] - 1 + (size[better[k]] if fits else 0)) * sigmoid(evidence)),
            )
        )
    return sorted(found, key=lambda e: (-e.evidence, e.face))


def _telling_pair(
    face: int, labels: Ints, graph: SignedGraph, die: int, likeliest: bool
) -> tuple[int, int]:
    """The pair of a face with a die's coins that is likeliest, or least likely, of one die."""
    of_face = np.flatnonzero((graph.first == face) | (graph.second == face))
    other = np.where(graph.first[of_face] == face, graph.second[of_face], graph.first[of_face])
    of_face = of_face[labels[other] == die]
    w = graph.weight[of_face]
    k = of_face[int(np.argmax(w if likeliest else -w))]
    return int(graph.first[k]), int(graph.second[k])
