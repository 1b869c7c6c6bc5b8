"""Two coins of an index as they lie on each other, where that is what counts of their pair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dieindex.api.reader import IndexReader
from dieindex.api.seen import ScoredPair, SeenFace, View, descriptors_of, on_frame
from dieindex.api.verification import Verification
from dieindex.numeric import unit_distance
from dieindex.records import SIDES, Face, Side
from dieindex.storage.aligned_pairs import AlignedRow
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.details import DetailStore
from dieindex.storage.face_codec import unpack_face
from dieindex.verification.score_pairs import forget_scores


def on_each_other(
    index: IndexReader, first: View, second: View
) -> tuple[View, View, dict[Side, ScoredPair]]:
    """Both coins, with faces where they were aligned to each other and score higher so, and what
    is known of them there. (What was not sought yet is not sought for one pair.)"""
    faces = dict(first.faces), dict(second.faces)
    known: dict[Side, ScoredPair] = {}
    for side in SIDES:
        if side not in faces[0] or side not in faces[1]:
            continue
        seen = faces[0][side], faces[1][side]
        row, scored = known_pair(index, *seen)
        if scored is not None:
            known[side] = scored
        if row is not None:
            moves = int(seen[1].number == row.moved)
            faces[moves][side] = _moved(index, seen[moves], row, seen[1 - moves].frame)
    return replace(first, faces=faces[0]), replace(second, faces=faces[1]), known


def known_pair(
    index: IndexReader, first: SeenFace, second: SeenFace
) -> tuple[AlignedRow | None, ScoredPair | None]:
    """The pair where it was aligned, if that counts, and what is known of it there or on its
    frames; None where it was not looked at."""
    verification = index.verification
    if first.number is None or second.number is None or verification is None:
        return None, None
    ids = np.array(sorted((first.number, second.number)))
    with DetailStore.open(index.folder) as store:
        rows = store.aligned_pairs(ids)
        scored, changed = store.checked_scores(ids)
        if changed:
            forget_scores(index.folder, store, changed)
    distance = float(unit_distance(first.vector @ second.vector))
    found = None
    if len(scored):
        found = ScoredPair(float(scored.logit[0]), float(scored.shared[0]), distance)
    elif changed:
        found = _scored_anew(verification, first, second, distance)
    least = verification.fusion.least_shared
    if not rows or rows[0].shared < least:
        return None, found
    there = ScoredPair(rows[0].logit, rows[0].shared, rows[0].distance)
    fused = verification.fusion.score
    if found is not None and found.shared >= least:
        told = (np.array([[each.distance], [each.logit]]) for each in (there, found))
        if np.less_equal(*(fused(*each) for each in told)).all():
            return None, found
    return rows[0], there


def _scored_anew(
    verification: Verification, first: SeenFace, second: SeenFace, distance: float
) -> ScoredPair | None:
    """What the comparator says of the pair on the frames; None where they lie on none together."""
    if first.unaligned or second.unaligned or first.frame != second.frame:
        return None
    one, other = first.descriptors(), second.descriptors()
    if one is None or other is None:
        return None
    return verification.score(one, other, distance)


def _moved(index: IndexReader, face: SeenFace, row: AlignedRow, frame: int) -> SeenFace:
    """The face of a pair that moved, where it lies on the other's frame."""

    def cut() -> Face:
        with Catalogue.open(index.folder) as catalogue:
            return unpack_face(catalogue.packed_face(row.moved))

    return replace(
        face,
        unaligned=None,
        rendered=lambda: on_frame(cut(), row.place),
        frame=frame,
        descriptors=lambda: descriptors_of(
            index.encoder().describe([cut()], [row.place], fill=True), 0
        ),
    )
