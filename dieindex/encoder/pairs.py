"""Two faces of which nothing else is known: aligned to each other where they are most alike.

The alignment proposes several places (``alignment.pairs``); both faces are encoded at each, and the
one is taken where contours fit and vectors agree best. Faces of two dies have such a place as well,
so that there is always something to judge; how sure a judgement of it can be is calibrated on pairs
aligned in this same way (``training.calibrate``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dieindex.alignment.pairs import propose
from dieindex.alignment.warping import centred_place
from dieindex.encoder.encode import DescribedFaces, Encoder
from dieindex.records import Face, Matrix


@dataclass(frozen=True, eq=False)
class AlignedPair:
    """Two faces on one frame: their ``places`` ``(3, 3)``, pixels of each to pixels of the frame,
    and both as the network describes them there, in this order."""

    places: tuple[Matrix, Matrix]
    described: DescribedFaces


def aligned_pair(
    encoder: Encoder, first: Face, second: Face, *, any_rotation: bool = False
) -> AlignedPair | None:
    """Two faces aligned to each other; the answer is the same whichever comes first.

    None where one of them shows nothing, or where they fit on each other nowhere.
    """
    if first.picture.tobytes() > second.picture.tobytes():
        turned = aligned_pair(encoder, second, first, any_rotation=any_rotation)
        return turned and AlignedPair(turned.places[::-1], turned.described.take([1, 0]))
    proposals = propose(first, second, any_rotation=any_rotation)
    if not proposals:
        return None
    middle, places = centred_place(), [each.place for each in proposals]
    described = encoder.describe([first, *[second] * len(places)], [middle, *places])
    distance = np.linalg.norm(described.vectors[1:] - described.vectors[0], axis=1)
    best = int(np.argmax([each.score for each in proposals] - distance))
    return AlignedPair((middle, places[best]), described.take([0, 1 + best]))
