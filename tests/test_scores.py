"""Scores of one side: the evaluate contract, worked by hand and against plain definitions."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import sklearn.metrics as sk

from dieindex.evaluation import scores as scores_module
from dieindex.evaluation.scores import evaluate_side, score_dies

KEYS = {
    *("n", "labelled", "accuracy", "always_different", "ap", "auc", "ari", "ami"),
    *("pair_precision", "pair_recall", "pair_f1", "dies_true", "dies_found", "baselines"),
}
PARTITION_KEYS = {
    *("ari", "ami", "pair_precision", "pair_recall", "pair_f1", "dies_true", "dies_found")
}


def random_side(n=60, dies=20, share=0.3, seed=0):
    rng = np.random.default_rng(seed)
    coins = [f"c{i}" for i in range(n)]
    labels = {coin: f"O{rng.integers(dies)}" for coin in coins if rng.random() < 0.9}
    right = {c: labels[c] if c in labels and rng.random() < 0.8 else f"x{c}" for c in coins}
    found = {c: f"O{rng.integers(dies)}" if rng.random() < 0.2 else right[c] for c in coins}
    first, second = np.triu_indices(n, 1)
    kept = rng.random(len(first)) < share
    first, second = first[kept], second[kept]
    p = rng.choice([0.0, 0.2, 0.5, 0.7, 1.0], len(first))
    return coins, found, labels, first, second, p


def test_scores_by_hand():
    true = {"1": "A", "2": "A", "3": "B", "4": "B", "5": "C", "6": None}
    found = {"1": "O1", "2": "O1", "3": "O1", "4": "O2", "5": "O3", "6": "O1", "7": "O1"}
    scores = score_dies(found, true)
    # Together: 12, 13, 23, of which 12 is right; true pairs 12 and 34.
    assert scores["pair_precision"] == pytest.approx(1 / 3)
    assert scores["pair_recall"] == pytest.approx(1 / 2)
    assert scores["pair_f1"] == pytest.approx(2 / 5)
    assert (scores["coins"], scores["dies_true"], scores["dies_found"]) == (5, 3, 3)
    assert scores["ari"] == pytest.approx(sk.adjusted_rand_score([0, 0, 1, 1, 2], [1, 1, 1, 2, 3]))
    assert set(scores) >= PARTITION_KEYS


def test_no_common_coin_no_scores():
    assert score_dies({"1": "O1"}, {}) is None
    assert score_dies({"1": "O1"}, {"2": "A"}) is None
    assert score_dies({"1": "O1"}, {"1": None}) is None
    assert evaluate_side(["1", "2"], {"1": 1, "2": 1}, {}, [0], [1], [0.5]) is None


@pytest.mark.parametrize("seed", range(20))
def test_pairs_counted_together_measure_as_each_by_itself(seed, monkeypatch):
    """Under any weights of the dies; probabilities tie, also at 0 and at the decision."""
    coins, _, labels, first, second, p = random_side(n=40, dies=3 + seed, seed=seed)
    die = np.array([int(labels.get(coin, "O-1")[1:]) for coin in coins])
    together = scores_module._LabelledPairs(die, first, second, p)
    monkeypatch.setattr(scores_module, "_counted", lambda p, a, b: (p, a, b, np.ones(len(p))))
    apart = scores_module._LabelledPairs(die, first, second, p)
    assert len(together._count) < len(apart._count)
    rng = np.random.default_rng(seed)
    for weights in (np.ones(die.max() + 1), *rng.integers(0, 4, (5, die.max() + 1))):
        np.testing.assert_allclose(together.measure(weights)[1:], apart.measure(weights)[1:])
        assert together.measure(weights)[0] == apart.measure(weights)[0]


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_unlisted_pairs_count_as_probability_zero_among_all_labelled_pairs(share):
    coins, found, labels, first, second, p = random_side(share=share)
    result = evaluate_side(coins, found, labels, first, second, p, replicates=0)
    known = [i for i, coin in enumerate(coins) if coin in labels]
    claimed = np.zeros((len(coins), len(coins)))
    claimed[first, second] = p
    a, b = (np.array(known)[x] for x in np.triu_indices(len(known), 1))
    same = np.array([labels[coins[i]] == labels[coins[j]] for i, j in zip(a, b, strict=True)])
    assert result["ap"] == pytest.approx(sk.average_precision_score(same, claimed[a, b]))
    assert result["auc"] == pytest.approx(sk.roc_auc_score(same, claimed[a, b]))
    assert result["accuracy"] == pytest.approx(np.mean((claimed[a, b] >= 0.5) == same))
    assert result["always_different"] == pytest.approx(np.mean(~same))
    assert (result["n"], result["labelled"]) == (60, len(known))


def test_contract_and_json():
    result = evaluate_side(*random_side(), replicates=100)
    assert set(result) >= KEYS
    for name in ("all_singletons", "one_die"):
        assert set(result["baselines"][name]) == PARTITION_KEYS | {"accuracy"}
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_baselines_say_what_trivial_answers_score():
    result = evaluate_side(*random_side(), replicates=0)
    single, one = result["baselines"]["all_singletons"], result["baselines"]["one_die"]
    assert single["accuracy"] == result["always_different"]
    assert single["pair_precision"] is None
    assert single["pair_recall"] == single["ari"] == single["ami"] == 0.0
    assert single["dies_found"] == result["labelled"]
    assert one["accuracy"] == one["pair_precision"] == pytest.approx(1 - single["accuracy"])
    assert (one["pair_recall"], one["dies_found"], one["ari"]) == (1.0, 1, 0.0)


def test_scores_of_dies_are_those_over_labelled_coins():
    coins, found, labels, *pairs = random_side()
    result = evaluate_side(coins, found, labels, *pairs, replicates=0)
    alone = score_dies(found, labels)
    assert {key: result[key] for key in PARTITION_KEYS} == {
        key: alone[key] for key in PARTITION_KEYS
    }


def test_order_of_coins_and_pairs_does_not_matter():
    coins, found, labels, first, second, p = random_side()
    rng = np.random.default_rng(1)
    result = evaluate_side(coins, found, labels, first, second, p, replicates=0)
    rows, new = rng.permutation(len(p)), rng.permutation(len(coins))
    place = np.argsort(new)
    moved = evaluate_side(
        [coins[i] for i in new], found, labels, place[second][rows], place[first][rows], p[rows],
        replicates=0,
    )  # fmt: skip
    for key in KEYS - {"baselines"}:
        assert moved[key] == pytest.approx(result[key])


def test_intervals_hold_the_value_and_need_ten_dies():
    result = evaluate_side(*random_side(), replicates=200)
    for key in ("accuracy", "ap", "auc", "ari", "pair_precision", "pair_recall", "pair_f1"):
        low, high = result[f"{key}_interval"]
        assert low < result[key] < high
    few = evaluate_side(*random_side(dies=9), replicates=200)
    assert few["ap"] is not None
    assert few["ap_interval"] is None


def test_interval_of_ap_equals_the_bootstrap_written_out():
    coins, found, labels, first, second, p = random_side(n=30, dies=12, seed=3)
    result = evaluate_side(coins, found, labels, first, second, p, replicates=60, seed=9)
    known = [coin for coin in coins if coin in labels]
    dies = list(dict.fromkeys(labels[coin] for coin in known))
    position = {coin: i for i, coin in enumerate(coins)}
    listed = {(int(a), int(b)): float(x) for a, b, x in zip(first, second, p, strict=True)}
    rng = np.random.default_rng(9)
    values = []
    for _ in range(60):
        w = np.bincount(rng.integers(0, len(dies), len(dies)), minlength=len(dies))
        rows = []
        for j, other in enumerate(known):
            for one in known[:j]:
                a, b = w[dies.index(labels[one])], w[dies.index(labels[other])]
                same = labels[one] == labels[other]
                score = listed.get((position[one], position[other]), 0.0)
                rows.append((score, same, a if same else a * b))
        scores, same, weights = zip(*rows, strict=True)
        values.append(sk.average_precision_score(same, scores, sample_weight=weights))
    assert result["ap_interval"] == pytest.approx(np.quantile(values, [0.025, 0.975]).tolist())


def test_one_labelled_coin_and_no_two_alike():
    one = evaluate_side(["1", "2"], {"1": "O1", "2": "O1"}, {"1": "A"}, [0], [1], [0.9])
    assert (one["labelled"], one["accuracy"], one["ap"], one["ari"]) == (1, None, None, 1.0)
    apart = evaluate_side(["1", "2"], {"1": "O1", "2": "O2"}, {"1": "A", "2": "B"}, [0], [1], [0.1])
    assert (apart["accuracy"], apart["always_different"]) == (1.0, 1.0)
    assert apart["ap"] is apart["auc"] is apart["pair_recall"] is apart["pair_f1"] is None
    json.dumps([one, apart], allow_nan=False)


def test_wrong_input_is_refused():
    coins, labels = ["1", "2", "3"], {"1": "A", "2": "A"}
    found = dict.fromkeys(coins, "O1")
    for first, second, p, message in [
        ([0, 1], [1, 0], [0.5, 0.5], "listed twice"),
        ([0], [0], [0.5], "itself"),
        ([0], [3], [0.5], "does not exist"),
        ([0], [1], [math.nan], "0…1"),
        ([0], [1], [1.5], "0…1"),
        ([0, 1], [1], [0.5], "one entry a pair"),
    ]:
        with pytest.raises(ValueError, match=message):
            evaluate_side(coins, found, labels, first, second, p)
    with pytest.raises(ValueError, match="coin 2 is in no cluster"):
        evaluate_side(coins, {"1": "O1"}, labels, [0], [1], [0.5])
    with pytest.raises(ValueError, match="listed twice"):
        evaluate_side(["1", "1"], found, labels, [0], [1], [0.5])
