"""How common same-die pairs are in a collection, and the probability of a pair that follows.

A comparison yields a log-likelihood ratio ``llr`` (natural logarithm), which knows nothing of how
rare same-die pairs are. The prior supplies that: ``logit(p) = llr + logit(prior)`` (Bayes). It is
learned from the collection's own ratios.
"""

from __future__ import annotations

from typing import overload

import numpy as np

from dieindex.numeric import log_odds, sigmoid
from dieindex.records import Floats

EXPECTED_PRIOR = 0.05
"""Share of same-die pairs expected before anything is seen (91 coins of 25 dies: about 0.06)."""
EXPECTED_PAIRS = 20.0
"""How many pairs that expectation is worth at least: it decides for 3 coins."""
AMBIGUOUS_SHARE = 0.25
"""Against how many of the collection's undecided pairs it stands. Likelihood ratios carry over from
one collection to another only roughly; where all are weak and lean to one side, their own word
would call half of the collection one die. A pair of posterior p is undecided by 4p(1 − p)."""
PRIOR_CEILING = 0.5
"""The prior alone never speaks for sameness; only likelihood ratios do."""
LEAST_PARTNERS = 0.08
"""Coins that share a die with a coin, in the mean, at the least: whoever studies dies expects some
links. Ratios are bounded, so that in a collection of very many coins no pair could outweigh a prior
that knows no bound, and each round of the estimate would make it smaller."""
MAX_ROUNDS = 1000


@overload
def probability(log_likelihood_ratio: float, prior: float) -> float: ...
@overload
def probability(log_likelihood_ratio: Floats, prior: float) -> Floats: ...
def probability(log_likelihood_ratio: float | Floats, prior: float) -> float | Floats:
    """Probability of "same die" in 0…1 from a log-likelihood ratio (scalar or any shape).

    Safe at both ends: the ratio may be infinite, and nothing overflows. Raises ValueError for a
    ratio that is not a number or a prior outside the open interval (0, 1).
    """
    weight = np.asarray(log_likelihood_ratio, dtype=np.float64) + log_odds(prior)
    if np.isnan(weight).any():
        raise ValueError("a log-likelihood ratio is not a number")
    return sigmoid(float(weight) if weight.ndim == 0 else weight)


def estimate_prior(
    log_likelihood_ratio: Floats, n_pairs_total: int, *, tolerance: float = 1e-6
) -> float:
    """Share of same-die pairs among all ``n_pairs_total`` pairs, in (0, 0.5].

    Expectation maximisation with the two densities fixed (their ratio is given): the prior becomes
    the mean posterior until it stays (Saerens, Latinne and Decaestecker 2002, "Adjusting the
    outputs of a classifier to new a priori probabilities"). Pairs that were never listed count as
    posterior 0. A Beta prior of mean 0.05, worth a quarter of the undecided pairs and 20 pairs at
    least, keeps tiny collections and weak ratios from an extreme; decided pairs outvote it. The
    prior is never less than ``LEAST_PARTNERS`` would give.

    Raises ValueError if more pairs are listed than exist, or a ratio is not a number.
    """
    llr = np.asarray(log_likelihood_ratio, dtype=np.float64)
    if len(llr) > n_pairs_total:
        raise ValueError(f"{len(llr)} pairs are listed, but only {n_pairs_total} exist")
    if np.isnan(llr).any():
        raise ValueError("a log-likelihood ratio is not a number")
    ratio = np.exp(-np.clip(llr, -50.0, 50.0))
    faces = (1.0 + np.sqrt(1.0 + 8.0 * n_pairs_total)) / 2.0
    least = LEAST_PARTNERS / max(faces - 1.0, LEAST_PARTNERS / EXPECTED_PRIOR)
    prior: float = EXPECTED_PRIOR
    for _ in range(MAX_ROUNDS):
        posterior = 1.0 / (1.0 + ratio * ((1.0 - prior) / prior))
        undecided = 4.0 * float((posterior * (1.0 - posterior)).sum())
        expected = max(EXPECTED_PAIRS, AMBIGUOUS_SHARE * undecided)
        mean = (posterior.sum() + EXPECTED_PRIOR * expected) / (n_pairs_total + expected)
        updated = min(max(float(mean), float(least)), PRIOR_CEILING)
        if abs(updated - prior) <= tolerance * prior:
            return updated
        prior = updated
    return prior
