"""Encoding the faces of an index where they lie, and taking off what their types share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np

from dieindex.encoder import dense, encode
from dieindex.encoder.competition import competitors_of, less_shared
from dieindex.encoder.encode import Encoder
from dieindex.records import SIDES, Floats, Ints, Progress, Side, Vectors
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.descriptors import kept_vector, key_of
from dieindex.storage.details import DetailStore
from dieindex.storage.face_codec import PackedFace, unpack_face
from dieindex.workers import in_order

STEP = "encoding"


def encode_faces(
    catalogue: Catalogue,
    encoder: Encoder,
    pool: Executor,
    jobs: int,
    progress: Progress | None = None,
    details: DetailStore | None = None,
) -> int:
    """Encode every present face that has no vector of the network yet; gives their number.

    With ``details`` what verification needs of those on frames is kept there too: where they do not
    move again, the network need not see them a second time.
    """
    batch = encode.BATCH
    due = catalogue.faces_to_encode()

    def calls() -> Iterator[tuple[Any, ...]]:
        for start in range(0, len(due), batch):
            part = due[start : start + batch]
            ids = [face for face, _ in part]
            places = [place for _, place in part]
            yield _encode, encoder, ids, catalogue.packed_faces(ids), places, details is not None

    done = 0
    for ids, vectors, cells in in_order(pool, jobs, calls(), waiting=jobs):
        if details is not None:
            with details.transaction():
                details.describe(
                    (ids[at], key_of(kept_vector(vectors[at])), one) for at, one in cells.items()
                )
        with catalogue.transaction():
            catalogue.put_raw_vectors(ids, vectors)
        done += len(ids)
        if progress is not None:
            progress(STEP, done, len(due))
    return done


def _encode(
    encoder: Encoder,
    ids: Sequence[int],
    packed: Sequence[PackedFace],
    places: Sequence[Floats | None],
    describe: bool,
) -> tuple[Sequence[int], Vectors, dict[int, bytes]]:
    """The vectors of faces, and, with ``describe``, the packed descriptors of those on frames by
    their position."""
    found = encoder.describe([unpack_face(each) for each in packed], places, fill=True)
    on_frame = [at for at, place in enumerate(places) if place is not None] if describe else []
    cells = dense.packed(dense.quantised(found.descriptors[on_frame], found.reliability[on_frame]))
    return ids, found.vectors, dict(zip(on_frame, cells, strict=True))


def take_off_shared(catalogue: Catalogue) -> None:
    """Take what faces of a type share off every new face's vector: it competes with those that were
    on its frame when the frame was made, which are chosen once and kept."""
    with catalogue.transaction():
        for side in SIDES:
            _choose_competitors(catalogue, side)
            _take_off_shared(catalogue, side)


def vectors_on_frame(catalogue: Catalogue, side: Side, frame: int) -> tuple[Ints, Vectors]:
    """Ids ``(n,)`` in their order and unit vectors ``(n, dimension)`` of the present faces on a
    frame, what they share taken off; for the time being, where that has not been done yet."""
    radius = _radius(catalogue)
    on_frame = catalogue.vectors_on_frame(side, frame)
    competing = catalogue.competitors(side).get(frame)
    if competing is None:
        competing = competitors_of(on_frame.raw)
    vectors = [
        less_shared(own, competing, radius) if known is None else known
        for own, known in zip(on_frame.raw, on_frame.vectors, strict=True)
    ]
    return on_frame.ids, np.stack(vectors) if vectors else on_frame.raw


def _radius(catalogue: Catalogue) -> float:
    """Distance within which faces count as of one type, 0…2."""
    return float(catalogue.meta("type_radius") or 0)


def _choose_competitors(catalogue: Catalogue, side: Side) -> None:
    """Those of new frames, for good."""
    known = catalogue.competitors(side)
    for frame in catalogue.frame_numbers(side):
        if frame not in known:
            raw = catalogue.vectors_on_frame(side, frame).raw
            if len(raw):
                catalogue.put_competitors(side, frame, competitors_of(raw))


def _take_off_shared(catalogue: Catalogue, side: Side) -> None:
    known, radius = catalogue.competitors(side), _radius(catalogue)
    for face, frame, raw in catalogue.faces_without_vector(side):
        on_frame = None if frame is None else known.get(frame)
        vector = raw if on_frame is None else less_shared(raw, on_frame, radius)
        catalogue.put_vector(face, vector)
