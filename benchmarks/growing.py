"""What it costs to add coins to a collection, and what it changes.

    python benchmarks/growing.py [--coins 300] [--more 3] [--difficulty medium] [--seed 1]

Mints a collection of ``coins + more``, builds and clusters it without the last ``more`` photographs
and then with them, as a user would, by the commands. Printed are seconds by the clock and of the
processors, the score against the sheet, and the changes of dies that are listed (the new coins'
own among them).
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from dieindex.records import SIDES

RUN = "from dieindex.commands.main import main; main()"


def spent(*arguments: str) -> tuple[float, float, str]:
    """Seconds by the clock and of the processors of a command, and what it printed."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-c", RUN, *arguments]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    clock, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return clock, cpu, printed


def round_of(name: str, data: Path, index: Path) -> float:
    """Build and cluster; the seconds of the processors."""
    build = spent("build", str(data), "--index", str(index), "--quiet")
    cluster = spent("cluster", "--side", "both", "--index", str(index), "--json", "--quiet")
    dies: dict[str, Any] = json.loads(cluster[2])
    print(f"{name}: build {build[0]:.1f} s ({build[1]:.1f} s of processors), ", end="")
    print(f"cluster {cluster[0]:.1f} s ({cluster[1]:.1f} s)")
    for side in SIDES:
        found = dies[side]
        changes = [each for each in found["changes"] if " is new: " not in each]
        print(
            f"  {side}: {found['coins']} coins, {found['dies']} dies, "
            f"ARI {found['scores']['ari']:.3f}; {len(found['changes'])} changes, "
            f"{len(changes)} of dies that were there"
        )
        for each in changes[:8]:
            print(f"    {each}")
    return build[1] + cluster[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--coins", type=int, default=300)
    parser.add_argument("--more", type=int, default=3)
    parser.add_argument("--difficulty", default="medium", choices=("easy", "medium", "hard"))
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if given.coins < 8 or given.more < 1:
        parser.error("--coins needs 8 or more, --more 1 or more")
    coins = given.coins + given.more
    with tempfile.TemporaryDirectory() as folder:
        data, index, aside = Path(folder) / "data", Path(folder) / "index", Path(folder) / "aside"
        dies = ("--obverse-dies", str(round(0.25 * coins)), "--reverse-dies", str(coins * 3 // 8))
        chosen = ("--difficulty", given.difficulty, "--seed", str(given.seed), "--jobs", "2")
        spent("mint", str(data), "--coins", str(coins), *dies, *chosen)
        aside.mkdir()
        for photograph in sorted((data / "images").iterdir())[-given.more :]:
            photograph.rename(aside / photograph.name)
        before = round_of(f"{given.coins} coins", data, index)
        for photograph in aside.iterdir():
            photograph.rename(data / "images" / photograph.name)
        after = round_of(f"{given.more} more", data, index)
    print(f"the second round took {after / before:.1%} of the first's time of processors")


if __name__ == "__main__":
    main()
