"""Decode one photograph, whatever its format, without trusting the file.

The size is read from the header before anything is decoded. Large JPEGs are decoded at a half, a
quarter or an eighth of their size, which costs a fraction of the time; every picture is brought to
at most ``max_edge`` pixels. Colour profiles (ICC) are ignored: the relief of a coin, not its exact
colour, tells its die, and a profile changes no edge. Pillow's global settings are left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from dieindex.errors import PictureError
from dieindex.records import Circle, Picture

if TYPE_CHECKING:
    from PIL import Image

PICTURE_SUFFIXES = frozenset(
    {
        ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".webp", ".bmp",
        ".heic", ".heif",
    }
)  # fmt: skip
"""Suffixes, lower case, of the files taken for photographs."""
UNREAD_SUFFIXES = frozenset(
    {".gif", ".avif", ".jp2", ".psd", ".svg", ".raw", ".dng", ".cr2", ".cr3", ".nef", ".arw"}
)
"""Suffixes of pictures that are not read; a collection that holds some is told so."""

MAX_PIXELS = 200_000_000
"""Largest picture that is decoded at all (a reduced JPEG)."""
MAX_PIXELS_WHOLE = 120_000_000
"""Largest picture of a format that can only be decoded whole (half a gigabyte of memory)."""
MIN_EDGE = 32
"""Shortest edge, pixels, below which no coin can be told."""
MAX_EDGE = 2_000
"""Longest edge, pixels, that is worth keeping: far more than a normalised face holds."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """A decoded picture and how its positions scale back to the file.

    ``picture`` is ``(height, width, 3)`` uint8 RGB, upright. ``scale`` (1 or more) is the number of
    pixels of the file to one of ``picture``.
    """

    picture: Picture
    scale: float

    def to_full(self, circle: Circle) -> Circle:
        """A circle of ``picture`` in pixels of the file (origin: centre of the first pixel)."""
        scale = self.scale
        return Circle(
            (circle.x + 0.5) * scale - 0.5, (circle.y + 0.5) * scale - 0.5, circle.radius * scale
        )

    def from_full(self, circle: Circle) -> Circle:
        """A circle of the file (such as an override's) in pixels of ``picture``."""
        scale = self.scale
        return Circle(
            (circle.x + 0.5) / scale - 0.5, (circle.y + 0.5) / scale - 0.5, circle.radius / scale
        )


def read_picture(
    path: Path | str, max_pixels: int = MAX_PIXELS, max_edge: int = MAX_EDGE
) -> Decoded:
    """Decode the photograph at ``path``.

    JPEG (also CMYK and turned by EXIF), PNG, TIFF (first page), WebP, BMP, and HEIC where
    ``pillow-heif`` is installed, told by content and not by suffix. Sixteen-bit values are shifted
    down to eight by their highest bit in use. Transparent parts become white, or black where the
    opaque part is light: a cut-out coin shall stand out from its ground.

    Raises PictureError naming the file and the remedy: missing, empty, truncated, no picture, of
    more than ``max_pixels`` (120 million where the format cannot be decoded reduced), too small.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            return _decode(path, stream, max_pixels, max_edge)
    except PictureError:
        raise
    except FileNotFoundError:
        raise PictureError(f"{path}: there is no such file") from None
    except PermissionError:
        raise PictureError(f"{path}: may not be read; change its permissions") from None
    except IsADirectoryError:
        raise PictureError(f"{path}: is a folder, not a picture") from None
    # Damaged files make decoders raise nearly anything: OSError, ValueError, struct.error, ...
    except Exception as error:
        raise PictureError(
            f"{path}: cannot be decoded ({_one_line(error)}); the file is damaged or cut short: "
            "fetch it again or save it anew as JPEG or PNG"
        ) from error


def picture_size(path: Path | str) -> tuple[int, int]:
    """Width and height from the header alone, as stored (before any turning by EXIF).

    Raises PictureError where there is no header to read.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            return _open(path, stream).size
    except PictureError:
        raise
    except Exception as error:
        raise PictureError(f"{path}: has no readable header ({_one_line(error)})") from error


def _decode(path: Path, stream: IO[bytes], max_pixels: int, max_edge: int) -> Decoded:
    image = _open(path, stream)
    _check_size(path, image, max_pixels, max_edge)
    full = image.size
    if image.format == "JPEG" and max(full) > max_edge:
        reduced = max_edge / max(full)
        image.draft(None, (int(full[0] * reduced), int(full[1] * reduced)))
    image.load()
    turn = _turn(image)
    image = _eight_bit(image)
    if max(image.size) > max_edge:
        image = _shrink(image, max_edge)
    if turn is not None:
        image = image.transpose(turn)
    picture = np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    return Decoded(picture, max(full) / max(picture.shape[:2]))


def _open(path: Path, stream: IO[bytes]) -> Image.Image:
    """The image with its header read, nothing decoded.

    The format's class is called directly: ``Image.open`` would print a warning of its own for
    large pictures, which cannot be silenced without changing global state.
    """
    head = stream.read(32)
    stream.seek(0)
    if not head:
        raise PictureError(f"{path}: is empty (0 bytes); fetch the file again")
    factory: Any
    if head.startswith(b"\xff\xd8\xff"):
        from PIL.JpegImagePlugin import JpegImageFile as factory
    elif head.startswith(b"\x89PNG\r\n\x1a\n"):
        from PIL.PngImagePlugin import PngImageFile as factory
    elif head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        from PIL.TiffImagePlugin import TiffImageFile as factory
    elif head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        from PIL.WebPImagePlugin import WebPImageFile as factory
    elif head.startswith(b"BM"):
        from PIL.BmpImagePlugin import BmpImageFile as factory
    elif head[4:8] == b"ftyp" and head[8:11] in (b"hei", b"hev", b"mif", b"msf"):
        factory = _heif_factory(path)
    else:
        raise PictureError(
            f"{path}: is not a picture that can be read (JPEG, PNG, TIFF, WebP, BMP, HEIC); "
            "save it anew as JPEG or PNG, or take it out of the folder"
        )
    image: Image.Image = factory(stream, str(path))
    return image


def _heif_factory(path: Path) -> Any:
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        raise PictureError(
            f"{path}: HEIC pictures need one more package: pip install pillow-heif "
            "(or save the picture as JPEG)"
        ) from None
    return HeifImageFile


def _check_size(path: Path, image: Image.Image, max_pixels: int, max_edge: int) -> None:
    width, height = image.size
    whole = image.format != "JPEG" or bool(image.info.get("progressive"))
    limit = min(max_pixels, MAX_PIXELS_WHOLE) if whole else max_pixels
    if width * height > limit:
        raise PictureError(
            f"{path}: has {width} × {height} pixels, more than the {limit / 1e6:.0f} million "
            f"that are read; make it smaller (an edge of {max_edge} is enough)"
        )
    if min(width, height) < MIN_EDGE:
        raise PictureError(
            f"{path}: has only {width} × {height} pixels; at least {MIN_EDGE} × {MIN_EDGE} "
            "are needed to see a coin"
        )
    if min(width, height) * max_edge < MIN_EDGE * max(width, height):
        raise PictureError(f"{path}: is a strip of {width} × {height} pixels; no coin fits in it")


def _eight_bit(image: Image.Image) -> Image.Image:
    """The image in mode L or RGB."""
    mode = image.mode
    if mode in ("L", "RGB"):
        return image if "transparency" not in image.info else _on_ground(image.convert("RGBA"))
    if mode == "CMYK":
        return _cmyk(image)
    if mode in ("RGBA", "LA", "La", "RGBa", "PA") or "transparency" in image.info:
        return _on_ground(image.convert("RGBA"))
    if mode.startswith(("I", "F")):
        return _from_values(image)
    if mode == "LAB":  # its lightness shows the relief; Pillow converts it only by profiles
        return image.getchannel(0)
    return image.convert("L" if mode == "1" else "RGB")


def _cmyk(image: Image.Image) -> Image.Image:
    """RGB from CMYK by plain subtraction.

    Pillow turns the values of every CMYK JPEG round, as Adobe's programs store them. A JPEG
    without Adobe's mark stores them straight and has to be turned back.
    """
    if image.format == "JPEG" and "adobe" not in image.info:
        from PIL import ImageChops

        image = ImageChops.invert(image)
    return image.convert("RGB")


def _on_ground(image: Image.Image) -> Image.Image:
    from PIL import Image

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


def _from_values(image: Image.Image) -> Image.Image:
    """Eight-bit grey from 16- or 32-bit whole numbers (shifted) or real numbers (stretched)."""
    from PIL import Image

    values = np.asarray(image)
    if values.dtype.kind == "f":
        values = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
        low, high = min(float(values.min()), 0.0), float(values.max())
        grey = (values - low) * (255.0 / max(high - low, 1e-12))
        return Image.fromarray(grey.astype(np.uint8))
    if values.dtype.kind == "i":
        values = np.maximum(values, 0)
    shift = max(int(values.max()).bit_length() - 8, 0)
    return Image.fromarray((values >> shift).astype(np.uint8))


def _shrink(image: Image.Image, max_edge: int) -> Image.Image:
    from PIL import Image

    factor = max_edge / max(image.size)
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    return image.resize(size, Image.Resampling.BOX, reducing_gap=2.0)


def _turn(image: Image.Image) -> Image.Transpose | None:
    """How EXIF says the picture must be turned (the readers of TIFF and HEIC do it themselves)."""
    from PIL import ExifTags
    from PIL.Image import Transpose

    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # a damaged EXIF block does not make the picture unusable
        return None
    return {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(orientation)


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 120 else text[:117] + "..."
