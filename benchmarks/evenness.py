"""Whether a network tells all places of a face equally well.

    python benchmarks/evenness.py --weights runs/a/best.safetensors runs/b/best.safetensors

A network that knows places by their way to the picture's edges is blind where no edge is in reach:
there a cell finds its like beside its place, and the picture of agreement of every pair is red
there. Pairs of drawn patterns, which share nothing, show it: for columns and for rows the largest
mean displacement beside the usual one (the median; 1: all alike), the outer eighths left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from dieindex.encoder.descriptors import load_descriptors
from dieindex.encoder.module_files import load_module
from dieindex.encoder.weights import SHIPPED_WEIGHTS
from dieindex.records import Floats
from dieindex.verification.comparator import Comparator

PATTERNS = 12
SEED = 3
GREY, CONTRAST = 0.5, 0.2
MARGIN = 8
"""One of so many columns and rows at each edge does not count: the mask ends there."""


class Evenness(NamedTuple):
    columns: float
    rows: float
    by_column: Floats
    """Mean displacement of each column, cells."""


def patterns(size: int) -> torch.Tensor:
    """``(PATTERNS, 2, size, size)``: smoothed noise under one round mask."""
    noise = torch.rand(PATTERNS, 1, size, size, generator=torch.Generator().manual_seed(SEED))
    for _ in range(3):
        noise = torch.nn.functional.avg_pool2d(noise, 5, 1, 2)
    grey = (noise - noise.mean()) / noise.std() * CONTRAST + GREY
    along = torch.linspace(-1, 1, size)
    mask = (along[:, None] ** 2 + along**2 < 0.8).float().expand(PATTERNS, 1, size, size)
    return torch.cat([grey.clamp(0, 1), mask], 1)


def evenness(weights: Path) -> Evenness:
    network = load_descriptors(weights)
    comparator = Comparator()
    load_module(comparator, "comparator", weights)
    comparator.eval()
    first = torch.arange(PATTERNS)
    second = (first + 1) % PATTERNS
    with torch.inference_mode():
        seen = network(patterns(network.config.input_size))
        found = comparator(
            seen.descriptors[first],
            seen.descriptors[second],
            seen.reliability[first],
            seen.reliability[second],
        )
    displacement, weight = found.residual.norm(dim=1), found.weight[:, 0]

    def along(others: tuple[int, int]) -> Floats:
        mean = (displacement * weight).sum(others) / weight.sum(others).clamp(min=1e-6)
        return np.asarray(mean.numpy(), np.float64)

    columns, rows = along((0, 1)), along((0, 2))
    return Evenness(_largest(columns), _largest(rows), columns)


def _largest(displacement: Floats) -> float:
    margin = len(displacement) // MARGIN
    inner = displacement[margin:-margin]
    return float(inner.max() / np.median(inner))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, nargs="+", default=[SHIPPED_WEIGHTS])
    for weights in parser.parse_args().weights:
        found = evenness(weights)
        print(f"{weights}: columns {found.columns:.2f}, rows {found.rows:.2f}")
        print("  " + " ".join(f"{value:.2f}" for value in found.by_column))


if __name__ == "__main__":
    main()
