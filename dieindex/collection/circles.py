"""Fitting circles: to an outline of which part may be missing or wrong, and to edges on rays."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from dieindex.records import Circle

Floats = npt.NDArray[np.float32]


def fit_circle(points: npt.NDArray, rounds: int = 6) -> Circle | None:
    """The least-squares circle of outline points ``(n, 2)``, points far off it left out.

    Starts from three-point circles (RANSAC, so that a shadow's or caption's bulge is outvoted) and
    ends with Gauss–Newton steps on the geometric distance, which unlike algebraic fits does not
    shrink circles of which only an arc is seen. None if the points do not determine a circle.
    """
    points = np.asarray(points, np.float64)
    if len(points) < 8:
        return None
    if len(points) > 360:
        points = points[np.linspace(0, len(points) - 1, 360).astype(int)]
    start = _consensus(points, tolerance=0.04)
    if start is None:
        return None
    x, y, radius = start
    for _ in range(rounds):
        dx, dy = points[:, 0] - x, points[:, 1] - y
        reach = np.maximum(np.hypot(dx, dy), 1e-9)
        residual = reach - radius
        scale = max(1.4826 * float(np.median(np.abs(residual))), 0.004 * radius)
        weights = np.maximum(1 - (residual / min(4.0 * scale, 0.15 * radius)) ** 2, 0) ** 2
        jacobian = np.stack([-dx / reach, -dy / reach, -np.ones_like(dx)], axis=1)
        weighted = jacobian * weights[:, None]
        try:
            step = np.linalg.solve(weighted.T @ jacobian, -weighted.T @ residual)
        except np.linalg.LinAlgError:
            return None
        x, y, radius = x + step[0], y + step[1], radius + step[2]
        if not np.isfinite(radius) or radius <= 0:
            return None
    return Circle(float(x), float(y), float(radius))


def _consensus(
    points: npt.NDArray, tolerance: float, tries: int = 120
) -> tuple[float, float, float] | None:
    """The circle through three points that most points lie on, within tolerance · radius."""
    draw = np.random.default_rng(1)  # fixed: the same picture gives the same circle
    n = len(points)
    # One point from each of three stretches of the outline, so that the triangle is wide.
    first = draw.integers(0, n, tries)
    stretch = draw.integers(n // 6, n // 2 + 1, (2, tries))
    second = (first + stretch[0]) % n
    third = (first - stretch[1]) % n
    circles = _through_three(points[first], points[second], points[third])
    extent = float(np.ptp(points, axis=0).max())
    usable = np.isfinite(circles).all(axis=1) & (circles[:, 2] < 3 * extent)
    circles = circles[usable]
    if not len(circles):
        return None
    away = np.hypot(
        points[None, :, 0] - circles[:, None, 0], points[None, :, 1] - circles[:, None, 1]
    )
    residual = np.abs(away / circles[:, None, 2] - 1) / tolerance
    votes = np.maximum(1 - residual * residual, 0).sum(axis=1)
    x, y, radius = circles[int(votes.argmax())]
    return float(x), float(y), float(radius)


def _through_three(a: npt.NDArray, b: npt.NDArray, c: npt.NDArray) -> npt.NDArray:
    """Circles ``(n, 3)`` x, y, radius through three points; not finite where they are in line."""
    bx, by = (b - a).T
    cx, cy = (c - a).T
    with np.errstate(divide="ignore", invalid="ignore"):
        twice = 2 * (bx * cy - by * cx)
        ux = (cy * (bx**2 + by**2) - by * (cx**2 + cy**2)) / twice
        uy = (bx * (cx**2 + cy**2) - cx * (bx**2 + by**2)) / twice
        return np.stack([a[:, 0] + ux, a[:, 1] + uy, np.hypot(ux, uy)], axis=1)


def circle_through_rays(lab: Floats, edges: Floats) -> Circle | None:
    """The circle on which most rays from outside towards the middle first meet a strong edge.

    For coins that the picture's edge cuts and for grounds of several colours: each ray needs no
    more than a ground that is calm along itself. ``lab`` ``(h, w, 3)``, ``edges`` ``(h, w)``.
    """
    height, width = edges.shape
    count, steps = 160, 96
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False, dtype=np.float32)
    cos, sin = np.cos(angles), np.sin(angles)
    cx, cy = (width - 1) / 2, (height - 1) / 2
    with np.errstate(divide="ignore"):
        reach = np.minimum(cx / np.maximum(np.abs(cos), 1e-6), cy / np.maximum(np.abs(sin), 1e-6))
    shares = np.linspace(1.0, 0.25, steps, dtype=np.float32)
    distances = reach[:, None] * shares[None, :]
    xs = (cx + distances * cos[:, None]).astype(np.float32)
    ys = (cy + distances * sin[:, None]).astype(np.float32)
    strength = cv2.remap(edges, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    peak = (
        (strength[:, 1:-1] >= strength[:, :-2])
        & (strength[:, 1:-1] > strength[:, 2:])
        & (strength[:, 1:-1] > max(3.0, 0.6 * float(np.percentile(strength, 85))))
    )
    order = np.cumsum(peak, axis=1)
    rows, columns = np.nonzero(peak & (order <= 2))
    if len(rows) < 24:
        return None
    points = np.stack([xs[rows, columns + 1], ys[rows, columns + 1]], axis=1)
    return fit_circle(points)
