"""Decisions over many domains: what is found of dies, without labels, in collections of any source.

    python benchmarks/domains.py --collection data --collection ../other/a … --types 3 --thinned

A row a side of a collection; collections of the mint (``--types``, ``--coins``, ``--difficulty``)
count as one domain each difficulty, every ``--collection`` as one. ``AP``: average precision of the
pairs by their probability, beside that of their scores alone. ``found``: the adjusted Rand index of
the dies as shipped, but for the constants: what is true of collections at large
(``two_kinds.Expected``) is measured on the labelled pairs of all OTHER domains. ``shipped``: with
the constants that ship. ``best``: average linkage of the scores at the threshold that is best for
this very collection, which nobody knows. Beside them the rules of ``decision_rules.py`` on the same
scores. ``error``: calibration error of the probabilities; ``dies``: found, [interval], true. Last
the constants of all domains: what ships should be near them.

With ``--peer`` the tuned peer of the other benchmarks is run besides on all pairs of whole
collections of up to ``--peer-coins``: verified XFeat matches, label propagation (its extra must be
installed).

With ``--without N`` each of N coins is left out in turn: ``moves`` is the share of the other coins
whose die changes when it comes, in the mean and at the most.

With ``--thinned`` also parts of each: two coins of a die at the most, single coins but for four
dies of two, 30 and 10 coins at random, and the two and the four dies of most coins.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from decision_rules import RULES, Scores, average_linkage_levels
from encoder_collections import (
    Aligned,
    Alignment,
    Cache,
    asdict_arrays,
    collection_of,
    collection_options,
    content_hash,
    orders,
    read_real,
)
from encoder_methods import similarities, tuned_peer
from judging import Verifier, alone_in
from known_kinds import KnownKinds, known_kinds, measured, of_any

import dieindex as di
from dieindex.calibration.judge_pairs import Judgement, judge_together
from dieindex.calibration.two_kinds import EXPECTED, Expected
from dieindex.clustering.certainty import count_dies
from dieindex.clustering.find_dies import FoundDies, find_dies
from dieindex.evaluation.intervals import mean_interval
from dieindex.evaluation.label_propagation import label_propagation
from dieindex.evaluation.labels import codes
from dieindex.evaluation.partitions import adjusted_rand_index, pair_scores
from dieindex.evaluation.probabilities import calibration_error
from dieindex.evaluation.ranking import average_precision
from dieindex.records import SIDES, Flags, Floats, Ints, PairTable, Side
from dieindex.training.rendered import Faces

UNRANKED = -1e9
FOUND, SHIPPED, BEST = "found", "shipped", "best"
PAIRED_DIES = 4
FEW_DIES = (2, 4)
SLOW_BEYOND = 300
STEADY = 0.02
PEERS = "peer"
NOT_ALIGNED = Alignment(np.zeros(0), np.zeros((0, 3, 3)), 0.0, np.zeros((0, 0), np.uint8))


@dataclass(frozen=True, eq=False)
class Collection:
    """One side of one collection, or of a part of it: ``die`` (n,) true dies, −1 where unknown;
    its pairs each by itself as learned, where its faces lie, and which pairs were sampled."""

    domain: str
    name: str
    die: Ints
    alone: Judgement
    frame: Ints
    sampled: Flags
    faces: Aligned | None = None
    """Its faces, where they are known: what the peer compares."""

    def part(self, kept: Ints, what: str) -> Collection:
        """The same of some of its faces alone."""
        kept = np.sort(kept)
        place = np.full(len(self.die), -1)
        place[kept] = np.arange(len(kept))
        table = self.alone.table
        of = (place[table.first] >= 0) & (place[table.second] >= 0)
        pairs = PairTable(
            place[table.first[of]],
            place[table.second[of]],
            table.distance[of],
            table.log_likelihood_ratio[of],
        )
        alone = Judgement(
            pairs, self.alone.score[of], self.alone.judged[of], self.alone.verified[of]
        )
        name = f"{self.name} {what}"
        return Collection(
            self.domain, name, self.die[kept], alone, self.frame[kept], self.sampled[of]
        )

    def found(self, expected: Expected = EXPECTED) -> FoundDies:
        """Its dies, given what is true of collections at large."""
        return find_dies(judge_together(self.alone, self.frame, self.sampled, expected=expected))

    def known(self) -> KnownKinds | None:
        """How its pairs truly lie; None without pairs of both kinds."""
        table, die = self.alone.table, self.die
        of = self.alone.judged & self.alone.verified
        of &= (die[table.first] >= 0) & (die[table.second] >= 0)
        first, second = table.first[of], table.second[of]
        same = die[first] == die[second]
        if same.sum() < 3 or same.all():
            return None
        return known_kinds(self.alone.score[of], first, second, die)


def indexed(data: Path, work: Path, peer: bool = False) -> Iterator[Collection]:
    """The labelled sides of a collection, by an index of it."""
    name = data.resolve().name
    index = di.build(data, work / name)
    for side in SIDES:
        labels = index.labels(side)
        if not labels or index.verification is None:
            continue
        found, alone = alone_in(index, side)
        coins = index.faces(side).coins
        die = codes(labels.get(coin) for coin in coins)
        yield Collection(
            name,
            f"{name} {side}",
            die,
            alone,
            found.faces.frame,
            found.candidates.sampled,
            faces_of(data, side, coins) if peer else None,
        )


def faces_of(data: Path, side: Side, coins: Sequence[str]) -> Aligned:
    """The faces of these coins, as they are cut; not aligned, which the peer needs not."""
    faces, of = read_real(data)[side]
    rows = [of.index(coin) for coin in coins]
    chosen = Faces(*(value[rows] for value in asdict_arrays(faces).values()))
    key = f"{data.resolve().name}.{side}.{content_hash(chosen)}"
    return Aligned(key, key, key, side, chosen, NOT_ALIGNED)


def minted(given: argparse.Namespace) -> Iterator[Collection]:
    cache = Cache(given.cache, given.weights, keep_stale=given.keep_stale)
    verifier = Verifier(given.weights, given.cache / "seen")
    for order in orders(given.types, given.coins, given.difficulty, given.sides, given.split):
        collection = collection_of(cache, order, given)
        found = verifier.judge(collection)
        yield Collection(
            f"mint {order.difficulty}",
            collection.name,
            collection.faces.die,
            found.alone,
            found.faces.frame,
            found.pairs.sampled,
            collection if given.peer else None,
        )


def parts(whole: Collection) -> Iterator[Collection]:
    """Smaller collections of its coins."""
    die, n = whole.die, len(whole.die)
    order = np.random.default_rng(0).permutation(n)
    turn = np.zeros(n, np.int64)
    for place, row in enumerate(order):
        turn[row] = int((die[order[:place]] == die[row]).sum())
    several = np.flatnonzero(np.bincount(die[die >= 0]) > 1)
    paired = np.random.default_rng(0).permutation(several)[:PAIRED_DIES]
    if (turn > 1).sum() > n / 4:
        yield whole.part(np.flatnonzero(turn < 2), "2 a die")
        single = (turn < 1) | ((turn < 2) & np.isin(die, paired))
        yield whole.part(np.flatnonzero(single), f"{PAIRED_DIES} pairs")
    for coins in (30, 10):
        if coins < n:
            yield whole.part(order[:coins], f"{coins} coins")
    largest = np.argsort(-np.bincount(die[die >= 0]), kind="stable")
    for dies in FEW_DIES:
        kept = np.flatnonzero(np.isin(die, largest[:dies]))
        if len(largest) > dies and len(kept) > 2 * dies:
            yield whole.part(kept, f"{dies} dies")


def moves(whole: Collection, coins: int) -> list[float]:
    """Of so many coins, by lot, the share of the others whose die changes when the coin comes."""
    after, found = whole.found().labels, []
    for row in np.random.default_rng(1).permutation(len(whole.die))[:coins]:
        others = np.delete(np.arange(len(whole.die)), row)
        before = whole.part(others, "").found().labels
        found.append(changed(before, after[others]))
    return found


def changed(before: Ints, after: Ints) -> float:
    """Share of coins whose die is another: a die goes on where most of its coins are, and in one
    place alone."""
    overlap = Counter(zip(before.tolist(), after.tolist(), strict=True))
    gone: set[int] = set()
    taken: set[int] = set()
    kept = 0
    for (old, new), coins in sorted(overlap.items(), key=lambda item: (-item[1], item[0])):
        if old not in gone and new not in taken:
            gone.add(old)
            taken.add(new)
            kept += coins
    return 1.0 - kept / max(len(before), 1)


def known_of(collections: Sequence[Collection]) -> dict[str, list[KnownKinds]]:
    """By domain how the pairs of its collections truly lie."""
    known: dict[str, list[KnownKinds]] = defaultdict(list)
    for each in collections:
        kinds = each.known()
        if kinds is not None:
            known[each.domain].append(kinds)
    return known


def expected_without(
    collections: Sequence[Collection], known: Mapping[str, list[KnownKinds]]
) -> dict[str, Expected]:
    """By domain what is true of collections at large, measured on all others."""
    return {
        domain: measured([found for other, found in known.items() if other != domain])
        if len(known.keys() - {domain}) > 1
        else EXPECTED
        for domain in {each.domain for each in collections}
    }


def constants(known: Mapping[str, list[KnownKinds]]) -> dict[str, dict[str, float]]:
    """Measured on all domains: what ships should be near them."""
    if len(known) < 2:
        return {}
    expected, of_one = asdict(measured(list(known.values()))), asdict(of_any(list(known.values())))
    kinds = ("centre", "left", "right", "place", "width")
    spreads = ("right_slope", "right_spread", "place_spread")
    return {
        "Expected": {k: expected[k] for k in (*kinds, *spreads, "of_coin", "of_dies")},
        "ANY_COLLECTION": {k: of_one[k] for k in kinds},
    }


def figures(
    collection: Collection, expected: Expected, rules: Sequence[str], given: argparse.Namespace
) -> dict[str, Any]:
    """The figures of one collection."""
    die, told = collection.die, collection.die >= 0
    scores = Scores.of(len(die), collection.alone)

    def rand(labels: Ints) -> float:
        return adjusted_rand_index(labels[told].tolist(), die[told].tolist())

    found, shipped = collection.found(expected), collection.found()
    inliers = None
    if collection.faces is not None and len(die) <= given.peer_coins:
        inliers = similarities(
            tuned_peer(0, len(die)), collection.faces, given.cache / "similarity"
        )["tuned peer (XFeat)"]
    table, judged = collection.alone.table, collection.alone.judged
    known = told[table.first] & told[table.second]
    same = die[table.first] == die[table.second]
    of = known & judged
    count = count_dies(found.labels, found.graph)
    precision, recall, _ = pair_scores(found.labels[told].tolist(), die[told].tolist())
    true = len(np.unique(die[told]))
    return {
        "coins": len(die),
        "dies": true,
        "ap": _ap(found.probability, judged, same, known),
        "ap_alone": _ap(collection.alone.score, judged & collection.alone.verified, same, known),
        "ari": {
            FOUND: rand(found.labels),
            SHIPPED: rand(shipped.labels),
            BEST: max(rand(labels) for labels in average_linkage_levels(scores)),
            **{name: rand(RULES[name](scores)) for name in rules},
            **({} if inliers is None else {PEERS: rand(label_propagation(inliers))}),
        },
        "calibration_error": calibration_error(found.probability[of], same[of]),
        "dies_found": len(np.unique(found.labels[told])),
        "count": [count.low, count.expected, count.high],
        "holds": bool(told.all() and count.low <= true <= count.high),
        "precision": precision,
        "recall": recall,
        "share": {"true": float(same[known].mean()), FOUND: found.prior},
        "kinds": {k: v for k, v in asdict(found.graph.kinds).items() if k != "expected"},
    }


def _ap(ranked: Floats, told: Flags, same: Flags, known: Flags) -> float:
    return average_precision(np.where(told, ranked, UNRANKED)[known], same[known])


def heading(rules: Sequence[str]) -> str:
    columns = "".join(f"{name:>12}" for name in (FOUND, SHIPPED, BEST, *rules))
    return f"{'':38}{'coins':>6}{'AP':>7}{'alone':>7} |{columns} | error  dies"


def line(name: str, row: Mapping[str, Any]) -> str:
    rand = "".join(f"{value:12.3f}" for value in row["ari"].values())
    low, _, high = row["count"]
    moved = row.get("moves")
    told = f"  moves {np.mean(moved):.3f}, {max(moved):.3f}" if moved else ""
    return (
        f"{name:38}{row['coins']:6}{row['ap']:7.3f}{row['ap_alone']:7.3f} |{rand} |"
        f"{row['calibration_error']:6.3f}  {row['dies_found']} [{low}, {high}] {row['dies']}"
        f"{'' if row['holds'] else ' !'}{told}"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    collection_options(parser, types=0, split="validation")
    parser.add_argument("--collection", type=Path, action="append", default=[], metavar="DIR")
    parser.add_argument("--work", type=Path, default=Path("runs/domains"))
    parser.add_argument("--thinned", action="store_true", help="also parts of each collection")
    parser.add_argument("--without", type=int, default=0, help="coins left out, one at a time")
    parser.add_argument("--peer", action="store_true", help="also the tuned peer; slow")
    parser.add_argument("--peer-coins", type=int, default=150, help="of one collection, at most")
    parser.add_argument("--rules", nargs="*", default=list(RULES), choices=list(RULES))
    given = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    whole = [each for data in given.collection for each in indexed(data, given.work, given.peer)]
    if given.types:
        whole += list(minted(given))
    known = known_of(whole)
    expected = expected_without(whole, known)
    print(heading(given.rules))
    rows: dict[str, Any] = {}
    for each in [*whole, *(part for one in whole if given.thinned for part in parts(one))]:
        # (Its chains are long.)
        slow = each not in whole or len(each.die) > SLOW_BEYOND
        rules = [name for name in given.rules if name != "Bayesian" or not slow]
        rows[each.name] = figures(each, expected[each.domain], rules, given)
        if given.without and each in whole:
            rows[each.name]["moves"] = moves(each, given.without)
        print(line(each.name, rows[each.name]), flush=True)
    print(summary(rows, given.rules))
    of_all = constants(known)
    for name, values in of_all.items():
        listed = ", ".join(f"{key} {value:.2f}" for key, value in values.items())
        print(f"constants of all domains, {name}: {listed}")
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        told = {domain: asdict(each) for domain, each in sorted(expected.items())}
        document = {"constants": of_all, "expected_without": told, "collections": rows}
        given.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def summary(rows: Mapping[str, Any], rules: Sequence[str]) -> str:
    """Means over all rows with their intervals, and how many intervals of the dies' number hold."""
    texts = []
    for name in (FOUND, SHIPPED, BEST, *rules, PEERS):
        values = [row["ari"][name] for row in rows.values() if name in row["ari"]]
        if not values:
            continue
        spread = mean_interval(values)
        within = "" if spread is None else f" ({spread.low:.3f}…{spread.high:.3f})"
        texts.append(f"{name} {np.mean(values):.3f}{within}")
    holds = sum(row["holds"] for row in rows.values())
    moved = [share for row in rows.values() for share in row.get("moves", ())]
    steady = sum(share <= STEADY for share in moved)
    told = f"; at most {STEADY:.0%} move in {steady} of {len(moved)}" if moved else ""
    return f"means: {', '.join(texts)}; intervals hold in {holds} of {len(rows)}{told}"


if __name__ == "__main__":
    main()
