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
from dieindex.collection.flan_confidence import Candidate, disc, is_cut, judged
from dieindex.collection.grounds import (
    Bytes,
    Ground,
    View,
    blobs,
    fit_ground,
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
"""Confidence below which a mount round the picture is searched for."""
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

    Beside it all candidates judged: where the best one is of a cut coin, those of every reading.
    """
    ground = fit_ground(view)
    candidates = _of_blobs(view, ground)
    best, judged_all = _first_good(candidates, None)
    in_corners: Iterator[Candidate] | None = None
    if best is None or best.confidence < SURE_FROM:
        in_corners = _of_blobs(view, fit_ground(view, from_corners=True))
        best, more = _first_good(in_corners, best)
        judged_all += more
    if best is None or best.confidence < GOOD_ENOUGH:
        on_rays = points_on_rays(view.edges).astype(np.float32)
        by_rays = _from_outline(view, ground, on_rays, None)
        if by_rays is not None and (best is None or by_rays.confidence > best.confidence + 0.05):
            best = by_rays
    if best is not None and best.cut and best.confidence >= SURE_FROM and best.error <= MOST_ERROR:
        # Whether the readings agree is worth knowing here alone.
        if in_corners is None:
            in_corners = _of_blobs(view, fit_ground(view, from_corners=True))
        judged_all += [*candidates, *in_corners]
    return best, judged_all


def _first_good(
    candidates: Iterator[Candidate], best: Candidate | None
) -> tuple[Candidate | None, list[Candidate]]:
    """The best candidate up to the first that is good enough, and all that were judged."""
    judged_all = []
    for candidate in candidates:
        judged_all.append(candidate)
        if best is None or candidate.confidence > best.confidence:
            best = candidate
            if best.confidence >= GOOD_ENOUGH:
                break
    return best, judged_all


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
    candidate = judged(view, ground, fitted, seen, points, blob, shadow)
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
    part = largest(blob & disc(fitted[0], 1.03, view.shape))
    if part is None:
        return None
    seen = inner_points(part[1], view.shape)
    return judged(view, ground, fitted, seen, part[1], part[0]) if len(seen) >= 12 else None


def _fitted(points: Floats32, shape: tuple[int, int]) -> tuple[Circle, float] | None:
    """The circle of an outline's seen points, and its expected error ÷ diameter."""
    circle = fit_circle(points)
    if circle is None or not _plausible(circle, shape):
        return None
    if not is_cut(circle, shape):
        return circle, arc_error(circle, points)
    circle, error = complete_arc(circle, points)
    return (circle, error) if _plausible(circle, shape) else None


def _plausible(circle: Circle, shape: tuple[int, int]) -> bool:
    height, width = shape
    longest = max(shape)
    return (
        0.04 * longest < circle.radius < 0.9 * longest
        and -0.1 * width < circle.x < 1.1 * width
        and -0.1 * height < circle.y < 1.1 * height
    )
