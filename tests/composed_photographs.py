"""Photographs of composed coins with the truth known: any ground, shadow, caption, cut edge,
pair."""

from __future__ import annotations

import cv2
import numpy as np

from dieindex.records import Circle, Picture

GROUNDS = ("white", "grey", "black", "colour", "gradient", "vignette", "shadow", "noise")


def relief(radius: float, seed: int) -> tuple[Picture, np.ndarray]:
    """A struck-looking disc with a head, a dotted border and a slightly irregular outline.

    Returns its picture and its alpha 0…1, both with the centre in the middle.
    """
    draw = np.random.default_rng(seed)
    edge = int(2.3 * radius) | 1
    ys, xs = np.mgrid[0:edge, 0:edge].astype(np.float32)
    middle = edge // 2
    angle = np.arctan2(ys - middle, xs - middle)
    outline = radius * (1 + 0.015 * np.cos(2 * angle + draw.uniform(0, 6)))
    outline += radius * 0.008 * np.cos(5 * angle + draw.uniform(0, 6))
    away = np.hypot(xs - middle, ys - middle)
    alpha = np.clip(outline - away + 0.5, 0, 1)
    height = np.zeros((edge, edge), np.float32)
    at = (round(middle + 0.1 * radius), round(middle - 0.1 * radius))
    cv2.ellipse(height, at, (round(0.38 * radius), round(0.5 * radius)), 10, 0, 360, 1.0, -1)
    for turn in np.arange(0, 2 * np.pi, 2 * np.pi / 48):
        dot = (middle + 0.87 * radius * np.cos(turn), middle + 0.87 * radius * np.sin(turn))
        place = (round(float(dot[0])), round(float(dot[1])))
        cv2.circle(height, place, max(1, round(0.03 * radius)), 0.7, -1)
    for _ in range(30):
        reach, turn = draw.uniform(0, 0.75) * radius, draw.uniform(0, 2 * np.pi)
        place = (round(middle + reach * np.cos(turn)), round(middle + reach * np.sin(turn)))
        axes = (round(draw.uniform(2, 9) * radius / 80) + 1, round(radius / 40) + 1)
        cv2.ellipse(height, place, axes, draw.uniform(0, 180), 0, 360, draw.uniform(0.2, 1), -1)
    height = cv2.GaussianBlur(height, (0, 0), max(0.7, 0.015 * radius))
    height = height + 0.3 * np.clip((outline - away) / (0.12 * radius), 0, 1).astype(np.float32)
    slope = cv2.Sobel(height, cv2.CV_32F, 1, 0) + cv2.Sobel(height, cv2.CV_32F, 0, 1)
    metal = np.array(draw.choice([[150, 150, 155], [170, 135, 70], [95, 80, 65]]), np.float32)
    shade = 1 + 0.35 * np.tanh(slope * 1.5) + draw.normal(0, 0.03, height.shape)
    coin = np.clip(metal * shade[:, :, None], 0, 255).astype(np.uint8)
    return coin, alpha.astype(np.float32)


def ground(kind: str, height: int, width: int, seed: int = 0) -> np.ndarray:
    """A ground ``(height, width, 3)`` float32, 0…255."""
    draw = np.random.default_rng(seed + 7)
    v, u = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    plain = {
        "white": (252, 252, 252),
        "shadow": (248, 248, 248),
        "grey": (196, 196, 198),
        "black": (14, 14, 16),
        "colour": (40, 70, 150),
        "noise": (205, 200, 205),
    }
    if kind == "gradient":
        light = 215 - 120 * (0.6 * u + 0.4 * v)
        field = np.repeat(light[:, :, None], 3, axis=2) + np.array([8, 0, 18])
    elif kind == "vignette":
        light = 235 * (1 - 0.8 * ((u - 0.5) ** 2 + (v - 0.5) ** 2))
        field = np.repeat(light[:, :, None], 3, axis=2)
    else:
        field = np.broadcast_to(np.array(plain[kind], float), (height, width, 3))
    spread = 7.0 if kind == "noise" else 1.2
    return (field + draw.normal(0, spread, (height, width, 1))).astype(np.float32)


def with_coin(
    field: np.ndarray, circle: Circle, seed: int = 0, shadow: tuple[float, float] | None = None
) -> np.ndarray:
    """Lays a coin on a ground; ``shadow`` is its shift to the right and down, in radii."""
    coin, alpha = relief(circle.radius, seed)
    height, width = field.shape[:2]
    middle = (alpha.shape[0] - 1) / 2
    move = np.array([[1, 0, circle.x - middle], [0, 1, circle.y - middle]])
    placed = cv2.warpAffine(coin, move, (width, height)).astype(np.float32)
    cover = cv2.warpAffine(alpha, move, (width, height))[:, :, None]
    if shadow is not None:
        shifted = move + np.array([[0, 0, shadow[0]], [0, 0, shadow[1]]]) * circle.radius
        dark = cv2.warpAffine(alpha, shifted, (width, height))
        dark = cv2.GaussianBlur(dark, (0, 0), 0.06 * circle.radius)[:, :, None]
        field = field * (1 - 0.5 * dark)
    return field * (1 - cover) + placed * cover


def photograph(
    kind: str, circle: Circle, width: int = 320, height: int = 300, seed: int = 0
) -> Picture:
    """One coin on one ground."""
    shadow = (0.05, 0.1) if kind == "shadow" else None
    return finished(with_coin(ground(kind, height, width, seed), circle, seed, shadow))


def finished(field: np.ndarray) -> Picture:
    return np.clip(field, 0, 255).astype(np.uint8)


def pair(
    kind: str,
    radii: tuple[float, float] = (120, 120),
    gap: float = 20,
    before: float = 15,
    after: float = 15,
    vertical: bool = False,
) -> tuple[Picture, Circle, Circle]:
    """Two coins beside (or above) one another, with the truth."""
    tall = 2 * max(radii) + 30
    long = before + 2 * radii[0] + gap + 2 * radii[1] + after
    first = Circle(before + radii[0], tall / 2, radii[0])
    second = Circle(before + 2 * radii[0] + gap + radii[1], tall / 2, radii[1])
    width, height = round(long), round(tall)
    if vertical:
        width, height = height, width
        first, second = (Circle(c.y, c.x, c.radius) for c in (first, second))
    field = with_coin(with_coin(ground(kind, height, width), first, 1), second, 2)
    return finished(field), first, second
