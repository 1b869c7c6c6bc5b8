"""Comparing two picture files, without an index."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from dieindex.api.arguments import name_of, side_or_none
from dieindex.api.comparison import Comparison
from dieindex.api.cutting import content_of, cut_faces_of
from dieindex.api.seen import SeenFace, View, descriptors_of, on_frame
from dieindex.api.verdicts import judged
from dieindex.api.verification import Verification
from dieindex.calibration.distance import Calibration
from dieindex.calibration.fusion import VERIFIED_PAIR
from dieindex.calibration.two_kinds import TWO_FILES
from dieindex.encoder.encode import Encoder, check_device
from dieindex.encoder.weights import PAIR
from dieindex.outputs import NOTHING_READ
from dieindex.records import SIDES, Face, PathLike, Side

ALONE = (
    "two pictures alone: what all dies of the type share cannot be told from what is this die's "
    "own; an index of more coins of the type knows better"
)
NOT_ALIGNED = "the two faces could not be aligned to each other"


def compare(
    a: PathLike, b: PathLike, *, side: Side | None = None, device: str = "auto"
) -> Comparison:
    """Whether the coins on two picture files share a die; no index is needed.

    ``side`` is the side of pictures that show a single one (an obverse where not said). Raises
    PictureError where a file cannot be used.
    """

    side = side_or_none(side)
    check_device(device)
    paths = [Path(name_of(name)) for name in (a, b)]
    cut = [{face.side: face for face in cut_faces_of(path, side)} for path in paths]
    encoder = Encoder.load(device=device)
    calibration = Calibration.from_json(encoder.card.calibration_for(PAIR))
    seen: tuple[dict[Side, SeenFace], dict[Side, SeenFace]] = ({}, {})
    for each in SIDES if side is None else (side,):
        faces = [found[each] for found in cut if each in found]
        if len(faces) == 2:
            for view, face in zip(seen, _aligned_to_each_other(encoder, *faces), strict=True):
                view[each] = face
        elif faces:
            seen[0 if each in cut[0] else 1][each] = _as_cut(faces[0])
    first, second = (
        View(view, None, content_of(path)) for view, path in zip(seen, paths, strict=True)
    )
    verification = Verification(encoder.card, VERIFIED_PAIR, encoder.device)
    found = judged(
        name_of(a),
        name_of(b),
        first,
        second,
        calibration.threshold,
        lambda _: calibration,
        side,
        verification if verification.possible else None,
        lambda _: TWO_FILES,
        ALONE,
    )
    return replace(found, sources=NOTHING_READ.with_files(*paths))


def _aligned_to_each_other(encoder: Encoder, first: Face, second: Face) -> list[SeenFace]:
    # (Alignment loads OpenCV.)
    from dieindex.encoder.pairs import aligned_pair

    pair = aligned_pair(encoder, first, second)
    if pair is None:
        vectors = encoder.encode([first, second], [None, None])
        return [
            SeenFace(vector, NOT_ALIGNED, lambda face=face: on_frame(face, None))  # type: ignore[misc]
            for vector, face in zip(vectors, (first, second), strict=True)
        ]
    return [
        SeenFace(
            pair.described.vectors[row],
            None,
            lambda face=face, place=place: on_frame(face, place),  # type: ignore[misc]
            descriptors=lambda row=row: descriptors_of(pair.described, row),  # type: ignore[misc]
        )
        for row, (face, place) in enumerate(zip((first, second), pair.places, strict=True))
    ]


def _as_cut(face: Face) -> SeenFace:
    """A face that has no partner; nothing is asked of it but to be there."""
    return SeenFace(np.zeros(0, np.float32), None, lambda: on_frame(face, None))
