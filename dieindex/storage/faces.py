"""The faces of an index: what was cut, where each lies, and its vectors.

"Present" faces are those of photographs that are there; all results are about them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dieindex.errors import IndexFolderError
from dieindex.records import Circle, Flags, Flan, Floats, Ints, Mask, Picture, Side, Vectors
from dieindex.storage.database import Database
from dieindex.storage.descriptors import key_of
from dieindex.storage.face_codec import PackedFace, unpack_picture


@dataclass(frozen=True, eq=False)
class FaceRows:
    """Faces of one side as columns, in the order of their ids.

    ``ids`` ``(n,)`` int64; ``radius`` ``(n,)`` pixels; ``sure`` and ``aligned`` ``(n,)`` bool;
    ``frame`` ``(n,)`` int64, −1 where not aligned; ``unaligned`` says why not, by position;
    ``vectors`` ``(n, dimension)`` float32 of unit length, less what their types share.
    """

    ids: Ints
    coins: list[str]
    files: list[str]
    radius: Floats
    sure: Flags
    aligned: Flags
    frame: Ints
    unaligned: list[str | None]
    vectors: Vectors

    def __len__(self) -> int:
        return len(self.coins)

    def take(self, positions: npt.NDArray[np.integer] | Flags) -> FaceRows:
        """The faces at these positions, in this order."""
        return FaceRows(
            ids=self.ids[positions],
            coins=[self.coins[i] for i in positions],
            files=[self.files[i] for i in positions],
            radius=self.radius[positions],
            sure=self.sure[positions],
            aligned=self.aligned[positions],
            frame=self.frame[positions],
            unaligned=[self.unaligned[i] for i in positions],
            vectors=self.vectors[positions],
        )


@dataclass(frozen=True, eq=False)
class PlacedFace:
    """Where a present face lies: ``frame`` is None where on none; ``confidence`` 0…1 of alignment."""

    id: int
    file: str
    coin: str
    frame: int | None
    to_frame: Floats | None
    confidence: float


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


class FaceTable(Database):
    """The faces in an open catalogue."""

    # what results are made of

    def face_rows(self, side: Side) -> FaceRows:
        """The present faces of one side that have a vector."""
        rows = self.rows(
            "SELECT id, coin, file, radius, sure, aligned, frame, unaligned_reason, vector"
            " FROM present_faces WHERE side = ? AND vector IS NOT NULL ORDER BY id",
            (side,),
        )
        vectors = np.frombuffer(b"".join(row[8] for row in rows), dtype="<f4")
        return FaceRows(
            ids=np.array([row[0] for row in rows], dtype=np.int64),
            coins=[row[1] for row in rows],
            files=[row[2] for row in rows],
            radius=np.array([row[3] for row in rows], dtype=np.float64),
            sure=np.array([row[4] for row in rows], dtype=bool),
            aligned=np.array([row[5] for row in rows], dtype=bool),
            frame=np.array([-1 if row[6] is None else row[6] for row in rows], dtype=np.int64),
            unaligned=[row[7] for row in rows],
            vectors=vectors.reshape(len(rows), -1).astype(np.float32, copy=False)
            if rows
            else np.zeros((0, 0), dtype=np.float32),
        )

    def face_counts(self) -> dict[Side, int]:
        """How many present faces each side has that has any."""
        return dict(self.rows("SELECT side, count(*) FROM present_faces GROUP BY side"))

    def coin_count(self) -> int:
        """How many coins have a present face."""
        return int(self.value("SELECT count(DISTINCT coin) FROM present_faces"))

    def unsure_count(self) -> int:
        """How many present faces' flans were not found for sure."""
        return int(self.value("SELECT count(*) FROM present_faces WHERE NOT sure"))

    def aligned_count(self, side: Side) -> int:
        """How many present faces of a side lie on a frame."""
        return int(
            self.value("SELECT count(*) FROM present_faces WHERE side = ? AND aligned", (side,))
        )

    def unaligned_reasons(self, side: Side) -> dict[str, int]:
        """How many present faces of a side lie on no frame, by the reason, the commonest first."""
        rows = self.rows(
            "SELECT unaligned_reason, count(*) AS n FROM present_faces"
            " WHERE side = ? AND NOT aligned AND raw IS NOT NULL GROUP BY unaligned_reason"
            " ORDER BY n DESC, unaligned_reason",
            (side,),
        )
        return dict(rows)

    def face_identities(self) -> Iterator[tuple[object, ...]]:
        """What makes each present face and its vector what they are, by id: id, side, digest of
        what it was cut from, frame, vector."""
        yield from self.rows(
            "SELECT id, side, sha256 || hints, frame, vector FROM present_faces ORDER BY id"
        )

    def faces_per_frame(self, side: Side) -> dict[int, int]:
        """How many present faces lie on each frame of a side that has any."""
        return dict(
            self.rows(
                "SELECT frame, count(*) FROM present_faces"
                " WHERE side = ? AND frame IS NOT NULL GROUP BY frame",
                (side,),
            )
        )

    # pictures and places

    def packed_faces(self, ids: Iterable[int]) -> list[PackedFace]:
        """Faces as they are kept, in the order of ``ids``. Raises IndexFolderError where one is
        not there."""
        found = []
        for face in ids:
            rows = self.rows(
                "SELECT f.side, f.x, f.y, f.radius, f.confidence, f.sure, f.flan_reason,"
                " f.rotation, p.jpeg, p.mask"
                " FROM faces f JOIN pictures p ON p.face = f.id WHERE f.id = ?",
                (int(face),),
            )
            if not rows:
                raise self._missing(face)
            side, x, y, radius, confidence, sure, reason, rotation, jpeg, mask = rows[0]
            flan = Flan(Circle(x, y, radius), confidence, bool(sure), reason)
            found.append(PackedFace(side, flan, rotation, jpeg, mask))
        return found

    def picture_of(self, face: int, *, half: bool = False) -> tuple[Picture, Mask]:
        """A face's picture and mask, perhaps at ``half`` their size. Raises IndexFolderError where
        they are missing or damaged."""
        rows = self.rows("SELECT jpeg, mask FROM pictures WHERE face = ?", (int(face),))
        if not rows:
            raise self._missing(face)
        return unpack_picture(*rows[0], half=half)

    def _missing(self, face: int) -> IndexFolderError:
        return IndexFolderError(
            f"{self.path}: the picture of face {face} is missing; {self.remedy(self.path)}"
        )

    def place_of(self, face: int) -> Floats | None:
        """``(3, 3)``: pixels of a face to pixels of its frame; None where it lies on none."""
        stored = self.value("SELECT to_frame FROM faces WHERE id = ? AND aligned", (int(face),))
        return None if stored is None else _matrix(stored)

    def places(self, ids: Iterable[int]) -> dict[int, Floats]:
        """Where faces on frames lie (``place_of``), by id."""
        query = "SELECT to_frame FROM faces WHERE id = ?"
        return {face: _matrix(self.value(query, (int(face),))) for face in ids}

    def placed_faces(self, side: Side) -> list[PlacedFace]:
        """The present faces of a side, by id."""
        return [
            PlacedFace(
                face, file, coin, frame, None if place is None else _matrix(place), confidence
            )
            for face, file, coin, frame, place, confidence in self.rows(
                "SELECT id, file, coin, frame, to_frame, alignment_confidence FROM present_faces"
                " WHERE side = ? ORDER BY id",
                (side,),
            )
        ]

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

    # vectors

    def faces_to_encode(self) -> list[tuple[int, Floats | None]]:
        """Present faces without a vector of the network: id, and its place (``place_of``)."""
        return [
            (face, _matrix(place) if aligned else None)
            for face, aligned, place in self.rows(
                "SELECT id, aligned, to_frame FROM present_faces WHERE raw IS NULL ORDER BY id"
            )
        ]

    def put_raw_vectors(self, ids: Sequence[int], vectors: Vectors) -> None:
        """Keep the network's vectors ``(n, dimension)``."""
        self.write_many(
            "UPDATE faces SET raw = ? WHERE id = ?",
            [
                (np.asarray(vector, "<f4").tobytes(), int(face))
                for face, vector in zip(ids, vectors, strict=True)
            ],
        )

    def vectors_on_frame(self, side: Side, frame: int, dimension: int) -> FrameVectors:
        """The present faces on a frame that the network has seen, by id."""
        rows = self.rows(
            "SELECT id, raw, vector FROM present_faces"
            " WHERE side = ? AND frame = ? AND raw IS NOT NULL ORDER BY id",
            (side, frame),
        )
        raw = np.frombuffer(b"".join(row[1] for row in rows), "<f4")
        return FrameVectors(
            np.array([row[0] for row in rows], np.int64),
            raw.reshape(len(rows), dimension),
            [None if row[2] is None else np.frombuffer(row[2], "<f4") for row in rows],
        )

    def faces_without_vector(self, side: Side) -> list[tuple[int, int | None, Vectors]]:
        """Present faces whose type's share is not taken off yet: id, frame, raw ``(dimension,)``."""
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
        self.write("UPDATE faces SET vector = ? WHERE id = ?", (vector.astype("<f4").tobytes(), face))

    def forget_vectors(self) -> None:
        """Make every face due to be encoded anew where alignment laid it, and to be refined."""
        self.write(
            "UPDATE faces SET to_frame = coalesce(aligned_to_frame, to_frame), refined_steps = 0,"
            " next_to_frame = NULL, raw = NULL, vector = NULL"
        )
        self.write("UPDATE frames SET competitors = NULL")

    def descriptor_keys(self, *, present: bool = False) -> dict[int, bytes]:
        """The keys that the descriptors of all faces on frames must have, by id; with ``present``
        of those alone whose photographs are still there."""
        table = "present_faces" if present else "faces"
        rows = self.rows(f"SELECT id, raw FROM {table} WHERE aligned AND raw IS NOT NULL")
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


def _matrix(stored: bytes) -> Floats:
    """``(3, 3)`` from a catalogue's nine numbers."""
    return np.frombuffer(stored, "<f8").reshape(3, 3)
