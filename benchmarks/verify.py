"""Verification and what it must be compared with, on the same coins, in one run.

    python benchmarks/verify.py --types 5 --coins 91 --peer-collections 5
    python benchmarks/verify.py --types 3 --coins 600 --difficulty medium --methods none
    python benchmarks/verify.py --types 5 --most 2 --methods none         # pairs and single coins
    python benchmarks/verify.py --types 0 --collection DIR --collection DIR --real PATH \\
        --before runs/before/best.safetensors    # other worlds, a row each, beside other weights

Collections are those of ``benchmarks/encoder.py``, refined as in a build; candidate pairs are
chosen, judged and clustered by the functions that the commands call. Every pair is ranked; last
those not scored, since a face lies on no frame or two on different ones. (What aligning pairs to
each other gains is measured by ``benchmarks/pair_alignment.py``.) Columns: average precision
and area under the ROC curve over all pairs, with 95 % intervals from resampled
dies; how far a method's AP lies apart from the first one's on the same resamples; (1 − AP) over
that of the peer, on the peer's collections alone. Ways: the comparator alone, both weighed together
(``fused``), and by the dies that all pairs make (``by dies``: what ``dieindex pairs`` gives).
The peer and other matchers (``--methods``) compare all same-die pairs and ``--peer-pairs`` others,
which then stand for all.

Then, of the pairs scored: calibration error (15 bins of equal count), Brier score and log loss
beside "prior only" (the true share of same-die pairs, which no method knows); which step loses
pairs; the adjusted Rand index of the dies; milliseconds a pair of one core's work.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from encoder import DOUBTFUL, overview, rows_of
from encoder_collections import (
    Aligned,
    Cache,
    collection_of,
    collection_options,
    domain_options,
    labelled,
    orders,
    real_options,
)
from encoder_measures import Measured, measure
from encoder_methods import Method, matched, similarities, tuned_peer
from judging import WAYS, Found, Verifier

from dieindex.encoder.weights import read_card
from dieindex.evaluation.matcher import matcher_names
from dieindex.evaluation.probabilities import (
    brier_score,
    calibration_error,
    log_loss,
    reliability_curve,
)

PEER = "tuned peer (XFeat)"


def measured(
    found: Sequence[Found],
    methods: Sequence[Method],
    collection: Aligned,
    kept: np.ndarray,
    given: argparse.Namespace,
) -> dict[str, Measured]:
    """Every way on the kept faces of one collection; ``found`` by the weights, then by those of
    before."""
    die = collection.faces.die[kept]
    scores = dict(found[0].scores)
    for number, each in enumerate(found[1:], 1):
        scores |= {_before(name, number): values for name, values in each.scores.items()}
    for method in methods:
        if len(collection.faces) <= method.largest:
            scores |= similarities(method, collection, given.cache / "similarity")
    return {
        name: measure(values[np.ix_(kept, kept)], die, given.replicates, seed=len(die))
        for name, values in scores.items()
    }


def _before(name: str, number: int = 1) -> str:
    """What a way is called by the weights of before, of which there may be several."""
    return f"before{'' if number == 1 else f' {number}'}: {name}"


def beside(found: Sequence[Found], results: Sequence[dict[str, Measured]]) -> dict[str, Any]:
    """What the report says beside the ranking."""
    p = np.concatenate([each.probability for each in found])
    same = np.concatenate([each.same for each in found])
    only = np.concatenate([np.full(len(e.same), e.same.mean()) for e in found])
    with_peer = [each for each in results if PEER in each]
    ratio = None
    if with_peer:
        missing = {
            name: np.mean([1 - each[name].value[0] for each in with_peer])
            for name in (WAYS[0], PEER)
        }
        ratio = float(missing[WAYS[0]] / missing[PEER])
    return {
        "milliseconds_a_pair": float(np.mean([each.milliseconds for each in found])),
        "pairs_scored": int(sum(each.scored for each in found)),
        "calibration_error": calibration_error(p, same),
        "calibration_error_a_collection": [calibration_error(e.probability, e.same) for e in found],
        "brier": brier_score(p, same),
        "brier_prior_only": brier_score(only, same),
        "log_loss": log_loss(p, same),
        "log_loss_prior_only": log_loss(only, same),
        "missing_over_peers": ratio,
        "steps": {name: float(np.mean([e.steps[name] for e in found])) for name in found[0].steps},
        "rand": {name: float(np.mean([e.rand[name] for e in found])) for name in found[0].rand},
    }


def lines(title: str, rows: dict[str, Any], said: dict[str, Any]) -> str:
    """One group of collections as text."""
    out = [title, f"  {'':24}{'AP':>8}{'':18}{'apart':>8}{'':20}{'AUC':>8}"]
    for name, row in rows.items():
        apart = row["difference"]
        out.append(
            f"  {name:24}{row['ap']['mean']:8.3f}{_limits(row['ap']['dies']):18}"
            f"{apart['mean']:+8.3f}{_limits(apart['dies']):20}{row['auc']['mean']:8.3f}"
            f"  ({row['collections']} collections)"
        )
    errors = ", ".join(f"{value:.3f}" for value in said["calibration_error_a_collection"])
    out += [
        f"  calibration error {said['calibration_error']:.3f} (each: {errors})",
        f"  Brier {said['brier']:.4f} (prior only {said['brier_prior_only']:.4f}), log loss "
        f"{said['log_loss']:.4f} (prior only {said['log_loss_prior_only']:.4f})",
        f"  {said['milliseconds_a_pair']:.2f} ms a pair, {said['pairs_scored']} pairs",
        "  adjusted Rand index: "
        + ", ".join(f"{name} {value:.3f}" for name, value in said["rand"].items()),
        "  same-die pairs: " + "; ".join(f"{n} {v:.3f}" for n, v in said["steps"].items()),
    ]
    if said["missing_over_peers"] is not None:
        out.append(f"  (1 - AP) over the peer's: {said['missing_over_peers']:.2f}")
    return "\n".join(out)


def _limits(limits: list[float] | None) -> str:
    return "" if limits is None else f" ({limits[0]:+.2f} … {limits[1]:+.2f})"


def minted(given: argparse.Namespace, cache: Cache, methods: list[Method]) -> list[dict[str, Any]]:
    judges = verifiers(given)
    report, all_found = [], []
    for coins in given.coins:
        for difficulty in given.difficulty:
            found, results, names = [], [], []
            for number, order in enumerate(
                orders(given.types, [coins], [difficulty], given.sides, given.split)
            ):
                collection = collection_of(cache, order, given)
                judged = [verifier.judge(collection) for verifier in judges]
                found.append(judged[0])
                some = methods if number < given.peer_collections else []
                everyone = np.arange(len(collection.faces))
                results.append(measured(judged, some, collection, everyone, given))
                names.append(collection.name)
            all_found += found
            rows, said = rows_of(results), beside(found, results)
            title = f"{difficulty}, {coins} coins, {len(found)} collections of {given.split} types"
            if given.most is not None:
                title += f", at most {given.most} coins of a die"
            if given.pairs is not None:
                title += f", thinned to {given.pairs} pairs of one die"
            print("\n" + lines(title, rows, said), flush=True)
            report.append(
                {"coins": coins, "difficulty": difficulty, "collections": names, **said}
                | {"means": rows, "each": [_each(result) for result in results]}
            )
    if all_found and given.plot:
        reliability_plot(all_found, given.plot)
    return report


def verifiers(given: argparse.Namespace) -> list[Verifier]:
    """By the weights, and by those of before."""
    return [Verifier(path, given.cache / "seen") for path in (given.weights, *given.before)]


def _each(result: dict[str, Measured]) -> dict[str, list[float]]:
    return {name: [float(value) for value in each.value[:2]] for name, each in result.items()}


def domains(given: argparse.Namespace, cache: Cache, methods: list[Method]) -> list[dict[str, Any]]:
    """Labelled collections of other worlds, each by itself; real ones also without their doubtful
    coins."""
    judges = verifiers(given)
    report = []
    for each in labelled(given, cache):
        collection, folder = each.collection, each.folder.resolve().name
        found = [verifier.judge(collection) for verifier in judges]
        for name, mask in each.parts.items():
            results = [measured(found, methods, collection, np.flatnonzero(mask), given)]
            rows, said = rows_of(results), beside(found[:1], results)
            title = (
                f"{folder}, {collection.side}, {name}: {mask.sum()} faces of "
                f"{len(np.unique(collection.faces.die[mask]))} dies "
                "(calibration: all labelled faces)"
            )
            print("\n" + lines(title, rows, said), flush=True)
            report.append(
                {"set": folder, "side": collection.side, "coins": name, **said} | {"means": rows}
            )
    return report


def reliability_plot(found: Sequence[Found], path: Path) -> None:
    """Claimed against observed shares of same-die pairs, in bins of equal count, and the same for
    pairs about which something is claimed at all."""
    from matplotlib import pyplot as plt

    p = np.concatenate([each.probability for each in found])
    same = np.concatenate([each.same for each in found])
    figure, axes = plt.subplots(1, 2, figsize=(9, 4.4), constrained_layout=True)
    for axis, chosen, title in (
        (axes[0], np.ones(len(p), bool), "all pairs scored, 15 bins"),
        (axes[1], p > 0.02, "pairs of more than 2 %, 15 bins"),
    ):
        curve = reliability_curve(p[chosen], same[chosen])
        axis.plot([0, 1], [0, 1], color="0.7", linewidth=0.8)
        axis.plot(curve.claimed, curve.observed, "o-", color="#0072B2", markersize=4)
        axis.set(xlabel="claimed", ylabel="observed", title=f"{title} ({chosen.sum()})")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    collection_options(parser)
    domain_options(parser)
    real_options(parser, DOUBTFUL)
    parser.add_argument("--before", type=Path, nargs="*", default=[], help="weights of before")
    others = [name for name in matcher_names() if name != "xfeat"]
    parser.add_argument("--methods", nargs="+", default=["peer"], choices=("peer", *others, "none"))
    parser.add_argument("--peer-collections", type=int, default=2)
    parser.add_argument("--peer-coins", type=int, default=91)
    parser.add_argument("--peer-pairs", type=int, default=1000)
    parser.add_argument("--replicates", type=int, default=200, help="resamples of the dies")
    parser.add_argument("--plot", type=Path, help="write the reliability plot there")
    given = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    cache = Cache(given.cache, given.weights, keep_stale=given.keep_stale)
    methods: list[Method] = []
    if "peer" in given.methods:
        methods.append(tuned_peer(given.peer_pairs, given.peer_coins))
    for name in others:
        if name in given.methods:
            methods.append(matched(name, given.peer_pairs, given.peer_coins))
    report: dict[str, Any] = {"weights": read_card(given.weights).version}
    if given.types:
        report["minted"] = minted(given, cache, methods)
    if given.collection or given.real:
        report["domains"] = domains(given, cache, methods)
        shown = [*WAYS, *(_before(way) for way in WAYS), *(m.names[0] for m in methods)]
        print("\n" + overview(report["domains"], shown))
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
