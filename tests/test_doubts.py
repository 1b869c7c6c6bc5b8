"""Constraints that persons set, and doubts that a person should look at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.clustering.certainty import certainties, count_dies
from dieindex.clustering.constraints import resolved
from dieindex.clustering.doubts import contradictions, near_misses, suspected_errors
from dieindex.clustering.graph import signed_graph
from dieindex.clustering.linkage import cluster_graph
from dieindex.clustering.other_side import told_by_other_side
from dieindex.records import Constraint, PairTable
from tests.clusters_for_tests import graph_of_dies, pairs_of_dies


class TestConstraints:
    def test_same_joins_and_different_parts_whatever_the_pictures_say(self) -> None:
        true = [0, 0, 1, 1, 2]
        assert cluster_graph(graph_of_dies(true, [Constraint(0, 4, True)])).tolist() == [
            0,
            0,
            1,
            1,
            0,
        ]
        labels = cluster_graph(graph_of_dies(true, [Constraint(0, 1, False)]))
        assert labels[0] != labels[1]

    @given(st.integers(0, 10**6))
    @settings(max_examples=60, deadline=None)
    def test_no_constraint_that_holds_is_ever_broken(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        n = 14
        true = rng.integers(0, 4, n)
        constraints = []
        for _ in range(8):
            a, b = rng.choice(n, 2, replace=False).tolist()
            constraints.append(Constraint(a, b, bool(rng.random() < 0.5)))
        graph = graph_of_dies(true, constraints)
        labels = cluster_graph(graph)
        assert (labels[graph.together[:, 0]] == labels[graph.together[:, 1]]).all()
        assert (labels[graph.apart[:, 0]] != labels[graph.apart[:, 1]]).all()
        # Every constraint either holds, was replaced by a later one on its pair, or is refused.
        last = {frozenset((b.first, b.second)): b for b in constraints}
        assert len(graph.together) + len(graph.apart) + len(graph.refused) == len(last)
        assert constraints[-1] not in graph.refused

    def test_the_later_of_contradicting_constraints_holds(self) -> None:
        chain = [Constraint(0, 1, True), Constraint(1, 2, True), Constraint(0, 2, False)]
        together, apart, refused = resolved(3, chain)
        assert (together.tolist(), apart.tolist(), refused) == ([[1, 2]], [[0, 2]], (chain[0],))
        assert resolved(2, [Constraint(0, 1, True), Constraint(1, 0, False)])[1].tolist() == [
            [0, 1]
        ]
        with pytest.raises(ValueError, match="two different"):
            resolved(2, [Constraint(1, 1, True)])

    def test_a_verdict_is_surer_than_the_pictures(self) -> None:
        true = [0, 0, 1, 1]
        graph = graph_of_dies(true, [Constraint(0, 2, True)])
        labels = cluster_graph(graph)
        assert labels[0] == labels[2]
        # (The pictures hold each of the two for of another die as surely as may be.)
        assert certainties(labels, graph)[[0, 2]].min() > 0.5
        graph = graph_of_dies([0, 0, 0, 1], [Constraint(0, 3, True)])
        assert certainties(cluster_graph(graph), graph)[[0, 3]].min() > 0.9


class TestDoubts:
    def test_a_contradiction_names_the_cut(self) -> None:
        # Two dies of three coins, held together by a false link of coin 2.
        true = [0, 0, 0, 1, 1, 1]
        graph = graph_of_dies(true, p2_3=9.0)
        labels = np.zeros(6, np.int64)
        found = contradictions(labels, graph)
        assert len(found) == 1
        assert set(found[0].part) in ({0, 1, 2}, {3, 4, 5})
        assert set(found[0].cut) == {(2, 3)}
        assert found[0].probability > 0.9
        together = [Constraint(a, a + 1, True) for a in range(5)]
        assert contradictions(labels, graph_of_dies(true, together)) == []

    def test_near_misses_come_in_order_of_what_a_look_would_change(self) -> None:
        true = [0, 0, 0, 1, 1, 2, 3]
        between = {f"p{a}_{b}": 3.4 for a in range(3) for b in (3, 4)}
        graph = graph_of_dies(true, **between, p5_6=3.4)
        labels = np.array(true)
        found = near_misses(labels, graph)
        assert [each.dies for each in found[:2]] == [(0, 1), (2, 3)]
        held = near_misses(
            labels, graph_of_dies(true, [Constraint(0, 4, False)], **between, p5_6=3.4)
        )
        assert (0, 1) not in [each.dies for each in held]

    def test_dies_that_are_all_but_ruled_out_are_no_near_misses(self) -> None:
        labels = np.array([0, 0, 1, 1])
        for between, listed in ((3.4, 1), (0.0, 0)):
            graph = graph_of_dies(labels.tolist(), different=between)
            assert len(near_misses(labels, graph)) == listed

    def test_that_label_comes_first_whose_error_touches_most_coins(self) -> None:
        true = [0, 0, 0, 0, 1, 1, 2, 2]
        sheet = ["A", "A", "A", "B", "B", "B", "C", "D"]
        found = suspected_errors(sheet, graph_of_dies(true))
        assert [each.face for each in found] == [3]
        sheet = ["A", "A", "A", "B", "B", "B", "E", "C", "C", "D", "D"]
        found = suspected_errors(sheet, graph_of_dies([0, 0, 0, 0, 1, 1, 2, 3, 2, 4, 4]))
        assert found[0].face == 3
        assert found[0].change > found[1].change > 0

    def test_a_wrong_label_of_the_sheet_is_suspected(self) -> None:
        true = [0, 0, 0, 1, 1, 1]
        sheet = ["A", "A", "B", "B", "B", None]
        found = suspected_errors(sheet, graph_of_dies(true))
        assert [(each.face, each.die, each.better) for each in found] == [(2, "B", "A")]
        assert suspected_errors(["A", "A", "A", "B", "B", "B"], graph_of_dies(true)) == []
        assert suspected_errors([None] * 6, graph_of_dies(true)) == []

    def test_of_two_dies_that_a_sheet_takes_for_one_only_the_coins_of_one_are_suspected(
        self,
    ) -> None:
        found = suspected_errors(["A"] * 5, graph_of_dies([0, 0, 0, 1, 1]))
        assert [(each.face, each.better) for each in found] == [(3, None), (4, None)]

    def test_the_number_of_dies_lies_in_its_interval(self) -> None:
        true = np.repeat(np.arange(8), 3)
        graph = graph_of_dies(true)
        count = count_dies(cluster_graph(graph), graph)
        assert count.found == 8
        assert 5 <= count.low <= 8 <= count.high <= 11
        none = graph_of_dies([])
        assert count_dies(np.zeros(0, np.int64), none).high == 0

    def test_a_coin_of_which_nothing_is_told_is_not_sure_and_hardly_a_die_more(self) -> None:
        true = np.repeat(np.arange(8), 3)
        every = pairs_of_dies(np.append(true, 99))
        pairs = replace(every, judged=every.table.second < 24)
        graph = signed_graph(pairs)
        assert np.flatnonzero(graph.unjudged).tolist() == [24]
        labels = cluster_graph(graph)
        sure = certainties(labels, graph)
        assert sure[24] < 0.2
        assert sure[:24].min() > 0.9
        count = count_dies(labels, graph)
        assert count.found == 9
        assert count.expected == 8
        held = signed_graph(pairs, [Constraint(0, 24, True)])
        assert not held.unjudged.any()
        # One die less that it may be of is no reason to be sure that it is of none.
        ruled_out = signed_graph(pairs, [Constraint(0, 24, False)])
        assert sure[24] < certainties(labels, ruled_out)[24] < 0.2
        assert count_dies(labels, ruled_out).expected == 8
        of_none = [Constraint(coin, 24, False) for coin in range(0, 24, 3)]
        ruled_out = signed_graph(pairs, of_none)
        assert certainties(labels, ruled_out)[24] == 1
        assert count_dies(labels, ruled_out).expected == 9
        nothing = signed_graph(replace(pairs_of_dies([0, 1, 2]), judged=np.zeros(3, bool)))
        assert certainties(np.arange(3), nothing).tolist() == [0.5] * 3
        assert count_dies(np.arange(3), nothing).low >= 1

    def test_the_other_side_speaks_for_and_against(self) -> None:
        first, second = np.triu_indices(5, 1)
        ratio = np.where((first < 3) == (second < 3), 1.0, -1.0)
        pairs = PairTable(first, second, np.ones(10), ratio)
        told = told_by_other_side(pairs, 0.1, np.array([0, 0, 1, 2, -1]))
        gain = told.log_likelihood_ratio - pairs.log_likelihood_ratio
        of = {(a, b): g for a, b, g in zip(pairs.first, pairs.second, gain, strict=True)}
        assert of[0, 1] > of[0, 2]
        assert of[0, 4] == 0.0
