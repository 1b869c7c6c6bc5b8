"""Which pairs of an index are judged: its shortlist, and what verification wants besides."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dieindex.records import Flags, Side
from dieindex.storage.catalogue import Catalogue, FaceRows
from dieindex.storage.descriptors import DetailStore
from dieindex.storage.nearest import load_vectors
from dieindex.verification import candidates as shortlist
from dieindex.verification.candidates import Shortlist


def listed_pairs(
    folder: Path, side: Side, rows: FaceRows, radius: float, *, to_look: bool
) -> tuple[Shortlist, Flags]:
    """The pairs of the faces ``rows``, and which of them ``(m,)`` were listed whatever their
    distance.

    Of a small collection all; of a larger the nearest within ``radius`` (0…2), and where they are
    looked at (``to_look``) some at random, from which it is read how different dies lie, and those
    that were looked at before.
    """
    if len(rows) <= shortlist.ALL_PAIRS_UP_TO:
        listed = shortlist.all_pairs(rows.vectors)
        return listed, np.ones(len(listed.first), bool)
    with Catalogue.open(folder) as catalogue:
        vectors = load_vectors(folder, catalogue, side)
    listed = shortlist.nearest_pairs(rows, vectors, shortlist.NEAREST, radius)
    if not to_look:
        return listed, np.zeros(len(listed.first), bool)
    with DetailStore.open(folder) as store:
        known = np.searchsorted(rows.ids, store.judged_pairs(rows.ids))
    drawn = shortlist.sampled_pairs(rows)
    first, second = np.concatenate([known, drawn], axis=1)
    listed = shortlist.with_pairs(listed, first, second, rows.vectors)
    keys = listed.first * len(rows) + listed.second
    return listed, np.isin(keys, drawn[0] * len(rows) + drawn[1])
