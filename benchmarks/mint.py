"""Measures of the mint: difficulty by an outside measure, realism, and speed.

    python benchmarks/mint.py peer --types 5 --difficulty medium
    python benchmarks/mint.py statistics --real ../shared/data/real
    python benchmarks/mint.py critic --real ../shared/data/real
    python benchmarks/mint.py speed
    python benchmarks/mint.py sheets docs/pictures

The real photographs are only measured: even-numbered ones may guide changes of the mint,
odd-numbered ones report. Run from the root of the checkout.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dieindex.evaluation.intervals import mean_interval
from dieindex.evaluation.metrics import adjusted_rand_index, average_precision, roc_auc
from dieindex.evaluation.peer import label_propagation, pair_inliers
from dieindex.mint.order import DIFFICULTY_NAMES, CollectionOrder
from dieindex.records import FLAN_RADIUS, SIDES, Picture, Side

CUT_SIZE = 400


@dataclass(frozen=True)
class CutFaces:
    """Faces of one side cut out by the truth, with the die of each."""

    pictures: list[Picture]
    dies: list[str]


def cut_by_truth(folder: Path, side: Side, size: int = CUT_SIZE) -> CutFaces:
    """The faces of a minted collection, centred by the flan's true place."""
    pictures, dies = [], []
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["side"] == side]
    for row in rows:
        photograph = cv2.imread(str(folder / row["file"]), cv2.IMREAD_COLOR_RGB)
        x, y, radius = (float(row[name]) for name in ("flan_x", "flan_y", "flan_radius"))
        scale = FLAN_RADIUS * size / radius
        middle = (size - 1) / 2
        placed = np.array([[scale, 0, middle - scale * x], [0, scale, middle - scale * y]])
        if scale < 1:  # shrinking by more than the filter reaches would alias
            photograph = cv2.GaussianBlur(photograph, (0, 0), 0.45 / scale)
        cut = cv2.warpAffine(
            photograph, placed, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        pictures.append(np.asarray(cut, np.uint8))
        dies.append(row["die"])
    return CutFaces(pictures, dies)


# ---------------------------------------------------------------------------- difficulty by a peer


def peer_scores(order: CollectionOrder, sides: tuple[Side, ...], method: str) -> dict[str, object]:
    """AP, AUC and ARI of the peer on one minted collection, a side each."""
    from dieindex.mint.collections import mint_collection

    scores: dict[str, object] = {"seed": order.seed, "difficulty": order.difficulty}
    with tempfile.TemporaryDirectory() as folder:
        mint_collection(Path(folder), order)
        for side in sides:
            faces = cut_by_truth(Path(folder), side)
            inliers = pair_inliers(faces.pictures, method)  # type: ignore[arg-type]
            first, second = np.triu_indices(len(faces.dies), 1)
            dies = np.array(faces.dies)
            same = dies[first] == dies[second]
            found = label_propagation(inliers)
            scores[side] = {
                "ap": round(average_precision(inliers[first, second], same), 4),
                "auc": round(roc_auc(inliers[first, second], same), 4),
                "ari": round(adjusted_rand_index(found.tolist(), faces.dies), 4),
            }
    return scores


def _peer_job(job: tuple[CollectionOrder, tuple[Side, ...], str]) -> dict[str, object]:
    cv2.setNumThreads(1)
    import torch

    torch.set_num_threads(1)
    return peer_scores(*job)


def peer(arguments: argparse.Namespace) -> None:
    """The peer on several collections a difficulty, with means over types."""
    sides: tuple[Side, ...] = SIDES if arguments.side == "both" else (arguments.side,)
    jobs = [
        (
            CollectionOrder(
                difficulty=difficulty,
                seed=arguments.first_seed + number,
                coins=arguments.coins,
                obverse_dies=round(arguments.coins * 24 / 91),
                reverse_dies=round(arguments.coins * 34 / 91),
            ),
            sides,
            arguments.method,
        )
        for number in range(arguments.types)
        for difficulty in arguments.difficulty
    ]
    results: dict[str, list[dict[str, object]]] = {name: [] for name in arguments.difficulty}
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for result in pool.map(_peer_job, jobs):
            print(json.dumps(result), flush=True)
            results[str(result["difficulty"])].append(result)
    for difficulty, rows in results.items():
        for measure in ("ap", "auc", "ari"):
            # One value a type: the mean of its sides, since the sides share photographs.
            values = [float(np.mean([row[side][measure] for side in sides])) for row in rows]  # type: ignore[index]
            interval = mean_interval(values)
            spread = f" [{interval.low:.3f}, {interval.high:.3f}]" if interval else ""
            print(
                f"{difficulty:7s} {measure:3s} mean {np.mean(values):.3f}{spread} n={len(values)}"
            )


def parser() -> argparse.ArgumentParser:
    """The command line of the benchmark."""
    root = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    verbs = root.add_subparsers(required=True)
    verb = verbs.add_parser("peer", help="AP of the tuned peer over all pairs")
    verb.add_argument("--types", type=int, default=5)
    verb.add_argument("--first-seed", type=int, default=101)
    verb.add_argument("--coins", type=int, default=91)
    verb.add_argument("--difficulty", nargs="+", choices=DIFFICULTY_NAMES, default=DIFFICULTY_NAMES)
    verb.add_argument("--side", choices=[*SIDES, "both"], default="both")
    verb.add_argument("--method", choices=["xfeat", "sift"], default="xfeat")
    verb.add_argument("--jobs", type=int, default=2)
    verb.set_defaults(run=peer)
    return root


def main() -> None:
    """Run the benchmark named on the command line."""
    arguments = parser().parse_args()
    start = time.monotonic()
    arguments.run(arguments)
    print(f"({time.monotonic() - start:.0f} s)", file=sys.stderr)


if __name__ == "__main__":
    main()
