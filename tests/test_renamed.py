"""Pictures renamed or moved: verdicts and die numbers go with their content."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dieindex as di
from dieindex.indexing import run as run_module
from dieindex.indexing.run import build_index
from dieindex.records import Review
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.coin_names import (
    Renaming,
    name_today,
    new_names,
    under_names_of_today,
)
from dieindex.storage.die_numbers import DieNumbers, die_numbers, keep_die_numbers
from dieindex.storage.reviews import ReviewStore, reviews_of
from dieindex.storage.schema import REVIEWS, REVIEWS_NAME
from tests.collections_for_tests import draw_pair, write_picture
from tests.commands_for_tests import Command

TIME = "2026-01-01T00:00:00Z"


@pytest.fixture
def folder(data: Path) -> Path:
    """An index with two verdicts and die numbers; its collection has no sheet."""
    (data / "dies.csv").unlink()
    index = di.open_index(data.parent / "indexes" / "data")
    index.review("01", "02", "different", side="obverse", by="me")
    index.review("03", "08", "same", side="obverse", by="me")
    index.cluster("obverse", keep=True, verify=False)
    return index.folder


def names_of(folder: Path) -> dict[str, str]:
    dies = di.open_index(folder).cluster("obverse", verify=False)
    return dict(zip(dies.coins, dies.names, strict=True))


def said(folder: Path) -> list[tuple[str, str, str]]:
    return [(each.coin_a, each.coin_b, each.verdict) for each in reviews_of(folder)]


def rename(data: Path, names: dict[str, str]) -> None:
    """Rename pictures, by their stems; they may change places."""
    pictures = data / "images"
    for old in names:
        (pictures / f"{old}.jpg").rename(pictures / f"{old}.part")
    for old, new in names.items():
        (pictures / f"{new}.jpg").parent.mkdir(exist_ok=True)
        (pictures / f"{old}.part").rename(pictures / f"{new}.jpg")


ALL = [f"{number:02}" for number in range(1, 9)]


def test_all_pictures_renamed(data: Path, folder: Path, command: Command) -> None:
    before = names_of(folder)
    with Catalogue.open(folder) as catalogue:
        ids = catalogue.face_rows("obverse").ids.tolist()
    rename(data, {name: f"BM-{name}" for name in ALL})
    code, _, err = command("build", data, "--index", folder)  # (without --prune)
    assert code == 0
    assert "coin 01 is BM-01" in err
    assert names_of(folder) == {f"BM-{name}": die for name, die in before.items()}
    assert said(folder) == [("BM-01", "BM-02", "different"), ("BM-03", "BM-08", "same")]
    with Catalogue.open(folder) as catalogue:
        assert catalogue.face_rows("obverse").ids.tolist() == ids
        assert catalogue.counts()["absent"] == 0
    index = di.open_index(folder)
    assert index.cluster("obverse", verify=False).changes == []
    assert index.compare("BM-01", "BM-02").obverse.basis == "review"  # type: ignore[union-attr]
    # Who still calls a coin by its earlier name is understood, also in a table of verdicts.
    assert index.find_coin("01") == "BM-01"
    code, _, err = command("verdict", "--import", folder / "verdicts.csv", "--index", folder)
    assert (code, "0 verdicts imported" in err) == (0, True)
    # What was said stands as it was said, and both plain tables suffice to tell it all.
    assert "01,02,obverse,different" in (folder / "verdicts.csv").read_text()
    (folder / REVIEWS_NAME).unlink()
    assert said(folder) == [("BM-01", "BM-02", "different"), ("BM-03", "BM-08", "same")]
    assert names_of(folder) == {f"BM-{name}": die for name, die in before.items()}


def test_pictures_that_change_places_and_names_used_again(data: Path, folder: Path) -> None:
    before = names_of(folder)
    rename(data, {"01": "03", "03": "01", "08": "09"})
    write_picture(data / "images" / "08.jpg", draw_pair(7, 7))
    build_index(data, folder)
    assert said(folder) == [("03", "02", "different"), ("01", "09", "same")]
    after = names_of(folder)
    expected = {**before, "01": before["03"], "03": before["01"], "09": before["08"]}
    assert {coin: after[coin] for coin in expected if coin != "08"} == {
        coin: die for coin, die in expected.items() if coin != "08"
    }
    assert after["08"] not in before.values()  # another coin, and no number of the one before


def test_broken_off_between_the_two_files_nothing_is_followed_twice(
    data: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = names_of(folder)
    rename(data, {"01": "03", "03": "01"})

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    real = run_module.generation_of
    for name in ("follow_renamed", "generation_of"):
        with monkeypatch.context() as patched:
            patched.setattr(run_module, name, killed)
            with pytest.raises(KeyboardInterrupt):
                build_index(data, folder)
    assert run_module.generation_of is real
    for _ in range(2):
        build_index(data, folder)
        assert said(folder) == [("03", "02", "different"), ("01", "08", "same")]
        assert names_of(folder) == {**before, "01": before["03"], "03": before["01"]}


def test_a_catalogue_made_anew_after_renaming(data: Path, folder: Path) -> None:
    build_index(data, folder)  # (notes by which pictures coins are known)
    before = names_of(folder)
    rename(data, {name: f"x/{name}a" for name in ALL})
    (folder / "catalogue.sqlite").unlink()
    build_index(data, folder)
    assert names_of(folder) == {f"{name}a": die for name, die in before.items()}
    assert said(folder)[0] == ("01a", "02a", "different")


def test_verdicts_of_coins_that_are_gone_wait_and_that_is_said(
    data: Path, folder: Path, command: Command
) -> None:
    kept = data / "images" / "08.jpg"
    content = kept.read_bytes()
    kept.unlink()
    code, _, err = command("build", data, "--index", folder)
    assert code == 0
    assert "1 verdict waits for coins that are not there" in err
    assert "03 and 08 same (obverse)" in err
    kept.write_bytes(content)
    _, _, err = command("build", data, "--index", folder)
    assert "waits" not in err
    assert said(folder)[1] == ("03", "08", "same")


def test_two_files_of_one_content(data: Path, folder: Path) -> None:
    """A copy that stays where it was takes nothing over; the first takes the place of the one."""
    shutil.copy(data / "images" / "08.jpg", data / "images" / "20.jpg")
    build_index(data, folder)
    (data / "images" / "08.jpg").unlink()
    build_index(data, folder)
    assert said(folder)[1] == ("03", "08", "same")
    for name in ("40", "30"):
        shutil.copy(data / "images" / "01.jpg", data / "images" / f"{name}.jpg")
    (data / "images" / "01.jpg").unlink()
    build_index(data, folder)
    assert said(folder)[0] == ("30", "02", "different")


def test_an_edited_picture_of_the_same_name_is_the_same_coin(data: Path, folder: Path) -> None:
    before = said(folder)
    write_picture(data / "images" / "01.jpg", draw_pair(1, 1, strike=99))
    build_index(data, folder)
    assert said(folder) == before


CONTENTS = st.dictionaries(
    st.sampled_from("abcdef"), st.frozensets(st.integers(0, 5).map(str), min_size=1), max_size=5
)


@settings(max_examples=200, deadline=None)
@given(before=CONTENTS, now=CONTENTS)
def test_laws_of_new_names(
    before: dict[str, frozenset[str]], now: dict[str, frozenset[str]]
) -> None:
    names = new_names(before, before, now)
    for old, new in names.items():
        assert not before[old] & now.get(old, frozenset())
        assert before[old] & now[new] - before.get(new, frozenset())
    assert new_names(before, before, before) == {}
    # As often as it is asked: what has been followed is not followed again.
    known = {names.get(coin, coin): now.get(names.get(coin, coin), frozenset()) for coin in before}
    assert new_names(known, now, now) == {}


def test_verdicts_are_read_under_the_names_of_their_time() -> None:
    renamed = [
        Renaming("2026-02-01T00:00:00Z", {"a": "b", "b": "a"}),
        Renaming("2026-03-01T00:00:00Z", {"b": "c"}),
    ]
    assert name_today("a", renamed) == "c"
    assert name_today("a", renamed, "2026-02-15T00:00:00Z") == "a"
    given = [
        Review("a", "x", "obverse", "same", "", "", TIME),
        Review("b", "x", "obverse", "same", "", "", "2026-02-15T00:00:00Z"),
        Review("c", "a", "obverse", "same", "", "", TIME),  # one coin since
    ]
    named = under_names_of_today(given, renamed)
    assert [(each.coin_a, each.coin_b) for each in named] == [("c", "x"), ("c", "x")]


def test_persons_work_of_the_schema_before_is_brought_up_to_date(folder: Path) -> None:
    with ReviewStore.open(folder) as kept:
        before = kept.number_entries(), die_numbers(kept, "obverse"), kept.reviews()
    with closing(sqlite3.connect(folder / REVIEWS_NAME)) as raw, raw:
        for name in ("numbers", "adopted", "last_numbers", "number_changes"):
            raw.execute(f"DROP VIEW {name}")
        sql = raw.execute("SELECT sql FROM sqlite_master WHERE name = 'number_log'").fetchone()[0]
        sql = sql.replace(", 'coin', 'pictures'", "").replace(", ''))", "))")
        raw.execute("ALTER TABLE number_log RENAME TO later")
        raw.execute("DROP INDEX number_log_coin")
        for name in ("number_log_stays", "number_log_stays_as_given"):
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute(sql)
        raw.execute("INSERT INTO number_log SELECT * FROM later")
        raw.execute("DROP TABLE later")
        for statement in REVIEWS.migrations[2]:
            if statement.startswith(("CREATE INDEX", "CREATE TRIGGER", "CREATE VIEW")):
                raw.execute(statement)
        raw.execute("UPDATE meta SET value = '2' WHERE key = 'schema'")
    for _ in range(2):
        with ReviewStore.open(folder) as kept:
            assert kept.schema_version() == REVIEWS.version
            assert (kept.number_entries(), die_numbers(kept, "obverse"), kept.reviews()) == before
    with ReviewStore.open(folder, write=True) as kept:
        keep_die_numbers(kept, "obverse", DieNumbers({"77": 99}, 99), [], TIME)
        assert kept.number_entries()[-1].entry == before[0][-1].entry + 1
