"""The metal blank: its outline, edge, cracks, and the state it has come down to us in."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from dieindex.mint import noise
from dieindex.mint.difficulty import Difficulty, between
from dieindex.mint.metals import PATINAS
from dieindex.mint.parameters import OUTLINE_STEPS, CoinParameters
from dieindex.records import Floats, Floats32

NOMINAL_EXTENT = 1.08
"""Half the edge of a usual face's grid, flan radii."""


def _chipped(rng: np.random.Generator, shape: Floats, angle: Floats) -> Floats:
    """A piece broken off or clipped: a ragged chord across the outline."""
    depth = min(0.04 + 0.05 * rng.pareto(2.0), 0.25)
    away = (angle - rng.uniform(0, 2 * np.pi) + np.pi) % (2 * np.pi) - np.pi
    chord = np.where(np.abs(away) < 1.3, (1 - depth) / np.maximum(np.cos(away), 0.2), 9.0)
    ragged = 0.012 * np.cumsum(rng.normal(0, 0.35, len(angle)))
    ragged -= np.linspace(0, 1, len(angle)) * ragged[-1]
    broken = chord + np.where(chord < 2, np.clip(ragged, -0.03, 0.03), 0)
    return np.asarray(np.minimum(shape, broken))


def _outline(
    rng: np.random.Generator, irregularity: float, radius: float, damage: float
) -> Floats32:
    angle = np.asarray(np.arange(OUTLINE_STEPS) * (2 * np.pi / OUTLINE_STEPS), np.float64)
    shape = np.ones(OUTLINE_STEPS)
    for k in range(2, 15):
        amount = irregularity * rng.normal() / (0.55 * k**1.35)
        shape += amount * np.cos(k * angle + rng.uniform(0, 2 * np.pi))
    for _ in range(rng.poisson(irregularity * 20)):  # hammered or cut flat
        depth = irregularity * rng.uniform(0.2, 1.2)
        away = (angle - rng.uniform(0, 2 * np.pi) + np.pi) % (2 * np.pi) - np.pi
        chord = np.where(np.abs(away) < 1.2, (1 - depth) / np.maximum(np.cos(away), 0.3), 9.0)
        gap = shape - chord
        shape = shape - 0.5 * (gap + np.sqrt(gap**2 + 4e-5))
    for _ in range(rng.poisson(irregularity * 15)):  # metal squeezed out
        away = (angle - rng.uniform(0, 2 * np.pi) + np.pi) % (2 * np.pi) - np.pi
        bump = irregularity * rng.uniform(0.3, 1.0)
        shape = shape + bump * np.exp(-0.5 * (away / rng.uniform(0.08, 0.3)) ** 2)
    if rng.random() < 0.35 * damage:
        shape = _chipped(rng, shape, angle)
    ragged = np.fft.irfft(
        np.fft.rfft(rng.standard_normal(OUTLINE_STEPS)) * (np.arange(181) > 12) / 25, OUTLINE_STEPS
    )
    shape = shape + ragged * (0.02 + 0.3 * irregularity) * 0.5
    return (radius * shape).astype(np.float32)


def _splits(rng: np.random.Generator, damage: float) -> Floats32:
    rows: list[list[float]] = []
    if rng.random() < damage:
        for _ in range(1 + rng.poisson(0.6)):
            depth = min(0.07 * (rng.pareto(1.8) + 0.6), 0.45)
            rows.append(
                [
                    rng.uniform(0, 2 * np.pi),
                    depth,
                    depth * rng.uniform(0.02, 0.15),
                    rng.normal(0, 0.25),
                ]
            )
    return np.array(rows, np.float32).reshape(-1, 4)


def sample_coin(rng: np.random.Generator, difficulty: Difficulty) -> CoinParameters:
    """Sample a blank and its fate: metal, outline, cracks, and how it has been kept."""
    names = [name for name, look in PATINAS.items() if look.weight > 0]
    weights = np.array([PATINAS[name].weight for name in names])
    patina = str(rng.choice(names, p=weights / weights.sum()))
    looks = PATINAS[patina]
    irregularity = between(rng, difficulty.irregularity, 1.3)
    radius = 1.0 / between(rng, difficulty.die_scale)
    base = looks.metal in ("bronze", "billon")
    corroded = rng.random() < difficulty.corrosion_chance * (
        0.1 if looks.metal == "gold" else 1.25 if base else 0.9
    )
    covered = rng.random() < difficulty.deposit_chance * (0.5 if looks.metal == "gold" else 1.1)
    pierced = rng.random() < difficulty.marks * 0.15
    away, where = rng.uniform(0.5, 0.85), rng.uniform(0, 2 * np.pi)
    hole = [away * np.cos(where), away * np.sin(where), rng.uniform(0.05, 0.11), float(pierced)]
    cast = rng.random() < difficulty.casts
    return CoinParameters(
        seed=int(rng.integers(2**62)),
        patina=patina,
        patina_shift=_three(rng.normal(0, 1, 3)),
        outline=_outline(rng, irregularity, radius, difficulty.edge_damage),
        splits=_splits(rng, difficulty.edge_damage),
        hole=np.array(hole, np.float32),
        edge_width=float(rng.uniform(0.035, 0.13)),
        dish=float(rng.normal(0, 0.03)),
        wear=between(rng, difficulty.wear),
        corrosion=between(rng, difficulty.corrosion, 1.4) if corroded else 0.0,
        deposits=between(rng, difficulty.deposits, 1.4) if covered else 0.0,
        scratches=between(rng, difficulty.scratches, 1.3),
        cast=float(rng.uniform(0.4, 1.0)) if cast else 0.0,
        unevenness=float(rng.beta(1.6, 2.2)),
        pitting=float(rng.beta(1.1, 2.6)),
        roughness=float(rng.beta(1.1, 2.4)),
        staining=float(rng.beta(2.0, 1.8)),
        lustre=float(rng.normal(0.22, 0.1)),
        toning=float(np.clip(rng.normal(0.65, 0.25), 0.05, 1.0)),
        soil=float(rng.uniform(0.1, 1.0)),
        earthiness=float(rng.random()),
    )


def _three(values: Floats) -> tuple[float, float, float]:
    first, second, third = (float(value) for value in values)
    return first, second, third


@dataclass(frozen=True, eq=False)
class Grid:
    """Coin coordinates of every pixel of a batch's grids, ``(B, 1, size, size)``."""

    x: Tensor
    y: Tensor
    radius: Tensor
    angle: Tensor
    """0…1 of a full turn, from x toward y (down)."""
    spacing: Tensor
    """``(B, 1, 1, 1)``: edge of a pixel in flan radii."""
    extents: Floats32
    size: int
    seeds: list[int]
    _kept: dict[tuple[str, float], Tensor] = field(default_factory=dict, repr=False)

    @property
    def unit(self) -> float:
        """Pixels of a nominal flan radius, the same for every face."""
        return self.size / (2 * NOMINAL_EXTENT)

    def rngs(self, use: str) -> list[np.random.Generator]:
        """A generator a face for one use: no use can disturb another's numbers."""
        return [np.random.default_rng([seed, zlib.crc32(use.encode())]) for seed in self.seeds]

    def texture(self, name: str, variant: int = 0, zoom: float = 1.0) -> Tensor:
        """A tile's piece for each face; ``variant`` 0…7 are its turned and mirrored views."""
        key = (name, zoom)
        if key not in self._kept:
            rngs = self.rngs(f"{name} {zoom}")
            self._kept[key] = noise.texture(
                name, rngs, self.extents, self.size, self.x.device, zoom
            )
        piece = self._kept[key]
        if variant & 1:
            piece = piece.flip(-1)
        if variant & 2:
            piece = piece.flip(-2)
        return piece.transpose(-1, -2) if variant & 4 else piece

    def smooth(self, use: str, cells: int, channels: int = 1) -> Tensor:
        """A smooth random field for each face, see ``noise.smooth_field``."""
        return noise.smooth_field(self.rngs(use), cells, self.size, channels, self.x.device)


def coin_grid(extents: Floats32, size: int, seeds: list[int], device: torch.device | str) -> Grid:
    """The grids that cover ``[-extent, extent]`` squared, pixel centres inset by half a pixel."""
    steps = (torch.arange(size, device=device, dtype=torch.float32) + 0.5) * (2 / size) - 1
    extent = torch.from_numpy(extents).to(device).view(-1, 1, 1, 1)
    x = (extent * steps.view(1, 1, 1, -1)).expand(-1, 1, size, size)
    y = (extent * steps.view(1, 1, -1, 1)).expand(-1, 1, size, size)
    radius = torch.sqrt(x * x + y * y)
    angle = torch.atan2(y, x) * (0.5 / np.pi)
    return Grid(x, y, radius, angle - torch.floor(angle), extent * (2 / size), extents, size, seeds)


def edge_distance(grid: Grid, outlines: Floats32) -> Tensor:
    """Distance inward from the flan's outline, ``(B, 1, size, size)``; negative outside."""
    table = torch.from_numpy(np.concatenate([outlines, outlines[:, :2]], 1)).to(grid.x.device)
    place = grid.angle * OUTLINE_STEPS
    cell = place.floor().clamp(0, OUTLINE_STEPS - 1)
    share = place - cell
    index = cell.long().view(len(outlines), -1)
    low = table.gather(1, index).view_as(place)
    high = table.gather(1, index + 1).view_as(place)
    return low + (high - low) * share - grid.radius
