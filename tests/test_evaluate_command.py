"""``dieindex pairs`` and ``evaluate``: every pair once, scores beside the trivial answers."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.commands_for_tests import Command


def test_pairs_lists_every_pair_once_with_its_digits(
    built: Path, command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "pairs.csv"
    assert command("pairs", "--side", "obverse", "--index", built, "--out", out)[0] == 0
    with out.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["coin_a", "coin_b", "distance", "probability", "verdict"]
    assert len({frozenset((row["coin_a"], row["coin_b"])) for row in rows}) == len(rows) == 28
    for row in rows:
        assert 0 <= float(row["probability"]) <= 1
        assert len(row["distance"].replace(".", "").lstrip("0")) >= 6


def test_an_output_that_cannot_be_written(built: Path, command: Command, tmp_path: Path) -> None:
    code, _, err = command(
        "pairs", "--side", "obverse", "--index", built, "--out", tmp_path / "no" / "pairs.csv"
    )
    assert code == 1
    assert "pairs.csv" in err


def test_evaluate_prints_scores_beside_the_trivial_answers(
    coins: Path, built: Path, command: Command
) -> None:
    for document in (
        command.document("evaluate", "--index", built),
        command.document("evaluate", "--index", built, "--labels", coins / "dies.csv"),
    ):
        for side in ("obverse", "reverse"):
            scores = document[side]
            assert scores["n"] == scores["labelled"] == 8
            # Eight coins, pairs 28; the sheet's dies give 4 pairs of one die on the obverse.
            same = {"obverse": 3 + 1, "reverse": 1 + 1 + 1}[side]
            assert scores["always_different"] == pytest.approx(1 - same / 28)
            assert set(scores["baselines"]) == {"all_singletons", "one_die"}
            assert scores["baselines"]["all_singletons"]["ari"] == 0
    code, out, _ = command("evaluate", "--index", built)
    assert code == 0
    assert 'always answering "different"' in out


def test_the_drawn_dies_are_told_apart(built: Path, command: Command) -> None:
    """Coins of one die differ by noise alone here: every same-die pair must be nearest."""
    document = command.document("evaluate", "--index", built)
    assert document["obverse"]["ap"] == 1.0
    assert document["reverse"]["ap"] == 1.0


def test_labels_of_another_collection(built: Path, command: Command, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("coin,obverse\nA,O1\nB,O2\n")
    code, _, err = command("evaluate", "--index", built, "--labels", tmp_path / "other.csv")
    assert code == 1
    assert "other.csv" in err


def test_evaluate_without_labels_says_what_to_do(data: Path, command: Command) -> None:
    (data / "dies.csv").unlink()
    command("build", data)
    code, _, err = command("evaluate")
    assert code == 1
    assert "--labels" in err


def test_persons_verdicts_have_no_part_in_scores(data: Path, command: Command) -> None:
    """Neither in the dies nor in the ranking of pairs, which knows verdicts otherwise."""
    before = command.document("evaluate")
    pairs = [("01", "08", "same"), ("02", "06", "same"), ("01", "02", "different")]
    for a, b, verdict in pairs:
        assert command("verdict", a, b, verdict, "--side", "obverse")[0] == 0
    assert command.document("evaluate") == before
