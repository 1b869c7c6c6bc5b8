"""Fit what a distance means, on types of the mint that nothing was trained on, into a weights file.

    python -m dieindex.training.calibrate WEIGHTS [--types 9] [--out FILE]

Two calibrations are fitted, on faces as a build lays and settles them: ``index`` for vectors less
what their type shares (``encoder.competition``), ``pair`` for two files alone, laid on each other,
with nothing taken off. ``type_radius`` is the distance within which few faces of different
types lie. Only pairs of one type are counted, since to tell dies of one type apart is the
whole problem; types in easy, medium and hard photographs take turns.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dieindex.encoder.encode import Encoder
from dieindex.errors import EncoderError
from dieindex.records import FACE_SIZE, FLAN_RADIUS, SIDES, Circle, Face, Flan, Vectors

if TYPE_CHECKING:
    from dieindex.alignment.finish import Ground

PRIOR = 0.5
"""The prior at which the thresholds are meant: both answers alike."""
DIES, STRIKES = 24, 3
FOREIGN = 0.05
"""Share of the pairs of different types that pass for one type. (At 0.01 faces of worn types hardly
compete but with those of their own die: average precision on one collection 0.49 instead of 0.62.
Without a radius, in frames of five types, half of the different dies of one type pass for one.)"""
PAIRS_A_TYPE = 60
"""Pairs of either kind that are laid on each other as two files, a type."""
SEED = 4242
"""Not that of the faces which training is validated on."""


@dataclass
class Distances:
    """Distances (0…2) of pairs of one die and of pairs of different dies of one type."""

    same: list[float] = field(default_factory=list)
    different: list[float] = field(default_factory=list)

    def add(self, distance: np.ndarray, same: np.ndarray) -> None:
        self.same += distance[same].tolist()
        self.different += distance[~same].tolist()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("weights", type=Path, help="a file that training wrote")
    parser.add_argument("--types", type=int, default=9, help="types, shared among difficulties")
    parser.add_argument("--out", type=Path, help="where to write [default: into WEIGHTS]")
    given = parser.parse_args(arguments)
    calibration = calibrate(given.weights, given.types)
    write_calibration(given.weights, calibration, given.out or given.weights)
    for use in ("index", "pair"):
        each = calibration[use]
        ratios = each["log_likelihood_ratios"]
        print(
            f"{use}: {each['same_pairs']} pairs of one die, {each['different_pairs']} of two; "
            f"threshold {each['threshold']:.3f}, ratios {ratios[0]:.2f} to {ratios[-1]:.2f}"
        )
    print(f"written into {given.out or given.weights}")


def calibrate(weights: Path, types: int = 9) -> dict:
    """Both calibrations, the type radius and the prior, as a weights file carries them.

    Raises EncoderError where ``weights`` is no weights file, ValueError for fewer than two types or
    where nothing was aligned.
    """
    import torch

    from dieindex.mint.difficulty import DIFFICULTIES
    from dieindex.mint.stream import VALIDATION_TYPES

    torch.set_num_threads(1)
    encoder = Encoder.load(weights, "cpu")
    names = list(DIFFICULTIES)
    pair = Distances()
    laid: list[LaidType] = []
    for number in range(types):
        kind = VALIDATION_TYPES[-1 - number]
        faces, die = render_type(kind, names[number % len(names)])
        laid.append(lay_type(encoder, faces, die))
        _add_pairs(pair, encoder, faces, die, number)
        print(f"type {number + 1} of {types}: {len(laid[-1].die)} of {len(die)} faces aligned")
    radius = type_radius([each.raw for each in laid])
    return fitted([settle_type(encoder, each, radius) for each in laid], pair)


def fitted(laid: Sequence[LaidType], pair: Distances) -> dict:
    """What was measured, as a weights file carries it."""
    from dieindex.verification.verdicts import fit_calibration

    radius = type_radius([each.raw for each in laid])
    index = Distances()
    for each in laid:
        _add_index(index, each, radius)
    calibrations = {
        use: json.loads(fit_calibration(found.same, found.different).to_json())
        for use, found in (("index", index), ("pair", pair))
    }
    return {**calibrations, "type_radius": radius, "prior": PRIOR}


def type_radius(raw: Sequence[Vectors]) -> float:
    """The distance within which ``FOREIGN`` of the pairs of different types lie.

    ``raw`` are the vectors ``(n, dimension)`` of each type's faces, two types at least.
    """
    distances = [
        np.sqrt(np.clip(2 - 2 * (a.astype(np.float64) @ b.T), 0, 4)).ravel()
        for a, b in combinations(raw, 2)
    ]
    if not distances:
        raise ValueError("faces of at least two types are needed")
    return float(np.quantile(np.concatenate(distances), FOREIGN))


def render_type(kind: int, difficulty: str) -> tuple[list[Face], np.ndarray]:
    """Faces of one type, and the die of each ``(n,)``."""
    from dieindex.mint.stream import MintStream
    from dieindex.training.pool import SHARD_SETTINGS

    settings = replace(
        SHARD_SETTINGS,
        dies_per_type=DIES,
        dies_in_type=DIES,
        strikes_per_die=STRIKES,
        difficulty=difficulty,
    )
    batch = MintStream(SEED, None, range(kind, kind + 1), settings, capacity=DIES).batch(0)
    flan = Flan(Circle((FACE_SIZE - 1) / 2, (FACE_SIZE - 1) / 2, FLAN_RADIUS * FACE_SIZE), 1, True)
    pictures = batch.pictures.permute(0, 2, 3, 1).cpu().numpy()
    faces = [
        Face(SIDES[0], np.ascontiguousarray(picture), mask, flan)
        for picture, mask in zip(pictures, batch.mask.cpu().numpy(), strict=True)
    ]
    return faces, batch.die.cpu().numpy()


@dataclass(frozen=True, eq=False)
class LaidType:
    """The faces of one type that were aligned."""

    raw: Vectors
    """(n, dimension): unit vectors."""
    frame: np.ndarray
    """(n,): the frame each lies on; a type is sometimes found in parts."""
    die: np.ndarray
    """(n,)."""
    faces: Sequence[Face] = ()
    places: Sequence[np.ndarray] = ()
    """(3, 3) each: pixels of the face to pixels of its frame."""
    grounds: Mapping[int, Ground] = field(default_factory=dict)
    """The mean of each frame."""


def lay_type(encoder: Encoder, faces: Sequence[Face], die: np.ndarray) -> LaidType:
    """Align the faces of a type and encode those that lie on a frame."""
    from dieindex.alignment.align import align_faces

    found = align_faces(faces)
    lying = [i for i, each in enumerate(found.faces) if each.aligned]
    kept, places = [faces[i] for i in lying], [found.faces[i].to_frame for i in lying]
    frame = np.array([found.faces[i].type for i in lying], dtype=np.int64)
    grounds = {number: each.ground() for number, each in enumerate(found.frames)}
    return LaidType(encoder.encode(kept, places), frame, die[lying], kept, places, grounds)


def settle_type(encoder: Encoder, laid: LaidType, radius: float) -> LaidType:
    """The faces of a type settled on those most like them, as a build settles them."""
    from dieindex.encoder.likest import settled

    places, raw = settled(
        encoder, laid.faces, laid.places, laid.frame.tolist(), laid.grounds, radius
    )
    return replace(laid, raw=raw, places=[place for place in places if place is not None])


def _add_index(into: Distances, laid: LaidType, radius: float) -> None:
    """All pairs of a type's faces on one frame, what they share taken off."""
    from dieindex.encoder.competition import competitors_of, less_shared

    for number in np.unique(laid.frame):
        raw, die = laid.raw[laid.frame == number], laid.die[laid.frame == number]
        competitors = competitors_of(raw)
        vectors = np.stack([less_shared(each, competitors, radius) for each in raw])
        first, second = np.triu_indices(len(raw), 1)
        into.add(_distances(vectors[first], vectors[second]), die[first] == die[second])


def _add_pairs(
    into: Distances, encoder: Encoder, faces: list[Face], die: np.ndarray, seed: int
) -> None:
    """Some pairs of either kind, each laid on each other as two files are."""
    from dieindex.encoder.encode import pair_places

    rng = np.random.default_rng(seed)
    first, second = np.triu_indices(len(faces), 1)
    same = die[first] == die[second]
    for kind in (same, ~same):
        for row in rng.permutation(np.flatnonzero(kind))[:PAIRS_A_TYPE]:
            a, b = faces[first[row]], faces[second[row]]
            alignment, place, other = pair_places(a, b)
            if alignment.aligned:
                vectors = encoder.encode([a, b], [place, other])
                into.add(_distances(vectors[:1], vectors[1:]), same[row : row + 1])


def _distances(first: Vectors, second: Vectors) -> np.ndarray:
    cosine = (first.astype(np.float64) * second).sum(1)
    return np.sqrt(np.clip(2 - 2 * cosine, 0, 4))


def write_calibration(weights: Path, calibration: dict, out: Path) -> None:
    """Write a copy of a weights file that carries this calibration; its tensors stay as they are.

    Raises EncoderError where ``weights`` is no weights file.
    """
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import save_file

    try:
        with safe_open(str(weights), "pt") as stored:
            about = dict(stored.metadata() or {})
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise EncoderError(f"{weights}: not a weights file ({error}).") from error
    about["calibration"] = json.dumps(calibration)
    about["threshold"] = repr(calibration["index"]["threshold"])
    part = out.with_name(f".{out.name}.{os.getpid()}")
    save_file(tensors, part, metadata=about)
    part.replace(out)


if __name__ == "__main__":
    main()
