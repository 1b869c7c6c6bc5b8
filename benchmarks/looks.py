"""How many looks of a person lead to the right dies: simulated reviewers, a row a side.

    python benchmarks/looks.py --collection DIR [--collection DIR …]      # labelled collections
    python benchmarks/looks.py --types 3 --sides both                     # rendered, of our mint

Collections are those of ``benchmarks/domains.py``, whose options these are. A reviewer answers by
the true dies what is listed first (``clustering.doubts``), one pair at a time or ``--round`` pairs
before dies are found anew; a third one errs in ``--error`` of the answers. Of coins of which the
die is unknown he is unsure.

Columns: adjusted Rand index as found; looks until it is .95 and .99, and the index after as many
as ``--looks`` ("-": not reached), for each reviewer. Last, the looks after which none is worth it
any more (``WORTH_LOOKING``), and the index then, of the first reviewer.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from domains import Collection, indexed, minted
from encoder_collections import collection_options

from dieindex.calibration.judge_pairs import judge_together
from dieindex.clustering.certainty import expected_wrong
from dieindex.clustering.doubts import Doubts, worth_looking
from dieindex.clustering.find_dies import find_dies
from dieindex.evaluation.partitions import adjusted_rand_index
from dieindex.records import Constraint

GOALS = (0.95, 0.99)


@dataclass(frozen=True)
class Reviewer:
    """Answers ``in_round`` pairs before dies are found anew, a share ``error`` of them wrongly."""

    name: str
    in_round: int = 1
    error: float = 0.0


def review(collection: Collection, reviewer: Reviewer, most: int, seed: int = 0) -> dict[str, Any]:
    """What ``most`` looks at most lead to. It ends where the dies are right, or nothing is listed:
    ``left`` are the looks listed then. ``goals``: the looks until each was reached, or None;
    ``worth``: the looks after which none was worth it, how many of these turned something, and the
    index then."""
    die, told = collection.die, collection.die >= 0
    pairs = judge_together(collection.alone, collection.frame, collection.sampled)
    rng = np.random.default_rng(seed)
    constraints: list[Constraint] = []
    unsure: list[tuple[int, int]] = []
    goals: dict[str, int | None] = {str(goal): None for goal in GOALS}
    rand: list[float] = []
    wrong: list[float] = []
    worth: tuple[int, int, float] | None = None
    looked = turned = 0
    while True:
        found = find_dies(pairs, constraints)
        labels = found.labels
        rand.append(adjusted_rand_index(labels[told].tolist(), die[told].tolist()))
        wrong.append(expected_wrong(labels, found.certainty).coins)
        for goal in GOALS:
            if rand[-1] >= goal and goals[str(goal)] is None:
                goals[str(goal)] = looked
        seen = np.array(unsure, np.int64).reshape(-1, 2)
        looks = Doubts.of(labels, found.graph, seen).looks()
        if worth is None and not worth_looking(looks):
            worth = looked, turned, rand[-1]
        if looked >= most or rand[-1] == 1.0 or not looks:
            break
        for look in looks[: min(reviewer.in_round, most - looked)]:
            a, b = look.pair
            looked += 1
            if not (told[a] and told[b]):
                unsure.append(look.pair)
                continue
            same = bool(die[a] == die[b]) != bool(rng.random() < reviewer.error)
            turned += same != bool(labels[a] == labels[b])
            constraints.append(Constraint(a, b, same))
    return {
        "looks": looked,
        "turned": turned,
        "goals": goals,
        "ari": [rand[0], rand[-1]],
        "expected_wrong": [wrong[0], wrong[-1]],
        "worth": worth,
        "left": len(looks),
        "each_round": rand,
    }


def measured(collection: Collection, reviewers: Sequence[Reviewer], most: int) -> dict[str, Any]:
    """The figures of one side."""
    told = collection.die >= 0
    return {
        "coins": len(collection.die),
        "labelled": int(told.sum()),
        "dies": len(np.unique(collection.die[told])),
        "reviewers": {each.name: review(collection, each, most) for each in reviewers},
    }


def heading(reviewers: Sequence[Reviewer], most: int) -> str:
    goals = "".join(f"{goal:>6.2f}" for goal in GOALS)
    names = "".join(f" |{each.name:>20}" for each in reviewers)
    columns = f" |{goals}{f'at {most}':>8}" * len(reviewers)
    return f"{'':40}{names}\n{'':30}{'dies':>5}{'ARI':>5}{columns} | worth it until"


def line(name: str, row: dict[str, Any]) -> str:
    results = list(row["reviewers"].values())
    out = f"{name:30}{row['dies']:5}{results[0]['ari'][0]:5.2f}"
    for each in results:
        goals = ["-" if looks is None else str(looks) for looks in each["goals"].values()]
        out += " |" + "".join(f"{goal:>6}" for goal in goals) + f"{each['ari'][1]:8.3f}"
    worth = results[0]["worth"]
    return out + (" |" if worth is None else f" |{worth[0]:4} looks ({worth[2]:.3f})")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    collection_options(parser, types=0, split="validation")
    parser.add_argument("--collection", type=Path, action="append", default=[], metavar="DIR")
    parser.add_argument("--work", type=Path, default=Path("runs/domains"))
    parser.add_argument("--looks", type=int, default=200, help="at one side, at most")
    parser.add_argument("--round", type=int, default=5, help="looks before dies are found anew")
    parser.add_argument("--error", type=float, default=0.02, help="share of wrong answers")
    given = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    reviewers = (
        Reviewer("one at a time"),
        Reviewer(f"{given.round} a round", in_round=given.round),
        Reviewer(f"{given.error:.0%} wrong", error=given.error),
    )
    print(heading(reviewers, given.looks))
    rows: dict[str, Any] = {}

    def take(collections: Iterator[Collection]) -> None:
        for each in collections:
            rows[each.name] = measured(each, reviewers, given.looks)
            print(line(each.name, rows[each.name]), flush=True)

    for data in given.collection:
        take(indexed(data, given.work))
    if given.types:
        take(minted(given))
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
