"""Coins whose obverse lies on the other coins' reverses, and the other way round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from dieindex.indexing.align import stored_faces, stored_frames
from dieindex.records import OBVERSE, REVERSE, SIDES, Side
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.face_codec import StoredFace, restored
from dieindex.workers import in_order

FEWEST_COINS = 5
MOST_LOOKED_AT = 100
"""Coins that are looked at in one build; more than that are no mistake but a habit."""
MOST_FRAMES = 5
"""Frames of the other side they are laid on, those of most faces first."""


@dataclass(frozen=True)
class _Lying:
    id: int
    coin: str
    others: int
    """Faces on the frame it lies on; 0 where it lies on none."""


def swapped_coins(catalogue: Catalogue, pool: Executor, jobs: int) -> list[str]:
    """Names of coins with both sides that look swapped, in catalogue order.

    PairScores at are coins of which both faces lie on no frame or on one of few faces. They look
    swapped where each of the two fits a frame of the other side that more faces lie on.
    """
    lying = {side: _lying(catalogue, side) for side in SIDES}
    both = [file for file in lying[OBVERSE] if file in lying[REVERSE]]
    if len(both) < FEWEST_COINS:
        return []
    most = {side: max(each.others for each in lying[side].values()) for side in SIDES}
    foreign = [
        file for file in both if all(2 * lying[side][file].others < most[side] for side in SIDES)
    ][:MOST_LOOKED_AT]
    if not foreign:
        return []
    frames = {side: stored_frames(catalogue, side) for side in SIDES}
    counts = {side: _counts(catalogue, side) for side in SIDES}
    turning = catalogue.meta("any_rotation") == "1"

    def calls() -> Iterator[tuple]:
        for file in foreign:
            for side, other in ((OBVERSE, REVERSE), (REVERSE, OBVERSE)):
                face = lying[side][file]
                largest = sorted(counts[other], key=lambda n: (-counts[other][n], n))
                aims = [n for n in largest if counts[other][n] > max(1, face.others)][:MOST_FRAMES]
                kept = stored_faces(catalogue, [face.id])[0]
                yield _fits, kept, [frames[other][n] for n in aims], turning

    fits = list(in_order(pool, jobs, calls(), waiting=jobs))
    crossed = [
        lying[OBVERSE][file].coin
        for file, obverse, reverse in zip(foreign, fits[::2], fits[1::2], strict=True)
        if obverse and reverse
    ]
    return list(dict.fromkeys(crossed))


def _fits(kept: StoredFace, frames: Sequence, turning: bool) -> bool:
    from dieindex.alignment.align import align_to

    return bool(frames) and align_to(frames, [restored(kept)], any_rotation=turning)[0].aligned


def _lying(catalogue: Catalogue, side: Side) -> dict[str, _Lying]:
    """The side's faces by file."""
    counts = _counts(catalogue, side)
    return {
        file: _Lying(number, coin, 0 if frame is None else counts[frame])
        for number, file, coin, frame in catalogue.rows(
            "SELECT f.id, p.file, p.coin, f.frame FROM faces f"
            " JOIN photographs p ON p.id = f.photograph"
            " WHERE f.side = ? AND p.state = 'done' ORDER BY f.id",
            (side,),
        )
    }


def _counts(catalogue: Catalogue, side: Side) -> dict[int, int]:
    """How many present faces lie on each frame of a side."""
    return dict(
        catalogue.rows(
            "SELECT f.frame, count(*) FROM faces f JOIN photographs p ON p.id = f.photograph"
            " WHERE f.side = ? AND p.state = 'done' AND f.frame IS NOT NULL GROUP BY f.frame",
            (side,),
        )
    )
