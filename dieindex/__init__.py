"""dieindex: which coins were struck by the same die."""

from dieindex.version import VERSION as __version__

__all__ = ["__version__"]
