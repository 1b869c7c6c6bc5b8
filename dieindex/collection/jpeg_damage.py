"""What is wrong inside a JPEG that decodes without an error.

Pillow cannot be asked for the warnings of its decoder, which fills what is missing with grey or
with another part. And a stretch lost from the middle can go by without a warning: the code finds
its way again after some blocks, and only the brightness, which each block gives as a difference to
the one before, stays wrong from there on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

    from dieindex.records import Floats

BLOCK = 8
"""Pixels a side of what a JPEG codes at once."""

LEAST_STEP = 3.0
"""Levels of 255. The largest step found in 2,732 whole JPEGs of all sources was 2.2
(``benchmarks/broken_jpegs.py``)."""

ZEROS = 64
"""Bytes of zero in a row that no code of a picture holds."""

_FEWEST_BLOCKS = 16
_FEWEST_PIXELS = 4


def damage_of_jpeg(data: bytes, image: Image.Image, reduced: int) -> str | None:
    """What is wrong inside a JPEG, or None.

    ``data`` is the file; ``image`` is the picture decoded from it, not turned, and reduced by
    nothing but the decoder itself, ``reduced`` times (1, 2, 4 or 8).
    """
    import simplejpeg

    try:
        blocks = simplejpeg.decode_jpeg(
            data, "RGB", strict=True, min_width=1, min_height=1, min_factor=BLOCK
        )
    except ValueError as error:
        told = " ".join(str(error).split())
        # (What this decoder cannot read at all is no damage.)
        return None if told.startswith("Unsupported JPEG process") else told
    if _holds_zeros(data):
        return "a stretch of it is zeros"
    size = BLOCK // reduced
    if size < _FEWEST_PIXELS:
        return None
    if any(_is_shifted(image, size, *suspect) for suspect in _suspects(blocks.astype(np.float64))):
        return "its brightness changes from one block to the next and stays so: a stretch is lost"
    return None


def _suspects(blocks: Floats) -> Iterator[tuple[int, int, int]]:
    """Pairs of block rows, and the colour, between which the brightness may have been lost.

    ``blocks`` is the mean of every block, of shape (down, across, 3). From the block on where it
    was lost, all are wrong: seen from the row above, the right part of that row and the left part
    of the next. A unit of code is one block high, or two where the colours are kept at half size.
    """
    down, across = blocks.shape[:2]
    edge = max(2, across // _FEWEST_BLOCKS)
    if across < _FEWEST_BLOCKS:
        return
    for unit in (1, 2):
        rows = np.arange(unit, down, unit)
        steps = blocks[rows] - blocks[rows - 1]
        right = np.median(steps[:-1, -edge:], axis=1)
        left = np.median(steps[1:, :edge], axis=1)
        for row, colour in zip(*np.nonzero(_shared(right, left) >= 1), strict=True):
            yield int(rows[row]), int(rows[row + 1]), int(colour)


def _is_shifted(image: Image.Image, size: int, first: int, second: int, colour: int) -> bool:
    """Whether the picture steps between pixels at two block rows as a lost brightness makes it."""
    if second * size + 2 > image.height:
        return False
    upper, lower = (_steps(image, size, row, colour) for row in (first, second))
    across = len(upper)
    edge = max(2, across // _FEWEST_BLOCKS)
    ends = np.stack([upper[-edge:], lower[:edge]])
    if _shared(*np.median(ends, axis=1)) < LEAST_STEP:
        return False
    for at in range(edge, across - edge + 1):
        stepped = np.concatenate([lower[:at], upper[at:]])
        other = np.concatenate([upper[:at], lower[at:]])
        middle = np.median(stepped)
        near = stepped[max(0, at - 2 * edge) : at], stepped[at : at + 2 * edge]
        parts = (stepped[:at], stepped[at:], *near)
        least = min(np.median(part) * np.sign(middle) for part in parts)
        spread = np.median(np.abs(stepped - middle))
        if least - abs(np.median(other)) - spread >= LEAST_STEP:
            return True
    return False


def _steps(image: Image.Image, size: int, row: int, colour: int) -> Floats:
    """By block across, how much the pixels step at the upper edge of a row of blocks, beyond what
    they do beside it (an edge of the coin is never as sharp, nor just there)."""
    top = row * size
    band = image.crop((0, top - 2, image.width, top + 2)).convert("RGB")
    lines = np.asarray(band, np.float64)[..., colour]
    before, there, after = np.diff(lines, axis=0)
    whole = len(there) // size * size
    beyond = (there - (before + after) / 2)[:whole]
    means: Floats = beyond.reshape(-1, size).mean(axis=1)
    return means


def _shared(a: Floats, b: Floats) -> Floats:
    """The smaller of two steps, without sign, where both go the same way, else 0."""
    return np.where(np.sign(a) == np.sign(b), np.minimum(np.abs(a), np.abs(b)), 0.0)


def _holds_zeros(data: bytes) -> bool:
    """Whether the coded picture holds zeros that cannot be code: a lost sector of a disk.

    They could be where the shortest code of the brightness ends a block (a flat ground), and where
    the detail comes in scans of its own; that cannot be told apart.
    """
    baseline, shortest, at = False, dict[int, int](), 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        body = data[at + 4 : at + 2 + length]
        at += 2 + length
        if marker in (0xC0, 0xC1):
            baseline = True
        elif marker == 0xC4:
            shortest |= _shortest_codes(body)
        elif marker == 0xDA:
            brightness = body[2] & 15 if len(body) > 2 else -1
            return baseline and shortest.get(brightness, 0) != 0 and bytes(ZEROS) in data[at:]
    return False


def _shortest_codes(tables: bytes) -> dict[int, int]:
    """By table of a segment, what the code of zeros stands for (0: the end of a block), of those
    that code all but a block's brightness."""
    found = {}
    while len(tables) > 17:
        kind, codes = tables[0], sum(tables[1:17])
        if kind >> 4:
            found[kind & 15] = tables[17]
        tables = tables[17 + codes :]
    return found
