"""The nearest faces among very many: how fast and how rightly they are found, and in how much.

    python benchmarks/nearest.py --index indexes/six --faces 1000000 --frame 2500 --out FILE.json

Vectors are those of an index's side, many times over: each frame of ``--frame`` faces holds them
turned and mirrored by lot (so that frames have nothing in common), each with a little noise (so
that no two are alike). Of ``--queries`` of them the 50 nearest are asked for. ``recall``: share of
the 20 nearest of the frame, by exact distances, that are among the first 20 found; ``of all``: of
those of the 20 nearest of all faces that lie on the query's frame, likewise.
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


def recalled(found: Ints, alike: Floats32, among: Ints) -> tuple[int, int]:
    """How many of the ``COUNTED`` most alike that lie ``among`` some are found first, of how
    many."""
    most = np.argsort(-alike, kind="stable")[:COUNTED]
    wanted = most[np.isin(most, among)]
    return len(np.intersect1d(found[:COUNTED], wanted)), len(wanted)


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
    spent, on_frame, of_all = [], [], []
    for query in queries.tolist():
        part = slice(query, query + 1)
        began = time.perf_counter()
        found = index.search(vectors[part], FOUND + 1, frame[part], vectors.__getitem__).ids[0]
        spent.append(time.perf_counter() - began)
        alike = vectors @ vectors[query]
        alike[query] = -np.inf
        others = found[found != query]
        there = np.flatnonzero(frame == frame[query])
        of_all.append(recalled(others, alike, there))
        alike[frame != frame[query]] = -np.inf
        on_frame.append(recalled(others, alike, there))
    figures = {
        "faces": given.faces,
        "faces of a frame": given.frame,
        "dimension": int(vectors.shape[1]),
        "threads": faiss.omp_get_max_threads(),
        "milliseconds, median": round(1e3 * float(np.median(spent)), 2),
        "milliseconds, nine in ten": round(1e3 * float(np.quantile(spent, 0.9)), 2),
        "recall@20": round(float(np.sum(on_frame, 0)[0] / np.sum(on_frame, 0)[1]), 4),
        "recall@20 of all": round(float(np.sum(of_all, 0)[0] / np.sum(of_all, 0)[1]), 4),
        "index, GB": round(gigabytes, 3),
        "made in seconds": round(made, 1),
    }
    print(json.dumps(figures, indent=1))
    if given.out is not None:
        given.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
