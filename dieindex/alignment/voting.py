"""A second way to a face's place: by single faces that surely lie right, each with its vote.

The mean of a type shows what its dies share. A worn face shows little of that, but may show plainly
what another strike of its own die shows; the coarse search then finds its place on that strike
alone. Some exemplars of a type are searched for on the face, and where several votes agree on one
place, or one is sure, that is where the face is tried again. The same votes tell that two frames
are one type's: all of the faces of one then say the same of where it lies on the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dieindex.alignment.affine import fit_affine, frame_to_unit
from dieindex.alignment.confidence import pair_evidence
from dieindex.alignment.search import Bank, Grid, bank_of, search
from dieindex.alignment.templates import PreparedFace, Template, field_in_frame, template_of
from dieindex.records import Matrix

VOTERS = 12
"""Exemplars of a type, at most, that vote."""
_TOGETHER = 0.12
"""Places this near to each other (mean over the flan, flan radii) are one place."""

_LEAST_SAME_TYPE = 1.2
_SAME_TYPE_PER_FACE = 0.6
"""Agreement from which two frames are one (on validation types: of one type 0.7 and more a face,
of different types 0.3 and less, but for one pair of types that show nearly the same)."""


@dataclass(frozen=True, eq=False)
class Vote:
    """Where one or more exemplars would place a face, and how sure they are together (0 …)."""

    to_frame: Matrix
    agreement: float
    exemplars: tuple[int, ...] = ()


class Voters:
    """Some faces of a type as they lie in its frame, ready to be searched for on others."""

    def __init__(
        self, faces: Sequence[PreparedFace], to_frame: Sequence[Matrix], grid: Grid
    ) -> None:
        self._faces = faces
        self._maps = to_frame
        self._banks: list[Bank] = []
        for face, matrix in zip(faces, to_frame, strict=True):
            values, weight = field_in_frame(face.field, matrix)
            self._banks.append(bank_of(values, weight, frame_to_unit(), grid))

    def votes(self, face: PreparedFace) -> list[Vote]:
        """Each exemplar's own vote on a face."""
        found = []
        for number, bank in enumerate(self._banks):
            first, second = search(face.spectrum, bank, 2)
            evidence = pair_evidence(first.score, second.score)
            found.append(Vote(first.to_pattern, evidence, (number,)))
        return found

    def place(self, face: PreparedFace) -> Vote:
        """Where most agree that a face lies, refined on the mean of those who do."""
        vote = agreed(self.votes(face))
        mean = self._mean(vote.exemplars)
        fit = fit_affine(face.field, mean.target((0, 1)), vote.to_frame, (0, 1))
        return Vote(fit.to_frame, vote.agreement, vote.exemplars)

    def _mean(self, exemplars: Sequence[int]) -> Template:
        chosen = [self._faces[k].field for k in exemplars]
        return template_of(chosen, [self._maps[k] for k in exemplars], np.ones(len(chosen)))


def frame_change(
    voters: Voters, faces: Sequence[PreparedFace], to_frame: Sequence[Matrix]
) -> Matrix | None:
    """``(3, 3)``: units of the frame in which ``faces`` lie (``to_frame``) to units of the voters',
    where both are frames of one type; None where the faces do not say so with one voice."""
    votes = [
        Vote(vote.to_frame @ np.linalg.inv(matrix), vote.agreement, vote.exemplars)
        for face, matrix in zip(faces, to_frame, strict=True)
        for vote in voters.votes(face)
    ]
    vote = agreed(votes)
    least = max(_LEAST_SAME_TYPE, _SAME_TYPE_PER_FACE * len(faces))
    return vote.to_frame if vote.agreement >= least else None


def agreed(votes: Sequence[Vote]) -> Vote:
    """The vote that most others agree with, and the sum of what they say together."""
    places = np.stack([_spots(vote.to_frame) for vote in votes])
    away = np.hypot(*np.moveaxis(places[:, None] - places[None], 2, 0)).mean(-1)
    near = away < _TOGETHER
    sure = np.array([vote.agreement for vote in votes])
    agreement = near @ sure
    # Among votes that agree as much the surest speaks.
    best = int(np.argmax(agreement + 0.01 * sure))
    with_it = tuple(k for i in np.flatnonzero(near[best]).tolist() for k in votes[i].exemplars)
    return Vote(votes[best].to_frame, float(agreement[best]), with_it)


def _spots(matrix: Matrix) -> Matrix:
    """Where a map takes five places of a flan, ``(2, 5)``."""
    at = matrix @ np.array([[0, 0.6, -0.6, 0, 0], [0, 0, 0, 0.6, -0.6], [1, 1, 1, 1, 1]])
    return np.asarray(at[:2] / at[2])
