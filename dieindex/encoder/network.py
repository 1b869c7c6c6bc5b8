"""The Siamese network: one shared trunk turns a face into one unit vector."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from dieindex.encoder.trunk import mobilenet_trunk


@dataclass(frozen=True)
class NetworkConfig:
    """What must be known to rebuild the network before its weights are loaded."""

    blocks: int = 14
    """Stages of the MobileNetV2 trunk; 14 end at stride 16 with 96 channels."""
    input_size: int = 224
    """Edge of the face picture that enters, pixels."""
    grid: int = 7
    """Cells along one edge into which the trunk's descriptors are averaged."""
    dimension: int = 128
    """Length of the unit vector."""

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> NetworkConfig:
        return cls(**{name: int(values[name]) for name in asdict(cls())})


class SiameseNetwork(nn.Module):
    """Both faces of a pair go through this same network; their vectors' distance is compared.

    The faces enter as ``(batch, 1, input_size, input_size)`` light-normalised grey, in -1…1.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk, channels = mobilenet_trunk(config.blocks)
        self.projection = nn.Linear(channels * config.grid**2, config.dimension)

    def describe(self, faces: Tensor) -> Tensor:
        """Unit descriptors on the grid, flattened: ``(batch, channels * grid * grid)``."""
        maps = self.trunk(2.0 * faces.expand(-1, 3, -1, -1))
        cells = functional.adaptive_avg_pool2d(maps, self.config.grid)
        return functional.normalize(cells, dim=1).flatten(1)

    def forward(self, faces: Tensor) -> Tensor:
        """Unit vectors ``(batch, dimension)``."""
        return functional.normalize(self.projection(self.describe(faces)), dim=1)
