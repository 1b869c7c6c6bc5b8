"""The encoder and what it must be compared with, on the same coins, in one run.

    python benchmarks/encoder.py --types 5 --coins 91 600
    python benchmarks/encoder.py --weights runs/a/best.safetensors runs/b/best.safetensors \\
        --methods shipped --split validation --coins 91 --difficulty medium
    python benchmarks/encoder.py --types 0 --collection DIR --collection DIR --real PATH \\
        --weights runs/a/best.safetensors runs/b/best.safetensors       # other worlds, a row each

Collections are minted as ``dieindex mint`` does: one type each, coins of dies with heavy-tailed
output and many singletons, easy, medium and hard. Every pair is ranked. Columns: average precision
and area under the ROC curve over all pairs, recall among the k nearest; means over collections,
with 95 % intervals from resampled dies; how far a method's AP lies apart from the first one's, on
the same resamples. The JSON also has Student's intervals over types and each collection's figures.
Faces that the alignment gives up count: pairs with them rank last.

Faces, alignments and similarities stay in ``--cache``: a run with other weights only encodes. Run
from the root of the checkout; on a busy machine with ``OMP_NUM_THREADS=1`` and ``nice``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from encoder_collections import (
    Aligned,
    Cache,
    Order,
    displacement,
    domain_options,
    labelled,
    orders,
    real_options,
    story,
)
from encoder_measures import (
    MEASURES,
    Measured,
    accuracy,
    difference_of,
    mean_of,
    measure,
)
from encoder_methods import (
    Method,
    imagenet,
    last_where_lost,
    matched,
    siamese,
    similarities,
    trained,
    tuned_peer,
    untrained,
    vectors_by,
)
from judging import as_faces, candidates_of

from dieindex.calibration.distance import Calibration
from dieindex.calibration.judge_pairs import judge_pairs
from dieindex.encoder.weights import INDEX, read_card
from dieindex.records import SIDES

SHIPPED = Path("dieindex/encoder/weights/descriptors.safetensors")
IMAGENET = Path("dieindex/encoder/weights/baseline.safetensors")
METHODS = ("shipped", "untrained", "imagenet", "siamese", "peer", "aliked")
DOUBTFUL = ("8", "56", "64", "75")
"""Coins of the Damascus tetradrachms whose die the sheet itself calls doubtful."""


def make_methods(given: argparse.Namespace, cache: Cache) -> list[Method]:
    methods: list[Method] = []
    names = run_names(given.weights)
    if "shipped" in given.methods:
        methods += [trained(n, path) for n, path in zip(names, given.weights, strict=True)]
    if "untrained" in given.methods:
        methods.append(untrained(given.weights[0]))
    if "imagenet" in given.methods:
        methods.append(imagenet(given.imagenet))
    if "siamese" in given.methods:
        methods.append(siamese(cache, given.siamese_minutes))
    if "peer" in given.methods:
        methods.append(tuned_peer(given.peer_pairs, given.peer_coins))
    if "aliked" in given.methods:
        methods.append(matched("aliked", given.peer_pairs, given.peer_coins))
    return methods


def run_names(paths: Sequence[Path]) -> list[str]:
    """What to call weights files: ``encoder`` for one, else the folders of their runs."""
    if len(paths) == 1:
        return ["encoder"]
    return [path.parent.name if path.parent.name != "weights" else "shipped" for path in paths]


def measured(
    methods: Sequence[Method], collection: Aligned, kept: np.ndarray, given: argparse.Namespace
) -> dict[str, Measured]:
    """Every method on the kept faces of one collection."""
    found: dict[str, Measured] = {}
    die = collection.faces.die[kept]
    for method in methods:
        if len(collection.faces) <= method.largest:
            for name, values in similarities(
                method, collection, given.cache / "similarity"
            ).items():
                chosen = values[np.ix_(kept, kept)]
                found[name] = measure(chosen, die, given.replicates, seed=len(die))
    return found


def judged(collection: Aligned, kept: np.ndarray, given: argparse.Namespace) -> dict[str, Any]:
    """Accuracy of each weights file's vector, judged as in an index, beside "always different"."""
    found = {}
    for name, path in zip(run_names(given.weights), given.weights, strict=True):
        card = read_card(path)
        if "shipped" in given.methods and INDEX in card.calibration:
            calibration = Calibration.from_json(card.calibration_for(INDEX))
            vectors = vectors_by(trained(name, path), collection, given.cache / "similarity")
            if vectors is None:
                continue
            faces = as_faces(vectors[kept], collection.alignment.type[kept])
            listed = candidates_of(faces, calibration, verify=False)
            pairs = judge_pairs(listed, None, faces, calibration=calibration)
            right, always = accuracy(pairs, collection.faces.die[kept])
            found[name] = {"accuracy": right, "always_different": always}
    return found


def accuracy_lines(stories: Sequence[dict[str, Any]]) -> str:
    """Means of ``judged`` over collections."""
    lines = []
    for name in stories[0]:
        right, always = (
            float(np.mean([each[name][key] for each in stories]))
            for key in ("accuracy", "always_different")
        )
        lines.append(
            f"  {name}: {right:.4f} of all pairs judged rightly at its calibration "
            f'(always "different": {always:.4f})'
        )
    return "\n".join(lines)


def rows_of(results: Sequence[dict[str, Measured]]) -> dict[str, Any]:
    """Means a method over the collections that it was run on, and its differences from the first
    method on the same ones."""
    first = next(iter(results[0]))
    rows = {}
    for name in dict.fromkeys(name for each in results for name in each):
        own = [each for each in results if name in each]
        rows[name] = {
            "collections": len(own),
            **mean_of([each[name] for each in own]),
            "difference": difference_of([e[name] for e in own], [e[first] for e in own])["ap"],
        }
    return rows


def table(title: str, rows: dict[str, Any]) -> str:
    heads = f"{'AP':>8}{'':16}{'apart':>8}{'':18}" + "".join(
        f"{head:>8}" for head in ("AUC", "R@10", "R@20", "R@50")
    )
    lines = [title, f"  {'':30}{heads}"]
    most = max(row["collections"] for row in rows.values())
    for name, row in rows.items():
        cells = [
            f"{_number(row['ap']['mean']):>8}",
            f"{_interval(row['ap']['dies']):>16}",
            f"{_number(row['difference']['mean'], signed=True):>8}",
            f"{_interval(row['difference']['dies'], signed=True):>18}",
            *(f"{_number(row[m]['mean']):>8}" for m in MEASURES[1:]),
        ]
        few = f"  (on {row['collections']})" if row["collections"] < most else ""
        lines.append(f"  {name:30}" + "".join(cells) + few)
    return "\n".join(lines)


def _number(value: float | None, signed: bool = False) -> str:
    return "–" if value is None else f"{value:+.3f}" if signed else f"{value:.3f}"


def _interval(limits: list[float] | None, signed: bool = False) -> str:
    if limits is None:
        return ""
    sign = "+" if signed else ""
    return f"({limits[0]:{sign}.2f} … {limits[1]:{sign}.2f})"


def described(collection: Aligned, found: dict[str, Measured]) -> dict[str, Any]:
    """One collection as plain values."""
    die = collection.faces.die
    first, second = np.triu_indices(len(die), 1)
    return {
        "name": collection.name,
        "faces": len(die),
        "dies": len(np.unique(die[die >= 0])),
        "same_die_share": float(np.mean(die[first] == die[second])),
        "aligned": float(collection.alignment.aligned.mean()),
        "frames": int(collection.alignment.type.max()) + 1,
        "displacement": _plain(displacement(collection)),
        "align_milliseconds": round(collection.alignment.milliseconds, 1),
        "methods": {
            name: dict(zip(MEASURES, map(_plain, each.value), strict=True))
            for name, each in found.items()
        },
    }


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def minted(given: argparse.Namespace, cache: Cache, methods: list[Method]) -> list[dict[str, Any]]:
    """All collections of the mint, in groups of equal size and difficulty."""
    groups: dict[tuple[int, str], list[Order]] = {}
    for order in orders(given.types, given.coins, given.difficulty, given.sides, given.split):
        groups.setdefault((order.coins, order.difficulty), []).append(order)
    report = []
    for (coins, difficulty), chosen in groups.items():
        results, stories = [], []
        for number, order in enumerate(chosen):
            collection = cache.aligned(order)
            some = [m for m in methods if not m.slow or number < given.peer_collections]
            found = measured(some, collection, np.arange(len(collection.faces)), given)
            results.append(found)
            right = judged(collection, np.arange(len(collection.faces)), given)
            stories.append({**story(order), **described(collection, found), "accuracy": right})
        rows = rows_of(results)
        share = np.mean([s["same_die_share"] for s in stories])
        apart = [s["displacement"] for s in stories if s["displacement"] is not None]
        title = (
            f"{difficulty}, {coins} coins, {len(chosen)} collections of {given.split} types "
            f"(same-die pairs {share:.3f}; aligned {np.mean([s['aligned'] for s in stories]):.3f}, "
            f"{100 * float(np.mean(apart or [np.nan])):.2f} % apart)"
        )
        print("\n" + table(title, rows))
        print(accuracy_lines([each["accuracy"] for each in stories]), flush=True)
        report.append(
            {"coins": coins, "difficulty": difficulty, "collections": stories, "means": rows}
        )
    return report


def domains(given: argparse.Namespace, cache: Cache, methods: list[Method]) -> list[dict[str, Any]]:
    """Labelled collections of other worlds, each by itself; real ones also without their doubtful
    coins."""
    report = []
    for each in labelled(given, cache):
        collection, folder = each.collection, each.folder.resolve().name
        for name, mask in each.parts.items():
            found = measured(methods, collection, np.flatnonzero(mask), given)
            rows = rows_of([found])
            title = (
                f"{folder}, {collection.side}, {name}: {mask.sum()} faces of "
                f"{len(np.unique(collection.faces.die[mask]))} dies, "
                f"{collection.alignment.aligned[mask].mean():.3f} aligned"
            )
            right = judged(collection, np.flatnonzero(mask), given)
            print("\n" + table(title, rows))
            print(accuracy_lines([right]), flush=True)
            report.append(
                {"set": folder, "side": collection.side, "coins": name, "means": rows}
                | {"collection": described(collection, found), "accuracy": right}
            )
    return report


def overview(report: Sequence[dict[str, Any]], kept: Sequence[str] | None = None) -> str:
    """AP of every method, a row a domain."""
    names = list(dict.fromkeys(name for each in report for name in each["means"]))
    names = [name for name in names if kept is None or name in kept]
    width = max(map(len, names)) + 2
    lines = ["AP of all pairs", " " * 42 + "".join(f"{name:>{width}}" for name in names)]
    for each in report:
        title = f"{each['set']}, {each['side']}, {each['coins']}"
        found = [each["means"].get(name) for name in names]
        cells = ["" if row is None else _number(row["ap"]["mean"]) for row in found]
        lines.append(f"{title:42}" + "".join(f"{cell:>{width}}" for cell in cells))
    return "\n".join(lines)


def by_photographs(given: argparse.Namespace, cache: Cache) -> dict[str, Any]:
    """One collection by way of photographs on disk and a build, beside the short way."""
    from dieindex.indexing.run import build_index
    from dieindex.mint.collections import mint_collection
    from dieindex.storage.catalogue import Catalogue

    order = orders(1, given.coins[:1], given.difficulty[:1], SIDES[0], "test")[0]
    folder = given.cache / "photographs" / order.name
    if not (folder / "truth.csv").exists():
        mint_collection(folder, order.minted())
    index = given.cache / "photographs" / f"{order.name}-index"
    build_index(folder, index, jobs=1, device="cpu", reencode=True, weights=given.weights[0])
    results: dict[str, Any] = {}
    for side in SIDES:
        with Catalogue.open(index) as catalogue:
            rows = catalogue.face_rows(side)
            dies = {coin: known.dies.get(side, "") for coin, known in catalogue.coins().items()}
        vectors = rows.vectors.astype(np.float64)
        found = last_where_lost(vectors @ vectors.T, np.where(rows.aligned, rows.frame, -1))
        _, die = np.unique([dies[coin] for coin in rows.coins], return_inverse=True)
        long_way = measure(found, die, given.replicates)
        own = Order(order.seed, side, order.coins, order.difficulty)
        short = similarities(
            trained("encoder", given.weights[0]), cache.aligned(own), given.cache / "similarity"
        )
        faces = cache.aligned(own).faces
        short_way = measure(short["encoder: vector"], faces.die, given.replicates)
        both = {"photographs and build": long_way, "faces alone": short_way}
        results[side] = rows_of([both])
        title = f"{order.name}, {side}: {len(rows)} faces in the index"
        print(
            "\n" + table(f"{title}, {rows.aligned.mean():.3f} aligned", results[side]), flush=True
        )
    return results


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--weights", type=Path, nargs="+", default=[SHIPPED])
    parser.add_argument("--imagenet", type=Path, default=IMAGENET, help="a MobileNetV2's weights")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS[:-1]))
    parser.add_argument("--types", type=int, default=5, help="0: no collection of the mint")
    parser.add_argument("--coins", type=int, nargs="+", default=[91, 600])
    parser.add_argument("--difficulty", nargs="+", default=["easy", "medium", "hard"])
    parser.add_argument("--sides", default="alternate", choices=("alternate", "both", *SIDES))
    parser.add_argument(
        "--split", default="test", choices=("test", "validation"), help="validation: for choosing"
    )
    domain_options(parser)
    real_options(parser, DOUBTFUL)
    parser.add_argument(
        "--photographs", action="store_true", help="one collection by photographs and a build too"
    )
    parser.add_argument("--cache", type=Path, default=Path("runs/encoder"))
    parser.add_argument(
        "--keep-stale", action="store_true", help="use cached faces and alignments of older sources"
    )
    parser.add_argument("--siamese-minutes", type=float, default=4.0)
    parser.add_argument("--peer-coins", type=int, default=91, help="largest collection of the peer")
    parser.add_argument(
        "--peer-collections", type=int, default=2, help="how many of a kind the peer is run on"
    )
    parser.add_argument(
        "--peer-pairs", type=int, default=1000, help="different-die pairs it looks at; 0: all"
    )
    parser.add_argument("--replicates", type=int, default=200, help="resamples of the dies")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/encoder.json"))
    return parser.parse_args(arguments)


def reproducing(arguments: Sequence[str]) -> str:
    """The command that gives the same figures, without where this run wrote them."""
    kept = [
        each
        for before, each in zip(["", *arguments], arguments, strict=False)
        if "--out" not in (before, each) and not each.startswith("--out=")
    ]
    return " ".join(["python benchmarks/encoder.py", *kept])


def main(arguments: Sequence[str] | None = None) -> None:
    given = parse(arguments)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    began = time.process_time()
    cache = Cache(given.cache, given.weights[0], keep_stale=given.keep_stale)
    methods = make_methods(given, cache)
    report: dict[str, Any] = {
        "command": reproducing(sys.argv[1:] if arguments is None else arguments),
        "weights": [str(path) for path in given.weights],
        "measures": list(MEASURES),
        "mint": minted(given, cache, methods),
    }
    if given.collection or given.real is not None:
        report["domains"] = domains(given, cache, methods)
        print("\n" + overview(report["domains"]))
    if given.photographs:
        report["photographs"] = by_photographs(given, cache)
    report["stale"] = sorted(cache.stale)
    report["process_minutes"] = round((time.process_time() - began) / 60, 1)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if cache.stale:
        print(f"\n{len(cache.stale)} faces or alignments are those of older sources.")
    print(f"\nWritten to {given.out}; {report['process_minutes']} minutes of processor time.")


if __name__ == "__main__":
    main()
