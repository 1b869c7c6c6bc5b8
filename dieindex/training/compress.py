"""Shorten the vector that keeps the layout by one linear map, fitted in closed form.

    python -m dieindex.training.compress runs/long/best.safetensors --out short.safetensors

A linear map trained with the network has to learn every place of the frame by itself and learns it
badly; fitted afterwards, it needs no gradient. It is Fisher's discriminant with shrinkage: strikes
of one die about their mean are the noise, faces of one type about the type's mean all there is.
Directions in which strikes of one die differ are shortened, then those are kept in which the faces
of a type differ most. The map becomes the network's last layer.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from dieindex.encoder.descriptors import DescriptorNetwork, load_descriptors
from dieindex.errors import TrainingError
from dieindex.files import written_beside
from dieindex.records import Floats, Ints
from dieindex.training.shards import read_shard, shard_files
from dieindex.training.validation import describe_shard

LENGTH = 1024
SHRINKAGE = 0.6


@dataclass
class Scatter:
    """Sums over faces of training types; ``d`` numbers a vector."""

    total: Floats
    """(d, d): of vectors about the mean of their type."""
    within: Floats
    """(d, d): of vectors about the mean of their die."""
    faces: int = 0
    pairs: int = 0
    """Degrees of freedom of ``within``."""

    @classmethod
    def empty(cls, length: int) -> Scatter:
        return cls(np.zeros((length, length)), np.zeros((length, length)))

    def add(self, vectors: Floats, die: Ints) -> None:
        """Add the faces of ONE type: ``vectors`` (n, d) of unit length, ``die`` (n,)."""
        about = vectors - vectors.mean(0)
        about /= np.linalg.norm(about, axis=1, keepdims=True).clip(1e-6)
        self.total += about.T @ about
        self.faces += len(about)
        _, of = np.unique(die, return_inverse=True)
        count = np.bincount(of)
        middle = np.zeros((len(count), about.shape[1]))
        np.add.at(middle, of, about)
        apart = about - (middle / count[:, None])[of]
        self.within += apart.T @ apart
        self.pairs += int((count - 1).sum())


def discriminant(scatter: Scatter, length: int, shrinkage: float = SHRINKAGE) -> Floats:
    """``(length, d)``: the map. Raises TrainingError where too few faces went in.

    ``shrinkage`` 0…1 mixes the noise's covariance with one that is alike in all directions.
    """
    d = len(scatter.total)
    if scatter.faces < 2 * length or scatter.pairs < length or not 0 < length <= d:
        raise TrainingError(
            f"{scatter.faces} faces are too few for a map from {d} to {length} numbers; "
            "render a larger pool."
        )
    within = scatter.within / scatter.pairs
    noise = (1 - shrinkage) * within + shrinkage * np.trace(within) / d * np.eye(d)
    values, directions = np.linalg.eigh(noise)
    whiten = directions / np.sqrt(values) @ directions.T
    _, kept = np.linalg.eigh(whiten @ (scatter.total / scatter.faces) @ whiten)
    found = kept[:, ::-1][:, :length].T @ whiten
    return np.asarray(found * np.sqrt(length) / np.linalg.norm(found))


def scatter_of(network: DescriptorNetwork, pool: Path, shards: int | None = None) -> Scatter:
    """The scatter of a pool's faces, each shard being of one type."""
    scatter = Scatter.empty(network.config.length)
    for path in shard_files(pool)[:shards]:
        shard = read_shard(path)
        described = describe_shard(network, shard, 0, amp=True)
        scatter.add(described.vectors.double().numpy(), shard.die)
    return scatter


def compress(weights: Path, pool: Path, out: Path, length: int = LENGTH) -> None:
    """Write ``weights`` with a last layer to ``length`` numbers; all else stays.

    Raises TrainingError where the vector is already the output of a linear map.
    """
    network = load_descriptors(weights)
    if network.config.dimension:
        raise TrainingError(f"{weights}: its vector has been shortened already.")
    mapped = discriminant(scatter_of(network, pool), length)
    with safe_open(str(weights), "pt") as stored:
        state = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        about = dict(stored.metadata() or {})
    state["encoder.project.weight"] = torch.from_numpy(mapped).half()
    about["config"] = json.dumps(asdict(replace(network.config, dimension=length)))
    with written_beside(out) as temporary:
        save_file(state, temporary, metadata=about)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("--pool", type=Path, default=Path("runs/pool"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--length", type=int, default=LENGTH)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    compress(given.weights, given.pool, given.out, given.length)


if __name__ == "__main__":
    main()
