"""A new coin among dies that are known: how likely each struck it, or none of them.

As the coins of a collection belong to their dies (``membership``): what speaks is the mean score of
the coin to those of the die, and every story but one is wrong.
"""

from __future__ import annotations

import numpy as np

from dieindex.calibration.two_kinds import TwoKinds
from dieindex.clustering.membership import CERTAINTY_LIMIT
from dieindex.records import Floats, Ints


def odds_of_dies(score: Floats, die: Ints, size: Ints, kinds: TwoKinds) -> tuple[Ints, Floats]:
    """The dies ``(q,)`` with whose coins a new one was compared, and the log-odds ``(q,)`` that it
    is of each against that it is of none.

    ``score`` ``(m,)`` is what each pair says in the units of ``kinds``; ``die`` ``(m,)`` counts
    from 0, and ``size`` says how many coins each die has.
    """
    dies, place = np.unique(die, return_inverse=True)
    pairs = np.bincount(place, minlength=len(dies)).astype(np.float64)
    mean = np.bincount(place, score, len(dies)) / pairs
    found = kinds.joining(mean, 1.0, size[dies].astype(np.float64), pairs)
    return dies, np.clip(found, -CERTAINTY_LIMIT, CERTAINTY_LIMIT)


def shares(log_odds: Floats) -> tuple[Floats, float]:
    """The probabilities ``(q,)`` of the dies, and that of none of them; their sum is 1."""
    odds = np.exp(log_odds)
    whole = 1.0 + float(odds.sum())
    return np.asarray(odds / whole), 1.0 / whole
