"""Dies from judged pairs and constraints: a pure function."""

from __future__ import annotations

import numpy as np
import pytest

from dieindex.calibration.judge_pairs import JudgedPairs
from dieindex.calibration.prior import probability
from dieindex.clustering.certainty import certainties
from dieindex.clustering.find_dies import find_dies
from dieindex.clustering.graph import PRIOR_SHARE
from dieindex.clustering.linkage import Memory
from dieindex.clustering.threshold import Threshold, collection_threshold
from dieindex.records import Constraint, PairTable

DIES = np.repeat(np.arange(8), 3)


def pairs(*, in_context: bool = True) -> JudgedPairs:
    """All pairs of 24 coins of eight dies, clearly judged."""
    first, second = np.triu_indices(24, 1)
    ratio = np.where(DIES[first] == DIES[second], 7.0, -7.0)
    every = np.ones(len(ratio), bool)
    table = PairTable(first, second, 1 - ratio / 20, ratio)
    p = probability(ratio, 0.08)
    return JudgedPairs(24, table, ratio if in_context else None, p, 0.08, every, every)


def test_dies_are_found_and_each_coin_is_in_one() -> None:
    found = find_dies(pairs())
    np.testing.assert_array_equal(found.labels, DIES)
    np.testing.assert_array_equal(found.certainty, certainties(found.labels, found.graph))
    assert found.certainty.min() > 0.9
    assert found.own_graph is found.graph
    np.testing.assert_array_equal(found.own_labels, found.labels)


def test_the_threshold_is_the_collections_the_priors_or_the_one_given() -> None:
    own = pairs().table.log_likelihood_ratio
    nats = collection_threshold(own, 0.08, 24).nats
    by_prior = -PRIOR_SHARE * np.log(0.08 / 0.92)
    for judged, given, expected in (
        (pairs(), None, nats),
        (pairs(in_context=False), None, by_prior),
        (pairs(), Threshold(4.0), 4.0),
        (pairs(in_context=False), Threshold(4.0), 4.0),
    ):
        graph = find_dies(judged, threshold=given).graph
        np.testing.assert_allclose(graph.weight, own - round(expected, 1))
    assert len(set(find_dies(pairs(), threshold=Threshold(8.0)).labels.tolist())) == 24


def test_persons_go_before_a_trusted_sheet_and_a_run_without_it_is_made() -> None:
    sheet = [Constraint(0, 3, True, "the sheet"), Constraint(0, 6, True, "the sheet")]
    said = [Constraint(0, 3, False, "a person")]
    found = find_dies(pairs(), said, trusted=sheet)
    assert found.labels[0] != found.labels[3]
    assert found.labels[0] == found.labels[6]
    assert found.own_labels[0] != found.own_labels[6]
    assert len(found.own_graph.together) == 0
    np.testing.assert_array_equal(found.own_labels, find_dies(pairs(), said).labels)


def test_what_the_other_side_says_moves_weights() -> None:
    plain = find_dies(pairs()).graph.weight
    other = np.where(DIES < 4, 0, 1)
    with_other = find_dies(pairs(), other_die=other).graph
    shared = other[with_other.first] == other[with_other.second]
    moved = with_other.weight - plain
    assert moved[shared].min() > 0 > moved[~shared].max()
    unknown = find_dies(pairs(), other_die=np.full(24, -1)).graph.weight
    np.testing.assert_array_equal(unknown, plain)


def test_memory_changes_nothing() -> None:
    first, second = np.triu_indices(24, 1)
    ratio = np.random.default_rng(0).normal(0, 6, len(first))
    every = np.ones(len(ratio), bool)
    table = PairTable(first, second, np.full(len(ratio), 0.5), ratio)
    judged = JudgedPairs(24, table, None, probability(ratio, 0.3), 0.3, every, every)
    memory = Memory()
    once, again = find_dies(judged, memory=memory), find_dies(judged, memory=memory)
    assert memory.used
    for found in (once, again):
        np.testing.assert_array_equal(found.labels, find_dies(judged).labels)


def test_a_constraint_on_a_coin_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="two different faces"):
        find_dies(pairs(), [Constraint(0, 24, True)])
