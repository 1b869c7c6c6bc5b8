"""Laying a photograph that is in no index on the frames of one, as a build would lay it there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from dieindex.api.reader import IndexReader
from dieindex.encoder.competition import less_shared
from dieindex.encoder.dense import DenseDescriptors, quantised
from dieindex.encoder.encode import Encoder
from dieindex.encoder.neighbours import neighbours_of
from dieindex.records import SIDES, Face, Ints, Matrix, Side, Vectors
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.face_codec import unpack_face

if TYPE_CHECKING:
    from dieindex.alignment.frames import Frame
    from dieindex.alignment.result import Alignment


@dataclass(frozen=True, eq=False)
class PlacedPhoto:
    """A face that is in no index, as it lies on a frame of one."""

    face: Face
    frame: int
    place: Matrix
    vector: Vectors
    described: DenseDescriptors
    confidence: float = 1.0


class Placer:
    """The frames of an index, read once for many photographs. Two threads may ask it, each for
    another side."""

    def __init__(self, index: IndexReader, encoder: Encoder) -> None:
        self._index, self._encoder = index, encoder
        self._frames: dict[Side, list[Frame]] = {}
        self._competitors: dict[Side, Mapping[int, Vectors]] = {}

    def placed(self, face: Face, *, side_known: bool) -> tuple[PlacedPhoto | None, Alignment]:
        """The face on its frame, as a build would lay it there; None where it fits none. Where
        it is not known which side it is, both are tried."""
        best: tuple[Face, Alignment] | None = None
        for side in (face.side,) if side_known else SIDES:
            tried = replace(face, side=side)
            alignment = self._aligned(tried)
            if best is None or alignment.confidence > best[1].confidence:
                best = tried, alignment
        assert best is not None
        face, alignment = best
        if not alignment.aligned:
            return None, alignment
        return self._refined(face, alignment), alignment

    def _aligned(self, face: Face) -> Alignment:
        # (Alignment loads OpenCV.)
        from dieindex.alignment.align import align_to

        return align_to(
            self._frames_of(face.side),
            [face],
            any_rotation=self._any_rotation,
            vectorise=self._encoder.encode,
        )[0]

    def _refined(self, face: Face, alignment: Alignment) -> PlacedPhoto:
        from dieindex.alignment.refinement import STEPS, refine_step, that_count

        frame, place = alignment.type, np.asarray(alignment.to_frame)
        vector = self._vector(face, frame, self._encoder.encode([face], [place])[0])
        on_frame = self.rows_on_frame(face.side, frame)
        rows = self._index.faces(face.side)
        # (A reference may hold no pictures: what is left is where it was aligned.)
        told = self._index.reference
        without = told is not None and not told.pictures
        near = neighbours_of(np.vstack([rows.vectors[on_frame], vector[None]]), [len(on_frame)])
        if near and not without:
            around = [(int(rows.ids[on_frame[k]]), w) for k, w in that_count(near[len(on_frame)])]
            with Catalogue.open(self._index.folder) as catalogue:
                ids = [number for number, _ in around]
                faces = {
                    number: unpack_face(each)
                    for number, each in zip(ids, catalogue.packed_faces(ids), strict=True)
                }
                places: dict[int, Matrix] = dict(catalogue.places(ids))
            own = -1
            faces[own] = face
            mean = self._frames_of(face.side)[frame].mean()
            for step in range(STEPS):
                place = refine_step(step, faces, {**places, own: place}, {own: around}, mean)[own]
        return self.described(face, frame, place, alignment.confidence)

    def described(
        self, face: Face, frame: int, place: Matrix, confidence: float = 1.0
    ) -> PlacedPhoto:
        described = self._encoder.describe([face], [place])
        return PlacedPhoto(
            face,
            frame,
            place,
            self._vector(face, frame, described.vectors[0]),
            quantised(described.descriptors, described.reliability),
            confidence,
        )

    def _vector(self, face: Face, frame: int, raw: Vectors) -> Vectors:
        others = self.competing(face.side, frame)
        radius = self._encoder.card.type_radius
        return raw if others is None else less_shared(raw, others, radius)

    def competing(self, side: Side, frame: int) -> Vectors | None:
        """What the vectors of a frame compete with; None where it has too few."""
        if side not in self._competitors:
            with Catalogue.open(self._index.folder) as catalogue:
                self._competitors[side] = catalogue.competitors(side)
        return self._competitors[side].get(frame)

    def _frames_of(self, side: Side) -> list[Frame]:
        if side not in self._frames:
            with Catalogue.open(self._index.folder) as catalogue:
                self._frames[side] = catalogue.frames(side)
        return self._frames[side]

    @cached_property
    def _any_rotation(self) -> bool:
        with Catalogue.open(self._index.folder) as catalogue:
            return catalogue.meta("any_rotation") == "1"

    def rows_on_frame(self, side: Side, frame: int) -> Ints:
        """Rows of the faces on a frame."""
        rows = self._index.faces(side)
        return np.flatnonzero(rows.aligned & (rows.frame == frame))
