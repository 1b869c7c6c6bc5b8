"""Pixels of any kind as eight-bit grey or colour, reduced band by band.

A decoded picture may be half a gigabyte: what is made of it is made of a few of its rows at a time.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageChops

from dieindex.records import Floats32

_BAND = 2_000_000
"""Pixels that are worked on at a time."""
_LARGE = 40_000_000
"""Pixels from which a picture is reduced further at once, and less is left to average."""


def brought_to(image: Image.Image, most_edge: int, *, inverted: bool = False) -> Image.Image:
    """The decoded image in mode L or RGB with edges of at most ``most_edge`` pixels.

    Whole numbers of more than eight bits are shifted down by their highest bit in use, real numbers
    stretched. Transparent parts become white, or black where the opaque part is light.
    ``inverted``: whole numbers count from white.
    """
    full = image.size
    ratio = max(full) / most_edge
    gap = 1.0 if full[0] * full[1] > _LARGE else 2.0
    factor = max(int(ratio / gap), 1)
    if image.mode.startswith(("I", "F")):
        small = _from_values(image, factor, inverted)
    else:
        small = _eight_bit(image if factor == 1 else _reduced(image, factor), image.format)
    if ratio <= 1:
        return small
    size = (max(1, round(full[0] / ratio)), max(1, round(full[1] / ratio)))
    box = (0, 0, full[0] / factor, full[1] / factor)
    return small.resize(size, Image.Resampling.BOX, box)


def _bands(image: Image.Image, factor: int) -> Iterator[Image.Image]:
    rows = max(_BAND // image.width // factor, 1) * factor
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height)))


def _reduced(image: Image.Image, factor: int) -> Image.Image:
    """The image of which each pixel is the mean of ``factor`` × ``factor``."""
    parts = [_of_shades(band).reduce(factor) for band in _bands(image, factor)]
    whole = Image.new(parts[0].mode, (parts[0].width, sum(part.height for part in parts)))
    top = 0
    for part in parts:
        whole.paste(part, (0, top))
        top += part.height
    whole.info = dict(image.info)
    whole.info.pop("transparency", None)
    return whole


def _of_shades(image: Image.Image) -> Image.Image:
    """The image in a mode of which means can be taken."""
    if "transparency" in image.info or image.mode in ("La", "RGBa", "PA"):
        return image.convert("RGBA")
    if image.mode == "LAB":  # its lightness shows the relief; Pillow converts it only by profiles
        return image.getchannel(0)
    if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _eight_bit(image: Image.Image, format: str | None) -> Image.Image:
    """The image in mode L or RGB."""
    image = _of_shades(image)
    if image.mode == "CMYK":
        return _cmyk(image, format)
    return _on_ground(image.convert("RGBA")) if image.mode in ("LA", "RGBA") else image


def _cmyk(image: Image.Image, format: str | None) -> Image.Image:
    """RGB from CMYK by plain subtraction.

    Pillow turns the values of every CMYK JPEG round, as Adobe's programs store them. A JPEG
    without Adobe's mark stores them straight and has to be turned back.
    """
    if format == "JPEG" and "adobe" not in image.info:
        image = ImageChops.invert(image)
    return image.convert("RGB")


def _on_ground(image: Image.Image) -> Image.Image:
    alpha = image.getchannel("A")
    lowest, highest = alpha.getextrema()
    # An alpha of nothing but zeros is a mistake of the program that wrote it.
    if lowest == 255 or highest == 0:
        return image.convert("RGB")
    opaque = np.asarray(image.convert("L"))[np.asarray(alpha) >= 128]
    shade = 0 if opaque.size and float(np.median(opaque)) > 160 else 255
    ground = Image.new("RGB", image.size, (shade, shade, shade))
    ground.paste(image, mask=alpha)
    return ground


def _from_values(image: Image.Image, factor: int, inverted: bool) -> Image.Image:
    """Eight-bit grey from 16- or 32-bit whole numbers (shifted) or real numbers (stretched)."""
    parts: list[Floats32] = []
    low, high = 0.0, 0.0
    for band in _bands(image, factor):
        values = np.asarray(band).astype(np.float32)
        if image.mode == "F":
            values = np.nan_to_num(values, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
        else:
            values = np.maximum(65_535 - values if inverted else values, 0)
        low, high = min(low, float(values.min())), max(high, float(values.max()))
        if factor > 1:
            values = np.asarray(Image.fromarray(values).reduce(factor))
        parts.append(values)
    values = np.concatenate(parts)
    if image.mode == "F":
        grey = (values - low) * (255.0 / max(high - low, 1e-12))
    else:
        grey = np.minimum(values / 2 ** max(int(high).bit_length() - 8, 0), 255)
    return Image.fromarray(grey.astype(np.uint8))
