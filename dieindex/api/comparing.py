"""Comparing two coins, known to an index or only by their picture files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dieindex.api.arguments import name_of, side_or_none
from dieindex.api.comparison import Comparison
from dieindex.collection.pictures import PICTURE_SUFFIXES
from dieindex.errors import IndexFolderError, PictureError
from dieindex.records import FACE_SIZE, OBVERSE, SIDES, Face, PathLike, Side, Vectors, Verdict
from dieindex.text import BuildCall

if TYPE_CHECKING:
    from dieindex.api.verification import Verification
    from dieindex.calibration.distance import Calibration
    from dieindex.encoder.dense import DenseDescriptors
    from dieindex.encoder.encode import DescribedFaces, Encoder
    from dieindex.verification.agreement import Agreement

COMPARE_PRIOR = 0.5
"""What ``compare`` assumes before looking: a person who asks about two coins has a reason to."""
TWO_FILES = (
    "two pictures alone: what all dies of the type share cannot be told from what is this die's "
    "own; an index of more coins of the type knows better"
)
NOT_ALIGNED = "the two faces could not be aligned to each other"
_SHOWN_SIZE = 2 * FACE_SIZE


@dataclass(frozen=True, eq=False)
class SeenFace:
    """A face as it enters a comparison."""

    vector: Vectors
    """(dimension,), of unit length."""
    unaligned: str | None
    """Why it lies on no frame; None where it lies on one."""
    rendered: Callable[[], Face]
    """The face as it lies on its frame."""
    frame: int = 0
    """The frame it lies on; two faces must lie on the same to be compared in detail."""
    descriptors: Callable[[], DenseDescriptors | None] = lambda: None
    """Its dense descriptors, where they are kept."""


@dataclass(frozen=True, eq=False)
class View:
    """A coin as it enters a comparison: its faces, and how it is known."""

    faces: Mapping[Side, SeenFace]
    coin: str | None = None
    """Its name in the index, where it is known to one."""
    content: str | None = None
    """Digest of its picture file, where that was named."""


def compare(
    a: PathLike, b: PathLike, *, side: Side | None = None, device: str = "auto"
) -> Comparison:
    """Whether the coins on two picture files share a die; no index is needed.

    ``side`` is the side of pictures that show a single one (an obverse where not said). Raises
    PictureError where a file cannot be used.
    """
    from dieindex.api.verification import Verification
    from dieindex.calibration.distance import Calibration
    from dieindex.calibration.fusion import VERIFIED_PAIR
    from dieindex.encoder.encode import Encoder
    from dieindex.encoder.weights import PAIR

    side = side_or_none(side)
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
    return judged(
        name_of(a),
        name_of(b),
        first,
        second,
        lambda _: calibration,
        side,
        verification if verification.possible else None,
        TWO_FILES,
    )


def _aligned_to_each_other(encoder: Encoder, first: Face, second: Face) -> list[SeenFace]:
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


def descriptors_of(described: DescribedFaces, row: int) -> DenseDescriptors:
    """What verification sees of one face, as an index would keep it."""
    from dieindex.encoder.dense import quantised

    part = slice(row, row + 1)
    return quantised(described.descriptors[part], described.reliability[part])


def _as_cut(face: Face) -> SeenFace:
    """A face that has no partner; nothing is asked of it but to be there."""
    return SeenFace(np.zeros(0, np.float32), None, lambda: on_frame(face, None))


def judged(
    a: str,
    b: str,
    first: View,
    second: View,
    calibration_of: Callable[[Side], Calibration],
    only: Side | None,
    verification: Verification | None = None,
    note: str | None = None,
) -> Comparison:
    """The verdict on every side that both coins show, or on ``only`` one.

    ``calibration_of`` tells what a distance means on a side; ``verification`` compares the faces
    where it is given and they are known. Where nothing can be told, ``note`` is part of the reason.
    """
    verdicts: dict[Side, Verdict | None] = {}
    known = _why_the_same(a, b, first, second)
    for side in SIDES:
        if side not in first.faces or side not in second.faces or only not in (None, side):
            verdicts[side] = None
        elif known is not None:
            verdicts[side] = Verdict(
                "same", 1.0, COMPARE_PRIOR, 0.0, calibration_of(side).threshold, "embedding", known
            )
        else:
            verdict = _verdict(
                first.faces[side], second.faces[side], calibration_of(side), verification
            )
            if note is not None and verdict.verdict == "cannot tell":
                verdict = replace(verdict, reason=f"{verdict.reason}; {note}")
            verdicts[side] = verdict
    return Comparison(
        a,
        b,
        verdicts[SIDES[0]],
        verdicts[SIDES[1]],
        None if known is not None else note,
        _Seen(first, second, verification),
    )


@dataclass(frozen=True, eq=False)
class _Seen:
    """What can be seen of two views; see ``comparison.Evidence``."""

    first: View
    second: View
    verification: Verification | None

    def faces(self, side: Side) -> tuple[Face, Face]:
        return self.first.faces[side].rendered(), self.second.faces[side].rendered()

    def agreement(self, side: Side) -> Agreement | None:
        if self.verification is None:
            return None
        found = _both_descriptors(self.first.faces[side], self.second.faces[side])
        return None if found is None else self.verification.agreement(*found)

    def apart(self, side: Side) -> str | None:
        return _why_apart(self.first.faces[side], self.second.faces[side])


def _why_apart(first: SeenFace, second: SeenFace) -> str | None:
    """Why two faces do not lie on each other; None where they do."""
    if reason := first.unaligned or second.unaligned:
        return reason
    return None if first.frame == second.frame else "they lie on the frames of two types"


def _why_the_same(a: str, b: str, first: View, second: View) -> str | None:
    """Why two views are of one coin, whatever its faces look like; None where they are not."""
    if a == b or (first.coin is not None and first.coin == second.coin):
        return "it is the same coin"
    if first.content is not None and first.content == second.content:
        return "it is the same photograph"
    return None


def _verdict(
    first: SeenFace,
    second: SeenFace,
    calibration: Calibration,
    verification: Verification | None,
) -> Verdict:
    from dieindex.calibration.verdict import embedding_verdict, unaligned_verdict
    from dieindex.numeric import unit_distance

    distance = float(unit_distance(first.vector @ second.vector))
    reason = first.unaligned or second.unaligned
    if reason is not None:
        return unaligned_verdict(distance, calibration.threshold, COMPARE_PRIOR, reason)
    both = None if verification is None else _both_descriptors(first, second)
    if verification is not None and both is not None:
        return verification.verdict(*both, distance, calibration.threshold, COMPARE_PRIOR)
    return embedding_verdict(
        distance,
        calibration.threshold,
        calibration.log_likelihood_ratio(distance),
        COMPARE_PRIOR,
    )


def _both_descriptors(
    first: SeenFace, second: SeenFace
) -> tuple[DenseDescriptors, DenseDescriptors] | None:
    """The dense descriptors of two faces that lie on one frame, where both are known."""
    if _why_apart(first, second) is not None:
        return None
    one, other = first.descriptors(), second.descriptors()
    return None if one is None or other is None else (one, other)


def on_frame(face: Face, place: npt.NDArray[np.floating] | None) -> Face:
    """A face as it lies on its frame; None: as it was cut."""
    if place is None:
        return face
    from dieindex.alignment.warping import warp_to_frame

    picture, mask = warp_to_frame(face.picture, face.mask, place, _SHOWN_SIZE)
    return replace(face, picture=picture, mask=mask)


def cut_faces_of(path: Path, side: Side | None) -> list[Face]:
    """The faces on a picture file. Raises PictureError where there are none to be had."""
    from dieindex.collection.photographs import cut_file

    if not path.is_file():
        raise PictureError(f"{path}: no such picture, and no coin of an index.")
    return cut_file(path, default_side=side or OBVERSE)


def cut_faces(picture: PathLike, *, side: Side | None = None) -> list[Face]:
    """The faces on a picture file, cut out and normalised: the obverse first where both are there.

    ``side`` is the side of a picture that shows a single one (an obverse where not said). Raises
    PictureError where there are none to be had.
    """
    return cut_faces_of(Path(picture), side_or_none(side))


def content_of(path: Path) -> str:
    """The digest by which a photograph is known whatever it is called."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def encoder_for(folder: Path, version: str | None) -> Encoder:
    """The encoder of an index: its own, or the shipped one.

    Raises IndexFolderError where it is not the one the index was built with.
    """
    from dieindex.encoder.encode import Encoder
    from dieindex.storage.folder import encoder_card

    card = encoder_card(folder)
    if version != card.version:
        raise IndexFolderError(
            f"The index was built with encoder {version}, this dieindex has {card.version}; run ",
            BuildCall(reencode=True),
            ".",
        )
    return Encoder(card)


def is_picture_name(path: PathLike) -> bool:
    """Whether a file of this name would be taken for a picture."""
    return Path(path).suffix.lower() in PICTURE_SUFFIXES
