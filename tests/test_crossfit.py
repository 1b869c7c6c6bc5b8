"""Calibrations fitted on a collection's labels: no pair may help to judge itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.calibration.crossfit import (
    FOLDS,
    UNKNOWN,
    cross_fitted,
    cross_fitted_pairs,
    deal_dies,
)
from dieindex.calibration.distance import fit_calibration
from dieindex.errors import RefitError
from dieindex.records import PairTable


def labelled(
    seed: int, dies: int = 20, coins_a_die: int = 4, unknown: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str | None]]:
    """All pairs of a collection: distances about 0.6 within a die, about 1.0 across."""
    rng = np.random.default_rng(seed)
    names: list[str | None] = [f"O{k // coins_a_die}" for k in range(dies * coins_a_die)]
    first, second = np.triu_indices(len(names), 1)
    same = np.array([names[a] == names[b] for a, b in zip(first, second, strict=True)])
    distance = np.clip(rng.normal(np.where(same, 0.6, 1.0), 0.15), 0, 2)
    for at in rng.permutation(len(names))[:unknown]:
        names[at] = None
    return distance, first, second, names


def test_a_ratio_does_not_hear_of_its_own_dies() -> None:
    distance, first, second, names = labelled(1)
    before = cross_fitted(distance, first, second, names)
    die = np.array([str(name) for name in names])
    other = distance.copy()
    # Everything that is known of die O3 is turned round, but for one of its pairs.
    of_it = (die[first] == "O3") | (die[second] == "O3")
    kept = np.flatnonzero(of_it & (die[first] == die[second]))[0]
    other[of_it] = 1.6 - distance[of_it]
    other[kept] = distance[kept]
    after = cross_fitted(other, first, second, names)
    assert after.log_likelihood_ratio[kept] == before.log_likelihood_ratio[kept]
    # The fit on everything does hear of it, and so do pairs of dies in other folds.
    x = np.array([0.8])
    assert after.calibration.log_likelihood_ratio(x) != before.calibration.log_likelihood_ratio(x)
    assert (after.log_likelihood_ratio[~of_it] != before.log_likelihood_ratio[~of_it]).mean() > 0.3


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 15))
def test_the_order_of_pairs_and_their_direction_do_not_matter(seed: int, unknown: int) -> None:
    distance, first, second, names = labelled(seed, unknown=unknown)
    found = cross_fitted(distance, first, second, names).log_likelihood_ratio
    order = np.random.default_rng(seed).permutation(len(distance))
    turned = cross_fitted(distance[order], second[order], first[order], names)
    np.testing.assert_allclose(turned.log_likelihood_ratio, found[order], rtol=0, atol=1e-12)


def test_each_pair_is_judged_by_the_fit_on_the_other_folds() -> None:
    distance, first, second, names = labelled(3, dies=15)
    found = cross_fitted(distance, first, second, names)
    die = np.array(names, dtype=object)
    a, b = found.fold[first], found.fold[second]
    pair = int(np.flatnonzero((a == 0) & (b == 2))[0])
    rest = ~np.isin(a, (0, 2)) & ~np.isin(b, (0, 2))
    same = die[first] == die[second]
    by_hand = fit_calibration(distance[rest & same], distance[rest & ~same])
    expected = by_hand.log_likelihood_ratio(float(distance[pair]))
    assert found.log_likelihood_ratio[pair] == pytest.approx(expected)


def test_ratios_are_those_of_the_distribution() -> None:
    distance, first, second, names = labelled(4, dies=60, coins_a_die=5)
    found = cross_fitted(distance, first, second, names).log_likelihood_ratio
    true = ((distance - 1.0) ** 2 - (distance - 0.6) ** 2) / (2 * 0.15**2)
    within = np.abs(true) < 3
    assert np.abs(found - true)[within].mean() < 0.3
    # A calibration from elsewhere, where all distances are larger, is corrected.
    elsewhere = fit_calibration(
        *(np.random.default_rng(0).normal(m, 0.15, 500) for m in (1.0, 1.4))
    )
    wrong = elsewhere.log_likelihood_ratio(distance)
    assert np.abs(wrong - true)[within].mean() > 3


def test_pairs_of_unknown_coins_are_judged_by_all_labels() -> None:
    distance, first, second, names = labelled(5, unknown=12)
    found = cross_fitted(distance, first, second, names)
    unknown = np.array([name is None for name in names])
    assert (found.fold[unknown] == UNKNOWN).all()
    assert (found.fold[~unknown] >= 0).all()
    both = unknown[first] & unknown[second]
    np.testing.assert_array_equal(
        found.log_likelihood_ratio[both], found.calibration.log_likelihood_ratio(distance[both])
    )
    known = ~unknown[first] & ~unknown[second]
    assert found.same_pairs + found.different_pairs == known.sum()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-1, 12), min_size=1, max_size=60), st.integers(0, 100))
def test_folds_hold_whole_dies_and_are_even(names: list[int], seed: int) -> None:
    _, die = np.unique(names, return_inverse=True)
    die = np.where(np.array(names) < 0, UNKNOWN, die - (min(names) < 0)).astype(np.int64)
    size = np.bincount(die[die >= 0], minlength=int(die.max(initial=-1)) + 1)
    pairs = size * (size - 1) // 2
    fold = deal_dies(die, pairs, FOLDS, seed)
    for each in range(len(size)):
        assert len(set(fold[die == each].tolist())) == 1
    load = [pairs[np.unique(die[fold == f])].sum() for f in range(FOLDS)]
    # Dealt in falling order: no fold is heavier than the lightest by more than its last die.
    assert max(load) - min(load) <= max(pairs.max(initial=0), 0)


def test_too_few_labels_are_an_error_that_counts_them() -> None:
    distance, first, second, names = labelled(6, dies=4, coins_a_die=3)
    with pytest.raises(RefitError, match=r"pairs of one die .* 20 of each are needed"):
        cross_fitted(distance, first, second, names)
    with pytest.raises(RefitError, match="0 compared pairs"):
        cross_fitted(distance, first, second, [None] * len(names))


def test_another_score_is_fitted_by_its_own_fit() -> None:
    class Logistic:
        def __init__(self, alike: np.ndarray, apart: np.ndarray) -> None:
            self.middle = (alike.mean() + apart.mean()) / 2

        def log_likelihood_ratio(self, score: np.ndarray, /) -> np.ndarray:
            return np.asarray(score - self.middle)

    distance, first, second, names = labelled(7)
    score = 10 - 30 * distance
    found = cross_fitted(score, first, second, names, fit=Logistic)
    same = np.array([names[a] == names[b] for a, b in zip(first, second, strict=True)])
    assert ((found.log_likelihood_ratio > 0) == same).mean() > 0.85


def test_a_pair_table_keeps_its_pairs() -> None:
    distance, first, second, names = labelled(8)
    table = PairTable(first, second, distance, np.zeros(len(distance)))
    found = cross_fitted_pairs(table, names)
    assert found.first is first
    assert found.distance is distance
    assert found.log_likelihood_ratio.std() > 1
    touched = (first == 5) | (second == 5)
    part = cross_fitted_pairs(table, names, ~touched).log_likelihood_ratio
    assert (part[touched] == 0).all()
    assert (part[~touched] != 0).mean() > 0.9


def test_verified_ratios_are_fitted_anew_in_their_own_order() -> None:
    distance, first, second, names = labelled(8)
    ratio = 3.0 - 5.0 * distance  # badly scaled, but rightly ordered; distances say nothing
    table = PairTable(first, second, np.ones(len(distance)), ratio)
    found = cross_fitted_pairs(table, names, verified=True).log_likelihood_ratio
    alike = np.array([names[a] == names[b] for a, b in zip(first, second, strict=True)])
    assert ((found > 0) == alike).mean() > 0.8
    assert found[alike].mean() > 1 > -1 > found[~alike].mean()
