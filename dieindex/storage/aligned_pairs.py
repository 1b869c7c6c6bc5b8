"""Local features of faces, and the pairs that were aligned to each other by them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dieindex.records import Floats, Ints
from dieindex.storage.checksums import ChecksumTable, checksum, checksum_of_rows
from dieindex.storage.faces import matrix_of


@dataclass(frozen=True, eq=False)
class StartRow:
    """A pair that is to be aligned: ids of faces, and where ``moved`` begins on ``fixed``'s frame,
    ``(3, 3)``."""

    fixed: int
    moved: int
    start: Floats


@dataclass(frozen=True, eq=False)
class AlignedRow:
    """A pair that was: ``place`` ``(3, 3)`` of ``moved`` on ``fixed``'s frame; what the comparator
    said there, and the distance of the vectors."""

    fixed: int
    moved: int
    place: Floats
    logit: float
    shared: float
    distance: float


class AlignedPairTable(ChecksumTable):
    """The local features and aligned pairs of an open ``details.sqlite``."""

    def feature_keys(self) -> dict[int, bytes]:
        """The key (as that of descriptors) of every face whose features are kept."""
        return dict(self.rows("SELECT face, key FROM local_features"))

    def put_features(self, faces: Iterable[tuple[int, bytes, bytes]]) -> None:
        """Keep features that were not: id, key, features as bytes."""
        given = list(faces)
        self.write_many("INSERT INTO local_features VALUES (?, ?, ?, 0)", given)
        self.put_checksums("features", ((f, checksum(key, kept)) for f, key, kept in given))

    def features_of(self, face: int) -> bytes:
        """A face's features; none where they are not kept."""
        rows = self.rows("SELECT key, features FROM local_features WHERE face = ?", (int(face),))
        if not rows:
            return b""
        key, features = rows[0]
        self.check("features", face, checksum(key, features))
        kept: bytes = features
        return kept

    def sought(self) -> set[int]:
        """The faces that have been sought on all others."""
        return {face for (face,) in self.rows("SELECT face FROM local_features WHERE sought")}

    def put_starts(self, faces: Iterable[int], starts: Iterable[StartRow]) -> None:
        """Note that these faces were sought, and which pairs are to be aligned; those known before
        stay as they are."""
        given = list(starts)
        self.write_many(
            "UPDATE local_features SET sought = 1 WHERE face = ?", [(int(face),) for face in faces]
        )
        self.write_many(
            "INSERT OR IGNORE INTO aligned_pairs (first, second, fixed, start) VALUES (?, ?, ?, ?)",
            [
                (*sorted((one.fixed, one.moved)), one.fixed, one.start.astype("<f8").tobytes())
                for one in given
            ],
        )
        self._sum_aligned({min(one.fixed, one.moved) for one in given})

    def starts_due(self) -> list[StartRow]:
        """The pairs that are still to be aligned."""
        self._check_aligned()
        rows = self.rows(
            "SELECT fixed, first + second - fixed, start FROM aligned_pairs WHERE logit IS NULL"
            " ORDER BY first, second"
        )
        return [StartRow(fixed, moved, matrix_of(start)) for fixed, moved, start in rows]

    def remove_starts(self, starts: Iterable[StartRow]) -> None:
        """Take out pairs that need not be aligned after all."""
        pairs = [tuple(sorted((one.fixed, one.moved))) for one in starts]
        self.write_many(
            "DELETE FROM aligned_pairs WHERE first = ? AND second = ? AND logit IS NULL", pairs
        )
        self._sum_aligned({first for first, _ in pairs})

    def put_aligned(self, rows: Iterable[AlignedRow]) -> None:
        """Keep what was found of pairs."""
        given = list(rows)
        self.write_many(
            "UPDATE aligned_pairs SET place = ?, logit = ?, shared = ?, distance = ?"
            " WHERE first = ? AND second = ?",
            [
                (
                    one.place.astype("<f8").tobytes(),
                    one.logit,
                    one.shared,
                    one.distance,
                    *sorted((one.fixed, one.moved)),
                )
                for one in given
            ],
        )
        self._sum_aligned({min(one.fixed, one.moved) for one in given})

    def aligned_pairs(self, faces: Ints) -> list[AlignedRow]:
        """The aligned pairs among these faces (ids in rising order)."""
        known = set(faces.tolist())
        self._check_aligned(known)
        columns = "fixed, first + second - fixed, place, logit, shared, distance"
        return [
            AlignedRow(fixed, moved, matrix_of(place), *told)
            for fixed, moved, place, *told in self.rows_of_faces("aligned_pairs", columns, faces)
            if place is not None and fixed in known and moved in known
        ]

    def remove_features(self, faces: Sequence[int]) -> None:
        """Take out the features of these faces, and every aligned pair of theirs."""
        rows = [(int(face),) for face in faces]
        query = "SELECT first FROM aligned_pairs WHERE "
        changed = {
            first
            for row in rows
            for column in ("first", "second")
            for (first,) in self.rows(f"{query}{column} = ?", row)
        }
        self.write_many("DELETE FROM local_features WHERE face = ?", rows)
        self.write_many("DELETE FROM aligned_pairs WHERE first = ?", rows)
        self.write_many("DELETE FROM aligned_pairs WHERE second = ?", rows)
        self._sum_aligned(changed)

    def _check_aligned(self, first: Collection[int] | None = None) -> None:
        """Raise IndexFolderError where a pair of these faces is not what was kept; None: any."""
        known = self.checksums("aligned")
        checked = [face for face in known if first is None or face in first]
        if {face: known[face] for face in checked} != self._aligned_sums(checked):
            raise self.damaged()

    def _sum_aligned(self, first: Iterable[int]) -> None:
        self.put_checksums("aligned", self._aligned_sums(first).items())

    def _aligned_sums(self, first: Iterable[int]) -> dict[int, int]:
        query = "SELECT * FROM aligned_pairs WHERE first = ? ORDER BY second"
        return {face: checksum_of_rows(self.rows(query, (face,))) for face in first}

    def remove_other_features(self, keys: Mapping[int, bytes], among: Iterable[int]) -> None:
        """Take out, of the faces ``among``, those that are not there with this key."""
        known = self.feature_keys()
        self.remove_features([f for f in among if f in known and known[f] != keys.get(f)])


def positions(rows: Sequence[AlignedRow], faces: Ints) -> tuple[Ints, Ints]:
    """Where the faces of pairs stand in a list of ids in rising order: ``first < second``."""
    ids = np.array([sorted((one.fixed, one.moved)) for one in rows], np.int64).reshape(-1, 2)
    first, second = np.searchsorted(faces, ids.T)
    return first, second
