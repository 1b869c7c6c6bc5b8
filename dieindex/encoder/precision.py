"""In which precision the networks compute."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def network_precision(device: str) -> torch.dtype:
    """bfloat16 where it is faster (CUDA, and processors that multiply in it); else float32.

    It keeps eight bits of every factor and float32 sums: a face's vector turns by some hundredths
    at most.
    """
    import torch

    narrow = device.startswith("cuda") or (device == "cpu" and _fast_bfloat16())
    return torch.bfloat16 if narrow else torch.float32


def _fast_bfloat16() -> bool:
    """Whether this processor computes in bfloat16 natively; where not, it is the slower way."""
    import torch

    try:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    except (AttributeError, RuntimeError):
        return False
