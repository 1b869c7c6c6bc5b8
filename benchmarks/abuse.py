"""What dieindex survives: kills, changed bytes, damaged and hostile inputs, a full disk.

    python benchmarks/abuse.py --minutes 10 --out abuse.json

Every try has its own seed, a folder of its own and, where it needs one, a copy of one small index.
It is survived where no command falls with a fault of dieindex or takes too much time or memory,
nothing of a person's is lost, nothing is misread in silence, no answer becomes another in silence,
the remedy that a message names mends what was damaged, and no text from outside becomes a command.
What was survived before is in the report and not tried again; each round has one try of each kind,
until the time is over. The kinds: ``abuse_index``, ``abuse_study``, ``abuse_inputs`` and
``abuse_outputs``.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import abuse_index
import abuse_inputs
import abuse_outputs
import abuse_study
from abuse_browser import what_opens_pages
from abuse_commands import Bench, Try

KINDS: dict[str, Try] = {
    **abuse_index.KINDS,
    **abuse_study.KINDS,
    **abuse_inputs.KINDS,
    **abuse_outputs.KINDS,
}


def tried_once(kind: str, seed: int, bench: Bench) -> str:
    """What came of one try: ``survived``, or how it failed."""
    place = bench.folder / "try"
    place.mkdir()
    try:
        KINDS[kind](bench, place, random.Random(f"{kind} {seed}"))
        return "survived"
    except (AssertionError, subprocess.TimeoutExpired) as error:
        return f"failed: {error}"
    finally:
        shutil.rmtree(place)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=KINDS)
    parser.add_argument("--out", type=Path, default=Path("abuse.json"))
    given = parser.parse_args()
    tried: dict[str, str] = json.loads(given.out.read_text()) if given.out.exists() else {}
    if any(kind in abuse_outputs.KINDS for kind in given.kinds):
        print(what_opens_pages(), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        end, seed = time.monotonic() + 60 * given.minutes, 0
        while time.monotonic() < end:
            for kind in given.kinds:
                name = f"{kind} {seed}"
                if tried.get(name) == "survived" or time.monotonic() > end:
                    continue
                tried[name] = tried_once(kind, seed, bench)
                if tried[name] != "survived":
                    print(f"{name}: {tried[name]}", flush=True)
                given.out.write_text(json.dumps(tried, indent=1))
            seed += 1
    for kind in given.kinds:
        results = [tried[name] for name in tried if name.rpartition(" ")[0] == kind]
        survived = sum(result == "survived" for result in results)
        failed = len(results) - survived
        print(f"{kind:26} {len(results):4} tried, {survived:4} survived, {failed:4} failed")


if __name__ == "__main__":
    main()
