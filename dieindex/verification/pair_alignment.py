"""Pairs of which one face lies elsewhere on the other than their frames say, aligned to each other.

A frame places a face by what its type shows; where it holds several types, or the face is worn,
the place may be wrong, and a pair is compared in wrong places. Local features say without a frame
where a face lies on another (``alignment.feature_votes``). Where they agree with the frame the pair
is judged there and nowhere else: the better of two places raises the scores of different dies as
well, by chance alone. Where they contradict it, one face is moved onto the other, aligned to it at
full resolution, described there and compared. First its contours are asked: where they fit the
other less well than they do on the frame, the features are mistaken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dieindex.alignment.affine import correlation
from dieindex.alignment.exemplars import TypeMean, align_to_exemplars, mean_of_one
from dieindex.alignment.feature_votes import Lies
from dieindex.alignment.fields import FaceField
from dieindex.alignment.realigning import COARSER, realigned, rendered
from dieindex.alignment.warping import FRAME_SIZE
from dieindex.encoder.competition import less_shared
from dieindex.encoder.dense import DenseDescriptors, quantised
from dieindex.encoder.encode import Encoder
from dieindex.records import FACE_SIZE, FLAN_RADIUS, Face, Matrix, Vectors
from dieindex.verification.scorer import PairScorer

LEAST_AGREEING = 10
"""Features that agree on a place that is looked at."""
AWAY = 0.025
"""Of the diameter: nearer than this to the place that the frame gives, features (which place a face
within a hundredth) say nothing new."""
MOST = 4
_COINS_A_PAIR = 40
"""Pairs aligned for each face that is sought, at most, and one for so many coins: those on which
most features agree. (So that aligning takes less than comparing does.)"""


@dataclass(frozen=True, eq=False)
class PlacedFace:
    """A face on a ``frame``, −1 and no ``place`` where on none; ``confidence`` 0…1 of that."""

    frame: int
    place: Matrix | None
    confidence: float


@dataclass(frozen=True, eq=False)
class PairStart:
    """A pair to be aligned: face ``moved`` onto face ``fixed`` (positions), from ``start`` ``(3,
    3)``, pixels of the moved one to pixels of the other's frame."""

    fixed: int
    moved: int
    start: Matrix


@dataclass(frozen=True, eq=False)
class AlignedScore:
    """A pair where one face lies on the other: ``place`` ``(3, 3)`` of the moved face on the frame
    of the fixed one, the comparator's ``logit`` and the ``shared`` part of the frame there, and the
    ``distance`` 0…2 of the vectors."""

    fixed: int
    moved: int
    place: Matrix
    logit: float
    shared: float
    distance: float


def pair_starts(
    face: int,
    lies: Sequence[Lies],
    placed: Sequence[PlacedFace] | Mapping[int, PlacedFace],
    coins: int,
) -> list[PairStart]:
    """Which pairs of a face, one of ``coins``, are to be aligned, given where it ``lies`` on
    others: those that their frames place elsewhere, or not together.

    The face whose alignment is the surer keeps its place. A pair of which neither face lies on a
    frame is left out: nothing would say how alike two dies of its type are.
    """
    found: list[PairStart] = []
    most = min(MOST, max(1, coins // _COINS_A_PAIR))
    for one in lies:
        if len(found) == most or one.agreeing < LEAST_AGREEING:
            break
        here, there = placed[face], placed[one.other]
        if here.place is None and there.place is None:
            continue
        if here.frame == there.frame and _agree(here, there, one.matrix):
            continue
        if there.place is not None and _surer(there, one.other, here, face):
            found.append(PairStart(one.other, face, there.place @ one.matrix))
        elif here.place is not None:
            back = np.linalg.inv(one.matrix)
            found.append(PairStart(face, one.other, here.place @ back))
    return found


def _surer(this: PlacedFace, number: int, other: PlacedFace, its: int) -> bool:
    """(In one order, whichever of the two is sought.)"""
    if other.place is None:
        return True
    return (this.confidence, -number) > (other.confidence, -its)


def _agree(here: PlacedFace, there: PlacedFace, matrix: Matrix) -> bool:
    if here.place is None or there.place is None:
        return False
    return apart(here.place, there.place @ matrix) <= AWAY


def apart(place: Matrix, other: Matrix) -> float:
    """How far two places of a face lie apart on a frame, in the mean over five points of it, share
    of the flan's diameter."""
    near, far, middle = FACE_SIZE / 4, 3 * FACE_SIZE / 4, FACE_SIZE / 2
    spots = np.array([[near, far, middle, near, far], [near, near, middle, far, far], [1] * 5])
    one, two = ((at := each @ spots)[:2] / at[2] for each in (place, other))
    return float(np.hypot(*(one - two)).mean() / (2 * FLAN_RADIUS * FRAME_SIZE))


def worth_aligning(
    starts: Sequence[PairStart],
    faces: Callable[[int], Face],
    placed: Callable[[int], PlacedFace],
) -> list[bool]:
    """Of each pair, whether the contours of its moved face fit the other where the features lay it
    at least as well as where the frame does; True where they lie on no common frame.

    (On validation types and other collections a third of all pairs do; of pairs that score for one
    die only there, 74 of 81 that are of one die, and half of those that are not.)
    """

    @lru_cache(None)
    def field_of(face: int) -> FaceField:
        place = placed(face).place
        assert place is not None
        return rendered(COARSER, faces(face), place)

    found: list[bool] = []
    for one in starts:
        fixed, moved = placed(one.fixed), placed(one.moved)
        if moved.place is None or moved.frame != fixed.frame:
            found.append(True)
            continue
        target, there = field_of(one.fixed), field_of(one.moved)
        moved_there = rendered(COARSER, faces(one.moved), one.start)
        _, elsewhere, _ = realigned(COARSER, one.start, moved_there, target)
        here = correlation(target.values, there.values, there.weight * target.weight)
        # (It only grows by being realigned.)
        if elsewhere >= here:
            _, here, _ = realigned(COARSER, moved.place, there, target)
        found.append(elsewhere >= here)
    return found


def aligned_scores(
    starts: Sequence[PairStart],
    faces: Callable[[int], Face],
    places: Callable[[int], Matrix],
    described: Callable[[int], DenseDescriptors],
    vectors: Callable[[int], Vectors],
    competitors: Callable[[int], Vectors | None],
    encoder: Encoder,
    scorer: PairScorer,
) -> list[AlignedScore]:
    """Pairs aligned and compared. All functions take a face's position: it as it was cut, where it
    lies, its dense descriptors and its vector there, and what it competes with."""

    @lru_cache(None)
    def shown_by(face: int) -> TypeMean:
        return mean_of_one(faces(face), places(face))

    placed: list[Matrix] = []
    for one in starts:
        target = shown_by(one.fixed)
        found, _ = align_to_exemplars([faces(one.moved)], [one.start], target, sure=0)
        placed.append(found[0].to_frame)
    moved = encoder.describe([faces(one.moved) for one in starts], placed, fill=True)
    there = quantised(moved.descriptors, moved.reliability)
    fixed = [described(one.fixed) for one in starts]
    logit, shared = scorer.score(
        DenseDescriptors(
            np.concatenate([each.descriptors for each in fixed]),
            np.concatenate([each.reliability for each in fixed]),
        ),
        there,
    )
    out: list[AlignedScore] = []
    for row, one in enumerate(starts):
        others = competitors(one.fixed)
        vector = moved.vectors[row]
        if others is not None:
            vector = less_shared(vector, others, encoder.card.type_radius)
        distance = float(np.linalg.norm(vector.astype(np.float64) - vectors(one.fixed)))
        out.append(
            AlignedScore(
                one.fixed, one.moved, placed[row], float(logit[row]), float(shared[row]), distance
            )
        )
    return out
