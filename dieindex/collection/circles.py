"""Fitting circles: to an outline of which part may be missing or wrong, and to edges on rays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from dieindex.records import Circle, Floats, Floats32, Ints

MOST_POINTS = 180
"""Outlines are thinned to so many points: more do not move the fit."""
GROSS = 0.13
"""Points further off the circle than this share of its radius have no say in the fit."""


def fit_circle(points: npt.NDArray[Any]) -> Circle | None:
    """The least-squares circle of outline points ``(n, 2)``, points grossly off it left out.

    Starts from the algebraic fit (Kåsa 1976), or where that leaves points far off, from the
    three-point circle with most points near it (a shadow's or caption's bulge is outvoted). Ends
    with Gauss-Newton steps on the geometric distance, which unlike the algebraic fit does not
    shrink circles of which only an arc is seen. None if the points do not determine a circle.
    """
    points = np.asarray(points, np.float64)
    if len(points) < 8:
        return None
    if len(points) > MOST_POINTS:
        points = points[np.linspace(0, len(points) - 1, MOST_POINTS).astype(int)]
    start = _algebraic(points)
    if start is None or _share_near(points, start, 0.05) < 0.9:
        start = _consensus(points, tolerance=0.05) or start
    return None if start is None else _refined(points, start)


def arc_error(circle: Circle, points: npt.NDArray[Any]) -> float:
    """How badly the points fix the circle: standard error of its centre and radius ÷ diameter.

    From the covariance of the least-squares fit. Neighbouring outline points err together, so all
    points within 10 degrees count as one; flans are taken to be round to 3 % of the radius at best.
    """
    dx, dy = points[:, 0] - circle.x, points[:, 1] - circle.y
    away = np.hypot(dx, dy)
    near = np.abs(away - circle.radius) < GROSS * circle.radius
    if near.sum() < 3:
        return math.inf
    sector = np.unique(((np.arctan2(dy[near], dx[near]) + np.pi) * (18 / np.pi)).astype(int))
    angles = (sector + 0.5) * (np.pi / 18)
    jacobian = np.stack([np.cos(angles), np.sin(angles), np.ones_like(angles)], axis=1)
    off = (away[near] - circle.radius) / circle.radius
    spread = max(0.03, float(np.sqrt(np.mean(off * off))))
    try:
        covariance = np.linalg.inv(jacobian.T @ jacobian) * spread**2
    except np.linalg.LinAlgError:
        return math.inf
    return float(np.sqrt(max(np.trace(covariance), 0.0))) / 2


SECTORS = 60
"""Outlines are averaged within sectors of 6 degrees: neighbouring points err together."""
HARMONICS = np.arange(2, 25)
IRREGULARITY = 0.028 * (2 / HARMONICS) ** 1.7
"""Root mean square amplitude of a flan's outline at each harmonic, in radii. Measured on struck
late Roman and imperial bronze, silver and gold: 0.028, 0.014, 0.010, 0.006, 0.005 ..."""
ROUGHNESS = 0.007
"""What the harmonics leave of an outline as it is read, in radii."""
OUTLIER = 0.015
"""Sectors that are further than this (in radii) off a likely outline lose their weight."""

_APART = np.arange(SECTORS) * (2 * np.pi / SECTORS)
_COVARIANCE = 0.5 * (IRREGULARITY**2 @ np.cos(HARMONICS[:, None] * _APART))


def complete_arc(circle: Circle, points: npt.NDArray[Any]) -> tuple[Circle, float]:
    """The circle of a whole outline of which only ``points`` ``(n, 2)`` are seen, and its error.

    The error is the one to be expected of the centre or the radius (the larger), ÷ diameter. Flans
    are not round, so an arc alone bends away from the whole outline's circle, and the points of an
    arc err together. The outline is taken for a circle plus a Gaussian process over the angle,
    whose covariance is that of real flans (universal kriging; Matheron 1969). The expected error
    grows with how ill the seen part agrees with that. Where all is seen the circle stays as it is.
    """
    base = _Arc.of(circle, points)
    if base is None:
        return circle, math.inf
    if len(base.sector) > 0.95 * SECTORS:
        return circle, 0.0
    error = math.inf
    for _ in range(2):
        arc = _Arc.of(circle, points)
        if arc is None:
            return circle, math.inf
        shift, error = arc.solved()
        x, y, radius = np.clip(shift, -0.2, 0.2) * circle.radius
        circle = Circle(float(circle.x + x), float(circle.y + y), float(circle.radius + radius))
    return circle, error


@dataclass(frozen=True, eq=False)
class _Arc:
    """The seen sectors of an outline: number, distance off the circle and its range, in radii."""

    sector: Ints
    off: Floats
    wide: Floats

    @staticmethod
    def of(circle: Circle, points: npt.NDArray[Any]) -> _Arc | None:
        dx, dy = points[:, 0] - circle.x, points[:, 1] - circle.y
        off = np.hypot(dx, dy) / circle.radius - 1
        near = np.abs(off) < GROSS
        sector = (np.arctan2(dy, dx)[near] * (SECTORS / (2 * np.pi)) + SECTORS / 2).astype(int)
        order = np.argsort(sector, kind="stable")
        sector, off = sector[order] % SECTORS, off[near][order].astype(np.float64)
        if not len(sector):
            return None
        starts = np.flatnonzero(np.diff(sector, prepend=-1))
        if len(starts) < 5:
            return None
        count = np.diff(starts, append=len(sector))
        wide = np.maximum.reduceat(off, starts) - np.minimum.reduceat(off, starts)
        return _Arc(sector[starts], np.add.reduceat(off, starts) / count, wide)

    def solved(self) -> tuple[Floats, float]:
        """Shift of centre and radius, in radii, and the expected error ÷ diameter."""
        angle = (self.sector + 0.5) * (2 * np.pi / SECTORS) - np.pi
        trend = np.stack([np.cos(angle), np.sin(angle), np.ones_like(angle)], axis=1)
        smooth = _COVARIANCE[np.abs(self.sector[:, None] - self.sector[None, :])]
        noise = ROUGHNESS**2 + (0.5 * self.wide) ** 2
        weighed = noise
        for _ in range(3):
            precision = np.linalg.inv(smooth + np.diag(weighed))
            spread = np.linalg.inv(trend.T @ precision @ trend)
            shift = spread @ (trend.T @ (precision @ self.off))
            left = self.off - trend @ shift
            unlikely = np.abs(weighed * (precision @ left))
            weighed = noise + (2 * np.maximum(unlikely - OUTLIER, 0)) ** 2
        plain = smooth + np.diag(np.full(len(angle), ROUGHNESS**2))
        misfit = float(left @ np.linalg.solve(plain, left)) / max(1, len(angle) - 3)
        of_centre, of_radius = spread[0, 0] + spread[1, 1], spread[2, 2]
        error = 0.5 * math.sqrt(max(of_centre, of_radius, 0.0))
        return shift, error * max(misfit, LEAST_MISFIT) ** MISFIT_WEIGHT


LEAST_MISFIT = 0.1
MISFIT_WEIGHT = 0.35
"""How the misfit (1 for a likely outline) raises the expected error: a power, fitted on composed
pictures of cut coins. An ill-fitting outline is mostly one that was read wrongly."""


def _algebraic(points: Floats) -> tuple[float, float, float] | None:
    """Kåsa's fit: least squares of x² + y² + a·x + b·y + c = 0."""
    middle = points.mean(axis=0)
    x, y = (points - middle).T
    design = np.stack([x, y, np.ones_like(x)], axis=1)
    try:
        a, b, c = np.linalg.solve(design.T @ design, -design.T @ (x * x + y * y))
    except np.linalg.LinAlgError:
        return None
    squared = a * a / 4 + b * b / 4 - c
    if not squared > 0:
        return None
    return float(middle[0] - a / 2), float(middle[1] - b / 2), math.sqrt(squared)


def _share_near(points: Floats, circle: tuple[float, float, float], tolerance: float) -> float:
    x, y, radius = circle
    away = np.hypot(points[:, 0] - x, points[:, 1] - y)
    return float((np.abs(away - radius) < tolerance * radius).mean())


def _refined(points: Floats, start: tuple[float, float, float]) -> Circle | None:
    x, y, radius = start
    for _ in range(6):
        dx, dy = points[:, 0] - x, points[:, 1] - y
        away = np.maximum(np.hypot(dx, dy), 1e-9)
        residual = away - radius
        scale = 1.4826 * float(np.median(np.abs(residual)))
        cut = min(max(4.0 * scale, 0.05 * radius), GROSS * radius)
        weights = np.maximum(1 - (residual / cut) ** 2, 0) ** 2
        jacobian = np.stack([-dx / away, -dy / away, -np.ones_like(dx)], axis=1)
        weighted = jacobian * weights[:, None]
        try:
            step = np.linalg.solve(weighted.T @ jacobian, -weighted.T @ residual)
        except np.linalg.LinAlgError:
            return None
        x, y, radius = x + step[0], y + step[1], radius + step[2]
        if not (np.isfinite(radius) and radius > 0):
            return None
        if np.abs(step).max() < 0.02:
            break
    return Circle(float(x), float(y), float(radius))


def _consensus(
    points: Floats, tolerance: float, tries: int = 90
) -> tuple[float, float, float] | None:
    """The circle through three points that most points lie on, within tolerance · radius."""
    rng = np.random.default_rng(1)  # fixed: the same picture gives the same circle
    n = len(points)
    # One point from each of three stretches of the outline, so that the triangle is wide.
    first = rng.integers(0, n, tries)
    stretch = rng.integers(max(1, n // 6), n // 2 + 1, (2, tries))
    circles = _through_three(
        points[first], points[(first + stretch[0]) % n], points[(first - stretch[1]) % n]
    )
    extent = float(np.ptp(points, axis=0).max())
    usable = np.isfinite(circles).all(axis=1) & (circles[:, 2] < 3 * extent)
    circles = circles[usable]
    if not len(circles):
        return None
    away = np.hypot(
        points[None, :, 0] - circles[:, None, 0], points[None, :, 1] - circles[:, None, 1]
    )
    residual = (away / circles[:, None, 2] - 1) / tolerance
    votes = np.maximum(1 - residual * residual, 0).sum(axis=1)
    x, y, radius = circles[int(votes.argmax())]
    return float(x), float(y), float(radius)


def _through_three(a: Floats, b: Floats, c: Floats) -> Floats:
    """Circles ``(n, 3)`` x, y, radius through three points; not finite where they are in line."""
    bx, by = (b - a).T
    cx, cy = (c - a).T
    with np.errstate(divide="ignore", invalid="ignore"):
        twice = 2 * (bx * cy - by * cx)
        ux = (cy * (bx**2 + by**2) - by * (cx**2 + cy**2)) / twice
        uy = (bx * (cx**2 + cy**2) - cx * (bx**2 + by**2)) / twice
        return np.stack([a[:, 0] + ux, a[:, 1] + uy, np.hypot(ux, uy)], axis=1)


def points_on_rays(edges: Floats32) -> Floats:
    """The first two strong edges on rays from the picture's frame towards its middle, ``(n, 2)``.

    For coins that the picture cuts and for grounds of several colours: a ray needs no more than a
    ground that is calm along itself. ``edges`` ``(h, w)`` is the edge strength. In order of angle.
    """
    height, width = edges.shape
    angles = np.linspace(0, 2 * np.pi, 160, endpoint=False, dtype=np.float32)
    cos, sin = np.cos(angles), np.sin(angles)
    x, y = (width - 1) / 2, (height - 1) / 2
    reach = np.minimum(x / np.maximum(np.abs(cos), 1e-6), y / np.maximum(np.abs(sin), 1e-6))
    distances = reach[:, None] * np.linspace(1.0, 0.25, 96, dtype=np.float32)[None, :]
    xs = (x + distances * cos[:, None]).astype(np.float32)
    ys = (y + distances * sin[:, None]).astype(np.float32)
    strength = cv2.remap(edges, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    here, before, after = strength[:, 1:-1], strength[:, :-2], strength[:, 2:]
    strong = max(3.0, 0.6 * float(np.percentile(strength, 85)))
    peak = (here >= before) & (here > after) & (here > strong)
    rows, columns = np.nonzero(peak & (np.cumsum(peak, axis=1) <= 2))
    return np.stack([xs[rows, columns + 1], ys[rows, columns + 1]], axis=1).astype(np.float64)
