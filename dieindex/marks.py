"""The mark inside every picture that dieindex draws, by which no build takes it for a photograph.

It stands where the format keeps the name of the program that made a file, in its first or last
bytes, so that it is found without decoding anything; it goes with the file wherever it is copied,
whatever it is called. With it stands a digest of the file, taken with zeros in the digest's place:
whether a person changed the picture since can be told from the file alone.
"""

from __future__ import annotations

import hashlib
import io
import re
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
"""The formats that pictures are drawn in, by the end of their name."""
UNSEALED = f"dieindex sha256:{'0' * 64}"
"""The mark before the digest is known; what ``sealed`` takes holds it once."""
_SUFFIXES = frozenset((*FORMATS, ".svg"))
_SEAL = re.compile(rb"dieindex sha256:([0-9a-f]{64})")
_SOFTWARE = 0x0131
_PROBE = 1024
"""Bytes of a file's beginning, and of its end, in which the mark stands."""
_MOST_READ = 256 << 20
"""Bytes of the largest picture that dieindex could have drawn."""
_IN_PNG = b"Software\0dieindex"
_IN_JPEG = re.compile(rb"\xff\xfe..dieindex", re.DOTALL)
_IN_WEBP = re.compile(rb"EXIF.*\0dieindex", re.DOTALL)


def marked(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A picture of Pillow's as a file, PNG, JPEG or WEBP, with the mark inside."""
    if kind == "PNG":
        from PIL.PngImagePlugin import PngInfo

        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_text("Software", UNSEALED)
    elif kind == "JPEG":
        options["comment"] = UNSEALED
    else:
        from PIL import Image

        options["exif"] = Image.Exif()
        options["exif"][_SOFTWARE] = UNSEALED
    out = io.BytesIO()
    image.save(out, kind, **options)
    return sealed(out.getvalue())


def marked_jpeg(jpeg: bytes) -> bytes:
    """A JPEG with the mark, behind the header that JFIF wants first."""
    place = 2
    if jpeg[2:4] == b"\xff\xe0":
        place += 2 + int.from_bytes(jpeg[4:6], "big")
    comment = b"\xff\xfe" + (len(UNSEALED) + 2).to_bytes(2, "big") + UNSEALED.encode()
    return sealed(jpeg[:place] + comment + jpeg[place:])


def sealed(content: bytes) -> bytes:
    """A file that holds the mark, with its digest in it."""
    return _with_digest(content, hashlib.sha256(content).hexdigest().encode())


def is_as_drawn(path: Path) -> bool:
    """Whether dieindex drew the picture and nobody changed it since; OSError where it cannot be
    read."""
    if path.suffix.lower() not in _SUFFIXES or path.stat().st_size > _MOST_READ:
        return False
    content = path.read_bytes()
    found = _SEAL.search(content)
    if found is None:
        return False
    return hashlib.sha256(_with_digest(content, b"0" * 64)).hexdigest().encode() == found[1]


def _with_digest(content: bytes, digest: bytes) -> bytes:
    found = _SEAL.search(content)
    assert found is not None
    start, end = found.span(1)
    content = content[:start] + digest + content[end:]
    if content.startswith(b"\x89PNG"):
        # The chunk ends with a check sum of its own.
        check = zlib.crc32(content[content.rfind(b"tEXt", 0, start) : end])
        content = content[:end] + check.to_bytes(4, "big") + content[end + 4 :]
    return content


def is_own_picture(path: Path | str) -> bool:
    """Whether dieindex drew the picture, whoever changed it since; False where it cannot be
    read."""
    try:
        with open(path, "rb", buffering=0) as stream:  # noqa: PTH123 (100,000 files)
            head = stream.read(_PROBE)
            if head.startswith(b"\x89PNG"):
                return _IN_PNG in head
            if head.startswith(b"\xff\xd8\xff"):
                return _IN_JPEG.search(head) is not None
            if not head.startswith(b"RIFF"):
                return False
            stream.seek(-min(_PROBE, stream.seek(0, 2)), 2)
            return _IN_WEBP.search(stream.read(_PROBE)) is not None
    except OSError:
        return False
