"""What enters the network: channels of a face that do not depend on the lamp."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

CHANNELS = 5
"""Locally normalised grey, gradient magnitude, doubled-angle orientation (2), mask."""
_SHADES = 4
"""Local means and spreads are smooth: they are taken on a grid coarser by this factor."""
_NEIGHBOURHOOD = 5


def light_channels(grey: Tensor, mask: Tensor) -> Tensor:
    """What lasts of a face when the lamp moves, ``(B, CHANNELS, S, S)``.

    ``grey`` (B, 1, S, S) 0…1, ``mask`` (B, 1, S, S) 0…1. Grey is taken less its local mean over its
    local spread (both over the mask alone); the gradient's magnitude is taken relative to the
    face's mean; its direction as cosine and sine of the doubled angle, which stay when shading is
    inverted (Granlund 1978; Bigün and Granlund 1987).
    """
    normalised = normalised_grey(grey, mask)
    # The rim is the flan's edge, not the die's work.
    inner = _least_of_seven(_least_of_seven(F.pad(mask, (3, 3, 3, 3), value=1.0), -1), -2)
    x, y = _gradient(_mean_of_nine(normalised))
    x, y = x * inner, y * inner
    # Directions are averaged before they are divided by their strength: noise has no direction.
    products = _mean_of_nine(torch.cat([x * x - y * y, 2 * x * y, x * x + y * y], 1))
    power = products[:, 2:]
    share = inner.mean((1, 2, 3), keepdim=True).clamp(min=0.01)
    usual = (power.mean((1, 2, 3), keepdim=True) / share).clamp(min=1e-6)
    magnitude = (power / (power + usual)).sqrt()
    orientation = products[:, :2] / (power + 0.25 * usual)
    return torch.cat([normalised, magnitude, orientation, mask], 1)


def normalised_grey(grey: Tensor, mask: Tensor) -> Tensor:
    """Grey less its local mean over its local spread, within ±1 (four spreads); 0 off the mask."""
    size = grey.shape[-2:]
    weight = _smooth(F.avg_pool2d(mask, _SHADES)).clamp(min=1e-3)
    mean = _smooth(F.avg_pool2d(grey * mask, _SHADES)) / weight
    apart = (grey - F.interpolate(mean, size, mode="bilinear", align_corners=False)) * mask
    variance = _smooth(F.avg_pool2d(apart * apart, _SHADES)) / weight
    share = mask.mean((1, 2, 3), keepdim=True).clamp(min=1e-3)
    overall = (apart * apart).mean((1, 2, 3), keepdim=True) / share
    # A floor keeps noise on polished, reliefless parts from being blown up to relief.
    spread = (variance + 0.1 * overall + 1e-5).sqrt()
    spread = F.interpolate(spread, size, mode="bilinear", align_corners=False)
    return (apart / spread).clamp(-4, 4) / 4


def _smooth(maps: Tensor) -> Tensor:
    """Three running means are near a Gaussian (of 2.4 cells) and cost next to nothing."""
    for _ in range(3):
        maps = F.avg_pool2d(maps, _NEIGHBOURHOOD, 1, _NEIGHBOURHOOD // 2, count_include_pad=True)
    return maps


def _gradient(image: Tensor) -> tuple[Tensor, Tensor]:
    """Scharr's derivatives of one channel, (B, 1, S, S) each. (Shifted sums: convolutions of one
    channel are slow on CPUs.)"""
    wide = F.pad(image, (1, 1, 1, 1), mode="replicate")
    across = wide[..., 2:] - wide[..., :-2]
    down = wide[..., 2:, :] - wide[..., :-2, :]
    x = (3 * (across[..., :-2, :] + across[..., 2:, :]) + 10 * across[..., 1:-1, :]) / 16
    y = (3 * (down[..., :-2] + down[..., 2:]) + 10 * down[..., 1:-1]) / 16
    return x, y


def _least_of_seven(maps: Tensor, axis: int) -> Tensor:
    """The least of every seven in a row along an axis. (Of two, of four, of seven: a pooling is
    twenty times slower.)"""
    for step in (1, 2, 3):
        length = maps.shape[axis] - step
        maps = torch.minimum(maps.narrow(axis, 0, length), maps.narrow(axis, step, length))
    return maps


def _mean_of_nine(maps: Tensor) -> Tensor:
    """Each place's mean with its eight neighbours, nothing beyond the edge. (Rows, then columns, as
    shifted sums: a pooling of nine is ten times slower.)"""
    wide = F.pad(maps, (1, 1, 1, 1))
    rows = wide[..., :-2, :] + wide[..., 1:-1, :] + wide[..., 2:, :]
    return (rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]) / 9
