"""Coins whose obverse lies on the other coins' reverses, and the other way round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from typing import Any

from dieindex.alignment.align import align_to
from dieindex.alignment.frames import Frame
from dieindex.records import OBVERSE, REVERSE, SIDES
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.face_codec import PackedFace, unpack_face
from dieindex.workers import in_order

FEWEST_COINS = 5
MOST_COINS = 100
"""Coins that are tried in one build; more than that are no mistake but a habit."""
MOST_FRAMES = 5
"""Frames of the other side they are tried on, those of most faces first."""


def swapped_coins(catalogue: Catalogue, pool: Executor, jobs: int) -> list[str]:
    """Names of coins with both sides that look swapped, in catalogue order.

    Tried are coins of which both faces lie on no frame or on one of few faces. They look swapped
    where each of the two fits a frame of the other side that more faces lie on.
    """
    on_frame = {side: catalogue.faces_per_frame(side) for side in SIDES}
    placed = {side: {f.file: f for f in catalogue.placed_faces(side)} for side in SIDES}
    # How many faces lie on each face's frame, itself among them; 0 where it lies on none.
    others = {
        side: {
            file: 0 if face.frame is None else on_frame[side][face.frame]
            for file, face in placed[side].items()
        }
        for side in SIDES
    }
    both = [file for file in placed[OBVERSE] if file in placed[REVERSE]]
    if len(both) < FEWEST_COINS:
        return []
    most = {side: max(others[side].values()) for side in SIDES}
    foreign = [file for file in both if all(2 * others[side][file] < most[side] for side in SIDES)]
    foreign = foreign[:MOST_COINS]
    if not foreign:
        return []
    frames = {side: catalogue.frames(side) for side in SIDES}
    any_rotation = catalogue.meta("any_rotation") == "1"

    def calls() -> Iterator[tuple[Any, ...]]:
        for file in foreign:
            for side, other in ((OBVERSE, REVERSE), (REVERSE, OBVERSE)):
                counts = on_frame[other]
                largest = sorted(counts, key=lambda n: (-counts[n], n))
                more = [n for n in largest if counts[n] > max(1, others[side][file])]
                tried = [frames[other][n] for n in more[:MOST_FRAMES]]
                packed = catalogue.packed_face(placed[side][file].id)
                yield _fits, packed, tried, any_rotation

    fits = list(in_order(pool, jobs, calls(), waiting=jobs))
    crossed = [
        placed[OBVERSE][file].coin
        for file, obverse, reverse in zip(foreign, fits[::2], fits[1::2], strict=True)
        if obverse and reverse
    ]
    return list(dict.fromkeys(crossed))


def _fits(packed: PackedFace, frames: Sequence[Frame], any_rotation: bool) -> bool:
    if not frames:
        return False
    return align_to(frames, [unpack_face(packed)], any_rotation=any_rotation)[0].aligned
