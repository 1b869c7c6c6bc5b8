"""The rules under comparison find what is there, and the proof of unchanged results can fail."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.test_encoder_benchmark import benchmark

rules, unchanged = benchmark("decision_rules"), benchmark("unchanged")


def sampled(die: np.ndarray, centre: float, place: float) -> Any:
    """Ratios of all pairs of faces with these dies: normal about ``centre`` or ``place``."""
    rng = np.random.default_rng(3)
    n = len(die)
    same = die[:, None] == die[None]
    ratio = np.where(same, rng.normal(place, 2.5, (n, n)), rng.normal(centre, 2.0, (n, n)))
    ratio = np.triu(ratio, 1)
    return rules.Scores(ratio + ratio.T, ~np.eye(n, dtype=bool))


@pytest.mark.parametrize("centre", [-5.0, -1.0])
@pytest.mark.parametrize("dies", [8, 55])
def test_two_kinds_of_pairs_are_found_wherever_they_lie(centre: float, dies: int) -> None:
    die = np.arange(60) % dies
    scores = sampled(die, centre, 11.0)
    kinds = rules.fit_two_kinds(scores.listed, len(scores.listed))
    same = die[:, None] == die[None]
    true = same[np.triu_indices(len(die), 1)].mean()
    assert kinds.centre == pytest.approx(centre, abs=1.0)
    assert kinds.share == pytest.approx(true, rel=0.5)
    found = rules.two_kinds(scores)
    assert len(set(found.tolist())) == pytest.approx(dies, abs=2)


def test_a_digit_that_changed_is_named_with_its_place() -> None:
    before = {"cluster": {"obverse": {"dies": 27, "certainty": [0.5]}}, "seconds": 1}
    after = {"cluster": {"obverse": {"dies": 27, "certainty": [0.5000000001]}}}
    assert unchanged.differences(before["cluster"], before["cluster"]) == []
    (line,) = unchanged.differences(before, after | {"seconds": 1})
    assert line.startswith("cluster / obverse / certainty: [0.5] -> [0.5000000001]")
    assert unchanged.steady(before) == {"cluster": before["cluster"]}


def test_what_is_missing_or_new_is_a_difference() -> None:
    assert unchanged.differences({"a": 1}, {}) == ["a: 1 -> null"]
    assert unchanged.differences({}, {"a": 1}) == ["a: null -> 1"]
