"""Which pairs are compared in detail: few of a large collection, and the dies are those of all."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import dieindex as di
from dieindex.calibration.distance import Calibration
from dieindex.calibration.fusion import VERIFIED, Fusion
from dieindex.calibration.judge_pairs import JudgedPairs, judge_pairs
from dieindex.clustering.doubts import suspected_errors
from dieindex.clustering.find_dies import find_dies
from dieindex.encoder.weights import INDEX, read_card
from dieindex.evaluation.partitions import adjusted_rand_index
from dieindex.records import Flags
from dieindex.storage.details import DetailStore
from dieindex.verification.candidates import (
    FaceVectors,
    all_pairs,
    candidate_pairs,
    sampled_pairs,
    worth_comparing,
)
from dieindex.verification.scorer import PairScorer, PairScores

CALIBRATION = Calibration.from_json(read_card().calibration_for(INDEX))
FUSION = Fusion.from_json(read_card().calibration_for(VERIFIED))


class Collection:
    """Coins of dies of several sizes on one frame; every tenth is worn, and its vector says less.
    A comparator that is nearly always right, asked pair by pair."""

    def __init__(self, seed: int = 0, dies: int = 40, frames: int = 1) -> None:
        rng = np.random.default_rng(seed)
        self.die = np.sort(rng.zipf(1.8, 4 * dies).clip(max=dies) - 1)
        n = len(self.die)
        noise = np.where(np.arange(n) % 10 == 0, 1.3, 0.6)[:, None]
        vectors = rng.normal(size=(dies, 64))[self.die] + noise * rng.normal(size=(n, 64))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        frame = np.arange(n) % frames
        self.faces = FaceVectors(np.arange(n), vectors.astype(np.float32), frame)
        first, second = sampled_pairs(self.faces)
        every = all_pairs(self.faces.vectors)
        key = np.isin(every.first * n + every.second, first * n + second)
        self.candidates = replace(every, sampled=key)
        self.same = self.die[every.first] == self.die[every.second]
        logit = np.where(self.same, 4.0, -6.0) + rng.normal(size=len(every))
        self.scores = PairScores(logit, np.ones(len(every)))

    def judge(self, scores: PairScores) -> JudgedPairs:
        return judge_pairs(
            self.candidates, scores, self.faces, calibration=CALIBRATION, fusion=FUSION
        )

    def compared(self) -> Flags:
        return worth_comparing(self.candidates, self.faces, 2.0)

    def found(self, compared: Flags) -> np.ndarray:
        return find_dies(self.judge(self.scores.only(compared))).labels


@pytest.fixture
def sampling_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dieindex.verification.candidates.SAMPLED", 500)
    monkeypatch.setattr("dieindex.verification.candidates.ALL_COMPARED", 500)


@pytest.mark.usefixtures("sampling_little")
@pytest.mark.parametrize("seed", range(4))
def test_few_pairs_are_compared_and_the_dies_are_those_of_all(seed: int) -> None:
    coins = Collection(seed)
    compared = coins.compared()
    assert compared.mean() < 0.25
    every = coins.found(np.ones(len(compared), bool))
    assert adjusted_rand_index(coins.found(compared).tolist(), every.tolist()) > 0.97


@pytest.mark.usefixtures("sampling_little")
def test_pairs_on_two_frames_are_never_compared() -> None:
    coins = Collection(frames=2)
    apart = coins.faces.frame[coins.candidates.first] != coins.faces.frame[coins.candidates.second]
    every = worth_comparing(coins.candidates, coins.faces, 2.0, np.arange(len(apart)))
    np.testing.assert_array_equal(every, ~apart)
    assert not (coins.compared() & apart).any()


def test_of_a_small_collection_every_pair_is_compared() -> None:
    coins = Collection(dies=10)
    coins.candidates = candidate_pairs(coins.faces, 2.0, lambda: pytest.fail("no search"))
    assert coins.candidates.sampled.all()
    assert coins.compared().all()


@pytest.mark.usefixtures("sampling_little")
def test_each_face_is_compared_with_its_nearest_with_those_sampled_and_those_named() -> None:
    coins = Collection()
    named = np.array([0, 17, len(coins.candidates) - 1])
    compared = worth_comparing(coins.candidates, coins.faces, 2.0, named)
    a, b = coins.candidates.first, coins.candidates.second
    wanted = coins.candidates.sampled.copy()
    wanted[named] = True
    for face in range(len(coins.faces)):
        own = np.flatnonzero((a == face) | (b == face))
        wanted[own[np.argsort(coins.candidates.distance[own], kind="stable")[:12]]] = True
    np.testing.assert_array_equal(compared, wanted)
    assert not compared.all()


def test_no_pair_no_question() -> None:
    none = FaceVectors(np.zeros(0, np.int64), np.zeros((0, 4), np.float32), np.zeros(0, np.int64))
    nothing = all_pairs(none.vectors)
    assert not len(worth_comparing(nothing, none, 2.0))


def test_an_index_asks_once_and_anew_where_scores_were_lost(
    compared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = Path(shutil.copytree(compared, tmp_path / "index"))
    monkeypatch.setattr("dieindex.verification.candidates.SAMPLED", 20)
    monkeypatch.setattr("dieindex.verification.candidates.ALL_COMPARED", 20)
    monkeypatch.setattr("dieindex.verification.candidates.NEAREST", 3)
    with DetailStore.open(index) as store, store.transaction():
        store.write("DELETE FROM pair_scores")
        store.write("DELETE FROM checksums WHERE kind = 'scores'")
    asked: list[int] = []
    look = PairScorer.score

    def counting(self: PairScorer, first, second):  # type: ignore[no-untyped-def]
        asked.append(len(first))
        return look(self, first, second)

    monkeypatch.setattr(PairScorer, "score", counting)
    dies = di.open_index(index).cluster("obverse").die_of
    count = sum(asked)
    assert 0 < count < len(di.open_index(index).pairs("obverse"))
    assert di.open_index(index).cluster("obverse").die_of == dies
    assert sum(asked) == count
    with DetailStore.open(index) as store, store.transaction():
        store.forget_scores(store.rows("SELECT first FROM pair_scores LIMIT 1")[0])
    assert di.open_index(index).cluster("obverse").die_of == dies
    assert sum(asked) > count


def test_a_candidate_without_a_score_is_judged_by_its_vectors() -> None:
    coins = Collection()
    compared = np.zeros(len(coins.candidates), bool)
    compared[:200] = True
    judged = coins.judge(coins.scores.only(compared))
    assert judged.judged.all()
    np.testing.assert_array_equal(judged.verified, compared)


@pytest.mark.usefixtures("sampling_little")
def test_wrong_labels_are_found_though_their_pairs_were_passed_over() -> None:
    coins = Collection(2)
    compared = coins.compared()
    graph = find_dies(coins.judge(coins.scores.only(compared))).graph
    labels: list[str | None] = [f"D{die}" for die in coins.die]
    large = np.flatnonzero(np.bincount(coins.die) >= 5)
    wrong = [int(np.flatnonzero(coins.die == die)[0]) for die in large[:3]]
    for coin, die in zip(wrong, np.roll(large[:3], 1), strict=True):
        labels[coin] = f"D{die}"
    # (Coins of which the sheet says nothing are no die together.)
    unknown = [k for k in range(len(labels)) if k % 7 == 3 and k not in wrong]
    for coin in unknown:
        labels[coin] = None
    found = {each.face for each in suspected_errors(labels, graph)}
    assert set(wrong) <= found
    assert not found & set(unknown)
    for each in suspected_errors(labels, graph):
        assert each.face in each.pair
