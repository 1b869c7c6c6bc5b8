"""A run's state on disk: tensors as safetensors, all else as JSON in the same file's metadata.

One file, written beside and renamed, so that no crash leaves weights of one step with the optimiser
of another. Nothing is pickled: reading a checkpoint runs no code.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from dieindex.errors import TrainingError
from dieindex.files import written_beside


def save_checkpoint(
    path: Path,
    modules: dict[str, nn.Module],
    optimiser: torch.optim.Optimizer,
    state: dict[str, Any],
) -> None:
    """Write modules, the optimiser's moments and ``state`` (plain JSON values)."""
    tensors: dict[str, Tensor] = {}
    for prefix, module in modules.items():
        for name, tensor in module.state_dict().items():
            tensors[f"{prefix}.{name}"] = tensor
    for number, parts in optimiser.state_dict()["state"].items():
        for name, value in parts.items():
            tensors[f"optimiser.{number}.{name}"] = torch.as_tensor(value)
    # A copy each: tensors that share memory cannot be stored.
    copies = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    with written_beside(path) as temporary:
        save_file(copies, temporary, metadata={"state": json.dumps(state)})


def load_checkpoint(
    path: Path, modules: dict[str, nn.Module], optimiser: torch.optim.Optimizer | None = None
) -> dict[str, Any]:
    """Fill modules and optimiser; gives the state back.

    Raises TrainingError where the file is missing, damaged, or of another network.
    """
    try:
        with safe_open(str(path), "pt") as stored:
            state = json.loads((stored.metadata() or {})["state"])
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        for prefix, module in modules.items():
            own = f"{prefix}."
            module.load_state_dict(
                {k.removeprefix(own): v for k, v in tensors.items() if k.startswith(own)}
            )
        if optimiser is not None:
            _load_moments(optimiser, tensors)
    except (SafetensorError, RuntimeError, KeyError, OSError, ValueError) as error:
        raise TrainingError(f"{path}: no checkpoint of this network ({error}).") from error
    return dict(state)


def _load_moments(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    whole = optimiser.state_dict()
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimiser."):
            _, number, part = name.split(".", 2)
            moments.setdefault(int(number), {})[part] = value
    whole["state"] = moments
    optimiser.load_state_dict(whole)
