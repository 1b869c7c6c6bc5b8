"""The rules under comparison find what is there, and the proof of unchanged results can fail."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dieindex.evaluation.partitions import adjusted_rand_index
from tests.test_encoder_benchmark import benchmark

rules, known = benchmark("decision_rules"), benchmark("known_kinds")
unchanged, domains = benchmark("unchanged"), benchmark("domains")


def sampled(die: np.ndarray, centre: float, place: float) -> Any:
    """Ratios of all pairs of faces with these dies: normal about ``centre`` or ``place``."""
    rng = np.random.default_rng(3)
    n = len(die)
    same = die[:, None] == die[None]
    ratio = np.where(same, rng.normal(place, 2.5, (n, n)), rng.normal(centre, 2.0, (n, n)))
    ratio = np.triu(ratio, 1)
    return rules.Scores(ratio + ratio.T, ~np.eye(n, dtype=bool))


@pytest.mark.parametrize("name", [*rules.RULES])
def test_every_rule_finds_dies_that_are_plain_to_see(name: str) -> None:
    die = np.arange(40) % 8
    found = rules.RULES[name](sampled(die, -5.0, 11.0))
    assert adjusted_rand_index(found.tolist(), die.tolist()) > 0.9


def test_kinds_of_known_pairs_are_what_they_were_drawn_from() -> None:
    die = np.arange(60) % 12
    scores = sampled(die, -3.0, 11.0)
    first, second = np.triu_indices(60, 1)
    found = known.known_kinds(scores.listed, first, second, die)
    assert found.centre == pytest.approx(-3.0, abs=0.6)
    assert found.place == pytest.approx(11.0, abs=0.5)
    assert found.width == pytest.approx(2.5, abs=0.4)
    assert abs(found.of_coin) < 0.2
    assert abs(found.of_dies) < 0.1
    both = known.measured([[found], [found, found]])
    assert both.place == pytest.approx(found.place)
    assert both.place_spread == pytest.approx(0.0)


def test_a_die_that_goes_on_under_another_number_has_not_changed() -> None:
    before = np.array([0, 0, 1, 1, 2])
    assert domains.changed(before, np.array([5, 5, 0, 0, 1])) == 0
    assert domains.changed(before, np.array([0, 0, 0, 0, 1])) == pytest.approx(0.4)
    assert domains.changed(before, np.array([0, 3, 1, 1, 2])) == pytest.approx(0.2)


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
