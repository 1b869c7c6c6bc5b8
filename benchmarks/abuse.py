"""What an index survives: kills, changed bytes, a full disk, many commands at once.

    python benchmarks/abuse.py --minutes 10 --out abuse.json

Every try has its own seed and begins with a copy of one small index. It is survived where no
command falls with a fault of dieindex, no verdict is lost, no answer becomes another in silence,
and the remedy that a message names mends what was damaged. What was tried before is in the report
and not tried again; each round has one try of each kind, until the time is over.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dieindex.encoder.weights import SHIPPED_WEIGHTS
from dieindex.storage.folder import WEIGHTS_NAME
from dieindex.storage.reviews import reviews_of
from dieindex.storage.schema import CATALOGUE_NAME, DETAILS_NAME, REVIEWS_NAME, VERDICTS_NAME

LONGEST = 120
"""Seconds that a command may take."""
FILES = (CATALOGUE_NAME, DETAILS_NAME, "obverse.faiss", REVIEWS_NAME, VERDICTS_NAME, WEIGHTS_NAME)
VERDICTS = [("001", "002", "different"), ("003", "004", "same")]


@dataclass(frozen=True)
class Said:
    """What a command said; ``code`` is None where it was killed."""

    code: int | None
    out: str
    err: str


class Bench:
    """A small collection, its index, and what is answered of it."""

    def __init__(self, folder: Path) -> None:
        self.data, self.index = folder / "coins", folder / "index"
        dies = ("--obverse-dies", "3", "--reverse-dies", "3", "--seed", "3")
        expect(run("mint", self.data, "--coins", "8", *dies), 0)
        expect(run("build", self.data, "--index", self.index), 0)
        for a, b, word in VERDICTS:
            expect(run("verdict", a, b, word, "--side", "obverse", "--index", self.index), 0)
        self.answer(self.index)
        self.expected = self.answer(self.index).out

    def answer(self, index: Path) -> Said:
        return run("cluster", "--side", "both", "--json", "--index", index)

    def build(self, index: Path) -> Said:
        return run("build", self.data, "--index", index)


def run(*words: object, kill_after: float | None = None, file_limit: int | None = None) -> Said:
    """Run a command; kill it after some seconds, or let it write no file larger than so many
    bytes."""

    def limited() -> None:
        if file_limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))

    command = [sys.executable, "-m", "dieindex", *map(str, words)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=limited if file_limit is not None else None,
    ) as process:
        try:
            out, err = process.communicate(timeout=kill_after or LONGEST)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            if kill_after is None:
                raise AssertionError(f"{words[0]} did not end") from None
            return Said(None, out, err)
    for fault in ("Traceback", "Unexpected"):
        assert fault not in err, err[-500:]
    assert process.returncode in (0, 1, 2) or file_limit is not None, (process.returncode, err)
    return Said(process.returncode, out, err)


def expect(said: Said, code: int) -> Said:
    assert said.code == code, f"exit {said.code}: {said.err[-400:]}"
    return said


def verdicts(index: Path) -> set[tuple[str, str, str]]:
    return {(each.coin_a, each.coin_b, each.verdict) for each in reviews_of(index)}


def check_whole(bench: Bench, index: Path) -> None:
    """The index is mended by a build, and answers as it did."""
    expect(bench.build(index), 0)
    assert set(VERDICTS) <= verdicts(index), "a verdict is lost"
    expect(bench.answer(index), 0)
    assert bench.answer(index).out == bench.expected, "the answer is another"


def killed_build(bench: Bench, index: Path, rng: random.Random) -> None:
    (index / CATALOGUE_NAME).unlink()
    run("build", bench.data, "--index", index, kill_after=rng.uniform(0.5, 8))
    check_whole(bench, index)


def killed_cluster(bench: Bench, index: Path, rng: random.Random) -> None:
    (index / DETAILS_NAME).unlink()
    expect(bench.build(index), 0)
    table = index.parent / "dies.csv"
    table.write_text("good")
    words = ("cluster", "--side", "both", "--index", index, "--out", table)
    killed = run(*words, kill_after=rng.uniform(0.5, 6)).code is None
    text = table.read_text()
    assert text == "good" or text.count("\n") >= 17, "half a table"
    assert killed or text != "good"
    check_whole(bench, index)


def killed_verdict(bench: Bench, index: Path, rng: random.Random) -> None:
    words = ("verdict", "5", "6", "different", "--side", "reverse", "--index", index)
    said = run(*words, kill_after=rng.uniform(0.2, 1.5))
    kept = verdicts(index)
    assert set(VERDICTS) <= kept
    assert said.code is None or ("005", "006", "different") in kept


def killed_import(bench: Bench, index: Path, rng: random.Random) -> None:
    table = index.parent / "import.csv"
    rows = [f"{a:03},{b:03},reverse,unsure" for a in range(1, 9) for b in range(1, a)] * 100
    table.write_text("\n".join(["coin_a,coin_b,side,verdict,note", *(
        f"{row},{number}" for number, row in enumerate(rows))]))  # fmt: skip
    words = ("verdict", "--import", table, "--index", index)
    run(*words, kill_after=rng.uniform(0.3, 2))
    assert len(reviews_of(index)) in (len(VERDICTS), len(VERDICTS) + len(rows)), "half an import"


def changed_file(name: str, bench: Bench, index: Path, rng: random.Random) -> None:
    """One file is cut, or some of its bytes are others: the answer is the same, or it is said."""
    path = index / name
    if name == WEIGHTS_NAME:
        shutil.copy(SHIPPED_WEIGHTS, path)
    content = bytearray(path.read_bytes())
    if rng.random() < 0.15:
        del content[rng.randrange(len(content)) :]
    else:
        for _ in range(rng.choice((1, 1, 1, 8, 100))):
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)
    said = bench.answer(index)
    if said.code == 0 and said.out != bench.expected:
        assert said.err.strip(), "another answer without a word"
    if name not in (REVIEWS_NAME, VERDICTS_NAME):
        assert set(VERDICTS) <= verdicts(index), "a verdict is lost"
    built = bench.build(index)
    if built.code:
        for word in ("elete", "move", "build again", "newer", "Put a whole"):
            if word in built.err:
                break
        else:
            raise AssertionError(f"no remedy: {built.err[-300:]}")


def full_disk(bench: Bench, index: Path, rng: random.Random) -> None:
    """No file may grow beyond some size: as if the disk were full."""
    (index / CATALOGUE_NAME).unlink()
    limit = rng.randrange(10_000, 2_000_000)
    run("build", bench.data, "--index", index, file_limit=limit)
    run("verdict", "5", "6", "unsure", "--side", "reverse", "--index", index, file_limit=limit)
    check_whole(bench, index)


def at_once(bench: Bench, index: Path, rng: random.Random) -> None:
    """Ten verdicts, a clustering and a build at once."""
    pairs = rng.sample([(a, b) for a in range(1, 9) for b in range(1, a)], 10)
    words = [sys.executable, "-m", "dieindex"]
    tail = ["--index", str(index)]
    verdict = [*words, "verdict", "--side", "reverse", *tail]
    commands = [[*verdict, str(a), str(b), "unsure"] for a, b in pairs]
    commands += [
        [*words, "cluster", "--side", "both", *tail],
        [*words, "build", str(bench.data), *tail],
    ]
    running = [
        subprocess.Popen(each, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for each in commands
    ]
    said = [each.communicate(timeout=LONGEST)[1] for each in running]
    kept = {(int(a), int(b)) for a, b, word in verdicts(index) if word == "unsure"}
    for process, pair, err in zip(running, pairs, said, strict=False):
        assert "Unexpected" not in err, err
        if process.returncode == 0:
            assert pair in kept, "a verdict is lost"
        else:
            assert "process " in err, f"nobody is named: {err}"


KINDS: dict[str, Callable[[Bench, Path, random.Random], None]] = {
    "kill build": killed_build,
    "kill cluster": killed_cluster,
    "kill verdict": killed_verdict,
    "kill import": killed_import,
    **{f"change {name}": partial(changed_file, name) for name in FILES},
    "full disk": full_disk,
    "at once": at_once,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=KINDS)
    parser.add_argument("--out", type=Path, default=Path("abuse.json"))
    given = parser.parse_args()
    tried: dict[str, str] = json.loads(given.out.read_text()) if given.out.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        end, seed = time.monotonic() + 60 * given.minutes, 0
        while time.monotonic() < end:
            for kind in given.kinds:
                name = f"{kind} {seed}"
                if name in tried or time.monotonic() > end:
                    continue
                place = Path(folder) / "try"
                index = Path(shutil.copytree(bench.index, place / "index"))
                try:
                    KINDS[kind](bench, index, random.Random(name))
                    tried[name] = "survived"
                except (AssertionError, subprocess.TimeoutExpired) as error:
                    tried[name] = f"failed: {error}"
                    print(f"{name}: {tried[name]}", flush=True)
                shutil.rmtree(place)
                given.out.write_text(json.dumps(tried, indent=1))
            seed += 1
    for kind in given.kinds:
        results = [tried[name] for name in tried if name.rpartition(" ")[0] == kind]
        survived = sum(result == "survived" for result in results)
        failed = len(results) - survived
        print(f"{kind:26} {len(results):4} tried, {survived:4} survived, {failed:4} failed")


if __name__ == "__main__":
    main()
