"""Dies from judged pairs and constraints: a pure function, and one answer to all questions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.calibration.judge_pairs import JudgedPairs, Judgement, judge_together
from dieindex.calibration.two_kinds import fit_two_kinds, rounded
from dieindex.clustering.certainty import certainties
from dieindex.clustering.find_dies import find_dies, shown_by_dies
from dieindex.clustering.graph import signed_graph
from dieindex.clustering.linkage import cluster_graph
from dieindex.evaluation.partitions import adjusted_rand_index
from dieindex.records import Constraint, PairTable
from tests.clusters_for_tests import (
    CLEAN,
    USUAL,
    drawn_pairs,
    drawn_scores,
    judged_pairs,
    pairs_of_dies,
    same_partition,
    some_dies,
)

DIES = np.repeat(np.arange(8), 3)


def pairs() -> JudgedPairs:
    """All pairs of 24 coins of eight dies, clearly judged."""
    return pairs_of_dies(DIES)


def fitted(of: JudgedPairs) -> JudgedPairs:
    """As ``judge_together`` would give them: how they lie is read from them."""
    kinds = rounded(fit_two_kinds(of.score, of.in_all))
    ratio = kinds.log_likelihood_ratio(of.score)
    return replace(
        of, kinds=kinds, table=replace(of.table, log_likelihood_ratio=ratio), readable=True
    )


def test_dies_are_found_and_each_coin_is_in_one() -> None:
    found = find_dies(pairs())
    np.testing.assert_array_equal(found.labels, DIES)
    np.testing.assert_array_equal(found.certainty, certainties(found.labels, found.graph))
    assert found.certainty.min() > 0.9
    assert found.own_graph is found.graph
    np.testing.assert_array_equal(found.own_labels, found.labels)
    assert found.prior == USUAL.share


@pytest.mark.parametrize("seed", range(2))
def test_pairs_and_dies_say_the_same_of_a_clean_collection(seed: int) -> None:
    rng = np.random.default_rng(seed)
    judged = fitted(drawn_pairs(some_dies(120, rng), CLEAN, rng))
    found = find_dies(judged)
    together = found.labels[judged.table.first] == found.labels[judged.table.second]
    np.testing.assert_array_equal(found.probability > 0.5, together)


def test_coins_of_which_nothing_could_be_told_stay_alone_and_their_pairs_are_as_likely_as_any() -> (
    None
):
    every = pairs()
    told = (every.table.first != 5) & (every.table.second != 5)
    found = find_dies(replace(every, judged=told))
    assert (found.labels == found.labels[5]).sum() == 1
    np.testing.assert_array_equal(found.probability[~told], found.prior)
    assert same_partition(np.delete(found.labels, 5), np.delete(DIES, 5))
    nothing = find_dies(replace(every, judged=np.zeros(len(every), bool)))
    assert nothing.labels.tolist() == list(range(24))
    np.testing.assert_array_equal(nothing.probability, nothing.prior)


def test_a_person_tells_also_where_the_pictures_do_not() -> None:
    every = pairs()
    lost = (every.table.first == 5) | (every.table.second == 5)
    said = [Constraint(5, 9, True), Constraint(0, 5, False)]
    found = find_dies(replace(every, judged=~lost), said)
    p = dict(
        zip(zip(every.table.first, every.table.second, strict=True), found.probability, strict=True)
    )
    assert found.labels[5] == found.labels[9]
    assert p[5, 9] > 0.99 > 0.01 > p[0, 5]
    assert p[5, 20] == found.prior
    assert found.told.sum() == (~lost).sum() + 2


@pytest.mark.parametrize("n", [0, 1, 2])
def test_next_to_no_coins(n: int) -> None:
    first, second = np.triu_indices(n, 1)
    found = find_dies(fitted(judged_pairs(n, first, second, np.full(len(first), 12.0))))
    assert found.labels.tolist() == [0] * n
    assert len(found.certainty) == n
    assert len(found.probability) == len(first)


class TestKinds:
    def test_the_dies_show_pairs_of_one_die_that_say_little(self) -> None:
        """Worn coins: of their pairs many pass for those of different dies, one by one."""
        rng = np.random.default_rng(0)
        dies = np.repeat(np.arange(12), 8)
        true = replace(USUAL, centre=-6.0, place=5.0)
        judged = fitted(drawn_pairs(dies, true, rng))
        after = shown_by_dies(judged)
        share = float((dies[judged.table.first] == dies[judged.table.second]).mean())
        assert abs(after.share - share) < 0.5 * abs(judged.kinds.share - share)
        assert abs(after.width - true.width) < 0.5 * abs(judged.kinds.width - true.width)
        assert after == rounded(after)
        assert find_dies(judged).graph.kinds == after

    def test_what_was_given_or_learned_from_labels_stays(self) -> None:
        judged = replace(pairs(), readable=False)
        assert shown_by_dies(judged) is judged.kinds

    def test_pairs_that_were_not_verified_have_no_say_in_it(self) -> None:
        rng = np.random.default_rng(1)
        judged = fitted(drawn_pairs(np.repeat(np.arange(12), 5), USUAL, rng))
        verified = rng.random(len(judged)) < 0.7
        wild = replace(judged, verified=verified, score=np.where(verified, judged.score, -40.0))
        told = shown_by_dies(wild)
        assert told.centre == pytest.approx(shown_by_dies(judged).centre, abs=0.3)


class TestStability:
    @pytest.mark.parametrize("seed", range(4))
    def test_one_coin_more_changes_no_other_coins_die(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        dies = some_dies(91, rng)
        whole = drawn_pairs(dies, replace(USUAL, centre=-8.0, share=0.03), rng)
        table = whole.table
        without = (table.first < 90) & (table.second < 90)
        fewer = judged_pairs(90, table.first[without], table.second[without], whole.score[without])
        more, less = find_dies(fitted(whole)).labels[:90], find_dies(fitted(fewer)).labels
        # (The coin more may be the one that shows two dies to be one, but here none does.)
        assert same_partition(more, less)

    def test_the_same_in_gives_the_same_out(self) -> None:
        judged = fitted(drawn_pairs(DIES, USUAL, np.random.default_rng(3)))
        one, other = find_dies(judged), find_dies(replace(judged))
        for name in ("labels", "certainty", "probability"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))

    @settings(max_examples=25, deadline=None)
    @given(st.integers(0, 10**6), st.integers(3, 30))
    def test_the_order_of_pairs_does_not_matter(self, seed: int, n: int) -> None:
        rng = np.random.default_rng(seed)
        judged = fitted(drawn_pairs(some_dies(n, rng), USUAL, rng))
        order = rng.permutation(len(judged))
        names = ("score", "judged", "verified", "sampled")
        turned = replace(
            judged,
            table=PairTable(*(each[order] for each in vars(judged.table).values())),
            **{name: getattr(judged, name)[order] for name in names},
        )
        one, other = find_dies(judged), find_dies(turned)
        np.testing.assert_array_equal(other.labels, one.labels)
        np.testing.assert_allclose(other.probability, one.probability[order], atol=1e-9)


class TestConstraints:
    def test_persons_go_before_a_trusted_sheet_and_a_run_without_it_is_made(self) -> None:
        sheet = [Constraint(0, 3, True, "the sheet"), Constraint(0, 6, True, "the sheet")]
        said = [Constraint(0, 3, False, "a person")]
        found = find_dies(pairs(), said, trusted=sheet)
        assert found.labels[0] != found.labels[3]
        assert found.labels[0] == found.labels[6]
        assert found.own_labels[0] != found.own_labels[6]
        assert len(found.own_graph.together) == 0
        np.testing.assert_array_equal(found.own_labels, find_dies(pairs(), said).labels)

    def test_verdicts_change_the_probabilities_of_pairs(self) -> None:
        """Of the pair itself, and of the others that follow from it; of no other dies' pairs."""
        plain = find_dies(pairs()).probability
        table = pairs().table
        pair = (table.first == 0) & (table.second == 3)
        both = find_dies(pairs(), [Constraint(0, 3, True)]).probability
        assert plain[pair] < 0.01 < 0.99 < both[pair]
        apart = find_dies(pairs(), [Constraint(0, 1, False)]).probability
        mates = (table.first == 0) & (table.second == 1)
        assert plain[mates] > 0.99 > 0.01 > apart[mates]
        others = (DIES[table.first] > 1) & (DIES[table.second] > 1)
        np.testing.assert_allclose(both[others], plain[others], atol=1e-6)

    def test_how_pairs_lie_is_read_from_the_dies_that_they_make(self) -> None:
        # Dies whose pairs lie so low that the machine finds hardly any.
        low = replace(USUAL, place=1.0)
        judged = fitted(drawn_pairs(DIES, low, np.random.default_rng(5)))
        said = [Constraint(k, k + step, True) for k in range(0, 24, 3) for step in (1, 2)]
        plain, told = (find_dies(judged, each).graph.kinds for each in ((), said))
        assert abs(told.place - low.place) < abs(plain.place - low.place)
        assert plain.share < told.share

    def test_a_constraint_on_a_coin_that_is_not_there_is_refused(self) -> None:
        with pytest.raises(ValueError, match="two different faces"):
            find_dies(pairs(), [Constraint(0, 24, True)])


@pytest.mark.parametrize("readable", [False, True])
def test_what_the_other_side_says_moves_weights(readable: bool) -> None:
    judged = fitted(drawn_pairs(DIES, USUAL, np.random.default_rng(2)))
    judged = replace(judged, readable=readable)
    plain = find_dies(judged).graph
    other = np.where(DIES < 4, 0, 1)
    with_other = find_dies(judged, other_die=other).graph
    shared = other[with_other.first] == other[with_other.second]
    moved = with_other.weight - plain.weight
    assert moved[shared].min() > 0 > moved[~shared].max()
    unknown = find_dies(judged, other_die=np.full(24, -1)).graph
    np.testing.assert_array_equal(unknown.weight, plain.weight)


def test_it_is_the_linkage_of_its_graph() -> None:
    rng = np.random.default_rng(8)
    judged = fitted(drawn_pairs(some_dies(60, rng), USUAL, rng))
    found = find_dies(judged)
    np.testing.assert_array_equal(cluster_graph(found.graph), found.labels)
    again = signed_graph(judged, kinds=found.graph.kinds)
    np.testing.assert_array_equal(again.weight, found.graph.weight)


def test_large_dies_of_worn_coins_and_single_coins_are_found_together() -> None:
    rng = np.random.default_rng(9)
    dies = np.r_[np.repeat(np.arange(3), 25), np.arange(3, 28)]
    first, second = np.triu_indices(len(dies), 1)
    kinds = replace(USUAL, centre=-6.0, place=6.0)
    score = drawn_scores(dies, first, second, kinds, rng)
    found = find_dies(fitted(judged_pairs(len(dies), first, second, score))).labels
    assert adjusted_rand_index(found.tolist(), dies.tolist()) > 0.95


def test_a_large_collection_is_found_in_parts_as_it_would_be_in_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(5)
    sizes = [30, 1, 25, 40, 12, 33]
    frame = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    dies = np.concatenate([10 * number + np.arange(size) // 4 for number, size in enumerate(sizes)])
    die = np.empty(len(frame), np.int64)
    die[np.argsort(frame, kind="stable")] = dies
    every = drawn_pairs(die, USUAL, rng)
    listed = np.flatnonzero(frame[every.table.first] == frame[every.table.second])
    table = PairTable(*(each[listed] for each in vars(every.table).values()))
    judged = rng.random(len(listed)) > 0.05
    # (Of one coin nothing is told.)
    judged &= (table.first != 7) & (table.second != 7)
    of_one = replace(
        every,
        table=table,
        score=every.score[listed],
        judged=judged,
        nearest=40,
        verified=judged,
        sampled=every.sampled[listed],
        readable=True,
    )
    a, b, c = (int(np.flatnonzero(frame == number)[3]) for number in (0, 2, 3))
    said = [Constraint(a, b, True, "one"), Constraint(b, c, False, "other")]
    whole = find_dies(of_one, said)
    monkeypatch.setattr("dieindex.clustering.parts.PART", 20)
    parts = find_dies(of_one, said)
    np.testing.assert_array_equal(parts.labels, whole.labels)
    np.testing.assert_allclose(parts.certainty, whole.certainty, rtol=1e-12)
    np.testing.assert_allclose(parts.probability, whole.probability, rtol=1e-12)
    assert parts.labels[a] == parts.labels[b] != parts.labels[c]
    alone = find_dies(of_one, said, trusted=[Constraint(a, c, False, "sheet")])
    np.testing.assert_array_equal(alone.own_labels, whole.labels)


def test_pictures_that_are_in_twice_say_nothing_of_how_strikes_of_one_die_lie() -> None:
    """Of worn coins: the scores of copies lie farther from those of strikes than these from those
    of different dies."""
    rng = np.random.default_rng(8)
    die = rng.integers(0, 6, 50)
    die[1::7] = die[: len(die[1::7]) * 7 : 7]
    worn = replace(USUAL, centre=-6.0, left=2.3, right=2.3, place=4.5, width=3.0)
    every = drawn_pairs(die, worn, rng)
    a, b = every.table.first, every.table.second
    copied = (b == a + 1) & (a % 7 == 0)
    score = np.where(copied, 43.0 + rng.normal(0, 1, len(a)), every.score)
    alone = Judgement(every.table, score, every.judged, every.verified)
    together, sampled = np.zeros(50, np.int64), np.ones(len(a), bool)
    misled = find_dies(judge_together(alone, together, sampled))
    told = find_dies(judge_together(alone, together, sampled, one_picture=copied))
    assert adjusted_rand_index(die.tolist(), told.labels.tolist()) > 0.8
    # (A kind that holds both strikes and copies is wide.)
    assert told.graph.kinds.width < 4.5 < 6 < misled.graph.kinds.width
    # (They are of one die all the same.)
    assert (told.labels[a[copied]] == told.labels[b[copied]]).all()
