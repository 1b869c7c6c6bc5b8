"""How hard rendered collections are, by an outside measure: the tuned peer over all pairs."""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from dieindex.evaluation.intervals import mean_interval
from dieindex.evaluation.label_propagation import label_propagation
from dieindex.evaluation.matcher import load_matcher
from dieindex.evaluation.partitions import adjusted_rand_index
from dieindex.evaluation.ranking import average_precision, roc_auc
from dieindex.mint.collections import mint_collection
from dieindex.mint.order import CollectionOrder
from dieindex.records import FLAN_RADIUS, SIDES, Picture, Side

CUT_SIZE = 400


@dataclass(frozen=True)
class CutFaces:
    """Faces of one side cut out by the truth, with the die of each."""

    pictures: list[Picture]
    dies: list[str]
    type_key: str


def cut_by_truth(folder: Path, side: Side, size: int = CUT_SIZE) -> CutFaces:
    """The faces of a minted collection, centred by the flan's true place."""
    pictures, dies = [], []
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["side"] == side]
    for row in rows:
        read = cv2.imread(str(folder / row["file"]), cv2.IMREAD_COLOR_RGB)
        assert read is not None, "the mint writes whole pictures"
        photograph = np.asarray(read, np.uint8)
        x, y, radius = (float(row[name]) for name in ("flan_x", "flan_y", "flan_radius"))
        scale = FLAN_RADIUS * size / radius
        middle = (size - 1) / 2
        placed = np.array([[scale, 0, middle - scale * x], [0, scale, middle - scale * y]])
        if scale < 1:  # shrinking by more than the filter reaches would alias
            photograph = np.asarray(cv2.GaussianBlur(photograph, (0, 0), 0.45 / scale), np.uint8)
        cut = cv2.warpAffine(
            photograph, placed, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        pictures.append(np.asarray(cut, np.uint8))
        dies.append(row["die"])
    return CutFaces(pictures, dies, rows[0]["type"])


def peer_scores(
    order: CollectionOrder, sides: tuple[Side, ...], method: str, share: float
) -> dict[str, Any]:
    """AP, AUC and (over all pairs) ARI of the peer on one minted collection, a side each.

    With ``share`` under 1 only that share of the different-die pairs is matched, each standing for
    1 / share of them.
    """
    scores: dict[str, Any] = {"seed": order.seed, "difficulty": order.difficulty}
    with tempfile.TemporaryDirectory() as folder:
        mint_collection(Path(folder), order)
        for side in sides:
            faces = cut_by_truth(Path(folder), side)
            first, second = np.triu_indices(len(faces.dies), 1)
            dies = np.array(faces.dies)
            same = dies[first] == dies[second]
            chosen = same | (np.random.default_rng(order.seed).random(len(same)) < share)
            weights = np.where(same, 1.0, 1 / share)[chosen]
            matcher = load_matcher(method)
            features = matcher.describe(faces.pictures)
            pairs = list(zip(first[chosen], second[chosen], strict=True))
            found = [matcher.score(features[a], features[b]) for a, b in pairs]
            scores[side] = {
                "type": faces.type_key,
                "ap": round(average_precision(found, same[chosen], weights), 4),
                "auc": round(roc_auc(found, same[chosen], weights), 4),
            }
            if share == 1:
                inliers = np.zeros((len(dies), len(dies)), np.int64)
                inliers[first, second] = inliers[second, first] = found
                labels = label_propagation(inliers).tolist()
                scores[side] |= {"ari": round(adjusted_rand_index(labels, faces.dies), 4)}
    return scores


def _peer_job(job: tuple[CollectionOrder, tuple[Side, ...], str, float]) -> dict[str, Any]:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    return peer_scores(*job)


def _sides(word: str, seed: int) -> tuple[Side, ...]:
    if word == "both":
        return SIDES
    if word == "alternate":
        return (SIDES[seed % 2],)
    return tuple(side for side in SIDES if side == word)


def peer(arguments: argparse.Namespace) -> None:
    """The peer on several collections a difficulty, with means over types."""
    sides = {
        seed: _sides(arguments.side, seed)
        for seed in range(arguments.first_seed, arguments.first_seed + arguments.types)
    }
    jobs = [
        (
            CollectionOrder(
                difficulty=difficulty,
                seed=seed,
                coins=arguments.coins,
                obverse_dies=round(arguments.coins * 24 / 91),
                reverse_dies=round(arguments.coins * 34 / 91),
                sides=sides[seed],
            ),
            sides[seed],
            arguments.method,
            arguments.share,
        )
        for seed in sides
        for difficulty in arguments.difficulty
    ]
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in arguments.difficulty}
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for result in pool.map(_peer_job, jobs):
            print(json.dumps(result), flush=True)
            results[str(result["difficulty"])].append(result)
    for difficulty, rows in results.items():
        for measure in ("ap", "auc", "ari") if arguments.share == 1 else ("ap", "auc"):
            # One value a type: the mean of its sides, since the sides share photographs.
            values = [
                float(np.mean([row[side][measure] for side in SIDES if side in row]))
                for row in rows
            ]
            interval = mean_interval(values)
            spread = f" [{interval.low:.3f}, {interval.high:.3f}]" if interval else ""
            print(
                f"{difficulty:7s} {measure:3s} mean {np.mean(values):.3f}{spread} n={len(values)}"
            )
