"""Which faces share a type: templates grown out of a sample, face by face.

A sample of faces is compared pairwise; the face that most others agree with becomes the centre of
a first template, made of the others as they lie on it (a star). The template then searches the
faces anew and is made again of what it finds, until it is the mean of all that it explains. What it
does not explain is searched for the next type.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from dieindex.alignment.fields import field_to_unit
from dieindex.alignment.refine import Fit, Matrix, refine
from dieindex.alignment.search import Grid, bank_of, search
from dieindex.alignment.support import pair_evidence, support_of
from dieindex.alignment.templates import (
    Laid,
    Prepared,
    Template,
    aim_of,
    lay,
    template_of,
)

Step = Callable[[int], None]

_LEAST_EVIDENCE = 0.5
"""Sum of pair evidences from which a face may start a type: one clear partner, or several vague."""
_SAMPLE_ROUNDS = 2
_FULL_ROUNDS = ((1, 2), (2,))
"""Levels of the refinements of all faces, the template made anew after each."""
_TRUST = (0.25, 0.65)
"""Correlations at which a face has no and full say in its template."""


@dataclass(frozen=True, eq=False)
class Group:
    """A type as found in a sample: its template, and the faces that it explains.

    ``members`` are positions into the faces, ``laid`` their alignments, ``support`` 0…1.
    """

    template: Template
    members: tuple[int, ...]
    laid: tuple[Laid, ...]
    support: tuple[float, ...]


def find_groups(
    faces: Sequence[Prepared],
    turn: float,
    rng: np.random.Generator,
    largest: int = 12,
    step: Step | None = None,
) -> list[Group]:
    """The types among some faces, largest first; at most ``largest`` of them.

    ``turn`` degrees to either side are searched (180: all). Faces that no template explains are
    in no group. ``step`` is told how many faces have been explained or given up.
    """
    grid = Grid.within(turn)
    pair_grid = Grid.within(min(180.0, 1.4 * turn))
    left = [i for i in range(len(faces)) if not faces[i].field.blank]
    groups: list[Group] = []
    failures = 0
    while len(left) >= 2 and len(groups) < largest and failures < _FAILURES:
        size = int(np.clip(np.sqrt(6 * len(left)), 12, 36))
        sample = sorted(rng.permutation(left)[:size].tolist())
        start = _star(faces, sample, pair_grid)
        group = None if start is None else _grow(faces, left, sample, start, grid)
        if group is None:
            failures += 1
            if size >= len(left):
                break
            continue
        groups.append(group)
        found = set(group.members)
        left = [i for i in left if i not in found]
        if step is not None:
            step(len(faces) - len(left))
    return sorted(groups, key=lambda group: -len(group.members))


_FAILURES = 2
"""Samples without any two faces that agree, after which the rest is left alone."""


def _star(faces: Sequence[Prepared], sample: list[int], grid: Grid) -> Template | None:
    """The template around the face that most others of the sample agree with."""
    count = len(sample)
    evidence = np.zeros((count, count))
    maps: dict[tuple[int, int], Matrix] = {}
    for a in range(1, count):
        field = faces[sample[a]].field
        bank = bank_of(field.values, field.weight, field_to_unit(), grid)
        for b in range(a):
            first, second = search(faces[sample[b]].spectrum, bank, 2)
            evidence[a, b] = evidence[b, a] = pair_evidence(first.score, second.score)
            maps[b, a] = first.to_pattern
            maps[a, b] = np.linalg.inv(first.to_pattern)
    centre = int(evidence.sum(1).argmax())
    if evidence[centre].sum() < _LEAST_EVIDENCE:
        return None
    trust = evidence[centre].copy()
    trust[centre] = max(float(trust.max()), 0.1)
    return template_of(
        [faces[i].field for i in sample],
        [np.eye(3) if b == centre else maps[b, centre] for b in range(count)],
        trust / trust.max(),
    )


def _grow(
    faces: Sequence[Prepared], left: list[int], sample: list[int], start: Template, grid: Grid
) -> Group | None:
    """All faces that a template explains, after making it anew of them."""
    template = start
    for round_ in range(_SAMPLE_ROUNDS + 1):
        last = round_ == _SAMPLE_ROUNDS
        among = left if last else sample
        aim = aim_of(template, grid)
        found = {i: lay(faces[i], aim, (1,)) for i in among}
        template = _of(faces, {i: each.fit for i, each in found.items()})
    fits = {i: each.fit for i, each in found.items()}
    for levels in _FULL_ROUNDS:
        shares = _trusts(fits)
        moved = {}
        for i, fit in fits.items():
            rest = template.without(faces[i].field, fit.to_frame, shares[i])
            moved[i] = (
                refine(faces[i].field, rest.target(levels), fit.to_frame, levels)
                if rest.faces > 0.5
                else Fit(fit.to_frame, 0.0)
            )
        fits = moved
        template = _of(faces, fits)
    support = {i: support_of(fit.score, found[i].ratio, template.faces) for i, fit in fits.items()}
    members = [i for i in left if support[i] >= 0.5]
    if len(members) < 2:
        return None
    template = template_of(
        [faces[i].field for i in members],
        [fits[i].to_frame for i in members],
        [trust_of(fits[i].score) for i in members],
    )
    return Group(
        template,
        tuple(members),
        tuple(Laid(fits[i], found[i].ratio) for i in members),
        tuple(support[i] for i in members),
    )


def trust_of(score: float) -> float:
    """How much say, 0…1, a face of this correlation has in its template."""
    low, high = _TRUST
    return float(np.clip((score - low) / (high - low), 0, 1))


def _trusts(fits: dict[int, Fit]) -> dict[int, float]:
    return {i: trust_of(fit.score) for i, fit in fits.items()}


def _of(faces: Sequence[Prepared], fits: dict[int, Fit]) -> Template:
    return template_of(
        [faces[i].field for i in fits],
        [fit.to_frame for fit in fits.values()],
        [trust_of(fit.score) for fit in fits.values()],
    )
