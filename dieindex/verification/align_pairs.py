"""Pairs of an index aligned to each other where their frames cannot be trusted: found, aligned and
kept, and gone on with where it was broken off (see ``pair_alignment``)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from dieindex.alignment.feature_votes import FeatureIndex
from dieindex.alignment.local_features import LocalFeatures, local_features
from dieindex.encoder.dense import DenseDescriptors, unpacked
from dieindex.encoder.encode import Encoder
from dieindex.errors import IndexFolderError
from dieindex.records import Face, Ints, Matrix, Progress, Side, Vectors
from dieindex.storage.aligned_pairs import AlignedRow, StartRow
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.details import DetailStore
from dieindex.storage.face_codec import PackedFace, unpack_face
from dieindex.storage.folder import locked
from dieindex.verification.candidates import FaceVectors
from dieindex.verification.pair_alignment import (
    PairStart,
    PlacedFace,
    aligned_scores,
    pair_starts,
    worth_aligning,
)
from dieindex.verification.scorer import PairScorer
from dieindex.workers import give_back_freed_memory, in_order, workers

_log = logging.getLogger(__name__)

FEATURES, SEEKING = "local features", "seeking pairs"
SIFTING, ALIGNING = "sifting pairs", "aligning pairs"
"""Steps of the progress."""
BLOCK, SIFTED = 16, 64
"""Faces or pairs worked on before they are recorded; pairs likewise that are sifted, of which many
have a face in common."""


def align_pairs(
    folder: Path,
    side: Side,
    faces: FaceVectors,
    model: Callable[[], tuple[Encoder, PairScorer]],
    *,
    jobs: int | None = None,
    engine: str | None = None,
    progress: Progress | None = None,
) -> list[AlignedRow]:
    """Seek every face of a side that has not been sought, align the pairs that come of it, and give
    all aligned pairs.

    ``model`` gives the network and the comparator; it is asked where there is something to align.
    Where the folder cannot be written, or another process works on it, what is found is used and
    not kept, and a warning logged.
    """
    with ExitStack() as stack:
        catalogue = stack.enter_context(Catalogue.open(folder))
        store = stack.enter_context(DetailStore.open(folder))
        if not _all_done(catalogue, store, side, faces):
            try:
                stack.enter_context(locked(folder))
            except IndexFolderError as error:
                _log.warning("Pairs that are aligned to each other are not kept: %s", error)
                store.set_aside()
            there = _there(catalogue, side, faces)
            _Work(catalogue, store, side, there, progress).run(model, jobs, engine)
        return store.aligned_pairs(faces.ids)


def _all_done(catalogue: Catalogue, store: DetailStore, side: Side, faces: FaceVectors) -> bool:
    keys, known, sought = catalogue.vector_keys(side), store.feature_keys(), store.sought()
    current = all(i in sought and known[i] == keys.get(i) for i in faces.ids.tolist())
    return current and not store.starts_due()


def _there(catalogue: Catalogue, side: Side, faces: FaceVectors) -> FaceVectors:
    """The faces that the index still has: another process may have built since they were read."""
    keys = catalogue.vector_keys(side)
    kept = np.array([face in keys for face in faces.ids.tolist()], bool)
    return FaceVectors(faces.ids[kept], faces.vectors[kept], faces.frame[kept])


@dataclass(frozen=True, eq=False)
class _Work:
    catalogue: Catalogue
    store: DetailStore
    side: Side
    faces: FaceVectors
    progress: Progress | None

    def run(
        self,
        model: Callable[[], tuple[Encoder, PairScorer]],
        jobs: int | None,
        engine: str | None,
    ) -> None:
        with workers(jobs, engine) as (pool, at_once):
            self._look(pool, at_once)
            # (Sought is in the features of all faces at once: these stay on this machine.)
            with workers(None if engine else jobs) as (threads, count):
                self._seek(threads, count)
            give_back_freed_memory()
            self._sift(pool, at_once)
            due = self._due()
            if due:
                self._align(pool, at_once, due, *model())

    def _look(self, pool: Executor, jobs: int) -> None:
        """The features of faces that have none."""
        ids, keys = self.faces.ids.tolist(), self.catalogue.vector_keys(self.side)
        with self.store.transaction():
            self.store.remove_other_features(keys, ids)
        known = self.store.feature_keys()
        due = [face for face in ids if face not in known and face in keys]
        calls = ((_features, part, self.catalogue.packed_faces(part)) for part in _blocks(due))
        for done, (part, found) in _counted(in_order(pool, jobs, calls, waiting=jobs)):
            with self.store.transaction():
                self.store.put_features(
                    (face, keys[face], one) for face, one in zip(part, found, strict=True)
                )
            self._tell(FEATURES, done, len(due))

    def _seek(self, pool: Executor, jobs: int) -> None:
        """Where the faces that were not sought lie on others."""
        ids, before = self.faces.ids, self.store.sought()
        due = [row for row, face in enumerate(ids.tolist()) if face not in before]
        if not due:
            return
        index = FeatureIndex([LocalFeatures.from_bytes(self.store.features_of(f)) for f in ids])
        placed = self._placed()
        calls = ((_sought, index, part, placed) for part in _blocks(due))
        for done, (part, starts) in _counted(in_order(pool, jobs, calls, waiting=jobs)):
            with self.store.transaction():
                self.store.put_starts(
                    (int(ids[row]) for row in part),
                    [StartRow(int(ids[s.fixed]), int(ids[s.moved]), s.start) for s in starts],
                )
            self._tell(SEEKING, done, len(due))

    def _sift(self, pool: Executor, jobs: int) -> None:
        """Take out the pairs that are not worth aligning."""
        ids, placed, due = self.faces.ids.tolist(), self._placed(), self._due()

        def calls() -> Iterator[tuple[Any, ...]]:
            for part in _blocks(due, SIFTED):
                rows = sorted({row for one in part for row in (one.fixed, one.moved)})
                packed = self.catalogue.packed_faces(ids[row] for row in rows)
                there = {row: placed[row] for row in rows}
                yield _sifted, part, dict(zip(rows, packed, strict=True)), there

        for done, vain in _counted(in_order(pool, jobs, calls(), waiting=jobs)):
            with self.store.transaction():
                self.store.remove_starts(
                    StartRow(ids[one.fixed], ids[one.moved], one.start) for one in vain
                )
            self._tell(SIFTING, done, len(due), SIFTED)

    def _due(self) -> list[PairStart]:
        at = {face: row for row, face in enumerate(self.faces.ids.tolist())}
        described = self.store.keys()
        return [
            PairStart(at[one.fixed], at[one.moved], one.start)
            for one in self.store.starts_due()
            if one.fixed in at and one.moved in at and one.fixed in described
        ]

    def _align(
        self,
        pool: Executor,
        jobs: int,
        due: Sequence[PairStart],
        encoder: Encoder,
        scorer: PairScorer,
    ) -> None:
        ids, competitors = self.faces.ids.tolist(), self.catalogue.competitors(self.side)

        def calls() -> Iterator[tuple[Any, ...]]:
            for part in _blocks(due):
                rows = sorted({one.fixed for one in part} | {one.moved for one in part})
                fixed = sorted({one.fixed for one in part})
                packed = self.catalogue.packed_faces(ids[row] for row in rows)
                places = self.catalogue.places(ids[row] for row in fixed)
                cells = [self.store.cells_of(ids[row]) or b"" for row in fixed]
                yield (
                    _aligned,
                    part,
                    dict(zip(rows, packed, strict=True)),
                    {row: places[ids[row]] for row in fixed},
                    dict(zip(fixed, cells, strict=True)),
                    {row: self.faces.vectors[row] for row in fixed},
                    {row: competitors.get(int(self.faces.frame[row])) for row in fixed},
                    encoder,
                    scorer,
                )

        for done, found in _counted(in_order(pool, jobs, calls(), waiting=jobs)):
            with self.store.transaction():
                self.store.put_aligned(
                    replace(one, fixed=ids[one.fixed], moved=ids[one.moved]) for one in found
                )
            self._tell(ALIGNING, done, len(due))

    def _placed(self) -> list[PlacedFace]:
        return placed_faces(self.catalogue, self.side, self.faces.ids, self.faces.frame)

    def _tell(self, step: str, blocks: int, due: int, size: int = BLOCK) -> None:
        if self.progress is not None:
            self.progress(f"{self.side}: {step}", min(blocks * size, due), due)


def placed_faces(catalogue: Catalogue, side: Side, ids: Ints, frame: Ints) -> list[PlacedFace]:
    """Where the faces ``ids`` ``(n,)`` lie; ``frame`` ``(n,)`` is −1 of those on none."""
    known = {one.id: one for one in catalogue.placed_faces(side)}
    return [
        PlacedFace(int(on), known[face].to_frame if on >= 0 else None, known[face].confidence)
        for face, on in zip(ids.tolist(), frame, strict=True)
    ]


def _blocks(values: Sequence[Any], size: int = BLOCK) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _counted(results: Iterator[Any]) -> Iterator[tuple[int, Any]]:
    return enumerate(results, 1)


def _features(ids: Sequence[int], kept: Sequence[PackedFace]) -> tuple[Sequence[int], list[bytes]]:
    return ids, [local_features(unpack_face(each)).to_bytes() for each in kept]


def _sought(
    index: FeatureIndex, part: Sequence[int], placed: Sequence[PlacedFace]
) -> tuple[Sequence[int], list[PairStart]]:
    found: list[PairStart] = []
    for face in part:
        found += pair_starts(face, index.faces_on(face), placed, len(placed))
    return part, found


def _sifted(
    starts: Sequence[PairStart],
    packed: dict[int, PackedFace],
    placed: dict[int, PlacedFace],
) -> list[PairStart]:
    """The pairs that are not worth aligning."""

    @lru_cache(None)
    def face(row: int) -> Face:
        return unpack_face(packed[row])

    worth = worth_aligning(starts, face, placed.__getitem__)
    return [one for one, kept in zip(starts, worth, strict=True) if not kept]


def _aligned(
    starts: Sequence[PairStart],
    packed: dict[int, PackedFace],
    places: dict[int, Matrix],
    cells: dict[int, bytes],
    vectors: dict[int, Vectors],
    competitors: dict[int, Vectors | None],
    encoder: Encoder,
    scorer: PairScorer,
) -> list[AlignedRow]:
    @lru_cache(None)
    def face(row: int) -> Face:
        return unpack_face(packed[row])

    def described(row: int) -> DenseDescriptors:
        return unpacked([cells[row]], encoder.channels, encoder.grid)

    found = aligned_scores(
        starts,
        face,
        places.__getitem__,
        described,
        vectors.__getitem__,
        competitors.get,
        encoder,
        scorer,
    )
    return [
        AlignedRow(
            one.fixed,
            one.moved,
            np.asarray(one.place, np.float64),
            one.logit,
            one.shared,
            one.distance,
        )
        for one in found
    ]
