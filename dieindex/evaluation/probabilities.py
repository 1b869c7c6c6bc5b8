"""Measures of probabilities: how far what is claimed is what is observed. NaN without data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dieindex.evaluation.labels import NAN, ratio_of
from dieindex.records import Floats


@dataclass(frozen=True, eq=False)
class ReliabilityCurve:
    """Claimed against observed probability in bins of equal count, each array ``(bins,)``."""

    claimed: Floats
    observed: Floats
    pairs: Floats


def _checked(probability: npt.ArrayLike, same: npt.ArrayLike) -> tuple[Floats, Floats]:
    p = np.asarray(probability, dtype=np.float64)
    y = np.asarray(same, dtype=bool).astype(np.float64)
    if p.shape != y.shape or p.ndim != 1:
        raise ValueError("probability and same need one entry a pair")
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("a probability lies in 0…1")
    return p, y


def reliability_curve(
    probability: npt.ArrayLike, same: npt.ArrayLike, bins: int = 15
) -> ReliabilityCurve:
    """Reliability of probabilities ``(m,)`` in at most ``bins`` bins of equal count.

    Pairs of one probability that fall into two bins share their outcomes evenly between them, so
    the order of the input does not matter.
    """
    p, y = _checked(probability, same)
    order = np.argsort(p, kind="stable")
    p, y = p[order], y[order]
    _, where = np.unique(p, return_inverse=True)
    count = np.bincount(where, minlength=1)
    y = (np.bincount(where, weights=y, minlength=1) / np.maximum(count, 1))[where]
    parts = [i for i in np.array_split(np.arange(len(p)), max(bins, 1)) if len(i)]
    return ReliabilityCurve(
        np.array([p[i].mean() for i in parts]),
        np.array([y[i].mean() for i in parts]),
        np.array([float(len(i)) for i in parts]),
    )


def calibration_error(probability: npt.ArrayLike, same: npt.ArrayLike, bins: int = 15) -> float:
    """Expected calibration error, 0…1: mean gap between claimed and observed share over bins of
    equal count. NaN without pairs. It is biased upwards where bins are small."""
    curve = reliability_curve(probability, same, bins)
    gap = np.abs(curve.claimed - curve.observed)
    return ratio_of(float(np.sum(gap * curve.pairs)), float(curve.pairs.sum()))


def brier_score(probability: npt.ArrayLike, same: npt.ArrayLike) -> float:
    """Mean squared error of the probabilities, 0…1, 0 is best (Brier 1950). NaN without pairs."""
    p, y = _checked(probability, same)
    return float(np.mean((p - y) ** 2)) if len(p) else NAN


def log_loss(probability: npt.ArrayLike, same: npt.ArrayLike, clip: float = 1e-12) -> float:
    """Mean negative log-likelihood in nats, 0 is best; probabilities are kept ``clip`` away from 0
    and 1, so that one certain error costs 27.6 and not infinity. NaN without pairs."""
    p, y = _checked(probability, same)
    p = np.clip(p, clip, 1 - clip)
    return float(-np.mean(y * np.log(p) + (1 - y) * np.log1p(-p))) if len(p) else NAN
