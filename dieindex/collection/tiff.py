"""What is particular to TIFF: pages, colours stored one after the other, white as zero."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dieindex.errors import PictureError

if TYPE_CHECKING:
    from PIL import Image

MOST_PAGES = 200
"""Pages that are looked at for the largest."""
_BITS, _COMPRESSION, _PHOTOMETRIC, _PLANAR, _FORMAT = 258, 259, 262, 284, 339
_UNCOMPRESSED, _WHITE_IS_ZERO, _SEPARATE, _UNSIGNED = 1, 0, 2, 1


def prepare_tiff(path: Path, image: Image.Image) -> tuple[int, bool]:
    """Turn an opened TIFF to its largest page and mend how Pillow would decode it.

    Gives the number of pages of about that size, and whether its whole numbers count from white.
    Raises PictureError for arrangements that would be decoded wrongly.
    """
    tiff: Any = image
    pages = _turn_to_largest(tiff)
    tags = tiff.tag_v2
    bits = max(tags.get(_BITS) or (1,))
    packed = tags.get(_COMPRESSION, 1) != _UNCOMPRESSED
    if tags.get(_PLANAR) == _SEPARATE and not packed and bits != 8:
        _by_libtiff(path, tiff, bits)
    if tiff.mode in ("I", "F"):
        unsigned = bits == 32 and tags.get(_FORMAT, (1,))[0] == _UNSIGNED
        if unsigned or (packed and tags.prefix == b"MM"):
            raise _not_sure(path, f"keeps its values in {bits} bits")
    return pages, tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO and tiff.mode.startswith("I;16")


def _turn_to_largest(tiff: Any) -> int:
    sizes: list[int] = []
    for page in range(MOST_PAGES):
        try:
            tiff.seek(page)
        except Exception:  # the end, or a page that is damaged: those before it are read
            break
        sizes.append(tiff.width * tiff.height)
    tiff.seek(sizes.index(max(sizes)))
    # A preview has a quarter of the pixels or fewer.
    return sum(4 * size > max(sizes) for size in sizes)


def _by_libtiff(path: Path, tiff: Any, bits: int) -> None:
    """Have libtiff decode planes: Pillow's own reader takes every plane for eight bits."""
    modes = {"RGB": "RGB;16N", "RGBA": "RGBA;16N", "CMYK": "CMYK;16N", "I;16": "I;16N"}
    rawmode = modes.get(tiff.mode)
    if bits != 16 or rawmode is None:
        raise _not_sure(path, f"keeps its colours apart, in {bits} bits each")
    from PIL.ImageFile import _Tile

    tiff.use_load_libtiff = True
    box = (0, 0, *tiff.size)
    tiff.tile = [_Tile("libtiff", box, 0, (rawmode, False, tiff.tag_v2.offset))]


def _not_sure(path: Path, what: str) -> PictureError:
    return PictureError(
        f"{path}: {what}, which is not read for sure; save it anew as PNG, or as a TIFF of eight "
        "bits"
    )
