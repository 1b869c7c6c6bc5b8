"""Refinement of a whole collection in memory: what a build does step by step, from its
catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dieindex.alignment.exemplars import TypeMean
from dieindex.alignment.refinement import STEPS, Neighbours, ends_round, refine_step
from dieindex.encoder.competition import all_less_shared
from dieindex.encoder.encode import Encoder
from dieindex.encoder.neighbours import neighbours_of
from dieindex.records import Face, Matrix, Vectors


def refine_faces(
    encoder: Encoder,
    faces: Sequence[Face],
    places: Sequence[Matrix | None],
    frame: Sequence[int],
    means: Mapping[int, TypeMean],
    radius: float,
) -> tuple[list[Matrix | None], Vectors]:
    """All faces of one side refined: their places, and their raw vectors there.

    ``places`` and ``frame`` are those of the alignment (None and −1 for a face on no frame),
    ``means`` those of the frames, ``radius`` the distance within which faces compete
    (``EncoderCard.type_radius``).
    """
    now = list(places)
    raw = encoder.encode(faces, now, fill=True)
    number = np.asarray(frame)
    near: dict[int, Mapping[int, Neighbours]] = {}
    for step in range(STEPS):
        for one, mean in means.items():
            rows = np.flatnonzero(number == one)
            if step == 0 or ends_round(step - 1):
                vectors = all_less_shared(raw[rows], radius)
                near[one] = neighbours_of(vectors, range(len(rows)))
            there = {k: now[i] for k, i in enumerate(rows.tolist())}
            known = {k: place for k, place in there.items() if place is not None}
            shown = {k: faces[i] for k, i in enumerate(rows.tolist())}
            if near[one]:
                for k, place in refine_step(step, shown, known, near[one], mean).items():
                    now[rows[k]] = place
        if ends_round(step):
            raw = encoder.encode(faces, now, fill=True)
    return now, raw
