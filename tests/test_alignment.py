"""Faces whose place is known are found again, told apart by type, and doubted where due."""

from __future__ import annotations

import numpy as np
import pytest

from dieindex.alignment.align import align_faces, align_to
from dieindex.alignment.confidence import refitted_confidence
from dieindex.alignment.exemplars import align_to_exemplars
from dieindex.alignment.fields import face_to_unit
from dieindex.alignment.frames import Frame
from dieindex.alignment.pairs import PROPOSALS, Proposal, propose
from dieindex.alignment.result import NO_TYPE, Alignments
from dieindex.alignment.warping import FRAME_SIZE, centred_place, unit_to_frame, warp_to_frame
from dieindex.errors import AlignmentError
from dieindex.records import FACE_SIZE, Face
from tests.coins_for_alignment import FLAN, coin, cross, design, displacement, place

TYPES = (3, 4)


def blank_face(level: int = 120) -> Face:
    picture = np.full((FACE_SIZE, FACE_SIZE, 3), level, np.uint8)
    return Face("obverse", picture, np.ones((FACE_SIZE, FACE_SIZE), bool), FLAN)


def random_place(rng: np.random.Generator, turn: float = 25) -> np.ndarray:
    return place(
        rng.uniform(-turn, turn), rng.uniform(0.92, 1.1), rng.normal(0, 0.06), rng.normal(0, 0.06)
    )


def onto(proposal: Proposal) -> np.ndarray:
    """Pixels of the second face to pixels of the first."""
    return np.linalg.inv(centred_place()) @ proposal.place


@pytest.fixture(scope="module")
def collection() -> tuple[list[Face], list[np.ndarray], np.ndarray]:
    """Two types of nine and six coins and two strays, shuffled: faces, places, types."""
    rng = np.random.default_rng(0)
    faces, places, types = [], [], []
    for kind, count in zip((*TYPES, 21, 22), (9, 6, 1, 1), strict=True):
        relief = design(kind)
        for _ in range(count):
            where = random_place(rng)
            faces.append(coin(relief, where, rng.uniform(0, 360), len(faces)))
            places.append(where)
            types.append(kind)
    order = rng.permutation(len(faces))
    return [faces[i] for i in order], [places[i] for i in order], np.array(types)[order]


@pytest.fixture(scope="module")
def aligned(collection: tuple[list[Face], list[np.ndarray], np.ndarray]) -> Alignments:
    return align_faces(collection[0])


def test_among_the_places_proposed_is_the_right_one_wherever_faces_lie_and_however_lit() -> None:
    relief = design(7)
    rng = np.random.default_rng(1)
    right, first_right = [], []
    for _ in range(30):
        x, y = rng.uniform(-0.25, 0.25, 2)
        first, second = place(), place(rng.uniform(-36, 36), rng.uniform(0.85, 1.15), x, y)
        lit = coin(relief, second, rng.uniform(0, 360), 2)
        found = propose(coin(relief, first, 40, 1), lit)
        away = [displacement(onto(each), first @ np.linalg.inv(second)) for each in found]
        assert 1 <= len(found) <= PROPOSALS
        right.append(min(away) < 0.01)
        first_right.append(away[0] < 0.01)
    assert np.mean(right) >= 0.95
    assert np.mean(first_right) >= 0.8


def test_places_proposed_are_apart_and_the_best_fit_comes_first() -> None:
    found = propose(coin(design(11), place()), coin(design(13), place()))
    scores = [each.score for each in found]
    assert len(found) > 1
    assert scores == sorted(scores, reverse=True)
    assert displacement(onto(found[0]), onto(found[1])) > 0.01


def test_opposite_light_changes_nothing() -> None:
    relief, where = design(8), place(10, 1.05, 0.05, -0.05)
    first = coin(relief, place(), 30)
    lit, opposite = (propose(first, coin(relief, where, light))[0] for light in (70, 250))
    assert displacement(onto(lit), onto(opposite)) < 0.005


def test_half_the_design_may_be_off_the_flan() -> None:
    relief = design(9)
    first, second = place(), place(5, 1.0, 0.5, -0.1)
    found = propose(coin(relief, first, 30, 1), coin(relief, second, 60, 2))
    assert displacement(onto(found[0]), first @ np.linalg.inv(second)) < 0.02


def test_any_rotation_finds_what_the_usual_turns_cannot() -> None:
    relief, where = design(10), place(150)
    true = place() @ np.linalg.inv(where)
    faces = coin(relief, place(), 30, 1), coin(relief, where, 60, 2)
    wide, usual = propose(*faces, any_rotation=True), propose(*faces)
    assert displacement(onto(wide[0]), true) < 0.01
    assert all(displacement(onto(each), true) > 0.05 for each in usual)


def test_a_collection_turned_by_any_angle_lies_on_one_frame() -> None:
    relief = design(TYPES[0])
    rng = np.random.default_rng(6)
    places = [random_place(rng, 180) for _ in range(6)]
    faces = [coin(relief, where, rng.uniform(0, 360), k) for k, where in enumerate(places)]
    found = align_faces(faces, any_rotation=True)
    assert [each.type for each in found.faces] == [0] * 6
    maps = [each.to_frame for each in found.faces]
    for i in range(1, 6):
        onto = np.linalg.inv(maps[0]) @ maps[i]
        assert displacement(onto, places[0] @ np.linalg.inv(places[i])) < 0.01


def turned_collection(turns: list[float]) -> tuple[list[Face], list[np.ndarray]]:
    """Faces of one type, each about as much turned as ``turns`` says, and their places."""
    relief = design(TYPES[0])
    rng = np.random.default_rng(8)
    askew = rng.uniform(-15, 15, len(turns))
    places = [place(a + b, 1, *rng.normal(0, 0.05, 2)) for a, b in zip(turns, askew, strict=True)]
    faces = [coin(relief, where, rng.uniform(0, 360), k) for k, where in enumerate(places)]
    return faces, places


@pytest.mark.parametrize("angle", [50, 90, 137, 180, 270])
@pytest.mark.parametrize("count", [1, 2, 4, 6])
def test_turned_coins_lie_on_the_others_without_being_asked_for(angle: float, count: int) -> None:
    faces, places = turned_collection([angle] * count + [0] * (12 - count))
    found = align_faces(faces).faces
    assert [each.type for each in found] == [0] * 12
    for i in range(11):
        onto = np.linalg.inv(found[-1].to_frame) @ found[i].to_frame
        assert displacement(onto, places[-1] @ np.linalg.inv(places[i])) < 0.01


def test_a_coin_added_later_turned_lies_on_the_frame() -> None:
    faces, places = turned_collection([0] * 8 + [120])
    before = align_faces(faces[:8])
    (later,) = align_to(before.frames, faces[8:])
    assert later.type == 0
    onto = np.linalg.inv(before.faces[0].to_frame) @ later.to_frame
    assert displacement(onto, places[0] @ np.linalg.inv(places[8])) < 0.02


@pytest.mark.parametrize("any_rotation", [False, True])
def test_a_design_that_looks_alike_at_many_turns_stays_upright(any_rotation: bool) -> None:
    relief = cross()
    rng = np.random.default_rng(4)
    places = [random_place(rng, 15) for _ in range(12)]
    faces = [coin(relief, where, rng.uniform(0, 360), k) for k, where in enumerate(places)]
    found = align_faces(faces, any_rotation=any_rotation).faces
    for i in range(1, 12):
        onto = np.linalg.inv(found[0].to_frame) @ found[i].to_frame
        assert displacement(onto, places[0] @ np.linalg.inv(places[i])) < 0.02


def test_types_are_told_apart_and_strays_marked(collection: tuple, aligned: Alignments) -> None:
    _, _, types = collection
    found = np.array([each.type for each in aligned.faces])
    assert len(aligned.frames) == 2
    assert set(found[types == TYPES[0]]) == {0}, "the larger type comes first"
    assert set(found[types == TYPES[1]]) == {1}
    strays = [aligned.faces[i] for i in np.flatnonzero(types > 20)]
    assert all(not each.aligned and each.type == NO_TYPE and each.reason for each in strays)


def test_faces_of_a_type_lie_on_each_other(collection: tuple, aligned: Alignments) -> None:
    _, places, types = collection
    for kind in TYPES:
        members = np.flatnonzero(types == kind)
        base = members[0]
        for i in members[1:]:
            found = np.linalg.inv(aligned.faces[base].to_frame) @ aligned.faces[i].to_frame
            assert displacement(found, places[base] @ np.linalg.inv(places[i])) < 0.01


def test_the_usual_coin_stands_upright_in_the_middle_of_the_frame(aligned: Alignments) -> None:
    maps = [each.to_frame for each in aligned.faces if each.type == 0]
    middles = np.array([(m @ [127.5, 127.5, 1])[:2] / (m @ [127.5, 127.5, 1])[2] for m in maps])
    assert np.abs(np.median(middles, 0) - (FRAME_SIZE - 1) / 2).max() < 2
    turns = [np.arctan2(m[1, 0], m[0, 0]) for m in maps]
    assert abs(np.mean(turns)) < np.deg2rad(2)


def test_a_coin_added_later_lies_where_it_would_have_lain_with_the_others(
    collection: tuple, aligned: Alignments
) -> None:
    faces, places, types = collection
    where = place(12, 1.02, 0.04, 0.03)
    new = coin(design(TYPES[0]), where, 200, 99)
    (added,) = align_to(aligned.frames, [new])
    assert added.aligned
    assert added.type == 0
    base = int(np.flatnonzero(types == TYPES[0])[0])
    found = np.linalg.inv(aligned.faces[base].to_frame) @ added.to_frame
    assert displacement(found, places[base] @ np.linalg.inv(where)) < 0.01
    together = align_faces([*faces, new]).faces
    again = np.linalg.inv(together[base].to_frame) @ together[-1].to_frame
    assert displacement(found, again) < 0.01


def test_aligning_the_faces_to_the_stored_frames_gives_their_places_again(
    collection: tuple, aligned: Alignments
) -> None:
    stored = [Frame.from_bytes(frame.to_bytes()) for frame in aligned.frames]
    for before, after in zip(aligned.faces, align_to(stored, collection[0]), strict=True):
        assert before.type == after.type
        if before.aligned:
            assert displacement(np.linalg.inv(before.to_frame) @ after.to_frame, np.eye(3)) < 0.01


def test_the_same_faces_give_the_same_alignment(collection: tuple, aligned: Alignments) -> None:
    again = align_faces(collection[0])
    for one, other in zip(aligned.faces, again.faces, strict=True):
        np.testing.assert_array_equal(one.to_frame, other.to_frame)
        assert (one.type, one.confidence) == (other.type, other.confidence)
    assert [f.to_bytes() for f in aligned.frames] == [f.to_bytes() for f in again.frames]


def test_progress_ends_with_all_faces() -> None:
    told: list[tuple[int, int]] = []
    rng = np.random.default_rng(1)
    faces = [coin(design(5), random_place(rng), 30, k) for k in range(3)]
    align_faces(faces, progress=lambda step, done, of: told.append((done, of)))
    assert told[-1] == (3, 3)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_no_face_and_one_face() -> None:
    nothing = align_faces([])
    assert nothing.frames == ()
    assert nothing.faces == ()
    alone = align_faces([coin(design(5), place())])
    assert alone.frames == ()
    assert not alone.faces[0].aligned
    assert alone.faces[0].reason
    assert align_to([], [coin(design(5), place())])[0].type == NO_TYPE
    assert align_to([], []) == []


def test_blank_faces_are_not_aligned_and_harm_nobody() -> None:
    rng = np.random.default_rng(2)
    faces = [coin(design(5), random_place(rng), 30 * k, k) for k in range(5)]
    empty = Face("obverse", faces[0].picture, np.zeros((FACE_SIZE, FACE_SIZE), bool), FLAN)
    result = align_faces([blank_face(), *faces, blank_face(0), empty])
    assert [each.aligned for each in result.faces] == [False, *[True] * 5, False, False]
    assert all(np.isfinite(each.to_frame).all() for each in result.faces)
    assert "plain" in str(result.faces[0].reason)
    assert propose(blank_face(), faces[0]) == []
    assert propose(faces[0], blank_face()) == []


def test_two_coins_alone_align_to_each_other() -> None:
    relief, one, other = design(6), place(-8), place(9, 1.05)
    result = align_faces([coin(relief, one, 20, 1), coin(relief, other, 130, 2)])
    assert all(each.aligned for each in result.faces)
    found = np.linalg.inv(result.faces[0].to_frame) @ result.faces[1].to_frame
    assert displacement(found, one @ np.linalg.inv(other)) < 0.01


def test_aligned_faces_warped_to_the_frame_look_alike(
    collection: tuple, aligned: Alignments
) -> None:
    _, places, types = collection
    relief = design(TYPES[0])
    same_light = [coin(relief, places[i], 40, 7) for i in np.flatnonzero(types == TYPES[0])[:2]]
    maps = [aligned.faces[i].to_frame for i in np.flatnonzero(types == TYPES[0])[:2]]
    warped = [warp_to_frame(f.picture, f.mask, m) for f, m in zip(same_light, maps, strict=True)]
    (a, inside_a), (b, inside_b) = warped
    assert a.shape == (FRAME_SIZE, FRAME_SIZE, 3)
    both = inside_a & inside_b
    assert both.mean() > 0.4
    greys = [one[..., 0][both].astype(float) for one in (a, b)]
    # The noise of the two coins is their own: without it the correlation would be one.
    assert np.corrcoef(*greys)[0, 1] > 0.5
    small, mask = warp_to_frame(same_light[0].picture, same_light[0].mask, maps[0], 96)
    assert small.shape == (96, 96, 3)
    assert abs(mask.mean() - inside_a.mean()) < 0.02


@pytest.mark.parametrize(
    "transform", [np.zeros((3, 3)), np.full((3, 3), np.nan), np.eye(2)], ids=["zero", "nan", "2x2"]
)
def test_a_transform_that_is_none_is_refused(transform: np.ndarray) -> None:
    face = blank_face()
    with pytest.raises(AlignmentError, match="align anew"):
        warp_to_frame(face.picture, face.mask, transform)


def test_damaged_frames_are_refused(aligned: Alignments) -> None:
    good = aligned.frames[0].to_bytes()
    assert Frame.from_bytes(good).to_bytes()[:8] == good[:8]
    for bad in (b"", good[:-2], good + b"00", b"\xff" * len(good), b"\x00" * len(good)):
        with pytest.raises(AlignmentError, match="align anew"):
            Frame.from_bytes(bad)


def skewed(rng: np.random.Generator) -> np.ndarray:
    """A small error of a face's place, pixels of the frame."""
    turn, size = np.deg2rad(rng.normal(0, 1.2)), 1 + rng.normal(0, 0.012)
    c, s = size * np.cos(turn), size * np.sin(turn)
    middle = np.full(2, (FRAME_SIZE - 1) / 2)
    change = np.eye(3)
    change[:2, :2] = [[c, -s], [s, c]]
    change[:2, 2] = middle - change[:2, :2] @ middle + rng.normal(0, 1.2, 2)
    return change


def test_the_last_touch_brings_faces_closer_to_each_other() -> None:
    relief = design(TYPES[0])
    rng = np.random.default_rng(3)
    places = [random_place(rng) for _ in range(7)]
    faces = [coin(relief, where, rng.uniform(0, 360), k) for k, where in enumerate(places)]
    onto = unit_to_frame() @ face_to_unit() @ place()
    rough = [skewed(rng) @ onto @ np.linalg.inv(where) for where in places]
    placed, ground = align_to_exemplars(faces, rough)

    def apart(maps: list[np.ndarray]) -> float:
        pairs = [(a, b) for a in range(7) for b in range(a)]
        found = [np.linalg.inv(maps[a]) @ maps[b] for a, b in pairs]
        true = [places[a] @ np.linalg.inv(places[b]) for a, b in pairs]
        return float(np.median([displacement(*each) for each in zip(found, true, strict=True)]))

    assert ground is not None
    assert apart(rough) > 0.008
    assert apart([each.to_frame for each in placed]) < 0.4 * apart(rough)


def test_a_face_alone_stays_where_it_was_and_doubtful_faces_move_no_other() -> None:
    rng = np.random.default_rng(4)
    relief = design(TYPES[1])
    faces = [coin(relief, random_place(rng), 30 * k, k) for k in range(3)]
    onto = unit_to_frame() @ face_to_unit()
    alone, ground = align_to_exemplars(faces[:1], [onto])
    assert ground is None
    np.testing.assert_array_equal(alone[0].to_frame, onto)
    assert align_to_exemplars([], []) == ([], None)
    pair, _ = align_to_exemplars(faces[:2], [onto, onto])
    three, _ = align_to_exemplars(faces, [onto] * 3, sure=2)
    for one, other in zip(pair, three[:2], strict=True):
        np.testing.assert_array_equal(one.to_frame, other.to_frame)


def test_a_second_look_clears_only_what_stands_out() -> None:
    assert refitted_confidence(0.31, 0.42, 7.0) > 0.9
    assert refitted_confidence(0.43, 0.25, 3.4) > 0.5
    assert refitted_confidence(0.4, 0.17, 1.3) < 0.5
    assert refitted_confidence(0.0, 0.23, 2.9) < 0.5
    assert refitted_confidence(0.49, 0.3, 0.0) < 0.5, (
        "without others to compare with nothing is cleared"
    )
