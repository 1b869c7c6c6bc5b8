"""Fit what a distance means, on types of the mint that nothing was trained on, into a weights file.

    python -m dieindex.training.calibrate WEIGHTS [--types 9] [--out FILE]

Two calibrations are fitted, on faces as the real alignment lays them: ``index`` for vectors less
the mean of their frame (``encoder.competition``), ``pair`` for two files alone, laid on each other,
with nothing taken off. Only pairs of one type are counted, since to tell dies of one type apart is
the whole problem; every type weighs alike, in easy, medium and hard photographs.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from dieindex.encoder.encode import Encoder
from dieindex.errors import EncoderError
from dieindex.records import FACE_SIZE, FLAN_RADIUS, SIDES, Circle, Face, Flan, Vectors

PRIOR = 0.5
"""The prior at which the thresholds are meant: both answers alike."""
DIES, STRIKES = 24, 3
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
    """Both calibrations and the prior, as a weights file carries them.

    Raises EncoderError where ``weights`` is no weights file, ValueError where nothing was aligned.
    """
    from dieindex.verification.verdicts import fit_calibration

    index, pair = measure(weights, types)
    fitted = {
        use: json.loads(fit_calibration(found.same, found.different).to_json())
        for use, found in (("index", index), ("pair", pair))
    }
    return {**fitted, "prior": PRIOR}


def measure(weights: Path, types: int) -> tuple[Distances, Distances]:
    """Distances within validation types, as an index has them and as two files have them."""
    import torch

    from dieindex.mint.difficulty import DIFFICULTIES
    from dieindex.mint.stream import VALIDATION_TYPES

    torch.set_num_threads(1)
    encoder = Encoder.load(weights, "cpu")
    index, pair = Distances(), Distances()
    names = list(DIFFICULTIES)
    for number in range(types):
        kind = VALIDATION_TYPES[-1 - number]
        faces, die = render_type(kind, names[number % len(names)])
        _add_index(index, encoder, faces, die)
        _add_pairs(pair, encoder, faces, die, number)
        print(f"type {number + 1} of {types}: {len(index.same)} pairs of one die", flush=True)
    return index, pair


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


def _add_index(into: Distances, encoder: Encoder, faces: list[Face], die: np.ndarray) -> None:
    """All pairs of a type's faces on one frame, the frame's mean taken off."""
    from dieindex.alignment.align import align_faces
    from dieindex.encoder.competition import frame_mean, less_means

    found = align_faces(faces)
    lying = [i for i, each in enumerate(found.faces) if each.aligned]
    if len(lying) < 2:
        return
    frame = np.array([found.faces[i].type for i in lying])
    raw = encoder.encode([faces[i] for i in lying], [found.faces[i].to_frame for i in lying])
    means = {number: frame_mean(raw[frame == number]) for number in set(frame.tolist())}
    vectors = less_means(raw, frame, means)
    first, second = np.triu_indices(len(lying), 1)
    together = frame[first] == frame[second]
    first, second = first[together], second[together]
    own = die[lying]
    into.add(_distances(vectors[first], vectors[second]), own[first] == own[second])


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
