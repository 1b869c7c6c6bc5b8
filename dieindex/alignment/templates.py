"""Templates: the mean orientation field of a type, and faces fitted to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dieindex.alignment.affine import (
    FRAME_FIELD,
    Fit,
    Target,
    fit_affine,
    frame_to_unit,
    target_of,
)
from dieindex.alignment.confidence import fit_confidence, wider_search_confidence
from dieindex.alignment.fields import (
    FaceField,
    Field,
    Weight,
    field_to_unit,
    planes_of,
    warped,
)
from dieindex.alignment.search import (
    FULL_CIRCLE,
    USUAL_TURN,
    Bank,
    Grid,
    Spectrum,
    bank_of,
    search,
    spectrum_of,
)
from dieindex.records import SAME_FROM, Matrix

_SHRINK = 1.0
"""Faces' worth of nothing mixed into a mean: where one face alone speaks, it speaks softly."""


@dataclass(frozen=True, eq=False)
class PreparedFace:
    """A face ready to be aligned: its field and its spectra."""

    field: FaceField
    spectrum: Spectrum


def prepare_face(field: FaceField) -> PreparedFace:
    """Compute the spectra of a face's field."""
    return PreparedFace(field, spectrum_of(field.values, field.weight, field_to_unit()))


@dataclass(frozen=True, eq=False)
class Template:
    """The sum of faces in their common frame.

    ``total`` ``(FRAME_FIELD, FRAME_FIELD)`` complex64 is the sum of their fields, ``cover`` float32
    that of their weights, ``faces`` that of their trusts. ``growth`` is the natural logarithm of
    its faces' mean scale in the frame, ``middle`` the mean place of their flans' centres.
    """

    total: Field
    cover: Weight
    faces: float
    growth: float = 0.0
    middle: tuple[float, float] = (0.0, 0.0)

    @property
    def values(self) -> Field:
        """The mean field, long where the faces agree; unsure where few faces show the place."""
        return np.asarray(self.total / (self.cover + _SHRINK * min(1.0, 0.25 * self.faces)))

    @property
    def weight(self) -> Weight:
        """0…1: full where at least half of the faces show the place."""
        return np.asarray(np.minimum(1, self.cover / max(0.5 * self.faces, 1e-6)), np.float32)

    def target(self, levels: tuple[int, ...] = (0, 1, 2)) -> Target:
        return target_of(self.values, self.weight, levels)

    def bank(self, grid: Grid) -> Bank:
        return bank_of(self.values, self.weight, frame_to_unit(), grid)

    def without(self, field: FaceField, to_frame: Matrix, trust: float) -> Template:
        """The template had this face of its own not been in it: nothing may vouch for itself."""
        values, weight = field_in_frame(field, to_frame)
        cover = np.maximum(self.cover - np.float32(trust) * weight, 0)
        return Template(
            self.total - np.complex64(trust) * values,
            cover,
            self.faces - trust,
            self.growth,
            self.middle,
        )


def field_in_frame(field: FaceField, to_frame: Matrix) -> tuple[Field, Weight]:
    """A face's field and weight in the frame."""
    place = np.linalg.inv(field_to_unit()) @ np.linalg.inv(to_frame) @ frame_to_unit()
    return warped(planes_of(field.values, field.weight), place, FRAME_FIELD)


@dataclass(frozen=True, eq=False)
class PreparedTemplate:
    """A template with everything computed that aligning to it needs."""

    template: Template
    target: Target
    bank: Bank
    sketch: Bank

    @property
    def upright(self) -> PreparedTemplate:
        """The same, searched for under the usual turns alone."""
        bank = self.bank.within(USUAL_TURN)
        return PreparedTemplate(self.template, self.target, bank, bank.sketch())


def prepare_template(template: Template, grid: Grid) -> PreparedTemplate:
    """Prepare a template to be searched for on faces."""
    bank = template.bank(grid)
    return PreparedTemplate(template, template.target(), bank, bank.sketch())


def template_of(
    fields: Sequence[FaceField], to_frame: Sequence[Matrix], trust: npt.ArrayLike
) -> Template:
    """The sum of faces aligned to a frame, each with its trust (0…1)."""
    total = np.zeros((FRAME_FIELD, FRAME_FIELD), np.complex64)
    cover = np.zeros((FRAME_FIELD, FRAME_FIELD), np.float32)
    trusts = np.asarray(trust, np.float32)
    for field, matrix, share in zip(fields, to_frame, trusts, strict=True):
        if share > 0:
            values, weight = field_in_frame(field, matrix)
            total += share * values
            cover += share * weight
    growths = [growth_of(matrix) for matrix in to_frame]
    growth = float(trusts @ np.array(growths)) / max(float(trusts.sum()), 1e-6)
    centres = np.array([centre_of(matrix) for matrix in to_frame])
    x, y = trusts @ centres / max(float(trusts.sum()), 1e-6)
    return Template(total, cover, float(trusts.sum()), growth, (float(x), float(y)))


def centre_of(matrix: Matrix) -> npt.NDArray[np.floating]:
    """Where a map takes the origin, ``(2,)``."""
    return np.asarray(matrix[:2, 2] / matrix[2, 2])


def growth_of(matrix: Matrix) -> float:
    """Natural logarithm of the scale of a map, in the middle."""
    affine = matrix[:2, :2] / matrix[2, 2]
    return 0.5 * float(np.log(max(abs(float(np.linalg.det(affine))), 1e-12)))


@dataclass(frozen=True, eq=False)
class TemplateFit:
    """A face fitted to a template: the fit, and how far its peak of the search stands out (≥ 1)."""

    fit: Fit
    ratio: float


_CLOSE = 0.85
"""A second peak of the search is worth refining from this share of the first."""
_WHOLLY = 3
"""Templates, at most, that are searched for wholly on a face."""
_RIVAL = 0.8
"""Likewise the best peak on another template."""


def best_fit(
    face: PreparedFace,
    templates: Sequence[PreparedTemplate],
    levels: tuple[int, ...] = (1, 2),
) -> tuple[int, TemplateFit]:
    """The best alignment of a face: a global search on every template, the best peaks refined.

    ``levels`` are those of the refinement after the first. Where all turns are searched, a face
    that surely lies upright is not turned, and another only where it lies surer so: what looks
    alike at several turns (a cross, a wreath), or does so under its lamp, stays upright. Returns
    the template's position and the alignment. Raises ValueError where there is no template.
    """
    if not all(each.bank.grid.full for each in templates):
        return _best_of_all_turns(face, templates, levels)
    number, upright = _best_of_all_turns(face, [each.upright for each in templates], levels)
    sure = confidence_of(upright, templates[number].template)
    if sure >= SAME_FROM:
        return number, upright
    other, turned = _best_of_all_turns(face, templates, levels)
    gained = confidence_of(turned, templates[other].template)
    if wider_search_confidence(gained, FULL_CIRCLE / USUAL_TURN) > sure:
        return other, turned
    return number, upright


def _best_of_all_turns(
    face: PreparedFace, templates: Sequence[PreparedTemplate], levels: tuple[int, ...]
) -> tuple[int, TemplateFit]:
    """The best alignment of a face, whichever turn it needs."""
    peaks = {n: search(face.spectrum, templates[n].bank, 2) for n in _promising(face, templates)}
    best = max(first.score for first, _ in peaks.values())
    tried: list[tuple[float, int, TemplateFit]] = []
    for number, (first, second) in peaks.items():
        if first.score < _RIVAL * best:
            continue
        target = templates[number].target
        ratio = first.score / max(second.score, 1e-3)
        fit = fit_affine(face.field, target, first.to_pattern, (0,))
        if second.score > _CLOSE * first.score:
            other = fit_affine(face.field, target, second.to_pattern, (0,))
            fit = max(fit, other, key=lambda one: one.score)
        fitted = TemplateFit(fit, ratio)
        tried.append((confidence_of(fitted, templates[number].template), number, fitted))
    most = max(sure for sure, _, _ in tried)
    done: list[tuple[float, int, TemplateFit]] = []
    for sure, number, fitted in tried:
        # What fits hardly, or much worse than another, does so after more steps too.
        if levels and sure > max(_HOPELESS, _OUTDONE * most):
            fit = fit_affine(face.field, templates[number].target, fitted.fit.to_frame, levels)
            fitted = TemplateFit(fit, fitted.ratio)
            sure = confidence_of(fitted, templates[number].template)
        done.append((sure, number, fitted))
    _, number, best_laid = max(done, key=lambda one: one[0])
    return number, best_laid


_HOPELESS = 0.01
_OUTDONE = 0.1
"""Confidence after the first level, absolute and as a share of the best template's, from which a
fit is worth the finer levels."""


def _promising(face: PreparedFace, templates: Sequence[PreparedTemplate]) -> list[int]:
    """The templates worth a whole search, by their sketches."""
    if len(templates) <= _WHOLLY:
        return list(range(len(templates)))
    scores = np.array([search(face.spectrum, each.sketch)[0].score for each in templates])
    return sorted(np.argsort(-scores, kind="stable")[:_WHOLLY].tolist())


def confidence_of(fitted: TemplateFit, template: Template) -> float:
    """How sure an alignment is right, 0…1."""
    growth = growth_of(fitted.fit.to_frame) - template.growth
    shift = float(np.hypot(*(centre_of(fitted.fit.to_frame) - np.array(template.middle))))
    return fit_confidence(fitted.fit.score, fitted.ratio, template.faces, growth, shift)
