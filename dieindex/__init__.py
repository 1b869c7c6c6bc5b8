"""dieindex: which coins were struck by the same die."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dieindex.version import VERSION as __version__

if TYPE_CHECKING:
    from dieindex.api import Comparison, Dies, Index, Pairs, build, compare, open_index, study_table

__all__ = [
    "Comparison",
    "Dies",
    "Index",
    "Pairs",
    "__version__",
    "build",
    "compare",
    "open_index",
    "study_table",
]


def __getattr__(name: str) -> Any:
    # The command's help must not wait for NumPy and what comes behind it.
    if name in __all__:
        from dieindex import api

        return getattr(api, name)
    raise AttributeError(f"module 'dieindex' has no attribute {name!r}")
