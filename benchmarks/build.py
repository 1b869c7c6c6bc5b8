"""Speed and memory of the main job, each measured in a process of its own.

    python benchmarks/build.py [--coins 2000] [--out benchmarks/results/build.json]

The pictures are those of ``data/`` brought to 800 pixels and saved again with noise of their own,
so that no two files are equal. Times are wall clock on this machine; memory is the peak resident
set of the process. Targets: 10 coins a second, 1.5 GB and flat, 2 s, 0.3 s, 4 s, 5 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
EDGE = 800
DIEINDEX = [sys.executable, "-m", "dieindex.commands.main"]


def make_collection(folder: Path, coins: int) -> None:
    """``coins`` pair pictures, 800 pixels along the longer edge, JPEG of quality 90."""
    import cv2

    sources = sorted((ROOT / "data" / "images").glob("*.jpg"))
    (folder / "images").mkdir(parents=True)
    random = np.random.default_rng(0)
    for number in range(coins):
        picture = cv2.imread(str(sources[number % len(sources)]))
        assert picture is not None
        height, width = picture.shape[:2]
        scale = EDGE / max(height, width)
        resized = cv2.resize(picture, (round(width * scale), round(height * scale)))
        noise = random.normal(0, 2, resized.shape[:2])[..., None]
        noisy = np.clip(resized + noise, 0, 255).astype(np.uint8)
        path = folder / "images" / f"{number + 1:05}.jpg"
        cv2.imwrite(str(path), noisy, [cv2.IMWRITE_JPEG_QUALITY, 90])


def timed(command: list[str], repeats: int = 1) -> tuple[float, float]:
    """Best wall-clock seconds and peak memory (MB) of a command."""
    best, peak = float("inf"), 0.0
    for _ in range(repeats):
        code = (
            "import resource, subprocess, sys, json, time\n"
            "start = time.perf_counter()\n"
            f"subprocess.run({command!r}, check=True, stdout=subprocess.DEVNULL,"
            " stderr=subprocess.DEVNULL)\n"
            "seconds = time.perf_counter() - start\n"
            "peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024\n"
            "print(json.dumps([seconds, peak]))"
        )
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        seconds, memory = json.loads(result.stdout)
        best, peak = min(best, seconds), max(peak, memory)
    return best, peak


def warm_query(faces: int, dimension: int) -> float:
    """Milliseconds of one query among ``faces`` vectors, k = 50: median of 200."""
    from dieindex.storage.nearest import VectorIndex

    random = np.random.default_rng(1)
    # Vectors in clusters, as dies are; uniform ones would flatter no index and serve nobody.
    centres = random.normal(size=(faces // 4, dimension))
    vectors = np.repeat(centres, 4, axis=0) + 0.3 * random.normal(size=(faces, dimension))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    frame = np.arange(faces) // 2000
    index = VectorIndex.from_vectors(vectors, np.arange(faces), frame)
    times = []
    for at in range(0, faces, faces // 200)[:200]:
        start = time.perf_counter()
        index.search(vectors[at : at + 1], 50, frame[at : at + 1], vectors.__getitem__)
        times.append(1000 * (time.perf_counter() - start))
    return float(np.median(times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--coins", type=int, default=2000, help="size of the large collection")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    arguments = parser.parse_args()
    figures: dict[str, object] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "Python": platform.python_version(),
    }
    with tempfile.TemporaryDirectory() as temporary:
        for coins in (91, arguments.coins):
            data = Path(temporary) / f"coins{coins}"
            make_collection(data, coins)
            build = [*DIEINDEX, "build", str(data), "--index", f"{data}-index"]
            seconds, memory = timed(build)
            figures[f"build, {coins} coins: coins a second"] = round(coins / seconds, 1)
            figures[f"build, {coins} coins: peak memory, MB"] = round(memory)
            seconds, _ = timed(build, repeats=3)
            figures[f"build again, {coins} coins, nothing new: s"] = round(seconds, 2)
        a, b = (str(path) for path in sorted((data / "images").iterdir())[:2])
        seconds, _ = timed([*DIEINDEX, "compare", a, b], repeats=3)
        figures["compare of two files, cold: s"] = round(seconds, 2)
    figures["dieindex --help: s"] = round(timed([*DIEINDEX, "--help"], 5)[0], 3)
    from dieindex.encoder.weights import read_card

    dimension = int(read_card().config["dimension"])
    figures["query in a warm index of 100,000 faces: ms"] = round(warm_query(100_000, dimension), 2)
    for name, value in figures.items():
        print(f"{name:50} {value}")
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
