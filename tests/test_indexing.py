"""Building: what is new is worked on, nothing is lost, and an interrupted run ends the same."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from dieindex.alignment.refinement import STEPS
from dieindex.errors import CollectionError, DieIndexError, IndexFolderError, UsageError
from dieindex.indexing.report import BuildReport
from dieindex.indexing.run import build_index
from dieindex.records import SIDES, Side
from dieindex.storage.catalogue import Catalogue, FaceRows
from dieindex.storage.details import DetailStore
from dieindex.storage.folder import locked
from dieindex.storage.nearest import vector_file
from tests.collections_for_tests import DIES, draw_coin, draw_pair, write_collection, write_picture


@pytest.fixture
def folder(data: Path) -> Path:
    """The finished index of ``data``, as a test may change it."""
    return data.parent / "indexes" / "data"


def content_of(folder: Path) -> dict[str, object]:
    """Everything of an index that must not depend on how its building went."""
    with Catalogue.open(folder) as catalogue, DetailStore.open(folder) as details:
        rows = {side: catalogue.face_rows(side) for side in SIDES}
        return {
            "details": details.rows("SELECT * FROM descriptors ORDER BY face"),
            "generation": catalogue.meta("generation"),
            "photographs": [(p.id, p.file, p.sha256) for p in catalogue.photographs().values()],
            "faces": {side: r.ids.tolist() for side, r in rows.items()},
            "vectors": {side: r.vectors.tobytes() for side, r in rows.items()},
            "frames": catalogue.rows("SELECT side, number, frame, competitors FROM frames"),
            "places": catalogue.rows("SELECT id, frame, to_frame, alignment_confidence FROM faces"),
            "files": {side: vector_file(folder, side).read_bytes() for side in SIDES},
        }


def test_a_collection_becomes_an_index(coins: Path, tmp_path: Path) -> None:
    report = build_index(coins, tmp_path / "index")
    assert report.coins == 8
    assert report.faces == {"obverse": 8, "reverse": 8}
    assert report.worked_on == 8
    assert not report.skipped
    with Catalogue.open(tmp_path / "index") as catalogue:
        vectors = catalogue.face_rows("obverse").vectors
        assert catalogue.coins()["01"].dies == {"obverse": "O1", "reverse": "R1"}
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_second_run_works_on_nothing_and_loads_no_torch(data: Path, folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from dieindex.indexing.run import build_index;"
        f"r = build_index(Path({str(data)!r}), Path({str(folder)!r}));"
        "print(r.worked_on, r.coins, [m for m in ('torch', 'cv2', 'sklearn') if m in sys.modules])"
    )
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert again.stdout.split(maxsplit=2) == ["0", "8", "[]\n"], again.stderr


def test_only_new_and_changed_pictures_are_worked_on(data: Path, folder: Path) -> None:
    before = content_of(folder)
    write_picture(data / "images" / "09.jpg", draw_pair(7, 7))
    write_picture(data / "images" / "03.jpg", draw_pair(6, 6))
    os.utime(data / "images" / "05.jpg", (1, 1))  # touched, with the same content
    seen: dict[str, tuple[int, int]] = {}
    report = build_index(data, folder, progress=lambda step, *count: seen.update({step: count}))
    assert report.coins == 9
    done, due = seen.pop("refining")
    assert done == due > 0
    four = (4, 4)
    assert seen == {"cropping": (3, 3), "aligning": four, "encoding": four}
    assert report.encoded == 4
    after = content_of(folder)
    kept = {"01", "02", "04", "05", "06", "07", "08"}
    unchanged = [p for p in before["photographs"] if Path(p[1]).stem in kept]  # type: ignore[index,attr-defined]
    assert set(unchanged) <= set(after["photographs"])  # type: ignore[call-overload]
    assert after["generation"] != before["generation"]


def test_refined_faces_stay_where_later_coins_are_aligned_to_them(data: Path, folder: Path) -> None:
    places = "SELECT id, to_frame, refined_steps FROM faces WHERE aligned"
    with Catalogue.open(folder) as catalogue:
        before = {row[0]: row[1:] for row in catalogue.rows(places)}
    assert {steps for _, steps in before.values()} == {STEPS}
    write_picture(data / "images" / "09.jpg", draw_pair(1, 2, strike=20))
    build_index(data, folder)
    with Catalogue.open(folder) as catalogue:
        after = {row[0]: row[1:] for row in catalogue.rows(places)}
        waiting = catalogue.rows("SELECT id FROM faces WHERE next_to_frame IS NOT NULL")
    assert len(after) > len(before)
    assert {face: after[face] for face in before} == before
    assert {steps for _, steps in after.values()} == {STEPS}
    assert not waiting


def test_encoded_anew_faces_are_refined_anew_from_where_alignment_laid_them(
    data: Path, folder: Path
) -> None:
    before = content_of(folder)
    with Catalogue.open(folder) as catalogue, catalogue.transaction():
        catalogue.set_meta("encoder", "another")
    build_index(data, folder, reencode=True)
    assert content_of(folder) == before


def test_a_renamed_picture_keeps_its_faces(data: Path, folder: Path) -> None:
    with Catalogue.open(folder) as catalogue:
        before = catalogue.face_rows("obverse").ids.tolist()
    (data / "images" / "08.jpg").rename(data / "images" / "80.jpg")
    report = build_index(data, folder)
    with Catalogue.open(folder) as catalogue:
        rows = catalogue.face_rows("obverse")
        assert catalogue.counts()["absent"] == 0
    assert rows.ids.tolist() == before
    assert "80" in rows.coins
    assert "08" not in rows.coins
    assert report.coins == 8


def test_one_bad_picture_is_skipped_listed_and_not_tried_again(data: Path, tmp_path: Path) -> None:
    (data / "images" / "90.jpg").write_bytes(b"")
    (data / "images" / "91.jpg").write_text("no picture")
    whole = (data / "images" / "01.jpg").read_bytes()
    (data / "images" / "92.jpg").write_bytes(whole[: len(whole) // 2])
    for _ in range(2):
        report = build_index(data, tmp_path / "index")
        assert report.coins == 8
        assert [Path(s.file).name for s in report.skipped] == ["90.jpg", "91.jpg", "92.jpg"]
        assert all(s.reason for s in report.skipped)
    assert report.worked_on == 0


def test_nothing_usable_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "1.jpg").write_text("no picture")
    with pytest.raises(CollectionError, match=r"not one face.*1\.jpg"):
        build_index(tmp_path / "data", tmp_path / "index")


def test_another_collection_is_refused(built: Path, data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    shutil.copytree(built, folder)
    with pytest.raises(IndexFolderError, match="is the index of"):
        build_index(data, folder)


def test_a_moved_collection_is_recognised(data: Path, folder: Path, tmp_path: Path) -> None:
    moved = data.rename(tmp_path / "elsewhere")
    report = build_index(moved, folder)
    assert report.worked_on == 0
    assert any("moved" in warning for warning in report.warnings)


def test_vanished_pictures_stop_the_build_unless_pruned(data: Path, folder: Path) -> None:
    before = content_of(folder)
    for name in ("01.jpg", "02.jpg"):
        (data / "images" / name).unlink()
    with pytest.raises(IndexFolderError, match="prune=True"):
        build_index(data, folder)
    assert content_of(folder) == before
    report = build_index(data, folder, prune=True)
    assert report.coins == 6
    with Catalogue.open(folder) as catalogue:
        assert catalogue.counts()["absent"] == 2
    # A picture that comes back is taken up again without work.
    write_picture(data / "images" / "01.jpg", draw_pair(*DIES[0], strike=1))
    report = build_index(data, folder)
    assert report.coins == 7


def test_overrides_redo_only_their_faces(data: Path, folder: Path) -> None:
    with Catalogue.open(folder) as catalogue:
        before = catalogue.face_rows("reverse")
    (data / "overrides.csv").write_text("file,side,x,y,radius\n04.jpg,obverse,80,80,40\n")
    report = build_index(data, folder)
    assert report.worked_on == 1
    assert report.encoded == 1
    assert report.coins == 8
    with Catalogue.open(folder) as catalogue:
        rows = catalogue.face_rows("obverse")
        reverses = catalogue.face_rows("reverse")
    assert rows.radius[rows.coins.index("04")] == pytest.approx(40)
    # The other side of that picture looks as it did, and is the same face.
    assert reverses.ids.tolist() == before.ids.tolist()
    assert np.array_equal(reverses.vectors, before.vectors)


def test_two_builds_at_once_the_second_is_refused(
    data: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dieindex.storage.folder.WAIT", 0.1)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import time; from pathlib import Path; from dieindex.storage.folder import locked\n"
            f"with locked(Path({str(folder)!r})): print('held', flush=True); time.sleep(60)",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(IndexFolderError, match="another dieindex"):
            build_index(data, folder)
    finally:
        holder.kill()
        holder.wait()
    build_index(data, folder)  # the lock ended with its process


def test_another_encoder_is_recognised_and_rebuilt_only_when_asked(
    data: Path, folder: Path
) -> None:
    with Catalogue.open(folder) as catalogue, catalogue.transaction():
        catalogue.set_meta("encoder", "of long ago")
    with pytest.raises(IndexFolderError, match="reencode=True"):
        build_index(data, folder)
    expected = content_of(folder)
    report = build_index(data, folder, reencode=True)
    # No picture is read again, nor any face aligned anew.
    assert (report.worked_on, report.encoded) == (0, 16)
    assert content_of(folder) == expected


def test_an_index_without_alignment_is_refused_and_made_anew_when_asked(
    data: Path, folder: Path
) -> None:
    expected = content_of(folder)
    with Catalogue.open(folder) as catalogue, catalogue.transaction():
        catalogue.set_meta("schema", "1")
    with pytest.raises(IndexFolderError, match=r"older dieindex.*reencode=True"):
        build_index(data, folder)
    report = build_index(data, folder, reencode=True)
    assert report.worked_on == 8
    assert content_of(folder) == expected


def test_a_damaged_catalogue_says_what_to_do(data: Path, folder: Path) -> None:
    (folder / "catalogue.sqlite").write_bytes(b"this is no database, " * 100)
    with pytest.raises(IndexFolderError, match="damaged"):
        build_index(data, folder)


def test_a_folder_of_other_things_is_refused(data: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.txt").write_text("kept")
    with pytest.raises(UsageError, match=r"chapter1\.txt"):
        build_index(data, tmp_path / "thesis")
    with pytest.raises(UsageError, match="is a file"):
        build_index(data, tmp_path / "thesis" / "chapter1.txt")


def test_a_folder_that_cannot_be_written(data: Path, folder: Path, tmp_path: Path) -> None:
    (folder / "lock").unlink()
    (folder / "lock").mkdir()  # opening it for writing fails, also for root
    with pytest.raises(IndexFolderError, match="cannot be written"):
        build_index(data, folder)
    (tmp_path / "file").write_text("")
    with pytest.raises(IndexFolderError, match="cannot be made"):
        build_index(data, tmp_path / "file" / "index")


def test_a_full_disk_loses_nothing(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "index"
    real = Catalogue.put_photograph
    calls = 0

    def put(self: Catalogue, **values: object) -> None:
        nonlocal calls
        calls += 1
        if calls > 3:
            # What SQLite raises when the disk is full.
            self._connection.execute("PRAGMA max_page_count = 1")
        real(self, **values)  # type: ignore[arg-type]

    monkeypatch.setattr("dieindex.indexing.crop.TOGETHER", 2)
    monkeypatch.setattr(Catalogue, "put_photograph", put)
    with pytest.raises(IndexFolderError, match="disk is full"):
        build_index(data, folder)
    monkeypatch.setattr(Catalogue, "put_photograph", real)
    with Catalogue.open(folder) as catalogue:
        saved = len(catalogue.photographs())
    report = build_index(data, folder)
    assert report.worked_on == 8 - saved
    assert report.coins == 8


def test_a_full_disk_at_the_faiss_file_loses_nothing(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "index"
    real = os.fsync

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DieIndexError, match="No space left"):
        build_index(data, folder)
    monkeypatch.setattr(os, "fsync", real)
    assert not list(folder.glob(".*"))
    report = build_index(data, folder)
    assert report.worked_on == 0
    assert vector_file(folder, "obverse").is_file()


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX")
def test_killed_the_next_run_ends_the_same(data: Path, built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    code = (
        "import dieindex.indexing.crop as c, dieindex.indexing.run as b; from pathlib import Path\n"
        "c.TOGETHER = 2\n"
        f"b.build_index(Path({str(data)!r}), Path({str(folder)!r}), jobs=1)"
    )
    killed = 0
    for table in ("photographs", "frames"):
        process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
        while process.poll() is None and not count_in(folder, table):
            time.sleep(0.01)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.wait()
    assert killed >= 1
    build_index(data, folder)
    assert content_of(folder) == content_of(built)


def count_in(folder: Path, table: str) -> int:
    try:
        with sqlite3.connect(f"file:{folder / 'catalogue.sqlite'}?mode=ro", uri=True) as connection:
            return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    except sqlite3.Error:
        return 0


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds that record every few photographs and faces."""
    monkeypatch.setattr("dieindex.indexing.crop.TOGETHER", 3)
    monkeypatch.setattr("dieindex.indexing.align.SAMPLE", 5)
    monkeypatch.setattr("dieindex.indexing.align.CHUNK", 2)
    monkeypatch.setattr("dieindex.encoder.encode.BATCH", 6)


@pytest.mark.usefixtures("small_steps")
def test_interrupted_again_and_again_the_end_is_the_same(data: Path, tmp_path: Path) -> None:
    build_index(data, tmp_path / "unbroken", jobs=1)
    folder = tmp_path / "broken"
    steps: list[str] = []

    def interrupt(step: str, done: int, total: int) -> None:
        steps.append(step)
        if len(steps) % 2 == 0:
            raise KeyboardInterrupt

    for _ in range(20):
        try:
            build_index(data, folder, progress=interrupt, jobs=1 + len(steps) % 2)
            break
        except KeyboardInterrupt:
            with Catalogue.open(folder) as catalogue:
                assert catalogue.meta("generation") is None
    assert set(steps[1::2]) >= {"cropping", "aligning", "encoding"}
    assert content_of(folder) == content_of(tmp_path / "unbroken")


def test_swapped_and_equal_sides_are_named(tmp_path: Path) -> None:
    dies = [(i % 3, i % 3) for i in range(9)]
    data = write_collection(tmp_path / "coins", dies)
    picture = draw_pair(1, 1, strike=50)
    half = picture.shape[1] // 2
    write_picture(
        data / "images" / "10.jpg", np.concatenate([picture[:, half:], picture[:, :half]], 1)
    )
    write_picture(data / "images" / "11.jpg", np.concatenate([picture[:, :half]] * 2, 1))
    write_picture(data / "images" / "12.jpg", draw_pair(*OTHER_TYPE))
    report: BuildReport = build_index(data, tmp_path / "index")
    (swapped,) = [warning for warning in report.warnings if "swapped" in warning]
    (alike,) = [warning for warning in report.warnings if "look the same" in warning]
    assert swapped.startswith("Coin 10: ")
    assert "11.jpg" in alike


OTHER_TYPE = (1000, 1000)
"""Dies of other designs than those of the collection, on both sides."""


def test_a_stranger_is_indexed_unaligned_until_its_like_comes(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    write_picture(data / "images" / "20.jpg", draw_pair(*OTHER_TYPE, strike=1))
    report = build_index(data, folder)
    assert report.faces == {"obverse": 9, "reverse": 9}
    assert report.frames == {"obverse": 1, "reverse": 1}
    for side in SIDES:
        ((reason, count),) = report.unaligned[side].items()
        assert count == 1
        assert reason
    before = rows_of(folder)
    for strike in (2, 3):
        name = f"2{strike - 1}.jpg"
        write_picture(data / "images" / name, draw_pair(*OTHER_TYPE, strike=strike))
    report = build_index(data, folder)
    assert report.frames == {"obverse": 2, "reverse": 2}
    assert report.unaligned == {"obverse": {}, "reverse": {}}
    assert report.worked_on == 2
    after = rows_of(folder)
    for side in SIDES:
        old, new = before[side], after[side]
        same = [old.coins.index(coin) for coin in old.coins if coin != "20"]
        assert new.ids[same].tolist() == old.ids[same].tolist()
        assert np.array_equal(new.vectors[same], old.vectors[same])
        assert new.frame.tolist() == [0] * 8 + [1] * 3


def test_adding_coins_changes_nothing_of_the_old_ones(data: Path, folder: Path) -> None:
    before = rows_of(folder)
    with Catalogue.open(folder) as catalogue:
        frames = catalogue.rows("SELECT * FROM frames")
    for number in range(10, 14):
        write_picture(data / "images" / f"{number}.jpg", draw_pair(number % 3, 9, strike=number))
    report = build_index(data, folder)
    assert (report.coins, report.worked_on, report.encoded) == (12, 4, 8)
    for side, rows in rows_of(folder).items():
        assert rows.ids[:8].tolist() == before[side].ids.tolist()
        assert np.array_equal(rows.vectors[:8], before[side].vectors)
        assert rows.aligned.all()
    with Catalogue.open(folder) as catalogue:
        assert catalogue.rows("SELECT * FROM frames") == frames


def rows_of(folder: Path) -> dict[Side, FaceRows]:
    with Catalogue.open(folder) as catalogue:
        return {side: catalogue.face_rows(side) for side in SIDES}


@pytest.mark.usefixtures("small_steps")
def test_types_found_in_a_sample_hold_all_faces(data: Path, tmp_path: Path) -> None:
    report = build_index(data, tmp_path / "index")
    assert report.frames == {"obverse": 1, "reverse": 1}
    assert report.unaligned == {"obverse": {}, "reverse": {}}


def test_coins_at_any_turn_are_aligned(tmp_path: Path) -> None:
    data = tmp_path / "coins"
    for number in range(6):
        turns = 2 if number % 2 else 0  # every other coin lies upside down
        sides = [np.rot90(draw_coin(die, number), turns) for die in (1, 501)]
        picture = np.ascontiguousarray(np.concatenate(sides, axis=1))
        write_picture(data / f"{number}.png", picture)
    folder = tmp_path / "index"
    for asked in (False, True):
        report = build_index(data, folder, any_rotation=asked)
        turns = turns_of(folder)
        np.testing.assert_allclose((turns[1::2] - turns[::2]) % 360, 180, atol=5)
        assert report.frames == {"obverse": 1, "reverse": 1}
    assert any("anew" in warning for warning in report.warnings)
    assert report.worked_on == 0
    report = build_index(data, folder)  # the index remembers it
    assert report.encoded == 0
    assert np.array_equal(turns_of(folder), turns)


def test_sides_told_later_end_as_a_build_from_nothing(tmp_path: Path) -> None:
    data = tmp_path / "coins"
    sheet = ["file,coin,side"]
    for number in range(8):
        for side, die in (("obverse", 1), ("reverse", 501)):
            name = f"{number}{side == 'reverse':d}.png"
            write_picture(data / name, draw_coin(die, number))
            sheet.append(f"{name},{number},{side}")
    grown, fresh = tmp_path / "grown", tmp_path / "fresh"
    with pytest.raises(CollectionError, match=r"nothing says which \(00\.png.*side"):
        build_index(data, grown)
    build_index(data, grown, side="obverse")
    assert rows_of(grown)["obverse"].aligned.sum() > 8, "both sides lie on obverse frames"
    (data / "sides.csv").write_text("\n".join(sheet), encoding="utf-8")
    report = build_index(data, grown)
    assert any("anew" in warning for warning in report.warnings)
    build_index(data, fresh)
    for side in SIDES:
        one, other = rows_of(grown)[side], rows_of(fresh)[side]
        assert one.files == other.files
        assert np.array_equal(one.frame, other.frame)
        assert np.array_equal(one.vectors, other.vectors)
    with Catalogue.open(grown) as one, Catalogue.open(fresh) as other:
        query = "SELECT * FROM frames"
        assert one.rows(query) == other.rows(query)
    assert build_index(data, grown).encoded == 0


def turns_of(folder: Path) -> np.ndarray:
    """By how many degrees each obverse is turned on its frame; all must lie on one."""
    with Catalogue.open(folder) as catalogue:
        rows = catalogue.rows("SELECT to_frame, aligned FROM faces WHERE side = 'obverse'")
    places = [np.frombuffer(stored).reshape(3, 3) for stored, aligned in rows if aligned]
    assert len(places) == len(rows)
    return np.array([np.degrees(np.arctan2(m[1, 0], m[0, 0])) for m in places])


def test_the_number_of_jobs_changes_nothing(data: Path, built: Path, tmp_path: Path) -> None:
    build_index(data, tmp_path / "index", jobs=3)
    assert content_of(tmp_path / "index") == content_of(built)


def test_locked_is_released_on_errors(tmp_path: Path) -> None:
    tmp_path.joinpath("i").mkdir()
    with pytest.raises(RuntimeError), locked(tmp_path / "i"):
        raise RuntimeError
    with locked(tmp_path / "i"):
        pass
