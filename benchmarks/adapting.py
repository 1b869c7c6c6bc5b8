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
clustered as an index does it; with ``--most N``, N coins of each die at most, with ``--pairs N``
single coins but for N dies of two. With ``--index``, the distances of an index with a sheet in
their place.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from encoder_collections import Cache, collection_options, orders, thinned
from encoder_methods import similarities, trained
from verify import Found, Verifier

from dieindex.api import Index
from dieindex.calibration.distance import Calibration, fit_calibration
from dieindex.calibration.distance_adaptation import adapted_to
from dieindex.calibration.fusion import VERIFIED, Fusion
from dieindex.calibration.fusion_fit import logistic_fit
from dieindex.calibration.judge_pairs import JudgedPairs, Judgement, in_context
from dieindex.calibration.prior import EXPECTED_PRIOR, estimate_prior, probability
from dieindex.clustering.find_dies import find_dies
from dieindex.clustering.threshold import Threshold
from dieindex.encoder.weights import INDEX, read_card
from dieindex.evaluation.intervals import mean_interval
from dieindex.evaluation.labels import codes
from dieindex.evaluation.partitions import adjusted_rand_index, pair_scores
from dieindex.evaluation.probabilities import calibration_error, log_loss
from dieindex.evaluation.ranking import average_precision
from dieindex.numeric import unit_distance
from dieindex.records import SIDES, Floats, Ints, PairTable
from dieindex.verification.candidates import all_pairs

FOR_ALL, ADAPTED, OWN = "for all", "adapted", "own dies"
THRESHOLD_FOR_ALL = 2.5
"""Nats: at this one prior the best of ``THRESHOLDS`` for 27 validation collections of 91 coins
together (mean adjusted Rand index 0.929; 2: 0.926, 3: 0.916)."""
THRESHOLDS = np.arange(0.0, 6.01, 0.5)


@dataclass(frozen=True, eq=False)
class Judged:
    """All pairs of a collection: positions, distance (m,); ``frame`` and ``die`` (n,), −1: none.
    ``found`` is what verification made of them, if asked."""

    name: str
    first: Ints
    second: Ints
    distance: Floats
    frame: Ints
    die: Ints
    found: Found | None = None


@dataclass(frozen=True)
class Scores:
    """Of one way on one collection; probabilities over all pairs of which anything can be told."""

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
    method = trained("shipped", given.weights)
    for order in orders(given.types, given.coins, given.difficulty, given.sides, given.split):
        collection = cache.aligned(order)
        if given.most is not None or given.pairs is not None:
            collection = thinned(collection, given.most, given.pairs)
        similar = similarities(method, collection, given.cache / "similarity")["shipped: vector"]
        first, second = np.triu_indices(len(similar), 1)
        distance = unit_distance(similar[first, second])
        found = verifier.judge(collection)
        frame, die = collection.alignment.type, collection.faces.die
        yield Judged(order.name, first, second, distance, frame, die, found)


def indexed(folder: Path) -> Iterator[Judged]:
    index = Index(folder)
    for side in SIDES:
        rows, labels = index.faces(side), index.labels(side)
        pairs = all_pairs(rows.vectors)
        die = codes(labels.get(coin) for coin in rows.coins)
        frame = np.where(rows.aligned, rows.frame, -1)
        name = f"{folder.name} {side}"
        yield Judged(name, pairs.first, pairs.second, pairs.distance, frame, die)


def by_distance(given: Judged, pooled: Calibration) -> dict[str, Scores]:
    a, b = given.frame[given.first], given.frame[given.second]
    on_one = (a == b) & (a >= 0)
    known = (a >= 0) & (b >= 0)
    same, labelled = _labels(given, given.first, given.second)
    d = given.distance
    calibrations = {
        FOR_ALL: pooled,
        ADAPTED: adapted_to(pooled, d[on_one]),
        OWN: fit_calibration(d[on_one & same], d[on_one & labelled & ~same]),
    }
    found = {}
    for name, calibration in calibrations.items():
        ratio = np.where(known, calibration.log_likelihood_ratio(d), 0.0)
        prior = estimate_prior(ratio[known], int(known.sum()))
        table = PairTable(given.first, given.second, d, ratio)
        p = probability(ratio, prior)
        none = np.zeros(len(d), bool)
        pairs = JudgedPairs(len(given.die), table, None, p, prior, known, none)
        found[name] = _scores(given, pairs)
    return found


def verified(given: Judged, fusion: Fusion) -> dict[str, Scores]:
    found = given.found
    assert found is not None
    n, alone, known = len(given.die), found.alone, found.alone.judged
    same, _ = _labels(given, alone.table.first, alone.table.second)

    def at(judgement: Judgement, prior: float) -> JudgedPairs:
        together = in_context(n, judgement, fusion, prior)
        p = probability(together, prior)
        return JudgedPairs(
            n, judgement.table, together, p, prior, judgement.judged, judgement.verified
        )

    learned = alone.table.log_likelihood_ratio
    share = float(np.clip(same[known].mean(), 1e-4, 0.5))
    even = np.full(int(known.sum()), 1.0)
    slope, shift = logistic_fit(learned[known][:, None], same[known], even)
    own = replace(alone.table, log_likelihood_ratio=slope * learned + shift)
    with_truth = at(replace(alone, table=own), share)
    tried = [_scores(given, with_truth, Threshold(float(t))) for t in THRESHOLDS]
    return {
        FOR_ALL: _scores(given, at(alone, EXPECTED_PRIOR), Threshold(THRESHOLD_FOR_ALL)),
        ADAPTED: _scores(given, found.pairs),
        OWN: max(tried, key=lambda scores: scores.ari),
    }


def _labels(given: Judged, first: Ints, second: Ints) -> tuple[np.ndarray, np.ndarray]:
    """Of pairs, which share a labelled die, and of which both dies are labelled."""
    labelled = (given.die[first] >= 0) & (given.die[second] >= 0)
    return labelled & (given.die[first] == given.die[second]), labelled


def _scores(given: Judged, pairs: JudgedPairs, threshold: Threshold | None = None) -> Scores:
    found = find_dies(pairs, threshold=threshold).labels
    known = given.die >= 0
    precision, recall, f1 = pair_scores(found[known].tolist(), given.die[known].tolist())
    same, labelled = _labels(given, pairs.table.first, pairs.table.second)
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
        share=float(true.mean()),
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
