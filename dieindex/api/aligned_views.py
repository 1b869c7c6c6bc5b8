"""Two coins of an index as they lie on each other, where that is what counts of their pair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dieindex.api.reader import IndexReader
from dieindex.api.seen import SeenFace, View, descriptors_of, on_frame
from dieindex.api.verification import Verification
from dieindex.encoder.competition import less_shared
from dieindex.numeric import unit_distance
from dieindex.records import SIDES, Face, Floats, Side
from dieindex.storage.aligned_pairs import AlignedRow
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.details import DetailStore
from dieindex.storage.face_codec import unpack_face
from dieindex.verification.score_pairs import forget_scores


def on_each_other(index: IndexReader, first: View, second: View) -> tuple[View, View]:
    """Both coins, with faces where they were aligned to each other and score higher so. (What was
    not sought yet is not sought for one pair.)"""
    faces = dict(first.faces), dict(second.faces)
    for side in SIDES:
        if side not in faces[0] or side not in faces[1]:
            continue
        seen = faces[0][side], faces[1][side]
        row = better_place(index, *seen)
        if row is None:
            continue
        moves = int(seen[1].number == row.moved)
        frame = seen[1 - moves].frame
        faces[moves][side] = _moved(index, side, seen[moves], row, frame)
    return replace(first, faces=faces[0]), replace(second, faces=faces[1])


def better_place(index: IndexReader, first: SeenFace, second: SeenFace) -> AlignedRow | None:
    """The pair where it was aligned, if that counts."""
    if first.number is None or second.number is None or index.verification is None:
        return None
    ids = np.array(sorted((first.number, second.number)))
    with DetailStore.open(index.folder) as store:
        rows = store.aligned_pairs(ids)
        scored, changed = store.checked_scores(ids)
        if changed:
            forget_scores(index.folder, store, changed)
    fusion = index.verification.fusion
    if not rows or rows[0].shared < fusion.least_shared:
        return None
    told = np.array([rows[0].distance]), np.array([rows[0].logit])
    logit, shared = scored.logit, scored.shared
    if changed and not len(scored):
        logit, shared = _scored_anew(index.verification, first, second)
    if len(logit) and shared[0] >= fusion.least_shared:
        distance = unit_distance(np.array([first.vector @ second.vector]))
        if fusion.score(*told) <= fusion.score(distance, logit):
            return None
    return rows[0]


def _scored_anew(
    verification: Verification, first: SeenFace, second: SeenFace
) -> tuple[Floats, Floats]:
    """What the comparator says of the pair on the frames: log-odds and shared part; nothing where
    they lie on none together."""
    if first.unaligned or second.unaligned or first.frame != second.frame:
        return np.zeros(0), np.zeros(0)
    one, other = first.descriptors(), second.descriptors()
    if one is None or other is None:
        return np.zeros(0), np.zeros(0)
    return verification.scorer.score(one, other)


def _moved(index: IndexReader, side: Side, face: SeenFace, row: AlignedRow, frame: int) -> SeenFace:
    """The face of a pair that moved, where it lies on the other's frame."""
    encoder = index.encoder()
    with Catalogue.open(index.folder) as catalogue:
        cut = unpack_face(catalogue.packed_face(row.moved))
        competitors = catalogue.competitors(side).get(frame)
    described = encoder.describe([cut], [row.place], fill=True)
    vector = described.vectors[0]
    if competitors is not None:
        vector = less_shared(vector, competitors, encoder.card.type_radius)

    def rendered(cut: Face = cut, place: Floats = row.place) -> Face:
        return on_frame(cut, place)

    return replace(
        face,
        vector=vector,
        unaligned=None,
        rendered=rendered,
        frame=frame,
        descriptors=lambda: descriptors_of(described, 0),
    )
