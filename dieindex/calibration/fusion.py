"""One log-likelihood ratio from what is known of a pair, and from the context it keeps.

Of a pair that was looked at, two things speak: the distance of the vectors and the comparator's
logit. A logistic regression weighs them (fitted on types of the mint that nothing else was trained
on, see ``training.calibrate``); less the log-odds of the pairs it was fitted on, its sum is a
log-likelihood ratio. Where a whole collection is compared, the other coins speak too: faces that
share a die share their partners (``context``). That is no evidence of the pair itself, so it is
weighed apart: ``compare`` goes by the pair alone, clustering by half of each. Where no third coin
has anything to say, as of a die of two coins, the pair's own ratio stays as it is.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from dieindex.calibration.distance import ORDER_SLOPE, probability, verdict_of
from dieindex.errors import EncoderError
from dieindex.numeric import log_odds
from dieindex.records import Flags, Floats, Ints, Verdict

FUSION_FORMAT = 2
VERIFIED, VERIFIED_PAIR = "verified", "verified_pair"
"""The two fusions of a weights file: in an index, and of two files alone."""
LIMIT = 12.0
"""Nats that no ratio exceeds as learned (fitted to a collection it may, a little); approached
smoothly, so that what was ordered stays ordered."""
LEAST_ODDS = 0.01
"""Probability below which two faces are no context of each other."""
_OF_USUAL = 0.5
"""Part of what two faces usually show in common from which a pair is judged."""
_PARTNERS_TO_YIELD = 2.0
"""Partners of either face beside the other at which the pair's own ratio has given way by half of
what it can."""
_MOST_YIELDING = 0.9
"""What is left of the pair's own ratio keeps its sign and its order."""


@dataclass(frozen=True, eq=False)
class Context:
    """What the other coins say of pairs; arrays ``(m,)``, in partners, all 0 where none speaks.

    ``partners``: how many partners both faces have beside each other; ``shared``: how many they
    share; ``apart``: how many of either are clearly not of the other's die.
    """

    partners: Floats
    shared: Floats
    apart: Floats


@dataclass(frozen=True)
class Fusion:
    """Weights of the evidence, nats a unit: of the comparator's ``logit``, of the ``distance``
    (0…2; negative), and ``bias``; of context, nats a unit of ln(1 + partners),
    ``partners_shared`` for one die and ``partners_apart`` against it. ``yielding`` (0…0.9) is the
    part of the pair's own ratio that gives way where partners abound: of two dies that resemble
    each other many pairs err together.

    ``least_shared`` is the part of the frame that both faces must show; ``same_pairs`` and
    ``different_pairs`` state how many pairs it was fitted on.
    """

    logit: float
    distance: float
    bias: float
    least_shared: float
    yielding: float = 0.0
    partners_shared: float = 0.0
    partners_apart: float = 0.0
    same_pairs: int = 0
    different_pairs: int = 0

    def __post_init__(self) -> None:
        if not all(np.isfinite(value) for value in asdict(self).values()):
            raise ValueError("a fusion holds a number that is not finite")
        if self.logit < 0 or self.distance > 0 or min(self._of_context) < 0:
            raise ValueError("a fusion's weights have a sign that evidence cannot have")
        if self.yielding > _MOST_YIELDING:
            raise ValueError("a fusion gives too little to the pair itself")

    def log_likelihood_ratio(self, distance: Floats, logit: Floats) -> Floats:
        """Natural logarithm of p(evidence | same die) / p(evidence | different dies) of the pairs
        themselves, any shape."""
        return _limited(self.logit * logit + self.distance * distance + self.bias)

    def in_context(self, log_likelihood_ratio: Floats, context: Context) -> Floats:
        """The ratios ``(m,)`` with the word of the other coins weighed in."""
        return _limited(
            log_likelihood_ratio
            + np.column_stack(_context_evidence(log_likelihood_ratio, context)) @ self._of_context
        )

    @property
    def _of_context(self) -> tuple[float, float, float]:
        """In the order of ``_context_evidence``."""
        return self.yielding, self.partners_shared, self.partners_apart

    def to_json(self) -> str:
        """One JSON object; ``from_json`` gives back an equal record."""
        return json.dumps({"format": FUSION_FORMAT, **asdict(self)})

    @classmethod
    def from_json(cls, text: str) -> Fusion:
        """Read ``to_json``'s text; raises EncoderError where it is damaged or of another format."""
        remedy = "install dieindex again, or fit it with `python -m dieindex.training.calibrate`"
        try:
            record: Any = json.loads(text)
            if record["format"] != FUSION_FORMAT:
                raise EncoderError(f"the fusion has format {record['format']!r}: {remedy}")
            counts = ("same_pairs", "different_pairs")
            given = {name: float(record[name]) for name in asdict(cls(0, 0, 0, 0))}
            return cls(**{n: int(v) if n in counts else v for n, v in given.items()})  # type: ignore[arg-type]
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise EncoderError(f"the fusion is damaged ({error}): {remedy}") from error


def verified_verdict(
    fusion: Fusion, logit: float, shared: float, distance: float, threshold: float, prior: float
) -> Verdict:
    """Verdict on a pair whose details were looked at (basis "verified").

    Where the answer is "cannot tell", ``reason`` says why: the faces show too little in common, or
    what they show speaks neither for nor against.
    """
    if shared < fusion.least_shared:
        reason = (
            "too little to compare: what both faces show of the die is "
            f"{_OF_USUAL * shared / fusion.least_shared:.0%} of what two faces usually show, "
            f"{_OF_USUAL:.0%} are needed"
        )
        return Verdict("cannot tell", prior, prior, distance, threshold, "verified", reason)
    ratio = float(fusion.log_likelihood_ratio(np.float64(distance), np.float64(logit)))  # type: ignore[arg-type]
    p = probability(ratio, prior)
    verdict = verdict_of(p)
    undecided = None
    if verdict == "cannot tell":
        details = "for one die" if logit > 0 else "against one die"
        undecided = (
            f"the details speak {details}, but not clearly (log-odds {logit:+.1f}), and the "
            f"distance {distance:.3f} does not decide it (threshold {threshold:.3f})"
        )
    return Verdict(verdict, p, prior, distance, threshold, "verified", undecided)


def _limited(ratio: Floats) -> Floats:
    # The slope keeps the order where the limit's own is lost to rounding.
    return np.asarray(LIMIT * np.tanh(ratio / LIMIT) + ORDER_SLOPE * ratio)


def context(
    n: int,
    first: Ints,
    second: Ints,
    log_likelihood_ratio: Floats,
    prior: float,
    judged: Flags | None = None,
) -> Context:
    """What the other coins say of the pairs ``(m,)`` of ``n`` faces, by the ratios of all pairs.

    With p_ik the probability that faces i and k share a die, k is a partner of i to that part. It
    is shared with j to the part p_ik · p_jk, and apart from j to the part p_ik · (1 − e_jk), where
    e_jk is the probability at even prior: what is merely unlikely because dies are many does not
    contradict. Sums run over all k but i and j. A pair that was not ``judged`` (all were by
    default) says nothing; one that is not listed is far apart.
    """
    from scipy.sparse import coo_array

    def square(values: Floats) -> Any:
        """(n, n), symmetric, of the pairs that count."""
        counts = values >= LEAST_ODDS
        a, b, value = first[counts], second[counts], values[counts]
        ends = (np.concatenate([a, b]), np.concatenate([b, a]))
        table = coo_array((np.concatenate([value, value]), ends), shape=(n, n)).tocsr()
        return table.toarray() if n <= _DENSE_UP_TO else table

    told = np.ones(len(first), bool) if judged is None else judged
    p = np.where(told, probability(log_likelihood_ratio, prior), 0.0)
    likely, possible = square(p), square(np.where(told, probability(log_likelihood_ratio, 0.5), 1))
    beside = np.asarray(likely.sum(1)).ravel()
    # (Of the pair itself its own p is taken off; what is left of a rounding is no partner.)
    own = np.where(p >= LEAST_ODDS, p, 0.0)
    partners = np.maximum(beside[first] + beside[second] - 2 * own, 0.0)
    excused = likely @ possible
    apart = partners - _at(excused, first, second) - _at(excused, second, first)
    return Context(partners, _at(likely @ likely, first, second), np.maximum(apart, 0.0))


def _at(square: Any, row: Ints, column: Ints) -> Floats:
    return np.asarray(square[row, column], np.float64).ravel()


def _context_evidence(ratio: Floats, context: Context) -> tuple[Floats, Floats, Floats]:
    """What a fusion's three weights of context weigh; 0 where no third coin speaks.

    Of a second and third partner little is new, since they are of one die with the first: logs.
    """
    heard = context.partners / (context.partners + _PARTNERS_TO_YIELD)
    return -ratio * heard, np.log1p(context.shared), -np.log1p(context.apart)


_DENSE_UP_TO = 2000


# ------------------------------------------------------------------------------------------ fitting


@dataclass(frozen=True, eq=False)
class FusedPairs:
    """The pairs of one collection with what is known of them: ``n`` faces, arrays ``(m,)``."""

    n: int
    first: Ints
    second: Ints
    distance: Floats
    logit: Floats
    shared: Floats
    same: Flags


def fit_fusion(collections: list[FusedPairs], *, with_context: bool = True) -> Fusion:
    """Weights from pairs whose dies are known, each collection counting alike.

    Raises ValueError without pairs of both kinds.
    """
    same = np.concatenate([each.same for each in collections])
    weight = np.concatenate([_weights(each) for each in collections])
    if not same.any() or same.all():
        raise ValueError("a fusion needs pairs of the same die and pairs of different dies")
    evidence = np.concatenate([np.stack([each.logit, each.distance], 1) for each in collections])
    logit, distance, bias = logistic_fit(evidence, same, weight).tolist()
    shared = np.concatenate([each.shared for each in collections])
    found = Fusion(
        max(logit, 0.0),
        min(distance, 0.0),
        bias,
        float(np.median(shared)) * _OF_USUAL,
        same_pairs=int(same.sum()),
        different_pairs=int((~same).sum()),
    )
    if not with_context:
        return found
    ratios, evidence_of_others, odds = [], [], []
    for each in collections:
        ratio = found.log_likelihood_ratio(each.distance, each.logit)
        # At its true prior: how to estimate it is the question of another place.
        prior = float(np.clip(each.same.mean(), 1e-4, 0.5))
        beside = context(each.n, each.first, each.second, ratio, prior)
        ratios.append(ratio)
        evidence_of_others.append(np.column_stack(_context_evidence(ratio, beside)))
        odds.append(np.full(len(ratio), log_odds(prior)))
    weights = _added_fit(
        np.concatenate(evidence_of_others),
        np.concatenate(ratios) + np.concatenate(odds),
        same,
        weight,
    )
    yielding, with_both, with_one = weights.tolist()
    return replace(
        found,
        yielding=min(yielding, _MOST_YIELDING),
        partners_shared=with_both,
        partners_apart=with_one,
    )


def _weights(pairs: FusedPairs) -> Floats:
    """Every collection weighs alike, whatever its size."""
    return np.full(len(pairs.same), 1.0 / max(len(pairs.same), 1))


def logistic_fit(evidence: Floats, same: Flags, weight: Floats, *, ridge: float = 1e-3) -> Floats:
    """Weights ``(k,)`` and bias of a log-likelihood ratio linear in ``evidence`` ``(m, k)``.

    Logistic regression by Newton's steps (McCullagh and Nelder 1989, *Generalized Linear Models*),
    with a little ridge on standardised evidence, so that separable pairs stay finite; less the
    log-odds of "same" among the weighed pairs.
    """
    mean, spread = evidence.mean(0), evidence.std(0) + 1e-9
    x = np.column_stack([(evidence - mean) / spread, np.ones(len(evidence))])
    w = weight / weight.sum()
    target = same.astype(np.float64)
    beta = np.zeros(x.shape[1])
    penalty = ridge * np.append(np.ones(x.shape[1] - 1), 0.0) * float(w @ target)
    for _ in range(100):
        p = 1.0 / (1.0 + np.exp(-np.clip(x @ beta, -30, 30)))
        gradient = x.T @ (w * (target - p)) - penalty * beta
        curvature = (x * (w * p * (1 - p))[:, None]).T @ x + np.diag(penalty + 1e-12)
        step = np.linalg.solve(curvature, gradient)
        beta = beta + step * min(1.0, 3.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-8:
            break
    share = float(w @ target)
    slope = beta[:-1] / spread
    bias = beta[-1] - float(slope @ mean) - np.log(share / (1 - share))
    return np.append(slope, bias)


def _added_fit(
    evidence: Floats,
    known: Floats,
    same: Flags,
    weight: Floats,
    *,
    ridge: float = 1e-3,
) -> Floats:
    """Weights ``(k,)``, none negative, of ``evidence`` ``(m, k)`` added to the log-odds ``known``
    ``(m,)``: a logistic regression without bias, by Newton's steps. Evidence that would count the
    wrong way is left out."""
    scale = evidence.std(0) + 1e-9
    x, w, target = evidence / scale, weight / weight.sum(), same.astype(np.float64)
    found = np.zeros(x.shape[1])
    used = np.arange(x.shape[1])
    while len(used):
        beta, part = np.zeros(len(used)), x[:, used]
        penalty = ridge * float(w @ target)
        for _ in range(100):
            p = 1.0 / (1.0 + np.exp(-np.clip(part @ beta + known, -30, 30)))
            gradient = part.T @ (w * (target - p)) - penalty * beta
            curvature = (part * (w * p * (1 - p))[:, None]).T @ part
            step = np.linalg.solve(curvature + (penalty + 1e-12) * np.eye(len(used)), gradient)
            beta = beta + step * min(1.0, 3.0 / max(float(np.abs(step).max()), 1e-12))
            if np.abs(step).max() < 1e-8:
                break
        if (beta >= 0).all():
            found[used] = beta
            break
        used = np.delete(used, int(np.argmin(beta)))
    return found / scale
