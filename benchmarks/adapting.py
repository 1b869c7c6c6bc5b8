"""What adapting to a collection without labels is worth, of distances and of verified pairs.

    python benchmarks/adapting.py [--split validation] [--types 3] [--most 2 | --pairs 4]
    python benchmarks/adapting.py --index indexes/data

Of distances: the pooled calibration and the adapted (``calibration/distance_adaptation.py``). Of
verified pairs: ratios as learned, one prior and one threshold for all collections; and ratios,
prior and threshold that the collection itself gives (``calibration/adaptation.py``,
``clustering/threshold.py``). Beside both what was fitted on the collection's own true dies, which
no one has: a calibration of its distances, or slope and shift of its ratios, its true share of
same-die pairs, and the best of the thresholds 0, 0.5 … 6 nats.

Collections of the mint as in ``benchmarks/encoder.py`` (and kept where that keeps them), judged and
clustered by the functions that the commands call, but for the one step that is varied; with
``--most N``, N coins of each die at most, with ``--pairs N`` single coins but for N dies of two.
With ``--index``, the vectors of an index with a sheet in their place. Of more than 600 coins the
figures of pairs are of those that are listed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from encoder_collections import Cache, collection_of, collection_options, orders
from judging import Found, Verifier, candidates_of

from dieindex.api import Index
from dieindex.calibration.distance import Calibration, fit_calibration
from dieindex.calibration.fusion import VERIFIED, Fusion
from dieindex.calibration.fusion_fit import logistic_fit
from dieindex.calibration.judge_pairs import (
    JudgedPairs,
    Judgement,
    judge_alone,
    judge_together,
    pairs_in_all,
)
from dieindex.calibration.prior import EXPECTED_PRIOR
from dieindex.clustering.find_dies import find_dies
from dieindex.clustering.threshold import Threshold
from dieindex.encoder.weights import INDEX, read_card
from dieindex.evaluation.intervals import mean_interval
from dieindex.evaluation.labels import codes
from dieindex.evaluation.partitions import adjusted_rand_index, pair_scores
from dieindex.evaluation.probabilities import calibration_error, log_loss
from dieindex.evaluation.ranking import average_precision
from dieindex.records import SIDES, Flags, Ints, PairTable
from dieindex.verification.candidates import (
    CandidatePairs,
    FaceVectors,
    all_pairs,
    shortlist_radius,
)
from dieindex.verification.score_pairs import stored_candidates, vectors_of

FOR_ALL, ADAPTED, OWN = "for all", "adapted", "own dies"
THRESHOLD_FOR_ALL = 2.5
"""Nats: at this one prior the best of ``THRESHOLDS`` for 27 validation collections of 91 coins
together (mean adjusted Rand index 0.929; 2: 0.926, 3: 0.916)."""
THRESHOLDS = np.arange(0.0, 6.01, 0.5)


@dataclass(frozen=True, eq=False)
class Judged:
    """A collection: ``die`` (n,) of its faces, −1 where unknown; the ``candidates`` that are judged
    by their vectors. ``found`` is what verification made of them, if asked."""

    name: str
    faces: FaceVectors
    candidates: CandidatePairs
    die: Ints
    found: Found | None = None


@dataclass(frozen=True)
class Scores:
    """Of one way on one collection; probabilities over the pairs that are judged."""

    ari: float
    precision: float
    recall: float
    f1: float
    dies_found: float
    dies_true: float
    prior: float
    share: float
    ap: float
    log_loss: float
    calibration_error: float


def minted(given: argparse.Namespace) -> Iterator[Judged]:
    cache = Cache(given.cache, given.weights, keep_stale=given.keep_stale)
    verifier = Verifier(given.weights, given.cache / "seen")
    for order in orders(given.types, given.coins, given.difficulty, given.sides, given.split):
        collection = collection_of(cache, order, given)
        found = verifier.judge(collection)
        listed = candidates_of(found.faces, verifier.calibration, verify=False)
        yield Judged(order.name, found.faces, listed, collection.faces.die, found)


def indexed(folder: Path) -> Iterator[Judged]:
    index = Index(folder)
    radius = shortlist_radius(index.calibration.threshold)
    for side in SIDES:
        rows, labels = index.faces(side), index.labels(side)
        faces = vectors_of(rows)
        listed = stored_candidates(folder, side, faces, radius, verify=False)
        die = codes(labels.get(coin) for coin in rows.coins)
        yield Judged(f"{folder.name} {side}", faces, listed, die)


def by_distance(given: Judged, pooled: Calibration) -> dict[str, Scores]:
    own = own_calibration(given.faces, given.die)
    return {
        FOR_ALL: _scores(given, judged_by(given, pooled, adapt=False)),
        ADAPTED: _scores(given, judged_by(given, pooled)),
        OWN: _scores(given, judged_by(given, own, adapt=False)),
    }


def judged_by(given: Judged, calibration: Calibration, *, adapt: bool = True) -> JudgedPairs:
    """A collection judged by its vectors alone; with ``adapt`` as an index does it."""
    faces, listed = given.faces, given.candidates
    alone = judge_alone(listed, None, faces, calibration=calibration, adapt=adapt)
    return judge_together(alone, faces.frame, listed.sampled)


def own_calibration(faces: FaceVectors, die: Ints) -> Calibration:
    """What no one has: a calibration fitted on a collection's true dies."""
    pairs = all_pairs(faces.vectors)
    frame = faces.frame
    on_one = (frame[pairs.first] == frame[pairs.second]) & faces.aligned[pairs.first]
    same, labelled = _labels(die, pairs.first, pairs.second)
    return fit_calibration(pairs.distance[on_one & same], pairs.distance[on_one & labelled & ~same])


def verified(given: Judged, fusion: Fusion) -> dict[str, Scores]:
    found = given.found
    assert found is not None
    alone, frame = found.alone, found.faces.frame
    known, learned = alone.judged, alone.table.log_likelihood_ratio
    same, _ = _labels(given.die, alone.table.first, alone.table.second)

    def at(judgement: Judgement, prior: float) -> JudgedPairs:
        return judge_together(judgement, frame, found.sampled, fusion=fusion, prior=prior)

    even = np.full(int(known.sum()), 1.0)
    slope, shift = logistic_fit(learned[known][:, None], same[known], even)
    own = replace(alone.table, log_likelihood_ratio=slope * learned + shift)
    share = float(np.clip(true_share(given, alone.table, known), 1e-4, 0.5))
    with_truth = at(replace(alone, table=own), share)
    tried = [_scores(given, with_truth, Threshold(float(t))) for t in THRESHOLDS]
    return {
        FOR_ALL: _scores(given, at(alone, EXPECTED_PRIOR), Threshold(THRESHOLD_FOR_ALL)),
        ADAPTED: _scores(given, found.pairs),
        OWN: max(tried, key=lambda scores: scores.ari),
    }


def _labels(die: Ints, first: Ints, second: Ints) -> tuple[Flags, Flags]:
    """Of pairs, which share a labelled die, and of which both dies are labelled."""
    labelled = (die[first] >= 0) & (die[second] >= 0)
    return labelled & (die[first] == die[second]), labelled


def true_share(given: Judged, table: PairTable, judged: Flags) -> float:
    """The share that a prior stands for, among labelled faces: of same-die pairs among all that
    could share a die, listed or not; see ``pairs_in_all``."""
    same, labelled = _labels(given.die, table.first, table.second)
    frame = np.where(given.die >= 0, given.faces.frame, -1)
    places = np.stack([frame, given.die])[:, frame >= 0]
    size = np.unique(places, axis=1, return_counts=True)[1]
    across = judged & same & (frame[table.first] != frame[table.second])
    nothing = np.zeros(len(table), bool)
    among = pairs_in_all(Judgement(table, judged & labelled, nothing), frame)
    return float((size * (size - 1) // 2).sum() + across.sum()) / max(among, 1)


def _scores(given: Judged, pairs: JudgedPairs, threshold: Threshold | None = None) -> Scores:
    found = find_dies(pairs, threshold=threshold).labels
    known = given.die >= 0
    precision, recall, f1 = pair_scores(found[known].tolist(), given.die[known].tolist())
    same, labelled = _labels(given.die, pairs.table.first, pairs.table.second)
    chosen = pairs.judged & labelled
    p, true = pairs.probability[chosen], same[chosen]
    own = pairs.table.log_likelihood_ratio
    ratio = own if pairs.in_context is None else pairs.in_context
    return Scores(
        ari=adjusted_rand_index(found[known].tolist(), given.die[known].tolist()),
        precision=precision,
        recall=recall,
        f1=f1,
        dies_found=float(len(np.unique(found[known]))),
        dies_true=float(len(np.unique(given.die[known]))),
        prior=pairs.prior,
        share=true_share(given, pairs.table, pairs.judged),
        ap=average_precision(ratio[chosen], true),
        log_loss=log_loss(p, true),
        calibration_error=calibration_error(p, true),
    )


def table(title: str, results: dict[str, dict[str, Scores]]) -> str:
    """Means by way, and what adapting changed: 95 % interval over types."""
    names = list(Scores.__dataclass_fields__)
    lines = [title, f"  {'':10s}" + "".join(f"{name[:11]:>12s}" for name in names)]
    for way in (FOR_ALL, ADAPTED, OWN):
        # (Where nothing is joined there is no precision.)
        means = [np.nanmean([getattr(e[way], name) for e in results.values()]) for name in names]
        lines.append(f"  {way:10s}" + "".join(f"{mean:12.3f}" for mean in means))
    lines += [f"  {name} by adapting: {_change(name, results)}" for name in ("ari", "log_loss")]
    return "\n".join(lines)


def _change(name: str, results: dict[str, dict[str, Scores]]) -> str:
    types: dict[str, list[float]] = {}
    for collection, each in results.items():
        change = getattr(each[ADAPTED], name) - getattr(each[FOR_ALL], name)
        types.setdefault(collection.split("-")[-1], []).append(change)
    changes = [change for each in types.values() for change in each]
    found = mean_interval([float(np.mean(each)) for each in types.values()])
    limits = "" if found is None else f" ({found.low:+.3f} to {found.high:+.3f})"
    higher, lower = sum(c > 0 for c in changes), sum(c < 0 for c in changes)
    return f"{np.mean(changes):+.3f}{limits}, higher on {higher}, lower on {lower}"


def show(title: str, results: dict[str, dict[str, Scores]]) -> None:
    print(f"\n{title}")
    groups: dict[str, dict[str, dict[str, Scores]]] = {}
    for name, each in results.items():
        parts = name.split("-")
        groups.setdefault(parts[1] if len(parts) > 2 else name, {})[name] = each
    for group, members in groups.items():
        print(table(f"{group}: {len(members)} collection(s)", members))
    if len(groups) > 1:
        print(table(f"all: {len(results)} collections", results))


def plain_scores(scores: Scores) -> dict[str, float | None]:
    return {name: None if np.isnan(value) else value for name, value in asdict(scores).items()}


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    collection_options(parser, types=3, split="validation")
    parser.add_argument("--index", type=Path, help="an index with a sheet, in the mint's place")
    given = parser.parse_args()
    card = read_card(given.weights)
    pooled = Calibration.from_json(card.calibration_for(INDEX))
    fusion = Fusion.from_json(card.calibration_for(VERIFIED))
    collections = list(indexed(given.index) if given.index else minted(given))
    results = {"distances": {each.name: by_distance(each, pooled) for each in collections}}
    if not given.index:
        results["verified pairs"] = {each.name: verified(each, fusion) for each in collections}
    for title, found in results.items():
        show(title, found)
    if given.out:
        plain = {
            title: {
                name: {way: plain_scores(scores) for way, scores in ways.items()}
                for name, ways in found.items()
            }
            for title, found in results.items()
        }
        text = json.dumps({"weights": card.version, "split": given.split, **plain}, indent=1)
        given.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
