"""Randomness that depends on keys alone, and randomness that strays from a model."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from dieindex.records import Floats


def stable_rng(*key: object) -> np.random.Generator:
    """A generator that depends on the key alone, on every machine and in every process."""
    return np.random.default_rng(_seed(key))


def _seed(key: tuple[object, ...]) -> int:
    digest = hashlib.blake2b(repr(key).encode(), digest_size=16).digest()
    return int.from_bytes(digest, "little")


class Straying(np.random.Generator):
    """Samples near those of a model: the same deviates, each moved by an own share.

    A model's standard normal z becomes √(1 − own²) z + own z', z' its own, so that the distribution
    stays what it was; uniform numbers pass through the normal. ``own`` 0 repeats the model, 1 is
    independent of it. Only the methods below are blended, so only they may be used.
    """

    def __init__(self, model: tuple[object, ...], self_key: tuple[object, ...], own: float) -> None:
        super().__init__(np.random.PCG64(_seed(self_key)))
        self._model = stable_rng(*model)
        self._self = stable_rng(*self_key)
        self._own = float(np.clip(own, 0.0, 1.0))
        self._shared = float(np.sqrt(1 - self._own**2))

    def _deviate(self, size: Any) -> Any:
        return self._shared * self._model.standard_normal(size) + self._own * (
            self._self.standard_normal(size)
        )

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
        """Normal numbers."""
        return loc + scale * self._deviate(size)

    def random(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
        """Uniform numbers in 0…1; the logistic curve stands for the normal one (error < 1 %)."""
        # (Not ``numeric.sigmoid``: its last bit differs, and what is engraved would with it.)
        return 1.0 / (1.0 + np.exp(-1.702 * self._deviate(size)))

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        """Uniform numbers."""
        return low + (high - low) * self.random(size)

    def integers(self, low: Any, high: Any = None, size: Any = None, *_: Any, **__: Any) -> Any:
        """Whole numbers from ``low`` to below ``high``."""
        if high is None:
            low, high = 0, low
        whole = np.floor(self.uniform(low, high, size)).astype(np.int64)
        return np.minimum(whole, high - 1)


class Field:
    """Values that vary from place to place like noise, near those of a model field.

    Unlike a sequence of samples it does not depend on how many places are asked for, or in what
    order, so that two dies with other numbers of locks still share what their type has at a place.
    """

    def __init__(
        self, model: np.random.Generator, own_rng: np.random.Generator, own: float, length: float
    ) -> None:
        self._parts = []
        own = float(np.clip(own, 0.0, 1.0))
        for rng, share in ((model, np.sqrt(1 - own**2)), (own_rng, own)):
            wave = rng.normal(0, 1, (6, 2))
            wave *= (2 * np.pi / length) / np.linalg.norm(wave, axis=1, keepdims=True)
            wave *= rng.uniform(0.6, 1.5, (6, 1))
            self._parts.append((wave, rng.uniform(0, 2 * np.pi, 6), share * np.sqrt(2 / 6)))

    def __call__(self, places: Floats) -> Floats:
        total = np.zeros(len(places))
        for wave, phase, gain in self._parts:
            total += gain * np.cos(places @ wave.T + phase).sum(axis=1)
        return total
