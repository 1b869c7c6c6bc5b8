"""Dies cut with punches, the split of types by seed, and the widest difficulty."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from dieindex.errors import MintError
from dieindex.mint.collections import mint_collection
from dieindex.mint.difficulty import DIFFICULTIES, NAMED_DIFFICULTIES, WILD
from dieindex.mint.engraving.engraver import Engraver
from dieindex.mint.engraving.punches import PunchedDie, PunchSet, star, wedge
from dieindex.mint.order import (
    PUNCHED_TEST_TYPES,
    PUNCHED_TYPES,
    PUNCHED_VALIDATION_TYPES,
    TEST_TYPES,
    TRAIN_TYPES,
    VALIDATION_TYPES,
    CollectionOrder,
)
from dieindex.mint.photography import sample_photo, sample_source
from dieindex.mint.relief import FULL_DEPTH, RELIEF_SPAN
from dieindex.mint.store import DieOrder, DieStore
from dieindex.mint.stream import MintStream, StreamSettings
from dieindex.mint.striking import sample_strike, strike
from dieindex.mint.types import PUNCHED_KINDS, PUNCHED_SHARE, engrave, sample_type
from dieindex.records import OBVERSE, REVERSE, SIDES, Floats32

SMALL = StreamSettings(
    types_per_batch=1, dies_per_type=2, strikes_per_die=2, dies_in_type=2, working_types=1, size=96
)

# What the engraver and the mint made before punched dies and wild faces came in: published figures
# stand on these types.
DESIGNS = "631efb628f1984d11cc06ba8f74f1d83ea58dc389224b48cba5cc1abeb00d8e1"
HEIGHTS = [0.02505243, 0.08200568, 0.01174582, 0.01737428, 0.02440208, 0.07112782]
LEVELS = [159.629, 133.601, 84.214, 196.625, 80.291, 94.636, 40.544, 41.807]


def _die(name: str, hand: str = "hand", distance: float = 1.0) -> PunchedDie:
    engraver = Engraver("type", f"type/{name}", hand, distance, 0)
    return PunchedDie(engraver, PunchSet(engraver), 0.03)


# ---------------------------------------------------------------- what stays as it was


def test_designs_left_to_validation_and_test_seeds_are_what_they_were() -> None:
    seen = hashlib.sha256()
    for types in (VALIDATION_TYPES, TEST_TYPES):
        for seed in [*types[:400], *types[-100:]]:
            for side in SIDES:
                design = sample_type(seed, side)
                words = [run.text for run in design.inscriptions]
                marks = [mark.what for mark in design.marks]
                numbers = [design.border_radius, design.room, design.middle, design.height]
                rounded = [f"{number:.6f}" for number in numbers]
                seen.update(repr((design.key, design.border, words, marks, rounded)).encode())
    assert seen.hexdigest() == DESIGNS


def test_their_dies_and_faces_are_what_they_were() -> None:
    heights = []
    for seed, side in zip(range(1_000_000, 1_000_003), (OBVERSE, REVERSE, OBVERSE), strict=True):
        relief = engrave(sample_type(seed, side), 5)
        heights += [float(relief.height.std()), float(relief.height[200:260, 200:260].mean())]
    assert heights == pytest.approx(HEIGHTS, rel=1e-4)
    pictures = MintStream(5, None, VALIDATION_TYPES[:4], SMALL).batch(0).pictures.double()
    levels = [*pictures.mean((1, 2, 3)).tolist(), *pictures.std((1, 2, 3)).tolist()]
    assert levels == pytest.approx(LEVELS, abs=0.02)


# ---------------------------------------------------------------- the split by type


def test_splits_share_no_seed_and_only_training_mixes_both_families() -> None:
    engraved = (TRAIN_TYPES, VALIDATION_TYPES, TEST_TYPES)
    ranges = (*engraved, PUNCHED_VALIDATION_TYPES, PUNCHED_TEST_TYPES)
    for number, types in enumerate(ranges):
        for others in ranges[:number]:
            assert types.stop <= others.start or others.stop <= types.start
    assert set(PUNCHED_TYPES) == {*PUNCHED_VALIDATION_TYPES, *PUNCHED_TEST_TYPES}

    def punched(types: range) -> float:
        kinds = [sample_type(seed, side).kind for seed in types[:400] for side in SIDES]
        return float(np.mean([kind in PUNCHED_KINDS for kind in kinds]))

    assert punched(TRAIN_TYPES) == pytest.approx(PUNCHED_SHARE, abs=0.06)
    assert punched(VALIDATION_TYPES) == punched(TEST_TYPES) == 0
    assert punched(PUNCHED_VALIDATION_TYPES) == punched(PUNCHED_TEST_TYPES) == 1
    kinds = Counter(sample_type(seed, OBVERSE).kind for seed in PUNCHED_TEST_TYPES[:400])
    assert set(kinds) == set(PUNCHED_KINDS)


# ---------------------------------------------------------------- punches


def test_punches_of_a_hand_are_the_same_on_all_its_dies_and_another_hand_cuts_others() -> None:
    first, second, other = _die("1"), _die("2"), _die("3", hand="other")
    for name, shape in (("star", star(6)), ("wedge", wedge(0.1, 0.4))):
        one, two, strange = (die.punches.cut(name, shape, 0.2) for die in (first, second, other))
        assert np.array_equal(one.whole, two.whole)
        assert np.array_equal(one.broken, two.broken)
        assert one.breaks_at == two.breaks_at
        assert not np.array_equal(one.whole, strange.whole)
        assert one.broken.sum() < one.whole.sum()


def _patch(height: Floats32, half: int = 60) -> tuple[tuple[float, float], Floats32]:
    """Where the only form on a sheet lies (flan radii), and it turned upright about its middle."""
    moments = cv2.moments((height > 0.4 * height.max()).astype(np.uint8), binaryImage=True)
    x, y = moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
    turn = 0.5 * np.arctan2(2 * moments["mu11"], moments["mu20"] - moments["mu02"])
    frame = cv2.getRotationMatrix2D((x, y), float(np.rad2deg(turn)), 1.0)
    frame[:, 2] += [half - x, half - y]
    upright = cv2.warpAffine(height, frame, (2 * half, 2 * half))
    unit = height.shape[0] / (2 * RELIEF_SPAN)
    return (x / unit - RELIEF_SPAN, y / unit - RELIEF_SPAN), np.asarray(upright, np.float32)


def test_dies_of_one_hand_differ_in_the_place_turn_and_depth_of_a_punch_not_in_its_shape() -> None:
    places, shapes, depths = [], [], []
    for number in range(6):
        die = _die(str(number))
        punch = replace(die.punches.cut("wedge", wedge(0.06, 0.24), 0.2), breaks_at=2.0)
        die.set(punch, 0.3, -0.2)
        place, shape = _patch(die.sheet.height)
        places.append(place)
        shapes.append(shape)
        depths.append(float(die.sheet.height.max()))
    apart = np.std(places, axis=0)
    assert 0.003 < apart.min() <= apart.max() < 0.03
    assert 0.02 < np.std(depths) / np.mean(depths) < 0.2
    for shape in shapes[1:]:
        assert np.corrcoef(shape.ravel(), shapes[0].ravel())[0, 1] > 0.985


def test_a_broken_punch_is_broken_on_every_later_die() -> None:
    early, late = _die("1", distance=0.0), _die("1", distance=0.0)
    for die, when in ((early, 0.1), (late, 0.9)):
        die.when = when
        die.set(replace(die.punches.cut("star", star(6), 0.2), breaks_at=0.5), 0.0, 0.0)
    lost = early.sheet.height - late.sheet.height
    assert lost.max() > 0.015
    assert lost.min() > -1e-6


@pytest.mark.parametrize("kind", PUNCHED_KINDS)
def test_dies_of_a_punched_type_are_alike_but_do_not_coincide(kind: str) -> None:
    design = sample_type(PUNCHED_TEST_TYPES[3], OBVERSE, kind)
    first, second, near, again = (
        engrave(design, die, distance, hand=0)
        for die, distance in ((1, 1.0), (2, 1.0), (2, 0.3), (1, 1.0))
    )
    assert np.array_equal(first.height, again.height)
    assert first.depth == second.depth < FULL_DEPTH
    broad = [cv2.GaussianBlur(die.height, (0, 0), 8) for die in (first, second)]
    assert np.corrcoef(broad[0].ravel(), broad[1].ravel())[0, 1] > 0.7
    alike = np.corrcoef(first.height.ravel(), second.height.ravel())[0, 1]
    assert alike < 0.97
    nearer = engrave(design, 1, 0.3, hand=0)
    assert np.corrcoef(nearer.height.ravel(), near.height.ravel())[0, 1] > alike - 0.02


def test_a_stored_punched_die_keeps_its_depth(tmp_path: Path) -> None:
    order = DieOrder(OBVERSE, PUNCHED_TEST_TYPES[0], 3)
    fresh, read = DieStore(tmp_path).get(order), DieStore(tmp_path).get(order)
    assert fresh.depth == read.depth < FULL_DEPTH
    assert np.array_equal(fresh.height, read.height)


def test_the_same_wear_and_a_weak_blow_take_more_of_a_shallow_die() -> None:
    relief = engrave(sample_type(PUNCHED_TEST_TYPES[2], OBVERSE, "cross"), 1)
    maps = [torch.from_numpy(each)[None, None] for each in (relief.height, relief.design)]

    def left(die_depth: float, wear: float, weakness: float) -> tuple[float, float]:
        """Height of the cross over its field, and how much of the design shows."""
        rng = np.random.default_rng(2)
        blow = sample_strike(rng, DIFFICULTIES["easy"], 0.1, die_depth=die_depth)
        blow = replace(blow, wear=wear, weakness=weakness, tilt=0.0, corrosion=0.0, deposits=0.0)
        struck = strike(maps[0], maps[1], [relief.radius], [blow], 256)
        middle = (0, 0, slice(70, 186), slice(70, 186))
        height, cut = struck.height[middle], struck.design[middle] > 0.5
        shows = struck.visible[struck.design > 0.5].mean()
        return float(height[cut].mean() - height[~cut].mean()), float(shows)

    assert left(relief.depth, 0.5, 0.0)[0] < 0.98 * left(FULL_DEPTH, 0.5, 0.0)[0]
    shallow, full = left(relief.depth, 0.0, 0.6), left(FULL_DEPTH, 0.0, 0.6)
    assert shallow[0] < 0.9 * full[0]
    assert shallow[1] < 0.85 * full[1]


# ---------------------------------------------------------------- the widest difficulty


def test_only_faces_of_training_types_are_wild_and_about_a_quarter_of_them() -> None:
    rng = np.random.default_rng(0)
    stream = MintStream(1)
    names = Counter(stream._difficulty(rng, TRAIN_TYPES[5]).name for _ in range(2000))
    assert names["wild"] / 2000 == pytest.approx(0.25, abs=0.04)
    assert {stream._difficulty(rng, VALIDATION_TYPES[5]).name for _ in range(300)} == set(
        DIFFICULTIES
    )
    hard = MintStream(1, settings=StreamSettings(difficulty="hard"))
    assert {hard._difficulty(rng, TRAIN_TYPES[5]).name for _ in range(100)} == {"hard"}
    with pytest.raises(MintError, match="wild_share"):
        StreamSettings(wild_share=1.5).check()


def test_wild_is_at_least_as_wide_as_every_other_difficulty() -> None:
    for name, level in DIFFICULTIES.items():
        for knob, value in vars(level).items():
            wild = getattr(WILD, knob)
            if isinstance(value, tuple):
                assert wild[1] >= value[1], (name, knob)
            elif isinstance(value, float) and knob not in ("plates", "plaster"):
                assert wild >= value, (name, knob)


def test_wild_sources_are_cameras_ring_lights_scanners_and_telephones() -> None:
    rng = np.random.default_rng(3)
    sources = [sample_source(rng, WILD) for _ in range(300)]
    assert {source.device for source in sources} == {"camera", "ring", "scanner", "phone"}
    assert {sample_source(rng, level).device for level in DIFFICULTIES.values()} == {"camera"}
    sizes = [source.face_size for source in sources]
    assert min(sizes) < 200
    assert max(sizes) > 1100
    scanners = [source for source in sources if source.device == "scanner"]
    phones = [source for source in sources if source.device == "phone"]
    for source in scanners[:20]:
        photos = [sample_photo(rng, WILD, source) for _ in range(3)]
        # One fixed light, no shadow, no perspective.
        assert len({float(photo.lighting.lamps[0, 0]) for photo in photos}) == 1
        assert all(photo.lighting.shadows == 0 == photo.cast_shadow for photo in photos)
        assert all(photo.perspective == (0.0, 0.0) for photo in photos)
    lean = [np.abs(sample_photo(rng, WILD, s).perspective).mean() for s in phones]
    usual = [np.abs(sample_photo(rng, WILD, s).perspective).mean() for s in sources if s.lean == 1]
    assert np.mean(lean) > 1.5 * np.mean(usual)
    assert max(lean) <= 0.18


def test_batches_of_punched_types_and_of_wild_faces_are_sound() -> None:
    settings = replace(SMALL, difficulty="wild")
    for number in range(2):
        batch = MintStream(number, None, PUNCHED_VALIDATION_TYPES, settings).batch(0)
        assert torch.isfinite(batch.homography).all()
        assert torch.isfinite(batch.flow).all()
        assert 0.3 < float(batch.mask.float().mean()) < 0.95
        assert len(set(batch.die.tolist())) == 2


def test_a_collection_of_punched_kinds_can_be_ordered_wild(tmp_path: Path) -> None:
    order = CollectionOrder(
        coins=2, obverse_dies=1, reverse_dies=2, difficulty="wild", obverse_kind="cross",
        reverse_kind="chatel",
    )  # fmt: skip
    minted = mint_collection(tmp_path / "coins", order)
    assert minted.pictures == 2
    assert "obverse-cross-" in minted.truth.read_text()
    assert list(NAMED_DIFFICULTIES) == ["easy", "medium", "hard", "wild"]
