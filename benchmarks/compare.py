"""Two files and nothing else: how often is ``dieindex compare A B`` right, in any domain?

    python benchmarks/compare.py --types 3 --pairs 30 --collection ../other/a …

A row a domain: every ``--collection`` (a labelled folder of photographs) is one, and the mint is
one each difficulty. Of each side up to ``--pairs`` pairs of one die and twice as many of two dies,
of the mint a third as many besides with a face of another type; each aligned with each other and
judged as two files are, at even prior, both kinds counting alike. ``decided``: called "same" or
"different"; ``wrong``: the part of these that is not so. Three ways to read the same scores:
``learned``, as the log-likelihood ratio of the mint, without a word of other domains; ``shipped``,
by ``two_kinds.TWO_FILES``; ``others``, by the same constants measured on all OTHER domains. Last
the constants of all domains: what ships should be near them.

With ``--peer`` (its package has to be installed) verified XFeat matches of the same pairs.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from encoder import SHIPPED
from encoder_collections import Cache, orders, pair_displacement, read_real
from known_kinds import kinds_of_known

from dieindex.api.verification import Verification
from dieindex.calibration.distance import Calibration
from dieindex.calibration.fusion import VERIFIED_PAIR
from dieindex.calibration.prior import probability
from dieindex.calibration.two_kinds import TWO_FILES, TwoKinds
from dieindex.calibration.verdict import verdict_of, verified_verdict
from dieindex.encoder.dense import quantised
from dieindex.encoder.encode import Encoder
from dieindex.encoder.pairs import AlignedPair, aligned_pair
from dieindex.encoder.weights import PAIR, read_card
from dieindex.evaluation.matcher import load_matcher
from dieindex.evaluation.ranking import roc_auc
from dieindex.numeric import unit_distance
from dieindex.records import SIDES, Face, Flags, Side
from dieindex.training.rendered import Faces

ONE_DIE, TWO_DIES, TWO_TYPES = "one die", "two dies", "two types"
LEARNED, SHIPPED_KINDS, OTHERS = "learned", "shipped", "others"
PRIOR = 0.5
RIGHT = 0.02
"""Share of the diameter within which two faces are aligned with each other rightly."""
FEWEST = 3
"""Pairs of either kind from which a domain says how its scores lie."""


@dataclass(frozen=True)
class Pair:
    """One pair as it was seen: ``distance``, ``logit`` and ``shared`` are NaN where the faces could
    not be aligned. ``apart``: how far it lies from its true place, share of the diameter; NaN where
    that is not known. ``matches``: the peer's, where it was asked."""

    domain: str
    kind: str
    distance: float
    logit: float
    shared: float
    seconds: float
    apart: float
    matches: int | None = None


class Judge:
    """Judges two faces as ``compare`` does two files."""

    def __init__(self, weights: Path) -> None:
        self._encoder = Encoder.load(weights, "cpu")
        card = read_card(weights)
        self._verification = Verification(card, VERIFIED_PAIR)
        self._fusion = self._verification.fusion
        self._threshold = Calibration.from_json(card.calibration_for(PAIR)).threshold

    def align(self, first: Face, second: Face) -> AlignedPair | None:
        return aligned_pair(self._encoder, first, second)

    def evidence(self, pair: AlignedPair | None) -> tuple[float, float, float]:
        """Distance, logit, and the part of the frame that both show."""
        if pair is None:
            return float("nan"), float("nan"), float("nan")
        seen = pair.described
        descriptors = quantised(seen.descriptors, seen.reliability)
        first, second = (descriptors.take(np.array([row])) for row in (0, 1))
        logit, shared = self._verification.scorer.score(first, second)
        distance = float(unit_distance(seen.vectors[0] @ seen.vectors[1]))
        return distance, float(logit[0]), float(shared[0])

    def compared(self, pair: Pair) -> bool:
        """Whether enough is seen of both faces."""
        return bool(pair.shared >= self._fusion.least_shared)

    def score(self, pair: Pair) -> float:
        return float(self._fusion.score(np.array(pair.distance), np.array(pair.logit)))

    def probability(self, pair: Pair, kinds: TwoKinds | None) -> float:
        """Of one die, at even prior. Without ``kinds`` the score is taken as it was learned."""
        if not self.compared(pair):
            return PRIOR
        if kinds is None:
            ratio = self._fusion.log_likelihood_ratio(np.array(pair.distance), np.array(pair.logit))
            return float(probability(float(ratio), PRIOR))
        seen = pair.logit, pair.shared, pair.distance
        return verified_verdict(self._fusion, kinds, *seen, self._threshold, PRIOR).probability


@dataclass(frozen=True, eq=False)
class Collection:
    """One side of a collection; ``coins`` names the coin of each face."""

    domain: str
    side: Side
    faces: Faces
    coins: Sequence[str]


def minted(given: argparse.Namespace) -> Iterator[list[Collection]]:
    """The mint's collections, those of a difficulty together."""
    cache = Cache(given.cache, given.weights, keep_stale=given.keep_stale)
    for difficulty in given.difficulty if given.types else ():
        found = []
        for order in orders(given.types, [given.coins], [difficulty], given.sides, given.split):
            faces, _ = cache.rendered(order)
            coins = [str(row) for row in range(len(faces))]
            found.append(Collection(f"mint {difficulty}", order.side, faces, coins))
        yield found


def photographed(folder: Path) -> Iterator[Collection]:
    """The labelled sides of a folder of photographs."""
    for side, (faces, coins) in read_real(folder).items():
        yield Collection(folder.resolve().name, side, faces, coins)


@dataclass(frozen=True, eq=False)
class Question:
    """Two faces, each given by its collection and its position there."""

    kind: str
    first: tuple[Faces, int]
    second: tuple[Faces, int]

    def faces(self, side: Side) -> tuple[Face, Face]:
        one, other = (whole.records(side)[row] for whole, row in (self.first, self.second))
        return one, other


def chosen(own: Collection, others: Sequence[Collection], pairs: int) -> list[Question]:
    """The pairs of one collection; ``others`` are of its side and of other types."""
    rng = np.random.default_rng(0)
    faces, die, coin = own.faces, own.faces.die, np.asarray(own.coins)
    first, second = np.triu_indices(len(faces), 1)
    known = (die[first] >= 0) & (die[second] >= 0) & (coin[first] != coin[second])
    same = die[first] == die[second]
    found = [
        Question(kind, (faces, int(first[row])), (faces, int(second[row])))
        for kind, rows, most in ((ONE_DIE, same, pairs), (TWO_DIES, ~same, 2 * pairs))
        for row in rng.permutation(np.flatnonzero(rows & known))[:most]
    ]
    for _ in range(pairs // 3 if others else 0):
        theirs = others[int(rng.integers(len(others)))].faces
        here, there = int(rng.integers(len(faces))), int(rng.integers(len(theirs)))
        found.append(Question(TWO_TYPES, (faces, here), (theirs, there)))
    return found


def seen(judge: Judge, own: Collection, questions: Sequence[Question], peer: bool) -> list[Pair]:
    """What is seen of pairs of a collection."""
    matcher = load_matcher("xfeat") if peer else None
    found = []
    for each in questions:
        faces = each.faces(own.side)
        matches = None
        if matcher is not None:
            matches = int(matcher.score(*matcher.describe([face.picture for face in faces])))
        began = time.process_time()
        pair = judge.align(*faces)
        evidence = judge.evidence(pair)
        spent = time.process_time() - began
        apart = float("nan")
        if each.kind == ONE_DIE and np.isfinite(own.faces.homography).all():
            rows = each.first[1], each.second[1]
            apart = np.inf if pair is None else pair_displacement(own.faces, *rows, *pair.places)
        found.append(Pair(own.domain, each.kind, *evidence, spent, apart, matches))
    return found


def lying(judge: Judge, pairs: Sequence[Pair]) -> TwoKinds | None:
    """How the scores of a domain lie; None where too few pairs tell."""
    told = [each for each in pairs if each.kind != TWO_TYPES and judge.compared(each)]
    same = np.array([each.kind == ONE_DIE for each in told], bool)
    if min(same.sum(), (~same).sum()) < FEWEST:
        return None
    return kinds_of_known(np.array([judge.score(each) for each in told]), same)


def widened(domains: Sequence[TwoKinds]) -> TwoKinds:
    """How scores lie in a further domain: means over domains, the deviations wider by how far the
    domains lie from each other and their means from the truth (as a prediction interval is)."""

    def of(name: str) -> np.ndarray:
        return np.array([getattr(each, name) for each in domains])

    further = 1.0 + 1.0 / len(domains)
    apart = {name: float(of(name).var()) * further for name in ("centre", "place")}

    def deviation(name: str, middle: str) -> float:
        return float(np.sqrt((of(name) ** 2).mean() + apart[middle]))

    return TwoKinds(
        centre=float(of("centre").mean()),
        left=deviation("left", "centre"),
        right=deviation("right", "centre"),
        place=float(of("place").mean()),
        width=deviation("width", "place"),
    )


def called(p: np.ndarray, same: Flags) -> dict[str, float]:
    """What came of pairs of probability ``p`` ``(m,)``, both kinds counting alike."""
    verdict = np.array([verdict_of(float(each)) for each in p])
    weight = np.where(same, 0.5 / max(same.sum(), 1), 0.5 / max((~same).sum(), 1))
    decided = verdict != "cannot tell"
    wrong = decided & ((verdict == "same") != same)
    part = float(weight @ decided)
    return {
        "decided": part,
        "wrong": float(weight @ wrong) / part if part else 0.0,
        "cannot_tell": 1.0 - part,
    }


def figures(judge: Judge, pairs: Sequence[Pair], others: TwoKinds | None) -> dict[str, Any]:
    """The figures of one domain; ``others``: the constants of all others, where there are any."""
    of_type = [each for each in pairs if each.kind != TWO_TYPES]
    same = np.array([each.kind == ONE_DIE for each in of_type])
    ways = {LEARNED: None, SHIPPED_KINDS: TWO_FILES, **({} if others is None else {OTHERS: others})}
    told = {name: _probabilities(judge, of_type, kinds) for name, kinds in ways.items()}
    score = np.array([judge.score(each) if judge.compared(each) else np.nan for each in of_type])
    found: dict[str, Any] = {
        "pairs": {ONE_DIE: int(same.sum()), TWO_DIES: int((~same).sum())},
        "compared": int(np.isfinite(score).sum()),
        "median": {ONE_DIE: _median(score[same]), TWO_DIES: _median(score[~same])},
        "auc": roc_auc(told[SHIPPED_KINDS], same),
        "ways": {name: called(p, same) for name, p in told.items()},
        "seconds_a_pair": float(np.mean([each.seconds for each in pairs])),
    }
    apart = np.array([each.apart for each in of_type])
    if not np.isnan(apart).all():
        found["one_die_aligned_right"] = float((apart[~np.isnan(apart)] < RIGHT).mean())
    strangers = [each for each in pairs if each.kind == TWO_TYPES]
    if strangers:
        verdicts = [verdict_of(p) for p in _probabilities(judge, strangers, TWO_FILES).tolist()]
        found["two_types_called"] = {
            name: verdicts.count(name) / len(verdicts)  # type: ignore[arg-type]
            for name in ("same", "different")
        }
    if of_type[0].matches is not None:
        matches = np.array([each.matches for each in of_type], np.float64)
        found["auc_peer"] = roc_auc(matches, same)
    return found


def _probabilities(judge: Judge, pairs: Sequence[Pair], kinds: TwoKinds | None) -> np.ndarray:
    return np.array([judge.probability(each, kinds) for each in pairs])


def _median(score: np.ndarray) -> float:
    return float(np.nanmedian(score)) if np.isfinite(score).any() else float("nan")


def report(judge: Judge, pairs: Sequence[Pair]) -> dict[str, Any]:
    """The figures of all domains, and the constants that they give."""
    by: dict[str, list[Pair]] = {}
    for each in pairs:
        by.setdefault(each.domain, []).append(each)
    by = {name: of for name, of in by.items() if {ONE_DIE, TWO_DIES} <= {one.kind for one in of}}
    kinds = {name: found for name, of in by.items() if (found := lying(judge, of)) is not None}

    def without(domain: str | None) -> TwoKinds | None:
        rest = [found for name, found in kinds.items() if name != domain]
        return widened(rest) if len(rest) > 1 else None

    return {
        "domains": {name: figures(judge, of, without(name)) for name, of in by.items()},
        "lying": {name: _plain(found) for name, found in kinds.items()},
        "constants": _plain(without(None)),
    }


def _plain(kinds: TwoKinds | None) -> dict[str, float] | None:
    if kinds is None:
        return None
    return {name: asdict(kinds)[name] for name in ("centre", "left", "right", "place", "width")}


def table(found: Mapping[str, Any]) -> str:
    """The report as lines."""
    domains = found["domains"]
    ways = [way for way in (LEARNED, SHIPPED_KINDS, OTHERS) if _of(domains, way, "decided")]
    lines = [
        f"{'':16}{'pairs':>7}{'two dies':>10}{'one die':>9}"
        + "".join(f" | {way:>8} {'decided':>7} {'wrong':>6} {'cannot':>6}" for way in ways)
    ]
    for name, row in domains.items():
        lines.append(
            f"{name:16}{sum(row['pairs'].values()):7}{row['median'][TWO_DIES]:10.1f}"
            f"{row['median'][ONE_DIE]:9.1f}"
            + "".join(_cells(list(row["ways"].get(way, {}).values())) for way in ways)
        )
    means = (
        [float(np.mean(_of(domains, way, name))) for name in ("decided", "wrong", "cannot_tell")]
        for way in ways
    )
    lines.append(f"{'mean':42}" + "".join(_cells(each) for each in means))
    for name, values in (("as measured", found["constants"]), ("as shipped", _plain(TWO_FILES))):
        told = ", ".join(f"{key} {value:.2f}" for key, value in (values or {}).items())
        lines.append(f"constants {name}: {told}")
    return "\n".join(lines)


def _of(domains: Mapping[str, Any], way: str, name: str) -> list[float]:
    return [row["ways"][way][name] for row in domains.values() if way in row["ways"]]


def _cells(values: Sequence[float]) -> str:
    if not values:
        return f" | {'':30}"
    decided, wrong, cannot = values
    return f" | {'':8} {decided:7.3f} {wrong:6.3f} {cannot:6.3f}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--weights", type=Path, default=SHIPPED)
    parser.add_argument("--collection", type=Path, action="append", default=[], metavar="DIR")
    parser.add_argument("--types", type=int, default=5, help="0: no collection of the mint")
    parser.add_argument("--pairs", type=int, default=15, help="of one die, a side at the most")
    parser.add_argument("--coins", type=int, default=91)
    parser.add_argument("--difficulty", nargs="+", default=["easy", "medium", "hard"])
    parser.add_argument("--sides", default="alternate", choices=("alternate", "both", *SIDES))
    parser.add_argument("--split", default="validation", choices=("test", "validation"))
    parser.add_argument("--peer", action="store_true", help="ask the peer as well")
    parser.add_argument("--cache", type=Path, default=Path("runs/encoder"))
    parser.add_argument("--keep-stale", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/compare.json"))
    given = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    judge = Judge(given.weights)
    pairs: list[Pair] = []
    groups = ([own] for folder in given.collection for own in photographed(folder))
    for group in chain(groups, minted(given)):
        for own in group:
            others = [one for one in group if one is not own and one.side == own.side]
            pairs += seen(judge, own, chosen(own, others, given.pairs), given.peer)
    found = report(judge, pairs)
    print(table(found))
    settings = {
        "weights": read_card(given.weights).version,
        "collections": [folder.resolve().name for folder in given.collection],
        **{name: getattr(given, name) for name in ("types", "pairs", "coins", "sides", "split")},
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps({**settings, **found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
