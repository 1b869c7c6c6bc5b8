"""``--calibrate``: the sheet may teach what a distance means, but no pair by its own dies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dieindex.api import Index
from dieindex.errors import RefitError
from dieindex.evaluation.probabilities import log_loss
from dieindex.records import OBVERSE, SIDES, Side
from dieindex.storage.catalogue import FaceRows
from tests.commands_for_tests import Command

DIES, COINS = 16, 4


def rows_of(seed: int, spread: float) -> FaceRows:
    """Faces of 16 dies of four coins, whose vectors lie ``spread`` about their die's."""
    rng = np.random.default_rng(seed)
    die = np.repeat(np.arange(DIES), COINS)
    vectors = rng.normal(size=(DIES, 32))[die] + spread * rng.normal(size=(len(die), 32))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    n = len(die)
    aligned = np.ones(n, bool)
    aligned[3] = False
    return FaceRows(
        ids=np.arange(n) + 1000,  # none that the index knows
        coins=[str(k) for k in range(n)],
        files=[f"{k}.jpg" for k in range(n)],
        radius=np.full(n, 100.0),
        sure=np.ones(n, bool),
        aligned=aligned,
        frame=np.where(aligned, 0, -1),
        unaligned=[None if a else "it fits none" for a in aligned],
        vectors=vectors.astype(np.float32),
    )


@pytest.fixture
def wide(built: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """An index whose faces lie farther apart than its calibration expects."""
    rows = {side: rows_of(seed, 1.4) for seed, side in enumerate(SIDES)}
    sheet = {str(k): f"O{k // COINS}" for k in range(DIES * COINS)}

    def labels(_: Index, side: Side) -> dict[str, str]:
        return sheet if side == OBVERSE else {"1": "R1", "2": "R1", "7": "R2"}

    monkeypatch.setattr(Index, "faces", lambda _, side: rows[side])
    monkeypatch.setattr(Index, "labels", labels)
    return Index(built)


def test_the_sheet_teaches_what_a_distance_means(wide: Index) -> None:
    plain, fitted = wide.evaluate()[OBVERSE], wide.evaluate(calibrate=True)[OBVERSE]
    assert plain is not None
    assert fitted is not None
    assert not plain["calibrated"]
    assert fitted["calibrated"]
    assert fitted["accuracy"] > plain["accuracy"]
    assert fitted["accuracy"] > fitted["always_different"]
    sheet = wide.labels(OBVERSE)

    def loss(calibrate_on: dict[str, str] | None) -> float:
        pairs = wide.pairs(OBVERSE, calibrate_on=calibrate_on)
        a, b = pairs.table.first[pairs.judged], pairs.table.second[pairs.judged]
        same = [sheet[pairs.coins[i]] == sheet[pairs.coins[j]] for i, j in zip(a, b, strict=True)]
        return log_loss(pairs.probability[pairs.judged], same)

    assert loss(sheet) < loss(None) - 0.02


def test_a_die_does_not_judge_itself(wide: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = wide.labels(OBVERSE)
    before = wide.pairs(OBVERSE, verify=False, calibrate_on=sheet).table
    # The coins of O2 are said to be of three dies that no other coin has.
    other = {coin: f"{die} {coin}" if die == "O2" else die for coin, die in sheet.items()}
    after = wide.pairs(OBVERSE, verify=False, calibrate_on=other).table
    rows = wide.faces(OBVERSE)
    told = np.array([sheet[coin] == "O2" for coin in rows.coins])
    within = told[before.first] & told[before.second]
    # Its own pairs were judged by other dies before and are so after, but by other folds of them.
    assert (before.log_likelihood_ratio[within] > 0).mean() > 0.5
    assert (after.log_likelihood_ratio[within] > 0).mean() > 0.5
    lost = ~rows.aligned[before.first] | ~rows.aligned[before.second]
    assert (before.log_likelihood_ratio[lost] == 0).all()


def test_cluster_and_evaluate_take_the_option(wide: Index, command: Command, built: Path) -> None:
    code, _, err = command("cluster", "--side", "obverse", "--index", built, "--calibrate")
    assert code == 0
    assert "cross-fitted over dies" in err
    document = command.document("evaluate", "--index", built, "--calibrate")
    assert document["obverse"]["calibrated"]
    assert not document["reverse"]["calibrated"]
    _, _, err = command("evaluate", "--index", built, "--calibrate")
    assert "reverse: the sheet knows too few dies" in err


def test_too_few_labels_stop_a_clustering(wide: Index, command: Command, built: Path) -> None:
    with pytest.raises(RefitError, match="label more coins"):
        wide.cluster("reverse", calibrate=True)
    code, out, err = command("cluster", "--side", "reverse", "--index", built, "--calibrate")
    assert code == 1
    assert out == ""
    assert "leave --calibrate out" in err
