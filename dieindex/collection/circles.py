"""Fitting circles: to an outline of which part may be missing or wrong, and to edges on rays."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from dieindex.records import Circle

Floats = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]

MOST_POINTS = 180
"""Outlines are thinned to so many points: more do not move the fit."""
GROSS = 0.13
"""Points further off the circle than this share of its radius have no say in the fit."""


def fit_circle(points: npt.NDArray) -> Circle | None:
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


def arc_error(circle: Circle, points: npt.NDArray) -> float:
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


def _algebraic(points: Points) -> tuple[float, float, float] | None:
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


def _share_near(points: Points, circle: tuple[float, float, float], tolerance: float) -> float:
    x, y, radius = circle
    away = np.hypot(points[:, 0] - x, points[:, 1] - y)
    return float((np.abs(away - radius) < tolerance * radius).mean())


def _refined(points: Points, start: tuple[float, float, float]) -> Circle | None:
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
    points: Points, tolerance: float, tries: int = 90
) -> tuple[float, float, float] | None:
    """The circle through three points that most points lie on, within tolerance · radius."""
    draw = np.random.default_rng(1)  # fixed: the same picture gives the same circle
    n = len(points)
    # One point from each of three stretches of the outline, so that the triangle is wide.
    first = draw.integers(0, n, tries)
    stretch = draw.integers(max(1, n // 6), n // 2 + 1, (2, tries))
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


def _through_three(a: Points, b: Points, c: Points) -> Points:
    """Circles ``(n, 3)`` x, y, radius through three points; not finite where they are in line."""
    bx, by = (b - a).T
    cx, cy = (c - a).T
    with np.errstate(divide="ignore", invalid="ignore"):
        twice = 2 * (bx * cy - by * cx)
        ux = (cy * (bx**2 + by**2) - by * (cx**2 + cy**2)) / twice
        uy = (bx * (cx**2 + cy**2) - cx * (bx**2 + by**2)) / twice
        return np.stack([a[:, 0] + ux, a[:, 1] + uy, np.hypot(ux, uy)], axis=1)


def points_on_rays(edges: Floats) -> Points:
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
