"""Fine alignment of a type's faces, and another chance for those that only seemed to be of it.

A face may be too worn to stand out from the type's mean, and still show what another face of its
die shows. It is fitted to single faces of the type; whether it lies right then, an encoder says
most surely, where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from dieindex.alignment.confidence import (
    ALIGNED_FROM,
    encoded_confidence,
    refitted_confidence,
    similarity_to,
    voted_confidence,
)
from dieindex.alignment.exemplars import (
    EXEMPLARS,
    FEWEST_TO_JUDGE,
    Placed,
    TypeMean,
    align_to_exemplars,
)
from dieindex.alignment.fields import field_of
from dieindex.alignment.merging import voters_of
from dieindex.alignment.realigning import ONE_BY_ONE, Aligner
from dieindex.alignment.result import Alignment, Vectorise, surest
from dieindex.alignment.templates import prepare_face
from dieindex.alignment.voting import VOTERS
from dieindex.alignment.warping import in_pixels
from dieindex.records import Face

_FEWEST_VOTERS = FEWEST_TO_JUDGE
_LEAST_AGREEMENT = 0.3
"""Faces that a type must have to vote on others, and agreement from which a vote is tried."""


def align_finely(
    faces: Sequence[Face],
    results: list[Alignment],
    guesses: Sequence[int],
    number: int,
    mean: TypeMean | None,
    turn: float = 0.0,
    vectorise: Vectorise | None = None,
    aligner: Aligner = ONE_BY_ONE,
) -> tuple[list[int], TypeMean | None]:
    """Align the faces of type ``number`` finely; ``results`` are changed. Returns the faces that
    were sure before, and the mean of the type's faces.

    ``guesses`` name the type that each face fits best, also where it is not aligned; ``mean`` is
    what is known of the type from other faces. With ``turn`` (degrees searched) faces that only
    seemed to be of it are first tried again where the surest faces of the type place them.
    """
    sure = [i for i, each in enumerate(results) if each.type == number]
    doubtful = [i for i, each in enumerate(results) if not each.aligned and guesses[i] == number]
    votes = _placed_by_votes(faces, results, doubtful, number, turn) if turn else {}
    if len(sure) < FEWEST_TO_JUDGE and mean is None:
        doubtful = [i for i in doubtful if i in votes]  # no other can be cleared among so few
    tried = sure + doubtful
    placed, after = align_to_exemplars(
        [faces[i] for i in tried], [results[i].to_frame for i in tried], mean, len(sure), aligner
    )
    for i, place in zip(sure, placed[: len(sure)], strict=True):
        results[i] = replace(results[i], to_frame=place.to_frame)
    similarity = _similarity(
        faces, sure, doubtful, dict(zip(tried, placed, strict=True)), vectorise
    )
    for i, place in zip(doubtful, placed[len(sure) :], strict=True):
        if i in similarity:
            confidence = encoded_confidence(results[i].confidence, similarity[i])
        elif i in votes:
            confidence = voted_confidence(votes[i], place.score, place.beyond)
        else:
            confidence = refitted_confidence(results[i].confidence, place.score, place.beyond)
        if confidence >= ALIGNED_FROM:
            results[i] = Alignment(number, place.to_frame, confidence, True)
    return sure, after


def _similarity(
    faces: Sequence[Face],
    sure: Sequence[int],
    doubtful: Sequence[int],
    placed: Mapping[int, Placed],
    vectorise: Vectorise | None,
) -> dict[int, float]:
    """How like the sure faces of a type the doubtful are where they would lie, by an encoder;
    nothing where there is none, or where too few faces or dies are sure."""
    if vectorise is None or not doubtful or len(sure) < FEWEST_TO_JUDGE:
        return {}
    spread = np.linspace(0, len(sure) - 1, min(EXEMPLARS, len(sure))).astype(int)
    chosen = [sure[k] for k in spread.tolist()]
    both = [*chosen, *doubtful]
    vectors = vectorise([faces[i] for i in both], [placed[i].to_frame for i in both])
    found = similarity_to(vectors[: len(chosen)], vectors[len(chosen) :])
    return {} if found is None else dict(zip(doubtful, found.tolist(), strict=True))


def _placed_by_votes(
    faces: Sequence[Face],
    results: list[Alignment],
    doubtful: Sequence[int],
    number: int,
    turn: float,
) -> dict[int, float]:
    """Put doubtful faces where single faces of the type agree that they lie. ``results`` are
    changed. Returns the agreement of each face put so."""
    count = len(surest(results, number))
    if not doubtful or count < _FEWEST_VOTERS:
        return {}
    voters = voters_of(faces, results, number, turn, min(VOTERS, count // 2))
    votes: dict[int, float] = {}
    for i in doubtful:
        vote = voters.place(prepare_face(field_of(faces[i])))
        if vote.agreement >= _LEAST_AGREEMENT:
            results[i] = replace(results[i], to_frame=in_pixels(vote.to_frame))
            votes[i] = vote.agreement
    return votes
