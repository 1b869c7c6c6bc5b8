"""What shortlists of the nearest faces can hold between groups of faces: pairs of one frame."""

from __future__ import annotations

import numpy as np

from dieindex.records import Floats, Ints


class FacesOnFrames:
    """How many faces of each group lie on each frame.

    ``group`` ``(n,)`` counts from 0; ``frame`` ``(n,)`` is −1 of faces on none, which have no pairs
    here.
    """

    def __init__(self, group: Ints, frame: Ints) -> None:
        there = frame >= 0
        groups, self._wide = int(group.max(initial=-1)) + 1, int(frame.max(initial=-1)) + 1
        self._cell, self._count = np.unique(
            group[there] * self._wide + frame[there], return_counts=True
        )
        self._start = np.searchsorted(self._cell, np.arange(groups + 1) * self._wide)

    def on(self, group: Ints, frame: Ints) -> Floats:
        """The faces of groups ``(q,)`` on frames ``(q,)``."""
        if not len(self._cell):
            return np.zeros(len(group))
        asked = group * self._wide + frame
        place = np.searchsorted(self._cell, asked).clip(max=len(self._cell) - 1)
        known = (frame >= 0) & (frame < self._wide) & (self._cell[place] == asked)
        return np.where(known, self._count[place], 0).astype(np.float64)

    def pairs(self, one: Ints, other: Ints) -> Floats:
        """The pairs of one frame between the groups ``one`` and ``other`` ``(q,)``."""
        frames = self._start[one + 1] - self._start[one]
        of = np.repeat(np.arange(len(one)), frames)
        nth = np.arange(len(of)) - np.repeat(np.cumsum(frames) - frames, frames)
        cell = self._start[one][of] + nth
        faces = self._count[cell] * self.on(other[of], self._cell[cell] % max(self._wide, 1))
        return np.asarray(np.bincount(of, faces, len(one)), np.float64)
