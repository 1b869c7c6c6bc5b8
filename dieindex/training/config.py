"""What a training run is told."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from dieindex.encoder.descriptor_config import DescriptorConfig
from dieindex.errors import TrainingError
from dieindex.training.augment import AugmentSettings
from dieindex.training.losses import VECTOR_LOSSES


@dataclass(frozen=True)
class TrainConfig:
    """A training run; equal configs on a pool that stands still give equal weights on one CPU.

    The run ends after ``steps``, or after ``minutes`` of training where ``steps`` is None. A step
    sees ``types`` types, ``dies`` dies of each, ``strikes`` faces of each die, and compares
    ``pairs`` pairs, half of them of one die.
    """

    minutes: float = 40.0
    steps: int | None = None
    seed: int = 1
    types: int = 2
    dies: int = 6
    strikes: int = 3
    pairs: int = 32
    rate: float = 2e-3
    decay: float = 0.02
    average: float = 0.995
    """Decay a step of the averaged weights, which are what is validated and kept."""
    still_norms: float = 0.6
    """Progress from which batch normalisation keeps its statistics still: what is learned last is
    learned with the statistics the network is then used with."""
    vector_losses: dict[str, float] = field(default_factory=lambda: {"supervised_contrastive": 1.0})
    """Losses of the vector by name (see ``VECTOR_LOSSES``) and their weights."""
    vector_weight: float = 0.3
    flow_weight: float = 0.3
    verdict_weight: float = 1.0
    less_mean: float = 0.5
    """Share of the vector's loss that is taken after the type's mean is taken off."""
    network: DescriptorConfig = field(default_factory=DescriptorConfig)
    pretrained: bool = False
    """Whether a network with the ``mobilenet`` trunk begins with weights of ImageNet."""
    augment: AugmentSettings = field(default_factory=AugmentSettings)
    device: str = "cpu"
    mixed: bool = True
    """Whether to compute in bfloat16 where that is safe; 2–4 times faster, on CPUs too."""
    threads: int = 1
    workers: int = 1
    """Processes that render fresh faces meanwhile; 0: the pool stands still."""
    uses: int | None = 20
    """How often a shard is sampled before it gives way; None: it stays."""
    capacity: int = 400
    """Shards the workers keep in the pool."""
    first_shards: int = 40
    """Shards that must be there before the first step."""
    checkpoint_minutes: float = 3.0
    validate_minutes: float = 8.0
    validation_types: int = 6
    leg_minutes: float | None = None
    """Minutes of the clock after which a call ends although the run is not done, as on a machine
    that is lent for a while; the next call goes on."""

    @property
    def compares(self) -> bool:
        """Whether pairs are compared at all, or only the vector is trained."""
        return bool(self.flow_weight or self.verdict_weight)

    def check(self) -> None:
        """Raise TrainingError for numbers that cannot be."""
        for name in ("types", "dies", "strikes", "pairs", "threads"):
            if getattr(self, name) < 1:
                raise TrainingError(f"{name} is {getattr(self, name)}; give at least 1.")
        if self.dies < 2 or self.strikes < 2:
            raise TrainingError("dies and strikes must be at least 2: pairs of both kinds.")
        unknown = set(self.vector_losses) - set(VECTOR_LOSSES)
        if unknown:
            raise TrainingError(
                f"Unknown loss {', '.join(sorted(unknown))}; choose of {', '.join(VECTOR_LOSSES)}."
            )
        self.network.check()
        if self.pretrained and self.network.trunk != "mobilenet":
            raise TrainingError("pretrained: only the mobilenet trunk has weights to begin with.")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> TrainConfig:
        """Raises TrainingError for a name it does not know."""
        given = dict(values)
        unknown = set(given) - {f.name for f in fields(cls)}
        if unknown:
            raise TrainingError(f"Unknown setting {', '.join(sorted(unknown))} of a training run.")
        for name, kind in (("network", DescriptorConfig), ("augment", AugmentSettings)):
            if name in given:
                try:
                    given[name] = kind(**given[name])
                except TypeError as error:
                    raise TrainingError(f"{name} of a training run: {error}.") from error
        return cls(**given)
