"""The network for aligned faces: dense descriptors with a reliability, and one unit vector.

Both faces of a pair go through this same network. It sees a face aligned to the common frame of its
type, as channels that do not depend on the lamp; it keeps their layout, so that what another die of
the type has moved by half a letter is still moved in its descriptors.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from dieindex.alignment.affine import FRAME_RADIUS
from dieindex.encoder.channels import CHANNELS, light_channels, normalised_grey
from dieindex.encoder.descriptor_config import DescriptorConfig
from dieindex.encoder.module_files import check_fits, load_module
from dieindex.encoder.trunk import MobilenetFeatures
from dieindex.encoder.weights import BASELINE_WEIGHTS
from dieindex.errors import EncoderError

EXTENT = 1 / (2 * FRAME_RADIUS)
"""Half the edge of an aligned face, in flan radii: it shows the whole frame of its type."""


@dataclass(frozen=True, eq=False)
class Described:
    """``B`` faces as the network describes them."""

    descriptors: Tensor
    """(B, descriptor, grid, grid): unit length in every cell."""
    reliability: Tensor
    """(B, 1, grid, grid) 0…1: how much a cell shows of the die; 0 off the flan."""
    raw: Tensor
    """(B, length): the vector before it is brought to unit length."""

    @property
    def vectors(self) -> Tensor:
        """(B, length) unit vectors."""
        return F.normalize(self.raw, dim=1)


def centred(vectors: Tensor, group: Tensor) -> Tensor:
    """Unit vectors less what all faces of their group share.

    ``vectors`` (B, d) of unit length, ``group`` (B,) integers: the faces' types. What every die of
    a type shows is no
    evidence. A face alone in its group keeps its own vector.
    """
    _, which = torch.unique(group, return_inverse=True)
    members = F.one_hot(which).to(vectors.dtype)
    count = members.sum(0)
    means = (members.T @ vectors) / count[:, None]
    alone = (count[which] < 2)[:, None]
    return F.normalize(torch.where(alone, vectors, vectors - means[which]), dim=1)


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class _Residual(nn.Module):
    """3×3, then 1×1, added to what came in. It begins as the identity, so that training is calm."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.spatial = _conv(width, width, 3)
        self.mix = nn.Conv2d(width, width, 1, bias=False)
        self.scale = nn.BatchNorm2d(width)
        nn.init.zeros_(self.scale.weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.scale(self.mix(self.spatial(x))))


class DescriptorNetwork(nn.Module):
    """An aligned face becomes dense unit descriptors, their reliability, and one vector.

    ``faces`` enter as (B, 2, input_size, input_size): grey 0…1 and the mask of the flan 0…1.
    """

    def __init__(self, config: DescriptorConfig | None = None) -> None:
        super().__init__()
        self.config = config or DescriptorConfig()
        self.config.check()
        width = self.config.width
        inputs = CHANNELS if self.config.light else 2
        if self.config.trunk == "mobilenet":
            places = self.config.input_size // 16 if self.config.places else 0
            self.mobilenet = MobilenetFeatures(inputs, width, places)
        else:
            self._make_own(inputs, width)
        self.describe = nn.Conv2d(width, self.config.descriptor, 1)
        self.trust = nn.Conv2d(width, 1, 1)
        channels, stride = self.config.vector_channels, self.config.vector_stride
        steps: list[nn.Module] = [_conv(self.config.descriptor, 48, 3, 2)]
        steps += [_conv(48, 48, 3, 2) for _ in range(stride // 8)]
        # The last step halves the grid once more, unless the first was enough.
        last = nn.Conv2d(48, channels, 3, 1 if stride == 2 else 2, 1, bias=False)
        self.gather = nn.Sequential(*steps, last)
        cells = (self.config.grid // stride) ** 2
        self.project: nn.Module = (
            nn.Linear(channels * cells, self.config.dimension, bias=False)
            if self.config.dimension
            else nn.Identity()
        )

    def _make_own(self, inputs: int, width: int) -> None:
        coarse = width + width // 3
        self.stem = nn.Sequential(
            _conv(inputs, width // 2, 5, 2),
            _conv(width // 2, width, 3, 2),
        )
        self.fine = nn.Sequential(*[_Residual(width) for _ in range(self.config.blocks)])
        self.context = nn.Sequential(
            _conv(width, coarse, 3, 2),
            *[_Residual(coarse) for _ in range(self.config.context)],
            nn.Conv2d(coarse, width, 1, bias=False),
        )

    def _features(self, channels: Tensor) -> Tensor:
        """(B, width, grid, grid), not below 0."""
        if self.config.trunk == "mobilenet":
            features: Tensor = self.mobilenet(channels)
            return features
        x: Tensor = self.fine(self.stem(channels))
        if not self.config.context:
            return x
        wide = self.context(x)
        return F.relu(x + F.interpolate(wide, x.shape[-2:], mode="nearest"))

    def forward(self, faces: Tensor) -> Described:
        grey, mask = faces[:, :1], faces[:, 1:]
        # Spreads and ratios need all their digits, whatever the rest is computed in.
        with torch.autocast(faces.device.type, enabled=False), torch.no_grad():
            if self.config.light:
                entering = light_channels(grey.float(), mask.float())
            else:
                entering = torch.cat([normalised_grey(grey.float(), mask.float()), mask.float()], 1)
            shown = F.avg_pool2d(mask.float(), 4)
        x = self._features(entering.contiguous(memory_format=torch.channels_last))
        descriptors = F.normalize(self.describe(x).float(), dim=1)
        reliability = torch.sigmoid(self.trust(x).float()) * shown
        gathered = self.gather(descriptors * reliability)
        raw = self.project(gathered.flatten(1)).float()
        return Described(descriptors, reliability, raw)


def load_pretrained(network: DescriptorNetwork, path: Path = BASELINE_WEIGHTS) -> None:
    """Let a network with the ``mobilenet`` trunk begin with stages that learned from photographs.

    ``path`` is a weights file with a MobileNetV2 as ``trunk.…``; the shipped one learned from
    ImageNet. What is behind the stages stays as it is.

    Raises EncoderError where the network has another trunk, or the file is missing or unfit.
    """
    if network.config.trunk != "mobilenet":
        raise EncoderError(f"trunk {network.config.trunk!r} has no pretrained weights.")
    try:
        with safe_open(str(path), "pt") as stored:
            network.mobilenet.load_stages(
                {
                    name.removeprefix("trunk."): stored.get_tensor(name).float()
                    for name in stored.keys()  # noqa: SIM118
                    if name.startswith("trunk.")
                }
            )
    except (SafetensorError, RuntimeError, KeyError, IndexError, OSError) as error:
        raise EncoderError(f"{path}: no pretrained MobileNetV2 in it ({error}).") from error


def load_descriptors(path: Path) -> DescriptorNetwork:
    """The network of a weights file, ready to describe, and for that alone: what it does with fixed
    statistics is folded together, so that its parameters are no longer the file's.

    Raises EncoderError where the file is missing, damaged, or none of this network's.
    """
    try:
        with safe_open(str(path), "pt") as stored:
            config = DescriptorConfig.from_dict(json.loads((stored.metadata() or {})["config"]))
        config.check()
    except EncoderError as error:
        raise EncoderError(f"{path}: not weights of dense descriptors: {error}") from error
    except (SafetensorError, KeyError, OSError, ValueError, TypeError, RecursionError) as error:
        raise EncoderError(f"{path}: not weights of dense descriptors ({error}).") from error
    with torch.device("meta"):
        # Sizes that are none must not fill the memory.
        check_fits(DescriptorNetwork(config), "encoder", path)
    network = DescriptorNetwork(config)
    load_module(network, "encoder", path)
    network.eval().requires_grad_(False)
    _fold_normalisation(network)
    # (A quarter of the time less than with weights channel by channel.)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _fold_normalisation(module: nn.Module) -> None:
    """Make each batch normalisation part of the convolution declared right before it: with fixed
    statistics both are one linear map, and half of a pretrained trunk's time goes."""
    for child in module.children():
        _fold_normalisation(child)
    named = list(module.named_children())
    for (name, one), (after, other) in pairwise(named):
        if isinstance(one, nn.Conv2d) and isinstance(other, nn.BatchNorm2d):
            setattr(module, name, fuse_conv_bn_eval(one, other))
            setattr(module, after, nn.Identity())
