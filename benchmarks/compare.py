"""Two files and nothing else: how often is ``dieindex compare A B`` right, beside the peer?

    python benchmarks/compare.py --types 5 --pairs 15

Of each collection of ``benchmarks/encoder.py`` as many pairs of one die as of two dies of its type,
and a third as many with a face of another type; each pair aligned with each other and judged as two
files are, at even prior. The peer counts verified XFeat matches of the same pairs; its accuracy is
at the threshold that is best on these very pairs, which flatters it. Intervals (95 %) from
resampled collections.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from encoder import SHIPPED
from encoder_collections import Cache, Order, orders, pair_displacement

from dieindex.api.verification import Verification
from dieindex.calibration.distance import Calibration
from dieindex.calibration.fusion import VERIFIED_PAIR
from dieindex.calibration.two_kinds import TWO_FILES
from dieindex.calibration.verdict import verdict_of
from dieindex.encoder.dense import quantised
from dieindex.encoder.encode import Encoder
from dieindex.encoder.pairs import AlignedPair, aligned_pair
from dieindex.encoder.weights import PAIR, read_card
from dieindex.evaluation.matcher import load_matcher
from dieindex.evaluation.probabilities import log_loss
from dieindex.evaluation.ranking import roc_auc
from dieindex.numeric import unit_distance
from dieindex.records import SIDES, Face, Side
from dieindex.training.rendered import Faces

ONE_DIE, TWO_DIES, TWO_TYPES = "one die", "two dies", "two types"
PRIOR = 0.5
RIGHT = 0.02
"""Share of the diameter within which two faces are aligned with each other rightly."""
REPLICATES = 1000


@dataclass(frozen=True)
class Pair:
    """One pair as both saw it; ``probability`` of one die at even prior, ``matches`` the peer's;
    ``apart`` how far it lies from its true place, share of the diameter, of one die alone."""

    collection: str
    kind: str
    probability: float
    matches: int
    seconds: float
    apart: float


class Judge:
    """Judges two faces as ``compare`` does two files."""

    def __init__(self, weights: Path) -> None:
        self._encoder = Encoder.load(weights, "cpu")
        card = read_card(weights)
        self._verification = Verification(card, VERIFIED_PAIR)
        self._threshold = Calibration.from_json(card.calibration_for(PAIR)).threshold

    def align(self, first: Face, second: Face) -> AlignedPair | None:
        return aligned_pair(self._encoder, first, second)

    def probability(self, pair: AlignedPair | None) -> float:
        if pair is None:
            return PRIOR
        seen = pair.described
        descriptors = quantised(seen.descriptors, seen.reliability)
        first, second = (descriptors.take(np.array([row])) for row in (0, 1))
        distance = float(unit_distance(seen.vectors[0] @ seen.vectors[1]))
        return self._verification.verdict(
            first, second, distance, self._threshold, PRIOR, TWO_FILES
        ).probability


@dataclass(frozen=True, eq=False)
class Question:
    """Two faces, each given by its collection and its position there."""

    kind: str
    first: tuple[Faces, int]
    second: tuple[Faces, int]

    def faces(self, side: Side) -> tuple[Face, Face]:
        one, other = (whole.records(side)[row] for whole, row in (self.first, self.second))
        return one, other


def chosen(collections: Sequence[tuple[Order, Faces]], number: int, pairs: int) -> list[Question]:
    """The pairs of one collection."""
    rng = np.random.default_rng(number)
    own, faces = collections[number]
    first, second = np.triu_indices(len(faces), 1)
    same = faces.die[first] == faces.die[second]
    found = [
        Question(kind, (faces, int(first[row])), (faces, int(second[row])))
        for kind, rows in ((ONE_DIE, same), (TWO_DIES, ~same))
        for row in rng.permutation(np.flatnonzero(rows))[:pairs]
    ]
    others = [f for order, f in collections if order.side == own.side and order is not own]
    for _ in range(pairs // 3 if others else 0):
        theirs = others[rng.integers(len(others))]
        here, there = int(rng.integers(len(faces))), int(rng.integers(len(theirs)))
        found.append(Question(TWO_TYPES, (faces, here), (theirs, there)))
    return found


def judged(judge: Judge, order: Order, questions: Sequence[Question]) -> list[Pair]:
    found = []
    for each in questions:
        faces = each.faces(order.side)
        matcher = load_matcher("xfeat")
        matches = int(matcher.score(*matcher.describe([face.picture for face in faces])))
        began = time.process_time()
        pair = judge.align(*faces)
        p = judge.probability(pair)
        spent = time.process_time() - began
        apart = float("nan")
        if each.kind == ONE_DIE:
            rows = each.first[1], each.second[1]
            apart = (
                np.inf if pair is None else pair_displacement(each.first[0], *rows, *pair.places)
            )
        found.append(Pair(order.name, each.kind, p, matches, spent, apart))
    return found


def measured(pairs: Sequence[Pair]) -> dict[str, float]:
    """What is said of some pairs; one die against two dies, pairs of two types apart."""
    kind = np.array([each.kind for each in pairs])
    p = np.array([each.probability for each in pairs])
    matches = np.array([each.matches for each in pairs], np.float64)
    verdict = np.array([verdict_of(each) for each in p])
    of_type, strangers = kind != TWO_TYPES, kind == TWO_TYPES
    same = kind == ONE_DIE
    decided = (verdict != "cannot tell") & of_type
    wrong = decided & ((verdict == "same") != same)
    bar = max(np.unique(matches), key=lambda least: _right(matches >= least, same, of_type))
    return {
        "auc": roc_auc(p[of_type], same[of_type]),
        "auc_peer": roc_auc(matches[of_type], same[of_type]),
        "accuracy": _right(p >= 0.5, same, of_type),
        "accuracy_peer": _right(matches >= bar, same, of_type),
        "log_loss": log_loss(p[of_type], same[of_type]),
        "one_die_aligned_right": _share(np.array([each.apart for each in pairs]) < RIGHT, same),
        "one_die_called_same": _share(verdict == "same", same),
        "two_dies_called_different": _share(verdict == "different", kind == TWO_DIES),
        "wrong_among_decided": _share(wrong, decided),
        "two_types_called_same": _share(verdict == "same", strangers),
        "two_types_called_different": _share(verdict == "different", strangers),
    }


def _share(found: np.ndarray, among: np.ndarray) -> float:
    """0 where there is none to be found among."""
    return float((found & among).sum() / max(among.sum(), 1))


def _right(called: np.ndarray, same: np.ndarray, counted: np.ndarray) -> float:
    return float((called == same)[counted].mean())


def with_limits(
    pairs: Sequence[Pair], tell: Callable[[Sequence[Pair]], dict[str, float]]
) -> dict[str, Any]:
    """Each figure with its 95 % interval from resampled collections."""
    by: dict[str, list[Pair]] = {}
    for each in pairs:
        by.setdefault(each.collection, []).append(each)
    groups, rng = list(by.values()), np.random.default_rng(0)
    draws = [
        tell([pair for k in rng.integers(len(groups), size=len(groups)) for pair in groups[k]])
        for _ in range(REPLICATES if len(groups) > 1 else 0)
    ]
    out: dict[str, Any] = {}
    for name, value in tell(pairs).items():
        limits = np.percentile([draw[name] for draw in draws], [2.5, 97.5]) if draws else None
        out[name] = {
            "value": value,
            "limits": None if limits is None else [float(each) for each in limits],
        }
    return out


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--weights", type=Path, default=SHIPPED)
    parser.add_argument("--types", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=15, help="of either kind, a collection")
    parser.add_argument("--coins", type=int, default=91)
    parser.add_argument("--difficulty", nargs="+", default=["easy", "medium", "hard"])
    parser.add_argument("--sides", default="alternate", choices=("alternate", "both", *SIDES))
    parser.add_argument("--split", default="test", choices=("test", "validation"))
    parser.add_argument("--cache", type=Path, default=Path("runs/encoder"))
    parser.add_argument("--keep-stale", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/compare.json"))
    given = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    cache, judge = (
        Cache(given.cache, given.weights, keep_stale=given.keep_stale),
        Judge(given.weights),
    )
    report: dict[str, Any] = {
        "weights": read_card(given.weights).version,
        "split": given.split,
        "groups": {},
    }
    for difficulty in given.difficulty:
        wanted = orders(given.types, [given.coins], [difficulty], given.sides, given.split)
        collections = [(order, cache.rendered(order)[0]) for order in wanted]
        pairs = [
            pair
            for number, order in enumerate(wanted)
            for pair in judged(judge, order, chosen(collections, number, given.pairs))
        ]
        found = with_limits(pairs, measured)
        seconds = float(np.mean([each.seconds for each in pairs]))
        report["groups"][difficulty] = {"pairs": len(pairs), "seconds_a_pair": seconds, **found}
        print(f"{difficulty}: {len(pairs)} pairs, {seconds:.2f} s of one core each")
        for name, figure in found.items():
            limits = figure["limits"]
            shown = "" if limits is None else f"  ({limits[0]:.3f} … {limits[1]:.3f})"
            print(f"  {name:28}{figure['value']:.3f}{shown}", flush=True)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
