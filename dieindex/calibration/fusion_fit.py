"""Fitting a fusion's weights on pairs whose dies are known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dieindex.calibration.context import context, context_evidence
from dieindex.calibration.fusion import MOST_DISCOUNT, OF_USUAL, Fusion
from dieindex.numeric import log_odds, sigmoid
from dieindex.records import Flags, Floats, Ints


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
        float(np.median(shared)) * OF_USUAL,
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
        evidence_of_others.append(np.column_stack(context_evidence(ratio, beside)))
        odds.append(np.full(len(ratio), log_odds(prior)))
    weights = _added_fit(
        np.concatenate(evidence_of_others),
        np.concatenate(ratios) + np.concatenate(odds),
        same,
        weight,
    )
    discount, with_both, with_one = weights.tolist()
    return replace(
        found,
        discount=min(discount, MOST_DISCOUNT),
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
        p = sigmoid(np.clip(x @ beta, -30, 30))
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
            p = sigmoid(np.clip(part @ beta + known, -30, 30))
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
    weights: Floats = found / scale
    return weights
