"""Finding the flan of one coin in a photograph: its circle, its outline, and how sure that is.

Several readings of the ground are tried in turn (a smooth ground fitted to the picture's frame,
the same without what looks like shadow, smooth regions that reach the frame, texture, and first
edges met by rays from outside). Each proposes a blob; a circle is fitted to that part of its
outline which lies inside the photograph; every circle is judged by the same yardstick, and the
best one wins.

All work is done on a copy of about ``WORKING_EDGE`` pixels, so cost hardly grows with the picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from dieindex.collection.circles import circle_through_rays, fit_circle
from dieindex.records import Circle, Flan, Picture

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

WORKING_EDGE = 208
"""Longest edge of the copy that is worked on, pixels."""
SURE_FROM = 0.60
"""Confidence from which a finding counts as sure."""
GOOD_ENOUGH = 0.88
"""Confidence from which no further reading of the ground is tried."""


@dataclass(frozen=True, eq=False)
class Finding:
    """A flan and its outline, ``(n, 2)`` x and y in pixels of the picture, or None: the circle."""

    flan: Flan
    outline: Floats | None = None

    def shifted(self, x: float, y: float) -> Finding:
        """The same finding in a picture whose origin lies ``(x, y)`` further up and left."""
        circle = self.flan.circle
        moved = Circle(circle.x + x, circle.y + y, circle.radius)
        outline = None if self.outline is None else self.outline + np.float32([x, y])
        return Finding(replace(self.flan, circle=moved), outline)


@dataclass(frozen=True, eq=False)
class View:
    """The working copy: Lab ``(h, w, 3)``, local contrast ``(h, w)``, edge strength ``(h, w)``."""

    lab: Floats
    texture: Floats
    edges: Floats
    scale: float
    """Pixels of the original per pixel of the copy."""

    @property
    def shape(self) -> tuple[int, int]:
        return self.texture.shape[0], self.texture.shape[1]


@dataclass(frozen=True, eq=False)
class Ground:
    """How far every pixel is from the fitted ground (Lab units), and the ground's own noise."""

    distance: Floats
    noise: float
    darker: Floats
    """Lightness of the ground less that of the pixel."""
    chroma_distance: Floats


@dataclass(frozen=True, eq=False)
class Candidate:
    """A circle in the working copy with the blob it came from and its confidence 0…1."""

    circle: Circle
    blob: npt.NDArray[np.uint8] | None
    confidence: float
    weakness: str


def find_flan(picture: Picture) -> Finding:
    """The one coin of a photograph.

    ``picture`` is ``(h, w, 3)`` uint8 RGB. Where the finding is not sure, the circle is the largest
    one inscribed in the picture's middle, ``sure`` is False and ``reason`` says what was amiss.
    """
    height, width = picture.shape[:2]
    view = make_view(picture, WORKING_EDGE)
    best = best_candidate(view)
    if best is None or best.confidence < SURE_FROM:
        reason = "no coin stands out from the ground" if best is None else best.weakness
        confidence = 0.0 if best is None else best.confidence
        circle = Circle((width - 1) / 2, (height - 1) / 2, min(height, width) / 2)
        return Finding(Flan(circle, confidence, False, reason))
    scale = view.scale
    found = best.circle
    circle = Circle(
        (found.x + 0.5) * scale - 0.5, (found.y + 0.5) * scale - 0.5, found.radius * scale
    )
    outline = None
    if best.blob is not None:
        outline = (_outline(best.blob) + np.float32(0.5)) * np.float32(scale) - np.float32(0.5)
    return Finding(Flan(circle, best.confidence, True), outline)


def make_view(picture: Picture, edge: int) -> View:
    """The working copy of a picture, its longest edge at most ``edge`` pixels."""
    height, width = picture.shape[:2]
    scale = max(1.0, max(height, width) / edge)
    size = (max(8, round(width / scale)), max(8, round(height / scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA) if scale > 1 else picture
    small = cv2.GaussianBlur(small, (3, 3), 0)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)
    light = np.ascontiguousarray(lab[:, :, 0])
    mean = cv2.blur(light, (5, 5))
    texture = np.sqrt(np.maximum(cv2.blur(light * light, (5, 5)) - mean * mean, 0))
    across = cv2.Sobel(lab, cv2.CV_32F, 1, 0, scale=0.125)
    down = cv2.Sobel(lab, cv2.CV_32F, 0, 1, scale=0.125)
    edges = np.sqrt((across * across + down * down).max(axis=2))
    return View(lab, texture, edges, scale)


def best_candidate(view: View) -> Candidate | None:
    """The candidate of highest confidence over all readings of the ground, if there is any."""
    ground = fit_ground(view)
    best: Candidate | None = None
    for blob in blobs(view, ground):
        candidate = _candidate(view, ground, blob)
        if candidate is not None and (best is None or candidate.confidence > best.confidence):
            best = candidate
            if best.confidence >= GOOD_ENOUGH:
                return best
    by_rays = _candidate_by_rays(view, ground)
    if by_rays is not None and (best is None or by_rays.confidence > best.confidence + 0.02):
        best = by_rays
    return best


# ---------------------------------------------------------------------------- the ground


def frame_of(shape: tuple[int, int]) -> Bools:
    """The picture's frame, 3 % of its shorter edge wide, as a mask."""
    height, width = shape
    thick = max(2, round(0.03 * min(height, width)))
    frame = np.ones(shape, bool)
    frame[thick : height - thick, thick : width - thick] = False
    return frame


def fit_ground(view: View) -> Ground:
    """A quadratic in x and y for each Lab channel, fitted robustly to the frame's pixels.

    The start is the commonest colour among the frame's smooth pixels, so a coin, caption or scale
    bar that reaches the frame does not pull the fit.
    """
    height, width = view.shape
    ys, xs = np.nonzero(frame_of(view.shape))
    step = max(1, len(xs) // 600)
    ys, xs = ys[::step], xs[::step]
    colours = view.lab[ys, xs]
    smooth = view.texture[ys, xs] <= max(2.0, float(np.median(view.texture[ys, xs])))
    start = _commonest(colours[smooth] if smooth.sum() > 20 else colours)
    design = _powers(xs, ys, width, height)
    offset = np.linalg.norm(colours - start, axis=1)
    weights = np.exp(-((offset / 25.0) ** 2)) + 1e-6
    coefficients = np.zeros((6, 3), np.float32)
    spread = 4.0
    for terms in (1, 3, 3, 3, 6, 6, 6):
        columns = design[:, :terms]
        weighted = columns * weights[:, None]
        # A little ridge keeps the higher terms at nought where the frame shows too little of them.
        normal = weighted.T @ columns + np.diag([0.0] + [1e-2 * len(xs)] * (terms - 1))[:terms]
        coefficients[:] = 0
        coefficients[:terms] = np.linalg.solve(normal, weighted.T @ colours)
        residual = np.linalg.norm(colours - design @ coefficients, axis=1)
        spread = float(np.clip(1.4826 * np.median(residual[weights > 0.1]), 1.5, 10.0))
        cut = max(3.5 * spread, 8.0)
        weights = np.maximum(1 - (residual / cut) ** 2, 0) ** 2 + 1e-6
    grid_y, grid_x = np.mgrid[0:height, 0:width]
    fitted = _powers(grid_x.ravel(), grid_y.ravel(), width, height) @ coefficients
    fitted = np.clip(fitted, 0, 255).reshape(height, width, 3).astype(np.float32)
    apart = view.lab - fitted
    chroma = np.hypot(apart[:, :, 1], apart[:, :, 2])
    distance = np.hypot(apart[:, :, 0], 1.5 * chroma)
    return Ground(distance, spread, -apart[:, :, 0], chroma)


def _powers(xs: npt.NDArray, ys: npt.NDArray, width: int, height: int) -> Floats:
    u = (2.0 * xs / max(width - 1, 1) - 1).astype(np.float32)
    v = (2.0 * ys / max(height - 1, 1) - 1).astype(np.float32)
    return np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], axis=1)


def _commonest(colours: Floats) -> Floats:
    """The centre of the fullest cell of a coarse colour histogram (cells of 16 Lab units)."""
    cells = (colours / 16).astype(np.int64)
    keys = cells[:, 0] * 4096 + cells[:, 1] * 64 + cells[:, 2]
    values, counts = np.unique(keys, return_counts=True)
    centre = np.median(colours[keys == values[counts.argmax()]], axis=0)
    return centre.astype(np.float32)


# ---------------------------------------------------------------------------- blobs


def blobs(view: View, ground: Ground) -> Iterator[Bools]:
    """Readings of what is coin and what is ground, the likeliest first."""
    low = max(4.0 * ground.noise, 9.0)
    otsu = max(_otsu(ground.distance), low)
    yield ground.distance > min(otsu, max(low, 0.5 * otsu))
    yield ground.distance > otsu
    shadow = (
        (ground.darker > 0)
        & (ground.chroma_distance < 6.0 + 0.08 * np.maximum(ground.darker, 0))
        & (view.texture < max(4.0, 0.35 * float(np.percentile(view.texture, 90))))
    )
    yield (ground.distance > low) & ~shadow
    yield _off_the_smooth(view)
    yield view.texture > _otsu(view.texture)


def _off_the_smooth(view: View) -> Bools:
    """All but the smooth regions that reach the picture's frame (gradients, soft shadows)."""
    frame = frame_of(view.shape)
    barrier = max(1.5, 3.0 * float(np.percentile(view.edges[frame], 30)))
    smooth = (view.edges <= barrier).astype(np.uint8)
    count, labels = cv2.connectedComponents(smooth, connectivity=4)
    reaching = np.bincount(labels[frame], minlength=count)
    reaching[0] = 0
    ground = (reaching > 0.02 * frame.sum())[labels]
    return ~ground


def _otsu(values: Floats) -> float:
    top = float(np.percentile(values, 99)) + 1e-3
    scaled = np.minimum(values * (255.0 / top), 255).astype(np.uint8)
    threshold, _ = cv2.threshold(scaled, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return threshold * top / 255.0


def tidy(blob: Bools) -> npt.NDArray[np.uint8]:
    """Holes of the blob filled, hairs and small specks (captions, scale bars) taken off."""
    height, width = blob.shape
    reach = max(1, round(0.012 * min(height, width)))
    padded = cv2.copyMakeBorder(
        blob.astype(np.uint8), 4 * reach, 4 * reach, 4 * reach, 4 * reach, cv2.BORDER_REPLICATE
    )
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, _disc(reach))
    contours, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(closed, contours, -1, 1, cv2.FILLED)
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, _disc(3 * reach))
    return opened[4 * reach : 4 * reach + height, 4 * reach : 4 * reach + width]


def _disc(radius: int) -> npt.NDArray[np.uint8]:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))


def _outline(blob: npt.NDArray[np.uint8]) -> Floats:
    """Points along the largest contour of a blob, ``(n, 2)``."""
    contours, _ = cv2.findContours(blob, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return np.zeros((0, 2), np.float32)
    longest = max(contours, key=cv2.contourArea)
    return longest[:, 0, :].astype(np.float32)


# ---------------------------------------------------------------------------- judging


def _candidate(view: View, ground: Ground, mask: Bools) -> Candidate | None:
    height, width = view.shape
    blob = _largest(tidy(mask))
    if blob is None:
        return None
    points = _outline(blob)
    inside = (
        (points[:, 0] > 1)
        & (points[:, 1] > 1)
        & (points[:, 0] < width - 2)
        & (points[:, 1] < height - 2)
    )
    if inside.sum() < 12:
        return None
    circle = fit_circle(points[inside])
    if circle is None or not _plausible(circle, view.shape):
        return None
    return _judged(view, ground, circle, blob)


def _candidate_by_rays(view: View, ground: Ground) -> Candidate | None:
    circle = circle_through_rays(view.lab, view.edges)
    if circle is None or not _plausible(circle, view.shape):
        return None
    return _judged(view, ground, circle, None)


def _largest(blob: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8] | None:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(blob, connectivity=4)
    if count < 2:
        return None
    biggest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    if stats[biggest, cv2.CC_STAT_AREA] < 0.01 * blob.size:
        return None
    return (labels == biggest).astype(np.uint8)


def _plausible(circle: Circle, shape: tuple[int, int]) -> bool:
    height, width = shape
    longest = max(shape)
    return (
        0.04 * longest < circle.radius < 0.9 * longest
        and -0.1 * width < circle.x < 1.1 * width
        and -0.1 * height < circle.y < 1.1 * height
    )


def disc_mask(circle: Circle, shape: tuple[int, int]) -> Bools:
    """The pixels of a picture of that shape which lie inside the circle."""
    ys = np.arange(shape[0], dtype=np.float32)[:, None] - circle.y
    xs = np.arange(shape[1], dtype=np.float32)[None, :] - circle.x
    return xs * xs + ys * ys <= circle.radius**2


def _judged(
    view: View, ground: Ground, circle: Circle, blob: npt.NDArray[np.uint8] | None
) -> Candidate:
    """Confidence from the blob's overlap with the circle and the contrast across its arc."""
    support, seen = _arc_support(view, ground, circle)
    overlap = 0.9
    if blob is not None:
        disc = disc_mask(circle, view.shape)
        blobbed = blob > 0
        overlap = float((disc & blobbed).sum()) / max(1, int((disc | blobbed).sum()))
    shares = {
        "its outline is not round": np.clip((overlap - 0.70) / 0.22, 0, 1),
        "its edge does not stand out from the ground": np.clip((support - 0.35) / 0.45, 0, 1),
        "too little of its edge is in the picture": np.clip((seen - 0.03) / 0.12, 0, 1),
    }
    confidence = float(np.prod([float(share) ** 0.5 for share in shares.values()]))
    return Candidate(circle, blob, confidence, min(shares, key=lambda name: shares[name]))


ANGLES = 120


def _arc_support(view: View, ground: Ground, circle: Circle) -> tuple[float, float]:
    """Share of the visible arc across which the picture changes, and the share that is visible."""
    height, width = view.shape
    angles = np.linspace(0, 2 * np.pi, ANGLES, endpoint=False, dtype=np.float32)[:, None]
    inner = np.linspace(0.88, 0.97, 5, dtype=np.float32)
    outer = np.linspace(1.03, 1.10, 5, dtype=np.float32)
    rings = np.concatenate([inner, outer])[None, :] * np.float32(circle.radius)
    xs = np.float32(circle.x) + rings * np.cos(angles)
    ys = np.float32(circle.y) + rings * np.sin(angles)
    visible = (xs >= 0) & (ys >= 0) & (xs <= width - 1) & (ys <= height - 1)
    seen = visible[:, 6] & visible[:, 4]
    share_seen = float(seen.mean())
    if share_seen < 0.02:
        return 0.0, share_seen
    lab = cv2.remap(view.lab, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    texture = cv2.remap(view.texture, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    contrast = np.linalg.norm(lab[:, :5].mean(axis=1) - lab[:, 5:].mean(axis=1), axis=1)
    rougher = texture[:, :5].mean(axis=1) - texture[:, 6:].mean(axis=1)
    stands_out = (contrast > max(10.0, 3 * ground.noise)) | (rougher > max(4.0, ground.noise))
    calm = texture[:, 6:].min(axis=1) < np.maximum(6.0, texture[:, :5].mean(axis=1))
    return float((stands_out & calm)[seen].mean()), share_seen
