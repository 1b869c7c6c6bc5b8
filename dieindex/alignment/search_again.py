"""A face that does not fit its neighbours, sought once more among all places of their frame.

Fitting goes step by step to the best place near by. A face that starts too far away stays beside
its place and fits the strikes of its die there much worse than these fit each other. It is sought
anew by a search of all turns, scales and shifts that are usual, and moved where it fits clearly
better.
"""

from __future__ import annotations

from collections.abc import Sequence

from dieindex.alignment.affine import fit_affine
from dieindex.alignment.fields import FaceField, field_of, rotation_of
from dieindex.alignment.realigning import COARSER, realigned, rendered
from dieindex.alignment.search import USUAL_TURN, Grid, search
from dieindex.alignment.templates import prepare_face, prepare_template, template_of
from dieindex.alignment.warping import in_pixels, in_units
from dieindex.records import Face, Matrix

MISFIT = 0.5
"""A face that fits less than half as well as those that its target is made of is sought anew."""
_CLEARLY = 0.03
_LEAST = 0.4
"""Gain of correlation from which another place is believed, and share of what is usual that it must
reach: a face of another type reaches a third by chance. (On twelve validation types right places
won 0.06 and more, wrong ones 0.015 and less.)"""
_PEAKS = 3
"""Places of the search that are tried."""


def sought_again(
    face: Face,
    place: Matrix,
    neighbours: Sequence[tuple[Face, Matrix, float]],
    target: FaceField,
    score: float,
    usual: float,
) -> Matrix | None:
    """Another place of ``face`` on the frame, ``(3, 3)`` from its pixels to the frame's, where it
    fits ``target`` clearly better than at ``place``, with ``score``; None where there is none.

    ``neighbours``: the faces of which the target is made, their places and weights; ``usual`` how
    well they fit it.
    """
    template = template_of(
        [field_of(other) for other, _, _ in neighbours],
        [in_units(place) for _, place, _ in neighbours],
        [weight for _, _, weight in neighbours],
    )
    # (Turns of the pattern over the face, about the one it has now: coins may be turned by design.)
    grid = Grid.within(USUAL_TURN).about(-rotation_of(in_units(place)))
    prepared = prepare_template(template, grid)
    own = prepare_face(field_of(face))
    best, best_score = None, max(score + _CLEARLY, _LEAST * usual)
    for peak in search(own.spectrum, prepared.bank, _PEAKS):
        fit = fit_affine(own.field, prepared.target, peak.to_pattern)
        there = in_pixels(fit.to_frame)
        there, reached, _ = realigned(COARSER, there, rendered(COARSER, face, there), target)
        if reached > best_score:
            best, best_score = there, reached
    return best
