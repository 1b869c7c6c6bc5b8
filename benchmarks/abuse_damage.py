"""Damage to files: bytes turned, cut, repeated, and pictures whose headers tell forged sizes."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from PIL import Image

Damage = Callable[[bytes, random.Random], bytes]


def turned(content: bytes, rng: random.Random) -> bytes:
    """Some bits are others, anywhere or in the header alone."""
    changed = bytearray(content)
    reach = rng.choice((64, 512, len(content), len(content)))
    for _ in range(rng.choice((1, 1, 8, 100))):
        changed[rng.randrange(min(reach, len(content)))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content))]


def gone(content: bytes, rng: random.Random) -> bytes:
    """A stretch is missing, empty, or there twice."""
    start = rng.randrange(len(content))
    end = min(len(content), start + rng.randrange(1, 4096))
    between = rng.choice((b"", bytes(end - start), content[start:end] * 2))
    return content[:start] + between + content[end:]


def noise(content: bytes, rng: random.Random) -> bytes:
    """The beginning alone is of the kind."""
    kept = rng.randrange(64)
    return content[:kept] + rng.randbytes(rng.randrange(1, 20_000))


def forged(content: bytes, rng: random.Random) -> bytes:
    """The header of a picture tells another size."""
    largest = 16_383 if content[:4] == b"RIFF" else 65_500
    sizes = ((largest, largest), (10_900, 10_900), (largest, 20), (1, 1), (3_000, 2_000))
    return with_size(content, *rng.choice(sizes))


def with_size(content: bytes, width: int, height: int) -> bytes:
    """A JPEG, PNG, TIFF or WebP that calls itself so many pixels wide and high."""
    changed = bytearray(content)
    if content[:2] == b"\xff\xd8":
        at = _frame_of_jpeg(content)
        struct.pack_into(">HH", changed, at + 5, height, width)
    elif content[:4] == b"\x89PNG":
        struct.pack_into(">II", changed, 16, width, height)
        struct.pack_into(">I", changed, 29, zlib.crc32(changed[12:29]))
    elif content[:4] == b"RIFF":
        if content[12:16] == b"VP8 ":
            struct.pack_into("<HH", changed, 26, width, height)
        elif content[12:16] == b"VP8L":
            struct.pack_into("<I", changed, 21, (width - 1) | (height - 1) << 14)
    else:
        (at,) = struct.unpack_from("<I", content, 4)
        for entry in range(struct.unpack_from("<H", content, at)[0]):
            place = at + 2 + 12 * entry
            tag = struct.unpack_from("<H", content, place)[0]
            if tag in (256, 257):
                struct.pack_into("<HII", changed, place + 2, 4, 1, (width, height)[tag - 256])
    return bytes(changed)


def _frame_of_jpeg(content: bytes) -> int:
    at = 2
    while content[at + 1] not in (0xC0, 0xC1, 0xC2):
        at += 2 + struct.unpack_from(">H", content, at + 2)[0]
    return at


PICTURE_DAMAGES: tuple[Damage, ...] = (turned, turned, cut, gone, noise, forged, forged)
SHEET_DAMAGES: tuple[Damage, ...] = (turned, turned, cut, gone, noise)
PICTURE_KINDS: dict[str, dict[str, object]] = {
    "jpg": {"format": "JPEG"},
    "jpeg": {"format": "JPEG", "progressive": True},
    "png": {"format": "PNG"},
    "tif": {"format": "TIFF"},
    "tiff": {"format": "TIFF", "compression": "tiff_adobe_deflate"},
    "webp": {"format": "WEBP", "quality": 80},
    "WEBP": {"format": "WEBP", "lossless": True},
}


def as_kind(picture: Path, suffix: str) -> bytes:
    """A picture saved as another kind of file."""
    stream = io.BytesIO()
    with Image.open(picture) as image:
        image.save(stream, **PICTURE_KINDS[suffix])  # type: ignore[arg-type]
    return stream.getvalue()


def in_parts(content: bytes, rng: random.Random, damage: Damage) -> bytes:
    """A workbook in which one part is damaged, and the archive around it sound."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        chosen = rng.choice(names)
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as copy:
            for name in names:
                part = archive.read(name)
                copy.writestr(name, damage(part, rng) if name == chosen and part else part)
    return stream.getvalue()
