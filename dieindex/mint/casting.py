"""Cast copies: what a mould and a file leave instead of a blow.

A copy poured into a mould taken from a coin is softer than the coin, has pearls where air sat
in the mould and pinholes where gas stayed in the metal, and a seam round its edge, where the halves
of the mould met. The forger filed the seam away, facet by facet, and the stump of the channel that
the metal ran in by: oblique file strokes stay along the rim, a thin lip where he was careless.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from dieindex.mint.flan import Grid
from dieindex.mint.parameters import StrikeParameters
from dieindex.mint.surface import blur, column, ramp

_STROKE = 0.022
"""Distance of two file strokes, flan radii."""


def cast_copies(
    height: Tensor, edge: Tensor, grid: Grid, strikes: list[StrikeParameters]
) -> tuple[Tensor, Tensor]:
    """Faces of cast coins as casts, the others as they are: (height, filed away 0…1).

    ``edge`` (B, 1, size, size) is the distance inward from the flan's outline in flan radii.
    """
    if not any(s.coin.cast > 0 for s in strikes):
        return height, torch.zeros_like(height)
    device = height.device

    amount = column([s.coin.cast for s in strikes], device)
    is_cast = (amount > 0).float()
    height = torch.lerp(height, blur(height, 0.013 * grid.unit), 0.9 * is_cast)
    pearls = ramp(grid.texture("pits", 2, 1.8), 0.25, 0.8)
    pinholes = ramp(grid.texture("pits", 1, 0.9), 0.55, 0.95)
    height = height + amount * (0.007 * pearls - 0.006 * pinholes)

    filed, strokes = _filed(edge, grid, strikes)
    filed = filed * is_cast
    planed = blur(height, 0.05 * grid.unit) - 0.25 * (0.09 - edge).clamp(0, 0.09)
    height = torch.lerp(height, planed + 0.005 * strokes, filed)
    lip = ramp(edge, 0.035, 0.005) * (1 - filed) * is_cast
    return height + 0.03 * amount * lip, filed


def _seam(coin_seed: int) -> tuple[float, float, float, float, float]:
    """Of a coin, the same on both faces: how many facets it was filed in and where they begin, the
    lean of the strokes, where the channel was (share of a turn), how far the file reached in."""
    rng = np.random.default_rng([coin_seed, 29])
    return (
        float(rng.integers(9, 22)),
        float(rng.random()),
        float(rng.uniform(0.3, 1.1)),
        float(rng.random()),
        float(rng.uniform(0.03, 0.075)),
    )


def _filed(edge: Tensor, grid: Grid, strikes: list[StrikeParameters]) -> tuple[Tensor, Tensor]:
    """Where the file went, 0…1, and its strokes, -1…1."""
    seams = [_seam(s.coin.seed) for s in strikes]
    facets, start, skew, sprue, breadth = (
        column([seam[i] for seam in seams], edge.device) for i in range(5)
    )
    side = column([-1.0 if s.reverse else 1.0 for s in strikes], edge.device)
    turn = torch.remainder(0.5 * (1 - side) * 0.5 + side * grid.angle, 1.0)
    place = turn * facets + start
    facet = torch.floor(place)
    # Each facet is one setting of the file: its own direction, depth and reach.
    hashed = torch.remainder(torch.sin((facet + 17 * start) * 12.9898) * 437.58, 1.0)
    from_sprue = (torch.remainder(turn - sprue + 0.5, 1.0) - 0.5).abs()
    stump = ramp(from_sprue, 0.035, 0.02)
    reach = breadth * (0.35 + 0.9 * hashed) + 0.05 * stump
    shape = (torch.remainder(place, 1.0) - 0.5) * 2
    where = ramp(edge, reach * (1.1 - 0.4 * shape * shape), 0.25 * reach)
    where = where * torch.maximum(ramp(hashed, 0.15, 0.3), stump)
    # Strokes run obliquely across the rim; a pixel cannot hold finer ones than its own size.
    step = torch.clamp(2.6 * grid.spacing, min=_STROKE)
    lean = skew + 0.6 * (hashed - 0.5)
    around = side * grid.angle * (2 * np.pi)
    wave = (around * torch.cos(lean) + edge * torch.sin(lean)) * (2 * np.pi) / step
    return where, torch.sin(wave) * (0.6 + 0.4 * torch.sin(0.37 * wave + 5 * hashed))
