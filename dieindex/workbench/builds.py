"""A build that the workbench has at work."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dieindex import api


@dataclass
class Build:
    """A build at work: what it is asked for, how far it is, and what came of it."""

    data: Path
    options: Mapping[str, Any]
    index: Path
    step: str = ""
    done: int = 0
    total: int = 0
    stopping: bool = False
    error: str | None = None
    report: api.BuildReport | None = None
    finished: threading.Event = field(default_factory=threading.Event)
