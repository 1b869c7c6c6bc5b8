"""How far an alignment can be believed, from what it leaves behind.

The constants were fitted by logistic regression on rendered faces of validation types, whose true
places are known.
"""

from __future__ import annotations

import numpy as np

ALIGNED_FROM = 0.5
"""Support from which a face counts as aligned."""


def pair_evidence(first: float, second: float) -> float:
    """How sure the coarse search of one face on another is right, 0…1.

    ``first`` and ``second`` are the correlations of its best peaks.
    """
    return float(1 / (1 + np.exp(-(32.5 * first - 19.5 * second - 5.6))))


def support_of(score: float, ratio: float, faces: float) -> float:
    """How sure a face laid on a template lies right, 0…1.

    ``score`` is the correlation, ``ratio`` the best peak of the search over the second, ``faces``
    the template's size.
    """
    return float(1 / (1 + np.exp(-(15.0 * score + 4.0 * (min(ratio, 2.0) - 1) - 6.0))))
