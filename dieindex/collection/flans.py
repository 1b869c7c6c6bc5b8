"""Finding the flan of one coin in a photograph: its circle, its outline, and how sure that is.

Several readings of the ground are tried in turn (``grounds``); each proposes a blob. A circle is
fitted to that part of its outline which lies inside the photograph. Every circle is judged by the
same yardstick (is the blob round, does its edge stand out and is it sharp all along, does what is
seen of it fix the circle?), and the best one wins. Where the picture cuts the coin, edges met by
rays from outside propose one more circle.

All work is done on a copy of about ``WORKING_EDGE`` pixels, so cost hardly grows with the picture.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from dieindex.collection.circles import arc_error, complete_arc, fit_circle, points_on_rays
from dieindex.collection.grounds import (
    Bytes,
    Ground,
    View,
    blobs,
    fit_ground,
    frame_of,
    largest,
    make_view,
    tidy,
)
from dieindex.records import Circle, Flags, Flan, Floats32, Picture

WORKING_EDGE = 208
"""Longest edge of the copy that is worked on, pixels."""
SURE_FROM = 0.75
"""Confidence from which a finding counts as sure. Of findings on composed pictures 98 % were right
above it, and three quarters a little below it."""
MOUNT_BELOW = 0.9
"""Confidence below which it is looked whether the picture has a mount round it."""
MOST_ERROR = 0.0125
"""Expected error ÷ diameter from which the circle of a cut coin is doubtful."""
CUT_SURE_FROM = 0.85
"""Confidence from which the circle of a cut coin counts as sure."""
MOST_DISAGREEMENT = 0.03
"""Mean difference ÷ diameter between the readings of a cut coin from which it is doubtful. With
these three, of 700 composed cut coins 3 were wrong and sure, and 16 % of the right ones flagged."""
GOOD_ENOUGH = 0.95
"""Confidence from which no further reading of the ground is tried."""


@dataclass(frozen=True, eq=False)
class Finding:
    """A flan and its outline, ``(n, 2)`` x and y in pixels of the picture, or None: the circle."""

    flan: Flan
    outline: Floats32 | None = None

    def mapped(self, scale: float, x: float = 0.0, y: float = 0.0) -> Finding:
        """The same finding in the picture of which this one is a part at ``(x, y)``, reduced by
        ``scale`` (``x`` and ``y`` in pixels of the reduced picture)."""
        circle = self.flan.circle
        mapped = Circle(
            (circle.x + x + 0.5) * scale - 0.5,
            (circle.y + y + 0.5) * scale - 0.5,
            circle.radius * scale,
        )
        points = self.outline
        if points is not None:
            shift = np.array([x + 0.5, y + 0.5], np.float32)
            points = (points + shift) * np.float32(scale) - np.float32(0.5)
        return Finding(replace(self.flan, circle=mapped), points)


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


def find_flan(picture: Picture) -> Finding:
    """The one coin of a photograph.

    ``picture`` is ``(h, w, 3)`` uint8 RGB. Where the finding is not sure, ``sure`` is False and
    ``reason`` says what was amiss. The circle then is the largest one inscribed in the picture's
    middle, unless the picture cuts the coin and only leaves in doubt how the coin goes on: then it
    is the likeliest circle, which is nearer the truth.
    """
    height, width = picture.shape[:2]
    view = make_view(picture, WORKING_EDGE)
    best, others = best_candidate(view)
    if best is None or best.confidence < MOUNT_BELOW:
        mount = framed(view)
        if mount is not None:
            left, top, right, bottom = (round(edge * view.scale) for edge in mount)
            inner = find_flan(picture[top:bottom, left:right])
            if inner.flan.sure:
                return inner.mapped(1.0, left, top)
    if best is None or best.confidence < SURE_FROM:
        reason = "no coin stands out from the ground" if best is None else best.weakness
        confidence = 0.0 if best is None else best.confidence
        circle = Circle((width - 1) / 2, (height - 1) / 2, min(height, width) / 2)
        return Finding(Flan(circle, confidence, False, reason))
    doubt = _doubt(best, others)
    # A doubtful circle ranks behind every sure one.
    confidence = best.confidence if doubt is None else SURE_FROM * best.confidence
    found = Finding(Flan(best.circle, confidence, doubt is None, doubt), best.outline)
    return found.mapped(view.scale)


def _doubt(best: Candidate, others: list[Candidate]) -> str | None:
    """Why the circle of a cut coin may be far off, None where it is not cut or well fixed.

    ``others`` are the candidates of all readings of the ground: where they differ, the outline of
    the winner may not be the coin's, and a short arc of another one need not show it.
    """
    if not best.cut:
        return None
    if best.error > MOST_ERROR:
        return "the picture cuts the coin: what is seen of its edge leaves its circle open"
    total = sum(each.confidence for each in others)
    apart = sum(each.confidence * _apart(best.circle, each.circle) for each in others)
    if best.confidence < CUT_SURE_FROM or apart > MOST_DISAGREEMENT * total:
        return "the picture cuts the coin, and its edge can be read in several ways"
    return None


def _apart(one: Circle, other: Circle) -> float:
    """Difference of centre or radius (the larger) ÷ diameter, at most 0.1."""
    centre = math.hypot(one.x - other.x, one.y - other.y)
    return min(0.1, max(centre, abs(one.radius - other.radius)) / (2 * one.radius))


def framed(view: View) -> tuple[int, int, int, int] | None:
    """The inside of a mount: a rectangle of another colour well within the picture's own frame.

    Left, top, right and bottom in the working copy, ends open; None where there is no mount.
    """
    height, width = view.shape
    part = largest(tidy(fit_ground(view).distance > 12))
    if part is None:
        return None
    left, top, columns, rows = cv2.boundingRect(part[0])
    filled = cv2.countNonZero(part[0]) / (columns * rows)
    margins = min(left, top, width - left - columns, height - top - rows)
    if filled < 0.95 or margins < 2 or columns * rows < 0.3 * height * width:
        return None
    inset = 2 + round(0.01 * min(height, width))
    return left + inset, top + inset, left + columns - inset, top + rows - inset


def best_candidate(view: View) -> tuple[Candidate | None, list[Candidate]]:
    """The candidate of highest confidence over all readings of the ground, if there is any.

    Beside it all candidates looked at: where the best one is of a cut coin, those of every reading.
    """
    ground = fit_ground(view)
    candidates = _of_blobs(view, ground)
    best, looked_at = _first_good(candidates, None)
    in_corners: Iterator[Candidate] | None = None
    if best is None or best.confidence < SURE_FROM:
        in_corners = _of_blobs(view, fit_ground(view, from_corners=True))
        best, more = _first_good(in_corners, best)
        looked_at += more
    if best is None or best.confidence < GOOD_ENOUGH:
        on_rays = points_on_rays(view.edges).astype(np.float32)
        by_rays = _from_outline(view, ground, on_rays, None)
        if by_rays is not None and (best is None or by_rays.confidence > best.confidence + 0.05):
            best = by_rays
    if best is not None and best.cut and best.confidence >= SURE_FROM and best.error <= MOST_ERROR:
        # Whether the readings agree is worth knowing here alone.
        if in_corners is None:
            in_corners = _of_blobs(view, fit_ground(view, from_corners=True))
        looked_at += [*candidates, *in_corners]
    return best, looked_at


def _first_good(
    candidates: Iterator[Candidate], best: Candidate | None
) -> tuple[Candidate | None, list[Candidate]]:
    """The best candidate up to the first that is good enough, and all that were looked at."""
    looked_at = []
    for candidate in candidates:
        looked_at.append(candidate)
        if best is None or candidate.confidence > best.confidence:
            best = candidate
            if best.confidence >= GOOD_ENOUGH:
                break
    return best, looked_at


def _of_blobs(view: View, ground: Ground) -> Iterator[Candidate]:
    for mask, shadow in blobs(view, ground):
        part = largest(tidy(mask))
        if part is None:
            continue
        blob, points = part
        candidate = _from_outline(view, ground, points, blob, shadow)
        if candidate is not None:
            yield candidate


def _straight(points: Floats32, half: float) -> Flags:
    """Which points of a closed outline lie on a straight run of ``half`` pixels to either side."""
    step = max(2, round(half))
    before, after = np.roll(points, step, axis=0), np.roll(points, -step, axis=0)
    chord = after - before
    length = np.maximum(np.hypot(chord[:, 0], chord[:, 1]), 1e-6)
    apart = points - before
    bulge = np.abs(chord[:, 0] * apart[:, 1] - chord[:, 1] * apart[:, 0]) / length
    centres = (bulge < 0.7) & (length > 1.5 * step)
    run = np.ones(2 * step + 1, np.float32)
    around = np.convolve(np.concatenate([centres[-step:], centres, centres[:step]]), run, "valid")
    return np.asarray(around > 0.5, bool)


def inner_points(points: Floats32, shape: tuple[int, int]) -> Floats32:
    """The points that do not lie on the picture's own edge."""
    x, y = points[:, 0], points[:, 1]
    return points[(x > 1) & (y > 1) & (x < shape[1] - 2) & (y < shape[0] - 2)]


def _from_outline(
    view: View,
    ground: Ground,
    points: Floats32,
    blob: Bytes | None,
    shadow: Flags | None = None,
) -> Candidate | None:
    seen = inner_points(points, view.shape)
    if blob is not None and 12 <= len(seen) < 0.9 * len(points):
        # The picture cuts the coin. Lines across its corners are where a turned scan was filled.
        bent = inner_points(points[~_straight(points, 0.12 * max(view.shape))], view.shape)
        seen = bent if len(bent) > 0.4 * len(seen) else seen
    if len(seen) < 12:
        return None
    fitted = _fitted(seen, view.shape)
    if fitted is None:
        return None
    candidate = _judged(view, ground, fitted, seen, points, blob, shadow)
    if blob is None or candidate.sharp > 0.9:
        return candidate
    without = _without_blurred(view, ground, candidate.sharp_points, blob)
    if without is not None and without.confidence > candidate.confidence:
        return without
    return candidate


def _without_blurred(view: View, ground: Ground, sharp: Floats32, blob: Bytes) -> Candidate | None:
    """The candidate of the sharp part of an outline alone: the rest may be a shadow's edge."""
    fitted = _fitted(sharp, view.shape)
    if fitted is None:
        return None
    part = largest(blob & _disc(fitted[0], 1.03, view.shape))
    if part is None:
        return None
    seen = inner_points(part[1], view.shape)
    return _judged(view, ground, fitted, seen, part[1], part[0]) if len(seen) >= 12 else None


def _fitted(points: Floats32, shape: tuple[int, int]) -> tuple[Circle, float] | None:
    """The circle of an outline's seen points, and its expected error ÷ diameter."""
    circle = fit_circle(points)
    if circle is None or not _plausible(circle, shape):
        return None
    if not _is_cut(circle, shape):
        return circle, arc_error(circle, points)
    circle, error = complete_arc(circle, points)
    return (circle, error) if _plausible(circle, shape) else None


def _is_cut(circle: Circle, shape: tuple[int, int]) -> bool:
    """Whether the circle reaches beyond the picture."""
    least = min(circle.x, circle.y, shape[1] - 1 - circle.x, shape[0] - 1 - circle.y)
    return circle.radius > least + 1


def _plausible(circle: Circle, shape: tuple[int, int]) -> bool:
    height, width = shape
    longest = max(shape)
    return (
        0.04 * longest < circle.radius < 0.9 * longest
        and -0.1 * width < circle.x < 1.1 * width
        and -0.1 * height < circle.y < 1.1 * height
    )


def _disc(circle: Circle, times: float, shape: tuple[int, int]) -> Bytes:
    """The pixels within ``times`` the circle's radius, as 1, in a picture of that shape."""
    ys = np.arange(shape[0], dtype=np.float32)[:, None] - np.float32(circle.y)
    xs = np.arange(shape[1], dtype=np.float32)[None, :] - np.float32(circle.x)
    return (xs * xs + ys * ys <= (times * circle.radius) ** 2).astype(np.uint8)


# ---------------------------------------------------------------------------- judging


def _judged(
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
    beyond = _is_cut(circle, view.shape)
    cut = beyond or (blob is not None and len(seen) < 0.9 * len(points))
    error = error if beyond else 0.0
    return Candidate(circle, kept, confidence, weakness, sharp, sharp_points, cut, error)


def _ramp(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0, 1))


def _overlap(circle: Circle, blob: Bytes, shape: tuple[int, int]) -> float:
    """Common area of circle and blob by their joint area, inside the photograph."""
    disc = _disc(circle, 1.0, shape)
    both = cv2.countNonZero(cv2.bitwise_and(disc, blob))
    either = cv2.countNonZero(cv2.bitwise_or(disc, blob))
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
    relief = float(np.percentile(view.edges[_disc(circle, 1.0, view.shape) > 0][::3], 75))
    sharp = edge > max(0.4 * float(np.percentile(edge, 75)), 0.6 * relief)
    toned = sample(ground.toned.astype(np.float32), slice(3, 4))[:, 0] > 0.5
    sharp |= ~toned
    return float((stands_out & calm).mean()), float(sharp.mean()), points[sharp]
