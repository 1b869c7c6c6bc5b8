"""Random fields for coin surfaces: cheap, seamless, and the same for a face in any batch.

A few tiles are made once from fixed seeds; a face cuts its own piece out of them at offsets from
its own generator. So a field costs one small resize, whatever its spectrum.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dieindex.records import Floats32

TILE = 1024
TEXELS_PER_UNIT = 230
"""Texels of a tile that cover one nominal flan radius at zoom 1."""


def _spectral(rng: np.random.Generator, slope: float, low: float, high: float) -> Floats32:
    """Seamless Gaussian noise, amplitude ~ frequency**-slope between low and high cycles a tile."""
    frequency = np.hypot(np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE)[None]) * TILE
    with np.errstate(divide="ignore"):
        amplitude = np.where(frequency > 0, np.maximum(frequency, 1e-9) ** -slope, 0.0)
    amplitude *= 1 / (1 + (low / np.maximum(frequency, 1e-9)) ** 4)
    amplitude *= np.exp(-((frequency / high) ** 2))
    white = np.fft.rfft2(rng.standard_normal((TILE, TILE)))
    field = np.fft.irfft2(white * amplitude, s=(TILE, TILE))
    return np.asarray(field / field.std(), np.float32)


def _stamp(canvas: Floats32, x: int, y: int, stamp: Floats32) -> None:
    rows = (np.arange(stamp.shape[0]) + y) % TILE
    columns = (np.arange(stamp.shape[1]) + x) % TILE
    block = canvas[np.ix_(rows, columns)]
    canvas[np.ix_(rows, columns)] = np.maximum(block, stamp)


def _pits(rng: np.random.Generator, count: int, small: float, large: float) -> Floats32:
    """Hollows of heavy-tailed size, 0 outside and up to 1 at their bottom."""
    canvas = np.zeros((TILE, TILE), np.float32)
    for _ in range(count):
        radius = min(small * rng.pareto(1.9) + small, large)
        half = int(np.ceil(radius * 1.8)) + 1
        y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
        turn, stretch = rng.uniform(0, np.pi), rng.uniform(0.55, 1.0)
        u = (x * np.cos(turn) + y * np.sin(turn)) / stretch
        v = -x * np.sin(turn) + y * np.cos(turn)
        angle = np.arctan2(v, u)
        ragged = (
            1
            + 0.18 * np.cos(3 * angle + rng.uniform(0, 6))
            + 0.12 * np.cos(5 * angle + rng.uniform(0, 6))
        )
        depth = np.clip(1.25 - (np.hypot(u, v) / (radius * ragged)) ** 2, 0, 1)
        strength = rng.uniform(0.4, 1.0) * min(1.0, radius / (2.5 * small))
        left, top = (int(v) for v in rng.integers(0, TILE, 2))
        _stamp(canvas, left, top, (depth * strength).astype(np.float32))
    return canvas


def _scratches(rng: np.random.Generator, count: int) -> Floats32:
    """Hairlines of every direction, many short and few long, 0…1."""
    wide = np.zeros((3 * TILE, 3 * TILE), np.uint8)
    for _ in range(count):
        length = min(14 * (rng.pareto(1.6) + 1), 420)
        turn, bend = rng.uniform(0, 2 * np.pi), rng.normal(0, 0.06)
        heading = turn + bend * np.linspace(0, 4, 9)
        x = TILE + rng.uniform(0, TILE) + np.cumsum(np.cos(heading) * length / 8)
        y = TILE + rng.uniform(0, TILE) + np.cumsum(np.sin(heading) * length / 8)
        strength = 255 * rng.uniform(0.15, 1.0) ** 2
        points = np.round(np.stack([x, y], 1) * 16).astype(np.int32)
        cv2.polylines(wide, [points], False, strength, 1, cv2.LINE_AA, 4)
    # What left the tile on one side comes back in on the other.
    folded = wide.reshape(3, TILE, 3, TILE).max((0, 2))
    return np.asarray(folded, np.float32) / np.float32(255)


@lru_cache(maxsize=1)
def tiles() -> dict[str, Tensor]:
    """The shared tiles, each doubled to wrap round: ``(1, 1, 2 * TILE, 2 * TILE)`` float32.

    Gaussian ones have unit variance, the rest lie in 0…1:
    ``cloud`` large and soft, ``hill`` middling, ``mottle`` blotchy, ``grain`` fine and
    rough, ``grit`` finest, ``pits`` and ``craters`` hollows, ``scratches`` hairlines.
    """
    rng = np.random.default_rng(20260)
    made = {
        "cloud": _spectral(rng, 1.9, 3, 200),
        "hill": _spectral(rng, 1.3, 16, 300),
        "mottle": _spectral(rng, 1.0, 22, 160),
        "grain": _spectral(rng, 0.7, 40, 380),
        "grit": _spectral(rng, 0.0, 120, 420),
        "pits": _pits(rng, 5200, 1.3, 9),
        "craters": _pits(rng, 900, 3.0, 42),
        "scratches": _scratches(rng, 700),
    }
    return {
        name: torch.from_numpy(np.pad(field, ((0, TILE), (0, TILE)), mode="wrap"))[None, None]
        for name, field in made.items()
    }


def tile_on(name: str, device: torch.device | str) -> Tensor:
    """One of ``tiles`` on a device, where it stays."""
    return _tiles_on(str(device))[name]


@lru_cache(maxsize=8)
def _tiles_on(device: str) -> dict[str, Tensor]:
    return {name: tile.to(device) for name, tile in tiles().items()}


def _piece(
    name: str,
    rng: np.random.Generator,
    extent: float,
    size: int,
    device: torch.device | str,
    zoom: float,
) -> Tensor:
    tile = tile_on(name, device)
    x, y = (int(v) for v in rng.integers(0, TILE, 2))
    # Sizes in whole texels keep the slice exact; at most one tile is cut.
    texels = int(min(TILE, max(8, round(2 * extent * TEXELS_PER_UNIT / zoom))))
    piece = tile[..., y : y + texels, x : x + texels]
    if texels >= 2 * size:
        piece = F.avg_pool2d(piece, texels // size)
    return F.interpolate(piece, size=(size, size), mode="bilinear", align_corners=False)


def texture(
    name: str,
    rngs: list[np.random.Generator],
    extents: Floats32,
    size: int,
    device: torch.device | str = "cpu",
    zoom: float = 1.0,
) -> Tensor:
    """Pieces of a tile at the scale of the coins, ``(B, 1, size, size)``.

    ``extents`` (B,) is half the edge of each face's grid in flan radii; ``zoom`` > 1 makes the
    pattern larger. Takes two numbers from each generator.
    """
    pairs = zip(rngs, extents, strict=True)
    return joined([_piece(name, r, float(e), size, device, zoom) for r, e in pairs])


def joined(parts: list[Tensor]) -> Tensor:
    """Tensors along the batch; a single one is passed on without a copy."""
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def smooth_field(
    rngs: list[np.random.Generator],
    cells: int,
    size: int,
    channels: int = 1,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Smooth random fields of unit variance at the knots, ``(B, channels, size, size)``.

    ``cells`` × ``cells`` normal numbers a face, interpolated: the longest waves a face can carry.
    """
    knots = np.stack(
        [rng.standard_normal((channels, cells, cells), dtype=np.float32) for rng in rngs]
    )
    field = torch.from_numpy(knots).to(device)
    middle = min(size, 8 * cells)
    field = F.interpolate(field, size=(middle, middle), mode="bicubic", align_corners=False)
    return F.interpolate(field, size=(size, size), mode="bilinear", align_corners=False)
