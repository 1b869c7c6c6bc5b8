"""The engraver: every kind of type, dies that differ in geometry, recut states, determinism."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.errors import MintError
from dieindex.mint.engraving.engraver import Engraver, Frame, Warp
from dieindex.mint.engraving.glyphs import variants
from dieindex.mint.engraving.randomness import Field, Straying, stable_rng
from dieindex.mint.engraving.scripts import ARABIC_LETTERS, SIGNS
from dieindex.mint.engraving.sheet import PIXELS_PER_UNIT, Sheet, spline
from dieindex.mint.order import TEST_TYPES
from dieindex.mint.parameters import DesignType
from dieindex.mint.relief import RELIEF_SIZE, RELIEF_SPAN, DieRelief
from dieindex.mint.types import (
    OBVERSE_KINDS,
    PUNCHED_KINDS,
    REVERSE_KINDS,
    engrave,
    sample_type,
)
from dieindex.records import OBVERSE, REVERSE, Side

KINDS: list[tuple[Side, str]] = [(OBVERSE, k) for k in OBVERSE_KINDS]
KINDS += [(REVERSE, k) for k in REVERSE_KINDS]


def _distance_from_centre() -> np.ndarray:
    axis = ((np.arange(RELIEF_SIZE) + 0.5) / RELIEF_SIZE * 2 - 1) * RELIEF_SPAN
    return np.hypot(axis[None, :], axis[:, None])


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


def _fine(relief: DieRelief) -> np.ndarray:
    return relief.height - cv2.GaussianBlur(relief.height, (0, 0), 4.0)


def test_enough_kinds() -> None:
    assert len(set(OBVERSE_KINDS)) >= 8
    assert len(set(REVERSE_KINDS)) >= 12


@pytest.mark.parametrize(("side", "kind"), KINDS)
def test_every_kind_is_a_sound_relief(side: Side, kind: str) -> None:
    for seed in (1, 2):
        relief = engrave(sample_type(seed, side, kind), 5)
        assert relief.height.shape == relief.design.shape == (RELIEF_SIZE, RELIEF_SIZE)
        assert relief.height.dtype == relief.design.dtype == np.float32
        assert np.isfinite(relief.height).all()
        assert relief.design.min() >= 0
        assert relief.design.max() <= 1
        # Raised like a coin: neither flat nor a tower, and little below the field.
        # (Punched dies are shallow.)
        least = 0.015 if kind in PUNCHED_KINDS else 0.03
        assert least < relief.height.max() < 0.26
        assert relief.height.min() > -0.035
        assert 0.05 < float((relief.design > 0.5).mean()) < 0.6
        assert 0.86 < relief.radius < RELIEF_SPAN
        # The design stays on the die's face, and the field there is plain.
        outside = _distance_from_centre() > relief.radius + 0.08
        assert float((relief.design > 0.5)[outside].mean()) < 0.02


@pytest.mark.parametrize(("side", "kind"), [(OBVERSE, "laureate"), (REVERSE, "seated")])
def test_same_arguments_same_relief(side: Side, kind: str) -> None:
    first, again = (engrave(sample_type(7, side, kind), 11) for _ in range(2))
    assert np.array_equal(first.height, again.height)
    assert np.array_equal(first.design, again.design)
    assert first.die_key == again.die_key
    assert first.radius == again.radius


def test_same_relief_in_another_process() -> None:
    program = (
        "import hashlib; from dieindex.mint.types import *;"
        "r = engrave(sample_type(3, 'reverse', 'eagle'), 4);"
        "print(hashlib.sha256(r.height.tobytes()).hexdigest(), r.die_key)"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert runs[0] == runs[1]


@pytest.mark.parametrize(
    ("side", "kind"), [(OBVERSE, "laureate"), (OBVERSE, "helmeted"), (REVERSE, "victory")]
)
def test_dies_of_a_type_look_alike_but_their_details_do_not_coincide(side: Side, kind: str) -> None:
    firsts = [engrave(sample_type(seed, side, kind), 1) for seed in range(3)]
    seconds = [engrave(sample_type(seed, side, kind), 2) for seed in range(3)]
    recut = engrave(sample_type(0, side, kind), 1, state=1)
    broad = [[cv2.GaussianBlur(r.height, (0, 0), 6) for r in rs] for rs in (firsts, seconds)]
    alike = [_correlation(a, b) for a, b in zip(*broad, strict=True)]
    strange = [_correlation(broad[0][i], broad[1][j]) for i in range(3) for j in range(3) if i != j]
    # Alike to a layman: the large forms agree, more than those of other types of the kind.
    assert min(alike) > 0.75
    assert np.mean(alike) > np.mean(strange) + 0.03
    # Different in detail, where the same die recut still agrees.
    fine = [_correlation(_fine(a), _fine(b)) for a, b in zip(firsts, seconds, strict=True)]
    assert max(fine) < 0.5
    assert _correlation(_fine(firsts[0]), _fine(recut)) > 0.80


def _placed(design: DesignType, die_seed: int, distance: float) -> np.ndarray:
    """Where the die's engraver puts the points of a regular grid of the type."""
    key = f"{design.key}/{die_seed}/{distance:g}/None"
    engraver = Engraver(design.key, key, key, distance, 0)
    axis = np.linspace(-0.75, 0.75, 9)
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    return engraver.warp(grid)


def test_die_distance_scales_the_displacement_left_after_an_affine_fit() -> None:
    medians = []
    for distance in (0.3, 1.0, 2.0):
        left = []
        for seed in range(12):
            design = sample_type(TEST_TYPES[seed], OBVERSE)
            a, b = _placed(design, 1, distance), _placed(design, 2, distance)
            system = np.column_stack([a, np.ones(len(a))])
            fit = np.linalg.lstsq(system, b, rcond=None)[0]
            left.append(np.median(np.hypot(*(system @ fit - b).T)) / 2)
        medians.append(float(np.median(left)))
    assert medians[0] < 0.008
    assert 0.010 < medians[1] < 0.030
    assert medians[2] > 1.6 * medians[1]


def test_near_copies_of_one_hand_are_closer_than_dies_of_two_hands() -> None:
    near, far, usual = [], [], []
    for seed in range(3):
        design = sample_type(seed, OBVERSE, "diademed")
        first = _fine(engrave(design, 1, die_distance=0.3, hand=4))
        near.append(_correlation(first, _fine(engrave(design, 2, die_distance=0.3, hand=4))))
        far.append(_correlation(first, _fine(engrave(design, 2, die_distance=0.3, hand=5))))
        usual.append(_correlation(first, _fine(engrave(design, 2))))
    assert max(near) < 0.97
    assert np.mean(near) > np.mean(far) + 0.05
    assert np.mean(near) > np.mean(usual) + 0.15


def test_recut_die_keeps_its_key_and_its_untouched_places() -> None:
    design = sample_type(3, OBVERSE, "laureate")
    fresh, recut, twice = (engrave(design, 7, state=s) for s in (0, 1, 2))
    assert fresh.die_key == recut.die_key == twice.die_key
    assert (fresh.state, recut.state, twice.state) == (0, 1, 2)
    changed = np.abs(recut.height - fresh.height) > 0.002
    assert 0.002 < float(changed.mean()) < 0.30
    assert float((np.abs(recut.height - fresh.height) < 1e-6).mean()) > 0.4
    assert not np.array_equal(recut.height, twice.height)


def test_types_differ_widely() -> None:
    designs = [sample_type(seed, REVERSE) for seed in TEST_TYPES[:300]]
    assert {d.kind for d in designs} == set(REVERSE_KINDS) - set(PUNCHED_KINDS)
    assert {d.facing for d in designs} == {-1, 1}
    assert {d.script for d in designs} == {"latin", "greek"}
    assert len({d.border for d in designs}) >= 7
    assert {i.run for d in designs for i in d.inscriptions} >= {"outward", "inward", "line"}
    assert 0.2 < np.mean([d.exergue is not None for d in designs]) < 0.7
    texts = [" ".join(i.text for i in d.inscriptions) for d in designs if d.inscriptions]
    assert len(set(texts)) > 0.85 * len(texts)
    assert 0.02 < np.mean([not d.inscriptions for d in designs]) < 0.3


def test_every_letter_of_every_legend_has_a_punch() -> None:
    for side in (OBVERSE, REVERSE):
        for seed in range(400):
            for inscription in sample_type(seed, side).inscriptions:
                for letter in inscription.text.replace(" ", ""):
                    assert letter in ARABIC_LETTERS or letter in SIGNS or variants(letter)


def test_facing_mirrors_the_head() -> None:
    design = replace(sample_type(2, OBVERSE, "bare"), inscriptions=(), marks=(), border="none")
    right, left = (engrave(replace(design, facing=way), 1, 0.0) for way in (1, -1))
    same = _correlation(right.height, left.height)
    mirrored = _correlation(right.height, left.height[:, ::-1])
    assert mirrored > 0.9
    assert mirrored > same


@pytest.mark.parametrize(
    "call",
    [
        lambda: sample_type(1, "edge"),  # type: ignore[arg-type]
        lambda: sample_type(1, OBVERSE, "eagle"),
        lambda: engrave(sample_type(1, OBVERSE), 1, die_distance=-0.1),
        lambda: engrave(sample_type(1, OBVERSE), 1, die_distance=float("nan")),
        lambda: engrave(sample_type(1, OBVERSE), 1, state=-1),
    ],
)
def test_wrong_arguments_are_refused(call) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(MintError):
        call()


def test_a_stroke_has_its_height_on_the_line_and_ends_at_its_half_width() -> None:
    sheet = Sheet()
    sheet.stroke(np.array([[-0.5, 0.0], [0.5, 0.0]]), 0.05, 0.2)
    (x, y), wide = Sheet.pixels(np.array([[0.0, 0.0]]))[0], 0.05 * PIXELS_PER_UNIT
    column = sheet.height[:, round(x)]
    assert column.max() == pytest.approx(0.2, rel=0.01)
    raised = np.flatnonzero(column > 0)
    assert abs(raised.mean() - y) < 1
    assert abs(len(raised) - 2 * wide) <= 2


def test_many_strokes_at_once_are_the_strokes_one_by_one() -> None:
    rng = np.random.default_rng(0)
    paths = rng.uniform(-0.8, 0.8, (12, 1, 2)) + np.cumsum(rng.normal(0, 0.03, (12, 5, 2)), 1)
    radius, height = rng.uniform(0.01, 0.03, (12, 5)), rng.uniform(0.02, 0.05, (12, 5))
    single, batch = Sheet(), Sheet()
    for path, r, h in zip(paths, radius, height, strict=True):
        single.stroke(path, r, h, 0.8)
    batch.strokes(paths, radius, height, 0.8)
    assert np.abs(single.height - batch.height).max() < 1e-4


@settings(max_examples=30, deadline=None)
@given(
    st.floats(-1, 1), st.floats(-1, 1), st.floats(0.2, 2), st.floats(-3, 3), st.booleans(),
)  # fmt: skip
def test_a_frame_is_a_similarity(
    x: float, y: float, scale: float, angle: float, flip: bool
) -> None:
    frame = Frame(x, y, scale, angle, flip)
    p = np.array([[0.0, 0.0], [1.0, 0.0], [0.3, 0.7]])
    q = frame(p)
    assert np.allclose(q[0], [x, y])
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert np.hypot(*(q[i] - q[j])) == pytest.approx(scale * np.hypot(*(p[i] - p[j])))
    u, v = q[1] - q[0], q[2] - q[0]
    assert (u[0] * v[1] - u[1] * v[0] > 0) == (not flip)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_a_closed_spline_passes_its_points(seed: int) -> None:
    points = np.random.default_rng(seed).uniform(-1, 1, (7, 2))
    assert np.allclose(spline(points, 5, closed=True)[::5], points)


def test_no_warp_at_distance_zero_and_keys_do_not_collide() -> None:
    points = np.random.default_rng(1).uniform(-1, 1, (20, 2))
    assert np.allclose(Warp.sample(stable_rng("a"), 0.0)(points), points)
    assert stable_rng("a", "b").random() != stable_rng("ab").random()
    assert stable_rng("die", 1).random() == stable_rng("die", 1).random()


@pytest.mark.parametrize("own", [0.0, 0.3, 0.7, 1.0])
def test_straying_draws_keep_their_distribution_and_stray_as_asked(own: float) -> None:
    first, second = (Straying(("model",), ("die", k), own) for k in (1, 2))
    a, b = (rng.normal(2.0, 3.0, 20_000) for rng in (first, second))
    assert a.mean() == pytest.approx(2.0, abs=0.1)
    assert a.std() == pytest.approx(3.0, rel=0.03)
    assert np.corrcoef(a, b)[0, 1] == pytest.approx(1 - own**2, abs=0.03)
    u = first.uniform(-1.0, 1.0, 20_000)
    assert u.min() >= -1
    assert u.max() <= 1
    assert np.percentile(u, [25, 50, 75]) == pytest.approx([-0.5, 0, 0.5], abs=0.045)
    assert set(first.integers(2, 5, 500).tolist()) == {2, 3, 4}


def test_a_field_does_not_depend_on_which_places_are_asked() -> None:
    def field() -> Field:
        return Field(stable_rng("m"), stable_rng("d"), 0.4, 0.1)

    places = np.random.default_rng(2).uniform(-1, 1, (4000, 2))
    values = field()(places)
    assert np.allclose(field()(places[100:130]), values[100:130])
    assert values.std() == pytest.approx(1.0, rel=0.15)
