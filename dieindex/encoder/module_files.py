"""Modules of a network in a weights file, each under its own prefix."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from dieindex.errors import EncoderError
from dieindex.files import written_beside


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
        wanted = {
            name: tensor.shape
            for name, tensor in module.state_dict().items()
            if not name.endswith("num_batches_tracked")
        }
        for name in sorted({*wanted, *state}):
            has = tuple(state[name].shape) if name in state else None
            if has != (tuple(wanted[name]) if name in wanted else None):
                raise ValueError(
                    f"{prefix}.{name[:80]}: {_shape(has)} in the file, "
                    f"{_shape(wanted.get(name))} in the network"
                )
            if not state[name].isfinite().all():
                raise ValueError(f"{prefix}.{name} holds numbers that are none (NaN or infinite)")
        module.load_state_dict(state, strict=False)
    except FileNotFoundError as error:
        raise EncoderError(f"{path}: no such weights file.") from error
    except (SafetensorError, RuntimeError, ValueError, OSError) as error:
        raise EncoderError(f"{path}: the weights do not fit the network ({error}).") from error


def _shape(sizes: Sequence[int] | None) -> str:
    return "nothing" if sizes is None else "×".join(map(str, sizes)) or "one number"


def has_module(prefix: str, path: Path) -> bool:
    """Whether a weights file holds tensors named ``prefix.…``.

    Raises EncoderError where it is no weights file.
    """
    try:
        with safe_open(str(path), "pt") as stored:
            return any(name.startswith(f"{prefix}.") for name in stored.keys())  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise EncoderError(f"{path}: not a weights file ({error}).") from error
