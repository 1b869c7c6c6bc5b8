"""Templates: the mean orientation field of a type, and faces fitted to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from dieindex.alignment.affine import (
    FRAME_FIELD,
    Fit,
    Target,
    fit_affine_all,
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
from dieindex.alignment.realigning import ONE_BY_ONE, Aligner
from dieindex.alignment.search import (
    FULL_CIRCLE,
    USUAL_TURN,
    Bank,
    Grid,
    Peak,
    Spectrum,
    bank_of,
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

    def prepared(self, grid: Grid) -> PreparedTemplate:
        """What aligning to it by a search of ``grid`` needs: made once, and kept with it."""
        if grid not in self._prepared:
            self._prepared[grid] = prepare_template(self, grid)
        return self._prepared[grid]

    @cached_property
    def _prepared(self) -> dict[Grid, PreparedTemplate]:
        return {}

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
    """A template with what aligning to it needs. Its bank, much the largest of it, is made when it
    is asked for: of many templates few are searched for wholly at one time."""

    template: Template
    target: Target
    sketch: Bank
    searched: Grid
    turn: float | None = None
    """Degrees to either side to which the search is narrowed."""

    @property
    def bank(self) -> Bank:
        bank = _bank(self.template, self.searched)
        return bank if self.turn is None else bank.within(self.turn)

    @cached_property
    def upright(self) -> PreparedTemplate:
        """The same, searched for under the usual turns alone."""
        sketch = _bank(self.template, self.searched).within(USUAL_TURN).sketch()
        return PreparedTemplate(self.template, self.target, sketch, self.searched, USUAL_TURN)


_BANKS = 8
"""Banks kept at one time: of 5 MB each, of all turns of 17 MB."""


@lru_cache(_BANKS)
def _bank(template: Template, grid: Grid) -> Bank:
    return template.bank(grid)


def prepare_template(template: Template, grid: Grid) -> PreparedTemplate:
    """Prepare a template to be searched for on faces."""
    return PreparedTemplate(template, template.target(), _bank(template, grid).sketch(), grid)


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
    return best_fits([face], templates, levels)[0]


def best_fits(
    faces: Sequence[PreparedFace],
    templates: Sequence[PreparedTemplate],
    levels: tuple[int, ...] = (1, 2),
    aligner: Aligner = ONE_BY_ONE,
) -> list[tuple[int, TemplateFit]]:
    """``best_fit`` of many faces."""
    if not all(each.searched.full for each in templates):
        return _best_of_all_turns(faces, templates, levels, aligner)
    upright = _best_of_all_turns(faces, [each.upright for each in templates], levels, aligner)
    sure = [confidence_of(fitted, templates[number].template) for number, fitted in upright]
    doubtful = [k for k, each in enumerate(sure) if each < SAME_FROM]
    turned = _best_of_all_turns([faces[k] for k in doubtful], templates, levels, aligner)
    for k, (other, fitted) in zip(doubtful, turned, strict=True):
        gained = confidence_of(fitted, templates[other].template)
        if wider_search_confidence(gained, FULL_CIRCLE / USUAL_TURN) > sure[k]:
            upright[k] = other, fitted
    return upright


@dataclass(frozen=True, eq=False)
class _Tried:
    """A face (position) fitted to a template (likewise), and how sure it lies right."""

    face: int
    number: int
    fitted: TemplateFit
    sure: float


def _best_of_all_turns(
    faces: Sequence[PreparedFace],
    templates: Sequence[PreparedTemplate],
    levels: tuple[int, ...],
    aligner: Aligner,
) -> list[tuple[int, TemplateFit]]:
    """The best alignment of each face, whichever turn it needs."""
    if not faces:
        return []
    if not templates:
        raise ValueError("there is no template to fit a face to")
    tried = _roughly_fitted(faces, templates, aligner)
    most = [0.0] * len(faces)
    for one in tried:
        most[one.face] = max(most[one.face], one.sure)
    # What fits hardly, or much worse than another, does so after more steps too.
    least = [max(_HOPELESS, _OUTDONE * each) for each in most]
    worth = [k for k, one in enumerate(tried) if one.sure > least[one.face]]
    if levels:
        finer = fit_affine_all(
            [
                (
                    faces[tried[k].face].field,
                    templates[tried[k].number].target,
                    tried[k].fitted.fit.to_frame,
                )
                for k in worth
            ],
            levels,
            aligner.climb,
        )
        for k, fit in zip(worth, finer, strict=True):
            one = tried[k]
            fitted = TemplateFit(fit, one.fitted.ratio)
            sure = confidence_of(fitted, templates[one.number].template)
            tried[k] = _Tried(one.face, one.number, fitted, sure)
    best: dict[int, _Tried] = {}
    for one in tried:
        if one.face not in best or one.sure > best[one.face].sure:
            best[one.face] = one
    return [(best[k].number, best[k].fitted) for k in range(len(faces))]


def _roughly_fitted(
    faces: Sequence[PreparedFace], templates: Sequence[PreparedTemplate], aligner: Aligner
) -> list[_Tried]:
    """Each face fitted, at the coarsest level, to the templates that a search finds on it."""
    asked = [(k, n) for k, near in enumerate(_promising(faces, templates, aligner)) for n in near]
    peaks = _peaks_on(asked, faces, templates, aligner)
    best = [-1.0] * len(faces)
    for (k, _), (first, _) in zip(asked, peaks, strict=True):
        best[k] = max(best[k], first.score)
    starts: list[tuple[int, int, float, Matrix]] = []
    for (k, n), (first, second) in zip(asked, peaks, strict=True):
        if first.score < _RIVAL * best[k]:
            continue
        ratio = first.score / max(second.score, 1e-3)
        starts.append((k, n, ratio, first.to_pattern))
        if second.score > _CLOSE * first.score:
            starts.append((k, n, ratio, second.to_pattern))
    fits = fit_affine_all(
        [(faces[k].field, templates[n].target, start) for k, n, _, start in starts],
        (0,),
        aligner.climb,
    )
    found: dict[tuple[int, int], TemplateFit] = {}
    for (k, n, ratio, _), fit in zip(starts, fits, strict=True):
        known = found.get((k, n))
        if known is None or fit.score > known.fit.score:
            found[k, n] = TemplateFit(fit, ratio)
    return [
        _Tried(k, n, fitted, confidence_of(fitted, templates[n].template))
        for (k, n), fitted in found.items()
    ]


def _peaks_on(
    asked: Sequence[tuple[int, int]],
    faces: Sequence[PreparedFace],
    templates: Sequence[PreparedTemplate],
    aligner: Aligner,
) -> list[list[Peak]]:
    """The two best peaks of each face (position) on a template (likewise), one template after the
    other."""
    found: dict[tuple[int, int], list[Peak]] = {}
    for number in sorted({n for _, n in asked}):
        on, bank = [k for k, n in asked if n == number], templates[number].bank
        peaks = aligner.search([(faces[k].spectrum, bank, 2) for k in on])
        found |= {(k, number): each for k, each in zip(on, peaks, strict=True)}
    return [found[one] for one in asked]


_HOPELESS = 0.01
_OUTDONE = 0.1
"""Confidence after the first level, absolute and as a share of the best template's, from which a
fit is worth the finer levels."""


def _promising(
    faces: Sequence[PreparedFace], templates: Sequence[PreparedTemplate], aligner: Aligner
) -> list[list[int]]:
    """Of each face the templates worth a whole search, by their sketches."""
    if len(templates) <= _WHOLLY:
        return [list(range(len(templates)))] * len(faces)
    found = aligner.search([(face.spectrum, one.sketch, 1) for face in faces for one in templates])
    scores = np.array([peaks[0].score for peaks in found]).reshape(len(faces), len(templates))
    return [
        sorted(order[:_WHOLLY].tolist()) for order in np.argsort(-scores, axis=1, kind="stable")
    ]


def confidence_of(fitted: TemplateFit, template: Template) -> float:
    """How sure an alignment is right, 0…1."""
    growth = growth_of(fitted.fit.to_frame) - template.growth
    shift = float(np.hypot(*(centre_of(fitted.fit.to_frame) - np.array(template.middle))))
    return fit_confidence(fitted.fit.score, fitted.ratio, template.faces, growth, shift)
