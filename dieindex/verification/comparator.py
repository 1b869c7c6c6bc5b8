"""Whether two aligned faces come from one die, judged from their dense descriptors.

Dies of one type share their layout, and alignment brings it to one place. What still lies displaced
where both faces show the die (a letter, a curl, a border dot) speaks against one die; what falls
exactly together speaks for it. So the comparator measures how far each cell of one face lies from
its like on the other, after the smooth part of all these displacements (a remaining misalignment)
is removed.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

REACH = 3
"""Cells by which one face's cell is sought about its place on the other."""
SHIFTS = (2 * REACH + 1) ** 2
CALM = 0.2
"""Scaled similarities enter the convolutions at about unit size."""
BESIDE = 6
"""Channels beside them: residual x and y, its size, likeness, peak, weight."""


class Compared(NamedTuple):
    """``P`` pairs as the comparator sees them."""

    logit: Tensor
    """(P,) log-odds of "same die" at equal odds; not calibrated."""
    costs: Tensor
    """(P, SHIFTS, grid, grid) scaled similarities, displacement (dy, dx) row by row."""
    residual: Tensor
    """(P, 2, grid, grid) displacement (x, y) less its affine fit, cells."""
    weight: Tensor
    """(P, 1, grid, grid) 0…1: where both faces are reliable."""


def cost_volume(first: Tensor, second: Tensor) -> Tensor:
    """Similarity of each cell with the cells about its place on the other face.

    ``first``, ``second`` (P, C, H, W) → (P, SHIFTS, H, W): entry (dy, dx), row by row from -REACH,
    is the dot product of ``first`` at (y, x) with ``second`` at (y + dy, x + dx), 0 outside.
    A whole row against a whole row is one matrix product, of which the band is kept: more
    arithmetic than shift by shift, and several times faster.
    """
    pairs, _, height, width = first.shape
    rows = first.permute(0, 2, 3, 1)
    wide = F.pad(second, (REACH, REACH, REACH, REACH)).permute(0, 2, 3, 1).contiguous()
    across = width + 2 * REACH
    bands = []
    for dy in range(2 * REACH + 1):
        products = torch.matmul(rows, wide[:, dy : dy + height].transpose(-1, -2)).contiguous()
        bands.append(
            products.as_strided(
                (pairs, height, width, 2 * REACH + 1),
                (height * width * across, width * across, across + 1, 1),
            )
        )
    return torch.cat(bands, -1).permute(0, 3, 1, 2)


def displacements(device: torch.device | str = "cpu") -> Tensor:
    """(SHIFTS, 2): the displacement (x, y) of every entry of a cost volume, cells."""
    steps = torch.arange(-REACH, REACH + 1, dtype=torch.float32, device=device)
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], 1)


def less_affine(flow: Tensor, weight: Tensor) -> Tensor:
    """A displacement field (P, 2, H, W) less its weighted affine fit; ``weight`` (P, 1, H, W).

    Weighted least squares with a little ridge, so that a pair without overlap stays finite.
    """
    pairs, _, height, width = flow.shape
    y, x = torch.meshgrid(
        torch.linspace(-1, 1, height, device=flow.device),
        torch.linspace(-1, 1, width, device=flow.device),
        indexing="ij",
    )
    basis = torch.stack([torch.ones_like(x), x, y], -1).view(-1, 3)
    w = weight.flatten(1)
    values = flow.flatten(2).transpose(1, 2)
    normal = torch.einsum("pn,ni,nj->pij", w, basis, basis)
    ridge = 1e-3 * height * width * torch.eye(3, device=flow.device)
    right = torch.einsum("pn,ni,pnk->pik", w, basis, values)
    fitted = torch.einsum("ni,pik->pnk", basis, torch.linalg.solve(normal + ridge, right))
    return (values - fitted).transpose(1, 2).reshape(pairs, 2, height, width)


class Comparator(nn.Module):
    """A pair of described faces becomes one logit. ``first`` against ``second`` is not quite
    ``second`` against ``first``; ``both_ways`` averages the two."""

    def __init__(self, width: int = 32, kept: int = 16) -> None:
        super().__init__()
        self.sharpness = nn.Parameter(torch.tensor(2.5))
        self.costs = nn.Conv2d(SHIFTS, kept, 1)
        # No batch statistics here: half of a training batch is of one die and hardly any pair of a
        # collection is, and what is normalised by the one misjudges the other.
        self.enter = nn.Sequential(nn.Conv2d(kept + BESIDE, width, 3, 2, 1), nn.ReLU())
        self.inner = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1), nn.ReLU(), nn.Conv2d(width, width, 3, 1, 1)
        )
        self.inner_share = nn.Parameter(torch.tensor(0.1))
        self.attend = nn.Conv2d(width, 1, 1)
        self.judge = nn.Sequential(nn.Linear(3 * width + 1, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(
        self, first: Tensor, second: Tensor, trust_first: Tensor, trust_second: Tensor
    ) -> Compared:
        """``first``, ``second`` (P, C, H, W) descriptors; ``trust…`` (P, 1, H, W) reliabilities."""
        # Similarities lie in -1…1: bfloat16 keeps three digits of them, which is enough.
        dots = cost_volume(*_narrow(first, second)).float()
        costs = dots * self.sharpness.exp()
        weight = trust_first * trust_second
        share = torch.softmax(costs, 1)
        where = displacements(first.device)
        flow = torch.einsum("pkhw,kc->pchw", share, where)
        with torch.autocast(first.device.type, enabled=False):
            residual = less_affine(flow.float(), weight.float())
        size = (residual.square().sum(1, keepdim=True) + 1e-6).sqrt()
        likeness = (share * dots).sum(1, keepdim=True)
        peak = share.amax(1, keepdim=True)
        seen = torch.cat(
            [
                self.costs(CALM * costs * weight),
                residual / REACH,
                size / REACH,
                likeness,
                peak,
                weight,
            ],
            1,
        )
        logit = self.judged(seen.contiguous(memory_format=torch.channels_last), weight)
        return Compared(logit, costs, residual, weight)

    def judged(self, seen: Tensor, weight: Tensor) -> Tensor:
        """(P,) logits from what is seen in every cell, (P, kept + BESIDE, H, W), and ``weight``."""
        x = self.enter(seen)
        x = F.relu(x + self.inner_share * self.inner(x))
        pooled = self._pooled(x.float(), F.avg_pool2d(weight.float(), 2))
        logits: Tensor = self.judge(pooled).float().squeeze(1)
        return logits

    def _pooled(self, x: Tensor, weight: Tensor) -> Tensor:
        """Mean, attended mean and spread over where both faces show the die, and its share."""
        attention = self.attend(x).float() + weight.clamp(min=1e-4).log()
        cells = x.permute(0, 2, 3, 1).flatten(1, 2)
        shown = weight.flatten(1)[:, None]
        total = shown.sum(2).clamp(min=1e-3)
        mean, square = ((shown @ each)[:, 0] / total for each in (cells, cells.square()))
        spread = ((square - mean.square()).clamp(min=0) + 1e-5).sqrt()
        attended = (torch.softmax(attention.flatten(1), 1)[:, None] @ cells)[:, 0]
        return torch.cat([mean, attended, spread, weight.mean((2, 3))], 1)

    def both_ways(
        self, first: Tensor, second: Tensor, trust_first: Tensor, trust_second: Tensor
    ) -> Tensor:
        """(P,) logits that do not depend on which face comes first."""
        there: Tensor = self(first, second, trust_first, trust_second).logit
        back: Tensor = self(second, first, trust_second, trust_first).logit
        return (there + back) / 2


def _narrow(*maps: Tensor) -> tuple[Tensor, ...]:
    kind = maps[0].device.type
    if not torch.is_autocast_enabled(kind):
        return maps
    return tuple(m.to(torch.get_autocast_dtype(kind)) for m in maps)
