"""Striking: what one blow makes of a die, a flan, and the centuries after it.

Three frames: the DIE frame (see ``relief``), the COIN frame (flan centred at the origin, the same
unit, x right, y down), and the grid of pixels that covers ``[-extent, extent]²`` of the coin frame.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dieindex.errors import MintError
from dieindex.mint import dieage, wear
from dieindex.mint.damage import split_maps
from dieindex.mint.difficulty import Difficulty, between
from dieindex.mint.flan import Grid, coin_grid, edge_distance, sample_coin
from dieindex.mint.parameters import CoinParameters, StrikeParameters
from dieindex.mint.relief import FULL_DEPTH, RELIEF_SPAN
from dieindex.mint.surface import blur, column, ramp, soft_max, soft_min
from dieindex.records import Floats, Floats32


def die_seed(die_key: str) -> int:
    """The seed of a die's own ageing, from its key."""
    return zlib.crc32(die_key.encode())


def _rows(rows: list[list[float]], columns: int) -> Floats32:
    return np.array(rows, np.float32).reshape(-1, columns)


def sample_strike(
    rng: np.random.Generator,
    difficulty: Difficulty,
    die_life: float,
    *,
    coin: CoinParameters | None = None,
    reverse: bool = False,
    die_seed: int = 0,
    die_depth: float = FULL_DEPTH,
) -> StrikeParameters:
    """Sample one face. ``die_life`` (0…1) is the die's age at the blow, ``die_seed`` its own seed,
    ``die_depth`` how deep it is cut (``DieRelief.depth``).

    ``coin`` is shared by the two faces of a coin; without it a new one is sampled.
    """
    if not 0.0 <= die_life <= 1.0:
        raise MintError(f"die_life is {die_life}; give a share of the die's life, 0 to 1.")
    coin = coin or sample_coin(rng, difficulty)
    weak = rng.random() < difficulty.weak_chance
    double = rng.random() < difficulty.double_strike
    marks = difficulty.marks

    def place(limit: float) -> tuple[float, float]:
        away, where = limit * np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi)
        return float(away * np.cos(where)), float(away * np.sin(where))

    cuts = [
        [*place(0.8), rng.uniform(0, np.pi), rng.uniform(0.25, 0.9), rng.uniform(0.04, 0.12)]
        for _ in range(int(rng.random() < 0.35 * marks))
    ]
    punches = [
        [*place(0.75), rng.uniform(0.05, 0.13), int(rng.integers(5)), rng.uniform(0, 2 * np.pi)]
        for _ in range((1 + rng.poisson(0.5)) if rng.random() < 0.4 * marks else 0)
    ]
    gouges = [
        [
            *place(0.9),
            rng.uniform(0, np.pi),
            0.05 * (rng.pareto(1.6) + 1),
            rng.uniform(0.002, 0.012),
        ]
        for _ in range(rng.poisson(7 * coin.scratches))
    ]
    return StrikeParameters(
        seed=int(rng.integers(2**62)),
        coin=coin,
        reverse=reverse,
        die_seed=die_seed,
        die_life=float(die_life),
        offset=(
            float(rng.normal(0, difficulty.off_centre)),
            float(rng.normal(0, difficulty.off_centre)),
        ),
        rotation=0.0,
        weakness=between(rng, difficulty.weakness, 1.5) if weak else 0.0,
        weak_angle=float(rng.uniform(0, 2 * np.pi)),
        tilt=between(rng, difficulty.tilt, 1.5),
        relief=float(rng.uniform(*difficulty.relief)),
        flow=2 * between(rng, difficulty.metal_flow),
        double=float(rng.uniform(0.3, 0.8)) if double else 0.0,
        double_shift=(float(rng.normal(0, 0.06)), float(rng.normal(0, 0.06))),
        double_rotation=float(rng.normal(0, 0.12)),
        wear=float(np.clip(coin.wear * rng.uniform(0.8, 1.2) + rng.normal(0, 0.03), 0, 1)),
        corrosion=float(np.clip(coin.corrosion * rng.uniform(0.6, 1.3), 0, 1)),
        deposits=float(np.clip(coin.deposits * rng.uniform(0.5, 1.4), 0, 1)),
        scratches=float(np.clip(coin.scratches * rng.uniform(0.6, 1.4), 0, 1)),
        tooling=float(rng.uniform(0.3, 1.0)) if rng.random() < 0.25 * marks else 0.0,
        cuts=_rows(cuts, 5),
        punches=_rows(punches, 5),
        gouges=_rows([[*row[:3], min(row[3], 0.7), row[4]] for row in gouges], 5),
        die_depth=die_depth,
    )


@dataclass(frozen=True, eq=False)
class Struck:
    """Faces as metal, before any light falls on them; all maps ``(B, 1, size, size)``."""

    height: Tensor
    """Flan radii, 0 the plain field."""
    mask: Tensor
    """Share of a pixel that is coin, 0…1."""
    visible: Tensor
    """Where the die's work shows on this coin, 0…1."""
    design: Tensor
    layers: wear.Layers
    edge: Tensor
    """Distance inward from the flan's outline."""
    flow: Tensor
    """(B, 2, size, size): die position = coin_to_die(coin position + flow)."""
    coin_to_die: Floats
    """(B, 3, 3)."""
    extents: Floats32
    """(B,): the grid covers [-extent, extent]² of the coin frame."""
    strikes: tuple[StrikeParameters, ...]

    @property
    def size(self) -> int:
        return int(self.height.shape[-1])

    def coin_to_grid(self) -> Floats:
        """``(B, 3, 3)``: coin frame to grid pixels (pixel centres at whole numbers)."""
        out = np.zeros((len(self.extents), 3, 3))
        scale = self.size / (2 * self.extents.astype(np.float64))
        out[:, 0, 0] = out[:, 1, 1] = scale
        out[:, :2, 2] = (self.extents * scale - 0.5)[:, None]
        out[:, 2, 2] = 1
        return out


def strike(
    heights: Tensor,
    designs: Tensor,
    die_radii: Tensor | Floats32 | list[float],
    strikes: list[StrikeParameters],
    size: int,
    clash_heights: Tensor | None = None,
) -> Struck:
    """Strike, wear and age a batch of faces.

    ``heights`` and ``designs`` are die maps ``(B, 1, s, s)`` over the die frame, ``die_radii`` (B,)
    the dies' working radii; ``clash_heights`` (B, 1, s, s), if given, are the opposite dies' maps:
    late in a die's life they leave their ghost in it. On a CPU the faces are worked one by one, so
    that the bytes of one never depend on the others and the work stays in the cache.
    """
    radii = [float(r) for r in die_radii]
    if not len(heights) == len(designs) == len(radii) == len(strikes):
        raise MintError("Heights, designs, radii and strikes must be equally many.")
    if not strikes:
        raise MintError("There is no face to strike; give at least one.")
    if heights.device.type != "cpu" or len(strikes) == 1:
        return _strike(heights, designs, radii, strikes, size, clash_heights)
    done = [
        _strike(
            heights[i : i + 1],
            designs[i : i + 1],
            radii[i : i + 1],
            strikes[i : i + 1],
            size,
            None if clash_heights is None else clash_heights[i : i + 1],
        )
        for i in range(len(strikes))
    ]
    return joined(done)


def joined(parts: list[Struck]) -> Struck:
    """Several batches as one."""

    def cat(name: str) -> Tensor:
        return torch.cat([getattr(part, name) for part in parts])

    return Struck(
        height=cat("height"),
        mask=cat("mask"),
        visible=cat("visible"),
        design=cat("design"),
        layers=wear.Layers.joined([part.layers for part in parts]),
        edge=cat("edge"),
        flow=cat("flow"),
        coin_to_die=np.concatenate([part.coin_to_die for part in parts]),
        extents=np.concatenate([part.extents for part in parts]),
        strikes=tuple(s for part in parts for s in part.strikes),
    )


def split(struck: Struck) -> list[Struck]:
    """The faces of a batch, each by itself."""
    if len(struck.strikes) == 1:
        return [struck]
    layers = struck.layers.split()
    return [
        Struck(
            height=struck.height[i : i + 1],
            mask=struck.mask[i : i + 1],
            visible=struck.visible[i : i + 1],
            design=struck.design[i : i + 1],
            layers=layers[i],
            edge=struck.edge[i : i + 1],
            flow=struck.flow[i : i + 1],
            coin_to_die=struck.coin_to_die[i : i + 1],
            extents=struck.extents[i : i + 1],
            strikes=struck.strikes[i : i + 1],
        )
        for i in range(len(struck.strikes))
    ]


def _metal_flow(grid: Grid, strikes: list[StrikeParameters]) -> Tensor:
    """Smooth displacement (B, 2, size, size) of root-mean-square ``flow``."""
    device = grid.x.device
    broad = grid.smooth("flow", 4, 2)
    local = grid.smooth("local flow", 9, 2)
    amount = column([s.flow for s in strikes], device) / math.sqrt(2)
    return (broad * 0.85 + local * 0.35) * amount


def _sample(maps: Tensor, x: Tensor, y: Tensor, size: int) -> Tensor:
    """Die maps at die positions; shrunk first where pixels are much coarser than the map."""
    if maps.shape[-1] > 3 * size:
        maps = F.avg_pool2d(maps, maps.shape[-1] // (2 * size) + 1)
    grid = torch.cat([x, y], 1).permute(0, 2, 3, 1) / RELIEF_SPAN
    mode = "bicubic" if size > 1.6 * maps.shape[-1] else "bilinear"
    return F.grid_sample(maps, grid, mode=mode, padding_mode="border", align_corners=False)


def _transformed(matrices: Floats, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    m = torch.from_numpy(matrices.astype(np.float32)).to(x.device).view(-1, 9, 1, 1, 1)
    return (
        m[:, 0] * x + m[:, 1] * y + m[:, 2],
        m[:, 3] * x + m[:, 4] * y + m[:, 5],
    )


def _strike(
    heights: Tensor,
    designs: Tensor,
    radii: list[float],
    strikes: list[StrikeParameters],
    size: int,
    clash_heights: Tensor | None,
) -> Struck:
    device = heights.device
    extents = np.array([s.extent for s in strikes], np.float32)
    grid = coin_grid(extents, size, [s.seed for s in strikes], device)
    edge = edge_distance(grid, np.stack([s.outline for s in strikes]))
    flow = _metal_flow(grid, strikes)
    matrices = np.stack([s.coin_to_die() for s in strikes])

    dies = dieage.aged(
        heights, [s.die_seed for s in strikes], [s.die_life for s in strikes], RELIEF_SPAN
    )
    if clash_heights is not None:
        dies = dieage.clashed(
            dies, clash_heights, [s.die_seed for s in strikes], [s.die_life for s in strikes]
        )
    maps = torch.cat([dies, designs], 1)
    moved_x, moved_y = grid.x + flow[:, :1], grid.y + flow[:, 1:]
    die_x, die_y = _transformed(matrices, moved_x, moved_y)
    sampled = _sample(maps, die_x, die_y, size)
    relief, design = sampled[:, :1], sampled[:, 1:]
    die_radius = column(radii, device)
    from_centre = torch.sqrt(die_x * die_x + die_y * die_y)
    if any(s.double > 0 for s in strikes):
        relief = _double_struck(relief, maps, die_x, die_y, grid, strikes, size)
    relief = relief * column([s.relief for s in strikes], device)

    # Beyond the die's working face the metal was free and rose a little.
    beyond = from_centre - die_radius
    hill = grid.texture("hill")
    relief = relief + ramp(beyond, 0.0, 0.07) * (0.018 + 0.004 * hill)
    height, contact = _filled(relief, grid, strikes, hill)
    struck_face = ramp(-beyond, -0.01, 0.02) * contact

    # The flan's own shape: dished, uneven, rounded at its edge.
    dish = column([s.coin.dish * (-1 if s.reverse else 1) for s in strikes], device)
    uneven = grid.smooth("uneven", 5)
    lumpy = column([s.coin.unevenness for s in strikes], device)
    height = height + dish * (grid.radius * grid.radius) + (0.004 + 0.012 * lumpy) * uneven
    patchy = ramp(grid.smooth("lumps", 6), -0.6, 1.2)
    height = height + (0.0001 + 0.0008 * lumpy * patchy) * hill
    ragged = grid.texture("grain", 3) * 0.0025
    inward = ((edge + ragged) / column([s.coin.edge_width for s in strikes], device)).clamp(0, 1)
    fall = 1 - torch.sqrt((1 - (1 - inward) * (1 - inward)).clamp(min=0))
    height = height - fall * column([1.1 * s.coin.edge_width + 0.02 for s in strikes], device)
    height, mask, cracks = _opened(height, edge, grid, strikes)

    face = wear.StruckFace(height, mask, struck_face * (design > 0.02), edge, die_x, die_y)
    height, visible, layers = wear.aged(face, grid, strikes)
    layers = replace(layers, albedo=layers.albedo * (1 - 0.8 * cracks))
    visible = visible * struck_face * (1 - cracks) * (mask > 0.5) * ramp(edge, 0.0, 0.03)
    return Struck(
        height, mask, visible, design, layers, edge, flow, matrices, extents, tuple(strikes)
    )


def _double_struck(
    relief: Tensor,
    maps: Tensor,
    die_x: Tensor,
    die_y: Tensor,
    grid: Grid,
    strikes: list[StrikeParameters],
    size: int,
) -> Tensor:
    """The first blow, turned and shifted, left where the second pressed less."""
    shifts = []
    for s in strikes:
        c, si = np.cos(s.double_rotation), np.sin(s.double_rotation)
        aside, down = s.double_shift
        shifts.append([[c, si, aside], [-si, c, down], [0, 0, 1]])
    x, y = _transformed(np.array(shifts), die_x, die_y)
    first = _sample(maps[:, :1], x, y, size)
    amount = column([s.double for s in strikes], relief.device)
    angle = column([s.weak_angle for s in strikes], relief.device)
    side = torch.cos(angle) * grid.x + torch.sin(angle) * grid.y
    ghost = first * amount * ramp(side, -0.5, 0.6)
    both = soft_max(relief, ghost, 0.006)
    return torch.where(amount > 0, both, relief)


def _filled(
    relief: Tensor, grid: Grid, strikes: list[StrikeParameters], hill: Tensor
) -> tuple[Tensor, Tensor]:
    """How far the metal rose into the die: (height, contact 0…1).

    A weak blow leaves the deepest parts of the die unfilled: on the coin the high points are flat
    and keep the flan's own skin; at the worst even the field was not touched.
    """
    device = relief.device
    weakness = column([s.weakness for s in strikes], device)
    tilt = column([s.tilt for s in strikes], device)
    angle = column([s.weak_angle for s in strikes], device)
    side = torch.cos(angle) * grid.x + torch.sin(angle) * grid.y
    patch = grid.smooth("fill", 4)
    level = 0.17 - 0.17 * weakness - 0.09 * tilt * side + 0.05 * weakness * patch
    shallow = column([s.die_depth / FULL_DEPTH for s in strikes], device)
    level = level * shallow + 0.0035 * hill
    height = soft_min(relief / shallow, level / shallow, 0.008) * shallow
    contact = ramp((level - relief) / shallow, -0.012, 0.006)
    return height, contact


def _opened(
    height: Tensor, edge: Tensor, grid: Grid, strikes: list[StrikeParameters]
) -> tuple[Tensor, Tensor, Tensor]:
    """Edge cracks and piercings taken out: (height, mask, cracks 0…1)."""
    mask = (edge / grid.spacing + 0.5).clamp(0, 1)
    if not any(len(s.coin.splits) or s.coin.hole[3] for s in strikes):
        return height, mask, torch.zeros_like(mask)
    gaps, cracks = [], []
    for s in strikes:
        gap, crack = split_maps(s.coin.splits, s.outline, s.extent, grid.size, s.reverse)
        x, y, radius, there = (float(v) for v in s.coin.hole)
        if there:
            steps = (np.arange(grid.size) + 0.5) * (2 * s.extent / grid.size) - s.extent
            x = -x if s.reverse else x
            away = np.hypot(steps[None] - x, steps[:, None] - y) - radius
            spacing = 2 * s.extent / grid.size
            hole = np.clip(0.5 - away / spacing, 0, 1).astype(np.float32)
            gap, crack = np.maximum(gap, hole), np.maximum(crack, hole)
        gaps.append(gap)
        cracks.append(crack)
    gap_map = torch.from_numpy(np.stack(gaps)[:, None]).to(height.device)
    crack_map = torch.from_numpy(np.stack(cracks)[:, None]).to(height.device)
    sunk = blur(crack_map, max(0.7, 0.006 * grid.size))
    return height - 0.08 * sunk, mask * (1 - gap_map), crack_map
