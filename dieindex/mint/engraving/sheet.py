"""A height map to engrave on: strokes, filled forms and bumps in the die frame."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from dieindex.mint.relief import RELIEF_SIZE, RELIEF_SPAN
from dieindex.records import Floats, Floats32

Mode = Literal["max", "add", "cut", "over"]

OVERSAMPLING = 2
SHEET_SIZE = RELIEF_SIZE * OVERSAMPLING
PIXELS_PER_UNIT = SHEET_SIZE / (2 * RELIEF_SPAN)
_MAX_PATCH = 60_000
"""Pixels times segments worked on at once: small enough to stay in the cache."""
_SUBPIXEL_BITS = 4


def spline(points: npt.ArrayLike, per: int = 8, closed: bool = False) -> Floats:
    """Return a Catmull-Rom curve through ``points`` ``(n, k)``, ``per`` samples a piece."""
    p = np.asarray(points, np.float64)
    if len(p) < 3 and not closed:
        t = np.linspace(0.0, 1.0, per + 1)[:, None]
        return np.asarray(p[:1] * (1 - t) + p[-1:] * t)
    if closed:
        q = np.concatenate([p[-1:], p, p[:2]])
    else:
        q = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    a, b, c, d = q[:-3, None], q[1:-2, None], q[2:-1, None], q[3:, None]
    t = (np.arange(per) / per)[None, :, None]
    curve = 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    )
    flat = curve.reshape(-1, p.shape[1])
    return flat if closed else np.concatenate([flat, p[-1:]])


def xy(x: float, y: float) -> Floats:
    """A displacement to add to positions."""
    return np.array([x, y])


def resample(points: Floats, count: int) -> Floats:
    """Return ``count`` points evenly spaced along the polyline ``points`` ``(n, k)``."""
    steps = np.hypot(*np.diff(points[:, :2], axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.linspace(0.0, along[-1], count)
    return np.stack([np.interp(at, along, column) for column in points.T], axis=1)


class Sheet:
    """A height map over the die frame, oversampled; every draw call works on a small patch."""

    def __init__(self) -> None:
        self.height: Floats32 = np.zeros((SHEET_SIZE, SHEET_SIZE), np.float32)

    @staticmethod
    def pixels(points: Floats) -> Floats:
        """Positions in the die frame as pixels of the sheet, centres at whole numbers."""
        return (np.asarray(points, np.float64) + RELIEF_SPAN) * PIXELS_PER_UNIT - 0.5

    def stroke(
        self,
        points: Floats,
        radius: npt.ArrayLike,
        height: npt.ArrayLike,
        power: float = 1.0,
        mode: Mode = "max",
    ) -> None:
        """Draw a polyline ``(n, 2)`` with a half width and a height at each point.

        The cross section is ``(1 - u²)^power`` for u = distance ÷ half width: 0.5 a half round,
        1 a parabola, 2 soft.
        """
        n = len(points)
        px = self.pixels(points)
        r = np.broadcast_to(np.asarray(radius, np.float64) * PIXELS_PER_UNIT, (n,))
        h = np.broadcast_to(np.asarray(height, np.float64), (n,))
        self._stroke(px, np.maximum(r, 0.6), h, power, mode)

    def _stroke(self, px: Floats, r: Floats, h: Floats, power: float, mode: Mode) -> None:
        pad = float(r.max()) + 1.0
        box = self._box(px, pad)
        if box is None:
            return
        x0, y0, x1, y1 = box
        segments = len(px) - 1
        if segments > 1 and segments * (x1 - x0) * (y1 - y0) > _MAX_PATCH and mode == "max":
            half = segments // 2
            self._stroke(px[: half + 1], r[: half + 1], h[: half + 1], power, mode)
            self._stroke(px[half:], r[half:], h[half:], power, mode)
            return
        ax, ay = (px[:-1, k, None, None].astype(np.float32) for k in (0, 1))
        dx, dy = (np.diff(px[:, k])[:, None, None].astype(np.float32) for k in (0, 1))
        gx = np.arange(x0, x1, dtype=np.float32)[None, None, :] - ax
        gy = np.arange(y0, y1, dtype=np.float32)[None, :, None] - ay
        t = (gx * dx + gy * dy) / np.maximum(dx * dx + dy * dy, 1e-6)
        np.clip(t, 0.0, 1.0, out=t)
        d2 = (gx - t * dx) ** 2 + (gy - t * dy) ** 2
        f = np.float32
        radii = r[:-1, None, None].astype(f) + t * np.diff(r)[:, None, None].astype(f)
        section = np.maximum(1.0 - d2 / (radii * radii), 0.0)
        if power == 0.5:
            np.sqrt(section, out=section)
        elif power != 1.0:
            section **= f(power)
        section *= h[:-1, None, None].astype(f) + t * np.diff(h)[:, None, None].astype(f)
        self._merge(box, section.max(axis=0), mode)

    def strokes(self, paths: Floats, radius: Floats, height: Floats, power: float = 0.8) -> None:
        """Draw many polylines ``(m, n, 2)`` at once; ``radius`` and ``height`` are ``(m, n)``.

        The same as a ``stroke`` each, but all segments are rasterised together, which is what
        makes a head of hair affordable.
        """
        if len(paths) == 0:
            return
        px = self.pixels(paths).astype(np.float32)
        r = np.maximum(radius * PIXELS_PER_UNIT, 0.6).astype(np.float32)
        h = height.astype(np.float32)
        a, b = px[:, :-1].reshape(-1, 2), px[:, 1:].reshape(-1, 2)
        ra, rb = r[:, :-1].reshape(-1), r[:, 1:].reshape(-1)
        ha, hb = h[:, :-1].reshape(-1), h[:, 1:].reshape(-1)
        reach = np.abs(b - a).max(1) / 2 + np.maximum(ra, rb)
        inside = ((a > reach.max() + 2) & (a < SHEET_SIZE - reach.max() - 3)).all(1)
        order = np.argsort(reach)
        order = order[inside[order]]
        step = 256
        flat = self.height.reshape(-1)
        for k in range(0, len(order), step):
            i = order[k : k + step]
            half = int(np.ceil(reach[i].max())) + 1
            low = np.floor((a[i] + b[i]) / 2).astype(np.int64) - half
            low = np.clip(low, 0, SHEET_SIZE - 2 * half - 2)
            cell = np.arange(2 * half + 2, dtype=np.int64)
            gx = (low[:, 0, None] + cell).astype(np.float32)[:, None, :] - a[i, 0, None, None]
            gy = (low[:, 1, None] + cell).astype(np.float32)[:, :, None] - a[i, 1, None, None]
            dx, dy = ((b - a)[i, c, None, None] for c in (0, 1))
            t = (gx * dx + gy * dy) / np.maximum(dx * dx + dy * dy, np.float32(1e-6))
            np.clip(t, 0, 1, out=t)
            d2 = (gx - t * dx) ** 2 + (gy - t * dy) ** 2
            rr = ra[i, None, None] + t * (rb - ra)[i, None, None]
            value = 1 - d2 / (rr * rr)
            hit = np.flatnonzero(value > 0)
            tops = (ha[i, None, None] + t * (hb - ha)[i, None, None]).reshape(-1)[hit]
            tops *= value.reshape(-1)[hit] ** np.float32(power)
            index = (low[:, 1, None] + cell)[:, :, None] * SHEET_SIZE
            index = (index + (low[:, 0, None] + cell)[:, None, :]).reshape(-1)[hit]
            np.maximum.at(flat, index, tops)

    def form(
        self,
        contour: Floats,
        height: float,
        edge: float,
        dome: float = 0.5,
        soften: float = 0.25,
        mode: Mode = "max",
        slope: Floats | None = None,
    ) -> None:
        """Fill a closed contour ``(n, 2)`` with a swelling form.

        Within ``edge`` of the contour the form rises in a quarter round; ``dome`` of its height
        comes from a slow swelling over four times that width, which leaves no crease along the
        middle. ``soften`` blurs by that share of ``edge``. ``slope`` ``(2,)`` tilts the form: it
        multiplies its height by 1 + slope · (position − centre).
        """
        px = self.pixels(contour)
        edge_px = max(edge * PIXELS_PER_UNIT, 1.0)
        box = self._box(px, 2.0 + soften * edge_px * 2)
        if box is None:
            return
        mask = self._mask(px, box)
        distance = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
        rim = np.minimum(distance / edge_px, 1.0)
        rim = np.sqrt(np.maximum(rim * (2.0 - rim), 0.0)) if dome < 1 else rim
        profile = rim
        if dome > 0:
            profile = rim * ((1 - dome) + dome * swelling(mask, 2.2 * edge_px))
        sigma = soften * edge_px
        if sigma > 0.3:
            # The swelling is soft, the outline is not: a form ends in a low wall, not a halo.
            profile = cv2.GaussianBlur(profile, (0, 0), sigma) * cv2.GaussianBlur(mask, (0, 0), 1.1)
        profile = (profile * np.float32(height)).astype(np.float32)
        if slope is not None:
            x0, y0, x1, y1 = box
            centre = px.mean(axis=0)
            gx = (np.arange(x0, x1) - centre[0]) / PIXELS_PER_UNIT
            gy = (np.arange(y0, y1) - centre[1]) / PIXELS_PER_UNIT
            tilt = 1 + slope[0] * gx[None, :] + slope[1] * gy[:, None]
            profile *= np.clip(tilt, 0.2, 2.5).astype(np.float32)
        self._merge(box, profile, mode, mask)

    def bump(
        self, x: float, y: float, sx: float, sy: float, height: float, angle: float = 0.0
    ) -> None:
        """Add a Gaussian swelling (or hollow, if negative) of spreads ``sx``, ``sy``."""
        centre = self.pixels(np.array([[x, y]]))
        reach = 2.8 * max(sx, sy) * PIXELS_PER_UNIT
        box = self._box(centre, reach)
        if box is None:
            return
        x0, y0, x1, y1 = box
        gx = (np.arange(x0, x1, dtype=np.float32)[None, :] - centre[0, 0]) / PIXELS_PER_UNIT
        gy = (np.arange(y0, y1, dtype=np.float32)[:, None] - centre[0, 1]) / PIXELS_PER_UNIT
        c, s = np.cos(angle), np.sin(angle)
        u, v = (gx * c + gy * s) / sx, (gy * c - gx * s) / sy
        value = np.exp(-0.5 * (u * u + v * v)) - np.float32(0.02)
        self._merge(box, (height * np.maximum(value, 0)).astype(np.float32), "add")

    def dot(self, x: float, y: float, radius: float, height: float, power: float = 0.5) -> None:
        """Punch a round pellet."""
        at = np.array([[x, y], [x + 1e-6, y]])
        self.stroke(at, radius, height, power)

    def mask(self, contour: Floats, soft: float = 0.0) -> Floats32:
        """A filled contour as a full map of 0…1, its edge blurred over ``soft``."""
        full = self._mask(self.pixels(contour), (0, 0, SHEET_SIZE, SHEET_SIZE))
        if soft > 0:
            return np.asarray(cv2.GaussianBlur(full, (0, 0), soft * PIXELS_PER_UNIT), np.float32)
        return full

    def add(self, other: Sheet | Floats32, scale: float = 1.0) -> None:
        """Add another sheet's relief on top of this one."""
        layer = other.height if isinstance(other, Sheet) else other
        self.height += layer if scale == 1.0 else np.float32(scale) * layer

    def lay(self, layer: Sheet, thin: float, soft: float = 0.03) -> None:
        """Lay another relief on top, hiding the fine detail below it, not the swelling.

        Where ``layer`` reaches ``thin`` it covers wholly; what it covers is smoothed over ``soft``.
        """
        few = 4
        small = cv2.resize(self.height, None, fx=1 / few, fy=1 / few, interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), soft * PIXELS_PER_UNIT / few)
        smooth = cv2.resize(small, (SHEET_SIZE, SHEET_SIZE), interpolation=cv2.INTER_LINEAR)
        cover = np.clip(layer.height * np.float32(1 / thin), 0, 1)
        self.height += cover * (smooth - self.height) + layer.height

    def raise_to(self, other: Sheet, smooth: float = 0.0) -> None:
        """Take the higher of both reliefs, the joint rounded over a height of ``smooth``."""
        if smooth <= 0:
            np.maximum(self.height, other.height, out=self.height)
            return
        gap = self.height - other.height
        self.height = 0.5 * (
            self.height + other.height + np.sqrt(gap * gap + np.float32(smooth * smooth))
        ) - np.float32(0.5 * smooth)

    def _box(self, px: Floats, pad: float) -> tuple[int, int, int, int] | None:
        if not np.isfinite(px).all():
            raise ValueError("a contour has positions that are not numbers")
        low = np.floor(px.min(axis=0) - pad).astype(int)
        high = np.ceil(px.max(axis=0) + pad).astype(int) + 1
        x0, y0 = max(int(low[0]), 0), max(int(low[1]), 0)
        x1, y1 = min(int(high[0]), SHEET_SIZE), min(int(high[1]), SHEET_SIZE)
        return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None

    @staticmethod
    def _mask(px: Floats, box: tuple[int, int, int, int]) -> Floats32:
        x0, y0, x1, y1 = box
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        fixed = np.round((px - [x0, y0]) * (1 << _SUBPIXEL_BITS)).astype(np.int32)
        cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
        return mask.astype(np.float32) / np.float32(255)

    def _merge(
        self,
        box: tuple[int, int, int, int],
        value: Floats32,
        mode: Mode,
        mask: Floats32 | None = None,
    ) -> None:
        x0, y0, x1, y1 = box
        view = self.height[y0:y1, x0:x1]
        if mode == "max":
            np.maximum(view, value, out=view)
        elif mode == "add":
            view += value
        elif mode == "cut":
            view -= value
        elif mask is not None:
            # The new form hides what lies under it, as a near limb hides a far one.
            view += mask * (value - view)


def swelling(mask: Floats32, sigma: float) -> Floats32:
    """A smooth dome over a mask of 0…1, 0 at a straight edge and 1 deep inside, no creases."""
    factor = max(1, int(sigma / 3))
    small = cv2.resize(
        mask,
        (max(1, mask.shape[1] // factor), max(1, mask.shape[0] // factor)),
        interpolation=cv2.INTER_AREA,
    )
    small = cv2.GaussianBlur(small, (0, 0), sigma / factor, borderType=cv2.BORDER_CONSTANT)
    dome = np.sqrt(np.clip(2 * small - 0.75, 0.0, 1.25) / np.float32(1.25))
    full = cv2.resize(dome, (mask.shape[1], mask.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(full, np.float32)
