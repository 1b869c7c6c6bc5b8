"""Vectors shortened by a map that knows what strikes of one die differ in."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from dieindex.encoder.descriptor_config import DescriptorConfig
from dieindex.encoder.descriptors import DescriptorNetwork, load_descriptors
from dieindex.encoder.module_files import save_modules
from dieindex.errors import TrainingError
from dieindex.training.compress import Scatter, compress, discriminant
from dieindex.training.shards import Shard, write_shard
from tests.test_training import made_shard

Floats = np.ndarray


def types_of_dies(seed: int, types: int = 30) -> list[tuple[Floats, Floats]]:
    """Vectors of 24 numbers: dies differ in the first eight, strikes of a die in the last eight."""
    rng = np.random.default_rng(seed)
    out = []
    for _ in range(types):
        die = np.repeat(np.arange(10), 4)
        own = np.zeros((40, 24))
        own[:, :8] = rng.standard_normal((10, 8))[die]
        own[:, 16:] = 2 * rng.standard_normal((40, 8))
        vectors = rng.standard_normal(24) * 3 + own + 0.1 * rng.standard_normal((40, 24))
        out.append((vectors / np.linalg.norm(vectors, axis=1, keepdims=True), die))
    return out


def nearest_is_mate(vectors: Floats, die: Floats) -> float:
    about = vectors - vectors.mean(0)
    about /= np.linalg.norm(about, axis=1, keepdims=True)
    likeness = about @ about.T - 2 * np.eye(len(die))
    return float((die[likeness.argmax(1)] == die).mean())


def test_the_map_keeps_what_tells_dies_apart_on_types_it_never_saw() -> None:
    scatter = Scatter.empty(24)
    for vectors, die in types_of_dies(0):
        scatter.add(vectors, die)
    mapped = discriminant(scatter, 8, shrinkage=0.1)
    assert mapped.shape == (8, 24)
    unseen = types_of_dies(1, types=5)
    before = np.mean([nearest_is_mate(v, d) for v, d in unseen])
    after = np.mean([nearest_is_mate(v @ mapped.T, d) for v, d in unseen])
    assert before < 0.7 < 0.95 < after


def test_too_few_faces_are_refused() -> None:
    scatter = Scatter.empty(24)
    scatter.add(*types_of_dies(0)[0])
    with pytest.raises(TrainingError, match="too few"):
        discriminant(scatter, 24)


def test_weights_come_out_shortened_and_else_unchanged(tmp_path: Path) -> None:
    config = DescriptorConfig(
        input_size=64, width=12, blocks=1, context=0, dimension=0, vector_channels=2
    )
    torch.manual_seed(0)
    network = DescriptorNetwork(config).eval()
    long, short = tmp_path / "long.safetensors", tmp_path / "short.safetensors"
    save_modules({"encoder": network}, long, {"config": json.dumps(asdict(config)), "step": "7"})
    pool = tmp_path / "pool"
    pool.mkdir()
    for seed in range(4):
        shard: Shard = made_shard(seed)
        write_shard(shard, pool / f"1-0-{seed:06d}.npz")
    compress(long, pool, short, 8)
    one, two = load_descriptors(long), load_descriptors(short)
    assert two.config.length == 8
    faces = torch.rand(2, 2, 64, 64)
    with torch.inference_mode():
        a, b = one(faces), two(faces)
    assert torch.equal(a.descriptors, b.descriptors)
    assert torch.allclose(two.project.weight @ a.raw.T, b.raw.T, atol=1e-5)
    with pytest.raises(TrainingError, match="already"):
        compress(short, pool, tmp_path / "again.safetensors", 4)
