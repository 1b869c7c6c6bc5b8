"""Candidate pairs of an index: each scored once, kept, and gone on with where it was broken off."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from dieindex.errors import IndexFolderError
from dieindex.records import Flags, Ints, Progress, Side
from dieindex.storage.aligned_pairs import positions
from dieindex.storage.catalogue import Catalogue, FaceRows
from dieindex.storage.details import DetailStore
from dieindex.storage.folder import locked
from dieindex.storage.nearest import VectorIndex, load_vectors
from dieindex.storage.pair_scores import PairScoreRows
from dieindex.text import counted
from dieindex.verification.candidates import CandidatePairs, FaceVectors, candidate_pairs
from dieindex.verification.pair_blocks import blocks, packed_blocks
from dieindex.verification.scorer import PairScorer, PairScores
from dieindex.workers import in_order, workers

_log = logging.getLogger(__name__)


def best_of_each_coin(rows: FaceRows) -> FaceRows:
    """One face a coin: found for sure before not, larger before smaller, earlier before later."""
    order = np.lexsort((rows.ids, -rows.radius, ~rows.sure))
    best: dict[str, int] = {}
    for position in order.tolist():
        best.setdefault(rows.coins[position], position)
    return rows.take(np.array(sorted(best.values()), dtype=np.int64))


def vectors_of(rows: FaceRows) -> FaceVectors:
    """The faces of an index's catalogue as verification knows them."""
    return FaceVectors(rows.ids, rows.vectors, np.where(rows.aligned, rows.frame, -1))


def stored_candidates(
    folder: Path, side: Side, faces: FaceVectors, radius: float, *, verify: bool
) -> CandidatePairs:
    """The candidate pairs (see ``candidate_pairs``) of an index's ``faces``, of which it knows the
    nearest, and those that were aligned to each other or scored before."""

    def nearest() -> VectorIndex:
        with Catalogue.open(folder) as catalogue:
            return load_vectors(folder, catalogue, side)

    def scored_before() -> tuple[Ints, Ints]:
        with DetailStore.open(folder) as store:
            scored = np.searchsorted(faces.ids, store.scored_pairs(faces.ids))
            aligned = positions(store.aligned_pairs(faces.ids), faces.ids)
        first, second = np.concatenate([scored, aligned], axis=1)
        return first, second

    return candidate_pairs(faces, radius, nearest, verify=verify, scored_before=scored_before)


def described(store: DetailStore, faces: FaceVectors) -> Flags:
    """``(n,)``: which faces on frames have dense descriptors in the index.

    All, unless ``details.sqlite`` was deleted or damaged since the last build, or that build was
    broken off.
    """
    return np.isin(faces.ids, np.array(list(store.keys()), np.int64)) & faces.aligned


def can_score(folder: Path, faces: FaceVectors) -> bool:
    """Whether every pair of faces on one frame can be scored."""
    with DetailStore.open(folder) as store:
        return bool((described(store, faces) == faces.aligned).all())


def score_pairs(
    folder: Path,
    side: Side,
    faces: FaceVectors,
    candidates: CandidatePairs,
    scorer: Callable[[], PairScorer],
    *,
    compared: Flags,
    shape: tuple[int, int],
    jobs: int | None = None,
    engine: str | None = None,
    progress: Progress | None = None,
) -> PairScores:
    """Score those candidate pairs ``compared`` ``(m,)`` that lie on one frame and were not scored
    before; gives the scores of these and of all that are known.

    ``faces`` are those that the candidates' positions mean, ``scorer`` makes the comparator (it is
    asked for where there is something to do), ``shape`` are the descriptors' channels and grid.
    ``progress`` is called with the side, the pairs done and those due. What is found is kept in the
    index block by block; where the folder cannot be written, or another process works on it, it is
    used and not kept, and a warning logged.
    """
    found = PairScores(np.full(len(candidates), np.nan), np.full(len(candidates), np.nan))
    if not len(faces):
        return found
    with ExitStack() as stack:
        store = stack.enter_context(DetailStore.open(folder))
        there = described(store, faces)
        missing = int((faces.aligned & ~there).sum())
        if missing:
            _log.warning(
                "%s %s no dense descriptors in the index; their pairs are judged by the "
                "vectors alone. Build again: it computes them.",
                counted(missing, side),
                "has" if missing == 1 else "have",
            )
        wanted = there[candidates.first] & there[candidates.second]
        wanted &= faces.frame[candidates.first] == faces.frame[candidates.second]
        # Ids rise with positions, so the first of a pair has the smaller one.
        first, second = faces.ids[candidates.first], faces.ids[candidates.second]
        base = int(faces.ids.max()) + 1
        known, changed = store.checked_scores(faces.ids)
        if changed:
            forget_scores(folder, store, changed)
        codes = known.first * base + known.second
        at = np.searchsorted(codes, first * base + second).clip(max=max(len(codes) - 1, 0))
        scored = wanted & (codes[at] == first * base + second) if len(codes) else wanted & False
        found.logit[scored], found.shared[scored] = (
            known.logit[at[scored]],
            known.shared[at[scored]],
        )
        found = replace(found, passed=wanted & ~compared & ~scored)
        due = np.flatnonzero(wanted & compared & ~scored)
        if not len(due):
            return found
        pairs = np.stack([first[due], second[due]], 1)
        done, keeping = 0, _Keeping(folder, store)
        with workers(jobs, engine) as (pool, at_once):
            if engine is None:
                calls, waiting = blocks(store, pairs, scorer(), shape), 1
            else:
                frame = faces.frame[candidates.first[due]]
                calls, waiting = (
                    packed_blocks(store, pairs, frame, scorer(), shape),
                    1 + at_once // 2,
                )
            for rows_done, logit, shared in in_order(pool, at_once, calls, waiting):
                part = due[rows_done]
                found.logit[part], found.shared[part] = logit, shared
                keeping.add(PairScoreRows(first[part], second[part], logit, shared))
                done += len(part)
                if progress is not None:
                    progress(side, done, len(due))
        keeping.end()
    return found


def forget_scores(folder: Path, store: DetailStore, changed: list[int]) -> None:
    """Take out scores that a disk has changed, and say so: they are due again."""
    _log.warning(
        "%s: scores of pairs have changed on the disk; they are computed anew.", store.path
    )
    with suppress(IndexFolderError), locked(folder, wait=0), store.transaction():
        store.forget_scores(changed)


class _Keeping:
    """Keeps scores block by block, under the index's lock for no longer than it takes. Blocks that
    come while another holds it wait for the next, the last of them for the lock."""

    def __init__(self, folder: Path, store: DetailStore) -> None:
        self._folder, self._store = folder, store
        self._waiting: list[PairScoreRows] = []
        self._changes = store.changes_of_others()
        self._keys = store.keys()
        self._changed: list[int] = []

    def add(self, rows: PairScoreRows) -> None:
        self._waiting.append(rows)
        with suppress(IndexFolderError):
            self._keep(wait=0)

    def end(self) -> None:
        """Keep what is still waiting, or say that it is not kept."""
        try:
            self._keep(wait=None)
        except IndexFolderError as error:
            count = sum(len(rows) for rows in self._waiting)
            _log.warning(
                "The scores of %s are used, but not kept: %s", counted(count, "pair"), error
            )

    def _keep(self, wait: float | None) -> None:
        if not self._waiting:
            return
        with locked(self._folder, wait=wait), self._store.transaction():
            changes = self._store.changes_of_others()
            if changes != self._changes:
                # (Another process may have built since the pairs were read.)
                keys = self._store.keys()
                self._changed = [face for face, key in self._keys.items() if keys.get(face) != key]
                self._changes = changes
            for rows in self._waiting:
                there = ~(np.isin(rows.first, self._changed) | np.isin(rows.second, self._changed))
                self._store.put_pair_scores(rows.take(there))
        self._waiting = []
