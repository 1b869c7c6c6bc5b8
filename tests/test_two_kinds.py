"""How the pairs of a collection lie: laws of the ratio, and what the fit finds without a label."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.calibration.prior import probability
from dieindex.calibration.two_kinds import (
    ANY_COLLECTION,
    EXPECTED,
    PLACE_STEP,
    SHARE_STEP,
    SHARES,
    TWO_FILES,
    TwoKinds,
    fit_two_kinds,
    from_json,
    rounded,
    stands_for,
    to_json,
    updated,
    with_tail_seen,
)
from dieindex.evaluation.probabilities import log_loss
from dieindex.numeric import log_odds, sigmoid

KINDS = st.builds(
    TwoKinds,
    centre=st.floats(-14, 2),
    left=st.floats(0.5, 6),
    right=st.floats(0.5, 6),
    place=st.floats(4, 18),
    width=st.floats(1, 6),
    share=st.floats(*SHARES),
)
COINS = st.integers(1, 500)


PLACE = EXPECTED.place - 0.3 * EXPECTED.place_spread
"""Of one die: not quite where it is expected."""


def drawn(
    seed: int, share: float, centre: float, place: float = PLACE, *, pairs: int = 40_000
) -> tuple[np.ndarray, np.ndarray]:
    """Scores of pairs, and which are of one die."""
    rng = np.random.default_rng(seed)
    same = rng.random(pairs) < share
    right = rng.random(pairs) < 3.0 / 5.5
    away = np.abs(rng.normal(size=pairs))
    different = centre + np.where(right, 3.0 * away, -2.5 * away)
    return np.where(same, rng.normal(place, EXPECTED.width, pairs), different), same


class TestRatio:
    @settings(max_examples=150, deadline=None)
    @given(KINDS, COINS, COINS, st.integers(1, 10_000), st.lists(st.floats(-60, 60), max_size=10))
    def test_it_rises_with_the_score(
        self, kinds: TwoKinds, coins: int, others: int, pairs: int, scores: list[float]
    ) -> None:
        """Also about the centre, the places where the tails would have it turn, and far away."""
        about = [kinds.centre, kinds.place, *scores]
        near = [each + step for each in about for step in (-1e-3, -1e-6, 0.0, 1e-6, 1e-3)]
        score = np.unique([*near, *np.linspace(-60, 60, 1201)])
        score = score[np.diff(score, prepend=-np.inf) > 1e-7]
        for ratio in (
            kinds.log_likelihood_ratio(score, coins, others, pairs),
            kinds.joining(score, coins, others, pairs),
        ):
            assert np.isfinite(ratio).all()
            assert (np.diff(ratio) > 0).all()

    @settings(max_examples=60, deadline=None)
    @given(KINDS, st.lists(st.floats(-35, 35), min_size=1, max_size=20))
    def test_the_score_of_a_ratio_is_its_inverse(self, kinds: TwoKinds, nats: list[float]) -> None:
        ends = kinds.log_likelihood_ratio([kinds.centre - 29.0, kinds.place + 29.0])
        ratio = np.clip(nats, *ends)
        again = kinds.log_likelihood_ratio(kinds.score_of(ratio))
        assert np.abs(again - ratio).max() < 0.02

    def test_a_ratio_without_bound_has_a_score(self) -> None:
        low, high = TwoKinds().score_of([-np.inf, np.inf])
        assert np.isfinite([low, high]).all()
        assert low < TwoKinds().centre < TwoKinds().place < high

    def test_by_hand(self) -> None:
        kinds = TwoKinds(centre=-5.0, left=2.0, right=3.0, place=9.0, width=3.0, share=0.05)

        def normal(score: float, middle: float, deviation: float) -> float:
            z = (score - middle) / deviation
            return float(-0.5 * z**2 - np.log(deviation * np.sqrt(2 * np.pi)))

        # Below the centre a normal in two halves: of the mean of both deviations is its height.
        expected = normal(-6.0, 9.0, 3.0) - (normal(-6.0, -5.0, 2.0) + np.log(2.0 / 2.5))
        assert kinds.log_likelihood_ratio(-6.0) == pytest.approx(expected)
        # Above it Student's of so many degrees of freedom that it is nearly a normal.
        expected = normal(1.0, 9.0, 3.0) - (normal(1.0, -5.0, 3.0) + np.log(3.0 / 2.5))
        assert kinds.log_likelihood_ratio(1.0) == pytest.approx(expected, abs=0.03)
        told = float(kinds.log_likelihood_ratio(4.0, 5, 3, 15))
        assert kinds.joining(4.0, 5, 3, 15) == pytest.approx(told + log_odds(0.05) + np.log(5))

    def test_many_pairs_are_surer_than_one_but_not_without_bound(self) -> None:
        kinds = TwoKinds()
        for_one = [
            float(kinds.log_likelihood_ratio(kinds.place, coins, coins, coins**2))
            for coins in (1, 3, 30, 500)
        ]
        assert for_one == sorted(for_one)
        # Two dies may look alike on all their coins.
        likeness = kinds.log_likelihood_ratio(kinds.place, 30, 30, [900, 1e6])
        assert likeness[1] - likeness[0] < 0.02 * likeness[1]
        assert likeness[1] < 2 * for_one[1]

    def test_a_pair_half_way_is_of_the_kind_that_there_is_more_of(self) -> None:
        kinds = TwoKinds(centre=-6.0, left=3.0, right=3.0, place=9.0, width=3.0)
        turns = [
            float(np.interp(0.0, replace(kinds, share=share).joining(grid), grid))
            for grid in [np.linspace(-6, 9, 500)]
            for share in (0.3, 0.05, 0.001)
        ]
        assert turns == sorted(turns)
        assert turns[0] < 3.0 < turns[2] < 6.0


class TestFit:
    @pytest.mark.parametrize("seed", range(2))
    @pytest.mark.parametrize("share", [0.001, 0.02, 0.3])
    @pytest.mark.parametrize("centre", [-13.0, -5.0, 0.0])
    def test_it_finds_what_the_scores_were_drawn_from(
        self, seed: int, share: float, centre: float
    ) -> None:
        """Forty thousand pairs, of which forty to twelve thousand are of one die. (Of forty the
        place is partly what is expected, and those that say little are passed over.)"""
        score, same = drawn(seed, share, centre)
        found = fit_two_kinds(score, len(score))
        assert found.centre == pytest.approx(centre, abs=0.4)
        assert found.left == pytest.approx(2.5, abs=0.25)
        assert found.right == pytest.approx(3.0, abs=0.4)
        assert found.place == pytest.approx(PLACE, abs=2.0 if share < 0.01 else 0.8)
        assert found.width == pytest.approx(EXPECTED.width, abs=0.45)
        assert found.share == pytest.approx(same.mean(), rel=0.55 if share < 0.01 else 0.15)

    def test_the_tail_of_different_dies_is_read_where_they_are_many(self) -> None:
        """Scores of different dies alone: drawn with a heavy tail they show one, normal ones none,
        and few pairs leave what is expected. A lighter one is not believed."""
        rng = np.random.default_rng(0)
        heavy = rng.standard_t(8, 40_000) * np.sqrt(6 / 8)
        kinds = TwoKinds(centre=-5.0, left=2.5, right=3.0)

        def seen(z: np.ndarray) -> float:
            score = np.where(z < 0, 2.5 * z, 3.0 * z) - 5.0
            return with_tail_seen(kinds, score, np.zeros(len(z)), np.ones(len(z))).tail

        assert seen(heavy) < 20
        assert 60 < seen(rng.normal(size=40_000)) <= EXPECTED.tail
        assert seen(rng.uniform(-1, 1, 40_000)) == EXPECTED.tail
        assert seen(rng.normal(size=20)) == pytest.approx(EXPECTED.tail, rel=0.2)

    @pytest.mark.parametrize("by", [-4.0, 3.0])
    def test_a_collection_that_lies_elsewhere_is_judged_as_it_lies(self, by: float) -> None:
        """Centre and deviations go with the scores; the place nearly so, as something is known of
        it beforehand; and the pairs keep their probabilities."""
        score, same = drawn(4, 0.02, -5.0)
        usual, moved = (fit_two_kinds(each, len(each)) for each in (score, score + by))
        assert moved.centre - usual.centre == pytest.approx(by, abs=0.05)
        assert moved.left == pytest.approx(usual.left, abs=0.05)
        assert moved.place - usual.place == pytest.approx(by, abs=0.2)
        assert moved.share == pytest.approx(usual.share, rel=0.02)
        for kinds, told in ((usual, score), (moved, score + by)):
            p = np.asarray(probability(kinds.log_likelihood_ratio(told), kinds.share))
            assert log_loss(p, same) < 0.03

    def test_probabilities_mean_what_they_say(self) -> None:
        score, same = drawn(7, 0.02, -3.0, 6.5)
        kinds = fit_two_kinds(score, len(score))
        p = np.asarray(probability(kinds.log_likelihood_ratio(score), kinds.share))
        for low, high in ((0.02, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 0.98)):
            among = (p > low) & (p < high)
            assert among.sum() > 30
            assert p[among].mean() == pytest.approx(same[among].mean(), abs=0.12)

    @pytest.mark.parametrize(
        ("score", "in_all"),
        [([], 0), ([], 4005), ([-5.0], 1), ([9.0], 1), ([8.0, -6.0, -4.0], 3), ([9.0] * 3, 3)],
    )
    def test_of_next_to_nothing_it_expects_what_is_usual(
        self, score: list[float], in_all: int
    ) -> None:
        found = fit_two_kinds(np.array(score), in_all)
        assert found.centre == pytest.approx(EXPECTED.centre, abs=3.0)
        assert found.place == pytest.approx(EXPECTED.place, abs=0.8 * EXPECTED.place_spread)
        assert found.width == pytest.approx(EXPECTED.width, abs=0.3)
        assert SHARES[0] <= found.share < 0.3
        sure = np.asarray(probability(found.log_likelihood_ratio([-9.0, 12.0]), found.share))
        assert sure[0] < 0.02
        assert sure[1] > 0.8

    @pytest.mark.parametrize("pairs", [45, 435, 4005])
    def test_where_all_coins_are_of_one_die_they_are_no_different_dies(self, pairs: int) -> None:
        """Nothing else is there to compare them with: but different dies never lie so high."""
        alike = np.random.default_rng(1).normal(9.5, 3.3, pairs)
        found = fit_two_kinds(alike, len(alike))
        told = np.asarray(probability(found.log_likelihood_ratio(alike), found.share))
        assert found.centre <= EXPECTED.most
        assert (told > 0.5).mean() > 0.6

    @pytest.mark.parametrize("seed", range(5))
    def test_where_dies_are_few_their_pairs_do_not_all_pass_for_different(self, seed: int) -> None:
        """A third of two thousand pairs, close by the others: one wide side would hold them all."""
        rng = np.random.default_rng(seed)
        same, right = rng.random(2000) < 0.317, rng.random(2000) < 3.0 / 5.8
        away = np.abs(rng.normal(size=2000))
        different = -4.3 + np.where(right, 3.0 * away, -2.8 * away)
        score = np.where(same, rng.normal(2.9, 3.3, 2000), different)
        assert fit_two_kinds(score, 2000).share > 0.12

    def test_where_no_two_coins_are_of_one_die(self) -> None:
        strange, _ = drawn(0, 0.0, -5.0, pairs=4005)
        found = fit_two_kinds(strange, len(strange))
        told = np.asarray(probability(found.log_likelihood_ratio(strange), found.share))
        assert found.share < 0.002
        assert told.sum() < 3

    @settings(max_examples=40, deadline=None)
    @given(
        st.integers(0, 10**6),
        st.integers(0, 200),
        st.floats(-30, 30),
        st.floats(0.01, 30),
        st.booleans(),
    )
    def test_whatever_the_scores_what_is_found_is_finite(
        self, seed: int, m: int, middle: float, spread: float, heavy: bool
    ) -> None:
        rng = np.random.default_rng(seed)
        score = middle + spread * (rng.standard_t(2, m) if heavy else rng.normal(size=m))
        found = fit_two_kinds(score, m + int(rng.integers(0, 1000)))
        values = [found.centre, found.left, found.right, found.place, found.width, found.share]
        assert np.isfinite(values).all()
        assert min(found.left, found.right, found.width) > 0
        assert found.right <= EXPECTED.widest(found.centre)
        assert SHARES[0] <= found.share <= SHARES[1]
        ratio = found.log_likelihood_ratio(np.linspace(-80, 80, 400))
        assert np.isfinite(ratio).all()
        assert (np.diff(ratio) > 0).all()

    def test_of_a_shortlist_the_sampled_pairs_stand_for_all_that_were_not_compared(self) -> None:
        """The nearest of different dies crowd together; they must not pass for the collection's."""
        score, same = drawn(2, 0.01, -5.0)
        near = same | (score > -2.0)
        sampled = (np.arange(len(score)) % 20 == 0) & ~near
        listed = sampled | near
        few = fit_two_kinds(score[listed], len(score), sampled=sampled[listed])
        assert few.centre == pytest.approx(-5.0, abs=0.6)
        assert few.share == pytest.approx(same.mean(), rel=0.25)
        misled = fit_two_kinds(score[listed], len(score))
        assert misled.centre > few.centre + 0.5

    def test_of_dies_larger_than_a_shortlist_the_sampled_pairs_show_the_share(self) -> None:
        """Most pairs of such dies are not listed; they must not all count as of different dies,
        else the few that are listed pass for different dies themselves."""
        rng = np.random.default_rng(3)
        sampled = np.arange(40_000) < 6000
        same = np.where(sampled, rng.random(40_000) < 0.5, True)
        score = np.where(same, rng.normal(10.2, 3.25, 40_000), rng.normal(-4.3, 3.0, 40_000))
        found = fit_two_kinds(score, 245_000, sampled=sampled)
        assert 0.2 < found.share < 0.5
        told = np.asarray(probability(found.log_likelihood_ratio(score), found.share))
        assert ((told > 0.5) == same).mean() > 0.97

    def test_a_few_more_coins_hardly_change_it(self) -> None:
        score, _ = drawn(1, 0.02, -5.0)
        kept = np.random.default_rng(0).random(len(score)) < 0.98
        less, more = (rounded(fit_two_kinds(s, len(s))) for s in (score[kept], score))
        for name in ("centre", "left", "right", "place", "width"):
            assert getattr(less, name) == pytest.approx(getattr(more, name), abs=3 * PLACE_STEP)
        assert log_odds(less.share) == pytest.approx(log_odds(more.share), abs=2 * SHARE_STEP)


class TestRounding:
    @settings(max_examples=60, deadline=None)
    @given(KINDS)
    def test_all_values_come_in_steps_and_once_is_enough(self, kinds: TwoKinds) -> None:
        near = rounded(kinds)
        for name in ("centre", "left", "right", "place", "width"):
            value = getattr(near, name)
            assert value == pytest.approx(getattr(kinds, name), abs=PLACE_STEP / 2 + 1e-9)
            assert value / PLACE_STEP == pytest.approx(round(value / PLACE_STEP), abs=1e-6)
        assert SHARES[0] <= near.share <= SHARES[1]
        assert log_odds(near.share) == pytest.approx(log_odds(kinds.share), abs=SHARE_STEP)
        assert rounded(near) == near

    def test_what_is_expected_stays(self) -> None:
        other = replace(EXPECTED, of_coin=0.1)
        assert rounded(TwoKinds(expected=other)).expected is other


class TestKnownPairs:
    def test_of_many_labelled_pairs_it_gives_their_own_values(self) -> None:
        score, same = drawn(5, 0.1, -5.0, 7.0)
        found = updated(TwoKinds(centre=-4.9), score, same.astype(float), len(score))
        assert found.centre == pytest.approx(-5.0, abs=0.3)
        assert found.place == pytest.approx(score[same].mean(), abs=0.02)
        assert found.width == pytest.approx(score[same].std(), abs=0.05)
        assert found.share == pytest.approx(same.mean(), rel=0.01)
        one_side = score[~same][score[~same] < found.centre] - found.centre
        assert found.left == pytest.approx(np.sqrt((one_side**2).mean()), rel=0.02)

    def test_of_none_what_is_expected(self) -> None:
        found = updated(TwoKinds(), np.zeros(0), np.zeros(0), 0)
        assert found.place == pytest.approx(EXPECTED.place)
        assert found.width == pytest.approx(EXPECTED.width)
        assert found.share == pytest.approx(EXPECTED.share)
        assert found.centre == pytest.approx(EXPECTED.centre)

    def test_the_share_is_that_of_all_pairs_and_prior_odds_are_its_own(self) -> None:
        kinds = TwoKinds(share=0.03)
        assert sigmoid(kinds.prior_odds) == pytest.approx(0.03)


class TestKept:
    @settings(max_examples=50, deadline=None)
    @given(KINDS)
    def test_it_comes_back_from_its_text(self, kinds: TwoKinds) -> None:
        assert from_json(to_json(kinds)) == kinds

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "{",
            "5",
            "null",
            "[]",
            "[" * 100_000,
            "[-5, 2, 3, 9, 3]",
            "[-5, 2, 3, 9, 3, 0.1, 90, 7]",
            '[-5, 2, 3, "far", 3, 0.1, 90]',
            "[-5, 2, 3, null, 3, 0.1, 90]",
            "[NaN, 2, 3, 9, 3, 0.1, 90]",
            "[-5, 2, 3, Infinity, 3, 0.1, 90]",
            "[-5, 0, 3, 9, 3, 0.1, 90]",
            "[-5, 2, -3, 9, 3, 0.1, 90]",
            "[-5, 2, 3, 9, NaN, 0.1, 90]",
            "[-5, 2, 3, 9, 3, 0.1, 2]",
            "[-5, 2, 3, 9, 3, 0.1, Infinity]",
            "[-5, 2, 3, 9, 3, 0, 90]",
            "[-5, 2, 3, 9, 3, 1, 90]",
            f"[-5, 2, 3, 1{'0' * 400}, 3, 0.1, 90]",
        ],
    )
    def test_what_is_damaged_is_none(self, text: str) -> None:
        assert from_json(text) is None


class TestOfWhichNothingIsKnown:
    def test_at_even_prior_each_is_decided_far_out_and_open_between(self) -> None:
        for kinds in (ANY_COLLECTION, TWO_FILES):
            low, between, high = (
                probability(float(kinds.log_likelihood_ratio(score)), 0.5)
                for score in (kinds.centre - 3.0, (kinds.centre + kinds.place) / 2, kinds.place)
            )
            assert low < 0.1 < between < 0.9 < high

    def test_two_files_need_a_higher_score_than_a_collection(self) -> None:
        """Their vectors still hold what all dies of the type share, so that two dies score more."""
        score = np.linspace(-6.0, 2.0, 9)
        alone = TWO_FILES.log_likelihood_ratio(score)
        assert (alone < ANY_COLLECTION.log_likelihood_ratio(score)).all()


class TestWhatPairsStandFor:
    def test_pairs_compared_for_a_reason_stand_for_themselves(self) -> None:
        sampled = np.array([True, True, False, False, False])
        assert stands_for(sampled, 103).tolist() == [50.0, 50.0, 1.0, 1.0, 1.0]
        assert stands_for(np.ones(7, bool), 7).tolist() == [1.0] * 7
        assert stands_for(np.zeros(3, bool), 9).tolist() == [1.0] * 3
        times = np.array([3.0, 2.0, 4.0, 1.0, 1.0])
        assert stands_for(sampled, 106, times).tolist() == [20.0, 20.0, 1.0, 1.0, 1.0]

    @given(st.integers(0, 50))
    @settings(max_examples=10, deadline=None)
    def test_of_all_pairs_a_few_sampled_tell_no_more_than_all(self, seed: int) -> None:
        """However few are sampled: the others are known as well, and stand for themselves."""
        rng = np.random.default_rng(seed)
        score = np.concatenate([rng.normal(-8, 3, 4000), rng.normal(12, 4, 60)])
        few = rng.random(len(score)) < 0.02
        found = fit_two_kinds(score, len(score), sampled=few)
        whole = fit_two_kinds(score, len(score))
        assert found.centre == pytest.approx(whole.centre, abs=0.5)
        assert found.right == pytest.approx(whole.right, abs=0.5)
        assert found.place == pytest.approx(whole.place, abs=1.0)


def test_very_many_scores_are_read_in_steps_and_say_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(3)
    score = np.concatenate([rng.normal(-6.0, 2.5, 20_000), rng.normal(11.0, 4.0, 500)])
    sampled = rng.random(len(score)) < 0.3
    exactly = fit_two_kinds(score, 40_000, sampled=sampled)
    monkeypatch.setattr("dieindex.calibration.two_kinds._EXACT_UP_TO", 1000)
    binned = fit_two_kinds(score, 40_000, sampled=sampled)
    assert binned != exactly
    assert rounded(binned) == rounded(exactly)
