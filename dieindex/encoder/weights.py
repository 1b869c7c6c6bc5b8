"""Weights as safetensors: no code runs when they are read, and their story travels with them.

The file's metadata holds strings: ``config`` (JSON of the network), ``calibration`` (JSON, see
``EncoderCard``), ``provenance`` and, if given, ``version``.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dieindex.errors import EncoderError

SHIPPED_WEIGHTS = Path(__file__).parent / "weights" / "descriptors.safetensors"
"""The descriptor network that ``build`` and ``compare`` use."""
BASELINE_WEIGHTS = Path(__file__).parent / "weights" / "baseline.safetensors"
"""The network of centred faces, kept as a baseline (see ``baseline``)."""
INDEX, PAIR = "index", "pair"
"""The two calibrations: of vectors with their frame's mean taken off, and of two files alone."""
_HEADER_LIMIT = 4 * 1024 * 1024


@dataclass(frozen=True)
class EncoderCard:
    """What the weights file says of itself, readable without torch."""

    path: Path
    version: str
    """A name, and a digest of the file: other weights or another calibration, another version."""
    config: dict[str, Any]
    calibration: dict[str, Any]
    """By use (``INDEX``, ``PAIR``), as ``calibration.distance.Calibration`` serialises itself;
    with ``type_radius`` and ``prior``."""
    provenance: str

    @property
    def type_radius(self) -> float:
        """Distance 0…2 of raw vectors up to which faces on one frame count as of one type (see
        ``competition``). Raises EncoderError where the file does not tell."""
        radius = self.calibration.get("type_radius")
        if not isinstance(radius, float) or not 0 < radius <= 2:
            raise EncoderError(self._uncalibrated("type_radius"))
        return radius

    def _uncalibrated(self, what: str) -> str:
        return (
            f"{self.path}: carries no calibration ({what}); fit it with "
            f"`python -m dieindex.training.calibrate {self.path}`."
        )

    def calibration_for(self, use: str) -> str:
        """The JSON of one calibration. Raises EncoderError where the file carries none."""
        if not isinstance(self.calibration.get(use), dict):
            raise EncoderError(self._uncalibrated(use))
        return json.dumps(self.calibration[use])


def read_card(path: Path | None = None) -> EncoderCard:
    """Read a weights file's metadata without loading its tensors.

    Raises EncoderError where the file is missing, damaged, or none of dieindex's.
    """
    path = SHIPPED_WEIGHTS if path is None else path
    try:
        content = path.read_bytes()
        length = int.from_bytes(content[:8], "little")
        if not 2 <= length <= min(_HEADER_LIMIT, len(content)):
            raise ValueError("no safetensors header")
        metadata = json.loads(content[8 : 8 + length]).get("__metadata__", {})
        calibration = json.loads(metadata.get("calibration", "{}"))
        config = json.loads(metadata["config"])
        if not isinstance(calibration, dict) or not isinstance(config, dict):
            raise ValueError("its metadata are not as they should be")
        name = metadata.get("version", "descriptors")
        return EncoderCard(
            path=path,
            version=f"{name}-{hashlib.sha256(content).hexdigest()[:12]}",
            config=config,
            calibration=calibration,
            provenance=metadata["provenance"],
        )
    except FileNotFoundError as error:
        raise EncoderError(f"{path}: no such weights file; reinstall dieindex.") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EncoderError(
            f"{path}: not weights of a dieindex encoder ({error}); reinstall dieindex."
        ) from error
