"""An index grown for measures is one that dieindex reads like any other, all of it scored."""

from __future__ import annotations

from pathlib import Path

import pytest

import dieindex as di
from dieindex.records import SIDES
from dieindex.verification.scorer import PairScorer
from tests.test_encoder_benchmark import benchmark


def test_a_grown_index_holds_each_coin_again_and_needs_no_scoring(
    compared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, grown = di.open_index(compared), tmp_path / "grown"
    benchmark("large_index").grow(compared, grown, 3 * len(source.coins))
    monkeypatch.setattr(PairScorer, "_batch", None)  # (whoever scores a pair fails)
    found = di.open_index(grown)
    assert len(found.coins) == 3 * len(source.coins)
    for side in SIDES:
        dies = found.cluster(side)
        assert len(dies.coins) == 3 * len(source.pairs(side).coins)
        copies: dict[str, set[str]] = {}
        for coin, name in zip(dies.coins, dies.names, strict=True):
            copies.setdefault(name, set()).add(coin.partition("-")[0] if "-" in coin else "")
        assert all(len(each) == 1 for each in copies.values())
