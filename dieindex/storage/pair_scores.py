"""What the comparator said of pairs of faces, each unordered pair once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dieindex.records import Flags, Floats, Ints
from dieindex.storage.database import Database


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


class PairScoreTable(Database):
    """The pair scores of an open ``details.sqlite``."""

    def pair_scores(self, faces: Ints) -> PairScoreRows:
        """What is known of the pairs among these faces (ids in rising order)."""
        rows = self.rows(
            "SELECT first, second, logit, shared FROM pair_scores WHERE first BETWEEN ? AND ?"
            " ORDER BY first, second",
            _span(faces),
        )
        first, second = (np.array([row[at] for row in rows], np.int64) for at in (0, 1))
        logit, shared = (np.array([row[at] for row in rows], np.float64) for at in (2, 3))
        kept = np.isin(first, faces) & np.isin(second, faces)
        return PairScoreRows(first[kept], second[kept], logit[kept], shared[kept])

    def scored_pairs(self, faces: Ints) -> Ints:
        """Which pairs among these faces (ids in rising order) were scored: ids ``(2, m)``."""
        rows = self.rows(
            "SELECT first, second FROM pair_scores WHERE first BETWEEN ? AND ?", _span(faces)
        )
        pairs = np.array(rows, np.int64).reshape(-1, 2).T
        return pairs[:, np.isin(pairs, faces).all(0)]

    def put_pair_scores(self, rows: PairScoreRows) -> None:
        """Keep what was found of pairs."""
        columns = (each.tolist() for each in (rows.first, rows.second, rows.logit, rows.shared))
        self.write_many(
            "INSERT OR REPLACE INTO pair_scores VALUES (?, ?, ?, ?)", zip(*columns, strict=True)
        )

    def remove_pair_scores(self, faces: Sequence[int]) -> None:
        """Take out every pair of these faces."""
        rows = [(face,) for face in faces]
        self.write_many("DELETE FROM pair_scores WHERE first = ?", rows)
        self.write_many("DELETE FROM pair_scores WHERE second = ?", rows)


def _span(faces: Ints) -> tuple[int, int]:
    return (int(faces[0]), int(faces[-1])) if len(faces) else (1, 0)
