"""Estimates of the number of dies, against what is published and in degenerate samples."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.study.estimators import (
    ALL_SINGLE,
    BY_KEY,
    EMPTY,
    METHODS,
    Sample,
    coverage,
    estimate,
    estimates,
    reliability,
)

NAXOS = Sample.of([5, 4, 3, 2, 2, 1, 1, 1])
LYON = Sample(100, 62, 36, 18, 7)
PUBLISHED = [
    # n, d, d1, Good's estimate and coverage (%) as published
    (318, 69, 12, 72, 96.2),
    (316, 76, 15, 80, 95.3),
    (250, 50, 7, 51, 97.2),
    (408, 91, 16, 95, 96.1),
    (90, 24, 12, 28, 86.7),
    (541, 94, 14, 96, 97.4),
    (231, 47, 8, 49, 96.5),
    (107, 19, 4, 20, 96.3),
    (304, 51, 10, 53, 96.7),
]


def value(key: str, sample: Sample) -> float:
    found = estimate(BY_KEY[key], sample).value
    assert found is not None
    return found


def test_a_sample_is_counted_from_the_coins_of_each_die() -> None:
    assert Sample(19, 8, 3, 2, 1) == NAXOS
    assert Sample.of([]) == Sample(0, 0)


@pytest.mark.parametrize(("n", "d", "d1", "dies", "covered"), PUBLISHED)
def test_good_and_coverage_as_published(n: int, d: int, d1: int, dies: int, covered: float) -> None:
    sample = Sample(n, d, d1)
    # Some are rounded, some cut off.
    assert abs(value("good", sample) - dies) < 1.0
    known = coverage(sample).value
    assert known is not None
    assert round(100 * known, 1) == covered


def test_naxos() -> None:
    assert value("carter", NAXOS) == pytest.approx(11.49, abs=0.005)
    assert value("geometric", NAXOS) == pytest.approx(13.82, abs=0.005)
    assert coverage(NAXOS).value == pytest.approx(0.8421, abs=5e-5)
    found = estimate(BY_KEY["lyon"], NAXOS)
    assert (found.value, found.low, found.high) == pytest.approx((10.14, 8.54, 14.90), abs=0.005)


def test_lyon_example() -> None:
    found = estimate(BY_KEY["lyon"], LYON)
    assert (found.value, found.low, found.high) == pytest.approx((96, 77, 126), abs=0.6)
    rounded = {each.method.key: round(each.value or 0) for each in estimates(LYON)}
    assert {key: rounded[key] for key in ("good", "chao1", "esty_p2", "carter")} == {
        "good": 97,
        "chao1": 98,
        "esty_p2": 125,
        "carter": 131,
    }
    assert (rounded["esty_p1"], rounded["geometric"]) == (153, 163)


def test_chao_with_correction_by_hand() -> None:
    assert value("chao1_corrected", NAXOS) == 8 + 3 * 2 / (2 * 3)


def test_chao_limits_by_hand() -> None:
    found = estimate(BY_KEY["chao1"], LYON)
    variance = 18 * (0.25 * 2**4 + 2**3 + 0.5 * 2**2)
    spread = math.exp(1.96 * math.sqrt(math.log(1 + variance / 36**2)))
    assert (found.low, found.high) == pytest.approx((62 + 36 / spread, 62 + 36 * spread))


@pytest.mark.parametrize("key", ["carter", "geometric", "chao1_corrected"])
def test_no_limits_where_the_source_gives_none(key: str) -> None:
    found = estimate(BY_KEY[key], LYON)
    assert found.value is not None
    assert found.low is None
    assert found.high is None


def test_a_die_for_every_coin_is_answered_in_words() -> None:
    sample = Sample(7, 7, 7)
    assert coverage(sample).value == 0.0
    for found in estimates(sample):
        assert found.value is None
        assert found.note == ALL_SINGLE


def test_nothing_known_is_answered_in_words() -> None:
    assert coverage(Sample(0, 0)).value is None
    assert {found.note for found in estimates(Sample(0, 0))} == {EMPTY}
    assert reliability(Sample(0, 0)) is None


def test_without_singletons_the_dies_known_are_all() -> None:
    sample = Sample(40, 10, 0, 3, 2)
    assert coverage(sample).value == 1.0
    for key in ("good", "lyon", "chao1", "chao1_corrected", "esty_p1", "esty_p2"):
        assert value(key, sample) == 10.0
        assert "no sign" in estimate(BY_KEY[key], sample).note


def test_without_pairs_chao_and_lyon_have_no_answer_but_the_corrected_form_has() -> None:
    sample = Sample(30, 6, 4, 0, 0)
    assert estimate(BY_KEY["chao1"], sample).value is None
    assert "d2 = 0" in estimate(BY_KEY["chao1"], sample).note
    assert estimate(BY_KEY["lyon"], sample).value is None
    assert value("chao1_corrected", sample) == 6 + 4 * 3 / 2


def test_an_estimate_below_the_dies_known_is_no_answer() -> None:
    sample = Sample(1000, 20, 1, 1, 1)
    found = estimate(BY_KEY["carter"], sample)
    assert found.value is None
    assert "fewer than the 20 dies known" in found.note


@pytest.mark.parametrize(
    ("n", "band"),
    [(300, "reliable"), (299, "with care"), (200, "with care"), (199, "risky"), (150, "risky"),
     (149, "not to be used")],
)  # fmt: skip
def test_reliability_bands(n: int, band: str) -> None:
    found = reliability(Sample(n, 100, 50))
    assert found is not None
    assert found.name == band


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=60))
def test_laws(coins_per_die: list[int]) -> None:
    sample = Sample.of(coins_per_die)
    known = coverage(sample)
    assert known.value is not None
    if known.low is not None and known.high is not None:
        assert 0 <= known.low <= known.value <= known.high <= 1
    for found in estimates(sample):
        assert found.value is None or found.value >= sample.d
        assert found.value is not None or found.note
        if found.low is not None and found.high is not None and found.value is not None:
            assert sample.d <= found.low <= found.value + 1e-9
            assert found.value <= found.high + 1e-9


def test_every_method_says_what_it_assumes_and_where_it_comes_from() -> None:
    for method in METHODS:
        assert method.assumes
        assert any(letter.isdigit() for letter in method.source)
        assert ("none" in method.limits) == (method.bounds is None)
