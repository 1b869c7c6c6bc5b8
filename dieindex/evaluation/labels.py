"""What the measures share: labels as integers, and ratios that may be undefined."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np

from dieindex.records import Ints

NAN = float("nan")


def ratio_of(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else NAN


def codes(labels: Iterable[Hashable]) -> Ints:
    """Labels as integers from 0 in the order of first appearance; None (unknown) becomes −1."""
    number: dict[Hashable, int] = {}
    return np.array(
        [-1 if x is None else number.setdefault(x, len(number)) for x in labels], dtype=np.int64
    )
