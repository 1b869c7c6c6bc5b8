"""The flan finder, on composed photographs whose circles are known."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.collection.circles import complete_arc, fit_circle
from dieindex.collection.flans import MOST_ERROR, Finding, find_flan
from dieindex.records import Circle
from tests.composed_photographs import GROUNDS, finished, ground, photograph, with_coin


def off(finding: Finding, truth: Circle) -> float:
    """The larger error of centre and radius, as a share of the diameter."""
    found = finding.flan.circle
    centre = math.hypot(found.x - truth.x, found.y - truth.y)
    return max(centre, abs(found.radius - truth.radius)) / (2 * truth.radius)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from(GROUNDS),
    radius=st.floats(60, 125),
    across=st.floats(0, 1),
    down=st.floats(0, 1),
    seed=st.integers(0, 50),
)
def test_a_coin_anywhere_on_any_ground_is_found(
    kind: str, radius: float, across: float, down: float, seed: int
) -> None:
    room = 1.2 * radius  # space for the shadow
    truth = Circle(room + across * (320 - 2 * room), room + down * (300 - 2 * room), radius)
    finding = find_flan(photograph(kind, truth, seed=seed))
    assert finding.flan.sure, finding.flan.reason
    assert off(finding, truth) < 0.05


@pytest.mark.parametrize("kind", ["grey", "white", "colour"])
@pytest.mark.parametrize("size", [90, 300, 1200])
def test_the_size_of_the_picture_does_not_matter(kind: str, size: int) -> None:
    truth = Circle(0.45 * size, 0.52 * size, 0.4 * size)
    finding = find_flan(photograph(kind, truth, size, size))
    assert finding.flan.sure
    assert off(finding, truth) < 0.05


@pytest.mark.parametrize("kind", ["white", "grey", "black"])
@pytest.mark.parametrize(("x", "y"), [(150, 150), (120, 150), (165, 190), (185, 120)])
def test_a_coin_cut_by_the_picture_gets_a_circle_that_reaches_beyond(
    kind: str, x: float, y: float
) -> None:
    truth = Circle(x, y, 168)
    finding = find_flan(photograph(kind, truth, 300, 300))
    assert finding.flan.sure, finding.flan.reason
    assert off(finding, truth) < 0.05
    circle = finding.flan.circle
    assert circle.x - circle.radius < 0 or circle.x + circle.radius > 299


@pytest.mark.parametrize("corner", [0, 128, 255])
def test_corners_filled_when_a_scan_was_turned_do_not_pull_the_circle(corner: int) -> None:
    truth = Circle(150, 150, 160)
    straight = photograph("white", truth, 300, 300).astype(np.float32)
    turn = cv2.getRotationMatrix2D((149.5, 149.5), 5, 1)
    turned = cv2.warpAffine(straight, turn, (300, 300), borderValue=(corner,) * 3)
    finding = find_flan(finished(turned))
    assert off(finding, truth) < 0.05 or not finding.flan.sure
    assert finding.flan.sure


@pytest.mark.parametrize("shift", [(0.12, 0.08), (-0.1, 0.12), (0.0, 0.15)])
@pytest.mark.parametrize("kind", ["white", "grey"])
def test_a_shadow_is_not_coin(kind: str, shift: tuple[float, float]) -> None:
    truth = Circle(150, 140, 100)
    picture = finished(with_coin(ground(kind, 300, 300), truth, 3, shadow=shift))
    finding = find_flan(picture)
    assert finding.flan.sure
    assert off(finding, truth) < 0.03


def test_scale_bars_captions_and_logos_are_not_coin() -> None:
    truth = Circle(200, 175, 150)
    field = finished(with_coin(ground("white", 400, 400), truth, 4)).copy()
    for i in range(6):
        shade = (0, 0, 0) if i % 2 else (200, 200, 200)
        cv2.rectangle(field, (60 + 45 * i, 350), (105 + 45 * i, 362), shade, -1)
    cv2.putText(field, "Lot 455  AR 14.2 g", (40, 392), 0, 0.8, (0, 0, 0), 2)
    cv2.circle(field, (372, 28), 22, (170, 20, 30), -1)
    finding = find_flan(field)
    assert finding.flan.sure
    assert off(finding, truth) < 0.02


def test_the_mount_round_a_photograph_is_not_coin() -> None:
    field = np.full((340, 340, 3), 255, np.float32)
    truth = Circle(170, 165, 110)
    field[25:315, 25:315] = ground("grey", 290, 290)
    finding = find_flan(finished(with_coin(field, truth, 5)))
    assert finding.flan.sure
    assert off(finding, truth) < 0.03


def test_the_outline_follows_the_flan() -> None:
    truth = Circle(160, 150, 110)
    finding = find_flan(photograph("grey", truth))
    assert finding.outline is not None
    away = np.hypot(finding.outline[:, 0] - truth.x, finding.outline[:, 1] - truth.y)
    assert np.abs(away / truth.radius - 1).max() < 0.06


@pytest.mark.parametrize("kind", ["noise", "stripes", "square", "nothing"])
def test_where_there_is_no_coin_the_finder_is_not_sure(kind: str) -> None:
    field = ground("white", 240, 300)
    if kind == "noise":
        field = np.random.default_rng(1).uniform(0, 255, (240, 300, 3))
    elif kind == "stripes":
        field[:, ::8] = 30
    elif kind == "square":
        field[60:180, 80:200] = 90
    flan = find_flan(finished(field)).flan
    assert not flan.sure
    assert flan.reason
    assert flan.circle == Circle(149.5, 119.5, 120.0)


def arc(circle: Circle, start: float, stop: float, noise: float = 0.0) -> np.ndarray:
    angles = np.radians(np.linspace(start, stop, 150))
    reach = circle.radius * (1 + np.random.default_rng(2).normal(0, noise, 150))
    return np.stack([circle.x + reach * np.cos(angles), circle.y + reach * np.sin(angles)], 1)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    x=st.floats(-50, 200),
    y=st.floats(-50, 200),
    radius=st.floats(20, 300),
    start=st.floats(0, 360),
    span=st.floats(80, 360),
)
def test_a_circle_is_recovered_from_an_arc(
    x: float, y: float, radius: float, start: float, span: float
) -> None:
    fitted = fit_circle(arc(Circle(x, y, radius), start, start + span))
    assert fitted is not None
    assert math.hypot(fitted.x - x, fitted.y - y) < 0.01 * radius
    assert abs(fitted.radius - radius) < 0.01 * radius


def test_a_bulge_on_the_outline_does_not_move_the_circle() -> None:
    truth = Circle(100, 100, 80)
    points = arc(truth, 0, 360, 0.004)
    points[20:55] = (points[20:55] - 100) * 1.3 + 100
    fitted = fit_circle(points)
    assert fitted is not None
    assert math.hypot(fitted.x - 100, fitted.y - 100) < 2
    assert abs(fitted.radius - 80) < 2


def test_the_less_of_the_outline_is_seen_the_less_it_fixes_the_circle() -> None:
    circle = Circle(0, 0, 100)
    spans = (360, 250, 180, 120, 70)
    errors = [complete_arc(circle, arc(circle, 0, span, 0.004))[1] for span in spans]
    assert errors == sorted(errors)
    assert errors[0] == 0
    assert errors[1] < MOST_ERROR
    assert errors[-1] > MOST_ERROR


def outline(angles: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """The outline of an irregular flan: its distance from the centre at these angles, radius 1."""
    reach = np.ones_like(angles)
    for harmonic in range(2, 12):
        part = draw.normal(0, 0.028 * (2 / harmonic) ** 1.7, 2)
        reach += part[0] * np.cos(harmonic * angles) + part[1] * np.sin(harmonic * angles)
    return reach


def test_the_expected_error_of_an_irregular_flan_is_the_true_one() -> None:
    draw = np.random.default_rng(5)
    plain, completed, expected = [], [], []
    for _ in range(200):
        span = draw.uniform(150, 270)
        angles = np.radians(np.linspace(0, span, 220))
        reach = outline(angles, draw)
        points = 100 * np.stack([reach * np.cos(angles), reach * np.sin(angles)], 1)
        start = fit_circle(points)
        assert start is not None
        circle, error = complete_arc(start, points)
        for each, errors in ((start, plain), (circle, completed)):
            errors.append(max(math.hypot(each.x, each.y), abs(each.radius - 100)) / 200)
        expected.append(error)
    assert np.mean(completed) < 0.8 * np.mean(plain)
    typical = math.sqrt(np.mean(np.square(completed)))
    assert 0.5 * typical < np.mean(expected) < 2 * typical
    order = np.argsort(expected)
    assert np.mean(np.array(completed)[order[:70]]) < 0.6 * np.mean(
        np.array(completed)[order[-70:]]
    )


@pytest.mark.parametrize("x", [70, 90])
def test_a_coin_of_which_little_is_seen_is_flagged_but_not_thrown_away(x: int) -> None:
    truth = Circle(x, 150, 190)
    finding = find_flan(photograph("white", truth, 300, 300))
    assert not finding.flan.sure
    assert finding.flan.reason is not None
    assert "cuts the coin" in finding.flan.reason
    assert off(finding, truth) < 0.15


def test_points_in_a_line_make_no_circle_of_sensible_size() -> None:
    line = np.stack([np.linspace(0, 100, 50), np.zeros(50)], axis=1)
    fitted = fit_circle(line)
    assert fitted is None or fitted.radius > 1000
