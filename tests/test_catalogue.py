"""The catalogue: older schemas are brought up to date, or read as they are, and lose nothing."""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dieindex.errors import IndexFolderError
from dieindex.indexing.run import build_index
from dieindex.records import SIDES
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.details import DetailStore
from dieindex.storage.folder import locked
from dieindex.storage.schema import CATALOGUE, CATALOGUE_NAME, DETAILS, DETAILS_NAME

PACKAGE = Path(__file__).parents[1] / "dieindex"
OUTCOMES = (
    "CREATE TABLE outcomes (side TEXT NOT NULL, digest BLOB NOT NULL, labels BLOB NOT NULL,"
    " PRIMARY KEY (side, digest)) WITHOUT ROWID",
    "INSERT INTO outcomes VALUES ('obverse', x'00', x'00000000')",
)
"""A cache of clustering that is not kept any more."""
TO_4 = (*OUTCOMES, "UPDATE meta SET value = '4' WHERE key = 'schema'")
TO_3 = (
    "DROP VIEW present_faces",
    "ALTER TABLE faces RENAME COLUMN frames_tried TO laid_on",
    "ALTER TABLE faces RENAME COLUMN aligned_to_frame TO laid_at",
    "ALTER TABLE faces RENAME COLUMN refined_steps TO settled",
    "ALTER TABLE faces RENAME COLUMN alignment_confidence TO support",
    "UPDATE meta SET value = '3' WHERE key = 'schema'",
)
BACK = {
    CATALOGUE_NAME: {4: TO_4, 3: TO_3},
    DETAILS_NAME: {
        1: (
            "DROP TABLE local_features",
            "DROP TABLE aligned_pairs",
            "DROP INDEX pair_scores_second",
            "ALTER TABLE descriptors RENAME TO described",
            "ALTER TABLE pair_scores RENAME TO judged",
            "CREATE INDEX judged_second ON judged (second)",
            "UPDATE meta SET value = '1' WHERE key = 'schema'",
        ),
    },
}
"""How each file of today is made one of an earlier version."""


def as_left_by(built: Path, folder: Path, catalogue: int) -> Path:
    """An index as the versions with this schema of the catalogue left it."""
    shutil.copytree(built, folder)
    for name, version in ((CATALOGUE_NAME, catalogue), (DETAILS_NAME, 1)):
        with closing(sqlite3.connect(folder / name)) as raw, raw:
            for statement in BACK[name][version]:
                raw.execute(statement)
    return folder


@pytest.fixture(params=[3, 4])
def version(request: pytest.FixtureRequest) -> int:
    """Of the catalogue."""
    return int(request.param)


@pytest.fixture
def earlier(built: Path, tmp_path: Path, version: int) -> Path:
    """An index as an earlier version left it."""
    return as_left_by(built, tmp_path / "earlier", version)


def seen(folder: Path) -> dict[str, object]:
    """What an index answers, of every kind of question."""
    with Catalogue.open(folder) as catalogue, DetailStore.open(folder) as details:
        rows = {side: catalogue.face_rows(side) for side in SIDES}
        return {
            "counts": catalogue.counts(),
            "vectors": {side: r.vectors.tobytes() for side, r in rows.items()},
            "placed": [
                (f.id, f.file, f.coin, f.frame, f.confidence, f.to_frame.tobytes())
                for side in SIDES
                for f in catalogue.placed_faces(side)
                if f.to_frame is not None
            ],
            "left": [catalogue.refinement_left(side, 9) for side in SIDES],
            "to_try": [catalogue.faces_to_try(side, 9) for side in SIDES],
            "keys": details.keys(),
            "pairs": len(details.pair_scores(rows["obverse"].ids)),
        }


def versions(folder: Path) -> list[int | None]:
    found = []
    for name in (CATALOGUE_NAME, DETAILS_NAME):
        with closing(sqlite3.connect(folder / name)) as raw:
            (value,) = raw.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
            found.append(int(value))
    return found


def tables(folder: Path) -> list[list[str]]:
    """Every table, view and column of both files."""
    found = []
    for name in (CATALOGUE_NAME, DETAILS_NAME):
        with closing(sqlite3.connect(folder / name)) as raw:
            rows = raw.execute("SELECT name FROM sqlite_master ORDER BY name")
            names = [row[0] for row in rows]
            found.append(
                [f"{n} {[row[1] for row in raw.execute(f'PRAGMA table_info({n})')]}" for n in names]
            )
    return found


def test_an_earlier_index_is_brought_up_to_date_when_it_is_opened(
    built: Path, earlier: Path, version: int
) -> None:
    assert versions(earlier) == [version, 1]
    expected = seen(built)
    assert seen(earlier) == expected
    assert versions(earlier) == [CATALOGUE.version, DETAILS.version]
    assert tables(earlier) == tables(built)
    assert seen(earlier) == expected


def test_where_it_cannot_be_written_it_is_read_as_it_is(
    built: Path, earlier: Path, version: int
) -> None:
    (earlier / "lock").unlink(missing_ok=True)
    (earlier / "lock").mkdir()  # a folder that cannot be written, also for root
    before = (earlier / CATALOGUE_NAME).read_bytes()
    assert seen(earlier) == seen(built)
    assert versions(earlier) == [version, 1]
    assert (earlier / CATALOGUE_NAME).read_bytes() == before


def test_a_reader_goes_on_while_another_process_brings_it_up_to_date(
    built: Path, earlier: Path, version: int
) -> None:
    with locked(earlier):
        catalogue, details = Catalogue.open(earlier), DetailStore.open(earlier)
    with catalogue, details:
        assert versions(earlier) == [version, 1]
        before = catalogue.face_rows("obverse").ids.tolist(), details.keys()
        Catalogue.open(earlier).close()
        DetailStore.open(earlier).close()
        assert versions(earlier) == [CATALOGUE.version, DETAILS.version]
        assert (catalogue.face_rows("obverse").ids.tolist(), details.keys()) == before


def test_who_writes_brings_it_up_to_date(built: Path, earlier: Path) -> None:
    with locked(earlier):
        details = DetailStore.open(earlier)
    with details, locked(earlier):
        faces = sorted(details.keys())[:2]
        with pytest.raises(ValueError, match="broken off"), details.transaction():
            raise ValueError("broken off")
        assert versions(earlier)[1] == 1
        assert details.keys()
        with details.transaction():
            details.remove_pair_scores(faces)
        assert versions(earlier)[1] == DETAILS.version
        assert len(details.keys())


def test_an_open_file_that_a_newer_version_changed_is_not_called_damaged(earlier: Path) -> None:
    with Catalogue.open(earlier) as catalogue:
        with closing(sqlite3.connect(earlier / CATALOGUE_NAME)) as raw, raw:
            raw.execute("DROP VIEW present_faces")
            raw.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
        with pytest.raises(IndexFolderError, match="newer dieindex") as caught:
            catalogue.counts()
    assert "delete" not in str(caught.value)


def test_an_index_that_kept_outcomes_under_an_earlier_schema_is_brought_up_to_date(
    built: Path, tmp_path: Path
) -> None:
    """Versions of schema 3 that knew the cache had the table already."""
    folder = as_left_by(built, tmp_path / "earlier", 3)
    with closing(sqlite3.connect(folder / CATALOGUE_NAME)) as raw, raw:
        for statement in OUTCOMES:
            raw.execute(statement)
    assert seen(folder) == seen(built)
    assert tables(folder) == tables(built)


def test_a_build_goes_on_with_it(coins: Path, built: Path, earlier: Path) -> None:
    report = build_index(coins, earlier)
    assert report.worked_on == report.encoded == 0
    assert versions(earlier)[0] == CATALOGUE.version
    assert seen(earlier)["vectors"] == seen(built)["vectors"]


def test_what_is_no_catalogue_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / CATALOGUE_NAME)) as raw, raw:
        raw.execute("CREATE TABLE something (x)")
    with pytest.raises(IndexFolderError, match="not a catalogue"):
        Catalogue.open(tmp_path)
    with pytest.raises(IndexFolderError, match="no index here"):
        Catalogue.open(tmp_path / "nothing")


def test_a_missing_picture_says_what_to_do(built: Path) -> None:
    with Catalogue.open(built) as catalogue:
        for ask in (catalogue.packed_face, catalogue.picture_of):
            with pytest.raises(IndexFolderError, match=r"missing; delete catalogue\.sqlite"):
                ask(999)


SQL = re.compile(
    r"\b(SELECT .* FROM|INSERT (OR \w+ )?INTO|UPDATE \w+ SET|DELETE FROM|CREATE TABLE|DROP TABLE)\b"
    r"|\.(rows|write_many|executemany|execute|value)\(\s*f?\"|import sqlite3"
)


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(PACKAGE.rglob("*.py")) if path.parent.name != "storage"],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_nobody_but_storage_speaks_sql(path: Path) -> None:
    assert not SQL.search(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "path",
    [path for path in sorted((PACKAGE / "storage").glob("*.py")) if path.name != "schema.py"],
    ids=lambda path: path.name,
)
def test_tables_are_made_in_one_place(path: Path) -> None:
    assert not re.search(r"\bCREATE (TEMP |TABLE|VIEW|INDEX)", path.read_text(encoding="utf-8"))
