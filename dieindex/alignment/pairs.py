"""Places of one face on another, where no other face of the type is known.

Two worn faces under two lamps often fit a wrong place as well as the right one, and fits alone
cannot tell which it is. So several places are proposed, from searching each face on the other; what
lies there, once encoded, tells more (``encoder.pairs``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dieindex.alignment.affine import Fit, fit_affine
from dieindex.alignment.exemplars import align_to_exemplars, mean_of_one
from dieindex.alignment.fields import field_of
from dieindex.alignment.search import FULL_CIRCLE, PAIR_TURN, Grid, search
from dieindex.alignment.templates import (
    PreparedFace,
    centre_of,
    growth_of,
    prepare_face,
    prepare_template,
    template_of,
)
from dieindex.alignment.warping import FRAME_SIZE, centred_place, in_pixels
from dieindex.records import Face, Matrix

PROPOSALS = 4
"""Places, at most: of same-die pairs in validation hardly any needed a fifth."""
_PEAKS = 3
"""Of the search of each face on the other, that are refined."""
_APART = 6.0
"""Pixels of the frame by which two places differ at least, in the mean over five points."""


_FARTHEST = 0.6
_LARGEST_GROWTH = 0.35
"""Flan radii between the centres, and natural logarithm of the ratio of sizes, beyond which no two
strikes of one die lie: what fits there fits by chance."""


@dataclass(frozen=True, eq=False)
class Proposal:
    """One place of a second face on a first.

    ``place`` ``(3, 3)`` takes pixels of the second to pixels of a frame on which the first lies
    centred; ``score`` −1…1 is the correlation of the two orientation fields there.
    """

    place: Matrix
    score: float


def propose(first: Face, second: Face, *, any_rotation: bool = False) -> list[Proposal]:
    """Where the second face may lie on the first, best fit first, at most ``PROPOSALS``.

    None where one of them shows nothing but plain surface, or where they fit nowhere.
    """
    one, other = (prepare_face(field_of(face)) for face in (first, second))
    if one.field.blank or other.field.blank:
        return []
    grid = Grid.within(FULL_CIRCLE if any_rotation else PAIR_TURN)
    found = _fits(one, other, grid)
    found += [Fit(np.linalg.inv(fit.to_frame), fit.score) for fit in _fits(other, one, grid)]
    found.sort(key=lambda fit: -fit.score)
    likely = [fit for fit in found if _plausible(fit.to_frame)]
    kept = _distinct([Proposal(in_pixels(fit.to_frame), fit.score) for fit in likely])[:PROPOSALS]
    mean = mean_of_one(first, centred_place())
    placed = [align_to_exemplars([second], [each.place], mean)[0][0] for each in kept]
    return [Proposal(after.to_frame, each.score) for after, each in zip(placed, kept, strict=True)]


def _fits(one: PreparedFace, other: PreparedFace, grid: Grid) -> list[Fit]:
    """The peaks of a search for one face on the other, refined."""
    prepared = prepare_template(template_of([one.field], [np.eye(3)], [1.0]), grid)
    peaks = search(other.spectrum, prepared.bank, _PEAKS)
    return [fit_affine(other.field, prepared.target, peak.to_pattern, (0, 1)) for peak in peaks]


def _plausible(to_frame: Matrix) -> bool:
    away = np.hypot(*centre_of(to_frame))
    return bool(away <= _FARTHEST and abs(growth_of(to_frame)) <= _LARGEST_GROWTH)


def _distinct(proposals: Sequence[Proposal]) -> list[Proposal]:
    """Those that are not near one before them."""
    kept: list[Proposal] = []
    spots: list[Matrix] = []
    for each in proposals:
        here = _spots(each.place)
        if all(np.hypot(*(here - there)).mean() > _APART for there in spots):
            kept.append(each)
            spots.append(here)
    return kept


def _spots(place: Matrix) -> Matrix:
    """Where a map takes five points of a face, ``(2, 5)`` pixels."""
    near, middle, far = FRAME_SIZE / 4, FRAME_SIZE / 2, 3 * FRAME_SIZE / 4
    x, y = [near, far, middle, near, far], [near, near, middle, far, far]
    at = place @ np.array([x, y, np.ones(5)])
    return np.asarray(at[:2] / at[2])
