"""What a person should look at leads to the right dies, and what is still expected to be wrong."""

from __future__ import annotations

import numpy as np

from dieindex.api.doubts import Names, cases
from dieindex.calibration.judge_pairs import JudgedPairs
from dieindex.calibration.two_kinds import TwoKinds
from dieindex.clustering.certainty import certainties, expected_wrong
from dieindex.clustering.doubts import (
    Contradiction,
    Doubts,
    Misplaced,
    contradictions,
    misplaced,
    near_misses,
    worth_looking,
)
from dieindex.clustering.find_dies import find_dies
from dieindex.clustering.graph import signed_graph
from dieindex.clustering.splits import splits
from dieindex.evaluation.partitions import adjusted_rand_index
from dieindex.records import Constraint, Floats, Ints, PairTable

KINDS = TwoKinds(share=0.1)
SAME, DIFFERENT = KINDS.place, KINDS.centre


def pairs_of(true: Ints, score: Floats, *, readable: bool = False) -> JudgedPairs:
    """All pairs of coins of these dies with their scores."""
    n = len(true)
    first, second = np.triu_indices(n, 1)
    every = np.ones(len(first), bool)
    table = PairTable(first, second, np.zeros(len(first)), KINDS.log_likelihood_ratio(score))
    return JudgedPairs(n, table, score, KINDS, every, every, every, len(first), readable=readable)


def clear(true: list[int], **changed: float) -> JudgedPairs:
    """Scores as they mostly are; ``changed`` gives those of single pairs as ``p0_1``."""
    die = np.array(true)
    first, second = np.triu_indices(len(die), 1)
    score = np.where(die[first] == die[second], SAME, DIFFERENT)
    for name, value in changed.items():
        a, b = map(int, name[1:].split("_"))
        score[(first == a) & (second == b)] = value
    return pairs_of(die, score)


def drawn(seed: int) -> tuple[Ints, JudgedPairs]:
    """A small collection whose scores overlap, and its dies."""
    rng = np.random.default_rng(seed)
    true = np.repeat(np.arange(12), rng.integers(1, 6, 12))
    first, second = np.triu_indices(len(true), 1)
    noise = rng.normal(0.0, 1.0, len(first))
    same = true[first] == true[second]
    score = np.where(same, 5.0 + 3.3 * noise, DIFFERENT + 3.0 * noise)
    return true, pairs_of(true, score, readable=True)


class TestSplits:
    def test_two_dies_that_ran_together_are_offered_as_their_parts(self) -> None:
        graph = signed_graph(clear([0, 0, 0, 0, 1, 1, 1]))
        first = contradictions(np.zeros(7, np.int64), graph)[0]
        assert first.part == (4, 5, 6)
        assert first.pair[0] < 4 <= first.pair[1]
        assert first.probability > 0.9
        assert first.change == first.probability * 12

    def test_of_three_dies_each_is_offered(self) -> None:
        graph = signed_graph(clear([0, 0, 0, 1, 1, 1, 2, 2]))
        found = contradictions(np.zeros(8, np.int64), graph)
        likely = {each.part for each in found if each.probability > 0.5}
        assert len(likely) == 2
        assert likely < {(0, 1, 2), (3, 4, 5), (6, 7)}

    def test_a_die_that_is_one_is_not_offered(self) -> None:
        graph = signed_graph(clear([0, 0, 0, 0, 1, 1, 1]))
        assert contradictions(np.array([0, 0, 0, 0, 1, 1, 1]), graph) == []

    def test_a_part_that_fits_the_rest_of_the_die_is_no_part_of_its_own(self) -> None:
        # Coins 3 and 4 hardly fit each other, but both fit the other coins.
        graph = signed_graph(clear([0] * 5, p3_4=DIFFERENT))
        assert splits(np.zeros(5, np.int64), graph, most=0.0) == []

    def test_a_verdict_parts_the_die_as_the_coins_fit(self) -> None:
        # Two dies, run together by a person's error; another verdict mends it.
        pairs = clear([0, 0, 0, 0, 1, 1, 1])
        wrong = [Constraint(0, 4, True)]
        graph = signed_graph(pairs, wrong)
        offered = contradictions(np.zeros(7, np.int64), graph)[0]
        assert not {0, 4} <= set(offered.pair)
        labels = find_dies(pairs, [*wrong, Constraint(*offered.pair, False)]).labels
        assert adjusted_rand_index(labels.tolist(), [0, 0, 0, 0, 1, 1, 1]) > 0.4

    def test_one_pair_that_is_the_same_leaves_other_splits_to_ask(self) -> None:
        graph = signed_graph(clear([0, 0, 1, 1, 2, 2]), [Constraint(0, 2, True)])
        found = contradictions(np.zeros(6, np.int64), graph)
        assert found[0].part == (4, 5)


class TestNearMisses:
    def test_one_verdict_joins_whole_dies_that_are_likely_one(self) -> None:
        # Halves of a die between which pairs say little.
        true, between = [0, 0, 0, 1, 1, 1], 4.0
        first = {f"p{a}_{b}": between for a in range(3) for b in range(3, 6)}
        pairs = clear(true, **first)
        found = find_dies(pairs)
        assert found.labels.tolist() == true
        (miss,) = near_misses(found.labels, found.graph)
        labels = find_dies(pairs, [Constraint(*miss.pair, True)]).labels
        assert labels.tolist() == [0] * 6

    def test_only_the_coin_moves_between_dies_that_are_two(self) -> None:
        # Coin 3 looks a little more like its own die than like the other.
        of_two = {f"p{a}_3": 5.0 for a in range(3)} | {f"p3_{b}": 6.0 for b in range(4, 7)}
        pairs = clear([0, 0, 0, 1, 1, 1, 1], **of_two)
        found = find_dies(pairs)
        assert found.labels.tolist() == [0, 0, 0, 1, 1, 1, 1]
        (coin,) = (each for each in misplaced(found.labels, found.graph) if each.face == 3)
        assert coin.dies == (1, 0)
        labels = find_dies(pairs, [Constraint(*coin.pair, True)]).labels
        assert labels.tolist() == [0, 0, 0, 0, 1, 1, 1]


class TestLooks:
    def test_a_look_that_was_had_is_not_asked_again(self) -> None:
        true, pairs = drawn(0)
        seen: set[tuple[int, int]] = set()
        constraints: list[Constraint] = []
        unsure: list[tuple[int, int]] = []
        for number in range(60):
            found = find_dies(pairs, constraints)
            looked = np.array(unsure, np.int64).reshape(-1, 2)
            looks = Doubts.of(found.labels, found.graph, looked).looks()
            if not looks:
                break
            pair = looks[0].pair
            assert pair not in seen
            assert pair[0] < pair[1]
            seen.add(pair)
            if number % 3 == 2:
                unsure.append(pair)
            else:
                constraints.append(Constraint(*pair, bool(true[pair[0]] == true[pair[1]])))
        assert len(seen) > 20

    def test_looks_lead_to_the_right_dies(self) -> None:
        before, after = [], []
        for seed in range(5):
            true, pairs = drawn(seed)
            constraints: list[Constraint] = []
            rand: list[float] = []
            for _ in range(40):
                found = find_dies(pairs, constraints)
                rand.append(adjusted_rand_index(found.labels.tolist(), true.tolist()))
                looks = Doubts.of(found.labels, found.graph).looks()
                if rand[-1] == 1.0 or not looks:
                    break
                a, b = looks[0].pair
                constraints.append(Constraint(a, b, bool(true[a] == true[b])))
            before.append(rand[0])
            after.append(rand[-1])
        assert max(before) < 1.0
        assert np.mean(before) < 0.95
        assert min(after) >= 0.99
        # (A pair or two are so far off that nothing says so.)
        assert after.count(1.0) >= 4

    def test_those_come_first_that_change_most_and_no_pair_twice(self) -> None:
        _, pairs = drawn(1)
        found = find_dies(pairs)
        looks = Doubts.of(found.labels, found.graph).looks()
        change = [each.change for each in looks]
        assert change == sorted(change, reverse=True)
        assert len({each.pair for each in looks}) == len(looks)
        assert 0 < worth_looking(looks) < len(looks)

    def test_a_coin_of_which_nothing_is_told_is_asked_of_every_die(self) -> None:
        pairs = clear([0, 0, 0, 1, 1, 2])
        dumb = pairs.table.second == 5
        pairs = JudgedPairs(
            6, pairs.table, pairs.score, KINDS, ~dumb, ~dumb, pairs.sampled, pairs.in_all
        )
        constraints: list[Constraint] = []
        asked = []
        for _ in range(2):
            found = find_dies(pairs, constraints)
            (look,) = (
                each
                for each in misplaced(found.labels, found.graph)
                if isinstance(each, Misplaced) and each.unjudged
            )
            asked.append(look.dies[1])
            constraints.append(Constraint(*look.pair, False))
        found = find_dies(pairs, constraints)
        assert asked == [0, 1]
        assert not [each for each in misplaced(found.labels, found.graph) if each.unjudged]

    def test_cases_name_coins_and_dies(self) -> None:
        graph = signed_graph(clear([0, 0, 0, 0, 1, 1, 1]))
        labels = np.zeros(7, np.int64)
        looks = Doubts.of(labels, graph).looks()
        assert isinstance(looks[0], Contradiction)
        names = Names(labels, [f"coin {place}" for place in range(7)], lambda die: f"O{die + 1}")
        case = cases(looks, names)[0]
        assert (case.what, case.die, case.other_die) == ("contradiction", "O1", None)
        assert case.part == ("coin 4", "coin 5", "coin 6")
        assert case.coin in {"coin 0", "coin 1", "coin 2", "coin 3"}
        assert case.other_coin in case.part


class TestExpectedWrong:
    def test_it_is_finite_and_falls_with_verdicts(self) -> None:
        true, pairs = drawn(2)
        first, second = np.triu_indices(len(true), 1)
        constraints = [
            Constraint(int(a), int(b), bool(true[a] == true[b]))
            for a, b in zip(first, second, strict=True)
        ]
        wrong = []
        for known in (0, len(constraints) // 2, len(constraints)):
            found = find_dies(pairs, constraints[:known])
            wrong.append(expected_wrong(found.labels, found.certainty))
        assert all(np.isfinite([each.coins, each.pairs]).all() for each in wrong)
        assert wrong[0].coins > wrong[1].coins > wrong[2].coins
        assert wrong[2].coins < 0.1
        assert wrong[2].pairs < wrong[0].pairs

    def test_pairs_are_those_said_to_share_a_die(self) -> None:
        labels = np.array([0, 0, 0, 1, 1, 2])
        assert expected_wrong(labels, np.ones(6)) == expected_wrong(labels[:0], np.ones(0))
        wrong = expected_wrong(labels, np.array([0.5, 1, 1, 0.9, 0.8, 0.3]))
        assert np.isclose(wrong.coins, 0.5 + 0.1 + 0.2 + 0.7)
        # Two pairs with the first coin; one of the die of two; none of the single coin.
        assert np.isclose(wrong.pairs, 2 * 0.5 + 0.2)

    def test_a_run_of_no_coins(self) -> None:
        graph = signed_graph(clear([]))
        labels = np.zeros(0, np.int64)
        assert Doubts.of(labels, graph).looks() == []
        assert expected_wrong(labels, certainties(labels, graph)).coins == 0.0
