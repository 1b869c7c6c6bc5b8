"""From stored faces to what the network sees: frames, jitter, other photographs, truth moved along.

The network's frame is the square of ±EXTENT flan radii, as faces are framed. A face is cut from the
pool by one affine transform: network frame → shared turn of its batch → frame the alignment gave →
die frame. The shared part makes new types of old ones: every face of the batch is turned, mirrored
and stretched alike, so what is told apart stays what it was.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from dieindex.encoder.descriptors import EXTENT
from dieindex.mint.relief import RELIEF_SPAN
from dieindex.training.shards import Shard


@dataclass(frozen=True)
class AugmentSettings:
    """How strongly faces are changed; every value 0 or False leaves them as they are."""

    shift: float = 0.003
    """Standard deviation of a face's own shift, as a share of the flan's diameter: with what
    follows, about as far as the real alignment is wrong."""
    turn: float = 0.4
    """Likewise of its turn, degrees."""
    scale: float = 0.004
    affine: float = 0.003
    """Likewise of the four entries of its stretch and shear."""
    tail: float = 0.5
    """Spread of the logarithm of a factor of all of these: some faces lie badly."""
    real: float = 0.3
    """Factor of all of these where the frame is the real alignment's, which is wrong by itself."""
    shared_turn: bool = True
    """Whether all faces of a type are turned alike by any angle, and mirrored half of the time."""
    shared_affine: float = 0.06
    """Spread of the stretch and shear that all faces of a type undergo alike."""
    blur: float = 1.2
    """Largest standard deviation of the blur, pixels; half of the faces are blurred."""
    gamma: float = 0.35
    """Spread of the logarithm of the exponent that grey is raised to."""
    invert: float = 0.3
    """Share of faces whose grey is inverted, as light from the other side would."""
    noise: float = 0.3
    """Largest standard deviation of the noise, as a share of the spread of the face's grey."""
    cut: float = 0.4
    """Share of faces that lose a disc, as to damage or dirt."""


PLAIN = AugmentSettings(
    shift=0,
    turn=0,
    scale=0,
    affine=0,
    shared_turn=False,
    shared_affine=0,
    blur=0,
    gamma=0,
    invert=0,
    noise=0,
    cut=0,
)
"""Faces as they lie on their frames."""


@dataclass(frozen=True, eq=False)
class Seen:
    """Faces as the network sees them, with the truth; ``B`` faces."""

    faces: Tensor
    """(B, 2, S, S): grey 0…1 and mask 0…1."""
    place: Tensor
    """(B, 2, S/4, S/4): true die position (x, y) of every cell's centre, flan radii."""
    visible: Tensor
    """(B, 1, S/4, S/4) 0…1: where the die's work shows."""
    linear: Tensor
    """(B, 2, 2): how a step on the die moves in the network's frame, cells a flan radius."""
    die: Tensor
    type: Tensor

    def __len__(self) -> int:
        return len(self.die)


def see(
    shard: Shard,
    settings: AugmentSettings,
    generator: torch.Generator,
    size: int,
    device: torch.device | str = "cpu",
) -> Seen:
    """Cut faces of ``size`` pixels from stored ones. All that is random comes from ``generator``
    (a CPU generator, whatever ``device``), so equal seeds give equal faces on any device."""
    types = torch.from_numpy(shard.type)
    to_die = frame_matrices(shard, settings, generator).to(device)
    stored = torch.from_numpy(shard.picture).to(device).float() / 255
    cut = F.grid_sample(
        stored, _grid(to_die, size), mode="bilinear", padding_mode="zeros", align_corners=False
    )
    grey, mask = cut[:, :1], (cut[:, 1:] > 0.5).float()
    grey, mask = _rephotographed(grey, mask, settings, generator)
    cells = size // 4
    grid = _grid(to_die, cells)
    truth = torch.cat(
        [
            torch.from_numpy(shard.flow).float(),
            torch.from_numpy(shard.visible)[:, None].float() / 255,
        ],
        1,
    ).to(device)
    moved = F.grid_sample(truth, grid, mode="bilinear", padding_mode="border", align_corners=False)
    place = grid.permute(0, 3, 1, 2) * RELIEF_SPAN + moved[:, :2]
    linear = torch.linalg.inv(to_die[:, :2, :2]) * (cells / (2 * EXTENT))
    return Seen(
        faces=torch.cat([grey, mask], 1),
        place=place,
        visible=moved[:, 2:] * F.avg_pool2d(mask, 4),
        linear=linear,
        die=torch.from_numpy(shard.die).to(device),
        type=types.to(device),
    )


def frame_matrices(shard: Shard, settings: AugmentSettings, generator: torch.Generator) -> Tensor:
    """(B, 3, 3): network frame → die frame, both in flan radii."""
    count = len(shard)
    true = torch.from_numpy(np.abs(shard.frame - np.eye(3)).max((1, 2)) < 1e-6)
    factor = torch.exp(settings.tail * torch.randn(count, generator=generator))
    factor = factor * torch.where(true, 1.0, settings.real)
    own = _affine(
        factor, generator, 2 * settings.shift, settings.turn, settings.scale, settings.affine
    )
    _, which = torch.unique(torch.from_numpy(shard.type), return_inverse=True)
    groups = int(which.max()) + 1
    shared = _affine(torch.ones(groups), generator, 0, 0, 0, settings.shared_affine)
    if settings.shared_turn:
        angle = torch.rand(groups, generator=generator) * 360
        mirror = torch.where(torch.rand(groups, generator=generator) < 0.5, -1.0, 1.0)
        shared = (
            shared
            @ _turn(angle)
            @ torch.diag_embed(torch.stack([mirror, torch.ones(groups), torch.ones(groups)], 1))
        )
    frame = torch.from_numpy(shard.frame)
    to_die: Tensor = torch.linalg.inv(frame) @ shared[which] @ own
    return to_die


def _affine(
    factor: Tensor,
    generator: torch.Generator,
    shift: float,
    turn: float,
    scale: float,
    affine: float,
) -> Tensor:
    count = len(factor)
    sample = torch.randn(count, 8, generator=generator) * factor[:, None]
    out = torch.eye(3).repeat(count, 1, 1)
    out[:, :2, :2] += affine * sample[:, :4].view(-1, 2, 2)
    out[:, :2, :2] *= torch.exp(scale * sample[:, 4])[:, None, None]
    out[:, :2, 2] = shift * sample[:, 5:7]
    return out @ _turn(turn * sample[:, 7])


def _turn(degrees: Tensor) -> Tensor:
    c, s = torch.cos(torch.deg2rad(degrees)), torch.sin(torch.deg2rad(degrees))
    zero, one = torch.zeros_like(c), torch.ones_like(c)
    rows = [torch.stack(r, 1) for r in ([c, -s, zero], [s, c, zero], [zero, zero, one])]
    return torch.stack(rows, 1)


def _grid(to_die: Tensor, size: int) -> Tensor:
    """(B, size, size, 2): where each pixel lies in the stored square, -1…1."""
    steps = (torch.arange(size, device=to_die.device) + 0.5) * (2 * EXTENT / size) - EXTENT
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    points = torch.stack([x, y, torch.ones_like(x)], -1).view(1, -1, 3)
    moved = points @ to_die.transpose(1, 2)
    return (moved[..., :2] / moved[..., 2:]).view(-1, size, size, 2) / RELIEF_SPAN


def _rephotographed(
    grey: Tensor, mask: Tensor, settings: AugmentSettings, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Blur, exposure, inversion, noise and cut-outs, each face its own."""
    count, device = len(grey), grey.device

    def uniform() -> Tensor:
        return torch.rand(count, 1, 1, 1, generator=generator).to(device)

    strength, chosen = uniform() * settings.blur, uniform() < 0.5
    if settings.blur:
        grey = torch.where(chosen, _blurred(grey, strength), grey)
    exponent = torch.exp(settings.gamma * torch.randn(count, 1, 1, 1, generator=generator)).to(
        device
    )
    if settings.gamma:
        grey = grey.clamp(1e-3, 1) ** exponent
    grey = torch.where(uniform() < settings.invert, 1 - grey, grey)
    amount = uniform() * settings.noise
    if settings.noise:
        # One field serves all faces, each at its own offset: as good as many, and cheap.
        field = torch.randn(1, 1, *grey.shape[-2:], generator=generator).to(device)
        rolls = torch.randint(grey.shape[-1], (count, 2), generator=generator).tolist()
        noise = torch.cat([torch.roll(field, (dy, dx), (-2, -1)) for dy, dx in rolls])
        spread = (grey * mask).std((1, 2, 3), keepdim=True)
        grey = (grey + amount * spread * noise).clamp(0, 1)
    hole = _disc(grey.shape[-1], uniform(), uniform(), 0.04 + 0.1 * uniform(), device)
    hole = hole & (uniform() < settings.cut)
    return grey * mask, torch.where(hole, torch.zeros_like(mask), mask)


def _blurred(grey: Tensor, sigma: Tensor) -> Tensor:
    """Gaussian blur, each face its own ``sigma`` (B, 1, 1, 1), by a separable kernel of 7."""
    count = len(grey)
    steps = torch.arange(-3, 4, device=grey.device, dtype=grey.dtype)
    kernel = torch.exp(-0.5 * (steps / sigma.view(-1, 1).clamp(min=0.05)) ** 2)
    kernel = kernel / kernel.sum(1, keepdim=True)
    faces = F.pad(grey.transpose(0, 1), (3, 3, 3, 3), mode="replicate")
    across = F.conv2d(faces, kernel.view(count, 1, 1, 7), groups=count)
    return F.conv2d(across, kernel.view(count, 1, 7, 1), groups=count).transpose(0, 1)


def _disc(size: int, x: Tensor, y: Tensor, radius: Tensor, device: torch.device) -> Tensor:
    steps = torch.linspace(0, 1, size, device=device)
    return (steps.view(1, 1, 1, -1) - x) ** 2 + (steps.view(1, 1, -1, 1) - y) ** 2 < radius**2


def true_displacement(seen: Seen, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """How far each cell of face ``first`` lies from its like on face ``second`` of the same die.

    ``first``, ``second`` (P,) rows of ``seen`` → displacement (P, 2, H, W) in cells (x, y), and its
    weight (P, 1, H, W): where the die's work shows on both.
    """
    apart = seen.place[first] - seen.place[second]
    moved = torch.einsum("pij,pjhw->pihw", seen.linear[second], apart)
    return moved, seen.visible[first] * seen.visible[second]
