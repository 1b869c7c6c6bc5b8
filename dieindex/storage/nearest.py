"""The FAISS indexes, one a side: inner product on unit vectors, id = the face's catalogue row.

They are derived from the catalogue. Each build that changes faces gives the catalogue a new
generation, a digest of the faces it holds; a FAISS file is used only where the generation recorded
beside it is the catalogue's, and made anew otherwise.
"""

from __future__ import annotations

import hashlib
import json
import logging
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dieindex.errors import DieIndexError
from dieindex.files import write_text, written_beside
from dieindex.numeric import unit_distance
from dieindex.records import SIDES, Floats, Floats32, Ints, Side, Vectors
from dieindex.storage.catalogue import Catalogue

_log = logging.getLogger(__name__)

EXACT_UP_TO = 50_000
"""Faces up to which vectors are kept as they are; above, at one byte a number."""
_TRAINING = 20_000
"""Faces from which the range of each number is taken."""
_TOGETHER = 20_000
"""Queries at one time."""
_SPARE = 2
"""Times as many are found by bytes as are ranked exactly."""

_FRAMES = "frames"
"""What the lists of a file are."""

VectorsOf = Callable[[Ints], Vectors]
"""The vectors ``(m, dimension)`` of ids ``(m,)``; NaN where one is not known."""


@dataclass(frozen=True)
class Neighbours:
    """``ids`` and ``distance`` ``(queries, k)``, nearest first; id -1 and distance inf where fewer.

    Distances are Euclidean between unit vectors, 0…2.
    """

    ids: Ints
    distance: Floats


class VectorIndex:
    """Nearest faces of one side, frame by frame: each frame is a list by itself, and the faces on
    none are one.

    Pairs of two frames are not compared in detail, and what is left of a vector when its type is
    taken off says nothing of another type's: a list of the nearest of all frames is full of faces
    of which nothing can be told.
    """

    def __init__(self, index: Any) -> None:
        self._index = index

    @classmethod
    def from_vectors(cls, vectors: Vectors, ids: Ints, frame: Ints) -> VectorIndex:
        """Index ``vectors`` ``(n, dimension)`` under ``ids`` ``(n,)``, each id once; ``frame``
        ``(n,)`` is where each face lies, −1 for none."""
        import faiss

        if len(np.unique(ids)) != len(ids):
            # FAISS would keep both silently.
            raise ValueError("an id occurs twice")
        count, dimension = vectors.shape
        lists = int(frame.max(initial=-1)) + 2
        quantizer = faiss.IndexFlatIP(dimension)
        quantizer.add(np.zeros((lists, dimension), np.float32))  # (Lists are given, never sought.)
        metric = faiss.METRIC_INNER_PRODUCT
        index: Any
        if count <= EXACT_UP_TO:
            index = faiss.IndexIVFFlat(quantizer, dimension, lists, metric)
        else:
            eight = faiss.ScalarQuantizer.QT_8bit
            index = faiss.IndexIVFScalarQuantizer(quantizer, dimension, lists, eight, metric, False)
            index.train(_training_sample(vectors, _TRAINING))
        for start in range(0, count, _TRAINING):
            part = slice(start, start + _TRAINING)
            some = np.ascontiguousarray(vectors[part], dtype=np.float32)
            own, lists_of = ids[part].astype(np.int64), _lists(frame[part])
            pointers = (faiss.swig_ptr(each) for each in (some, own, lists_of))
            index.add_core(len(some), *pointers)
        return cls(index)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        return int(self._index.d)

    @property
    def exact(self) -> bool:
        """Whether vectors are kept as they are."""
        import faiss

        return isinstance(self._index, faiss.IndexIVFFlat)

    def search(
        self, queries: Vectors, k: int, frame: Ints, vectors_of: VectorsOf | None = None
    ) -> Neighbours:
        """The ``k`` nearest faces of each query ``(queries, dimension)`` on its ``frame``
        ``(queries,)``, −1: of those on none; itself included.

        Of very many faces (not ``exact``) ``vectors_of`` says what the vectors of those found are,
        from which they are ranked; without it distances are those of vectors of one byte a number:
        small ones are too large.
        """
        k = min(k, len(self))
        similarity = np.full((len(queries), k), -np.inf, np.float32)
        ids = np.full((len(queries), k), -1, np.int64)
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        for start in range(0, len(queries) if k else 0, _TOGETHER):
            part = slice(start, start + _TOGETHER)
            similarity[part], ids[part] = self._some(queries[part], k, frame[part], vectors_of)
        distance = unit_distance(similarity)
        distance[ids < 0] = np.inf
        return Neighbours(ids, distance)

    def _some(
        self, queries: Vectors, k: int, frame: Ints, vectors_of: VectorsOf | None
    ) -> tuple[Floats32, Ints]:
        ranked_by = None if self.exact else vectors_of
        lists = _lists(frame)[:, None]
        lists[lists >= self._index.nlist] = -1  # a frame without a face
        self._index.nprobe = 1
        similarity, ids = self._index.search_preassigned(
            queries,
            k if ranked_by is None else min(_SPARE * k, len(self)),
            lists,
            np.zeros(lists.shape, np.float32),
        )
        if ranked_by is None:
            return similarity, ids
        for query, row, alike in zip(queries, ids, similarity, strict=True):
            there = np.flatnonzero(row >= 0)
            exact = ranked_by(row[there]) @ query
            alike[there] = np.where(np.isnan(exact), alike[there], exact)
            order = np.lexsort((row, -alike))
            row[:], alike[:] = row[order], alike[order]
        return similarity[:, :k], ids[:, :k]

    def write(self, path: Path) -> None:
        """Write beside and rename."""
        import faiss

        with written_beside(path) as temporary:
            try:
                faiss.write_index(self._index, str(temporary))
            except RuntimeError as error:
                raise OSError(str(error)) from error

    @classmethod
    def read(cls, path: Path) -> VectorIndex:
        """Read a file that ``write`` made. Raises RuntimeError where it is damaged."""
        import faiss

        return cls(faiss.read_index(str(path)))


def _lists(frame: Ints) -> Ints:
    """The number of each frame's list."""
    return np.ascontiguousarray(frame, np.int64) + 1


def _training_sample(vectors: Vectors, size: int) -> Vectors:
    if len(vectors) <= size:
        return vectors
    chosen = np.random.default_rng(1).choice(len(vectors), size, replace=False)
    return np.ascontiguousarray(vectors[np.sort(chosen)])


def generation_of(catalogue: Catalogue) -> str:
    """A digest of the faces a catalogue holds: equal for equal collections, however built."""
    digest = hashlib.sha256()
    for *identity, vector in catalogue.face_identities():
        digest.update(json.dumps(identity).encode())
        digest.update(vector or b"")
    return digest.hexdigest()[:32]


def vector_file(folder: Path, side: Side) -> Path:
    return folder / f"{side}.faiss"


def _record_file(folder: Path, side: Side) -> Path:
    return folder / f"{side}.json"


def is_current(folder: Path, catalogue: Catalogue, side: Side) -> bool:
    """Whether the side's FAISS file belongs to the catalogue as it is (its content is not read).

    Lists of what an earlier dieindex wrote may be no frames.
    """
    try:
        record = json.loads(_record_file(folder, side).read_text(encoding="utf-8"))
        size = vector_file(folder, side).stat().st_size
    except (OSError, ValueError):
        return False
    generation = catalogue.meta("generation")
    if generation is None or not isinstance(record, dict):
        return False
    known = [record.get(name) for name in ("generation", "bytes", "lists")]
    return known == [generation, size, _FRAMES]


def write_vectors(folder: Path, catalogue: Catalogue) -> None:
    """Derive both sides' FAISS files from the catalogue where they are not current."""
    for side in SIDES:
        if not is_current(folder, catalogue, side):
            _derive(folder, catalogue, side)


def load_vectors(folder: Path, catalogue: Catalogue, side: Side) -> VectorIndex:
    """The side's index: its file where current and whole, else derived anew.

    A folder that cannot be written is no hindrance: the index then stays in memory.
    """
    if is_current(folder, catalogue, side):
        record = json.loads(_record_file(folder, side).read_text(encoding="utf-8"))
        if record.get("crc32") == _checksum(vector_file(folder, side)):
            try:
                return VectorIndex.read(vector_file(folder, side))
            except RuntimeError:
                pass
        _log.warning("%s: damaged; it is made anew.", vector_file(folder, side))
    return _derive(folder, catalogue, side, must_write=False)


def _checksum(path: Path) -> int:
    found = 0
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            found = zlib.crc32(block, found)
    return found


def _derive(
    folder: Path, catalogue: Catalogue, side: Side, *, must_write: bool = True
) -> VectorIndex:
    rows = catalogue.face_rows(side)
    dimension = int(catalogue.meta("dimension") or rows.vectors.shape[1] or 1)
    vectors = rows.vectors if len(rows) else np.zeros((0, dimension), np.float32)
    index = VectorIndex.from_vectors(vectors, rows.ids, np.where(rows.aligned, rows.frame, -1))
    generation = catalogue.meta("generation")
    if generation is None:
        # The build that changes the catalogue is still going on, or was broken off.
        return index
    try:
        index.write(vector_file(folder, side))
        record = {
            "generation": generation,
            "bytes": vector_file(folder, side).stat().st_size,
            "crc32": _checksum(vector_file(folder, side)),
            "lists": _FRAMES,
        }
        write_text(_record_file(folder, side), json.dumps(record))
    except DieIndexError:
        if must_write:
            raise
    return index
