"""Refinement of a whole collection in memory: what a build does step by step, from its
catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dieindex.alignment.exemplars import TypeMean
from dieindex.alignment.refinement import STEPS, Neighbours, refine_step
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
    rows = {one: np.flatnonzero(number == one) for one in means}
    near: dict[int, Mapping[int, Neighbours]] = {
        one: neighbours_of(all_less_shared(raw[on], radius), range(len(on)))
        for one, on in rows.items()
    }
    for step in range(STEPS):
        for one, mean in means.items():
            on = rows[one].tolist()
            there = {k: place for k, i in enumerate(on) if (place := now[i]) is not None}
            shown = {k: faces[i] for k, i in enumerate(on)}
            if near[one]:
                for k, place in refine_step(step, shown, there, near[one], mean).items():
                    now[on[k]] = place
    return now, encoder.encode(faces, now, fill=True)
