"""Operations on height maps, ``(B, 1, size, size)`` tensors: blur, slopes, hollows, shadows.

Built from slices, additions and resizes alone, so that the bits of one face depend neither on its
neighbours in a batch nor on the number of threads.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def blur(field: Tensor, sigma: float) -> Tensor:
    """Gaussian blur, ``sigma`` in pixels; wide ones are made on a coarser grid."""
    if sigma < 0.3:
        return field
    size = field.shape[-2:]
    coarser = 2 ** max(0, math.floor(math.log2(sigma / 1.4)))
    if coarser > 1:
        small = (max(4, size[0] // coarser), max(4, size[1] // coarser))
        low = F.interpolate(field, size=small, mode="area")
        low = _gauss(low, math.sqrt(max(0.25, (sigma / coarser) ** 2 - 0.16)))
        return F.interpolate(low, size=size, mode="bilinear", align_corners=False)
    return _gauss(field, sigma)


def _gauss(field: Tensor, sigma: float) -> Tensor:
    reach = max(1, min(round(2.6 * sigma), min(field.shape[-2:]) - 1))
    weights = [math.exp(-0.5 * (i / sigma) ** 2) for i in range(-reach, reach + 1)]
    total = sum(weights)
    height, width = field.shape[-2:]
    padded = F.pad(field, (reach, reach, 0, 0), mode="replicate")
    out = padded[..., :width] * (weights[0] / total)
    for i, weight in enumerate(weights[1:], 1):
        out.add_(padded[..., i : i + width], alpha=weight / total)
    padded = F.pad(out, (0, 0, reach, reach), mode="replicate")
    out = padded[..., :height, :] * (weights[0] / total)
    for i, weight in enumerate(weights[1:], 1):
        out.add_(padded[..., i : i + height, :], alpha=weight / total)
    return out


def column(values: list[float], device: torch.device | str) -> Tensor:
    """One number a face as ``(B, 1, 1, 1)``."""
    return torch.tensor(values, dtype=torch.float32, device=device).view(-1, 1, 1, 1)


def slopes(height: Tensor, spacing: Tensor) -> tuple[Tensor, Tensor]:
    """Derivatives along x (right) and y (down); ``spacing`` (B, 1, 1, 1) is the pixel's size.

    Differences of fourth order: those of neighbours alone would flatten the finest relief.
    """
    padded = F.pad(height, (2, 2, 2, 2), mode="replicate")
    rows, columns = padded[..., 2:-2, :], padded[..., :, 2:-2]
    scale = 1 / (12 * spacing)
    x = 8 * (rows[..., 3:-1] - rows[..., 1:-3]) - (rows[..., 4:] - rows[..., :-4])
    y = 8 * (columns[..., 3:-1, :] - columns[..., 1:-3, :])
    y = y - (columns[..., 4:, :] - columns[..., :-4, :])
    return x * scale, y * scale


def soft_min(a: Tensor, b: Tensor | float, width: float) -> Tensor:
    """Smooth minimum; the corner between the two is rounded over ``width``."""
    gap = a - b
    return a - 0.5 * (gap + torch.sqrt(gap * gap + width * width))


def soft_max(a: Tensor, b: Tensor | float, width: float) -> Tensor:
    """Smooth maximum; the corner between the two is rounded over ``width``."""
    gap = a - b
    return b + 0.5 * (gap + torch.sqrt(gap * gap + width * width))


def ramp(value: Tensor, low: float | Tensor, high: float | Tensor) -> Tensor:
    """0 at and below ``low``, 1 at and above ``high``, smooth between."""
    t = ((value - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def cast_shadow(
    height: Tensor, azimuth: Tensor, elevation: Tensor, spacing: Tensor, softness: Tensor
) -> Tensor:
    """Share of a lamp's light that reaches each pixel past the relief, 0…1.

    Marches over a coarser grid toward the lamp. Angles in radians, ``(B, 1, 1, 1)``: azimuth from x
    toward y (down), elevation above the picture; ``softness`` is the lamp's angular radius.
    """
    size = height.shape[-1]
    low_size = size if size <= 160 else max(128, size // 2)
    low = (
        height
        if low_size == size
        else F.interpolate(height, size=(low_size, low_size), mode="bilinear", align_corners=False)
    )
    step_size = spacing * (size / low_size)
    batch = low.shape[0]
    flat = low.reshape(batch, -1)
    rows = torch.arange(low_size, device=height.device).view(1, low_size, 1)
    columns = torch.arange(low_size, device=height.device).view(1, 1, low_size)
    toward_x, toward_y = torch.cos(azimuth).view(-1, 1, 1), torch.sin(azimuth).view(-1, 1, 1)
    highest = torch.full_like(low, -1.0)
    distance = 1.0
    limit = 0.34 * low_size
    while distance < limit:
        dx = torch.round(toward_x * distance).long()
        dy = torch.round(toward_y * distance).long()
        index = (rows + dy).clamp(0, low_size - 1) * low_size
        index = index + (columns + dx).clamp(0, low_size - 1)
        there = flat.gather(1, index.reshape(batch, -1)).view_as(low)
        highest = torch.maximum(highest, (there - low) / (step_size * distance))
        distance = distance * 1.35 + 0.5
    over = torch.atan(highest)
    open_share = ramp(elevation - over, -softness, softness)
    if low_size == size:
        return open_share
    return F.interpolate(open_share, size=(size, size), mode="bilinear", align_corners=False)
