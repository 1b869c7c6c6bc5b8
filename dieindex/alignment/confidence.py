"""How far an alignment can be believed, from what it leaves behind.

The constants were fitted by logistic regression on rendered faces of validation types, whose true
places are known.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dieindex.numeric import sigmoid
from dieindex.records import Floats, Vectors

ALIGNED_FROM = 0.5
"""Confidence from which a face counts as aligned."""


def pair_evidence(first: float, second: float) -> float:
    """How sure the coarse search of one face on another is right, 0…1.

    ``first`` and ``second`` are the correlations of its best peaks.
    """
    return sigmoid(32.5 * first - 19.5 * second - 5.6)


def wider_search_confidence(confidence: float, times: float) -> float:
    """How sure a place is that was looked for among so many times as many turns as usual: chance
    fits so many times as often."""
    confidence = float(np.clip(confidence, 1e-6, 1 - 1e-6))
    return sigmoid(float(np.log(confidence / (1 - confidence))) - float(np.log(times)))


_FEWEST = 4.0
"""Templates of fewer faces are judged like those of so many: pairs were measured to part as well
(their correlations are lower, but so are those of pairs of different types)."""


def fit_confidence(
    score: float, ratio: float, faces: float, growth: float, shift: float = 0.0
) -> float:
    """How sure it is that a face fitted to a template lies right, 0…1.

    ``score`` is the correlation, ``ratio`` the best peak of the search over the second, ``faces``
    the template's size, ``growth`` the natural logarithm of the face's size against that usual in
    the template: flans differ by a tenth, but hardly by a fifth. ``shift`` is its distance from
    the template's usual place, flan radii. Faces of other types, of which a collection may hold
    any number, are less often marked than the regression alone would: 0.5 here is 0.35 of it,
    where about as many failures among a type's own faces are marked in vain as are missed.
    """
    sign = 16.3 * score + 4.6 * min(ratio - 1, 1.2) + 2.9 * min(ratio - 1, 0.3)
    # The mean size of few faces is itself unsure.
    usual = 0.12 * float(np.sqrt(1 + 1 / max(faces, 0.5)))
    sign -= 6.4 / float(np.sqrt(max(faces, _FEWEST))) + 27.5 * max(abs(growth) - usual, 0.0)
    # Few strikes are so far off; those that are show the rest of the design clearly.
    sign -= 10.0 * max(shift - 0.3, 0.0)
    return sigmoid(sign - 6.2)


def refitted_confidence(first: float, score: float, beyond: float) -> float:
    """How sure a face not aligned at first (confidence ``first``) lies right once aligned finely.

    ``score`` is its correlation with what it was fitted to, ``beyond`` how many standard deviations
    the face most similar to it stands out. Chosen on faces of seven validation types by hand: of
    eleven that were marked in vain it clears eight, of those rightly marked none.
    """
    first = float(np.clip(first, 1e-4, 1 - 1e-4))
    odds = float(np.log(first / (1 - first)))
    return sigmoid(odds + 3.0 * (beyond - 2.2) + 15.0 * (score - 0.2) + 0.8)


def voted_confidence(agreement: float, score: float, beyond: float) -> float:
    """Likewise of a face put where single faces agree (the sum of their evidence) that it lies.

    Chosen by hand on 81 faces of ten hard validation types, half of them of other types.
    """
    sign = 40.0 * (score - 0.2) + 2.0 * min(agreement, 2.0) + 0.3 * (beyond - 2.2)
    return sigmoid(sign - 1.7)


def encoded_confidence(first: float, similarity: float) -> float:
    """Likewise of any face not aligned at first, once an encoder has described it where it would
    lie.

    ``similarity`` as ``similarity_to`` gives it. Fitted by logistic regression on 267 faces of 42
    validation types that were not aligned at first.
    """
    first = float(np.clip(first, 1e-4, 1 - 1e-4))
    return sigmoid(0.56 * float(np.log(first / (1 - first))) + 3.3 * similarity + 0.9)


_MOST_SIMILAR = 3
"""Faces of the type to which a face must be like: a stray may be like one of them by chance."""


_STANDING_OUT = 2.0
"""Similarity of the type's own faces, in the median, from which it tells dies: of one die or two it
was 0.6 to 1.8, of four and more 2.4 to 4.8 (four validation types, some of their dies left out)."""


def similarity_to(own: Vectors, others: Vectors) -> Floats | None:
    """How like ``others`` are to the faces of a type, ``(m,)``: standard deviations above what is
    usual between two faces of the type, in the mean of the most similar three.

    ``own`` ``(n, dimension)`` and ``others`` ``(m, dimension)`` are unit vectors, ``own`` of at
    least four faces that surely lie right. A face of another type, or one that lies wrong, is
    less like any of them than they are to each other (nine of ten measured lie below 0.0, of those
    that lie right above −0.1, half of these above 1.2). What is usual is taken from the type
    itself, so that it holds for other encoders too.

    None where it can tell nothing: among faces of one die or two, that is the usual between two
    faces, and a strike of a third would pass for a stray.
    """
    faces = own.astype(np.float64)
    alike = faces @ faces.T
    usual = alike[np.triu_indices(len(faces), 1)]
    middle = float(np.median(usual))
    spread = 1.4826 * float(np.median(np.abs(usual - middle))) + 1e-6
    np.fill_diagonal(alike, -1.0)
    if (np.median(_to_most_similar(alike)) - middle) / spread < _STANDING_OUT:
        return None
    return np.asarray((_to_most_similar(others.astype(np.float64) @ faces.T) - middle) / spread)


def _to_most_similar(alike: npt.NDArray[np.floating]) -> Floats:
    """The mean of the largest few of each row."""
    return np.asarray(np.sort(alike, axis=1)[:, -_MOST_SIMILAR:].mean(axis=1))
