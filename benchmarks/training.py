"""Dies of types never trained on: the trained network beside the shipped baseline encoder and plain
ones.

    python benchmarks/training.py --weights runs/first/best.safetensors

Faces are the fixed validation faces of a training run (rendered if missing): validation types of
the mint on the frames of the real alignment, 60 faces of 15 dies a type. All pairs within a type;
means over types, easy, medium and hard apart. ``--speed`` times the network on one thread instead.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from dieindex.encoder.baseline import BaselineEncoder
from dieindex.encoder.channels import light_channels
from dieindex.encoder.descriptors import Described, load_descriptors
from dieindex.encoder.module_files import load_module
from dieindex.records import SIDES, Circle, Face, Flan, Floats
from dieindex.training.augment import PLAIN, see
from dieindex.training.shards import Shard
from dieindex.training.train import score_lines
from dieindex.training.validation import (
    SEED,
    Scores,
    ValidationOrder,
    mean_scores,
    score,
    validate,
    validation_shards,
)
from dieindex.verification.comparator import Comparator

Way = Callable[[Shard, int], Floats]


def baseline_encoder() -> Way:
    """The baseline encoder. Its faces are framed as aligned ones, which flatters it: what it gets
    in a build is only centred."""
    encoder = BaselineEncoder(device="cpu")
    middle = Flan(Circle(0, 0, 1), 1.0, True)

    def way(shard: Shard, seed: int) -> Floats:
        seen = see(shard, PLAIN, torch.Generator().manual_seed(seed), 256)
        grey = (seen.faces[:, 0] * 255).byte().numpy()
        masks = seen.faces[:, 1].numpy() > 0.5
        faces = [
            Face(SIDES[0], np.repeat(g[..., None], 3, 2), m, middle)
            for g, m in zip(grey, masks, strict=True)
        ]
        vectors = encoder.encode(faces).astype(np.float64)
        return np.asarray(vectors @ vectors.T)

    return way


def plain_orientation(shard: Shard, seed: int) -> Floats:
    """Nothing learned: cosine of the orientation channels on the descriptors' grid, mean off."""
    seen = see(shard, PLAIN, torch.Generator().manual_seed(seed), 192)
    channels = light_channels(seen.faces[:, :1], seen.faces[:, 1:])[:, 1:4]
    flat = F.avg_pool2d(channels, 4).flatten(1)
    flat = F.normalize(flat - flat.mean(0), dim=1)
    return (flat @ flat.T).double().numpy()


def measure(way: Way, shards: dict[str, list[Shard]]) -> dict[str, Scores]:
    return {
        difficulty: mean_scores(
            [score(way(shard, SEED + i), shard.die) for i, shard in enumerate(collections)]
        )
        for difficulty, collections in shards.items()
    }


def speed(weights: Path) -> None:
    torch.set_num_threads(1)
    network = load_descriptors(weights)
    comparator = Comparator().eval()
    load_module(comparator, "comparator", weights)
    faces = torch.rand(16, 2, network.config.input_size, network.config.input_size)
    faces[:, 1] = 1

    def pairs(described: Described) -> None:
        d, r = described.descriptors, described.reliability
        comparator(d, d.flip(0), r, r.flip(0))

    with torch.inference_mode():
        described = network(faces)
        for name, task in (("face", lambda: network(faces)), ("pair", lambda: pairs(described))):
            task()
            times = []
            for _ in range(5):
                began = time.perf_counter()
                task()
                times.append((time.perf_counter() - began) / len(faces))
            print(f"{name}: {1000 * min(times):.1f} ms on one thread, batches of {len(faces)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--weights", type=Path, help="best.safetensors of a run")
    parser.add_argument("--validation", type=Path, default=Path("runs/validation"))
    parser.add_argument("--types", type=int, default=8)
    parser.add_argument("--bf16", action="store_true", help="compute in bfloat16, as in training")
    parser.add_argument("--speed", action="store_true")
    given = parser.parse_args()
    if given.speed:
        speed(given.weights)
        return
    shards = validation_shards(ValidationOrder(given.validation, given.types))
    for name, way in (("baseline encoder", baseline_encoder()), ("orientation", plain_orientation)):
        for difficulty, s in measure(way, shards).items():
            print(f"{difficulty:7s} {name:14s} AP {s.ap:.3f}  R@20 {s.recall:.3f}", flush=True)
    if given.weights:
        network = load_descriptors(given.weights)
        comparator = Comparator().eval()
        load_module(comparator, "comparator", given.weights)
        result = validate(network, comparator, shards, negatives=None, amp=given.bf16)
        print("\n".join(score_lines(result)))


if __name__ == "__main__":
    main()
