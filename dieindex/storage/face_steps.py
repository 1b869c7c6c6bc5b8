"""What the steps of a build ask of faces and tell of them: alignment, vectors, refinement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dieindex.records import Floats, Ints, Side, Vectors
from dieindex.storage.descriptors import kept_vector, key_of
from dieindex.storage.faces import matrix_of
from dieindex.storage.settings import SettingTable


@dataclass(frozen=True, eq=False)
class AlignedFace:
    """What alignment found of a face: ``frame`` is None, with a ``reason``, where it lies on none;
    ``to_frame`` ``(3, 3)`` maps pixels of the face to pixels of the frame."""

    id: int
    frame: int | None
    to_frame: Floats
    confidence: float
    reason: str | None


@dataclass(frozen=True, eq=False)
class FrameVectors:
    """The present faces on one frame: ``ids`` ``(n,)``, the network's own vectors ``raw``
    ``(n, dimension)``, and ``vectors``, less what the type shares, None where not known yet."""

    ids: Ints
    raw: Vectors
    vectors: list[Vectors | None]


class FaceStepTable(SettingTable):
    """The faces in an open catalogue, as the steps of a build see them."""

    # alignment

    def faces_to_try(self, side: Side, frames: int) -> list[tuple[int, int]]:
        """Present faces on no frame that were not tried on all ``frames`` of the side: id, and on
        how many they were."""
        return self._pairs(
            "SELECT id, frames_tried FROM present_faces"
            " WHERE side = ? AND NOT aligned AND frames_tried < ? ORDER BY id",
            (side, frames),
        )

    def unaligned_faces(self, side: Side) -> list[tuple[int, bool]]:
        """Present faces on no frame: id, and whether types were looked for among them."""
        rows = self._pairs(
            "SELECT id, searched FROM present_faces WHERE side = ? AND NOT aligned ORDER BY id",
            (side,),
        )
        return [(face, bool(searched)) for face, searched in rows]

    def put_alignments(
        self, faces: Iterable[AlignedFace], *, frames_tried: int, searched: bool
    ) -> None:
        """Keep what alignment found of faces tried on ``frames_tried`` frames."""
        for face in faces:
            aligned = face.frame is not None
            place = np.asarray(face.to_frame, "<f8").tobytes()
            self.write(
                "UPDATE faces SET frames_tried = ?, searched = max(searched, ?), aligned = ?,"
                " frame = ?, to_frame = ?, aligned_to_frame = ?, alignment_confidence = ?,"
                " unaligned_reason = ? WHERE id = ?",
                (
                    frames_tried,
                    int(searched),
                    int(aligned),
                    face.frame,
                    place,
                    place,
                    float(face.confidence),
                    None if aligned else face.reason,
                    face.id,
                ),
            )
            # Its vector, if it has one, was that of a face that lies on no frame.
            if aligned:
                self.write("UPDATE faces SET raw = NULL, vector = NULL WHERE id = ?", (face.id,))

    def mark_searched(self, side: Side, reason: str) -> None:
        """All faces of a side on no frame count as searched; those without a reason get one."""
        self.write(
            "UPDATE faces SET searched = 1, unaligned_reason = coalesce(unaligned_reason, ?)"
            " WHERE side = ? AND NOT aligned",
            (reason, side),
        )

    def forget_alignment(self) -> None:
        """Make every face due to be aligned and encoded anew."""
        self.write("DELETE FROM frames")
        self.write(
            "UPDATE faces SET frames_tried = 0, searched = 0, aligned = 0, frame = NULL,"
            " to_frame = NULL, aligned_to_frame = NULL, refined_steps = 0, next_to_frame = NULL,"
            " alignment_confidence = 0, unaligned_reason = NULL, raw = NULL, vector = NULL"
        )

    def number_faces_anew(self) -> None:
        """Give all faces new ids, in the order of their photographs: the order in which a build
        from nothing would number them."""
        self.write("PRAGMA defer_foreign_keys = ON")
        order = [row[0] for row in self.rows("SELECT id FROM faces ORDER BY photograph, side, id")]
        first = max(order, default=0) + 1
        pairs = [(first + place, face) for place, face in enumerate(order)]
        self.write_many("UPDATE faces SET id = ? WHERE id = ?", pairs)
        self.write_many("UPDATE pictures SET face = ? WHERE face = ?", pairs)
        self.renumber_pictures(pairs)
        last = first + len(order) - 1
        self.write("UPDATE sqlite_sequence SET seq = ? WHERE name = 'faces'", (last,))

    # vectors

    def faces_to_encode(self) -> list[tuple[int, Floats | None]]:
        """Present faces without a vector of the network: id, and its place (``place_of``)."""
        return [
            (face, matrix_of(place) if aligned else None)
            for face, aligned, place in self.rows(
                "SELECT id, aligned, to_frame FROM present_faces WHERE raw IS NULL ORDER BY id"
            )
        ]

    def put_raw_vectors(self, ids: Sequence[int], vectors: Vectors) -> None:
        """Keep the network's vectors ``(n, dimension)``."""
        self.write_many(
            "UPDATE faces SET raw = ? WHERE id = ?",
            [(kept_vector(raw), int(face)) for face, raw in zip(ids, vectors, strict=True)],
        )

    def vectors_on_frame(self, side: Side, frame: int) -> FrameVectors:
        """The present faces on a frame that the network has seen, by id."""
        rows = self.rows(
            "SELECT id, raw, vector FROM present_faces"
            " WHERE side = ? AND frame = ? AND raw IS NOT NULL ORDER BY id",
            (side, frame),
        )
        raw = np.frombuffer(b"".join(row[1] for row in rows), "<f4")
        return FrameVectors(
            np.array([row[0] for row in rows], np.int64),
            raw.reshape(len(rows), self.dimension()),
            [None if row[2] is None else np.frombuffer(row[2], "<f4") for row in rows],
        )

    def faces_without_vector(self, side: Side) -> list[tuple[int, int | None, Vectors]]:
        """Present faces of which what their type shares is not taken off yet: id, frame, the
        network's vector ``(dimension,)``."""
        return [
            (face, frame, np.frombuffer(raw, "<f4"))
            for face, frame, raw in self.rows(
                "SELECT id, frame, raw FROM present_faces"
                " WHERE side = ? AND raw IS NOT NULL AND vector IS NULL",
                (side,),
            )
        ]

    def put_vector(self, face: int, vector: Vectors) -> None:
        """Keep a face's vector ``(dimension,)``, less what its type shares."""
        kept = vector.astype("<f4").tobytes()
        self.write("UPDATE faces SET vector = ? WHERE id = ?", (kept, face))

    def forget_vectors(self) -> None:
        """Make every face due to be encoded anew where it was first aligned, and to be refined."""
        self.write(
            "UPDATE faces SET to_frame = coalesce(aligned_to_frame, to_frame), refined_steps = 0,"
            " next_to_frame = NULL, raw = NULL, vector = NULL"
        )
        self.write("UPDATE frames SET competitors = NULL")

    def forget_changed_vectors(self, faces: Iterable[int | str]) -> None:
        """Make these faces due to be encoded anew where they lie, and what their types share to be
        taken off every face's vector anew."""
        self.write_many("UPDATE faces SET raw = NULL WHERE id = ?", [(face,) for face in faces])
        self.write("UPDATE faces SET vector = NULL")

    def descriptor_keys(self, *, present: bool = False) -> dict[int, bytes]:
        """The keys that the descriptors of all faces on frames must have, by id; with ``present``
        of those alone whose photographs are still there."""
        table = "present_faces" if present else "faces"
        rows = self.rows(f"SELECT id, raw FROM {table} WHERE aligned AND raw IS NOT NULL")
        return {face: key_of(raw) for face, raw in rows}

    def vector_keys(self, side: Side) -> dict[int, bytes]:
        """The same of every present face of a side that the network has seen, on a frame or not."""
        rows = self.rows(
            "SELECT id, raw FROM present_faces WHERE side = ? AND raw IS NOT NULL", (side,)
        )
        return {face: key_of(raw) for face, raw in rows}

    # refinement

    def refinement_left(self, side: Side, steps: int) -> int:
        """Steps that the present faces of a side still have to go, of ``steps`` each."""
        return int(
            self.value(
                "SELECT coalesce(sum(? - refined_steps - (next_to_frame IS NOT NULL)), 0)"
                " FROM present_faces WHERE side = ? AND aligned AND refined_steps < ?",
                (steps, side, steps),
            )
        )

    def faces_to_refine(self, side: Side, steps: int) -> list[tuple[int, int, int]]:
        """Present faces on frames that have not gone all ``steps``: id, frame, steps gone."""
        rows = self.rows(
            "SELECT id, frame, refined_steps FROM present_faces"
            " WHERE side = ? AND aligned AND refined_steps < ? ORDER BY id",
            (side, steps),
        )
        return [(face, frame, gone) for face, frame, gone in rows]

    def waiting_for_step(self, side: Side, frame: int, step: int) -> set[int]:
        """Present faces on a frame of which a step of refinement has found nothing yet."""
        rows = self.rows(
            "SELECT id FROM present_faces"
            " WHERE side = ? AND frame = ? AND refined_steps = ? AND next_to_frame IS NULL",
            (side, frame, step),
        )
        return {row[0] for row in rows}

    def put_next_places(self, places: Mapping[int, npt.NDArray[np.floating]]) -> None:
        """Put aside where faces are to lie after the step of refinement in work."""
        self.write_many(
            "UPDATE faces SET next_to_frame = ? WHERE id = ?",
            [(np.asarray(place, "<f8").tobytes(), face) for face, place in places.items()],
        )

    def end_step(self, ids: Iterable[int], *, encode: bool) -> None:
        """Let faces move to where they are to lie, those without such a place stay; with
        ``encode`` they are due to be encoded anew."""
        changed = ", raw = NULL, vector = NULL" if encode else ""
        self.write_many(
            "UPDATE faces SET to_frame = coalesce(next_to_frame, to_frame),"
            f" next_to_frame = NULL, refined_steps = refined_steps + 1{changed} WHERE id = ?",
            [(face,) for face in ids],
        )

    def _pairs(self, query: str, values: Iterable[object]) -> list[tuple[int, int]]:
        return [(first, second) for first, second in self.rows(query, values)]
