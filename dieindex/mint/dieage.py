"""The die's own life: cracks, rust and wear of the tool, which grow and show on every later coin.

All of it follows from the die's seed alone, so two coins struck late in a die's life show the same
cracks, and an early one shows fewer of them. A hollow in the die stands up on the coin.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import torch
from torch import Tensor

from dieindex.mint.noise import joined, tile_on
from dieindex.mint.surface import blur
from dieindex.records import Floats32


@lru_cache(maxsize=4096)
def _cracks(die_seed: int) -> tuple[tuple[Floats32, Floats32, float], ...]:
    """Each crack: points (n, 2) in the die frame, the life at which it reaches them, its width."""
    rng = np.random.default_rng([die_seed, 1])
    cracks = []
    for _ in range(rng.poisson(2.2)):
        birth = float(rng.uniform(0.25, 1.15))
        start = rng.uniform(0, 2 * np.pi)
        inner = rng.random() < 0.25
        at = np.array([np.cos(start), np.sin(start)]) * (rng.uniform(0.3, 0.8) if inner else 1.15)
        heading = start + np.pi + rng.normal(0, 0.7)
        if rng.random() < 0.4:  # along the edge, from letter to letter
            heading = start + np.pi / 2 + rng.normal(0.35, 0.15)
        length = int(rng.integers(10, 46))
        points = [at]
        for _ in range(length):
            heading += rng.normal(0, 0.16)
            at = at + 0.028 * np.array([np.cos(heading), np.sin(heading)])
            points.append(at)
        reached = birth + np.linspace(0, 1, length + 1) * rng.uniform(0.15, 0.7)
        cracks.append(
            (
                np.array(points, np.float32),
                reached.astype(np.float32),
                float(rng.uniform(0.004, 0.012)),
            )
        )
    return tuple(cracks)


def crack_relief(die_seed: int, life: float, size: int, span: float) -> Floats32 | None:
    """Raised lines of the die's cracks at ``life``, ``(size, size)``, or None without any."""
    lines = np.zeros((size, size), np.uint8)
    any_crack = False
    scale = size / (2 * span)
    for points, reached, width in _cracks(die_seed):
        shown = points[reached <= life]
        if len(shown) < 2:
            continue
        any_crack = True
        pixels = np.round(((shown + span) * scale - 0.5) * 16).astype(np.int32)
        age = min(1.0, (life - float(reached[0])) / 0.4)
        for part in range(len(pixels) - 1):
            ebb = 1 - part / len(pixels)
            value = int(255 * (0.25 + 0.75 * age) * (0.35 + 0.65 * ebb) * min(1.0, width / 0.012))
            thick = max(1, round(2 * width * scale * ebb))
            a, b = pixels[part].tolist(), pixels[part + 1].tolist()
            cv2.line(lines, a, b, value, thick, cv2.LINE_AA, 4)
    if not any_crack:
        return None
    smooth = cv2.GaussianBlur(lines, (0, 0), 1.1)
    return np.asarray(smooth, np.float32) * np.float32(0.03 / 255)


def aged(heights: Tensor, die_seeds: list[int], lives: list[float], span: float) -> Tensor:
    """Die maps ``(B, 1, s, s)`` as they stood at ``lives`` (0…1) of their dies."""
    size = heights.shape[-1]
    out = []
    for height, die_seed, life in zip(torch.split(heights, 1), die_seeds, lives, strict=True):
        rng = np.random.default_rng([die_seed, 2])
        sink, rust_birth, rust_most = rng.uniform(0.2, 1.0), rng.uniform(0.3, 1.6), rng.random()
        x, y = (int(v) for v in rng.integers(0, 512, 2))
        worn = float(life**1.5 * sink)
        # Edges of the engraving round off under thousands of blows.
        height = torch.lerp(height, blur(height, 1.6), min(0.85, worn))
        if life > rust_birth:
            tile = tile_on("pits", height.device)[..., y : y + size, x : x + size]
            patch = tile_on("cloud", height.device)[..., x : x + size, y : y + size]
            amount = min(1.0, (life - rust_birth) * 2) * (0.3 + 0.7 * float(rust_most))
            height = height + tile * (patch + amount).clamp(0, 1) * (0.014 * amount)
        cracks = crack_relief(die_seed, life, size, span)
        if cracks is not None:
            height = height + torch.from_numpy(cracks).to(height.device)
        out.append(height)
    return joined(out)


@lru_cache(maxsize=4096)
def _clash(die_seed: int) -> tuple[float, float, bool]:
    """Of a die: the life at which it clashed (most never do), how deep, whether turned round."""
    rng = np.random.default_rng([die_seed, 3])
    return float(rng.uniform(0.1, 3.0)), float(rng.uniform(0.08, 0.25)), bool(rng.random() < 0.5)


def has_clashed(die_seed: int, life: float) -> bool:
    """Whether a die has struck its opposite without a flan by this part (0…1) of its life."""
    return life > _clash(die_seed)[0]


def clashed(heights: Tensor, opposite: Tensor, die_seeds: list[int], lives: list[float]) -> Tensor:
    """Dies that once struck each other without a flan keep the other's ghost, mirrored."""
    out = []
    rows = zip(torch.split(heights, 1), torch.split(opposite, 1), die_seeds, lives, strict=True)
    for height, other, die_seed, life in rows:
        if has_clashed(die_seed, life):
            _, depth, turn = _clash(die_seed)
            ghost = other.flip(-1).rot90(2, (-2, -1)) if turn else other.flip(-1)
            # The field alone was near enough to be marked; the deep parts stayed free.
            field = (1 - height / 0.02).clamp(0, 1)
            height = height + field * ghost.clamp(0, 0.06) * depth
        out.append(height)
    return joined(out)
