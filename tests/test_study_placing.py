"""A study takes an earlier one's place whole, and nothing of a person's goes with it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import dieindex as di
from dieindex.errors import UsageError
from dieindex.outputs import STUDY_LIST_NAME, Sources
from dieindex.study import placing
from dieindex.study.placing import check_study_folder, placed_study
from tests.commands_for_tests import Command

OLD = {"report.html": "old", "dies.csv": "old dies", "plates/1.jpg": "a", "plates/2.jpg": "b"}
NEW = {"report.html": "new", "dies.csv": "new dies", "plates/1.jpg": "A", "charts/c.svg": "C"}


def place(out: Path, files: Mapping[str, str], sources: Sources | None = None) -> None:
    with placed_study(out, sources or Sources()) as beside:
        for name, text in files.items():
            (beside / name).parent.mkdir(exist_ok=True)
            (beside / name).write_text(text)


def files_in(folder: Path) -> dict[str, str]:
    """All files but the list, with what stands in them."""
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and path.name != STUDY_LIST_NAME
    }


def left_beside(out: Path) -> list[str]:
    return [each.name for each in (*out.parent.iterdir(), *out.iterdir()) if ".study-" in each.name]


@pytest.mark.parametrize("foreign", [{}, {"mine.txt": "kept", "plates/scan.tif": "kept too"}])
@pytest.mark.parametrize("swaps", [True, False])
def test_a_study_replaces_a_study_and_nothing_else(
    tmp_path: Path, foreign: dict[str, str], swaps: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not swaps:
        monkeypatch.setattr(placing, "_exchanged", lambda *_: False)
    out = tmp_path / "a" / "study"
    place(out, OLD)
    for name, text in foreign.items():
        (out / name).write_text(text)
    out.chmod(0o750)
    place(out, NEW)
    assert files_in(out) == {**NEW, **foreign}
    assert not left_beside(out)
    assert out.stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize(
    "mine",
    [
        {"pictures/1.jpg": "photograph"},
        {"plates/my-scan.tif": "mine"},
        {"charts/c.svg": "mine"},
        {"report.html": "mine"},
        {"dies.csv": "side,die,coins\n"},
        {"plates": "a file"},
        {"Report.HTML": "mine"},
    ],
    ids=str,
)
def test_what_no_study_wrote_is_refused_and_stays(tmp_path: Path, mine: dict[str, str]) -> None:
    out = tmp_path / "proj"
    for name, text in mine.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text)
    with pytest.raises(UsageError, match=r"not as an earlier study|is a file"):
        place(out, {**NEW, "pictures/1.jpg": "drawn"})
    assert files_in(out) == mine
    assert not left_beside(out)


def test_a_file_of_the_study_that_a_person_changed_is_theirs(tmp_path: Path) -> None:
    out = tmp_path / "study"
    place(out, OLD)
    (out / "dies.csv").write_text("my corrections")
    (out / "plates" / "2.jpg").write_text("my arrow")
    with pytest.raises(UsageError, match=r"dies\.csv: is there already"):
        place(out, NEW)
    assert files_in(out) == {**OLD, "dies.csv": "my corrections", "plates/2.jpg": "my arrow"}
    (out / "dies.csv").unlink()
    place(out, NEW)  # the plate that no new one replaces stays
    assert files_in(out) == {**NEW, "plates/2.jpg": "my arrow"}


def test_links_lead_nowhere_else(tmp_path: Path) -> None:
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    (photographs / "1.jpg").write_text("photograph")
    out = tmp_path / "study"
    place(out, OLD)
    shutil.rmtree(out / "plates")
    (out / "plates").symlink_to(photographs)
    with pytest.raises(UsageError, match="plates: is there already"):
        place(out, NEW)
    assert files_in(photographs) == {"1.jpg": "photograph"}
    # A link to a study's folder is that folder.
    place(tmp_path / "real", OLD)
    (tmp_path / "link").symlink_to("real")
    place(tmp_path / "link", NEW)
    assert files_in(tmp_path / "real") == NEW
    assert (tmp_path / "link").is_symlink()


def _killed(out: Path, files: Mapping[str, str], after: int) -> bool:
    """Place a study in a process that dies at its so-many-th step on the disk; whether it did."""
    child = os.fork()
    if child == 0:
        steps = count()

        def counted(act: Any) -> Any:
            def step(*given: Any, **named: Any) -> Any:
                if next(steps) == after:
                    os._exit(9)
                return act(*given, **named)

            return step

        for name in ("rename", "replace", "unlink", "rmdir", "touch", "write_text", "mkdir"):
            setattr(Path, name, counted(getattr(Path, name)))
        for name in ("_exchanged", "_held"):
            setattr(placing, name, counted(getattr(placing, name)))
        # (Taking a folder away is many steps.)
        for name in ("unlink", "rmdir"):
            setattr(os, name, counted(getattr(os, name)))
        try:
            place(out, files)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@pytest.mark.parametrize("foreign", [False, True])
def test_killed_at_any_step_a_study_is_whole_and_nothing_is_left_beside(
    tmp_path: Path, foreign: bool
) -> None:
    for step in count():
        out = tmp_path / str(step) / "study"
        place(out, OLD)
        if foreign:
            (out / "plates" / "scan.tif").write_text("mine")
        killed = _killed(out, NEW, step)
        if foreign:
            assert (out / "plates" / "scan.tif").read_text() == "mine"
        else:
            assert files_in(out) in (OLD, NEW), step
        check_study_folder(out, OLD, Sources())  # as the command does before the work
        place(out, {**OLD, "dies.csv": "third"})
        mine = {"plates/scan.tif": "mine"} if foreign else {}
        assert files_in(out) == {**OLD, "dies.csv": "third", **mine}, step
        assert not left_beside(out)
        if not killed:
            break
    assert step > 8


def test_a_study_broken_off_between_a_persons_files_is_finished_by_the_next(tmp_path: Path) -> None:
    for step in count():
        out = tmp_path / str(step) / "study"
        place(out, OLD)
        (out / "mine.txt").write_text("mine")
        killed = _killed(out, NEW, step)
        check_study_folder(out, list(OLD | NEW), Sources())
        if not killed:
            break
    assert step > 8


def test_what_a_person_saves_at_the_last_moment_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "study"
    place(out, OLD)
    swap = placing._exchanged

    def saves_first(beside: Path, folder: Path) -> bool:
        (folder / "notes.txt").write_text("mine")
        (folder / "plates" / "2.jpg").write_text("retouched")
        (folder / "dies.csv").write_text("corrected")
        return swap(beside, folder)

    monkeypatch.setattr(placing, "_exchanged", saves_first)
    place(out, NEW)
    monkeypatch.undo()
    assert files_in(out) == {**NEW, "notes.txt": "mine", "plates/2.jpg": "retouched"}
    # The corrected table has no place beside the new one: it is kept, also by the next study.
    (left,) = (each for each in tmp_path.iterdir() if each != out)
    assert files_in(left) == {"dies.csv": "corrected"}
    with pytest.raises(UsageError, match=r"2\.jpg"):
        place(out, OLD)
    assert files_in(left) == {"dies.csv": "corrected"}


def test_a_study_at_work_beside_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "study"
    place(out, OLD)
    with placed_study(out, Sources()) as beside:
        (beside / "report.html").write_text("slow")
        place(out, NEW)
        assert beside.is_dir()
        (beside / "dies.csv").write_text("slow")
    assert files_in(out) == {"report.html": "slow", "dies.csv": "slow"}
    # A person's folder of a like name is none of a study.
    notes = out / ".study-material"
    notes.mkdir()
    (notes / "n.txt").write_text("mine")
    place(out, NEW)
    assert (notes / "n.txt").read_text() == "mine"


# --- the command -------------------------------------------------------------------------------


def test_the_command_touches_no_photograph_and_no_table(
    data: Path, command: Command, tmp_path: Path
) -> None:
    command("build", data)
    before = {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}
    for out in (data, data / "images", data / "new", tmp_path, tmp_path / "indexes" / "data"):
        code, _, err = command("study", "--out", out)
        assert code == 2, out
        assert "collection" in err or "index" in err
    assert {path: path.read_bytes() for path in data.rglob("*") if path.is_file()} == before
    # A table that is read is no place for the study's own of that name.
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "coins.csv").write_text("coin,obverse\n1,O1\n2,O1\n")
    code, _, err = command("study", "--table", mine / "coins.csv", "--out", mine)
    assert code == 2
    assert "is what was read" in err
    assert [path.name for path in mine.iterdir()] == ["coins.csv"]
    out = tmp_path / "out"
    di.study_table(mine / "coins.csv", out)
    with pytest.raises(UsageError, match="is what was read"):
        di.study_table(out / "coins.csv", out)
    di.study_table(mine / "coins.csv", out)
