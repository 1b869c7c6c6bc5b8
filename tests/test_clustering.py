"""Average linkage on the signed graph, its prior, certainties and names."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform

from dieindex.calibration.prior import EXPECTED_PRIOR, PRIOR_CEILING, estimate_prior
from dieindex.clustering.certainty import certainties
from dieindex.clustering.graph import signed_graph
from dieindex.clustering.linkage import average_linkage
from dieindex.clustering.numbering import name_dies
from dieindex.evaluation.partitions import adjusted_rand_index
from dieindex.records import PairTable
from dieindex.text import natural_key
from tests.clusters_for_tests import cluster_pairs


def table(first, second, llr):
    first, second = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    llr = np.asarray(llr, dtype=np.float64)
    return PairTable(first, second, np.zeros(len(llr)), llr)


def same_partition(one, other):
    return adjusted_rand_index(np.asarray(one).tolist(), np.asarray(other).tolist()) == 1.0


def all_pairs(n, rng, true=None, same=(4.0, 2.0), different=(-4.0, 2.0)):
    first, second = np.triu_indices(n, 1)
    if true is None:
        return first, second, rng.normal(size=len(first)) * 3
    alike = true[first] == true[second]
    llr = np.where(alike, rng.normal(*same, len(first)), rng.normal(*different, len(first)))
    return first, second, llr


def die_study(n, rng):
    """True dies of ``n`` coins: nearly all singletons and pairs, in random order."""
    sizes = rng.choice([1, 1, 1, 2, 2, 3, 8], n)
    return rng.permutation(np.repeat(np.arange(n), sizes)[:n])


@pytest.mark.parametrize("n", [2, 5, 30, 91])
@pytest.mark.parametrize("seed", range(5))
def test_dense_graphs_cluster_as_scipys_average_linkage(n, seed):
    rng = np.random.default_rng(seed)
    first, second, weight = all_pairs(n, rng)
    labels = average_linkage(n, first, second, weight)
    top = weight.max() + 1
    tree = linkage(top - weight, method="average")
    assert same_partition(labels, fcluster(tree, top, criterion="distance"))


@pytest.mark.parametrize("seed", range(5))
def test_missing_pairs_count_as_their_weak_weight(seed):
    rng = np.random.default_rng(seed)
    first, second, weight = all_pairs(60, rng, die_study(60, rng))
    kept = rng.random(len(weight)) < 0.4
    sparse = average_linkage(60, first[kept], second[kept], weight[kept], -0.5)
    full = np.where(kept, weight, -0.5)
    top = full.max() + 1
    tree = linkage(squareform(squareform(top - full)), method="average")
    assert same_partition(sparse, fcluster(tree, top, criterion="distance"))
    assert same_partition(sparse, average_linkage(60, first, second, full, -3.0))


@given(st.integers(0, 10**6), st.integers(2, 25), st.floats(0.1, 1.0))
@settings(max_examples=40, deadline=None)
def test_names_and_order_of_faces_and_pairs_do_not_matter(seed, n, share):
    rng = np.random.default_rng(seed)
    first, second, llr = all_pairs(n, rng, die_study(n, rng), (1.0, 3.0), (-1.0, 3.0))
    kept = rng.random(len(llr)) < share
    first, second, llr = first[kept], second[kept], llr[kept]
    found = cluster_pairs(n, table(first, second, llr), 0.3)

    rows = rng.permutation(len(llr))
    reordered = cluster_pairs(n, table(first[rows], second[rows], llr[rows]), 0.3)
    assert (reordered.labels == found.labels).all()
    assert (reordered.certainty == found.certainty).all()

    new = rng.permutation(n)
    a, b = new[first], new[second]
    renamed = cluster_pairs(n, table(np.minimum(a, b), np.maximum(a, b), llr), 0.3)
    assert same_partition(renamed.labels[new], found.labels)
    assert renamed.certainty[new] == pytest.approx(found.certainty)


@given(st.integers(0, 10**6), st.integers(1, 25))
@settings(max_examples=40, deadline=None)
def test_a_far_coin_changes_nothing(seed, n):
    rng = np.random.default_rng(seed)
    first, second, llr = all_pairs(n, rng, die_study(n, rng), (1.0, 3.0), (-1.0, 3.0))
    found = cluster_pairs(n, table(first, second, llr), 0.2)
    for far in ([], list(range(n))):
        more = table(
            np.append(first, far),
            np.append(second, [n] * len(far)),
            np.append(llr, [-30.0] * len(far)),
        )
        grown = cluster_pairs(n + 1, more, 0.2)
        assert (grown.labels[:n] == found.labels).all()
        assert grown.labels[n] == found.labels.max() + 1
        assert grown.certainty[:n] == pytest.approx(found.certainty, abs=1e-4)
        assert grown.certainty[n] > 0.99


def test_the_nearer_of_two_equal_pairs_goes_first():
    # Coin 1 fits 0 and 2 alike, which exclude each other; only the distance tells.
    for near, expected in ((0, [0, 0, 1]), (1, [0, 1, 1])):
        distance = np.where(np.arange(3) == near, 0.2, 0.3)
        llr = np.array([4.0, 4.0, -8.0])
        pairs = PairTable(np.array([0, 1, 0]), np.array([1, 2, 2]), distance, llr)
        assert cluster_pairs(3, pairs, 0.5).labels.tolist() == expected


def test_labels_count_from_zero_in_order_of_first_faces():
    found = cluster_pairs(5, table([0, 1], [3, 4], [9.0, 9.0]), 0.5)
    assert found.labels.tolist() == [0, 1, 2, 0, 1]


def test_negative_evidence_alone_leaves_singletons():
    rng = np.random.default_rng(0)
    first, second = np.triu_indices(40, 1)
    found = cluster_pairs(40, table(first, second, -rng.random(len(first)) * 5))
    assert found.labels.tolist() == list(range(40))
    assert found.certainty.min() > 0.8


def test_no_faces_one_face_and_no_pairs():
    none = cluster_pairs(0, table([], [], []))
    assert (len(none.labels), len(none.certainty)) == (0, 0)
    one = cluster_pairs(1, table([], [], []))
    assert (one.labels.tolist(), one.certainty.tolist()) == ([0], [1.0])
    assert cluster_pairs(4, table([], [], [])).labels.tolist() == [0, 1, 2, 3]


def test_two_coins_follow_their_evidence():
    assert cluster_pairs(2, table([0], [1], [8.0])).labels.tolist() == [0, 0]
    assert cluster_pairs(2, table([0], [1], [-8.0])).labels.tolist() == [0, 1]
    # A ratio of 3 to 1 does not outweigh that same-die pairs are rare.
    assert cluster_pairs(2, table([0], [1], [math.log(3)])).labels.tolist() == [0, 1]


@pytest.mark.parametrize("listed", [True, False])
def test_one_false_link_does_not_join_two_dies(listed):
    """Whether the pairs between the two dies were compared or not."""
    true = np.repeat([0, 1], 6)
    first, second = np.triu_indices(12, 1)
    alike = true[first] == true[second]
    false_link = (first == 0) & (second == 6)
    llr = np.where(alike, 5.0, np.where(false_link, 4.5, -5.0))
    kept = alike | false_link | listed
    pairs = table(first[kept], second[kept], llr[kept])
    assert cluster_pairs(12, pairs, 0.5).labels.tolist() == true.tolist()


def test_one_lost_pair_does_not_split_a_die():
    first, second = np.triu_indices(5, 1)
    llr = np.where((first == 0) & (second == 1), -50.0, 5.0)
    assert cluster_pairs(5, table(first, second, llr), 0.5).labels.tolist() == [0] * 5


@pytest.mark.parametrize("seed", range(3))
def test_planted_dies_of_singletons_and_pairs_are_found(seed):
    rng = np.random.default_rng(seed)
    true = die_study(200, rng)
    first, second, llr = all_pairs(200, rng, true, (9.0, 3.0), (-4.0, 2.0))
    found = cluster_pairs(200, table(first, second, llr))
    assert adjusted_rand_index(found.labels.tolist(), true.tolist()) > 0.93
    prior = estimate_prior(llr, len(llr))
    positive = llr + math.log(prior / (1 - prior)) > 0
    graph = coo_array(
        (np.ones(positive.sum()), (first[positive], second[positive])), shape=(200, 200)
    )
    components = connected_components(graph, directed=False)[1]
    chained = adjusted_rand_index(components.tolist(), true.tolist())
    assert adjusted_rand_index(found.labels.tolist(), true.tolist()) >= chained


def shortlists(rng, n, size, noise=0.45, k=7):
    """Nearest-neighbour pairs of vectors round their die's centre, with Gaussian ratios."""
    from scipy.spatial import cKDTree

    true = rng.permutation(np.repeat(np.arange(n), rng.choice(size, n))[:n])
    points = rng.normal(size=(n, 8))[true] + noise * rng.normal(size=(n, 8))
    _, near = cKDTree(points).query(points, k + 1)
    a, b = np.repeat(np.arange(n), k), near[:, 1:].ravel()
    key = np.unique(np.minimum(a, b) * n + np.maximum(a, b))
    first, second = key // n, key % n
    square = np.sum((points[first] - points[second]) ** 2, axis=1)
    same, different = 2 * noise**2, 2 * (1 + noise**2)
    llr = 4 * math.log(different / same) - square / 2 * (1 / same - 1 / different)
    return true, first, second, llr


def test_shortlists_of_noisy_neighbours_do_not_chain():
    true, first, second, llr = shortlists(np.random.default_rng(0), 3000, [1, 1, 2, 3, 6], 0.2)
    found = cluster_pairs(3000, table(first, second, llr))
    score = adjusted_rand_index(found.labels.tolist(), true.tolist())
    positive = llr + math.log(0.001) > 0
    graph = coo_array(
        (np.ones(positive.sum()), (first[positive], second[positive])), shape=(3000, 3000)
    )
    chained = adjusted_rand_index(
        connected_components(graph, directed=False)[1].tolist(), true.tolist()
    )
    assert score > 0.75
    assert score > chained + 0.1


def test_large_sparse_and_dense_graphs_are_quick():
    _, first, second, llr = shortlists(np.random.default_rng(1), 20_000, [1, 1, 2, 3, 6], 0.2, 5)
    assert len(llr) > 60_000
    start = time.process_time()
    cluster_pairs(20_000, table(first, second, llr))
    sparse = time.process_time() - start
    rng = np.random.default_rng(1)
    pairs = table(*all_pairs(600, rng, die_study(600, rng)))
    start = time.process_time()
    cluster_pairs(600, pairs)
    dense = time.process_time() - start
    # Half a second each of one core's work.
    assert sparse < 6
    assert dense < 4


@pytest.mark.parametrize(
    ("first", "second", "llr", "message"),
    [
        ([0, 0], [1, 1], [1.0, 2.0], "listed twice"),
        ([1], [0], [1.0], "first < second"),
        ([0], [3], [1.0], "first < second"),
        ([-1], [1], [1.0], "first < second"),
        ([0], [1], [math.nan], "not a number"),
    ],
)
def test_wrong_pairs_are_refused(first, second, llr, message):
    with pytest.raises(ValueError, match=message):
        cluster_pairs(3, table(first, second, llr))


def test_wrong_options_are_refused():
    pairs = table([0], [1], [1.0])
    for prior in (0.0, 1.0, math.nan):
        with pytest.raises(ValueError, match="prior"):
            cluster_pairs(3, pairs, prior)
    with pytest.raises(ValueError, match="negative"):
        cluster_pairs(3, pairs, missing_weight=0.0)


def test_infinite_ratios_are_as_sure_as_any():
    found = cluster_pairs(3, table([0, 0, 1], [1, 2, 2], [math.inf, -math.inf, -math.inf]), 0.5)
    assert found.labels.tolist() == [0, 0, 1]
    assert found.certainty.min() > 0.999


def test_certainty_by_hand():
    # Dies {0, 1}, {2}, {3}. Log-odds as posteriors: 01 0.8, 02 0.5, 12 0.2, 23 0.3.
    p = np.array([0.8, 0.5, 0.2, 0.3])
    first, second = np.array([0, 0, 1, 2]), np.array([1, 2, 2, 3])
    graph = signed_graph(4, table(first, second, np.log(p / (1 - p))), 0.5)
    certainty = certainties(np.array([0, 0, 1, 2]), graph)
    # Coin 0: odds 4 to its die, 1 to coin 2's, 1 to none; coin 1: 4, 1/4 and 1. Coin 2: to die
    # {0, 1} the geometric mean of 1 and 1/4, to coin 3 odds 3/7. Coin 3: 3/7 to coin 2.
    expected = [4 / 6, 4 / 5.25, 1 / (1 + 0.5 + 3 / 7), 0.7]
    assert certainty.tolist() == pytest.approx(expected)


def test_certainty_tells_right_places_from_wrong_ones():
    from dieindex.evaluation.probabilities import calibration_error
    from dieindex.evaluation.ranking import roc_auc

    rng = np.random.default_rng(0)
    certainty, right = [], []
    for _ in range(6):
        true = die_study(120, rng)
        centre, noise = rng.normal(size=(120, 16)), 0.65 * rng.lognormal(0, 0.3, 120)
        points = centre[true] + noise[:, None] * rng.normal(size=(120, 16))
        first, second = np.triu_indices(120, 1)
        square = np.sum((points[first] - points[second]) ** 2, axis=1)
        mean = noise[first] ** 2 + noise[second] ** 2
        llr = 8 * np.log((2 + mean) / mean) - square / 2 * (1 / mean - 1 / (2 + mean))
        found = cluster_pairs(120, table(first, second, llr))
        alike = (true[:, None] == true) & ~np.eye(120, dtype=bool)
        joined = (found.labels[:, None] == found.labels) & ~np.eye(120, dtype=bool)
        good = np.where(
            joined.any(axis=1), 2 * (alike & joined).sum(axis=1) > joined.sum(axis=1),
            ~alike.any(axis=1),
        )  # fmt: skip
        certainty.append(found.certainty)
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


def test_weak_ratios_that_all_lean_one_way_do_not_join_the_collection():
    """Ratios fitted elsewhere lean: 91 coins, every pair a little nearer than the calibration's."""
    rng = np.random.default_rng(5)
    llr = rng.normal(0.1, 0.3, 91 * 90 // 2)
    assert estimate_prior(llr, len(llr)) < 0.25
    first, second = np.triu_indices(91, 1)
    labels = cluster_pairs(91, PairTable(first, second, np.ones(len(llr)), llr)).labels
    assert len(np.unique(labels)) > 60
