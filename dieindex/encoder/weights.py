"""Weights as safetensors: no code runs when they are read, and their story travels with them.

The file's metadata holds strings: ``config`` (JSON of the network), ``calibration`` (JSON, see
``EncoderCard``), ``provenance`` and, if given, ``version``.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from dieindex.errors import EncoderError

SHIPPED_WEIGHTS = Path(__file__).parent / "weights" / "descriptors.safetensors"
"""The descriptor network that ``build`` and ``compare`` use."""
BASELINE_WEIGHTS = Path(__file__).parent / "weights" / "baseline.safetensors"
"""The network of centred faces, kept as a baseline (see ``baseline``)."""
INDEX, PAIR = "index", "pair"
"""The two calibrations: of vectors with their frame's mean taken off, and of two files alone."""
_HEADER_LIMIT = 4 * 1024 * 1024
_SIZE_LIMIT = 1 << 30
_NAME_LIMIT = 80
_KINDS = ("F16", "F32")
"""Types of the networks' numbers in a file."""


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
    """Read what a weights file says of itself. The whole file is looked through: every tensor must
    be there as its header says, and every number finite.

    Raises EncoderError where the file is missing, damaged, or none of dieindex's.
    """
    path = SHIPPED_WEIGHTS if path is None else path
    try:
        if path.stat().st_size > _SIZE_LIMIT:
            raise ValueError(f"larger than {_SIZE_LIMIT >> 20} MB")
        content = path.read_bytes()
        length = int.from_bytes(content[:8], "little")
        if not 2 <= length <= min(_HEADER_LIMIT, len(content)):
            raise ValueError("no safetensors header")
        metadata = _texts(_parsed(content[8 : 8 + length]).get("__metadata__", {}))
        calibration = _parsed(metadata.get("calibration", "{}"))
        config = _parsed(metadata["config"])
        name = metadata.get("version", "descriptors")
        if not name.isprintable() or len(name) > _NAME_LIMIT:
            raise ValueError("its name is none")
        _check_tensors(path)
        return EncoderCard(
            path=path,
            version=f"{name}-{hashlib.sha256(content).hexdigest()[:12]}",
            config=config,
            calibration=calibration,
            provenance=metadata["provenance"],
        )
    except FileNotFoundError as error:
        raise EncoderError(f"{path}: no such weights file; reinstall dieindex.") from error
    except KeyError as error:
        raise EncoderError(
            f"{path}: not weights of a dieindex encoder (it tells no {error}); reinstall dieindex."
        ) from error
    except (OSError, ValueError, SafetensorError) as error:
        raise EncoderError(
            f"{path}: not weights of a dieindex encoder ({error}); reinstall dieindex."
        ) from error


def _parsed(text: str | bytes) -> dict[str, Any]:
    """A JSON object whose numbers are all finite. Raises ValueError."""

    def number(written: str) -> float:
        value = float(written)
        if not math.isfinite(value):
            raise ValueError(f"it holds {written[:20]}, which is no number")
        return value

    try:
        found = json.loads(text, parse_float=number, parse_constant=number)
    except RecursionError as error:
        raise ValueError("its header is nested too deep") from error
    if not isinstance(found, dict):
        raise ValueError("its metadata are not as they should be")
    return found


def _texts(metadata: Any) -> dict[str, str]:
    if isinstance(metadata, dict) and all(isinstance(each, str) for each in metadata.values()):
        return metadata
    raise ValueError("its metadata are not as they should be")


def _check_tensors(path: Path) -> None:
    """Raise ValueError or SafetensorError where a tensor is not whole, overlaps another, is of
    another kind than the networks' numbers, or holds one that is not finite."""
    with safe_open(str(path), "np") as stored:
        for name in stored.keys():  # noqa: SIM118
            kind = stored.get_slice(name).get_dtype()
            if kind not in _KINDS:
                raise ValueError(f"{name[:80]} is of the type {kind}, not {' or '.join(_KINDS)}")
            if not np.isfinite(stored.get_tensor(name)).all():
                raise ValueError(f"{name[:80]} holds numbers that are none (NaN or infinite)")
