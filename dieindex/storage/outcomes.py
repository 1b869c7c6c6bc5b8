"""What clustering found of the parts of the graph, by their digests: only what changed since is
computed anew. Only a cache: emptying it loses nothing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from dieindex.records import Side
from dieindex.storage.database import Database

Labels = npt.NDArray[np.int32]
_MOST_KEPT = 8 << 20
"""Bytes of outcomes read at most: what is stored may have been tampered with."""


class OutcomeTable(Database):
    """The outcomes of clustering in an open catalogue."""

    def outcomes(self, side: Side) -> dict[bytes, Labels]:
        """Labels of parts of the graph by digest."""
        rows = self.rows("SELECT digest, labels FROM outcomes WHERE side = ?", (side,))
        if sum(len(labels) for _, labels in rows) > _MOST_KEPT:
            return {}
        return {
            bytes(digest): np.frombuffer(labels, np.int32)
            for digest, labels in rows
            if len(labels) % 4 == 0
        }

    def put_outcomes(self, side: Side, outcomes: Mapping[bytes, Labels]) -> None:
        """Replace what is kept; inside a transaction."""
        self.write("DELETE FROM outcomes WHERE side = ?", (side,))
        self.write_many(
            "INSERT INTO outcomes VALUES (?, ?, ?)",
            [
                (side, digest, labels.astype(np.int32).tobytes())
                for digest, labels in outcomes.items()
            ],
        )
