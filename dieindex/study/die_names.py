"""What all die names of a side begin with: told once, so that what tells the dies apart shows."""

from __future__ import annotations

from collections.abc import Sequence

SHORTEST = 4
"""A common beginning of fewer letters is in nobody's way."""


def common_beginning(names: Sequence[str]) -> str:
    """What all names begin with, up to a separator, where it is long enough to be in the way."""
    if len(names) < 2:
        return ""
    first, last = min(names), max(names)
    same = next(
        (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first)
    )
    common = first[:same]
    end = max(common.rfind(mark) for mark in "_-./ ") + 1
    if end < SHORTEST or any(len(name) == end for name in names):
        return ""
    return common[:end]
