"""What of a face is shown on the dark ground of a page: the coin without a rim of the light ground
it was photographed on."""

from __future__ import annotations

import numpy as np

from dieindex.records import Floats, Floats32, Mask, Picture

_LIGHT = 144.0
"""Brightness of a ground from which on a strip of it is seen around the coin."""
_REACH = 0.08
"""How far inside its mask a coin's edge is sought, radii: a mask may hold the coin's shadow."""
_SHADOW = 0.6
"""Brightness of a shadow, of that of its ground; what is darker is not seen on a dark page."""
_LIT = 0.9
"""Brightness of the ground where no shadow is, of that of the ground."""
_ALIKE = 30.0
"""How far a colour may be from the ground's, in steps of 255."""

_LIKE_GROUND = 0.3
"""Share of a coin's middle that is of the ground's colour, above which they are not told apart."""


def shown_of(picture: Picture, mask: Mask) -> Floats32:
    """How much of each pixel of a face is shown, 0…1, with a smooth edge.

    ``picture`` ``(s, s, 3)`` uint8 and ``mask`` ``(s, s)`` bool. A mask ends where the coin does
    to a pixel or two, or with its shadow: on a dark page that is a bright halo. What is taken away
    lies at the mask's edge, beyond the steepest step of brightness there, and has the hue of the
    ground.
    """
    import cv2

    smooth = cv2.GaussianBlur(_without_ground(picture, mask).astype(np.float32), (0, 0), 1.5)
    return np.asarray(np.clip((smooth - 0.5) / 0.35, 0, 1), np.float32)


def _without_ground(picture: Picture, mask: Mask) -> Mask:
    import cv2

    radius = float(np.sqrt(mask.sum() / np.pi))
    inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3)
    outside = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3)
    beside = (outside > 2) & (outside < _REACH * radius)
    if not beside.any():
        return mask
    ground = np.median(picture[beside], axis=0)
    if ground.mean() < _LIGHT:
        return mask
    markers = np.zeros(mask.shape, np.int32)
    markers[inside > _REACH * radius] = 1
    markers[outside > 1] = 2
    soft = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.8), np.uint8)
    cv2.watershed(soft, markers)
    if _alike(soft, ground, _LIT)[inside > _REACH * radius].mean() > _LIKE_GROUND:
        return mask
    coin = mask & ((markers == 1) | ~_alike(soft, ground, _SHADOW))
    opened = cv2.morphologyEx(
        coin.astype(np.uint8),
        cv2.MORPH_OPEN,
        cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5)),
    )
    return np.asarray(opened > 0, bool)


def _alike(picture: Picture, ground: Floats, darkest: float) -> Mask:
    """Where a picture has the colour of the ground, or of a shadow on it as deep as ``darkest``."""
    shade = np.clip((picture @ ground) / (ground @ ground), darkest, 1.1)
    return np.asarray(np.abs(picture - shade[..., None] * ground).max(axis=-1) < _ALIKE, bool)
