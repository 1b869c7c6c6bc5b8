"""A build and a clustering by three workers, one of them killed in the middle, beside this machine.

    python benchmarks/engine.py COLLECTION [--out benchmarks/results/engine.json]

Needs `pip install 'dieindex[cluster]'`. As root, where `ip netns` works, three network namespaces
make three hosts of this machine, each with one worker of one thread, and a fourth has the scheduler
and the commands; the third host does not see the collection, so that its photographs are sent. The
first host's worker is killed when a third of the photographs is read. Elsewhere three processes
take their place, and what they are is said. Recorded are the seconds of each command, here with
one job (on as many cores as the machine has: no measure of speed where they are fewer than four),
and whether every table of the index, its FAISS files and the dies are the same, byte for byte.
The exit code is 1 where they are not.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DIEINDEX = [sys.executable, "-m", "dieindex.commands.main"]
DASK = [sys.executable, "-m", "dask"]
WORKERS = 3
PORT = 8786
NET = "10.77.13"
"""The namespaces' own; nothing outside them has it."""
CHANGING = ("built", "seconds")
"""Settings of a catalogue that tell when it was built."""


class Hosts:
    """Where the scheduler and the commands run (0) and where the workers do (1 to 3)."""

    namespaces = False
    seeing = WORKERS
    """How many workers see the collection."""

    def address(self, host: int) -> str:
        return "127.0.0.1"

    def run(self, host: int, command: Sequence[str]) -> list[str]:
        """The command as it is run there."""
        return list(command)


class Namespaces(Hosts):
    namespaces = True
    seeing = WORKERS - 1

    def __init__(self, hidden: Path) -> None:
        self._hidden = hidden

    def address(self, host: int) -> str:
        return f"{NET}.{host + 1}"

    def run(self, host: int, command: Sequence[str]) -> list[str]:
        inside = ["ip", "netns", "exec", name_of(host), *command]
        if host < WORKERS:
            return inside
        # (Each command in a namespace has mounts of its own.)
        hide = 'mount -t tmpfs none "$0" && exec "$@"'
        return [*inside[:4], "sh", "-c", hide, str(self._hidden), *command]


def name_of(host: int) -> str:
    return f"dieindex-{host}"


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@contextmanager
def hosts(collection: Path) -> Iterator[Hosts]:
    """Namespaces on one bridge, which goes with them; processes of this machine where there can be
    none."""
    made: list[str] = []
    try:
        try:
            for host in range(WORKERS + 1):
                ip("netns", "add", name_of(host))
                made.append(name_of(host))
                ip("-n", name_of(host), "link", "set", "lo", "up")
            first = name_of(0)
            ip("-n", first, "link", "add", "hosts", "type", "bridge")
            ip("-n", first, "addr", "add", f"{NET}.1/24", "dev", "hosts")
            ip("-n", first, "link", "set", "hosts", "up")
            for host in range(1, WORKERS + 1):
                own, port = name_of(host), f"host{host}"
                peer = ("peer", "name", port, "netns", first)
                ip("-n", own, "link", "add", "eth0", "type", "veth", *peer)
                ip("-n", own, "addr", "add", f"{NET}.{host + 1}/24", "dev", "eth0")
                ip("-n", own, "link", "set", "eth0", "up")
                ip("-n", first, "link", "set", port, "master", "hosts", "up")
            found: Hosts = Namespaces(collection)
        except (OSError, subprocess.CalledProcessError) as error:
            print(
                f"No network namespaces here ({error}): three processes instead.", file=sys.stderr
            )
            found = Hosts()
        yield found
    finally:
        for name in made:
            ip("netns", "del", name)


@contextmanager
def cluster(where: Hosts, log: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """A scheduler and its workers; no nanny starts a worker again, so that a host is lost."""
    started: list[subprocess.Popen[bytes]] = []

    def start(host: int, *command: str) -> None:
        with (log / f"host-{host}.log").open("wb") as told:
            line = where.run(host, [*DASK, *command])
            started.append(subprocess.Popen(line, stdout=told, stderr=told, env=environment()))

    try:
        address = where.address(0)
        start(0, "scheduler", "--host", address, "--port", str(PORT), "--no-dashboard")
        for host in range(1, WORKERS + 1):
            own = ("--host", where.address(host), "--local-directory", str(log / str(host)))
            start(
                host, "worker", f"tcp://{address}:{PORT}", "--nthreads", "1", "--no-nanny",
                "--no-dashboard", "--name", f"host-{host}", *own,
            )  # fmt: skip
        waited = time.monotonic()
        while any(
            "Registered to" not in (log / f"host-{host}.log").read_text(errors="replace")
            for host in range(1, WORKERS + 1)
        ):
            if time.monotonic() - waited > 120 or any(each.poll() is not None for each in started):
                raise SystemExit(f"The cluster did not start; its logs are in {log}.")
            time.sleep(0.2)
        yield started[1:]
    finally:
        for each in reversed(started):
            if each.poll() is None:
                each.terminate()
            each.wait(60)


def environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path}


def photographs_in(index: Path) -> int:
    """How many have been read so far."""
    try:
        with sqlite3.connect(f"file:{index / 'catalogue.sqlite'}?mode=ro", uri=True) as opened:
            return int(opened.execute("SELECT count(*) FROM photographs").fetchone()[0])
    except sqlite3.Error:
        return 0


def digests(index: Path) -> dict[str, str]:
    """Of every table, and of the FAISS files."""
    found = {}
    for name in ("catalogue", "details"):
        with sqlite3.connect(f"file:{index / name}.sqlite?mode=ro", uri=True) as opened:
            tables = [row[0] for row in opened.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            )]  # fmt: skip
            for table in tables:
                rows = sorted(repr(row) for row in opened.execute(f'SELECT * FROM "{table}"'))
                kept = [row for row in rows if not any(f"'{key}'" in row for key in CHANGING)]
                found[f"{name}.{table}"] = hashlib.sha256("\n".join(kept).encode()).hexdigest()
    for path in sorted(index.glob("*.faiss")):
        found[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def clustered(index: Path, prefix: Sequence[str] = (), *options: str) -> tuple[Any, float]:
    started = time.perf_counter()
    command = [*prefix, *DIEINDEX, "cluster", "--side", "both", "--look", "--json", "--quiet"]
    told = subprocess.run(
        [*command, "--index", str(index), *options], check=True, stdout=subprocess.PIPE,
        env=environment(),
    )  # fmt: skip
    return json.loads(told.stdout), time.perf_counter() - started


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("collection", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/engine.json")
    given = parser.parse_args(arguments)
    collection = given.collection.resolve()
    work = Path(tempfile.mkdtemp(prefix="dieindex-engine-"))
    here, there = work / "here", work / "there"
    seconds: dict[str, float] = {}

    build = [*DIEINDEX, "build", str(collection), "--quiet", "--json"]
    started = time.perf_counter()
    told = subprocess.run(
        [*build, "--index", str(here), "--jobs", "1"], check=True, stdout=subprocess.PIPE,
        env=environment(),
    )  # fmt: skip
    seconds["build, here"] = time.perf_counter() - started
    photographs = photographs_in(here)
    dies, seconds["cluster, here"] = clustered(here)

    with hosts(collection) as where, cluster(where, work) as workers:
        engine = ("--engine", f"dask://{where.address(0)}:{PORT}")
        started = time.perf_counter()
        line = where.run(0, [*build, "--index", str(there), *engine])
        running = subprocess.Popen(line, stdout=subprocess.DEVNULL, env=environment())
        while running.poll() is None and photographs_in(there) * 3 < photographs:
            time.sleep(0.02)
        killed_at = photographs_in(there)
        workers[0].send_signal(signal.SIGKILL)
        if running.wait() != 0:
            raise SystemExit(f"The build failed; logs are in {work}.")
        seconds["build, three workers, one killed"] = time.perf_counter() - started
        found, seconds["cluster, the two left"] = clustered(there, where.run(0, []), *engine)
        namespaces, seeing = where.namespaces, where.seeing

    before, after = digests(here), digests(there)
    differing = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
    result = {
        "command": f"python benchmarks/engine.py {given.collection}",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "hosts": "network namespaces" if namespaces else "processes",
        "workers": WORKERS,
        "workers that see the collection": seeing,
        "photographs": photographs,
        "photographs read when a worker was killed": killed_at,
        "faces": json.loads(told.stdout)["faces"],
        "seconds": {key: round(value, 1) for key, value in seconds.items()},
        "pairs scored": rows_of(there, "pair_scores"),
        "tables and files compared": len(before),
        "that differ": differing,
        "same dies and certainties": dies == found,
        "digests": {key: value[:16] for key, value in after.items()},
    }
    given.out.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))
    shutil.rmtree(work)
    return 1 if differing or dies != found else 0


def rows_of(index: Path, table: str) -> int:
    with sqlite3.connect(f"file:{index / 'details.sqlite'}?mode=ro", uri=True) as opened:
        return int(opened.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])


if __name__ == "__main__":
    sys.exit(main())
