"""Fitting a fusion's weights on pairs whose dies are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dieindex.calibration.fusion import OF_USUAL, Fusion
from dieindex.numeric import sigmoid
from dieindex.records import Flags, Floats


@dataclass(frozen=True, eq=False)
class FusedPairs:
    """The pairs of one collection with what is known of them; arrays ``(m,)``."""

    distance: Floats
    logit: Floats
    shared: Floats
    same: Flags


def fit_fusion(collections: list[FusedPairs]) -> Fusion:
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
    return Fusion(
        max(logit, 0.0),
        min(distance, 0.0),
        bias,
        float(np.median(shared)) * OF_USUAL,
        same_pairs=int(same.sum()),
        different_pairs=int((~same).sum()),
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
