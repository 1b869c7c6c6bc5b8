"""What adapting the calibration of distances to a collection is worth, without labels.

    python benchmarks/adapting.py [--split validation] [--types 3] [--most 2 | --pairs 4]
    python benchmarks/adapting.py --index indexes/data

Pairs judged by their vectors alone: by the calibration pooled over collections of all kinds, by the
one adapted to the collection's own distances (``calibration/distance_adaptation.py``, what an index
does), and by one fitted on the collection's true dies, which no one has. What verified pairs are
worth is no part of it: how their scores lie is always read from these (``benchmarks/domains.py``).

Collections of the mint as in ``benchmarks/encoder.py`` (and kept where that keeps them), judged and
clustered by the functions that the commands call. With ``--index``, the vectors of an index with a
sheet in their place. Of more than 600 coins the figures of pairs are of those that are listed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from encoder_collections import Cache, collection_of, collection_options, orders
from judging import Verifier, candidates_of

from dieindex.api import Index
from dieindex.calibration.distance import Calibration, fit_calibration
from dieindex.calibration.judge_pairs import JudgedPairs, judge_alone, judge_together
from dieindex.clustering.find_dies import find_dies
from dieindex.encoder.weights import INDEX, read_card
from dieindex.evaluation.intervals import mean_interval
from dieindex.evaluation.labels import codes
from dieindex.evaluation.partitions import adjusted_rand_index, pair_scores
from dieindex.evaluation.probabilities import calibration_error, log_loss
from dieindex.records import SIDES, Flags, Ints
from dieindex.verification.candidates import (
    CandidatePairs,
    FaceVectors,
    all_pairs,
    shortlist_radius,
)
from dieindex.verification.score_pairs import stored_candidates, vectors_of

POOLED, ADAPTED, OWN = "pooled", "adapted", "own dies"


@dataclass(frozen=True, eq=False)
class Seen:
    """A collection: ``die`` (n,) of its faces, −1 where unknown; the ``candidates`` are judged by
    their vectors."""

    name: str
    faces: FaceVectors
    candidates: CandidatePairs
    die: Ints


@dataclass(frozen=True)
class Scores:
    """Of one way on one collection; the last two over the pairs that are judged."""

    ari: float
    precision: float
    recall: float
    dies_found: float
    dies_true: float
    log_loss: float
    calibration_error: float


def minted(given: argparse.Namespace) -> Iterator[Seen]:
    cache = Cache(given.cache, given.weights, keep_stale=given.keep_stale)
    verifier = Verifier(given.weights, given.cache / "seen")
    for order in orders(given.types, given.coins, given.difficulty, given.sides, given.split):
        collection = collection_of(cache, order, given)
        faces = verifier.judge(collection).faces
        listed = candidates_of(faces, verifier.calibration, verify=False)
        yield Seen(order.name, faces, listed, collection.faces.die)


def indexed(folder: Path) -> Iterator[Seen]:
    index = Index(folder)
    radius = shortlist_radius(index.calibration.threshold)
    for side in SIDES:
        rows, labels = index.faces(side), index.labels(side)
        faces = vectors_of(rows)
        listed = stored_candidates(folder, side, faces, radius, verify=False)
        yield Seen(
            f"{folder.name} {side}", faces, listed, codes(labels.get(coin) for coin in rows.coins)
        )


def by_way(seen: Seen, pooled: Calibration) -> dict[str, Scores]:
    own = own_calibration(seen.faces, seen.die)
    return {
        POOLED: scores_of(seen, judged_by(seen, pooled, adapt=False)),
        ADAPTED: scores_of(seen, judged_by(seen, pooled)),
        OWN: scores_of(seen, judged_by(seen, own, adapt=False)),
    }


def judged_by(seen: Seen, calibration: Calibration, *, adapt: bool = True) -> JudgedPairs:
    """A collection judged by its vectors alone; with ``adapt`` as an index does it."""
    faces, listed = seen.faces, seen.candidates
    alone = judge_alone(listed, None, faces, calibration=calibration, adapt=adapt)
    return judge_together(alone, faces.frame, listed.sampled)


def own_calibration(faces: FaceVectors, die: Ints) -> Calibration:
    """What no one has: a calibration fitted on a collection's true dies."""
    pairs = all_pairs(faces.vectors)
    frame = faces.frame
    on_one = (frame[pairs.first] == frame[pairs.second]) & faces.aligned[pairs.first]
    same, labelled = _labels(die, pairs.first, pairs.second)
    return fit_calibration(pairs.distance[on_one & same], pairs.distance[on_one & labelled & ~same])


def scores_of(seen: Seen, pairs: JudgedPairs) -> Scores:
    found = find_dies(pairs)
    known = seen.die >= 0
    labels, die = found.labels[known].tolist(), seen.die[known].tolist()
    precision, recall, _ = pair_scores(labels, die)
    same, labelled = _labels(seen.die, pairs.table.first, pairs.table.second)
    chosen = pairs.judged & labelled
    p, true = found.probability[chosen], same[chosen]
    return Scores(
        ari=adjusted_rand_index(labels, die),
        precision=precision,
        recall=recall,
        dies_found=float(len(set(labels))),
        dies_true=float(len(set(die))),
        log_loss=log_loss(p, true),
        calibration_error=calibration_error(p, true),
    )


def _labels(die: Ints, first: Ints, second: Ints) -> tuple[Flags, Flags]:
    """Of pairs, which share a labelled die, and of which both dies are labelled."""
    labelled = (die[first] >= 0) & (die[second] >= 0)
    return labelled & (die[first] == die[second]), labelled


def table(title: str, results: dict[str, dict[str, Scores]]) -> str:
    """Means by way, and what adapting changed: 95 % interval over types."""
    names = list(Scores.__dataclass_fields__)
    lines = [title, f"  {'':10s}" + "".join(f"{name[:11]:>12s}" for name in names)]
    for way in (POOLED, ADAPTED, OWN):
        # (Where nothing is joined there is no precision.)
        means = [np.nanmean([getattr(e[way], name) for e in results.values()]) for name in names]
        lines.append(f"  {way:10s}" + "".join(f"{mean:12.3f}" for mean in means))
    lines += [f"  {name} by adapting: {_change(name, results)}" for name in ("ari", "log_loss")]
    return "\n".join(lines)


def _change(name: str, results: dict[str, dict[str, Scores]]) -> str:
    types: dict[str, list[float]] = {}
    for collection, each in results.items():
        change = getattr(each[ADAPTED], name) - getattr(each[POOLED], name)
        types.setdefault(collection.split("-")[-1], []).append(change)
    changes = [change for each in types.values() for change in each]
    found = mean_interval([float(np.mean(each)) for each in types.values()])
    limits = "" if found is None else f" ({found.low:+.3f} to {found.high:+.3f})"
    higher, lower = sum(c > 0 for c in changes), sum(c < 0 for c in changes)
    return f"{np.mean(changes):+.3f}{limits}, higher on {higher}, lower on {lower}"


def show(results: dict[str, dict[str, Scores]]) -> None:
    groups: dict[str, dict[str, dict[str, Scores]]] = {}
    for name, each in results.items():
        parts = name.split("-")
        groups.setdefault(parts[1] if len(parts) > 2 else name, {})[name] = each
    for group, members in groups.items():
        print(table(f"{group}: {len(members)} collection(s)", members))
    if len(groups) > 1:
        print(table(f"all: {len(results)} collections", results))


def plain(scores: Scores) -> dict[str, float | None]:
    return {name: None if np.isnan(value) else value for name, value in asdict(scores).items()}


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    collection_options(parser, types=3, split="validation")
    parser.add_argument("--index", type=Path, help="an index with a sheet, in the mint's place")
    given = parser.parse_args()
    card = read_card(given.weights)
    pooled = Calibration.from_json(card.calibration_for(INDEX))
    collections = indexed(given.index) if given.index else minted(given)
    results = {each.name: by_way(each, pooled) for each in collections}
    show(results)
    if given.out:
        whole = {name: {w: plain(s) for w, s in ways.items()} for name, ways in results.items()}
        text = json.dumps({"weights": card.version, "split": given.split, **whole}, indent=1)
        given.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
