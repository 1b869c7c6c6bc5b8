"""Which faces share a type: templates grown out of a sample, face by face.

A sample of faces is compared pairwise; the face that most others agree with becomes the centre of
a first template, made of the others as they lie on it (a star). The template then searches the
faces anew and is made again of what it finds, until it is the mean of all that it explains. What it
does not explain is searched for the next type.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dieindex.alignment.affine import Fit, fit_affine
from dieindex.alignment.confidence import ALIGNED_FROM, pair_evidence
from dieindex.alignment.fields import field_to_unit, rotation_of
from dieindex.alignment.search import FULL_CIRCLE, PAIR_TURN, Bank, Grid, bank_of, search
from dieindex.alignment.templates import (
    PreparedFace,
    Template,
    TemplateFit,
    best_fit,
    confidence_of,
    prepare_template,
    template_of,
)
from dieindex.records import Matrix

_LEAST_EVIDENCE = 0.5
"""Sum of pair evidences from which a face may start a type: one clear partner, or several vague."""
_WORTH_SEARCHING = 0.05
"""Evidence of the sketch from which a pair is searched wholly (of pairs with evidence 0.3 and more
on hard validation types, all are)."""
_SAMPLE_ROUNDS = 2
_FAILURES = 2
"""Samples without any two faces that agree, after which the rest is left alone."""
_FULL_ROUNDS = ((1, 2), (2,))
"""Levels of the refinements of all faces, the template made anew after each."""
_TRUST = (0.25, 0.65)
"""Correlations at which a face has no and full say in its template."""


@dataclass(frozen=True, eq=False)
class Group:
    """A type as found in a sample: its template, and the faces that it explains.

    ``members`` are positions into the faces, ``fits`` their alignments, ``confidence`` 0…1.
    """

    template: Template
    members: tuple[int, ...]
    fits: tuple[TemplateFit, ...]
    confidence: tuple[float, ...]


def find_groups(
    faces: Sequence[PreparedFace], turn: float, rng: np.random.Generator, largest: int = 12
) -> tuple[list[Group], float]:
    """The types among some faces, largest first, at most ``largest`` of them; and the degrees to
    either side that were searched.

    These are ``turn``, or all where faces of the first sample show that turns gain. Faces that no
    template explains are in no group.
    """
    grid = Grid.within(turn)
    every = [i for i in range(len(faces)) if not faces[i].field.blank]
    pairs = Pairs(faces, Grid.within(FULL_CIRCLE if turn >= FULL_CIRCLE else PAIR_TURN))
    templates = _seeds(faces, every, grid, pairs, rng, largest)
    if pairs.turns_gain and turn < FULL_CIRCLE:
        return find_groups(faces, FULL_CIRCLE, rng, largest)
    if not templates:
        return [], turn
    if len(templates) > 1:
        templates = _compete(faces, every, templates, grid)
    prepared = [prepare_template(template, grid) for template in templates]
    members: list[dict[int, TemplateFit]] = [{} for _ in prepared]
    for i in every:
        number, fitted = best_fit(faces[i], prepared, (1,))
        members[number][i] = fitted
    groups = [_group_of(faces, fits) for fits in members]
    found = sorted((g for g in groups if g is not None), key=lambda group: -len(group.members))
    return found, turn


def _seeds(
    faces: Sequence[PreparedFace],
    every: list[int],
    grid: Grid,
    pairs: Pairs,
    rng: np.random.Generator,
    largest: int,
) -> list[Template]:
    """First templates: one after the other, each of what those before it do not explain."""
    left = rng.permutation(every).tolist()
    templates: list[Template] = []
    failures = 0
    while len(left) >= 2 and len(templates) < largest and failures < _FAILURES:
        size = int(np.clip(np.sqrt(8 * len(left)), 12, 40))
        start = _star(faces, left[:size], pairs)
        if pairs.turns_gain:
            return []
        if start is None:
            failures += 1
            left = left[size:]
            continue
        template = start
        for round_ in range(_SAMPLE_ROUNDS + 1):
            among = left[:size] if round_ < _SAMPLE_ROUNDS else left
            prepared = prepare_template(template, grid)
            found = {i: best_fit(faces[i], [prepared], (1,))[1] for i in among}
            template = _of(faces, found)
        explained = [i for i, fitted in found.items() if confidence_of(fitted, template) >= 0.5]
        if len(explained) < 2:
            # The faces that seemed alike are not: go on without the first of them.
            failures += 1
            left = left[size:]
            continue
        templates.append(_of(faces, {i: found[i] for i in explained}))
        known = set(explained)
        left = [i for i in left if i not in known]
    return templates


class Pairs:
    """Coarse alignments of pairs of faces, each computed once."""

    def __init__(self, faces: Sequence[PreparedFace], grid: Grid) -> None:
        self._faces = faces
        self._grid = grid
        self._known: dict[tuple[int, int], tuple[float, Matrix]] = {}
        self.turns_gain: bool | None = None
        """Whether some face surely lies turned on another; None where none was looked for so."""

    def compare(self, sample: Sequence[int]) -> None:
        """Align every pair of a sample."""
        for place, a in enumerate(sample):
            new = [b for b in sample[:place] if (b, a) not in self._known]
            if not new:
                continue
            field = self._faces[a].field
            bank = bank_of(field.values, field.weight, field_to_unit(), self._grid)
            upright = [bank.within(PAIR_TURN)] if self._grid.full else []
            banks = [(each, each.sketch()) for each in (*upright, bank)]
            for b in new:
                found = max(_on_banks(self._faces[b], banks), key=lambda one: one[0])
                self._known[b, a] = found
                self._known[a, b] = found[0], np.linalg.inv(found[1])

    def look_for_turns(self, centre: int, sample: Sequence[int]) -> None:
        """See whether a face of the sample that does not agree with the ``centre`` upright does so
        turned: where its turned place is surer than not, and by as much surer than the upright."""
        field = self._faces[centre].field
        bank = bank_of(field.values, field.weight, field_to_unit(), Grid.within(FULL_CIRCLE))
        reach = float(np.max(np.abs(self._grid.turns)))
        self.turns_gain = False
        for other in sample:
            upright = self.evidence(other, centre)
            if other == centre or upright >= _LEAST_EVIDENCE:
                continue
            first, second = search(self._faces[other].spectrum, bank, 2)
            gain = pair_evidence(first.score, second.score) - upright
            if gain >= _LEAST_EVIDENCE and abs(rotation_of(first.to_pattern)) > reach:
                self.turns_gain = True
                return

    def evidence(self, a: int, b: int) -> float:
        """0…1; 0 of a face with itself."""
        return self._known[a, b][0] if a != b else 0.0

    def map(self, a: int, b: int) -> Matrix:
        """``(3, 3)``: units of face ``a`` to units of face ``b``."""
        return self._known[a, b][1] if a != b else np.eye(3)


def _on_banks(
    face: PreparedFace, banks: Sequence[tuple[Bank, Bank]]
) -> Iterator[tuple[float, Matrix]]:
    """How surely a face lies where on another, by that one's banks (each with its sketch): what
    lies upright for sure is not sought turned."""
    for bank, sketch in banks:
        first, second = search(face.spectrum, sketch, 2)
        evidence = pair_evidence(first.score, second.score)
        if evidence > _WORTH_SEARCHING:
            first, second = search(face.spectrum, bank, 2)
            evidence = pair_evidence(first.score, second.score)
        yield evidence, first.to_pattern
        if evidence >= _LEAST_EVIDENCE:
            return


def _star(faces: Sequence[PreparedFace], sample: list[int], pairs: Pairs) -> Template | None:
    """The template around the face that most others of the sample agree with."""
    pairs.compare(sample)
    agreement = [sum(pairs.evidence(a, b) for b in sample) for a in sample]
    centre = sample[int(np.argmax(agreement))]
    if pairs.turns_gain is None:
        pairs.look_for_turns(centre, sample)
    trust = np.array([pairs.evidence(a, centre) for a in sample])
    if trust.sum() < _LEAST_EVIDENCE:
        return None
    trust[sample.index(centre)] = max(float(trust.max()), 0.1)
    maps = [pairs.map(a, centre) for a in sample]
    return template_of([faces[a].field for a in sample], maps, trust / trust.max())


def _compete(
    faces: Sequence[PreparedFace], every: list[int], templates: list[Template], grid: Grid
) -> list[Template]:
    """The templates made anew of the faces that each of them explains best."""
    prepared = [prepare_template(template, grid) for template in templates]
    found: list[dict[int, TemplateFit]] = [{} for _ in prepared]
    for i in every:
        number, fitted = best_fit(faces[i], prepared, (1,))
        if confidence_of(fitted, prepared[number].template) >= 0.5:
            found[number][i] = fitted
    return [
        _of(faces, fits, _trusts(fits, template))
        for fits, template in zip(found, templates, strict=True)
        if len(fits) >= 2
    ]


def _group_of(faces: Sequence[PreparedFace], found: dict[int, TemplateFit]) -> Group | None:
    """The final alignments of a type's faces, each on the template of the others."""
    if len(found) < 2:
        return None
    trusts = _trusts(found, _of(faces, found))
    template = _of(faces, found, trusts)
    for levels in _FULL_ROUNDS:
        moved = {}
        for i, fitted in found.items():
            fit = fitted.fit
            rest = template.without(faces[i].field, fit.to_frame, trusts[i])
            if rest.faces > _LEAST_REST:
                fit = fit_affine(faces[i].field, rest.target(levels), fit.to_frame, levels)
            else:
                fit = Fit(fit.to_frame, 0.0)
            moved[i] = TemplateFit(fit, fitted.ratio)
        found = moved
        trusts = _trusts(found, template)
        template = _of(faces, found, trusts)
    sure = {i: confidence_of(fitted, template) for i, fitted in found.items()}
    members = [i for i in found if sure[i] >= ALIGNED_FROM]
    if len(members) < 2:
        return None
    return Group(
        template=_of(faces, {i: found[i] for i in members}),
        members=tuple(members),
        fits=tuple(found[i] for i in members),
        confidence=tuple(sure[i] for i in members),
    )


_LEAST_REST = 0.3
"""Faces' worth of others that a template must hold to judge a face of its own."""


def trust_of(score: float) -> float:
    """How much say, 0…1, a face of this correlation has in its template."""
    low, high = _TRUST
    return float(np.clip((score - low) / (high - low), 0, 1))


def _trusts(found: dict[int, TemplateFit], judge: Template) -> dict[int, float]:
    """What say each face has in the next template: little where ``judge`` doubts it."""
    return {
        i: trust_of(fitted.fit.score) * confidence_of(fitted, judge) ** 2
        for i, fitted in found.items()
    }


def _of(
    faces: Sequence[PreparedFace],
    found: dict[int, TemplateFit],
    trusts: dict[int, float] | None = None,
) -> Template:
    """The template of faces as they lie."""
    if trusts is None:
        trusts = {i: trust_of(fitted.fit.score) for i, fitted in found.items()}
    return template_of(
        [faces[i].field for i in found],
        [fitted.fit.to_frame for fitted in found.values()],
        [trusts[i] for i in found],
    )
