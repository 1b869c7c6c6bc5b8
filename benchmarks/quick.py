"""The main figures in five minutes, beside those that were recorded last.

    python benchmarks/quick.py                    # or: make bench-quick
    python benchmarks/quick.py --record           # the figures to compare with from now on
    python benchmarks/quick.py --collection DIR   # also a labelled collection of one's own

The sample in ``data/`` and two rendered collections (easy and hard, of other types; kept in
``--work``) are built and clustered by the commands, as a user does, each with a fresh index, and
scored against their sheets. A figure that has changed shows the one recorded in brackets. Seconds
depend on the machine; they stand in the record to be compared on one machine alone. These are two
types and a sample: they warn of a fault, they do not choose between methods (see the other
benchmarks for figures with intervals, over many types and beside the peer).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]
RECORD = HERE / "benchmarks" / "results" / "quick.json"
RENDERED = {"easy": 11, "hard": 12}
"""Difficulty and seed of the collections rendered for it."""
FIGURES = {
    "ap": "AP",
    "auc": "AUC",
    "ari": "ARI",
    "pair_f1": "pair F1",
    "dies_found": "dies",
    "dies_true": "of",
}
SECONDS = ("build", "cluster")

Row = dict[str, float | None]


def run(*arguments: object) -> tuple[str, float]:
    """What a command prints, and how long it took."""
    command = [sys.executable, str(HERE / "cli.py"), *map(str, arguments), "--quiet"]
    began = time.perf_counter()
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return printed, time.perf_counter() - began


def rendered(work: Path, difficulty: str, seed: int) -> Path:
    """A rendered collection of 91 coins, rendered where it is not there yet."""
    data = work / f"rendered-{difficulty}"
    if not (data / "truth.csv").exists():
        shutil.rmtree(data, ignore_errors=True)
        chosen = ("--difficulty", difficulty, "--seed", seed, "--jobs", 2)
        command = [sys.executable, str(HERE / "cli.py"), "mint", data, *chosen]
        subprocess.run(list(map(str, command)), check=True, capture_output=True)
    return data


def measured(data: Path, index: Path) -> dict[str, Row]:
    """Figures of a collection, a row a labelled side."""
    shutil.rmtree(index, ignore_errors=True)
    _, build = run("build", data, "--index", index)
    _, cluster = run("cluster", "--side", "both", "--index", index)
    scores = json.loads(run("evaluate", "--index", index, "--json")[0])
    return {
        side: {**{key: found[key] for key in FIGURES}, "build": build, "cluster": cluster}
        for side, found in scores.items()
        if found is not None
    }


def cell(value: float | None, before: float | None) -> str:
    """A figure, with the recorded one in brackets where it was another."""

    def shown(number: float | None) -> str:
        if number is None:
            return "-"
        return f"{number:.3f}" if isinstance(number, float) else str(number)

    text = shown(value)
    return text if shown(before) in (text, "-") else f"{text} ({shown(before)})"


def lines(name: str, side: str, row: Row, before: Row) -> str:
    figures = [cell(row[key], before.get(key)) for key in FIGURES]
    seconds = [f"{row[key]:.0f} ({before[key]:.0f})" if before.get(key) else f"{row[key]:.0f}"
               for key in SECONDS]  # fmt: skip
    return f"{name:16}{side:9}" + "".join(f"{text:>17}" for text in [*figures, *seconds])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--collection", type=Path, action="append", default=[], metavar="DIR")
    parser.add_argument("--work", type=Path, default=HERE / "runs" / "quick")
    parser.add_argument("--record", action="store_true", help=f"write {RECORD.name}")
    given = parser.parse_args(arguments)
    given.work.mkdir(parents=True, exist_ok=True)
    known: dict[str, Any] = {}
    if RECORD.exists():
        known = json.loads(RECORD.read_text(encoding="utf-8"))
    before = known.get("collections", {})
    if known:
        print(f"in brackets: as recorded on {known['recorded']}")
    heads = [*FIGURES.values(), *(f"{name}, s" for name in SECONDS)]
    print(f"{'':25}" + "".join(f"{head:>17}" for head in heads), flush=True)
    collections = {"data": HERE / "data", **{each.name: each for each in given.collection}}
    for difficulty, seed in RENDERED.items():
        collections[f"rendered {difficulty}"] = rendered(given.work, difficulty, seed)
    found: dict[str, dict[str, Row]] = {}
    for name, data in collections.items():
        found[name] = measured(data, given.work / f"index-{name.replace(' ', '-')}")
        for side, row in found[name].items():
            print(lines(name, side, row, before.get(name, {}).get(side, {})), flush=True)
    if given.record:
        text = json.dumps({"recorded": time.strftime("%Y-%m-%d"), "collections": found}, indent=1)
        RECORD.write_text(text + "\n", encoding="utf-8")
        print(f"recorded in {RECORD.relative_to(HERE)}")


if __name__ == "__main__":
    main()
