"""The nearest faces among very many: how fast and how rightly they are found, and in how much.

    python benchmarks/nearest.py --index indexes/six --faces 1000000 --frame 2500 --out FILE.json

Vectors are those of an index's side, many times over: each frame of ``--frame`` faces holds them
turned and mirrored by lot (so that frames have nothing in common), each with a little noise (so
that no two are alike). Of ``--queries`` of them the 50 nearest are asked for. ``recall``: share of
the 20 nearest of the frame, by exact distances, that are among the first 20 found. (On other frames
nothing is sought; what lies there has no part in it.)
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import faiss
import numpy as np

from dieindex.records import SIDES, Floats32, Ints
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.nearest import VectorIndex

NOISE = 0.35
"""Length of the noise, beside vectors of length one: strikes of one die lie farther apart."""
FOUND, COUNTED = 50, 20


def made_up(real: list[Floats32], faces: int, of_frame: int) -> tuple[Floats32, Ints]:
    """Vectors ``(faces, dimension)`` and their frames."""
    rng = np.random.default_rng(0)
    dimension = real[0].shape[1]
    vectors = np.empty((faces, dimension), np.float32)
    for number, start in enumerate(range(0, faces, of_frame)):
        there = real[number % len(real)]
        count = min(of_frame, faces - start)
        turned = there[:, rng.permutation(dimension)] * rng.choice([-1, 1], dimension)
        some = np.resize(turned, (count, dimension)).astype(np.float32)
        some += rng.normal(0, NOISE / np.sqrt(dimension), some.shape).astype(np.float32)
        vectors[start : start + count] = some / np.linalg.norm(some, axis=1, keepdims=True)
    return vectors, np.arange(faces) // of_frame


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--index", type=Path, required=True, help="whose vectors are taken")
    parser.add_argument("--faces", type=int, default=1_000_000)
    parser.add_argument("--frame", type=int, default=2500, help="faces of a frame")
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    given = parser.parse_args()
    with Catalogue.open(given.index) as catalogue:
        real = [catalogue.face_rows(side).vectors for side in SIDES]
    vectors, frame = made_up([each for each in real if len(each)], given.faces, given.frame)
    began = time.perf_counter()
    index = VectorIndex.from_vectors(vectors, np.arange(given.faces), frame)
    made = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        index.write(Path(folder) / "nearest.faiss")
        gigabytes = (Path(folder) / "nearest.faiss").stat().st_size / 1e9
    queries = np.sort(np.random.default_rng(1).permutation(given.faces)[: given.queries])
    spent, recalled = [], []
    for query in queries.tolist():
        part = slice(query, query + 1)
        began = time.perf_counter()
        found = index.search(vectors[part], FOUND + 1, frame[part], vectors.__getitem__).ids[0]
        spent.append(time.perf_counter() - began)
        others = np.flatnonzero(frame == frame[query])
        others = others[others != query]
        wanted = others[np.argsort(-(vectors[others] @ vectors[query]), kind="stable")[:COUNTED]]
        first = found[found != query][:COUNTED]
        recalled.append(len(np.intersect1d(first, wanted)) / COUNTED)
    figures = {
        "faces": given.faces,
        "faces of a frame": given.frame,
        "dimension": int(vectors.shape[1]),
        "threads": faiss.omp_get_max_threads(),
        "milliseconds, median": round(1e3 * float(np.median(spent)), 2),
        "milliseconds, nine in ten": round(1e3 * float(np.quantile(spent, 0.9)), 2),
        "recall@20": round(float(np.mean(recalled)), 4),
        "index, GB": round(gigabytes, 3),
        "made in seconds": round(made, 1),
    }
    print(json.dumps(figures, indent=1))
    if given.out is not None:
        given.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
