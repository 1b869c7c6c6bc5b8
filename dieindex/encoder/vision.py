"""The only module that imports torchvision, for weights that come in its form.

The registry's torchvision wheel for x86 Linux is linked to CUDA. Beside a CPU-only torch its import
fails, because the compiled operators that it registers fake versions of do not exist. None of them
is used here, so they are declared and the import is tried again.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import torch

_kept_libraries: list[torch.library.Library] = []
"""A torch.library definition lives only as long as its object."""


def _import_torchvision() -> None:
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        # torch does not type its library.
        library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        for operator in ("nms", "qnms"):
            schema = f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            library.define(schema)  # type: ignore[no-untyped-call]
        _kept_libraries.append(library)
        importlib.import_module("torchvision")


def reference_trunk(blocks: int) -> torch.nn.Sequential:
    """The first ``blocks`` (1…19) stages of MobileNetV2, weights not loaded.

    Source: Sandler et al. 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks".
    """
    _import_torchvision()
    from torchvision.models import mobilenet_v2

    features: Any = mobilenet_v2(weights=None).features
    return torch.nn.Sequential(*list(features)[:blocks])
