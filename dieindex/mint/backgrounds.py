"""Whole photographs: faces laid on a ground, with shadow, ruler and caption."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from dieindex.mint.noise import smooth_field, texture
from dieindex.mint.photography import PhotoParameters


def simple_ground(
    photos: list[PhotoParameters], height: int, width: int, device: torch.device | str
) -> Tensor:
    """The grounds of a batch without objects on them, linear, ``(B, 3, height, width)``."""
    size = max(height, width)
    grounds = []
    for photo in photos:
        rng = [np.random.default_rng([photo.seed, 11])]
        first = torch.tensor(photo.ground_colour, device=device).view(1, 3, 1, 1)
        second = torch.tensor(photo.ground_second, device=device).view(1, 3, 1, 1)
        field = smooth_field(rng, 4, size, 1, device)
        ground = first * (1 + 0.02 * field)
        if photo.ground == "gradient":
            angle = float(rng[0].uniform(0, 2 * np.pi))
            steps = torch.linspace(-0.7, 0.7, size, device=device)
            slope = steps.view(1, 1, 1, -1) * np.cos(angle) + steps.view(1, 1, -1, 1) * np.sin(
                angle
            )
            ground = torch.lerp(first, second, (slope + 0.5).clamp(0, 1))
        elif photo.ground in ("cloth", "paper"):
            weave = texture("grain", rng, np.array([1.1], np.float32), size, device, 2.0)
            amount = 0.22 if photo.ground == "cloth" else 0.05
            if photo.ground == "cloth":
                steps = torch.arange(size, device=device) * (
                    2 * np.pi / float(rng[0].uniform(3, 7))
                )
                threads = torch.sin(steps).view(1, 1, -1, 1) * torch.sin(steps).view(1, 1, 1, -1)
                weave = 0.6 * weave + threads
            ground = ground * (1 + amount * weave).clamp(0.1, 2)
        grounds.append(ground[..., :height, :width].expand(-1, 3, -1, -1))
    return torch.cat(grounds).clamp(0, 1)
