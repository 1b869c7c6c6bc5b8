"""Telling coin from ground: several readings of a photograph, each a blob that may be the coin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from dieindex.records import Flags, Floats32, Picture

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class View:
    """The working copy: Lab ``(h, w, 3)`` in units of 0…255 each, local contrast ``(h, w)`` and
    edge strength ``(h, w)`` in the same units (per pixel)."""

    lab: Floats32
    texture: Floats32
    edges: Floats32
    scale: float
    """Pixels of the picture per pixel of the copy."""

    @property
    def shape(self) -> tuple[int, int]:
        return self.texture.shape[0], self.texture.shape[1]


@dataclass(frozen=True, eq=False)
class Ground:
    """The fitted ground: each pixel's distance from it in Lab units, and its own noise."""

    distance: Floats32
    noise: float
    darker: Floats32
    """Lightness of the ground less that of the pixel."""
    tone: Floats32
    """How far the pixel's hue is from that of the ground under a shadow as deep as it is dark."""

    @property
    def toned(self) -> Flags:
        """Pixels that are darker than the ground and of its hue, as a shadow on it is."""
        return (self.darker > 0) & (self.tone < max(5.0, 2.0 * self.noise))


def reduce_picture(picture: Picture, edge: int) -> tuple[Picture, float]:
    """A copy whose longest edge is at most ``edge`` pixels, and pixels of the picture per pixel.

    Averages whole blocks of pixels first, which is fast, then interpolates.
    """
    height, width = picture.shape[:2]
    longest = max(height, width)
    if longest <= edge:
        return picture, 1.0
    block = longest // edge
    if block > 1:
        # Blocks must come out even; the strip cut off is thinner than a pixel of the copy.
        even = picture[: height - height % block, : width - width % block]
        size = (even.shape[1] // block, even.shape[0] // block)
        picture = np.asarray(cv2.resize(even, size, interpolation=cv2.INTER_AREA), np.uint8)
        height, width = picture.shape[:2]
    rest = max(height, width) / edge
    if rest > 1.02:
        size = (max(8, round(width / rest)), max(8, round(height / rest)))
        picture = np.asarray(cv2.resize(_softened(picture, rest), size), np.uint8)
    else:
        rest = 1.0
    return picture, block * rest


def _softened(picture: Picture, shrink: float) -> Picture:
    """The picture with detail removed that a copy ``shrink`` (1…2) times smaller cannot hold."""
    if shrink < 1.2:
        return picture
    return np.asarray(cv2.GaussianBlur(picture, (3, 3), 0.5 * shrink), np.uint8)


def make_view(picture: Picture, edge: int) -> View:
    """The working copy of a picture, its longest edge at most ``edge`` pixels.

    Pictures under 0.7 times that size are doubled: kernels a few pixels wide would else be coarse.
    """
    small, scale = reduce_picture(picture, edge)
    if max(small.shape[:2]) < 0.7 * edge:
        size = (2 * small.shape[1], 2 * small.shape[0])
        small = np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC), np.uint8)
        scale = 0.5
    blurred = cv2.GaussianBlur(small, (3, 3), 0)
    lab = np.asarray(cv2.cvtColor(blurred, cv2.COLOR_RGB2LAB), np.float32)
    light = np.ascontiguousarray(lab[:, :, 0])
    mean = cv2.blur(light, (5, 5))
    texture = np.sqrt(np.maximum(cv2.blur(light * light, (5, 5)) - mean * mean, 0))
    # Of the three channels' gradients the strongest counts.
    gradients = [
        cv2.magnitude(
            cv2.Sobel(channel, cv2.CV_32F, 1, 0, scale=0.125),
            cv2.Sobel(channel, cv2.CV_32F, 0, 1, scale=0.125),
        )
        for channel in cv2.split(lab)
    ]
    edges = cv2.max(cv2.max(gradients[0], gradients[1]), gradients[2])
    return View(lab, np.asarray(texture, np.float32), np.asarray(edges, np.float32), scale)


def frame_of(shape: tuple[int, int]) -> Flags:
    """The picture's frame, 3 % of its shorter edge wide, as a mask."""
    height, width = shape
    thick = max(2, round(0.03 * min(height, width)))
    frame = np.ones(shape, bool)
    frame[thick : height - thick, thick : width - thick] = False
    return frame


def corners_of(shape: tuple[int, int]) -> Flags:
    """The picture's four corners, 6 % of its shorter edge wide and high, as a mask."""
    reach = max(3, round(0.06 * min(shape)))
    corners = np.zeros(shape, bool)
    for rows in (slice(None, reach), slice(-reach, None)):
        for columns in (slice(None, reach), slice(-reach, None)):
            corners[rows, columns] = True
    return corners


def fit_ground(view: View, from_corners: bool = False) -> Ground:
    """A quadratic in x and y for each Lab channel, fitted robustly to the frame's pixels.

    The start is the commonest colour among the frame's smooth pixels, so a coin, caption or scale
    bar that reaches the frame does not pull the fit. ``from_corners`` instead fits one plain colour
    to the picture's corners: where the picture cuts the coin, most of its frame is coin.
    """
    height, width = view.shape
    ys, xs = np.nonzero(corners_of(view.shape) if from_corners else frame_of(view.shape))
    step = max(1, len(xs) // 400)
    ys, xs = ys[::step], xs[::step]
    colours = view.lab[ys, xs]
    texture = view.texture[ys, xs]
    smooth = texture <= max(2.0, float(np.median(texture)))
    start = _commonest(colours[smooth] if smooth.sum() > 20 else colours)
    u = (2.0 * xs / max(width - 1, 1) - 1).astype(np.float32)
    v = (2.0 * ys / max(height - 1, 1) - 1).astype(np.float32)
    design = np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], axis=1)
    squared = ((colours - start) ** 2).sum(axis=1)
    weights = np.exp(-squared / 25.0**2) + 1e-6
    coefficients = np.zeros((6, 3), np.float32)
    spread = 4.0
    for terms in (1, 1, 1) if from_corners else (1, 3, 3, 3, 3, 6, 6, 6):
        columns = design[:, :terms]
        weighted = columns * weights[:, None]
        # A little ridge keeps the higher terms at nought where the frame shows too little of them.
        ridge = np.diag([0.0] + [1e-2 * len(xs)] * (terms - 1))
        coefficients[:terms] = np.linalg.solve(weighted.T @ columns + ridge, weighted.T @ colours)
        residual = np.sqrt(((colours - columns @ coefficients[:terms]) ** 2).sum(axis=1))
        spread = float(np.clip(1.4826 * np.median(residual[weights > 0.1]), 1.5, 10.0))
        weights = np.maximum(1 - (residual / max(3.5 * spread, 8.0)) ** 2, 0) ** 2 + 1e-6
        if terms == 1 and spread <= 2.0 and (weights > 0.5).mean() > 0.8:
            break  # one plain colour explains the frame
    fitted = [_surface(coefficients[:, channel], height, width) for channel in range(3)]
    light, a, b = cv2.split(view.lab)
    darker = fitted[0] - light
    distance = cv2.magnitude(darker, 1.5 * cv2.magnitude(a - fitted[1], b - fitted[2]))
    # A shadow dims lightness and both chroma axes (neutral is 128) alike.
    dimmed = np.minimum(light / np.maximum(fitted[0], 1), 1)
    tone = cv2.magnitude(a - 128 - dimmed * (fitted[1] - 128), b - 128 - dimmed * (fitted[2] - 128))
    return Ground(
        np.asarray(distance, np.float32),
        spread,
        np.asarray(darker, np.float32),
        np.asarray(tone, np.float32),
    )


def _surface(coefficients: Floats32, height: int, width: int) -> Floats32:
    u = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    v = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    one, by_u, by_v, by_uu, by_uv, by_vv = coefficients
    row = one + by_u * u + by_uu * u * u
    column = by_v * v + by_vv * v * v
    surface = row + column + (by_uv * v) * u
    return np.asarray(np.clip(surface, 0, 255), np.float32)


def _commonest(colours: Floats32) -> Floats32:
    """The centre of the fullest cell of a coarse colour histogram (cells of 16 Lab units)."""
    cells = (colours / 16).astype(np.int64)
    keys = cells[:, 0] * 4096 + cells[:, 1] * 64 + cells[:, 2]
    values, counts = np.unique(keys, return_counts=True)
    centre = np.median(colours[keys == values[counts.argmax()]], axis=0)
    return np.asarray(centre, np.float32)


# ---------------------------------------------------------------------------- readings


def blobs(view: View, ground: Ground) -> Iterator[tuple[Flags, Flags | None]]:
    """Readings of what is coin and what is ground, the likeliest first.

    What lies off the fitted ground; the same without what looks like shadow; the same without the
    smooth regions that reach the frame; all but these; what lies far off; and what has texture.
    Beside each stands what was taken for shadow, where that was left out.
    """
    low = max(4.0 * ground.noise, 9.0)
    otsu = max(_otsu(ground.distance), low)
    off = ground.distance > max(low, 0.5 * otsu)
    yield off, None
    anything = ground.distance > low
    toned = ground.toned
    if (anything & toned).sum() > 0.02 * anything.sum():
        rough = float(np.percentile(view.texture[::3, ::3], 90))
        # A shadow is darker than the ground, of its hue, and smooth; a steep one is not smooth.
        for shadow in (toned & (view.texture < max(4.0, 0.35 * rough)), toned):
            yield anything & ~shadow, anything & shadow
    rough_or_cut_off = _off_the_smooth(view)
    yield off & rough_or_cut_off, None
    yield rough_or_cut_off, None
    yield ground.distance > otsu, None
    yield view.texture > _otsu(view.texture), None


def _off_the_smooth(view: View) -> Flags:
    """All but the smooth regions that reach the picture's frame (gradients, soft shadows)."""
    frame = frame_of(view.shape)
    barrier = max(1.5, 3.0 * float(np.percentile(view.edges[frame], 30)))
    smooth = (view.edges <= barrier).astype(np.uint8)
    count, labels = cv2.connectedComponents(smooth, connectivity=4)
    reaching = np.bincount(labels[frame], minlength=count)
    reaching[0] = 0
    ground = (reaching > 0.02 * frame.sum())[labels]
    # Edges are as wide as the blur and the Sobel kernel: half of that is ground.
    return np.asarray(cv2.erode((~ground).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0, bool)


def _otsu(values: Floats32) -> float:
    top = float(np.percentile(values[::2, ::2], 99)) + 1e-3
    scaled = cv2.convertScaleAbs(values, alpha=255.0 / top)
    threshold, _ = cv2.threshold(scaled, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return threshold * top / 255.0


def tidy(blob: Flags) -> Bytes:
    """Holes of the blob filled, hairs and small specks (captions, scale bars) taken off."""
    height, width = blob.shape
    reach = max(1, round(0.012 * min(height, width)))
    margin = 4 * reach
    padded = cv2.copyMakeBorder(
        blob.astype(np.uint8), margin, margin, margin, margin, cv2.BORDER_REPLICATE
    )
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, _disc(reach))
    contours, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(closed, contours, -1, (1,), cv2.FILLED)
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, _disc(3 * reach))
    inner = opened[margin : margin + height, margin : margin + width]
    return np.ascontiguousarray(inner, np.uint8)


def _disc(radius: int) -> Bytes:
    size = (2 * radius + 1, 2 * radius + 1)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, size), np.uint8)


def largest(blob: Bytes) -> tuple[Bytes, Floats32] | None:
    """The largest part of a blob and its outline, ``(n, 2)`` x and y in order.

    None where it is under 1 % of the picture.
    """
    contours, _ = cv2.findContours(blob, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    areas = [cv2.contourArea(contour) for contour in contours]
    if not areas or max(areas) < 0.01 * blob.size:
        return None
    contour = contours[int(np.argmax(areas))]
    part = np.zeros_like(blob)
    cv2.drawContours(part, [contour], -1, (1,), cv2.FILLED)
    return part, contour[:, 0, :].astype(np.float32)
