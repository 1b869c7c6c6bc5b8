"""Refinement: faces aligned once more, to those that the encoder takes for strikes of their die.

Fine alignment (``exemplars``) finds the faces most like a face by their contours, among at most
``exemplars.EXEMPLARS`` of the type. The encoder, once there is a vector of every face, finds them
among all, and more surely. Fitted to those neighbours, faces of one die lie more exactly on each
other, and encoded there they are more alike: what remains between them is then not the error of
their alignment. A face that fits them much worse than they each other is sought anew
(``search_again``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dieindex.alignment.affine import correlation
from dieindex.alignment.exemplars import (
    COARSER,
    FINEST,
    LEAST_WEIGHT,
    NEIGHBOURS,
    TypeMean,
    realigned,
    rendered,
    target_of,
)
from dieindex.alignment.fields import FaceField
from dieindex.alignment.search_again import MISFIT, sought_again
from dieindex.records import Face, Matrix

PASSES = (COARSER, FINEST)
STEPS = len(PASSES)

Neighbours = Sequence[tuple[int, float]]
"""The faces most like one: their positions and how much each counts, 0…1."""


def refine_step(
    step: int,
    faces: Mapping[int, Face],
    places: Mapping[int, Matrix],
    neighbours: Mapping[int, Neighbours],
    mean: TypeMean | None,
) -> dict[int, Matrix]:
    """One step: where the faces with an entry in ``neighbours`` lie after it; the others stay.

    Args:
        step: 0 … ``STEPS`` − 1.
        faces: faces of ONE frame, those to move and those they are fitted to.
        places: ``(3, 3)`` of each, its pixels to pixels of the frame, before the step.
        neighbours: for each face to move those most like it.
        mean: the mean of the frame's faces.
    """
    one = PASSES[step]
    background = None
    if mean is not None:
        field = mean.of_size(one.size)
        background = FaceField(field.values * field.weight, field.weight)
    fields = {i: rendered(one, face, places[i]) for i, face in faces.items()}
    after: dict[int, Matrix] = {}
    for i, near in neighbours.items():
        counted = sorted(near, key=lambda each: (-each[1], each[0]))[:NEIGHBOURS]
        alike = [(weight, fields[j]) for j, weight in counted if weight > LEAST_WEIGHT and j != i]
        if not alike:
            after[i] = np.asarray(places[i])
            continue
        target = target_of(alike, background, 1.0 if mean is None else mean.faces, one.size)
        after[i], score, _ = realigned(one, places[i], fields[i], target)
        if one == COARSER and score < MISFIT * (usual := _usual(alike, target)):
            others = [
                (faces[j], np.asarray(places[j]), weight)
                for j, weight in counted
                if weight > LEAST_WEIGHT and j != i
            ]
            now = np.asarray(places[i])
            elsewhere = sought_again(faces[i], now, others, target, score, usual)
            after[i] = after[i] if elsewhere is None else elsewhere
    return after


def _usual(alike: Sequence[tuple[float, FaceField]], target: FaceField) -> float:
    """How well the faces of which a target is made fit it, in the mean."""
    fits = [correlation(target.values, one.values, one.weight * target.weight) for _, one in alike]
    return float(np.mean(fits))
