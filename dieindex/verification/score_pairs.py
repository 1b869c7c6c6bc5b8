"""Looking at the pairs of an index: each once, kept, and gone on with where it was broken off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from dieindex.encoder.dense import DenseDescriptors, unpacked
from dieindex.errors import IndexFolderError
from dieindex.records import Flags, Floats, Ints
from dieindex.storage.catalogue import FaceRows
from dieindex.storage.descriptors import DetailStore, JudgedRows
from dieindex.storage.folder import locked
from dieindex.verification.candidates import Shortlist
from dieindex.verification.scorer import PairScorer

Progress = Callable[[int, int], None]

BLOCK = 256
"""Pairs that a worker looks at before they are recorded."""
_KEPT_FACES = 1500
"""Faces held unpacked: about 80 kB each."""


@dataclass(frozen=True, eq=False)
class PairScores:
    """What was found of a shortlist's pairs; NaN in both where a pair could not be looked at:
    a face of it lies on no frame, or the two on different ones."""

    logit: Floats
    """(m,): the comparator's log-odds of "same die", not calibrated."""
    shared: Floats
    """(m,) 0…1: the part of the frame that both faces show."""

    @property
    def done(self) -> Flags:
        """(m,): whether the pair was looked at."""
        return ~np.isnan(self.logit)


def score_pairs(
    folder: Path,
    rows: FaceRows,
    shortlist: Shortlist,
    scorer: Callable[[], PairScorer],
    *,
    shape: tuple[int, int],
    jobs: int | None = None,
    progress: Progress | None = None,
) -> PairScores:
    """Look at every pair of a shortlist that lies on one frame and was not looked at before.

    ``rows`` are the faces that the shortlist's positions mean, ``scorer`` makes the comparator (it
    is asked for where there is something to do), ``shape`` are the descriptors' channels and grid.
    ``progress`` is called with the pairs done and those due. What is found is kept in the index
    block by block; where the folder cannot be written, or another process works on it, it is used
    and not kept.
    """
    found = PairScores(np.full(len(shortlist.first), np.nan), np.full(len(shortlist.first), np.nan))
    if not len(rows):
        return found
    with ExitStack() as stack:
        store = stack.enter_context(DetailStore.open(folder))
        described = np.isin(rows.ids, np.array(list(store.keys()), np.int64))
        wanted = described[shortlist.first] & described[shortlist.second]
        wanted &= rows.aligned[shortlist.first] & rows.aligned[shortlist.second]
        wanted &= rows.frame[shortlist.first] == rows.frame[shortlist.second]
        # Ids rise with positions, so the first of a pair has the smaller one.
        first, second = rows.ids[shortlist.first], rows.ids[shortlist.second]
        base = int(rows.ids.max()) + 1
        known = store.judged(rows.ids)
        codes = known.first * base + known.second
        at = np.searchsorted(codes, first * base + second).clip(max=max(len(codes) - 1, 0))
        there = wanted & (codes[at] == first * base + second) if len(codes) else wanted & False
        found.logit[there], found.shared[there] = known.logit[at[there]], known.shared[at[there]]
        due = np.flatnonzero(wanted & ~there)
        if not len(due):
            return found
        try:
            stack.enter_context(locked(folder))
            keeps = True
        except IndexFolderError:
            keeps = False
        pairs = np.stack([first[due], second[due]], 1)
        done = 0
        for rows_done, logit, shared in _blocks(store, pairs, scorer(), shape, jobs):
            part = due[rows_done]
            found.logit[part], found.shared[part] = logit, shared
            if keeps:
                with store.transaction():
                    store.put_judged(JudgedRows(first[part], second[part], logit, shared))
            done += len(part)
            if progress is not None:
                progress(done, len(due))
    return found


def _blocks(
    store: DetailStore,
    pairs: Ints,
    scorer: PairScorer,
    shape: tuple[int, int],
    jobs: int | None,
) -> Iterator[tuple[Ints, Floats, Floats]]:
    """Pairs (m, 2) of ids, block by block: their rows, logits and shared parts."""
    from dieindex.workers import count_of, in_order, workers

    @lru_cache(_KEPT_FACES)
    def details(face: int) -> DenseDescriptors:
        kept = store.cells_of(face)
        assert kept is not None  # only described faces are asked for
        return unpacked([kept], *shape)

    def gathered(faces: Ints) -> DenseDescriptors:
        each = [details(face) for face in faces.tolist()]
        return DenseDescriptors(
            np.concatenate([one.descriptors for one in each]),
            np.concatenate([one.reliability for one in each]),
        )

    def look(
        part: Ints, first: DenseDescriptors, second: DenseDescriptors
    ) -> tuple[Ints, Floats, Floats]:
        return part, *scorer.look(first, second)

    def calls() -> Iterator[tuple]:
        for start in range(0, len(pairs), BLOCK):
            part = np.arange(start, min(start + BLOCK, len(pairs)))
            yield look, part, gathered(pairs[part, 0]), gathered(pairs[part, 1])

    jobs = count_of(jobs)
    with workers(jobs) as pool:
        yield from in_order(pool, jobs, calls(), waiting=1)
