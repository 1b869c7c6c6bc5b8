"""How long a die study of many coins takes, and how much memory: ``python benchmarks/study.py``.

Makes up a table of ``--coins`` coins (dies of geometric output, each obverse used with a few
reverses; weights, axes, sources, certainties) and, with ``--pictures N``, an index of N faces that
share the pictures of the sample collection; then writes the study of each and prints one JSON line
a run: seconds of the process's CPU time, seconds on the clock, peak memory, sizes. ``--results``
writes the lines to a file, with the load of the machine: on a shared core only CPU time tells.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dieindex.collection.photographs import cut_file
from dieindex.records import SIDES
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.face_codec import pack_face
from dieindex.storage.face_steps import AlignedFace
from dieindex.study.analysis import analyse
from dieindex.study.folder import write_study
from dieindex.study.pictures import CataloguePictures
from dieindex.study.reading import read_material

ROOT = Path(__file__).parents[1]


def write_table(path: Path, coins: int, seed: int, across: float) -> None:
    """A table of coins whose dies struck very unequally."""
    random = np.random.default_rng(seed)
    obverses = max(coins // 8, 1)
    share = random.exponential(1.0, obverses)
    obverse = random.choice(obverses, size=coins, p=share / share.sum())
    # An obverse goes with four reverses, and now and then (``across``) with one of the next die.
    reverse = obverse * 4 + random.integers(0, 4, coins) + 4 * (random.random(coins) < across)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ["coin", "obverse", "reverse", "weight", "axis", "diameter", "source", "certainty"]
        )
        for i in range(coins):
            writer.writerow(
                [
                    f"{i + 1:06d}",
                    f"O{obverse[i] + 1}",
                    f"R{reverse[i] + 1}",
                    f"{random.normal(16.5, 0.4):.2f}",
                    12,
                    f"{random.normal(27, 1):.1f}",
                    f"Museum {i % 40}",
                    f"{min(random.beta(20, 1), 0.9999):.4f}",
                ]
            )


def pictured(table: Path, index: Path) -> None:
    """An index whose faces are the sample collection's, under the table's coins."""
    kept = []
    for picture in sorted((ROOT / "data" / "images").glob("*.jpg"))[:20]:
        kept.append([pack_face(face) for face in cut_file(picture)])
    index.mkdir()
    with table.open(encoding="utf-8") as stream:
        names = [row["coin"] for row in csv.DictReader(stream)]
    with Catalogue.open(index, create=True) as catalogue, catalogue.transaction():
        for i, name in enumerate(names):
            faces = kept[i % len(kept)]
            catalogue.put_photograph(f"{name}.jpg", name, 1, 1, name, "", None, [], faces)
        ids = [face for side in SIDES for face, _ in catalogue.unaligned_faces(side)]
        aligned = [AlignedFace(face, 0, np.eye(3), 1.0, None) for face in ids]
        catalogue.put_alignments(aligned, frames_tried=1, searched=True)
        vector = np.zeros(4, np.float32)
        catalogue.put_raw_vectors(ids, np.tile(vector, (len(ids), 1)))
        for face in ids:
            catalogue.put_vector(face, vector)


def run(table: Path, index: Path | None, out: Path) -> None:
    """Write one study in this process and print what it took."""
    clock, processor = time.monotonic(), time.process_time()
    material = read_material(table)
    if index is not None:
        material = replace(material, pictures=CataloguePictures(index))
    study = analyse(material)
    analysed = time.process_time() - processor
    write_study(study, out)
    files = [path for path in out.rglob("*") if path.is_file()]
    print(
        json.dumps(
            {
                "coins": len(study.coins),
                "dies": {side: each.counts.sample.d for side, each in study.sides.items()},
                "groups": len(study.groups),
                "largest_group": study.counts.links.largest_group if study.counts.links else None,
                "pictures": index is not None,
                "analysis_cpu_seconds": round(analysed, 1),
                "cpu_seconds": round(time.process_time() - processor, 1),
                "seconds": round(time.monotonic() - clock, 1),
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                "report_mb": round((out / "report.html").stat().st_size / 2**20, 1),
                "files": len(files),
                "folder_mb": round(sum(path.stat().st_size for path in files) / 2**20, 1),
            }
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--coins", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--across", type=float, default=0.02, help="share of coins that link on")
    parser.add_argument("--pictures", action="store_true", help="also with a picture of each face")
    parser.add_argument("--out", type=Path, help="keep the studies below this folder")
    parser.add_argument("--results", type=Path, help="write the figures to this JSON file")
    parser.add_argument("--one", nargs=3, type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        table, index, out = arguments.one
        run(table, index if index.name != "none" else None, out)
        return
    with tempfile.TemporaryDirectory() as scratch:
        place = arguments.out or Path(scratch)
        place.mkdir(parents=True, exist_ok=True)
        table = Path(scratch) / "table.csv"
        write_table(table, arguments.coins, arguments.seed, arguments.across)
        kinds = ["none"]
        if arguments.pictures:
            pictured(table, Path(scratch) / "index")
            kinds.append("index")
        found = []
        for kind in kinds:
            # A process of its own each, so that memory is told apart.
            ended = subprocess.run(
                [
                    sys.executable,
                    __file__,
                    "--one",
                    table,
                    Path(scratch) / kind,
                    place / f"study-{kind}",
                ],
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
            print(ended.stdout, end="", flush=True)
            found.append({**json.loads(ended.stdout), "load_average": round(os.getloadavg()[0], 1)})
        if arguments.results:
            arguments.results.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
