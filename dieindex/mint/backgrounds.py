"""Whole photographs: faces on a ground, with shadow, ruler and caption."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from dieindex.errors import MintError
from dieindex.mint import camera
from dieindex.mint.difficulty import Difficulty, between
from dieindex.mint.grounds import ground_picture
from dieindex.mint.parameters import LayoutParameters, PhotoParameters, Source
from dieindex.mint.photography import coin_light, posed, shadow_offset, to_uint8, warp
from dieindex.mint.striking import Struck, split
from dieindex.mint.surface import blur
from dieindex.records import Circle, Floats, Picture

_CAPTIONS = ("Lot {}", "No. {}", "{}", "Inv. {}", "cat. {}", "Fig. {}")


@dataclass(frozen=True, eq=False)
class Composed:
    """A full photograph and its truth."""

    picture: Picture
    """(height, width, 3) uint8 RGB."""
    homographies: Floats
    """(n, 3, 3): each face's die frame to pixels, metal flow apart."""
    circles: tuple[Circle, ...]
    """Each flan: its centre in the picture and its mean radius."""
    jpeg_quality: int


def sample_layout(
    rng: np.random.Generator, difficulty: Difficulty, source: Source, faces: int = 2
) -> LayoutParameters:
    """Sample a photograph of one face or two after the habits of ``source``."""
    if faces not in (1, 2):
        raise MintError(f"A photograph shows 1 or 2 faces, not {faces}.")
    low, high = difficulty.face_size
    size = float(np.clip(source.face_size * rng.uniform(0.9, 1.1), low, high))
    jitter = rng.normal(0, 0.012, (faces, 2))
    return LayoutParameters(
        seed=int(rng.integers(2**62)),
        faces=faces,
        stacked=source.stacked,
        face_size=round(size),
        gap=source.margin * 0.5 + float(rng.uniform(0.0, 0.05)) + 0.02,
        margin=source.margin * 0.6 + float(rng.uniform(0.0, 0.04)) + 0.01,
        jitter=tuple((float(x), float(y)) for x, y in jitter),
        cut=between(rng, (0.03, 0.1)) if rng.random() < difficulty.cut_edge else 0.0,
        scale_bar=bool(source.scale_bar),
        caption=bool(source.caption),
        frame=bool(source.plate and rng.random() < 0.3),
        jpeg_quality=int(np.clip(source.jpeg_quality + rng.integers(-4, 5), 40, 97)),
    )


def compose(struck: Struck, photos: list[PhotoParameters], layout: LayoutParameters) -> Composed:
    """One photograph of one face, or of two side by side or one above the other.

    ``struck`` holds the faces in their order (left to right or top to bottom), ``photos`` one entry
    a face; ground and camera are those of the first. JPEG is left to the writer, with the quality
    given. Raises MintError where the numbers of faces disagree.
    """
    if not len(struck.strikes) == len(photos) == layout.faces:
        raise MintError(
            f"The layout has {layout.faces} faces, but {len(struck.strikes)} were struck and "
            f"{len(photos)} photographed."
        )
    places, width, height, scales = _places(struck, layout)
    device = struck.height.device
    lead = photos[0]
    colour = torch.zeros(1, 3, height, width, device=device)
    mask = torch.zeros(1, 1, height, width, device=device)
    homographies, circles = [], []
    faces = list(zip(split(struck), photos, places, scales, strict=True))
    for face, photo, (x, y), scale in faces:
        light = camera.expose(coin_light(face, [photo]), face.mask, [lead.camera])
        frame = np.array([[scale, 0.0, x], [0.0, scale, y], [0.0, 0.0, 1.0]])
        coin_to_pixel = frame @ posed(photo)
        homographies.append(coin_to_pixel @ np.linalg.inv(face.coin_to_die[0]))
        circles.append(Circle(x, y, scale * float(face.strikes[0].outline.mean())))
        _place_face(colour, mask, torch.cat([light, face.mask], 1), face, coin_to_pixel)
    ground = ground_picture([lead], height, width, device)
    dx, dy = shadow_offset(lead, layout.face_size)
    shadow = blur(torch.roll(mask, (dy, dx), (-2, -1)), 0.03 * layout.face_size)
    picture = torch.lerp(ground * (1 - shadow * lead.cast_shadow), colour, mask)
    rgb = camera.develop(picture, [lead.camera], [layout.seed], layout.face_size / 256)
    rendered = _annotated(to_uint8(rgb)[0], ground, layout)
    return Composed(rendered, np.stack(homographies), tuple(circles), layout.jpeg_quality)


def _place_face(
    colour: Tensor, mask: Tensor, maps: Tensor, face: Struck, coin_to_pixel: Floats
) -> None:
    """Render one face into the whole picture, in place, working on its window alone."""
    height, width = mask.shape[-2:]
    reach = float(face.extents[0])
    corners = np.array([[a, b, 1.0] for a in (-reach, reach) for b in (-reach, reach)]).T
    seen = coin_to_pixel @ corners
    seen = seen[:2] / seen[2]
    left, top = (int(v) for v in np.maximum(np.floor(seen.min(1)), 0))
    right, bottom = (int(v) for v in np.minimum(np.ceil(seen.max(1)) + 1, (width, height)))
    if right <= left or bottom <= top:
        return
    window = np.array([[1.0, 0.0, -left], [0.0, 1.0, -top], [0.0, 0.0, 1.0]])
    to_window = (window @ coin_to_pixel @ np.linalg.inv(face.coin_to_grid()[0]))[None]
    rendered = warp(maps, to_window, bottom - top, right - left, "bicubic")
    cover = rendered[:, 3:].clamp(0, 1)
    part = (..., slice(top, bottom), slice(left, right))
    colour[part] = torch.lerp(colour[part], rendered[:, :3].clamp(min=0), cover)
    mask[part] = torch.maximum(mask[part], cover)


def _places(
    struck: Struck, layout: LayoutParameters
) -> tuple[list[tuple[float, float]], int, int, list[float]]:
    """Centres of the faces, the picture's width and height, and pixels per flan radius."""
    size = layout.face_size
    # The two faces of a coin are photographed at one scale.
    scale = size / (2 * max(float(s.outline.mean()) for s in struck.strikes))
    reach = [scale * s.extent for s in struck.strikes]
    margin, gap = layout.margin * size, layout.gap * size
    crop = layout.cut * size
    along = margin - crop
    widest = max(reach)
    across = margin + widest - (crop if layout.faces == 1 else 0.0)
    centres = []
    for radius, (jx, jy) in zip(reach, layout.jitter, strict=True):
        centre = (along + radius, across)
        x, y = centre[::-1] if layout.stacked else centre
        centres.append((x + jx * size, y + jy * size))
        along += 2 * radius + gap
    length = along - gap + margin - crop
    breadth = across + widest + margin
    width, height = (breadth, length) if layout.stacked else (length, breadth)
    if layout.caption or layout.scale_bar:
        height += 0.16 * size
    return centres, round(width), round(height), [scale] * layout.faces


def _annotated(picture: Picture, ground: Tensor, layout: LayoutParameters) -> Picture:
    """Ruler, caption and frame over the finished picture."""
    if not (layout.caption or layout.scale_bar or layout.frame):
        return picture
    rng = np.random.default_rng([layout.seed, 3])
    height, width = picture.shape[:2]
    dark_ground = float(ground.mean()) < 0.18
    ink = (225, 225, 225) if dark_ground else (25, 25, 28)
    canvas = np.ascontiguousarray(picture)
    size = layout.face_size
    base = height - round(0.05 * size)
    if layout.scale_bar:
        step = 0.1 * size * float(rng.uniform(0.7, 1.3))
        count = int(rng.integers(2, 6))
        thick = max(3, round(0.025 * size))
        start = width / 2 - step * count / 2
        for k in range(count):
            a, b = round(start + k * step), round(start + (k + 1) * step)
            filled = cv2.FILLED if k % 2 == 0 else 1
            cv2.rectangle(canvas, (a, base - thick), (b, base), ink, filled, cv2.LINE_AA)
    if layout.caption:
        text = str(rng.choice(_CAPTIONS)).format(int(rng.integers(1, 4000)))
        font = size / 420
        at = (round(width * float(rng.choice([0.04, 0.42, 0.78]))), base - round(0.03 * size))
        cv2.putText(
            canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, font, ink, max(1, round(font)), cv2.LINE_AA
        )
    if layout.frame:
        cv2.rectangle(canvas, (2, 2), (width - 3, height - 3), ink, 1)
    return canvas
