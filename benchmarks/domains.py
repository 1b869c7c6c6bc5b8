"""Decisions on coins of several worlds: dies as shipped, beside other rules, a row a domain.

    python benchmarks/domains.py --collection DIR [--collection DIR …]      # labelled collections
    python benchmarks/domains.py --types 3 --sides both                     # rendered, of our mint
    python benchmarks/domains.py --types 3 --pairs 4 --difficulty medium    # nearly all singletons

A domain is a source of coins: what is chosen on one holds there. Columns: average precision over
all pairs of the ratios as learned (``learned``) and as fitted to the collection (``fitted``); then
adjusted Rand indices: ``best``, average linkage of the learned ratios cut where it is best for this
collection, which nobody knows; ``shipped``, what ``dieindex cluster`` finds; and the rules of
``decision_rules.py``. No rule is told the number of dies or anything else that the sheet knows.
Last, dies found as shipped and by two kinds, and the share of same-die pairs: true, as shipped
takes it, as two kinds take it.

Indexes of collections are kept in ``--work``, rendered collections as in ``benchmarks/encoder.py``.
The constants of ``two kinds`` were set while looking at six collections of another rendering
program; on these its figures are not a test.
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
from decision_rules import RULES, Scores, average_linkage_levels, fit_two_kinds
from encoder_collections import Cache, collection_of, collection_options, orders
from judging import Verifier

import dieindex as di
from dieindex.api.judging import scored_pairs
from dieindex.calibration.judge_pairs import JudgedPairs, Judgement, judge_alone, judge_pairs
from dieindex.clustering.find_dies import find_dies
from dieindex.evaluation.labels import codes
from dieindex.evaluation.partitions import adjusted_rand_index
from dieindex.evaluation.ranking import average_precision
from dieindex.records import SIDES, Flags, Floats, Ints

UNRANKED = -1e9
BEST, SHIPPED, LAST_RULE = "best", "shipped", "two kinds"


@dataclass(frozen=True, eq=False)
class Domain:
    """One side of one collection: ``die`` (n,) true dies, −1 where unknown; its pairs each by
    itself as learned, and judged as shipped."""

    name: str
    die: Ints
    alone: Judgement
    pairs: JudgedPairs


def indexed(data: Path, work: Path) -> Iterator[Domain]:
    """The labelled sides of a collection, by an index of it."""
    index = di.build(data, work / data.resolve().name)
    for side in SIDES:
        labels = index.labels(side)
        if not labels or index.verification is None:
            continue
        found = scored_pairs(index, side)
        given = (found.candidates, found.scores, found.faces)
        alone = judge_alone(*given, calibration=index.calibration, fusion=found.fusion)
        pairs = judge_pairs(*given, calibration=index.calibration, fusion=found.fusion)
        die = codes(labels.get(coin) for coin in index.faces(side).coins)
        yield Domain(f"{data.resolve().name} {side}", die, alone, pairs)


def minted(given: argparse.Namespace) -> Iterator[Domain]:
    cache = Cache(given.cache, given.weights, keep_stale=given.keep_stale)
    verifier = Verifier(given.weights, given.cache / "seen")
    for order in orders(given.types, given.coins, given.difficulty, given.sides, given.split):
        collection = collection_of(cache, order, given)
        found = verifier.judge(collection)
        yield Domain(collection.name, collection.faces.die, found.alone, found.pairs)


def measured(domain: Domain) -> dict[str, Any]:
    """The figures of one domain."""
    die, told = domain.die, domain.die >= 0
    scores = Scores.of(len(die), domain.alone)

    def rand(labels: Ints) -> float:
        return adjusted_rand_index(labels[told].tolist(), die[told].tolist())

    shipped = find_dies(domain.pairs).labels
    found = {name: rule(scores) for name, rule in RULES.items()}
    levels = max(rand(labels) for labels in average_linkage_levels(scores))
    same, known = _same(domain)
    ratio = domain.pairs.table.log_likelihood_ratio
    context = domain.pairs.in_context
    kinds = fit_two_kinds(scores.listed, len(scores.listed))
    return {
        "coins": len(die),
        "labelled": int(told.sum()),
        "dies": len(np.unique(die[told])),
        "ap_learned": _ap(
            domain.alone.table.log_likelihood_ratio, domain.alone.judged, same, known
        ),
        "ap_fitted": _ap(ratio if context is None else context, domain.pairs.judged, same, known),
        "ari": {BEST: levels, SHIPPED: rand(shipped)}
        | {name: rand(labels) for name, labels in found.items()},
        "dies_found": {SHIPPED: len(np.unique(shipped[told]))}
        | {name: len(np.unique(labels[told])) for name, labels in found.items()},
        "share": {
            "true": float(same[known].mean()),
            SHIPPED: domain.pairs.prior,
            LAST_RULE: kinds.share,
        },
    }


def _same(domain: Domain) -> tuple[Flags, Flags]:
    """Which listed pairs (m,) share a die, and of which both dies are known."""
    table, die = domain.alone.table, domain.die
    known = (die[table.first] >= 0) & (die[table.second] >= 0)
    return known & (die[table.first] == die[table.second]), known


def _ap(ratio: Floats, judged: Flags, same: Flags, known: Flags) -> float:
    ranked = np.where(judged, ratio, UNRANKED)
    return average_precision(ranked[known], same[known])


NAMES = (BEST, SHIPPED, *RULES)


def heading() -> str:
    columns = "".join(f"{name:>12}" for name in NAMES)
    return (
        f"{'':34}{'coins':>6}{'dies':>5}{'learned':>9}{'fitted':>8} |{columns} |"
        f"{SHIPPED:>8}{LAST_RULE:>11} | share: true, {SHIPPED}, {LAST_RULE}"
    )


def line(name: str, row: dict[str, Any]) -> str:
    rand = "".join(f"{row['ari'][each]:12.3f}" for each in NAMES)
    dies, share = row["dies_found"], row["share"]
    return (
        f"{name:34}{row['coins']:6}{row['dies']:5}{row['ap_learned']:9.3f}{row['ap_fitted']:8.3f} |"
        f"{rand} |{dies[SHIPPED]:8}{dies[LAST_RULE]:11} |"
        f"{share['true']:9.4f}{share[SHIPPED]:9.4f}{share[LAST_RULE]:9.4f}"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    collection_options(parser, types=0, split="validation")
    parser.add_argument("--collection", type=Path, action="append", default=[], metavar="DIR")
    parser.add_argument("--work", type=Path, default=Path("runs/domains"))
    given = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    print(heading())
    rows: dict[str, Any] = {}

    def take(domains: Iterator[Domain]) -> None:
        for domain in domains:
            rows[domain.name] = measured(domain)
            print(line(domain.name, rows[domain.name]), flush=True)

    for data in given.collection:
        take(indexed(data, given.work))
    if given.types:
        take(minted(given))
    means = {name: float(np.mean([row["ari"][name] for row in rows.values()])) for name in NAMES}
    print("means: " + ", ".join(f"{name} {value:.3f}" for name, value in means.items()))
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
