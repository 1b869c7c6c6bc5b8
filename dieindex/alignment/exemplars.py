"""Fine alignment: every face at full resolution, fitted to the faces most like it.

Faces of one die show the same contours, those of a type only similar ones. A face fitted to the
mean of its type therefore lies a little differently with every lamp and every worn spot. Fitted to
a mean in which the faces most like it weigh most, and those are mostly of its own die, it lies
where they lie. Cost grows with the number of faces: similarity is taken to at most ``EXEMPLARS`` of
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from dieindex.alignment.fields import FaceField, Field, Weight, blurred, planes_of
from dieindex.alignment.realigning import (
    COARSER,
    FINE_SIZE,
    FINEST,
    ONE_BY_ONE,
    Aligner,
    Pass,
    after,
    realigned_all,
    rendered,
)
from dieindex.records import Face, Floats32, Matrix

EXEMPLARS = 192
"""Faces of a type, at most, to which similarity is taken."""
PASSES = (COARSER, FINEST, FINEST)
NEIGHBOURS = 8
"""Faces most like a face of which its own target is made."""
LEAST_WEIGHT = 0.02
"""Faces that would weigh less are left out."""
_SHARPNESS = 0.7
"""A face one (robust) standard deviation less like weighs exp(−0.7) of the most similar."""
_CLEARLY_LIKE = 2.0
"""Standard deviations above the usual from which the most similar face has full weight."""
_FEWEST_TO_RANK = 6
"""Among fewer faces similarity has no usual to stand out from: all weigh the same."""
FEWEST_TO_JUDGE = 16
"""Among fewer faces one that stands out says nothing (small mixed groups drew in strays)."""
_OF_MEAN = 0.5
"""Share of the type's mean taken off before similarity is measured: all dies show what is in it."""
_DIGEST = 56
_DIGEST_BLUR = 0.8
"""Edge of the fields by which similarity is measured, and their blur in pixels of 112."""


@dataclass(frozen=True, eq=False)
class TypeMean:
    """What a type's faces show in the mean: ``values`` ``(s, s)`` complex64, ``cover`` ``(s, s)``
    float32 the share of faces that show the place, ``faces`` how many there were."""

    values: Field
    cover: Weight
    faces: float

    def of_size(self, size: int) -> FaceField:
        """The same at another resolution."""
        if len(self.values) == size:
            return FaceField(self.values, self.cover)
        planes = self.values.view(np.float32).reshape(*self.values.shape, 2)
        smaller = cv2.resize(planes, (size, size), interpolation=cv2.INTER_AREA)
        cover = cv2.resize(self.cover, (size, size), interpolation=cv2.INTER_AREA)
        values = np.ascontiguousarray(smaller).view(np.complex64)[..., 0]
        return FaceField(values, np.asarray(cover))


@dataclass(frozen=True)
class Placed:
    """A face after its fine alignment: ``to_frame`` ``(3, 3)``, pixels of the face to pixels of the
    frame; ``score`` −1…1, its correlation with what it was fitted to; ``beyond``, how many standard
    deviations the face most similar to it is more like it than is usual (0 where too few can
    tell)."""

    to_frame: Matrix
    score: float
    beyond: float


def align_to_exemplars(
    faces: Sequence[Face],
    to_frame: Sequence[Matrix],
    mean: TypeMean | None = None,
    sure: int | None = None,
    aligner: Aligner = ONE_BY_ONE,
) -> tuple[list[Placed], TypeMean | None]:
    """Fit faces of one type, already near their places, to the faces of the type most like them.

    ``to_frame`` ``(3, 3)`` each: pixels of the face to pixels of the frame (``FRAME_SIZE``).
    ``mean`` is what is known of the type from other faces. Only the first ``sure`` faces (all
    where None) serve as exemplars; the others are fitted to them and not believed. Returns the
    places, and the mean of the sure faces (None where there is nothing to fit a face to; the maps
    are then those given).
    """
    placed = [Placed(np.asarray(matrix, np.float64), 0.0, 0.0) for matrix in to_frame]
    sure = len(faces) if sure is None else sure
    if not faces or (sure < 2 and mean is None):
        return placed, None
    spread = np.linspace(0, sure - 1, min(EXEMPLARS, sure)).astype(int)
    chosen = sorted(set(spread.tolist()))
    found = mean
    for one in PASSES:
        maps = [each.to_frame for each in placed]
        placed, found = _one_pass(one, faces, maps, chosen, mean, aligner)
    return placed, found


def mean_of_one(face: Face, to_frame: Matrix) -> TypeMean:
    """What one face alone shows in a frame."""
    field = rendered(FINEST, face, to_frame)
    return TypeMean(field.values, field.weight, 1.0)


def mean_of(faces: Sequence[Face], to_frame: Sequence[Matrix]) -> TypeMean:
    """What faces show in the mean as they lie in a frame."""
    total = np.zeros((FINE_SIZE, FINE_SIZE), np.complex64)
    cover = np.zeros((FINE_SIZE, FINE_SIZE), np.float32)
    for face, matrix in zip(faces, to_frame, strict=True):
        field = rendered(FINEST, face, matrix)
        total += field.values
        cover += field.weight
    return _mean(total, cover, len(faces))


def _mean(total: Field, cover: Weight, faces: int) -> TypeMean:
    """The mean of so many faces' fields, given their sums."""
    share = np.asarray(cover / faces, np.float32)
    return TypeMean(np.asarray(total / np.maximum(cover, 0.5), np.complex64), share, float(faces))


def _one_pass(
    one: Pass,
    faces: Sequence[Face],
    maps: list[Matrix],
    chosen: list[int],
    mean: TypeMean | None,
    aligner: Aligner,
) -> tuple[list[Placed], TypeMean | None]:
    """Every face fitted once; the mean is that of the exemplars after it."""
    shown = aligner.render(one, [faces[i] for i in chosen], [maps[i] for i in chosen])
    exemplars = _Exemplars(shown, one.size, mean)
    place = {face: k for k, face in enumerate(chosen)}
    out: list[Placed] = []
    total = np.zeros((one.size, one.size), np.complex64)
    cover = np.zeros((one.size, one.size), np.float32)
    for start in range(0, len(faces), aligner.at_once):
        part = range(start, min(start + aligner.at_once, len(faces)))
        others = [i for i in part if i not in place]
        drawn = aligner.render(one, [faces[i] for i in others], [maps[i] for i in others])
        fields = {i: shown[place[i]] for i in part if i in place}
        fields |= dict(zip(others, drawn, strict=True))
        targets = [exemplars.target(fields[i], place.get(i)) for i in part]
        found = realigned_all(
            one,
            [maps[i] for i in part],
            [fields[i] for i in part],
            [target for target, _ in targets],
            aligner,
        )
        for i, (_, beyond), (to_frame, score, change) in zip(part, targets, found, strict=True):
            out.append(Placed(to_frame, score, beyond))
            if i in place:
                moved, weight = after(planes_of(fields[i].values, fields[i].weight), change)
                total += moved
                cover += weight
    if not chosen:
        return out, mean
    return out, _mean(total, cover, len(chosen))


class _Exemplars:
    """The fields of some faces, and targets made of those most like a face."""

    def __init__(self, fields: list[FaceField], size: int, mean: TypeMean | None) -> None:
        self.fields = fields
        self._size = size
        self._mean = None if mean is None else mean.of_size(size)
        self._faces = float(len(fields)) if mean is None else mean.faces
        if not fields:
            return
        # (NumPy's sum of a list would copy all of them first.)
        self._total, self._cover = np.zeros_like(fields[0].values), np.zeros_like(fields[0].weight)
        for field in fields:
            self._total += field.values
            self._cover += field.weight
        self._usual = self._digested(FaceField(self._total, self._cover))
        digests = [self._digest(field) for field in fields]
        self._values = np.stack([values for values, _, _ in digests])
        self._energy = np.stack([energy for _, energy, _ in digests])
        self._weight = np.stack([weight for _, _, weight in digests])
        alike = np.stack([self._similarity(d) for d in digests])
        np.fill_diagonal(alike, np.nan)
        self._alike = alike
        if len(fields) >= _FEWEST_TO_RANK:
            self._level = np.nanmedian(alike, axis=1)
            centred = alike - self._level[:, None] - self._level[None]
            self._middle = float(np.nanmedian(centred))
            self._spread = 1.4826 * float(np.nanmedian(np.abs(centred - self._middle))) + 1e-6

    def target(self, field: FaceField, own: int | None) -> tuple[FaceField, float]:
        """What a face is fitted to: the faces most like it, over the mean of the type.

        ``own`` is the face's place among the exemplars: it is no witness for itself. Returns also
        how far the most similar face stands out, standard deviations.
        """
        weights, beyond = self._weights(field, own)
        nearest = np.argsort(-weights, kind="stable")[:NEIGHBOURS]
        nearest = nearest[weights[nearest] > LEAST_WEIGHT]
        others = self._faces - (own is not None and self._mean is None)
        background = self._background(field, own, others) if others > 0 else None
        alike = [(float(weights[k]), self.fields[k]) for k in nearest]
        return target_of(alike, background, others, len(field.values)), beyond

    def _background(self, field: FaceField, own: int | None, others: float) -> FaceField:
        if self._mean is not None:
            return FaceField(self._mean.values * self._mean.weight, self._mean.weight)
        values, cover = self._total, self._cover
        if own is not None:
            values, cover = values - field.values, cover - field.weight
        share = np.float32(1 / others)
        return FaceField(values * share, np.maximum(cover, 0) * share)

    def _weights(self, field: FaceField, own: int | None) -> tuple[npt.NDArray[np.floating], float]:
        """How much each exemplar says of a face, 0…1, and how far the most similar stands out."""
        if not self.fields:
            return np.zeros(0), 0.0
        best = 0.0
        alike = self._alike[own] if own is not None else self._similarity(self._digest(field))
        if len(self.fields) < _FEWEST_TO_RANK:
            weights = np.ones(len(self.fields))
        else:
            level = self._level[own] if own is not None else np.median(alike)
            beyond = (alike - level - self._level - self._middle) / self._spread
            best = float(np.nanmax(beyond))
            from_best = np.nan_to_num(beyond, nan=-99.0) - max(best, _CLEARLY_LIKE)
            weights = np.exp(_SHARPNESS * from_best)
        if own is not None:
            weights[own] = 0.0
        return np.asarray(weights), best if len(self.fields) >= FEWEST_TO_JUDGE else 0.0

    def _digested(self, field: FaceField) -> tuple[Field, Weight]:
        smooth = blurred(field.values, _DIGEST_BLUR * self._size / 112)
        planes = smooth.view(np.float32).reshape(*smooth.shape, 2)
        size = (_DIGEST, _DIGEST)
        small = np.ascontiguousarray(cv2.resize(planes, size, interpolation=cv2.INTER_AREA))
        weight = cv2.resize(field.weight, size, interpolation=cv2.INTER_AREA)
        return small.view(np.complex64)[..., 0], np.asarray(weight, np.float32)

    def _digest(self, field: FaceField) -> tuple[Floats32, Floats32, Floats32]:
        """A face less a share of the usual: values ``(2 m,)``, squares, weights ``(m,)``."""
        values, weight = self._digested(field)
        usual, cover = self._usual
        values = values - np.float32(_OF_MEAN) * weight * usual / (cover + np.float32(0.5))
        flat = values.ravel()
        return flat.view(np.float32), np.asarray(np.abs(flat) ** 2, np.float32), weight.ravel()

    def _similarity(self, digest: tuple[Floats32, Floats32, Floats32]) -> npt.NDArray[np.floating]:
        """Correlation with each exemplar over what both show, ``(exemplars,)``."""
        values, energy, weight = digest
        across = self._values @ values
        spread = (self._weight @ energy) * (self._energy @ weight)
        return np.asarray(across / np.sqrt(np.maximum(spread, 1e-9)), np.float64)


def target_of(
    alike: Sequence[tuple[float, FaceField]], background: FaceField | None, faces: float, size: int
) -> FaceField:
    """What a face is fitted to: the faces most like it with their weights, over the type's mean.

    ``background``, the mean of ``faces`` faces of the type, weighs as much as one face; None where
    there is none.
    """
    values = np.zeros((size, size), np.complex64)
    cover = np.zeros((size, size), np.float32)
    amount = squares = 0.0
    for weight, field in alike:
        values += np.float32(weight) * field.values
        cover += np.float32(weight) * field.weight
        amount += weight
        squares += weight**2
    if background is not None:
        values += background.values
        cover += background.weight
        amount += 1.0
        squares += 1.0 / faces
    worth = amount**2 / max(squares, 1e-9)  # of so many equal faces
    share = np.float32(worth / max(amount, 1e-9))
    mean = values * share / (cover * share + np.float32(min(1.0, 0.25 * worth)))
    shown = np.clip(cover * share / (0.5 * worth), 0, 1)
    return FaceField(np.asarray(mean, np.complex64), np.asarray(shown, np.float32))
