"""Photographing: sources with habits, one picture of a face with the way back to its die.

``photograph`` makes the pictures of single faces for training; whole photographs with their
grounds, shadows, rulers and captions are composed in ``backgrounds``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from dieindex.errors import MintError
from dieindex.mint import camera
from dieindex.mint.difficulty import DIFFICULTIES, Difficulty, between
from dieindex.mint.flan import NOMINAL_EXTENT
from dieindex.mint.grounds import GROUNDS, ground_picture
from dieindex.mint.light import shade
from dieindex.mint.metals import PATINAS
from dieindex.mint.parameters import LAMPS, Lighting, PhotoParameters, Source
from dieindex.mint.striking import Struck, split
from dieindex.mint.surface import blur, column
from dieindex.mint.wear import Layers
from dieindex.records import Floats, Floats32


@dataclass(frozen=True, eq=False)
class Photographed:
    """Pictures of faces and the truth about each pixel; ``(B, c, size, size)``."""

    rgb: Tensor
    """(B, 3, …) float32, encoded (sRGB), 0…1."""
    mask: Tensor
    visible: Tensor
    """Where the die's work shows, 0…1."""
    design: Tensor
    die_positions: Tensor
    """(B, 2, …): die coordinates of every pixel, metal flow included."""
    homography: Floats
    """(B, 3, 3): die frame to picture pixels (centres at whole numbers), metal flow apart."""
    flow: Tensor
    """(B, 2, …) die frame: die_positions less what the homography alone would say."""

    def pictures(self) -> npt.NDArray[np.uint8]:
        """``(B, size, size, 3)`` uint8 RGB."""
        return to_uint8(self.rgb)


def to_uint8(rgb: Tensor) -> npt.NDArray[np.uint8]:
    """``(B, 3, h, w)`` of 0…1 as ``(B, h, w, 3)`` uint8."""
    scaled = (rgb.clamp(0, 1) * 255 + 0.5).to(torch.uint8)
    return np.ascontiguousarray(scaled.permute(0, 2, 3, 1).cpu().numpy())


_MOST_LEAN = 0.18
"""No camera leans more: perspective and foreshortening of a face."""

_CLOTHS = (
    (0.03, 0.05, 0.16),
    (0.10, 0.14, 0.24),
    (0.03, 0.09, 0.05),
    (0.20, 0.03, 0.04),
    (0.30, 0.22, 0.13),
    (0.55, 0.47, 0.35),
    (0.35, 0.42, 0.50),
    (0.40, 0.30, 0.33),
    (0.10, 0.07, 0.05),
    (0.14, 0.20, 0.20),
)
"""Cloths and cards that coins lie on: navy, slate, bottle green, maroon, tan, beige."""


def _grey(rng: np.random.Generator, low: float, high: float) -> tuple[float, float, float]:
    level = rng.uniform(low, high)
    tint = rng.normal(0, 0.015, 3)
    red, green, blue = (float(np.clip(level * (1 + t), 0, 1)) for t in tint)
    return red, green, blue


def _ground(
    rng: np.random.Generator,
) -> tuple[str, tuple[float, float, float], tuple[float, float, float]]:
    kind = str(rng.choice(GROUNDS, p=[0.34, 0.14, 0.12, 0.1, 0.16, 0.08, 0.06]))
    second = _grey(rng, 0.1, 0.9)
    if kind == "white":
        return kind, _grey(rng, 0.86, 1.0), second
    if kind == "black":
        return kind, _grey(rng, 0.0, 0.03), second
    if kind in ("coloured", "cloth"):
        dye = np.array(_CLOTHS[int(rng.integers(len(_CLOTHS)))])
        colour = dye * rng.uniform(0.6, 1.5) * rng.normal(1, 0.1, 3)
        red, green, blue = (float(np.clip(c, 0, 1)) for c in colour)
        return kind, (red, green, blue), second
    if kind == "paper":
        level = rng.uniform(0.55, 0.85)
        return kind, (float(level), float(level * 0.96), float(level * 0.86)), second
    return kind, _grey(rng, 0.12, 0.75), second


def sample_source(
    rng: np.random.Generator, difficulty: Difficulty = DIFFICULTIES["medium"]
) -> Source:
    """Sample a house's habits; they know nothing of the coins."""
    ground, colour, second = _ground(rng)
    plate = bool(rng.random() < difficulty.plates)
    plaster = bool(rng.random() < (0.5 if plate else 1.0) * difficulty.plaster)
    warm = rng.normal(0.09, 0.035)
    source = Source(
        seed=int(rng.integers(2**62)),
        azimuth=float(rng.normal(-2.0, 0.5)),
        elevation=float(np.clip(rng.normal(0.62, 0.2), 0.28, 1.25)),
        lamps=int(rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15])),
        lamp_width=float(rng.uniform(0.15, 0.7)),
        harshness=between(rng, difficulty.harshness),
        ambient=float(rng.uniform(0.02, 0.2)),
        overhead=float(rng.uniform(0.0, 0.68) ** 2.2),
        ring=float(rng.uniform(0.15, 0.8)) if rng.random() < 0.2 else 0.0,
        room=float(rng.uniform(0.05, 0.45)),
        ground=ground,
        ground_colour=colour,
        ground_second=second,
        cast_shadow=float(rng.uniform(0.1, 0.7)) if rng.random() < 0.55 else 0.0,
        white_balance=(float(1 + warm), 1.0, float(1 - warm + rng.normal(0, 0.02))),
        saturation=float(np.clip(rng.normal(1.12, 0.13), 0.6, 1.7)),
        exposure=float(np.clip(rng.normal(0.2, 0.08), 0.08, 0.6)),
        contrast=float(rng.uniform(0.92, 1.2)),
        curve=float(rng.uniform(1.1, 1.5)),
        sharpening=float(rng.uniform(0.15, 0.95)),
        blur=between(rng, difficulty.blur),
        noise=between(rng, difficulty.noise, 1.5),
        jpeg_quality=int(rng.integers(55, 96)),
        face_size=int(between(rng, difficulty.face_size)),
        plate=plate,
        halftone=float(rng.uniform(0.2, 1.0)) if plate and rng.random() < 0.6 else 0.0,
        plaster=plaster,
        stacked=bool(rng.random() < 0.15),
        margin=float(rng.uniform(0.02, 0.25)),
        scale_bar=float(rng.random() < 0.1),
        caption=float(rng.random() < 0.12),
    )
    if not difficulty.devices:
        return source
    # A small picture that is enlarged shows no more than it has.
    source = replace(source, blur=float(np.hypot(source.blur, 0.45 * 256 / source.face_size)))
    return _with_device(rng, source) if rng.random() < difficulty.devices else source


def _with_device(rng: np.random.Generator, source: Source) -> Source:
    """The same source with a ring light, a flatbed scanner or a telephone."""
    kind = str(rng.choice(["ring", "scanner", "phone"], p=[0.3, 0.25, 0.45]))
    if kind == "ring":
        # Light from all round: every edge alike bright, no side in shadow.
        return replace(
            source,
            device="ring",
            lamps=int(rng.random() < 0.3),
            harshness=0.0,
            ring=float(rng.uniform(0.7, 1.8)),
            ambient=float(rng.uniform(0.02, 0.15)),
            overhead=float(rng.uniform(0.0, 0.3)),
            cast_shadow=0.0,
        )
    if kind == "scanner":
        # One lamp that travels along: always from the same side, and nothing throws a shadow.
        level = float(rng.choice([0.0, 0.93])) + float(rng.uniform(0.0, 0.07))
        return replace(
            source,
            device="scanner",
            azimuth=float(rng.choice([-0.5, 0.5]) * np.pi + rng.normal(0, 0.05)),
            elevation=float(rng.uniform(0.55, 1.0)),
            lamps=1,
            lamp_width=float(rng.uniform(0.3, 0.9)),
            harshness=float(rng.uniform(0.1, 0.6)),
            overhead=0.0,
            ring=0.0,
            ground="white" if level > 0.5 else "black",
            ground_colour=(level, level, level),
            cast_shadow=0.0,
            noise=0.5 * source.noise,
            sharpening=float(rng.uniform(0.2, 1.3)),
            shadows=0.0,
            wander=0.0,
            lean=0.0,
        )
    warm = float(rng.normal(0.0, 0.12))
    return replace(
        source,
        device="phone",
        lamps=int(rng.choice([1, 2, 3])),
        lamp_width=float(rng.uniform(0.1, 1.0)),
        harshness=float(rng.random()),
        room=float(rng.uniform(0.2, 0.9)),
        white_balance=(1 + warm, 1.0, 1 - warm + float(rng.normal(0, 0.04))),
        saturation=float(rng.uniform(0.7, 1.6)),
        exposure=float(rng.uniform(0.10, 0.42)),
        contrast=float(rng.uniform(0.85, 1.35)),
        sharpening=float(rng.uniform(0.0, 1.5)),
        blur=source.blur + float(rng.uniform(0.0, 0.6)),
        noise=source.noise * float(rng.uniform(1.0, 2.2)),
        jpeg_quality=int(rng.integers(40, 85)),
        lean=float(rng.uniform(1.5, 3.5)),
    )


def _lighting(rng: np.random.Generator, difficulty: Difficulty, source: Source) -> Lighting:
    spread = difficulty.light_spread * source.wander
    lamps = np.zeros((LAMPS, 5), np.float32)
    away = rng.uniform(-np.pi, np.pi) if rng.random() < 0.5 * spread else 0.0
    main = source.azimuth + away + rng.normal(0, (0.12 + 0.3 * spread) * source.wander)
    for lamp in range(source.lamps):
        lamps[lamp] = (
            main + (0 if lamp == 0 else rng.normal(np.pi * (0.55 + 0.35 * lamp), 0.4)),
            np.clip(source.elevation + rng.normal(0, 0.05 + 0.12 * spread), 0.22, 1.4),
            (1.0 + 0.9 * source.harshness) * (1.0 if lamp == 0 else rng.uniform(0.1, 0.6)),
            source.lamp_width * (1.15 - 0.8 * source.harshness) + 0.04,
            rng.normal(0, 0.25),
        )
    soft = 1.1 - 0.75 * source.harshness
    return Lighting(
        lamps=lamps,
        ambient=source.ambient * soft * float(rng.uniform(0.85, 1.15)),
        overhead=source.overhead * float(rng.uniform(0.7, 1.3)),
        ring=source.ring,
        ring_elevation=float(rng.uniform(0.1, 0.9)),
        room=source.room * float(rng.uniform(0.8, 1.2)),
        occlusion=float(rng.uniform(0.2, 1.2)),
        relief_gain=float(rng.uniform(1.3, 2.0)),
        shadows=source.shadows,
    )


def sample_photo(
    rng: np.random.Generator, difficulty: Difficulty, source: Source
) -> PhotoParameters:
    """Sample one picture of one face after the habits of ``source``."""
    turn = np.deg2rad(difficulty.rotation)
    lean = difficulty.perspective * source.lean
    ground = (source.ground, source.ground_colour, source.ground_second)
    if rng.random() < 0.05:
        ground = _ground(rng)
    return PhotoParameters(
        seed=int(rng.integers(2**62)),
        source=source,
        rotation=float(rng.normal(0, turn)),
        share=float(rng.uniform(0.86, 0.92)),
        shift=(float(rng.normal(0, 0.008)), float(rng.normal(0, 0.008))),
        perspective=(
            float(np.clip(rng.normal(0, lean), -_MOST_LEAN, _MOST_LEAN)),
            float(np.clip(rng.normal(0, lean), -_MOST_LEAN, _MOST_LEAN)),
        ),
        squeeze=float(min(abs(rng.normal(0, lean * 0.5)), _MOST_LEAN)),
        squeeze_angle=float(rng.uniform(0, np.pi)),
        lighting=_lighting(rng, difficulty, source),
        camera=camera.sample_camera(rng, source),
        ground=ground[0],
        ground_colour=ground[1],
        ground_second=ground[2],
        cast_shadow=source.cast_shadow,
        shadow_angle=float(source.azimuth + np.pi),
        plaster=source.plaster,
        jpeg_quality=int(np.clip(source.jpeg_quality + rng.integers(-4, 5), 40, 97)),
    )


def quality_at(photo: PhotoParameters, size: int) -> int:
    """The JPEG quality that leaves in a ``size`` square what the source's own left in its file.

    Shrinking a larger file averages its errors, by as much as it shrinks; libjpeg's steps go with
    100 less the quality.
    """
    shrunk = min(1.0, photo.share * size / photo.source.face_size)
    return int(np.clip(round(100 - (100 - photo.jpeg_quality) * shrunk), 1, 97))


def shadow_offset(photo: PhotoParameters, face_size: float) -> tuple[int, int]:
    """Pixels by which a coin's soft shadow falls aside of it."""
    reach = 0.03 * face_size
    return (
        round(float(np.cos(photo.shadow_angle)) * reach),
        round(float(np.sin(photo.shadow_angle)) * reach),
    )


def coin_light(struck: Struck, photos: list[PhotoParameters]) -> Tensor:
    """Linear light off each face under its photograph's lamps, ``(B, 3, size, size)``."""
    if any(p.plaster for p in photos):
        struck = replace(struck, layers=_in_plaster(struck, [p.plaster for p in photos]))
    return shade(struck, [p.lighting for p in photos], [p.rotation for p in photos])


def _in_plaster(struck: Struck, cast: list[bool]) -> Layers:
    """The layers of plaster casts where ``cast``: one pale matt colour, greyer in the recesses."""
    old = struck.layers
    where = column([float(c) for c in cast], old.albedo.device) > 0
    look = PATINAS["plaster"]
    tone, deep = (
        torch.tensor(c, device=old.albedo.device).view(1, 3, 1, 1) for c in (look.tone, look.recess)
    )
    unit = struck.size / (2 * NOMINAL_EXTENT)
    recess = ((blur(struck.height, 0.03 * unit) - struck.height) * 40).clamp(0, 1)
    albedo = torch.lerp(tone.expand_as(old.albedo), deep.expand_as(old.albedo), recess)
    return Layers(
        albedo=torch.where(where, albedo, old.albedo),
        shine=torch.where(where, torch.full_like(old.shine, look.shine_tone), old.shine),
        gloss=torch.where(where, torch.full_like(old.gloss, look.gloss), old.gloss),
        bare=old.bare,
        deposit=old.deposit,
        corroded=old.corroded,
    )


def coin_to_picture(photo: PhotoParameters, outline: Floats32, size: int) -> Floats:
    """``(3, 3)``: coin frame to the pixels of a ``size`` square with the coin centred in it."""
    return picture_frame(photo, outline, size) @ posed(photo)


def posed(photo: PhotoParameters) -> Floats:
    """The turned, tilted coin before the camera, still in flan radii."""
    c, s = np.cos(photo.rotation), np.sin(photo.rotation)
    turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    a, b = np.cos(photo.squeeze_angle), np.sin(photo.squeeze_angle)
    axis = np.array([[a, -b, 0.0], [b, a, 0.0], [0.0, 0.0, 1.0]])
    squeeze = axis @ np.diag([1 - photo.squeeze, 1.0, 1.0]) @ axis.T
    tilt = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [*photo.perspective, 1.0]])
    return np.asarray(tilt @ squeeze @ turn)


def picture_frame(photo: PhotoParameters, outline: Floats32, size: int) -> Floats:
    """``(3, 3)``: posed coin to pixels, mean flan radius at ``photo.share`` of half the edge."""
    scale = photo.share * size / (2 * float(outline.mean()))
    middle = (size - 1) / 2
    x, y = (middle + s * size / 2 for s in photo.shift)
    return np.array([[scale, 0.0, x], [0.0, scale, y], [0.0, 0.0, 1.0]])


def warp(maps: Tensor, to_picture: Floats, height: int, width: int, mode: str) -> Tensor:
    """Maps on grids as pictures show them; ``to_picture`` (B, 3, 3) takes grid pixels to theirs."""
    back = torch.from_numpy(np.linalg.inv(to_picture)).to(maps.device)
    size = maps.shape[-1]
    x = torch.arange(width, device=maps.device, dtype=torch.float64).view(1, 1, -1)
    y = torch.arange(height, device=maps.device, dtype=torch.float64).view(1, -1, 1)
    m = back.view(-1, 9, 1, 1)
    depth = m[:, 6] * x + m[:, 7] * y + m[:, 8]
    u = (m[:, 0] * x + m[:, 1] * y + m[:, 2]) / depth
    v = (m[:, 3] * x + m[:, 4] * y + m[:, 5]) / depth
    grid = ((torch.stack([u, v], -1) + 0.5) * (2 / size) - 1).float()
    return F.grid_sample(maps, grid, mode=mode, padding_mode="border", align_corners=False)


def photograph(struck: Struck, photos: list[PhotoParameters], size: int) -> Photographed:
    """Photograph a batch of faces, each centred in a ``size`` square on its ground.

    On a CPU the faces are worked one by one, as in ``strike``.
    """
    if len(photos) != len(struck.strikes):
        raise MintError(f"{len(struck.strikes)} faces but {len(photos)} photographs were given.")
    if struck.height.device.type != "cpu" or len(photos) == 1:
        return _photograph(struck, photos, size)
    parts = [
        _photograph(face, [photo], size) for face, photo in zip(split(struck), photos, strict=True)
    ]

    def cat(name: str) -> Tensor:
        return torch.cat([getattr(part, name) for part in parts])

    return Photographed(
        rgb=cat("rgb"),
        mask=cat("mask"),
        visible=cat("visible"),
        design=cat("design"),
        die_positions=cat("die_positions"),
        homography=np.concatenate([part.homography for part in parts]),
        flow=cat("flow"),
    )


def _photograph(struck: Struck, photos: list[PhotoParameters], size: int) -> Photographed:
    device = struck.height.device
    light = coin_light(struck, photos)
    light = camera.expose(light, struck.mask, [p.camera for p in photos])
    pairs = list(zip(photos, struck.strikes, strict=True))
    coin_to_pixel = np.stack([coin_to_picture(p, s.outline, size) for p, s in pairs])
    to_picture = coin_to_pixel @ np.linalg.inv(struck.coin_to_grid())
    warped = warp(torch.cat([light, struck.mask], 1), to_picture, size, size, "bicubic")
    colour, mask = warped[:, :3].clamp(min=0), warped[:, 3:].clamp(0, 1)
    truth = torch.cat([struck.visible, struck.design, struck.flow], 1)
    truth = warp(truth, to_picture, size, size, "bilinear")
    visible, design = truth[:, :1] * (mask > 0.5), truth[:, 1:2]

    homography = coin_to_pixel @ np.linalg.inv(struck.coin_to_die)
    plain = _die_positions(homography, size, device)
    turn = torch.from_numpy(struck.coin_to_die[:, :2, :2].astype(np.float32)).to(device)
    flow = torch.einsum("bij,bjhw->bihw", turn, truth[:, 2:])
    ground = ground_picture(photos, size, size, device)
    ground = ground * (1 - _contact_shadow(mask, photos, size))
    picture = torch.lerp(ground, colour, mask)
    rgb = camera.develop(picture, [p.camera for p in photos], [p.seed for p in photos], size / 256)
    return Photographed(rgb, mask, visible, design, plain + flow, homography, flow)


def _die_positions(homography: Floats, size: int, device: torch.device) -> Tensor:
    back = torch.from_numpy(np.linalg.inv(homography)).to(device).view(-1, 9, 1, 1)
    steps = torch.arange(size, device=device, dtype=torch.float64)
    x, y = steps.view(1, 1, -1), steps.view(1, -1, 1)
    depth = back[:, 6] * x + back[:, 7] * y + back[:, 8]
    u = (back[:, 0] * x + back[:, 1] * y + back[:, 2]) / depth
    v = (back[:, 3] * x + back[:, 4] * y + back[:, 5]) / depth
    return torch.stack([u, v], 1).float()


def _contact_shadow(mask: Tensor, photos: list[PhotoParameters], size: int) -> Tensor:
    """The coin's soft shadow on its ground, away from the lamp, 0…1."""
    strength = torch.tensor([p.cast_shadow for p in photos], device=mask.device).view(-1, 1, 1, 1)
    moved = []
    for i, photo in enumerate(photos):
        dx, dy = shadow_offset(photo, photo.share * size)
        moved.append(torch.roll(mask[i : i + 1], (dy, dx), (-2, -1)))
    return blur(torch.cat(moved), 0.03 * size) * strength
