"""What share of the pairs of one die a shortlist of the k nearest keeps.

    python benchmarks/shortlist.py --types 5 --coins 600

Collections and similarities are those of ``benchmarks/encoder.py`` (its cache is used where it is
there). Counted are pairs of one die that lie on one frame, so that they could be scored; a pair
is kept where one face is among the k nearest of the other. Beside it, the share lost before, since
a face lies on no frame or the two on different ones, and how many pairs there are to look at.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from encoder import SHIPPED
from encoder_collections import Aligned, Cache, orders
from encoder_methods import similarities, trained

from dieindex.records import SIDES

NEAREST = (5, 10, 20, 30, 50, 100)


def kept(collection: Aligned, similarity: np.ndarray) -> tuple[list[float], float, list[float]]:
    """By k: the share of same-die pairs kept, and of all pairs scored; the share lost before."""
    die, frame = collection.faces.die, collection.alignment.type
    first, second = np.triu_indices(len(die), 1)
    near = np.where(np.isfinite(similarity), similarity, -np.inf)
    np.fill_diagonal(near, -np.inf)
    rank = np.argsort(np.argsort(-near, axis=1), axis=1)
    better = np.minimum(rank[first, second], rank[second, first])
    same = die[first] == die[second]
    possible = (frame[first] >= 0) & (frame[first] == frame[second])
    return (
        [float((better[same & possible] < k).mean()) for k in NEAREST],
        float(1 - possible[same].mean()),
        [float((better < k).mean()) for k in NEAREST],
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--weights", type=Path, default=SHIPPED)
    parser.add_argument("--types", type=int, default=5)
    parser.add_argument("--coins", type=int, default=600)
    parser.add_argument("--difficulty", nargs="+", default=["easy", "medium", "hard"])
    parser.add_argument("--sides", default="alternate", choices=("alternate", "both", *SIDES))
    parser.add_argument("--split", default="test", choices=("test", "validation"))
    parser.add_argument("--cache", type=Path, default=Path("runs/encoder"))
    parser.add_argument("--keep-stale", action="store_true")
    given = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    cache = Cache(given.cache, given.weights, keep_stale=given.keep_stale)
    method = trained("encoder", given.weights)
    print(f"{'':28}" + "".join(f"  k = {k:<4}" for k in NEAREST) + "  lost before")
    for difficulty in given.difficulty:
        shares, scored, lost = [], [], []
        for order in orders(given.types, [given.coins], [difficulty], given.sides, given.split):
            collection = cache.aligned(order)
            found = similarities(method, collection, given.cache / "similarity")
            share, before, cost = kept(collection, found["encoder: vector"])
            shares.append(share)
            scored.append(cost)
            lost.append(before)
        for name, rows, after in (
            (f"{difficulty}, {len(shares)} collections", shares, f"{np.mean(lost):8.3f}"),
            ("  of all pairs scored", scored, ""),
        ):
            print(f"{name:28}" + "".join(f"{v:8.3f}  " for v in np.mean(rows, 0)) + after)


if __name__ == "__main__":
    main()
