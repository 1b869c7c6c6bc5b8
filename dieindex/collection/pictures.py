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

from dieindex.collection.decoding_memory import (
    DECODING,
    MOST_BYTES,
    bytes_to_decode,
    in_several_scans,
)
from dieindex.collection.jpeg_damage import damage_of_jpeg
from dieindex.collection.tiff import prepare_tiff
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
    {
        ".gif", ".avif", ".jp2", ".j2k", ".jpx", ".jxl", ".jxr", ".psd", ".psb", ".xcf", ".svg",
        ".tga", ".ico", ".pcx", ".ppm", ".pgm", ".pnm", ".exr", ".hdr", ".ai", ".eps", ".djvu",
        # Raw formats of cameras.
        ".raw", ".dng", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".srf", ".sr2", ".orf",
        ".rw2", ".raf", ".pef", ".srw", ".x3f", ".3fr", ".fff", ".iiq", ".mos", ".mef", ".mrw",
        ".kdc", ".dcr", ".erf", ".rwl", ".gpr",
    }
)  # fmt: skip
"""Suffixes of pictures that are not read; a collection that holds some is told so."""

MAX_PIXELS = 200_000_000
"""Largest picture that is decoded at all, and only where its format can be decoded reduced."""
MIN_EDGE = 32
"""Shortest edge, pixels, below which no coin can be told."""
MAX_EDGE = 2_000
"""Longest edge, pixels, that is worth keeping: far more than a normalised face holds."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """A decoded picture and how its positions scale back to the file.

    ``picture`` is ``(height, width, 3)`` uint8 RGB, upright. ``scale`` (1 or more) is the number of
    pixels of the file to one of ``picture``. ``pages`` is how many pictures of about this size the
    file holds; the others are not read. ``damage`` says what is wrong with the file where it could
    be decoded all the same: parts of the picture may be of something else.
    """

    picture: Picture
    scale: float
    pages: int = 1
    damage: str | None = None

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

    JPEG (also CMYK and turned by EXIF), PNG, TIFF (its largest page), WebP, BMP, and HEIC where
    ``pillow-heif`` is installed, told by content and not by suffix. Sixteen-bit values are shifted
    down to eight by their highest bit in use. Transparent parts become white, or black where the
    opaque part is light: a cut-out coin shall stand out from its ground. Threads that decode wait
    for one another where they would take more than ``MOST_BYTES`` of memory together.

    Raises PictureError naming the file and the remedy: missing, empty, truncated, no picture, of
    more than ``max_pixels`` or needing more than ``MOST_BYTES``, too small, no memory left.
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
    except MemoryError:
        raise PictureError(
            f"{path}: there is not enough memory left to decode it; close other programs, or make "
            f"the picture smaller (an edge of {max_edge} is enough)"
        ) from None
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
    from dieindex.collection.pixels import brought_to

    image = _open(path, stream)
    several_scans = in_several_scans(image, stream)
    pages, inverted = prepare_tiff(path, image) if image.format == "TIFF" else (1, False)
    full = image.size
    _check_size(path, full, max_pixels, max_edge)
    if image.format == "JPEG" and max(full) > max_edge:
        reduced = max_edge / max(full)
        image.draft(None, (int(full[0] * reduced), int(full[1] * reduced)))
    taken = bytes_to_decode(image, full, several_scans, max_edge)
    if taken > MOST_BYTES:
        raise PictureError(
            f"{path}: has {full[0]} × {full[1]} pixels and would take {taken / 1e9:.1f} GB of "
            f"memory to decode, more than the {MOST_BYTES / 1e9:.1f} GB that are allowed; make it "
            f"smaller (an edge of {max_edge} is enough)"
        )
    with DECODING.taking(taken):
        image.load()
        turn = _turn(image)
        small = brought_to(image, max_edge, inverted=inverted)
        if turn is not None:
            small = small.transpose(turn)
        picture = np.asarray(small if small.mode == "RGB" else small.convert("RGB"))
        damage = None
        if image.format == "JPEG":
            stream.seek(0)
            damage = damage_of_jpeg(stream.read(), image, round(full[1] / image.height))
    return Decoded(picture, max(full) / max(picture.shape[:2]), pages, damage)


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


def _check_size(path: Path, size: tuple[int, int], max_pixels: int, max_edge: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise PictureError(
            f"{path}: has {width} × {height} pixels, more than the {max_pixels / 1e6:.0f} million "
            f"that are read; make it smaller (an edge of {max_edge} is enough)"
        )
    if min(width, height) < MIN_EDGE:
        raise PictureError(
            f"{path}: has only {width} × {height} pixels; at least {MIN_EDGE} × {MIN_EDGE} "
            "are needed to see a coin"
        )
    if min(width, height) * max_edge < MIN_EDGE * max(width, height):
        raise PictureError(f"{path}: is a strip of {width} × {height} pixels; no coin fits in it")


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
