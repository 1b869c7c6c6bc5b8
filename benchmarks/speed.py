"""The main job on the clock: from pictures to dies, beside the peer and beside what is possible.

    python benchmarks/speed.py --collection six/ --peer-pairs 200

Each command runs in a process of its own, on all cores: seconds on the clock, processor time, and
peak memory. ``first``: nothing is known; the other rows are answers of an index with nothing new
(the best of three). Then ratios:

- *peer*: the tuned peer (verified XFeat matches) on a sample of pairs of the same faces; its whole
  is that times all pairs (it knows no other way), on one core.
- *decoding*: reading the pictures' pixels alone, which no build can do without.
- *network*: the multiply-adds of one look at a face, at the speed at which this core multiplies
  matrices in the network's precision; a build takes two looks a face.
- *memory*: reading and writing once what the comparator computes of a pair, at this core's speed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np

DIEINDEX = [sys.executable, "-m", "dieindex"]
EVERY = ("compare", "info", "pairs", "cluster", "evaluate", "study")
_CELLS, _SHIFTS = 64 * 64, 49


class Spent(NamedTuple):
    seconds: float
    processor: float
    megabytes: float


def run(arguments: list[str], repeats: int = 1) -> Spent:
    """A command's best time on the clock, with its processor time, and its most memory."""
    code = (
        "import json, resource, subprocess, time\n"
        "began = time.perf_counter()\n"
        f"subprocess.run({[*DIEINDEX, *arguments]!r}, check=True, stdout=subprocess.DEVNULL,"
        " stderr=subprocess.DEVNULL)\n"
        "spent = time.perf_counter() - began\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(json.dumps([spent, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))"
    )
    found = []
    for _ in range(repeats):
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        found.append(Spent(*json.loads(told.stdout)))
    best = min(found)
    return best._replace(megabytes=max(each.megabytes for each in found))


def answers(index: Path, work: Path) -> dict[str, Spent]:
    """Of an index with nothing new."""
    import dieindex as di

    coins = di.open_index(index).coins
    first, second = _compared_pair(index) or (coins[0], coins[1])
    commands = {
        "compare": ["compare", first, second],
        "info": ["info"],
        "pairs": ["pairs", "--side", "obverse", "--out", str(work / "pairs.csv"), "--force"],
        "cluster": ["cluster", "--side", "both"],
        "evaluate": ["evaluate"],
        "study": ["study", "--out", str(work / "study")],
    }
    return {name: run([*commands[name], "--index", str(index)], 3) for name in EVERY}


def _compared_pair(index: Path) -> tuple[str, str] | None:
    """Two coins of which both sides were compared."""
    import dieindex as di

    opened = di.open_index(index)
    known = []
    for side in ("obverse", "reverse"):
        pairs = opened.pairs(side)  # type: ignore[arg-type]
        rows = np.flatnonzero(pairs.verified)
        first, second = (each[rows] for each in (pairs.table.first, pairs.table.second))
        coins = np.array(pairs.coins)
        known.append(set(zip(coins[first].tolist(), coins[second].tolist(), strict=True)))
    both = sorted(known[0] & known[1])
    return both[0] if both else None


def counts(index: Path) -> tuple[int, int, int]:
    """Faces, pairs on one frame, and pairs that were compared."""
    with closing(sqlite3.connect(index / "catalogue.sqlite")) as catalogue:
        faces = catalogue.execute("SELECT count(*) FROM faces").fetchone()[0]
        sizes = catalogue.execute(
            "SELECT count(*) FROM faces WHERE aligned GROUP BY side, frame"
        ).fetchall()
    with closing(sqlite3.connect(index / "details.sqlite")) as details:
        compared = details.execute("SELECT count(*) FROM pair_scores").fetchone()[0]
    return faces, sum(n * (n - 1) // 2 for (n,) in sizes), compared


def best_of(task: Callable[[], object], repeats: int = 5) -> float:
    """Seconds of processor time."""
    found = []
    for _ in range(repeats):
        began = time.process_time()
        task()
        found.append(time.process_time() - began)
    return min(found)


def decoding(collection: Path, most: int = 60) -> float:
    """Seconds to decode one picture."""
    import cv2

    cv2.setNumThreads(1)
    kinds = {".jpg", ".jpeg", ".png"}
    files = [each for each in sorted(collection.rglob("*")) if each.suffix.lower() in kinds][:most]
    contents = [np.frombuffer(each.read_bytes(), np.uint8) for each in files]
    return best_of(lambda: [cv2.imdecode(each, cv2.IMREAD_COLOR) for each in contents]) / len(files)


def network_limit() -> tuple[float, float]:
    """Multiply-adds of one look at a face, and this core's multiply-adds a second."""
    import torch

    from dieindex.encoder.descriptors import load_descriptors
    from dieindex.encoder.precision import network_precision
    from dieindex.encoder.weights import SHIPPED_WEIGHTS

    torch.set_num_threads(1)
    network = load_descriptors(SHIPPED_WEIGHTS)
    total = 0

    def count(module: torch.nn.Module, _: object, out: torch.Tensor) -> None:
        nonlocal total
        if isinstance(module, torch.nn.Conv2d):
            per_place = module.weight[0].numel()
            total += out.numel() * per_place
        elif isinstance(module, torch.nn.Linear):
            total += module.weight.numel()

    hooks = [each.register_forward_hook(count) for each in network.modules()]
    size = network.config.input_size
    with torch.inference_mode():
        network(torch.zeros(1, 2, size, size))
    for hook in hooks:
        hook.remove()
    edge, precision = 1024, network_precision("cpu")
    a, b = (torch.ones(edge, edge, dtype=precision) for _ in range(2))
    return float(total), edge**3 / best_of(lambda: a @ b, 9)


def memory_bandwidth() -> float:
    """Bytes read and written a second."""
    source = np.ones(32_000_000, np.float32)
    target = np.empty_like(source)
    return 2 * source.nbytes / best_of(lambda: np.copyto(target, source))


def peer(collection: Path, pairs: int) -> float:
    """Seconds a pair of the tuned peer, of the first side, features counted where they belong."""
    from encoder_collections import read_real

    from dieindex.evaluation.matcher import load_matcher

    faces, _ = next(iter(read_real(collection).values()))
    matcher = load_matcher("xfeat")
    some = list(faces.picture[:40])
    began = time.process_time()
    described = matcher.describe(some)
    features = (time.process_time() - began) / len(some)
    rng = np.random.default_rng(0)
    began = time.process_time()
    for a, b in rng.integers(0, len(some), (pairs, 2)):
        matcher.score(described[a], described[b])
    # (Each face's features are computed once, and there are n / 2 pairs a face.)
    return (time.process_time() - began) / pairs + 2 * features / len(faces.picture)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--collection", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("runs/speed"))
    parser.add_argument("--peer-pairs", type=int, default=0, help="0: without the peer")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    index = given.work / f"{given.collection.resolve().name}-{int(time.time())}"
    index.parent.mkdir(parents=True, exist_ok=True)
    spent = {
        "build, first": run(["build", str(given.collection), "--index", str(index)]),
        "cluster, first": run(["cluster", "--side", "both", "--index", str(index)]),
        "build": run(["build", str(given.collection), "--index", str(index)], 3),
    }
    spent |= answers(index, given.work)
    faces, pairs, compared = counts(index)
    build, cluster = spent["build, first"], spent["cluster, first"]
    additions, speed = network_limit()
    looked = additions / speed
    volume = 2 * 2 * 4 * _CELLS * _SHIFTS  # (both ways, written and read, single precision)
    limit = volume / memory_bandwidth()
    decoded = decoding(given.collection) / 2
    ratios = {
        "pairs compared, of all on one frame": compared / pairs,
        "build, a face, over decoding": build.processor / faces / decoded,
        "build, a face, over two looks of the network": build.processor / faces / (2 * looked),
        "comparing, a pair, over memory": cluster.processor / max(compared, 1) / limit,
    }
    if given.peer_pairs:
        whole = peer(given.collection, given.peer_pairs) * pairs
        ratios["peer's whole over build and cluster, processor time"] = whole / (
            build.processor + cluster.processor
        )
    figures = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "faces": faces,
        "ratios": {name: round(value, 4) for name, value in ratios.items()},
        "build, milliseconds of processor a face": round(1e3 * build.processor / faces, 1),
        "build and cluster, seconds on the clock": round(build.seconds + cluster.seconds, 1),
        "cluster, milliseconds of processor a pair compared": round(
            1e3 * cluster.processor / max(compared, 1), 2
        ),
        "commands": {name: [round(v, 2) for v in each] for name, each in spent.items()},
    }
    if given.peer_pairs:
        figures["peer's whole, hours of one core"] = round(whole / 3600, 2)
    for name, value in ratios.items():
        print(f"{name:58}{value:10.3f}")
    for name in list(figures)[3:]:
        if name != "commands":
            print(f"{name:58}{figures[name]}")
    print(f"\n{'':20}{'seconds':>10}{'processor':>11}{'MB':>8}")
    for name, each in spent.items():
        print(f"{name:20}{each.seconds:10.2f}{each.processor:11.2f}{each.megabytes:8.0f}")
    if given.out:
        given.out.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
