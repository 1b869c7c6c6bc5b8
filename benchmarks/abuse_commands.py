"""Run commands of dieindex as a person does, also killed, or on a disk that is full."""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

LONGEST = 180
"""Seconds that a command may take."""
MOST_MEMORY = 1_500_000_000
"""Bytes that a command may hold at its peak."""
COMMAND = (sys.executable, "-m", "dieindex")


@dataclass(frozen=True)
class Said:
    """What a command said; ``code`` is None where it was killed."""

    code: int | None
    out: str
    err: str

    @property
    def error(self) -> str:
        """Its last word, where it is an error."""
        return self.err.rpartition("Error: ")[2].strip() if "Error: " in self.err else ""


def run(
    *words: object,
    kill_after: float | None = None,
    kill_when: Callable[[], bool] | None = None,
    file_limit: int | None = None,
) -> Said:
    """Run a command; kill it after some seconds, or so long after something has happened; or let it
    write no file larger than so many bytes.

    Raises AssertionError for a fault of dieindex, and where the command took too much time or
    memory.
    """

    def limited() -> None:
        if file_limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))

    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            [*COMMAND, *map(str, words)],
            stdout=out,
            stderr=err,
            preexec_fn=limited if file_limit is not None else None,
        )
        begun = time.monotonic()
        killed_at = begun + (LONGEST if kill_after is None or kill_when else kill_after)
        while True:
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            if kill_when is not None and kill_when():
                kill_when, killed_at = None, time.monotonic() + (kill_after or 0)
            if time.monotonic() > killed_at:
                process.kill()
                _, status, usage = os.wait4(process.pid, 0)
                break
            time.sleep(0.002 if kill_after is not None else 0.02)
        process.returncode = os.waitstatus_to_exitcode(status)
        late = time.monotonic() - begun > LONGEST
        out.seek(0), err.seek(0)
        said = Said(
            process.returncode if process.returncode >= 0 or kill_after is None else None,
            out.read().decode(errors="surrogateescape"),
            err.read().decode(errors="surrogateescape"),
        )
    assert not late, f"{words[0]} did not end"
    for fault in ("Traceback", "Unexpected"):
        assert fault not in said.err, said.err[-500:]
    assert said.code in (None, 0, 1, 2) or file_limit is not None, (said.code, said.err[-500:])
    # (Linux tells it in kilobytes, macOS in bytes.)
    memory = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    assert memory < MOST_MEMORY, f"{words[0]} took {memory >> 20} MB"
    return said


def expect(said: Said, code: int) -> Said:
    assert said.code == code, f"exit {said.code}: {said.err[-400:]}"
    return said


class Bench:
    """A small collection, its index, and what is answered of it."""

    verdicts = (("001", "002", "different"), ("003", "004", "same"))

    def __init__(self, folder: Path) -> None:
        self.folder, self.data, self.index = folder, folder / "coins", folder / "index"
        dies = ("--obverse-dies", "3", "--reverse-dies", "3", "--seed", "3")
        expect(run("mint", self.data, "--coins", "8", *dies), 0)
        self.pictures = sorted((self.data / "images").iterdir())
        expect(run("build", self.data, "--index", self.index), 0)
        for a, b, word in self.verdicts:
            expect(run("verdict", a, b, word, "--side", "obverse", "--index", self.index), 0)
        expect(self.answer(self.index), 0)
        self.expected = self.answer(self.index).out

    def answer(self, index: Path) -> Said:
        return run("cluster", "--side", "both", "--json", "--index", index)

    def build(self, index: Path) -> Said:
        return run("build", self.data, "--index", index)


Try = Callable[[Bench, Path, random.Random], None]
"""Abuses something in an empty folder of its own; an AssertionError where it is not survived."""
