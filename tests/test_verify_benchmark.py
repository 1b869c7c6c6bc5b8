"""The benchmark judges and clusters as the commands do: what is measured is what ships."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from dieindex.api import Index
from dieindex.calibration.judge_pairs import JudgedPairs
from dieindex.clustering.find_dies import FoundDies
from dieindex.encoder.dense import DenseDescriptors, unpacked
from dieindex.encoder.descriptor_config import DescriptorConfig
from dieindex.encoder.weights import SHIPPED_WEIGHTS, read_card
from dieindex.records import SIDES, Side
from dieindex.storage.details import DetailStore
from dieindex.verification.score_pairs import vectors_of
from tests.commands_for_tests import Command
from tests.test_encoder_benchmark import benchmark


def descriptors_of(folder: Path, side: Side) -> DenseDescriptors:
    """What an index keeps of its faces, one each."""
    config = DescriptorConfig.from_dict(read_card().config)
    with DetailStore.open(folder) as store:
        kept = [store.cells_of(face) for face in Index(folder).faces(side).ids.tolist()]
    assert all(each is not None for each in kept)
    return unpacked([each for each in kept if each], config.descriptor, config.grid)


def printed(table: Path) -> list[tuple[str, str, float, float]]:
    with table.open(encoding="utf-8") as stream:
        return [
            (row["coin_a"], row["coin_b"], float(row["distance"]), float(row["probability"]))
            for row in csv.DictReader(stream)
        ]


def expected(
    coins: list[str], pairs: JudgedPairs, dies: FoundDies
) -> list[tuple[str, str, float, float]]:
    first, second = ([coins[at] for at in each] for each in (pairs.table.first, pairs.table.second))
    columns = first, second, pairs.table.distance.tolist(), dies.probability.tolist()
    return list(zip(*columns, strict=True))


def grouped(clusters: dict[str, list[str]]) -> set[frozenset[str]]:
    return {frozenset(coins) for coins in clusters.values()}


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("side", SIDES)
def test_the_benchmark_finds_what_the_commands_print(
    side: Side,
    large: bool,
    built: Path,
    tmp_path: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """``large``: as if 3 coins were the most of which all pairs are compared."""
    # (Drawn strikes of one die look like one picture, which a build knows and vectors do not.)
    monkeypatch.setattr("dieindex.api.judging.repeated_coins", lambda _: [])
    if large:
        for name, value in (
            ("ALL_PAIRS_UP_TO", 3),
            ("LISTED", 2),
            ("SAMPLED", 8),
            ("ALL_COMPARED", 8),
        ):
            monkeypatch.setattr(f"dieindex.verification.candidates.{name}", value)
    folder = Path(shutil.copytree(built, tmp_path / "index"))
    with DetailStore.open(folder) as store, store.transaction():
        store.rows("DELETE FROM pair_scores")
    rows = Index(folder).faces(side)
    verifier = benchmark("judging").Verifier(SHIPPED_WEIGHTS, tmp_path / "cache")
    faces, die = vectors_of(rows), np.arange(len(rows)) // 2
    found = verifier.judge_seen(faces, verifier.see(faces, descriptors_of(folder, side)), die)
    pairs = found.pairs
    assert pairs.verified.any()
    assert (len(pairs) < 28) == large

    by_vector = found.by_vector, found.dies_by_vector
    for (judged, dies), options in (((pairs, found.dies), ()), (by_vector, ("--no-verify",))):
        table = tmp_path / f"pairs{len(options)}.csv"
        code, _, err = command("pairs", "--side", side, "--index", folder, "--out", table, *options)
        assert code == 0, err
        assert printed(table) == expected(rows.coins, judged, dies)

    document = json.loads(command("cluster", "--side", side, "--index", folder, "--json")[1])
    clusters: dict[str, list[str]] = {}
    for coin, label in zip(rows.coins, found.dies.labels.tolist(), strict=True):
        clusters.setdefault(str(label), []).append(coin)
    assert grouped(document[side]["clusters"]) == grouped(clusters)
    np.testing.assert_array_equal(Index(folder).cluster(side).certainty, found.dies.certainty)


def test_every_score_is_of_the_pairs_it_stands_for() -> None:
    judging = benchmark("judging")
    for n in (2, 5, 9):
        first, second = np.triu_indices(n, 1)
        assert judging._row_of(n, first, second).tolist() == list(range(len(first)))
