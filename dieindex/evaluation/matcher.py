"""What a matcher is: a way of telling from two pictures whether the faces share a die.

Matchers are the outside measures of this project: what dieindex finds is compared with them, and
the difficulty of the mint's collections is stated by them. Each is one file in ``matchers``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from dieindex.errors import UsageError
from dieindex.evaluation import matchers
from dieindex.records import Picture

Description = TypeVar("Description")


class Matcher(Protocol[Description]):
    """Describes each face once, then scores pairs of descriptions."""

    def describe(self, faces: Sequence[Picture]) -> list[Description]:
        """What the matcher keeps of each face, in their order.

        ``faces`` are square RGB pictures ``(s, s, 3)`` uint8 of any size, the flan centred. Raises
        UsageError where a package that it needs is not installed.
        """
        ...

    def score(self, first: Description, second: Description) -> float:
        """How likely the two are strikes of one die: larger is likelier, on any scale from 0."""
        ...


def matcher_names() -> list[str]:
    """The names of all matchers."""
    return sorted(found.name for found in pkgutil.iter_modules(matchers.__path__))


def load_matcher(name: str) -> Matcher[Any]:
    """The matcher of this name. Raises UsageError where there is none."""
    if name not in matcher_names():
        raise UsageError(f"Unknown matcher {name!r}; choose {' or '.join(matcher_names())}.")
    module = importlib.import_module(f"{matchers.__name__}.{name}")
    matcher: Matcher[Any] = module.Matcher()
    return matcher
