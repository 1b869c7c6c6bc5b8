"""Fit what a distance means, on types of the mint that nothing was trained on, into a weights file.

    python -m dieindex.training.calibrate WEIGHTS [--types 9] [--out FILE]

Two calibrations are fitted, on faces as a build aligns and refines them: ``index`` for vectors less
what their type shares (``encoder.competition``), ``pair`` for two files alone, aligned to each
other, with nothing taken off. Where the weights carry a comparator, so are two fusions,
``verified`` and ``verified_pair``: how its logit and the distance are weighed together; and
``displacement``: how far apart details of two dies lie by it.
``type_radius`` is the distance within which few faces of different types lie. Only pairs of one
type are counted, since to tell dies of one type apart is the whole problem; types in easy, medium
and hard photographs, and the two sides, take turns. Each is a collection as the mint plans them:
some dies of many coins, and many of one.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from dieindex.alignment.align import align_faces
from dieindex.alignment.exemplars import TypeMean
from dieindex.calibration.distance import fit_calibration
from dieindex.calibration.fusion import VERIFIED, VERIFIED_PAIR, Fusion
from dieindex.calibration.fusion_fit import FusedPairs, fit_fusion
from dieindex.encoder.competition import frames_less_shared
from dieindex.encoder.dense import DenseDescriptors, quantised
from dieindex.encoder.encode import Encoder
from dieindex.encoder.pairs import aligned_pair
from dieindex.encoder.refine_faces import refine_faces
from dieindex.errors import EncoderError
from dieindex.files import written_beside
from dieindex.mint.difficulty import DIFFICULTIES
from dieindex.mint.order import VALIDATION_TYPES, CollectionOrder
from dieindex.mint.plan import make_plan
from dieindex.mint.store import DieStore
from dieindex.numeric import unit_distance
from dieindex.records import SIDES, Face, Flags, Floats, Ints, Matrix, Vectors
from dieindex.training.rendered import DIES_A_COIN, render_faces
from dieindex.verification.agreement import (
    SCALE,
    Displaced,
    DisplacementScale,
    displaced,
    fit_scale,
)
from dieindex.verification.scorer import PairScorer, has_comparator

_log = logging.getLogger(__name__)

PRIOR = 0.5
"""The prior at which the thresholds are meant: both answers alike."""
COINS = 91
FOREIGN = 0.25
"""Share of the pairs of different types that pass for one type. (The better an encoder tells dies
apart, the less can it tell by distance which are of one type. Too small a share costs much: worn
faces then compete with their own die alone. Too large a one costs little: the mean of six types on
one frame is near none of them. Table in ``docs/research/model.md``.)"""
PAIRS_A_TYPE = 60
"""Pairs of either kind that are aligned to each other as two files, a type."""
DISPLACED_A_TYPE = 25
"""Pairs of either kind, a type, from which it is measured what a displacement says."""
FEWEST_FUSED = 20
"""Faces that a frame must hold for its pairs to have a say in how evidence is weighed."""
SEED = 4242
"""Not that of the faces which training is validated on."""


@dataclass
class Distances:
    """Distances (0…2) of pairs of one die and of pairs of different dies of one type."""

    same: list[float] = field(default_factory=list)
    different: list[float] = field(default_factory=list)

    logits: dict[bool, list[float]] = field(default_factory=lambda: {True: [], False: []})
    """The comparator's, of the same pairs, where there is one; by whether they are of one die."""
    shared: list[float] = field(default_factory=list)

    def add(self, distance: Floats, same: Flags) -> None:
        self.same += distance[same].tolist()
        self.different += distance[~same].tolist()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("weights", type=Path, help="a file that training wrote")
    parser.add_argument("--types", type=int, default=9, help="types, shared among difficulties")
    parser.add_argument("--out", type=Path, help="where to write [default: into WEIGHTS]")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    calibration = calibrate(given.weights, given.types)
    write_calibration(given.weights, calibration, given.out or given.weights)
    for use in ("index", "pair"):
        each = calibration[use]
        ratios = each["log_likelihood_ratios"]
        print(
            f"{use}: {each['same_pairs']} pairs of one die, {each['different_pairs']} of two; "
            f"threshold {each['threshold']:.3f}, ratios {ratios[0]:.2f} to {ratios[-1]:.2f}"
        )
    for use in (VERIFIED, VERIFIED_PAIR):
        if use in calibration:
            each = calibration[use]
            print(f"{use}: {each['logit']:.2f} a unit of logit, {each['distance']:.2f} of distance")
    print(f"written into {given.out or given.weights}")


def calibrate(weights: Path, types: int = 9) -> dict[str, Any]:
    """Both calibrations, the type radius and the prior, as a weights file carries them.

    Raises EncoderError where ``weights`` is no weights file, ValueError for fewer than two types or
    where nothing was aligned.
    """
    torch.set_num_threads(1)
    encoder = Encoder.load(weights, "cpu")
    scorer = PairScorer(weights) if has_comparator(weights) else None
    names = list(DIFFICULTIES)
    pair = Distances()
    aligned: list[AlignedType] = []
    for number in range(types):
        kind = VALIDATION_TYPES[-1 - number]
        faces, die = render_type(kind, names[number % len(names)])
        aligned.append(align_type(encoder, faces, die))
        _add_pairs(pair, encoder, faces, die, number, scorer)
        _log.info(
            f"type {number + 1} of {types}: {len(aligned[-1].die)} of {len(die)} faces aligned"
        )
    radius = _radius(aligned)
    refined = [refine_type(encoder, each, radius) for each in aligned]
    return fit_calibrations([describe_type(encoder, each) for each in refined], pair, scorer)


def _radius(aligned: Sequence[AlignedType]) -> float:
    return type_radius([each.raw for each in aligned])


def fit_calibrations(
    aligned: Sequence[AlignedType], pair: Distances, scorer: PairScorer | None = None
) -> dict[str, Any]:
    """What was measured, as a weights file carries it; the fusions with ``scorer`` alone."""
    radius = _radius(aligned)
    index = Distances()
    judged: list[FusedPairs] = []
    for each in aligned:
        _add_index(index, judged, each, radius, scorer)
    found: dict[str, Any] = {
        use: json.loads(fit_calibration(kind.same, kind.different).to_json())
        for use, kind in (("index", index), ("pair", pair))
    }
    if scorer is not None:
        found[SCALE] = asdict(_scale(aligned, scorer))
        found[VERIFIED] = json.loads(fit_fusion(judged).to_json())
        found[VERIFIED_PAIR] = json.loads(_fused_pairs(pair).to_json())
    return {**found, "type_radius": radius, "prior": PRIOR}


def _scale(aligned: Sequence[AlignedType], scorer: PairScorer) -> DisplacementScale:
    """What a displacement says, from some pairs of either kind of each type."""
    kinds: dict[bool, list[Displaced]] = {True: [], False: []}
    for seed, each in enumerate(aligned):
        if each.dense is None:
            continue
        first, second = np.triu_indices(len(each.die), 1)
        on_one = each.frame[first] == each.frame[second]
        same = each.die[first] == each.die[second]
        order = np.random.default_rng(seed).permutation(len(first))
        for kind, pairs in kinds.items():
            for row in order[(on_one & (same == kind))[order]][:DISPLACED_A_TYPE]:
                one, other = each.dense.take([first[row]]), each.dense.take([second[row]])
                pairs.append(displaced(scorer, one, other))
    return fit_scale(kinds[True], kinds[False])


def _fused_pairs(pair: Distances) -> Fusion:
    """The fusion of two files alone, of which nothing else is known."""
    pairs = FusedPairs(
        distance=np.array(pair.same + pair.different),
        logit=np.array(pair.logits[True] + pair.logits[False]),
        shared=np.array(pair.shared),
        same=np.repeat([True, False], [len(pair.same), len(pair.different)]),
    )
    return fit_fusion([pairs])


def type_radius(raw: Sequence[Vectors]) -> float:
    """The distance within which ``FOREIGN`` of the pairs of different types lie.

    ``raw`` are the vectors ``(n, dimension)`` of each type's faces, two types at least.
    """
    distances = [unit_distance(a.astype(np.float64) @ b.T).ravel() for a, b in combinations(raw, 2)]
    if not distances:
        raise ValueError("faces of at least two types are needed")
    return float(np.quantile(np.concatenate(distances), FOREIGN))


def render_type(kind: int, difficulty: str) -> tuple[list[Face], Ints]:
    """Faces of a collection of one type, and the die of each ``(n,)``."""
    side = SIDES[kind % 2]
    dies = {each: max(2, round(COINS * DIES_A_COIN[each])) for each in SIDES}
    order = CollectionOrder(
        coins=COINS,
        obverse_dies=dies[SIDES[0]],
        reverse_dies=dies[SIDES[1]],
        difficulty=difficulty,
        seed=SEED + kind,
    )
    plan = replace(make_plan(order), type_seeds=dict.fromkeys(SIDES, (kind,)))
    faces = render_faces(plan, side, difficulty, DieStore())
    return faces.records(side), faces.die


@dataclass(frozen=True, eq=False)
class AlignedType:
    """The faces of one type that were aligned."""

    raw: Vectors
    """(n, dimension): unit vectors."""
    frame: Ints
    """(n,): the frame each lies on; a type is sometimes found in parts."""
    die: Ints
    """(n,)."""
    faces: Sequence[Face] = ()
    places: Sequence[Matrix] = ()
    """(3, 3) each: pixels of the face to pixels of its frame."""
    means: Mapping[int, TypeMean] = field(default_factory=dict)
    """The mean of each frame."""
    dense: DenseDescriptors | None = None
    """What verification sees of them."""


def align_type(encoder: Encoder, faces: Sequence[Face], die: Ints) -> AlignedType:
    """Align the faces of a type and encode those that lie on a frame."""
    found = align_faces(faces, vectorise=partial(encoder.encode, fill=True))
    lying = [i for i, each in enumerate(found.faces) if each.aligned]
    kept, places = [faces[i] for i in lying], [found.faces[i].to_frame for i in lying]
    frame = np.array([found.faces[i].type for i in lying], dtype=np.int64)
    means = {number: each.mean() for number, each in enumerate(found.frames)}
    return AlignedType(encoder.encode(kept, places), frame, die[lying], kept, places, means)


def refine_type(encoder: Encoder, aligned: AlignedType, radius: float) -> AlignedType:
    """The faces of a type refined on those most like them, as a build refines them."""
    places, raw = refine_faces(
        encoder, aligned.faces, aligned.places, aligned.frame.tolist(), aligned.means, radius
    )
    return replace(aligned, raw=raw, places=[place for place in places if place is not None])


def describe_type(encoder: Encoder, aligned: AlignedType) -> AlignedType:
    """The faces of a type with their dense descriptors where they lie."""
    described = encoder.describe(aligned.faces, aligned.places)
    return replace(aligned, dense=quantised(described.descriptors, described.reliability))


def _add_index(
    into: Distances,
    judged: list[FusedPairs],
    aligned: AlignedType,
    radius: float,
    scorer: PairScorer | None,
) -> None:
    """All pairs of a type's faces on one frame, what they share taken off; with ``scorer`` also
    compared in detail."""
    every = frames_less_shared(aligned.raw, aligned.frame, radius)
    for number in np.unique(aligned.frame):
        rows = np.flatnonzero(aligned.frame == number)
        vectors, die = every[rows], aligned.die[rows]
        first, second = np.triu_indices(len(rows), 1)
        distance, same = _distances(vectors[first], vectors[second]), die[first] == die[second]
        into.add(distance, same)
        if scorer is not None and aligned.dense is not None and len(rows) >= FEWEST_FUSED:
            logit, shared = scorer.score_among(aligned.dense.take(rows), first, second)
            judged.append(FusedPairs(distance, logit, shared, same))


def _add_pairs(
    into: Distances,
    encoder: Encoder,
    faces: list[Face],
    die: Ints,
    seed: int,
    scorer: PairScorer | None,
) -> None:
    """Some pairs of either kind, aligned to each other as two files are."""
    rng = np.random.default_rng(seed)
    first, second = np.triu_indices(len(faces), 1)
    same = die[first] == die[second]
    for kind in (same, ~same):
        for row in rng.permutation(np.flatnonzero(kind))[:PAIRS_A_TYPE]:
            pair = aligned_pair(encoder, faces[first[row]], faces[second[row]])
            if pair is None:
                continue
            seen = pair.described
            into.add(_distances(seen.vectors[:1], seen.vectors[1:]), same[row : row + 1])
            if scorer is not None:
                dense = quantised(seen.descriptors, seen.reliability)
                logit, shared = scorer.score(dense.take([0]), dense.take([1]))
                into.logits[bool(same[row])].append(float(logit[0]))
                into.shared.append(float(shared[0]))


def _distances(first: Vectors, second: Vectors) -> Floats:
    return unit_distance((first.astype(np.float64) * second).sum(1))


def write_calibration(weights: Path, calibration: dict[str, Any], out: Path) -> None:
    """Write a copy of a weights file that carries this calibration; its tensors stay as they are.

    Raises EncoderError where ``weights`` is no weights file.
    """
    try:
        with safe_open(str(weights), "pt") as stored:
            about = dict(stored.metadata() or {})
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise EncoderError(f"{weights}: not a weights file ({error}).") from error
    about["calibration"] = json.dumps(calibration)
    about["threshold"] = repr(calibration["index"]["threshold"])
    with written_beside(out) as temporary:
        save_file(tensors, temporary, metadata=about)


if __name__ == "__main__":
    main()
