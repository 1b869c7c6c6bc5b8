"""What a network for aligned faces is: its sizes, as a weights file carries them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from dieindex.errors import EncoderError

TRUNKS = ("own", "mobilenet")
MOST = 4096
"""Of every size of a network: what is larger is no size but damage."""
_LEAST = {
    "width": 3,
    "blocks": 0,
    "context": 0,
    "descriptor": 1,
    "dimension": 0,
    "vector_channels": 1,
}


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
    places: bool = False
    """Whether the ``mobilenet`` trunk learns a map of places that is added to its coarsest
    features. Without one it tells a place by its way to the picture's edges alone, and where no
    edge is within reach, in the middle, not at all."""

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
            raise EncoderError(f"trunk {self.trunk[:20]!r}: give {' or '.join(TRUNKS)}.")
        if self.places and self.trunk != "mobilenet":
            raise EncoderError(f"places: trunk {self.trunk!r} learns no map of places.")
        for name, least in _LEAST.items():
            if not least <= getattr(self, name) <= MOST:
                raise EncoderError(f"{name} {getattr(self, name)}: give {least} to {MOST}.")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> DescriptorConfig:
        """From a weights file's JSON; unknown names are an error there and not here."""
        own = asdict(cls())
        return cls(**{name: type(own[name])(values[name]) for name in own if name in values})
