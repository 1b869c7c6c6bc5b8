"""What goes wrong in training, said so that a person can act on it."""

from __future__ import annotations

from dieindex.errors import DieIndexError


class TrainingError(DieIndexError):
    """A training run cannot start or go on."""
