"""Modules of a network in a weights file, each under its own prefix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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
    with _fitting(path), safe_open(str(path), "pt") as stored:
        _check_shapes(module, prefix, stored)
        state = {name: stored.get_tensor(f"{prefix}.{name}").float() for name in _names(module)}
        for name, tensor in state.items():
            if not tensor.isfinite().all():
                raise ValueError(f"{prefix}.{name} holds numbers that are none (NaN or infinite)")
        module.load_state_dict(state, strict=False)


def check_fits(module: nn.Module, prefix: str, path: Path) -> None:
    """Raise EncoderError as ``load_module`` does, by names and shapes alone; the module may be one
    that takes no memory (on torch's device ``meta``)."""
    with _fitting(path), safe_open(str(path), "pt") as stored:
        _check_shapes(module, prefix, stored)


@contextmanager
def _fitting(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise EncoderError(f"{path}: no such weights file.") from error
    except (SafetensorError, RuntimeError, ValueError, OSError) as error:
        raise EncoderError(f"{path}: the weights do not fit the network ({error}).") from error


def _names(module: nn.Module) -> list[str]:
    """(Batch counters only matter to training; files do not carry them.)"""
    return [name for name in module.state_dict() if not name.endswith("num_batches_tracked")]


def _check_shapes(module: nn.Module, prefix: str, stored: Any) -> None:
    tensors = module.state_dict()
    wanted = {f"{prefix}.{name}": list(tensors[name].shape) for name in _names(module)}
    here = {
        name: stored.get_slice(name).get_shape()
        for name in stored.keys()  # noqa: SIM118
        if name.startswith(f"{prefix}.")
    }
    for name in sorted({*wanted, *here}):
        if here.get(name) != wanted.get(name):
            raise ValueError(
                f"{name[:80]}: {_shape(here.get(name))} in the file, {_shape(wanted.get(name))} in "
                "the network"
            )


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
