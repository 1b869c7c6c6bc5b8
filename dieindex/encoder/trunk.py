"""MobileNetV2's convolutional stages, layer for layer those of torchvision.

Torchvision's own need two more seconds to be imported, in every ``compare`` anew. The parameters
have its names, so that weights pass from one to the other; a test holds both to the same output.
Source: Sandler et al. 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks".
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STAGES = (
    # expansion, channels, repeats, stride of the first
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
STEM_CHANNELS = 32
MOST_BLOCKS = 1 + sum(repeats for _, _, repeats, _ in STAGES)


def _convolution(before: int, after: int, size: int, stride: int, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, size, stride, (size - 1) // 2, groups=groups, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU6(inplace=True),
    )


class InvertedResidual(nn.Module):
    """Widen, filter each channel, narrow; add the input where the shapes allow it."""

    def __init__(self, before: int, after: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = before * expansion
        self.adds = stride == 1 and before == after
        self.conv = nn.Sequential(
            *([_convolution(before, wide, 1, 1)] if expansion != 1 else []),
            _convolution(wide, wide, 3, stride, groups=wide),
            nn.Conv2d(wide, after, 1, bias=False),
            nn.BatchNorm2d(after),
        )

    def forward(self, x: Tensor) -> Tensor:
        narrowed: Tensor = self.conv(x)
        return x + narrowed if self.adds else narrowed


def mobilenet_trunk(blocks: int, inputs: int = 3) -> tuple[nn.Sequential, int]:
    """The first ``blocks`` (1…18) stages, weights not loaded, and the channels they end with.

    ``inputs`` channels enter.
    """
    if not 1 <= blocks <= MOST_BLOCKS:
        raise ValueError(f"MobileNetV2 has 1 to {MOST_BLOCKS} blocks, not {blocks}")
    layers: list[nn.Module] = [_convolution(inputs, STEM_CHANNELS, 3, 2)]
    channels = [STEM_CHANNELS]
    for expansion, after, repeats, first_stride in STAGES:
        for number in range(repeats):
            stride = first_stride if number == 0 else 1
            layers.append(InvertedResidual(channels[-1], after, stride, expansion))
            channels.append(after)
    return nn.Sequential(*layers[:blocks]), channels[blocks - 1]


LATERALS = ((4, 24), (7, 32), (14, 96))
"""Blocks after which a stride ends (4, 8 and 16), and the channels there. MobileNetV2 goes on to
stride 32, but a cell of that is a sixth of a face."""
FULL_RANGE = 4.0
"""The network's pictures had unit spread; our grey is divided by four spreads."""


class MobilenetFeatures(nn.Module):
    """Features on a quarter of the input's grid, of three strides of MobileNetV2.

    ``inputs`` channels enter, the first of them grey less its local mean over four local spreads;
    ``width`` come out. Each stride is brought to ``width`` by a 1×1 convolution, the coarser ones
    are enlarged, and all are added, as feature pyramids do (Lin et al. 2017). With ``places``, the
    cells along an edge of the coarsest, a learned map (width, places, places) is added there.
    """

    def __init__(self, inputs: int, width: int, places: int = 0) -> None:
        super().__init__()
        self.stages, _ = mobilenet_trunk(LATERALS[-1][0], inputs)
        self.laterals = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width))
            for _, channels in LATERALS
        )
        self.places = nn.Parameter(torch.zeros(width, places, places)) if places else None

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, S, S) to (B, width, S / 4, S / 4), not below 0."""
        start, parts = 0, []
        for (end, _), lateral in zip(LATERALS, self.laterals, strict=True):
            x = self.stages[start:end](x)
            parts.append(lateral(x))
            start = end
        if self.places is not None:
            parts[-1] = parts[-1] + self.places
        total = parts[0]
        for part in parts[1:]:
            total = total + F.interpolate(
                part, total.shape[-2:], mode="bilinear", align_corners=False
            )
        return F.relu(total)

    def load_stages(self, state: dict[str, Tensor]) -> None:
        """Take over stages that learned from colour pictures, ``state`` by torchvision's names.

        Grey gets the sum of the three colours' weights, so that a grey picture gives what it gave
        there; the other channels begin at nothing and are learned. Raises KeyError or RuntimeError
        where ``state`` does not fit.
        """
        given = dict(state)
        colours = given["0.0.weight"]
        first = torch.zeros_like(self.stages[0][0].weight)  # type: ignore[index]
        first[:, 0] = FULL_RANGE * colours.sum(1)
        given["0.0.weight"] = first
        missing, unexpected = self.stages.load_state_dict(given, strict=False)
        # Batch counters only matter to training; files do not carry them.
        wrong = [*unexpected, *(m for m in missing if not m.endswith("num_batches_tracked"))]
        if wrong:
            raise KeyError(wrong[0])
