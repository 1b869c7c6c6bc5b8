"""Light on metal: lamps, the room mirrored in silver, shadows, and the dark of the recesses."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from dieindex.mint.flan import NOMINAL_EXTENT
from dieindex.mint.parameters import Lighting
from dieindex.mint.striking import Struck
from dieindex.mint.surface import blur, cast_shadow, column, slopes


def shade(struck: Struck, lighting: list[Lighting], turns: list[float]) -> Tensor:
    """Linear light coming off each face, ``(B, 3, size, size)``; fields lie around 0.3.

    ``turns`` are the coins' rotations in their pictures (radians): lamps stand still in the
    picture. Diffuse light is Lambert's with wrapped terminators for wide lamps; metal mirrors a
    room of spherical-Gaussian lamps widened by the surface's roughness.
    """
    device = struck.height.device
    size = struck.size
    spacing = column([float(2 * e / size) for e in struck.extents], device)
    unit = size / (2 * NOMINAL_EXTENT)

    def number(name: str) -> Tensor:
        return column([float(getattr(light, name)) for light in lighting], device)

    height, layers = struck.height, struck.layers
    dx, dy = slopes(height, spacing)
    gain = number("relief_gain")
    nx, ny = -dx * gain, -dy * gain
    # Very steep walls are softened: a pixel averages over them anyway.
    steep = 1 / torch.sqrt(1 + 0.12 * (nx * nx + ny * ny))
    nx, ny = nx * steep, ny * steep
    nz = 1 / torch.sqrt(1 + nx * nx + ny * ny)
    nx, ny = nx * nz, ny * nz
    rx, ry, rz = 2 * nz * nx, 2 * nz * ny, 2 * nz * nz - 1

    near = (blur(height, 0.022 * unit) - height).clamp(min=0) / 0.022
    far = (blur(height, 0.11 * unit) - height).clamp(min=0) / 0.11
    occlusion = number("occlusion")
    open_sky = 1 / (1 + occlusion * (3.0 * near + 3.0 * far))

    sharp = 2.0 * torch.exp(3.6 * layers.gloss)
    ambient = number("ambient") * open_sky * (0.55 + 0.45 * nz)
    diffuse = ambient.expand(-1, 3, -1, -1).clone()
    mirror_room = number("room") * (0.35 + 0.65 * rz.clamp(min=0)) * open_sky
    overhead = number("overhead") * torch.exp(sharp / (1 + 0.04 * sharp) * (rz - 1))
    tall = number("ring_elevation")
    band = (rz - torch.sin(tall)) / (0.16 + 0.5 / torch.sqrt(sharp))
    ring = number("ring") * torch.exp(-band * band)
    diffuse = diffuse + (number("ring") * 0.7 + number("overhead") * 0.4) * nz * open_sky
    mirror = (
        (mirror_room + (overhead + ring) * (0.4 + 0.6 * open_sky)).expand(-1, 3, -1, -1).clone()
    )

    lamps = np.stack([light.lamps for light in lighting])
    for lamp in range(lamps.shape[1]):
        rows = lamps[:, lamp].astype(float)
        if not rows[:, 2].any():
            continue
        azimuth = column([float(r[0] - t) for r, t in zip(rows, turns, strict=True)], device)
        elevation, strength, width, warmth = (
            column(rows[:, i].tolist(), device) for i in (1, 2, 3, 4)
        )
        lx = torch.cos(azimuth) * torch.cos(elevation)
        ly = torch.sin(azimuth) * torch.cos(elevation)
        lz = torch.sin(elevation)
        reach = cast_shadow(height * gain, azimuth, elevation, spacing, width * 0.7 + 0.03)
        reach = 0.12 + 0.88 * reach
        if any(light.shadows < 1 for light in lighting):
            reach = 1 - number("shadows") * (1 - reach)
        tint = torch.cat([1 + 0.12 * warmth, torch.ones_like(warmth), 1 - 0.16 * warmth], 1)
        lambert = (nx * lx + ny * ly + nz * lz + 0.35 * width).clamp(min=0) / (1 + 0.35 * width)
        diffuse = diffuse + tint * (strength * lambert * reach)
        lobe = 1 / (1 / sharp + 0.55 * width * width)
        facing = rx * lx + ry * ly + rz * lz
        # Normalised so that a wide lobe is not brighter in sum than a narrow one.
        energy = 2.6 * torch.sqrt(lobe)
        shine = strength * energy * torch.exp(lobe * (facing - 1)) * reach
        mirror = mirror + tint * shine

    albedo = layers.albedo
    brightest = albedo.amax(1, keepdim=True)
    metallic = 0.35 + 0.65 * albedo / brightest.clamp(min=0.02)
    level = 0.35 + 0.65 * brightest
    return albedo * diffuse * (1 - 0.55 * layers.shine) + metallic * level * layers.shine * mirror
