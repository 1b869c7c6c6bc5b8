"""The benchmark of two files judges as ``compare`` does, weighs as it says, and leaves one out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dieindex as di
from dieindex.calibration.two_kinds import TWO_FILES, TwoKinds
from dieindex.encoder.weights import SHIPPED_WEIGHTS
from tests.test_encoder_benchmark import benchmark

two_files, known = benchmark("compare"), benchmark("known_kinds")


@pytest.fixture(scope="module")
def judge() -> Any:
    return two_files.Judge(SHIPPED_WEIGHTS)


def pair(domain: str, kind: str, logit: float, shared: float = 1.0) -> Any:
    return two_files.Pair(domain, kind, 1.0, logit, shared, 0.1, float("nan"))


def drawn(domain: str, middle: float, seed: int) -> list[Any]:
    """Pairs of a domain whose logits are normal about ``middle``."""
    rng = np.random.default_rng(seed)
    kinds = (two_files.ONE_DIE, 4.0, 40), (two_files.TWO_DIES, -4.0, 80)
    return [
        pair(domain, kind, float(logit))
        for kind, away, many in kinds
        for logit in rng.normal(middle + away, 1.0, many)
    ]


def test_it_judges_as_compare_does(judge: Any, coins: Path) -> None:
    a, b = coins / "images" / "01.jpg", coins / "images" / "04.jpg"
    collections = benchmark("encoder_collections")
    faces, names = collections.read_real(coins)["obverse"]
    rows = [names.index(name) for name in ("01", "04")]
    question = two_files.Question("two dies", (faces, rows[0]), (faces, rows[1]))
    own = two_files.Collection("coins", "obverse", faces, names)
    (seen,) = two_files.seen(judge, own, [question], peer=False)
    printed = di.compare(a, b).obverse
    assert printed is not None
    assert seen.distance == pytest.approx(printed.distance, abs=1e-5)
    assert judge.probability(seen, TWO_FILES) == pytest.approx(printed.probability, abs=1e-4)


def test_both_kinds_count_alike() -> None:
    p = np.array([0.95, 0.05, 0.5, 0.95, 0.02, 0.02, 0.5, 0.02])
    same = np.array([True, True, False, False, False, False, False, False])
    found = two_files.called(p, same)
    # Of one die both are decided, of two dies four of six; wrong are one of two and one of six.
    assert found["decided"] == pytest.approx((1 + 4 / 6) / 2)
    assert found["wrong"] == pytest.approx((1 / 2 + 1 / 6) / (1 + 4 / 6))
    assert found["cannot_tell"] == pytest.approx(1 - found["decided"])


def test_a_further_domain_may_lie_as_far_off_as_those_known() -> None:
    one = TwoKinds(centre=-2.0, left=3.0, right=2.0, place=6.0, width=2.0)
    other = TwoKinds(centre=2.0, left=3.0, right=2.0, place=8.0, width=2.0)
    found = two_files.widened([one, other])
    assert (found.centre, found.place) == (0.0, 7.0)
    # The centres' variance is 4, the places' 1, and both means may be off by half as much again.
    assert found.left == pytest.approx(np.sqrt(9 + 4 * 1.5))
    assert found.right == pytest.approx(np.sqrt(4 + 4 * 1.5))
    assert found.width == pytest.approx(np.sqrt(4 + 1 * 1.5))
    alike = two_files.widened([one, one])
    assert (alike.left, alike.width) == (pytest.approx(3.0), pytest.approx(2.0))


def test_a_domain_is_judged_by_the_others_alone(judge: Any) -> None:
    pairs = [*drawn("a", 0.0, 1), *drawn("b", 1.0, 2), *drawn("c", 9.0, 3)]
    found = two_files.report(judge, pairs)
    assert set(found["domains"]) == set(found["lying"]) == {"a", "b", "c"}
    # By the other two both kinds of c pass for one die; among all it is better known.
    assert found["domains"]["c"]["ways"]["others"]["wrong"] > 0.4
    assert found["domains"]["a"]["ways"]["learned"]["wrong"] < 0.1
    middle = np.mean([each["centre"] for each in found["lying"].values()])
    assert found["constants"]["centre"] == pytest.approx(middle)
    text = two_files.table(found)
    assert [line.split()[0] for line in text.splitlines()[1:5]] == ["a", "b", "c", "mean"]
    json.dumps(found, allow_nan=False)


def test_pairs_of_which_too_little_is_seen_are_never_decided(judge: Any) -> None:
    pairs = drawn("a", 0.0, 1)
    unseen = [replace(each, shared=0.0) for each in pairs]
    unaligned = [replace(each, distance=np.nan, logit=np.nan, shared=np.nan) for each in pairs]
    for lost in (unseen, unaligned):
        assert two_files.lying(judge, lost) is None
        ways = two_files.report(judge, [*pairs, *lost])["domains"]["a"]["ways"]
        assert all(way["cannot_tell"] >= 0.5 for way in ways.values())


def test_no_coin_is_paired_with_itself_nor_where_a_die_is_unknown(coins: Path) -> None:
    collections = benchmark("encoder_collections")
    faces, names = collections.read_real(coins)["obverse"]
    faces = replace(faces, die=np.where(np.arange(8) == 7, -1, faces.die))
    own = two_files.Collection("coins", "obverse", faces, ["01", "01", *names[2:]])
    found = two_files.chosen(own, [], 99)
    rows = {tuple(sorted((each.first[1], each.second[1]))) for each in found}
    assert (0, 1) not in rows
    assert not any(7 in each for each in rows)
    assert len(rows) == len(found) == 7 * 6 // 2 - 1
