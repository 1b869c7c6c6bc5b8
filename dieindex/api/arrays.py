"""A way in from arrays: faces, or embeddings, become judged pairs without a file or an index.

The same steps as a build's, in memory: align, encode, refine, take off what the type shares,
compare. For some thousands of faces; a larger collection belongs in an index, which keeps what it
has found.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from dieindex.api.arguments import Coin, checked_side, name_of
from dieindex.api.pairs import Pairs
from dieindex.api.pictures import GivenPictures
from dieindex.api.verification import Verification
from dieindex.calibration.distance import Calibration
from dieindex.calibration.fusion import VERIFIED, Fusion
from dieindex.calibration.judge_pairs import judge_pairs
from dieindex.encoder.competition import frames_less_shared
from dieindex.encoder.dense import DenseDescriptors, quantised
from dieindex.encoder.encode import Encoder, check_device
from dieindex.encoder.weights import INDEX, read_card
from dieindex.errors import UsageError
from dieindex.records import (
    FACE_SIZE,
    FLAN_RADIUS,
    OBVERSE,
    Circle,
    Face,
    Flags,
    Flan,
    Ints,
    Matrix,
    Progress,
    Side,
    Vectors,
)
from dieindex.storage.nearest import VectorIndex
from dieindex.text import counted
from dieindex.verification.candidates import (
    CandidatePairs,
    FaceVectors,
    candidate_pairs,
    shortlist_radius,
    worth_comparing,
)
from dieindex.verification.scorer import PairScores

_AT_ONCE = 256
"""Faces, or pairs, between two calls of ``progress``."""


def pairs_of_embeddings(
    embeddings: npt.ArrayLike,
    *,
    coins: Sequence[Coin] | None = None,
    side: Side = OBVERSE,
    types: npt.ArrayLike | None = None,
    labels: Sequence[Hashable | None] | None = None,
) -> Pairs:
    """Judge the pairs of coins by embeddings alone.

    Args:
        embeddings: ``(n, d)``, a row a coin; they are brought to unit length.
        coins: ids of the coins; by default ``0`` … ``n - 1``, the rows.
        side: of which side they are; it names the dies (``O1``, or ``R1``).
        types: ``(n,)``, a number for each coin's type, −1 where nothing can be told of a coin; by
            default all are of one type. How different dies lie is learned type by type.
        labels: ``(n,)`` known dies, None where unknown. What a distance means is then fitted on
            them, cross-fitted over dies: right for embeddings of another network, for which the
            shipped calibration, adapted to how these lie, is a guess.

    Raises UsageError where the array has another shape or holds what is no number, and RefitError
    where too few coins are labelled.
    """
    vectors = _unit_vectors(embeddings)
    names = _names(coins, len(vectors))
    kinds = _numbers(types, len(vectors))
    known = _labels(labels, len(vectors))
    faces = FaceVectors(np.arange(len(vectors)), vectors, kinds)
    calibration = Calibration.from_json(read_card().calibration_for(INDEX))
    candidates = _candidates(faces, calibration, verify=False)
    judged = judge_pairs(candidates, None, faces, calibration=calibration, labels=known)
    return Pairs(checked_side(side), names, judged)


def pairs_of_faces(
    faces: npt.NDArray[np.uint8] | Sequence[Face],
    masks: npt.NDArray[np.bool_] | None = None,
    *,
    coins: Sequence[Coin] | None = None,
    side: Side = OBVERSE,
    verify: bool = True,
    any_rotation: bool = False,
    device: str = "auto",
    progress: Progress | None = None,
) -> Pairs:
    """Judge the pairs of coins by their faces: align, encode and compare them, all in memory.

    Args:
        faces: ``(n, 256, 256, 3)`` uint8 RGB, one a coin, the flan in the middle with a radius of
            0.45 of the edge; or ``Face`` records, which also say where the flan is.
        masks: ``(n, 256, 256)``, True on the flan; by default that disc.
        coins: ids of the coins; by default ``0`` … ``n - 1``, the rows.
        side: the side that the faces show.
        verify: whether dense descriptors are compared too, not the vectors alone.
        any_rotation: look for every face under all turns, not only where some lie turned; slower.
        device: where the networks run: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        progress: called with the step, what is done of it, and how much there is.

    Raises UsageError where the arrays have another shape, EncoderError for a device that this
    machine lacks.
    """
    check_device(device)
    given = _faces(faces, masks, checked_side(side))
    names = _names(coins, len(given))
    encoder = Encoder.load(device=device)
    places, types, raw = _aligned(encoder, given, any_rotation, progress)
    vectors = frames_less_shared(raw, types, encoder.card.type_radius)
    found = FaceVectors(np.arange(len(given)), vectors, types)
    calibration = Calibration.from_json(encoder.card.calibration_for(INDEX))
    candidates = _candidates(found, calibration, verify=verify)
    scores: PairScores | None = None
    fusion: Fusion | None = None
    verification = Verification(encoder.card, VERIFIED, encoder.device)
    if verify and verification.possible:
        fusion = verification.fusion
        described = _described(encoder, given, places, progress)
        compared = worth_comparing(candidates, found, shortlist_radius(calibration.threshold))
        scores = _scores(verification, described, candidates, found, compared, side, progress)
    judged = judge_pairs(candidates, scores, found, calibration=calibration, fusion=fusion)
    pictures = GivenPictures(dict(zip(names, given, strict=True)))
    return Pairs(side, names, judged, pictures=pictures)


# ----------------------------------------------------------------------------------- what is given


def _unit_vectors(embeddings: npt.ArrayLike) -> Vectors:
    found = _array(embeddings, "embeddings")
    real = np.issubdtype(found.dtype, np.integer) or np.issubdtype(found.dtype, np.floating)
    if found.ndim != 2 or len(found) < 2 or not real:
        raise UsageError(
            f"embeddings: (n, d) real numbers of two coins at least, not {found.shape} "
            f"{found.dtype}."
        )
    length = np.linalg.norm(found.astype(np.float64), axis=1, keepdims=True)
    if not (np.isfinite(length) & (length > 0)).all():
        raise UsageError("embeddings: a row holds no number, or zeros alone.")
    return np.asarray(found / length, np.float32)


def _array(given: Any, name: str) -> npt.NDArray[Any]:
    try:
        return np.asarray(given)
    except ValueError as error:
        raise UsageError(f"{name}: rows of one length, not {error}.") from error


def _labels(given: Sequence[Hashable | None] | None, n: int) -> list[Hashable | None] | None:
    if given is None:
        return None
    if isinstance(given, (str, bytes)) or not isinstance(given, (Sequence, np.ndarray)):
        raise UsageError(f"labels: a die, or None, for each of the {n} coins, not {given!r}.")
    if len(given) != n:
        raise UsageError(f"labels: has {len(given)} entries for {counted(n, 'coin')}.")
    found = list(given)
    for die in found:
        if not isinstance(die, Hashable):
            raise UsageError(f"labels: {die!r} is no name of a die.")
    return found


def _names(coins: Sequence[Coin] | None, n: int) -> list[str]:
    if coins is not None and (isinstance(coins, str) or not isinstance(coins, Iterable)):
        raise UsageError(f"coins: an id for each of the {n} coins, not {coins!r}.")
    names = [name_of(coin) for coin in (range(n) if coins is None else coins)]
    if len(names) != n:
        raise UsageError(f"coins: has {len(names)} entries for {counted(n, 'coin')}.")
    if len(set(names)) != n:
        raise UsageError("coins: an id occurs twice; give one row a coin.")
    return names


def _numbers(types: npt.ArrayLike | None, n: int) -> Ints:
    found = np.zeros(n, np.int64) if types is None else _array(types, "types")
    if found.shape != (n,) or not np.issubdtype(found.dtype, np.integer):
        raise UsageError(f"types: ({n},) whole numbers, not {found.shape} {found.dtype}.")
    return found.astype(np.int64)


def _faces(
    faces: npt.NDArray[np.uint8] | Sequence[Face], masks: npt.NDArray[np.bool_] | None, side: Side
) -> list[Face]:
    if not isinstance(faces, (np.ndarray, Sequence)) or isinstance(faces, str):
        raise UsageError(f"faces: an array, or a list of Face records, not {faces!r}.")
    if len(faces) < 2:
        raise UsageError("faces: two at least are needed.")
    if not isinstance(faces, np.ndarray) and all(isinstance(each, Face) for each in faces):
        if any(each.side != side for each in faces):
            raise UsageError(f"faces: not all of them are {side}s; judge one side at a time.")
        return list(faces)
    pictures = _array(faces, "faces")
    shape = (len(pictures), FACE_SIZE, FACE_SIZE)
    if pictures.shape != (*shape, 3) or pictures.dtype != np.uint8:
        raise UsageError(
            f"faces: {(*shape, 3)} uint8, not {pictures.shape} {pictures.dtype}; "
            "or a list of Face records."
        )
    middle, radius = (FACE_SIZE - 1) / 2, FLAN_RADIUS * FACE_SIZE
    if masks is None:
        y, x = np.mgrid[:FACE_SIZE, :FACE_SIZE] - middle
        masks = np.broadcast_to(np.hypot(x, y) < radius, shape)
    masks = _array(masks, "masks")
    if masks.shape != shape:
        raise UsageError(f"masks: {shape}, not {masks.shape}.")
    flan = Flan(Circle(middle, middle, radius), 1.0, True)
    return [
        Face(side, picture, np.asarray(mask, bool), flan)
        for picture, mask in zip(pictures, masks, strict=True)
    ]


# -------------------------------------------------------------------------------------- the steps

Places = list[Matrix | None]


def _aligned(
    encoder: Encoder, faces: list[Face], any_rotation: bool, progress: Progress | None
) -> tuple[Places, Ints, Vectors]:
    """Where each face lies (None: on no frame), its type (−1: none), and its raw embedding."""
    # (Alignment loads OpenCV.)
    from dieindex.alignment.align import align_faces
    from dieindex.encoder.refine_faces import refine_faces

    found = align_faces(
        faces,
        any_rotation=any_rotation,
        vectorise=partial(encoder.encode, fill=True),
        progress=progress,
    )
    places: Places = [each.to_frame if each.aligned else None for each in found.faces]
    types = np.array([each.type if each.aligned else -1 for each in found.faces], np.int64)
    means = {number: frame.mean() for number, frame in enumerate(found.frames)}
    places, raw = refine_faces(
        encoder, faces, places, types.tolist(), means, encoder.card.type_radius
    )
    return places, types, raw


def _described(
    encoder: Encoder, faces: list[Face], places: Places, progress: Progress | None
) -> DenseDescriptors:
    parts = []
    for start in range(0, len(faces), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        found = encoder.describe(faces[part], places[part], fill=True)
        parts.append(quantised(found.descriptors, found.reliability))
        if progress is not None:
            progress("describing", min(start + _AT_ONCE, len(faces)), len(faces))
    return DenseDescriptors(
        np.concatenate([each.descriptors for each in parts]),
        np.concatenate([each.reliability for each in parts]),
    )


def _scores(
    verification: Verification,
    described: DenseDescriptors,
    candidates: CandidatePairs,
    faces: FaceVectors,
    compared: Flags,
    side: Side,
    progress: Progress | None,
) -> PairScores:
    """What the comparator says of those candidates ``(m,)`` that are to be ``compared``."""
    found = PairScores(np.full(len(candidates), np.nan), np.full(len(candidates), np.nan))
    due = np.flatnonzero(compared)
    for start in range(0, len(due), _AT_ONCE):
        part = due[start : start + _AT_ONCE]
        pairs = candidates.first[part], candidates.second[part]
        found.logit[part], found.shared[part] = verification.scorer.score_among(described, *pairs)
        if progress is not None:
            progress(side, min(start + _AT_ONCE, len(due)), len(due))
    together = faces.frame[candidates.first] == faces.frame[candidates.second]
    return replace(found, passed=together & faces.aligned[candidates.first] & ~found.done)


def _candidates(faces: FaceVectors, calibration: Calibration, *, verify: bool) -> CandidatePairs:
    told = faces.vectors, faces.ids, faces.frame
    nearest: Callable[[], VectorIndex] = partial(VectorIndex.from_vectors, *told)
    radius = shortlist_radius(calibration.threshold)
    return candidate_pairs(faces, radius, nearest, verify=verify)
