"""The benchmark of adapting measures what ships, and varies one step of it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from dieindex.api import Index
from dieindex.calibration.fusion import VERIFIED, Fusion
from dieindex.calibration.judge_pairs import JudgedPairs, judge_alone, judge_pairs
from dieindex.clustering.find_dies import find_dies
from dieindex.encoder.weights import read_card
from dieindex.records import SIDES, Side
from dieindex.verification.score_pairs import vectors_of
from dieindex.verification.scorer import PairScores
from tests.test_encoder_benchmark import benchmark


@pytest.fixture(params=[False, True], ids=["small", "large"])
def large(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Large: as if 3 coins were the most of which all pairs are compared."""
    if request.param:
        for name, value in (("ALL_PAIRS_UP_TO", 3), ("NEAREST", 2), ("SAMPLED", 8)):
            monkeypatch.setattr(f"dieindex.verification.candidates.{name}", value)
    return bool(request.param)


def assert_equal(one: JudgedPairs, other: JudgedPairs) -> None:
    assert (one.n, one.prior) == (other.n, other.prior)
    for name in ("first", "second", "distance", "log_likelihood_ratio"):
        np.testing.assert_array_equal(getattr(one.table, name), getattr(other.table, name))
    for name in ("probability", "judged", "verified"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("side", SIDES)
def test_an_adapted_collection_is_judged_as_the_index_judges_it(
    side: Side, large: bool, built: Path
) -> None:
    adapting, index = benchmark("adapting"), Index(built)
    (given,) = [each for each in adapting.indexed(built) if each.name.endswith(side)]
    shipped = index.pairs(side, verify=False)
    assert (len(shipped) < 28) == large
    assert_equal(adapting.judged_by(given, index.calibration), shipped.judgement)
    scored = adapting._scores(given, shipped.judgement)
    assert scored.dies_found == len(np.unique(find_dies(shipped.judgement).labels[given.die >= 0]))
    assert adapting.judged_by(given, index.calibration, adapt=False).prior != shipped.prior


def test_verified_pairs_are_those_that_the_library_gives(large: bool, built: Path) -> None:
    adapting, judging = benchmark("adapting"), benchmark("judging")
    index = Index(built)
    faces = vectors_of(index.faces(SIDES[0]))
    fusion = Fusion.from_json(read_card().calibration_for(VERIFIED))
    listed = judging.candidates_of(faces, index.calibration, verify=True)
    die = np.arange(len(faces)) // 2
    same = die[listed.first] == die[listed.second]
    scores = PairScores(np.where(same, 4.0, -6.0), np.ones(len(same)))
    options = {"calibration": index.calibration, "fusion": fusion}
    found = SimpleNamespace(
        pairs=judge_pairs(listed, scores, faces, **options),  # type: ignore[arg-type]
        alone=judge_alone(listed, scores, faces, **options),  # type: ignore[arg-type]
        faces=faces,
        sampled=listed.sampled,
    )
    ways = adapting.verified(adapting.Judged("", faces, listed, die, found), fusion)
    assert ways[adapting.ADAPTED].prior == found.pairs.prior
    assert ways[adapting.OWN].prior == ways[adapting.OWN].share == pytest.approx(4 / 28)
    assert (len(listed) < 28) == large


def test_accuracy_is_of_the_pairs_that_an_index_gives(large: bool, built: Path) -> None:
    encoder, measures = benchmark("encoder"), benchmark("encoder_measures")
    pairs = Index(built).pairs(SIDES[0], verify=False).judgement
    die = np.arange(pairs.n) // 2
    called = np.zeros((pairs.n, pairs.n), bool)
    called[pairs.table.first, pairs.table.second] = pairs.probability >= 0.5
    first, second = np.triu_indices(pairs.n, 1)
    same = die[first] == die[second]
    right, always = measures.accuracy(pairs, die)
    assert right == pytest.approx(np.mean(called[first, second] == same), abs=1e-12)
    assert always == pytest.approx(np.mean(~same), abs=1e-12)
    assert encoder.judge_pairs is judge_pairs


def test_two_files_are_judged_as_compare_judges_them(coins: Path) -> None:
    from dieindex.api.comparing import compare, cut_faces_of

    compared = benchmark("compare")
    paths = sorted(path for path in coins.rglob("*") if path.suffix in (".jpg", ".png"))[:2]
    shipped = compare(*paths)
    judge = compared.Judge(read_card().path)
    first, second = ({f.side: f for f in cut_faces_of(path, None)} for path in paths)
    verdicts = [shipped.obverse, shipped.reverse]
    assert any(verdicts)
    for side, verdict in zip(SIDES, verdicts, strict=True):
        if verdict is not None:
            found = judge.probability(judge.align(first[side], second[side]))
            assert found == verdict.probability
