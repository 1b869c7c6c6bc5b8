"""``dieindex review``: what it opens, what it prints, what it warns of, how it ends."""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dieindex.workbench import serve
from dieindex.workbench.bench import Bench
from tests.commands_for_tests import Command

ADDRESS = r"http://127\.0\.0\.1:(\d+)/open\?secret=[\w-]{32}\n"


@pytest.fixture
def benches(monkeypatch: pytest.MonkeyPatch) -> list[Bench]:
    """The benches that would be served; nothing is."""
    found: list[Bench] = []
    opened: list[str] = []

    def run(self: serve.Server, sockets: list[socket.socket]) -> None:
        found.append(self._bench)
        for each in sockets:
            each.close()

    monkeypatch.setattr(serve.Server, "run", run)
    monkeypatch.setattr(serve.webbrowser, "open", opened.append)
    return found


def test_without_an_index_it_begins_with_the_first_page(
    command: Command, benches: list[Bench]
) -> None:
    code, out, err = command("review", "--no-browser")
    assert code == 0
    assert re.fullmatch(ADDRESS, out)
    assert "choose the folder of your photographs in the browser" in err
    assert not benches[0].is_open
    assert command("review", "--no-browser", "-q")[2] == ""


def test_a_folder_is_opened_with_its_index_or_proposed(
    data: Path, command: Command, benches: list[Bench], tmp_path: Path
) -> None:
    (tmp_path / "new").mkdir()
    for called, index, proposed in (
        ((), "data", None),
        ((data,), "data", data),
        ((tmp_path / "new",), None, tmp_path / "new"),
        (("--index", tmp_path / "indexes" / "data"), "data", None),
    ):
        code, out, err = command("review", *called, "--no-browser")
        assert code == 0, err
        assert re.fullmatch(ADDRESS, out)
        bench = benches[-1]
        assert (bench.session.index.folder.name if bench.is_open else None) == index
        assert bench.data == proposed


@pytest.mark.parametrize(
    ("called", "code", "told"),
    [
        (("nowhere",), 2, "nowhere"),
        (("--index", "nowhere"), 1, "nowhere: no such index"),
        (("--index", "."), 1, "not an index"),
        (("--port", 0), 2, "--port"),
        (("--port", 70_000), 2, "--port"),
        (("--host", "no-such-host.invalid"), 2, "no-such-host.invalid"),
        (("--host", "0.0.0.0"), 2, "is no name by which others call this machine"),
        (("--host", "::"), 2, "is no name by which others call this machine"),
        (("--host", ""), 2, "is no name by which others call this machine"),
        ((".", "."), 2, "unexpected"),
    ],
)
def test_what_cannot_be_opened_is_told(
    command: Command,
    benches: list[Bench],
    monkeypatch: pytest.MonkeyPatch,
    called: tuple[object, ...],
    code: int,
    told: str,
) -> None:
    monkeypatch.setattr(serve, "PORT", 0)
    found, out, err = command("review", *called, "--no-browser")
    assert (found, out) == (code, "")
    assert told in err
    assert not benches


def test_a_port_in_use_is_told_and_the_next_is_taken_where_none_is_named(
    command: Command, benches: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, out, err = command("review", "--port", port, "--no-browser")
        assert (code, out) == (2, "")
        assert f"127.0.0.1: port {port} cannot be used (Address already in use)" in err
        monkeypatch.setattr(serve, "PORT", port)
        code, out, _ = command("review", "--no-browser")
        found = re.fullmatch(ADDRESS, out)
        assert found is not None
        assert port < int(found[1]) < port + 20


def test_serving_others_is_warned_of(
    command: Command, benches: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "_listening", lambda host, port: socket.create_server(("", 0)))
    for host, warned in (
        ("127.0.0.1", False),
        ("localhost", False),
        ("::1", False),
        ("192.0.2.7", True),
        ("museum.example", True),
    ):
        code, out, err = command("review", "--host", host, "--no-browser")
        assert code == 0
        assert ("not encrypted" in err) == warned
        assert out.startswith(f"http://[{host}]:" if ":" in host else f"http://{host}:")


def test_the_browser_is_opened_unless_told_otherwise(
    command: Command, benches: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without waiting for it: a browser of the terminal ends when the person ends it."""
    opened: list[str] = []
    monkeypatch.setattr(serve.webbrowser, "open", opened.append)
    out = command("review")[1]
    for thread in serve.threading.enumerate():
        if thread.name == "browser":
            thread.join(10)
    assert opened == [out.strip()]
    command("review", "--no-browser")
    assert len(opened) == 1


@contextmanager
def reviewing(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    call = [sys.executable, "-m", "dieindex", "review", "--index", str(folder), "--no-browser"]
    running = subprocess.Popen(
        [*call, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert running.stdout is not None
        assert select.select([running.stdout], [], [], 120)[0], "it printed nothing"
        yield running, running.stdout.readline()
    finally:
        running.kill()
        running.wait()


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_it_serves_until_it_is_interrupted(compared: Path, tmp_path: Path) -> None:
    """With a page open that listens; its end is no failure."""
    folder = shutil.copytree(compared, tmp_path / "index")
    with reviewing(folder) as (running, line):
        assert re.fullmatch(ADDRESS, line)
        jar = urllib.request.HTTPCookieProcessor()
        browser = urllib.request.build_opener(jar)
        page = browser.open(line.strip(), timeout=120)
        assert b"<!doctype html>" in page.read()
        stream = browser.open(line.partition("/open")[0] + "/events", timeout=120)
        assert stream.readline() == b"retry: 1000\n"
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
        assert (running.returncode, out) == (0, "")
        assert "Traceback" not in err
        assert "Interrupted" not in err
