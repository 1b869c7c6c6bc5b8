"""Describing the faces of an index: what verification needs, computed once where each lies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from typing import Any

from dieindex.encoder import encode
from dieindex.encoder.dense import packed, quantised
from dieindex.encoder.encode import Encoder
from dieindex.records import Floats, Progress
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.details import DetailStore
from dieindex.storage.face_codec import PackedFace, unpack_face
from dieindex.workers import in_order

STEP = "describing"


def describe_faces(
    catalogue: Catalogue,
    details: DetailStore,
    encoder: Encoder,
    pool: Executor,
    jobs: int,
    progress: Progress | None = None,
) -> int:
    """Describe every present face on a frame whose descriptors are not kept yet; gives their
    number.

    Descriptors of faces that are gone, moved or encoded anew are forgotten, with all their pairs.
    (Faces that a build refines are described at its last step already.)
    """
    keys = catalogue.descriptor_keys()
    with details.transaction():
        details.forget_others(keys)
    known = details.keys()
    due = sorted(face for face in catalogue.descriptor_keys(present=True) if face not in known)

    def calls() -> Iterator[tuple[Any, ...]]:
        for start in range(0, len(due), encode.BATCH):
            ids = due[start : start + encode.BATCH]
            places = list(catalogue.places(ids).values())
            yield _describe, encoder, ids, catalogue.packed_faces(ids), places

    done = 0
    for ids, cells in in_order(pool, jobs, calls(), waiting=jobs):
        with details.transaction():
            details.describe((face, keys[face], one) for face, one in zip(ids, cells, strict=True))
        done += len(ids)
        if progress is not None:
            progress(STEP, done, len(due))
    return len(due)


def _describe(
    encoder: Encoder, ids: Sequence[int], kept: Sequence[PackedFace], places: Sequence[Floats]
) -> tuple[Sequence[int], list[bytes]]:
    described = encoder.describe([unpack_face(each) for each in kept], places, fill=True)
    return ids, packed(quantised(described.descriptors, described.reliability))
