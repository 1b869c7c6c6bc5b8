"""Weights as safetensors: no code runs when they are read, and their story travels with them.

The file's metadata holds strings: ``version``, ``config`` (JSON of the network), ``threshold``,
``calibration`` (JSON, distance to log-likelihood ratio) and ``provenance``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dieindex.errors import EncoderError

SHIPPED_WEIGHTS = Path(__file__).parent / "weights" / "encoder.safetensors"
_HEADER_LIMIT = 4 * 1024 * 1024


@dataclass(frozen=True)
class EncoderCard:
    """What the weights file says of itself, readable without torch."""

    path: Path
    version: str
    config: dict[str, Any]
    threshold: float
    """Decision distance, 0…2: at it a pair is as likely under "same die" as under "different"."""
    calibration: dict[str, Any]
    provenance: str


def read_card(path: Path | None = None) -> EncoderCard:
    """Read a weights file's metadata without loading its tensors.

    Raises EncoderError where the file is missing, damaged, or none of dieindex's.
    """
    path = SHIPPED_WEIGHTS if path is None else path
    try:
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if not 2 <= length <= _HEADER_LIMIT:
                raise ValueError("no safetensors header")
            metadata = json.loads(stream.read(length)).get("__metadata__", {})
        return EncoderCard(
            path=path,
            version=metadata["version"],
            config=json.loads(metadata["config"]),
            threshold=float(metadata["threshold"]),
            calibration=json.loads(metadata["calibration"]),
            provenance=metadata["provenance"],
        )
    except FileNotFoundError as error:
        raise EncoderError(f"{path}: no such weights file; reinstall dieindex.") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EncoderError(
            f"{path}: not weights of a dieindex encoder ({error}); reinstall dieindex."
        ) from error
