"""Counts, and what doubts about attributions do to them."""

from __future__ import annotations

from itertools import combinations as pairs_of

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.records import OBVERSE, REVERSE
from dieindex.study.counts import count
from dieindex.study.estimators import BY_KEY, Sample, estimate
from dieindex.study.material import Attribution, Coin, Material
from dieindex.study.uncertainty import resample, spread


def coin(name: str, obverse: str | None, reverse: str | None, sure: float | None = None) -> Coin:
    dies = {
        side: Attribution(die, sure)
        for side, die in ((OBVERSE, obverse), (REVERSE, reverse))
        if die is not None
    }
    return Coin(name, dies)  # type: ignore[arg-type]


def material(*coins: Coin) -> Material:
    return Material(coins, "t", "s")


SMALL = material(
    coin("1", "O1", "R1"),
    coin("2", "O1", "R1"),
    coin("3", "O1", "R2"),
    coin("4", "O2", "R2"),
    coin("5", "O3", "R3"),
    coin("6", None, "R3"),
    coin("7", "O2", None),
    coin("8", None, None),
)


def test_counts_of_both_sides() -> None:
    found = count(SMALL)
    assert found.coins == 8
    obverse, reverse = found.sides[OBVERSE], found.sides[REVERSE]
    assert obverse.sample == Sample(6, 3, 1, 1, 1)
    assert reverse.sample == Sample(6, 3, 0, 3, 0)
    assert obverse.unidentified == reverse.unidentified == 2
    assert obverse.coins_per_die == 2.0
    assert obverse.singleton_share == pytest.approx(1 / 3)
    assert found.reverses_per_obverse == 1.0


def test_links() -> None:
    links = count(SMALL).links
    assert links is not None
    assert (links.coins, links.combinations) == (5, 4)
    assert (links.combinations_of_several, links.duplicate_coins, links.duplicate_pairs) == (
        1,
        2,
        1,
    )
    assert (links.linking_obverses, links.linking_reverses) == (1, 1)
    assert (links.groups, links.largest_group) == (2, 4)


def test_frequencies_add_up() -> None:
    rows = count(SMALL).sides[OBVERSE].frequencies
    assert [(row.coins_per_die, row.dies, row.coins) for row in rows] == [
        (1, ("O3",), 1),
        (2, ("O2",), 2),
        (3, ("O1",), 3),
    ]


def test_one_side_has_no_links() -> None:
    found = count(material(coin("1", None, "R1"), coin("2", None, "R2")))
    assert list(found.sides) == [REVERSE]
    assert found.links is None
    assert found.reverses_per_obverse is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 8)), min_size=1, max_size=40))
def test_die_duplicates_are_pairs_of_coins_that_share_both_dies(
    dies: list[tuple[int, int]],
) -> None:
    coins = [coin(str(i), f"O{o}", f"R{r}") for i, (o, r) in enumerate(dies)]
    links = count(material(*coins)).links
    assert links is not None
    assert links.duplicate_pairs == sum(a == b for a, b in pairs_of(dies, 2))
    assert links.combinations == len(set(dies))


# --- doubts -----------------------------------------------------------------------------------


def test_sure_attributions_are_not_redrawn() -> None:
    found = resample([coin(str(i), "O1", None, 0.95) for i in range(5)], OBVERSE)
    assert (found.stated, found.doubtful) == (5, 0)
    assert found.dies is None
    assert not found.estimates


def test_a_doubtful_coin_of_a_die_may_leave_it() -> None:
    coins = [coin(str(i), f"O{i // 3}", None) for i in range(30)]
    coins[0] = coin("0", "O0", None, 0.5)
    found = resample(coins, OBVERSE)
    assert found.dies is not None
    assert (found.dies.low, found.dies.high) == (10, 11)


def test_a_doubtful_singleton_may_belong_to_another_die() -> None:
    coins = [coin(str(i), f"O{i // 3}", None) for i in range(30)] + [coin("x", "O99", None, 0.3)]
    found = resample(coins, OBVERSE)
    assert found.dies is not None
    assert (found.dies.low, found.dies.high) == (10, 11)


def test_the_named_other_die_is_taken() -> None:
    coins = [coin(str(i), f"O{i // 4}", None) for i in range(12)]
    lone = Attribution("O9", 0.0, (("O1", 1.0),))
    found = resample([*coins, Coin("x", {OBVERSE: lone})], OBVERSE)
    # It always goes to O1: 13 coins, three dies, no singleton left.
    assert found.dies is not None
    assert found.dies.low == found.dies.high == 3
    assert found.estimates["good"].low == found.estimates["good"].high == 3


def test_the_interval_holds_the_estimates_of_the_stories_and_is_the_same_again() -> None:
    random = np.random.default_rng(5)
    coins = [
        coin(str(i), f"O{random.integers(20)}", None, float(random.uniform(0.3, 1)))
        for i in range(80)
    ]
    first, second = resample(coins, OBVERSE), resample(coins, OBVERSE)
    assert first == second
    interval = first.estimates["good"]
    assert interval.low < interval.high
    # Each split adds a singleton: doubts mostly raise the estimate.
    plain = estimate(BY_KEY["good"], count(material(*coins)).sides[OBVERSE].sample)
    assert plain.value is not None
    assert interval.high > plain.value


def test_spread_between_models() -> None:
    sample = Sample(100, 62, 36, 18, 7)
    found = spread([estimate(BY_KEY[key], sample) for key in ("good", "geometric")])
    assert found is not None
    assert (round(found.low), round(found.high)) == (97, 163)
    assert spread([estimate(BY_KEY["good"], Sample(3, 3, 3))]) is None
