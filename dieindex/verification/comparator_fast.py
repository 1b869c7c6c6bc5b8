"""The comparator both ways at once, as it is used where nothing is learned: faster than
``Comparator.both_ways``, with the same result to the rounding of bfloat16.

What one face's cell is like on the other is computed once: the second way reads the same numbers
from the other side. They are kept a plane of cells for each displacement, one pair at a time, so
that sums over displacements run along whole planes and stay in the processor's cache.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from dieindex.verification.comparator import (
    BESIDE,
    CALM,
    REACH,
    SHIFTS,
    Comparator,
    displacements,
)

_SPAN = 2 * REACH + 1
_MOST = 60.0
"""Taken off exponents at most: 49 exponentials neither vanish nor overflow in single precision."""
_TILE = 16
"""Cells of a row whose likenesses with the cells about them are computed as one matrix product."""


def both_ways_fast(
    comparator: Comparator,
    first: Tensor,
    second: Tensor,
    trust: Tensor,
    narrow: torch.dtype,
    unit: float = 1.0,
) -> Tensor:
    """(P,) logits that do not depend on which face comes first.

    ``first``, ``second`` (P, C, H, W) descriptors in any numbers, ``unit`` long; ``trust`` (P, 1,
    H, W) the product of their reliabilities; ``narrow`` is what matrices are multiplied in.
    """
    pairs, _, height, width = first.shape
    cells = height * width
    seen = first.new_empty((2, pairs, cells, comparator.costs.out_channels + BESIDE), dtype=narrow)
    with torch.autocast(first.device.type, enabled=False):
        weights = trust.float().view(pairs, cells)
        basis, inverse = _affine(weights, height, width)
        sharpness = comparator.sharpness.exp()
        # (Likenesses are at most one. What is taken off keeps their exponentials finite, and those
        # of cells that are like nothing above zero.)
        most = sharpness.clamp(max=_MOST)
        nothing = float(torch.exp(-most))
        for pair in range(pairs):
            one, other = (_cell_by_cell(each[pair], narrow) for each in (first, second))
            dots = _likenesses(one, _tiled(other))
            share = (dots.float() * (sharpness / unit**2)).sub_(most).exp_()
            back = _from_the_other_side(dots, 0.0), _from_the_other_side(share, nothing)
            for way, (likeness, shared) in enumerate(((dots, share), back)):
                look = _Look(likeness.view(SHIFTS, cells), shared.view(SHIFTS, cells), unit)
                planes = _seen(comparator, look, weights[pair], basis, inverse[pair])
                seen[way, pair] = planes.to(narrow).T
    found = seen.view(2 * pairs, height, width, -1).permute(0, 3, 1, 2)  # channels-last
    return comparator.judged(found, trust.repeat(2, 1, 1, 1)).view(2, pairs).mean(0)


def _cell_by_cell(face: Tensor, narrow: torch.dtype) -> Tensor:
    """A face (C, H, W) as (H, W, C)."""
    channels, height, width = face.shape
    return face.view(channels, -1).T.contiguous().to(narrow).view(height, width, channels)


def _tiled(face: Tensor) -> Tensor:
    """A face (H, W, C) cut in tiles with the cells about them, (H + 2 R, tiles, T + 2 R, C);
    nothing outside."""
    wide = F.pad(face, (0, 0, REACH, REACH, REACH, REACH)).contiguous()
    rows, across, channels = wide.shape
    tile = _tile(across - 2 * REACH)
    row, cell, channel = wide.stride()
    shape = (rows, (across - 2 * REACH) // tile, tile + 2 * REACH, channels)
    return wide.as_strided(shape, (row, tile * cell, cell, channel)).contiguous()


def _tile(width: int) -> int:
    return _TILE if width % _TILE == 0 else width


def _likenesses(first: Tensor, tiles: Tensor) -> Tensor:
    """(dy, dx, H, W): the dot product of each cell of ``first`` (H, W, C) with the cells about its
    place on the other face, cut in ``tiles``; as ``comparator.cost_volume``."""
    height, width, channels = first.shape
    count, reached = tiles.shape[1:3]
    tile = width // count
    rows = first.view(height * count, tile, channels)
    others = tiles.view(-1, reached, channels)
    found = first.new_empty((_SPAN, _SPAN, height * count, tile))
    for dy in range(_SPAN):
        there = others[dy * count : (dy + height) * count]
        products = torch.bmm(rows, there.transpose(1, 2))
        # Of each row against each row, the band about the diagonal.
        shape = (_SPAN, height * count, tile)
        found[dy] = products.as_strided(shape, (1, tile * reached, reached + 1))
    return found.view(_SPAN, _SPAN, height, width)


def _from_the_other_side(planes: Tensor, outside: float) -> Tensor:
    """Planes (dy, dx, H, W) of ``second`` against ``first`` from those of ``first`` against
    ``second``: the entry (dy, dx, y, x) is that at (−dy, −dx, y + dy, x + dx)."""
    height, width = planes.shape[2:]
    turned = planes.view(SHIFTS, height, width).flip(0)
    wide = F.pad(turned, (REACH, REACH, REACH, REACH), value=outside)
    plane, row, cell = wide.stride()
    strides = (_SPAN * plane + row, plane + cell, row, cell)
    return wide.as_strided((_SPAN, _SPAN, height, width), strides).contiguous()


@dataclass(frozen=True, eq=False)
class _Look:
    """One way of a pair: ``likeness`` (49, N) of each cell with those about its place on the other,
    dot products of descriptors ``unit`` long, and ``share`` (49, N) of the soft maximum, not yet
    divided by their sum."""

    likeness: Tensor
    share: Tensor
    unit: float


def _seen(
    comparator: Comparator, look: _Look, weight: Tensor, basis: Tensor, inverse: Tensor
) -> Tensor:
    """What ``Comparator.judged`` is told of each cell, (channels, N), in the order of
    ``Comparator.forward``; ``weight`` (N,). ``look.share`` is changed."""
    where = displacements(weight.device).T
    read = torch.cat([where, torch.ones_like(where[:1])]) @ look.share
    flow, whole = read[:2], read[2]
    residual = flow / whole
    residual -= ((residual * weight) @ basis.T) @ inverse @ basis
    peak = look.share.amax(0) / whole
    likeness = look.share.mul_(look.likeness).sum(0) / (whole * look.unit**2)
    bias = comparator.costs.bias
    assert bias is not None
    kernel = comparator.costs.weight.flatten(1)
    kernel = kernel * (CALM * comparator.sharpness.exp() / look.unit**2)
    costs = (kernel.to(look.likeness.dtype) @ look.likeness).float()
    size = (residual.square().sum(0) + 1e-6).sqrt_() / REACH
    parts = [residual / REACH, torch.stack([size, likeness, peak, weight])]
    return torch.cat([torch.addcmul(bias[:, None], costs, weight), *parts])


def _affine(weight: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """What ``comparator.less_affine`` needs of the weights (P, N) alone: the basis (3, N), and the
    inverse (P, 3, 3), which is symmetric."""
    y, x = torch.meshgrid(
        torch.linspace(-1, 1, height, device=weight.device),
        torch.linspace(-1, 1, width, device=weight.device),
        indexing="ij",
    )
    basis = torch.stack([torch.ones_like(x), x, y]).view(3, -1)
    normal = torch.einsum("pn,in,jn->pij", weight, basis, basis)
    ridge = 1e-3 * weight.shape[1] * torch.eye(3, device=weight.device)
    return basis, torch.linalg.inv(normal + ridge)
