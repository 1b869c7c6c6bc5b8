"""Single acts of damage, rendered one by one: edge cracks, cuts, punches, scratches, piercings."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from dieindex.records import Floats32

_SHIFT = 4


def _pixels(points: npt.NDArray[np.floating], extent: float, size: int) -> npt.NDArray[np.int32]:
    scale = size / (2 * extent)
    return np.round(((np.asarray(points) + extent) * scale - 0.5) * (1 << _SHIFT)).astype(np.int32)


def split_maps(
    splits: Floats32, outline: Floats32, extent: float, size: int, mirror: bool
) -> tuple[Floats32, Floats32]:
    """Edge cracks: (share of missing metal, share of crack), each ``(size, size)`` 0…1.

    Toward the rim a crack gapes and shows the ground; farther in it is a dark line.
    """
    gap = np.zeros((size, size), np.uint8)
    crack = np.zeros((size, size), np.uint8)
    for angle, depth, width, bend in splits.astype(float):
        turn = np.pi - angle if mirror else angle
        side = -1.0 if mirror else 1.0
        rim = float(outline[round(turn / (2 * np.pi) * len(outline)) % len(outline)]) + 0.03
        along = np.linspace(0, 1, 14)
        jitter = (0.025 * np.sin(along * 9 + angle * 7) + 0.012 * np.sin(along * 23)) * depth
        course = rim - along * (depth + 0.03)
        aside = side * (bend * depth * along**2 + jitter)
        half = 0.5 * width * (1 - along) ** 1.2
        out = np.array([np.cos(turn), np.sin(turn)])
        across = np.array([-out[1], out[0]])
        for canvas, reach in ((gap, np.maximum(half - 0.007, 0)), (crack, half + 0.003)):
            wide = reach > 0
            if not wide.any():
                continue
            middle, offset, r = course[wide], aside[wide], reach[wide]
            left = middle[:, None] * out + (offset - r)[:, None] * across
            right = middle[:, None] * out + (offset + r)[:, None] * across
            ring = _pixels(np.concatenate([left, right[::-1]]), extent, size)
            cv2.fillPoly(canvas, [ring], 255, cv2.LINE_AA, _SHIFT)
    full = np.float32(255)
    return gap.astype(np.float32) / full, crack.astype(np.float32) / full


def cut_map(cuts: Floats32, extent: float, size: int) -> Floats32:
    """Test cuts as depth below the surface in flan radii; rows x, y, angle, length, depth."""
    depth_map = np.zeros((size, size), np.float32)
    steps = (np.arange(size, dtype=np.float32) + 0.5) * (2 * extent / size) - extent
    for x, y, angle, length, depth in cuts.astype(float):
        u = (steps[None] - x) * np.cos(angle) + (steps[:, None] - y) * np.sin(angle)
        v = -(steps[None] - x) * np.sin(angle) + (steps[:, None] - y) * np.cos(angle)
        # A chisel: a V in section, running out at both ends, with a burr of raised metal beside it.
        along = np.clip(1 - (np.abs(u) / (length / 2)) ** 4, 0, 1)
        width = depth * 0.55
        groove = depth * np.clip(1 - np.abs(v) / width, 0, 1) * along
        burr = 0.12 * depth * np.exp(-(((np.abs(v) - 1.4 * width) / (0.5 * width)) ** 2)) * along
        depth_map = np.maximum(depth_map, groove.astype(np.float32)) - burr.astype(np.float32)
    return depth_map


def punch_map(punches: Floats32, extent: float, size: int) -> Floats32:
    """Bankers' marks as depth in flan radii; rows x, y, radius, shape (0…4), turn."""
    total = np.zeros((size, size), np.float32)
    for x, y, radius, shape, turn in punches.astype(float):
        canvas = np.zeros((size, size), np.uint8)
        angle = np.linspace(0, 2 * np.pi, 33)[:-1] + turn
        kind = int(shape)
        ring = np.stack([np.cos(angle), np.sin(angle)], 1)
        if kind == 0:  # a ring
            cv2.fillPoly(
                canvas, [_pixels(ring * radius + (x, y), extent, size)], 255, cv2.LINE_AA, 4
            )
            inner = _pixels(ring * radius * 0.5 + (x, y), extent, size)
            cv2.fillPoly(canvas, [inner], 0, cv2.LINE_AA, 4)
        elif kind == 1:  # a crescent
            cv2.fillPoly(
                canvas, [_pixels(ring * radius + (x, y), extent, size)], 255, cv2.LINE_AA, 4
            )
            aside = np.array([np.cos(turn), np.sin(turn)]) * radius * 0.5
            bite = _pixels(ring * radius * 0.9 + (x, y) + aside, extent, size)
            cv2.fillPoly(canvas, [bite], 0, cv2.LINE_AA, 4)
        elif kind == 2:  # a star of dots
            for spoke in range(5):
                away = np.array(
                    [np.cos(turn + spoke * 2 * np.pi / 5), np.sin(turn + spoke * 2 * np.pi / 5)]
                )
                dot = _pixels(ring * radius * 0.3 + away * radius * 0.7 + (x, y), extent, size)
                cv2.fillPoly(canvas, [dot], 255, cv2.LINE_AA, 4)
        elif kind == 3:  # a cross
            for arm in (0.0, np.pi / 2):
                d = np.array([np.cos(turn + arm), np.sin(turn + arm)]) * radius
                n = np.array([-d[1], d[0]]) * 0.22
                corners = np.stack([d + n, d - n, -d - n, -d + n]) + np.array([x, y])
                cv2.fillPoly(canvas, [_pixels(corners, extent, size)], 255, cv2.LINE_AA, 4)
        else:  # a pellet
            cv2.fillPoly(
                canvas, [_pixels(ring * radius * 0.6 + (x, y), extent, size)], 255, cv2.LINE_AA, 4
            )
        soft = cv2.GaussianBlur(canvas, (0, 0), max(0.6, size * 0.004)).astype(np.float32) / 255
        total = np.maximum(total, soft * np.float32(0.035 + 0.1 * radius))
    return total


def gouge_map(gouges: Floats32, extent: float, size: int) -> Floats32:
    """Single deep scratches as depth in flan radii; rows x, y, angle, length, depth."""
    canvas = np.zeros((size, size), np.uint8)
    if len(gouges) == 0:
        return canvas.astype(np.float32)
    deepest = float(gouges[:, 4].max())
    for x, y, angle, length, depth in gouges.astype(float):
        along = np.linspace(-0.5, 0.5, 9) * length
        course = angle + along * 0.25
        points = np.stack([x + along * np.cos(course), y + along * np.sin(course)], 1)
        thick = 1 if size < 420 else max(1, round(size * 0.0035))
        value = int(255 * depth / deepest)
        cv2.polylines(
            canvas, [_pixels(points, extent, size)], False, value, thick, cv2.LINE_AA, _SHIFT
        )
    return canvas.astype(np.float32) * np.float32(deepest / 255)
