"""Faces turned further than usual, found where the usual turns find nothing.

Most collections stand upright, and searching all turns costs twice as much and lets more strays in.
So all turns are searched for what lies nowhere, on the largest types alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dieindex.alignment.confidence import ALIGNED_FROM, wider_search_confidence
from dieindex.alignment.fields import field_of, rotation_of
from dieindex.alignment.result import Alignment, surest
from dieindex.alignment.search import FULL_CIRCLE, USUAL_TURN, Grid
from dieindex.alignment.templates import (
    PreparedFace,
    PreparedTemplate,
    Template,
    best_fit,
    confidence_of,
    prepare_face,
)
from dieindex.alignment.warping import in_pixels
from dieindex.records import Face

_MAIN_TYPES = 3
"""The largest types, on which turned faces are looked for."""
_ASKED = 3
"""The surest faces of a small frame that are looked for on a larger one."""


class TurnedSearch:
    """The largest types of a collection, searched for under all turns."""

    def __init__(self, templates: Sequence[Template]) -> None:
        order = sorted(range(len(templates)), key=lambda n: (-templates[n].faces, n))
        self.numbers = order[:_MAIN_TYPES]
        grid = Grid.within(FULL_CIRCLE)
        self._prepared = [templates[n].prepared(grid) for n in self.numbers]

    def place(self, face: PreparedFace) -> Alignment | None:
        """Where a face that fits nowhere upright lies turned; None where it does not for sure."""
        found = self._on(face, self.numbers, self._prepared)
        return found if found is not None and is_turned(found) else None

    def on_largest(self, face: PreparedFace) -> Alignment | None:
        """Where a face lies, turned or not, on the largest type; None where it does not for
        sure."""
        return self._on(face, self.numbers[:1], self._prepared[:1])

    def _on(
        self, face: PreparedFace, numbers: Sequence[int], prepared: Sequence[PreparedTemplate]
    ) -> Alignment | None:
        if face.field.blank or not prepared:
            return None
        at, fitted = best_fit(face, prepared)
        confidence = confidence_of(fitted, prepared[at].template)
        confidence = wider_search_confidence(confidence, FULL_CIRCLE / USUAL_TURN)
        if confidence < ALIGNED_FROM:
            return None
        return Alignment(numbers[at], in_pixels(fitted.fit.to_frame), confidence, True)


def is_turned(alignment: Alignment) -> bool:
    """Whether a face lies on its frame by a turn beyond those usually searched."""
    return abs(rotation_of(alignment.to_frame)) > float(np.deg2rad(USUAL_TURN))


def frames_are_turned(
    faces: Sequence[Face], results: Sequence[Alignment], frames: Sequence[Template]
) -> bool:
    """Whether some frame is of the largest one's type and apart from it for turned faces: most of
    its surest faces lie on the largest too, and one of them turned."""
    if len(frames) < 2:
        return False
    search = TurnedSearch(frames)
    for number in range(len(frames)):
        asked = [] if number == search.numbers[0] else surest(results, number)[:_ASKED]
        prepared = [prepare_face(field_of(faces[i])) for i in asked]
        found = [each for face in prepared if (each := search.on_largest(face)) is not None]
        if 2 * len(found) > len(asked) and any(is_turned(each) for each in found):
            return True
    return False


def place_turned(
    faces: Sequence[Face],
    results: list[Alignment],
    guesses: list[int],
    frames: Sequence[Template],
) -> None:
    """Place the faces that lie nowhere upright and surely lie turned; ``results`` and ``guesses``
    are changed."""
    left = [i for i, each in enumerate(results) if not each.aligned]
    if not left or not frames:
        return
    search = TurnedSearch(frames)
    for i in left:
        found = search.place(prepare_face(field_of(faces[i])))
        if found is not None:
            results[i], guesses[i] = found, found.type
