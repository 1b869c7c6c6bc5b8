"""One dieindex at a time writes an index: who waits, who is told of whom, what is never emptied."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

import dieindex as di
from dieindex.errors import IndexFolderError
from dieindex.outputs import write_text_output
from dieindex.storage import folder as folder_module
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.details import DetailStore
from dieindex.storage.folder import LOCK_NAME, build_at_work, holder_of, locked
from dieindex.storage.nearest import generation_of
from tests.commands_for_tests import Command

GOOD = "coin,side,die,certainty\nold,obverse,O1,1\n"


@pytest.fixture
def folder(data: Path) -> Path:
    return data.parent / "indexes" / "data"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module, "WAIT", 0.1)


@contextmanager
def held(folder: Path, *, builds: bool, seconds: float = 60) -> Iterator[subprocess.Popen[str]]:
    """The folder, held by another process."""
    code = (
        "import sys, time; from pathlib import Path; from dieindex.storage.folder import locked\n"
        "sys.argv = ['dieindex', '-q', 'build', 'data']\n"
        f"with locked(Path({str(folder)!r}), builds={builds}):\n"
        f"    print('held', flush=True); time.sleep({seconds})"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            yield holder
        finally:
            holder.kill()


def begin_build(folder: Path) -> None:
    """Leave the index as a build does that has just begun."""
    with Catalogue.open(folder) as catalogue, catalogue.transaction():
        catalogue.set_meta("generation", None)
        catalogue.forget_vectors()


@pytest.mark.parametrize("builds", [True, False])
@pytest.mark.usefixtures("impatient")
def test_no_table_is_written_while_the_index_is_not_whole(
    folder: Path, tmp_path: Path, command: Command, builds: bool
) -> None:
    begin_build(folder)
    out = tmp_path / "dies.csv"
    write_text_output(out, GOOD, (".csv",))
    verbs = [("cluster", "--side", "both"), ("pairs", "--side", "obverse"), ("study",)]

    def refused(said: str) -> None:
        for verb in verbs:
            target = tmp_path / "study" if verb == ("study",) else out
            code, shown, err = command(*verb, "--index", folder, "--out", target)
            assert (code, shown) == (1, ""), err
            assert said in err
            assert err.count("\n") == 1
            assert out.read_text() == GOOD
            assert not (tmp_path / "study").exists()

    if builds:
        with held(folder, builds=True) as holder:
            refused(f"a build is at work on this index (`dieindex build`, process {holder.pid}")
            code, _, err = command("cluster", "--side", "obverse", "--index", folder)
            assert code == 1
            assert "a build is at work" in err
            own = tmp_path / "own.csv"  # not dieindex's, but the build comes first
            own.write_text(GOOD)
            code, _, err = command("cluster", "--side", "both", "--index", folder, "--out", own)
            assert (code, own.read_text()) == (1, GOOD)
            assert "a build is at work" in err
    # Killed, it is known to be broken off: the kernel took the lock away.
    refused("the last build was broken off")


def test_a_folder_in_which_a_first_build_has_only_begun(tmp_path: Path, command: Command) -> None:
    folder = tmp_path / "index"
    folder.mkdir()
    with held(folder, builds=True):
        for content in (None, b""):
            if content is not None:
                (folder / "catalogue.sqlite").write_bytes(content)
            code, _, err = command("cluster", "--side", "both", "--index", folder)
            assert code == 1
            assert "a build is at work" in err


def test_a_table_is_not_emptied_where_no_coin_shows_the_side(
    folder: Path, tmp_path: Path, command: Command
) -> None:
    with Catalogue.open(folder) as catalogue, catalogue.transaction():
        catalogue.write("DELETE FROM faces WHERE side = 'reverse'")
        catalogue.set_meta("generation", generation_of(catalogue))
    out = tmp_path / "dies.csv"
    write_text_output(out, GOOD, (".csv",))
    for verb in ("cluster", "pairs"):
        code, _, err = command(verb, "--side", "reverse", "--index", folder, "--out", out)
        assert code == 1
        assert "was not changed" in err
        assert out.read_text() == GOOD


def test_a_lock_is_waited_for(folder: Path, command: Command) -> None:
    with held(folder, builds=False, seconds=0.7):
        code, _, err = command("verdict", "1", "2", "same", "--side", "obverse", "--index", folder)
    assert code == 0, err
    assert len(di.open_index(folder).reviews()) == 1


@pytest.mark.usefixtures("impatient")
def test_who_holds_it_is_said(folder: Path, command: Command) -> None:
    verdict = ("verdict", "1", "2", "same", "--side", "obverse", "--index", folder)
    with held(folder, builds=False) as holder:
        code, _, err = command(*verdict)
        assert code == 1
        assert f"(`dieindex build`, process {holder.pid}, since 20" in err
        found = holder_of(folder)
        assert found is not None
        assert found.process == holder.pid
        assert build_at_work(folder) is None
    holder.wait()
    assert holder_of(folder) is None
    # What a killed process left in the file is not believed.
    assert json.loads((folder / LOCK_NAME).read_text())["process"] == holder.pid
    assert command(*verdict)[0] == 0
    assert (folder / LOCK_NAME).read_bytes() == b""


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "said", [b"", b"[" * 900, b'{"command": 1}', b'{"command": "\\u001b[31m"}', b"\xff" * 2000]
)
def test_what_a_lock_file_says_is_not_trusted(folder: Path, said: bytes) -> None:
    with held(folder, builds=False):
        (folder / LOCK_NAME).write_bytes(said)
        with (
            pytest.raises(IndexFolderError, match="another dieindex is working on this index; "),
            locked(folder),
        ):
            pass


def test_twenty_verdicts_at_once_are_all_kept(folder: Path) -> None:
    pairs = [(a, b) for a in range(1, 9) for b in range(a + 1, 9)][:20]
    index = di.open_index(folder)
    index.faces("obverse"), index.faces("reverse")

    def give(pair: tuple[int, int]) -> None:
        index.review(*pair, "different", side="obverse")

    with ThreadPoolExecutor(20) as pool:  # (the kernel's lock parts threads as it does processes)
        list(pool.map(give, pairs))
    kept = index.reviews()
    assert {(int(r.coin_a), int(r.coin_b)) for r in kept} == set(pairs)
    assert len((folder / "verdicts.csv").read_text().splitlines()) == 21


def test_an_index_that_was_built_anew_meanwhile_is_not_mixed_with_the_old(folder: Path) -> None:
    index = di.open_index(folder)
    index.faces("obverse")
    begin_build(folder)
    with pytest.raises(IndexFolderError, match="ask again"):
        index.cluster("reverse")


@pytest.mark.usefixtures("impatient")
def test_what_was_found_is_shown_and_written_though_it_cannot_be_kept(
    folder: Path, tmp_path: Path, command: Command
) -> None:
    out = tmp_path / "dies.csv"
    ask = ("cluster", "--side", "obverse", "--index", folder, "--out", out)
    with DetailStore.open(folder) as store, store.transaction():
        for table in ("pair_scores", "local_features", "aligned_pairs", "checksums"):
            store.write(f"DELETE FROM {table}")
    with held(folder, builds=False) as holder:
        code, shown, err = command(*ask)
        assert code == 0
        assert "8 coins" in shown
        assert "Pairs that are aligned to each other are not kept" in err
        assert f"numbers of the obverse dies are not kept: {folder}: another dieindex" in err
        assert f"process {holder.pid}" in err
    written = out.read_text()
    assert len(written.splitlines()) >= 9
    code, shown, err = command(*ask)
    assert (code, out.read_text()) == (0, written)
    assert "not kept" not in err


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="mounts a folder read-only")
@pytest.mark.usefixtures("impatient")
def test_a_read_only_index_answers_and_says_that_nothing_is_kept(
    folder: Path, tmp_path: Path, command: Command
) -> None:
    with DetailStore.open(folder) as store, store.transaction():
        for table in ("pair_scores", "local_features", "aligned_pairs", "checksums"):
            store.write(f"DELETE FROM {table}")
    copy = tmp_path / "mounted"
    copy.mkdir()
    if subprocess.run(["mount", "--bind", folder, copy], capture_output=True).returncode:
        pytest.skip("mounts are not allowed here")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", copy], check=True)
        ask = ("cluster", "--side", "both", "--json")
        code, shown, err = command(*ask, "--index", copy)
        assert code == 0, err
        assert "not kept" in err
        assert "cannot be written" in err
        for question in (("compare", "1", "2"), ("info",), ("verdict",)):
            code, _, err = command(*question, "--index", copy)
            assert code == 0, err
        code, _, err = command("verdict", "1", "2", "same", "--side", "obverse", "--index", copy)
        assert code == 1
        assert "cannot be written" in err
    finally:
        subprocess.run(["umount", copy], check=True)
    code, again, err = command(*ask, "--index", folder)
    assert (code, again) == (0, shown)
    assert "not kept" not in err
