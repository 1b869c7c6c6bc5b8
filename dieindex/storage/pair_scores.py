"""What the comparator said of pairs of faces, each unordered pair once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from dieindex.records import Flags, Floats, Ints
from dieindex.storage.checksums import ChecksumTable, checksum
from dieindex.storage.database import Row

_ALL = "first, second, logit, shared"


@dataclass(frozen=True, eq=False)
class PairScoreRows:
    """Pairs that were scored, by ``first`` and then ``second``; all arrays ``(m,)``.

    ``first < second`` are ids of faces, ``logit`` the comparator's log-odds of "same die" (not
    calibrated), ``shared`` 0…1 the part of the frame that both faces show.
    """

    first: Ints
    second: Ints
    logit: Floats
    shared: Floats

    def __len__(self) -> int:
        return len(self.first)

    def take(self, rows: Flags) -> PairScoreRows:
        """Some of the pairs."""
        return PairScoreRows(
            self.first[rows], self.second[rows], self.logit[rows], self.shared[rows]
        )


class PairScoreTable(ChecksumTable):
    """The pair scores of an open ``details.sqlite``."""

    def pair_scores(self, faces: Ints) -> PairScoreRows:
        """What is known of the pairs among these faces (ids in rising order). Raises
        IndexFolderError where it is not what was kept."""
        found, changed = self.checked_scores(faces)
        if changed:
            raise self.damaged()
        return found

    def checked_scores(self, faces: Ints) -> tuple[PairScoreRows, list[int]]:
        """The same, and the faces (first in their pairs) whose scores are not what was kept; these
        are left out."""
        found = _columns(self.rows_of_faces("pair_scores", _ALL, faces))
        changed = self._changed(found)
        kept = np.isin(found.first, faces) & np.isin(found.second, faces)
        kept &= ~np.isin(found.first, changed)
        return found.take(kept), changed

    def _changed(self, rows: PairScoreRows) -> list[int]:
        """(``rows`` hold all pairs of the faces that are first in them.)"""
        known = self.checksums("scores")
        return [face for face, value in _sums(rows).items() if known.get(face, value) != value]

    def scored_pairs(self, faces: Ints) -> Ints:
        """Which pairs among these faces (ids in rising order) were scored: ids ``(2, m)``."""
        rows = self.rows_of_faces("pair_scores", "first, second", faces)
        pairs = np.array(rows, np.int64).reshape(-1, 2).T
        return pairs[:, np.isin(pairs, faces).all(0)]

    def put_pair_scores(self, rows: PairScoreRows) -> None:
        """Keep what was found of pairs."""
        if not len(rows):
            return
        columns = (each.tolist() for each in (rows.first, rows.second, rows.logit, rows.shared))
        self.write_many(
            "INSERT OR REPLACE INTO pair_scores VALUES (?, ?, ?, ?)", zip(*columns, strict=True)
        )
        self._sum_scores(np.unique(rows.first).tolist())

    def remove_pair_scores(self, faces: Sequence[int]) -> None:
        """Take out every pair of these faces."""
        rows = [(face,) for face in faces]
        query = "SELECT first FROM pair_scores WHERE second = ?"
        others = {first for row in rows for (first,) in self.rows(query, row)}
        self.write_many("DELETE FROM pair_scores WHERE first = ?", rows)
        self.write_many("DELETE FROM pair_scores WHERE second = ?", rows)
        self._sum_scores(others)

    def forget_scores(self, first: Sequence[int]) -> None:
        """Take out every pair in which these faces are first."""
        rows = [(face,) for face in first]
        self.write_many("DELETE FROM pair_scores WHERE first = ?", rows)

    def _sum_scores(self, first: Iterable[int]) -> None:
        for face in first:
            rows = self.rows_of_faces("pair_scores", _ALL, np.array([face]))
            self.put_checksums("scores", _sums(_columns(rows)).items())


def _columns(rows: Sequence[Row]) -> PairScoreRows:
    first, second = (np.array([row[at] for row in rows], np.int64) for at in (0, 1))
    logit, shared = (np.array([row[at] for row in rows], np.float64) for at in (2, 3))
    return PairScoreRows(first, second, logit, shared)


def _sums(rows: PairScoreRows) -> dict[int, int]:
    """Checksums of the pairs of each face that is first in ``rows`` (in their order)."""
    faces, start = np.unique(rows.first, return_index=True)
    ends = np.append(start, len(rows))[1:].tolist()
    found = {}
    for face, begin, end in zip(faces.tolist(), start.tolist(), ends, strict=True):
        part = slice(begin, end)
        columns = (rows.second, rows.logit, rows.shared)
        found[face] = checksum(*(each[part].tobytes() for each in columns))
    return found
