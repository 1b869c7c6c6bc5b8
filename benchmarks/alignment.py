"""How exactly, how surely and how fast faces are aligned, against the mint's true places.

    python benchmarks/alignment.py --types 42 --coins 40
    python benchmarks/alignment.py --types 6 --features 40      # also pairwise features, slow
    python benchmarks/alignment.py --types 6 --any-rotation     # faces turned by any angle
    python benchmarks/alignment.py --types 42 --alone           # no encoder judges doubtful faces

Each type is a collection by itself: ``--coins`` faces of one test type and ``--strays`` faces of
other types, cut as the mint's stream cuts them. A pair of faces of one die is right where aligning
one to the other differs from the truth by at most 2 % of the diameter, in the mean over the die's
visible area; quantiles are over all pairs of a difficulty. Beside the plain distance (``away``),
which takes the die's homography for the truth, stands that of what the metal's flow made of it,
over the area both show (``seen``): no homography undoes the flow. A face has failed where it lies
more than 6 % from the median place of its die (of its type, where the die has fewer than four
faces); a stray fails always, unless it is marked or in a type without the collection's. Intervals
are over types. Run from the root of the checkout.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import cv2
import numpy as np
import torch
from alignment_truth import (
    Job,
    Truth,
    displacement,
    failed,
    render,
    same_die_pairs,
    seen_displacement,
    true_map,
    turned,
    turned_all,
)

from dieindex.alignment.align import align_faces
from dieindex.alignment.result import Alignment, Alignments
from dieindex.encoder.encode import Encoder
from dieindex.evaluation.intervals import mean_interval
from dieindex.evaluation.matcher import load_matcher
from dieindex.mint.difficulty import DIFFICULTIES
from dieindex.records import FACE_SIZE, OBVERSE, REVERSE, Face

RIGHT = 0.02
_QUANTILES = (0.10, 0.25, 0.50, 0.75, 0.90, 0.95)


def by_features(truth: Truth, pairs: list[tuple[int, int]], method: str) -> tuple[float, float]:
    """Share of right pairs, and milliseconds a pair, of matched features and MAGSAC++."""
    start = time.process_time()
    features = load_matcher(method).describe([face.picture for face in truth.faces])
    matcher = cv2.BFMatcher(cv2.NORM_L2, crossCheck=True)
    right = 0
    for a, b in pairs:
        matches = matcher.match(features[b].descriptors, features[a].descriptors)
        if len(matches) < 4:
            continue
        scale = FACE_SIZE / 400
        source = np.array([features[b].points[m.queryIdx] for m in matches]) * scale
        target = np.array([features[a].points[m.trainIdx] for m in matches]) * scale
        found, _ = cv2.findHomography(source, target, cv2.USAC_MAGSAC, 2.0, maxIters=2000)
        if found is not None:
            right += displacement(found, true_map(truth, a, b), truth.visible[b]) <= RIGHT
    return right / max(len(pairs), 1), (time.process_time() - start) / max(len(pairs), 1) * 1e3


def measure(job: Job) -> dict[str, Any]:
    """Render one collection, align it, compare with the truth."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    truth = render(job, job.seed, job.coins)
    strays: list[Face] = []
    for k in range(job.strays):  # each of a type of its own, far from the seeds in use
        strays += render(job, 50_000 + 97 * job.seed + k, 1).faces
    if job.any_rotation:
        rng = np.random.default_rng([job.seed, 1])
        truth = turned_all(truth, rng)
        strays = [turned(f, truth.visible[0], rng.uniform(-180, 180))[0] for f in strays]
    order = np.random.default_rng(job.seed).permutation(job.coins + job.strays)
    mixed = [(truth.faces + strays)[i] for i in order]
    vectorise = None if job.alone else partial(Encoder.load(device="cpu").encode, fill=True)
    start = time.process_time()
    result = align_faces(mixed, any_rotation=job.any_rotation, vectorise=vectorise)
    spent = (time.process_time() - start) / len(mixed)
    alignments = [result.faces[i] for i in np.argsort(order)]
    return _compared(job, truth, result, alignments, spent)


def _compared(
    job: Job, truth: Truth, result: Alignments, alignments: list[Alignment], spent: float
) -> dict[str, Any]:
    own, others = alignments[: job.coins], alignments[job.coins :]
    maps = [each.to_frame for each in own]
    pairs = same_die_pairs(truth.dies)
    wrong = {
        (a, b): displacement(
            np.linalg.inv(maps[a]) @ maps[b], true_map(truth, a, b), truth.visible[b]
        )
        for a, b in pairs
    }
    # Two faces in different frames have no place against each other: not right.
    right = [wrong[a, b] <= RIGHT and own[a].type == own[b].type for a, b in pairs]
    anyhow = [value <= RIGHT for value in wrong.values()]
    aligned = [
        ok for ok, (a, b) in zip(right, pairs, strict=True) if own[a].aligned and own[b].aligned
    ]
    centred = [displacement(np.eye(3), true_map(truth, a, b), truth.visible[b]) for a, b in pairs]
    types = [each.type for each in own if each.aligned]
    main = max(set(types), key=types.count) if types else -1
    is_failed = np.concatenate([failed(truth, maps), np.ones(len(others), bool)])
    marked = np.array(
        [not each.aligned for each in own]
        + [not each.aligned or each.type != main for each in others]
    )
    scores: dict[str, Any] = {
        "difficulty": job.difficulty,
        "seed": job.seed,
        "side": job.side,
        "pairs": len(pairs),
        "away": list(wrong.values()),
        "seen": [seen_displacement(truth, maps, a, b) for a, b in pairs],
        "right": float(np.mean(anyhow)),
        "right_same_frame": float(np.mean(right)),
        "right_of_aligned": float(np.mean(aligned)) if aligned else 0.0,
        "flan_centre": float(np.mean([value <= RIGHT for value in centred])),
        "frames": len(result.frames),
        "own": [
            int((is_failed & marked)[: job.coins].sum()),
            int(is_failed[: job.coins].sum()),
            int(marked[: job.coins].sum()),
        ],
        "all": [int((is_failed & marked).sum()), int(is_failed.sum()), int(marked.sum())],
        "milliseconds": spent * 1e3,
    }
    if job.features:
        some = [pairs[i] for i in np.random.default_rng(0).permutation(len(pairs))[: job.features]]
        for method in ("sift", "xfeat"):
            scores[method], scores[f"{method}_milliseconds"] = by_features(truth, some, method)
        scores["right_on_these"] = float(np.mean([wrong[pair] <= RIGHT for pair in some]))
    return scores


def _line(name: str, rows: list[dict[str, Any]]) -> str:
    right = [row["right"] for row in rows]
    interval = mean_interval(right)
    around = f" ({interval.low:.3f} to {interval.high:.3f})" if interval else ""

    def recognised(key: str) -> str:
        hits, failures, marks = (sum(row[key][k] for row in rows) for k in range(3))
        return (
            f"precision {hits / marks if marks else float('nan'):.2f} "
            f"recall {hits / failures if failures else float('nan'):.2f} of {failures}"
        )

    text = (
        f"{name:8} {len(rows):3} types | right pairs {np.mean(right):.3f}{around}, in one frame "
        f"{np.mean([row['right_same_frame'] for row in rows]):.3f}, both marked aligned "
        f"{np.mean([row['right_of_aligned'] for row in rows]):.3f}, flan centre only "
        f"{np.mean([row['flan_centre'] for row in rows]):.3f} | types with 0.7 "
        f"{np.mean([r >= 0.7 for r in right]):.2f} | failures: own {recognised('own')}, with "
        f"strays {recognised('all')} | "
        f"{np.mean([row['milliseconds'] for row in rows]):.0f} ms a face"
    )
    if "sift" in rows[0]:
        text += " | on the same pairs: aligned {:.3f}, SIFT {:.3f}, XFeat {:.3f}".format(
            *(np.mean([row[k] for row in rows]) for k in ("right_on_these", "sift", "xfeat"))
        )
    return text


def _quantiles(name: str, rows: list[dict[str, Any]]) -> str:
    """How far apart same-die pairs lie, per cent of the diameter."""
    text = f"{name:8} per cent of the diameter at " + "/".join(f"{q:.0%}" for q in _QUANTILES)
    for key in ("away", "seen"):
        values = np.quantile(np.concatenate([row[key] for row in rows]), _QUANTILES) * 100
        text += f" | {key} " + " ".join(f"{v:.2f}" for v in values)
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--types", type=int, default=42)
    parser.add_argument("--coins", type=int, default=40)
    parser.add_argument("--strays", type=int, default=4)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--features", type=int, default=0, help="pairs a type matched by features")
    parser.add_argument("--validation", action="store_true", help="types of validation, not test")
    parser.add_argument(
        "--any-rotation", action="store_true", help="faces turned by any angle, all turns searched"
    )
    parser.add_argument("--alone", action="store_true", help="without the encoder")
    parser.add_argument("--cache", help="folder for engraved dies")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, help="write every type's figures as JSON")
    given = parser.parse_args()
    levels = list(DIFFICULTIES)
    jobs = [
        Job(
            seed=given.first_seed + k,
            difficulty=levels[k % 3],
            side=OBVERSE if k // 3 % 2 else REVERSE,
            coins=given.coins,
            strays=given.strays,
            features=given.features,
            cache=given.cache,
            validation=given.validation,
            any_rotation=given.any_rotation,
            alone=given.alone,
        )
        for k in range(given.types)
    ]
    rows: list[dict[str, Any]] = []
    with ProcessPoolExecutor(given.jobs) as pool:
        for row in pool.map(measure, jobs):
            rows.append(row)
            print(
                f"{row['difficulty']:6} {row['side']:7} {row['seed']:4}: right {row['right']:.3f}, "
                f"frames {row['frames']}, own failed/marked {row['own'][1]}/{row['own'][2]}, "
                f"{row['milliseconds']:.0f} ms",
                file=sys.stderr,
                flush=True,
            )
    for level in levels:
        some = [row for row in rows if row["difficulty"] == level]
        if some:
            print(_line(level, some))
    print(_line("all", rows))
    for level in [*levels, "all"]:
        some = [row for row in rows if level in (row["difficulty"], "all")]
        if some:
            print(_quantiles(level, some))
    if given.out is not None:
        given.out.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
