"""Which coins are of one die: laws of the linkage, its prior, and names."""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from dieindex.calibration.prior import EXPECTED_PRIOR, PRIOR_CEILING, estimate_prior
from dieindex.calibration.two_kinds import TwoKinds
from dieindex.clustering.certainty import certainties
from dieindex.clustering.graph import signed_graph
from dieindex.clustering.linkage import NOT_LISTED, Links, cluster_graph, joining
from dieindex.clustering.membership import between_dies, memberships
from dieindex.clustering.numbering import name_dies
from dieindex.clustering.shortlists import FacesOnFrames
from dieindex.evaluation.partitions import adjusted_rand_index
from dieindex.records import Constraint
from dieindex.text import natural_key
from tests.clusters_for_tests import (
    CLEAN,
    USUAL,
    drawn_pairs,
    drawn_scores,
    graph_of_dies,
    judged_pairs,
    labels_of,
    pairs_of_dies,
    same_partition,
    some_dies,
)


@given(st.integers(0, 10**6), st.integers(2, 25), st.floats(0.1, 1.0), st.booleans())
@settings(max_examples=60, deadline=None)
def test_names_and_order_of_faces_and_pairs_do_not_matter(seed, n, share, shortlisted):
    rng = np.random.default_rng(seed)
    first, second = np.triu_indices(n, 1)
    score = drawn_scores(some_dies(n, rng), first, second, USUAL, rng)
    kept = rng.random(len(score)) < share
    first, second, score = first[kept], second[kept], score[kept]
    nearest = 4 if shortlisted else None
    graph = signed_graph(judged_pairs(n, first, second, score, nearest=nearest))
    found = cluster_graph(graph)

    rows = rng.permutation(len(score))
    reordered = judged_pairs(n, first[rows], second[rows], score[rows], nearest=nearest)
    assert (labels_of(reordered) == found).all()

    new = rng.permutation(n)
    a, b = new[first], new[second]
    turned = judged_pairs(n, np.minimum(a, b), np.maximum(a, b), score, nearest=nearest)
    renamed = cluster_graph(signed_graph(turned))
    assert same_partition(renamed[new], found)
    sure = certainties(renamed, signed_graph(turned))
    assert sure[new] == pytest.approx(certainties(found, graph))


@given(st.integers(0, 10**6), st.integers(1, 25))
@settings(max_examples=40, deadline=None)
def test_a_far_coin_changes_nothing(seed, n):
    rng = np.random.default_rng(seed)
    found = drawn_pairs(some_dies(n, rng), USUAL, rng)
    table, labels = found.table, labels_of(found)
    for far in ([], list(range(n))):
        more = judged_pairs(
            n + 1,
            np.append(table.first, far),
            np.append(table.second, [n] * len(far)),
            np.append(found.score, [-30.0] * len(far)),
        )
        grown = labels_of(more)
        assert (grown[:n] == labels).all()
        assert grown[n] == labels.max() + 1


def test_labels_count_from_zero_in_order_of_first_faces():
    assert labels_of(judged_pairs(5, [0, 1], [3, 4], [12.0, 12.0])).tolist() == [
        0,
        1,
        2,
        0,
        1,
    ]


def test_negative_evidence_alone_leaves_singletons():
    first, second = np.triu_indices(40, 1)
    score = -np.random.default_rng(0).random(len(first)) * 5
    pairs = judged_pairs(40, first, second, score)
    assert labels_of(pairs).tolist() == list(range(40))
    assert certainties(np.arange(40), signed_graph(pairs)).min() > 0.8


def test_no_faces_one_face_and_no_pairs():
    assert len(labels_of(judged_pairs(0, [], [], []))) == 0
    one = signed_graph(judged_pairs(1, [], [], []))
    assert cluster_graph(one).tolist() == [0]
    assert certainties(np.array([0]), one).tolist() == [1.0]
    assert labels_of(judged_pairs(4, [], [], [])).tolist() == [0, 1, 2, 3]


def test_two_coins_follow_their_evidence_and_how_rare_one_die_is():
    rare, common = replace(USUAL, share=0.001), replace(USUAL, share=0.3)
    for kinds, score, expected in (
        (USUAL, 10.0, [0, 0]),
        (USUAL, -6.0, [0, 1]),
        (rare, 3.5, [0, 1]),
        (common, 3.5, [0, 0]),
    ):
        assert labels_of(judged_pairs(2, [0], [1], [score], kinds=kinds)).tolist() == expected


@pytest.mark.parametrize("listed", [True, False])
def test_one_false_link_does_not_join_two_dies(listed):
    """Of six coins each, beside ten others; whether the shortlists named the pairs between the two
    dies or not."""
    true = np.append(np.repeat([0, 1], 6), np.arange(2, 12))
    first, second = np.triu_indices(22, 1)
    alike = true[first] == true[second]
    false_link = (first == 0) & (second == 6)
    score = np.where(alike, 10.0, np.where(false_link, 9.5, -5.0))
    kept = alike | false_link | (second >= 12) | listed
    nearest = None if listed else 16
    pairs = judged_pairs(22, first[kept], second[kept], score[kept], nearest=nearest)
    assert labels_of(pairs).tolist() == true.tolist()


@pytest.mark.parametrize("score", [-6.0, -12.0])
def test_one_lost_pair_does_not_split_a_die(score):
    assert labels_of(pairs_of_dies([0] * 5, p0_1=score)).tolist() == [0] * 5


def test_a_worn_coin_stays_with_its_die():
    """All its pairs say little, as its wear is in each; a single pair that says as much is none."""
    worn = {f"p{k}_6": 4.2 for k in range(6)}
    assert labels_of(pairs_of_dies([0] * 7, **worn)).tolist() == [0] * 7
    assert labels_of(pairs_of_dies([0, 1], p0_1=4.2)).tolist() == [0, 1]


@pytest.mark.parametrize("nearest", [None, 50])
def test_groups_between_which_no_pair_is_listed_are_never_joined(nearest):
    first, second = np.triu_indices(8, 1)
    inside = (first < 4) == (second < 4)
    score = np.full(int(inside.sum()), 12.0)
    pairs = judged_pairs(8, first[inside], second[inside], score, nearest=nearest)
    assert labels_of(pairs).tolist() == [0] * 4 + [1] * 4


@pytest.mark.parametrize("seed", range(3))
def test_planted_dies_of_singletons_and_pairs_are_found(seed):
    rng = np.random.default_rng(seed)
    true = some_dies(200, rng)
    kinds = replace(USUAL, centre=-7.0, share=0.015)
    pairs = drawn_pairs(true, kinds, rng)
    found = adjusted_rand_index(labels_of(pairs).tolist(), true.tolist())
    assert found > 0.9
    # As chains of likely pairs they are not.
    likely = kinds.joining(pairs.score) > 0
    table = pairs.table
    links = (np.ones(likely.sum()), (table.first[likely], table.second[likely]))
    chained = connected_components(coo_array(links, shape=(200, 200)), directed=False)[1]
    assert found > adjusted_rand_index(chained.tolist(), true.tolist()) + 0.02


@pytest.mark.parametrize("seed", range(2))
def test_a_clean_collection_is_found_as_it_is(seed):
    rng = np.random.default_rng(seed)
    true = some_dies(150, rng)
    assert same_partition(labels_of(drawn_pairs(true, CLEAN, rng)), true)


def shortlists(true, rng, *, nearest, spread=0.3, dimensions=12):
    """Pairs of each coin with its nearest, by points about those of their dies, with scores drawn
    beside."""
    from scipy.spatial import cKDTree

    n = len(true)
    middle = rng.normal(size=(int(true.max()) + 1, dimensions))
    points = middle[true] + spread * rng.normal(size=(n, dimensions))
    _, near = cKDTree(points).query(points, nearest + 1)
    a, b = np.repeat(np.arange(n), nearest), near[:, 1:].ravel()
    key = np.unique(np.minimum(a, b) * n + np.maximum(a, b))
    first, second = key // n, key % n
    kinds = TwoKinds(centre=-6.0, share=float((np.bincount(true) ** 2).sum() - n) / (n * (n - 1)))
    score = drawn_scores(true, first, second, kinds, rng)
    return judged_pairs(n, first, second, score, kinds=kinds, nearest=nearest)


def test_a_die_of_more_coins_than_a_shortlist_holds_is_not_split():
    rng = np.random.default_rng(0)
    true = rng.permutation(np.append(np.zeros(500, np.int64), np.arange(1, 101)))
    pairs = shortlists(true, rng, nearest=50)
    assert len(pairs) < 30_000 < 500 * 499 // 2
    labels = labels_of(pairs)
    of_die = np.bincount(labels[true == 0])
    assert of_die.max() >= 490
    # Hardly a coin of another die is drawn in.
    assert (labels[true != 0] == of_die.argmax()).sum() <= 3


def test_pairs_that_are_not_listed_speak_against_groups_whose_lists_had_room():
    """Two dies of six coins, of which two listed pairs link one to the other; the shortlists hold
    ten coins of other dies besides, or none. On two frames the others could not be listed."""
    first, second = np.triu_indices(22, 1)
    inside = (second < 12) & ((first < 6) == (second < 6))
    link = (second == first + 6) & (first < 2)
    other = (first < 12) & (second >= 12)
    one, two, some = np.zeros(22, np.int64), np.arange(22) // 6 % 2, np.arange(22) // 3 % 2
    for kept, nearest, frame, dies in (
        (inside | link | other, 20, one, 12),
        (inside | link, 20, one, 11),
        (inside | link | other, None, one, 11),
        (inside | link | other, 20, two, 11),
        (inside | link | other, 20, np.where(two, 1, -1), 11),
        (inside | link | other, 20, some, 12),
    ):
        score = np.where(inside, 10.0, np.where(link, 9.0, -9.0))[kept]
        pairs = judged_pairs(22, first[kept], second[kept], score, nearest=nearest)
        assert labels_of(replace(pairs, frame=frame)).max() + 1 == dies


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 3)), max_size=30))
def test_shortlists_hold_pairs_of_one_frame(faces):
    group, frame = np.array(faces, np.int64).reshape(-1, 2).T
    found = FacesOnFrames(np.append(group, 4), np.append(frame, -1))
    one, other = np.indices((5, 5)).reshape(2, -1)
    there = [Counter(frame[(group == each) & (frame >= 0)].tolist()) for each in range(5)]
    expected = [
        sum(there[a][each] * there[b][each] for each in range(4))
        for a, b in zip(one, other, strict=True)
    ]
    assert found.pairs(one, other).tolist() == expected
    of, on = np.indices((5, 5)).reshape(2, -1)
    assert found.on(of, on - 1).tolist() == [there[a][b - 1] for a, b in zip(of, on, strict=True)]


def test_what_several_frames_could_list_by_hand():
    """Between two dies of coins of two frames, and of each coin with a die."""
    rng = np.random.default_rng(5)
    frame = np.repeat([0, 1], 6)[rng.permutation(12)]
    first, second = np.triu_indices(12, 1)
    kept = (frame[first] == frame[second]) & (rng.random(66) < 0.7) | (rng.random(66) < 0.1)
    score = rng.normal(2.0, 6.0, 66)[kept]
    pairs = replace(judged_pairs(12, first[kept], second[kept], score, nearest=6), frame=frame)
    graph = signed_graph(pairs)
    half = np.arange(12) % 2
    (between,) = between_dies(half, graph).log_odds
    apart = half[graph.first] != half[graph.second]
    same_frame = frame[:, None] == frame
    listable = same_frame[half == 0][:, half == 1].sum()
    room = min(graph.room[half == 0].sum(), graph.room[half == 1].sum())
    links = (graph.score[apart].sum(), apart.sum(), 6.0, 6.0, listable, room)
    (by_hand,) = joining(graph, Links(*(np.array([float(each)]) for each in links)))
    assert between == pytest.approx(np.clip(by_hand, -10, 10))
    known = memberships(np.zeros(12, np.int64), graph)
    for face, found in zip(known.face.tolist(), known.log_odds.tolist(), strict=True):
        mine = (graph.first == face) | (graph.second == face)
        listable = same_frame[face].sum() - 1
        room = min(graph.room.sum() - graph.room[face], graph.room[face])
        links = (graph.score[mine].sum(), mine.sum(), 1.0, 11.0, listable, room)
        (by_hand,) = joining(graph, Links(*(np.array([float(each)]) for each in links)))
        assert found == pytest.approx(np.clip(by_hand, -10, 10))


def test_what_is_not_listed_by_hand():
    """Of 4 coins with 6, whose lists have room for 20 more, 20 of 24 pairs should be listed."""
    graph = signed_graph(judged_pairs(10, [0], [4], [8.0], nearest=10))
    one = Links(*(np.array([value]) for value in (8.0, 1.0, 4.0, 6.0, 24.0, 20.0)))
    mean = (8.0 + 19 * float(graph.kinds.score_of(NOT_LISTED))) / 20
    assert joining(graph, one).item() == graph.kinds.joining(mean, 4, 6, 20)
    every = signed_graph(judged_pairs(10, [0], [4], [8.0]))
    assert joining(every, one).item() == graph.kinds.joining(8.0, 4, 6, 1)


def test_room_is_half_of_what_speaks_for_different_dies():
    graph = signed_graph(judged_pairs(4, [0, 0, 0], [1, 2, 3], [12.0, -9.0, -9.0], nearest=5))
    assert graph.room.tolist() == [1.0, 0.0, 0.5, 0.5]


def test_large_sparse_and_dense_graphs_are_quick():
    rng = np.random.default_rng(1)
    true = some_dies(20_000, rng)
    pairs = shortlists(true, rng, nearest=5, dimensions=6)
    assert len(pairs) > 60_000
    start = time.process_time()
    labels_of(pairs)
    sparse = time.process_time() - start
    pairs = drawn_pairs(some_dies(600, rng), USUAL, rng)
    start = time.process_time()
    labels_of(pairs)
    dense = time.process_time() - start
    # Half a second each of one core's work.
    assert sparse < 6
    assert dense < 4


@pytest.mark.parametrize(
    ("first", "second", "score", "message"),
    [
        ([0, 0], [1, 1], [1.0, 2.0], "listed twice"),
        ([1], [0], [1.0], "first < second"),
        ([0], [3], [1.0], "first < second"),
        ([-1], [1], [1.0], "first < second"),
        ([0], [1], [math.nan], "not a number"),
    ],
)
def test_wrong_pairs_are_refused(first, second, score, message):
    with pytest.raises(ValueError, match=message):
        signed_graph(judged_pairs(3, first, second, score))


class TestVerdicts:
    @given(st.integers(0, 10**6), st.integers(0, 12))
    @settings(max_examples=60, deadline=None)
    def test_what_holds_of_them_is_never_broken(self, seed, many):
        rng = np.random.default_rng(seed)
        pairs = drawn_pairs(rng.integers(0, 5, 16), USUAL, rng)
        said = []
        for _ in range(many):
            a, b = rng.choice(16, 2, replace=False).tolist()
            said.append(Constraint(a, b, bool(rng.random() < 0.5)))
        graph = signed_graph(pairs, said)
        labels = cluster_graph(graph)
        assert (labels[graph.together[:, 0]] == labels[graph.together[:, 1]]).all()
        assert (labels[graph.apart[:, 0]] != labels[graph.apart[:, 1]]).all()

    def test_different_holds_all_coins_of_two_groups_apart(self):
        """Persons joined three and three; one "different" between them is of all nine pairs."""
        joined = [Constraint(a, b, True) for a, b in ((0, 1), (1, 2), (3, 4), (4, 5))]
        alike = [0] * 6
        assert cluster_graph(graph_of_dies(alike, joined)).tolist() == alike
        apart = cluster_graph(graph_of_dies(alike, [*joined, Constraint(2, 3, False)]))
        assert apart.tolist() == [0, 0, 0, 1, 1, 1]

    def test_same_of_a_coin_that_the_machine_sees_badly_parts_no_die(self):
        """A person adds a coin to a die of four whose pictures say otherwise: all five stay."""
        graph = graph_of_dies([0, 0, 0, 0, 1], [Constraint(0, 4, True)])
        assert cluster_graph(graph).tolist() == [0] * 5


def test_certainty_by_hand():
    """Dies {0, 1}, {2}, {3}: of a coin the share of its story among all that may be."""
    pairs = judged_pairs(4, [0, 0, 1, 2], [1, 2, 2, 3], [8.0, 4.0, 3.0, 3.5])
    graph = signed_graph(pairs)

    def odds(score, coins, number):
        return math.exp(min(float(USUAL.joining(score, 1, coins, number)), 10.0))

    one, pair_to_2, of_3 = odds(8.0, 1, 1), odds(3.5, 2, 2), odds(3.5, 1, 1)
    expected = [
        one / (one + odds(4.0, 1, 1) + 1),
        one / (one + odds(3.0, 1, 1) + 1),
        1 / (pair_to_2 + of_3 + 1),
        1 / (of_3 + 1),
    ]
    assert certainties(np.array([0, 0, 1, 2]), graph).tolist() == pytest.approx(expected)


def test_certainty_tells_right_places_from_wrong_ones():
    from dieindex.evaluation.probabilities import calibration_error
    from dieindex.evaluation.ranking import roc_auc

    rng = np.random.default_rng(0)
    certainty, right = [], []
    kinds = replace(USUAL, centre=-3.0, place=7.0, share=0.02)
    for _ in range(6):
        true = some_dies(120, rng)
        graph = signed_graph(drawn_pairs(true, kinds, rng))
        labels = cluster_graph(graph)
        alike = (true[:, None] == true) & ~np.eye(120, dtype=bool)
        joined = (labels[:, None] == labels) & ~np.eye(120, dtype=bool)
        good = np.where(
            joined.any(axis=1), 2 * (alike & joined).sum(axis=1) > joined.sum(axis=1),
            ~alike.any(axis=1),
        )  # fmt: skip
        certainty.append(certainties(labels, graph))
        right.append(good)
    sure, good = np.concatenate(certainty), np.concatenate(right)
    assert ((sure >= 0) & (sure <= 1)).all()
    assert 0.5 < good.mean() < 0.99
    assert roc_auc(sure, good) > 0.7
    assert calibration_error(sure, good) < 0.1


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
def test_prior_is_recovered_from_the_ratios_alone(share):
    rng = np.random.default_rng(0)
    same = rng.random(20_000) < share
    # Equal Gaussians two standard deviations apart: ratio ±2 on average, spread 2.
    llr = np.where(same, rng.normal(2, 2, 20_000), rng.normal(-2, 2, 20_000))
    assert estimate_prior(llr, 20_000) == pytest.approx(share, rel=0.25)


def test_prior_counts_unlisted_pairs_as_different():
    llr = np.array([20.0] * 100)
    assert estimate_prior(llr, 10_000) == pytest.approx(0.01, rel=0.05)
    assert estimate_prior(llr, 1_000_000) == pytest.approx(0.0001, rel=0.05)


def test_prior_of_next_to_nothing_and_of_extremes():
    assert estimate_prior(np.array([]), 0) == pytest.approx(EXPECTED_PRIOR)
    assert estimate_prior(np.array([30.0]), 1) < 0.15
    assert estimate_prior(np.full(4000, 30.0), 4000) == PRIOR_CEILING
    assert estimate_prior(np.full(4000, math.inf), 4000) == PRIOR_CEILING
    assert 0 < estimate_prior(np.full(4000, -math.inf), 4000) < 0.001
    with pytest.raises(ValueError, match="exist"):
        estimate_prior(np.zeros(4), 3)
    with pytest.raises(ValueError, match="not a number"):
        estimate_prior(np.array([math.nan]), 3)


def test_dies_are_named_largest_first_then_by_natural_order():
    coins = ["10", "2", "1", "7", "3", "12"]
    names = name_dies([5, 5, 9, 9, 4, 4], coins, "obverse")
    assert dict(zip(coins, names, strict=True)) == {
        "1": "O1", "7": "O1", "2": "O2", "10": "O2", "3": "O3", "12": "O3",
    }  # fmt: skip
    assert name_dies([0, 1, 1], ["1", "2", "3"], "reverse") == ["R2", "R1", "R1"]
    assert name_dies([], [], "reverse") == []
    with pytest.raises(ValueError, match="every coin once"):
        name_dies([0, 1], ["1", "1"], "obverse")
    with pytest.raises(ValueError, match="one label a coin"):
        name_dies([0], ["1", "2"], "obverse")


def test_natural_order():
    names = ["b", "a10", "10", "A2", "2", "a2", "", "01", "1", "²"]
    ordered = sorted(names, key=natural_key)
    assert ordered.index("2") < ordered.index("10") < ordered.index("A2") < ordered.index("a10")
    assert ordered == sorted(sorted(names), key=natural_key)


@given(st.lists(st.text(max_size=6), min_size=1, max_size=12, unique=True), st.data())
@settings(deadline=None)
def test_names_do_not_depend_on_the_order_of_coins(coins, data):
    labels = data.draw(st.lists(st.integers(0, 4), min_size=len(coins), max_size=len(coins)))
    order = data.draw(st.permutations(range(len(coins))))
    named = dict(zip(coins, name_dies(labels, coins, "obverse"), strict=True))
    moved = name_dies([labels[i] for i in order], [coins[i] for i in order], "obverse")
    assert moved == [named[coins[i]] for i in order]


def test_weak_ratios_that_all_lean_one_way_do_not_make_half_of_the_collection_one_die():
    """Ratios fitted elsewhere lean: 91 coins, every pair a little nearer than the calibration's."""
    rng = np.random.default_rng(5)
    llr = rng.normal(0.1, 0.3, 91 * 90 // 2)
    share = estimate_prior(llr, len(llr))
    assert share < 0.25
    kinds = replace(USUAL, share=share)
    first, second = np.triu_indices(91, 1)
    labels = labels_of(judged_pairs(91, first, second, kinds.score_of(llr), kinds=kinds))
    assert len(np.unique(labels)) > 60
