"""Photographs that show one coin: precision and recall by grade, among die duplicates.

    python benchmarks/specimens.py --types 10
    python benchmarks/specimens.py --split validation --types 3 --fit
    python benchmarks/specimens.py --types 0 --folder DIR --known PAIRS.csv

Each collection is of one type, 40 coins of few dies: most coins share both dies with others, and
these pairs are the hard negatives. Sixteen coins are photographed again by another source, half of
them years later (toned or cleaned, scratched); eight pictures are in twice, copied or altered.

``altered``: of the pictures that were used twice the share that is found as such, and of what is
called so the share that is. ``anew``: average precision over all pairs of coins photographed anew
against all pairs of two coins, and recall and precision of what is listed from a probability of .5.
Beside it: the distance of the vectors, of both sides together, and the score of the pairs. Means
over types, with intervals of 95 % by resampling types. With ``--fit`` the weights of
``calibration/one_specimen.py`` are fitted.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from specimen_collections import Specimens, collection

import dieindex as di
from dieindex.api import Index
from dieindex.api.specimens import ANEW, OneSpecimen, alike_pictures, told_of_pairs
from dieindex.calibration.one_specimen import features, log_likelihood_ratio, probability
from dieindex.indexing.repeated import ALTERED, SAME_PICTURE
from dieindex.numeric import log_odds
from dieindex.records import SIDES, Floats

FIRST = {"test": 8000, "validation": 8100}
LEVELS = ("easy", "medium", "hard")


@dataclass(frozen=True, eq=False)
class Case:
    """A collection as it was indexed, each photograph a coin; of all pairs of its coins ``(m,)``
    whether they are one photographed ``anew`` (pairs of pictures used twice are left out), and how
    likely that is by each way."""

    alike: Sequence[OneSpecimen]
    altered: int
    right: int
    anew: np.ndarray
    ways: dict[str, Floats]
    told: list[list[tuple[float, ...]]]
    """Of each pair the features of each side that tells anything."""


def case_of(made: Specimens, folder: Path) -> Case:
    index = di.build(made.folder, folder, labels=False)
    file = {coin: name for name, coin in index.coin_of_file().items()}
    coins = index.coins
    alike = alike_pictures(index)
    pairs = {side: index.pairs(side) for side in SIDES}
    told = told_of_pairs(index, {side: index.cluster(side) for side in SIDES})
    vector, score = np.zeros((2, len(coins), len(coins)))
    at = {coin: place for place, coin in enumerate(coins)}
    for each in pairs.values():
        places = np.array([at[coin] for coin in each.coins])
        a, b = places[each.table.first], places[each.table.second]
        vector[a, b] = vector[b, a] = vector[a, b] - each.table.distance
        score[a, b] = score[b, a] = score[a, b] + each.judgement.score
    rows: list[tuple[bool, float, float, float, list[tuple[float, ...]]]] = []
    twice = 0
    for i, one in enumerate(coins):
        for j in range(i + 1, len(coins)):
            basis = made.basis(file[one], file[coins[j]])
            if basis not in (None, ANEW):
                twice += 1
                continue
            sides = told.get((one, coins[j]), told.get((coins[j], one), {}))
            ratio = log_likelihood_ratio(list(sides.values())) if sides else -99.0
            rows.append(
                (
                    basis == ANEW,
                    probability(ratio, len(coins), len(told)) if sides else 0.0,
                    float(vector[i, j]),
                    float(score[i, j]),
                    [features(each) for each in sides.values()],
                )
            )
    right = sum(made.basis(each.photo_a, each.photo_b) in (SAME_PICTURE, ALTERED) for each in alike)
    anew = np.array([row[0] for row in rows])
    ways = {
        name: np.array([row[k] for row in rows])
        for k, name in ((1, "dieindex"), (2, "vectors"), (3, "scores"))
    }
    return Case(alike, twice, right, anew, ways, [row[4] for row in rows])


def average_precision(score: Floats, of: np.ndarray) -> float:
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(of, score))


def report(name: str, cases: Sequence[Case]) -> dict[str, float]:
    """Print one row a figure of the collections of a difficulty."""
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(cases), (1000, len(cases)))

    def mean(figure: Callable[[Case], float]) -> tuple[float, float, float]:
        each = np.array([figure(case) for case in cases])
        low, high = np.nanquantile(np.nanmean(each[draws], axis=1), [0.025, 0.975])
        return float(np.nanmean(each)), float(low), float(high)

    figures: dict[str, float] = {}
    found = sum(case.right for case in cases)
    figures["altered recall"] = found / sum(case.altered for case in cases)
    called = sum(len(case.alike) for case in cases)
    figures["altered precision"] = found / called if called else float("nan")
    for way in ("dieindex", "vectors", "scores"):
        value, low, high = mean(lambda case, way=way: average_precision(case.ways[way], case.anew))  # type: ignore[misc]
        figures[f"anew AP {way}"] = value
        figures[f"anew AP {way} low"], figures[f"anew AP {way} high"] = low, high
    listed = [case.ways["dieindex"] >= 0.5 for case in cases]
    right = sum(
        int(case.anew[is_listed].sum()) for case, is_listed in zip(cases, listed, strict=True)
    )
    figures["anew recall"] = right / sum(int(case.anew.sum()) for case in cases)
    figures["anew precision"] = right / max(sum(int(each.sum()) for each in listed), 1)
    print(
        f"{name:8}{len(cases):4} types  altered: recall {figures['altered recall']:.3f} precision "
        f"{figures['altered precision']:.3f}  anew: AP {figures['anew AP dieindex']:.3f} "
        f"({figures['anew AP dieindex low']:.3f} to {figures['anew AP dieindex high']:.3f}), "
        f"vectors {figures['anew AP vectors']:.3f}, scores {figures['anew AP scores']:.3f}; from "
        f".5 recall {figures['anew recall']:.3f} precision {figures['anew precision']:.3f}"
    )
    return figures


def fit(cases: Sequence[Case]) -> None:
    """Print weights fitted on collections, each pair told by the sum over its sides."""
    x, y = [], []
    for case in cases:
        for anew, sides in zip(case.anew.tolist(), case.told, strict=True):
            if sides:
                x.append([len(sides), *np.sum(sides, axis=0)])
                y.append(anew)
    rest = sum(len(case.anew) for case in cases) - len(y)
    model = LogisticRegression(C=10.0, fit_intercept=True, max_iter=5000).fit(np.array(x), y)
    share = float(np.mean(y))
    # (The ratio is of likelihoods: what the share of such pairs adds is taken off. A side's own
    # part of the intercept lies in ``base``.)
    both = float(np.mean([row[0] for row in x]))
    base = model.coef_[0][0] + (model.intercept_[0] - log_odds(share)) / both
    names = ("size", "place", "likeness")
    print(f"pairs told {len(y)}, anew {sum(y)}, of others nothing was told ({rest})")
    print(
        f"WEIGHTS = Weights(base={base:.2f}, "
        + ", ".join(f"{n}={w:.3f}" for n, w in zip(names, model.coef_[0][1:], strict=True))
        + ")"
    )


def known_pairs(folder: Path, known: Path, work: Path) -> None:
    """Print where the pairs that a table (``a,b``) knows to be one coin come in the list of a real
    collection."""
    index: Index = di.build(folder, work / folder.name, labels=False)
    with known.open(encoding="utf-8", newline="") as stream:
        wanted = {frozenset((row["a"], row["b"])) for row in csv.DictReader(stream)}
    listed = index.specimens(least=0.0)
    for place, each in enumerate(listed, 1):
        hit = frozenset((each.coin_a, each.coin_b)) in wanted
        if hit or place <= 15 or each.probability >= 0.5:
            print(
                f"{place:4}  {each.probability:.3f}  {each.coin_a} {each.coin_b}  {each.basis}"
                f"{'  known' if hit else ''}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--types", type=int, default=10, help="0: no collection of the mint")
    parser.add_argument("--difficulty", nargs="+", default=list(LEVELS), choices=LEVELS)
    parser.add_argument("--split", default="test", choices=tuple(FIRST))
    parser.add_argument("--work", type=Path, default=Path("runs/specimens"))
    parser.add_argument("--fit", action="store_true", help="fit the weights on what is measured")
    parser.add_argument("--folder", type=Path, help="a real collection")
    parser.add_argument("--known", type=Path, help="its pairs that are one coin, a table of a,b")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    given = parser.parse_args()
    figures: dict[str, dict[str, float]] = {}
    cases: list[Case] = []
    for level in given.difficulty if given.types else ():
        here = []
        for number in range(given.types):
            name = f"{given.split}-{level}-{number}"
            made = collection(given.work / name, FIRST[given.split] + number, level, given.split)
            here.append(case_of(made, given.work / "indexes" / name))
        figures[level] = report(level, here)
        cases += here
    if given.fit:
        fit(cases)
    if given.folder is not None and given.known is not None:
        known_pairs(given.folder, given.known, given.work / "indexes")
    if given.out is not None:
        kept = {level: {k: round(v, 3) for k, v in each.items()} for level, each in figures.items()}
        given.out.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
