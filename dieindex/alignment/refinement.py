"""Refinement: faces aligned once more, to those that the encoder takes for strikes of their die.

Fine alignment (``exemplars``) finds the faces most like a face by their contours, among at most
``exemplars.EXEMPLARS`` of the type. The encoder, once there is a vector of every face, finds them
among all, and more surely. Fitted to those neighbours, faces of one die lie more exactly on each
other, and encoded there they are more alike: what remains between them is then not the error of
their alignment. A face that fits them much worse than they each other is sought anew
(``search_again``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from dieindex.alignment.affine import correlation
from dieindex.alignment.exemplars import LEAST_WEIGHT, NEIGHBOURS, TypeMean, target_of
from dieindex.alignment.fields import FaceField
from dieindex.alignment.realigning import COARSER, FINEST, ONE_BY_ONE, Aligner, realigned_all
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
    aligner: Aligner = ONE_BY_ONE,
) -> dict[int, Matrix]:
    """One step: where the faces with an entry in ``neighbours`` lie after it; the others stay.

    Args:
        step: 0 … ``STEPS`` − 1.
        faces: faces of ONE frame, those to move and those they are fitted to. (Each is asked for
            when it is rendered: they need not be held all at once.)
        places: ``(3, 3)`` of each, its pixels to pixels of the frame, before the step.
        neighbours: for each face to move those most like it, never itself; those that do not
            count (``that_count``) are left out.
        mean: the mean of the frame's faces.
    """
    one = PASSES[step]
    background = None
    if mean is not None:
        field = mean.of_size(one.size)
        background = FaceField(field.values * field.weight, field.weight)
    fields: dict[int, FaceField] = {}
    for part in _by(aligner.at_once, list(faces)):
        drawn = aligner.render(one, [faces[i] for i in part], [np.asarray(places[i]) for i in part])
        fields.update(zip(part, drawn, strict=True))
    counted = {i: that_count(near) for i, near in neighbours.items()}
    moved = {i: np.asarray(places[i]) for i in neighbours}
    for part in _by(aligner.at_once, [i for i in neighbours if counted[i]]):
        alike = [[(weight, fields[j]) for j, weight in counted[i]] for i in part]
        others = 1.0 if mean is None else mean.faces
        targets = [target_of(each, background, others, one.size) for each in alike]
        found = realigned_all(
            one, [places[i] for i in part], [fields[i] for i in part], targets, aligner
        )
        for i, near, target, (place, score, _) in zip(part, alike, targets, found, strict=True):
            moved[i] = place
            if one == COARSER and score < MISFIT * (usual := _usual(near, target)):
                around = [(faces[j], np.asarray(places[j]), weight) for j, weight in counted[i]]
                now = np.asarray(places[i])
                elsewhere = sought_again(faces[i], now, around, target, score, usual)
                moved[i] = place if elsewhere is None else elsewhere
    return moved


def that_count(near: Neighbours) -> Neighbours:
    """Those to which a face is fitted, the nearest first."""
    nearest = sorted(near, key=lambda each: (-each[1], each[0]))[:NEIGHBOURS]
    return [each for each in nearest if each[1] > LEAST_WEIGHT]


def _by(count: int, ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """So many at a time."""
    for start in range(0, len(ids), count):
        yield ids[start : start + count]


def _usual(alike: Sequence[tuple[float, FaceField]], target: FaceField) -> float:
    """How well the faces of which a target is made fit it, in the mean."""
    fits = [correlation(target.values, one.values, one.weight * target.weight) for _, one in alike]
    return float(np.mean(fits))
