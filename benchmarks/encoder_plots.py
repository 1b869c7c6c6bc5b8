"""The pictures of docs/research/model.md: curves, distances, a map, nearest neighbours.

    python benchmarks/encoder_plots.py --out docs/pictures

Drawn from the collections that ``benchmarks/encoder.py`` keeps in its cache (rendered if missing):
medium, 91 coins, test types. Faces that the alignment gave up are left out of the pictures.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from encoder_collections import Aligned, Cache, orders
from encoder_methods import frame_faces, imagenet, similarities, trained, untrained
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from sklearn.manifold import TSNE
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_curve

from dieindex.numeric import unit_distance

WEIGHTS = Path("dieindex/encoder/weights/descriptors.safetensors")
START = Path("dieindex/encoder/weights/baseline.safetensors")
SHOWN = {
    "this encoder: the vector, type's mean off": "vector",
    "this encoder: the vector, mean kept": "vector, mean kept",
    "this encoder: all dense descriptors": "dense",
}
SAME, OTHER = "#0072B2", "#D55E00"
"""Told apart by every kind of colour vision (Okabe and Ito)."""
SEVERAL = ("#0072B2", "#E69F00", "#009E73", "#56B4E9", "#CC79A7")


def pairs_of(collection: Aligned, similarity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Similarities and truth of all pairs of aligned faces."""
    kept = np.flatnonzero(collection.alignment.aligned)
    first, second = np.triu_indices(len(kept), 1)
    die = collection.faces.die[kept]
    return similarity[np.ix_(kept, kept)][first, second], die[first] == die[second]


def curves(results: dict[str, list[tuple[np.ndarray, np.ndarray]]]) -> Figure:
    """ROC and precision–recall, the mean curve over collections."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.6), constrained_layout=True)
    at = np.linspace(0, 1, 400)
    for (name, rows), colour in zip(results.items(), SEVERAL, strict=False):
        rises, precisions, ap = [], [], []
        for values, same in rows:
            false, true, _ = roc_curve(same, values)
            rises.append(np.interp(at, false, true))
            precision, recall, _ = precision_recall_curve(same, values)
            precisions.append(np.interp(at, recall[::-1], precision[::-1]))
            ap.append(average_precision_score(same, values))
        left.plot(at, np.mean(rises, 0), label=name, linewidth=1.6, color=colour)
        label = f"AP {np.mean(ap):.2f}"
        right.plot(at, np.mean(precisions, 0), label=label, linewidth=1.6, color=colour)
    chance = np.mean([same.mean() for _, same in next(iter(results.values()))])
    left.plot([0, 1], [0, 1], color="0.7", linewidth=0.8)
    right.axhline(chance, color="0.7", linewidth=0.8)
    left.set(xlabel="false-positive rate", ylabel="true-positive rate", title="ROC")
    right.set(xlabel="recall", ylabel="precision", title="Precision and recall over all pairs")
    left.legend(fontsize=7, loc="lower right")
    right.legend(fontsize=7, loc="upper right")
    return figure


def distances(rows: list[tuple[np.ndarray, np.ndarray]]) -> Figure:
    """How far same-die and different-die pairs of one type lie apart."""
    # (Not ``unit_distance``: faces that were given up have similarities below any cosine.)
    values = np.sqrt(np.maximum(2 - 2 * np.concatenate([v for v, _ in rows]), 0))
    same = np.concatenate([s for _, s in rows])
    figure, axes = plt.subplots(figsize=(6.5, 3.4), constrained_layout=True)
    bins = np.linspace(0, values.max() * 1.02, 60)
    axes.hist(values[~same], bins, density=True, alpha=0.6, color=OTHER, label="two dies")
    axes.hist(values[same], bins, density=True, alpha=0.6, color=SAME, label="one die")
    axes.set(xlabel="distance of the vectors", ylabel="density (each kind by itself)")
    axes.legend()
    return figure


def embedding_map(collection: Aligned, similarity: np.ndarray) -> Figure:
    """One collection in the plane; dies of three coins and more in colours of their own."""
    kept = np.flatnonzero(collection.alignment.aligned)
    away = unit_distance(similarity[np.ix_(kept, kept)])
    np.fill_diagonal(away, 0)
    place = TSNE(metric="precomputed", init="random", perplexity=8, random_state=0)
    at = place.fit_transform((away + away.T) / 2)
    die = collection.faces.die[kept]
    names, counts = np.unique(die, return_counts=True)
    figure, axes = plt.subplots(figsize=(6, 5.4), constrained_layout=True)
    rest = np.isin(die, names[counts < 3])
    axes.scatter(*at[rest].T, s=14, color="0.75", label="dies of one or two coins")
    colours = plt.get_cmap("tab20")
    for number, name in enumerate(names[counts >= 3]):
        mine = die == name
        marker = "osD^v"[number // 20 % 5]
        axes.scatter(*at[mine].T, s=26, color=colours(number % 20), marker=marker)
    axes.set(xticks=[], yticks=[])
    axes.legend(fontsize=8)
    return figure


def neighbours(collection: Aligned, similarity: np.ndarray, rows: int = 4) -> np.ndarray:
    """Faces with their five nearest: above some whose nearest is right, below some where it is
    wrong though the die has other coins. Blue frame: same die, orange: another."""
    kept = np.flatnonzero(collection.alignment.aligned)
    likeness = similarity[np.ix_(kept, kept)].copy()
    np.fill_diagonal(likeness, -np.inf)
    die = collection.faces.die[kept]
    framed = [frame_faces(collection, 160)[i] for i in kept]
    order = np.argsort(-likeness, 1)
    right = die[order[:, 0]] == die
    partnered = np.array([(die == d).sum() > 1 for d in die])
    rng = np.random.default_rng(0)
    chosen = [
        *rng.permutation(np.flatnonzero(right))[:rows],
        *rng.permutation(np.flatnonzero(~right & partnered))[:rows],
    ]
    lines = []
    for face in chosen:
        cells = [_framed(framed[face][0], (60, 60, 60))]
        for other in order[face, :5]:
            hue = SAME if die[other] == die[face] else OTHER
            rgb = tuple(int(hue[i : i + 2], 16) for i in (1, 3, 5))
            cells.append(_framed(framed[other][0], rgb))
        lines.append(np.concatenate(cells, 1))
    return np.concatenate(lines)


def _framed(picture: np.ndarray, colour: tuple[int, ...]) -> np.ndarray:
    inside = cv2.copyMakeBorder(picture, 4, 4, 4, 4, cv2.BORDER_CONSTANT, value=colour)
    return np.asarray(
        cv2.copyMakeBorder(inside, 3, 3, 3, 3, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--types", type=int, default=5)
    parser.add_argument("--cache", type=Path, default=Path("runs/encoder"))
    parser.add_argument("--keep-stale", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    cache = Cache(given.cache, given.weights, keep_stale=given.keep_stale)
    collections = [
        cache.aligned(order) for order in orders(given.types, [91], ["medium"], "alternate", "test")
    ]
    folder = given.cache / "similarity"
    own = [similarities(trained("encoder", given.weights), c, folder) for c in collections]
    ways = {name: [s[f"encoder: {way}"] for s in own] for name, way in SHOWN.items()}
    before = untrained(given.weights)
    ways["the same, untrained"] = [
        similarities(before, c, folder)["untrained: vector"] for c in collections
    ]
    everyday = imagenet(START)
    ways["ImageNet features"] = [
        next(iter(similarities(everyday, c, folder).values())) for c in collections
    ]
    results = {
        name: [pairs_of(c, s) for c, s in zip(collections, rows, strict=True)]
        for name, rows in ways.items()
    }
    best = next(iter(ways))
    given.out.mkdir(parents=True, exist_ok=True)
    curves(results).savefig(given.out / "encoder_curves.png", dpi=110)
    distances(results[best]).savefig(given.out / "encoder_distances.png", dpi=110)
    embedding_map(collections[0], ways[best][0]).savefig(given.out / "encoder_map.png", dpi=110)
    sheet = neighbours(collections[0], ways[best][0])
    path = str(given.out / "encoder_neighbours.jpg")
    cv2.imwrite(path, cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])


if __name__ == "__main__":
    main()
