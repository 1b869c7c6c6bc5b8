"""How far a circle can be believed to be the flan's: every candidate by the same yardstick."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dieindex.collection.grounds import Bytes, Ground, View, frame_of
from dieindex.records import Circle, Flags, Floats32


@dataclass(frozen=True, eq=False)
class Candidate:
    """A circle in the working copy, the outline it was fitted to, and its confidence 0…1."""

    circle: Circle
    outline: Floats32 | None
    confidence: float
    weakness: str
    sharp: float
    """Share of the outline at which its edge is sharp."""
    sharp_points: Floats32
    cut: bool
    """Whether the circle reaches beyond the picture, or much of the outline is the picture's."""
    error: float
    """Expected error of centre or radius ÷ diameter because the picture cuts the coin, else 0."""


def judged(
    view: View,
    ground: Ground,
    fitted: tuple[Circle, float],
    seen: Floats32,
    points: Floats32,
    blob: Bytes | None,
    shadow: Flags | None = None,
) -> Candidate:
    """The candidate with its confidence: the root of the product of five shares, each 0…1."""
    circle, error = fitted
    if blob is None:
        along = _circle_points(circle)
        round_share = _share_on_circle(circle, seen)
    else:
        along = seen
        round_share = _overlap(circle, blob, view.shape)
    stands_out, sharp, sharp_points = _edge_shares(view, ground, circle, along, shadow)
    shares = {
        "its outline is not round": _ramp(round_share, 0.80, 0.90),
        "its edge does not stand out from the ground": _ramp(stands_out, 0.35, 0.85),
        "its edge is blurred by a shadow or runs on": _ramp(sharp, 0.25, 1.0),
        "too little of its edge is in the picture": _ramp(-error, -0.05, -0.02),
        "around it the picture is as rough as in it": _ramp(_calm_outside(view, circle), 0.4, 0.7),
    }
    confidence = float(np.prod(list(shares.values()))) ** 0.5
    weakness = min(shares, key=lambda name: shares[name])
    kept = None if blob is None else points
    beyond = is_cut(circle, view.shape)
    cut = beyond or (blob is not None and len(seen) < 0.9 * len(points))
    error = error if beyond else 0.0
    return Candidate(circle, kept, confidence, weakness, sharp, sharp_points, cut, error)


def _ramp(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0, 1))


def _overlap(circle: Circle, blob: Bytes, shape: tuple[int, int]) -> float:
    """Common area of circle and blob by their joint area, inside the photograph."""
    inside = disc(circle, 1.0, shape)
    both = cv2.countNonZero(cv2.bitwise_and(inside, blob))
    either = cv2.countNonZero(cv2.bitwise_or(inside, blob))
    return both / max(1, either)


def _share_on_circle(circle: Circle, points: Floats32) -> float:
    """Share of the circle's sectors of 6 degrees near which some of the points lie, 0.5…1 so that
    it can stand beside an overlap of areas."""
    dx, dy = points[:, 0] - circle.x, points[:, 1] - circle.y
    near = np.abs(np.hypot(dx, dy) / circle.radius - 1) < 0.03
    sector = ((np.arctan2(dy, dx) + np.pi) * (30 / np.pi)).astype(int)
    return 0.5 + 0.5 * len(np.unique(sector[near])) / max(1, len(np.unique(sector)))


def _circle_points(circle: Circle) -> Floats32:
    angles = np.linspace(0, 2 * np.pi, 160, endpoint=False)
    xs, ys = circle.x + circle.radius * np.cos(angles), circle.y + circle.radius * np.sin(angles)
    return np.stack([xs, ys], axis=1).astype(np.float32)


def _calm_outside(view: View, circle: Circle) -> float:
    """Share of the surroundings (1.12 to 1.4 radii) no rougher than the picture's calm frame.

    A circle within the design (a dotted border) has relief around it. 1 where the surroundings lie
    outside the picture.
    """
    height, width = view.shape
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False, dtype=np.float32)[:, None]
    reach = np.float32(circle.radius) * np.linspace(1.12, 1.4, 5, dtype=np.float32)
    xs = (np.float32(circle.x) + reach * np.cos(angles)).ravel()
    ys = (np.float32(circle.y) + reach * np.sin(angles)).ravel()
    inside = (xs > 1) & (ys > 1) & (xs < width - 2) & (ys < height - 2)
    if inside.sum() < 30:
        return 1.0
    around = view.texture[ys[inside].astype(int), xs[inside].astype(int)]
    calm = float(np.percentile(view.texture[frame_of(view.shape)], 30))
    return float((around < max(5.0, 3.0 * calm)).mean())


INNER = np.linspace(0.89, 0.97, 4, dtype=np.float32)
OUTER = np.linspace(1.03, 1.10, 4, dtype=np.float32)
ACROSS = np.linspace(0.96, 1.04, 7, dtype=np.float32)


def _edge_shares(
    view: View, ground: Ground, circle: Circle, points: Floats32, shadow: Flags | None
) -> tuple[float, float, Floats32]:
    """Shares of the outline across which the picture changes and at which its edge is sharp.

    Sharp is measured by the upper quartiles of the outline itself and of the relief within: a
    shadow taken for coin has a soft edge beside the flan's sharp one, while in a blurred photograph
    all edges are equally soft; and only where what lies within has the tone of a shadow does a soft
    edge count against it. Where the flan borders on its shadow its edge may be weak, so that
    part does not count unless it is most of the outline. Also returns the points that are sharp.
    """
    height, width = view.shape
    points = points[:: max(1, len(points) // 120)]
    middle = np.array([circle.x, circle.y], np.float32)
    arms = points - middle
    rings = np.concatenate([INNER, OUTER, ACROSS])
    xs = middle[0] + arms[:, :1] * rings
    ys = middle[1] + arms[:, 1:] * rings
    visible = (xs[:, 5] >= 0) & (ys[:, 5] >= 0) & (xs[:, 5] <= width - 1) & (ys[:, 5] <= height - 1)
    if shadow is not None:
        column = np.clip(xs[:, 5], 0, width - 1).astype(int)
        row = np.clip(ys[:, 5], 0, height - 1).astype(int)
        lit = visible & ~shadow[row, column]
        if lit.sum() > 0.4 * visible.sum():
            visible = lit
    if visible.sum() < 8:
        return 0.0, 0.0, points[:0]
    points = points[visible]
    xs, ys = np.ascontiguousarray(xs[visible]), np.ascontiguousarray(ys[visible])

    def sample(values: Floats32, columns: slice) -> Floats32:
        sampled = cv2.remap(
            values,
            np.ascontiguousarray(xs[:, columns]),
            np.ascontiguousarray(ys[:, columns]),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(sampled, np.float32)

    colours = sample(view.lab, slice(0, 8))
    apart = colours[:, :4].mean(axis=1) - colours[:, 4:].mean(axis=1)
    contrast = np.sqrt((apart * apart).sum(axis=1))
    texture = sample(view.texture, slice(0, 8))
    rougher = texture[:, :4].mean(axis=1) - texture[:, 5:].mean(axis=1)
    stands_out = (contrast > max(10.0, 3 * ground.noise)) | (rougher > max(4.0, ground.noise))
    calm = texture[:, 5:].min(axis=1) < np.maximum(6.0, texture[:, :4].mean(axis=1))
    edge = sample(view.edges, slice(8, 15)).max(axis=1)
    relief = float(np.percentile(view.edges[disc(circle, 1.0, view.shape) > 0][::3], 75))
    sharp = edge > max(0.4 * float(np.percentile(edge, 75)), 0.6 * relief)
    toned = sample(ground.toned.astype(np.float32), slice(3, 4))[:, 0] > 0.5
    sharp |= ~toned
    return float((stands_out & calm).mean()), float(sharp.mean()), points[sharp]


def is_cut(circle: Circle, shape: tuple[int, int]) -> bool:
    """Whether the circle reaches beyond the picture."""
    least = min(circle.x, circle.y, shape[1] - 1 - circle.x, shape[0] - 1 - circle.y)
    return circle.radius > least + 1


def disc(circle: Circle, times: float, shape: tuple[int, int]) -> Bytes:
    """The pixels within ``times`` the circle's radius, as 1, in a picture of that shape."""
    ys = np.arange(shape[0], dtype=np.float32)[:, None] - np.float32(circle.y)
    xs = np.arange(shape[1], dtype=np.float32)[None, :] - np.float32(circle.x)
    return (xs * xs + ys * ys <= (times * circle.radius) ** 2).astype(np.uint8)
