"""The Python interface: what is given is checked, and what comes back can be read and kept."""

from __future__ import annotations

import copy
import importlib
import logging
import pickle
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dieindex as di
from dieindex.api.notebook import MOST_ROWS, table


@pytest.fixture
def index(data: Path) -> di.Index:
    return di.open_index(data.parent / "indexes" / "data")


@pytest.mark.parametrize(
    "call",
    [
        lambda index: index.cluster("obv"),
        lambda index: index.pairs("edge"),
        lambda index: index.compare("01", "02", side="o"),
        lambda index: index.faces("both"),
        lambda index: index.labels(None),
        lambda index: index.review("01", "02", "same", side="rev"),
        lambda index: index.reviews("rev"),
        lambda index: index.compare("01", "02").side("front"),
        lambda index: di.build(index.data, side="front"),
    ],
)
def test_a_wrong_side_is_refused_and_the_choices_named(index: di.Index, call: Any) -> None:
    with pytest.raises(di.UsageError, match="'obverse' or 'reverse'"):
        call(index)


@pytest.mark.parametrize("coin", [2, np.int64(2), "2", "02"])
def test_a_coin_is_its_id_or_its_number(index: di.Index, coin: Any) -> None:
    assert index.find_coin(coin) == "02"
    by_id = index.compare("01", "02")
    assert index.compare(1, coin).obverse == by_id.obverse
    assert index.review(1, coin, "same", side="obverse", by="me").pair == {"01", "02"}


@pytest.mark.parametrize("coin", [1.5, None, True, ["01"]])
def test_what_is_no_coin_is_refused(index: di.Index, coin: Any) -> None:
    with pytest.raises(di.UsageError, match="no coin"):
        index.compare(coin, "02")


def test_two_files_are_named_by_their_paths() -> None:
    with pytest.raises(di.PictureError, match="49: no such picture"):
        di.compare(49, 78)  # type: ignore[arg-type]
    with pytest.raises(di.UsageError, match="no coin"):
        di.compare(None, "b.jpg")  # type: ignore[arg-type]
    with pytest.raises(di.UsageError, match="'obverse' or 'reverse'"):
        di.compare("a.jpg", "b.jpg", side="front")  # type: ignore[arg-type]


def test_a_number_that_several_coins_have_names_them() -> None:
    from dieindex.api.arguments import coin_called

    coins = ["1", "01", "007", "07"]
    assert coin_called("1", coins) == "1"
    assert coin_called(3, coins) is None
    with pytest.raises(di.CollectionError, match="007 or 07"):
        coin_called(7, coins)
    with pytest.raises(di.CollectionError, match="1 or 01"):
        coin_called("001", coins)


def test_wrong_verdicts_and_numbers_are_refused(index: di.Index) -> None:
    with pytest.raises(di.UsageError, match="same, different, unsure"):
        index.review(1, 2, "maybe", side="obverse")
    with pytest.raises(di.UsageError, match="jobs=0"):
        di.build(str(index.data), jobs=0)
    assert index.reviews() == []


def test_a_verdict_that_takes_the_place_of_another_is_logged(
    index: di.Index, caplog: pytest.LogCaptureFixture
) -> None:
    index.review(1, 2, "same", side="obverse", by="a", note="letter")
    with caplog.at_level(logging.WARNING, "dieindex"):
        given = index.review(2, 1, "Different", side="obverse", by="b")
    assert "takes the place of" in caplog.text
    assert [each.verdict for each in index.reviews("obverse")] == ["same", "different"]
    assert index.reviews("reverse") == []
    assert isinstance(given, di.Review)
    verdict = index.compare(1, 2).obverse
    assert isinstance(verdict, di.Verdict)
    assert (verdict.basis, verdict.verdict) == ("review", "different")


def test_tables_have_the_columns_of_the_contract(index: di.Index, tmp_path: Path) -> None:
    import pandas as pd

    pairs, dies = index.pairs("obverse"), index.cluster("obverse")
    pairs.to_csv(tmp_path / "pairs.csv")
    written = pd.read_csv(tmp_path / "pairs.csv", dtype={"coin_a": str, "coin_b": str})
    pd.testing.assert_frame_equal(pairs.to_frame(), written)
    di.write_dies([dies], tmp_path / "dies.csv")
    written = pd.read_csv(tmp_path / "dies.csv", dtype={"coin": str}, comment="#")
    frame = dies.to_frame()
    assert list(frame) == list(written)
    merged = frame.merge(written, on="coin")
    assert (merged.die_x == merged.die_y).all()
    for doubts in (dies.near_misses, dies.contradictions, dies.suspects, dies.to_look_at):
        assert len(doubts.to_frame()) == len(doubts)
        assert "coin" in doubts.to_frame()


def test_pairs_know_what_persons_said_and_say_what_dies_are_made_by(index: di.Index) -> None:
    before = index.pairs("obverse")
    for dies in (index.cluster("obverse"), before.cluster()):
        together = dies.labels[before.table.first] == dies.labels[before.table.second]
        assert ((before.probability > 0.5) == together).all()
    table = before.table
    apart, joined = (
        int(np.flatnonzero(likely)[0])
        for likely in (before.probability < 0.5, before.probability > 0.5)
    )
    for place, verdict in ((apart, "same"), (joined, "different")):
        a, b = before.coins[table.first[place]], before.coins[table.second[place]]
        index.review(a, b, verdict, side="obverse")
    after = index.pairs("obverse")
    verdicts = after.to_frame().verdict
    assert (verdicts[apart], verdicts[joined]) == ("same", "different")
    assert after.probability[apart] > 0.99 > 0.01 > after.probability[joined]
    assert len(after.constraints) == 2
    # The machine's own view of the pairs, and how they lie, stays.
    assert after.judgement.kinds == before.judgement.kinds
    one, other = int(table.first[joined]), int(table.second[joined])
    again = after.cluster(must_link=[(after.coins[one], after.coins[other])])
    assert again.labels[one] == again.labels[other]


def test_labels_are_what_was_found_and_sheet_what_the_sheet_says(index: di.Index) -> None:
    dies = index.cluster("obverse")
    assert dies.labels.shape == (8,)
    assert dies.labels[0] == 0
    assert len(set(dies.labels.tolist())) == len(dies) == len(dies.clusters)
    for a in range(8):
        same = dies.labels == dies.labels[a]
        assert [dies.names[b] == dies.names[a] for b in range(8)] == same.tolist()
    assert dies.sheet["01"] == "O1"


def test_doubts_name_coins_and_dies(index: di.Index) -> None:
    # Two coins of one die and two of different ones, both told wrongly, make doubts of every kind.
    index.review("01", "04", "same", side="obverse")
    dies = index.cluster("obverse")
    coins, names = set(dies.coins), set(dies.names)
    for case in dies.to_look_at:
        assert case.coin in coins
        assert case.die in names
        assert case.other_coin is None or case.other_coin in coins
    for miss in dies.near_misses:
        assert {miss.coin, miss.other_coin} <= coins
        assert {miss.die, miss.other_die} <= names
    wrong = di.open_index(index.folder)
    sheet = {**wrong.labels("obverse"), "01": "O2", "02": "O2"}
    wrong.labels = lambda side: sheet  # type: ignore[method-assign,assignment]
    for suspect in wrong.cluster("obverse").suspects:
        assert suspect.coin in coins
        assert set(suspect.compare) <= coins
        assert suspect.sheet == sheet[suspect.coin]


def test_results_can_be_pickled(index: di.Index) -> None:
    found = [index, index.pairs("obverse"), index.cluster("obverse"), index.compare(1, 2)]
    again = [pickle.loads(pickle.dumps(each)) for each in found]
    opened, pairs, dies, comparison = again
    assert opened.folder == index.folder
    assert opened.compare(1, 2).obverse == comparison.obverse == found[3].obverse
    np.testing.assert_array_equal(pairs.probability, found[1].probability)
    assert dies.clusters == found[2].clusters
    assert dies.to_look_at == found[2].to_look_at
    assert pickle.loads(pickle.dumps(dies.to_look_at)) == dies.to_look_at
    assert repr(comparison) == repr(found[3])
    assert "different" in comparison._repr_html_() or "same" in comparison._repr_html_()
    with pytest.raises(di.UsageError, match="compare again"):
        comparison.faces("obverse")


def test_an_index_is_found_again_from_another_folder(
    index: di.Index, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(index.folder.parent)
    found = di.open_index(index.folder.name)
    kept = pickle.dumps((found, found.cluster("obverse")))
    monkeypatch.chdir(tmp_path)
    again, dies = pickle.loads(kept)
    assert again.compare(1, 2).obverse == index.compare(1, 2).obverse
    assert "data:image" in dies._repr_html_()


def test_results_are_shown_without_pictures_where_the_index_is_gone(index: di.Index) -> None:
    dies, comparison = index.cluster("obverse"), index.compare(1, 2)
    index.folder.rename(index.folder.with_name("elsewhere"))
    for shown in (dies, comparison):
        page = _Page(shown._repr_html_())
        assert page.sources == []
        assert "table" in page.tags


def test_a_copied_comparison_keeps_its_pictures(index: di.Index) -> None:
    comparison = index.compare(1, 2)
    for again in (copy.copy(comparison), copy.deepcopy(comparison)):
        np.testing.assert_array_equal(
            again.faces("obverse")[0].picture, comparison.faces("obverse")[0].picture
        )


def test_a_study_is_short_in_print_and_can_be_pickled(index: di.Index, tmp_path: Path) -> None:
    study = index.study(tmp_path / "study", title="Hoard <1>", verify=False)
    assert repr(study).startswith("<Study 'Hoard <1>': 8 coins, ")
    assert len(repr(study)) < 200
    again = pickle.loads(pickle.dumps(study))
    assert repr(again) == repr(study)
    assert again.gallery.small == study.gallery.small
    face = study.gallery.large("obverse", study.coins[0].name)
    assert face is not None
    np.testing.assert_array_equal(again.gallery.large("obverse", study.coins[0].name)[0], face[0])
    assert set(_Page(study._repr_html_()).tags) == {"p", "b", "table", "tr", "th", "td"}


def test_known_dies_are_given_by_id_or_number(index: di.Index) -> None:
    dies = index.cluster("obverse")
    sheet = index.labels("obverse")
    by_number = {int(coin): die for coin, die in sheet.items()}
    assert dies.score(by_number) == dies.score(sheet) == dies.score()
    few = di.pairs_of_embeddings(np.eye(4)).cluster()
    assert few.score({0: "A", 1: "A", 2: "B"}) is not None
    with pytest.raises(di.CollectionError, match="99 is none of the coins"):
        dies.score({1: "A", 99: "B"})
    with pytest.raises(di.UsageError, match="the coin 01 twice"):
        dies.score({1: "A", "01": "B"})
    with pytest.raises(di.CollectionError, match="calibrate_on: 99"):
        index.pairs("obverse", calibrate_on={99: "A"})
    # Eight coins are too few to calibrate on: that they are said to be so means that they count.
    told = []
    for given in (sheet, by_number, {}):
        with pytest.raises(di.RefitError) as caught:
            index.pairs("obverse", calibrate_on=given)
        told.append(str(caught.value))
    assert told[0] == told[1] != told[2]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda i, d: i.review(1, 2, None, side="obverse"), "same, different, unsure"),
        (lambda i, d: i.review(1, 2, "same", side="obverse", by=7), "by=7: give it as text"),
        (lambda i, d: i.review(1, 2, "same", side="obverse", note=7), "note=7: give it as text"),
        (lambda i, d: di.build(i.data, i.folder, jobs="2"), "jobs='2': give a whole number"),
        (lambda i, d: di.build(i.data, i.folder, device="gpu"), "choose one of auto, cpu"),
        (lambda i, d: di.build(i.data, i.folder, device=7), "choose one of auto, cpu"),
        (lambda i, d: di.build(5), "data: give a path, not 5"),
        (lambda i, d: di.open_index(5), "index: give a path, not 5"),
        (lambda i, d: di.write_dies(d, "dies.csv"), "dies: give a list"),
        (lambda i, d: di.write_dies([d], 5), "path: give a path"),
        (lambda i, d: d.score([1, 2]), r"a mapping of coins to dies, not \[1, 2\]"),
        (lambda i, d: d.score({1: ["A"]}), "no name of a die"),
        (lambda i, d: i.pairs("obverse", calibrate_on=5), "a mapping of coins to dies"),
        (lambda i, d: i.evaluate(5), "labels: give a path"),
        (lambda i, d: i.import_reviews(5), "table: give a path"),
        (lambda i, d: i.study("out", coins_per_die=-5), "there must be at least one"),
        (lambda i, d: i.study("out", coins_per_die=0), "there must be at least one"),
        (lambda i, d: i.study(5), "out: give a path"),
        (lambda i, d: di.study_table("a.csv", "out", coins_per_die=0), "at least one"),
        (lambda i, d: di.compare("a.jpg", "b.jpg", device="gpu"), "choose one of auto, cpu"),
        (lambda i, d: di.cut_faces(5), "picture: give a path"),
    ],
)
def test_wrong_arguments_are_refused_in_words(
    index: di.Index, call: Any, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(di.UsageError, match=said):
        call(index, di.pairs_of_embeddings(np.eye(4)).cluster())
    assert sorted(tmp_path.iterdir()) == before
    assert index.reviews() == []


class _Page(HTMLParser):
    """What a piece of HTML holds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name == "src"]


def test_a_notebook_shows_pictures_and_no_markup_of_others(index: di.Index) -> None:
    comparison = index.compare(1, 2)
    page = _Page(comparison._repr_html_())
    assert len(page.sources) == 4
    assert all(each.startswith("data:image/jpeg;base64,") for each in page.sources)
    dies = index.cluster("obverse")
    assert len(_Page(dies._repr_html_()).sources) == len(dies)
    for shown in (comparison, dies, index, index.pairs("obverse"), dies.to_look_at):
        assert len(shown._repr_html_()) < 400_000
    text = table(["<b>"], [["<script>alert(1)</script>"]] * (MOST_ROWS + 5), caption="a & b")
    assert set(_Page(text).tags) <= {"p", "b", "table", "tr", "th", "td"}
    assert "and 5 more" in text
    assert "a &amp; b" in text


def test_representations_are_short(index: di.Index) -> None:
    comparison = index.compare(1, 2)
    dies = index.cluster("obverse")
    for each in (index, comparison, dies, index.pairs("obverse"), dies.to_look_at):
        assert len(repr(each)) < 200
        assert "\n" not in repr(each)
        assert "array(" not in repr(each)
    assert "8 coins" in repr(index)
    assert repr(comparison).startswith("<Comparison of 1 and 2: obverse ")
    assert "8 obverses" in repr(dies)


def test_everything_that_is_named_is_there() -> None:
    for name in di.__all__:
        assert getattr(di, name) is not None
    assert set(di.__all__) <= set(dir(di))
    assert issubclass(di.SheetError, di.DieIndexError)
    with pytest.raises(AttributeError):
        di.nothing  # noqa: B018


def test_every_name_is_loaded_from_where_it_lives_when_it_is_asked_for() -> None:
    from dieindex import api

    homes = {name: module for module, names in api._HOME.items() for name in names.split()}
    assert sorted(homes) == sorted(api.__all__)
    for name, module in homes.items():
        assert getattr(api, name) is getattr(importlib.import_module(module), name)
    folder = Path(api.__file__).parent
    # (A module of that name would hide it once it is loaded.)
    assert not {path.stem for path in folder.glob("*.py")} & set(homes)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = api.nothing
