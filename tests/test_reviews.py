"""Persons' work: kept for ever, taken over from earlier catalogues, safe at any moment."""

from __future__ import annotations

import logging
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from dieindex.collection.sheets.files import is_own_output
from dieindex.errors import IndexFolderError
from dieindex.records import Review
from dieindex.storage.die_numbers import DieNumbers, die_numbers, keep_die_numbers
from dieindex.storage.folder import locked
from dieindex.storage.number_file import NumberFile
from dieindex.storage.reviews import ReviewStore, reviews_of
from dieindex.storage.schema import NUMBERS_NAME, REVIEWS_NAME, VERDICTS_NAME
from dieindex.storage.verdict_file import COLUMNS, VerdictFile
from tests.earlier_indexes import (
    LAST,
    NUMBERS,
    TABLES,
    TIME,
    VERDICTS,
    earlier_tables,
    put_earlier_work,
)


def review(note: str = "") -> Review:
    return Review("01", "02", "obverse", "same", "me", note, TIME)


def said(reviews: list[Review]) -> list[tuple[str, ...]]:
    return [tuple(getattr(each, name) for name in COLUMNS) for each in reviews]


def add(folder: Path, *notes: str) -> None:
    with locked(folder), ReviewStore.open(folder, write=True) as kept:
        kept.add([review(note) for note in notes])


def assert_taken_over(folder: Path) -> None:
    assert said(reviews_of(folder)) == VERDICTS
    with ReviewStore.open(folder) as kept:
        numbers = die_numbers(kept, "obverse")
        changes = kept.rows("SELECT time, side, change FROM number_changes")
        assert die_numbers(kept, "reverse") == DieNumbers()
    assert numbers == DieNumbers(NUMBERS, LAST, {4: "A"})
    assert changes == [(TIME, "obverse", "A is new: 01")]


class TestKeeping:
    def test_verdicts_are_kept_in_order_in_both_files(self, tmp_path: Path) -> None:
        add(tmp_path, "first")
        add(tmp_path, "second", "third")
        kept = reviews_of(tmp_path)
        assert [(each.note, each.number) for each in kept] == [
            ("first", 1),
            ("second", 2),
            ("third", 3),
        ]
        assert VerdictFile(tmp_path).records() == kept
        assert reviews_of(tmp_path, "reverse") == []

    def test_nothing_is_made_where_nothing_is_kept(self, tmp_path: Path) -> None:
        assert reviews_of(tmp_path) == []
        assert list(tmp_path.iterdir()) == []

    def test_nobody_changes_or_deletes_a_verdict(self, tmp_path: Path) -> None:
        add(tmp_path, "first")
        with closing(sqlite3.connect(tmp_path / REVIEWS_NAME)) as raw:
            for statement in ("DELETE FROM reviews", "UPDATE reviews SET verdict = 'unsure'"):
                with pytest.raises(sqlite3.Error, match="never"):
                    raw.execute(statement)

    def test_numbers_are_kept_and_the_last_one_never_falls(self, tmp_path: Path) -> None:
        with ReviewStore.open(tmp_path, write=True) as kept:
            keep_die_numbers(kept, "obverse", DieNumbers({"01": 3}, 9, {3: "A"}), ["new"], TIME)
            keep_die_numbers(kept, "obverse", DieNumbers({"01": 2}, 2), [], TIME)
            assert die_numbers(kept, "obverse") == DieNumbers({"01": 2}, 9)
            assert kept.rows("SELECT change FROM number_changes") == [("new",)]

    def test_die_numbers_have_a_history_that_grows_by_what_is_new(self, tmp_path: Path) -> None:
        later = "2026-02-01T00:00:00Z"
        with ReviewStore.open(tmp_path, write=True) as kept:
            first = DieNumbers({"01": 1, "02": 2}, 2, {2: "A\nB\\n"})
            keep_die_numbers(kept, "obverse", first, [], TIME)
            keep_die_numbers(kept, "reverse", DieNumbers({"01": 1}, 1), [], TIME)
            before = kept.number_entries(), (tmp_path / NUMBERS_NAME).read_bytes()
            keep_die_numbers(kept, "obverse", first, [], later)
            assert (kept.number_entries(), (tmp_path / NUMBERS_NAME).read_bytes()) == before
            grown = DieNumbers({"01": 1, "02": 1, "03": 3}, 3)
            keep_die_numbers(kept, "obverse", grown, ["2 merged into 1"], later)
            added = kept.number_entries()[len(before[0]) :]
            assert [(e.what, e.coin, e.number, e.text, e.time) for e in added] == [
                ("number", "02", 1, "", later),
                ("number", "03", 3, "", later),
                ("name", "", 2, "", later),
                ("change", "", 0, "2 merged into 1", later),
            ]
            assert die_numbers(kept, "obverse") == grown
            assert NumberFile(tmp_path).records() == kept.number_entries()
        assert (tmp_path / NUMBERS_NAME).read_bytes().startswith(before[1])
        with closing(sqlite3.connect(tmp_path / REVIEWS_NAME)) as raw:
            for statement in ("DELETE FROM number_log", "UPDATE number_log SET number = 5"):
                with pytest.raises(sqlite3.Error, match="never"):
                    raw.execute(statement)
        assert is_own_output(tmp_path / NUMBERS_NAME)

    def test_numbers_and_names_come_back_from_their_table(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        add(tmp_path, "first")
        found = DieNumbers({"01": 2, "#2": 1}, 9, {2: "A\nB\\n", 1: '"x", y'})
        with ReviewStore.open(tmp_path, write=True) as kept:
            keep_die_numbers(kept, "obverse", DieNumbers({"01": 1, "#2": 2}, 2), [], TIME)
            copy = (tmp_path / REVIEWS_NAME).read_bytes()
            keep_die_numbers(kept, "obverse", found, ["changed"], TIME)
            entries = kept.number_entries()
        (tmp_path / REVIEWS_NAME).write_bytes(b"no database " * 100)
        with pytest.raises(IndexFolderError, match=r"and die numbers from die_numbers\.csv"):
            reviews_of(tmp_path)
        for content in (None, copy):
            (tmp_path / REVIEWS_NAME).unlink()
            if content is not None:
                (tmp_path / REVIEWS_NAME).write_bytes(content)
            with caplog.at_level(logging.WARNING, "dieindex"), ReviewStore.open(tmp_path) as kept:
                assert die_numbers(kept, "obverse") == found
                assert kept.number_entries() == entries
                assert len(kept.reviews()) == 1
            assert "die numbers of 2 coins came back" in caplog.text
            assert "given anew" not in caplog.text

    def test_a_table_of_numbers_that_was_broken_off_is_completed(self, tmp_path: Path) -> None:
        with ReviewStore.open(tmp_path, write=True) as kept:
            for n in (1, 12):
                found = DieNumbers({"a\nb": n, "02": n}, n, {n: "A, B"})
                keep_die_numbers(kept, "obverse", found, [], TIME)
        path = tmp_path / NUMBERS_NAME
        whole = path.read_bytes()
        for length in range(len(whole)):
            path.write_bytes(whole[:length])
            with ReviewStore.open(tmp_path, write=True):
                pass
            assert path.read_bytes() == whole, length

    def test_the_first_schema_is_brought_up_to_date(self, tmp_path: Path) -> None:
        for folder in (tmp_path / "alone", tmp_path / "copy"):
            folder.mkdir()
            put_first_reviews(folder)
            first = (folder / REVIEWS_NAME).read_bytes()
            with locked(folder):
                assert_taken_over(folder)  # read as it is
                assert (folder / REVIEWS_NAME).read_bytes() == first
            assert_taken_over(folder)
            assert NumberFile(folder).exists()
            with closing(sqlite3.connect(folder / REVIEWS_NAME)) as raw:
                names = {row[0] for row in raw.execute("SELECT name FROM sqlite_master")}
                assert not [name for name in names if name.startswith("earlier")]
            if folder.name == "copy":
                with ReviewStore.open(folder, write=True) as kept:
                    found = DieNumbers({**NUMBERS, "01": 13}, 13, {4: "B"})
                    keep_die_numbers(kept, "obverse", found, [], TIME)
                    entries = kept.number_entries()
                # An older copy in its place knows less than the table.
                (folder / REVIEWS_NAME).write_bytes(first)
                with ReviewStore.open(folder) as kept:
                    assert die_numbers(kept, "obverse") == found
                    assert kept.number_entries() == entries

    def test_a_table_that_fell_behind_is_brought_up_to_date_when_next_written(
        self, tmp_path: Path
    ) -> None:
        add(tmp_path, "first", "second")
        (tmp_path / VERDICTS_NAME).unlink()
        with ReviewStore.open(tmp_path, write=True):
            pass
        assert VerdictFile(tmp_path).records() == reviews_of(tmp_path)

    def test_a_lost_file_comes_back_from_the_table(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        add(tmp_path, "first", "first", "second")
        before = reviews_of(tmp_path)
        (tmp_path / REVIEWS_NAME).unlink()
        with caplog.at_level(logging.WARNING, "dieindex"):
            assert reviews_of(tmp_path) == before
        assert "3 verdicts came back from verdicts.csv" in caplog.text
        add(tmp_path, "third")
        assert [each.number for each in reviews_of(tmp_path)] == [1, 2, 3, 4]
        assert VerdictFile(tmp_path).records() == reviews_of(tmp_path)

    def test_an_older_copy_in_its_place_is_completed_from_the_table(self, tmp_path: Path) -> None:
        add(tmp_path, "first")
        copy = (tmp_path / REVIEWS_NAME).read_bytes()
        add(tmp_path, "second")
        (tmp_path / REVIEWS_NAME).write_bytes(copy)
        add(tmp_path, "third")
        assert [each.note for each in reviews_of(tmp_path)] == ["first", "second", "third"]
        assert VerdictFile(tmp_path).records() == reviews_of(tmp_path)

    @pytest.mark.parametrize("writable", [True, False])
    def test_an_older_copy_in_its_place_is_completed_when_it_is_read(
        self, tmp_path: Path, writable: bool
    ) -> None:
        add(tmp_path, "first")
        copy = (tmp_path / REVIEWS_NAME).read_bytes()
        add(tmp_path, "second", "third")
        expected = reviews_of(tmp_path)
        (tmp_path / REVIEWS_NAME).write_bytes(copy)
        if not writable:
            (tmp_path / "lock").unlink()
            (tmp_path / "lock").mkdir()  # a folder that cannot be written, also for root
        assert reviews_of(tmp_path) == expected
        assert reviews_of(tmp_path, "obverse") == expected
        assert (tmp_path / REVIEWS_NAME).read_bytes().startswith(copy[:16])
        if not writable:
            assert (tmp_path / REVIEWS_NAME).read_bytes() == copy

    def test_an_older_copy_is_completed_from_a_table_that_was_sorted(self, tmp_path: Path) -> None:
        add(tmp_path, "first")
        copy = (tmp_path / REVIEWS_NAME).read_bytes()
        add(tmp_path, "second", "third")
        expected = reviews_of(tmp_path)
        header, *lines = (tmp_path / VERDICTS_NAME).read_text().splitlines()
        (tmp_path / VERDICTS_NAME).write_text("\n".join([header, *reversed(lines)]) + "\n")
        (tmp_path / REVIEWS_NAME).write_bytes(copy)
        assert reviews_of(tmp_path) == expected

    def test_a_persons_own_row_comes_back_once_however_often(self, tmp_path: Path) -> None:
        add(tmp_path, "first")
        with (tmp_path / VERDICTS_NAME).open("a") as stream:
            stream.write(f"5,6,rev,different,a keeper,,{TIME},\n")
        for _ in range(2):
            (tmp_path / REVIEWS_NAME).unlink()
            add(tmp_path)
            assert [each.coin_a for each in reviews_of(tmp_path)] == ["01", "5"]

    def test_a_damaged_file_names_what_is_safe(self, tmp_path: Path) -> None:
        add(tmp_path, "first")
        (tmp_path / REVIEWS_NAME).write_bytes(b"no database " * 100)
        with pytest.raises(IndexFolderError, match=r"come back from verdicts\.csv") as caught:
            reviews_of(tmp_path)
        assert "move it out of the folder" in str(caught.value)
        (tmp_path / REVIEWS_NAME).rename(tmp_path / "elsewhere")
        assert [each.note for each in reviews_of(tmp_path)] == ["first"]

    def test_a_newer_file_is_refused(self, tmp_path: Path) -> None:
        add(tmp_path, "first")
        with closing(sqlite3.connect(tmp_path / REVIEWS_NAME)) as raw, raw:
            raw.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
        for write in (False, True):
            with pytest.raises(IndexFolderError, match="newer dieindex"):
                ReviewStore.open(tmp_path, write=write)

    def test_it_is_read_while_another_process_writes(self, tmp_path: Path) -> None:
        add(tmp_path, "first")
        with locked(tmp_path):
            assert len(reviews_of(tmp_path)) == 1


def put_first_reviews(folder: Path) -> None:
    """A ``reviews.sqlite`` of the first schema, and what was beside it."""
    with closing(sqlite3.connect(folder / REVIEWS_NAME)) as raw, raw:
        raw.executescript(
            TABLES + "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
            "INSERT INTO meta VALUES ('schema', '1');"
            "CREATE TABLE last_numbers (side TEXT PRIMARY KEY, number INTEGER NOT NULL)"
            " WITHOUT ROWID;"
            "CREATE TRIGGER reviews_stay BEFORE DELETE ON reviews"
            " BEGIN SELECT RAISE(ABORT, 'verdicts are never deleted'); END;"
        )
        raw.executemany(
            "INSERT INTO reviews (coin_a, coin_b, side, verdict, by, note, time)"
            " VALUES (?,?,?,?,?,?,?)",
            VERDICTS,
        )
        raw.executemany("INSERT INTO numbers VALUES ('obverse', ?, ?)", NUMBERS.items())
        raw.execute("INSERT INTO adopted VALUES ('obverse', 4, 'A')")
        raw.execute("INSERT INTO number_changes VALUES (1, ?, 'obverse', 'A is new: 01')", (TIME,))
        raw.execute("INSERT INTO last_numbers VALUES ('obverse', ?)", (LAST,))


class TestTakingOver:
    def test_everything_moves_once(self, tmp_path: Path) -> None:
        put_earlier_work(tmp_path)
        for _ in range(3):
            assert_taken_over(tmp_path)
        assert earlier_tables(tmp_path) == set()
        assert said(VerdictFile(tmp_path).records()) == VERDICTS

    def test_what_cannot_be_written_is_read_all_the_same(self, tmp_path: Path) -> None:
        put_earlier_work(tmp_path)
        with locked(tmp_path):
            assert_taken_over(tmp_path)
            assert earlier_tables(tmp_path)
        (tmp_path / "lock").unlink()
        (tmp_path / "lock").mkdir()  # a folder that cannot be written, also for root
        assert_taken_over(tmp_path)
        assert not (tmp_path / REVIEWS_NAME).exists()
        (tmp_path / "lock").rmdir()
        assert_taken_over(tmp_path)
        assert not earlier_tables(tmp_path)

    def test_only_verdicts_or_only_numbers(self, tmp_path: Path) -> None:
        put_earlier_work(tmp_path)
        with closing(sqlite3.connect(tmp_path / "catalogue.sqlite")) as raw, raw:
            for table in ("numbers", "adopted", "number_changes"):
                raw.execute(f"DROP TABLE {table}")
        assert said(reviews_of(tmp_path)) == VERDICTS
        with ReviewStore.open(tmp_path) as kept:
            assert die_numbers(kept, "obverse") == DieNumbers({}, LAST)

    def test_an_older_catalogue_put_back_adds_nothing_twice(self, tmp_path: Path) -> None:
        put_earlier_work(tmp_path)
        old = (tmp_path / "catalogue.sqlite").read_bytes()
        add(tmp_path, "later")
        with ReviewStore.open(tmp_path, write=True) as kept:
            keep_die_numbers(kept, "obverse", DieNumbers({"01": 13}, 13), [], TIME)
        (tmp_path / "catalogue.sqlite").write_bytes(old)
        assert len(reviews_of(tmp_path)) == len(VERDICTS) + 1
        with ReviewStore.open(tmp_path) as kept:
            assert die_numbers(kept, "obverse") == DieNumbers({**NUMBERS, "01": 13}, 13)
        assert earlier_tables(tmp_path) == set()

    def test_a_catalogue_that_cannot_be_changed_keeps_its_copy_and_nothing_is_doubled(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put_earlier_work(tmp_path)

        def full(folder: Path) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        with monkeypatch.context() as patched:
            patched.setattr("dieindex.storage.reviews.remove_earlier_work", full)
            for _ in range(2):
                assert_taken_over(tmp_path)
        assert earlier_tables(tmp_path)
        assert_taken_over(tmp_path)
        assert not earlier_tables(tmp_path)

    def test_a_damaged_catalogue_is_not_taken_for_one_without_verdicts(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "catalogue.sqlite").write_bytes(b"no database " * 100)
        for write in (False, True):
            with pytest.raises(IndexFolderError, match="keep it"):
                ReviewStore.open(tmp_path, write=write)
        assert not (tmp_path / REVIEWS_NAME).exists()

    @pytest.mark.parametrize("moment", ["COMMIT", VERDICTS_NAME, NUMBERS_NAME, "DROP"])
    def test_killed_in_the_middle_nothing_is_lost_or_doubled(
        self, tmp_path: Path, moment: str
    ) -> None:
        put_earlier_work(tmp_path)
        code = (
            "import os, signal, sqlite3, sys; from pathlib import Path\n"
            "import dieindex.storage.reviews as r, dieindex.storage.appended_table as v\n"
            "def die(*_): os.kill(os.getpid(), signal.SIGKILL)\n"
            "def half(table, content, records):\n"
            "    addition = real(table, content, records)\n"
            "    if table.name != name: return addition\n"
            "    open(table.path, 'ab').write(addition[:len(addition) // 2]); die()\n"
            f"moment, path, real = {moment!r}, Path({str(tmp_path)!r}), v.addition\n"
            "name = moment\n"
            "if moment == 'COMMIT': r.ReviewStore._take_over_changes = die\n"
            "if moment.endswith('.csv'): v.addition = half\n"
            "if moment == 'DROP': r.remove_earlier_work = die\n"
            "r.reviews_of(path)\n"
        )
        killed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert earlier_tables(tmp_path)
        assert_taken_over(tmp_path)
        assert earlier_tables(tmp_path) == set()
        assert said(VerdictFile(tmp_path).records()) == VERDICTS

    def test_killed_at_any_moment_nothing_is_lost_or_doubled(self, tmp_path: Path) -> None:
        code = (
            "import sys; from pathlib import Path\n"
            "from dieindex.storage.reviews import reviews_of\n"
            "for line in sys.stdin:\n"
            "    print('on', flush=True); reviews_of(Path(line.strip()))\n"
        )
        for turn in range(8):
            folder = tmp_path / str(turn)
            folder.mkdir()
            put_earlier_work(folder)
            killed_while(code, f"{folder}\n", "on", random.Random(turn).uniform(0, 0.03))
            assert_taken_over(folder)
            assert earlier_tables(folder) == set()
            assert said(VerdictFile(folder).records()) == VERDICTS


def killed_while(
    code: str, given: str, until: str, seconds: float, file: Path | None = None
) -> list[str]:
    """Run code that reads ``given``; kill it some time after it printed a line ``until``, or as
    soon as it then makes ``file``. Gives the lines it printed."""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(given)
    process.stdin.close()
    lines = []
    for line in process.stdout:
        lines.append(line.strip())
        if lines[-1] == until:
            ends = time.monotonic() + seconds
            while time.monotonic() < ends and not (file is not None and file.exists()):
                time.sleep(0.001)
            process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    return lines


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX")
class TestKilled:
    def test_every_verdict_that_was_kept_is_there_once(self, tmp_path: Path) -> None:
        code = (
            "import sys; from pathlib import Path\n"
            "from dieindex.records import Review\n"
            "from dieindex.storage.folder import locked\n"
            "from dieindex.storage.reviews import ReviewStore\n"
            "folder, turn = Path(sys.stdin.readline().strip()), sys.stdin.readline().strip()\n"
            "print('on', flush=True)\n"
            "for n in range(10000):\n"
            "    with locked(folder), ReviewStore.open(folder, write=True) as kept:\n"
            f"        kept.add([Review('1', '2', 'obverse', 'same', turn, str(n), {TIME!r})])\n"
            "    print(f'kept {turn} {n}', flush=True)\n"
        )
        told: list[str] = []
        for turn in range(14):
            wait = random.Random(turn).uniform(0, 0.2)
            told += killed_while(code, f"{tmp_path}\n{turn}\n", "on", wait)
        add(tmp_path)  # the next use
        kept = reviews_of(tmp_path)
        here = Counter(f"kept {each.by} {each.note}" for each in kept)
        assert max(here.values()) == 1
        assert {line for line in told if line != "on"} <= set(here)
        # At most the one that was being given when it was killed is there without being told.
        assert len(here) - (len(told) - 14) <= 14
        assert VerdictFile(tmp_path).records() == kept

    def test_an_import_is_kept_whole_or_not_at_all(self, tmp_path: Path) -> None:
        count = 5000
        code = (
            "import sys; from pathlib import Path\n"
            "from dieindex.records import Review\n"
            "from dieindex.storage.folder import locked\n"
            "from dieindex.storage.reviews import ReviewStore\n"
            "folder = Path(sys.stdin.readline().strip())\n"
            f"given = [Review('1', '2', 'obverse', 'same', 'me', str(n), {TIME!r})\n"
            f"         for n in range({count})]\n"
            "print('on', flush=True)\n"
            "with locked(folder), ReviewStore.open(folder, write=True) as kept: kept.add(given)\n"
            "print('kept', flush=True)\n"
        )
        files = [None, REVIEWS_NAME, f"{REVIEWS_NAME}-journal", VERDICTS_NAME]
        for turn in range(12):
            folder = tmp_path / str(turn)
            folder.mkdir()
            name = files[turn % 4]
            file, wait = (None, 0.02 * turn) if name is None else (folder / name, 5.0)
            told = killed_while(code, f"{folder}\n", "on", wait, file)
            add(folder)  # the next use
            kept = reviews_of(folder)
            assert [each.note for each in kept] in ([], [str(n) for n in range(count)])
            assert kept or "kept" not in told
            assert VerdictFile(folder).records() == kept
