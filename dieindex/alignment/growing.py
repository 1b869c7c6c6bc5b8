"""Frames made again of more faces.

Where a collection has many types, a type is found among the few of its faces that a sample holds,
and a frame of few faces holds only those that are plain to see. Of many it holds worn ones, too. So
a frame is made again as soon as it would be of twice as many, and what lies on no frame is tried on
it once more. Where faces lie already stays as it is.

The contours alone decide there: asked about a doubtful face, the encoder says whether it is like
the others, and one of a type that was not found yet is like those of another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dieindex.alignment.align import SAMPLE, fitted_to
from dieindex.alignment.exemplars import FEWEST_TO_JUDGE, align_to_exemplars, mean_of
from dieindex.alignment.fields import field_of
from dieindex.alignment.frames import Frame
from dieindex.alignment.realigning import ONE_BY_ONE, Aligner
from dieindex.alignment.result import Alignment
from dieindex.alignment.search import FULL_CIRCLE, USUAL_TURN
from dieindex.alignment.templates import template_of
from dieindex.alignment.warping import in_units
from dieindex.records import Face, Floats, Matrix

MADE_OF = SAMPLE
"""Faces of which a frame is made at most, the surest."""
BESIDE = 3 * FEWEST_TO_JUDGE // 2
"""Faces that lie on a frame, beside which others are tried on it."""
_TWICE = 2.0


def would_grow(frame: Frame, confidence: Floats) -> bool:
    """Whether a frame would be of twice as many faces, made of those whose ``confidence`` this
    is."""
    return float(_trust(confidence).sum()) >= _TWICE * frame.faces


def grown(faces: Sequence[Face], to_frame: Sequence[Matrix], confidence: Floats) -> Frame:
    """A frame made of faces as they lie on it, ``to_frame`` ``(3, 3)`` each."""
    template = template_of(
        [field_of(face) for face in faces],
        [in_units(matrix) for matrix in to_frame],
        _trust(confidence),
    )
    return Frame.of(template, mean_of(faces, to_frame))


def _trust(confidence: Floats) -> Floats:
    return np.asarray(confidence, np.float64) ** 2


def fitted_to_frames(
    frames: Sequence[Frame],
    faces: Sequence[Face],
    *,
    any_rotation: bool = False,
    aligner: Aligner = ONE_BY_ONE,
) -> list[tuple[Alignment, int]]:
    """Where each face lies on the frame that fits it best, and its position also where it is not
    sure enough of its place."""
    turn = FULL_CIRCLE if any_rotation else USUAL_TURN
    return fitted_to([frame.template for frame in frames], faces, turn, aligner)


def align_beside(
    frame: Frame,
    there: Sequence[Face],
    places: Sequence[Matrix],
    faces: Sequence[Face],
    fitted: Sequence[Alignment],
    aligner: Aligner = ONE_BY_ONE,
) -> list[Alignment]:
    """Align ``faces`` finely that were ``fitted`` to a frame, beside faces that are ``there``."""
    every = [*places, *(each.to_frame for each in fitted)]
    placed, _ = align_to_exemplars([*there, *faces], every, frame.mean(), aligner=aligner)
    return [
        replace(each, to_frame=place.to_frame)
        for each, place in zip(fitted, placed[len(there) :], strict=True)
    ]
