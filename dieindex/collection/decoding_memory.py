"""How much memory decoding a picture takes, told by its header, and a bound that threads share."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

MOST_BYTES = 700_000_000
"""What all pictures that are being decoded may take together, and so the most one may take."""

BAND_BYTES = 40_000_000
"""What a band of a picture takes while it is converted and reduced."""

# Pillow keeps a pixel of these in so many bytes, and of every other mode in four.
_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}
# Readers that hold several whole copies while they decode (measured on 50 million pixels).
_COPIES = {"WEBP": 4.0, "HEIF": 2.0}


class Bound:
    """Lets work begin while what is under way takes no more than ``most`` bytes together."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._taken = 0
        self._changed = threading.Condition()

    @contextmanager
    def taking(self, amount: int) -> Iterator[None]:
        """Wait until there is room for ``amount`` bytes (alone, anything has room)."""
        with self._changed:
            self._changed.wait_for(lambda: not self._taken or self._taken + amount <= self.most)
            self._taken += amount
        try:
            yield
        finally:
            with self._changed:
                self._taken -= amount
                self._changed.notify_all()


DECODING = Bound(MOST_BYTES)
"""Shared by all threads of this process."""


def bytes_to_decode(
    image: Image.Image, full: tuple[int, int], several_scans: bool, kept_edge: int
) -> int:
    """What decoding ``image`` (its header read, ``draft`` applied) and reducing it will take.

    ``full`` is its size in the file; ``several_scans`` whether a JPEG has its colours or its detail
    one after the other; ``kept_edge`` is the longest edge, pixels, to which it is brought.
    """
    width, height = image.size
    pixel = _BYTES.get(image.mode, 4)
    whole = width * height * pixel
    taken = whole * _COPIES.get(image.format or "", 1.0)
    if several_scans:
        taken += _coefficients(image, full)
    elif image.format == "TIFF":
        taken += _strip(image)
    # While a picture is brought to its size, two reduced copies are held besides, and a band of it.
    kept = min(whole, 4 * pixel * kept_edge * kept_edge)
    return round(taken + 2 * kept + min(4 * whole, BAND_BYTES))


def in_several_scans(image: Image.Image, stream: IO[bytes]) -> bool:
    """Whether a JPEG just opened needs all of its coefficients at once, reduced or not."""
    if image.format != "JPEG":
        return False
    if image.info.get("progressive"):
        return True
    # The header was read up to the end of the first scan's, which lists its components.
    at = stream.tell()
    length = 6 + 2 * len(image.getbands())
    stream.seek(max(at - length - 2, 0))
    complete = stream.read(2) == b"\xff\xda"
    stream.seek(at)
    return not complete


def _coefficients(image: Image.Image, full: tuple[int, int]) -> int:
    """Bytes of the coefficients of a JPEG, two each."""
    layers: list[tuple[int, int, int, int]] = getattr(image, "layer", [])
    samples = [max(across * down, 1) for _, across, down, _ in layers] or [1]
    return 2 * full[0] * full[1] * sum(samples) // max(samples)


def _strip(image: Image.Image) -> int:
    """Bytes of a strip or tile of a TIFF, which is unpacked beside the picture."""
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(258) or (8,)
    width, height = tags.get(322), tags.get(323)
    if not isinstance(width, int) or not isinstance(height, int):
        width, height = image.width, min(int(tags.get(278) or image.height), image.height)
    return width * height * sum(bits) // 8
