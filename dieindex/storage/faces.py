"""The faces of an index: what was cut, where each lies, and its vectors.

"Present" faces are those of photographs that are there; all results are about them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dieindex.errors import IndexFolderError
from dieindex.records import Circle, Flags, Flan, Floats, Ints, Mask, Picture, Side, Vectors
from dieindex.storage.catalogue_rows import CatalogueRows
from dieindex.storage.database import Row
from dieindex.storage.face_codec import PackedFace, unpack_mask, unpack_picture


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

    def under(self, names: Mapping[str, str]) -> FaceRows:
        """The same, with the coins that have another name called by it."""
        return replace(self, coins=[names.get(coin, coin) for coin in self.coins])


@dataclass(frozen=True, eq=False)
class PlacedFace:
    """Where a present face lies: ``frame`` is None where on none, ``confidence`` 0…1 is that of
    its alignment."""

    id: int
    file: str
    coin: str
    frame: int | None
    to_frame: Floats | None
    confidence: float


@dataclass(frozen=True)
class ShownOn:
    """The photograph that shows a face: its file, coin, and the digest of its content."""

    file: str
    coin: str
    sha256: str


@dataclass(frozen=True)
class FaceOnPhotograph:
    """Where a face was found: the circle's middle and radius, pixels of the upright file; why it is
    not sure, and why it lies on no frame (None: it is; it does)."""

    id: int
    side: Side
    file: str
    coin: str
    x: float
    y: float
    radius: float
    rotation: float
    sure: bool
    reason: str | None
    unaligned: str | None


class FaceTable(CatalogueRows):
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

    def faces_on_photographs(self) -> list[FaceOnPhotograph]:
        """All present faces, by file and side."""
        return [
            FaceOnPhotograph(*row)
            for row in self.rows(
                "SELECT id, side, file, coin, x, y, radius, rotation, sure, flan_reason,"
                " CASE WHEN aligned THEN NULL ELSE coalesce(unaligned_reason, '') END"
                " FROM present_faces ORDER BY file, side"
            )
        ]

    def face_counts(self) -> dict[Side, int]:
        """How many present faces each side has that has any."""
        return dict(self.rows("SELECT side, count(*) FROM present_faces GROUP BY side"))

    def photographs_of_faces(self, faces: Iterable[int]) -> dict[int, ShownOn]:
        """What those of these faces that are present are shown on."""
        query = "SELECT file, coin, sha256 FROM present_faces WHERE id = ?"
        found = {face: self.rows(query, (face,)) for face in set(faces)}
        return {face: ShownOn(*rows[0]) for face, rows in found.items() if rows}

    def largest_faces(self, coins: Iterable[str]) -> dict[str, float]:
        """The radius, pixels, of the largest face of each of these coins that is there; less than
        any of a face that was found for sure where none of it was."""
        found = {}
        for coin in coins:
            radius = self.value(
                "SELECT max(CASE WHEN sure THEN radius ELSE -1.0 / radius END) FROM present_faces"
                " WHERE coin = ?",
                (coin,),
            )
            if radius is not None:
                found[coin] = float(radius)
        return found

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

    def face_identities(self) -> Iterator[Row]:
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

    def packed_face(self, face: int) -> PackedFace:
        """A face as it is kept. Raises IndexFolderError where it is not there."""
        rows = self.rows(
            "SELECT f.side, f.x, f.y, f.radius, f.confidence, f.sure, f.flan_reason, f.rotation,"
            " p.jpeg, p.mask FROM faces f JOIN pictures p ON p.face = f.id WHERE f.id = ?",
            (int(face),),
        )
        if not rows:
            raise self._missing(face)
        self.check_picture(face)
        side, x, y, radius, confidence, sure, reason, rotation, jpeg, mask = rows[0]
        flan = Flan(Circle(x, y, radius), confidence, bool(sure), reason)
        return PackedFace(side, flan, rotation, jpeg, mask)

    def packed_faces(self, ids: Iterable[int]) -> list[PackedFace]:
        """Faces as they are kept, in the order of ``ids``."""
        return [self.packed_face(face) for face in ids]

    def picture_of(self, face: int, *, half: bool = False) -> tuple[Picture, Mask]:
        """A face's picture and mask, perhaps at ``half`` their size. Raises IndexFolderError where
        they are missing or damaged."""
        rows = self.rows("SELECT jpeg, mask FROM pictures WHERE face = ?", (int(face),))
        if not rows:
            raise self._missing(face)
        self.check_picture(face)
        return unpack_picture(*rows[0], half=half)

    def mask_of(self, face: int) -> Mask:
        """A face's mask. Raises as ``picture_of``."""
        rows = self.rows("SELECT mask FROM pictures WHERE face = ?", (int(face),))
        if not rows:
            raise self._missing(face)
        self.check_picture(face)
        return unpack_mask(rows[0][0])

    def _missing(self, face: int) -> IndexFolderError:
        return IndexFolderError(
            f"{self.path}: the picture of face {face} is missing; {self.remedy(self.path)}"
        )

    def place_of(self, face: int) -> Floats | None:
        """``(3, 3)``: pixels of a face to pixels of its frame; None where it lies on none."""
        stored = self.value("SELECT to_frame FROM faces WHERE id = ? AND aligned", (int(face),))
        return None if stored is None else matrix_of(stored)

    def places(self, ids: Iterable[int]) -> dict[int, Floats]:
        """Where faces on frames lie (``place_of``), by id."""
        query = "SELECT to_frame FROM faces WHERE id = ?"
        return {face: matrix_of(self.value(query, (int(face),))) for face in ids}

    def placed_faces(self, side: Side) -> list[PlacedFace]:
        """The present faces of a side, by id."""
        return [
            PlacedFace(
                face, file, coin, frame, None if place is None else matrix_of(place), confidence
            )
            for face, file, coin, frame, place, confidence in self.rows(
                "SELECT id, file, coin, frame, to_frame, alignment_confidence FROM present_faces"
                " WHERE side = ? ORDER BY id",
                (side,),
            )
        ]


def matrix_of(stored: bytes) -> Floats:
    """``(3, 3)`` from a catalogue's nine numbers."""
    return np.frombuffer(stored, "<f8").reshape(3, 3)
