"""Frames of an index made again of more faces (``alignment.growing``), and the faces on no frame
tried on them once more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np

from dieindex.alignment.devices import aligner_on
from dieindex.alignment.frames import Frame
from dieindex.alignment.growing import (
    BESIDE,
    MADE_OF,
    align_beside,
    fitted_to_frames,
    grown,
    would_grow,
)
from dieindex.alignment.result import Alignment
from dieindex.elsewhere import Shared
from dieindex.records import Floats, Matrix, Side
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.face_codec import PackedFace, Unpacked, unpack_face
from dieindex.storage.face_steps import AlignedFace
from dieindex.storage.faces import PlacedFace
from dieindex.workers import in_order

CHUNK = 64
"""Faces worked on by one worker at a time."""


def grow_frames(catalogue: Catalogue, side: Side, device: str, pool: Executor, jobs: int) -> bool:
    """Make those frames of a side again that would be of twice as many faces, and try what lies on
    no frame on them; whether there were any. All is kept at once: broken off, it begins anew."""
    frames, placed = catalogue.frames(side), catalogue.placed_faces(side)
    surest = _surest_of_frames(placed)
    growing = [
        number
        for number, frame in enumerate(frames)
        if would_grow(frame, _confidence(surest.get(number, [])))
    ]
    if not growing:
        return False

    calls = (
        (
            _grown,
            catalogue.packed_faces(one.id for one in surest[number]),
            [_place(one) for one in surest[number]],
            _confidence(surest[number]),
        )
        for number in growing
    )
    again = dict(zip(growing, in_order(pool, jobs, calls, waiting=jobs), strict=True))
    left = [one.id for one in placed if one.frame is None]
    found: list[tuple[int, int, Alignment]] = []
    fitted = _fitted(catalogue, again, left, device, pool, jobs)
    beside = _calls_beside(catalogue, again, surest, fitted, device)
    for number, ids, alignments in in_order(pool, jobs, beside, waiting=jobs):
        found += [(face, number, each) for face, each in zip(ids, alignments, strict=True)]
    with catalogue.transaction():
        for number, frame in again.items():
            catalogue.replace_frame(side, number, frame)
        catalogue.put_alignments(
            [
                AlignedFace(
                    face,
                    number,
                    np.asarray(each.to_frame, np.float64),
                    float(each.confidence),
                    None,
                )
                for face, number, each in sorted(found, key=lambda one: one[0])
            ],
            frames_tried=len(frames),
            searched=False,
        )
    return True


def _surest_of_frames(placed: Sequence[PlacedFace]) -> dict[int, list[PlacedFace]]:
    """Of each frame the faces of which it would be made, surest first."""
    of_frame: dict[int, list[PlacedFace]] = {}
    for one in placed:
        if one.frame is not None:
            of_frame.setdefault(one.frame, []).append(one)
    return {
        number: sorted(there, key=lambda one: (-one.confidence, one.id))[:MADE_OF]
        for number, there in of_frame.items()
    }


def _confidence(faces: Sequence[PlacedFace]) -> Floats:
    return np.array([one.confidence for one in faces], np.float64)


def _place(face: PlacedFace) -> Matrix:
    assert face.to_frame is not None  # (It lies on a frame.)
    return face.to_frame


def _fitted(
    catalogue: Catalogue,
    again: Mapping[int, Frame],
    left: Sequence[int],
    device: str,
    pool: Executor,
    jobs: int,
) -> dict[int, list[tuple[int, Alignment]]]:
    """Those of the faces ``left`` that fit a frame, by its number."""
    numbers, shared = list(again), Shared(list(again.values()))
    any_rotation = catalogue.meta("any_rotation") == "1"
    calls = (
        (_fits, device, part, catalogue.packed_faces(part), shared, any_rotation)
        for part in (left[start : start + CHUNK] for start in range(0, len(left), CHUNK))
    )
    fitted: dict[int, list[tuple[int, Alignment]]] = {}
    for part, fits in in_order(pool, jobs, calls, waiting=jobs):
        for face, (alignment, at) in zip(part, fits, strict=True):
            if alignment.aligned:
                fitted.setdefault(numbers[at], []).append((face, alignment))
    return fitted


def _calls_beside(
    catalogue: Catalogue,
    again: Mapping[int, Frame],
    surest: Mapping[int, Sequence[PlacedFace]],
    fitted: Mapping[int, Sequence[tuple[int, Alignment]]],
    device: str,
) -> Iterator[tuple[Any, ...]]:
    for number, fits in sorted(fitted.items()):
        there = surest[number]
        spread = np.linspace(0, len(there) - 1, min(BESIDE, len(there))).astype(int)
        known = [there[k] for k in spread.tolist()]
        for start in range(0, len(fits), CHUNK):
            part = fits[start : start + CHUNK]
            ids = [face for face, _ in part]
            yield (
                _aligned_beside,
                device,
                number,
                again[number],
                catalogue.packed_faces(one.id for one in known),
                [_place(one) for one in known],
                ids,
                catalogue.packed_faces(ids),
                [alignment for _, alignment in part],
            )


def _grown(packed: Sequence[PackedFace], places: Sequence[Matrix], confidence: Floats) -> Frame:
    return grown(Unpacked(packed), places, confidence)


def _fits(
    device: str,
    ids: Sequence[int],
    packed: Sequence[PackedFace],
    frames: Shared[list[Frame]],
    any_rotation: bool,
) -> tuple[Sequence[int], list[tuple[Alignment, int]]]:
    faces = [unpack_face(each) for each in packed]
    aligner = aligner_on(device)
    return ids, fitted_to_frames(frames.value, faces, any_rotation=any_rotation, aligner=aligner)


def _aligned_beside(
    device: str,
    number: int,
    frame: Frame,
    there: Sequence[PackedFace],
    places: Sequence[Matrix],
    ids: Sequence[int],
    packed: Sequence[PackedFace],
    fitted: Sequence[Alignment],
) -> tuple[int, Sequence[int], list[Alignment]]:
    found = align_beside(
        frame,
        [unpack_face(each) for each in there],
        places,
        [unpack_face(each) for each in packed],
        fitted,
        aligner_on(device),
    )
    return number, ids, found
