"""How the scores of a side's pairs lie beside the dies that were made of them: for the eye."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dieindex.calibration.judge_pairs import JudgedPairs
from dieindex.calibration.two_kinds import TwoKinds
from dieindex.records import Flags, Floats, Ints


@dataclass(frozen=True, eq=False)
class Spread:
    """The scores of a side's pairs, nats, with the two kinds that they were taken for.

    Arrays ``(m,)`` are of pairs that were compared in detail: their ``score``, whether the dies as
    found hold them ``together``, and how many pairs each ``stands_for``. That is 1, but where not
    all pairs were compared: there those of different dies that were sampled at random stand for all
    that were not compared, and those of one die alike for all of one die. ``sampled`` is the number
    of the former then, None where all pairs are compared.

    ``compared`` counts the pairs compared in detail, ``by_vectors`` those that only their vectors
    judged (pairs passed over are judged by the dies). ``readable`` is False where the kinds were
    not read from these scores: no pair was compared in detail, or labels taught what scores mean.
    """

    coins: int
    dies: int
    kinds: TwoKinds
    score: Floats
    together: Flags
    stands_for: Floats
    compared: int
    by_vectors: int
    readable: bool
    sampled: int | None = None

    @property
    def joined_from(self) -> float:
        """The score from which two single coins are likelier of one die than not."""
        return float(self.kinds.score_of(-self.kinds.prior_odds))

    @property
    def of_one_die(self) -> int:
        """Pairs of two coins in one die as found, compared or not."""
        return round(float(self.stands_for[self.together].sum()))

    @property
    def of_different_dies(self) -> int:
        """Pairs of two coins in different dies, compared or not."""
        return round(float(self.stands_for[~self.together].sum()))


def spread_of(pairs: JudgedPairs, labels: Ints, kinds: TwoKinds) -> Spread:
    """How the pairs lie where the dies are ``labels`` ``(n,)`` and the kinds are ``kinds``."""
    told = pairs.judged & pairs.verified
    together = labels[pairs.table.first[told]] == labels[pairs.table.second[told]]
    score, sampled = pairs.score[told], pairs.sampled[told]
    stands_for, drawn = np.ones(len(score)), None
    passed = np.zeros(len(told), bool) if pairs.passed is None else pairs.passed
    if pairs.nearest is not None:
        drawn, joined = int((sampled & ~together).sum()), int(together.sum())
        in_dies = max(_pairs_in_dies(pairs, labels), joined)
        # (Those that were compared for a reason stand for themselves, as when kinds were read.)
        left = pairs.in_all - in_dies - int((~sampled & ~together).sum())
        stands_for = np.where(sampled & ~together, max(left / max(drawn, 1), 1.0), 1.0)
        stands_for[together] = in_dies / max(joined, 1)
    return Spread(
        coins=pairs.n,
        dies=int(labels.max(initial=-1)) + 1,
        kinds=kinds,
        score=score,
        together=together,
        stands_for=stands_for,
        compared=len(score),
        by_vectors=int((pairs.judged & ~pairs.verified & ~passed).sum()),
        readable=pairs.readable,
        sampled=drawn,
    )


def _pairs_in_dies(pairs: JudgedPairs, labels: Ints) -> int:
    """Pairs of coins on one frame that are in one die."""
    frame = np.zeros(pairs.n, np.int64) if pairs.frame is None else pairs.frame
    there = frame >= 0
    of_both = np.stack([labels[there], frame[there]], 1)
    coins = np.unique(of_both, axis=0, return_counts=True)[1]
    return int((coins * (coins - 1) // 2).sum())
