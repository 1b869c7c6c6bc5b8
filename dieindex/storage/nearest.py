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
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dieindex.errors import DieIndexError
from dieindex.files import write_text, written_beside
from dieindex.numeric import unit_distance
from dieindex.records import SIDES, Floats, Ints, Side, Vectors
from dieindex.storage.catalogue import Catalogue

_log = logging.getLogger(__name__)

EXACT_UP_TO = 50_000
"""Faces up to which the exact flat index is used; above, inverted lists with exact distances."""
CELLS_VISITED = 0.08
"""Share of the inverted lists that a query visits."""


@dataclass(frozen=True)
class Neighbours:
    """``ids`` and ``distance`` ``(queries, k)``, nearest first; id -1 and distance inf where fewer.

    Distances are Euclidean between unit vectors, 0…2.
    """

    ids: Ints
    distance: Floats


class VectorIndex:
    """Nearest faces of one side."""

    def __init__(self, index: Any) -> None:
        self._index = index

    @classmethod
    def from_vectors(cls, vectors: Vectors, ids: Ints) -> VectorIndex:
        """Index ``vectors`` ``(n, dimension)`` under ``ids`` ``(n,)``, each id once."""
        import faiss

        if len(np.unique(ids)) != len(ids):
            # FAISS would keep both silently.
            raise ValueError("an id occurs twice")
        count, dimension = vectors.shape
        index: Any
        if count <= EXACT_UP_TO:
            index = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))
        else:
            cells = int(min(4 * np.sqrt(count), count / 40))
            quantizer = faiss.IndexFlatIP(dimension)
            index = faiss.IndexIVFFlat(quantizer, dimension, cells, faiss.METRIC_INNER_PRODUCT)
            index.cp.seed = 1
            index.train(_training_sample(vectors, 40 * cells))
            index.nprobe = max(1, int(CELLS_VISITED * cells))
        if count:
            index.add_with_ids(np.ascontiguousarray(vectors, dtype=np.float32), ids)
        return cls(index)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        return int(self._index.d)

    def search(self, queries: Vectors, k: int) -> Neighbours:
        """The ``k`` nearest faces of each query ``(queries, dimension)``, itself included."""
        k = min(k, len(self))
        if k == 0 or len(queries) == 0:
            empty = (len(queries), 0)
            return Neighbours(np.zeros(empty, np.int64), np.zeros(empty, np.float64))
        similarity, ids = self._index.search(np.ascontiguousarray(queries, dtype=np.float32), k)
        distance = unit_distance(similarity)
        distance[ids < 0] = np.inf
        return Neighbours(ids.astype(np.int64), distance)

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
    """Whether the side's FAISS file belongs to the catalogue as it is (its content is not read)."""
    try:
        record = json.loads(_record_file(folder, side).read_text(encoding="utf-8"))
        size = vector_file(folder, side).stat().st_size
    except (OSError, ValueError):
        return False
    generation = catalogue.meta("generation")
    known = isinstance(record, dict) and (record.get("generation"), record.get("bytes"))
    return generation is not None and known == (generation, size)


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
        # (An earlier dieindex wrote no checksum.)
        if record.get("crc32") in (None, _checksum(vector_file(folder, side))):
            with suppress(RuntimeError):
                return VectorIndex.read(vector_file(folder, side))
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
    index = VectorIndex.from_vectors(vectors, rows.ids)
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
        }
        write_text(_record_file(folder, side), json.dumps(record))
    except DieIndexError:
        if must_write:
            raise
    return index
