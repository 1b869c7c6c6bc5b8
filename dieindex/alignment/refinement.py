"""Settling: faces laid once more, on those that the encoder takes for strikes of their die.

The last touch (``finish``) finds the faces most like a face by their contours, among at most
``finish.EXEMPLARS`` of the type. The encoder, once there is a vector of every face, finds them
among all, and more surely. Laid on those, faces of one die lie more exactly on each other, and
encoded there they are more alike: what remains between them is then not the error of their places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dieindex.alignment.fields import FaceField
from dieindex.alignment.finish import (
    LEAST_WEIGHT,
    NEIGHBOURS,
    PASSES,
    Ground,
    drawn,
    moved,
    target_of,
)
from dieindex.records import Face, Matrix

ROUNDS = 2
"""How often neighbours are sought anew, each time with vectors of the better places."""
STEPS = ROUNDS * len(PASSES)
"""Steps in all; a round ends after every ``len(PASSES)`` of them."""

Likest = Sequence[tuple[int, float]]
"""The faces most like one: their positions and how much each counts, 0…1."""


def ends_round(step: int) -> bool:
    """Whether after ``step`` (from 0) vectors are due anew."""
    return (step + 1) % len(PASSES) == 0


def settle(
    step: int,
    faces: Mapping[int, Face],
    places: Mapping[int, Matrix],
    likest: Mapping[int, Likest],
    ground: Ground | None,
) -> dict[int, Matrix]:
    """One step: where the faces with an entry in ``likest`` lie after it; the others stay.

    Args:
        step: 0 … ``STEPS`` − 1.
        faces: faces of ONE frame, those to move and those they are laid on.
        places: ``(3, 3)`` of each, its pixels to pixels of the frame, before the step.
        likest: for each face to move those most like it.
        ground: the frame's mean.
    """
    one = PASSES[step % len(PASSES)]
    behind = None
    if ground is not None:
        mean = ground.of_size(one.size)
        behind = FaceField(mean.values * mean.weight, mean.weight)
    fields = {i: drawn(one, face, places[i]) for i, face in faces.items()}
    after: dict[int, Matrix] = {}
    for i, near in likest.items():
        counted = sorted(near, key=lambda each: (-each[1], each[0]))[:NEIGHBOURS]
        alike = [(weight, fields[j]) for j, weight in counted if weight > LEAST_WEIGHT and j != i]
        if not alike:
            after[i] = np.asarray(places[i])
            continue
        target = target_of(alike, behind, 1.0 if ground is None else ground.faces, one.size)
        after[i], _, _ = moved(one, places[i], fields[i], target)
    return after
