"""Drawn coins whose place is known, for the tests of the alignment."""

from __future__ import annotations

import cv2
import numpy as np

from dieindex.records import FACE_SIZE, FLAN_RADIUS, Circle, Face, Flan

MIDDLE = (FACE_SIZE - 1) / 2
RADIUS = FLAN_RADIUS * FACE_SIZE
FLAN = Flan(Circle(MIDDLE, MIDDLE, RADIUS), 1.0, True)
_DIE = 512


def design(seed: int) -> np.ndarray:
    """A relief of random strokes, blobs and letters, ``(512, 512)``, radius of the flan 200."""
    rng = np.random.default_rng(seed)
    relief = np.zeros((_DIE, _DIE), np.uint8)
    for _ in range(7):
        x, y = (int(v) for v in rng.uniform(150, 362, 2))
        axes = tuple(int(v) for v in rng.uniform(14, 55, 2))
        cv2.ellipse(relief, (x, y), axes, float(rng.uniform(0, 180)), 0, 360, 255, -1)
    for _ in range(9):
        a, b = ([int(v) for v in rng.uniform(130, 382, 2)] for _ in range(2))
        cv2.line(relief, a, b, rng.uniform(80, 230), int(rng.uniform(4, 10)))
    for letter in range(8):
        angle = rng.uniform(0, 2 * np.pi)
        at = (int(240 + 160 * np.cos(angle)), int(270 + 160 * np.sin(angle)))
        text = chr(65 + int(rng.integers(26)))
        cv2.putText(relief, text, at, cv2.FONT_HERSHEY_SIMPLEX, 1.4, 200, 5 + letter % 2)
    return cv2.GaussianBlur(relief.astype(np.float32) / 255, (0, 0), 3.0)


def cross() -> np.ndarray:
    """A relief that looks alike under four turns: a cross with a pellet in each angle, a circle."""
    relief = np.zeros((_DIE, _DIE), np.uint8)
    middle = _DIE // 2
    for turn in range(4):
        x, y = np.cos(turn * np.pi / 2), np.sin(turn * np.pi / 2)
        end = (round(middle + 120 * x), round(middle + 120 * y))
        cv2.line(relief, (middle, middle), end, 220, 14)
        pellet = (round(middle + 50 * (x - y)), round(middle + 50 * (x + y)))
        cv2.circle(relief, pellet, 14, 255, -1)
    cv2.circle(relief, (middle, middle), 140, 200, 4)
    return cv2.GaussianBlur(relief.astype(np.float32) / 255, (0, 0), 3.0)


def place(turn: float = 0, scale: float = 1, x: float = 0, y: float = 0) -> np.ndarray:
    """``(3, 3)``: pixels of a design to pixels of a face; turn in degrees, shift in flan radii."""
    angle, size = np.deg2rad(turn), scale * RADIUS / 200
    c, s = size * np.cos(angle), size * np.sin(angle)
    centre = (_DIE - 1) / 2
    shift = np.array([MIDDLE + x * RADIUS, MIDDLE + y * RADIUS])
    linear = np.array([[c, -s], [s, c]])
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = shift - linear @ [centre, centre]
    return matrix


def coin(relief: np.ndarray, matrix: np.ndarray, light: float = 40, seed: int = 0) -> Face:
    """A face of a design placed by ``matrix``, lit from ``light`` degrees, with noise and a
    flan."""
    rng = np.random.default_rng([seed, 5])
    height = cv2.warpPerspective(relief, matrix, (FACE_SIZE, FACE_SIZE))
    x = cv2.Sobel(height, cv2.CV_32F, 1, 0)
    y = cv2.Sobel(height, cv2.CV_32F, 0, 1)
    away = np.deg2rad(light)
    grey = 128 + 90 * (np.cos(away) * x + np.sin(away) * y)
    rough = cv2.GaussianBlur(rng.normal(0, 1, height.shape).astype(np.float32), (0, 0), 1.2)
    grey += 18 * rough
    row, column = np.mgrid[0:FACE_SIZE, 0:FACE_SIZE]
    mask = np.hypot(row - MIDDLE, column - MIDDLE) < RADIUS
    grey = np.where(mask, grey, 235)
    picture = np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    return Face("obverse", picture, mask, FLAN)


def displacement(found: np.ndarray, true: np.ndarray) -> float:
    """Mean distance of two maps of a face over its inner flan, share of the diameter."""
    angle, away = np.meshgrid(np.linspace(0, 2 * np.pi, 12, endpoint=False), (0.2, 0.5, 0.7))
    points = np.stack(
        [
            MIDDLE + RADIUS * (away * np.cos(angle)).ravel(),
            MIDDLE + RADIUS * (away * np.sin(angle)).ravel(),
            np.ones(angle.size),
        ]
    )
    a, b = found @ points, true @ points
    return float(np.hypot(*(a[:2] / a[2] - b[:2] / b[2])).mean() / (2 * RADIUS))
