"""Aligning the faces of a collection: the way in to this stage.

``align_faces`` finds the types of a collection and aligns every face to the frame of its type,
``align_to`` aligns faces to frames that exist (``pairs`` one face to another). Time and memory grow
with the number of faces: frames are found on a sample, then every face is aligned by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dieindex.alignment.confidence import ALIGNED_FROM
from dieindex.alignment.fields import field_of, rotation_of
from dieindex.alignment.fine import align_finely
from dieindex.alignment.frames import Frame
from dieindex.alignment.groups import Group, find_groups, trust_of
from dieindex.alignment.merging import merge_frames
from dieindex.alignment.realigning import ONE_BY_ONE, Aligner
from dieindex.alignment.result import (
    NO_TYPE,
    Alignment,
    Alignments,
    Vectorise,
    unaligned,
)
from dieindex.alignment.search import FULL_CIRCLE, PAIR_TURN, USUAL_TURN, Grid
from dieindex.alignment.templates import (
    PreparedFace,
    PreparedTemplate,
    Template,
    best_fits,
    confidence_of,
    growth_of,
    prepare_face,
    template_of,
)
from dieindex.alignment.turning import frames_are_turned, place_turned
from dieindex.alignment.warping import in_pixels, in_units
from dieindex.errors import AlignmentError
from dieindex.records import Face, Floats, Matrix, Progress

STEP = "aligning"
"""The step that ``progress`` is told."""
SAMPLE = 160
"""Faces among which types are looked for at one time."""
_FITTED_AT_ONCE = 64
"""Faces for which a template's bank is made once: a third of a megabyte each."""
_ROUNDS = 4
"""How often types are looked for among the faces that none of the frames explains."""
_NOTHING_ALIKE = "no other face of the collection is like it"
_BLANK = "nothing but plain surface is to be seen"
NO_FIT = "it fits none of the collection's types well enough to be sure of its place"


def align_faces(
    faces: Sequence[Face],
    *,
    any_rotation: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
    vectorise: Vectorise | None = None,
    aligner: Aligner = ONE_BY_ONE,
) -> Alignments:
    """Find the types among faces and align every face to the frame of its type.

    Turns up to ±36° from the type's usual are looked for; all where faces or frames show that they
    gain, or with ``any_rotation``. A face that lies nowhere upright and surely turned is placed so.
    ``progress`` is called with (``STEP``, faces done, faces in all). Equal faces and seed give
    equal alignments.
    With ``vectorise`` an encoder says which doubtful faces lie right; it finds more of them, and
    lets fewer strays in. ``aligner`` says where it is computed.
    """
    turn = FULL_CIRCLE if any_rotation else USUAL_TURN
    found = _find_types(faces, turn, seed, progress, aligner)
    if found.turn < FULL_CIRCLE and frames_are_turned(faces, found.results, found.frames):
        found = _find_types(faces, FULL_CIRCLE, seed, progress, aligner)
    frames, results, guesses, turn = found.frames, found.results, found.guesses, found.turn
    if turn < FULL_CIRCLE:
        place_turned(faces, results, guesses, frames)
    count = merge_frames(faces, results, guesses, frames, turn)
    kept = [
        _new_frame(faces, results, guesses, number, turn, vectorise, aligner)
        for number in range(count)
    ]
    if progress is not None:
        progress(STEP, len(faces), len(faces))
    return Alignments(tuple(kept), tuple(results))


@dataclass(frozen=True, eq=False)
class _Types:
    """The types of some faces, before fine alignment: templates, where each face lies, the nearest
    template of each, and the degrees to either side that were searched."""

    frames: list[Template]
    results: list[Alignment]
    guesses: list[int]
    turn: float


def _find_types(
    faces: Sequence[Face], turn: float, seed: int, progress: Progress | None, aligner: Aligner
) -> _Types:
    """Look for types in samples of the faces that no type before explains."""
    rng = np.random.default_rng(seed)
    results = [unaligned(_NOTHING_ALIKE) for _ in faces]
    guesses = [NO_TYPE] * len(faces)
    left = list(range(len(faces)))
    frames: list[Template] = []
    for _ in range(_ROUNDS):
        if len(left) < 2:
            break
        sample = sorted(rng.permutation(left)[:SAMPLE].tolist())
        prepared = [prepare_face(field_of(faces[i])) for i in sample]
        groups, turn = find_groups(prepared, turn, rng)
        if not groups:
            break
        for number, group in enumerate(groups, len(frames)):
            upright = _upright(group)
            frames.append(_centred(prepared, group, upright))
            for at, each, sure in zip(group.members, group.fits, group.confidence, strict=True):
                to_frame = in_pixels(upright @ each.fit.to_frame)
                results[sample[at]] = Alignment(number, to_frame, sure, True)
        others = [i for i in left if not results[i].aligned]
        found = fitted_to(frames, [faces[i] for i in others], turn, aligner)
        for i, (alignment, nearest) in zip(others, found, strict=True):
            results[i], guesses[i] = alignment, nearest
        before = len(left)
        left = [i for i in left if not results[i].aligned]
        if progress is not None:
            progress(STEP, len(faces) - len(left), len(faces))
        if before <= SAMPLE or len(left) < 0.01 * len(faces):
            break
    return _Types(frames, results, guesses, turn)


def align_to(
    frames: Sequence[Frame],
    faces: Sequence[Face],
    *,
    any_rotation: bool = False,
    vectorise: Vectorise | None = None,
    aligner: Aligner = ONE_BY_ONE,
) -> list[Alignment]:
    """Align faces to the frames that fit them best; the frames stay as they are.

    Faces given together are also fitted to each other, those most alike; ``vectorise`` and
    ``aligner`` as for ``align_faces``.
    """
    turn = FULL_CIRCLE if any_rotation else USUAL_TURN
    templates = [frame.template for frame in frames]
    found = fitted_to(templates, faces, turn, aligner)
    results = [alignment for alignment, _ in found]
    guesses = [nearest for _, nearest in found]
    if turn < FULL_CIRCLE:
        place_turned(faces, results, guesses, templates)
    for number, frame in enumerate(frames):
        align_finely(
            faces, results, guesses, number, frame.mean(), vectorise=vectorise, aligner=aligner
        )
    return results


def fitted_to(
    frames: Sequence[Template], faces: Sequence[Face], turn: float, aligner: Aligner
) -> list[tuple[Alignment, int]]:
    """Each face's alignment to the template that fits it best, and the position of that one also
    where it is not aligned (−1: of none)."""
    grid = Grid.within(turn)
    prepared = [frame.prepared(grid) for frame in frames]
    out: list[tuple[Alignment, int]] = []
    step = max(aligner.at_once, _FITTED_AT_ONCE)
    for start in range(0, len(faces), step):
        part = [prepare_face(field_of(face)) for face in faces[start : start + step]]
        out += _aligned(part, prepared, aligner)
    return out


def _aligned(
    faces: Sequence[PreparedFace], templates: Sequence[PreparedTemplate], aligner: Aligner
) -> list[tuple[Alignment, int]]:
    """Faces' alignments, and of each the nearest of the templates also where it is not aligned."""
    shown = [k for k, face in enumerate(faces) if templates and not face.field.blank]
    fits = best_fits([faces[k] for k in shown], templates, aligner=aligner)
    found = [(unaligned(_BLANK if face.field.blank else _NOTHING_ALIKE), NO_TYPE) for face in faces]
    for k, (number, fitted) in zip(shown, fits, strict=True):
        confidence = confidence_of(fitted, templates[number].template)
        sure = confidence >= ALIGNED_FROM
        alignment = Alignment(
            type=number if sure else NO_TYPE,
            to_frame=in_pixels(fitted.fit.to_frame),
            confidence=confidence,
            aligned=sure,
            reason=None if sure else NO_FIT,
        )
        found[k] = alignment, number
    return found


def _new_frame(
    faces: Sequence[Face],
    results: list[Alignment],
    guesses: list[int],
    number: int,
    turn: float,
    vectorise: Vectorise | None,
    aligner: Aligner,
) -> Frame:
    """Align the faces of a new type finely; the frame of what then lies there."""
    members, mean = align_finely(faces, results, guesses, number, None, turn, vectorise, aligner)
    if mean is None:  # a type has two faces at least
        raise AlignmentError(f"type {number} has lost its faces: align anew")
    chosen = sorted(members, key=lambda i: -results[i].confidence)[:SAMPLE]
    template = template_of(
        [field_of(faces[i]) for i in chosen],
        [in_units(results[i].to_frame) for i in chosen],
        [results[i].confidence ** 2 for i in chosen],
    )
    return Frame.of(template, mean)


def _upright(group: Group) -> Matrix:
    """``(3, 3)``: the middle of a group's faces set upright in the middle, at its usual size."""
    maps = [each.fit.to_frame for each in group.fits]
    turn = _usual_turn(np.array([rotation_of(m) for m in maps]))
    growth = np.exp(np.median([growth_of(m) for m in maps]))
    x, y = np.median([m[:2, 2] / m[2, 2] for m in maps], axis=0)
    c, s = np.cos(-turn) / growth, np.sin(-turn) / growth
    turned = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    return np.asarray(turned @ np.array([[1, 0, -x], [0, 1, -y], [0, 0, 1]]))


def _usual_turn(turns: Floats) -> float:
    """The mean of turns (radians); where they go all around, of those in the direction that most
    have."""
    directions = np.exp(1j * turns)
    away = np.abs(np.angle(directions / np.mean(directions)))
    if away.max() > np.deg2rad(PAIR_TURN):
        near = np.abs(np.angle(directions[:, None] / directions)) <= np.deg2rad(USUAL_TURN)
        directions = directions[near[int(near.sum(1).argmax())]]
    return float(np.angle(np.mean(directions)))


def _centred(faces: Sequence[PreparedFace], group: Group, upright: Matrix) -> Template:
    """A group's template after ``upright``."""
    return template_of(
        [faces[i].field for i in group.members],
        [upright @ each.fit.to_frame for each in group.fits],
        [trust_of(each.fit.score) for each in group.fits],
    )
