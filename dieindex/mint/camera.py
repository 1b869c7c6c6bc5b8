"""From light to a picture file's values: exposure, colour, lens, sensor, sharpening, print."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from dieindex.mint.parameters import Camera, Source
from dieindex.mint.surface import blur, column

SHARPENING_RADIUS = (0.45, 1.0)
"""Sigma of unsharp masks in pixels: pictures are sharpened large and shrunk, or for the screen."""


def sample_camera(rng: np.random.Generator, source: Source) -> Camera:
    """Sample one exposure after a source's habits."""
    wobble = rng.normal(1, 0.012, 3)
    red, green, blue = (float(g * w) for g, w in zip(source.white_balance, wobble, strict=True))
    tone = float(rng.uniform(0.9, 1.0))
    # Pale plaster is left pale.
    wanted = source.exposure + (0.4 if source.plaster else 0.0)
    return Camera(
        exposure=float(np.clip(wanted + rng.normal(0, 0.02), 0.07, 0.8)),
        pull=0.52,
        contrast=source.contrast * float(rng.uniform(0.95, 1.05)),
        curve=source.curve,
        white_balance=(red, green, blue),
        saturation=source.saturation,
        blur=source.blur * float(rng.uniform(0.7, 1.3)),
        sharpening=source.sharpening,
        sharpening_radius=float(rng.uniform(*SHARPENING_RADIUS)),
        noise=source.noise,
        veil=float(rng.uniform(0.02, 0.09)),
        plate=source.plate,
        halftone=source.halftone,
        halftone_period=float(rng.uniform(2.2, 3.6)),
        halftone_angle=float(rng.uniform(0.2, 1.3)),
        plate_tint=(
            tone,
            tone * float(rng.uniform(0.96, 1.0)),
            tone * float(rng.uniform(0.88, 1.0)),
        ),
    )


def encode(linear: Tensor) -> Tensor:
    """sRGB encoding, approximated by its power law with a linear toe."""
    linear = linear.clamp(min=0)
    return torch.where(
        linear < 0.0031308, 12.92 * linear, 1.055 * linear.clamp(min=1e-5) ** (1 / 2.4) - 0.055
    )


def expose(light: Tensor, mask: Tensor, cameras: list[Camera]) -> Tensor:
    """Scale light so that each coin comes out at its exposure; the highest are rolled off."""
    device = light.device
    step = max(1, light.shape[-1] // 64)
    thin = light[..., ::step, ::step]
    covered = mask[..., ::step, ::step].flatten(1) > 0.5
    luma = (0.2126 * thin[:, 0] + 0.7152 * thin[:, 1] + 0.0722 * thin[:, 2]).flatten(1)
    # A face that covers nothing has no quantile: its light is left as it is.
    marks = torch.tensor([0.5, 0.96], device=device)
    middle, high = luma.masked_fill(~covered, torch.nan).nanquantile(marks, 1).nan_to_num(1.0)
    exposure = torch.tensor([c.exposure for c in cameras], device=device)
    pull = torch.tensor([c.pull for c in cameras], device=device)
    wanted = ((exposure + 0.055) / 1.055) ** 2.4
    gain = (wanted / middle.clamp(min=1e-3)) ** pull
    # The photographer keeps the brightest metal just below white.
    gain = torch.minimum(gain, 1 / high.clamp(min=1e-3))
    return _roll_off(light * gain.view(-1, 1, 1, 1))


def _roll_off(light: Tensor) -> Tensor:
    """Linear up to 0.75, then bending toward 1 without reaching it."""
    over = (light - 0.75).clamp(min=0)
    return light.clamp(max=0.75) + 0.25 * over / (over + 0.25)


def _shoulder(rgb: Tensor) -> Tensor:
    """The end of a tone curve: linear up to 0.85, then running out at 1."""
    over = (rgb - 0.85).clamp(min=0)
    return rgb.clamp(max=0.85) + 0.15 * (1 - torch.exp(-over / 0.15))


def develop(picture: Tensor, cameras: list[Camera], seeds: list[int], scale: float) -> Tensor:
    """Linear pictures ``(B, 3, h, w)`` as encoded ones, 0…1.

    ``scale`` is the face's size over 256 px: lens blur grows with it, noise and sharpening do not.
    """
    device = picture.device

    def number(name: str) -> Tensor:
        return column([float(getattr(c, name)) for c in cameras], device)

    balance = torch.tensor([c.white_balance for c in cameras], device=device).view(-1, 3, 1, 1)
    rgb = encode((picture * balance.float()).clamp(0, 1))
    rgb = ((rgb - 0.33) * number("contrast") + 0.33).clamp(0, 1)
    rgb = _shoulder(1.2 * rgb ** number("curve"))
    veil = number("veil")
    rgb = veil + (1 - veil) * rgb
    luma = 0.299 * rgb[:, :1] + 0.587 * rgb[:, 1:2] + 0.114 * rgb[:, 2:]
    plate = number("plate")
    saturation = number("saturation") * (1 - plate)
    rgb = luma + (rgb - luma) * saturation
    rgb = _blurred(rgb, [c.blur * scale for c in cameras])
    rgb = rgb + _noise(rgb, seeds, device) * number("noise")
    # Between a narrow and a wide unsharp mask, after each picture's own radius.
    low, high = SHARPENING_RADIUS
    wide = ((number("sharpening_radius") - low) / (high - low)).clamp(0, 1)
    soft = torch.lerp(blur(rgb, low), blur(rgb, high), wide)
    rgb = rgb + number("sharpening") * (rgb - soft)
    rgb = rgb.clamp(0, 1)
    if any(c.plate for c in cameras):
        rgb = torch.where(plate > 0, _printed(rgb, cameras), rgb)
    return rgb.clamp(0, 1)


def _blurred(rgb: Tensor, sigmas: list[float]) -> Tensor:
    """Blur by each picture's own sigma, between fixed steps."""
    steps = (0.0, 0.6, 1.2, 2.4, 4.8)
    most = max(sigmas)
    sigma = column(sigmas, rgb.device)
    out = rgb
    for low, high in pairwise(steps):
        if most <= low:
            break
        share = ((sigma - low) / (high - low)).clamp(0, 1)
        out = torch.lerp(out, blur(rgb, high), share)
    return out


def _noise(rgb: Tensor, seeds: list[int], device: torch.device) -> Tensor:
    """Sensor noise of unit deviation, mostly the same in all channels, slightly clumped."""
    height, width = rgb.shape[-2:]
    if device.type == "cpu":
        rngs = [np.random.default_rng([seed, 7]) for seed in seeds]
        white = [rng.standard_normal((2, height, width), dtype=np.float32) for rng in rngs]
        both = torch.from_numpy(np.stack(white))
    else:
        # Sampling on the host would take longer than everything else does on the device.
        generator = torch.Generator(device).manual_seed(hash(tuple(seeds)) % 2**63)
        both = torch.randn((len(seeds), 2, height, width), generator=generator, device=device)
    luma, chroma = both[:, :1], blur(both[:, 1:], 1.0) * 1.6
    return torch.cat([luma + chroma, luma - 0.5 * chroma, luma - 0.6 * chroma], 1) * 0.9


def _printed(rgb: Tensor, cameras: list[Camera]) -> Tensor:
    """A plate out of a printed catalogue: grey, harder, screened, on tinted paper, scanned."""
    device = rgb.device

    def number(name: str) -> Tensor:
        return column([float(getattr(c, name)) for c in cameras], device)

    height, width = rgb.shape[-2:]
    grey = rgb.mean(1, keepdim=True)
    grey = ((grey - 0.42) * 1.2 + 0.45).clamp(0, 1)
    y = torch.arange(height, device=device, dtype=torch.float32).view(1, 1, -1, 1)
    x = torch.arange(width, device=device, dtype=torch.float32).view(1, 1, 1, -1)
    angle, period = number("halftone_angle"), number("halftone_period")
    u = (x * torch.cos(angle) + y * torch.sin(angle)) * (2 * np.pi / period)
    v = (y * torch.cos(angle) - x * torch.sin(angle)) * (2 * np.pi / period)
    screen = 0.25 * (torch.cos(u) + torch.cos(v))
    strength = number("halftone")
    dots = torch.sigmoid((grey - 0.5 + 0.55 * screen) * 9)
    grey = torch.lerp(grey, 0.45 * grey + 0.55 * dots, strength * 0.55)
    grey = torch.where(strength > 0, blur(grey, 0.7), grey)
    tint = torch.tensor([c.plate_tint for c in cameras], device=device).view(-1, 3, 1, 1)
    return (0.05 + 0.93 * grey) * tint.float()
