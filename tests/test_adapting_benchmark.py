"""The benchmark of adapting measures what ships, and varies one step of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dieindex.api import Index
from dieindex.calibration.judge_pairs import JudgedPairs, judge_pairs
from dieindex.calibration.two_kinds import TWO_FILES
from dieindex.clustering.find_dies import find_dies
from dieindex.encoder.weights import read_card
from dieindex.records import SIDES, Side
from tests.test_encoder_benchmark import benchmark


@pytest.fixture(params=[False, True], ids=["small", "large"])
def large(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Large: as if 3 coins were the most of which all pairs are compared."""
    if request.param:
        for name, value in (
            ("ALL_PAIRS_UP_TO", 3),
            ("LISTED", 2),
            ("SAMPLED", 8),
            ("ALL_COMPARED", 8),
        ):
            monkeypatch.setattr(f"dieindex.verification.candidates.{name}", value)
    return bool(request.param)


def assert_equal(one: JudgedPairs, other: JudgedPairs) -> None:
    assert (one.n, one.kinds, one.in_all) == (other.n, other.kinds, other.in_all)
    for name in ("first", "second", "distance", "log_likelihood_ratio"):
        np.testing.assert_array_equal(getattr(one.table, name), getattr(other.table, name))
    for name in ("score", "judged", "verified", "sampled"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("side", SIDES)
def test_an_adapted_collection_is_judged_as_the_index_judges_it(
    side: Side, large: bool, built: Path
) -> None:
    adapting, index = benchmark("adapting"), Index(built)
    (seen,) = [each for each in adapting.indexed(built) if each.name.endswith(side)]
    shipped = index.pairs(side, verify=False)
    assert (len(shipped) < 28) == large
    assert_equal(adapting.judged_by(seen, index.calibration), shipped.judgement)
    scored = adapting.scores_of(seen, shipped.judgement)
    assert scored.dies_found == len(np.unique(find_dies(shipped.judgement).labels[seen.die >= 0]))
    assert adapting.judged_by(seen, index.calibration, adapt=False).prior != shipped.prior


def test_accuracy_is_of_the_pairs_that_an_index_gives(large: bool, built: Path) -> None:
    encoder, measures = benchmark("encoder"), benchmark("encoder_measures")
    pairs = Index(built).pairs(SIDES[0], verify=False).judgement
    die = np.arange(pairs.n) // 2
    called = np.zeros((pairs.n, pairs.n), bool)
    called[pairs.table.first, pairs.table.second] = find_dies(pairs).probability >= 0.5
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
            seen = judge.evidence(judge.align(first[side], second[side]))
            pair = compared.Pair("pair", compared.ONE_DIE, *seen, seconds=0.0, apart=0.0)
            found = judge.probability(pair, TWO_FILES)
            assert found == verdict.probability
