"""One log-likelihood ratio from what is known of a pair, and from the company it keeps.

Of a pair that was looked at, two things speak: the distance of the vectors and the comparator's
logit. A logistic regression weighs them (fitted on types of the mint that nothing else was trained
on, see ``training.calibrate``); less the log-odds of the pairs it was fitted on, its sum is a
log-likelihood ratio. Where a whole collection is compared, the other coins speak too: faces that
share a die have the same likenesses (``company``). That is no evidence of the pair itself, so it is
weighed apart: ``compare`` and clustering go by the pair alone.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dieindex.errors import EncoderError
from dieindex.records import Verdict
from dieindex.verification.verdicts import ORDER_SLOPE, probability, verdict_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FUSION_FORMAT = 1
VERIFIED, VERIFIED_PAIR = "verified", "verified_pair"
"""The two fusions of a weights file: in an index, and of two files alone."""
LIMIT = 12.0
"""Nats that no ratio exceeds; approached smoothly, so that what was ordered stays ordered."""
LEAST_ODDS = 0.01
"""Probability below which two faces are no company of each other."""
_DOUBT = 0.5
"""Partners' worth of nothing that a face has beside its own: likenesses of a face that has hardly
any partner say little."""


@dataclass(frozen=True)
class Fusion:
    """Weights of the evidence, nats a unit: of the comparator's ``logit``, of the ``distance``
    (0…2; negative), and ``bias``; of the ratio of the pair alone and of its ``company`` (0…1) where
    both are weighed, with ``company_bias``.

    ``least_shared`` is the part of the frame that both faces must show; ``same_pairs`` and
    ``different_pairs`` state how many pairs it was fitted on.
    """

    logit: float
    distance: float
    bias: float
    least_shared: float
    pair: float = 1.0
    company: float = 0.0
    company_bias: float = 0.0
    same_pairs: int = 0
    different_pairs: int = 0

    def __post_init__(self) -> None:
        if not all(np.isfinite(value) for value in asdict(self).values()):
            raise ValueError("a fusion holds a number that is not finite")
        if self.logit < 0 or self.distance > 0 or self.pair <= 0 or self.company < 0:
            raise ValueError("a fusion's weights have a sign that evidence cannot have")

    def log_likelihood_ratio(self, distance: Floats, logit: Floats) -> Floats:
        """Natural logarithm of p(evidence | same die) / p(evidence | different dies) of the pairs
        themselves, any shape."""
        return _limited(self.logit * logit + self.distance * distance + self.bias)

    def in_company(self, log_likelihood_ratio: Floats, company: Floats) -> Floats:
        """The ratios ``(m,)`` with the word of the other coins (``company``) weighed in."""
        total = self.pair * log_likelihood_ratio + self.company * company + self.company_bias
        return _limited(total)

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
            f"too little to compare: both faces show the die on {shared:.0%} of the frame, "
            f"{fusion.least_shared:.0%} are needed"
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


def company(n: int, first: Ints, second: Ints, probability: Floats) -> Floats:
    """How alike two faces' likenesses are, 0…1, of the pairs ``(m,)`` of ``n`` faces.

    ``probability`` ``(m,)`` is that of "same die" of each pair (``first``, ``second``), pairs not
    listed count as 0. With p_ik that of face i and k, the company of i and j is the sum over k of
    p_ik · p_jk over the geometric mean of both faces' sums of p, with half a partner of doubt: the
    cosine of what they are alike to, once partners are sure.
    """
    from scipy.sparse import coo_array

    counts = probability >= LEAST_ODDS
    a, b, p = first[counts], second[counts], probability[counts]
    likeness = coo_array(
        (np.concatenate([p, p]), (np.concatenate([a, b]), np.concatenate([b, a]))), shape=(n, n)
    ).tocsr()
    partners = np.asarray(likeness.sum(1)).ravel() + _DOUBT
    if n <= _DENSE_UP_TO:
        full = likeness.toarray()
        common = (full @ full)[first, second]
    else:
        common = np.asarray((likeness @ likeness).tocsr()[first, second]).ravel()
    return np.asarray(common / np.sqrt(partners[first] * partners[second]))


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
    same: npt.NDArray[np.bool_]


def fit_fusion(collections: list[FusedPairs], *, with_company: bool = True) -> Fusion:
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
        float(np.median(shared)) / 2,
        same_pairs=int(same.sum()),
        different_pairs=int((~same).sum()),
    )
    if not with_company:
        return found
    rows = []
    for each in collections:
        ratio = found.log_likelihood_ratio(each.distance, each.logit)
        # At its true prior: how to estimate it is the question of another place.
        p = probability(ratio, float(np.clip(each.same.mean(), 1e-4, 0.5)))
        rows.append(np.stack([ratio, company(each.n, each.first, each.second, p)], 1))
    pair, beside, bias = logistic_fit(np.concatenate(rows), same, weight).tolist()
    if pair <= 0 or beside <= 0:
        return found
    return replace(found, pair=pair, company=beside, company_bias=bias)


def _weights(pairs: FusedPairs) -> Floats:
    """Every collection weighs alike, whatever its size."""
    return np.full(len(pairs.same), 1.0 / max(len(pairs.same), 1))


def logistic_fit(
    evidence: Floats, same: npt.NDArray[np.bool_], weight: Floats, *, ridge: float = 1e-3
) -> Floats:
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
