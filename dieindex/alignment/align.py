"""Aligning the faces of a collection: the way in to this stage.

``align_faces`` finds the types of a collection and lays every face on the frame of its type,
``align_to`` lays faces on frames that exist (``pairs`` one face on another). Time and memory grow
with the number of faces: frames are found on a sample, then every face is laid by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dieindex.alignment.affine import refine
from dieindex.alignment.fields import field_of, rotation_of
from dieindex.alignment.finish import EXEMPLARS, FEWEST_TO_JUDGE, Ground, Placed, finish
from dieindex.alignment.frames import AlignmentError, Frame
from dieindex.alignment.groups import Group, find_groups, trust_of
from dieindex.alignment.retries import VOTERS, Voters, joining
from dieindex.alignment.search import USUAL_TURN, Grid
from dieindex.alignment.support import (
    ALIGNED_FROM,
    encoded_support,
    likeness_to,
    second_support,
    voted_support,
)
from dieindex.alignment.templates import (
    Aim,
    Prepared,
    Template,
    aim_of,
    growth_of,
    lay,
    prepare,
    support_of,
    template_of,
)
from dieindex.alignment.warping import in_pixels, in_units
from dieindex.records import Face, Matrix, Vectors

Progress = Callable[[int, int], None]
Vectorise = Callable[[Sequence[Face], Sequence[Matrix]], Vectors]
"""Unit vectors ``(n, dimension)`` of ``n`` faces laid by ``to_frame`` each, alike where dies are
(``Encoder.encode``). Alignment knows of no encoder: who has one may lend it."""

NO_TYPE = -1
_SAMPLE = 160
"""Faces among which types are looked for at one time."""
_ROUNDS = 4
"""How often types are looked for among the faces that none of the frames explains."""


@dataclass(frozen=True, eq=False)
class Alignment:
    """Where one face lies.

    ``type`` is the position of its frame, −1 for none. ``to_frame`` ``(3, 3)`` takes pixels of the
    face to pixels of the frame (edge ``FRAME_SIZE``); the best guess, or only the flan in the
    middle, where ``aligned`` is False. ``support`` 0…1 is how sure it is, ``reason`` why not.
    """

    type: int
    to_frame: Matrix
    support: float
    aligned: bool
    reason: str | None = None


@dataclass(frozen=True, eq=False)
class Alignments:
    """A collection aligned: its frames, and an alignment a face in the order of the faces."""

    frames: tuple[Frame, ...]
    faces: tuple[Alignment, ...]


def align_faces(
    faces: Sequence[Face],
    *,
    any_rotation: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
    vectorise: Vectorise | None = None,
) -> Alignments:
    """Find the types among faces and lay every face on the frame of its type.

    Turns up to ±36° from the type's usual are looked for, all with ``any_rotation``. ``progress``
    is called with (faces done, faces in all). Equal faces and seed give equal alignments. With
    ``vectorise`` an encoder says which doubtful faces lie right; it finds more of them, and lets
    fewer strays in.
    """
    rng = np.random.default_rng(seed)
    results = [_unaligned(_NOTHING_ALIKE) for _ in faces]
    guesses = [NO_TYPE] * len(faces)
    left = list(range(len(faces)))
    frames: list[Template] = []
    for _ in range(_ROUNDS):
        if len(left) < 2:
            break
        sample = sorted(rng.permutation(left)[:_SAMPLE].tolist())
        prepared = [prepare(field_of(faces[i])) for i in sample]
        groups = find_groups(prepared, 180.0 if any_rotation else USUAL_TURN, rng)
        if not groups:
            break
        for number, group in enumerate(groups, len(frames)):
            upright = _upright(group)
            frames.append(_centred(prepared, group, upright))
            for at, each, sure in zip(group.members, group.laid, group.support, strict=True):
                to_frame = in_pixels(upright @ each.fit.to_frame)
                results[sample[at]] = Alignment(number, to_frame, sure, True)
        others = [i for i in left if not results[i].aligned]
        found = _laid_on(frames, [faces[i] for i in others], any_rotation)
        for i, (alignment, nearest) in zip(others, found, strict=True):
            results[i], guesses[i] = alignment, nearest
        before = len(left)
        left = [i for i in left if not results[i].aligned]
        if progress is not None:
            progress(len(faces) - len(left), len(faces))
        if before <= _SAMPLE or len(left) < 0.01 * len(faces):
            break
    turn = 180.0 if any_rotation else USUAL_TURN
    count = _joined(faces, results, guesses, frames, turn)
    kept = [_finished(faces, results, guesses, number, turn, vectorise) for number in range(count)]
    if progress is not None:
        progress(len(faces), len(faces))
    return Alignments(tuple(kept), tuple(results))


def _joined(
    faces: Sequence[Face],
    results: list[Alignment],
    guesses: list[int],
    frames: Sequence[Template],
    turn: float,
) -> int:
    """Join frames that are one type's; ``results`` and ``guesses`` are changed and numbered anew,
    largest type first. Returns how many types are left."""
    sizes = np.bincount([r.type for r in results if r.aligned], minlength=len(frames))
    order = np.argsort(-sizes, kind="stable").tolist()
    into = list(range(len(frames)))
    for place, large in enumerate(order[:_JOINED_TO]):
        if into[large] != large or sizes[large] < _LEAST_JOINED_TO or place + 1 == len(order):
            continue
        voters = _voters(faces, results, large, turn, _JOINING_VOTERS)
        for small in order[place + 1 :]:
            if into[small] != small:
                continue
            chosen = _surest(results, small)[:_JOINING_FACES]
            prepared = [prepare(field_of(faces[i])) for i in chosen]
            laid = [in_units(results[i].to_frame) for i in chosen]
            change = joining(voters, prepared, laid) if chosen else None
            if change is None:
                continue
            into[small] = large
            target = frames[large].target()
            for i in [i for i, each in enumerate(results) if each.type == small]:
                start = change @ in_units(results[i].to_frame)
                fit = refine(field_of(faces[i]), target, start)
                results[i] = replace(results[i], type=large, to_frame=in_pixels(fit.to_frame))
    left = [number for number in order if into[number] == number]
    sizes = np.bincount([r.type for r in results if r.aligned], minlength=len(frames))
    left.sort(key=lambda number: -sizes[number])
    place_of = {number: left.index(large) for number, large in enumerate(into)}
    place_of[NO_TYPE] = NO_TYPE
    for i, each in enumerate(results):
        results[i] = replace(each, type=place_of[each.type])
        guesses[i] = place_of[guesses[i]]
    return len(left)


_JOINED_TO = 2
_LEAST_JOINED_TO = 8
_JOINING_VOTERS = 12
_JOINING_FACES = 6
"""Other frames are joined to the largest two alone, if those hold so many faces: so many of their
surest faces vote on so many of the other frame's."""


def _surest(results: Sequence[Alignment], number: int) -> list[int]:
    """The faces of a type, surest first."""
    of_type = [i for i, each in enumerate(results) if each.type == number]
    return sorted(of_type, key=lambda i: -results[i].support)


def _voters(
    faces: Sequence[Face], results: Sequence[Alignment], number: int, turn: float, most: int
) -> Voters:
    """The surest faces of a type, as they lie in its frame."""
    chosen = _surest(results, number)[:most]
    prepared = [prepare(field_of(faces[i])) for i in chosen]
    maps = [in_units(results[i].to_frame) for i in chosen]
    return Voters(prepared, maps, Grid.within(turn))


def align_to(
    frames: Sequence[Frame],
    faces: Sequence[Face],
    *,
    any_rotation: bool = False,
    vectorise: Vectorise | None = None,
) -> list[Alignment]:
    """Lay faces on the frames that fit them best; the frames stay as they are.

    Faces given together are also laid on each other, those most alike on those; ``vectorise`` as
    for ``align_faces``.
    """
    found = _laid_on([frame.template() for frame in frames], faces, any_rotation)
    results = [alignment for alignment, _ in found]
    guesses = [nearest for _, nearest in found]
    for number, frame in enumerate(frames):
        _finish_type(faces, results, guesses, number, frame.ground(), vectorise=vectorise)
    return results


def _laid_on(
    frames: Sequence[Template], faces: Sequence[Face], any_rotation: bool
) -> list[tuple[Alignment, int]]:
    """Each face's alignment, and the frame nearest to fit also where it is not aligned."""
    grid = Grid.within(180.0 if any_rotation else USUAL_TURN)
    aims = [aim_of(frame, grid) for frame in frames]
    return [_aligned(prepare(field_of(face)), aims) for face in faces]


def _finish_type(
    faces: Sequence[Face],
    results: list[Alignment],
    guesses: Sequence[int],
    number: int,
    ground: Ground | None,
    turn: float = 0.0,
    vectorise: Vectorise | None = None,
) -> tuple[list[int], Ground | None]:
    """The last touch to the faces of one type; ``results`` are changed. Returns the sure faces.

    With ``turn`` (degrees searched) faces that only seemed to be of it are first tried again where
    the surest faces of the type lay them.

    Faces that only seemed to be of the type get another chance: a face may be too worn to stand
    out from the type's mean, and still show what another face of its die shows. Whether it lies
    right then, an encoder says most surely, where there is one.
    """
    sure = [i for i, each in enumerate(results) if each.type == number]
    doubtful = [i for i, each in enumerate(results) if not each.aligned and guesses[i] == number]
    votes = _retried(faces, results, doubtful, number, turn) if turn else {}
    if len(sure) < FEWEST_TO_JUDGE and ground is None:
        doubtful = [i for i in doubtful if i in votes]  # no other can be cleared among so few
    tried = sure + doubtful
    placed, after = finish(
        [faces[i] for i in tried], [results[i].to_frame for i in tried], ground, len(sure)
    )
    for i, place in zip(sure, placed[: len(sure)], strict=True):
        results[i] = replace(results[i], to_frame=place.to_frame)
    likeness = _likeness(faces, sure, doubtful, dict(zip(tried, placed, strict=True)), vectorise)
    for i, place in zip(doubtful, placed[len(sure) :], strict=True):
        if i in likeness:
            support = encoded_support(results[i].support, likeness[i])
        elif i in votes:
            support = voted_support(votes[i], place.score, place.beyond)
        else:
            support = second_support(results[i].support, place.score, place.beyond)
        if support >= ALIGNED_FROM:
            results[i] = Alignment(number, place.to_frame, support, True)
    return sure, after


def _likeness(
    faces: Sequence[Face],
    sure: Sequence[int],
    doubtful: Sequence[int],
    placed: Mapping[int, Placed],
    vectorise: Vectorise | None,
) -> dict[int, float]:
    """How like the sure faces of a type the doubtful are where they would lie, by an encoder;
    nothing where there is none, or where too few faces or dies are sure."""
    if vectorise is None or not doubtful or len(sure) < FEWEST_TO_JUDGE:
        return {}
    spread = np.linspace(0, len(sure) - 1, min(EXEMPLARS, len(sure))).astype(int)
    chosen = [sure[k] for k in spread.tolist()]
    seen = [*chosen, *doubtful]
    vectors = vectorise([faces[i] for i in seen], [placed[i].to_frame for i in seen])
    found = likeness_to(vectors[: len(chosen)], vectors[len(chosen) :])
    return {} if found is None else dict(zip(doubtful, found.tolist(), strict=True))


def _retried(
    faces: Sequence[Face],
    results: list[Alignment],
    doubtful: Sequence[int],
    number: int,
    turn: float,
) -> dict[int, float]:
    """Put doubtful faces where single faces of the type agree that they lie. ``results`` are
    changed. Returns the agreement of each face put so."""
    chosen = _surest(results, number)
    if not doubtful or len(chosen) < _FEWEST_VOTERS:
        return {}
    voters = _voters(faces, results, number, turn, min(VOTERS, len(chosen) // 2))
    votes: dict[int, float] = {}
    for i in doubtful:
        vote = voters.place(prepare(field_of(faces[i])))
        if vote.agreement >= _LEAST_AGREEMENT:
            results[i] = replace(results[i], to_frame=in_pixels(vote.to_frame))
            votes[i] = vote.agreement
    return votes


_FEWEST_VOTERS = FEWEST_TO_JUDGE
_LEAST_AGREEMENT = 0.3
"""Faces that a type must have to vote on others, and agreement from which a vote is tried."""


def _finished(
    faces: Sequence[Face],
    results: list[Alignment],
    guesses: Sequence[int],
    number: int,
    turn: float,
    vectorise: Vectorise | None,
) -> Frame:
    """The last touch to a new type, and the frame of what then lies there."""
    members, ground = _finish_type(faces, results, guesses, number, None, turn, vectorise)
    if ground is None:  # a type has two faces at least
        raise AlignmentError(f"type {number} has lost its faces: align anew")
    surest = sorted(members, key=lambda i: -results[i].support)[:_SAMPLE]
    template = template_of(
        [field_of(faces[i]) for i in surest],
        [in_units(results[i].to_frame) for i in surest],
        [results[i].support ** 2 for i in surest],
    )
    return Frame.of(template, ground)


_NOTHING_ALIKE = "no other face of the collection is like it"
_BLANK = "nothing but plain surface is to be seen"
_NO_FIT = "it fits none of the collection's types well enough to be sure of its place"


def _aligned(face: Prepared, aims: Sequence[Aim]) -> tuple[Alignment, int]:
    """A face's alignment, and the nearest of the aims also where it is not aligned."""
    if face.field.blank:
        return _unaligned(_BLANK), NO_TYPE
    if not aims:
        return _unaligned(_NOTHING_ALIKE), NO_TYPE
    number, laid = lay(face, aims)
    support = support_of(laid, aims[number].template)
    sure = support >= ALIGNED_FROM
    alignment = Alignment(
        type=number if sure else NO_TYPE,
        to_frame=in_pixels(laid.fit.to_frame),
        support=support,
        aligned=sure,
        reason=None if sure else _NO_FIT,
    )
    return alignment, number


def _unaligned(reason: str) -> Alignment:
    return Alignment(NO_TYPE, in_pixels(np.eye(3)), 0.0, False, reason)


def _upright(group: Group) -> Matrix:
    """``(3, 3)``: the middle of a group's faces set upright in the middle, at its usual size."""
    maps = [each.fit.to_frame for each in group.laid]
    turn = np.angle(np.mean([np.exp(1j * rotation_of(m)) for m in maps]))
    growth = np.exp(np.median([growth_of(m) for m in maps]))
    x, y = np.median([m[:2, 2] / m[2, 2] for m in maps], axis=0)
    c, s = np.cos(-turn) / growth, np.sin(-turn) / growth
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array(
        [[1, 0, -x], [0, 1, -y], [0, 0, 1]]
    )


def _centred(faces: Sequence[Prepared], group: Group, upright: Matrix) -> Template:
    """A group's template after ``upright``."""
    return template_of(
        [faces[i].field for i in group.members],
        [upright @ each.fit.to_frame for each in group.laid],
        [trust_of(each.fit.score) for each in group.laid],
    )
