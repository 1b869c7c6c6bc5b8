"""Whatever is damaged, moved or deleted as a message says: verdicts and die numbers are kept."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import dieindex as di
from dieindex.errors import DieIndexError, EncoderError, IndexFolderError
from dieindex.indexing.run import build_index
from dieindex.records import Review
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.die_numbers import DieNumbers, die_numbers
from dieindex.storage.folder import create_index_folder, find_index_folder
from dieindex.storage.reviews import ReviewStore, reviews_of
from dieindex.storage.schema import (
    CATALOGUE,
    CATALOGUE_NAME,
    CHANGE,
    DETAILS_NAME,
    NUMBERS_NAME,
    REVIEWS_NAME,
    VERDICTS_NAME,
)
from tests.commands_for_tests import Command
from tests.earlier_indexes import LAST, NUMBERS, VERDICTS, put_earlier_work

Work = tuple[list[Review], DieNumbers]


@pytest.fixture
def folder(data: Path) -> Path:
    """An index with a verdict and die numbers."""
    index = di.open_index(data.parent / "indexes" / "data")
    index.review("01", "08", "same", side="obverse", by="me", note="the letter gap")
    index.cluster("obverse", keep=True, verify=False)
    return index.folder


def work_of(folder: Path) -> Work:
    with ReviewStore.open(folder) as kept:
        return kept.reviews(), die_numbers(kept, "obverse")


def write_schema(folder: Path, version: int) -> None:
    with Catalogue.open(folder) as catalogue, catalogue.transaction():
        catalogue.set_meta("schema", str(version))


def test_a_new_index_keeps_persons_work_apart_from_the_first_day(folder: Path) -> None:
    reviews, numbers = work_of(folder)
    assert [each.note for each in reviews] == ["the letter gap"]
    assert len(numbers.numbers) == 8
    assert (folder / VERDICTS_NAME).read_text().count("the letter gap") == 1


def test_a_damaged_catalogue_is_deleted_and_built_again(data: Path, folder: Path) -> None:
    before = work_of(folder)
    (folder / CATALOGUE_NAME).write_bytes(b"no database, " * 100)
    with pytest.raises(IndexFolderError) as caught:
        build_index(data, folder)
    assert "delete catalogue.sqlite and build again" in str(caught.value)
    assert "verdicts and die numbers are kept in reviews.sqlite" in str(caught.value)
    assert work_of(folder) == before
    (folder / CATALOGUE_NAME).unlink()
    build_index(data, folder)
    assert work_of(folder) == before
    dies = di.open_index(folder).cluster("obverse", verify=False)
    assert dies.changes == []


@pytest.mark.parametrize(
    ("left", "said"),
    [
        ({VERDICTS_NAME, NUMBERS_NAME}, "verdicts come back from verdicts.csv and die numbers"),
        ({VERDICTS_NAME}, "die numbers only from a copy of it, else they are given anew"),
        ({NUMBERS_NAME}, "verdicts only from a copy of it"),
        (set(), "put a copy of it in its place if there is one"),
    ],
)
def test_damaged_reviews_are_moved_away_and_come_back(
    data: Path, folder: Path, tmp_path: Path, left: set[str], said: str
) -> None:
    di.open_index(folder).cluster("obverse", keep=True, verify=False, adopt_names=True)
    reviews, numbers = work_of(folder)
    assert numbers.adopted
    names = di.open_index(folder).cluster("obverse", verify=False).names
    for name in {VERDICTS_NAME, NUMBERS_NAME} - left:
        (folder / name).unlink()
    (folder / REVIEWS_NAME).write_bytes(b"no database, " * 100)
    with pytest.raises(IndexFolderError) as caught:
        build_index(data, folder)
    assert said in str(caught.value)
    (folder / REVIEWS_NAME).rename(tmp_path / "kept.sqlite")
    build_index(data, folder)
    assert work_of(folder) == (
        reviews if VERDICTS_NAME in left else [],
        numbers if NUMBERS_NAME in left else DieNumbers(),
    )
    if len(left) == 2:
        assert di.open_index(folder).cluster("obverse", verify=False).names == names


def test_a_copy_put_back_is_completed_before_anything_is_asked(
    folder: Path, command: Command, tmp_path: Path
) -> None:
    copy = shutil.copy(folder / REVIEWS_NAME, tmp_path / "copy.sqlite")
    index = di.open_index(folder)
    given = [index.review("01", b, "different", side="obverse") for b in ("03", "05")]
    assert [each.number for each in given] == [2, 3]
    dies = index.cluster("obverse", keep=True, verify=False, adopt_names=True)
    before = work_of(folder)
    shutil.copy(copy, folder / REVIEWS_NAME)
    assert len(command.document("verdict", "--index", folder)) == 3
    shutil.copy(copy, folder / REVIEWS_NAME)
    again = di.open_index(folder).cluster("obverse", verify=False)
    assert (again.names, again.changes, again.labels.tolist()) == (
        dies.names,
        [],
        dies.labels.tolist(),
    )
    assert work_of(folder) == before


def test_adopting_names_is_logged(folder: Path) -> None:
    index = di.open_index(folder)
    for _ in range(2):  # nothing is logged twice
        index.cluster("obverse", keep=True, verify=False, adopt_names=True)
        with ReviewStore.open(folder) as kept:
            texts = [each.text for each in kept.number_entries() if each.what == CHANGE]
            names = die_numbers(kept, "obverse").adopted
        told = [text for text in texts if "goes by" in text]
        assert told == [f"O{n} goes by {name}" for n, name in sorted(names.items())]


def test_verdicts_are_given_whatever_became_of_the_encoder(
    folder: Path, command: Command, tmp_path: Path
) -> None:
    (folder / "encoder.safetensors").write_bytes(b"damaged")
    table = tmp_path / "v.csv"
    table.write_text("coin_a,coin_b,side,verdict\n2,3,obverse,different\n")
    asked = ("verdict", "--index", folder)
    code, _, err = command(*asked, "1", "8", "unsure", "--side", "obverse")
    assert code == 0, err
    code, _, err = command(*asked, "--import", table)
    assert code == 0, err
    assert len(work_of(folder)[0]) == 3


def test_without_descriptors_a_run_says_so_and_leaves_the_numbers_alone(
    data: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    index = di.open_index(folder)
    verified = index.cluster("obverse", keep=True)
    before = work_of(folder)
    (folder / DETAILS_NAME).unlink()
    by_vectors = di.open_index(folder).cluster("obverse", keep=True)
    assert "8 obverses have no dense descriptors" in caplog.text
    assert "not kept" in caplog.text
    assert by_vectors.coins == verified.coins
    assert work_of(folder) == before
    build_index(data, folder)
    again = di.open_index(folder).cluster("obverse", keep=True)
    assert again.names == verified.names
    assert again.changes == []


@pytest.mark.parametrize("schema", ["1", "99"])
def test_a_catalogue_of_another_version_is_made_anew(data: Path, folder: Path, schema: str) -> None:
    before = work_of(folder)
    write_schema(folder, int(schema))
    with pytest.raises(IndexFolderError, match=r"older|newer") as caught:
        build_index(data, folder)
    assert work_of(folder) == before
    if schema == "1":
        assert "reencode=True" in str(caught.value)
        build_index(data, folder, reencode=True)
    else:
        assert "delete catalogue.sqlite" in str(caught.value)
        (folder / CATALOGUE_NAME).unlink()
        build_index(data, folder)
    assert work_of(folder) == before


@pytest.mark.parametrize("schema", [None, 2])
def test_what_an_earlier_version_kept_in_its_catalogue_is_taken_over_first(
    data: Path, folder: Path, schema: int | None
) -> None:
    for name in (REVIEWS_NAME, VERDICTS_NAME, NUMBERS_NAME):
        (folder / name).unlink()
    put_earlier_work(folder)
    if schema is not None:
        with closing(sqlite3.connect(folder / CATALOGUE_NAME)) as raw, raw:
            raw.execute("UPDATE meta SET value = ? WHERE key = 'schema'", (str(schema),))
    if schema is not None:
        with pytest.raises(IndexFolderError, match="erdicts and die numbers are kept"):
            di.open_index(folder)
        (folder / CATALOGUE_NAME).unlink()
    build_index(data, folder)
    reviews, numbers = work_of(folder)
    assert len(reviews) == len(VERDICTS)
    assert numbers == DieNumbers(NUMBERS, LAST, {4: "A"})


def test_a_damaged_encoder_of_its_own_is_deleted(data: Path, folder: Path) -> None:
    before = work_of(folder)
    (folder / "encoder.safetensors").write_bytes(b"damaged")
    with pytest.raises(EncoderError, match=r"Delete it and build again with reencode=True"):
        build_index(data, folder)
    (folder / "encoder.safetensors").unlink()
    build_index(data, folder, reencode=True)
    assert work_of(folder) == before


def test_reencode_and_prune_keep_persons_work(data: Path, folder: Path) -> None:
    before = work_of(folder)
    build_index(data, folder, reencode=True)
    assert work_of(folder) == before
    for name in ("01.jpg", "02.jpg", "03.jpg"):
        (data / "images" / name).unlink()
    with pytest.raises(IndexFolderError, match=r"prune=True"):
        build_index(data, folder)
    build_index(data, folder, prune=True)
    assert work_of(folder) == before


def test_an_index_moves_with_persons_work(data: Path, folder: Path, tmp_path: Path) -> None:
    before = work_of(folder)
    moved = folder.rename(tmp_path / "elsewhere")
    assert work_of(moved) == before
    build_index(data, moved)
    assert work_of(moved) == before


@pytest.mark.parametrize(
    "left", [(REVIEWS_NAME, "lock"), (VERDICTS_NAME,), (VERDICTS_NAME, NUMBERS_NAME)]
)
def test_an_index_is_built_beside_what_persons_left(
    data: Path, folder: Path, tmp_path: Path, left: tuple[str, ...]
) -> None:
    before = work_of(folder)
    new = tmp_path / "new"
    new.mkdir()
    for name in left:
        shutil.copy(folder / name, new / name)
    create_index_folder(new)
    assert reviews_of(new) == before[0]
    build_index(data, new)
    reviews, numbers = work_of(new)
    assert reviews == before[0]
    if REVIEWS_NAME in left or NUMBERS_NAME in left:
        assert numbers == before[1]
        assert di.open_index(new).cluster("obverse", verify=False).changes == []


def test_everything_derived_may_be_deleted(data: Path, folder: Path) -> None:
    before = work_of(folder)
    kept = {REVIEWS_NAME, VERDICTS_NAME, NUMBERS_NAME}
    (folder / "dies.xlsx").write_text("a table beside it")
    for path in folder.iterdir():
        if path.name not in {*kept, "dies.xlsx"}:
            path.unlink()
    build_index(data, folder)
    assert work_of(folder) == before
    for name in (DETAILS_NAME, "obverse.faiss", "reverse.json", "lock"):
        (folder / name).unlink()
        build_index(data, folder)
        assert (folder / name).exists()
        assert work_of(folder) == before


def test_verdicts_go_out_whatever_became_of_the_rest(
    folder: Path, command: Command, tmp_path: Path
) -> None:
    def exported() -> str:
        out = tmp_path / "out.csv"
        out.unlink(missing_ok=True)
        code, _, err = command("verdict", "--export", out, "--index", folder)
        assert code == 0, err
        assert command.document("verdict", "--index", folder)[0]["note"] == "the letter gap"
        return out.read_text()

    expected = exported()
    assert expected.splitlines()[0] == "coin_a,coin_b,side,verdict,by,note,time"
    assert "the letter gap" in expected
    (folder / "encoder.safetensors").write_bytes(b"damaged")
    assert exported() == expected
    for schema in (1, 99):
        write_schema(folder, schema)
        assert exported() == expected
        with closing(sqlite3.connect(folder / CATALOGUE_NAME)) as raw, raw:
            raw.execute(f"UPDATE meta SET value = {CATALOGUE.version} WHERE key = 'schema'")
    (folder / CATALOGUE_NAME).write_bytes(b"no database, " * 100)
    assert exported() == expected
    (folder / CATALOGUE_NAME).unlink()
    (folder / "lock").unlink(missing_ok=True)
    (folder / "lock").mkdir()  # a folder that cannot be written, also for root
    assert exported() == expected
    (folder / REVIEWS_NAME).unlink()  # the table of verdicts has them too
    assert exported() == expected


def test_what_is_exported_comes_in_once(folder: Path, command: Command, tmp_path: Path) -> None:
    before = work_of(folder)
    for table in (folder / VERDICTS_NAME, tmp_path / "out.csv"):
        if not table.exists():
            assert command("verdict", "--export", table, "--index", folder)[0] == 0
        code, _, err = command("verdict", "--import", table, "--index", folder)
        assert code == 0, err
        assert work_of(folder) == before


def test_the_index_is_found_by_its_reviews_alone(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DIEINDEX_INDEX", raising=False)
    (folder / CATALOGUE_NAME).unlink()
    with pytest.raises(DieIndexError, match="No index"):
        find_index_folder(None)
    with pytest.raises(DieIndexError, match="not an index"):
        find_index_folder(folder)
    assert find_index_folder(None, reviews_suffice=True)[0].resolve() == folder.resolve()
    assert find_index_folder(folder, reviews_suffice=True)[0] == folder
