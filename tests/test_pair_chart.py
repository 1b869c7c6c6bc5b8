"""Why coins were joined, as a picture: of what collections it can be drawn, what it says, and that
it replaces nothing that dieindex did not draw."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import dieindex as di
from dieindex.api import Pairs
from dieindex.calibration.judge_pairs import JudgedPairs
from dieindex.calibration.two_kinds import TwoKinds, fit_two_kinds
from dieindex.clustering.find_dies import find_dies
from dieindex.clustering.spread import Spread, spread_of
from dieindex.errors import UsageError
from dieindex.records import OBVERSE, REVERSE, Floats, Ints, PairTable
from dieindex.study.pair_chart import pair_chart, share_words
from dieindex.study.wording import joined_words
from tests.commands_for_tests import Command


def judged(
    dies: Ints, seed: int = 0, *, sampled: float = 1.0, readable: bool = True
) -> JudgedPairs:
    """All pairs of coins of these dies, scores sampled from the usual kinds; of larger collections
    the share that was ``sampled`` and all pairs of one die."""
    rng = np.random.default_rng(seed)
    first, second = np.triu_indices(len(dies), 1)
    same = dies[first] == dies[second]
    usual = TwoKinds()
    score: Floats = np.where(
        same,
        rng.normal(usual.place, usual.width, len(first)),
        rng.normal(usual.centre, usual.left, len(first)),
    )
    drawn = rng.random(len(first)) < sampled
    listed = same | drawn
    first, second, score, drawn = first[listed], second[listed], score[listed], drawn[listed]
    in_all = len(dies) * (len(dies) - 1) // 2
    kinds = fit_two_kinds(score, in_all, sampled=drawn)
    every = np.ones(len(first), bool)
    distance = np.ones(len(first))
    table = PairTable(first, second, distance, kinds.log_likelihood_ratio(score))
    return JudgedPairs(
        len(dies), table, score, kinds, every, every if readable else ~every, drawn, in_all,
        None if sampled == 1.0 else 50, readable,
    )  # fmt: skip


def spread(pairs: JudgedPairs) -> Spread:
    found = find_dies(pairs)
    return spread_of(pairs, found.labels, found.graph.kinds)


def words_of(drawing: str) -> str:
    return " ".join(ET.fromstring(drawing).itertext())


FEW_DIES = np.repeat(np.arange(4), 8)


def test_the_densities_are_of_whole_kinds() -> None:
    """What is drawn over the bars is as many pairs as there are."""
    kinds = TwoKinds(-4.0, 2.0, 3.0, 9.0, 3.0, 0.1)
    at = np.linspace(-40, 60, 20_001)
    different, one = kinds.densities(at)
    assert np.trapezoid(different, at) == pytest.approx(1.0, abs=0.01)
    assert np.trapezoid(one, at) == pytest.approx(1.0, abs=1e-6)
    middle = (at > -4) & (at < 9)
    ratio = np.log(one / different)[middle]
    np.testing.assert_allclose(ratio, kinds.log_likelihood_ratio(at[middle]), atol=1e-9)


def test_from_the_threshold_on_two_coins_are_joined() -> None:
    found = spread(judged(FEW_DIES))
    at = found.joined_from
    assert found.kinds.joining(at) == pytest.approx(0.0, abs=0.01)
    assert find_dies(judged(np.array([0, 1]))).labels.tolist() == [0, 1]
    different, one = found.kinds.densities(at)
    share = found.kinds.share
    assert share * one == pytest.approx((1 - share) * different, rel=0.02)


def test_pairs_that_were_not_compared_are_counted_as_the_dies_have_them() -> None:
    """Of two dies of forty coins a quarter of the pairs is compared; of a frame beside, none."""
    every = judged(np.repeat([0, 1], 40))
    kept = np.random.default_rng(0).random(len(every.score)) < 0.25
    table = PairTable(*(each[kept] for each in vars(every.table).values()))
    some = replace(
        every,
        n=90,
        table=table,
        score=every.score[kept],
        judged=every.judged[kept],
        verified=every.verified[kept],
        sampled=every.sampled[kept],
        nearest=12,
        frame=np.append(np.zeros(80, np.int64), -np.ones(10, np.int64)),
    )
    labels = np.append(np.repeat([0, 1], 40), np.arange(2, 12))
    found = spread_of(some, labels, some.kinds)
    assert found.of_one_die == 2 * 40 * 39 // 2
    assert found.of_different_dies == 40 * 40
    assert found.compared == kept.sum()


def test_the_picture_says_what_was_found() -> None:
    found = spread(judged(FEW_DIES))
    assert (found.dies, found.of_one_die) == (4, 4 * 28)
    assert found.of_different_dies == 32 * 31 // 2 - 4 * 28
    drawing = pair_chart({OBVERSE: found})
    words = words_of(drawing.svg(standalone=False))
    for each in (
        "32 coins, 496 pairs compared in detail",
        "4 dies found",
        "pairs of different dies: 384",
        "pairs of one die: 112",
        f"two coins are joined from here on ({found.joined_from:.1f})",
    ):
        assert each in words


@pytest.mark.parametrize(
    "dies",
    [
        np.array([0, 0]),
        np.array([0, 1]),
        np.zeros(10, np.int64),
        np.arange(30),
        np.append(np.arange(60), [59]),
        FEW_DIES,
    ],
    ids=["one pair", "one pair of two dies", "one die", "no pair", "one pair of many", "few dies"],
)
def test_every_collection_can_be_drawn(dies: Ints, tmp_path: Path) -> None:
    found = spread(judged(dies))
    path = tmp_path / "scores.png"
    drawing = pair_chart({OBVERSE: found, REVERSE: found})
    drawing.save(path)
    with Image.open(path) as picture:
        width, height = picture.size
    assert width == 1120
    assert 800 < height < 2000
    # Nothing lies outside the page.
    for shape in drawing.shapes:
        for x in (getattr(shape, name, 0.0) for name in ("x", "x1", "x2")):
            assert -1 <= x <= drawing.width + 1
    told = list(joined_words(OBVERSE, found))
    assert len(told) >= 2
    assert ("taken from other collections" in " ".join(told)) == (
        found.kinds.share * len(found.score) < 3
    )


def test_a_few_pairs_of_one_die_are_drawn_larger() -> None:
    """Four of 2,080 pairs: beside the others nobody would see them."""
    found = spread(judged(np.append(np.arange(61), [60, 60, 5, 60])))
    words = words_of(pair_chart({OBVERSE: found}).svg(standalone=False))
    assert "the same, drawn" in words
    half = spread(judged(np.repeat([0, 1], 12)))
    assert "the same, drawn" not in words_of(pair_chart({OBVERSE: half}).svg(standalone=False))


def test_a_sample_stands_for_all_pairs_of_different_dies() -> None:
    dies = np.repeat(np.arange(40), 3)
    found = spread(judged(dies, sampled=0.1))
    assert found.sampled is not None
    assert found.of_one_die + found.of_different_dies == 120 * 119 // 2
    assert found.compared < 1200
    assert any("sampled at random" in each for each in joined_words(OBVERSE, found))


def test_what_was_not_read_from_scores_gets_a_note() -> None:
    found = spread(judged(FEW_DIES, readable=False))
    drawing = pair_chart({OBVERSE: found})
    assert "the vectors alone told the dies" in words_of(drawing.svg(standalone=False))
    assert drawing.height < 80
    assert list(joined_words(OBVERSE, found)) == [
        "No pair was compared in detail: the vectors alone told the dies."
    ]


def test_small_shares_keep_their_digits() -> None:
    shares = [0.28, 0.069, 0.0011, 0.00002, 0.6, 0.1]
    assert [share_words(share).replace("\u00a0", " ") for share in shares] == [
        "28 %", "6.9 %", "0.11 %", "0.0020 %", "60 %", "10 %",
    ]  # fmt: skip


def test_pairs_and_dies_have_it(built: Path) -> None:
    index = di.open_index(built)
    pairs: Pairs = index.pairs(OBVERSE)
    found, of_dies = pairs.spread, index.cluster(OBVERSE).spread
    assert of_dies is not None
    assert found.readable
    assert found.coins == 8
    assert found.joined_from == of_dies.joined_from
    assert not index.pairs(OBVERSE, verify=False).spread.readable


def test_info_draws_both_sides_or_one(built: Path, command: Command, tmp_path: Path) -> None:
    out = tmp_path / "scores.svg"
    code, _, err = command("info", "--index", built, "--picture", out)
    assert code == 0, err
    both = words_of(out.read_text(encoding="utf-8"))
    assert "Scores of pairs, obverses" in both
    assert "Scores of pairs, reverses" in both
    # A drawing of its own is replaced.
    document = command.document(
        "info", "--index", built, "--picture", out, "--side", "reverse", "-q"
    )
    assert document["coins"] == 8
    assert "obverses" not in words_of(out.read_text(encoding="utf-8"))
    png = tmp_path / "scores.png"
    for _ in range(2):
        assert command("info", "--index", built, "--picture", png)[0] == 0
    assert png.stat().st_size > 20_000
    assert json.loads(command("info", "--index", built, "--json")[1])["coins"] == 8


def test_info_replaces_no_photograph_and_no_sheet(
    data: Path, command: Command, tmp_path: Path
) -> None:
    photograph = Path(shutil.copy(next((data / "images").iterdir()), tmp_path / "coin.png"))
    Image.new("RGB", (40, 40)).save(tmp_path / "real.png")
    (tmp_path / "notes.svg").write_text("<svg/>")
    given = [photograph, tmp_path / "real.png", tmp_path / "notes.svg", data / "dies.csv"]
    before = [path.read_bytes() for path in given]
    for path in [*given, tmp_path / "scores.pdf", data / "images" / "scores.png"]:
        code, _, err = command("info", "--picture", path)
        assert code == 2, path
        assert path.name in err
    assert [path.read_bytes() for path in given] == before
    assert not (data / "images" / "scores.png").exists()
    assert command("info", "--side", "obverse")[0] == 2
    with pytest.raises(UsageError, match="lies in the collection"):
        di.open_index(tmp_path / "indexes" / "data").draw_scores(data / "scores.png")


def test_the_study_says_why_coins_were_joined(built: Path, tmp_path: Path) -> None:
    index = di.open_index(built)
    study = index.study(tmp_path / "out")
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    section = report[report.index('<section id="joined">') :].split("</section>")[0]
    assert section.count("<svg") == 2
    for side in (OBVERSE, REVERSE):
        assert study.material.spreads[side].coins == 8
        assert f"Two {side}s of different dies mostly score" in section
        assert (tmp_path / "out" / "charts" / f"scores-{side}.svg").is_file()
    assert 'href="#joined"' in report
    # A table says nothing of scores.
    table = tmp_path / "t.csv"
    rows = [f"{coin},O{i // 3}" for i, coin in enumerate(index.faces(OBVERSE).coins)]
    table.write_text("\n".join(["coin,obverse", *rows]))
    index.study(tmp_path / "told", table=table)
    told = (tmp_path / "told" / "report.html").read_text(encoding="utf-8")
    assert "joined" not in told.split("<main>")[1].split("</main>")[0]
    assert not (tmp_path / "told" / "charts" / "scores-obverse.svg").exists()
