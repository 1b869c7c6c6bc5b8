"""What coins are photographed on: paper, cloth, plastic, nothing at all."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from dieindex.mint.noise import smooth_field, texture
from dieindex.mint.parameters import PhotoParameters

GROUNDS = ("white", "grey", "black", "coloured", "gradient", "cloth", "paper")


def ground_picture(
    photos: list[PhotoParameters], height: int, width: int, device: torch.device | str
) -> Tensor:
    """The grounds of a batch without objects on them, linear, ``(B, 3, height, width)``."""
    size = max(height, width)
    grounds = []
    for photo in photos:
        rng = [np.random.default_rng([photo.seed, 11])]
        first = torch.tensor(photo.ground_colour, device=device).view(1, 3, 1, 1)
        second = torch.tensor(photo.ground_second, device=device).view(1, 3, 1, 1)
        ground = first * (1 + 0.02 * smooth_field(rng, 4, size, 1, device))
        if photo.ground == "white" and min(photo.ground_colour) > 0.97:
            # Cut out on pure white, as many houses do: white under any white balance.
            ground = torch.full_like(ground, 1.2)
        steps = torch.linspace(-0.7, 0.7, size, device=device)
        if photo.ground == "gradient":
            angle = float(rng[0].uniform(0, 2 * np.pi))
            slope = steps.view(1, 1, 1, -1) * np.cos(angle) + steps.view(1, 1, -1, 1) * np.sin(
                angle
            )
            ground = torch.lerp(ground, second, (slope + 0.5).clamp(0, 1))
        elif photo.ground in ("cloth", "paper"):
            ground = ground * _woven(photo, rng, size, device)
        grounds.append(ground[..., :height, :width].expand(-1, 3, -1, -1))
    return torch.cat(grounds).clamp(0, 1.2)


def _woven(
    photo: PhotoParameters,
    rng: list[np.random.Generator],
    size: int,
    device: torch.device | str,
) -> Tensor:
    extent = np.array([1.1], np.float32)
    fibres = texture("grain", rng, extent, size, device, 0.9)
    if photo.ground == "paper":
        return (1 + 0.05 * fibres).clamp(0.1, 2)
    steps = torch.arange(size, device=device) * (2 * np.pi / float(rng[0].uniform(3, 7)))
    bend = 0.6 * smooth_field(rng, 6, size, 2, device)
    across = torch.sin(steps.view(1, 1, -1, 1) + bend[:, :1])
    along = torch.sin(steps.view(1, 1, 1, -1) + bend[:, 1:])
    return (1 + 0.12 * fibres + 0.14 * across * along).clamp(0.1, 2)
