"""One step of training, and the state that steps change."""

from __future__ import annotations

import copy
import json
import time
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dieindex.encoder.descriptors import Described, DescriptorNetwork, centred, load_pretrained
from dieindex.encoder.module_files import has_module, load_module, save_modules
from dieindex.encoder.weights import read_card
from dieindex.training.augment import Seen, see, true_displacement
from dieindex.training.checkpoints import load_checkpoint, save_checkpoint
from dieindex.training.config import TrainConfig
from dieindex.training.losses import VECTOR_LOSSES, displacement_loss, verdict_loss, within_types
from dieindex.training.shards import Shard
from dieindex.verification.comparator import Comparator

PLACES_RATE = 20.0
"""The rate of a map of places over that of all else: its numbers are as large as features, which
are sums of many weights."""


@dataclass(frozen=True, eq=False)
class Losses:
    """Of one step, each a scalar; ``total`` is their weighted sum."""

    total: Tensor
    vector: Tensor
    flow: Tensor
    verdict: Tensor
    accuracy: Tensor
    """Share of the pairs whose logit has the right sign; half of the negatives are hard ones."""


def vector_loss(config: TrainConfig, described: Described, seen: Seen) -> Tensor:
    """The weighted losses of the vector, with and without what the type's faces share."""
    total = described.raw.sum() * 0
    views = (
        (1 - config.less_mean, described.vectors),
        (config.less_mean, centred(described.vectors, seen.type)),
    )
    for share, vectors in views:
        if share > 0:
            for name, weight in config.vector_losses.items():
                loss = within_types(VECTOR_LOSSES[name], vectors, seen.die, seen.type)
                total = total + share * weight * loss
    return total


def choose_pairs(
    vectors: Tensor, die: Tensor, group: Tensor, count: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Ordered pairs (P,), (P,): up to ``count // 2`` of one die, then as many of two dies of one
    type, half of them hard: those whose vectors lie nearest."""
    wanted = count // 2
    die, group = die.cpu(), group.cpu()
    itself = torch.eye(len(die), dtype=torch.bool)
    same = (die[:, None] == die[None, :]) & ~itself
    # Each different-die pair once, in a random direction.
    flip = torch.rand(len(die), len(die), generator=generator) < 0.5
    one_way = torch.triu(flip, 1) | torch.tril(~flip.T, -1)
    other = (group[:, None] == group[None, :]) & (die[:, None] != die[None, :]) & one_way
    positive = _some((same & one_way).nonzero(), wanted, generator)
    negative = other.nonzero()
    near = (vectors @ vectors.T).detach().float().cpu()[negative[:, 0], negative[:, 1]]
    hard = negative[near.argsort(descending=True)[: len(positive) // 2]]
    easy = _some(negative, len(positive) - len(hard), generator)
    chosen = torch.cat([positive, hard, easy])
    return chosen[:, 0], chosen[:, 1]


def _some(rows: Tensor, count: int, generator: torch.Generator) -> Tensor:
    return rows[torch.randperm(len(rows), generator=generator)[:count]]


def step_losses(
    config: TrainConfig,
    network: DescriptorNetwork,
    comparator: Comparator,
    seen: Seen,
    generator: torch.Generator,
) -> Losses:
    """Forward through encoder and comparator, and all losses."""
    kind = seen.faces.device.type
    with torch.autocast(kind, torch.bfloat16, enabled=config.mixed):
        described = network(seen.faces)
    vector = vector_loss(config, described, seen)
    if not config.compares:
        nothing = torch.zeros(())
        return Losses(config.vector_weight * vector, vector, nothing, nothing, nothing)
    with torch.autocast(kind, torch.bfloat16, enabled=config.mixed):
        near = centred(described.vectors.detach(), seen.type)
        first, second = choose_pairs(near, seen.die, seen.type, config.pairs, generator)
        first, second = first.to(seen.faces.device), second.to(seen.faces.device)
        compared = comparator(
            described.descriptors[first],
            described.descriptors[second],
            described.reliability[first],
            described.reliability[second],
        )
    same = seen.die[first] == seen.die[second]
    displacement, weight = true_displacement(seen, first[same], second[same])
    flow = displacement_loss(compared.costs[same], displacement, weight)
    verdict = verdict_loss(compared.logit, same)
    total = (
        config.vector_weight * vector + config.flow_weight * flow + config.verdict_weight * verdict
    )
    right = ((compared.logit > 0) == same).float().mean()
    return Losses(total, vector, flow, verdict, right)


class Learner:
    """Modules, optimiser, averaged weights and where the run stands."""

    def __init__(self, config: TrainConfig) -> None:
        torch.manual_seed(config.seed)
        self.config = config
        self.network = DescriptorNetwork(config.network).to(config.device)
        if config.pretrained:
            load_pretrained(self.network)
        self.comparator = Comparator().to(config.device)
        for module in (self.network, self.comparator):
            for parameter in module.parameters():
                if parameter.ndim == 4:  # on CPUs convolutions are 2-4 times faster so
                    parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        self.average = copy.deepcopy(nn.ModuleList([self.network, self.comparator]))
        self.average.requires_grad_(False)
        self.optimiser = torch.optim.AdamW(self._groups(), lr=config.rate)
        self.step = 0
        self.seconds = 0.0
        self.best = float("-inf")
        self.provenance = (
            "Begun with ImageNet weights, trained on rendered coins."
            if config.pretrained
            else "Trained from scratch on rendered coins alone."
        )

    def _groups(self) -> list[dict[str, Any]]:
        """What the optimiser learns, and how; ``times``: its rate over the others'."""
        decayed: list[nn.Parameter] = []
        free: list[nn.Parameter] = []
        places: list[nn.Parameter] = []
        for name, parameter in [
            *self.network.named_parameters(),
            *self.comparator.named_parameters(),
        ]:
            if name.endswith(".places"):
                places.append(parameter)
            else:
                (decayed if parameter.ndim > 1 else free).append(parameter)
        groups = [
            {"params": decayed, "weight_decay": self.config.decay, "times": 1.0},
            {"params": free, "weight_decay": 0.0, "times": 1.0},
        ]
        if places:
            groups.append({"params": places, "weight_decay": 0.0, "times": PLACES_RATE})
        return groups

    def _parameters(self) -> list[nn.Parameter]:
        return [*self.network.parameters(), *self.comparator.parameters()]

    @property
    def averaged(self) -> tuple[DescriptorNetwork, Comparator]:
        """Encoder and comparator with averaged weights."""
        network, comparator = self.average
        assert isinstance(network, DescriptorNetwork)
        assert isinstance(comparator, Comparator)
        return network, comparator

    @property
    def progress(self) -> float:
        """0…1: how much of the run is done."""
        if self.config.steps is not None:
            return min(1.0, self.step / self.config.steps) if self.config.steps else 1.0
        return min(1.0, self.seconds / (60 * self.config.minutes))

    def advance(self, shard: Shard, clock: Clock) -> Losses:
        """One step of training."""
        config = self.config
        generator = torch.Generator().manual_seed(config.seed * 1_000_003 + self.step)
        seen = see(shard, config.augment, generator, config.network.input_size, config.device)
        clock.lap("augment")
        self.network.train()
        self.comparator.train()
        if self.progress >= config.still_norms:
            _hold_norms(self.network)
        for group in self.optimiser.param_groups:
            rate = config.rate * rate_factor(self.step, self.progress)
            group["lr"] = rate * group.get("times", 1.0)
        losses = step_losses(config, self.network, self.comparator, seen, generator)
        clock.lap("forward")
        self.optimiser.zero_grad(set_to_none=True)
        losses.total.backward()  # type: ignore[no-untyped-call]  # torch does not type it
        clock.lap("backward")
        nn.utils.clip_grad_norm_(self._parameters(), 5.0)
        self.optimiser.step()
        self._follow()
        clock.lap("optimiser")
        self.step += 1
        return Losses(*(value.detach() for value in vars(losses).values()))

    @torch.no_grad()
    def _follow(self) -> None:
        """The averaged weights follow; at first quickly, or they would remember the start."""
        keep = min(self.config.average, (1 + self.step) / (10 + self.step))
        for mean, module in zip(self.average, (self.network, self.comparator), strict=True):
            slow: list[Tensor] = list(mean.parameters())
            fast: list[Tensor] = list(module.parameters())
            torch._foreach_lerp_(slow, fast, 1 - keep)
            # Statistics belong to the weights they were taken with: both lag alike.
            for kept, now in zip(mean.buffers(), module.buffers(), strict=True):
                if kept.is_floating_point():
                    kept.lerp_(now, 1 - keep)
                else:
                    kept.copy_(now)

    def _modules(self) -> dict[str, nn.Module]:
        network, comparator = self.averaged
        return {
            "encoder": self.network,
            "comparator": self.comparator,
            "average.encoder": network,
            "average.comparator": comparator,
        }

    def save(self, path: Path) -> None:
        """Write everything needed to go on."""
        state = {
            "step": self.step,
            "seconds": self.seconds,
            "best": self.best if np.isfinite(self.best) else None,
            "config": self.config.to_json(),
            "provenance": self.provenance,
        }
        save_checkpoint(path, self._modules(), self.optimiser, state)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint. Raises TrainingError where it is of another network."""
        state = load_checkpoint(path, self._modules(), self.optimiser)
        self.step, self.seconds = int(state["step"]), float(state["seconds"])
        self.best = float("-inf") if state["best"] is None else float(state["best"])
        self.provenance = str(state.get("provenance", self.provenance))

    def start_from(self, path: Path) -> None:
        """Take over a weights file's encoder and its comparator, if it has one; the optimiser
        begins anew."""
        for module in (self.network, self.averaged[0]):
            load_module(module, "encoder", path)
        if has_module("comparator", path):
            for comparator in (self.comparator, self.averaged[1]):
                load_module(comparator, "comparator", path)
        self.provenance = read_card(path).provenance

    def save_weights(self, path: Path, about: dict[str, str] | None = None) -> None:
        """Write the averaged encoder and comparator in half precision."""
        network, comparator = self.averaged
        story = {
            "config": json.dumps(asdict(self.config.network)),
            "training": json.dumps(self.config.to_json()),
            "step": str(self.step),
            "minutes": f"{self.seconds / 60:.1f}",
            "provenance": self.provenance,
        }
        modules = {"encoder": network, "comparator": comparator}
        save_modules(modules, path, {**story, **(about or {})})


def _hold_norms(network: nn.Module) -> None:
    """Let batch normalisation use its running statistics, as it will when the network is used."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


def rate_factor(step: int, progress: float, warm: int = 100) -> float:
    """Learning rate as a share of its peak: up over the first steps, then down in a half cosine."""
    return min(1.0, (step + 1) / warm) * (0.01 + 0.99 * 0.5 * (1 + float(np.cos(np.pi * progress))))


class Clock:
    """Where the time goes, by name, seconds."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        """Count the time since the last lap to ``name``."""
        now = time.perf_counter()
        self.spent[name] += now - self._last
        self._last = now
