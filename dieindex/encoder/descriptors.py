"""The network for aligned faces: dense descriptors with a reliability, and one unit vector.

Both faces of a pair go through this same network. It sees a face aligned to the common frame of its
type, as channels that do not depend on the lamp; it keeps their layout, so that what another die of
the type has moved by half a letter is still moved in its descriptors.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from dieindex.alignment.affine import FRAME_RADIUS
from dieindex.encoder.trunk import MobilenetFeatures
from dieindex.encoder.weights import BASELINE_WEIGHTS
from dieindex.errors import EncoderError
from dieindex.files import written_beside

CHANNELS = 5
"""Locally normalised grey, gradient magnitude, doubled-angle orientation (2), mask."""
EXTENT = 1 / (2 * FRAME_RADIUS)
"""Half the edge of an aligned face, in flan radii: it shows the whole frame of its type."""
TRUNKS = ("own", "mobilenet")
_SHADES = 4
"""Local means and spreads are smooth: they are taken on a grid coarser by this factor."""
_NEIGHBOURHOOD = 5


@dataclass(frozen=True)
class DescriptorConfig:
    """What must be known to rebuild the network before its weights are loaded."""

    input_size: int = 192
    """Edge of the aligned face that enters, pixels; the descriptors' grid is a quarter of it."""
    width: int = 48
    """Channels of the trunk on the descriptors' grid."""
    blocks: int = 3
    """Residual blocks of the own trunk on that grid."""
    context: int = 2
    """Residual blocks of the own trunk on a grid half as fine, which see more of the surroundings;
    0: none."""
    descriptor: int = 32
    """Length of a dense descriptor."""
    dimension: int = 128
    """Length of the unit vector that a linear map makes of the coarse grid; 0: the coarse grid
    itself is the vector, place by place."""
    vector_channels: int = 24
    """Channels of the coarse grid from which the vector is made."""
    vector_stride: int = 4
    """Cells of the dense descriptors' grid to one of the coarse grid, along an edge: 2, 4 or 8."""
    light: bool = True
    """Whether the channels are those that do not depend on light; False: grey and mask alone."""
    trunk: str = "own"
    """What makes features of the channels: ``own`` layers, or the first stages of ``mobilenet``
    (see ``load_pretrained``)."""

    @property
    def grid(self) -> int:
        """Cells along one edge of the dense descriptors."""
        return self.input_size // 4

    @property
    def length(self) -> int:
        """Numbers of the unit vector."""
        return self.dimension or self.vector_channels * (self.grid // self.vector_stride) ** 2

    def check(self) -> None:
        """Raise EncoderError for sizes the network cannot have."""
        if self.input_size % 16 or not 64 <= self.input_size <= 1024:
            raise EncoderError(
                f"input_size {self.input_size}: give a multiple of 16 from 64 to 1024."
            )
        if self.vector_stride not in (2, 4, 8) or self.grid % self.vector_stride:
            raise EncoderError(f"vector_stride {self.vector_stride}: give 2, 4 or 8.")
        if self.trunk not in TRUNKS:
            raise EncoderError(f"trunk {self.trunk!r}: give {' or '.join(TRUNKS)}.")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> DescriptorConfig:
        """From a weights file's JSON; unknown names are an error there and not here."""
        own = asdict(cls())
        return cls(**{name: type(own[name])(values[name]) for name in own if name in values})


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


def light_channels(grey: Tensor, mask: Tensor) -> Tensor:
    """What lasts of a face when the lamp moves, ``(B, CHANNELS, S, S)``.

    ``grey`` (B, 1, S, S) 0…1, ``mask`` (B, 1, S, S) 0…1. Grey is taken less its local mean over its
    local spread (both over the mask alone); the gradient's magnitude is taken relative to the
    face's mean; its direction as cosine and sine of the doubled angle, which stay when shading is
    inverted (Granlund 1978; Bigün and Granlund 1987).
    """
    normalised = _normalised(grey, mask)
    # The rim is the flan's edge, not the die's work. (Rows, then columns: seven times cheaper.)
    inner = 1 - F.max_pool2d(F.max_pool2d(1 - mask, (1, 7), 1, (0, 3)), (7, 1), 1, (3, 0))
    x, y = _gradient(F.avg_pool2d(normalised, 3, 1, 1))
    x, y = x * inner, y * inner
    # Directions are averaged before they are divided by their strength: noise has no direction.
    products = F.avg_pool2d(torch.cat([x * x - y * y, 2 * x * y, x * x + y * y], 1), 3, 1, 1)
    power = products[:, 2:]
    share = inner.mean((1, 2, 3), keepdim=True).clamp(min=0.01)
    usual = (power.mean((1, 2, 3), keepdim=True) / share).clamp(min=1e-6)
    magnitude = (power / (power + usual)).sqrt()
    orientation = products[:, :2] / (power + 0.25 * usual)
    return torch.cat([normalised, magnitude, orientation, mask], 1)


def _normalised(grey: Tensor, mask: Tensor) -> Tensor:
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
            self.mobilenet = MobilenetFeatures(inputs, width)
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
                entering = torch.cat([_normalised(grey.float(), mask.float()), mask.float()], 1)
            shown = F.avg_pool2d(mask.float(), 4)
        x = self._features(entering.contiguous(memory_format=torch.channels_last))
        descriptors = F.normalize(self.describe(x).float(), dim=1)
        reliability = torch.sigmoid(self.trust(x).float()) * shown
        gathered = self.gather(descriptors * reliability)
        raw = self.project(gathered.flatten(1)).float()
        return Described(descriptors, reliability, raw)


# ------------------------------------------------------------------------------------------ files


def save_modules(modules: dict[str, nn.Module], path: Path, about: dict[str, str]) -> None:
    """Write modules in half precision; ``about`` (JSON or plain text) travels with them."""
    state = {
        f"{prefix}.{name}": tensor.detach().cpu().half().contiguous()
        for prefix, module in modules.items()
        for name, tensor in module.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    with written_beside(path) as temporary:
        save_file(state, temporary, metadata=about)


def load_module(module: nn.Module, prefix: str, path: Path) -> None:
    """Fill a module with the tensors named ``prefix.…`` of a weights file, in full precision.

    Raises EncoderError where the file is missing, damaged, or made for another network.
    """
    try:
        with safe_open(str(path), "pt") as stored:
            state = {
                name.removeprefix(f"{prefix}."): stored.get_tensor(name).float()
                for name in stored.keys()  # noqa: SIM118
                if name.startswith(f"{prefix}.")
            }
        missing, unexpected = module.load_state_dict(state, strict=False)
        wrong = [*unexpected, *(m for m in missing if not m.endswith("num_batches_tracked"))]
        if wrong:
            raise KeyError(wrong[0])
    except (SafetensorError, RuntimeError, KeyError, OSError) as error:
        raise EncoderError(f"{path}: the weights do not fit the network ({error}).") from error


def has_module(prefix: str, path: Path) -> bool:
    """Whether a weights file holds tensors named ``prefix.…``.

    Raises EncoderError where it is no weights file.
    """
    try:
        with safe_open(str(path), "pt") as stored:
            return any(name.startswith(f"{prefix}.") for name in stored.keys())  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise EncoderError(f"{path}: not a weights file ({error}).") from error


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
    except (SafetensorError, KeyError, OSError, ValueError, TypeError) as error:
        raise EncoderError(f"{path}: not weights of dense descriptors ({error}).") from error
    network = DescriptorNetwork(config)
    load_module(network, "encoder", path)
    network.eval().requires_grad_(False)
    _fold_normalisation(network)
    return network


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
