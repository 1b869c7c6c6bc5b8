"""A photograph that is in no index, aligned to single coins of one: where it lies on no frame, or
seems of no die that lies there (see ``verification.pair_alignment``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from dieindex.api.placed_photo import PlacedPhoto
from dieindex.api.reader import IndexReader
from dieindex.api.verification import Verification
from dieindex.encoder.dense import DenseDescriptors, unpacked
from dieindex.records import Face, Floats, Ints, Matrix, Side, Vectors
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.details import DetailStore
from dieindex.storage.face_codec import unpack_face

if TYPE_CHECKING:
    from dieindex.alignment.feature_votes import Lies


@dataclass(frozen=True, eq=False)
class CoinsItLiesOn:
    """Coins that a face was aligned to: ``rows`` ``(m,)`` of the side's faces, and what each pair
    says ``(m,)``, likest first. ``frame`` and ``place`` are where the face lies on the frame of the
    first, where it was moved onto that coin; else the coin was moved onto it, and they are None."""

    rows: Ints
    score: Floats
    frame: int | None
    place: Matrix | None


def lies_on_coins(
    index: IndexReader,
    verification: Verification,
    face: Face,
    placed: PlacedPhoto | None,
    features: FeaturesOfSide,
    competitors: Callable[[int], Vectors | None],
    without: str | None,
) -> CoinsItLiesOn | None:
    """The coins on which a face lies elsewhere than its frame says (``placed``) by its local
    features; None where there are none, or where the index keeps no features.

    ``competitors`` gives what the vectors of a frame compete with; the coin ``without`` is left
    out. Aligned are as many coins as a build would align it to.
    """
    # (They load OpenCV.)
    from dieindex.verification.align_pairs import placed_faces
    from dieindex.verification.pair_alignment import (
        PlacedFace,
        aligned_scores,
        pair_starts,
        worth_aligning,
    )

    rows, shape = index.faces(face.side), verification.shape
    own, ids = len(rows), rows.ids.tolist()
    with Catalogue.open(index.folder) as catalogue, DetailStore.open(index.folder) as store:
        known = placed_faces(catalogue, face.side, rows.ids, np.where(rows.aligned, rows.frame, -1))
        known.append(
            PlacedFace(-1, None, 0.0)
            if placed is None
            else PlacedFace(placed.frame, placed.place, placed.confidence)
        )
        but = rows.coins.index(without) if without in rows.coins else None
        starts = pair_starts(own, features.lies_of(face, but), known, own + 1)

        @lru_cache(None)
        def face_of(row: int) -> Face:
            return face if row == own else unpack_face(catalogue.packed_faces([ids[row]])[0])

        @lru_cache(None)
        def described(row: int) -> DenseDescriptors | None:
            if row == own:
                return None if placed is None else placed.described
            cells = store.cells_of(ids[row])
            return None if cells is None else unpacked([cells], *shape)

        def place_of(row: int) -> Matrix:
            place = known[row].place
            assert place is not None
            return place

        def certain(row: int) -> DenseDescriptors:
            found = described(row)
            assert found is not None
            return found

        def vector(row: int) -> Vectors:
            if row == own:
                assert placed is not None
                return placed.vector
            return np.asarray(rows.vectors[row])

        starts = [one for one in starts if described(one.fixed) is not None]
        worth = worth_aligning(starts, face_of, known.__getitem__)
        starts = [one for one, kept in zip(starts, worth, strict=True) if kept]
        if not starts:
            return None
        found = aligned_scores(
            starts,
            face_of,
            place_of,
            certain,
            vector,
            lambda row: competitors(known[row].frame),
            verification.encoder,
            verification.scorer,
        )
    fusion = verification.fusion
    told = [one for one in found if one.shared >= fusion.least_shared]
    if not told:
        return None
    distance, logit = (np.array([getattr(one, k) for one in told]) for k in ("distance", "logit"))
    score = fusion.score(distance, logit)
    order = np.argsort(-score, kind="stable")
    best = told[int(order[0])]
    others = np.array([one.fixed if one.moved == own else one.moved for one in told])
    moved = best.moved == own
    return CoinsItLiesOn(
        others[order],
        score[order],
        known[best.fixed].frame if moved else None,
        best.place if moved else None,
    )


class FeaturesOfSide:
    """The local features that an index keeps of one side."""

    def __init__(self, index: IndexReader, side: Side) -> None:
        # (It loads OpenCV.)
        from dieindex.alignment.feature_votes import FeatureIndex
        from dieindex.alignment.local_features import LocalFeatures

        ids = index.faces(side).ids.tolist()
        with DetailStore.open(index.folder) as store:
            known = store.feature_keys()
            self._rows = [row for row, face in enumerate(ids) if face in known]
            kept = [LocalFeatures.from_bytes(store.features_of(ids[row])) for row in self._rows]
        self._search = FeatureIndex(kept, few=True)

    def lies_of(self, face: Face, without: int | None) -> list[Lies]:
        """Where a face lies on others, by their rows, most agreeing first; that ``without`` is left
        out."""
        from dieindex.alignment.local_features import local_features

        at = None if without is None or without not in self._rows else self._rows.index(without)
        found = self._search.lies_of(local_features(face), at)
        return [replace(one, other=self._rows[one.other]) for one in found]
