"""Bayesian clustering of distances with cohesion and repulsion: a published rule for comparison.

Natarajan, De Iorio, Heinecke, Mayer and Glenn, "Cohesion and repulsion in Bayesian distance
clustering", JASA 119 (2024), doi 10.1080/01621459.2023.2191821; written for die studies among
others. Each pair's distance is one observation. Inside a group ``k`` distances are gamma of one
shape and a rate ``λ_k`` (cohesion); between groups ``k`` and ``t`` they are gamma of another shape
and a rate ``θ_kt`` (repulsion). All rates have gamma priors and are integrated out. Sizes of groups
are drawn from a shifted negative binomial distribution, so groups stay small however many faces
there are (microclustering)::

    prior of a partition ∝ K! p^(n−K) (1−p)^(rK) Γ(r)^(−K) ∏ n_k Γ(n_k + r − 1)

Shapes and priors come from the distances, as the authors choose them: a k-medoids clustering whose
number of groups is at the elbow of its cost gives distances inside and between groups; the shapes
are their maximum likelihood fits, the priors of the rates what those distances say of a rate, and
the priors of ``r`` and ``p`` what the sizes say of them. As k-medoids seeks no more groups than
half of the faces, the priors are far from the truth where most dies have one coin, and so is what
is found.

What differs from the publication and its program: ``r`` is drawn from a grid, not by a Metropolis
step; a face's move counts what its group's other distances say of the rates; pairs to be split or
merged are drawn more often if they are near; pairs that were not judged are left out of the
likelihood; the estimate is the best of the sampled partitions and is not refined further; one chain
of ``SWEEPS``, which begins with single faces (begun with the k-medoids groups, it stayed in less
likely partitions).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import betaln, digamma, gammaln, logsumexp, polygamma

from dieindex.records import Flags, Floats, Ints

SWEEPS, BURN_IN = 200, 100
"""Each sweep moves every face once and tries ``SPLITS`` splits or merges."""
SPLITS, SCANS = 4, 2
"""A split begins with random halves that so many scans put in order."""
NEAREST = 0.05
"""Distance of the best pair, in parts of the distance from the best to the median score: no
distance may be 0, where a gamma density has no value."""
SHAPES_OF_SIZES = np.geomspace(1e-2, 1e2, 201)
"""Values of ``r``."""
CERTAIN = 1e-9
"""``p`` keeps this far from 0 and 1."""


def cohesion_repulsion(ratio: Floats, known: Flags) -> Ints:
    """Labels ``(n,)`` from scores ``ratio`` (n, n), symmetric, in nats; pairs that are not
    ``known`` (n, n) say nothing. Reproducible: its random numbers are seeded."""
    n = len(ratio)
    known = known & ~np.eye(n, dtype=bool)
    if known.sum() < 2:
        return np.arange(n)
    distance = distances(ratio, known)
    rng = np.random.default_rng(0)
    priors = Priors.of(distance, known, notional_groups(distance, known, rng))
    chain = Chain(distance, known, priors, np.arange(n), rng)
    return least_expected_variation(chain.sampled())


def distances(ratio: Floats, known: Flags) -> Floats:
    """Best score less a pair's own, plus a little; (n, n), 0 where nothing is known."""
    best, middle = float(ratio[known].max()), float(np.median(ratio[known]))
    nearest = NEAREST * max(best - middle, 1e-6)
    return np.where(known, best - ratio + nearest, 0.0)


# --------------------------------------------------------------------------------- what is expected


def notional_groups(distance: Floats, known: Flags, rng: np.random.Generator) -> Ints:
    """k-medoids of as many groups, up to half of the faces, as the elbow of the cost has: the
    number farthest below the line from its first to its last value."""
    filled = np.where(known, distance, np.median(distance[known]))
    np.fill_diagonal(filled, 0.0)
    tried = [k_medoids(filled, k, rng) for k in range(1, max(len(distance) // 2, 1) + 1)]
    cost = np.array([each for _, each in tried])
    line = np.linspace(cost[0], cost[-1], len(cost))
    return tried[int(np.argmax(np.abs(line - cost)))][0]


def k_medoids(distance: Floats, k: int, rng: np.random.Generator) -> tuple[Ints, float]:
    """Labels (n,) and the sum of distances to the medoids, from distant random first ones."""
    medoids = [int(rng.integers(len(distance)))]
    for _ in range(1, k):
        weight = distance[medoids].min(axis=0) ** 2
        weight[medoids] = 0.0
        medoids.append(int(rng.choice(len(distance), p=weight / weight.sum())))
    centres = np.array(medoids)
    for _ in range(100):
        labels = np.argmin(distance[centres], axis=0)
        labels[centres] = np.arange(k)
        inside = np.where(labels[:, None] == labels, distance, 0.0).sum(axis=1)
        order = np.lexsort((inside, labels))
        after = order[np.searchsorted(labels[order], np.arange(k))]
        if (after == centres).all():
            break
        centres = after
    return labels.astype(np.int64), float(distance[centres[labels], np.arange(len(labels))].sum())


@dataclass(frozen=True)
class Rates:
    """Distances are gamma of ``shape`` and a rate whose own prior is gamma (``count``, ``total``):
    as if ``count / shape`` distances had been seen with that ``total``."""

    shape: float = 1.0
    count: float = 1.0
    total: float = 1.0

    @classmethod
    def of(cls, seen: Floats) -> Rates:
        """The shape by maximum likelihood; (1, 1, 1) of fewer than two distances."""
        if len(seen) < 2:
            return cls()
        gap = max(float(np.log(seen.mean()) - np.log(seen).mean()), 1e-6)
        shape = (3 - gap + np.sqrt((gap - 3) ** 2 + 24 * gap)) / (12 * gap)
        for _ in range(20):
            slope = 1 / shape - polygamma(1, shape)
            shape = max(shape - (np.log(shape) - digamma(shape) - gap) / slope, shape / 2)
        return cls(float(shape), float(shape * len(seen)), float(seen.sum()))


@dataclass(frozen=True)
class Sizes:
    """Gamma prior (``shape``, ``rate``) of ``r`` and beta prior (``a``, ``b``) of ``p``."""

    shape: float = 1.0
    rate: float = 1.0
    a: float = 1.0
    b: float = 1.0

    def chances(self, sizes: Ints) -> Floats:
        """Of each of ``SHAPES_OF_SIZES`` after groups of these sizes were seen; ``p`` is integrated
        out. The grid is even in ``log r``."""
        r, n, k = SHAPES_OF_SIZES, int(sizes.sum()), len(sizes)
        log = self.shape * np.log(r) - self.rate * r + betaln(n - k + self.a, r * k + self.b)
        size, many = np.unique(sizes, return_counts=True)
        log += many @ gammaln(size[:, None] - 1 + r) - k * gammaln(r)
        return np.asarray(np.exp(log - logsumexp(log)))

    @classmethod
    def of(cls, sizes: Ints) -> Sizes:
        """Gamma and beta of the same mean and variance as ``r`` and ``p`` have after these sizes
        were seen."""
        vague = cls()
        chances = vague.chances(sizes)
        r, n, k = SHAPES_OF_SIZES, int(sizes.sum()), len(sizes)
        mean = float(chances @ r)
        variance = float(chances @ (r - mean) ** 2)
        a, b = n - k + vague.a, r * k + vague.b
        share = a / (a + b)
        middle = float(chances @ share)
        spread = float(chances @ (share * (1 - share) / (a + b + 1) + (share - middle) ** 2))
        worth = middle * (1 - middle) / spread - 1
        return cls(mean**2 / variance, mean / variance, middle * worth, (1 - middle) * worth)


@dataclass(frozen=True)
class Priors:
    inside: Rates
    between: Rates
    sizes: Sizes

    @classmethod
    def of(cls, distance: Floats, known: Flags, labels: Ints) -> Priors:
        """What the distances say if the groups were these."""
        same = labels[:, None] == labels
        upper = np.triu(known, 1)
        return cls(
            Rates.of(distance[upper & same]),
            Rates.of(distance[upper & ~same]),
            Sizes.of(np.unique(labels, return_counts=True)[1]),
        )


class _Marginal:
    """Log-likelihood of ``pairs`` distances of one rate, the rate integrated out, but for terms
    that are sums over the pairs alone (``Chain`` adds those)."""

    def __init__(self, rates: Rates, most: int) -> None:
        seen = rates.shape * np.arange(most + 1)
        self._total, self._power = rates.total, rates.count + seen
        self._level = gammaln(self._power) - gammaln(rates.count) - seen * np.log(rates.total)

    def __call__(self, pairs: Ints, total: Floats) -> Floats:
        found = self._level[pairs] - self._power[pairs] * np.log1p(total / self._total)
        return np.asarray(found)


# ------------------------------------------------------------------------------------ the partition


@dataclass(eq=False)
class _Partition:
    """Groups in the first ``many`` rows. ``pairs``, ``total``, ``own`` (n + 1, n): known pairs of a
    group with a face, their distances, their terms; ``between_pairs``, ``between_total``,
    ``between`` (n + 1, n + 1): the same of two groups, inside a group on the diagonal, and their
    marginal likelihood."""

    labels: Ints
    many: int
    size: Ints
    pairs: Ints
    total: Floats
    own: Floats
    between_pairs: Ints
    between_total: Floats
    between: Floats

    def copy(self) -> _Partition:
        held = {name: each.copy() for name, each in vars(self).items() if name != "many"}
        return replace(self, **held)


class Chain:
    """Draws partitions of ``n`` faces; ``distance`` and ``known`` are (n, n)."""

    def __init__(
        self,
        distance: Floats,
        known: Flags,
        priors: Priors,
        labels: Ints,
        rng: np.random.Generator,
    ) -> None:
        self._n, self._rng, self._sizes = len(labels), rng, priors.sizes
        most = self._n * self._n // 2 + self._n
        self._distance, self._known = distance, known.astype(np.int64)
        self._inside = _Marginal(priors.inside, most)
        self._between = _Marginal(priors.between, most)
        # Terms of single pairs: what one inside a group has more than one between groups.
        log = np.log(np.where(known, distance, 1.0))
        powers = priors.inside.shape - priors.between.shape
        level = gammaln(priors.between.shape) - gammaln(priors.inside.shape)
        self._own = np.where(known, powers * log + level, 0.0)
        first, second = np.nonzero(np.triu(known, 1))
        order = np.argsort(distance[first, second])
        self._near = np.stack([first[order], second[order]], axis=1)
        self._odds = np.cumsum(1.0 / np.arange(1, len(order) + 1))
        self.now = self._partition(labels)
        self._draw_sizes()

    def sampled(self) -> Ints:
        """(samples, n): the partitions after each sweep past ``BURN_IN``."""
        kept = []
        for sweep in range(SWEEPS):
            for _ in range(SPLITS):
                self._split_or_merge()
            for face in self._rng.permutation(self._n).tolist():
                self._take(self.now, face)
                gain = self._gain(self.now, face, np.arange(self.now.many), new=True)
                self._put(self.now, face, self._drawn(gain)[0])
            self._draw_sizes()
            if sweep >= BURN_IN:
                kept.append(self.now.labels.copy())
        return np.array(kept)

    def log_posterior(self, given: _Partition) -> float:
        """Of the partition with ``r`` and ``p`` as they are now, up to a constant."""
        k, r = given.many, self._r
        size = given.size[:k]
        prior = gammaln(k + 1) + (self._n - k) * np.log(self._p) + r * k * np.log1p(-self._p)
        prior += (np.log(size) + gammaln(size + r - 1) - gammaln(r)).sum()
        square = np.arange(k)
        pairs, total = given.between_pairs[square, square], given.between_total[square, square]
        inside = self._inside(pairs, total).sum()
        between = given.between[:k, :k]
        apart = (between.sum() - np.trace(between)) / 2
        own = given.own[given.labels, np.arange(self._n)].sum() / 2
        return float(prior + inside + apart + own)

    def _partition(self, labels: Ints) -> _Partition:
        n = self._n
        labels = np.unique(labels, return_inverse=True)[1].astype(np.int64)
        many = int(labels.max()) + 1
        member = np.zeros((n + 1, n))
        member[labels, np.arange(n)] = 1.0
        pairs, total, own = (member @ each for each in (self._known, self._distance, self._own))
        between_pairs, between_total = pairs @ member.T, total @ member.T
        for square in (between_pairs, between_total):
            np.fill_diagonal(square, np.diag(square) / 2)
        counts = np.rint(between_pairs).astype(np.int64)
        return _Partition(
            labels,
            many,
            member.sum(axis=1).astype(np.int64),
            np.rint(pairs).astype(np.int64),
            total,
            own,
            counts,
            between_total,
            self._between(counts, between_total),
        )

    def _draw_sizes(self) -> None:
        size = self.now.size[: self.now.many]
        self._r = float(self._rng.choice(SHAPES_OF_SIZES, p=self._sizes.chances(size)))
        joined, k = self._n - self.now.many, self.now.many
        p = self._rng.beta(joined + self._sizes.a, self._r * k + self._sizes.b)
        self._p = float(np.clip(p, CERTAIN, 1 - CERTAIN))

    def _take(self, of: _Partition, face: int) -> None:
        """Take a face out of its group; the last group fills the place of an empty one."""
        group = int(of.labels[face])
        self._change(of, face, group, -1)
        of.labels[face] = -1
        if of.size[group] == 0:
            last = of.many - 1
            of.many = last
            if group != last:
                of.labels[of.labels == last] = group
                of.size[group] = of.size[last]
                for each in (of.pairs, of.total, of.own):
                    each[group] = each[last]
                for square in (of.between_pairs, of.between_total, of.between):
                    square[group] = square[last]
                    square[:, group] = square[:, last]
                    square[group, group] = square[last, last]
            of.size[last] = 0
            for each in (of.pairs, of.total, of.own):
                each[last] = 0
            for square in (of.between_pairs, of.between_total, of.between):
                square[last] = square[:, last] = 0

    def _put(self, of: _Partition, face: int, group: int) -> None:
        of.many = max(of.many, group + 1)
        self._change(of, face, group, 1)
        of.labels[face] = group

    def _change(self, of: _Partition, face: int, group: int, sign: int) -> None:
        k = of.many
        for square, column in (
            (of.between_pairs, of.pairs[:k, face]),
            (of.between_total, of.total[:k, face]),
        ):
            square[group, :k] += sign * column
            square[:k, group] = square[group, :k]
        of.size[group] += sign
        of.pairs[group] += sign * self._known[face]
        of.total[group] += sign * self._distance[face]
        of.own[group] += sign * self._own[face]
        if sign < 0:  # rounding must not leave less than nothing
            np.maximum(of.total[group], 0.0, out=of.total[group])
            np.maximum(of.between_total[group, :k], 0.0, out=of.between_total[group, :k])
            of.between_total[:k, group] = of.between_total[group, :k]
        row = self._between(of.between_pairs[group, :k], of.between_total[group, :k])
        of.between[group, :k] = of.between[:k, group] = row

    def _gain(self, of: _Partition, face: int, groups: Ints, new: bool) -> Floats:
        """Log-probability, up to a constant, of the face in each of the groups, and last in a
        ``new`` one."""
        k, r = of.many, self._r
        pairs, total = of.pairs[:k, face], of.total[:k, face]
        rows = (groups[:, None], np.arange(k))
        held_pairs, held_total = of.between_pairs[rows], of.between_total[rows]
        apart = self._between(held_pairs + pairs, held_total + total) - of.between[rows]
        place = (np.arange(len(groups)), groups)
        count, inside = held_pairs[place], held_total[place]
        gain = apart.sum(axis=1) - apart[place] + of.own[groups, face]
        gain += self._inside(count + pairs[groups], inside + total[groups])
        gain -= self._inside(count, inside)
        size = of.size[groups]
        gain += np.log(self._p) + np.log((size + 1) / size) + np.log(size - 1 + r)
        if not new:
            return np.asarray(gain)
        alone = np.log(k + 1) + r * np.log1p(-self._p) + self._between(pairs, total).sum()
        return np.append(gain, alone)

    def _drawn(self, gain: Floats) -> tuple[int, Floats]:
        log = gain - gain.max()
        log -= np.log(np.exp(log).sum())
        edges = np.cumsum(np.exp(log))
        drawn = int(np.searchsorted(edges, self._rng.random() * edges[-1], side="right"))
        return min(drawn, len(log) - 1), log

    # ----------------------------------------------------------------------------- splits, merges

    def _split_or_merge(self) -> None:
        """Jain and Neal (2004): two faces of one group try to part it, two of different groups to
        join these. How often two faces are drawn does not depend on the partition."""
        rank = int(np.searchsorted(self._odds, self._rng.random() * self._odds[-1], side="right"))
        one, other = self._near[min(rank, len(self._near) - 1)].tolist()
        if self._rng.random() < 0.5:
            one, other = other, one
        now = self.now
        a, b = int(now.labels[one]), int(now.labels[other])
        free = np.flatnonzero((now.labels == a) | (now.labels == b))
        free = free[(free != one) & (free != other)]
        launch = now.copy()
        if a == b:
            self._take(launch, one)
            a = launch.many
            self._put(launch, one, a)
        for face in free.tolist():
            self._move(launch, face, (a, b)[int(self._rng.integers(2))])
        for _ in range(SCANS):
            self._scan(launch, free, a, b)
        if now.labels[one] == now.labels[other]:
            chance = self._scan(launch, free, a, b)
            after, log_odds = launch, -chance
        else:
            log_odds = self._scan(launch, free, a, b, now.labels)
            after = now.copy()
            for face in np.flatnonzero(now.labels == a).tolist():
                self._take(after, face)
                self._put(after, face, int(after.labels[other]))
        log_odds += self.log_posterior(after) - self.log_posterior(now)
        if np.log(self._rng.random()) < log_odds:
            self.now = after

    def _move(self, of: _Partition, face: int, group: int) -> None:
        if of.labels[face] != group:
            self._take(of, face)
            self._put(of, face, group)

    def _scan(
        self, of: _Partition, free: Ints, a: int, b: int, wanted: Ints | None = None
    ) -> float:
        """Draw each free face between two groups, or put it where it is ``wanted``; the log
        probability of what came of it."""
        chance, groups = 0.0, np.array([a, b])
        for face in free.tolist():
            self._take(of, face)
            drawn, log = self._drawn(self._gain(of, face, groups, new=False))
            if wanted is not None:
                drawn = int(wanted[face] == b)
            self._put(of, face, int(groups[drawn]))
            chance += float(log[drawn])
        return chance


def least_expected_variation(sampled: Ints) -> Ints:
    """That of the sampled partitions (samples, n) from which the variation of information to all
    of them is least on average (Wade and Ghahramani 2018); labels from 0."""
    partitions, times = np.unique(
        np.array([np.unique(each, return_inverse=True)[1] for each in map(_in_order, sampled)]),
        axis=0,
        return_counts=True,
    )
    n = partitions.shape[1]
    entropy = np.array([_entropy(each) for each in partitions])
    loss = np.zeros(len(partitions))
    for i, one in enumerate(partitions):
        for j in range(i):
            both = 2 * _entropy(one * n + partitions[j]) - entropy[i] - entropy[j]
            loss[i] += both * times[j]
            loss[j] += both * times[i]
    return np.asarray(partitions[int(np.argmin(loss))])


def _in_order(labels: Ints) -> Ints:
    """Each group named by its first face: equal partitions become equal arrays."""
    _, first, group = np.unique(labels, return_index=True, return_inverse=True)
    return first[group]


def _entropy(labels: Ints) -> float:
    share = np.unique(labels, return_counts=True)[1] / len(labels)
    return float(-(share * np.log(share)).sum())
