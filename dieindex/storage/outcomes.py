"""What clustering found of the parts of the graph, by their digests: only what changed since is
computed anew. Only a cache in the catalogue: emptying it loses nothing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from dieindex.records import Side
from dieindex.storage.catalogue import Catalogue

_MOST_KEPT = 8 << 20
"""Bytes of outcomes read at most: what is stored may have been tampered with."""
_TABLE = """
CREATE TABLE IF NOT EXISTS outcomes (
    side TEXT NOT NULL, digest BLOB NOT NULL, labels BLOB NOT NULL,
    PRIMARY KEY (side, digest)
) WITHOUT ROWID
"""


def stored_outcomes(catalogue: Catalogue, side: Side) -> dict[bytes, npt.NDArray[np.int32]]:
    """Labels of parts of the graph by digest."""
    if not catalogue.rows("SELECT 1 FROM sqlite_master WHERE name = 'outcomes'"):
        return {}
    rows = catalogue.rows("SELECT digest, labels FROM outcomes WHERE side = ?", (side,))
    if sum(len(labels) for _, labels in rows) > _MOST_KEPT:
        return {}
    return {
        bytes(digest): np.frombuffer(labels, np.int32)
        for digest, labels in rows
        if len(labels) % 4 == 0
    }


def keep_outcomes(
    catalogue: Catalogue, side: Side, outcomes: Mapping[bytes, npt.NDArray[np.int32]]
) -> None:
    """Replace what is kept; inside a transaction."""
    catalogue.write(_TABLE)
    catalogue.write("DELETE FROM outcomes WHERE side = ?", (side,))
    catalogue.write_many(
        "INSERT INTO outcomes VALUES (?, ?, ?)",
        [(side, digest, labels.astype(np.int32).tobytes()) for digest, labels in outcomes.items()],
    )
