"""Small functions of numbers that several stages need, each written once."""

from __future__ import annotations

from typing import overload

import numpy as np
import numpy.typing as npt

from dieindex.records import Floats, Ints


@overload
def sigmoid(log_odds: float) -> float: ...
@overload
def sigmoid(log_odds: Floats) -> Floats: ...
def sigmoid(log_odds: float | Floats) -> float | Floats:
    """``1 / (1 + exp(-x))``, 0…1, of a number or of any shape; infinities are allowed.

    Of non-positive numbers alone is the exponential taken, so nothing overflows.
    """
    x = np.asarray(log_odds, dtype=np.float64)
    small = np.exp(-np.abs(x))
    p = np.where(x >= 0, 1.0 / (1.0 + small), small / (1.0 + small))
    return float(p) if p.ndim == 0 else p


@overload
def log_odds(probability: float) -> float: ...
@overload
def log_odds(probability: Floats) -> Floats: ...
def log_odds(probability: float | Floats) -> float | Floats:
    """``ln(p / (1 - p))``, the inverse of ``sigmoid``.

    Raises ValueError unless every ``p`` lies strictly between 0 and 1.
    """
    p = np.asarray(probability, dtype=np.float64)
    if not ((p > 0.0) & (p < 1.0)).all():
        raise ValueError(f"a probability lies strictly between 0 and 1, not {probability!r}")
    odds = np.log(p) - np.log1p(-p)
    return float(odds) if odds.ndim == 0 else odds


def unit_distance(cosine: npt.ArrayLike) -> Floats:
    """Euclidean distance 0…2 between unit vectors from their inner product, elementwise."""
    return np.sqrt(np.clip(2.0 - 2.0 * np.asarray(cosine, dtype=np.float64), 0.0, 4.0))


def components(n: int, first: Ints, second: Ints) -> Ints:
    """Which of ``n`` nodes the edges ``first``, ``second`` ``(m,)`` connect: labels ``(n,)`` from
    0, in the order of each component's first node.

    Every node takes the least label of its neighbours, then that label's own, until none changes.
    (SciPy does the same; to import its graphs takes as long as all the rest of an answer.)
    """
    label = np.arange(n)
    while True:
        least = np.minimum(label[first], label[second])
        np.minimum.at(label, label[first], least)
        np.minimum.at(label, label[second], least)
        while not np.array_equal(label, follow := label[label]):
            label = follow
        if (label[first] == label[second]).all():
            break
    return np.unique(label, return_inverse=True)[1].astype(np.int64)
