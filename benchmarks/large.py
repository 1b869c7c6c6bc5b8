"""A collection as large as a museum's, whole: where time and memory go, and how each grows.

    python benchmarks/large.py runs/large --coins 5000 --types 20 --sizes 1250 2500 5000

Mints ``--coins`` of so many types, an equal part of each (test types; an obverse die to four coins,
a reverse die to three), and of these takes ``--sizes``, the same part of each type. Each is built
and clustered, both sides, in a process of its own, on all cores. For each step: seconds on the
clock, processor time, and the most memory the process held while it ran. The exponent of a step is
the slope of its processor time over the number of coins, both as logarithms, by least squares.

What was done is kept under the folder, and gone on with where it was broken off.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

SEED = 9000
STARTING = "starting and reading"


# ------------------------------------------------------------ the collection


def mint_types(work: Path, coins: int, types: int, jobs: int) -> None:
    """One folder a type, each with its part of the coins."""
    from dieindex.mint.collections import mint_collection
    from dieindex.mint.order import CollectionOrder

    each = coins // types
    for number in range(types):
        out = work / "types" / f"{number:02}"
        if out.exists():
            continue
        began = time.monotonic()
        unfinished = out.with_name(f"{out.name}-{int(time.time())}.part")
        order = CollectionOrder(
            coins=each,
            obverse_dies=max(1, round(each * 158 / 600)),
            reverse_dies=max(1, round(each * 224 / 600)),
            seed=SEED + number,
        )
        mint_collection(unfinished, order, jobs=jobs)
        unfinished.rename(out)
        print(f"type {number + 1} of {types}: {time.monotonic() - began:.0f} s", flush=True)


def collection_of(work: Path, coins: int, types: int, size: int) -> Path:
    """The folder of ``size`` coins, the first of each type; pictures are linked."""
    import openpyxl

    from dieindex.mint.writing import sheet_bytes

    out = work / f"coins-{size}"
    if out.exists():
        return out
    unfinished = out.with_name(f"{out.name}-{int(time.time())}.part")
    (unfinished / "images").mkdir(parents=True)
    rows: list[tuple[str, ...]] = []
    for number in range(types):
        folder = work / "types" / f"{number:02}"
        (sheet,) = openpyxl.load_workbook(folder / "dies.xlsx", read_only=True).worksheets
        known = list(sheet.iter_rows(values_only=True))[1:]
        for coin, *dies in known[: size // types]:
            rows.append((f"{number:02}-{coin:04}", *(f"{die}-{number:02}" for die in dies)))
        for picture in sorted((folder / "images").iterdir())[: size // types]:
            target = unfinished / "images" / f"{number:02}-{int(picture.stem):04}{picture.suffix}"
            os.link(picture, target)
    (unfinished / "dies.xlsx").write_bytes(sheet_bytes(("coin", "obverse", "reverse"), rows))
    unfinished.rename(out)
    return out


# ------------------------------------------------------------ measuring


class Watch:
    """Adds up what each step takes: what passes until a step tells of itself is its own."""

    def __init__(self) -> None:
        self.steps: dict[str, list[float]] = {}
        self._clock, self._processor = time.perf_counter(), time.process_time()
        self._most = 0.0
        threading.Thread(target=self._look, daemon=True).start()

    def tell(self, step: str, done: int, total: int) -> None:
        clock, processor = time.perf_counter(), time.process_time()
        known = self.steps.setdefault(step, [0.0, 0.0, 0.0])
        known[0] += clock - self._clock
        known[1] += processor - self._processor
        known[2] = max(known[2], self._most)
        self._clock, self._processor, self._most = clock, processor, 0.0

    def _look(self) -> None:
        page = os.sysconf("SC_PAGE_SIZE") / 2**20
        while True:
            held = int(Path("/proc/self/statm").read_text().split()[1]) * page
            self._most = max(self._most, held)
            time.sleep(0.05)


def measured(what: str, collection: Path, index: Path) -> dict[str, Any]:
    """One build, or one clustering of both sides, in this process."""
    import dieindex as di
    from dieindex.records import SIDES

    watch = Watch()
    found: dict[str, Any] = {}
    if what == "build":
        di.build(collection, index, progress=watch.tell)
    else:
        opened = di.open_index(index)
        for side in SIDES:

            def tell(step: str, done: int, total: int, side: str = side) -> None:
                watch.tell(step.removeprefix(f"{side}: ").replace(side, "comparing"), done, total)

            pairs = opened.pairs(side, progress=tell)
            watch.tell("judging pairs", 1, 1)
            dies = opened.cluster(side)
            watch.tell("finding dies", 1, 1)
            compared = int(pairs.verified.sum())
            found_scores = dies.score() or {}
            found[side] = {
                "pairs": len(pairs),
                "compared": compared,
                "ari": found_scores.get("ari"),
            }
            watch.tell("scoring", 1, 1)
    watch.tell("ending", 1, 1)
    clock, processor, most = zip(*watch.steps.values(), strict=True)
    watch.steps["all"] = [sum(clock), sum(processor), max(most)]
    return {"steps": watch.steps, **found}


def measure(what: str, collection: Path, index: Path) -> dict[str, Any]:
    """The same in a process of its own."""
    command = [sys.executable, __file__, str(collection), "--measure", what, "--index", str(index)]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return dict(json.loads(told.splitlines()[-1]))


def exponent(sizes: list[int], spent: list[float]) -> float:
    """The slope of the logarithm of what is spent over that of the size."""
    return float(np.polyfit(np.log(sizes), np.log(np.maximum(spent, 1e-3)), 1)[0])


def table(known: dict[str, dict[str, Any]]) -> str:
    sizes = sorted(int(size) for size in known)
    heads = [f"{size:,}: s, s of a core, MB" for size in sizes]
    lines = ["| step | " + " | ".join(heads) + " | exponent |"]
    lines.append("|---|" + "---|" * (len(sizes) + 1))
    for part in ("build", "cluster"):
        done = [size for size in sizes if part in known[str(size)]]
        if not done:
            continue
        for step in known[str(done[-1])][part]["steps"]:
            rows = [known[str(size)].get(part, {}).get("steps", {}).get(step) for size in sizes]
            cells = ["–" if r is None else f"{r[0]:.0f}, {r[1]:.0f}, {r[2]:.0f}" for r in rows]
            there = [(s, r[1]) for s, r in zip(sizes, rows, strict=True) if r is not None]
            slope = "–"
            if len(there) > 1 and max(spent for _, spent in there) >= 1:
                slope = f"{exponent([s for s, _ in there], [spent for _, spent in there]):.2f}"
            lines.append(f"| {part}: {step} | " + " | ".join([*cells, slope]) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--coins", type=int, default=5000)
    parser.add_argument("--types", type=int, default=20)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1250, 2500, 5000])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="for minting")
    parser.add_argument("--mint-only", action="store_true")
    parser.add_argument("--out", type=Path, help="a JSON file with all figures")
    parser.add_argument("--measure", choices=("build", "cluster"), help=argparse.SUPPRESS)
    parser.add_argument("--index", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measured(given.measure, given.work, given.index)))
        return
    for size in given.sizes:
        if size > given.coins:
            parser.error("--sizes must be at most --coins")
    mint_types(given.work, given.coins, given.types, given.jobs)
    if given.mint_only:
        return
    record = given.work / "measured.json"
    known = json.loads(record.read_text())["sizes"] if record.exists() else {}
    for size in sorted(given.sizes):
        collection = collection_of(given.work, given.coins, given.types, size)
        for what in ("build", "cluster"):
            if what in known.setdefault(str(size), {}):
                continue
            index = given.work / f"index-{size}"
            known[str(size)][what] = measure(what, collection, index)
            told: dict[str, Any] = {"coins": given.coins, "types": given.types}
            told |= {"cores": os.cpu_count(), "sizes": known}
            record.write_text(json.dumps(told, indent=1))
            if given.out is not None:
                given.out.write_text(json.dumps(told, indent=1) + "\n")
    print(table(known))


if __name__ == "__main__":
    main()
