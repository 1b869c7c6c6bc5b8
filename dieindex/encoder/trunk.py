"""MobileNetV2's convolutional stages, layer for layer those of torchvision.

Torchvision's own need two more seconds to be imported, in every ``compare`` anew. The parameters
have its names, so that weights pass from one to the other; a test holds both to the same output.
Source: Sandler et al. 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks".
"""

from __future__ import annotations

from torch import Tensor, nn

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
        return x + self.conv(x) if self.adds else self.conv(x)


def mobilenet_trunk(blocks: int) -> tuple[nn.Sequential, int]:
    """The first ``blocks`` (1…18) stages, weights not loaded, and the channels they end with."""
    if not 1 <= blocks <= MOST_BLOCKS:
        raise ValueError(f"MobileNetV2 has 1 to {MOST_BLOCKS} blocks, not {blocks}")
    layers: list[nn.Module] = [_convolution(3, STEM_CHANNELS, 3, 2)]
    channels = [STEM_CHANNELS]
    for expansion, after, repeats, first_stride in STAGES:
        for number in range(repeats):
            stride = first_stride if number == 0 else 1
            layers.append(InvertedResidual(channels[-1], after, stride, expansion))
            channels.append(after)
    return nn.Sequential(*layers[:blocks]), channels[blocks - 1]
